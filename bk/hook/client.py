"""The hook's client in Python: for machines without a compiler, and the process that decides cold for the native one.

Byte for byte the native client (`native/bk_hook.c`): same checks in the same order, same words. It imports next to
nothing, and leaves through `os._exit`, because its own start and end are most of what a warm call costs.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` alone would cost as much as all the rest
import os
import sys
import time

from bk.hook import peer, protocol
from bk.hook.peer import Denied, errno_denial
from bk.hook.request import VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from bk.engine.state import State
    from bk.hook.harness import HarnessData
    from bk.hook.request import Request

ANSWER_BY_MS = 4700  # clients are promised an answer within 5,000 ms
OUTPUT_S = 0.2
TEXT_MAX = 1022
IS_CHILD = -1
KEPT = ("LANG", "LC_ALL", "LOGNAME", "PATH", "TZ", "USER", "XDG_RUNTIME_DIR", *VARIABLES)
USAGE = "usage: bk-hook --harness NAME [--event EVENT] [--deadline-ms MS]"
LATE = "there was no decision before the deadline"
NO_ENGINE = "no engine answers, and "


class _LateError(BaseException):
    """The time is up. Not an Exception, so that nothing on the way takes it for its own failure."""


class Client:
    """One call: what was asked, until when, and what to say should the time be up just now."""

    def __init__(self) -> None:
        self.deadline = time.monotonic() + ANSWER_BY_MS / 1000
        self.late = ("standard input did not end before the deadline", "")
        self.data: HarnessData | None = None
        self.name = self.event = ""
        self.cold = self.framed = False
        self.child = 0
        self.refusing = False

    def run(self, argv: list[str]) -> NoReturn:
        """Answer the call and leave; what is raised instead is for `refuse`."""
        _signal.signal(_signal.SIGALRM, self._time_is_up)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGALRM,))
        self._fill_standard_descriptors()
        self._arguments(argv)
        if self.framed:
            self.child = IS_CHILD
            self._answer_frame(_drained(0), 1)
        self._alarm(self.deadline)
        reply = self._answer(_body())
        self._alarm(self.deadline + OUTPUT_S)
        self._relay(reply)

    def refuse(self, error: BaseException) -> NoReturn:
        """Deny because of `error` and leave."""
        self.refusing = True  # an alarm that is still to come must not cost the reason
        if self.child == IS_CHILD:
            os._exit(1)  # the process that waits for our frame says no
        if isinstance(error, Denied):
            self._deny(error.reason, error.detail)
        if isinstance(error, _LateError):
            self._deny(*self.late)
        self._deny("the hook's client failed", f"{type(error).__name__}: {error}")

    def _time_is_up(self, *_: object) -> None:
        if not self.refusing:
            raise _LateError

    @staticmethod
    def _fill_standard_descriptors() -> None:
        """A closed standard descriptor would be taken by the next open, and output would go there."""
        for fd in (0, 1, 2):
            try:
                os.fstat(fd)
            except OSError:
                os.set_inheritable(os.open("/dev/null", os.O_RDWR), True)

    def _alarm(self, at: float) -> None:
        _signal.setitimer(_signal.ITIMER_REAL, max(at - time.monotonic(), 0.0001))

    def _arguments(self, argv: list[str]) -> None:
        wrong = None
        harness = None
        words = iter(range(len(argv)))
        for i in words:
            value = argv[i + 1] if i + 1 < len(argv) else None
            if argv[i] == "--framed":
                self.framed = True
                return
            if argv[i] == "--cold":
                self.cold = True
                continue
            if value is not None and argv[i] == "--harness":
                harness = value
            elif value is not None and argv[i] == "--event":
                self.event = value
            elif value is not None and argv[i] == "--deadline-ms" and _is_number(value):
                lowered = self.deadline + (int(value) - ANSWER_BY_MS) / 1000
                self.deadline = min(self.deadline, lowered)  # never raised
            else:
                wrong = argv[i] if wrong is None else wrong
                continue
            next(words, None)
        if harness is not None:
            self.name = harness
            self.data = _client_data(harness)
        if wrong is not None:
            raise Denied(f"{USAGE}; not understood", wrong)
        if harness is None:
            raise Denied(USAGE)
        if self.data is None:
            raise Denied("no client has this name", harness)

    def _answer(self, body: bytes) -> tuple[int, bytes, bytes]:
        try:
            cwd = os.getcwdb()
        except OSError:
            raise Denied("the working directory cannot be named") from None
        state = peer.locate(os.environ, os.fsdecode(cwd))
        nonce = os.urandom(16).hex().encode()
        frame = self._frame(cwd, state, nonce, body)
        if not self.cold:
            answer = self._warm(state, frame)
            if answer is not None:
                return answer
        return self._cold(self._frame(cwd, state, nonce, body))

    def _frame(self, cwd: bytes, state: State, nonce: bytes, body: bytes) -> bytes:
        left = max(int((self.deadline - time.monotonic()) * 1000), 0)
        name, event, home = os.fsencode(self.name), os.fsencode(self.event), os.fsencode(state.home)
        try:
            return protocol.encode_request(name, event, cwd, home, nonce, os.environb, body, left)
        except protocol.BadFrame as error:
            raise Denied("the call cannot be sent", str(error)) from None

    def _warm(self, state: State, frame: bytes) -> tuple[int, bytes, bytes] | None:
        """The resident engine's answer; None when there is none and the call must be decided cold."""
        if not peer.run_directory(state):
            return None
        sock = peer.connect(state)
        if sock is None:
            return None
        self.late = (LATE, "the engine does not take the call")
        try:
            sock.sendall(frame)
        except (BrokenPipeError, ConnectionResetError):
            return None
        except OSError as error:
            raise errno_denial("the call cannot be sent", error) from None
        self.late = (LATE, "the engine does not answer")
        return _received(sock.fileno())

    def _cold(self, frame: bytes) -> tuple[int, bytes, bytes]:
        """Decide in a process of its own: one that can be killed at the deadline, whatever it is doing."""
        self.late = (LATE, f"{NO_ENGINE}deciding without one took too long")
        _signal.signal(
            _signal.SIGCHLD, _signal.SIG_DFL
        )  # ignored, the child's pid could be another's when it is killed
        answer, tell = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            self.child = IS_CHILD
            os.close(answer)
            self._answer_frame(frame, tell)
        os.close(tell)
        reply = _received(answer)
        if reply is None:
            raise Denied(f"{NO_ENGINE}the decision without one ended without an answer")
        self.child = 0
        return reply

    def _answer_frame(self, frame: bytes, fd: int) -> NoReturn:
        """Decide the request in `frame` and write the framed reply; a failure is a framed denial."""
        try:
            request = protocol.decode_request(frame)
            if request is None:
                raise protocol.BadFrame("the frame is cut short")
            self.data = _client_data(request.harness)
            code, stdout, stderr = _decided(request)
        except Denied as denied:
            code, stdout, stderr = self._denial(denied.reason, denied.detail)
        except Exception as error:  # noqa: BLE001 - the client must hear why
            code, stdout, stderr = self._denial(
                f"{NO_ENGINE}deciding without one failed", f"{type(error).__name__}: {error}"
            )
        view = memoryview(protocol.encode_reply(protocol.ANSWER, code, stdout, stderr))
        while view:
            view = view[os.write(fd, view) :]
        os._exit(0)

    def _relay(self, reply: tuple[int, bytes, bytes]) -> NoReturn:
        code, stdout, stderr = reply
        told = _emit(1, stdout)
        told = _emit(2, stderr) and told
        os._exit(code if told else 2)  # an answer that was lost on the way must not become a yes

    def _denial(self, reason: str, detail: str) -> tuple[int, bytes, bytes]:
        said = os.fsencode(f"bk blocked this call: {reason}" + (f": {detail}" if detail else ""))[:TEXT_MAX]
        text = bytes(byte if 0x20 <= byte <= 0x7E else 0x3F for byte in said).decode()
        stdout = b""
        if self.data is not None and self.data.DENY:
            quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            stdout = self.data.DENY.replace("%s", quoted).encode() + b"\n"
        return (2 if self.data is None else self.data.DENY_EXIT), stdout, text.encode() + b"\n"

    def _deny(self, reason: str, detail: str) -> NoReturn:
        code = 2
        try:
            if self.child > 0:
                os.kill(self.child, _signal.SIGKILL)
            code, stdout, stderr = self._denial(reason, detail)
            self._alarm(time.monotonic() + OUTPUT_S)
            self.refusing = False
            _emit(1, stdout)
            _emit(2, stderr)
        finally:
            os._exit(code)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _client_data(name: str) -> HarnessData | None:
    """The data of the client called `name`; its module alone is loaded unless the name is an alias."""
    plain = name.replace("-", "")
    if not (plain.isascii() and plain.isalnum()):
        return None
    path = f"bk.hook.harnesses.{name.replace('-', '_')}"
    try:
        __import__(path)
    except ModuleNotFoundError:
        from bk.hook.harness import HARNESSES

        if name not in HARNESSES:
            return None
        path = f"bk.hook.harnesses.{HARNESSES[name]}"
        __import__(path)
    data: HarnessData = sys.modules[path]
    return data if name == data.NAME or name in data.ALIASES else None


