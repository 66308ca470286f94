"""Commands that run on another machine, in a container or in a cluster: lowered with nothing known of the place."""

from __future__ import annotations

from bk.engine.lower.commands import simple
from bk.engine.lower.scope import FAR, NO_LOOK, NONE
from bk.engine.lower.scripts import shell_text
from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell


def elsewhere(
    shell: Shell, where: str, what: str | Sequence[str], stdin: Stream | None, via: tuple[str, ...]
) -> Stream | None:
    """See `Shell.elsewhere`: what it changes in the scope is put back when it ends."""
    scope = shell.scope
    before = scope.snapshot()
    kept = scope.where, scope.look, scope.env, scope.start, scope.via, shell.functions
    files = scope.written, scope.links, scope.descriptors, shell.aliases
    scope.where = f"{scope.where}>{where}" if scope.where else where
    scope.look, scope.env, scope.vars = NO_LOOK, NO_LOOK.env, NONE
    scope.home = scope.start = FAR
    scope.cwds = (Dim(FAR),)
    shell.functions = shell.aliases = scope.links = scope.descriptors = NONE
    scope.written = scope.afar.get(scope.where, {})
    try:
        if isinstance(what, str):
            return shell_text(shell, what, via, stdin)
        scope.via += via
        return simple(shell, what, stdin)
    finally:
        scope.afar = {**scope.afar, scope.where: scope.written}  # its files are there the next time, too
        scope.where, scope.look, scope.env, scope.start, scope.via, shell.functions = kept
        scope.written, scope.links, scope.descriptors, shell.aliases = files
        scope.restore(before)
