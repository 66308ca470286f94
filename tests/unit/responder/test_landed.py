"""What has landed is read where it lies, judged by the one gate, and never moved for what is missing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from bk.engine.config import snapshot
from bk.engine.intel import generations
from bk.engine.inventory.ecosystems import editors
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.responder import incidents as states
from bk.engine.responder import landed, watched
from bk.engine.responder.eyes import EVERYTHING, Eyes, Spot, Target
from bk.engine.responder.landed import Answer, check
from bk.engine.state import State
from tests.unit.quarantine.house import package, photograph
from tests.unit.responder.test_decisions import Machine

DRY = "[notify]\nchannel = 'none'\n"
LIVE = "[auto_quarantine]\nenabled = true\ndry_run = false\n[notify]\nchannel = 'none'\n"


class Landing(Machine):
    """A machine with an editor, an index in force, and things that land."""

    def __init__(self, tmp: Path) -> None:
        super().__init__(tmp)
        self.settings(DRY)
        self.place = Path(self.state.home, ".vscode", "extensions")
        self.place.mkdir(parents=True)

    def known(self, *groups: str, name: str = "acme.evil", ecosystem: str = "editor-extension") -> None:
        """Have these speak against version 1.0.0, in force from now on."""
        if groups:
            self.say(name, *groups, ecosystem=ecosystem)
        generations.activate(self.state, self.records, {"sources": {}}, "live")

    def extension(self, folder: str = "acme.evil-1.0.0", **over: Any) -> Path:
        """An extension with its metadata in it."""
        path = self.place / folder
        (path / "out").mkdir(parents=True)
        (path / "out" / "main.js").write_text("// code\n")
        told = {"publisher": "acme", "name": "evil", "version": "1.0.0", "engines": {"vscode": "*"}, **over}
        (path / "package.json").write_text(json.dumps({key: value for key, value in told.items() if value}))
        return path

    def landed(self, *paths: Path, kind: str = "editors", root: Path | None = None, last: bool = False) -> Answer:
        """Check these."""
        values = snapshot.read(self.state).values
        base = str(root or self.place)
        return check(self.state, values, [(Target(kind, base, str(path)), last) for path in paths])

    def entries(self, kind: str) -> list[Entry]:
        """What the ledger holds of a kind."""
        if not Path(self.state.root, "audit.db").exists():
            return []
        ledger = Ledger.open(self.state, create=False)
        try:
            return [entry for entry in ledger.entries(limit=1000) if entry.kind == kind]
        finally:
            ledger.close()

    def alarms(self) -> list[str]:
        """The incidents that the ledger tells of, besides the book."""
        return [str(entry.data["incident"]) for entry in self.entries("incident")]


@pytest.fixture
def machine(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


def test_a_catalogued_extension_is_held_recorded_and_told(machine: Landing) -> None:
    machine.settings(LIVE.replace("'none'", "'command'\ncommand = ['/bin/true', '{text}']"))
    machine.known("osv", "datadog")
    other, bad = machine.extension("acme.good-1.0.0", name="good"), machine.extension()
    before = photograph(other)
    answer = machine.landed(bad)
    assert (answer.hits, answer.moved, answer.problem) == (1, 1, "")
    assert not bad.exists()
    assert photograph(other) == before
    assert machine.held() == ["acme.evil"]
    held, told = [entry.data for entry in machine.entries("responder")]
    assert (held["event"], held["path"]) == ("catalog_quarantine", str(bad))
    assert (told["event"], told["outcome"]) == ("notified", "sent")
    assert "acme.evil 1.0.0 taken out of use" in told["text"]


def test_with_the_settings_it_comes_with_every_byte_stays(machine: Landing) -> None:
    machine.known("osv", "datadog")
    bad = machine.extension()
    before = photograph(machine.place)
    assert machine.landed(bad).moved == 0
    assert photograph(machine.place) == before
    assert machine.only().state == states.OPEN
    assert machine.only().path == str(bad)
    machine.landed(bad)
    assert [e.data["event"] for e in machine.entries("responder")].count("finding") == 1, "a change is told, once"


def test_what_nothing_speaks_against_stays_however_new_and_without_any_store_to_ask(machine: Landing) -> None:
    machine.settings(LIVE)
    machine.known("osv", "datadog")
    fresh = machine.extension("acme.good-9.9.9", name="good", version="9.9.9")
    os.utime(fresh / "package.json", (time.time() - 600, time.time() - 600))
    before = photograph(machine.place)
    answer = machine.landed(fresh)
    assert (answer.checked, answer.hits, answer.moved, answer.again) == (1, 0, 0, [])
    assert photograph(machine.place) == before
    assert not machine.incidents()
    assert not machine.alarms()


def test_what_one_organisation_denies_goes_by_the_gate(machine: Landing) -> None:
    machine.settings(LIVE)
    machine.known("org")
    bad = machine.extension()
    assert machine.landed(bad).moved == 0
    assert (machine.only().state, machine.only().why) == (states.OPEN, "1 of 2 independent sources")
    machine.settings(LIVE.replace("[notify]", "threshold = 1\n[notify]"))
    assert machine.landed(bad).moved == 1


@pytest.mark.parametrize("how", ["outside", "link", "above", "gone"])
def test_what_does_not_lie_in_a_watched_folder_is_not_looked_at(machine: Landing, how: str, tmp_path: Path) -> None:
    machine.settings(LIVE)
    machine.known("osv", "datadog")
    bad = machine.extension()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = machine.place / "acme.evil-1.0.0"
    if how == "outside":
        os.rename(bad, elsewhere / "acme.evil-1.0.0")
        target = elsewhere / "acme.evil-1.0.0"
    elif how == "link":
        os.rename(bad, elsewhere / "acme.evil-1.0.0")
        target.symlink_to(elsewhere / "acme.evil-1.0.0")
    elif how == "above":
        os.rename(machine.place, elsewhere / "extensions")
        machine.place.symlink_to(elsewhere / "extensions")
    else:
        os.rename(bad, elsewhere / "acme.evil-1.0.0")
    before = photograph(elsewhere)
    answer = machine.landed(target)
    assert (answer.checked, answer.moved, answer.rejected) == (0, 0, 0 if how == "gone" else 1)
    assert photograph(elsewhere) == before
    assert not machine.incidents()


def test_a_home_behind_a_link_is_made_plain_once(tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / ".vscode" / "extensions").mkdir(parents=True)
    (tmp_path / "home").symlink_to(real)
    state = State(f"{real}/.bk", str(tmp_path / "home"), os.geteuid())
    state.ensure()
    spots, _ = watched.spots(state, {"scan.roots": ["~/code"]}, {})
    paths = {spot.path for spot in spots}
    assert f"{real}/.vscode/extensions" in paths
    assert not any(path.startswith((str(tmp_path / "home"), "~")) for path in paths)
    eyes = Eyes()
    try:
        eyes.look_at(spots, time.time() + 60)
        (tmp_path / "home" / ".vscode" / "extensions" / "acme.evil-1.0.0").mkdir()
        (target,) = eyes.read()
    finally:
        eyes.close()
    assert target.path == f"{real}/.vscode/extensions/acme.evil-1.0.0"
    answer = check(state, snapshot.read(state).values, [(target, False)])
    assert (answer.rejected, [each.path for each in answer.again]) == (0, [target.path])


def test_what_is_no_extension_is_passed_over_in_silence(machine: Landing) -> None:
    machine.known("osv")
    (machine.place / "extensions.json").write_text("[]")
    (machine.place / ".obsolete").write_text("{}")
    unnamed = machine.extension("helper", publisher=None)
    place = Spot("editors", str(machine.place))
    assert [place.about(name, False) for name in ("extensions.json", ".obsolete")] == [None, None]
    answer = machine.landed(unnamed, last=True)
    assert (answer.checked, answer.again, answer.unreadable) == (0, [], {})
    assert not machine.alarms()
    huge = machine.extension("acme.huge-1.0.0", description="x" * editors.MANIFEST_MAX)
    assert "larger than 1048576 bytes" in machine.landed(huge, last=True).unreadable[str(huge)]


@pytest.mark.parametrize("manifest", ["none", "half", "huge"])
def test_what_cannot_be_read_is_asked_for_again_then_told_once_and_never_moved(machine: Landing, manifest: str) -> None:
    machine.settings(LIVE)
    machine.known("osv", "datadog")  # its folder's name alone is that of something bad
    bad = machine.extension()
    whole = (bad / "package.json").read_text()
    if manifest == "none":
        (bad / "package.json").unlink()
    else:
        (bad / "package.json").write_text(whole[:20] if manifest == "half" else whole + " " * (1 << 20))
    before = photograph(machine.place)
    answer = machine.landed(bad)
    assert [target.path for target in answer.again] == [str(bad)]
    assert not machine.alarms()
    for _ in range(2):
        assert list(machine.landed(bad, last=True).unreadable) == [str(bad)]
    assert machine.alarms() == ["unreadable"]
    assert photograph(machine.place) == before
    assert machine.held() == []
    (bad / "package.json").write_text(whole)
    assert machine.landed(bad).moved == 1, "once it can be read it is judged"
    assert landed.recalled(machine.state) == {"unreadable": {}, "degraded": ""}


def test_without_an_index_it_says_that_nothing_is_enforced(machine: Landing) -> None:
    machine.settings(LIVE)
    machine.known("osv", "datadog")
    bad = machine.extension()
    pointer = Path(machine.state.intel, "current")
    aside = pointer.rename(pointer.with_name("aside"))
    for _ in range(2):
        assert "threat index" in machine.landed(bad).problem
    assert machine.alarms() == ["enforcement-degraded"]
    assert bad.exists()
    aside.rename(pointer)
    assert machine.landed(bad).moved == 1
    assert "enforcement_restored" in [e.data["event"] for e in machine.entries("responder")]


def test_a_tree_of_packages_is_read_as_a_whole_and_only_it(machine: Landing) -> None:
    machine.settings(LIVE)
    machine.known("osv", "datadog", name="evil", ecosystem="npm")
    bad = package(machine.project, "evil")
    package(machine.project, "good", "3.0.0")
    (machine.project / "package-lock.json").write_text(
        json.dumps({"lockfileVersion": 3, "packages": {"node_modules/evil": {"version": "1.0.0"}}})
    )
    modules = machine.project / "node_modules"
    answer = machine.landed(modules, kind="npm", root=machine.project)
    assert (answer.moved, bad.exists()) == (1, False)
    assert sorted(each.name for each in modules.iterdir()) == ["good"]
    assert len(machine.incidents()) == 1, "the lock file is for scans"


def test_a_python_package_whose_list_is_not_written_yet_waits_for_it(machine: Landing) -> None:
    machine.settings(LIVE)
    machine.known("osv", "datadog", name="evil", ecosystem="pypi")
    site = machine.project / ".venv" / "lib" / "python3.11" / "site-packages"
    info = site / "evil-1.0.0.dist-info"
    (site / "evil").mkdir(parents=True)
    info.mkdir()
    (machine.project / ".venv" / "pyvenv.cfg").write_text("version = 3.11\n")
    (site / "evil" / "__init__.py").write_text("")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0.0\n")
    answer = machine.landed(site, kind="pypi", root=site)
    assert [target.path for target in answer.again] == [str(site)]
    assert not machine.incidents(), "half of it is not judged"
    (info / "RECORD").write_text("evil/__init__.py,,\nevil-1.0.0.dist-info/METADATA,,\nevil-1.0.0.dist-info/RECORD,,\n")
    assert machine.landed(site, kind="pypi", root=site).moved == 1
    assert not (site / "evil" / "__init__.py").exists()


def test_a_server_in_a_settings_file_is_read_from_that_file_alone(machine: Landing) -> None:
    machine.known("osv", "datadog", name="evil-mcp", ecosystem="npm")
    folder = Path(machine.state.home, ".cursor")
    folder.mkdir()
    settings = folder / "mcp.json"
    settings.write_text(json.dumps({"mcpServers": {"x": {"command": "npx", "args": ["-y", "evil-mcp@1.0.0"]}}}))
    before = photograph(folder)
    answer = machine.landed(settings, kind="mcp", root=folder)
    assert answer.hits == 1
    assert photograph(folder) == before
    assert machine.only().path == f"{settings}#/mcpServers/x"


def test_lost_events_are_a_scan_of_everything(machine: Landing) -> None:
    machine.settings(DRY + "[scan]\nroots = ['~/code/*']\n")
    machine.known("osv", "datadog", name="evil", ecosystem="npm")
    package(machine.project, "evil")
    answer = check(machine.state, snapshot.read(machine.state).values, [(EVERYTHING, False)])
    assert (answer.hits, answer.problem) == (1, "")


def test_what_is_watched(machine: Landing) -> None:
    home = Path(machine.state.home)
    for folder in (
        "code/shop/node_modules/left-pad/node_modules", "code/shop/.venv/lib/python3.11/site-packages",
        "code/shop/.cursor", "code/shop/src/deep", ".local/lib/python3.11/site-packages", ".claude/skills",
        ".nvm/versions/node/v22.0.0/lib/node_modules", ".local/share/JetBrains/IdeaIC2025.1/plugins", ".bk/skills",
    ):  # fmt: skip
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "code" / "linked").symlink_to(home / ".claude")
    spots, left_out = watched.spots(machine.state, {"scan.roots": ["~/code"]}, {"HOME": str(home)})
    there = {spot.path[len(str(home)) + 1 :]: spot for spot in spots if os.path.isdir(spot.path) and spot.kind}
    assert left_out == 0
    assert {path: spot.kind for path, spot in there.items() if "/" in path or path.startswith("code")} == {
        ".vscode/extensions": "editors",
        ".local/share/JetBrains": "jetbrains",
        ".local/share/JetBrains/IdeaIC2025.1": "jetbrains",
        ".local/share/JetBrains/IdeaIC2025.1/plugins": "jetbrains",
        ".claude/skills": "skills",
        ".local/lib/python3.11/site-packages": "pypi",
        ".nvm/versions/node/v22.0.0/lib/node_modules": "npm",
        "code/shop/node_modules": "npm",
        "code/shop/.venv/lib/python3.11/site-packages": "pypi",
        "code/shop": "mcp",
        "code/shop/.cursor": "mcp",
    }
    assert ".mcp.json" in there["code/shop"].names
    assert not any(spot.path.startswith(machine.state.root) for spot in spots)


def test_there_is_a_bound_and_what_is_beyond_it_is_counted(machine: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SPOTS_MAX", 20)
    for at in range(40):
        (machine.project.parent / f"p{at}" / "node_modules").mkdir(parents=True)
    spots, left_out = watched.spots(machine.state, {"scan.roots": ["~/code"]}, {})
    assert len({spot.path for spot in spots if os.path.isdir(spot.path)}) == 20
    assert left_out > 40
    assert any(spot.kind == "editors" for spot in spots), "what an editor loads goes before projects"
