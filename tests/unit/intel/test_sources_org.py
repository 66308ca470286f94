"""An organisation's feed: believed as signed, in its own name, and never older than what was accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bk.engine.intel.compact import HEAD
from bk.engine.intel.signed import mint, sign
from bk.engine.intel.sources import org
from bk.engine.intel.sources.org import Organisation
from bk.engine.intel.sources.source import FeedError, Fetched, Setting
from bk.engine.intel.web.client import Web
from bk.engine.provenance import Signature
from tests.feeds.server import FeedServer

from .asking import NOW_MS, fetched, told, understood
from .test_sources import batch
from .webbing import feed, folder  # noqa: F401 - fixtures

SOURCE = Organisation()
SECRET, KEY = mint("house.example/facts")
STOLEN, _ = mint("house.example/facts")
DAY = 86_400_000


def facts(*rows: str) -> bytes:
    return "\n".join([HEAD, *(row.replace("|", "\t") for row in rows)]).encode() + b"\n"


GOOD = facts(
    "npm|invented-bad|exact|critical|a b c|signature|H-1 MAL-2|2026-01-02|s|1.0.0 1.0.1",
    "pypi|Bad|every|high|a|none||||",
)


def serve(
    feed: FeedServer,  # noqa: F811
    data: bytes = GOOD,
    *secrets: str,
    served: bytes | None = None,
    serial: int = 5,
    name: str = "org",
    **more: Any,
) -> None:
    said = {"issued_ms": NOW_MS - DAY, "expires_ms": NOW_MS + DAY, "payloads": {org.FACTS: data}, **more}
    feed.serve("/f/org.note", sign(*(secrets or (SECRET,)), feed=name, serial=serial, **said))
    feed.serve("/f/org.facts", data if served is None else served)


def ask(feed: FeedServer, folder: Path, *, serial: int = 0, key: str = KEY) -> Fetched:  # noqa: F811
    return fetched(SOURCE, feed, folder, "/f/", key=key, serial=serial)


def refused(feed: FeedServer, folder: Path, *, serial: int = 0, key: str = KEY) -> str:  # noqa: F811
    with pytest.raises(FeedError) as raised:
        ask(feed, folder, serial=serial, key=key)
    return raised.value.kind


def test_a_signed_feed_is_believed(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    serve(feed)
    got = ask(feed, folder)
    assert (got.changed, got.serial) == (True, 5)
    assert got.provenance == Signature("+".join(KEY.split("+")[:2]))
    assert told(understood(SOURCE, folder).records) == {
        ("npm", "invented-bad", "exact", ("1.0.0", "1.0.1"), "critical"),
        ("pypi", "Bad", "every", (), "high"),
    }
    assert not ask(feed, folder, serial=5).changed
    serve(feed, serial=6)
    assert ask(feed, folder, serial=5).changed


def test_the_feed_speaks_in_one_name_whatever_its_lines_claim(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    serve(feed)
    ask(feed, folder)
    bad = understood(SOURCE, folder).records[0]
    assert (bad.groups, bad.sources, bad.provenance.word) == (("org",), ("org",), "pinned_origin")
    assert bad.ident == "H-1 MAL-2"


def test_a_signature_counts_without_tls_too(folder: Path) -> None:  # noqa: F811
    with FeedServer(tls=False) as plain:
        serve(plain)
        assert isinstance(ask(plain, folder).provenance, Signature)
        serve(plain, GOOD, STOLEN)
        assert refused(plain, folder) == "signature"


def test_whatever_is_wrong_keeps_what_was_there(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    serve(feed)
    ask(feed, folder)
    before = (folder / org.FACTS).read_bytes()
    serve(feed, facts(), STOLEN)
    assert refused(feed, folder) == "signature"
    serve(feed, facts(), expires_ms=NOW_MS)
    assert refused(feed, folder) == "expired"
    serve(feed, facts(), issued_ms=NOW_MS + 2 * DAY, expires_ms=NOW_MS + 3 * DAY)
    assert refused(feed, folder) == "not-yet"
    serve(feed, facts(), serial=4)
    assert refused(feed, folder, serial=5) == "rolled-back"
    serve(feed, facts(), name="bk-self")
    assert refused(feed, folder) == "wrong-feed"
    serve(feed, payloads={"other.facts": b""})
    assert refused(feed, folder) == "malformed"
    feed.serve("/f/org.note", b"<html>")
    assert refused(feed, folder) == "malformed"
    feed.status("/f/org.note", 500)
    assert refused(feed, folder) == "status"
    assert (folder / org.FACTS).read_bytes() == before


@pytest.mark.parametrize("change", [b"1.0.1", b"9.9.9"])
def test_a_file_that_is_not_the_signed_one_is_refused(feed: FeedServer, folder: Path, change: bytes) -> None:  # noqa: F811
    serve(feed, served=GOOD.replace(b"1.0.0", change))
    assert refused(feed, folder) == "signature"
    serve(feed, served=GOOD + b"\n")
    assert refused(feed, folder) == "too-large"
    serve(feed)
    assert ask(feed, folder).changed


def test_url_and_key_are_both_needed(folder: Path) -> None:  # noqa: F811
    for setting in (Setting(), Setting(url="https://feeds.example"), Setting(key=KEY)):
        with Web(str(folder), ["feeds.example"]) as web, pytest.raises(FeedError, match=r"catalogs\.org\.key"):
            SOURCE.fetch(web, str(folder), setting)


@pytest.mark.parametrize(
    "row",
    ["npm|x", "npm|x|some|critical|g|none||||1", "npm|x|exact|critical|g|word||||1", "npm||exact|low|g|none||||1"],
)
def test_a_line_that_is_no_fact_refuses_the_file(row: str) -> None:
    with pytest.raises(ValueError, match="line 3"):
        org.parse(facts("npm|y|exact|low|g|none||||1", row), batch())


def test_impossible_facts_are_left_out_and_told() -> None:
    got = batch()
    org.parse(
        facts("npm|two words|exact|low|g|none||||1", "cobol|x|exact|low|g|none||||1", "npm|z|exact|low|g|none||||"), got
    )
    assert got.records == []
    assert len(got.notes) == 3
