"""A pass over what is installed: what moves, what is only told, what is told once, and what a person's word changes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bk.engine.inventory.item import DIR, FILE_SET, Item, Locator
from bk.engine.responder import incidents as states
from bk.engine.responder.incidents import Book
from tests.unit.quarantine.house import package, photograph
from tests.unit.responder.house import START, House, events


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_package_that_two_groups_name_is_held_and_nothing_else_is(house: House) -> None:
    bad, good = house.install("evil"), house.install("good")
    house.say("evil", "osv", "datadog")
    before = photograph(Path(good.locator.path))
    outcome = house.run([bad, good])
    assert (outcome.hits, outcome.moved, events(outcome)) == (1, 1, ["catalog_quarantine"])
    assert house.held() == ["evil"]
    assert not Path(bad.locator.path).exists()
    assert photograph(Path(good.locator.path)) == before
    incident = house.only()
    assert (incident.state, incident.groups) == (states.QUARANTINED, ("datadog", "osv"))
    entry = outcome.entries[0]
    assert entry.level == "quarantine"
    assert entry.data["digest"]
    assert entry.data["hold"] == incident.hold
    assert entry.data["ids"] == ["MAL-datadog-1", "MAL-osv-1"]


def test_a_dry_run_leaves_every_byte_and_tells_once(house: House) -> None:
    house.set(dry_run=True)
    item = house.install()
    house.say("evil", "osv", "datadog")
    before = photograph(house.project)
    told = [house.run([item]) for _ in range(5)]
    assert photograph(house.project) == before
    assert [events(one) for one in told] == [["would_quarantine", "target_added"], [], [], [], []]
    assert all(one.would == 1 for one in told)
    assert house.asked == []


def test_one_group_only_warns_and_names_the_count(house: House) -> None:
    house.say("evil", "osv")
    outcome = house.run([house.install()])
    assert (outcome.hits, outcome.moved) == (0, 0)
    assert house.only().state == states.OPEN
    assert house.only().why == "1 of 2 independent sources"


def test_hits_of_every_kind_are_counted_apart(house: House) -> None:
    items = [house.install("movable"), house.locked("pathless"), house.install("single")]
    for name in ("movable", "pathless"):
        house.say(name, "osv", "datadog")
    house.say("single", "osv")
    outcome = house.run(items)
    assert (outcome.hits, outcome.moved, outcome.pending, outcome.would) == (2, 1, 1, 0)


def test_a_lock_file_alone_names_no_place_and_is_told_once(house: House) -> None:
    house.say("evil", "osv", "datadog")
    first, *rest = [house.run([house.locked()]) for _ in range(5)]
    assert events(first) == ["pending_quarantine", "target_added"]
    assert [events(one) for one in rest] == [[], [], [], []]
    assert house.held() == []


def test_a_lock_files_line_and_the_package_beside_it_are_one_incident(house: House) -> None:
    house.say("evil", "osv", "datadog")
    item = house.install()
    outcome = house.run([house.locked(), item, item])
    assert (outcome.moved, len(house.incidents()), events(outcome)) == (1, 1, ["catalog_quarantine"])


def test_what_lies_there_now_is_looked_at_before_a_move(house: House) -> None:
    house.say("evil", "osv", "datadog")
    item = house.install()
    Path(item.locator.path, "package.json").write_text('{"name": "evil", "version": "1.0.1"}')
    before = photograph(house.project)
    outcome = house.run([item])
    assert (events(outcome), house.only().state) == (["stale_evidence", "target_added"], states.STALE_EVIDENCE)
    assert photograph(house.project) == before
    assert events(house.run([item])) == []


def test_the_breaker_asks_about_the_rest(house: House) -> None:
    items = [house.install(f"evil{number}") for number in range(10)]
    for item in items:
        house.say(item.name, "osv", "datadog")
    outcome = house.run(items)
    assert (outcome.moved, outcome.tripped, len(house.held())) == (3, True, 3)
    assert [one.state for one in house.incidents()].count(states.APPROVAL) == 7


def test_the_worst_goes_first(house: House) -> None:
    house.set(max_moves=1)
    items = [house.install("aaa"), house.install("zzz")]
    house.say("aaa", "osv", "datadog", severity="high")
    house.say("zzz", "osv", "datadog")
    house.run(items)
    assert house.held() == ["zzz"]


def test_an_approved_move_is_made_once_and_only_there(house: House) -> None:
    house.set(enabled=False)
    house.say("evil", "osv")
    item = house.install()
    house.run([item])
    with Book(house.state, write=True) as book:
        book.approve(book.one(house.only().id), house.now, "person:1")
    assert house.run([item]).moved == 1
    assert house.only().approved == 0
    house.install()  # and it is back
    assert house.run([item]).moved == 0
    assert house.only().state == states.OPEN


def test_a_refused_move_is_told_once_and_tried_again(house: House) -> None:
    house.say("evil", "osv", "datadog")
    item = house.install()
    Path(item.locator.path, ".git").mkdir()
    before = photograph(house.project)
    told = [house.run([item]) for _ in range(3)]
    assert [events(one) for one in told] == [["quarantine_error", "target_added"], [], []]
    assert house.only().state == states.FAILED
    assert "vcs_root" in house.only().why
    assert photograph(house.project) == before
    Path(item.locator.path, ".git").rmdir()
    assert house.run([item]).moved == 1


def test_only_a_complete_run_that_looked_there_proves_absence(house: House, tmp_path: Path) -> None:
    house.set(dry_run=True)
    house.say("evil", "osv", "datadog")
    item = house.install()
    house.run([item])
    assert events(house.run([], complete=False)) == []
    assert events(house.run([], roots=[str(tmp_path / "elsewhere")])) == []
    assert house.only().state == states.REPORTED
    assert events(house.run([])) == ["resolved"]
    assert house.only().state == states.RESOLVED
    assert events(house.run([item])) == ["would_quarantine", "target_added"]


def test_an_exemption_holds_until_it_ends(house: House) -> None:
    house.set(dry_run=True)
    house.say("evil", "osv", "datadog")
    item = house.install()
    house.run([item])
    with Book(house.state, write=True) as book:
        told = {"digest": "", "reason": "ours", "by": "person:1", "at_ms": house.now}
        book.exempt(house.only(), **told, until_ms=house.now + 3 * 86_400_000)  # type: ignore[arg-type]
    house.set(dry_run=False)
    assert [events(house.run([item])) for _ in range(2)] == [["exempt"], []]
    assert house.run([item], days=4).moved == 1


def test_what_was_acknowledged_opens_again_only_for_worse(house: House) -> None:
    house.say("evil", "osv")
    item = house.install()
    house.run([item])
    with Book(house.state, write=True) as book:
        book.becomes(house.only(), states.ACKNOWLEDGED, house.now, by="person:1")
    assert events(house.run([item])) == []
    assert house.only().state == states.ACKNOWLEDGED
    house.set(dry_run=True)
    house.say("evil", "datadog")
    assert events(house.run([item])) == ["would_quarantine", "target_added"]


def test_a_place_that_a_person_keeps_for_themselves_is_asked_about(house: House) -> None:
    house.set(exclude_paths=["~/code/**"])
    house.say("evil", "osv", "datadog")
    assert house.run([house.install()]).moved == 0
    assert house.only().state == states.APPROVAL


def test_a_package_of_a_private_registry_is_asked_about(house: House) -> None:
    house.values["posture.private_registries"] = ["registry.example"]
    house.say("evil", "osv", "datadog")
    assert house.run([house.install(origin="https://npm.registry.example/evil/-/evil-1.0.0.tgz")]).moved == 0
    assert "private registry" in house.only().why


def test_a_settings_entry_is_taken_out_and_the_rest_of_the_file_stays(house: House) -> None:
    file = Path(house.state.home, ".cursor", "mcp.json")
    file.parent.mkdir()
    file.write_text('{"mcpServers": {"bad": {"command": "npx", "args": ["evil@1.0.0"]}, "good": {"command": "x"}}}')
    house.say("evil", "osv", "datadog")
    house.answers["evil"] = "same"
    assert house.run([house.server("evil", "1.0.0", file, "/mcpServers/bad")]).moved == 1
    assert json.loads(file.read_text()) == {"mcpServers": {"good": {"command": "x"}}}


def test_a_python_package_is_its_files_and_not_its_environment(house: House) -> None:
    site = house.project / ".venv" / "lib" / "python3.11" / "site-packages"
    names = ["evil/__init__.py", "evil-1.0.0.dist-info/METADATA", "evil-1.0.0.dist-info/RECORD"]
    for name in (*names, "other/__init__.py"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(name)
    house.say("evil", "osv", "datadog", ecosystem="pypi")
    house.answers["evil"] = "same"
    where = Locator(FILE_SET, files=[f"{site}/{name}" for name in names])
    item = house.item("Evil", "1.0.0", where, ecosystem="pypi", manager="pip", root=str(house.project / ".venv"))
    assert house.run([item]).moved == 1
    assert sorted(path.name for path in site.iterdir()) == ["other"]


def test_the_same_name_in_two_ecosystems_is_two_targets(house: House) -> None:
    house.set(enabled=False)
    house.say("evil", "osv", "datadog")
    house.say("evil", "osv", "datadog", ecosystem="pypi")
    pip = house.item("evil", "1.0.0", ecosystem="pypi", manager="pip", observed="/x/poetry.lock")
    house.run([house.install(), pip])
    with Book(house.state) as book:
        assert sorted(each["ecosystem"] for each in book.targets(house.now)) == ["npm", "pypi"]
        assert book.targets(START + 365 * 86_400_000) == []


def test_a_single_source_is_never_a_target(house: House) -> None:
    house.say("evil", "osv")
    house.run([house.install()])
    with Book(house.state) as book:
        assert book.targets(house.now) == []


def test_a_thousand_changes_are_told_and_the_rest_is_counted(house: House) -> None:
    house.set(dry_run=True)
    items = []
    for number in range(1005):
        house.say(f"evil{number}", "osv")
        items.append(house.item(f"evil{number}", "1.0.0", observed=f"/x/{number}/package-lock.json"))
    outcome = house.run(items)
    assert len(house.incidents()) == 1005
    assert len(outcome.entries) == 1001
    assert outcome.entries[-1].data == {"event": "truncated", "left_out": 5, "generation": 7}


@pytest.mark.parametrize(
    ("ecosystem", "name", "version", "manager"),
    [
        ("cargo", "evil", "1.2.3", "cargo"),
        ("go", "example.org/evil", "v1.2.3", "go"),
        ("rubygems", "evil", "1.2.3", "bundler"),
        ("packagist", "acme/evil", "1.2.3", "composer"),
        ("nuget", "Evil.Lib", "1.2.3", "nuget"),
        ("maven", "org.example:evil", "1.2.3", "maven"),
        ("editor-extension", "Acme.Evil", "1.2.3", "vscode"),
        ("pypi", "Evil_Lib", "1.2.3", "uv"),
    ],
)
def test_an_installed_version_is_met_exactly_in_every_ecosystem(
    house: House, ecosystem: str, name: str, version: str, manager: str
) -> None:
    house.set(dry_run=True)
    item = house.item(name, version, ecosystem=ecosystem, manager=manager, observed="/x/list")
    house.say(item.name, "osv", "datadog", ecosystem=ecosystem, version="1.2.3")
    near = house.item(name, version.replace("3", "4"), ecosystem=ecosystem, manager=manager, observed="/y/list")
    outcome = house.run([item, near])
    assert outcome.hits == 1
    assert house.only().version == version


def extension(house: House) -> Item:
    """An unpacked extension of a browser, in a profile of its own."""
    folder = Path(house.state.home, ".config", "chromium", "Default", "Extensions", "a" * 32)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    house.say("a" * 32, "osv", "datadog", ecosystem="browser-extension")
    told: dict[str, Any] = {"manager": "chromium", "kind": "installed", "observed": str(folder)}
    return Item("browser-extension", "a" * 32, "1.0.0", locator=Locator(DIR, str(folder)), **told)


def test_an_extension_of_a_browser_that_runs_stays_until_it_is_closed(house: House) -> None:
    item = extension(house)
    house.answers["a" * 32] = "same"
    lock = Path(house.state.home, ".config", "chromium", "SingletonLock")
    lock.symlink_to(f"{os.uname().nodename}-{os.getpid()}")
    outcome = house.run([item])
    assert (outcome.moved, outcome.failed, events(outcome)[0]) == (0, 1, "quarantine_error")
    assert house.only().why.startswith("busy: ")
    assert Path(item.locator.path).is_dir()
    lock.unlink()
    assert house.run([item]).moved == 1


def test_a_plugin_with_packages_of_its_own_is_no_project(house: House) -> None:
    folder = Path(house.state.home, ".claude", "skills", "evil")
    package(folder, "inner")
    house.say("evil", "osv", "datadog", ecosystem="agent-skill")
    house.answers["evil"] = "same"
    where = Locator(DIR, str(folder))
    skill = Item(
        "agent-skill", "evil", "1.0.0", manager="claude", kind="installed", observed=str(folder), locator=where
    )
    inner = house.item("inner", "1.0.0", Locator(DIR, f"{folder}/node_modules/inner"), root=str(folder))
    outcome = house.run([skill, inner])
    assert (outcome.moved, outcome.failed) == (1, 0)
    assert not folder.exists()


def test_an_inventory_from_before_the_move_changes_nothing(house: House) -> None:
    """Whoever asks again with what the last scan saw, with whatever settings, is not told that it is there."""
    bad = house.install("evil")
    house.say("evil", "osv", "datadog")
    house.run([bad])
    house.set(dry_run=True)
    again = house.run([bad])
    assert again.entries == []
    assert house.only().state == states.QUARANTINED
