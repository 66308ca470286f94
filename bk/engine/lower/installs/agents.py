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
    if list(words[:2]) == ["mcp", "add-json"]:
        return [made for word in words[3:4] for made in described(word, f"{program} mcp add-json")]
    if list(words[:2]) in (["extensions", "install"], ["extension", "install"]):
        given = split(words[2:], options("--ref --source --path"))
        return [
            install(
                "agent-extension", program, word, "" if elsewhere(word) else str(word), source=elsewhere(word) or "git"
            )
            for word in given.words
        ]
    if list(words[:2]) == ["plugin", "install"]:
        return [install("agent-extension", program, word, str(word)) for word in words[2:3]]
    if list(words[:2]) != ["mcp", "add"]:
        return []
    line = split(words[2:], MCP_TAKES, until=1)
    return inner(_command(line.rest), f"{program} mcp add")


def described(text: str, via: str) -> list[Install]:
    """A server described in JSON: `{"command": "npx", "args": ["-y", "x"]}`."""
    import json

    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(said, dict) or not isinstance(said.get("command"), str):
        return []
    args = said.get("args")
    words = [said["command"], *(word for word in (args if isinstance(args, list) else []) if isinstance(word, str))]
    return inner(words, via)


def _command(words: Sequence[str]) -> Sequence[str]:
    """The launch command: after `--`, else from the first operand on."""
    if "--" in words:
        return words[list(words).index("--") + 1 :]
    at = 0
    while at < len(words) and words[at][:1] == "-":
        at += 2 if words[at] in MCP_TAKES else 1
    return words[at:]
