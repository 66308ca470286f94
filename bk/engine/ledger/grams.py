"""Which runs of four characters occur in a block of entries, as a small bitmap: it says "not here" for certain.

Only that answer is used. What a bitmap lets through is always looked for in the entries themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

RUN = 4
BITS = 1 << 16
BYTES = BITS // 8
_SPREAD = 2654435761
_ONE = ord("1")


def bitmap(bodies: Iterable[bytes]) -> bytes:
    """The bitmap of these texts; upper and lower case of ASCII letters are one, as they are to LIKE."""
    text = b"\n".join(bodies).lower()
    runs: set[int] = set()
    for start in range(RUN):
        whole = (len(text) - start) // RUN * RUN
        if whole > 0:
            runs.update(memoryview(text)[start : start + whole].cast("I"))
    marks = bytearray(b"0" * BITS)
    for place in {(run * _SPREAD & 0xFFFFFFFF) >> 16 for run in runs}:
        marks[BITS - 1 - place] = _ONE
    return int(marks, 2).to_bytes(BYTES, "little")


def places(fragment: str) -> list[int]:
    """The bits that a text holding this fragment has set; none for one that is too short to tell."""
    text = fragment.encode(errors="surrogateescape").lower()
    runs = (int.from_bytes(text[at : at + RUN], sys.byteorder) for at in range(len(text) - RUN + 1))
    return sorted({(run * _SPREAD & 0xFFFFFFFF) >> 16 for run in runs})


def may_hold(bits: bytes, wanted: Sequence[int]) -> bool:
    """Whether a text with this bitmap may hold a fragment with these bits."""
    return all(bits[place >> 3] >> (place & 7) & 1 for place in wanted)
