"""A whole engine with a surface small enough to read: one JSON line in, one JSON line out. Run as a process."""

from __future__ import annotations

import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

from bk.engine.errors import BkError
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.service import server
from bk.engine.service.server import Server
from bk.engine.state import State

CLIENT_S = 3.0  # how long it waits for a client: less than the product, since tests wait too

VALUES: dict[str, Any] = {
    "fail_mode": "closed",
    "hook.deadline_ms": 1000,
    "engine.idle_exit_s": 0,
    "audit.checkpoint_entries": 1024,
    "audit.checkpoint_seconds": 60,
    "audit.segment_entries": 1_000_000,
    "audit.retention_days": 365,
}


class Request:
    """What the line said."""

    harness, event, deadline_ms = "line", "pre", 5000

    def __init__(self, line: bytes) -> None:
        self.body = line
        self.said = json.loads(line)
        self.nonce = self.said.get("nonce", "")

    def claims(self) -> dict[str, str]:
        return {}


class Answer:
    """An allow, unless the line asks for something else."""

    def __init__(self, request: Request, world: Any) -> None:
        said = request.said
        self.said = said
        level = said.get("level", "allow")
        data = {"tool_use_id": said.get("id", ""), "policy": world.policy.digest, "findings": []}
        self.entries = [Entry("decision", "hook:line", data, level=level, call=request.nonce)]
        if said.get("poison"):
            self.entries = [Entry("decision", "hook:line", {"nan": float("nan")}, level=level, call=request.nonce)]
        self.sync = bool(said.get("sync"))

    def reply(self, stored: list[Entry]) -> bytes:
        if self.said.get("unrenderable"):
            raise RuntimeError("no such template")
        entry = stored[0]
        answer = {"status": 0, "id": self.said.get("id"), "seq": entry.seq, "level": entry.level}
        return json.dumps({**answer, "pad": "x" * self.said.get("big", 0)}).encode() + b"\n"


class Lines:
    """The surface."""

    def feed(self, buffer: bytearray) -> Request | None:
        end = buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(buffer[:end])
        if not line.startswith(b"{"):
            raise ValueError("not an object")
        return Request(line)

    def prepare(self, request: Request, world: Any) -> Answer:
        if "spin" in request.said:
            until = time.monotonic() + request.said["spin"]
            while time.monotonic() < until:
                pass
        if request.said.get("crash"):
            raise RuntimeError("this check has a defect")
        return Answer(request, world)

    def failed(self, request: Request, cause: str, detail: str) -> bytes:
        said = {"status": 0, "id": request.said.get("id"), "level": "block", "cause": cause, "detail": detail}
        return json.dumps(said).encode() + b"\n"

    def refused(self, status: int) -> bytes:
        return json.dumps({"status": status}).encode() + b"\n"


class Worlds:
    """A world made of one JSON file that may be edited while the engine runs."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.world = self.read()

    def read(self) -> Any:
        try:
            with open(self.path, "rb") as file:
                text = file.read()
        except FileNotFoundError:
            text = b"{}"
        values = {**VALUES, **json.loads(text)}
        policy = SimpleNamespace(values=values, digest=f"{hash(text) & 0xFFFFFFFF:08x}", problems=())
        return SimpleNamespace(
            policy=policy, rules=None, failure=None, redact=lambda value: value, generation="g1", text=text
        )

    def current(self) -> Any:
        return self.world

    def refresh(self) -> list[Entry]:
        try:
            fresh = self.read()
        except ValueError as error:
            data = {"incident": "config", "title": "config problem", "detail": str(error), "next_step": ""}
            return [Entry("incident", "engine", data, level="warn")]
        if fresh.text == self.world.text:
            return []
        self.world = fresh
        return [Entry("config", "engine", {"event": "reloaded", "policy": fresh.policy.digest})]


def main() -> int:
    server.CLIENT_S = CLIENT_S
    home, *place = sys.argv[1:]
    state = State(f"{home}/.bk", home, os.geteuid())
    if place:  # under a uid of its own, taken on here because that uid may not be able to read the interpreter
        path, uid, caller = place[0], int(place[1]), int(place[2])
        import encodings.ascii  # noqa: F401 - codecs are read on first use, and by then it may not be allowed to

        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        state = State(f"{home}/.bk", home, uid, path, placed=True, callers=[caller])
    try:
        state.ensure()
        return Server(state, surface=Lines(), ledger=Ledger.open(state), world=Worlds(f"{home}/world.json")).run()
    except BkError as error:
        sys.stderr.write(f"bk: {error}\n")
        return error.code


if __name__ == "__main__":
    sys.exit(main())
