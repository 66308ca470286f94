"""PHP packages: what Composer noted that it installed into a vendor folder."""

from __future__ import annotations

import os
import re
from hashlib import sha1

from bk.engine.inventory.ecosystems.origin import safe_url
from bk.engine.inventory.item import DIR, INSTALLED, NOWHERE, Item, Locator
from bk.engine.lower.installs.listing import table, texts, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

MARKS = frozenset(("vendor",))
INSTALLED_MAX = 32 << 20
LOUD = "PHP loads files of it on every request and stops without them"
A_LINK = "a link to a folder of one's own: it is never moved"
ELSEWHERE = "it does not lie below vendor"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def places(home: str, env: Mapping[str, str]) -> Iterator[str | tuple[str, int]]:
    """What is installed for all projects of a person."""
    yield env.get("COMPOSER_HOME", "") or f"{home}/.config/composer", 0
    yield f"{home}/.composer", 0
    yield f"{home}/AppData/Roaming/Composer", 0


def read(place: Place, found: Found) -> None:
    """A project, or Composer's own home: the list in its vendor folder."""
    observed = "vendor/composer/installed.json"
    if not place.is_file(observed):
        return
    document = place.json(observed, INSTALLED_MAX)
    entries = document.get("packages") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        found.problem(place.at(observed), "it lists no packages")
        return
    for entry in entries:
        if isinstance(entry, dict) and _NAME.fullmatch(word(entry.get("name"))):
            _package(place, found, entry, observed)
        else:
            found.problem(place.at(observed), "an entry names no package")


def _package(place: Place, found: Found, entry: dict[str, Json], observed: str) -> None:
    name, dist = word(entry.get("name")), table(entry.get("dist"))
    given = entry.get("install-path", f"../{name}")
    path = os.path.normpath(f"vendor/composer/{word(given)}")
    notes = []
    locator = NOWHERE
    if path != f"vendor/{name}":
        notes.append(ELSEWHERE if given else "it has no files")
    elif place.link(path) is not None or place.link(os.path.dirname(path)) is not None:
        notes.append(A_LINK)
    elif place.is_dir(path):
        locator = Locator(DIR, place.at(path), also=[*_commands(place, entry, name), *_fetched(place, name, dist)])
        notes += [LOUD] if table(entry.get("autoload")).get("files") else []
    reference = word(dist.get("reference"))[:64]
    notes += [f"reference {reference}"] if reference else []
    found.add(
        Item(
            "packagist",
            name,
            word(entry.get("version")),
            manager="composer",
            kind=INSTALLED,
            observed=place.at(observed),
            locator=locator,
            root=place.path,
            origin=safe_url(word(dist.get("url"))),
            note="; ".join(notes),
        )
    )


def _commands(place: Place, entry: dict[str, Json], name: str) -> Iterator[str]:
    """Its commands in vendor/bin: links into it, or small programs that say whose they are."""
    there = place.names("vendor/bin")
    for command in texts(entry.get("bin")):
        file = command.rpartition("/")[2]
        kind = there.get(file)
        if kind == "l":
            ours = f"/{name}/" in (place.link(f"vendor/bin/{file}") or "")
        else:
            ours = kind == "f" and f"/{name}/" in (place.text(f"vendor/bin/{file}", 65_536) or "")
        if ours:
            yield place.at(f"vendor/bin/{file}")


def _fetched(place: Place, name: str, dist: dict[str, Json]) -> Iterator[str]:
    """The archive it came from, which the cache keeps under the digest of its address or under its reference."""
    folder = (place.env.get("COMPOSER_CACHE_DIR", "") or f"{place.home}/.cache/composer") + f"/files/{name}"
    url, reference = word(dist.get("url")), word(dist.get("reference"))
    digest = sha1(url.encode(), usedforsecurity=False).hexdigest()
    for stem in dict.fromkeys((digest, reference)):
        for kind in ("zip", "tar"):
            path = f"{folder}/{stem}.{kind}"
            if stem and "/" not in stem and os.path.isfile(path) and os.path.realpath(path) == path:
                yield path
