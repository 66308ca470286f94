"""OSV's archives of whole ecosystems: the archive once, then only the records that its list of changes names.

An archive is unpacked as it is read and turned into an extract at once; then it is deleted. The list of changes says
of every record when it last changed, so what is missing or older here is asked for one by one, and when that would be
too much, the archive again.
"""

from __future__ import annotations

import os
import re
from functools import partial

from bk.engine.intel.sources import extract, osv, zipped
from bk.engine.intel.sources.shape import document, mapping, text
from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.files import disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from bk.engine.intel.sources import Batch
    from bk.engine.intel.web.client import Got, Web
    from bk.engine.provenance import Provenance

ARCHIVE_MAX = 2 * 1024 * 1024 * 1024
CHANGES_MAX = 256 * 1024 * 1024
RECORD_MAX = zipped.MEMBER_MAX
ONE_BY_ONE = 2_000
HELD_MAX = 64 * 1024 * 1024  # of records that are asked for one by one, in a run
SECONDS = 19  # of a time stamp, which is written with and without fractions
MAL = re.compile(r"MAL-[0-9A-Za-z-]{1,36}", re.ASCII)
IDENT = re.compile(r"[A-Za-z][0-9A-Za-z_-]{1,63}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.]{0,12}(?:Z|\+00:00)", re.ASCII)


class Bulk:
    """One ecosystem of one run."""

    def __init__(self, web: Web, folder: str, base: str, ecosystem: str) -> None:
        self._web = web
        self._base = f"{base}/{ecosystem}"
        self._folder = folder
        self._ecosystem = ecosystem
        self._extract = f"{folder}/{ecosystem}.facts"
        self._rest = f"{self._extract}.rest"
        self.provenance: list[Provenance] = []
        self.changed = False
        self.note = ""

    def update(self) -> bool:
        """Bring the extract up to date; False when there is no such ecosystem here."""
        try:
            listed = self._web.get(f"{self._base}/modified_id.csv", f"{self._ecosystem}.changes", max_bytes=CHANGES_MAX)
        except FeedError as error:
            if not missing(error):
                raise
            return False
        self.provenance.append(listed.provenance)
        stamps = extract.stamps(self._extract, self._base)
        told = changes(listed, stamps or {})
        if stamps and not told:
            raise FeedError("malformed", f"{self._ecosystem}: the list of changes names none of {len(stamps)} records")
        # after an archive that lags far behind its list, the rest is asked for in portions, not as archives
        if stamps is None or (len(_due(told, stamps)) > ONE_BY_ONE and not os.path.lexists(self._rest)):
            stamps = self._from_archive()
            told = changes(listed, stamps)
        self._one_by_one(told, stamps)
        return True

    def _from_archive(self) -> dict[str, str]:
        got = self._web.get(f"{self._base}/all.zip", f"{self._ecosystem}.zip", max_bytes=ARCHIVE_MAX)
        self.provenance.append(got.provenance)
        from_archive(got.path, self._extract, self._base)
        for path in (got.path, f"{self._folder}/.{self._ecosystem}.zip.from"):
            if os.path.lexists(path):
                os.unlink(path)
        self.changed = True
        return extract.stamps(self._extract, self._base) or {}

    def _one_by_one(self, told: Mapping[str, str], stamps: Mapping[str, str]) -> None:
        """Ask for the records that are missing or older here; drop those that the list does not know any more."""
        due = _due(told, stamps)
        gone = set(stamps) - set(told)
        fresh: dict[str, bytes] = {}
        absent = 0
        problem: FeedError | None = None
        held = 0
        for ident in due[:ONE_BY_ONE]:
            if held > HELD_MAX:
                break
            try:
                answer = self._web.read(f"{self._base}/{ident}.json", max_bytes=RECORD_MAX)
            except FeedError as error:
                if missing(error):
                    absent += 1
                    continue
                problem = error
                break
            self.provenance.append(answer.provenance)
            fresh[ident] = answer.data
            held += len(answer.data)
        if problem is not None and not fresh and not gone and not self.changed:
            raise problem
        if fresh or gone:
            self._revise(told, fresh, gone)
            self.changed = True
        left = len(due) - len(fresh) - absent
        if left or absent:
            absence = f"{absent} are listed and not there" if absent else ""
            why = problem.detail if problem else absence or "the rest is asked for next time"
            self.note = f"{self._ecosystem}: {left + absent} records did not come: {why}"
        if left:
            with disk(self._rest), open(self._rest, "wb"):
                pass
        elif os.path.lexists(self._rest):
            os.unlink(self._rest)

    def _revise(self, told: Mapping[str, str], fresh: Mapping[str, bytes], gone: set[str]) -> None:
        """The extract with the new records in place of the old; one that is no record leaves the old one."""
        with extract.Keeper(self._extract, self._base) as keeper:
            read = {
                ident
                for ident, data in fresh.items()
                if keeper.take(f"{ident}.json", partial(record_of, data=data, ident=ident, stamp=told[ident]))
            }
            keeper.copy(self._extract, read | gone)


