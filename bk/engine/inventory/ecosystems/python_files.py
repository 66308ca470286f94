"""Which files are one Python package: what its RECORD names, and nothing that anybody else owns.

A RECORD is written by the package itself, so it is a claim: a line that leaves the environment, names its interpreter
or a file of a neighbour is not followed. A package is never a directory, because directories are shared.
"""

from __future__ import annotations

import csv
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

LINES_MAX = 100_000
BESIDE = frozenset(("bin", "Scripts", "share", "include", "etc", "libexec"))  # where a wheel's data and scripts go
_OF_THE_ENVIRONMENT = re.compile(
    r"(?:bin|Scripts)/(?:(?:python|pypy)w?[\d.]*t?|(?:de)?activate(?:\.\w+|_this\.py)?|Activate\.ps1|pydoc(?:\.bat)?)(?:\.exe)?"
)
_EDITABLE = re.compile(r"_[^/]*\.py|[^/]*\.pth")
_NOTES = {
    "outside": "{} lines of its RECORD leave the environment",
    "shared": "{} files are claimed by other packages too and stay",
    "kept": "{} files belong to the environment and stay",
    "elsewhere": "{} files lie where no package is looked for and stay",
}


class Files:
    """A file set, and how many claims were not followed, by reason."""

    __slots__ = ("found", "left")

    def __init__(self) -> None:
        self.found: dict[str, None] = {}
        self.left: dict[str, int] = {}

    def leave(self, why: str) -> None:
        """Count a claim that is not followed."""
        self.left[why] = self.left.get(why, 0) + 1

    @property
    def note(self) -> str:
        """What a person should know about what stays."""
        return "; ".join(_NOTES[why].format(count) for why, count in sorted(self.left.items()))


def recorded(text: str) -> list[str]:
    """The paths of a RECORD, as it spells them."""
    lines = text.splitlines()[:LINES_MAX]
    if '"' in text:
        try:
            return [row[0] for row in csv.reader(lines) if row and row[0]]
        except csv.Error:
            return []
    return [path for path in (line.partition(",")[0] for line in lines) if path]


def resolved(lines: Iterable[str], folder: str) -> list[str]:
    """The absolute paths of lines that are relative to a folder; "" for a line that is no path."""
    return ["" if "\0" in line else os.path.normpath(f"{folder}/{line}" if line[:1] != "/" else line) for line in lines]


def prefix_of(site: str) -> str:
    """The environment that a directory of packages belongs to; the directory itself where there is none."""
    parts = site.split("/")
    if parts[-1] in ("site-packages", "dist-packages"):
        above = parts[:-1]
        if above[-1:] == ["python"] and len(above) > 1 and above[-2] == "lib":  # a user's own on macOS
            return "/".join(above[:-2])
        if above and re.fullmatch(r"(?:python|pypy)[\d.]*t?", above[-1]) and above[-2:-1] in (["lib"], ["lib64"]):
            return "/".join(above[:-2])
        if above[-1:] == ["Lib"]:
            return "/".join(above[:-1])
    elif parts[-1] == "lib" and parts[-3:-2] == ["__pypackages__"]:
        return "/".join(parts[:-1])
    return site


def file_set(
    mine: Sequence[str],
    *,
    site: str,
    prefix: str,
    claims: Mapping[str, int],
    listed: Callable[[str], Collection[str]],
) -> Files:
    """The files of one package that are there, byte code made later included.

    `mine` are the resolved lines of its RECORD, `claims` how many packages of this place name each path, `listed` the
    names in a directory.
    """
    made = Files()
    swept: dict[str, set[str]] = {}
    for path in mine:
        why = _refused(path, site, prefix, claims)
        if why:
            made.leave(why)
            continue
        folder, _, name = path.rpartition("/")
        if name not in listed(folder):
            continue
        made.found[path] = None
        if name.endswith(".py"):
            swept.setdefault(folder, set()).add(name[:-3])
    for folder, modules in swept.items():
        cache = f"{folder}/__pycache__"
        if "__pycache__" not in listed(folder):
            continue
        for name in listed(cache):
            path = f"{cache}/{name}"
            if name.endswith(".pyc") and name.partition(".")[0] in modules and claims.get(path, 0) < 2:
                made.found[path] = None
    return made


def _refused(path: str, site: str, prefix: str, claims: Mapping[str, int]) -> str:
    if not path.startswith(prefix + "/"):
        return "outside"
    if claims.get(path, 0) > 1:
        return "shared"
    if path.startswith(site + "/"):
        return "elsewhere" if path[len(site) + 1] == "." else ""
    below = path[len(prefix) + 1 :]
    if _OF_THE_ENVIRONMENT.fullmatch(below):
        return "kept"
    return "" if "/" in below and below.partition("/")[0] in BESIDE else "elsewhere"


def editable(paths: Iterable[str], site: str, info: str) -> list[str]:
    """Of an editable install only what points to the project, and its metadata: the project is its owner's."""
    return [
        path
        for path in paths
        if path.startswith(info + "/")
        or (path.rpartition("/")[0] == site and _EDITABLE.fullmatch(path[len(site) + 1 :]))
    ]
