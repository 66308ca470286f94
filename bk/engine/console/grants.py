"""Exceptions, as a person may make and end them. Every one is an entry in the ledger before it counts."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping

from bk.engine.console.gate import require_admin
from bk.engine.console.installation import ready
from bk.engine.errors import USAGE, BkError
from bk.engine.grants import store
from bk.engine.grants.grant import PROTECTED, Grant
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

ONCE_MS = 10 * 60_000
MAX_MS = 365 * 86_400_000
_SPAN = re.compile(r"(\d{1,4})\s*(m|min|h|d|w)\Z")
_UNITS = {"m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_RULE = re.compile(r"[a-z0-9*][a-z0-9*./_-]{0,119}\Z")


class Row:
    """One exception and whether it is in force."""

    __slots__ = ("grant", "state")

    def __init__(self, grant: Grant, state: str) -> None:
        self.grant = grant
        self.state = state

    def told(self) -> dict[str, Json]:
        """The row for a program."""
        grant = self.grant
        fields = ("ident", "kind", "rule", "project", "path", "agent", "call", "until_ms", "reason", "by", "at_ms")
        return {**{name: getattr(grant, name) for name in fields}, "state": self.state}


def rows(env: Mapping[str, str] | None = None, *, kinds: tuple[str, ...] = ("allow", "once")) -> list[Row]:
    """The exceptions of these kinds, newest first, with what became of them."""
    now = _now()
    found: list[Row] = []
    for grant, ended, spent in store.everything(ready(env)):
        if grant.kind in kinds:
            over = "spent" if spent else "revoked" if ended else "expired" if 0 < grant.until_ms <= now else "in force"
            found.append(Row(grant, over))
    return found


def allow(
    rule: str,
    *,
    project: str = "",
    path: str = "",
    agent: str = "",
    span: str = "",
    reason: str,
    admin: bool,
    env: Mapping[str, str] | None = None,
) -> Grant:
    """Let a rule's findings pass within a scope."""
    require_admin(admin, env)
    if not _RULE.match(rule) or rule.strip("*/") == "":
        raise BkError(
            "which rule?", f"{inert(rule, 60)!r} names no rule", "`bk rules list` shows their names", code=USAGE
        )
    if rule.rstrip("*").startswith(PROTECTED) or any(name.startswith(rule.rstrip("*")) for name in PROTECTED):
        raise BkError(
            "no exception is possible there",
            f"{rule} guards keys, credentials or bk itself",
            "name a narrower rule; a person can run the command without the agent",
            code=USAGE,
        )
    if not reason.strip():
        raise BkError("why?", "an exception without a reason cannot be reviewed later", "--reason '…'", code=USAGE)
    scope = _folder(project) if project else ""
    if not scope and not path and not agent and not span:
        raise BkError(
            "the exception has no bounds",
            "it would hold everywhere, for every agent, for ever",
            "give at least one of --project, --path, --agent, --for",
            code=USAGE,
        )
    now = _now()
    grant = Grant(
        store.new_ident(),
        "allow",
        rule,
        project=scope,
        path=path,
        agent=agent,
        until_ms=now + span_ms(span) if span else 0,
        reason=reason.strip()[:400],
        by=_person(),
        at_ms=now,
    )
    return _made(ready(env), grant)


def once(seq: int, *, reason: str = "", admin: bool, env: Mapping[str, str] | None = None) -> Grant:
    """Let the very call that entry `seq` stopped pass one time, within ten minutes."""
    require_admin(admin, env)
    state = ready(env)
    ledger = Ledger.open(state)
    try:
        found = ledger.entries(after=seq - 1, limit=1)
    finally:
        ledger.close()
    entry = found[0] if found and found[0].seq == seq else None
    if entry is None or entry.kind != "decision":
        raise BkError(
            "there is no such decision", f"entry {seq}", "`bk audit query level:block` lists them", code=USAGE
        )
    mark = entry.data.get("fingerprint")
    if not mark:
        raise BkError("nothing was stopped there", f"entry {seq} is {entry.level}", "name a blocked call", code=USAGE)
    held = [item["rule"] for item in entry.data.get("findings", []) if _held(item)]
    if held:
        raise BkError(
            "no exception is possible there",
            f"entry {seq} was stopped by {', '.join(held[:3])}",
            "run it yourself, outside the agent, if you are sure",
        )
    now = _now()
    grant = Grant(
        store.new_ident(),
        "once",
        "*",
        agent=str(entry.data.get("harness", "")),
        call=str(mark),
        until_ms=now + ONCE_MS,
        reason=reason.strip()[:400] or f"entry {seq}",
        by=_person(),
        at_ms=now,
    )
    return _made(state, grant, {"of": seq})


def trust(
    project: str, *, reason: str = "", span: str = "", admin: bool, env: Mapping[str, str] | None = None
) -> Grant:
    """In this project, what would be asked is let through with a warning; what is blocked stays blocked."""
    require_admin(admin, env)
    folder = _folder(project)
    state = ready(env)
    home = state.home.rstrip("/")
    if folder in ("/", home) or (home + "/").startswith(folder + "/"):
        raise BkError(
            "that is not a project", f"{folder} holds your whole home", "name one project's folder", code=USAGE
        )
    now = _now()
    grant = Grant(
        store.new_ident(),
        "trust",
        "*",
        project=folder,
        until_ms=now + span_ms(span) if span else 0,
        reason=reason.strip()[:400],
        by=_person(),
        at_ms=now,
    )
    return _made(state, grant)


def revoke(ident: str, *, admin: bool, env: Mapping[str, str] | None = None) -> None:
    """End an exception now."""
    require_admin(admin, env)
    state = ready(env)
    _record(state, {"event": "revoked", "grant": ident[:40]})
    if not store.end(state, ident, _now()):
        raise BkError("there is no such exception in force", inert(ident, 40), "`bk allow list` and `bk trust list`")


def _held(item: Mapping[str, Json]) -> bool:
    rule, level = str(item.get("rule", "")), item.get("level")
    if level not in ("ask", "block", "quarantine"):
        return False
    return rule.startswith(PROTECTED) or (rule.startswith("package/") and level != "ask")


def _made(state: State, grant: Grant, more: Mapping[str, Json] | None = None) -> Grant:
    """Record, then keep: what cannot be recorded is not granted."""
    _record(state, {"event": "granted", **Row(grant, "in force").told(), **(more or {})})
    store.add(state, grant)
    return grant


def _record(state: State, data: Mapping[str, Json]) -> None:
    from bk.engine.config import snapshot

    patterns = snapshot.read(state).values["audit.redact_patterns"]
    ledger = Ledger.open(state, redact=redactor(patterns))
    try:
        ledger.append([Entry("admin", _person(), data)], sync=True)
    finally:
        ledger.close()


def _folder(path: str) -> str:
    full = os.path.realpath(os.path.expanduser(path))
    if not os.path.isdir(full):
        raise BkError("there is no such folder", full, "name the project's folder", code=USAGE)
    return full


def span_ms(text: str) -> int:
    """How long a person means, such as 30m, 8h, 7d or 4w."""
    match = _SPAN.match(text.strip())
    if match is None or not 0 < int(match[1]) * _UNITS[match[2]] <= MAX_MS:
        raise BkError("for how long?", f"{inert(text, 30)!r}", "30m, 8h, 7d or 4w; a year at most", code=USAGE)
    return int(match[1]) * _UNITS[match[2]]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _person() -> str:
    return f"person:{os.getuid()}"
