"""What is left to do about an artifact: who runs it now, which files still name it, and what would bring it back.

Looked up when a person asks, because all of it changes by the minute. Nothing is opened but /proc, settings of
editors, and what the inventory already knows.
"""

from __future__ import annotations

import os

from bk.engine.inventory.item import CACHED, CONFIGURED, LOCKED
from bk.quarantine.paths import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bk.engine.inventory.item import Item
    from bk.engine.model import Json
    from bk.engine.responder.incidents import Incident
    from bk.engine.state import State

PROCESS, LOCKFILE, SETTING, REGISTRY, CACHE = "process", "lockfile", "setting", "registry", "cache"
READ_MAX = 4 << 20
PROC_MAX = 1 << 20
KINDS = {LOCKED: LOCKFILE, CACHED: CACHE, CONFIGURED: SETTING}
STEPS = {
    PROCESS: "end it: it goes on running what it has loaded",
    LOCKFILE: "the next install brings it back: `bk remediate plan` says how to change it",
    SETTING: "it names the package and starts it again",
    REGISTRY: "the editor still lists it and may install it again",
    CACHE: "the manager puts it back from here without asking a registry",
}


class FollowUp:
    """One thing that is left to do."""

    __slots__ = ("detail", "kind", "path")

    def __init__(self, kind: str, path: str, detail: str) -> None:
        self.kind = kind
        self.path = path
        self.detail = detail

    @property
    def step(self) -> str:
        """Why it matters."""
        return STEPS[self.kind]

    def told(self) -> dict[str, Json]:
        """For a program."""
        path = self.path.encode(errors="replace").decode()
        return {"kind": self.kind, "path": path, "detail": self.detail, "step": self.step}


def of(state: State, incident: Incident, items: Iterable[Item], *, proc: str = "/proc") -> list[FollowUp]:
    """Everything that is left to do about an incident; `items` are what the inventory has of its name."""
    same = [item for item in items if item.version == incident.version]
    places = [incident.path.partition("#")[0]]
    for item in same:
        if item.locator.path == places[0] or incident.path in item.locator.files:
            places += [path for path in item.locator.also if "#" not in path]
    if incident.hold:
        places.append(f"{state.root}/quarantine/items/{incident.hold}/payload")  # a rename takes open files along
    found = list(_processes([place for place in places if place and not place.endswith("?")], proc))
    for item in same:
        kind = KINDS.get(item.kind)
        where = item.locator.path if item.kind == CACHED and item.locator.path else item.observed
        if kind and where not in places:
            found.append(FollowUp(kind, where, f"{item.manager or item.ecosystem} {item.version}"))
    found += _registries(incident)
    known: set[tuple[str, str]] = set()
    return [each for each in found if (each.kind, each.path) not in known and not known.add((each.kind, each.path))]  # type: ignore[func-returns-value]


def _processes(places: Sequence[str], proc: str) -> Iterator[FollowUp]:
    """Processes whose program, arguments, folder or mapped files lie in one of the places."""
    for pid in sorted(filter(str.isdigit, _names(proc)), key=int):
        if int(pid) == os.getpid():
            continue
        how = _uses(f"{proc}/{pid}", places)
        if how:
            name = _text(f"{proc}/{pid}/comm", 64).strip()
            yield FollowUp(PROCESS, f"process {pid}", f"{name} {how}")


def _uses(folder: str, places: Sequence[str]) -> str:
    for link, how in (("exe", "is a program of it"), ("cwd", "works in it")):
        try:
            there = os.readlink(f"{folder}/{link}").removesuffix(" (deleted)")
        except OSError:
            continue
        if _within(there, places):
            return how
    if any(_within(word, places) for word in _text(f"{folder}/cmdline", PROC_MAX).split("\0") if word[:1] == "/"):
        return "was started with it"
    mapped = (line.partition("/") for line in _text(f"{folder}/maps", PROC_MAX).splitlines())
    if any(_within(f"/{rest}".removesuffix(" (deleted)"), places) for _, slash, rest in mapped if slash):
        return "has files of it loaded"
    return ""


def _within(path: str, places: Sequence[str]) -> bool:
    return any(inside(path, place) for place in places)


def _registries(incident: Incident) -> Iterator[FollowUp]:
    """An editor's own list of its extensions, beside the extension."""
    if incident.ecosystem == "editor-extension":
        listing = f"{os.path.dirname(incident.path)}/extensions.json"
        folder = os.path.basename(incident.path)
        if folder and folder in _text(listing, READ_MAX):
            yield FollowUp(REGISTRY, listing, f"it names {folder}")


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _text(path: str, most: int) -> str:
    """The beginning of a file; "" for what is gone, is not ours to read, or is no file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            return os.fsdecode(file.read(most))
    except OSError:
        return ""
