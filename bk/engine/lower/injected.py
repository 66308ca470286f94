"""Shell text in parameters that are not meant to be commands: what it would run, should the server pass it on."""

from __future__ import annotations

import re

from bk.engine.lower.keys import COMMAND_KEYS, CONTENT_KEYS, PROSE_KEYS, folded
from bk.engine.lower.programs import INTERPRETERS, SHELLS, SPECS
from bk.engine.lower.shell import Shell
from bk.engine.lower.wrappers import WRAPPERS
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.lower.scope import Scope
    from bk.engine.model import Json

VIA = "parameter"
MAX_TEXTS = 500
MAX_TEXT = 4096
MAX_FOUND = 16
_OTHER_LANGUAGES = names("sql statement code script source expression formula jql regex pattern template html css")
_START = r"(?:;|&&|\|\|?|\n|&)[ \t]*(\S+)|\$\([ \t]*([^\s)]+)|`[ \t]*([^\s`]+)|[<>]\([ \t]*([^\s)]+)"
_MARKS = ";&|\n$`<>"
_MORE = names(
    "rm curl wget nc ncat netcat cat chmod chown mkfs dd sudo kill pkill ssh scp wall id whoami uname env printenv ping"
    " nslookup dig touch tee cp mv ln bash sh zsh python python3 perl ruby node powershell cmd shutdown reboot crontab"
)


def injected(data: Mapping[str, Json], scope: Scope) -> None:
    """Lower what parameters would run if they reached a shell unquoted."""
    found = 0
    for text in _texts(data):
        for command in commands(text):
            found += 1
            if found > MAX_FOUND:
                return
            Shell(scope).text(command, (VIA,))


def commands(text: str) -> Iterator[str]:
    """The shell text after each place where a value would break out and start a program that is known."""
    if len(text) > MAX_TEXT:
        return
    for match in re.finditer(_START, text):
        word = match[1] or match[2] or match[3] or match[4]
        name = word.rsplit("/", 1)[-1].strip("\"'").lower()
        if name in _MORE or name in SPECS or name in SHELLS or name in INTERPRETERS or name in WRAPPERS:
            if match[1]:
                rest = text[match.start(1) :]
                if not _commandlike(name, rest):
                    continue
                yield re.sub(r"[\"')\s#]+$", "", rest) if rest.count('"') % 2 or rest.count("'") % 2 else rest
                return
            opener = match[0][0]
            end = text.find("`" if opener == "`" else ")", match.end())
            yield text[
                match.start(2) if match[2] else match.start(3) if match[3] else match.start(4) : end
                if end > 0
                else None
            ]


def _commandlike(name: str, rest: str) -> bool:
    """Whether what follows reads as a command and not as a list of words that begins with a program's name."""
    words = rest.split()[1:6]
    return name in _MORE or any(word[:1] in "-/~.$|>" or "/" in word for word in words)


def _texts(data: Mapping[str, Json]) -> Iterator[str]:
    waiting: list[tuple[str, Json]] = [(folded(str(key)), value) for key, value in data.items()]
    for _ in range(MAX_TEXTS):
        if not waiting:
            return
        name, value = waiting.pop(0)
        if isinstance(value, str):
            if name not in COMMAND_KEYS | CONTENT_KEYS | PROSE_KEYS | _OTHER_LANGUAGES and any(
                mark in value for mark in _MARKS
            ):
                yield value
        elif isinstance(value, dict):
            waiting += [(folded(str(key)), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(name, inner) for inner in value]
