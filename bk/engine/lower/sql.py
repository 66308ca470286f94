"""Database clients: the file of statements they are given, and the ways out of them into a shell or a file."""

from __future__ import annotations

import re

from bk.engine.lower import inside
from bk.engine.lower.paths import resolve
from bk.engine.model import Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

MAX_TEXT = 16_384
_TEXTS = frozenset(("-c", "--command", "-e", "--execute", "-q", "--query", "-Q", "-cmd", "--cmd"))
_FILES = frozenset(("-f", "--file", "-i", "--init-file", "-init", "--queries-file"))
_TAKES = (
    _TEXTS
    | _FILES
    | names(
        "-h --host -p --port -U --username -u --user -d --dbname -D --database -P -S --socket -v --set --variable"
        " -o --output"
        " -L --log-file -F -R -T --password --url -separator -nullvalue -newline --format -k --ssl-mode --defaults-file"
    )
)
_SHELL = r"(?m)(?:^|[;\s])\\!\s*([^\n;]+)"
_SYSTEM = r"(?mi)^[ \t]*system\s+([^\n;]+)"
_DOT = r"(?m)^[ \t]*\.(?:shell|system)\s+(.+)$"
_PIPE = r"(?m)\\(?:o|g|w)\s*\|\s*(.+)$|^[ \t]*\.(?:output|once)\s+\|\s*(.+)$|^[ \t]*(?:pager|\\P)\s+(.+)$"
_OUT = (
    r"(?m)^[ \t]*\.(?:output|once|save|backup(?:\s+\w+(?=\s))?|log|excel)\s+([^|\s]\S*)"
    r"|\\(?:o|w|s)\s+([^|\s]\S*)|^[ \t]*(?:tee|\\T)\s+(\S+)"
)
_IN = r"(?m)^[ \t]*\.(?:read|import|load|restore)\s+(\S+)|\\(?:i|ir|include)\s+(\S+)|^[ \t]*(?:source|\\\.)\s+(\S+)"
_SQLITE = (
    r"(?i)\b(readfile|writefile|load_extension)\(\s*'([^']+)'|\b(?:vacuum\s+into|attach(?:\s+database)?)\s+'([^']+)'"
)
_COPY = r"(?i)\\copy\b[^\n]*?\b(from|to)\s+(?:(program)\s+)?'([^']+)'"


def client(shell: Shell, args: Sequence[str], stdin: Stream | None) -> None:
    """The statements given by option, file, operand and pipe."""
    scope = shell.scope
    run = next((one for one in reversed(scope.actions) if type(one) is Run), None)
    lite = run is not None and run.program in ("sqlite3", "sqlite", "duckdb", "litecli")
    given, operands = inside.all_options(args, _TAKES)
    texts = [value for name, value in given.options if name in _TEXTS and value]
    if lite:
        for word in operands[:1]:
            scope.touch(word, "read")
        texts.extend(operands[1:])
    for name, value in given.options:
        if name in _FILES and value not in ("", "-"):
            scope.touch(value, "read")
            text = scope.look.text(resolve(value, scope.cwd, scope.home, scope.env))
            if text is not None:
                texts.append(text)
                if run is not None and run.stdin is None:
                    run.stdin = text
    if stdin is not None and stdin.text is not None:
        texts.append(stdin.text)
    for text in texts:
        _escapes(shell, text[:MAX_TEXT], lite=lite)


def _escapes(shell: Shell, text: str, *, lite: bool) -> None:
    scope = shell.scope
    for pattern in (_DOT, _PIPE) if lite else (_SHELL, _SYSTEM, _PIPE):
        for match in re.finditer(pattern, text):
            command = next((group for group in match.groups() if group), "")
            if command:
                inside.text(shell, command.strip().strip("\"'") if lite else command.strip(), ("sql shell",))
    for match in re.finditer(_OUT, text):
        path = next((group for group in match.groups() if group), "")
        if path and path != "stdout":
            scope.touch(path.strip("'\""), "write")
    for match in re.finditer(_IN, text):
        path = next((group for group in match.groups() if group), "")
        if path:
            scope.touch(path.strip("'\""), "read")
    for match in re.finditer(_COPY, text):
        if match[2]:
            inside.text(shell, match[3], ("psql copy",))
        else:
            scope.touch(match[3], "read" if match[1].lower() == "from" else "write")
    if lite:
        for match in re.finditer(_SQLITE, text):
            path = match[2] or match[3]
            scope.touch(
                path, "write" if (match[1] or "").lower() == "writefile" or "into" in match[0].lower() else "read"
            )
