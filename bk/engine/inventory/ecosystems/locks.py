"""Lock files: promises of what would be installed. They are reported and never give a path to move."""

from __future__ import annotations

import re

from bk.engine.inventory.item import LOCKED, Item
from bk.engine.lower.installs import locks, requirements
from bk.engine.lower.installs.listing import Listing, table, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

LOCK_MAX = 16 << 20
FROM_ELSEWHERE = "from {}, not from a registry"
CONSIDERED = "go.sum also lists versions that were only considered"
_MANAGERS = {
    "poetry.lock": "poetry",
    "uv.lock": "uv",
    "pdm.lock": "pdm",
    "pylock.toml": "pylock",
    "Pipfile.lock": "pipenv",
    "Cargo.lock": "cargo",
    "Gemfile.lock": "bundler",
    "gems.locked": "bundler",
    "composer.lock": "composer",
    "packages.lock.json": "nuget",
    "packages.config": "nuget",
    "project.assets.json": "nuget",
    "gradle.lockfile": "gradle",
    "buildscript-gradle.lockfile": "gradle",
    "go.mod": "go",
    "go.sum": "go",
    "modules.txt": "go",
}
MARKS = frozenset((*_MANAGERS, "*requirements.txt", "requirements-dev.txt", "requirements-test.txt", "requirements/",
                   "constraints.txt", "requirements.lock", "requirements-dev.lock"))  # fmt: skip
# a package's own lock file is no promise of this machine's
_INSIDE_PACKAGES = re.compile(
    r".*/(?:node_modules|site-packages|dist-packages|registry/src|git/checkouts|pkg/mod|gems/[^/]+-\d[^/]*|Cellar"
    r"|\.nuget/packages|\.m2|conda-meta|pkgs/[^/]+-[^/]+-[^/]+|archive-v\d+)(?:/.*)?"
)
_REQUIREMENTS = re.compile(r"(?:.*requirements[^/]*|constraints)\.(?:txt|lock)", re.IGNORECASE)
_PINNED = re.compile(r"(?:\d+!)?\d[A-Za-z0-9.+_-]*")
_GRADLE = re.compile(r"^([^#\s:=]+):([^\s:=]+):([^\s:=]+)=", re.MULTILINE)
_MODULE = re.compile(r"^# (\S+)(?: (v\S+))?(?: => (\S+)(?: (v\S+))?)?[ \t\r]*$", re.MULTILINE)


def places(_home: str, _env: Mapping[str, str]) -> Iterator[str]:
    """Lock files lie in projects, not in well-known places."""
    return iter(())


def read(place: Place, found: Found) -> None:
    """Every lock file of a directory."""
    if _INSIDE_PACKAGES.fullmatch(place.path):
        return
    names = place.names()
    listed: set[tuple[str, str, str]] = set()
    for name in sorted(names, key=lambda name: (name == "go.sum", name)):
        if names[name] == "f" and (reader := _reader(name, place.path)):
            _locked(place, found, name, reader, listed)


def _reader(name: str, folder: str) -> Callable[[str, Listing], None] | None:
    """What reads a file of this name."""
    if name == "modules.txt":
        return modules if folder.endswith("/vendor") else None
    if name in _OWN:
        return _OWN[name]
    if name in _MANAGERS:
        return locks.READERS.get(name.lower()) or requirements.READERS.get(name.lower())
    if _REQUIREMENTS.fullmatch(name) or (folder.endswith("/requirements") and name.endswith(".txt")):
        return requirements.requirements
    return None


def _locked(
    place: Place,
    found: Found,
    file: str,
    reader: Callable[[str, Listing], None],
    listed: set[tuple[str, str, str]],
) -> None:
    text = place.text(file, LOCK_MAX)
    if text is None:
        return
    listing = Listing()
    reader(text, listing)
    manager = _MANAGERS.get(file, "pip")
    for why in listing.problems:
        found.problem(place.at(file), why)
    for ecosystem, name, version, source in dict.fromkeys(listing.items):
        if source == "file" or not name or (ecosystem, name, version) in listed:
            continue
        if manager == "pip" and not _PINNED.fullmatch(version):
            continue
        if manager == "go":
            listed.add((ecosystem, name, version))
        notes = [FROM_ELSEWHERE.format(source)] if source != "registry" else []
        notes += [CONSIDERED] if file == "go.sum" else []
        found.add(
            Item(
                ecosystem,
                name,
                version,
                manager=manager,
                kind=LOCKED,
                observed=place.at(file),
                root=place.path,
                confidence="considered" if file == "go.sum" else "exact",
                note="; ".join(notes),
            )
        )


def gradle(text: str, found: Listing) -> None:
    """gradle.lockfile: a line for each library, with the configurations that use it."""
    for match in _GRADLE.finditer(text):
        found.add("maven", f"{match[1]}:{match[2]}", match[3])


def modules(text: str, found: Listing) -> None:
    """vendor/modules.txt: what is really used; a replaced module is its replacement."""
    for match in _MODULE.finditer(text):
        name, version = (match[3], match[4]) if match[3] else (match[1], match[2])
        if version and name[:1] not in "./":
            found.add("go", name, version)


def assets(text: str, found: Listing) -> None:
    """obj/project.assets.json: what a restore settled on."""
    import json

    try:
        libraries = table(json.loads(text), "libraries")
    except (ValueError, RecursionError) as error:
        found.problem(f"it is not valid JSON ({type(error).__name__})")
        return
    for key, entry in libraries.items():
        name, slash, version = key.partition("/")
        if slash and word(table(entry).get("type")) == "package":
            found.add("nuget", name, version)


_OWN: Mapping[str, Callable[[str, Listing], None]] = {
    "gradle.lockfile": gradle,
    "buildscript-gradle.lockfile": gradle,
    "project.assets.json": assets,
}
