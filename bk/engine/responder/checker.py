"""The process that reads what landed: one at a time, asked with words, answering with one line of JSON."""

from __future__ import annotations

import json
import os
import select
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.responder.backlog import Waiting
    from bk.engine.responder.eyes import Target

    Spawn = Callable[[Sequence[str], int], int]

PLACES, CHECK = "places", "check"
LONGEST_S = 2000.0
ANSWER_MAX = 4 << 20
END_S = 1.0


class Checker:
    """Starts it, hears it, ends it. `spawn` is given the words and the descriptor to answer on, and tells the pid."""

    __slots__ = ("_pid", "_said", "_spawn", "_until", "asked", "fd")

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._pid = 0
        self._until = 0.0
        self._said = b""
        self.fd = -1
        self.asked: Mapping[Target, Waiting] = {}

    @property
    def busy(self) -> bool:
        """Whether one is at work."""
        return self._pid > 0

    def places(self, now: float) -> None:
        """Ask where things may land."""
        self._start((PLACES,), {}, now)

    def check(self, asked: Mapping[Target, Waiting], now: float) -> None:
        """Ask about what landed."""
        words = [json.dumps([*target.row(), waiting.last]) for target, waiting in asked.items()]
        self._start((CHECK, *words), asked, now)

    def hear(self, now: float) -> dict[str, Json] | None:
        """Its answer, once it has ended; None while it works. What broke off answers with a `problem`."""
        while True:
            try:
                more = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                if now > self._until:
                    self.stop()
                    return {"problem": f"the check took longer than {LONGEST_S:.0f} s"}
                return None
            if not more or len(self._said) > ANSWER_MAX:
                break
            self._said += more
        code = self._ended()
        try:
            told = json.loads(self._said)
        except ValueError:
            told = None
        return told if isinstance(told, dict) else {"problem": f"the check broke off ({_how(code)})"}

    def stop(self) -> None:
        """End one that is at work; what it had begun to move is brought to an end by the next one."""
        if not self._pid:
            return
        os.kill(self._pid, signal.SIGTERM)  # ours and not yet reaped, so the number names nobody else
        gone = select.poll()
        gone.register(self.fd, 0)
        gone.poll(END_S * 1000)
        os.kill(self._pid, signal.SIGKILL)
        self._ended()

    def _start(self, words: Sequence[str], asked: Mapping[Target, Waiting], now: float) -> None:
        self.fd, answers = os.pipe2(os.O_CLOEXEC)
        try:
            os.set_blocking(self.fd, False)
            self._pid = self._spawn(words, answers)
        except OSError:
            os.close(self.fd)
            self.fd = -1
            raise
        finally:
            os.close(answers)
        self.asked, self._said, self._until = asked, b"", now + LONGEST_S

    def _ended(self) -> int:
        os.close(self.fd)
        _, status = os.waitpid(self._pid, 0)
        self._pid, self.fd = 0, -1
        return os.waitstatus_to_exitcode(status)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
