"""Program names that are not what they look like: look-alike letters, invisible characters, globs, aliases."""

from __future__ import annotations

import re

from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_MATCHES = 8
MAX_GLOB = 64

# Characters that have no width, turn the text around, or stand for a dash or a blank.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\uffa0]"
)
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_FOLDERS = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/", "/opt/homebrew/bin/")

# Programs that a glob in program position is likely to mean.
_WELL_KNOWN = sorted(
    names(
        "rm dd sh bash mkfs shred curl wget nc ncat cat cp mv ln chmod chown tee zsh dash python python3 perl ruby node"
        " base64 xxd ssh scp sudo su kill pkill killall reboot shutdown halt find xargs eval env awk sed openssl php"
        " crontab systemctl docker git rmdir unlink truncate head tail less more nano vi vim nl od tac sort grep tar"
    )
)


def hidden(words: Sequence[str]) -> bool:
    """Whether the program's name, or one of its options, holds characters that people do not see for what they are."""
    program = words[0]
    if not program.isascii() and (_INVISIBLE.search(program) or _alike(program)):
        return True
    for word in words[1:]:
        if not word.isascii() and (word[0] in _DASHES or (word[0] == "-" and _INVISIBLE.search(word))):
            return len(word) < MAX_GLOB and word.strip(_DASHES) != "" and " " not in word
    return False


def _alike(program: str) -> bool:
    """Letters of another script among ASCII ones, or full-width ones, in a name."""
    return any(
        "\u0370" <= char <= "\u052f" or "\uff00" <= char <= "\uff5e" or "\u2000" <= char <= "\u2bff" for char in program
    ) or any("\u1d00" <= char <= "\u1dbf" or char > "\uffff" for char in program)


def meant(program: str) -> list[str]:
    """The programs that a glob in program position may stand for."""
    if type(program) is not Dim or "**" in program or "/" not in program or len(program) > MAX_GLOB:
        return []
    folder, _, base = program.rpartition("/")
    if not base:
        return []
    places = [place for place in _FOLDERS if _glob(folder + "/").fullmatch(place)]
    if not places:
        return []
    pattern = _glob(base)
    return [places[0] + name for name in _WELL_KNOWN if pattern.fullmatch(name)][:MAX_MATCHES]


def _glob(text: str) -> re.Pattern[str]:
    """A path glob as an expression; a run of stars is one star, and each piece is short."""
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            out.append("[^/]*" if not out or out[-1] != "[^/]*" else "")
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (end := text.find("]", at + 1)) > 0:
            inside = text[at:end].replace("\\", "").replace("[", "\\[")
            out.append(f"[{'^' + inside[1:] if inside[:1] in '!^' else inside}]")
            at = end + 1
        else:
            out.append(re.escape(char))
    try:
        return re.compile("".join(out))
    except re.error:
        return re.compile("(?!)")


def quoted(word: str) -> str:
    """A word as shell text that expands to it again; unknown parts stay open."""
    if type(word) is Dim:
        return word.replace("**", '"$_"')
    return "'" + word.replace("'", "'\\''") + "'"
