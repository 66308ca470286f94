"""Words to absolute, lexically normal paths. Nothing here looks at a disk."""

from __future__ import annotations

import re

from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_PATH = 4096
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)|%(\w+)%")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_HOMES = frozenset(("home", "userprofile"))
_PATHLIKE = re.compile(
    r"(?:~|\.{0,2}/|\.[\w*?\[]|%\w+%[\\/]|\$\{?(?:HOME|PWD)\b|[A-Za-z]:[\\/]|file://)\S*|[^\s:=]*/\S*"
)


def normal(path: str) -> str:
    """An absolute path without `.`, `..`, doubled or trailing slashes. As `normpath`, but `//x` is `/x`."""
    if "//" not in path and "/." not in path:
        return path if len(path) < 2 or path[-1] != "/" else path[:-1]
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if kept and kept[-1] != "**":
                kept.pop()
        elif part and part != ".":
            kept.append(part)
    return "/" + "/".join(kept)


def resolve(word: str, cwd: str, home: str, env: Mapping[str, str] | None = None) -> str:
    """The absolute form of a path word: `~`, `$HOME`, `%USERPROFILE%`, `file://` and `cwd` understood.

    A quoted `~` counts as the home directory too: the shell would leave it alone, but many programs do not.
    """
    first = word[:1]
    if first == "/":
        return normal(word)
    if first == "~":
        user, slash, rest = word[1:].partition("/")
        base = home if not user or user in "+-" else "/root" if user == "root" else f"/home/{user}"
        return normal(f"{base}/{rest}" if slash else base)
    if word[:2] == "**":
        return normal("/" + word)
    if first in "$%f" or "\\" in word or _DRIVE.match(word):
        return _unusual(word, cwd, home, env or {})
    return normal(f"{cwd}/{word}" if word else cwd)


def _unusual(word: str, cwd: str, home: str, env: Mapping[str, str]) -> str:
    if word.startswith("file:"):
        rest = word[5:]
        if rest.startswith("//"):
            host, _, path = rest[2:].partition("/")
            rest = "/" + path if host in ("", "localhost") or "%" in host else f"/{host}/{path}"
        return resolve(_unquoted(rest), cwd, home, env) if rest.startswith(("/", "~")) else normal(f"{cwd}/{rest}")

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[3]
        if name.lower() in _HOMES:
            return home
        if name == "PWD":
            return cwd
        return env.get(name, match[0])

    text = _VARIABLE.sub(value, word)
    if "\\" in text:
        text = text.replace("\\", "/")
    if _DRIVE.match(text):
        return normal("/" + text)
    if text.startswith("/"):
        return normal(text)
    return normal(f"{cwd}/{text}")


def _unquoted(text: str) -> str:
    """Percent-decoding, for `file://` URLs."""
    if "%" not in text:
        return text
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), text)


def pathlike(word: str) -> bool:
    """Whether a string looks like a path rather than a name, a URL or prose."""
    if len(word) > MAX_PATH or "\n" in word:
        return False
    if "://" in word[:12] and not word.startswith("file:"):
        return False
    return _PATHLIKE.fullmatch(word) is not None


def joined(base: str, word: str) -> str:
    """`word` under `base`, still `Dim` when either is."""
    text = f"{base.rstrip('/')}/{word}" if base else word
    return Dim(text) if type(word) is Dim or type(base) is Dim else text
