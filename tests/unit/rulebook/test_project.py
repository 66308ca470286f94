"""A project's rules only add: whatever is wrong with them is told, and costs nobody else's rule anything."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bk.engine.config import snapshot
from bk.engine.rulebook import project
from bk.engine.state import State

from . import aged, around, book, folder, ids, put, rule


def made(state: State, name: str = "project") -> Path:
    """A project with a folder for rules."""
    path = Path(state.home, name, ".bk", "rules")
    path.mkdir(parents=True)
    return path


def test_without_project_rules_it_is_the_very_same_book(state: State) -> None:
    rules = book(state)
    policy = snapshot.read(state)
    assert project.with_project(rules, state, policy, f"{state.home}/project", state.home) is rules


def test_a_project_adds_rules_for_calls_below_it(state: State) -> None:
    put(made(state) / "api.rules", rule("no-frob", "frob"))
    here = Path(state.home, "project", "src", "deep")
    here.mkdir(parents=True)
    assert ids(around(state, here), "frob", state) == ["project.api/no-frob"]
    assert ids(around(state, state.home), "frob", state) == []
    assert ids(around(state, f"{state.home}/other"), "frob", state) == []
    assert "storage/rclone-removes" in ids(around(state, here), "rclone purge a:b", state)


def test_outer_and_inner_projects_both_count(state: State) -> None:
    put(made(state) / "api.rules", rule("no-frob", "frob"))
    put(made(state, "project/inner") / "api.rules", rule("no-frob", "grob"))
    rules = around(state, f"{state.home}/project/inner")
    assert ids(rules, "frob; grob", state) == ["project.api/no-frob", "project.api/no-frob"]
    assert rules.problems == ()


def test_the_home_s_own_folder_is_no_project(state: State) -> None:
    Path(state.home, ".bk", "rules").mkdir(parents=True, exist_ok=True)
    put(Path(state.home, ".bk", "rules", "mine.rules"), rule("no-frob", "frob"))
    assert len(around(state, state.home).books) == 1


def test_a_rule_of_the_same_name_does_not_replace_one(state: State) -> None:
    put(made(state) / "storage.rules", rule("rclone-removes", "rclone", "warn"))
    rules = around(state, f"{state.home}/project")
    assert set(ids(rules, "rclone purge a:b", state)) == {"storage/rclone-removes", "project.storage/rclone-removes"}


def test_an_edit_counts_at_the_next_call(state: State) -> None:
    path = made(state) / "api.rules"
    for program in ("aaa", "bbb", "ccc"):
        path.write_text(rule("one", program))
        path.chmod(0o644)
        assert ids(around(state, path.parent), program, state) == ["project.api/one"]
    aged()
    around(state, path.parent)
    path.unlink()
    aged()
    assert ids(around(state, f"{state.home}/project"), "ccc", state) == []


def test_a_cold_call_reads_what_was_compiled(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    put(made(state) / "api.rules", rule("no-frob", "frob"))
    around(state, f"{state.home}/project")
    kept = [name for name in os.listdir(f"{state.root}/run") if name.startswith("rules-")]
    assert len(kept) == 1
    project._books.clear()
    monkeypatch.setattr(project, "_gather", lambda *_: pytest.fail("it was compiled again"))
    assert ids(around(state, f"{state.home}/project"), "frob", state) == ["project.api/no-frob"]


def test_compiled_projects_do_not_pile_up(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "_KEPT_MAX", 4)
    for number in range(9):
        (made(state, f"p{number}") / "api.rules").write_text(rule("one", "frob"))
    aged()
    for number in range(9):
        around(state, f"{state.home}/p{number}")
    assert len([name for name in os.listdir(f"{state.root}/run") if name.startswith("rules-")]) == 4


@pytest.mark.parametrize("how", ["syntax", "list", "fifo", "link", "big", "utf8", "folder-link", "folder-file", "many"])
def test_a_bad_project_is_told_and_all_else_holds(state: State, tmp_path: Path, how: str) -> None:
    put(folder(state) / "mine.rules", rule("no-frob", "frob"))
    rules = made(state)
    bad = rules / "bad.rules"
    put(rules / "good.rules", rule("no-grob", "grob"), mode=0o664)
    kept = True
    if how == "syntax":
        put(bad, "block\n")
    elif how == "list":
        put(bad, 'block "x"\n  match reads(@lists.nowhere)\n')
    elif how == "fifo":
        os.mkfifo(bad)
    elif how == "link":
        bad.symlink_to("/etc/passwd")
    elif how == "big":
        put(bad, "# x\n" * 100_000)
    elif how == "utf8":
        put(bad, b"\xff")
    elif how == "many":
        for number in range(40):
            (rules / f"m{number}.rules").write_text(rule("one", f"m{number}"))
    else:
        kept = False
        os.rename(rules, tmp_path / "rules")
        if how == "folder-link":
            rules.symlink_to(tmp_path / "rules")
        else:
            rules.write_text("block\n")
    aged()
    started = time.process_time()
    held = around(state, f"{state.home}/project")
    assert time.process_time() - started < 5
    assert len(held.problems) == 1, held.problems
    assert "all of yours are in force" in held.problems[0]
    said = ids(held, "frob; grob; rclone purge a:b", state)
    assert {"mine/no-frob", "storage/rclone-removes", "rules/broken"} <= set(said)
    assert ("project.good/no-grob" in said) is kept


def test_a_person_may_switch_a_project_s_rule_off_and_a_project_nobody_s(state: State) -> None:
    put(made(state) / "api.rules", rule("no-frob", "frob"))
    put(state.config, '[rules]\ndisabled = ["project.api/*"]\n')
    assert ids(around(state, f"{state.home}/project"), "frob", state) == []
    put(Path(state.home, "project", ".bk.toml"), '[rules]\ndisabled = ["storage/*"]\nprofile = "relaxed"\n')
    policy = snapshot.tightened(snapshot.read(state), f"{state.home}/project", state.home, {})
    assert policy.values["rules.disabled"] == ["project.api/*"]
    assert policy.values["rules.profile"] == "standard"
    assert sum("is not for a project to set" in problem for problem in policy.problems) == 2
    put(Path(state.home, "project", ".bk.toml"), '[rules]\non_error = "block"\n')
    policy = snapshot.tightened(snapshot.read(state), f"{state.home}/project", state.home, {})
    assert policy.values["rules.on_error"] == "block"
