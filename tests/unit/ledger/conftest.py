"""A sealed ledger to attack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bk.engine.ledger import seal
from bk.engine.ledger.verify import verify
from bk.engine.state import State

from .house import fill, opened


@pytest.fixture
def sealed(state: State) -> Iterator[str]:
    """100 entries sealed at the start: a checkpoint at 41 and at 81, and an unsigned tail up to 102."""
    with opened(state) as ledger:
        key = seal.start(ledger)  # entry 1 names the signer, entry 2 the seal; signed at 2
        fill(ledger, 39)
        assert ledger.checkpoint()
        fill(ledger, 40)
        assert ledger.checkpoint()
        fill(ledger, 21)
        ledger.sync()
    report = verify(state, seal_key=key)
    assert report.ok
    assert (report.entries, report.checkpoints, report.unsealed_tail) == (102, 3, 21)
    assert report.links == 100
    assert report.last_good_checkpoint is not None
    assert report.last_good_checkpoint.seq == 81
    return key
