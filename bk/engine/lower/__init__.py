"""Lowering: what a tool call would do. Every surface's call becomes actions here, and nowhere else."""

from __future__ import annotations

from bk.engine.lower.scope import NO_LOOK, Look
from bk.engine.lower.tools import actions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Action, ToolCall

__all__ = ["Look", "lower"]


def lower(call: ToolCall, look: Look | None = None) -> list[Action]:
    """The effects a call would have. Never raises for what the call contains: what cannot be read is `Opaque`."""
    return actions_of(call, look or NO_LOOK)
