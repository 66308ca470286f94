"""An organisation's own feed: facts in our text format, under a note that its pinned key signed.

The feed says what is bad, never who says so: group and provenance are those of this source, whatever its lines claim.
"""

from __future__ import annotations

from functools import partial

from bk.engine.errors import BkError
from bk.engine.intel.compact import parse as facts
from bk.engine.intel.signed import NOTE_MAX, opened
from bk.engine.intel.sources import ident_of
from bk.engine.intel.sources.kept import keep, kept
from bk.engine.intel.sources.shape import understood, written
from bk.engine.intel.sources.source import FeedError, Fetched, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Web

FEED = "org"
NOTE = f"{FEED}.note"
FACTS = f"{FEED}.facts"
FACTS_MAX = 256 * 1024 * 1024


def parse(data: bytes, batch: Batch) -> None:
    """Add facts in our text format, in the name of this batch."""
    try:
        for record in facts(written(data), FACTS):
            count = len(batch.records)
            batch.add(
                record.ecosystem, record.name, record.kind, record.versions, severity=record.severity, date=record.date
            )
            if len(batch.records) > count:
                batch.records[-1].ident = " ".join(map(ident_of, record.ident.split()))
    except BkError as error:
        raise ValueError(error.detail) from error


class Organisation(Source):
    """The signed feed at a URL that a person gave, with the key that they gave."""

    name = FEED
    title = "Your organisation's feed"
    group = FEED
    licence = "your organisation's"
    about = "Facts of your own, signed with a key that is pinned in the configuration."
    needs = "url and key"

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:
        """Ask for the note, believe it only as signed, then ask for the file it names unless that one is here."""
        if not setting.url or not setting.key:
            raise FeedError("setting", "catalogs.org.url and catalogs.org.key are both needed")
        base = setting.url.rstrip("/")
        note = web.read(f"{base}/{NOTE}", max_bytes=NOTE_MAX).data
        feed = opened(note, setting.key, feed=FEED, now_ms=setting.now_ms, least_serial=setting.serial)
        size = feed.payload(FACTS).size
        if size > FACTS_MAX:
            raise FeedError("too-large", f"{FACTS} is said to have {size} bytes, more than {FACTS_MAX}")
        got = web.get(f"{base}/{FACTS}", FACTS, max_bytes=size)
        feed.check_file(FACTS, got.path)
        changed = got.changed or kept(f"{folder}/{NOTE}", NOTE_MAX) != note
        keep(f"{folder}/{NOTE}", note)
        return Fetched(feed.provenance, changed=changed, serial=feed.serial)

    def parse(self, folder: str, batch: Batch) -> None:
        """Add what the signed file says."""
        understood(f"{folder}/{FACTS}", partial(parse, batch=batch))
