"""Socket: asked once a day about what is wanted, many at a time; only what it calls malware counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bk.engine.intel.merge import merge
from bk.engine.intel.sources import socket
from bk.engine.intel.sources.socket import AT_ONCE, LIFE_MS, Socket
from bk.engine.intel.sources.source import FeedError, Fetched, Setting
from bk.engine.intel.web.client import Web
from bk.engine.provenance import PinnedOrigin, Unproven
from tests.feeds.behaviours import Seen
from tests.feeds.server import FeedServer

from .asking import FILES, NOW_MS, told, understood
from .webbing import feed, folder  # noqa: F401 - fixtures

SOURCE = Socket()
REPLY = (FILES / "socket_reply.ndjson").read_bytes()
WANTED = (
    ("npm", "invented-stealer", "1.0.2"),
    ("npm", "@invented/honest", "4.0.0"),
    ("pypi", "Invented_Guess", "0.1.0"),
    ("go", "github.com/invented/mod", "v1.2.3"),
    ("npm", "invented-ignored", "1.0.0"),
    ("npm", "invented-gone", "9.9.9"),
)
PLACE = "/v0/orgs/house/purl"


def ask(
    feed: FeedServer,  # noqa: F811
    folder: Path,  # noqa: F811
    wanted: tuple[tuple[str, str, str], ...] = WANTED,
    *,
    now: int = NOW_MS,
    path: str = "/v0/orgs/house",
    token: str = "t0ken",
) -> Fetched:
    url = feed.url(path)
    setting = Setting(url=url, token=token, now_ms=now, wanted=wanted)
    known: dict[str, Any] = {"ca_file": feed.ca_file, "base": url, "deadline_s": 30.0, "patience_s": 2.0}
    with Web(str(folder), SOURCE.hosts, token=token, token_hosts=[feed.host], **known) as web:
        return SOURCE.fetch(web, str(folder), setting)


def purls(seen: Seen) -> list[str]:
    return [one["purl"] for one in json.loads(seen.body)["components"]]


def row(name: str, version: str, *alerts: str) -> bytes:
    said = [{"type": alert, "severity": "critical", "category": "supplyChainRisk"} for alert in alerts]
    return json.dumps({"type": "npm", "name": name, "version": version, "alerts": said}).encode() + b"\n"


def test_only_what_is_called_malware_counts(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    feed.serve(PLACE, REPLY, token="t0ken")
    got = ask(feed, folder)
    assert got.changed
    assert isinstance(got.provenance, PinnedOrigin)
    assert told(understood(SOURCE, folder).records) == {
        ("npm", "invented-stealer", "exact", ("1.0.2",), "critical"),
        ("pypi", "invented-guess", "exact", ("0.1.0",), "high"),
    }
    seen = feed.asked(PLACE)[0]
    assert (seen.headers["authorization"], seen.query) == ("Bearer t0ken", "alerts=true&compact=true")
    assert purls(seen) == [
        "pkg:golang/github.com/invented/mod@v1.2.3",
        "pkg:npm/%40invented/honest@4.0.0",
        "pkg:npm/invented-gone@9.9.9",
        "pkg:npm/invented-ignored@1.0.0",
        "pkg:npm/invented-stealer@1.0.2",
        "pkg:pypi/invented-guess@0.1.0",
    ]


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        ({"type": "malware", "action": "warn"}, "critical"),
        ({"type": "malware"}, "critical"),
        ({"type": "malware", "action": "ignore"}, ""),
        ({"type": "gptMalware", "action": "monitor"}, "high"),
        ({"type": "obfuscatedFile", "severity": "critical", "category": "supplyChainRisk", "action": "error"}, "high"),
        ({"type": "obfuscatedFile", "severity": "critical", "category": "supplyChainRisk", "action": "warn"}, ""),
        ({"type": "obfuscatedFile", "severity": "high", "category": "supplyChainRisk", "action": "error"}, ""),
        ({"type": "criticalCVE", "severity": "critical", "category": "vulnerability", "action": "error"}, ""),
        ({"type": ["malware"]}, ""),
    ],
)
def test_how_alerts_are_rated(alert: dict[str, Any], said: str) -> None:
    line = {"type": "npm", "name": "x", "version": "1.0.0", "alerts": [{"type": "installScripts"}, alert]}
    assert socket.replies(json.dumps(line).encode()) == {("npm", "x", "1.0.0"): said}


def test_an_answer_lives_a_day(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    feed.serve(PLACE, REPLY)
    ask(feed, folder)
    again = ask(feed, folder, now=NOW_MS + LIFE_MS - 1)
    assert len(feed.asked(PLACE)) == 1
    assert not again.changed
    assert isinstance(again.provenance, PinnedOrigin)
    ask(feed, folder, now=NOW_MS + LIFE_MS)
    assert len(feed.asked(PLACE)) == 2
    ask(feed, folder, now=NOW_MS - 1)
    assert len(feed.asked(PLACE)) == 3, "an answer from the future is no answer"
    new = (*WANTED, ("npm", "another", "1.0.0"))
    ask(feed, folder, new, now=NOW_MS)
    assert purls(feed.asked(PLACE)[3]) == ["pkg:npm/another@1.0.0"]


def test_what_is_held_against_a_package_is_asked_again_until_it_is_cleared(
    feed: FeedServer,  # noqa: F811
    folder: Path,  # noqa: F811
) -> None:
    feed.serve(PLACE, row("bad", "1.0.0", "malware") + row("fine", "1.0.0"))
    ask(feed, folder, (("npm", "bad", "1.0.0"), ("npm", "fine", "1.0.0")))
    feed.serve(PLACE, b"")
    ask(feed, folder, (), now=NOW_MS + LIFE_MS)
    assert purls(feed.asked(PLACE)[1]) == ["pkg:npm/bad@1.0.0"]
    held = understood(SOURCE, folder)
    assert [r.name for r in held.records] == ["bad"], "silence clears nothing"
    feed.serve(PLACE, row("bad", "1.0.0"))
    assert ask(feed, folder, (), now=NOW_MS + 2 * LIFE_MS).changed
    cleared = understood(SOURCE, folder)
    assert cleared.records == []
    assert [(w.name, w.versions, w.group) for w in cleared.withdrawn] == [("bad", ("1.0.0",), "socket")]
    assert merge(held.records, cleared.withdrawn) == []


def test_many_are_asked_in_few_questions_and_what_was_answered_is_kept(
    feed: FeedServer,  # noqa: F811
    folder: Path,  # noqa: F811
) -> None:
    wanted = tuple(("npm", f"p{at:04d}", "1.0.0") for at in range(AT_ONCE + 1))

    def answer(seen: Seen) -> bytes:
        if len(feed.requests) == 2:
            return b"<html>"
        return row("p0000", "1.0.0", "malware")

    feed.answer(PLACE, answer)
    with pytest.raises(FeedError, match="cannot be understood"):
        ask(feed, folder, wanted)
    feed.requests.clear()
    feed.routes.pop(PLACE)
    feed.answer(PLACE, lambda seen: row("p0000", "1.0.0", "malware"))
    ask(feed, folder, wanted)
    assert [len(purls(seen)) for seen in feed.requests] == [AT_ONCE, 1]


def test_a_failure_half_way_keeps_the_first_half(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    wanted = tuple(("npm", f"p{at:04d}", "1.0.0") for at in range(AT_ONCE + 1))

    def answer(seen: Seen) -> bytes:
        feed.status(PLACE, 429, "60")
        return row("p0000", "1.0.0", "malware")

    feed.answer(PLACE, answer)
    got = ask(feed, folder, wanted)
    assert got.changed
    assert got.note.startswith(f"{AT_ONCE} of {AT_ONCE + 1} packages were asked about, then: ")
    assert [r.name for r in understood(SOURCE, folder).records] == ["p0000"]
    with pytest.raises(FeedError) as raised:
        ask(feed, folder, wanted)
    assert (raised.value.kind, raised.value.retry_after_s) == ("status", 60)


def test_nothing_that_was_not_asked_is_believed(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    feed.serve(PLACE, row("x", "1.0.0") + row("left-alone", "1.0.0", "malware") + row("x", "2.0.0", "malware"))
    ask(feed, folder, (("npm", "x", "1.0.0"),))
    assert understood(SOURCE, folder).records == []


def test_what_has_no_version_or_no_purl_is_not_asked(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    got = ask(feed, folder, (("npm", "x", ""), ("editor-extension", "a.b", "1.0.0"), ("mcp", "m", "1")))
    assert feed.requests == []
    assert not got.changed
    assert isinstance(got.provenance, Unproven)
    assert understood(SOURCE, folder).records == []


def test_the_organisation_is_found_by_the_token(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    feed.serve(PLACE, row("x", "1.0.0"))
    feed.serve("/v0/organizations", b'{"organizations": {"7": {"id": "7", "slug": "house"}}}', token="t0ken")
    ask(feed, folder, path="/v0")
    assert [seen.path for seen in feed.requests] == ["/v0/organizations", PLACE]
    for said, kind in (
        (b'{"organizations": {"7": {"slug": "a"}, "8": {"slug": "b"}}}', "setting"),
        (b'{"organizations": {"7": {"slug": "../x"}}}', "setting"),
        (b'{"organizations": {}}', "setting"),
        (b'{"organizations": []}', "malformed"),
        (b"no", "malformed"),
    ):
        feed.serve("/v0/organizations", said)
        with pytest.raises(FeedError) as raised:
            ask(feed, folder, path="/v0", now=NOW_MS + LIFE_MS)
        assert raised.value.kind == kind


@pytest.mark.parametrize(
    "line",
    [b"[]", b'["npm","x","1","1","","none"]', b'["npm","x","1",1,"bad","none"]', b'["npm","x","1",1,"","word"]', b"{"],
)
def test_a_file_of_verdicts_that_is_none_is_refused(feed: FeedServer, folder: Path, line: bytes) -> None:  # noqa: F811
    folder.mkdir()
    (folder / socket.FILE).write_bytes(line + b"\n")
    with pytest.raises(FeedError, match=socket.FILE):
        understood(SOURCE, folder)
    with pytest.raises(FeedError, match=socket.FILE):
        ask(feed, folder)


def test_a_mirror_without_tls_proves_nothing(folder: Path) -> None:  # noqa: F811
    with FeedServer(tls=False) as plain:
        plain.serve(PLACE, row("bad", "1.0.0", "malware"))
        got = ask(plain, folder, (("npm", "bad", "1.0.0"),), token="")
        assert isinstance(got.provenance, Unproven)
        again = ask(plain, folder, (), token="")
        assert isinstance(again.provenance, Unproven), "what was not proven then is not proven by waiting"
