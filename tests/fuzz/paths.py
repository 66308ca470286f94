"""Words to paths: always absolute, lexically normal, and a fixed point; the same place under every spelling."""

from __future__ import annotations

from bk.engine.lower.paths import joined, normal, pathlike, resolve
from bk.engine.lower.words import Dim

HOME, CWD = "/home/dev", "/home/dev/project"
SEEDS = [
    b"~/.ssh/id_rsa",
    b"$HOME/.aws/../.aws//credentials",
    b"%USERPROFILE%\\.ssh\\id_rsa",
    b"file:///home/dev/.ssh/id_rsa",
    b"C:\\Users\\dev\\.ssh",
    b"..//.././x",
    b"~root/.ssh",
    b"${HOME}/x",
    b"/proc/self/../self/environ",
    b"**/x",
    b"\\\\server\\share",
]


def one(data: bytes) -> None:
    """Every form of the word gives a path that nothing can shorten further."""
    word = data.decode(errors="replace")[:4096]
    for text in (word, Dim(word)):
        path = resolve(text, CWD, HOME, {"HOME": HOME})
        assert path.startswith("/"), path
        assert normal(path) == path, path
        parts = path.split("/")[1:]
        assert ".." not in parts or "**" in parts, path
        assert path == "/" or all(parts), path
    pathlike(word)
    assert normal("/" + word) == normal(normal("/" + word))
    assert resolve("/" + word.lstrip("/"), "/elsewhere", HOME) == resolve("//" + word.lstrip("/"), CWD, HOME)
    joined("/a", word)
