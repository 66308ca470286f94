"""What a reading depends on besides the files that are read: the code of the readers, and of all that they call.

A directory that is proven unchanged is not read again, so a reader that was corrected must make every proof void.
"""

from __future__ import annotations

import os
import re
from functools import cache
from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = os.path.dirname(__file__)
TOP = OWN.removesuffix("/bk/engine/inventory")
_IMPORT = re.compile(r"^ *(?:from +(bk[\w.]*) +import +(\([^)]*\)|[^\n(]+)|import +(bk[\w.]*))", re.MULTILINE)
_WORD = re.compile(r"\w+")


@cache
def readers() -> bytes:
    """The digest of the inventory's own code and of every module of ours that it reaches, in whatever process."""
    mix = blake2b(digest_size=16)
    for path, text in sorted(_reached().items()):
        mix.update(f"{path[len(TOP) :]}\0{len(text)}\0".encode())
        mix.update(text)
    return mix.digest()


def _reached() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    waiting = [f"{folder}/{name}" for folder, _, files in os.walk(OWN) for name in files if name.endswith(".py")]
    while waiting:
        path = waiting.pop()
        if path not in found:
            with open(path, "rb") as file:
                found[path] = file.read()
            waiting.extend(_imported(found[path].decode()))
    return found


def _imported(text: str) -> Iterator[str]:
    """The files of the modules that a module names."""
    for package, names, module in _IMPORT.findall(text):
        whole = package or module
        asked = [whole, *(f"{whole}.{name}" for name in _WORD.findall(names))]
        for one in asked:
            place = os.path.join(TOP, *one.split("."))
            for path in (f"{place}.py", f"{place}/__init__.py"):
                if os.path.isfile(path):
                    yield path
