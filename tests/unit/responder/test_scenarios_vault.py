"""Scenarios of the vault that no other test shows, each by its id: what is taken, put back, and deleted."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bk.engine.config import snapshot
from bk.engine.console import cases, quarantine
from bk.engine.console.probes import BAD, WARN
from bk.engine.errors import DEGRADED
from bk.engine.intel import generations
from bk.engine.inventory.scan import scan
from bk.engine.responder import incidents as states
from bk.engine.responder.clock import DAY_MS
from bk.engine.responder.respond import Outcome
from bk.engine.responder.round import respond
from bk.engine.state import State
from bk.quarantine import back, listing, vault
from bk.quarantine.record import Hold
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.store import Books
from tests.unit.quarantine.house import extension, package, photograph, state_in, wish
from tests.unit.responder.test_decisions import Machine

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture
def state(tmp_path: Path) -> State:
    return state_in(tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return package(tmp_path / "home" / "project")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Settings that allow moves, a person at a terminal, and two groups that speak of `evil`."""
    for module in (cases, quarantine):
        monkeypatch.setattr(module, "require_admin", lambda admin, env=None: None)
    made = Machine(tmp_path)
    made.say("evil", "osv", "datadog")
    return made


def synced(machine: Machine, *roots: Path) -> Outcome:
    """A pass over these folders, after an activation."""
    generations.activate(machine.state, machine.records, {"sources": {}}, "live")
    run = scan(machine.state, profile="project", roots=[str(root) for root in roots], env=machine.env)
    return respond(machine.state, snapshot.read(machine.state).values, run)


def refused(act: Any, *args: Any, **over: Any) -> str:
    with pytest.raises(HoldRefusedError) as caught:
        act(*args, **over)
    return caught.value.refusal


def bk(machine: Machine, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"HOME": machine.state.home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "bk", *words], env=env, cwd=machine.project, capture_output=True, text=True, timeout=60
    )


def test_q03_what_kind_of_artifact_it_is_must_be_said_and_an_extension_is_one(state: State, tmp_path: Path) -> None:
    place = extension(tmp_path / "home")
    before = photograph(place)
    for ecosystem in ("", "nonsense", "npm"):
        assert refused(vault.hold, state, Hold("dir", ecosystem, "evil", "1", path=str(place))) == "no_container"
    assert photograph(place) == before
    held = vault.hold(state, Hold("dir", "editor-extension", "evil", "1", path=str(place)))
    assert [item.ident for item in listing.listed(state)] == [held.ident]


@pytest.mark.parametrize("place", ["quarantine", "quarantine/items", "keys", "."])
def test_q05_nothing_of_ours_is_moved(state: State, folder: Path, place: str) -> None:
    vault.hold(state, wish(folder))
    code = refused(vault.hold, state, wish(Path("x"), path=os.path.normpath(f"{state.root}/{place}")))
    assert code in ("inside_state_dir", "inside_quarantine")
    assert len(listing.listed(state)) == 1


def test_q06_another_persons_home_is_theirs(state: State, tmp_path: Path) -> None:
    for path in ("/home/somebody", "/Users/somebody", "/root", "/home"):
        assert refused(vault.hold, state, wish(Path("x"), path=path)) in (
            "protected_root", "home_or_ancestor", "no_container",
        ), path  # fmt: skip


def test_q09_what_is_held_is_not_held_again(state: State, folder: Path) -> None:
    held = vault.hold(state, wish(folder))
    there = f"{state.root}/quarantine/items/{held.ident}/payload/0"
    before = photograph(Path(there))
    assert refused(vault.hold, state, wish(Path("x"), path=there)) == "inside_quarantine"
    assert photograph(Path(there)) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_q11_a_folder_that_stands_for_another_one_stays(state: State, folder: Path, tmp_path: Path) -> None:
    """What a junction is elsewhere is a bind mount here: a directory by every mark, and the contents of another."""
    target = tmp_path / "precious"
    target.mkdir()
    (target / "file").write_text("keep")
    before = photograph(target)
    subprocess.run(["mount", "--bind", str(target), str(folder)], check=True)
    try:
        assert refused(vault.hold, state, wish(folder)) == "mount_point"
        assert (folder / "file").read_text() == "keep"
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert photograph(target) == before
    assert listing.listed(state) == []


