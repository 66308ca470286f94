"""A line of a foreign corpus: any bytes give an event that can be kept, or a reason that is known."""

from __future__ import annotations

import json

from bk.engine.corpus.beekeeper_line import LABEL_WHY, WHY, Dropped, read
from bk.engine.corpus.rows import event_of, event_row
from bk.engine.corpus.shapes import IMPORT, TRUE_LABELS
from bk.engine.ledger.redact import redactor

_LINE = {
    "corpus_schema_version": "1.0",
    "record_id": "r1",
    "cluster_id": "c1",
    "timestamp": "2026-05-01T10:00:00.5+02:00",
    "decision": "alert",
    "true_label": "malicious",
    "adjudication_source": "catalog_confirmation",
    "tool_name": "Bash",
    "original_command": "npm install evil@1.0.0",
    "sentry_network_dests": ["evil.example:443"],
    "catalog_matches": [
        {"catalog_source": "a", "dissented": True},
        {"catalog_source": "b", "entry_id": "X-1", "ecosystem": "npm", "package": "npm:evil", "version": "1.0.0"},
    ],
}
SEEDS = [json.dumps(_LINE).encode(), json.dumps({**_LINE, "catalog_matches": None, "decision": "allow"}).encode()]
_clean = redactor()


def one(data: bytes) -> None:
    """Whatever is read survives being written and read back, and claims no more than the weakest label."""
    try:
        line = read(data, 1_790_000_000_000, _clean)
    except Dropped as dropped:
        if dropped.why not in WHY:
            raise
        return
    assert not line.dropped or line.dropped in WHY
    assert not line.label_dropped or line.label_dropped in LABEL_WHY
    assert line.true_label in ("", *TRUE_LABELS)
    assert line.event.surface == IMPORT
    assert event_row(event_of(event_row(line.event))) == event_row(line.event)
