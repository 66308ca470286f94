"""NuGet packages: the folder that builds take them from, packages folders of old solutions, and .NET tools."""

from __future__ import annotations

import re

from bk.engine.inventory.ecosystems.origin import safe_url
from bk.engine.inventory.item import DIR, INSTALLED, NOWHERE, Item, Locator
from bk.engine.lower.installs.listing import table, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

SPEC_MAX = 1 << 20
NO_CONTAINER = "it lies where no manager keeps packages"
MARKS = frozenset((".nupkg.metadata", "*.nupkg", ".store/"))
_ID = re.compile(r"<id>\s*([^<\s]+)\s*</id>", re.IGNORECASE)
_VERSION = re.compile(r"<version>\s*([^<\s]+)\s*</version>", re.IGNORECASE)
_COMMAND = re.compile(r"""<Command\b[^>]{0,500}\bName\s*=\s*["']([^"'/\\]+)["']""")
_GLOBAL = re.compile(r"(.*/\.nuget/packages)/[^/]+/[^/]+")
_OLD = re.compile(r"(.*/packages)/[^/]+\.\d[^/]*")
_STORE = re.compile(r".*/\.dotnet/tools/\.store")


def places(home: str, env: Mapping[str, str]) -> Iterator[str]:
    """What every project of a person builds with."""
    yield env.get("NUGET_PACKAGES", "") or f"{home}/.nuget/packages"
    yield f"{home}/.dotnet/tools"


def read(place: Place, found: Found) -> None:
    """One version of one package, or the store of tools."""
    if place.path.endswith("/.store"):
        _tools(place, found)
        return
    if "/.store/" in place.path:
        return
    file = next((name for name, kind in place.names().items() if kind == "f" and name.endswith(".nuspec")), "")
    archive = next((name for name in place.names() if name.endswith(".nupkg")), "")
    name, version = spec(place.text(file, SPEC_MAX) or "") if file else _of_archive(archive, place.path)
    if not name:
        return
    container = _GLOBAL.fullmatch(place.path) or _OLD.fullmatch(place.path)
    metadata = table(place.json(".nupkg.metadata", 65_536)) if ".nupkg.metadata" in place.names() else {}
    found.add(
        Item(
            "nuget",
            name,
            version,
            manager="nuget",
            kind=INSTALLED,
            observed=place.at(file or archive),
            locator=Locator(DIR, place.path) if container else NOWHERE,
            root=container[1] if container else "",
            origin=safe_url(word(metadata.get("source"))),
            confidence="exact" if file else "name",
            note="" if container else NO_CONTAINER,
        )
    )
    found.skip(*place.names())


def spec(text: str) -> tuple[str, str]:
    """The id and the version in a nuspec."""
    head = text[:65_536]
    name, version = _ID.search(head), _VERSION.search(head)
    return (name[1], version[1]) if name and version else ("", "")


def _of_archive(archive: str, path: str) -> tuple[str, str]:
    """The id and the version in the name of an archive that lies in a folder of the same name."""
    stem = archive.removesuffix(".nupkg")
    match = re.fullmatch(r"(.+?)\.(\d+\.\d.*)", stem)
    return (match[1], match[2]) if match and stem == path.rpartition("/")[2] else ("", "")


def _tools(place: Place, found: Found) -> None:
    """Tools: a version folder in the store, and the commands beside it."""
    kept = _STORE.fullmatch(place.path) is not None
    for name, kind in place.names().items():
        for version, sort in place.names(name).items() if kind == "d" else ():
            inner = f"{name}/{version}/{name}/{version}"
            if sort != "d" or not place.is_dir(inner):
                continue
            commands = _commands(place, f"{inner}/tools")
            also = [f"{place.path.rpartition('/')[0]}/{command}" for command in commands]
            found.add(
                Item("nuget", name, version, manager="dotnet tool", kind=INSTALLED, direct=True,
                     observed=place.at(inner), root=place.path.rpartition("/")[0],
                     locator=Locator(DIR, place.at(f"{name}/{version}"), also=also) if kept else NOWHERE,
                     note="" if kept else NO_CONTAINER)
            )  # fmt: skip
    found.skip(*place.names())


def _commands(place: Place, tools: str) -> list[str]:
    """The commands of a tool that are there."""
    made: list[str] = []
    for framework in place.names(tools):
        for runtime in place.names(f"{tools}/{framework}"):
            text = place.text(f"{tools}/{framework}/{runtime}/DotnetToolSettings.xml", 65_536)
            made += _COMMAND.findall(text or "")
    from bk.engine.inventory.ecosystems.beside import plain_file

    folder = place.path.rpartition("/")[0]
    return [command for command in dict.fromkeys(made) if plain_file(place, f"{folder}/{command}")]
