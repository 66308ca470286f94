"""What xargs and parallel run: their template, filled with the words that come through the pipe."""

from __future__ import annotations

from bk.engine.lower.words import Dim
from bk.engine.lower.wrappers import glued, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.wrappers import Inner

MAX_WORDS = 256
MAX_RUNS = 16
_PLACES = ("{}", "{.}", "{/}", "{//}", "{/.}", "{1}", "{2}", "{3}", "{+}", "{=")
_SOURCES = (":::", ":::+", "::::", "::::+")


def feed(inner: Inner, stdin: Stream | None) -> list[list[str]]:
    """The commands that run, at least one; words nobody knows stand as `**`."""
    if inner.feed == "parallel":
        return _parallel(inner, stdin)
    given = _names(stdin, lines=inner.lines) if not inner.touches else [Dim("**")]
    words = list(inner.words)
    if inner.replace is None:
        if words[-1:] == ["-c"] and len(given) > 1:
            return [[*words, *given], [*words, glued(given)]]  # as it is, and as it was surely meant
        if "-c" in words and len(given) > 1:
            return [[*words, *given], *([*words, name] for name in given[1:MAX_RUNS])]
        return [[*words, *given]]
    mark = inner.replace
    if not any(mark in word for word in words):
        return [words]
    return [_filled(words, (mark,), name) for name in given[:MAX_RUNS]]


def _names(stdin: Stream | None, *, lines: bool) -> list[str]:
    if stdin is not None and stdin.text is not None:
        text = stdin.text.replace("\0", "\n")
        found = [line for line in text.split("\n") if line] if lines else _unquoted(text)
        return found[:MAX_WORDS] or [Dim("**")]
    names = list(stdin.names) if stdin is not None else []
    return names or [Dim("**")]


def _unquoted(text: str) -> list[str]:
    """xargs takes quotes and backslashes away itself."""
    return [word.strip("'\"").replace("\\", "") for word in text.split()]


def _filled(words: Sequence[str], marks: Sequence[str], name: str) -> list[str]:
    made: list[str] = []
    for word in words:
        text = word
        for mark in marks:
            text = text.replace(mark, name)
        made.append(Dim(text) if type(word) is Dim or (type(name) is Dim and text != word) else text)
    return made


def _parallel(inner: Inner, stdin: Stream | None) -> list[list[str]]:
    """GNU's `parallel TEMPLATE ::: a b`, `:::: FILE`, or lines from the pipe; the template is shell text."""
    words = list(inner.words)
    at = next((index for index, word in enumerate(words) if word in _SOURCES), None)
    dashes = words.index("--") if "--" in words else None
    if at is None and dashes is not None:
        template, given = words[:dashes], words[dashes + 1 :]
    elif at is None:
        template, given = words, _names(stdin, lines=True) if not inner.touches else [Dim("**")]
    else:
        template, given = words[:at], []
        files = False
        for word in words[at:]:
            if word in _SOURCES:
                files = word.startswith("::::")
            else:
                given.append(Dim("**") if files else word)
    template = [word for word in template if word]
    if len(template) > 1:  # it would take the words apart again; what somebody meant counts as well
        template = [quoted(word) if any(blank in word for blank in " \t\n") else word for word in template]
    given = given or [Dim("**")]
    if not template:
        return [["sh", "-c", word] for word in given[:MAX_RUNS]]
    marks = (inner.replace,) if inner.replace else tuple(m for m in _PLACES if any(m in word for word in template))
    if not marks:
        return [["sh", "-c", glued((*template, word))] for word in given[:MAX_RUNS]]
    return [["sh", "-c", glued(_filled(template, marks, word))] for word in given[:MAX_RUNS]]
