"""Bringing the sources up to date: fetch, read, look whether it may be believed, and put it in force.

A source that fails, or whose news waits for a person, keeps what it had accepted; the others go on.
"""

from __future__ import annotations

import os
import time

from blake3 import blake3

from bk import __version__
from bk.engine.catalogs import accepted, backoff, feeds
from bk.engine.catalogs.accepted import Head
from bk.engine.catalogs.activation import Outcome, activate
from bk.engine.catalogs.assembly import IMPORTED
from bk.engine.catalogs.delta import Delta, News, compare, silenced
from bk.engine.catalogs.sanity import Moment, Shape, judge, spent, within_day
from bk.engine.catalogs.store import Held, Row
from bk.engine.catalogs.wants import recent
from bk.engine.errors import USAGE, BkError
from bk.engine.intel import bundle
from bk.engine.intel.sources import Batch
from bk.engine.intel.sources.source import FeedError, Fetched, Setting, Source
from bk.engine.intel.web.client import Web
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.catalogs.job import Job
    from bk.engine.model import Json
    from bk.engine.provenance import Provenance

WANTED_MAX = 500


class Visit:
    """What became of one source in one run."""

    __slots__ = ("added", "detail", "outcome", "path", "removed", "retry_after_s")

    def __init__(self, outcome: str, detail: str = "", *, path: str = "", added: int = 0, removed: int = 0) -> None:
        self.outcome = outcome
        self.detail = detail
        self.path = path
        self.added = added
        self.removed = removed
        self.retry_after_s = 0.0

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {name: getattr(self, name) for name in ("outcome", "detail", "added", "removed")}


def sync(job: Job, names: Sequence[str] = (), *, force: bool = False) -> dict[str, Json]:
    """Ask the sources that are due (all of `names`, or all when forced), and put in force what may be."""
    known = {source.name for source in feeds.sources()}
    strange = [name for name in names if name not in known]
    if strange:
        raise BkError(
            "there is no such source", inert(strange[0], 60), f"one of {', '.join(sorted(known))}", code=USAGE
        )
    rows = job.store.sources()
    asked = [source for source in feeds.sources() if _asked(job, source, rows.get(source.name), names, force)]
    visits: dict[str, Visit] = {}
    for at, source in enumerate(asked):
        job.tell("fetch", source.name, done=at, total=len(asked))
        visits[source.name] = visit(job, source, rows.get(source.name) or Row(source.name))
    return conclude(job, visits)


def conclude(job: Job, visits: dict[str, Visit]) -> dict[str, Json]:
    """Put in force what passed, and write down how every source fared."""
    fresh = {name: each.path for name, each in visits.items() if each.path}
    outcome = activate(job, fresh)
    now = job.now_ms()
    for name, each in visits.items():
        if each.outcome == "failed":
            job.record("failed", level="warn", source=name, detail=each.detail)
    with job.store:
        for name, each in visits.items():
            _settle(job, name, each, now)
    bad = [name for name, each in visits.items() if each.outcome in ("failed", "held")]
    said = _said(outcome, visits)
    job.end(said, ok=not bad, generation=outcome.generation)
    return said


def _said(outcome: Outcome, visits: dict[str, Visit]) -> dict[str, Json]:
    return {
        "generation": outcome.generation,
        "activated": outcome.activated,
        "records": outcome.records,
        "sources": {name: each.told() for name, each in visits.items()},
    }


def _asked(job: Job, source: Source, row: Row | None, names: Sequence[str], force: bool) -> bool:
    """Whether to ask a source now; what is left out although it is wanted leaves a heartbeat."""
    if names and source.name not in names:
        return False
    if not feeds.wanted(source.name, job.values):
        if source.name in names:
            raise BkError("the source is switched off", source.name, f"bk catalogs enable {source.name}", code=USAGE)
        return False
    lacks = feeds.missing(source, job.state, job.values)
    now = job.now_ms()
    why = f"it needs a {lacks}" if lacks else ""
    if not why and not force and not names and row and not backoff.due(row.next_ms, row.last_attempt_ms, now):
        why = f"it is due in {(row.next_ms - now) // 1000} s"
    if why:
        with job.store:
            job.store.beat(source.name, "skipped", why, now)
    return not why


def visit(job: Job, source: Source, row: Row) -> Visit:
    """Fetch, read and judge one source; whatever goes wrong there stays there."""
    try:
        fetched = _fetched(job, source, row)
        return taken(job, source, fetched)
    except FeedError as error:
        made = Visit("failed", f"{error.kind}: {error.detail}")
        made.retry_after_s = error.retry_after_s
    except BkError as error:
        made = Visit("failed", f"local: {error}")
    except Exception as error:  # noqa: BLE001 - a defect in one reader is told, and the other sources go on
        made = Visit("failed", f"internal: {type(error).__name__}: {error}")
    made.detail = inert(made.detail, 400)
    job.tell("fetch", source.name, made.detail)
    return made


def _fetched(job: Job, source: Source, row: Row) -> Fetched:
    values, name = job.values, source.name
    files = feeds.files(name, job.state)
    os.makedirs(files, mode=0o700, exist_ok=True)
    url = str(values.get(f"catalogs.{name}.url", ""))
    before = accepted.head(f"{feeds.folder(name, job.state)}/{accepted.NAME}")
    setting = Setting(
        url=url,
        token=feeds.token(name, job.state),
        key=str(values.get(f"catalogs.{name}.key", "")),
        serial=max(before.serial if before else 0, row.serial),
        now_ms=job.now_ms(),
        wanted=tuple(recent(job.state, WANTED_MAX)),
    )
    with Web(
        files,
        source.hosts,
        token=setting.token,
        token_hosts=source.hosts,
        proxy=str(values["catalog_sync.proxy"]),
        ca_file=str(values["catalog_sync.ca_file"]),
        base=url,
    ) as web:
        return source.fetch(web, files, setting)


