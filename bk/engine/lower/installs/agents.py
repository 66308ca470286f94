"""Agent command lines that register a server's launch command, and extensions that `gh` installs."""

from __future__ import annotations

from bk.engine.lower.installs import inner
from bk.engine.lower.installs.line import elsewhere, install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

MCP_TAKES = options("-s --scope -t --transport -e --env -H --header --url --bearer-token-env-var --type --timeout")


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What would be fetched when the registered server is started, or by the extension install."""
    if program == "gh":
        if list(words[:2]) in (["extension", "install"], ["ext", "install"], ["extensions", "install"]):
            given = split(words[2:], options("--pin"))
            return [
                install(
                    "gh-extension", "gh", word, "" if elsewhere(word) else str(word), given.value("--pin"), source="git"
                )
                for word in given.words
            ]
        return []
    if list(words[:2]) != ["mcp", "add"]:
        return []
    line = split(words[2:], MCP_TAKES, until=1)
    return inner(_command(line.rest), f"{program} mcp add")


def _command(words: Sequence[str]) -> Sequence[str]:
    """The launch command: after `--`, else from the first operand on."""
    if "--" in words:
        return words[list(words).index("--") + 1 :]
    at = 0
    while at < len(words) and words[at][:1] == "-":
        at += 2 if words[at] in MCP_TAKES else 1
    return words[at:]
