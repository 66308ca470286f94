"""OSV records that are not what they should be: each is an error that says so, or is left out by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bk.engine.intel.index import Index
from bk.engine.intel.merge import merge
from bk.engine.intel.sources import Batch, osv
from bk.engine.intel.sources.osv_feed import Osv
from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.writer import write
from bk.engine.provenance import PinnedOrigin

from .asking import mal, told, understood, zipped

SOURCE = Osv()


def taken(record: dict[str, Any]) -> Batch:
    made = Batch("osv", "ossf", PinnedOrigin(), "2026-07-16", ("MAL-",))
    osv.parse(json.dumps(record).encode(), made)
    return made


def ranged(*events: dict[str, Any], kind: str = "SEMVER", **more: Any) -> dict[str, Any]:
    return mal(1, "x", versions=[], ranges=[{"type": kind, "events": list(events)}], **more)


HOSTILE: dict[str, dict[str, Any] | list[Any]] = {
    "a list": [],
    "an id that is none": mal(1, id=7),
    "affected that is text": {**mal(1), "affected": "everything"},
    "affected without a package": {**mal(1), "affected": [{"versions": ["1.0.0"]}]},
    "a package that is text": {**mal(1), "affected": [{"package": "x"}]},
    "a name that is a number": {**mal(1), "affected": [{"package": {"ecosystem": "npm", "name": 1}}]},
    "versions that are a text": mal(1, versions="1.0.0"),
    "a version that is a number": mal(1, versions=[1.0]),
    "100,000 versions": mal(1, versions=[f"1.0.{n}" for n in range(100_000)]),
    "100,000 packages": {**mal(1), "affected": mal(1)["affected"] * 100_000},
    "100,000 events": ranged(*({"introduced": f"{n}"} for n in range(100_000))),
    "100,000 ranges": mal(1, ranges=[{"type": "SEMVER", "events": []}] * 100_000),
    "100,000 aliases": mal(1, aliases=["x"] * 100_000, withdrawn="2026-01-01"),
    "a range that is text": mal(1, ranges=["<1"]),
    "an event that is text": mal(1, ranges=[{"type": "SEMVER", "events": ["introduced"]}]),
    "an end that is a number": ranged({"introduced": 0}),
    "an end that hides another interval": ranged({"introduced": "1,<9"}),
    "an end that is too long": ranged({"introduced": "1" * 300}),
    "withdrawn that is no time": mal(1, withdrawn=True),
    "no date": {**mal(1), "modified": None},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_record_that_is_none_is_an_error_that_names_the_file(tmp_path: Path, what: str) -> None:
    (tmp_path / "MAL-2026-1.json").write_text(json.dumps(HOSTILE[what]))
    with pytest.raises(FeedError, match=r"MAL-2026-1\.json") as caught:
        understood(SOURCE, tmp_path)
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b'{"id": "MAL-1", "id": "MAL-2"}',
        b'{"id": "MAL-1", "x": NaN}',
        b'{"id": "MAL-1", "x": -Infinity}',
        b'{"id": ' * 200_000,
        b'{"a":' + b"[" * 200_000,
        b'{"id": "MAL-1", "affected": [' + b"[]," * 2_100_000 + b"[]]}",
        b'{"id": "MAL-1", "x": ' + b"9" * 10_000 + b"}",
    ],
)
def test_bytes_that_are_no_record_are_an_error_that_names_the_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(FeedError, match=r"x\.json") as caught:
        understood(SOURCE, tmp_path)
    assert caught.value.kind == "malformed"


def test_a_record_of_a_vulnerability_is_not_one_of_malice(tmp_path: Path) -> None:
    (tmp_path / "GHSA-1.json").write_text(json.dumps(mal(1, "lodash", id="GHSA-aaaa-bbbb-cccc")))
    (tmp_path / "GHSA-2.json").write_text(json.dumps(mal(2, "bad", id="GHSA-aaaa-bbbb-dddd", aliases=["MAL-2026-2"])))
    assert told(understood(SOURCE, tmp_path).records) == {("npm", "bad", "exact", ("1.0.0",), "critical")}


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([{"fixed": "2.0.0"}, {"introduced": "0"}], ("<2.0.0",)),
        (
            [{"introduced": "0"}, {"introduced": "2.0.0"}, {"fixed": "1.0.0"}, {"fixed": "3.0.0"}],
            ("<1.0.0", ">=2.0.0,<3.0.0"),
        ),
        ([{"introduced": "0"}, {"introduced": "2.0.0"}, {"fixed": "3.0.0"}], ("<3.0.0",)),
        ([{"introduced": "1.0.0"}, {"last_affected": "1.0.0"}], (">=1.0.0,<=1.0.0",)),
        ([{"last_affected": "1.0.0"}, {"introduced": "1.0.0"}], (">=1.0.0,<=1.0.0",)),
        (
            [{"introduced": "0"}, {"fixed": "1.0.0"}, {"introduced": "1.0.0"}, {"fixed": "2.0.0"}],
            ("<1.0.0", ">=1.0.0,<2.0.0"),
        ),
        ([{"introduced": "1.0.0", "fixed": "2.0.0"}], (">=1.0.0,<2.0.0",)),
        ([{"introduced": "strange"}, {"fixed": "stranger"}], (">=strange,<stranger",)),
    ],
)
def test_events_are_read_in_the_order_of_versions(events: list[dict[str, Any]], said: tuple[str, ...]) -> None:
    assert [r.versions for r in taken(ranged(*events)).records] == [said]


def test_control_characters_and_halves_of_letters_reach_nothing() -> None:
    record = mal(1, "x\u001b[31m", id="MAL-\u202e\ud800\n1", aliases=[])
    assert taken(record).records == []
    got = taken({**record, "affected": mal(1, "y", versions=["1.0.0\u0000", "2.0.0", "\ud800"])["affected"]})
    assert told(got.records) == {("npm", "y", "exact", ("2.0.0",), "critical")}
    assert got.records[0].ident == "MAL-_1"
    gone = taken(mal(1, "x", aliases=["a\tb", "c\nd"], withdrawn="2026-01-01T00:00:00Z", versions=["1\t0", "1.0.0"]))
    assert [(set(w.idents), w.versions) for w in gone.withdrawn] == [({"MAL-2026-1", "a_b", "c_d"}, ("1.0.0",))]


def test_whatever_is_understood_can_be_built(tmp_path: Path) -> None:
    """What a parser lets through must not stop the build of all the others."""
    made = Batch("osv", "ossf", PinnedOrigin(), "2026-07-16", ("MAL-",))
    for record in [
        *(each for each in HOSTILE.values() if isinstance(each, dict)),
        ranged({"introduced": "0"}, {"fixed": "!"}),
        ranged({"introduced": "9" * 200}),
        mal(1, "é" * 400, versions=["9" * 256, "=1", "<2", "a,b", "1||2"]),
        mal(1, "x", versions=["1.0.0"] * 1000),
    ]:
        try:
            osv.take(record, made)
        except ValueError:
            continue
    assert made.records
    write(str(tmp_path / "x.index"), merge(made.records, made.withdrawn), {"built": "2026-01-01T00:00:00Z"})
    Index.open(str(tmp_path / "x.index")).close()


def test_an_archive_that_a_person_brings_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "all.zip").write_bytes(zipped([mal(1), mal(2, withdrawn="2026-01-01"), mal(3, id="PYSEC-1")]))
    got = understood(SOURCE, tmp_path)
    assert {record.name for record in got.records} == {"invented-1"}
    assert [grave.name for grave in got.withdrawn] == ["invented-2"]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="nothing of OSV"):
        understood(SOURCE, tmp_path)
