"""Yarn's Plug'n'Play: packages that stay zipped, and the ones that had to be unpacked."""

from __future__ import annotations

import re

from bk.engine.inventory.ecosystems.npm_facts import facts, lifecycle
from bk.engine.inventory.item import CACHED, DIR, FILE_SET, INSTALLED, Item, Locator
from bk.engine.inventory.place import DIRECTORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.inventory.place import Found, Place

# <name>-npm-<version>-<hash>[-<checksum>].zip, a scope's slash written as a dash
_ZIP = re.compile(r"(@[^/]+?-)?([^@/]+?)-npm-(\d[^/]*?)-[0-9a-f]{10}(?:-[0-9a-f]+)?\.zip")


def project(place: Place, found: Found) -> None:
    """A project's own zips, and its unplugged folders."""
    found.skip(".yarn")
    names = place.names(".yarn/cache")
    unplugged = _unplugged(place, found)
    _zips(place, found, ".yarn/cache", names, kind=INSTALLED, root=place.path, unplugged=unplugged)


def berry(place: Place, found: Found) -> None:
    """The cache that all projects of a user share."""
    if place.path.endswith((".yarn/berry/cache", "/Yarn/Berry/cache")):
        _zips(place, found, "", place.names(), kind=CACHED, root=place.path, unplugged={})


def _zips(
    place: Place,
    found: Found,
    sub: str,
    names: Mapping[str, str],
    *,
    kind: str,
    root: str,
    unplugged: Mapping[tuple[str, str], list[str]],
) -> None:
    for name, sort in names.items():
        parts = _ZIP.fullmatch(name) if sort == "f" and name.endswith(".zip") else None
        if parts is None:
            continue
        package = f"{parts[1][:-1]}/{parts[2]}" if parts[1] else parts[2]
        path = place.at(f"{sub}/{name}" if sub else name)
        found.add(
            Item(
                "npm",
                package,
                parts[3],
                manager="yarn",
                kind=kind,
                observed=path,
                locator=Locator(FILE_SET, files=(path,), also=unplugged.get((package, parts[3]), ())),
                root=root,
                confidence="high",
                note="by the name of its archive",
            )
        )


def _unplugged(place: Place, found: Found) -> dict[tuple[str, str], list[str]]:
    """Packages that were unpacked, because they run scripts or are no plain code: (name, version) → folders."""
    made: dict[tuple[str, str], list[str]] = {}
    for folder, kind in place.names(".yarn/unplugged").items():
        if kind != DIRECTORY:
            continue
        inner = f".yarn/unplugged/{folder}/node_modules"
        for sub in packages(place, inner):
            told = place.json(f"{sub}/package.json")
            name, version = facts(told)
            if not name:
                continue
            whole = place.at(f".yarn/unplugged/{folder}")
            made.setdefault((name, version), []).append(whole)
            found.add(
                Item(
                    "npm",
                    name,
                    version,
                    manager="yarn",
                    kind=INSTALLED,
                    observed=place.at(f"{sub}/package.json"),
                    locator=Locator(DIR, whole),
                    root=place.path,
                    scripts=lifecycle(told),
                )
            )
    return made


def packages(place: Place, sub: str) -> list[str]:
    """The package folders directly in a node_modules."""
    made: list[str] = []
    for name, kind in place.names(sub).items():
        if kind == DIRECTORY and name[0] == "@":
            made += [f"{sub}/{name}/{one}" for one, sort in place.names(f"{sub}/{name}").items() if sort == DIRECTORY]
        elif kind == DIRECTORY and name[0] != ".":
            made.append(f"{sub}/{name}")
    return made
