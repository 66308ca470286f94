"""What a launch line would fetch and start, as an inventory may keep it: packages, an image, a host, and no secret.

A line holds tokens as often as packages. Nothing of it is kept but names that are recognised as what they are.
"""

from __future__ import annotations

import re
import shlex
from urllib.parse import urlsplit

from bk.engine.intel.demand import pinned
from bk.engine.intel.names import ECOSYSTEMS, possible
from bk.engine.lower import lower
from bk.engine.model import Install, Run, ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS_MAX = 256
LINE_MAX = 16 << 10
_WINDOWS = re.compile(r"(?:[A-Za-z]:)?[^/]*\\(?P<name>[^\\/]+?)(?:\.(?:exe|cmd|bat|ps1))?", re.IGNORECASE)
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*(?:@sha256:[0-9a-f]{64})?", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_PROGRAM = re.compile(r"[A-Za-z0-9._+-]{1,64}", re.ASCII)
_ASKED = re.compile(r"latest|next|beta|alpha|rc|canary|stable|dev|nightly|[\d.^~<>=!*xX| ,-]{1,40}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,253}", re.ASCII)


class Package:
    """One package that a launch fetches; `version` is "" where the next start takes what is newest then."""

    __slots__ = ("asked", "ecosystem", "manager", "name", "version")

    def __init__(self, ecosystem: str, name: str, version: str, manager: str, asked: str) -> None:
        self.ecosystem = ecosystem
        self.name = name
        self.version = version
        self.manager = manager
        self.asked = asked

    @property
    def note(self) -> str:
        """That it floats, and on what."""
        return "" if self.version else f"floating ({self.asked or 'latest'}): every start may take another release"


class Launch:
    """A launch line's packages, the `origin` it comes from (an image, a host), and what is to be said of it."""

    __slots__ = ("notes", "origin", "packages")

    def __init__(self) -> None:
        self.packages: list[Package] = []
        self.origin = ""
        self.notes: list[str] = []


def launched(words: Sequence[str], address: str = "") -> Launch:
    """Read a launch line, through shells, `cmd /c`, `env` and whole paths, or the address of a remote server."""
    told = Launch()
    if address:
        told.origin = host_of(address)
        told.notes.append("remote")
    if not words:
        return told
    if len(words) > WORDS_MAX or sum(map(len, words)) > LINE_MAX:
        told.notes.append("its launch line is too long to be read")
        return told
    line = shlex.join([_plain(words[0]), *words[1:]])
    actions = lower(ToolCall("Bash", "shell", {"command": line}, cwd="/", home="/"))
    for action in actions:
        if type(action) is Install and action.source != "manifest":
            _install(action, told)
    if not told.packages and not told.origin:
        _program(actions, told)
    if told.packages and not told.origin:
        told.origin = next((host_of(word) for word in words[1:] if word.startswith(("https://", "http://"))), "")
    return told


def host_of(address: str) -> str:
    """The host of a URL and nothing else of it; "" when there is none."""
    try:
        host = urlsplit(address.strip()).hostname or ""
    except ValueError:
        return ""
    return host if _HOST.fullmatch(host) else ""


def _plain(word: str) -> str:
    """A program's name out of a path as Windows writes it."""
    found = _WINDOWS.fullmatch(word) if "\\" in word else None
    return found["name"].lower() if found else word


def _install(action: Install, told: Launch) -> None:
    if action.source != "registry":
        told.notes.append({"git": "runs what a Git repository holds", "url": "runs what a URL gives"}.get(
            action.source, "runs a local package"))  # fmt: skip
        if action.source == "file" or not action.name:
            return
    if action.ecosystem == "oci":
        if _IMAGE.fullmatch(action.name):
            tag = f":{action.version}" if _TAG.fullmatch(action.version) else ""
            told.origin = f"image {action.name}{tag}"
            if not tag and "@" not in action.name:
                told.notes.append("floating (latest)")
        return
    if action.ecosystem not in ECOSYSTEMS or not possible(action.ecosystem, action.name):
        return
    version = pinned(action.ecosystem, action.version, action.manager) if action.source == "registry" else ""
    if version and action.version[:1].isdigit():
        version = action.version  # as it is written
    asked = action.version if _ASKED.fullmatch(action.version) else ""
    package = Package(action.ecosystem, action.name, version, action.manager, asked)
    if not any((one.ecosystem, one.name) == (package.ecosystem, package.name) for one in told.packages):
        told.packages.append(package)


def _program(actions: Sequence[object], told: Launch) -> None:
    """What is started when nothing is fetched: the innermost program's name, never its arguments."""
    programs = [action.program for action in actions if isinstance(action, Run)]
    if programs and _PROGRAM.fullmatch(programs[-1]):
        told.notes.append(f"starts {programs[-1]}")
