"""A command line split by a table of the options that take a value."""

from __future__ import annotations

from bk.engine.model import Install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LOCAL = ("./", "../", "/", "~/", "file:", "link:", "portal:", "workspace:", "catalog:", ".\\", "..\\")
_ARCHIVES = (".tgz", ".tar.gz", ".tar", ".whl", ".zip", ".tar.bz2", ".tar.xz", ".gem", ".vsix", ".crate", ".nupkg")
_GIT = (
    "git+",
    "git://",
    "git@",
    "ssh://",
    "github:",
    "gitlab:",
    "bitbucket:",
    "gist:",
    "sourcehut:",
    "hg+",
    "svn+",
    "bzr+",
)


class Line:
    """`words` are the operands in order, `options` the (flag, value) pairs; `rest` is what follows a bare `--`."""

    __slots__ = ("options", "rest", "words")

    def __init__(self, words: list[str], options: list[tuple[str, str]], rest: list[str]) -> None:
        self.words = words
        self.options = options
        self.rest = rest

    def values(self, *flags: str) -> list[str]:
        """The values given for these flags."""
        return [value for flag, value in self.options if flag in flags]

    def value(self, *flags: str) -> str:
        """The last value given for these flags, or ""."""
        given = self.values(*flags)
        return given[-1] if given else ""

    def has(self, *flags: str) -> bool:
        """Whether one of these flags was given."""
        return any(flag in flags for flag, _ in self.options)


def split(words: Sequence[str], takes: Iterable[str], *, until: int = -1) -> Line:
    """Split by the table. With `until`, everything after that many operands is `rest`, options included."""
    takes = takes if isinstance(takes, frozenset) else frozenset(takes)
    operands: list[str] = []
    options: list[tuple[str, str]] = []
    at, end = 0, len(words)
    while at < end and len(operands) != until:
        word = words[at]
        at += 1
        if word == "--":
            break
        if word[:1] != "-" or len(word) < 2:
            operands.append(word)
            continue
        flag, equals, value = word.partition("=")
        if equals:
            options.append((flag, _like(word, value)))
        elif flag in takes:
            if at < end:
                options.append((flag, words[at]))
                at += 1
        elif flag[1] != "-" and flag[:2] in takes and len(flag) > 2:
            options.append((flag[:2], _like(word, flag[2:])))
        else:
            options.append((flag, ""))
    return Line(operands, options, list(words[at:]))


def options(text: str) -> frozenset[str]:
    """A table from words."""
    return frozenset(text.split())


def _like(word: str, part: str) -> str:
    """A piece of a word is as uncertain as the word."""
    return part if type(word) is str else type(word)(part)


def install(
    ecosystem: str,
    manager: str,
    word: str,
    name: str,
    version: str = "",
    *,
    source: str = "registry",
    runs: bool = False,
) -> Install:
    """One Install. It is certain when its word was: an unknown word is no plain string."""
    certain = type(word) is str and "$" not in name and "`" not in name
    return Install(ecosystem, name, version, manager=manager, source=source, runs=runs, certain=certain)


def elsewhere(spec: str) -> str:
    """`git`, `url` or `file` when a spec names a place instead of a registry's package, else ""."""
    lowered = spec.lower()
    if lowered.startswith(_GIT):
        return "git"
    if lowered.startswith(("http://", "https://", "ftp://")):
        path = lowered.partition("#")[0].partition("?")[0]
        return "git" if path.endswith(".git") else "url"
    if lowered in (".", "..", "~") or lowered.startswith(_LOCAL) or lowered[1:3] in (":\\", ":/"):
        return "file"
    if lowered.endswith(_ARCHIVES) and "@" not in lowered[1:]:
        return "file"
    return ""
