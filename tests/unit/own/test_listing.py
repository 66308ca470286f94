"""The list: which releases are meant, and that a list which cannot be understood is none."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from bk.engine.intel.sources.source import FeedError
from bk.engine.own.listing import ENTRIES_MAX, LIST_MAX, Listed, matching, parse, text
from tests.unit.own import listed

NONE = "sha256:" + "0" * 64
ENTRY = {"id": "BK-1", "version": "0.1.0", "reason": "bad", "date": "2026-01-31", "severity": "critical"}


@pytest.mark.parametrize(
    ("meant", "ours", "hit"),
    [
        ("0.1.0", "0.1.0", True),
        ("v0.1", "0.1.0", True),
        ("0.1.0", "0.1", True),
        ("0.1.0", "0.1.0+local.7", True),
        ("0.1.0+local.7", "0.1.0+local-7", True),
        ("0.1.0+local.7", "0.1.0", False),
        ("0.1.0+local.7", "0.1.0+local.8", False),
        ("0.1.0", "0.1.0.dev3", False),
        ("0.1.0.dev3", "0.1.0-dev3", True),
        ("0.1.0.dev3", "0.1.0.dev3+g1234", True),
        ("0.1.0rc1", "0.1.0-RC.1", True),
        ("0.1.0", "0.1.0rc1", False),
        ("0.1.0", "0.1.0.post1", False),
        ("0.1.0-1", "0.1.0.post1", True),
        ("0.1.0", "1!0.1.0", False),
        ("0.1.0", "0.1.00", True),
        ("0.1.0", "0.1.1", False),
        ("0.1.0", "0.10", False),
    ],
)
def test_versions_are_compared_as_packaging_does(meant: str, ours: str, hit: bool) -> None:
    assert bool(matching([listed(version=meant)], ours, NONE)) is hit


def test_a_digest_means_those_files_and_nothing_else() -> None:
    other = "sha256:" + "1" * 64
    assert matching([listed(digest=other)], "0.1.0", other)
    assert not matching([listed(digest=other)], "0.1.0", NONE)


def test_what_is_written_is_read_again() -> None:
    entries = (listed("A", version="1.0"), listed("B", digest=NONE))
    assert [each.told() for each in parse(text(entries))] == [each.told() for each in entries]
    assert parse(text(())) == ()


def test_an_entry_may_say_more_than_this_release_knows() -> None:
    body = {"format": "bk-self/1", "entries": [{**ENTRY, "advice": {"see": "x"}}], "more": 1}
    (entry,) = parse(json.dumps(body).encode())
    assert entry.ident == "BK-1"


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""}, {"id": "a b"}, {"id": "x" * 65}, {"id": 7}, {"version": ""}, {"version": "nightly"},
        {"version": " 1.0"}, {"version": None}, {"digest": NONE}, {"version": "", "digest": "sha256:00"},
        {"version": "", "digest": "SHA256:" + "0" * 64}, {"reason": ""}, {"reason": "a\nb"}, {"reason": "a\u202eb"},
        {"reason": "x" * 401}, {"date": "yesterday"}, {"severity": "bad"}, {"severity": ["critical"]},
    ],
)  # fmt: skip
def test_one_wrong_entry_makes_the_whole_list_none(change: dict[str, Any]) -> None:
    body = {"format": "bk-self/1", "entries": [{**ENTRY, "id": "BK-0"}, {**ENTRY, **change}]}
    with pytest.raises(FeedError) as raised:
        parse(json.dumps(body).encode())
    assert raised.value.kind == "malformed"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"null", b"[]", b"{}", b'{"format": "bk-self/2", "entries": []}', b'{"format": "bk-self/1"}',
        b'{"format": "bk-self/1", "entries": {}}', b'{"format": "bk-self/1", "entries": [], "entries": []}',
        b'{"format": "bk-self/1", "entries": [1]}', b"\xff\xfe", b"[" * 100_000, b" " * (LIST_MAX + 1),
        json.dumps({"format": "bk-self/1", "entries": [ENTRY, ENTRY]}).encode(),
        json.dumps({"format": "bk-self/1", "entries": [ENTRY] * (ENTRIES_MAX + 1)}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(FeedError):
        parse(data)


def test_any_bytes_are_a_list_or_a_feed_error() -> None:
    rng = random.Random(7)
    whole = text([listed("A", version="1.0"), listed("B", digest=NONE)])
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        try:
            entries = parse(bytes(data))
        except FeedError:
            continue
        assert all(isinstance(each, Listed) for each in entries)
