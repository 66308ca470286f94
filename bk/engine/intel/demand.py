"""What a request such as `^1.2`, `>=1,<2` or `~> 3.1` would accept, by the rules of the manager that reads it.

Only needed when a name is listed. A request that is not understood is None: the caller then answers `maybe`.
"""

from __future__ import annotations

from bk.engine.intel import order
from bk.engine.intel.dialects import of
from bk.engine.intel.dialects.dialect import Span, compared
from bk.engine.intel.versions import VERSION_MAX, canonical_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Choice

_ENDS_MAX = 8


class Demand:
    """The versions that a request accepts: any of some choices."""

    __slots__ = ("choices", "ecosystem")

    def __init__(self, ecosystem: str, choices: list[Choice]) -> None:
        self.ecosystem = ecosystem
        self.choices = choices

    def accepts(self, version: str) -> bool | None:
        """Whether this version could be chosen; None when that cannot be told from the request."""
        canonical = canonical_version(self.ecosystem, version)
        if len(canonical) > VERSION_MAX:
            return None
        key = of(self.ecosystem).key(canonical)
        if key is None:
            return None
        answer: bool | None = False
        for choice in self.choices:
            admitted = choice.admits(canonical, key)
            if admitted:
                return True
            if admitted is None:
                answer = None
        return answer

    def meets(self, span: Span) -> bool:
        """Whether some version inside a span could be chosen."""
        return any(span.meets(choice.span) for choice in self.choices)


def pinned(ecosystem: str, text: str, manager: str = "") -> str:
    """The canonical version when the request can only mean one version, else ""."""
    text = text.strip()
    if not text or len(text) > VERSION_MAX:
        return ""
    dialect = of(ecosystem)
    return "" if manager and manager == dialect.writer and text[0] != "=" else dialect.one(text)


def demand(ecosystem: str, text: str) -> Demand | None:
    """Read a range in its ecosystem's dialect; None when it is none that we understand."""
    text = text.strip()
    if not text or len(text) > VERSION_MAX:
        return None
    choices = of(ecosystem).choices(text)
    return None if choices is None else Demand(ecosystem, choices)


def interval(ecosystem: str, text: str) -> Span | None:
    """Read an interval as records keep it: `>=a,<b`, either end inclusive or not, either end open.

    Order alone counts here: a record speaks of every version between its ends, pre-releases included.
    """
    whole = Span()
    terms = text.split(",")
    if len(terms) > _ENDS_MAX:
        return None
    for term in terms:
        op = term[:2] if term[1:2] == "=" else term[:1]
        key = order.key(ecosystem, term[len(op) :])
        if key is None or op not in ("<", ">", "<=", ">="):
            return None
        whole.cut(compared(op, key))
    return whole
