"""What can still be said of a text that does not parse: the paths and programs written out in it."""

from __future__ import annotations

import re

from bk.engine.lower.paths import pathlike
from bk.engine.lower.scope import SpentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

MAX_TOKENS = 400
MAX_OPEN = 2000
SHORT = 240
MAX_SEARCHED = 5000
_TOKEN = re.compile(r"[^\s\"'`;|&()<>{},=]+")


def errors(shell: Shell, root: Node, text: str) -> None:
    """Mark what did not parse as dark, and record every path that the whole text writes out as perhaps read."""
    deep = text.count("(") > MAX_OPEN or text.count("{") > MAX_OPEN
    shell.dark("depth" if deep else "syntax", text if len(text) <= SHORT else _first_error(shell, root) or text)
    if "((" in text and not deep:
        shell.text(text.replace("((", "( ("))  # two subshells that the grammar took for arithmetic
    count = 0
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word[0] in "/~.$%" or "/" in word:
            if pathlike(word):
                shell.scope.touch(word, "read", certain=False)
            count += 1
            if count > MAX_TOKENS:
                raise SpentError


def _first_error(shell: Shell, root: Node) -> str:
    waiting = [root]
    for _ in range(MAX_SEARCHED):
        if not waiting:
            break
        node = waiting.pop()
        if node.is_error or node.is_missing:
            return shell.slice(node) or shell.slice(node.parent)[-200:] if node.parent is not None else ""
        if node.has_error:
            waiting.extend(reversed(node.children))
    return ""
