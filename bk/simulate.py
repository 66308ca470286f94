"""The composition root of `bk simulate`: the one place that knows its options and how clients spell their calls."""

from __future__ import annotations

from bk.cli.simulate import command
from bk.engine.errors import Refusal
from bk.engine.model import ToolCall
from bk.hook.harness import call_of, event_of, harness_data
from bk.hook.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json


def native(harness: str, payload: Mapping[str, Json], cwd: str, home: str) -> ToolCall | str:
    """The call in a client's own payload, read as its hook reads it; or what is wrong with it."""
    request = Request(harness, "", cwd, home, "", {}, b"")
    try:
        data = harness_data(harness)
        return call_of(data, payload, request, event_of(data, payload, request))
    except Refusal as refusal:
        return refusal.detail or refusal.cause


app = command(native)
