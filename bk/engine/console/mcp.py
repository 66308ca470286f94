"""MCP servers, as a person may look at them: who each one is, who it was, and what its tools say."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence

from bk.engine.checks.descriptions import described
from bk.engine.checks.mcp import difference
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import ready
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.look import take
from bk.engine.model import Entry, Finding, Level
from bk.engine.pins import store
from bk.engine.pins.store import NOWHERE, Pin
from bk.engine.servers import digest_of, plain, servers
from bk.engine.settings import Server
from bk.engine.state import State
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

MAX_DOCUMENT = 16 << 20


class Row:
    """A server that settings name, or that is known, or both."""

    __slots__ = ("identity", "name", "now", "pin", "place", "where")

    def __init__(self, name: str, place: str, pin: Pin | None, server: Server | None) -> None:
        self.name = name
        self.place = place
        self.pin = pin
        self.where = server.where if server is not None else ""
        self.identity: dict[str, Json] = server.identity() if server is not None else {}
        self.now = digest_of(self.identity) if server is not None else ""

    @property
    def state(self) -> str:
        """`known`, `changed`, `new` (never used), `gone` (no settings file of here names it) or `accepted` so."""
        if self.pin is None:
            return "new"
        if not self.now:
            return "accepted" if self.pin.place == NOWHERE else "gone"
        return "known" if self.pin.identity == self.now else "changed"

    @property
    def changes(self) -> list[str]:
        """What is different from what is known, in words."""
        if self.pin is None or self.state != "changed":
            return []
        return difference(self.pin.told, json.dumps(self.identity))

    def told(self) -> dict[str, Json]:
        """The row for a program."""
        pin = self.pin
        return {
            "name": self.name, "state": self.state, "place": self.place, "where": self.where, "identity": self.identity,
            "digest": self.now, "known": pin.identity if pin else "", "by": pin.by if pin else "",
            "at_ms": pin.at_ms if pin else 0, "changes": self.changes,
        }  # fmt: skip


class Inspection:
    """What a list of tools says that it should not."""

    __slots__ = ("count", "findings", "server")

    def __init__(self, server: str, count: int, findings: Sequence[Finding]) -> None:
        self.server = server
        self.count = count
        self.findings = tuple(findings)

    @property
    def level(self) -> Level:
        """The worst of it."""
        return max((finding.level for finding in self.findings), default=Level.ALLOW)


def rows(cwd: str = "", env: Mapping[str, str] | None = None, *, name: str = "") -> list[Row]:
    """The servers that settings name here, and those that are known from elsewhere."""
    state = ready(env)
    here: dict[tuple[str, str], Server] = {}
    for server in servers("", cwd or os.getcwd(), state.home):
        here.setdefault((plain(server.name), server.place), server)
    pinned = {(pin.name, pin.place): pin for pin in store.pins(state)}
    wanted = plain(name)
    keys = [key for key in sorted({*here, *pinned}) if not name or key[0] == wanted]
    found = [Row(key[0], key[1], pinned.get(key), here.get(key)) for key in keys]
    if name and not found:
        raise BkError("no such server", f"{inert(name, 80)} is in no settings file and was never used", "bk mcp list")
    return found


def accept(name: str, *, admin: bool, cwd: str = "", env: Mapping[str, str] | None = None) -> list[Row]:
    """Take a server for who it is now, wherever it stands; one that no settings name is accepted as that."""
    require_admin(admin, env)
    state = ready(env)
    try:
        found = rows(cwd, env, name=name)
    except BkError:
        found = [Row(plain(name), NOWHERE, None, None)]
    redact = redactor(())
    _record(state, "mcp-accept", {"server": plain(name), "now": [row.now for row in found]})
    for row in found:
        told = str(redact(json.dumps(row.identity, sort_keys=True))) if row.now else ""
        place = row.place if row.now else NOWHERE
        store.add(state, Pin(row.name, place, row.now, told, by="a person", at_ms=_now()), replace=True)
    return rows(cwd, env, name=name)


def forget(name: str, *, admin: bool, env: Mapping[str, str] | None = None) -> int:
    """Know nothing of a server any more: its next use is its first."""
    require_admin(admin, env)
    state = ready(env)
    _record(state, "mcp-forget", {"server": plain(name)})
    return store.forget(state, plain(name))


def inspect(path: str, server: str = "", env: Mapping[str, str] | None = None) -> Inspection:
    """Read a saved `tools/list` answer; say what in it is new, different, or speaks to the model behind one's back."""
    state = ready(env)
    text, told = take(os.path.abspath(path), [], MAX_DOCUMENT)
    if text is None:
        raise BkError("the tools cannot be read", f"{path}: {told[0]}", "give a file that holds a tools/list answer")
    try:
        document: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BkError("the tools cannot be read", f"{path} is not valid JSON: {error}", code=USAGE) from error
    tools = _tools(document)
    if tools is None:
        raise BkError("the tools cannot be read", f"{path} holds no list of tools", "save the answer to tools/list")
    named = server or os.path.basename(path).removesuffix(".json")
    findings, _ = described(named, tools, store.tools(state, plain(named)))
    return Inspection(named, len(tools), findings)


def accept_tools(path: str, server: str, *, admin: bool, env: Mapping[str, str] | None = None) -> int:
    """Take a saved `tools/list` answer for what the server's tools are, so that a later change shows."""
    require_admin(admin, env)
    inspect(path, server, env)
    state = ready(env)
    text, _ = take(os.path.abspath(path), [], MAX_DOCUMENT)
    _, digests = described(server, _tools(json.loads(text or "[]")) or [], {})
    _record(state, "mcp-accept-tools", {"server": plain(server), "tools": len(digests)})
    store.keep_tools(state, plain(server), digests, _now())
    return len(digests)


def _tools(document: Json) -> list[Json] | None:
    """The list in a bare list, `{"tools": […]}`, or a whole JSON-RPC answer."""
    for _ in range(3):
        if isinstance(document, list):
            return document
        if not isinstance(document, dict):
            return None
        document = document.get("tools", document.get("result"))
    return None


def _record(state: State, verb: str, data: dict[str, Json]) -> None:
    ledger = Ledger.open(state, redact=redactor(()))
    try:
        ledger.append([Entry("admin", "cli", {"verb": verb, **data})], sync=True)
    finally:
        ledger.close()


def _now() -> int:
    return time.time_ns() // 1_000_000
