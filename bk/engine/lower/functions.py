"""Calls of shell functions that the same text defines."""

from __future__ import annotations

from bk.engine.lower.expand import as_values, joined_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell


def call(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None) -> Stream | None:
    """Call a function that the text defined, with its arguments."""
    source, body = shell.functions[name]
    before = shell.source, shell.calling
    shell.source = source
    shell.calling = shell.calling | {name}
    for index, word in enumerate(args[:9], 1):
        shell.scope.assign(str(index), as_values([word]))
    everything = joined_values(args)
    shell.scope.assign("@", everything)
    shell.scope.assign("*", everything)
    try:
        return shell.statement(body, stdin)
    finally:
        shell.source, shell.calling = before
