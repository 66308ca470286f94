"""Whether two documents say the same: what is written differs from what was read by our part and nothing else. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.model import Json


def alike(one: Json, other: Json) -> bool:
    """Equal, and of the same type: `true` is not `1`; a number that is none (nan) is like itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124 - nan


def others(told: Json, names: Sequence[str], ours: Callable[[Json], bool]) -> Json:
    """What a document says beside our entries in the list at `names`, and beside what would only lead to them."""
    if not names:
        return [each for each in told if not ours(each)] if isinstance(told, list) else told
    if not isinstance(told, dict) or names[0] not in told:
        return told
    inner = others(told[names[0]], names[1:], ours)
    return {key: (inner if key == names[0] else value) for key, value in told.items() if key != names[0] or inner}
