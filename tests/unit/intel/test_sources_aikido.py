"""Aikido's lists: only malware is critical, and a long list is read quickly and once."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path

import pytest

from bk.engine.intel.sources import aikido
from bk.engine.intel.sources.aikido import Aikido
from bk.engine.intel.sources.source import FeedError
from tests.feeds.server import FeedServer

from .asking import fetched, told, understood
from .test_sources import batch
from .webbing import feed, folder  # noqa: F401 - fixtures

SOURCE = Aikido()


def rows(*said: tuple[str, str, str]) -> bytes:
    return json.dumps([{"package_name": n, "version": v, "reason": r} for n, v, r in said], indent=1).encode()


def test_the_reason_decides_how_bad_it_is() -> None:
    got = batch()
    data = rows(
        ("@Invented/Bad", "1.0.0", "MALWARE"),
        ("@Invented/Bad", "1.0.1", "MALWARE"),
        ("@Invented/Bad", "0.9.0", "TELEMETRY"),
        ("all", "*", "MALWARE"),
        ("all", "2.0.0", "MALWARE"),
        ("loud", "1.0.0", "PROTESTWARE"),
        ("odd", "1.0.0", "NEW\u202eREASON"),
    )
    aikido.parse(data, got, "npm")
    assert told(got.records) == {
        ("npm", "@Invented/Bad", "exact", ("1.0.0", "1.0.1"), "critical"),
        ("npm", "@Invented/Bad", "exact", ("0.9.0",), "low"),
        ("npm", "all", "every", (), "critical"),
        ("npm", "all", "exact", ("2.0.0",), "critical"),
        ("npm", "loud", "exact", ("1.0.0",), "medium"),
        ("npm", "odd", "exact", ("1.0.0",), "medium"),
    }
    assert got.notes == ["rated medium, no reason that is known: 'NEW\\u202eREASON'"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[",
        b"[1]",
        b"[{}]",
        b'[{"package_name": "a", "version": 1, "reason": "MALWARE"}]',
        rows(("a", "1", "MALWARE"))[:-1],
        rows(("a", "1", "MALWARE")) + b"x",
        rows(("a", "1", "MALWARE"))[:-1] + b",]",
        b"[" * 100_000,
        b'[{"package_name": "a" "version": "1", "reason": "MALWARE"}]',
    ],
)
def test_what_is_no_list_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        aikido.parse(data, batch(), "npm")


def test_both_lists_are_brought(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    feed.serve("/m/malware_predictions.json", rows(("a", "1.0.0", "MALWARE")), etag="1", gzip=True)
    feed.serve("/m/malware_pypi.json", rows(("B_b", "*", "MALWARE")), etag="1")
    assert fetched(SOURCE, feed, folder, "/m/").changed
    assert told(understood(SOURCE, folder).records) == {
        ("npm", "a", "exact", ("1.0.0",), "critical"),
        ("pypi", "B_b", "every", (), "critical"),
    }
    assert not fetched(SOURCE, feed, folder, "/m/").changed
    feed.status("/m/malware_pypi.json", 503, "120")
    with pytest.raises(FeedError) as raised:
        fetched(SOURCE, feed, folder, "/m/")
    assert (raised.value.kind, raised.value.retry_after_s) == ("status", 120)


def test_it_is_off_until_a_person_wants_it() -> None:
    assert not SOURCE.default
    assert "never shipped" in SOURCE.licence


def test_a_list_of_222_000_rows_is_read_in_five_seconds() -> None:
    said = [
        {"package_name": f"@scope{at % 400}/pkg-{at}", "version": f"1.{at % 50}.{at % 9}", "reason": "MALWARE"}
        for at in range(222_000)
    ]
    data = json.dumps(said).encode()
    got = batch()
    started = time.process_time()
    partial(aikido.parse, ecosystem="npm")(data, got)
    assert time.process_time() - started < 5
    assert len(got.records) == 222_000
