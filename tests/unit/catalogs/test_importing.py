"""Files that a person brings: recognised, and worth what stands behind them."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from bk.engine.catalogs import importing, person, run
from bk.engine.catalogs.importing import bring
from bk.engine.errors import BkError
from bk.engine.intel import compact, signed
from bk.engine.intel.names import ECOSYSTEMS
from tests.e2e.catalog_house import DAY_MS, CatalogHouse, fact, rows
from tests.unit.catalogs.conftest import Doing

NOW = 1_800_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "My List.json"
    made.write_bytes(rows("evil", 3))
    return made


def facts(*lines: str) -> bytes:
    return "\n".join((compact.HEAD, *lines, "")).encode()


def test_without_a_word_it_may_warn(house: CatalogHouse, doing: Doing, path: Path) -> None:
    said = doing(bring, [str(path)])
    assert said["sources"] == {"import-list-my-list": {"outcome": "updated", "detail": "", "added": 3, "removed": 0}}
    assert house.install("evil-1@1.0.0") == "warn"
    assert house.row("import-list-my-list").provenance == "none"
    assert house.row("import-list-my-list").state == "good"


def test_an_admins_word_makes_it_a_voice(house: CatalogHouse, doing: Doing, path: Path) -> None:
    doing(bring, [str(path)], vouch="from our CERT, ticket 5")
    assert house.install("evil-1@1.0.0") == "block"
    [entry] = house.entries("imported")
    assert (entry.data["vouch"], entry.actor) == ("from our CERT, ticket 5", "person:1")
    assert entry.data["paths"] == [str(path)]


def test_a_digest_makes_it_a_voice(house: CatalogHouse, doing: Doing, path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(BkError, match="does not have that digest"):
        doing(bring, [str(path)], digest="0" * 64)
    assert house.status().generation == 0
    doing(bring, [str(path)], digest=digest.upper())
    assert house.install("evil-1@1.0.0") == "block"
    with pytest.raises(BkError, match="of one file"):
        doing(bring, [str(path.parent)], digest=digest)


def test_importing_again_is_news_and_another_file_is_another_source(
    house: CatalogHouse, doing: Doing, path: Path
) -> None:
    path.write_bytes(rows("evil", 300))
    doing(bring, [str(path)], vouch="x")
    path.write_bytes(rows("evil", 20_000))
    assert doing(bring, [str(path)], vouch="x")["sources"]["import-list-my-list"]["outcome"] == "held"
    assert house.install("evil-9999@1.0.0") == "allow"
    doing(person.accept, "import-list-my-list")
    assert house.install("evil-9999@1.0.0") == "block"
    other = path.with_name("other.json")
    other.write_bytes(rows("bad", 2))
    assert doing(bring, [str(other)], vouch="x")["sources"]["import-list-other"]["added"] == 2
    assert house.install("evil-9999@1.0.0") == "block"
    assert doing(bring, [str(other)])["sources"]["import-list-other"]["outcome"] == "held", "its voice would be lost"
    assert house.install("bad-1@1.0.0") == "block"


def test_a_folder_gives_one_source_a_format(house: CatalogHouse, doing: Doing, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.json").write_bytes(rows("evil", 2))
    (folder / "deep/b.txt").write_text("npm:text-evil:1.0.0\n")
    record = {"id": "MAL-2026-1", "modified": "2026-01-01T00:00:00Z",
              "affected": [{"package": {"ecosystem": "npm", "name": "osv-evil"}, "versions": ["1.0.0"]}]}  # fmt: skip
    (folder / "MAL-2026-1.json").write_text(json.dumps(record))
    (folder / "readme.md").write_text("hello")
    (folder / ".hidden.json").write_bytes(rows("hidden", 2))
    os.symlink("/etc/passwd", folder / "link.json")
    os.mkfifo(folder / "pipe.json")
    said = doing(bring, [str(folder)], vouch="x")
    assert {name: each["added"] for name, each in said["sources"].items()} == {
        "import-list-many": 3, "import-osv-many": 1,
    }  # fmt: skip
    assert said["left_out_count"] == 1
    assert "readme.md" in said["left_out"][0]
    assert {house.install(f"{name}@1.0.0") for name in ("evil-1", "text-evil", "osv-evil")} == {"block"}
    named = doing(bring, [str(folder)], name="ours", vouch="x")
    assert sorted(named["sources"]) == ["import-ours", "import-ours-list"]


def test_archives_are_read_within_bounds(
    house: CatalogHouse, doing: Doing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/a.json", rows("evil", 2))
        archive.writestr("x/b.json", rows("worse", 2))
    assert doing(bring, [str(path)], vouch="x")["sources"]["import-list-all"]["added"] == 4
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b" " * (importing.MEMBER_MAX + 1))
    with pytest.raises(BkError, match="too large"):
        doing(bring, [str(bomb)])
    broken = tmp_path / "broken.zip"
    broken.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BkError, match="cannot be read"):
        doing(bring, [str(broken)])
    damaged = bytearray(path.read_bytes())
    damaged[60:80] = b"\xff" * 20
    broken.write_bytes(damaged)
    with pytest.raises(BkError, match="cannot be read"):
        doing(bring, [str(broken)])
    monkeypatch.setattr(importing, "FILES_MAX", 1)
    with pytest.raises(BkError, match="too many files"):
        doing(bring, [str(path)])


def test_what_is_nothing_is_an_error(house: CatalogHouse, doing: Doing, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BkError, match="nothing could be imported"):
        doing(bring, [str(empty)])
    (empty / "x.md").write_text("hello there, this is no list")
    with pytest.raises(BkError, match="nothing could be imported"):
        doing(bring, [str(empty / "x.md")])
    with pytest.raises(BkError, match="cannot be read"):
        doing(bring, [str(empty / "gone")])
    assert house.status().generation == 0


def test_facts_keep_their_groups_only_on_a_persons_word(house: CatalogHouse, doing: Doing, tmp_path: Path) -> None:
    path = tmp_path / "f.facts"
    told = "npm\tx\texact\thigh\tossf datadog\tpinned_origin\tMAL-1\t2026-01-01\tosv\t1.0.0"
    shown = "npm\ty\texact\thigh\tossf datadog\tnone\tMAL-2\t2026-01-01\tosv\t1.0.0"
    path.write_bytes(facts(told, shown))
    doing(bring, [str(path)])
    assert house.install("x@1.0.0") == "warn"
    path.with_name("g.facts").write_bytes(facts(told, shown))
    doing(bring, [str(path.with_name("g.facts"))], vouch="our other machine")
    assert house.install("x@1.0.0") == "block", "two groups that are not critical"
    assert house.install("y@1.0.0") == "warn", "nobody vouched for it there, so nobody does here"


def test_a_signed_file_is_the_organisations_voice_alone(house: CatalogHouse, doing: Doing, tmp_path: Path) -> None:
    path = tmp_path / "out.facts"
    path.write_bytes(facts(fact("x", "1.0.0", severity="high", groups="ossf datadog github")))
    secret, public = signed.mint("org.example")

    def sign(serial: int, key: str = secret, issued_ms: int = NOW) -> None:
        note = signed.sign(key, feed="export", serial=serial, issued_ms=issued_ms, expires_ms=issued_ms + 9 * DAY_MS,
                           payloads={path.name: path.read_bytes()})  # fmt: skip
        Path(f"{path}.note").write_bytes(note)

    sign(5)
    house.more["catalogs.org.key"] = public
    house.settings()
    doing(bring, [str(path)], at_ms=NOW)
    row = house.row("import-facts-out")
    assert (row.provenance, row.serial, row.group) == ("signature", 5, "org")
    assert house.install("x@1.0.0") == "warn"
    for wrong in (
        lambda: sign(4),
        lambda: sign(6, signed.mint("org.example")[0]),
        lambda: sign(6, issued_ms=NOW - 10 * DAY_MS),
        lambda: (sign(6), path.write_bytes(facts(fact("y", "1.0.0"))))[0],
    ):
        wrong()
        with pytest.raises(BkError, match="signature does not hold"):
            doing(bring, [str(path)], at_ms=NOW)
    assert house.row("import-facts-out").serial == 5


def test_an_export_decides_the_same_elsewhere(house: CatalogHouse, doing: Doing, tmp_path: Path) -> None:
    house.feed.serve("/l.json", rows("evil", 3))
    house.use("list", "/l.json")
    doing(run.sync, force=True)
    doing(person.export, str(tmp_path / "all.facts"))
    mine = {line for line in (tmp_path / "all.facts").read_text().splitlines() if not line.startswith("#")}
    house.on.clear()
    house.settings()
    doing(run.sync)
    assert house.install("evil-1@1.0.0") == "allow"
    doing(bring, [str(tmp_path / "all.facts")], vouch="my other machine")
    assert house.install("evil-1@1.0.0") == "block"
    doing(person.export, str(tmp_path / "again.facts"))
    assert mine <= set((tmp_path / "again.facts").read_text().splitlines())
    assert {line.split("\t")[0] for line in mine} <= set(ECOSYSTEMS)
