"""The checks: each looks at actions and facts and says what it believes. None touches the machine."""

from __future__ import annotations

from bk.engine.checks import credentials, opaque, packages, paths, selfguard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action, Finding

CHECKS: tuple[Callable[[Sequence[Action], Facts], Iterable[Finding]], ...] = (
    selfguard.check,
    paths.check,
    packages.check,
    credentials.check,
    opaque.check,
)
