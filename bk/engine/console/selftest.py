"""Over a hundred calls through the real hook program, in a home directory that is thrown away, answers compared."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, NamedTuple

from bk.engine.console.installation import hook_path
from bk.engine.errors import BkError
from bk.engine.state import State

Json = Any
TIMEOUT_S = 30
AT_ONCE = 4
MEANT = {
    "deny": "stopped",
    "run": "let through, with or without a warning",
    "allow": "let through without a word",
    "warn": "let through with a warning",
    "ask": "asked about",
}
RUNS = ("allow", "warn")


class Outcome(NamedTuple):
    """One case, what was expected and what came."""

    group: str
    name: str
    expected: str
    got: str
    reason: str

    @property
    def passed(self) -> bool:
        """Whether the answer is the one that was expected."""
        return self.got in RUNS if self.expected == "run" else self.got == self.expected


def cases() -> list[dict[str, Json]]:
    """The bundled cases."""
    text = files("bk.engine.console").joinpath("selftest.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def selftest(*, cold: bool, tell: Callable[[int, int], None] = lambda _done, _all: None) -> list[Outcome]:
    """Send every case. Warm starts an engine for it and stops it again; cold keeps any from starting."""
    hook = hook_path()
    if not hook:
        raise BkError("there is no hook to test", f"bk-hook is not beside {sys.executable}", "reinstall bk; `bk diag`")
    wanted = cases()
    with _home(hook) as state, _no_engine(state) if cold else _engine(state):
        outcomes: list[Outcome] = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for outcome in pool.map(lambda case: _ask(case, hook, state), wanted):
                outcomes.append(outcome)
                tell(len(outcomes), len(wanted))
        outcomes.append(_recorded(state, len(wanted)))
        if not cold:
            outcomes.append(_warm(state))
    return outcomes


@contextmanager
def _home(hook: str) -> Iterator[State]:
    """A home directory whose client asks the hook, in a path that is short enough for a socket."""
    top = tempfile.mkdtemp(prefix="bkst-", dir="/tmp")
    state = State(f"{top}/h/.bk", f"{top}/h", os.geteuid())
    try:
        os.makedirs(f"{state.home}/src/app", 0o700)
        os.makedirs(f"{state.home}/.claude", 0o700)
        entry = {"matcher": "*", "hooks": [{"type": "command", "command": f"{hook} --harness claude-code"}]}
        with open(f"{state.home}/.claude/settings.json", "w", encoding="utf-8") as file:
            json.dump({"hooks": {"PreToolUse": [entry]}}, file)
        state.ensure()
        yield state
    finally:
        shutil.rmtree(top, ignore_errors=True)


@contextmanager
def _engine(state: State) -> Iterator[None]:
    from bk.engine.service import lifecycle

    lifecycle.start(state)
    try:
        yield
    finally:
        lifecycle.stop(state)


@contextmanager
def _no_engine(state: State) -> Iterator[None]:
    """Hold the lock that whoever starts an engine must have."""
    fd = os.open(f"{state.run}/starting.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _ask(case: dict[str, Json], hook: str, state: State) -> Outcome:
    body, name = _request(case, hook, state)
    env = {"HOME": state.home, "PATH": "/usr/bin:/bin"}
    words = [hook, "--harness", "claude-code"]
    try:
        done = subprocess.run(
            words, input=body, env=env, cwd=f"{state.home}/src/app", capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(case["group"], name, case["expect"], "no answer", f"none within {TIMEOUT_S} s")
    got, reason = answer_of(done.returncode, done.stdout, done.stderr)
    return Outcome(case["group"], name, case["expect"], got, reason)


def _request(case: dict[str, Json], hook: str, state: State) -> tuple[bytes, str]:
    """What the client would send, and what to call it."""
    if "raw" in case:
        return case["raw"].replace("{FILL}", "x" * case.get("fill", 0)).encode(), case["name"]
    given = json.loads(json.dumps(case["input"]).replace("{HOME}", state.home).replace("{HOOK}", hook))
    payload = {
        "session_id": "selftest",
        "cwd": f"{state.home}/src/app",
        "hook_event_name": "PreToolUse",
        "tool_name": case["tool"],
        "tool_input": given,
    }
    shown = next((value for value in given.values() if isinstance(value, str)), "")
    return json.dumps(payload).encode(), f"{case['tool']}: {shown.replace(state.home, '~')}"


def answer_of(code: int, stdout: bytes, stderr: bytes) -> tuple[str, str]:
    """The answer in a hook's exit code and bytes; anything that is none of the known ones is named as it is."""
    reason = stderr.decode(errors="replace").strip()
    if not stdout.strip():
        return ("allow", "") if code == 0 else (f"exit {code} without an answer", reason)
    try:
        said = json.loads(stdout)
        specific = said.get("hookSpecificOutput", {})
    except (ValueError, AttributeError):
        return f"exit {code}, unreadable answer", reason
    decision = specific.get("permissionDecision", "")
    told = str(specific.get("permissionDecisionReason") or said.get("systemMessage") or reason)
    if decision == "deny" and code == 2 and reason:
        return "deny", told
    if decision == "ask" and code == 0:
        return "ask", told
    if not decision and code == 0 and said.get("systemMessage"):
        return "warn", told
    return f"exit {code}, {decision or 'no decision'}", told


def _recorded(state: State, wanted: int) -> Outcome:
    """Every answer must be in the ledger."""
    from bk.engine.ledger.store import Ledger

    found = 0
    if os.path.exists(state.audit):
        ledger = Ledger.open(state, create=False)
        try:
            found = sum(1 for entry in _all(ledger) if entry.kind == "decision")
        finally:
            ledger.close()
    got = "recorded" if found == wanted else f"{found} of {wanted} recorded"
    return Outcome("record", "every answer has one entry in the ledger", "recorded", got, "")


def _warm(state: State) -> Outcome:
    """The engine must have lived through it."""
    from bk.engine.service.status import EngineStatus

    seen = EngineStatus(state)
    got = "running" if seen.running and not seen.problems else "; ".join(seen.problems) or "gone"
    return Outcome("engine", "the engine still runs after all calls", "running", got, "")


def _all(ledger: Any) -> Iterator[Any]:
    after = 0
    while batch := ledger.entries(after=after, limit=500):
        yield from batch
        after = batch[-1].seq


def summary(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """Passed and all, by group."""
    said: dict[str, tuple[int, int]] = {}
    for outcome in outcomes:
        passed, total = said.get(outcome.group, (0, 0))
        said[outcome.group] = (passed + outcome.passed, total + 1)
    return said
