"""What the overview reads: most of the engine, so the worker that reads imports it, after the first frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from bk.engine.console import quarantine
from bk.engine.console.catalogs import standing
from bk.engine.console.matters import found
from bk.engine.console.tally import Tally, tally
from bk.engine.errors import BkError

if TYPE_CHECKING:
    from bk.engine.console.session import Session


class Found(NamedTuple):
    """What was gathered. Parts that could not be read hold the error instead."""

    matters: Any
    held: Any
    catalogs: Any
    tally: Any


def look(session: Session, counted: Tally | None, wanted: Callable[[], bool]) -> Found:
    """Everything anew, but what was counted already."""
    env = session.env
    return Found(
        _read(lambda: found(env)),
        _read(lambda: quarantine.rows(env=env)),
        _read(lambda: standing.status(env)),
        counted or _read(lambda: tally(session.state, session.now(), wanted)),
    )


def _read(read: Callable[[], Any]) -> Any:
    """A part, or why it could not be read: one broken store must not hide the others."""
    try:
        return read()
    except BkError as error:
        return error
