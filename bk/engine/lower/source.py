"""Shell text made ready for the grammar: what it would misread is spelled in a way it reads right."""

from __future__ import annotations

import re

from bk.engine.lower.programs import SHELLS, SPECS
from bk.engine.lower.wrappers import WRAPPERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.lower.shell import Shell

MAX_TAILS = 4
_CONTINUED = re.compile(r"(?<=[^\s\\])\\\n(?=\S)")
_SLASHED = re.compile(r"\n(?=[ \t]*\\)")
_PREFIXED = re.compile(
    r"(^|[;&|({\n`]|\bdo[ \t]|\bthen[ \t]|\belse[ \t])[ \t]*(?:(?:!|time(?:[ \t]+-p)?)[ \t]+)+"
    r"(?=\{|(?:for|while|until|if|case|select|function)\s|[\w-]+[ \t]*\()"
)
_CONTROLS = re.compile(r"[\0\r\f\v]")
_GLUED = re.compile(r"(?:(?<![^\s;&|])([a-z][a-z0-9]{0,20})|)[\r\f\v]{1,8}(?=(\S{1,21}))")
_BOTH_WAYS = re.compile(r"(?<![<>])<>(?![<>])(?=\s*[\w/$\"'~.{])")
_BRACED = re.compile(r"(?:(?<=[;&|(\n])|^)([ \t]*)(?=\{[^\s{},]*,[^\s{}]*\})")
_ESCAPED = re.compile(r"\\n\s{0,8}(?=([a-z]\w{0,20})\s)")


def prepared(shell: Shell, text: str) -> str:
    """The same text for the grammar. What bash would not do with it, but a person would not see, is dark."""
    if not text.isprintable():
        if not text.isascii():
            shell.odd = True
        if _CONTROLS.search(text):
            text = _plain(shell, text)
        if "\\\n" in text:
            text = _CONTINUED.sub("", text)  # the grammar would end the word there
    elif not text.isascii():
        shell.odd = True
    if "<" in text:
        if "<<" in text:
            text = _led(text)
        if "<>" in text:
            text = _BOTH_WAYS.sub(">|", text)  # the grammar has no `<>`; `>|` stands for it and is as long
    if "{" in text and "," in text:
        text = _BRACED.sub(r"\1''", text)  # the grammar takes a brace in front for a group
    if "!" in text or "time" in text:
        text = _PREFIXED.sub(r"\1 ", text)  # the grammar would take the keyword for a program
    return text


def tails(text: str) -> list[str]:
    """Parts that a person, or another system, may take for commands of their own: known programs with their words.

    They follow a written-out `\\n`, or a control character that is a blank or a line's end elsewhere.
    """
    found: list[str] = []
    if "\\n" in text:
        for match in _ESCAPED.finditer(text):
            if len(found) >= MAX_TAILS:
                return found
            if _is_program(match[1]):
                found.append(text[match.end() :])
    if not text.isprintable() and _CONTROLS.search(text):
        for match in _GLUED.finditer(text):
            if len(found) >= MAX_TAILS:
                return found
            if match[1] and _is_program(match[1]):
                found.append(f"{match[1]} {text[match.end() :]}")
            if _is_program(match[2]):
                found.append(text[match.end() :])
    return found


def _is_program(word: str) -> bool:
    return word in SPECS or word in SHELLS or word in WRAPPERS


def _plain(shell: Shell, text: str) -> str:
    """Line ends of other systems are line ends; NUL is nothing to a shell, and hides what surrounds it."""
    if "\0" in text:
        shell.dark("hidden", text.replace("\0", "\u2400"))
        text = text.replace("\0", "")
    return text.replace("\r\n", "\n")


def _led(text: str) -> str:
    """A heredoc whose first line starts with a backslash gets one before it: the grammar would see arguments there."""
    pieces: list[str] = []
    at = 0
    for match in _SLASHED.finditer(text):
        end = match.end()
        if text.find("<<", text.rfind("\n", 0, match.start()) + 1, end) >= 0:
            pieces.extend((text[at:end], "#\n"))
            at = end
    return "".join((*pieces, text[at:])) if at else text
