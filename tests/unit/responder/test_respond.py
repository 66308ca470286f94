"""What a pass takes is what lies there now, whole: what was added since the scan, the rows that name it, its copies."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bk.engine.console import cases
from bk.engine.inventory.item import CACHED, DIR, NONE, Item, Locator
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.scan import scan
from bk.engine.inventory.store import items
from bk.engine.responder import incidents as states
from bk.engine.responder.again import Reading, fresh
from bk.engine.responder.incidents import Book, Incident
from bk.quarantine.back import restore
from bk.quarantine.listing import listed
from tests.unit.quarantine.house import REGISTRY, extension, photograph
from tests.unit.responder.house import DAY_MS, House, events
from tests.unit.responder.test_decisions import Machine


class Read(House):
    """A house whose things are read again by the readers that find them."""

    def again(self, item: Item) -> Reading:
        """As the responder does."""
        return fresh(item, self.state.home)

    def scanned(self, root: Path, name: str) -> Item:
        """What a scan says of one thing."""
        run = scan(self.state, profile="project", roots=[str(root)], env={"HOME": self.state.home}, limits=Limits())
        (item,) = [item for item in items(self.state, run) if item.name == name]
        return item


@pytest.fixture
def house(tmp_path: Path) -> Read:
    return Read(tmp_path)


# ---- what lies there now


def library(house: Read) -> tuple[Path, Item]:
    """A Python package with one module, as a scan sees it."""
    site = house.project / ".venv" / "lib" / "python3.11" / "site-packages"
    info = site / "evil-1.0.0.dist-info"
    info.mkdir(parents=True)
    (site / "evil.py").write_text("x = 1\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0.0\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text("evil.py,,\nevil-1.0.0.dist-info/METADATA,,\nevil-1.0.0.dist-info/RECORD,,\n")
    house.say("evil", "osv", "datadog", ecosystem="pypi")
    return site, house.scanned(house.project, "evil")


def test_byte_code_that_was_made_after_the_scan_goes_with_its_module(house: Read) -> None:
    site, item = library(house)
    made = site / "__pycache__" / "evil.cpython-311.pyc"
    made.parent.mkdir()
    made.write_bytes(b"x")
    (site / "__pycache__" / "good.cpython-311.pyc").write_bytes(b"x")
    assert str(made) not in item.locator.files
    before = photograph(site)
    assert house.run([item]).moved == 1
    assert os.listdir(site) == ["__pycache__"]
    assert os.listdir(site / "__pycache__") == ["good.cpython-311.pyc"]
    (held,) = listed(house.state)
    restore(house.state, held.ident)
    assert photograph(site) == before


def test_files_that_are_listed_or_gone_since_the_scan_are_what_is_listed_now(house: Read) -> None:
    site, item = library(house)
    (site / "evil.py").unlink()
    (site / "evil_start.pth").write_text("import evil\n")
    record = site / "evil-1.0.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "evil_start.pth,,\n")
    assert house.run([item]).moved == 1
    assert os.listdir(site) == []


def test_a_package_that_became_another_version_stays(house: Read) -> None:
    site, item = library(house)
    metadata = site / "evil-1.0.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0.0", "1.0.1"))
    before = photograph(site)
    assert events(house.run([item]))[0] == "stale_evidence"
    assert photograph(site) == before


def test_a_command_that_was_linked_after_the_scan_goes_too(house: Read) -> None:
    item = house.install()
    house.say("evil", "osv", "datadog")
    links = house.project / "node_modules" / ".bin"
    links.mkdir()
    (links / "evil").symlink_to("../evil/install.sh")
    assert house.run([item]).moved == 1
    assert os.listdir(links) == []


def test_what_a_person_keeps_is_judged_by_where_it_lies_now(house: Read) -> None:
    site, item = library(house)
    house.set(exclude_paths=[f"{site}/kept/**"])
    (site / "kept").mkdir()
    (site / "kept" / "mine.py").write_text("x = 1\n")
    record = site / "evil-1.0.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "kept/mine.py,,\n")
    assert house.run([item]).moved == 0
    assert house.only().state == states.APPROVAL


# ---- the rows that name it


@pytest.fixture
def folder(house: Read) -> Path:
    house.say("acme.evil", "osv", "datadog", ecosystem="editor-extension")
    made = extension(Path(house.state.home))
    (made.parent / "extensions.json").write_text(REGISTRY.replace(" // kept as it is", ""))
    made.joinpath("package.json").write_text(
        json.dumps({"publisher": "Acme", "name": "Evil", "version": "1.0.0", "engines": {"vscode": "*"}})
    )
    return made


def rows(folder: Path) -> list[str]:
    """What the registry names."""
    return [row["relativeLocation"] for row in json.loads((folder.parent / "extensions.json").read_text())]


def test_an_extension_goes_with_its_row_and_comes_back_with_it(house: Read, folder: Path) -> None:
    before = photograph(folder.parent)
    item = house.scanned(folder.parent, "acme.evil")
    assert house.run([item]).moved == 1
    assert not folder.exists()
    assert rows(folder) == ["good.ext-2.0.0", "acme.evil-0.9.0"]
    (held,) = listed(house.state)  # one item, and not one for the folder and one for the row
    restore(house.state, held.ident)
    assert photograph(folder.parent) == before


def test_a_row_that_was_written_after_the_scan_is_the_one_that_goes(house: Read, folder: Path) -> None:
    item = house.scanned(folder.parent, "acme.evil")
    assert item.locator.also == (f"{folder.parent}/extensions.json#/1",)
    told = json.loads((folder.parent / "extensions.json").read_text())
    told.insert(0, {"identifier": {"id": "new.ext"}, "version": "1.0.0", "relativeLocation": "new.ext-1.0.0"})
    (folder.parent / "extensions.json").write_text(json.dumps(told))
    assert house.run([item]).moved == 1
    assert rows(folder) == ["new.ext-1.0.0", "good.ext-2.0.0", "acme.evil-0.9.0"]


def test_a_row_that_lies_about_its_version_goes_by_the_folder_that_it_names(house: Read, folder: Path) -> None:
    registry = folder.parent / "extensions.json"
    registry.write_text(registry.read_text().replace('"version": "1.0.0"', '"version": "7.7.7"'))
    assert house.run([house.scanned(folder.parent, "acme.evil")]).moved == 1
    assert rows(folder) == ["good.ext-2.0.0", "acme.evil-0.9.0"]


def test_both_rows_of_a_plugin_that_is_installed_twice_go_with_it(house: Read) -> None:
    root = Path(house.state.home, ".claude", "plugins")
    lies = root / "cache" / "market" / "evil" / "1.0.0"
    (lies / ".claude-plugin").mkdir(parents=True)
    (lies / ".claude-plugin" / "plugin.json").write_text('{"name": "evil", "version": "1.0.0"}')
    row = {"installPath": str(lies), "version": "1.0.0"}
    other = {"installPath": "/elsewhere", "version": "2.0.0"}
    installs = {"plugins": {"evil@market": [{**row, "scope": "user"}, other, {**row, "scope": "project"}]}}
    (root / "installed_plugins.json").write_text(json.dumps(installs, indent=2))
    settings = root.parent / "settings.json"
    settings.write_text('{"enabledPlugins": {"evil@market": true, "good@market": true}}')
    house.say("evil@market", "osv", "datadog", ecosystem="agent-skill")
    before = photograph(root.parent)
    run = scan(house.state, profile="project", roots=[str(root)], env={"HOME": house.state.home}, limits=Limits())
    seen = [item for item in items(house.state, run) if item.version == "1.0.0"]
    assert house.run(seen).moved == 1
    assert json.loads((root / "installed_plugins.json").read_text()) == {"plugins": {"evil@market": [other]}}
    assert json.loads(settings.read_text()) == {"enabledPlugins": {"good@market": True}}
    (held,) = listed(house.state)
    restore(house.state, held.ident)
    assert photograph(root.parent) == before


# ---- cached copies


def cached(house: House, name: str = "evil", version: str = "1.0.0", number: int = 1) -> Item:
    """A copy in bun's cache."""
    path = Path(house.state.home, ".bun", "install", "cache", f"{name}@{version}@@@{number}")
    path.mkdir(parents=True)
    (path / "package.json").write_text(json.dumps({"name": name, "version": version}))
    told = {"kind": CACHED, "manager": "bun", "root": str(path.parent), "observed": f"{path}/package.json"}
    return house.item(name, version, Locator(DIR, str(path)), **told)