def test_q14_a_link_that_leads_to_the_home_is_none_of_the_artifacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "private" / "var").mkdir(parents=True)
    (tmp_path / "var").symlink_to("private/var")
    machine = Machine(tmp_path / "var")
    machine.say("evil", "osv", "datadog")
    item = machine.install()
    before = photograph(Path(item.locator.path))
    assert machine.sync().moved == 1
    assert not os.path.exists(item.locator.path)
    (held,) = listing.listed(machine.state)
    assert held.path == os.path.realpath(machine.project) + "/node_modules/evil"
    for module in (cases, quarantine):
        monkeypatch.setattr(module, "require_admin", lambda admin, env=None: None)
    quarantine.restore(held.ident, override=True, reason="ours", admin=True, env=machine.env)
    assert photograph(Path(item.locator.path)) == before


def test_q17_a_set_of_files_that_reaches_out_stays_whole(state: State, tmp_path: Path) -> None:
    venv = tmp_path / "home" / "venv"
    site = venv / "lib" / "python3.11" / "site-packages"
    for name in ("evil/__init__.py", "evil-1.0.0.dist-info/RECORD"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("x")
    own = tmp_path / "home" / "own.txt"
    own.write_text("keep")
    before = photograph(tmp_path / "home")
    files = [f"{site}/evil/__init__.py", f"{site}/evil-1.0.0.dist-info/RECORD"]
    for out in (str(own), f"{site}/../../../../own.txt", "/etc/passwd", str(venv)):
        wanted = Hold("file_set", "pypi", "evil", "1.0.0", files=[*files, out], root=str(venv))
        assert refused(vault.hold, state, wanted) in ("outside_environment", "dotdot")
        assert {path: what for path, what in photograph(tmp_path / "home").items() if not path.startswith(b"/.bk")} == {
            path: what for path, what in before.items() if not path.startswith(b"/.bk")
        }
    assert listing.listed(state) == []


def test_q20_of_an_editors_extensions_only_the_bad_one_goes(machine: Machine) -> None:
    home = Path(machine.state.home)
    root = home / ".vscode" / "extensions"
    for name in ("evil", "good"):
        place = root / f"acme.{name}-1.0.0"
        place.mkdir(parents=True)
        told = {"publisher": "Acme", "name": name, "version": "1.0.0", "engines": {"vscode": "*"}}
        (place / "package.json").write_text(json.dumps(told))
    good = photograph(root / "acme.good-1.0.0")
    machine.say("acme.evil", "osv", "datadog", ecosystem="editor-extension")
    assert synced(machine, home).moved == 1
    assert sorted(os.listdir(root)) == ["acme.good-1.0.0"]
    assert photograph(root / "acme.good-1.0.0") == good
    assert refused(vault.hold, machine.state, Hold("dir", "editor-extension", "x", "1", path=str(root))) == (
        "extensions_root"
    )


def test_q23_to_q25_names_are_told_in_full_inert_and_apart(machine: Machine) -> None:
    for name in ("@evil/core", "@good/core"):
        machine.install(name)
        machine.say(name, "osv", "datadog")
    assert machine.sync().moved == 2
    folder = package(machine.project, "other")
    vault.hold(machine.state, Hold("dir", "npm", "two\nlines\x1b[31m", "1\n2", path=str(folder)))
    held = listing.listed(machine.state)
    assert len({item.ident for item in held}) == 3
    places = os.listdir(f"{machine.state.root}/quarantine/items")
    assert sorted(places) == sorted(item.ident for item in held)
    assert set("".join(places)) <= set("q_0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    shown = bk(machine, "quarantine", "list").stdout
    assert "npm @evil/core 1.0.0" in shown
    assert "npm @good/core 1.0.0" in shown
    assert "\x1b[31m" not in shown
    assert not any(line.startswith("lines") for line in shown.splitlines())


@pytest.mark.parametrize(("version", "name"), [("/", "/"), ("", "/"), ("", "x")])
def test_q23_names_that_are_none_get_an_id_too(state: State, folder: Path, version: str, name: str) -> None:
    held = vault.hold(state, Hold("dir", "npm", name, version, path=str(folder)))
    (shown,) = listing.listed(state)
    assert (shown.ident, shown.name, shown.version, len(shown.ident)) == (held.ident, name, version, 28)
    back.restore(state, held.ident)
    assert folder.is_dir()


def test_q26_where_nothing_can_be_copied_to_the_artifact_stays_and_that_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install()
    before = photograph(machine.project)

    def elsewhere(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(vault, "rename", elsewhere)
    monkeypatch.setattr(vault, "copied", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.ENOTSUP, "not here")))
    outcome = machine.sync()
    assert (outcome.moved, outcome.failed) == (0, 1)
    assert photograph(machine.project) == before
    assert machine.held() == []
    assert machine.only().state == states.FAILED
    assert [each["event"] for each in machine.told() if each["event"].startswith("quarantine")] == ["quarantine_error"]


def test_q29_one_that_is_gone_does_not_stop_the_rest(machine: Machine) -> None:
    first, second = machine.install("evil"), machine.install("worse")
    machine.say("worse", "osv", "datadog")
    machine.answers["evil"] = "same"  # it goes away after it was read
    package = Path(first.locator.path)
    package.rename(package.parent.parent / "gone")
    outcome = machine.run([first, second])
    assert (outcome.moved, outcome.failed) == (1, 1)
    assert machine.held() == ["worse"]
    assert not Path(second.locator.path).exists()


def test_q32_what_the_books_do_not_know_needs_recovery_and_is_said_everywhere(machine: Machine) -> None:
    machine.install()
    machine.sync()
    Path(machine.state.root, "quarantine", "items", "left-over").mkdir()
    shown = bk(machine, "quarantine", "list")
    assert shown.returncode == DEGRADED
    told = {item["id"]: item for item in json.loads(bk(machine, "quarantine", "list", "--json").stdout)["items"]}
    assert told["left-over"]["state"] == "orphan"
    assert told["left-over"]["problem"]
    assert [item["problem"] for ident, item in told.items() if ident != "left-over"] == [""]
    line = cases.part(machine.state)
    assert (line.state, "left-over" in line.reason) == (BAD, True)


FORMS = [
    ("../../etc/cron.d", "not_absolute"),
    ("relative-dest-dir", "not_absolute"),
    ("{home}/project/node_modules/../../../../etc/cron.d", "dotdot"),
    ("{vault}/items/x", "inside_quarantine"),
    ("{home}/.config/autostart/x", ""),
    ("/etc/cron.d/x", ""),
]


@pytest.mark.parametrize(("form", "code"), FORMS)
def test_r03_to_r07_a_place_that_was_written_into_the_books_is_not_believed(
    state: State, folder: Path, tmp_path: Path, form: str, code: str
) -> None:
    held = vault.hold(state, wish(folder))
    place = form.format(home=tmp_path / "home", vault=f"{state.root}/quarantine")
    if code:
        assert refused(back.restore, state, held.ident, to=place) == code
    manifest = Path(state.root, "quarantine", "items", held.ident, "manifest.json")
    told = json.loads(manifest.read_text())
    inner = json.loads(told["manifest"])
    inner["parts"][0][0] = place
    told["manifest"] = json.dumps(inner, sort_keys=True, separators=(",", ":"))
    manifest.write_text(json.dumps(told))
    assert refused(back.restore, state, held.ident) == "tampered"
    assert [item.ident for item in listing.listed(state)] == [held.ident]
    assert manifest.with_name("payload").is_dir()
    if place.startswith(str(tmp_path)) and "quarantine" not in place:
        assert not os.path.lexists(place)


def test_r15_a_way_that_leads_into_the_quarantine_is_not_gone(state: State, folder: Path, tmp_path: Path) -> None:
    held = vault.hold(state, wish(folder))
    inside = Path(state.root, "quarantine", "items")
    (tmp_path / "home" / "way").symlink_to(inside)
    assert refused(back.restore, state, held.ident, to=str(tmp_path / "home" / "way" / "x")) == "symlink_component"
    folder.parent.rename(folder.parent.parent / "old")
    folder.parent.symlink_to(inside)
    assert refused(back.restore, state, held.ident) == "symlink_component"
    assert refused(back.restore, state, held.ident, recreate_parent=True) == "symlink_component"
    assert os.listdir(inside) == [held.ident]
    assert [item.state for item in listing.listed(state)] == ["held"]


def purge_all(machine: Machine) -> dict[str, str]:
    told: dict[str, Any] = {"admin": True, "env": machine.env, "everything": True}
    return {item.ident: what for item, what in quarantine.purge([], confirm=lambda item: item.ident[-6:], **told)}


def test_p01_all_of_them_each_by_its_own_word(machine: Machine) -> None:
    machine.install("evil")
    machine.install("worse")
    machine.say("worse", "osv", "datadog")
    machine.sync()
    held = {item.ident for item in listing.listed(machine.state)}
    assert len(held) == 2
    assert purge_all(machine) == dict.fromkeys(held, "deleted")
    assert listing.listed(machine.state) == []


@pytest.mark.parametrize("was", ["planned", "moving", "restoring", "orphan"])
def test_p06_what_is_under_way_is_left_alone_and_reported(machine: Machine, was: str) -> None:
    machine.install()
    machine.sync()
    (held,) = listing.listed(machine.state)
    ident, payload = held.ident, Path(machine.state.root, "quarantine", "items", held.ident, "payload")
    if was == "orphan":
        ident, payload = "left-over", payload.parent.with_name("left-over") / "payload"
        payload.mkdir(parents=True)
        (payload / "file").write_text("whose?")
    else:
        with Books(machine.state) as books:
            books.move_to(books.item(ident), was)
    before = photograph(payload)
    assert purge_all(machine)[ident].startswith("left alone")
    assert photograph(payload) == before


def test_p08_what_lies_there_long_is_due_for_review_and_stays(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install()
    machine.sync()
    kept = listing.listed(machine.state)
    payload = Path(machine.state.root, "quarantine", "items", kept[0].ident, "payload")
    before = photograph(payload)
    assert quarantine.due(kept, machine.env) == frozenset()
    machine.settings("[quarantine]\nreview_days = 7\n[notify]\nchannel = 'none'\n")
    later = kept[0].at_ms + 7 * DAY_MS
    for module in (cases, quarantine):
        monkeypatch.setattr(module, "now_ms", lambda: later - 1)
    assert quarantine.due(kept, machine.env) == frozenset()
    for module in (cases, quarantine):
        monkeypatch.setattr(module, "now_ms", lambda: later)
    assert quarantine.due(kept, machine.env) == {kept[0].ident}
    line = cases.part(machine.state)
    assert (line.state, "due for review" in line.reason) == (WARN, True)
    machine.sync()
    assert quarantine.verify(env=machine.env)[0][1] == ""
    assert photograph(payload) == before
    quarantine.restore(kept[0].ident, override=True, reason="ours", admin=True, env=machine.env)
    assert quarantine.due(listing.listed(machine.state, ended=True), machine.env) == frozenset()
