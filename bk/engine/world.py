"""One immutable view of everything a decision depends on, and the facts gathered from it for one call.

A call takes one World and keeps it to the end, so it never sees half of two configurations or two indexes.
"""

from __future__ import annotations

import os
import sys
import time

from bk.engine.checks.guarded import is_guarded
from bk.engine.config import snapshot
from bk.engine.errors import BkError, Refusal
from bk.engine.facts import Facts
from bk.engine.grants import store
from bk.engine.intel import bundle
from bk.engine.intel.index import Index
from bk.engine.intel.match import matches
from bk.engine.ledger.redact import redactor
from bk.engine.model import Install, Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.config.policy import Policy
    from bk.engine.facts import Match
    from bk.engine.grants.grant import Grant
    from bk.engine.model import Action, Json, ToolCall
    from bk.engine.state import State

MAX_PATHS = 256
MAX_DOCUMENT = 1 << 20


class World:
    """Policy, index and redaction of one moment. `failure` says why decisions cannot be made, when they cannot."""

    __slots__ = ("executables", "failure", "index", "index_path", "policy", "redact", "state")

    def __init__(
        self,
        state: State,
        policy: Policy,
        index: Index | None,
        index_path: str,
        *,
        failure: Refusal | None = None,
    ) -> None:
        self.state = state
        self.policy = policy
        self.index = index
        self.index_path = index_path
        self.failure = failure
        self.redact: Callable[[Json], Json] = redactor(policy.values["audit.redact_patterns"])
        self.executables = own_executables()

    @classmethod
    def open(cls, state: State) -> World:
        """Read what is on disk now. A broken index becomes `failure`; a policy that cannot be had at all raises."""
        policy = snapshot.read(state)
        try:
            path = bundle.ensure(state)
            return cls(state, policy, Index.open(path), path)
        except BkError as error:
            return cls(state, policy, None, "", failure=Refusal("index", str(error), error.next_step))

    @property
    def generation(self) -> str:
        """The name of the index generation in force."""
        return os.path.basename(self.index_path)

    def policy_for(self, call: ToolCall) -> Policy:
        """The policy with what the call's project and environment tighten."""
        return snapshot.tightened(self.policy, call.cwd, call.home, call.claims)

    def grants(self) -> tuple[Grant, ...]:
        """The exceptions that people have made, as they are at this moment."""
        return store.live(self.state)

    def now_ms(self) -> int:
        """The wall clock, for expiries."""
        return time.time_ns() // 1_000_000

    def gather(self, call: ToolCall, actions: Sequence[Action], policy: Policy) -> Facts:
        """Look at the disk and the index once, so that checks need not."""
        real: dict[str, str] = {}
        documents: dict[str, str | None] = {}
        known: dict[str, Sequence[Match]] = {}
        for action in actions:
            if isinstance(action, Touch):
                path = action.path
                if path not in real and len(real) < MAX_PATHS:
                    real[path] = _real(path)
                if action.mode != "read" and path not in documents:
                    for spelling in (path, real.get(path, path)):
                        if is_guarded(spelling, call.home, call.cwd):
                            documents[path] = _document(path)
            elif isinstance(action, Install) and self.index is not None:
                known[action.target] = matches(self.index, action)
        return Facts(
            home=call.home,
            cwd=call.cwd,
            state_root=self.state.root,
            policy=policy.values,
            real=real,
            documents=documents,
            matches=known,
            executables=self.executables,
        )


def own_executables() -> tuple[str, ...]:
    """The files and folders whose alteration would change or remove this guard."""
    beside = os.path.dirname(sys.executable)
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    names = ("bk", "bk-hook", "bk-hook-python")
    return (*(f"{beside}/{name}" for name in names), package)


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path


def _document(path: str) -> str | None:
    """The present text of a guarded file: None when there is none; unreadable or huge counts as unknown text."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_DOCUMENT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return "\x00unreadable"
    return "\x00too large" if len(data) > MAX_DOCUMENT else data.decode(errors="replace")
