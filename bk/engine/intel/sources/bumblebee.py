"""Bumblebee exposure catalogs, schema 0.x: exact versions, `*` for every version, "" for what has no version.

One catalog an incident. A catalog that cannot be read takes no other with it: the rest is used, and it is named.
"""

from __future__ import annotations

import os
import re

from bk.engine.intel.sources import Batch
from bk.engine.intel.sources.shape import SEVERITIES, document, mapping, sequence, text, texts, understood, weakest
from bk.engine.intel.sources.source import FeedError, Fetched, Source
from bk.engine.intel.web.files import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Got, Web
    from bk.engine.model import Json

LISTING = "https://api.github.com/repos/perplexityai/bumblebee/contents/threat_intel"
FILES = "https://raw.githubusercontent.com/perplexityai/bumblebee/main/threat_intel"
INDEX = "index.json"  # what a mirror calls the listing
LISTED = "listing"
READS = ("0.1.", "0.2.")
EVERY = ["*"]
CATALOG_MAX = 16 * 1024 * 1024
LISTING_MAX = 4 * 1024 * 1024
FILES_MAX = 500
ENTRIES_MAX = 200_000
VERSIONS_MAX = 20_000
HOPELESS = ("offline", "tls", "timeout", "proxy", "disk")  # the next file would fare no better
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}\.json", re.ASCII)
_SCHEMA = re.compile(r"0\.\d{1,4}\.\d{1,4}[0-9A-Za-z.+-]{0,40}", re.ASCII)


def parse(data: bytes, batch: Batch) -> None:
    """Add the entries of one catalog file."""
    catalog = mapping(document(data), "the catalog")
    schema = catalog.get("schema_version")
    if not isinstance(schema, str) or not _SCHEMA.fullmatch(schema):
        raise ValueError(f"schema_version {str(schema)[:40]!r} is not one that this reader knows")
    if not schema.startswith(READS):
        batch.note(f"schema_version {schema} is newer than this reader: what it knows of it is used")
    entries = sequence(catalog.get("entries"), "entries")
    if len(entries) > ENTRIES_MAX:
        raise ValueError(f"it holds {len(entries)} entries; {ENTRIES_MAX} is the most")
    for entry in entries:
        _take(entry, batch)
    aside = catalog.get("_cargo_packages")
    if isinstance(aside, dict):
        for entry in sequence(aside.get("packages", []), "_cargo_packages"):
            _take({"ecosystem": "cargo", "severity": "critical", **mapping(entry, "a package")}, batch)


def _take(entry: Json, batch: Batch) -> None:
    """One entry; one that is not of its shape is left out by itself, for the others are still true."""
    try:
        fields = mapping(entry, "an entry")
        name = text(fields.get("package"), "package").strip()
        ecosystem = text(fields.get("ecosystem"), "ecosystem")
        versions = texts(fields.get("versions"), "versions")
        if len(versions) > VERSIONS_MAX:
            raise ValueError(f"{name[:80]!a} has {len(versions)} versions; {VERSIONS_MAX} is the most")
        if not versions or ("*" in versions and versions != EVERY):
            raise ValueError(f"{name[:80]!a} says neither `*` alone nor versions")
    except ValueError as error:
        batch.note(f"left out, not an entry: {error}")
        return
    if name.startswith("@@"):
        batch.note(f"repaired, doubled @: {name}")
        name = "@" + name.lstrip("@")
    severity = SEVERITIES.get(str(fields.get("severity", "")).lower(), "high")
    kind = "every" if versions == EVERY else "exact"
    ident = fields.get("id")
    batch.add(
        ecosystem,
        name,
        kind,
        () if kind == "every" else versions,
        severity=severity,
        ident=ident if isinstance(ident, str) else "",
    )


class Bumblebee(Source):
    """The catalogs of incidents that Bumblebee publishes beside its scanner."""

    name = "bumblebee"
    title = "Bumblebee exposure catalogs"
    group = "vendor-reports"
    licence = "Apache-2.0"
    about = "Package versions of known incidents, transcribed from vendors' reports, one catalog an incident."
    default = True
    hosts = ("api.github.com", "raw.githubusercontent.com")

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:
        """Ask which catalogs there are and bring each up to date; one that is gone upstream goes here too.

        A copy that came from another place goes as well: it is worth what this place is worth only if it is from here.
        A mirror is a folder with the catalogs and an `index.json` that lists their names, or one catalog.
        """
        if setting.url.endswith(".json") and not setting.url.endswith(f"/{INDEX}"):
            one = web.get(setting.url, "catalog.json", max_bytes=CATALOG_MAX)
            gone = _remove(folder, {"catalog.json"})
            return Fetched(one.provenance, changed=one.changed or gone)
        base = setting.url.removesuffix(INDEX).rstrip("/")
        listing = web.get(f"{base}/{INDEX}" if base else LISTING, LISTED, max_bytes=LISTING_MAX)
        names = _names(listing)
        got = [listing]
        problems: list[tuple[str, FeedError]] = []
        for name in names:
            try:
                got.append(web.get(f"{base or FILES}/{name}", name, max_bytes=CATALOG_MAX))
            except FeedError as error:
                problems.append((name, error))
                if error.kind in HOPELESS:
                    break
        ours = {name for name in names if Place(folder, name).known(f"{base or FILES}/{name}") is not None}
        if problems and (len(got) == 1 or problems[-1][1].kind == "disk"):
            raise problems[-1][1]
        gone = _remove(folder, ours)
        note = "; ".join(f"{name} was not brought up to date: {error.detail}" for name, error in problems[:3])
        return Fetched(
            weakest(*(each.provenance for each in got)), changed=gone or any(each.changed for each in got), note=note
        )

    def parse(self, folder: str, batch: Batch) -> None:
        """Add what the catalogs say; a FeedError only when none of them can be read."""
        problems: list[FeedError] = []
        names = sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name) and name != INDEX)
        for name in names:
            aside = Batch(batch.label, batch.group, batch.provenance, batch.date, batch.issues)
            try:
                understood(f"{folder}/{name}", lambda data, aside=aside: parse(data, aside))  # type: ignore[misc]
            except FeedError as error:
                problems.append(error)
                batch.note(f"left out, not a catalog that can be read: {error.detail}")
                continue
            batch.records += aside.records
            for note in aside.notes:
                batch.note(f"{name}: {note}")
        if len(problems) == len(names):
            raise problems[0] if problems else FeedError("malformed", "there is no catalog")


def _names(listing: Got) -> list[str]:
    """The catalogs that a listing names: objects as GitHub writes them, or names alone."""
    found: list[str] = []

    def read(data: bytes) -> None:
        for item in sequence(document(data), "the listing"):
            if isinstance(item, dict) and item.get("type", "file") != "file":
                continue
            name = text(item.get("name") if isinstance(item, dict) else item, "a name in the listing")
            if _NAME.fullmatch(name) and name != INDEX:
                found.append(name)

    understood(listing.path, read)
    if not found or len(found) > FILES_MAX:
        raise FeedError("malformed", f"the listing names {len(found)} catalogs: 1–{FILES_MAX} are believable")
    return sorted(set(found))


def _remove(folder: str, keep: set[str]) -> bool:
    """Whether there was a catalog here that is not upstream any more."""
    gone = [name for name in os.listdir(folder) if _NAME.fullmatch(name) and name not in keep]
    for name in gone:
        os.unlink(f"{folder}/{name}")
        if os.path.lexists(note := f"{folder}/.{name}.from"):
            os.unlink(note)
    return bool(gone)
