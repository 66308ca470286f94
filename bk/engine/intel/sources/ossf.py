"""The OpenSSF's malicious-packages repository itself: its archive as GitHub packs it, or a directory that has it.

The same records as OSV.dev's and the same voice. What lies under `withdrawn` is withdrawn, whether or not it says so.
"""

from __future__ import annotations

import os
import re
from functools import partial

from bk.engine.intel.sources import extract, osv, tarred
from bk.engine.intel.sources.osv_bulk import record_of
from bk.engine.intel.sources.shape import document, mapping, text, understood
from bk.engine.intel.sources.source import FeedError, Fetched, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.intel.sources import Batch
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Web

ARCHIVE = "https://codeload.github.com/ossf/malicious-packages/tar.gz/refs/heads/main"
FILE = "malicious-packages.tar.gz"
EXTRACT = "malicious-packages.facts"
ARCHIVE_MAX = 1024 * 1024 * 1024
PACKED = (".tar.gz", ".tgz")
_RECORD = re.compile(r"(?:[^/]+/)?osv/(?:malicious|withdrawn)/.+\.json")
_WITHDRAWN = re.compile(r"(?:^|/)osv/withdrawn/")
_ALONE = re.compile(r"MAL-[0-9A-Za-z-]{1,36}\.json", re.ASCII)


class Ossf(Source):
    """The repository that OSV.dev takes its MAL records from."""

    name = "ossf"
    title = "OpenSSF malicious-packages"
    group = "ossf"
    licence = "Apache-2.0"
    about = "The records of osv, straight from their repository; all of it anew whenever it changes."
    issues = ("MAL-",)
    hosts = ("codeload.github.com",)

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:
        """Bring the archive up to date, and what is understood of it."""
        url = setting.url or ARCHIVE
        got = web.get(url, FILE, max_bytes=ARCHIVE_MAX)
        info = os.stat(got.path)
        origin = f"{url} {info.st_size} {info.st_mtime_ns}"
        kept = f"{folder}/{EXTRACT}"
        if got.changed or extract.stamps(kept, origin) is None:
            with extract.Keeper(kept, origin) as keeper:
                _each(got.path, keeper.take)
                if not keeper.count:
                    raise FeedError("malformed", f"{FILE} holds no record under osv/malicious")
        return Fetched(got.provenance, changed=got.changed)

    def parse(self, folder: str, batch: Batch) -> None:
        """Add the extract, or (of an import) an archive or the records of a directory."""
        if os.path.lexists(f"{folder}/{EXTRACT}"):
            extract.read(f"{folder}/{EXTRACT}", batch)
            return
        found = False
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = f"{place}/{name}"
                inside = os.path.relpath(path, folder)
                if name.startswith(".") or os.path.islink(path):
                    continue
                if name.endswith(PACKED):
                    _add_archive(path, batch)
                elif _ALONE.fullmatch(name) or _RECORD.fullmatch(inside):
                    understood(path, partial(_alone, batch, inside))
                else:
                    continue
                found = True
        if not found:
            raise FeedError("malformed", "there is no record under osv/malicious, and no archive")


def _add_archive(path: str, batch: Batch) -> None:
    """Add an archive as it is, without an extract."""
    odd: list[str] = []
    count = 0

    def take(where: str, read: Callable[[Batch], tuple[str, str] | None]) -> bool:
        nonlocal count
        count += 1
        return extract.tolerated(where, read, batch, odd)

    _each(path, take)
    extract.too_odd(odd, count - len(odd))
    for told in odd[: extract.ODD_MAX]:
        batch.note(f"left out, not a record: {told}")


def _each(path: str, take: Callable[[str, Callable[[Batch], tuple[str, str] | None]], bool]) -> None:
    for name, data in tarred.members(path, lambda name: _RECORD.fullmatch(name) is not None):
        take(name, partial(_record, name=name, data=data))


def _alone(batch: Batch, name: str, data: bytes) -> None:
    _record(batch, name, data)


def _record(batch: Batch, name: str, data: bytes) -> tuple[str, str] | None:
    """Add one record of the repository; where it lies says whether it is withdrawn."""
    if not _WITHDRAWN.search(name) or len(data) > tarred.MEMBER_MAX:
        return record_of(batch, data)
    record = mapping(document(data), "the record")
    ident = text(record.get("id"), "id")
    if not record.get("withdrawn"):
        record["withdrawn"] = text(record.get("modified") or "before", "modified")
        batch.note(f"repaired, withdrawn by where it lies: {ident}")
    osv.take(record, batch)
    return ident, text(record.get("modified") or "", "modified")