@pytest.fixture
def plain(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.say("evil", "osv", "datadog")
    return made


def by_path(house: House) -> dict[str, Incident]:
    return {one.path: one for one in house.incidents()}


def test_cached_copies_go_along_each_as_an_item_of_its_own(plain: House) -> None:
    copies = [cached(plain, number=number) for number in (1, 2)]
    item = plain.install()
    outcome = plain.run([*copies, item])
    assert (outcome.moved, plain.held()) == (3, ["evil"] * 3)
    assert not any(os.path.lexists(one.locator.path) for one in (item, *copies))
    found = by_path(plain)
    main = found[item.locator.path]
    assert "sources agree" in main.why
    for copy in copies:
        assert found[copy.locator.path].state == states.QUARANTINED
        assert main.id in found[copy.locator.path].why
    said = [entry.data.get("along") for entry in outcome.entries if entry.data["event"] == "catalog_quarantine"]
    assert said == [None, main.id, main.id]
    holds = {os.fsdecode(held.parts[0].path): held for held in listed(plain.state)}
    assert {path: held.incident for path, held in holds.items()} == {path: one.id for path, one in found.items()}


def test_copies_are_part_of_one_decision_and_count_once(plain: House) -> None:
    plain.set(max_moves=1)
    plain.say("worse", "osv", "datadog")
    every = [plain.install(), cached(plain), cached(plain, number=2), plain.install("worse"), cached(plain, "worse")]
    outcome = plain.run(every)
    assert (outcome.moved, plain.held()) == (3, ["evil"] * 3)
    assert [one.state for one in plain.incidents() if one.name == "worse"] == [states.APPROVAL] * 2


def test_copies_of_other_versions_and_of_other_names_stay(plain: House) -> None:
    plain.install()
    others = [cached(plain, version="2.0.0"), cached(plain, "good")]
    assert plain.run([plain.item("evil", "1.0.0", Locator(DIR, f"{plain.project}/node_modules/evil")), *others]).moved
    assert all(Path(one.locator.path).is_dir() for one in others)


def test_a_dry_run_tells_of_the_copies_and_moves_none(plain: House) -> None:
    plain.set(dry_run=True)
    copy, item = cached(plain), plain.install()
    before = photograph(Path(plain.state.home, ".bun")), photograph(plain.project)
    assert plain.run([copy, item]).would == 2
    assert (photograph(Path(plain.state.home, ".bun")), photograph(plain.project)) == before


@pytest.mark.parametrize("kept", ["exempt", "excluded", "restored"])
def test_a_copy_that_a_person_keeps_stays_though_the_package_was_approved(plain: House, kept: str) -> None:
    plain.set(enabled=False)
    copy, item = cached(plain), plain.install()
    plain.run([copy, item])
    found = by_path(plain)
    with Book(plain.state, write=True) as book:
        book.approve(found[item.locator.path], plain.now, "person:1")
        if kept != "excluded":
            until = plain.now + 9 * DAY_MS if kept == "exempt" else plain.now + 1
            told: dict[str, Any] = {"digest": "", "reason": "mine", "by": "person:1", "at_ms": plain.now}
            kind = "exempt" if kept == "exempt" else "restored"
            book.exempt(found[copy.locator.path], **told, until_ms=until, kind=kind)
    if kept == "excluded":
        plain.set(exclude_paths=["~/.bun/**"])
    assert plain.run([copy, item]).moved == 1
    assert Path(copy.locator.path).is_dir()
    assert not Path(item.locator.path).exists()


def test_what_cannot_be_moved_of_a_copy_is_told_and_the_package_is_held(plain: House) -> None:
    copy, item = cached(plain), plain.install()
    Path(copy.locator.path, ".git").mkdir()
    outcome = plain.run([copy, item])
    assert (outcome.moved, outcome.failed) == (1, 1)
    assert by_path(plain)[copy.locator.path].why.startswith("vcs_root")


def test_a_package_that_was_not_moved_takes_no_copy_along(plain: House) -> None:
    plain.set(max_moves=1)
    copy, item = cached(plain), plain.install()
    Path(item.locator.path, ".git").mkdir()
    plain.run([copy, item])
    assert by_path(plain)[copy.locator.path].state == states.QUARANTINED  # by its own ruling, and it says so
    assert "sources agree" in by_path(plain)[copy.locator.path].why


def test_a_persons_word_on_a_package_takes_its_cached_copies_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "require_admin", lambda admin, env=None: None)
    machine = Machine(tmp_path)
    machine.settings("[notify]\nchannel = 'none'\n")
    item = machine.install()
    machine.say("evil", "osv", "datadog")
    copy = cached(machine)
    cache = str(Path(copy.locator.path).parent)
    from bk.engine.config import snapshot
    from bk.engine.intel import generations
    from bk.engine.responder.round import respond

    generations.activate(machine.state, machine.records, {"sources": {}}, "live")
    run = scan(machine.state, profile="project", roots=[str(machine.project), cache], env=machine.env)
    assert respond(machine.state, snapshot.read(machine.state).values, run).moved == 0
    ident = by_path(machine)[item.locator.path].id
    incident, outcome = cases.approve(ident, admin=True, env=machine.env)
    assert (incident.state, outcome.moved) == (states.QUARANTINED, 2)
    assert not Path(copy.locator.path).exists()
    assert [each.kind for each in cases.show(ident, machine.env).followups] == []


