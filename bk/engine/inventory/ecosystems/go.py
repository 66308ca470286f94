"""Go modules: unpacked ones with the downloads they came from."""

from __future__ import annotations

import re

from bk.engine.inventory.ecosystems.go_binary import built_from
from bk.engine.inventory.item import CACHED, DIR, FILE_SET, INSTALLED, NOWHERE, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

DEPTH_MAX = 16
ENDINGS = (".info", ".mod", ".zip", ".ziphash")
PROGRAMS_MAX = 500
NO_CONTAINER = "this cache of modules lies in no pkg/mod"
_ESCAPED = re.compile(r"!([a-z])")
_UNPACKED = re.compile(r"(.+)@(v[^@/]+)")


def MARKS(path: str, names: Mapping[str, str]) -> bool:  # noqa: N802 - what every module calls it
    """A cache of modules, or a folder of programs that go built."""
    return (names.get("cache") == "d" and path.endswith("/mod")) or path.endswith("/go/bin")


def places(home: str, env: Mapping[str, str]) -> Iterator[str]:
    """The cache of modules, and the programs."""
    for gopath in (env.get("GOPATH", "") or f"{home}/go").split(":"):
        if gopath.startswith("/"):
            yield f"{gopath}/pkg/mod"
            yield f"{gopath}/bin"
    for name in ("GOMODCACHE", "GOBIN"):
        if env.get(name, "").startswith("/"):
            yield env[name]


def read(place: Place, found: Found) -> None:
    """One cache of modules, whole; or one folder of programs."""
    if place.path.endswith("/bin"):
        _programs(place, found)
        return
    if not place.is_dir("cache/download"):
        return
    seen: set[str] = set()
    _unpacked(place, found, "", seen, 0)
    _downloads(place, found, "cache/download", seen, 0)
    found.skip(*place.names())


def plain(path: str) -> str:
    """A module's path: in the cache, a capital is written as `!` and its small letter."""
    return _ESCAPED.sub(lambda match: match[1].upper(), path)


def _unpacked(place: Place, found: Found, sub: str, seen: set[str], depth: int) -> None:
    """Every tree below a folder of the cache; a tree is not gone into, no module lies in another's tree."""
    if depth > DEPTH_MAX:
        found.problem(place.at(sub), "it is too deep")
        return
    for name, kind in place.names(sub).items():
        below = f"{sub}/{name}" if sub else name
        if kind != "d" or below == "cache":
            continue
        module = _UNPACKED.fullmatch(below)
        if module is None:
            _unpacked(place, found, below, seen, depth + 1)
            continue
        seen.add(below)
        also = _fetched(place, module[1], module[2])
        _add(place, found, (module[1], module[2]), below, Locator(DIR, place.at(below), also=also))


def _fetched(place: Place, module: str, version: str) -> list[str]:
    """The download of a module: as long as it is there, go unpacks it again."""
    folder = f"cache/download/{module}/@v"
    names = place.names(folder)
    return [place.at(f"{folder}/{version}{end}") for end in ENDINGS if names.get(version + end) == "f"]


def _downloads(place: Place, found: Found, sub: str, seen: set[str], depth: int) -> None:
    """Modules of which only the download is there."""
    if depth > DEPTH_MAX:
        found.problem(place.at(sub), "it is too deep")
        return
    for name, kind in place.names(sub).items():
        if kind != "d" or below_sum(sub, name):
            continue
        if name != "@v":
            _downloads(place, found, f"{sub}/{name}", seen, depth + 1)
            continue
        module = sub.removeprefix("cache/download/")
        for entry, sort in place.names(f"{sub}/@v").items():
            version = entry.removesuffix(".zip")
            if sort != "f" or version == entry or f"{module}@{version}" in seen:
                continue
            locator = Locator(FILE_SET, files=_fetched(place, module, version))
            _add(place, found, (module, version), f"{sub}/@v/{entry}", locator)


def below_sum(sub: str, name: str) -> bool:
    """Whether this is the copy of the checksum database and no module."""
    return sub == "cache/download" and name == "sumdb"


def _add(place: Place, found: Found, module: tuple[str, str], observed: str, locator: Locator) -> None:
    kept = place.path.endswith("/pkg/mod")
    found.add(
        Item(
            "go",
            plain(module[0]),
            plain(module[1]),
            manager="go",
            kind=CACHED,
            observed=place.at(observed),
            locator=locator if kept else NOWHERE,
            root=place.path,
            note="" if kept else NO_CONTAINER,
        )
    )


def _programs(place: Place, found: Found) -> None:
    """The module that each program was built from, as go wrote it into the program itself."""
    files = [name for name, kind in place.names().items() if kind == "f"]
    for name in files[:PROGRAMS_MAX]:
        place.stamp(name)
        built = built_from(place.at(name))
        if built is not None and built[1].startswith("v"):
            found.add(
                Item("go", built[0], built[1], manager="go install", kind=INSTALLED, observed=place.at(name),
                     locator=Locator(FILE_SET, files=(place.at(name),)), root=place.path, direct=True)
            )  # fmt: skip
    if len(files) > PROGRAMS_MAX:
        found.problem(place.path, f"more than {PROGRAMS_MAX} programs")
