"""The scripted model as a server on the loopback: one step for each tool that has answered, and every request kept.

Run as `python -m tests.live.model PORT FOLDER`; the script is FOLDER/script.json, canned answers FOLDER/canned.json.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.live.dialects import dialect_of, plain
from tests.live.script import Move, move

Json = Any
NAME = "live-model"
LISTED = 20.0
TOOL = {
    "name": "touchfile",
    "description": "create a file",
    "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}


class Model(ThreadingHTTPServer):
    """What is played, and what was asked."""

    daemon_threads = True

    def __init__(self, port: int, folder: Path, *, waits: bool = False) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = folder
        self.script: list[dict[str, Json]] = json.loads((folder / "script.json").read_text())
        canned = folder / "canned.json"
        self.canned: dict[str, Json] = json.loads(canned.read_text()) if canned.exists() else {}
        self._lock = threading.Lock()
        self._count = 0
        self.listed = threading.Event()  # the MCP server was asked for its tools, which many clients do beside
        if not waits:
            self.listed.set()

    def keep(self, what: str, body: Json) -> None:
        """Write a request down: what a client told the model is the proof of what the model saw."""
        with self._lock:
            self._count += 1
            name = f"{self._count:03}-{what}.json"
        (self.folder / "asked" / name).write_text(json.dumps(body))

    def moment(self, what: str, step: int) -> None:
        """Write down when something happened: what a hook costs is the difference."""
        with self._lock, open(self.folder / "moments", "a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, "step": step, "at": time.time()}) + "\n")

    def play(self, body: dict[str, Json], path: str) -> tuple[int, str, bytes]:
        """The answer to one request for a turn."""
        spoken = dialect_of(path)
        if spoken is None:
            raise LookupError(path)
        offers, step = list(spoken.offers(body)), spoken.results(body)
        if offers and step == 0:
            self.listed.wait(LISTED)
        turn = Move(words="ok")  # a title, a summary: nothing that could be done is offered
        if offers:
            turn = move(self.script[step], offers, json.dumps(body)) if step < len(self.script) else Move(words="done")
            if turn.offer is None and "say" not in (self.script[step] if step < len(self.script) else {"say": ""}):
                (self.folder / "lacked").write_text(turn.words)
        if not offers:
            step = -1
        self.moment("asked", step)
        self.keep(f"{step}-{turn.offer.name if turn.offer else 'words'}".replace("/", "_"), body)
        told = {**body, "stream": body.get("stream") or "stream" in path}
        return (step, *spoken.answer(told, turn, f"call_{step}"))


class Handler(BaseHTTPRequestHandler):
    """Requests of every protocol on one port, and an MCP server beside them."""

    protocol_version = "HTTP/1.1"
    server: Model

    def log_message(self, format: str, *args: Json) -> None:  # noqa: A002 - the signature that is overridden
        """Nothing on standard error."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].rstrip("/")
        canned = self.server.canned.get(f"GET {path}")
        if canned is not None:
            self._say(*plain(canned))
        elif path.endswith("/models"):
            row = {"id": NAME, "object": "model", "type": "model", "created": 1, "display_name": NAME, "owned_by": "x",
                   "created_at": "2026-01-01T00:00:00Z"}  # fmt: skip
            self._say(*plain({"object": "list", "data": [row], "models": [], "has_more": False}))
        else:
            self._say(*plain({"error": {"message": "not here", "type": "not_found"}}), code=404)

    def do_POST(self) -> None:
        path, body = self.path.partition("?")[0], self._body()
        if path == "/mcp":
            self._mcp(body)
        elif path.endswith(("/count_tokens", ":countTokens")):
            self._say(*plain({"input_tokens": 9, "totalTokens": 9}))
        elif dialect_of(path) is not None:
            step, kind, data = self.server.play(body, path)
            self._say(kind, data)
            self.server.moment("answered", step)
        else:
            canned = self.server.canned.get(f"POST {path}")
            self.server.keep("other", {"path": path, "body": body})
            self._say(*plain(canned if canned is not None else {}), code=200 if canned is not None else 404)

    def _mcp(self, asked: dict[str, Json]) -> None:
        method, given = asked.get("method"), asked.get("params") or {}
        told: dict[str, Json] = {}
        if asked.get("id") is None:
            self._say("application/json", b"", code=202)
            return
        if method == "initialize":
            told = {"protocolVersion": given.get("protocolVersion", "2025-03-26"), "capabilities": {"tools": {}},
                    "serverInfo": {"name": "files", "version": "1"}}  # fmt: skip
        elif method == "tools/list":
            told = {"tools": [TOOL]}
            self.server.listed.set()
        elif method == "tools/call":
            path = (given.get("arguments") or {}).get("path", "")
            Path(path).touch()
            told = {"content": [{"type": "text", "text": f"touched {path}"}]}
        self._say(*plain({"jsonrpc": "2.0", "id": asked["id"], "result": told}))

    def _body(self) -> dict[str, Json]:
        data = b""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            data = gzip.decompress(data)
        try:
            told = json.loads(data or b"{}")
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {"list": told}

    def _say(self, kind: str, data: bytes, *, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    """Serve until killed; the file `ready` says that the port is open."""
    folder = Path(sys.argv[2])
    (folder / "asked").mkdir(exist_ok=True)
    model = Model(int(sys.argv[1]), folder, waits="mcp" in sys.argv[3:])
    (folder / "ready").touch()
    model.serve_forever()


if __name__ == "__main__":
    main()
