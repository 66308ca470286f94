"""Calls of shell functions that the same text defines, and of its aliases."""

from __future__ import annotations

from bk.engine.lower.builtins import positional
from bk.engine.lower.scripts import shell_text
from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

    V = TypeVar("V")

_POSITIONAL = ("@", "*", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def call(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None) -> Stream | None:
    """Call a function that the text defined, with its arguments; afterwards the caller has its own again."""
    source, body = shell.functions[name]
    scope = shell.scope
    before = shell.source, shell.calling, shell.woven
    held = scope.vars, scope.taints
    shell.source = source
    shell.calling = shell.calling | {name}
    positional(shell, args)
    shell.woven = shell.ground
    try:
        return shell.statement(body, stdin)
    finally:
        shell.source, shell.calling, shell.woven = before
        scope.vars = _kept(scope.vars, held[0])
        scope.taints = _kept(scope.taints, held[1])


def _kept(now: Mapping[str, V], before: Mapping[str, V]) -> Mapping[str, V]:
    """What a function leaves behind: everything but its own parameters."""
    kept = {name: value for name, value in now.items() if name not in _POSITIONAL}
    kept.update((name, before[name]) for name in _POSITIONAL if name in before)
    return kept


def alias(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None) -> Stream | None:
    """Run what an alias stands for, with the words behind it."""
    from bk.engine.lower.spelling import quoted

    text = " ".join((shell.aliases[name], *map(quoted, args)))
    outer = shell.calling
    shell.calling = outer | {name}
    try:
        return shell_text(shell, Dim(text) if type(shell.aliases[name]) is Dim else text, ("alias",), stdin)
    finally:
        shell.calling = outer