def test_pnpms_index_of_a_package_can_be_held_and_its_shared_content_stays(house: Read) -> None:
    store = Path(house.state.home, ".local", "share", "pnpm", "store", "v10")
    index = store / "index" / "78" / f"{'5b' * 31}-evil@1.0.0.json"
    content = store / "files" / "ab" / ("cd" * 63)
    for path in (index, content):
        path.parent.mkdir(parents=True)
        path.write_text('{"files": {}}')
    house.say("evil", "osv", "datadog")
    item = house.scanned(store, "evil")
    assert (item.kind, item.locator.kind == NONE) == (CACHED, False)
    assert house.run([item]).moved == 1
    assert (index.exists(), content.exists()) == (False, True)


def test_what_another_project_has_hard_links_to_stays_whole(plain: House) -> None:
    copy, item = cached(plain), plain.install()
    shared = Path(plain.state.home, "other", "node_modules", "evil", "package.json")
    shared.parent.mkdir(parents=True)
    shared.hardlink_to(f"{copy.locator.path}/package.json")
    before = photograph(shared.parent)
    assert plain.run([copy, item]).moved == 2
    assert photograph(shared.parent) == before
    for held in listed(plain.state):
        restore(plain.state, held.ident)
    assert photograph(shared.parent) == before
    assert shared.stat().st_nlink == 2


def test_a_profile_that_a_browser_has_open_is_left_as_it_is(plain: House) -> None:
    profile = Path(plain.state.home, ".config", "chromium")
    folder = profile / "Default" / "Extensions" / ("a" * 32)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (profile / "SingletonLock").symlink_to(f"{os.uname().nodename}-{os.getpid()}")
    plain.say("a" * 32, "osv", "datadog", ecosystem="browser-extension")
    plain.answers["a" * 32] = "same"
    told: dict[str, Any] = {"manager": "chromium", "kind": "installed", "observed": str(folder)}
    before = photograph(profile)
    plain.run([Item("browser-extension", "a" * 32, "1.0.0", locator=Locator(DIR, str(folder)), **told)])
    assert (plain.only().state, plain.only().why.partition(":")[0]) == (states.FAILED, "busy")
    assert photograph(profile) == before