def taken(job: Job, source: Source, fetched: Fetched) -> Visit:
    """Read what was fetched, compare it with what was accepted, and decide whether it may follow it."""
    name = source.name
    root = feeds.folder(name, job.state)
    head = _head(job, source, fetched)
    hold = feeds.holds(job.state, job.store).get(name)
    before = accepted.head(f"{root}/{accepted.NAME}")
    waiting = accepted.head(f"{root}/{accepted.HELD}") if hold else None
    if hold and waiting is not None and waiting.fingerprint == head.fingerprint:
        return Visit("held", hold.reason, added=hold.added, removed=hold.removed)
    expired = before and before.dropped_ms and before.dropped_ms < head.at_ms - _keep_days(job) * 86_400_000
    if before and not hold and before.fingerprint == head.fingerprint and not expired:
        return Visit("unchanged", fetched.note)
    job.tell("read", name)
    batch = Batch(name, source.group, fetched.provenance, head.date, source.issues)
    source.parse(feeds.files(name, job.state), batch)
    job.tell("compare", name, f"{len(batch.records)} entries")
    made = weighed(job, name, News.of(batch), head, hold)
    if made.outcome == "updated" and fetched.note:
        made.detail = inert(fetched.note, 400)
    return made


def weighed(job: Job, name: str, news: News, head: Head, hold: Held | None) -> Visit:
    """The candidate that follows from the news: to be put in force, or kept back with the reason."""
    root = feeds.folder(name, job.state)
    candidate, old = f"{root}/{accepted.CANDIDATE}", f"{root}/{accepted.NAME}"
    before = accepted.head(old)
    moment = job.moment()
    lost, bundled = silenced(news, bundle.FACTS, head.group) if head.provenance != "none" else (0, 0)
    delta = compare(old, news, candidate, head, keep_days=_keep_days(job), moment=moment)
    used = spent(within_day(before.growth, moment)) if before else {}
    shape = Shape(
        news.count,
        news.left_out,
        proven=head.provenance != "none",
        serial=head.serial,
        silenced=lost,
        bundled=bundled,
    )
    was = Shape(0, proven=before.provenance != "none", serial=before.serial) if before else None
    reasons = judge(delta.changes, shape, was, job.limits, used)
    if hold and not reasons:
        reasons = [hold.reason]
    if not reasons:
        return Visit("updated", path=candidate, added=delta.added, removed=delta.removed)
    return _held(job, name, "; ".join(reasons), delta, moment)


def _held(job: Job, name: str, reason: str, delta: Delta, moment: Moment) -> Visit:
    """Keep the candidate back, so that a person can accept exactly what they were told of."""
    root = feeds.folder(name, job.state)
    held = Held(name, reason, delta.added, delta.removed, at_ms=moment.now_ms, digest=delta.head.digest)
    job.record("held", level="warn", source=name, reason=reason, added=delta.added, removed=delta.removed,
               digest=delta.head.digest)  # fmt: skip
    with job.store:
        job.store.hold(held)
    accepted.replace(f"{root}/{accepted.CANDIDATE}", f"{root}/{accepted.HELD}")
    return Visit("held", reason, added=delta.added, removed=delta.removed)


def _head(job: Job, source: Source, fetched: Fetched) -> Head:
    now = job.now_ms()
    return Head(
        group=source.group,
        issues=source.issues,
        provenance=fetched.provenance.word,
        fingerprint=fingerprint(feeds.files(source.name, job.state), fetched.provenance, source),
        serial=fetched.serial,
        at_ms=now,
        date=time.strftime("%Y-%m-%d", time.gmtime(now / 1000)),
        note=inert(fetched.note, 400),
    )


def fingerprint(files: str, provenance: Provenance, source: Source) -> str:
    """What a reading of these files depends on: themselves, who vouches for them, and the reader."""
    seen = blake3(f"{__version__}\0{source.name}\0{source.group}\0{provenance.word}\0".encode())
    for folder, below, names in os.walk(files):
        below.sort()
        for name in sorted(names):
            if not name.startswith("."):
                info = os.lstat(f"{folder}/{name}")
                seen.update(f"{folder[len(files) :]}/{name}\0{info.st_size}\0{info.st_mtime_ns}\0".encode())
    return seen.hexdigest(16)


def _keep_days(job: Job) -> int:
    return int(job.values["catalog_sync.keep_dropped_days"])


def _settle(job: Job, name: str, each: Visit, now: int) -> None:
    """Write down how a source fared, and when it is asked again."""
    row = job.store.sources().get(name) or Row(name)
    head = accepted.head(f"{feeds.folder(name, job.state)}/{accepted.NAME}")
    row.last_attempt_ms = now
    if head is not None:
        row.grp, row.provenance, row.packages = head.group, head.provenance, head.ecosystems
        row.entries, row.serial = head.records, max(head.serial, row.serial)
    job.store.beat(name, each.outcome, each.detail, now)
    if each.outcome == "failed":
        row.failures += 1
        row.kind, _, row.problem = each.detail.partition(": ")
        row.next_ms = now + backoff.after_failure(row.failures, each.retry_after_s, job.dice())
    else:
        row.failures, row.kind, row.problem = 0, "", ""
        hours = int(job.values["catalog_sync.interval_hours"])
        row.next_ms = 0 if name.startswith(IMPORTED) else now + backoff.after_success(hours, job.dice())
        if each.outcome != "held":
            row.last_success_ms = now
    job.store.put(row)
