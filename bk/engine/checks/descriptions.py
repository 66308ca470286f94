"""What an MCP server's tools say to the model that reads them, and whether they say it differently now."""

from __future__ import annotations

import json
import re

from blake3 import blake3

from bk.engine.model import Finding, Level
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bk.engine.model import Json

ADDED = "mcp/tool-added"
TOOL_CHANGED = "mcp/tool-changed"
SUSPICIOUS = "mcp/tool-suspicious"
MAX_TOOLS = 2_000
MAX_TEXT = 64 << 10
MAX_TEXTS = 4_000
SHOWN = 160
# What a description has no business saying to a model. Linear by construction: bounded gaps, no nesting.
_TELLS = (
    ("overrides other instructions", re.compile(
        r"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|other|all|system)\b"
        r"[^.\n]{0,30}\b(?:instructions?|rules?|prompts?|messages?|guidelines?|restrictions?)\b", re.I)),
    ("hides something from the user", re.compile(
        r"\b(?:do\s?n[o']t|never|must not|without|avoid)\b[^.\n]{0,20}"
        r"\b(?:tell|inform|mention|reveal|show|notify|alert|"
        r"ask|telling|informing|mentioning|notifying|alerting|asking|disclos\w+)\b[^.\n]{0,40}\b(?:user|human|person|anyone|them)\b"
        r"|\b(?:secretly|covertly|silently)\b[^.\n]{0,40}\b(?:send|read|copy|upload|include|call|run|execute|add)\b"
        r"|\bhid(?:e|den)\b[^.\n]{0,20}\bfrom\b[^.\n]{0,12}\b(?:user|human|person)\b", re.I)),
    ("speaks with markup of the system", re.compile(
        r"<\s*/?\s*(?:important|system|instructions?|secret|hidden|admin|critical)\s*>|\[\s*/?\s*(?:system|inst)\s*\]"
        r"|<\|im_start\|>|<!--", re.I)),
    ("demands to be used first", re.compile(
        r"\b(?:before|prior to|whenever)\b[^.\n]{0,20}\b(?:using|calling|invoking|running|use|call)\b[^.\n]{0,12}"
        r"\b(?:any|every|other|another|all)\b[^.\n]{0,20}\btools?\b", re.I)),
    ("names places of secrets", re.compile(
        r"[~/.]\.?ssh/|\bid_(?:rsa|ed25519|ecdsa)\b|\.aws/|\.gnupg|/etc/(?:passwd|shadow)|\.cursor/mcp\.json|\.claude\.json"
        r"|\.netrc|\.git-credentials|\.kube/config|(?:^|[\s`'\"/])\.env\b(?!\.example)", re.I)),
    ("wants the conversation or credentials", re.compile(
        r"\b(?:send|include|pass|provide|attach|append|upload|forward|exfiltrate|read)\b[^.\n]{0,60}\b(?:"
        r"conversation history|chat history|full conversation|system prompt|private keys?|passwords?|credentials"
        r"|environment variables)\b", re.I)),
    ("holds a long encoded text", re.compile(r"[A-Za-z0-9+/]{240,}={0,2}")),
    ("holds terminal control", re.compile(r"\x1b|\x9b")),
)  # fmt: skip
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e01ef]")


def described(server: str, tools: Sequence[Json], known: Mapping[str, str]) -> tuple[list[Finding], dict[str, str]]:
    """What a `tools/list` says that it should not, and what is new or different in it; with the digests to remember.

    `known` are the digests of the last time, empty when there was none.
    """
    found: list[Finding] = []
    digests: dict[str, str] = {}
    for tool in tools[:MAX_TOOLS]:
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            found.append(Finding(SUSPICIOUS, Level.ASK, f"{_text(server)} lists a tool without a name"))
            continue
        name = tool["name"][:200]
        shown = f"{_text(server)}/{_text(name)}"
        if name in digests:
            found.append(Finding(SUSPICIOUS, Level.ASK, f"{shown} is listed twice", evidence={"tool": shown}))
        digests[name] = blake3(json.dumps(tool, sort_keys=True).encode(errors="replace")).hexdigest(16)
        if known and name not in known:
            found.append(Finding(ADDED, Level.WARN, f"{shown} was not there before", evidence={"tool": shown}))
        elif known and known[name] != digests[name]:
            reason = f"{shown} describes itself in another way than before"
            found.append(Finding(TOOL_CHANGED, Level.ASK, reason, evidence={"tool": shown}, instead="read it again"))
        for why, text in suspicious(tool):
            evidence = {"tool": shown, "why": why, "text": inert(text, SHOWN)}
            reason = f"the description of {shown} {why}: “{inert(text, SHOWN)}”"
            instead = "do not use this server until a person has read what its tools say"
            found.append(Finding(SUSPICIOUS, Level.ASK, reason, evidence=evidence, instead=instead))
    if len(tools) > MAX_TOOLS:
        found.append(Finding(SUSPICIOUS, Level.ASK, f"{_text(server)} lists {len(tools)} tools"))
    return found, digests


def suspicious(tool: Json) -> list[tuple[str, str]]:
    """Each thing that a tool's texts do to a model rather than for it, with the words that do it."""
    told: dict[str, str] = {}
    for text in _texts(tool):
        unseen = _UNSEEN.search(text)
        if unseen:
            told.setdefault("holds characters that nobody sees", f"U+{ord(unseen[0]):04X} in {text[:60]}")
        plain = _UNSEEN.sub("", text) if unseen else text
        for why, pattern in _TELLS:
            match = pattern.search(plain)
            if match:
                told.setdefault(why, plain[max(0, match.start() - 30) : match.end() + 30])
    return list(told.items())


def _texts(value: Json) -> Iterator[str]:
    waiting = [value]
    for _ in range(MAX_TEXTS):
        if not waiting:
            return
        each = waiting.pop()
        if isinstance(each, str):
            yield each[:MAX_TEXT]
        elif isinstance(each, dict):
            waiting += [*each.values(), *each]
        elif isinstance(each, list):
            waiting += each


def _text(text: str) -> str:
    return inert(text, SHOWN)
