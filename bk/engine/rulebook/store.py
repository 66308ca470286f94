"""The hot path's view of the rules: one compiled file, fresh by stamps, verified by digest, compiled when stale."""

from __future__ import annotations

from bk.engine.errors import Refusal
from bk.engine.rulebook.book import InForce
from bk.engine.rulebook.places import SYSTEM_FOLDER, snapshot_of, sources
from bk.engine.rulebook.sealed import head_of
from bk.engine.rules.book import Rulebook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.config.policy import Policy
    from bk.engine.model import Json
    from bk.engine.state import State


def read(state: State, policy: Policy, system: str = SYSTEM_FOLDER) -> InForce:
    """The rules in force: from the snapshot when its sources are unchanged, else compiled and kept.

    Raises Refusal("rules") when not even the built-in ones can be had.
    """
    seen = sources(state, system)
    head = head_of(snapshot_of(state), state.owner)
    if head is not None and not head["racy"] and head["policy"] == policy.digest and head["sources"] == seen:
        book = _book(head)
        if book is not None:
            return book
    from bk.engine.rulebook.making import remake

    made = remake(state, policy, seen, head, system)
    book = _book(made)
    if book is None:
        raise Refusal("rules", "the compiled rules cannot be used", "reinstall bk")
    return book


def _book(head: Mapping[str, Json]) -> InForce | None:
    try:
        return InForce([Rulebook.load(head["book"])], head["problems"], head["notes"])
    except (LookupError, TypeError, ValueError):
        return None
