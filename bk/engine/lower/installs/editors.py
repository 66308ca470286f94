"""Editors of the VS Code family: `--install-extension publisher.name[@version]`, as often as it is given."""

from __future__ import annotations

from bk.engine.lower.installs.agents import described
from bk.engine.lower.installs.line import elsewhere, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

FLAGS = ("--install-extension", "--install-builtin-extension")


def read(program: str, words: Sequence[str]) -> list[Install]:
    """Which extensions one editor command installs."""
    wanted: list[str] = []
    for at, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag in FLAGS:
            if equals:
                wanted.append(value if type(word) is str else type(word)(value))
            elif at + 1 < len(words):
                wanted.append(words[at + 1])
    made = []
    for at, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag == "--add-mcp":
            text = value if equals else words[at + 1] if at + 1 < len(words) else ""
            made.extend(described(text, f"{program} --add-mcp"))
    for word in wanted:
        source = elsewhere(word)
        name, _, version = ("", "", "") if source else str(word).partition("@")
        made.append(install("editor-extension", program, word, name, version, source=source or "registry"))
    return made
