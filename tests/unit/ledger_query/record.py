"""A real ledger with a known day in it."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State

NOW = 1_760_000_000_000
HOUR = 3_600_000


def decision(level: str, at: int = NOW, *, harness: str = "claude-code", tool: str = "Bash", **more: object) -> Entry:
    data = {"harness": harness, "event": "pre", "tool": tool, "kind": "shell", "session": "s-1", "cwd": "/src", **more}
    call = os.urandom(16).hex()
    return Entry("decision", f"hook:{harness}", data, level=level, call=call, at=at)


def touch(path: str, mode: str = "read") -> dict[str, object]:
    return {"do": "touch", "target": path, "mode": mode}


def install(target: str) -> dict[str, object]:
    return {"do": "install", "target": target}


def finding(rule: str, level: str, **more: object) -> dict[str, object]:
    return {"rule": rule, "level": level, "reason": f"because of {rule}", **more}


DAY = [
    decision("allow", NOW - 50 * HOUR, input={"command": "ls -la"}, actions=[{"do": "run", "target": "ls -la"}]),
    decision("warn", NOW - 30 * HOUR, actions=[install("npm:left-pad@1.3.0")], findings=[finding("pkg.new", "warn")]),
    decision("block", NOW - 3 * HOUR, harness="codex", session="s-2", actions=[install("npm:left-padd")],
             findings=[finding("pkg.malicious", "block", target="npm:left-padd")], reason="malicious [pkg.malicious]"),
    decision("block", NOW - 2 * HOUR, tool="Read", actions=[touch("/home/dev/.ssh/id_ed25519")],
             findings=[finding("path.secret", "block", target="/home/dev/.ssh/id_ed25519")], home="/home/dev"),
    decision("ask", NOW - HOUR, tool="mcp__github__push", actions=[touch("/src/.env", "write")]),
    decision("quarantine", NOW - 60_000, actions=[install("npm:@scope/evil@2.0.0"), install("pypi:evil_pkg")]),
    Entry("config", "cli", {"key": "fail_mode", "to": "open"}, level="warn", at=NOW - 30_000),
    Entry("engine", "engine", {"event": "start", "detail": 'said "hi" 100% \\ of_it'}, at=NOW - 20_000),
    decision("block", NOW - 10_000, failure="deadline", actions=[{"do": "connect", "target": "https://evil.example:8443/a?b=good.example"}]),
    decision("allow", NOW - 5_000, actions=[{"do": "connect", "target": "https://good.example/evil.example"}]),
]  # fmt: skip


def begin(root: Path) -> State:
    state = State(str(root / "state"), str(root), os.geteuid())
    state.ensure()
    return state


def filled(root: Path, entries: list[Entry] = DAY) -> State:
    state = begin(root)
    ledger = Ledger.open(state)
    ledger.append(entries)
    ledger.close()
    return state


def tampered(state: State, seq: int, text: str) -> None:
    """Overwrite one stored body in the file itself, past every constraint of the schema."""
    con = sqlite3.connect(state.audit)
    (body,) = con.execute("SELECT body FROM entry WHERE seq = ?", (seq,)).fetchone()
    con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    con.close()
    file = Path(state.audit)
    raw = file.read_bytes()
    assert raw.count(body.encode()) == 1
    file.write_bytes(raw.replace(body.encode(), text.encode().ljust(len(body.encode()))))


def now_ms() -> int:
    return time.time_ns() // 1_000_000
