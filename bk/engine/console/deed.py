"""What a person does to what is installed or held: in the ledger before it happens, and again with its end."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from bk.engine.config import snapshot
from bk.engine.errors import BkError
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
from bk.text import inert

Json = Any
SHOWN = 400
ASKED, DONE, REFUSED, BROKEN = "asked", "done", "refused", "broken off"


class Deed:
    """Use as a context manager around the deed; `add` what is learnt on the way."""

    __slots__ = ("_ledger", "_said", "_state")

    def __init__(self, state: State, event: str, **said: Json) -> None:
        self._state = state
        self._said: dict[str, Json] = {"event": event, **said}

    def __enter__(self) -> Deed:
        patterns = snapshot.read(self._state).values["audit.redact_patterns"]
        self._ledger = Ledger.open(self._state, redact=redactor(patterns))
        self._keep(ASKED)
        return self

    def add(self, **said: Json) -> None:
        """More to say when it is over."""
        self._said.update(said)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, BkError):
                self._keep(REFUSED, code=getattr(error, "refusal", ""), detail=inert(str(error), SHOWN))
            elif error is not None:
                self._keep(BROKEN, detail=type(error).__name__)
            else:
                self._keep(DONE)
        finally:
            self._ledger.close()

    def _keep(self, outcome: str, **more: Json) -> None:
        data = {**self._said, "outcome": outcome, **more}
        self._ledger.append([Entry("responder", person(), data)], sync=True)


def recorded(state: State, entries: list[Entry]) -> None:
    """Entries of something that was found while a person looked."""
    patterns = snapshot.read(state).values["audit.redact_patterns"]
    ledger = Ledger.open(state, redact=redactor(patterns))
    try:
        ledger.append(entries, sync=True)
    finally:
        ledger.close()


def person() -> str:
    """Who does it."""
    return f"person:{os.getuid()}"


def clean(path: str) -> str:
    """A path as JSON can say it."""
    return path.encode(errors="replace").decode()
