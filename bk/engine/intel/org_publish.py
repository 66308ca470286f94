"""Make an organisation's signed feed from a list in any form that bk reads.

    python -m bk.engine.intel.org_publish KEYFILE LIST OUT [--days N]

Writes `org.facts` and `org.note` into the folder OUT, to be served over https at the URL that `catalogs.org.url` names.
The serial is one more than that of the note that lies in OUT. A line that is left out is told, because a list of what
must not run is worth little with holes in it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from bk.engine import notes
from bk.engine.errors import BkError
from bk.engine.intel.compact import lines
from bk.engine.intel.merge import merge
from bk.engine.intel.signed import NOTE_MAX, read, sign
from bk.engine.intel.sniff import recognised
from bk.engine.intel.sources import Batch
from bk.engine.intel.sources.kept import keep, kept
from bk.engine.intel.sources.org import FACTS, FEED, NOTE
from bk.engine.intel.sources.source import FeedError
from bk.engine.notes import PublicKey
from bk.engine.provenance import Unproven

DAY_MS = 86_400_000
KEY_MAX = 4096


def publish(secret: str, path: str, out: str, *, now_ms: int, days: int) -> tuple[int, Batch]:
    """Write the facts of the list at `path` and the note over them into `out`; the serial, and what was understood."""
    with open(path, "rb") as file:
        data = file.read()
    batch = Batch(FEED, FEED, Unproven(), time.strftime("%Y-%m-%d", time.gmtime(now_ms / 1000)))
    recognised(path, data).read(data, batch)
    facts = "\n".join(lines(merge(batch.records, batch.withdrawn))).encode() + b"\n"
    serial = _serial(secret, f"{out}/{NOTE}") + 1
    note = sign(
        secret,
        feed=FEED,
        serial=serial,
        issued_ms=now_ms,
        expires_ms=now_ms + days * DAY_MS,
        payloads={FACTS: facts},
    )
    keep(f"{out}/{FACTS}", facts)
    keep(f"{out}/{NOTE}", note)
    return serial, batch


def _serial(secret: str, path: str) -> int:
    """The serial of the note that is there, if this key signed it: another key's is not ours to follow."""
    before = kept(path, NOTE_MAX)
    if not before:
        return 0
    key, name = notes.secret(secret)
    return read(before, str(PublicKey(name, bytes(key.verify_key)))).serial


def main(arguments: list[str]) -> int:
    """Publish, and say what was left out."""
    parser = argparse.ArgumentParser(prog="python -m bk.engine.intel.org_publish", description=__doc__.splitlines()[0])
    parser.add_argument("key", metavar="KEYFILE", help="the secret key, as minted")
    parser.add_argument("list", metavar="LIST", help="what must not run: CSV, JSON, text, or facts")
    parser.add_argument("out", metavar="OUT", help="the folder to write into")
    parser.add_argument("--days", type=int, default=30, help="how long the feed is good for")
    told = parser.parse_args(arguments)
    try:
        with open(told.key, encoding="ascii") as file:
            secret = file.read(KEY_MAX)
        os.makedirs(told.out, exist_ok=True)
        serial, batch = publish(secret, told.list, told.out, now_ms=time.time_ns() // 1_000_000, days=told.days)
    except (OSError, ValueError, FeedError, BkError) as error:
        print(f"nothing was published: {error}", file=sys.stderr)
        return 1
    for note in batch.notes:
        print(note)
    print(f"serial {serial}: {len(batch.records)} claims, {len(batch.notes)} left out or repaired")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
