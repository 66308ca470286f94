"""The rulebook's findings: what the rules in force say of these actions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action, Finding


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Ask the rulebook, when there is one."""
    return facts.rules.judge(actions, facts) if facts.rules is not None else ()
