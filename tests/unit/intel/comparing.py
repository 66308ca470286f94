"""How the tests of versions hold a dialect against an oracle."""

from __future__ import annotations

from bk.engine.intel import order
from bk.engine.intel.demand import demand
from bk.engine.intel.versions import canonical_version


def sign(low: object, high: object) -> int:
    return (low > high) - (low < high)  # type: ignore[operator]


def agree(ecosystem: str, one: str, other: str, expected: int) -> None:
    """Order and equality of two versions, and one spelling for what is equal."""
    keys = [order.key(ecosystem, version) for version in (one, other)]
    assert None not in keys
    assert sign(*keys) == expected, (one, other)
    spelled = [canonical_version(ecosystem, version) for version in (one, other)]
    assert (spelled[0] == spelled[1]) == (expected == 0), spelled
    assert [canonical_version(ecosystem, version) for version in spelled] == spelled
    assert sign(*[order.key(ecosystem, version) for version in spelled]) == expected


def told(ecosystem: str, request: str, version: str, expected: bool, *, perhaps: bool = True) -> None:
    """A request accepts what the oracle accepts; "perhaps" only where that is allowed."""
    wanted = demand(ecosystem, request)
    assert wanted is not None, request
    answer = wanted.accepts(version)
    assert answer is expected or (perhaps and answer is None and expected), (request, version, answer, expected)
