"""Files of any kind: one format or a stated reason, and the format's reader can be given the file."""

from __future__ import annotations

import time

from bk.engine.intel.sniff import Format, recognised
from bk.engine.intel.sources.source import FeedError
from tests.fuzz._feeds import FILES, SLOW_S, read

SEEDS = [path.read_bytes() for path in sorted(FILES.glob("*.*")) if path.stat().st_size < 16_384]
NAMES = ("x.json", "npm/manifest.json", "malware_pypi.json", "datadog/list.csv", "readme.md")


def one(data: bytes) -> None:
    """Recognise `data` under one of several names, then read it."""
    path = NAMES[sum(data) % len(NAMES)]
    started = time.monotonic()
    form, refusal = _told(path, data)
    assert time.monotonic() - started < SLOW_S, "a small file takes no time"
    if form is None:
        assert refusal is not None
        assert refusal.kind in ("unknown", "ambiguous"), refusal.kind
        assert path in refusal.detail
        return
    assert recognised(path, data).name == form.name
    read(form.read, data)


def _told(path: str, data: bytes) -> tuple[Format | None, FeedError | None]:
    try:
        return recognised(path, data), None
    except FeedError as error:
        return None, error
