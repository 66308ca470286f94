"""Whether the corpus has anything to do: what the resident engine asks every minute, for next to nothing."""

from __future__ import annotations

import os
import sqlite3

from bk.engine.corpus.questions import Questions
from bk.engine.corpus.schema import NAME
from bk.engine.ledger.schema import reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json
    from bk.engine.state import State

LEDGER, BATCH = "ledger", "batch"  # cursors: how far the ledger was followed, when the last pass was
AGAIN_MS = 900_000
DAILY_MS = 86_400_000
LEFT = "left"  # noted with the last pass when it stopped at its bound


def due(state: State, values: Mapping[str, Json], now_ms: int) -> bool:
    """A pass is due when the last one had to stop, when something was recorded since, and once a day for the clock."""
    if values.get("corpus.enabled") is not True or not os.path.exists(state.audit):
        return False
    if not os.path.exists(f"{state.root}/{NAME}"):
        return True
    with Questions(state) as corpus:
        at, said = corpus.cursor(BATCH)
        followed = corpus.cursor(LEDGER)[0]
    since = now_ms - at
    if 0 <= since < AGAIN_MS and said != LEFT:
        return False
    return said == LEFT or not 0 <= since < DAILY_MS or _head(state) > followed


def behind(state: State) -> bool:
    """Whether the ledger holds what was not followed yet."""
    if not os.path.exists(f"{state.root}/{NAME}"):
        return True
    with Questions(state) as corpus:
        return corpus.cursor(LEDGER)[0] != _head(state)


def _head(state: State) -> int:
    """The ledger's last entry."""
    con = reader(state.audit)
    try:
        row = con.execute("SELECT seq FROM head").fetchone()
        return int(row[0]) if row else 0
    except sqlite3.Error:
        return 0  # whoever follows it says what is wrong with it
    finally:
        con.close()
