"""The checks: each looks at actions and facts and says what it believes. None touches the machine."""

from __future__ import annotations

from bk.engine.checks import (
    credentials,
    destroy,
    egress,
    exfiltration,
    mcp,
    opaque,
    packages,
    paths,
    posture,
    rules,
    selfguard,
    shells,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action, Finding

CHECKS: tuple[Callable[[Sequence[Action], Facts], Iterable[Finding]], ...] = (
    selfguard.check,
    paths.check,
    packages.check,
    posture.check,
    mcp.check,
    credentials.check,
    destroy.check,
    exfiltration.check,
    shells.check,
    egress.check,
    opaque.check,
    rules.check,
)
