"""What lowering could not see through: how dark is too dark."""

from __future__ import annotations

import re

from bk.engine.model import Finding, Level, Opaque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

# Text from elsewhere, or text made unreadable on purpose, on its way into an interpreter.
_ELSEWHERE = re.compile(
    r"\b(?:curl|wget|fetch|https?|xh|aria2c|lynx|nc|ncat|socat|ftp|scp|ssh|iwr|irm|invoke-webrequest|gsutil|aws)\b|/dev/(?:tcp|udp)/",
    re.IGNORECASE,
)
_ENCODED = re.compile(
    r"\b(?:base64|base32|xxd|openssl|gpg|uudecode|gunzip|zcat|bzcat|xzcat|rev|tr|od|printf|sed|awk)\b", re.IGNORECASE
)
_HIDDEN = re.compile(r"\b(?:base64|base32|xxd|openssl|uudecode|gunzip|gpg)\b")
_INSTALLS = re.compile(
    r"\b(?:install|add|npx|bunx|uvx|pipx|dlx|pip3?|npm|pnpm|yarn|bun|cargo|gem|composer|get|exec|create|ci|i)\b"
)
_OURS = re.compile(r"\bbk(?:-hook)?\b|\.bk\b|\bBK_")
_SECRET = re.compile(r"\.ssh|\.aws|\.gnupg|id_rsa|id_ed25519|\.env\b|credentials|shadow\b|\.netrc|\.claude")
SHOWN = 120

LIMIT_ADVICE = "split it into smaller commands, or write long texts with a file tool"
REMOTE_ADVICE = "download it to a file, read it, then run it"
COMPUTED_ADVICE = "write the program's name out"
SYNTAX_ADVICE = "write it in plain bash"


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Findings for each dark spot. `parser.opaque` is the level where dark text could install or run code."""
    level: Level | None = None
    for action in actions:
        if type(action) is not Opaque:
            continue
        if level is None:
            level = Level.of(facts.policy.get("parser.opaque") or "ask")
        found = _finding(action, level)
        if found is not None:
            yield found


def _finding(action: Opaque, level: Level) -> Finding | None:
    text = action.text
    shown = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    why = action.why
    if why in ("limit", "depth"):
        reason = f"too {'long' if why == 'limit' else 'deeply nested'} to be judged: {shown}"
        return Finding(f"opaque/{why}", Level.BLOCK, reason, action=action, instead=LIMIT_ADVICE)
    if why == "hidden":
        reason = f"a heredoc whose end cannot be told: {shown}"
        return Finding("opaque/hidden", Level.BLOCK, reason, action=action, instead="end it with a plain word")
    if why == "pipe-to-shell":
        remote = _ELSEWHERE.search(text) or _ENCODED.search(text)
        reason = f"runs what comes out of a pipe, unseen: {shown}"
        return Finding(
            "opaque/pipe-to-shell", level if remote else Level.WARN, reason, action=action, instead=REMOTE_ADVICE
        )
    if why == "computed":
        if _OURS.search(text):
            reason = f"a program that cannot be known is given words that concern bk: {shown}"
            return Finding("opaque/computed", Level.BLOCK, reason, action=action, instead=COMPUTED_ADVICE)
        if _HIDDEN.search(text) or _INSTALLS.search(text):
            reason = f"which program runs cannot be known, and it may install something: {shown}"
            return Finding("opaque/computed", level, reason, action=action, instead=COMPUTED_ADVICE)
        return None
    if why == "syntax":
        risky = _OURS.search(text) or _SECRET.search(text) or _INSTALLS.search(text) or _ELSEWHERE.search(text)
        reason = f"part of it is not plain shell and was not understood: {shown}"
        return Finding("opaque/syntax", level if risky else Level.WARN, reason, action=action, instead=SYNTAX_ADVICE)
    reason = f"an argument has an unexpected shape: {shown}"
    return Finding("opaque/shape", Level.WARN, reason, action=action, instead="pass paths and commands as text")
