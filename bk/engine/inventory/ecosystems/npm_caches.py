"""What comes back on the next install: the caches and stores of npm, pnpm, yarn 1 and bun."""

from __future__ import annotations

import base64
import binascii
import json
import re
from urllib.parse import unquote

from bk.engine.inventory.ecosystems.npm_facts import facts, host, lifecycle
from bk.engine.inventory.ecosystems.npm_pnp import packages
from bk.engine.inventory.item import CACHED, DIR, FILE_SET, NOWHERE, Item, Locator
from bk.engine.inventory.place import DIRECTORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

_TARBALL = re.compile(r"/((?:@[^/]+/)?[^/]+)/-/(?:@[^/]+/)?([^/]+)\.tgz$")
_BUN = re.compile(r"(.+)@(\d[^@]*)@@(?:[^@]*@)*[^@]*")
_PNPM = re.compile(r"-((?:@[^+]+\+)?[^@]+)@(\d[^/]*)\.json$")


def npm(place: Place, found: Found) -> None:
    """npm's cache: lines of JSON that say which address has which content."""
    found.skip("index-v5", "content-v2", "tmp")
    for first, kind in place.names("index-v5").items():
        for second, sort in place.names(f"index-v5/{first}").items() if kind == DIRECTORY else ():
            if sort != DIRECTORY:
                continue
            for name in place.names(f"index-v5/{first}/{second}"):
                _bucket(place, found, f"index-v5/{first}/{second}/{name}")


def _bucket(place: Place, found: Found, sub: str) -> None:
    live: dict[str, Json] = {}
    for line in (place.text(sub) or "").splitlines():
        try:
            entry: Json = json.loads(line.partition("\t")[2] or "null")
        except (ValueError, RecursionError):
            continue  # a line that was cut short: npm ignores it too
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            live[entry["key"]] = entry  # the last line about a key counts
    for key, entry in live.items():
        name, version = tarball(key.partition("request-cache:")[2])
        integrity = entry.get("integrity")
        if not name or not isinstance(integrity, str):
            continue
        path = content(integrity)
        held = path and place.is_file(path)
        found.add(
            Item(
                "npm",
                name,
                version,
                manager="npm",
                kind=CACHED,
                observed=place.at(sub),
                locator=Locator(FILE_SET, files=(place.at(path),)) if held else NOWHERE,
                root=place.path,
                origin=host(key.partition("request-cache:")[2]),
                confidence="high",
                note="by the address of its archive",
            )
        )


def tarball(url: str) -> tuple[str, str]:
    """The package and version that a registry's address of an archive names; "" for any other address."""
    parts = _TARBALL.search(unquote(url.partition("?")[0]))
    if parts is None:
        return "", ""
    base = parts[1].rpartition("/")[2]
    return (parts[1], parts[2][len(base) + 1 :]) if parts[2].startswith(f"{base}-") else ("", "")


def content(integrity: str) -> str:
    """Where in npm's cache the content of that integrity lies; "" when it is none."""
    algorithm, _, digest = integrity.partition(" ")[0].partition("-")
    try:
        spelled = base64.b64decode(digest, validate=True).hex()
    except (binascii.Error, ValueError):
        return ""
    if not algorithm.isalnum() or len(spelled) < 32:
        return ""
    return f"content-v2/{algorithm}/{spelled[:2]}/{spelled[2:4]}/{spelled[4:]}"


def bun(place: Place, found: Found) -> None:
    """bun's cache: one folder a version, `<name>@<version>@@@1`."""
    if not place.path.endswith("/install/cache"):
        return
    found.skip(*place.names())
    folders = [name for name, kind in place.names().items() if kind == DIRECTORY]
    for scope in [name for name in folders if name[0] == "@" and "@" not in name[1:]]:
        folders += [f"{scope}/{name}" for name, kind in place.names(scope).items() if kind == DIRECTORY]
    for folder in folders:
        if _BUN.fullmatch(folder):
            _cached(place, found, folder, folder, "bun")


def versioned(place: Place, found: Found) -> None:
    """A folder that is called after its own format: yarn's cache, or pnpm's store."""
    names = place.names()
    if "/yarn" in place.path.lower() and any(name.startswith("npm-") for name in names):
        _yarn(place, found)
    elif names.get("files") == DIRECTORY or names.get("index") == DIRECTORY:
        _pnpm(place, found)


def _yarn(place: Place, found: Found) -> None:
    found.skip(*place.names())
    for folder, kind in place.names().items():
        if kind == DIRECTORY and folder.startswith("npm-"):
            for sub in packages(place, f"{folder}/node_modules"):
                _cached(place, found, sub, folder, "yarn")


def _pnpm(place: Place, found: Found) -> None:
    """pnpm's store: an index file a package version, which newer ones name after it. Its content is shared by all.

    Without the index file pnpm takes a package for not fetched; content that other packages have too stays theirs.
    """
    found.skip("files", "index", "tmp")
    for group in ("index", "files"):
        for shard, kind in place.names(group).items():
            for name in place.names(f"{group}/{shard}") if kind == DIRECTORY else ():
                if not name.endswith(".json"):
                    continue
                parts = _PNPM.search(name)
                package, version = (parts[1].replace("+", "/", 1), parts[2]) if parts else ("", "")
                if not package:
                    package, version = facts(place.json(f"{group}/{shard}/{name}"))
                if package:
                    found.add(
                        Item(
                            "npm",
                            package,
                            version,
                            manager="pnpm",
                            kind=CACHED,
                            observed=place.at(f"{group}/{shard}/{name}"),
                            locator=Locator(FILE_SET, files=(place.at(f"{group}/{shard}/{name}"),)),
                            root=place.path,
                            confidence="high",
                        )
                    )


def _cached(place: Place, found: Found, sub: str, folder: str, manager: str) -> None:
    """A package that lies unpacked in a cache; what would move is the cache's whole folder for it."""
    told = place.json(f"{sub}/package.json")
    name, version = facts(told)
    if name:
        found.add(
            Item(
                "npm",
                name,
                version,
                manager=manager,
                kind=CACHED,
                observed=place.at(f"{sub}/package.json"),
                locator=Locator(DIR, place.at(folder)),
                root=place.path,
                scripts=lifecycle(told),
            )
        )
