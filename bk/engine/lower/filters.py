"""awk and sed: their scripts can start commands and use files."""

from __future__ import annotations

import re

from bk.engine.lower import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

MAX_SCRIPT = 4096
_PRINTS = frozenset(("print", "printf"))


def awk(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """`system("…")`, `print | "…"`, `"…" | getline`, `print > "…"`."""
    from bk.engine.lower.code import scan
    from bk.engine.lower.tokens import tokens

    takes = frozenset(("-F", "-v", "-f", "--field-separator", "--assign", "--file", "-e", "--source", "-i", "-l", "-E"))
    given, operands = inside.all_options(args, takes)
    texts = [
        *given.values("-e", "--source"),
        *(operands[:1] if not given.has("-f", "--file", "-e", "--source") else []),
    ]
    for text in texts:
        items = tokens(text, "awk")
        for at, item in enumerate(items):
            if item.kind != "text":
                continue
            before = items[at - 1].value if at else ""
            after = items[at + 1].value if at + 1 < len(items) else ""
            if before in ("|", "|&") or (
                after in ("|", "|&") and at + 2 < len(items) and items[at + 2].value == "getline"
            ):
                inside.text(shell, item.value, ("awk |",))
            elif before in (">", ">>") and any(one.value in _PRINTS for one in items[max(0, at - 12) : at]):
                shell.scope.touch(item.value, "write")
        if "system" in text:
            scope = shell.scope
            before_via = scope.via
            scope.via += ("awk",)
            scan(shell, text, "awk")
            scope.via = before_via
    if "inplace" in given.values("-i"):
        for word in operands[1:]:
            shell.scope.touch(word, "write")


_SED_RUN = r"(?:^|[;{}\n]|(?<=\d)|(?<=\$)|(?<=/))\s*e\s+([^\n;}]+)"
_SED_FILE = r"(?:^|[;{}\n]|(?<=\d)|(?<=\$)|(?<=/[gpIimM]))\s*([wWrR])\s+([^\n;}]+)"
_SED_EXEC = r"(?s)s([^\w\s\\])((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1[gpIimM\d]*e"
_SED_WRITE = r"(?s)s([^\w\s\\])(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1[gpIimM\d]*w\s*([^\n;}]+)"


def sed(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """GNU sed's `e` command and flag run commands; `w` writes and `r` reads files."""
    takes = frozenset(("-e", "--expression", "-f", "--file", "-l", "--line-length"))
    given, operands = inside.all_options([word for word in args if not word.startswith(("-i", "--in-place"))], takes)
    texts = given.values("-e", "--expression") or ([] if given.has("-f", "--file") else operands[:1])
    if given.has("--sandbox"):
        return
    for text in texts:
        text = text[:MAX_SCRIPT]  # noqa: PLW2901 - finding where an `s` command ends takes quadratic time
        rest = text
        for match in re.finditer(_SED_EXEC, text):
            inside.text(shell, re.sub(r"\\(.)", r"\1", match[3]), ("sed e",))
        for match in re.finditer(_SED_WRITE, text):
            shell.scope.touch(match[2].strip(), "write")
        rest = re.sub(r"[sy]([^\w\s\\])(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1\w*", ";", rest, flags=re.DOTALL)
        for match in re.finditer(_SED_RUN, rest):
            inside.text(shell, match[1], ("sed e",))
        for match in re.finditer(_SED_FILE, rest):
            shell.scope.touch(match[2].strip(), "write" if match[1] in "wW" else "read")