def _body() -> bytes:
    """Standard input, or one byte more of it than a request may have."""
    pieces = []
    left = protocol.MAX_BODY
    while left:
        try:
            piece = os.read(0, left)
        except BlockingIOError:
            _wait_for_input()
            continue
        except OSError as error:
            raise errno_denial("standard input cannot be read", error) from None
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _wait_for_input() -> None:
    from select import select

    select([0], [], [])


def _drained(fd: int) -> bytes:
    pieces = []
    while piece := os.read(fd, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def _received(fd: int) -> tuple[int, bytes, bytes] | None:
    """A whole reply from a socket or a pipe; None when there is none: the other end is gone or will not answer."""
    buffer = b""
    while True:
        try:
            piece = os.read(fd, 1 << 18)
        except OSError:
            return None
        if not piece:
            return None
        buffer = buffer + piece if buffer else piece
        try:
            reply = protocol.decode_reply(buffer)
        except protocol.BadFrame as error:
            raise Denied("the engine's answer is malformed", str(error)) from None
        if reply is not None:
            return reply[1:] if reply[0] == protocol.ANSWER else None


def _decided(request: Request) -> tuple[int, bytes, bytes]:
    from bk.hook.cold import run

    if os.environ.get("BK_HOME"):  # checked again: for the native client a link above the state may be new here
        request.env["BK_HOME"] = peer.locate(os.environ, request.cwd).root
    reply = run(request)
    return reply.exit_code, reply.stdout, reply.stderr


def _emit(fd: int, data: bytes) -> bool:
    """Write everything; False when the reader is gone or the time is up."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except (OSError, _LateError):
        return False
    return True


def main(argv: list[str]) -> NoReturn:
    """Answer one call. Started without isolation, start again with it: a project must not choose what Python loads."""
    if not sys.flags.isolated and argv[:1] != ["--framed"]:
        env = {name: os.environ[name] for name in os.environ if name in KEPT or name.startswith("BK_")}
        try:
            os.execve(sys.executable, [sys.executable, "-I", sys.argv[0], *argv], env)  # noqa: S606 - ourselves
        except OSError as error:
            os.write(2, f"bk blocked this call: {sys.executable} cannot be started: {error.strerror}\n".encode())
            os._exit(2)
    client = Client()
    try:
        try:
            client.run(argv)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the answer is no
            client.refuse(error)
    except BaseException as error:  # noqa: BLE001 - the one alarm, should it hit between raising and refusing
        client.refuse(error)
