"""What is left to do about an artifact: who runs it now, which files still name it, and what would bring it back.

Looked up when a person asks, because all of it changes by the minute. Nothing is opened but /proc, settings of
editors, and what the inventory already knows.
"""

from __future__ import annotations

import json
import os

from bk.engine.inventory.ecosystems.npm_caches import content
from bk.engine.inventory.item import CACHED, CONFIGURED, LOCKED
from bk.engine.lower.installs.listing import table, word
from bk.engine.responder.crossref import artifact_path
from bk.engine.responder.wish import ROW
from bk.quarantine.paths import inside
from bk.quarantine.record import TEMPORARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bk.engine.inventory.item import Item
    from bk.engine.model import Json
    from bk.engine.responder.incidents import Incident
    from bk.engine.state import State

PROCESS, LOCKFILE, SETTING, REGISTRY, CACHE = "process", "lockfile", "setting", "registry", "cache"
READ_MAX = 4 << 20
LISTING_MAX = 64 << 20
PROC_MAX = 1 << 20
KINDS = {LOCKED: LOCKFILE, CACHED: CACHE, CONFIGURED: SETTING}
STEPS = {
    PROCESS: "end it: it goes on running what it has loaded",
    LOCKFILE: "the next install brings it back: `bk remediate plan` says how to change it",
    SETTING: "it names the package and starts it again",
    REGISTRY: "it still lists it, and its program may install it again",
    CACHE: "the manager puts it back from here without asking a registry",
}


class _Places:
    """Where an artifact lies, or lay before it was held: folders, maybe thousands of files, and what a hold calls
    them while it removes an original that it has copied."""

    __slots__ = ("_aside", "_files", "_folders")

    def __init__(self, folders: Iterable[str], files: Iterable[str], hold: str) -> None:
        self._folders = tuple(folders)
        self._files = frozenset(files)
        self._aside = f"/{os.fsdecode(TEMPORARY)}{hold}-" if hold else ""

    def __contains__(self, path: str) -> bool:
        if path in self._files or (self._aside and self._aside in path):
            return True
        return any(inside(path, folder) for folder in self._folders)


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
    """Everything that is left to do about an incident; `items` are what the inventory has of its name.

    A cached copy is left to do as long as it is there: what was held with the package no longer is.
    """
    same = [item for item in items if item.version == incident.version]
    own = incident.path.partition("#")[0]
    folders: list[str] = [] if own.endswith("?") else [own]  # a file that promises it is no place of it
    files: list[str] = []
    registries = [f"{os.path.dirname(own)}/extensions.json"] if _in_an_editor(incident) else []
    for item in same:
        if item.locator.path == own or incident.path in item.locator.files:
            rows = [row for row in map(ROW.fullmatch, item.locator.also) if row]
            folders += [path for path in item.locator.also if not ROW.fullmatch(path)]
            files += item.locator.files
            registries += [row[1] for row in rows]
    if incident.hold:
        folders.append(f"{state.root}/quarantine/items/{incident.hold}/payload")  # a rename takes open files along
    found = list(_processes(_Places(folders, files, incident.hold), proc))
    for item in same:
        kind = KINDS.get(item.kind)
        where = artifact_path(item).removesuffix("?") if item.kind == CACHED else item.observed
        if kind and where != own and (item.kind != CACHED or os.path.lexists(where)):
            found.append(FollowUp(kind, where, f"{item.manager or item.ecosystem} {item.version}"))
    if incident.ecosystem == "npm":
        found += _unnamed(incident, {item.root for item in same if item.root}, f"{state.home}/.npm/_cacache")
    found += _registries(incident, registries)
    known: set[tuple[str, str]] = set()
    return [each for each in found if (each.kind, each.path) not in known and not known.add((each.kind, each.path))]  # type: ignore[func-returns-value]


def _processes(places: _Places, proc: str) -> Iterator[FollowUp]:
    """Processes whose program, arguments, folder or mapped files lie in one of the places."""
    for pid in sorted(filter(str.isdigit, _names(proc)), key=int):
        if int(pid) == os.getpid():
            continue
        how = _uses(f"{proc}/{pid}", places)
        if how:
            name = _text(f"{proc}/{pid}/comm", 64).strip()
            yield FollowUp(PROCESS, f"process {pid}", f"{name} {how}")


def _uses(folder: str, places: _Places) -> str:
    for link, how in (("exe", "is a program of it"), ("cwd", "works in it")):
        if _target(f"{folder}/{link}") in places:
            return how
    if any(word in places for word in _text(f"{folder}/cmdline", PROC_MAX).split("\0") if word[:1] == "/"):
        return "was started with it"
    mapped = (line.partition("/") for line in _text(f"{folder}/maps", PROC_MAX).splitlines())
    if any(f"/{rest}".removesuffix(" (deleted)") in places for _, slash, rest in mapped if slash):
        return "has files of it loaded"
    if any(_target(f"{folder}/fd/{number}") in places for number in _names(f"{folder}/fd")):
        return "has files of it open"
    return ""


def _target(link: str) -> str:
    try:
        return os.readlink(link).removesuffix(" (deleted)")
    except OSError:
        return ""


def _unnamed(incident: Incident, roots: Iterable[str], cache: str) -> Iterator[FollowUp]:
    """Copies that npm's cache does not know by a name, such as those of archives that lay on this machine: what a
    project's lists say of a package names its content."""
    for root in sorted(roots):
        for listing in (f"{root}/node_modules/.package-lock.json", f"{root}/package-lock.json"):
            try:
                entries = table(json.loads(_text(listing, LISTING_MAX) or "null"), "packages")
            except (ValueError, RecursionError):
                continue
            for place, entry in entries.items():
                said = table(entry)
                if place.endswith(f"node_modules/{incident.name}") and said.get("version") == incident.version:
                    where = f"{cache}/{content(word(said.get('integrity')))}"
                    if os.path.isfile(where):
                        yield FollowUp(CACHE, where, f"npm {incident.version}")


def _in_an_editor(incident: Incident) -> bool:
    return incident.ecosystem == "editor-extension" and incident.path[:1] == "/"


def _registries(incident: Incident, registries: Iterable[str]) -> Iterator[FollowUp]:
    """An editor's own list of its extensions, beside the extension, and those of its profiles: what still names it."""
    folder = os.path.basename(incident.path)
    for listing in dict.fromkeys(registries):
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
