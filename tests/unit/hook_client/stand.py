"""What the clients are tried against: an installation in a folder of its own, and engines that misbehave on order."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from bk.hook import protocol
from bk.hook.request import Request

ROOT = Path(__file__).parents[3]
CALL = b'{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls"},"cwd":"/tmp"}'
COLD_CODE = 9

# Stands in for the decision only: the client around it is the real one. `order` says how it behaves.
FIELDS = ("harness", "event", "cwd", "home", "nonce", "env", "deadline_ms")
SCRIPT = """#!{python}
import hashlib, json, os, sys, time, types
sys.path.insert(0, {root!r})
if {place!r}:
    import bk.engine.state
    bk.engine.state.PLACE = {place!r}
from bk.hook.harness import Reply
def run(request):
    order = open(os.path.join({folder!r}, "order")).read()
    if order == "hang":
        time.sleep(60)
    if order == "crash":
        raise RuntimeError("it broke")
    if order == "exit":
        os._exit(0)
    told = {{name: getattr(request, name) for name in {fields!r}}}
    told["body"] = request.body[:1000].decode("latin-1")
    told["digest"] = hashlib.sha256(request.body).hexdigest()
    told["environ"] = sorted(os.environ)
    return Reply({code}, json.dumps(told).encode(), b"cold")
cold = types.ModuleType("bk.hook.cold")
cold.run = run
sys.modules["bk.hook.cold"] = cold
from bk.hook.client import main
main(sys.argv[1:])
"""


def build_module() -> ModuleType:
    """The build hook, which is a script and not a part of the package."""
    spec = importlib.util.spec_from_file_location("bk_native_build", ROOT / "bk/hook/native/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Done(NamedTuple):
    """How a client ended."""

    code: int
    out: bytes
    err: bytes
    took: float

    @property
    def said(self) -> tuple[int, bytes, bytes]:
        """What both clients must agree on."""
        return self.code, self.out, self.err

    @property
    def reason(self) -> str:
        """The reason of a denial; fails when it is not a whole denial."""
        assert self.code == 2, self
        text = json.loads(self.out)["hookSpecificOutput"]["permissionDecisionReason"]
        assert self.err == text.encode() + b"\n"
        assert self.out.endswith(b"}\n")
        return str(text)

    @property
    def cold(self) -> dict[str, Any]:
        """What the cold decision was given; fails when there was none."""
        assert (self.code, self.err) == (COLD_CODE, b"cold"), self
        return dict(json.loads(self.out))


class Installation:
    """A folder with one client in it, and a home."""

    def __init__(self, kind: str, folder: Path, binary: Path | None, place: str = "") -> None:
        self.kind = kind
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self.run_dir = self.home / ".bk/run"
        self.socket = self.run_dir / "engine.sock"
        self.order = folder / "order"
        self.order.write_text("answer")
        script = folder / "bk-hook-python"
        script.write_text(
            SCRIPT.format(
                python=sys.executable,
                root=str(ROOT),
                folder=str(folder),
                code=COLD_CODE,
                place=place,
                fields=FIELDS,
            )
        )
        script.chmod(0o755)
        if binary is None:
            self.argv = [sys.executable, "-I", str(script)]
        else:
            shutil.copy(binary, folder / "bk-hook")
            self.argv = [str(folder / "bk-hook")]
        self.env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin"}

    def make_run_dir(self) -> None:
        """The directory an engine would have made."""
        self.run_dir.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.run_dir.parent.chmod(0o700)

    def call(
        self,
        stdin: bytes | int = CALL,
        *args: str,
        harness: str = "claude-code",
        env: dict[str, str] | None = None,
        cwd: str = "/",
        **popen: Any,
    ) -> Done:
        """Run the client once."""
        words = [*self.argv, "--harness", harness, *args]
        given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        started = time.monotonic()
        done = subprocess.run(
            words, capture_output=True, env=self.env | (env or {}), cwd=cwd, timeout=30, **given, **popen
        )
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


Behaviour = Callable[[socket.socket], None]


@contextlib.contextmanager
def engine(path: Path, behaviour: Behaviour) -> Iterator[list[BaseException]]:
    """A listener at `path` that does `behaviour` to each connection; what it raised stands in the list."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(16)
    raised: list[BaseException] = []

    def serve() -> None:
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(20)
                try:
                    behaviour(conn)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                except BaseException as error:  # noqa: BLE001 - the test looks at it
                    raised.append(error)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield raised
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(25)
        path.unlink(missing_ok=True)


def receive(conn: socket.socket) -> Request:
    """A whole request."""
    data = b""
    while (request := protocol.decode_request(data)) is None:
        piece = conn.recv(1 << 16)
        assert piece, "the client went away within its request"
        data += piece
    return request


def replying(data: bytes) -> Behaviour:
    """Read the request, send these bytes, close."""

    def behave(conn: socket.socket) -> None:
        receive(conn)
        conn.sendall(data)

    return behave


def answer(code: int = 0, out: bytes = b"", err: bytes = b"", status: int = protocol.ANSWER) -> bytes:
    """A reply frame."""
    return protocol.encode_reply(status, code, out, err)


def digest(body: bytes) -> str:
    """A body's name, as the cold decision tells it."""
    return hashlib.sha256(body).hexdigest()


def dead_end() -> Path:
    """A fresh short folder."""
    return Path(tempfile.mkdtemp(dir="/tmp", prefix="bkc"))


def compiled(extra: Sequence[str] = ()) -> tuple[Path | None, dict[str, Any]]:
    """The native client, freshly compiled from source; None without a compiler."""
    target = dead_end() / "bk-hook"
    report = build_module().compile_client(target, dict(os.environ), extra)
    return (target if report["native"] else None), report
