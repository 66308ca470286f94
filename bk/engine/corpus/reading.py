"""One JSON object from outside, or the one word for why it is not one: two readers must never see two objects."""

from __future__ import annotations

from bk.engine.errors import Refusal
from bk.engine.strict import parse_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

DEPTH_MAX = 16
_KINDS = {"empty": "syntax", "trailing": "syntax", "nan": "number"}  # the words that were published


class Unreadable(ValueError):  # noqa: N818 - a finding that its reader puts into words of its own
    """Why bytes are no object; `kind` is the word that programs see."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


def object_of(data: bytes, most: int, depth: int = DEPTH_MAX) -> dict[str, Json]:
    """The object in the bytes; raises Unreadable: size, encoding, syntax, twice, number, depth or shape."""
    try:
        return parse_object(data, max_bytes=most, max_depth=depth)
    except Refusal as refusal:
        raise Unreadable(_KINDS.get(refusal.cause, refusal.cause), refusal.detail) from None