def from_archive(path: str, to: str, origin: str) -> None:
    """Turn an archive into an extract of the records in it that speak of malice."""
    with extract.Keeper(to, origin) as keeper:
        _each(path, keeper.take)


def add_archive(path: str, batch: Batch) -> None:
    """Add an archive as it is, without an extract (an import)."""
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
    for name, data in zipped.members(path, lambda name: name.endswith(".json"), member_max=RECORD_MAX):
        if osv.ISSUED.encode() in data:
            take(name, partial(record_of, data=data))


def changes(listed: Got, known: Container[str]) -> dict[str, str]:
    """When each MAL record, and each that is here, last changed; raises FeedError when it is no such list."""
    found: dict[str, str] = {}
    rows = odd = 0
    with disk(listed.path), open(listed.path, "rb") as file:
        while line := file.readline(1000):
            stamp, _, ident = line.decode("ascii", "replace").strip().partition(",")
            rows += 1
            ident = ident.rpartition("/")[2]
            if not _TIME.fullmatch(stamp) or not ident:
                odd += 1
            elif MAL.fullmatch(ident) or ident in known:
                found[ident] = stamp[:SECONDS]
    if odd > 1 + rows // extract.ODD_SHARE:
        raise FeedError("malformed", f"{os.path.basename(listed.path)}: {odd} of {rows} rows are no `time,id`")
    return found


def _due(told: Mapping[str, str], stamps: Mapping[str, str]) -> list[str]:
    """The records that are missing here or older than the list says, the newest first."""
    due = [ident for ident, stamp in told.items() if stamps.get(ident, "") < stamp]
    return sorted(due, key=lambda ident: (told[ident], ident), reverse=True)


def record_of(batch: Batch, data: bytes, ident: str = "", stamp: str = "") -> tuple[str, str] | None:
    """Add one record if it speaks of malice; its id and when it changed, or what a list says of that if later.

    With an `ident` it must be that record, and is named even when it speaks of malice no more.
    """
    if len(data) > RECORD_MAX:
        raise ValueError(f"it has {len(data)} bytes; {RECORD_MAX} is the most")
    record = mapping(document(data), "the record")
    named = text(record.get("id"), "id")
    if not IDENT.fullmatch(named) or (ident and named != ident):
        raise ValueError(f"it calls itself {named[:60]!a}")
    changed = text(record.get("modified") or "", "modified")
    stamp = max(changed[:SECONDS] if _TIME.fullmatch(changed) else "", stamp)
    if osv.malicious(record):
        osv.take(record, batch)
    elif not ident:
        return None
    return named, stamp


def missing(error: FeedError) -> bool:
    """Whether a server says that there is no such thing: 404, or 403 where a store does not tell the two apart."""
    return error.kind == "status" and error.detail.endswith((" 404", " 403", " 410"))
