"""What a settings text amounts to for us: the entries that invoke us, and the switches that would silence them.

A change is judged by meaning: every invocation that was there must still be there afterwards, no less wide and no
shorter, and nothing may switch hooks off. How the text looks does not matter.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bk.engine.model import Json

WIDE = frozenset(("", "*", ".*"))
NO_TIMEOUT = 60.0
MAX_VARIANTS = 8
MAX_DEPTH = 24
KILL_SWITCHES = ("disableAllHooks", "allowManagedHooksOnly")
# Dotted keys that silence hooks, and the value that does it.
_SWITCHES: tuple[tuple[str, bool], ...] = (
    ("disableAllHooks", True),
    ("allowManagedHooksOnly", True),
    ("features.hooks", False),
    ("features.codex_hooks", False),
    ("hooksConfig.enabled", False),
    ("hooks.enabled", False),
    ("hooks.disabled", True),
    ("enableHooks", False),
    ("enable_hooks", False),
    ("hooks_auto_accept", False),
)
_TIMES = frozenset(("timeout", "timeoutSec", "timeout_ms", "timeoutMs", "timeout_seconds"))
_OURS = re.compile(
    r"(?:^|[\s\"'/\\;&|(])bk(?:-hook(?:-python)?)?(?:\.exe)?(?=$|[\s\"';&|)])|\bbk\.(?:hook|cli|__main__)\b"
)
_YAML_SWITCH = re.compile(r"^\s*(?:hooks_auto_accept|enable_hooks)\s*:\s*(?:false|no|off)\b", re.MULTILINE | re.I)


class Meaning:
    """The invocations of us in a text and the switches in it. `valid` is False when it does not parse."""

    __slots__ = ("invocations", "switches", "valid")

    def __init__(self, text: str | None, form: str = "json") -> None:
        self.invocations: list[tuple[str, str, str, float]] = []
        self.switches: set[str] = set()
        self.valid = True
        if form in ("yaml", "script"):
            self._lines(text or "", form)
            return
        document = _parsed(text, form)
        self.valid = document is not None
        if document is None:
            self.switches = {name for name in KILL_SWITCHES if text and name in text}
            return
        self.switches.update(_set(document, silencing=True))
        self.invocations.extend((dotted, "", "on", NO_TIMEOUT) for dotted in _set(document, silencing=False))
        self._walk(document, (), "", 0)

    def _lines(self, text: str, form: str) -> None:
        """A text without a parser of its own: the block around our line is the invocation, to the letter."""
        if form == "script":
            if _OURS.search(text):
                self.invocations.append(("the script", "", text.strip(), NO_TIMEOUT))
            return
        self.switches.update(match[0].strip() for match in _YAML_SWITCH.finditer(text))
        blocks: list[list[str]] = [[]]
        for line in text.splitlines():
            if line[:1].strip() and not line.startswith(("#", "-")):
                blocks.append([])
            if line.strip() and not line.lstrip().startswith("#"):
                blocks[-1].append(line.rstrip())
        kept = ["\n".join(block) for block in blocks if block]
        keys = [block.partition(":")[0] for block in kept]
        for key, block in zip(keys, kept, strict=True):
            if _OURS.search(block):
                twice = "" if keys.count(key) == 1 else " (stated twice)"
                self.invocations.append((key, "", block + twice, NO_TIMEOUT))

    def _walk(self, node: Json, where: tuple[str, ...], around: str, depth: int) -> None:
        """Find the smallest objects that name us; `around` is what the list elements above them say besides."""
        if depth > MAX_DEPTH:
            return
        if type(node) is list:
            for item in node:
                if type(item) is dict:
                    rest = {key: value for key, value in item.items() if type(value) not in (list, dict)}
                    matcher = str(rest.pop("matcher", ""))
                    if _ours(item):
                        self._entry(item, where, around)
                    else:
                        inner = json.dumps([around, matcher, rest], sort_keys=True) if rest or matcher else around
                        self._walk(item, where, inner, depth + 1)
                else:
                    self._walk(item, where, around, depth + 1)
        elif type(node) is dict:
            for key, value in node.items():
                if type(value) is dict and _ours(value):
                    self._entry(value, (*where, str(key)), around)
                else:
                    self._walk(value, (*where, str(key)), around, depth + 1)

    def _entry(self, entry: dict[str, Json], where: tuple[str, ...], around: str) -> None:
        times = [value for key, value in entry.items() if key in _TIMES]
        odd = [value for value in times if type(value) not in (int, float)]
        number = NO_TIMEOUT if not times else 0.0 if odd else float(min(times))
        plain = {key: value for key, value in entry.items() if key not in _TIMES and key != "matcher"}
        matcher = entry.get("matcher")
        group = ""
        if around:
            above = json.loads(around)
            group, around = above[1], json.dumps([above[0], above[2]])
        mine = matcher if type(matcher) is str else "" if matcher is None else json.dumps(matcher)
        shape = json.dumps([around, plain], sort_keys=True)
        self.invocations.append((".".join(where), f"{group}|{mine}" if mine else group, shape, number))

    def keeps(self, invocation: tuple[str, str, str, float]) -> bool:
        """Whether this text still invokes us at least as this invocation did."""
        where, matcher, shape, timeout = invocation
        return any(
            mine[0] == where and mine[2] == shape and mine[3] >= timeout and (mine[1] == matcher or _wide(mine[1]))
            for mine in self.invocations
        )


def _wide(matcher: str) -> bool:
    return all(part in WIDE for part in matcher.split("|"))


def _set(document: dict[str, Json], *, silencing: bool) -> Iterator[str]:
    """The switches that a document sets: those that silence hooks, or those that keep them on explicitly."""
    for dotted, silent in _SWITCHES:
        node: Json = document
        for key in dotted.split("."):
            node = node.get(key) if type(node) is dict else None
        if type(node) in (bool, int, str) and (bool(node) is silent) is silencing:
            yield dotted
    env = document.get("env")
    if silencing and type(env) is dict:
        yield from (f"env.{name}={env[name]}" for name in env if str(name).upper().startswith("BK_"))


def _ours(entry: dict[str, Json]) -> bool:
    return any(type(value) is str and _OURS.search(value) is not None for value in entry.values()) or any(
        type(value) is list and any(type(word) is str and _OURS.search(word) is not None for word in value)
        for value in entry.values()
    )


def _parsed(text: str | None, form: str) -> dict[str, Json] | None:
    """The object in a text; an absent or empty file is an empty one; None for anything else."""
    if text is None or not text.strip():
        return {}
    try:
        if form == "toml":
            from tomllib import loads

            document: Json = loads(text.removeprefix("\ufeff"))
        else:
            document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return document if type(document) is dict else None


def holds_ours(text: str | None, form: str = "json") -> bool:
    """Whether a present text invokes us, or might: a text that cannot be read or parsed gets no benefit of doubt."""
    if text is None:
        return False
    if text.startswith("\x00"):
        return True
    meaning = Meaning(text, form)
    return bool(meaning.invocations) or (not meaning.valid and _OURS.search(text) is not None)


def loss(before: str | None, after: str, form: str = "json") -> str:
    """What a change of a settings file takes from us, in words; "" when it takes nothing."""
    if before is not None and before.startswith("\x00"):
        return "its present text cannot be read, so the change cannot be judged"
    was, becomes = Meaning(before, form), Meaning(after, form)
    added = becomes.switches - was.switches
    if added:
        return f"it would set {', '.join(sorted(added))}, which silences hooks"
    if not was.valid and before is not None and _OURS.search(before):
        return "its present text does not parse, so the change cannot be judged"
    if was.invocations and not becomes.valid:
        return f"the new text is not valid {form.upper()}, so no hook would run"
    for invocation in was.invocations:
        if not becomes.keeps(invocation):
            if invocation[2] == "on":
                return f"{invocation[0]}, which keeps hooks on, would no longer be set"
            where = f"{invocation[0]} ({invocation[1].strip('|') or 'all tools'})"
            return f"the entry that calls us on {where} would be lost, narrowed or shortened"
    return ""


def edited(before: str | None, edits: Sequence[tuple[str, str, bool]]) -> list[str] | None:
    """Every text the edits may lead to: clients differ in what they do with several occurrences. None: unknowable."""
    texts = [before or ""]
    for old, new, every in edits:
        following: list[str] = []
        for text in texts:
            if not old:
                if text.strip():
                    return None
                following.append(new)
            elif old not in text:
                return None
            else:
                following.append(text.replace(old, new))
                if not every and text.count(old) > 1:
                    following.append(text.replace(old, new, 1))
        texts = list(dict.fromkeys(following))[:MAX_VARIANTS]
    return texts
