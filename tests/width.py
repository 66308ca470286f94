"""How wide a property is searched: the default run tries a part of the examples that `make test-all` tries."""

from __future__ import annotations


class Search:
    """What this run leaves out; set before the first test is collected."""

    everything = False


def of(narrow: int, wide: int) -> int:
    """How many examples this run tries."""
    return wide if Search.everything else narrow
