"""How far a run got: what it could not read is told, by whose fault it was, and spoils its own place alone."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from bk.engine.inventory import place, proof, store, view, walk
from bk.engine.inventory.reach import BLIND_MAX, Reach, vanished
from bk.engine.inventory.run import COMPLETE, PARTIAL, Run
from bk.engine.inventory.scan import scan
from tests.unit.inventory.layouts import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    for name in ("a", "b"):
        made.put(f"{name}/node_modules/left/package.json", {"name": "left", "version": "1.0.0"})
    return made


def look(home: Home) -> Run:
    return scan(home.state, profile="project", roots=[str(home.path)], env={})


def fail(monkeypatch: pytest.MonkeyPatch, folder: str, error: OSError) -> None:
    real = place.listing

    def listing(path: str, budget: place.Budget) -> dict[str, str]:
        if path == folder:
            raise error
        return real(path, budget)

    monkeypatch.setattr(walk, "listing", listing)


@pytest.mark.parametrize(
    ("root", "depth", "file", "covered"),
    [
        ("/h", 64, "/h/a/node_modules/x/package.json", True),
        ("/h", 0, "/h/.claude.json", True),
        ("/h", 0, "/h/a/package-lock.json", False),
        ("/h", 1, "/h/a/package-lock.json", True),
        ("/h/a", 64, "/h/ab/package-lock.json", False),
        ("/h", 64, "/h/.git/node_modules/x/package.json", False),
        ("/h/.git", 64, "/h/.git/node_modules/x/package.json", True),
        ("/", 64, "/h/list", True),
        ("/h", 64, "/elsewhere/list", False),
    ],
)
def test_what_a_root_covers(root: str, depth: int, file: str, covered: bool) -> None:
    assert Reach([(root, depth)]).covers(file) == covered


def test_what_could_not_be_read_spoils_what_lies_in_it_and_nothing_beside() -> None:
    reach = Reach([("/h", 64)], ["/h/a/b"])
    covered = [reach.covers(file) for file in ("/h/a/b", "/h/a/b/c/list", "/h/a/list", "/h/a/bc/list")]
    assert covered == [False, False, True, True]
    assert not Reach([("/h", 64)], map(str, range(BLIND_MAX + 1))).covers("/h/list")


def test_what_is_gone_and_what_only_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("file").touch()
    tmp_path.joinpath("link").symlink_to("nowhere")
    told = [vanished(str(tmp_path / name)) for name in ("none", "file/below", "file", "link", "\0")]
    assert told == [True, True, False, False, False]
    monkeypatch.setattr(os, "lstat", lambda _: (_ for _ in ()).throw(PermissionError(13, "no")))
    assert not vanished(str(tmp_path / "none"))


def test_ours_that_cannot_be_listed_is_a_problem(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, home.at("a"), PermissionError(13, "Permission denied"))
    run = look(home)
    assert (run.status, run.problems, run.notes) == (PARTIAL, [(home.at("a"), "Permission denied")], [])
    assert not run.reach.covers(home.at("a/node_modules/left/package.json"))
    assert run.reach.covers(home.at("b/node_modules/left/package.json"))


def test_theirs_that_cannot_be_listed_is_a_note_and_still_unknown(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, home.at("a"), PermissionError(13, "Permission denied"))
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    run = look(home)
    assert (run.status, run.problems, run.notes) == (COMPLETE, [], [(home.at("a"), "Permission denied")])
    assert not run.reach.covers(home.at("a/node_modules/left/package.json"))
    (kept, *_) = store.runs(home.state)
    assert (kept.notes, kept.reach.roots, kept.reach.blind) == (run.notes, run.reach.roots, run.reach.blind)
    assert kept.plain()["notes"] == [{"path": home.at("a"), "why": "Permission denied"}]


def test_what_goes_away_during_the_walk_is_not_there(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, home.at("a"), FileNotFoundError(2, "No such file or directory"))
    run = look(home)
    assert (run.status, run.problems, run.notes) == (COMPLETE, [], [])


def test_a_run_that_reads_nothing_again_does_not_know_more(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "SETTLED_NS", 0)
    home.put("a/node_modules/broken/package.json", "{")
    first, second = look(home), look(home)
    assert second.reused == second.directories
    assert first.reach.blind == second.reach.blind
    assert second.reach.spoiled(home.at("a/node_modules/broken/package.json"))
    assert second.reach.covers(home.at("b/node_modules/left/package.json"))


def test_an_inventory_of_an_earlier_release_is_read_and_proves_nothing(home: Home) -> None:
    look(home)
    with sqlite3.connect(store.path(home.state)) as book:
        book.execute("ALTER TABLE runs DROP COLUMN reach")
        book.execute("ALTER TABLE runs DROP COLUMN notes")
    (old,) = store.runs(home.state)
    assert (old.reach.roots, old.notes, old.status) == ([], [], COMPLETE)
    assert look(home).reach.roots


def test_what_is_kept_is_void_when_code_that_a_reader_calls_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "bk/engine/inventory/mcp.py": "from bk.engine.settings import (\n    parsed,\n)\n",
        "bk/engine/settings.py": "def parsed(): \n    import bk.engine.lower.shell\n",
        "bk/engine/lower/shell.py": "from bk.engine import tables\n",
        "bk/engine/tables.py": "A = 1\n",
        "bk/engine/other.py": "A = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(view, "TOP", str(tmp_path))
    monkeypatch.setattr(view, "OWN", str(tmp_path / "bk/engine/inventory"))

    def now() -> bytes:
        view.readers.cache_clear()
        return view.readers()

    before = now()
    (tmp_path / "bk/engine/other.py").write_text("A = 2\n")
    assert now() == before
    for name in list(files)[:4]:
        (tmp_path / name).write_text(files[name] + "B = 1\n")
        assert now() != before, name
        (tmp_path / name).write_text(files[name])
    assert now() == before
    monkeypatch.undo()
    view.readers.cache_clear()


def test_the_readers_of_settings_and_of_commands_are_among_them() -> None:
    reached = {path[len(view.TOP) :] for path in view._reached()}
    assert {"/bk/engine/settings.py", "/bk/engine/lower/shell.py", "/bk/engine/intel/versions.py"} <= reached
