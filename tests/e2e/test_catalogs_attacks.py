"""What one hostile source, two of them, or mirrors of one can do, through the decision that a call would get."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bk.engine.config import snapshot
from bk.engine.corpus.promote import enact
from bk.engine.corpus.shapes import OverlayEntry
from bk.engine.corpus.store import Corpus
from bk.engine.intel import bundle
from bk.engine.intel.compact import parse
from bk.engine.intel.record import Record
from bk.engine.state import State
from tests.e2e.catalog_house import CatalogHouse, Signer, fact, rows
from tests.feeds.server import FeedServer


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def house(state: State, feed: FeedServer) -> CatalogHouse:
    return CatalogHouse(state, feed)


def listed(*packages: tuple[str, str], severity: str = "critical") -> bytes:
    return json.dumps([{"name": name, "version": version, "severity": severity} for name, version in packages]).encode()


def known(group: str) -> Record:
    """A fact that bk itself brings, said by this group alone, of one exact npm version."""
    with open(bundle.FACTS, encoding="utf-8") as file:
        return next(
            record
            for record in parse(file.read(), bundle.FACTS)
            if record.groups == (group,) and record.ecosystem == "npm" and record.kind == "exact"
            and record.severity == "critical"
        )  # fmt: skip


def osv(ident: str, name: str, *versions: str, withdrawn: bool = False, ranges: object = ()) -> dict[str, object]:
    """An OSV record."""
    made: dict[str, object] = {
        "id": ident, "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "npm", "name": name}, "versions": versions, "ranges": ranges}],
    }  # fmt: skip
    return {**made, "withdrawn": "2026-02-01T00:00:00Z"} if withdrawn else made


def test_one_source_blocks_the_exact_versions_that_it_calls_critical_and_no_more(
    house: CatalogHouse, feed: FeedServer
) -> None:
    feed.serve("/l.json", listed(("left-pad", "1.3.0"), ("every", "*")) [:-1] + b"," +
               listed(("mild", "1.0.0"), severity="low")[1:])  # fmt: skip
    house.use("list", "/l.json")
    assert house.sync()["ok"]
    assert house.install("left-pad@1.3.0") == "block"
    assert house.install("left-pad@1.2.0") == "allow"
    assert house.install("every@1.0.0") == "ask"
    assert house.install("every") == "ask"
    assert house.install("mild@1.0.0") == "warn"


def test_two_factors_leave_one_source_a_warning(house: CatalogHouse, feed: FeedServer) -> None:
    feed.serve("/l.json", listed(("left-pad", "1.3.0"), ("every", "*")))
    house.use("list", "/l.json")
    house.settings(corroboration__critical_block_at=2)
    assert house.sync()["ok"]
    assert house.install("left-pad@1.3.0") == "warn"
    assert house.install("every@1.0.0") == "ask"


@pytest.mark.parametrize("severity", ["critical", "high"])
def test_one_source_never_quarantines_however_often_it_says_so(
    house: CatalogHouse, feed: FeedServer, severity: str
) -> None:
    signer = Signer(feed)
    signer.publish(
        fact("x", "1.0.0", severity=severity, ident="A-1"),
        fact("x", "1.0.0", "1.0.1", severity=severity, ident="A-2", groups="ossf datadog github"),
        fact("x", severity=severity, ident="A-3", groups="aikido"),
        fact("x", ">=0.9.0,<1.1.0", kind="range", severity=severity, ident="A-4"),
        serial=1,
    )
    house.use("org", "/org", key=signer.public)
    assert house.sync()["ok"]
    assert house.install("x@1.0.0") == ("block" if severity == "critical" else "warn")


def test_mirrors_of_one_list_are_one_voice_and_two_lists_are_two(house: CatalogHouse, feed: FeedServer) -> None:
    records = [osv(f"MAL-2026-{n}", "shared", f"{n}.0.0") for n in range(3)]
    folder = house.project / "records"
    folder.mkdir()
    for number, record in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(record))
    for name in ("one", "two", "three"):  # the same records, by three ways
        assert house.work("import", str(folder), "--as", name, "--vouch", "a test")["ok"]
    house.settings(corroboration__critical_block_at=2)
    assert house.install("shared@1.0.0") == "warn"
    feed.serve("/l.json", listed(("shared", "1.0.0")))
    house.use("list", "/l.json")
    assert house.sync()["ok"]
    assert house.install("shared@1.0.0") == "quarantine"  # two groups, critical: as it is set
    assert house.install("shared@2.0.0") == "warn"


def test_files_that_nobody_vouches_for_never_count(house: CatalogHouse) -> None:
    for number in range(4):
        path = house.project / f"list{number}.json"
        path.write_bytes(listed(("x", "1.0.0"), ("y", "*")))
        assert house.work("import", str(path))["ok"]
    assert house.install("x@1.0.0") == "warn"
    assert house.install("y@1.0.0") == "warn"


def test_a_source_cannot_unblock_what_bk_or_a_person_or_another_source_says(
    house: CatalogHouse, feed: FeedServer
) -> None:
    bundled = known("datadog")
    pinned = f"{bundled.name}@{bundled.versions[-1]}"
    assert house.install(pinned) == "block"
    feed.serve("/l.json", listed(("listed", "1.0.0")))
    house.use("list", "/l.json")
    assert house.sync()["ok"]
    added = OverlayEntry(
        "ov-1", "pkg:npm/local@1.0.0", "npm", "local", "1.0.0", severity="critical", reason="a person", label="",
        tier="enforce", created_ms=1, expires_ms=1 << 42, created_by="person:1000",
    )  # fmt: skip
    with Corpus(house.state, write=True) as corpus:
        enact(house.state, corpus, snapshot.read(house.state).values, [added], 1)
    assert house.install("local@1.0.0") == "block"
    folder = house.project / "withdrawals"
    folder.mkdir()
    gone = [bundled.name, "listed", "local"]
    for number, name in enumerate(gone):
        record = osv(f"MAL-2026-{number}", name, "1.0.0", *bundled.versions, withdrawn=True)
        record["aliases"] = [*bundled.ident.split(), "GHSA-1", "A-1"]
        (folder / f"{number}.json").write_text(json.dumps(record))
        every = osv(
            f"MAL-2026-9{number}", name, withdrawn=True, ranges=[{"type": "SEMVER", "events": [{"introduced": "0"}]}]
        )
        (folder / f"all{number}.json").write_text(json.dumps(every))
    assert house.work("import", str(folder), "--vouch", "a test")["ok"]
    for package in (pinned, "listed@1.0.0", "local@1.0.0"):
        assert house.install(package) == "block", package
    added.state = "revoked"
    with Corpus(house.state, write=True) as corpus:
        enact(house.state, corpus, snapshot.read(house.state).values, [added], 2)
    assert house.install("local@1.0.0") == "allow"


def test_a_source_takes_back_its_own_word_at_once(house: CatalogHouse) -> None:
    path = house.project / "osv.json"
    path.write_text(json.dumps(osv("MAL-2026-1", "mistaken", "1.0.0")))
    assert house.work("import", str(path), "--as", "o", "--vouch", "a test")["ok"]
    assert house.install("mistaken@1.0.0") == "block"
    path.write_text(json.dumps(osv("MAL-2026-1", "mistaken", "1.0.0", withdrawn=True)))
    assert house.work("import", str(path), "--as", "o", "--vouch", "a test")["ok"]
    assert house.install("mistaken@1.0.0") == "allow"


def test_what_a_source_merely_drops_stays_blocked(house: CatalogHouse, feed: FeedServer) -> None:
    def said(count: int, mild: int = 0) -> bytes:
        names = [f"evil-{number}" for number in range(count)]
        return listed(*((name, "1.0.0") for name in names[:mild]), severity="low")[:-1] + (b"," if mild else b"") + (
            listed(*((name, "1.0.0") for name in names[mild:]))[1:]
        )  # fmt: skip

    feed.serve("/l.json", said(200), etag="1")
    house.use("list", "/l.json")
    assert house.sync()["ok"]
    feed.serve("/l.json", said(190), etag="2")
    assert house.sync()["sources"]["list"] == {"outcome": "updated", "detail": "", "added": 0, "removed": 10}
    assert house.install("evil-195@1.0.0") == "block"
    feed.serve("/l.json", said(190, mild=5), etag="3")
    assert house.sync()["sources"]["list"]["outcome"] == "updated"
    assert house.install("evil-2@1.0.0") == "block", "made harmless is no withdrawal"
    house.settings(catalog_sync__keep_dropped_days=0)
    assert house.sync()["ok"]
    assert house.install("evil-195@1.0.0") == "allow", "as it is set, also without any news"
    assert house.install("evil-2@1.0.0") == "warn"


def test_flooding_or_degrading_a_source_weakens_nothing(house: CatalogHouse, feed: FeedServer) -> None:
    signer = Signer(feed)
    signer.publish(fact("both", "1.0.0"), fact("own", "1.0.0"), serial=1)
    feed.serve("/l.json", rows("evil", 50)[:-1] + b"," + listed(("both", "1.0.0"))[1:], etag="1")
    house.use("list", "/l.json")
    house.use("org", "/org", key=signer.public)
    assert house.sync()["ok"]
    packages = ("both@1.0.0", "own@1.0.0", "evil-3@1.0.0", f"{known('datadog').name}@{known('datadog').versions[0]}")
    before = {package: house.install(package) for package in packages}
    assert before["both@1.0.0"] == "quarantine"
    assert set(before.values()) == {"quarantine", "block"}
    feed.serve("/l.json", rows("flood", 20_000), etag="2")
    assert house.sync()["sources"]["list"]["outcome"] == "held"
    assert {package: house.install(package) for package in packages} == before
    feed.status("/l.json", 500)
    signer.publish(fact("nothing", "1.0.0"), serial=0)
    assert {each["outcome"] for each in house.sync()["sources"].values()} == {"failed"}
    assert {package: house.install(package) for package in packages} == before
    with FeedServer(tls=False) as plain:  # a network that strips TLS: the entries keep their voice
        plain.serve("/l.json", rows("evil", 50))
        house.use("list", plain.url("/l.json"))
        assert house.sync("list")["sources"]["list"]["outcome"] == "held"
    assert {package: house.install(package) for package in packages} == before


def test_a_source_cannot_fill_the_index_so_that_nobody_can_be_heard(house: CatalogHouse, feed: FeedServer) -> None:
    signer = Signer(feed)
    signer.publish(fact("fine", "1.0.0"), serial=1)
    huge = [{"name": "huge", "version": f"{n}.0.0-{'a' * 200}"} for n in range(9000)]
    feed.serve("/l.json", json.dumps([*huge, {"name": "small", "version": "1.0.0"}]).encode())
    house.use("list", "/l.json")
    house.use("org", "/org", key=signer.public)
    said = house.sync()
    assert said["sources"]["org"]["outcome"] == "updated"
    assert house.install("fine@1.0.0") == "block"
    assert house.install("small@1.0.0") == "block"
