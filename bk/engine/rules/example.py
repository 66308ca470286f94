"""Example lines: a command, or another tool's call as JSON, that shows what a rule is for."""

from __future__ import annotations

import json
import re

from bk.engine.rules.errors import PatternError, nearest
from bk.engine.rules.rule import Example

CWD = "/home/dev/project"
HOME = "/home/dev"
WHERE = re.compile(r"  +@ cwd=(\S+) *$")


def example(source: str, at: int, line: int) -> Example:
    """The example that a line says, its text starting at `at` with `bad` or `good`."""
    word, _, rest = source[at:].partition(" ")
    if word not in ("bad", "good"):
        raise PatternError(at + 1, f"expected bad or good here, not {word!r}", nearest(word, ("bad", "good")))
    start = at + len(word) + 1
    cwd = CWD
    if where := WHERE.search(rest):
        cwd, rest = where[1], rest[: where.start()]
        if not cwd.startswith("/"):
            raise PatternError(start + where.start(1) + 1, "a directory starts with /")
    text = rest.strip(" ")
    if not text:
        raise PatternError(len(source) + 1, "expected a command here")
    start += len(rest) - len(rest.lstrip(" "))
    bad = word == "bad"
    if text.startswith('{"tool_name"'):
        tool, given = _call(text, start)
        return Example(bad=bad, tool=tool, given=given, cwd=cwd, text=text, line=line)
    return Example(bad=bad, tool="Bash", given={"command": text}, cwd=cwd, text=text, line=line)


def _call(text: str, start: int) -> tuple[str, dict[str, object]]:
    try:
        value = json.loads(text)
    except ValueError as error:
        position = getattr(error, "pos", 0)
        raise PatternError(start + position + 1, f"not JSON: {getattr(error, 'msg', error)}") from error
    except RecursionError as error:
        raise PatternError(start + 1, "this JSON is too deep") from error
    tool, given = value.get("tool_name"), value.get("tool_input")
    if not isinstance(tool, str) or not isinstance(given, dict) or len(value) != 2:
        raise PatternError(start + 1, 'a call is {"tool_name": "…", "tool_input": {…}}')
    return tool, given
