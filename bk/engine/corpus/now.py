"""A pass over the corpus as things are now: the generation in force, the overlay, this moment."""

from __future__ import annotations

import os
import time

from bk.engine.corpus import batch
from bk.engine.intel import bundle, overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bk.engine.model import Json
    from bk.engine.state import State


def adjudicate(
    state: State,
    values: Mapping[str, Json],
    now_ms: int,
    *,
    clock: Callable[[], float] = time.process_time,
) -> batch.Report:
    """Take in, judge and settle with what decisions see now. Raises BkError when something of it cannot be used."""
    index = overlay.in_force(state)
    try:
        number = bundle.number_of(os.path.basename(index.path))
        return batch.run(state, values, index=index, generation=number, now_ms=now_ms, clock=clock)
    finally:
        index.close()
