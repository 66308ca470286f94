"""OSV.dev: malicious-package records from its archives of whole ecosystems, or by asking about what is here."""

from __future__ import annotations

import os

from bk.engine.intel.sources import extract
from bk.engine.intel.sources.osv_bulk import Bulk, add_archive, record_of
from bk.engine.intel.sources.osv_query import NAMES, Queries
from bk.engine.intel.sources.shape import understood, weakest
from bk.engine.intel.sources.source import FeedError, Fetched, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Web
    from bk.engine.provenance import Provenance

ARCHIVES = "https://osv-vulnerabilities.storage.googleapis.com"
API = "https://api.osv.dev"


class Osv(Source):
    """The MAL records of OSV.dev, which are those of the OpenSSF with their withdrawals."""

    name = "osv"
    title = "OSV.dev malicious packages"
    group = "ossf"
    licence = "Apache-2.0"
    about = "Every reported malicious package of nine ecosystems; withdrawals included."
    default = True
    issues = ("MAL-",)
    hosts = ("osv-vulnerabilities.storage.googleapis.com", "api.osv.dev")

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:
        """Bring each ecosystem's extract up to date; one without an archive is asked about package by package.

        A URL that ends in /v1 is a server to be asked and no archive: nothing is fetched but about what is here.
        """
        base = setting.url.rstrip("/")
        if os.path.isdir(folder):
            archives = {f"{base or ARCHIVES}/{archive}" for archive, *_ in NAMES.values()}
            _sweep(folder, {base.removesuffix("/v1")} if base.endswith("/v1") else {base or API, *archives})
        if base.endswith("/v1"):
            queries = Queries(web, folder, base.removesuffix("/v1"))
            queries.update(setting.wanted)
            return _fetched(queries.provenance, changed=queries.changed, notes=[queries.note])
        vouched: list[Provenance] = []
        notes: list[str] = []
        changed = False
        bare: set[str] = set()
        for ours, (archive, *_) in NAMES.items():
            bulk = Bulk(web, folder, base or ARCHIVES, archive)
            try:
                there = bulk.update()
            except FeedError as error:
                if not vouched or error.kind == "disk":
                    raise
                there = True
                notes.append(f"{archive} was not brought up to date: {error.detail}")
            if not there:
                bare.add(ours)
            vouched += bulk.provenance
            changed |= bulk.changed
            notes.append(bulk.note)
        if not vouched:
            raise FeedError("status", f"there is no archive at {base or ARCHIVES}")
        asked = [each for each in setting.wanted if each[0] in bare]
        if asked:
            queries = Queries(web, folder, base or API)
            try:
                queries.update(asked)
            except FeedError as error:
                notes.append(f"{len(asked)} packages could not be asked about: {error.detail}")
            vouched += queries.provenance
            changed |= queries.changed
            notes.append(queries.note)
        return _fetched(vouched, changed=changed, notes=notes)

    def parse(self, folder: str, batch: Batch) -> None:
        """Add the extracts, and (of an import) archives and single records, in this folder and below."""
        found = False
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = f"{place}/{name}"
                if name.startswith(".") or os.path.islink(path):
                    continue
                if name.endswith(".facts"):
                    extract.read(path, batch)
                elif name.endswith(".zip") and f"{name[:-4]}.facts" not in names:
                    add_archive(path, batch)
                elif name.endswith(".json"):
                    understood(path, lambda data: _alone(data, batch))
                else:
                    continue
                found = True
        if not found:
            raise FeedError("malformed", "there is nothing of OSV here")


def _alone(data: bytes, batch: Batch) -> None:
    record_of(batch, data)


def _sweep(folder: str, origins: set[str]) -> None:
    """Remove extracts of another place: what is here is vouched for by where it was asked this time."""
    for name in os.listdir(folder):
        path = f"{folder}/{name}"
        if name.endswith(".facts") and extract.made_for(path) not in origins:
            os.unlink(path)


def _fetched(vouched: list[Provenance], *, changed: bool, notes: list[str]) -> Fetched:
    if not vouched:
        raise FeedError("setting", "nothing was asked, as no package is known here to ask about")
    return Fetched(weakest(*vouched), changed=changed, note="; ".join(filter(None, notes))[:1000])
