"""What a person decides: accept, roll back, rebuild, verify, export, forget."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.catalogs import accepted, person, run
from bk.engine.errors import BkError
from bk.engine.intel import bundle, generations, signed
from bk.engine.intel.index import Index
from tests.e2e.catalog_house import DAY_MS, CatalogHouse, rows
from tests.unit.catalogs.conftest import Doing

LIST = "/l.json"


@pytest.fixture
def listed(house: CatalogHouse, doing: Doing) -> CatalogHouse:
    """Two generations: 100 entries, then 110."""
    house.use("list", LIST)
    for count in (100, 110):
        house.feed.serve(LIST, rows("evil", count), etag=str(count))
        assert doing(run.sync, force=True)["activated"]
    return house


def root(house: CatalogHouse) -> Path:
    return Path(house.state.intel, "feeds/list")


def number(house: CatalogHouse) -> int:
    now = generations.in_force(house.state)
    assert now is not None
    return now.number


def test_going_back_is_not_undone_by_the_next_sync(listed: CatalogHouse, doing: Doing) -> None:
    assert listed.install("evil-105@1.0.0") == "block"
    assert doing(person.rollback) == {"generation": 1, "was": 2, "held": ["list"]}
    assert listed.install("evil-105@1.0.0") == "allow"
    assert listed.install("evil-5@1.0.0") == "block"
    held = listed.row("list").held
    assert held is not None
    assert (held.reason, held.added, held.removed) == ("a person went back to generation 1", 10, 0)
    for _ in range(2):
        assert doing(run.sync, force=True)["sources"]["list"]["outcome"] == "held"
    listed.feed.serve(LIST, rows("evil", 120), etag="120")
    said = doing(run.sync, force=True)
    assert (said["generation"], said["activated"], said["sources"]["list"]["added"]) == (1, False, 20)
    assert listed.install("evil-105@1.0.0") == "allow"
    doing(person.accept, "list")
    assert listed.install("evil-119@1.0.0") == "block"
    assert listed.row("list").state == "good"
    assert [each.data["event"] for each in listed.entries()][-5:] == [
        "activated", "rolled-back", "held", "accepted", "activated",
    ]  # fmt: skip


def test_others_go_on_while_one_was_gone_back_from(listed: CatalogHouse, doing: Doing) -> None:
    doing(person.rollback)
    listed.feed.serve(
        "/aikido/malware_predictions.json", b'[{"package_name":"a1","version":"1.0.0","reason":"MALWARE"}]'
    )
    listed.feed.serve("/aikido/malware_pypi.json", b'[{"package_name":"b1","version":"1.0.0","reason":"MALWARE"}]')
    listed.use("aikido", "/aikido")
    assert doing(run.sync, force=True)["sources"]["aikido"]["outcome"] == "updated"
    assert listed.install("a1@1.0.0") == "block"
    assert listed.install("evil-105@1.0.0") == "allow"


def test_going_back_to_a_number_and_to_the_beginning(house: CatalogHouse, doing: Doing) -> None:
    bundle.ensure(house.state)
    house.use("list", LIST)
    for count in (100, 110):
        house.feed.serve(LIST, rows("evil", count), etag=str(count))
        doing(run.sync, force=True)
    with pytest.raises(BkError, match="no such generation"):
        doing(person.rollback, 9)
    assert doing(person.rollback, 1)["generation"] == 1
    assert not (root(house) / accepted.NAME).exists()
    assert house.install("evil-5@1.0.0") == "allow"
    assert doing(run.sync, force=True)["sources"]["list"]["outcome"] == "held"
    assert number(house) == 1
    doing(person.accept, "list")
    assert house.install("evil-105@1.0.0") == "block"


def test_there_must_be_something_to_go_back_to(house: CatalogHouse, doing: Doing) -> None:
    bundle.ensure(house.state)
    with pytest.raises(BkError, match="go back to"):
        doing(person.rollback)


def test_a_damaged_generation_is_not_gone_back_to(listed: CatalogHouse, doing: Doing) -> None:
    old = generations.listed(listed.state)[0].path
    data = bytearray(Path(old).read_bytes())
    data[-5] ^= 1
    Path(old).write_bytes(data)
    with pytest.raises(BkError, match="index"):
        doing(person.rollback)
    assert number(listed) == 2
    assert listed.row("list").held is None


def test_only_what_was_told_of_is_accepted(listed: CatalogHouse, doing: Doing) -> None:
    with pytest.raises(BkError, match="nothing of that source waits"):
        doing(person.accept, "list")
    listed.feed.serve(LIST, rows("evil", 9000), etag="flood")
    doing(run.sync, force=True)
    (root(listed) / accepted.HELD).write_bytes((root(listed) / accepted.NAME).read_bytes())
    with pytest.raises(BkError, match="what waits is not what was told of"):
        doing(person.accept, "list")
    assert number(listed) == 2


def test_after_a_word_growth_counts_anew(listed: CatalogHouse, doing: Doing) -> None:
    listed.feed.serve(LIST, rows("evil", 9000), etag="flood")
    doing(run.sync, force=True)
    doing(person.accept, "list")
    listed.feed.serve(LIST, rows("evil", 9100), etag="more")
    assert doing(run.sync, force=True)["sources"]["list"]["outcome"] == "updated"


def test_a_rebuild_mends_what_is_in_force(listed: CatalogHouse, doing: Doing) -> None:
    now = generations.in_force(listed.state)
    assert now is not None
    Path(now.path).write_bytes(b"rubbish")
    assert doing(person.verify)["problems"]
    assert doing(person.rebuild)["lost"] == []
    assert doing(person.verify)["problems"] == []
    assert listed.install("evil-105@1.0.0") == "block"
    Path(listed.state.intel, "current").unlink()
    doing(person.rebuild)
    assert listed.install("evil-105@1.0.0") == "block"


def test_a_rebuild_says_which_facts_were_lost_and_they_are_asked_for_again(listed: CatalogHouse, doing: Doing) -> None:
    path = root(listed) / accepted.NAME
    path.write_bytes(path.read_bytes().replace(b"evil-7\t", b"evil-8\t"))
    assert "it was altered" in doing(person.verify)["problems"][0]
    assert doing(person.rebuild)["lost"] == ["list"]
    assert listed.install("evil-5@1.0.0") == "allow"
    assert listed.row("list").problem_kind == "damaged"
    assert listed.entries("facts lost")[0].data["source"] == "list"
    assert doing(run.sync)["sources"]["list"]["outcome"] == "updated"
    assert listed.install("evil-5@1.0.0") == "block"


def test_switching_off_takes_its_entries_out_and_on_brings_them_back(listed: CatalogHouse, doing: Doing) -> None:
    said = listed.on.pop("list")
    listed.settings()
    assert doing(run.sync)["activated"]
    assert listed.install("evil-5@1.0.0") == "allow"
    listed.on["list"] = said
    listed.settings()
    assert doing(run.sync)["activated"]
    assert listed.install("evil-5@1.0.0") == "block"
    assert len(listed.feed.asked(LIST)) == 2


def test_an_export_is_what_is_in_force_and_an_import_elsewhere_decides_the_same(
    listed: CatalogHouse, doing: Doing, tmp_path: Path
) -> None:
    out = tmp_path / "out.facts"
    said = doing(person.export, str(out))
    assert said["records"] == len(out.read_text().splitlines()) - 2
    assert out.stat().st_mode & 0o777 == 0o600
    assert not Path(f"{out}.note").exists()
    secret, public = signed.mint("org.example")
    (tmp_path / "key").write_text(secret)
    doing(person.export, str(out), key=str(tmp_path / "key"))
    note = Path(f"{out}.note").read_bytes()
    feed = signed.read(note, public)
    assert feed.checked("out.facts", out.read_bytes())
    with pytest.raises(BkError, match="cannot be signed"):
        doing(person.export, str(out), key=str(out))


def test_what_was_imported_can_be_taken_back(house: CatalogHouse, doing: Doing, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(rows("evil", 3))
    house.work("import", str(path), "--as", "mine", "--vouch", "seen it")
    assert house.install("evil-1@1.0.0") == "block"
    with pytest.raises(BkError, match="no such import"):
        doing(person.forget, "list")
    assert doing(person.forget, "import-mine")["activated"]
    assert house.install("evil-1@1.0.0") == "allow"
    assert not [row for row in house.status().sources if row.name == "import-mine"]


def test_an_upgrade_is_built_in_by_the_worker_and_never_by_a_call(
    listed: CatalogHouse, doing: Doing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "facts.tsv"
    line = "npm\tzz-new\texact\tcritical\tossf\tpinned_origin\tMAL-1\t2026-01-01\tossf\t1.0.0"
    facts.write_text(f"{Path(bundle.FACTS).read_text()}{line}\n")
    monkeypatch.setattr(bundle, "FACTS", str(facts))
    assert listed.install("zz-new@1.0.0") == "allow"
    assert number(listed) == 2
    assert doing(run.sync)["activated"]
    assert listed.install("zz-new@1.0.0") == "block"


def test_dropped_entries_go_after_their_time_without_any_news(listed: CatalogHouse, doing: Doing) -> None:
    listed.feed.serve(LIST, rows("evil", 100), etag="100")
    now = listed.status().now_ms
    assert doing(run.sync, force=True, at_ms=now)["sources"]["list"]["removed"] == 10
    assert not doing(run.sync, force=True, at_ms=now + 29 * DAY_MS)["activated"]
    assert listed.install("evil-105@1.0.0") == "block"
    assert doing(run.sync, force=True, at_ms=now + 31 * DAY_MS)["activated"]
    assert listed.install("evil-105@1.0.0") == "allow"


def test_losing_the_database_undoes_no_rollback(listed: CatalogHouse, doing: Doing) -> None:
    doing(person.rollback)
    for path in Path(listed.state.intel).glob("catalogs.db*"):
        path.unlink()
    assert doing(run.sync, force=True)["sources"]["list"]["outcome"] == "held"
    assert listed.row("list").state == "degraded"
    assert listed.install("evil-105@1.0.0") == "allow"
    doing(person.accept, "list")
    assert listed.install("evil-105@1.0.0") == "block"
    assert listed.row("list").state == "good"


def test_a_check_finds_what_is_missing_in_a_whole_generation(listed: CatalogHouse, doing: Doing) -> None:
    now = generations.in_force(listed.state)
    assert now is not None
    index = Index.open(now.path)
    records, meta = [record for record in index if record.name != "evil-0"], index.meta
    index.close()
    generations.activate(listed.state, records, meta, "live")
    assert doing(person.verify)["problems"] == ["it does not find what it must: npm evil-0 of list"]
