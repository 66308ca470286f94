"""The snapshot: fresh by stamps, whole by digest, and the last good rules when an edit is bad."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bk.engine.errors import Refusal
from bk.engine.model import Level
from bk.engine.rulebook import places
from bk.engine.rulebook.sealed import catalogue_of, head_of, written
from bk.engine.state import State

from . import aged, book, folder, found, ids, put, rule

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
ORDINARY = pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user")
HEAVY = {
    "tomllib",
    "typing",
    "dataclasses",
    "pathlib",
    "logging",
    "subprocess",
    "hashlib",
    "re2",
    "bk.engine.rules.parse",
}
SNAPSHOT = "run/rules.json"


def snapshot(state: State) -> Path:
    return Path(state.root, SNAPSHOT)


def test_built_in_rules_are_in_force_without_any_file(state: State) -> None:
    rules = book(state)
    assert rules.count > 50
    assert rules.problems == ()
    assert ids(rules, "rclone purge remote:shop", state) == ["storage/rclone-removes"]
    assert snapshot(state).stat().st_mode & 0o777 == 0o600


def test_looking_does_not_make_an_installation(tmp_path: Path) -> None:
    state = State(str(tmp_path / "none"), str(tmp_path), os.geteuid())
    assert book(state).count > 50
    assert not os.path.exists(state.root)


def test_a_fresh_snapshot_is_used_and_judges_the_same(state: State) -> None:
    put(folder(state) / "mine.rules", rule("no-frob", "frob"))
    first = book(state)
    made = snapshot(state).stat()
    second = book(state)
    assert snapshot(state).stat().st_ino == made.st_ino
    assert second.digest == first.digest
    commands = ["frob", "sudo frob now", "ls", "rclone purge x:y", "true; frob"]
    assert [ids(first, each, state) for each in commands] == [ids(second, each, state) for each in commands]
    assert "mine/no-frob" in ids(second, "frob", state)
    assert ids(second, "ls", state) == []


def test_reading_a_fresh_snapshot_imports_nothing_heavy_and_is_quick(state: State) -> None:
    aged()
    book(state)
    script = (
        "import sys, time, os\n"
        "from bk.engine.state import State\n"
        "from bk.engine.config import snapshot\n"
        "from bk.engine.rulebook import store\n"
        "state = State(sys.argv[1], sys.argv[2], os.geteuid())\n"
        "policy = snapshot.read(state, sys.argv[2] + '/etc/config.toml')\n"
        "t = time.process_time()\n"
        "store.read(state, policy, sys.argv[2] + '/etc/rules')\n"
        "print(time.process_time() - t)\n"
        "print(' '.join(sys.modules))\n"
    )
    words = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n" + script]
    took = []
    for _ in range(5):
        done = subprocess.run([*words, state.root, state.home], capture_output=True, text=True, check=True)
        seconds, modules = done.stdout.splitlines()
        took.append(float(seconds))
    assert not HEAVY & set(modules.split())
    assert min(took) < 0.02, took  # 3 ms is the budget; a loaded machine gets more


def test_the_second_part_is_what_people_look_at(state: State) -> None:
    put(folder(state) / "mine.rules", "# first\n\n" + rule("no-frob", "frob") + "\n# last\n")
    book(state)
    (row,) = [row for row in catalogue_of(str(snapshot(state)), os.geteuid()) if row["pack"] == "mine"]
    assert row["id"] == "mine/no-frob"
    assert (row["line"], row["layer"], row["off"]) == (3, "user", False)
    assert row["text"] == rule("no-frob", "frob").rstrip()


def test_an_edit_counts_at_once(state: State) -> None:
    path = folder(state) / "mine.rules"
    put(path, rule("no-frob", "frob"))
    assert "mine/no-frob" in ids(book(state), "frob", state)
    put(path, rule("no-grob", "grob"))
    rules = book(state)
    assert ids(rules, "frob", state) == []
    assert ids(rules, "grob", state) == ["mine/no-grob"]
    os.unlink(path)
    aged()
    assert ids(book(state), "grob", state) == []


def test_an_edit_that_leaves_size_and_time_alone_counts_too(state: State) -> None:
    path = folder(state) / "mine.rules"
    put(path, rule("no-frob", "frob"))
    book(state)
    before = path.stat()
    put(path, rule("no-frab", "frab"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    aged()
    assert path.stat().st_size == before.st_size
    assert ids(book(state), "frab", state) == ["mine/no-frab"]


def test_a_file_so_young_that_its_stamp_proves_nothing_is_read_again(state: State) -> None:
    path = folder(state) / "mine.rules"
    for name in ("aaaa", "bbbb", "cccc"):
        path.write_text(rule("one", name))
        path.chmod(0o600)
        assert ids(book(state), name, state) == ["mine/one"]


def test_a_bad_edit_keeps_the_last_good_rules_and_every_call_is_told(state: State) -> None:
    path = folder(state) / "mine.rules"
    put(path, rule("no-frob", "frob"))
    good = book(state)
    put(path, rule("no-frob", "frob") + 'block "x"\n  match comand("y")\n')
    for _ in range(2):  # the second time from the snapshot
        rules = book(state)
        assert rules.digest == good.digest
        (problem,) = rules.problems
        assert f"{path}:8:" in problem
        assert "the last good rules stay in force" in problem
        assert "mine/no-frob" in ids(rules, "frob", state)
        (told,) = found(rules, "ls", state)
        assert (told.rule, told.level) == ("rules/broken", Level.WARN)
        assert "comand" in told.reason
    put(path, rule("no-grob", "grob"))
    rules = book(state)
    assert rules.problems == ()
    assert ids(rules, "grob", state) == ["mine/no-grob"]


def test_settings_count_for_the_last_good_rules_too(state: State) -> None:
    path = folder(state) / "mine.rules"
    put(state.config, '[rules]\ndisabled = ["storage/*"]\n')
    put(path, "# one\n\n" + rule("no-frob", "frob", "suspicious"))
    assert ids(book(state), "rclone purge a:b", state) == []
    put(path, "block\n")
    book(state)
    put(state.config, '[rules]\nprofile = "strict"\n')
    for _ in range(2):
        rules = book(state)
        assert "the last good rules stay in force" in rules.problems[0]
        assert "storage/rclone-removes" in ids(rules, "rclone purge a:b", state)
        (told, _) = found(rules, "frob", state)
        assert (told.rule, told.level) == ("mine/no-frob", Level.BLOCK)
        assert told.evidence["origin"] == f"{path}:3"


def test_the_last_good_rules_outlive_several_bad_edits_and_still_judge(state: State) -> None:
    path = folder(state) / "mine.rules"
    put(path, rule("no-frob", "frob"))
    book(state)
    for text in ("block\n", "nonsense\n", 'block "a"\n'):
        put(path, text)
        rules = book(state)
        assert "mine/no-frob" in ids(rules, "frob", state)
        assert "storage/rclone-removes" in ids(rules, "rclone purge a:b", state)


def test_a_wrong_file_can_be_made_to_stop_everything(state: State) -> None:
    put(state.config, '[rules]\non_error = "block"\n')
    put(folder(state) / "mine.rules", "block\n")
    (told,) = found(book(state), "ls", state)
    assert (told.rule, told.level) == ("rules/broken", Level.BLOCK)


def test_without_a_last_good_one_everything_but_the_wrong_file_is_in_force(state: State) -> None:
    put(folder(state) / "good.rules", rule("no-frob", "frob"))
    put(folder(state) / "wrong.rules", "block\n")
    rules = book(state)
    assert "no earlier rules are known" in rules.problems[0]
    assert ids(rules, "frob", state) == ["good/no-frob", "rules/broken"]
    assert "storage/rclone-removes" in ids(rules, "rclone purge a:b", state)


def test_a_list_that_nobody_made_is_told_with_its_file(state: State) -> None:
    path = folder(state) / "mine.rules"
    put(path, 'block "x"\n  match connects_to(@lists.nowhere)\n')
    assert f"{path}:2:" in book(state).problems[0]
    put(state.config, '[lists]\nnowhere = ["evil.example"]\n')
    rules = book(state)
    assert rules.problems == ()
    assert ids(rules, "curl -s http" + "://evil.example/x", state) == ["mine/x"]


def test_without_built_in_rules_nothing_is_decided(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PACKS", str(tmp_path))
    with pytest.raises(Refusal) as caught:
        book(state)
    assert caught.value.cause == "rules"
    (tmp_path / "core.rules").write_text("block\n")
    with pytest.raises(Refusal, match="rules"):
        book(state)


@pytest.mark.parametrize("how", ["truncated", "altered", "empty", "noise", "huge-length", "other-format"])
def test_a_damaged_snapshot_is_made_anew(state: State, how: str) -> None:
    put(folder(state) / "mine.rules", rule("no-frob", "frob"))
    book(state)
    path = snapshot(state)
    data = path.read_bytes()
    damaged = {
        "truncated": data[: len(data) // 2],
        "altered": data.replace(b"no-frob", b"no-grob", 1),
        "empty": b"",
        "noise": os.urandom(len(data)),
        "huge-length": data.replace(data.split()[2], b"9" * 30, 1),
        "other-format": written(
            {"sources": [], "racy": False, "policy": "", "problems": [], "notes": [], "book": {}}, []
        ),
    }[how]
    path.write_bytes(damaged)
    assert head_of(str(path), os.geteuid()) is None or how == "other-format"
    assert ids(book(state), "frob", state) == ["mine/no-frob"]
    assert head_of(str(path), os.geteuid()) is not None


def test_a_snapshot_that_others_may_write_or_that_is_a_link_is_not_read(state: State, tmp_path: Path) -> None:
    book(state)
    path = snapshot(state)
    path.chmod(0o622)
    assert head_of(str(path), os.geteuid()) is None
    book(state)
    assert path.stat().st_mode & 0o777 == 0o600
    os.rename(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert head_of(str(path), os.geteuid()) is None
    book(state)
    assert not path.is_symlink()


@ROOT_ONLY
def test_a_snapshot_of_somebody_else_is_not_read(state: State) -> None:
    book(state)
    os.chown(snapshot(state), 12345, 12345)
    assert head_of(str(snapshot(state)), os.geteuid()) is None
    assert book(state).count > 50


def test_a_tampered_snapshot_is_not_the_last_good_one_either(state: State) -> None:
    path = folder(state) / "mine.rules"
    put(path, rule("no-frob", "frob"))
    book(state)
    snapshot(state).write_bytes(snapshot(state).read_bytes().replace(b'"rules":', b'"rulez":', 1))
    put(path, "block\n")
    rules = book(state)
    assert "no earlier rules are known" in rules.problems[0]


def test_another_policy_makes_other_rules(state: State) -> None:
    book(state)
    put(state.config, '[rules]\ndisabled = ["storage/*"]\n')
    rules = book(state)
    assert ids(rules, "rclone purge remote:shop", state) == []
    rows = catalogue_of(str(snapshot(state)), os.geteuid())
    assert {row["off"] for row in rows if row["pack"] == "storage"} == {True}
    put(state.config, '[rules]\ndisabled = ["storage/rclone-remove"]\n')
    rules = book(state)
    assert rules.problems == ()
    assert "did you mean storage/rclone-removes" in rules.notes[0]
    put(state.config, '[rules]\nprofile = "strict"\n')
    (told,) = found(book(state), "rclone sync a: b:", state)
    assert told.level is Level.BLOCK


@pytest.mark.parametrize(("files", "rules"), [(5, 20), pytest.param(20, 50, marks=pytest.mark.long)])
def test_processes_that_compile_at_once_all_get_whole_rules(state: State, files: int, rules: int) -> None:
    for number in range(files):
        (folder(state) / f"pack{number}.rules").write_text(
            "\n".join(rule(f"r{each}", f"prog{number}x{each}") for each in range(rules))
        )
    aged()
    script = (
        "import sys, os\n"
        "from bk.engine.state import State\n"
        "from tests.unit.rulebook import book\n"
        "state = State(sys.argv[1], sys.argv[2], os.geteuid())\n"
        "print(max(book(state).count for _ in range(8)), book(state).problems)\n"
    )
    words = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(Path(__file__).parents[3])!r}]\n" + script]
    running = [
        subprocess.Popen([*words, state.root, state.home], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    removed = 0
    while any(each.poll() is None for each in running):
        snapshot(state).unlink(missing_ok=True)  # so that they must write it again and again
        removed += 1
        time.sleep(0.01)
    said = [each.communicate() for each in running]
    assert [each.returncode for each in running] == [0, 0, 0], said
    assert {out for out, _ in said} == {f"{book(state).count} ()\n"}
    left = [name for name in os.listdir(Path(state.root, "run")) if "rules.json" in name]
    assert left == ["rules.json"]


@pytest.mark.parametrize(
    "how", ["link", "folder-link", "fifo", "folder", "huge", "not-utf8", "open", "folder-open", "name"]
)
def test_what_is_no_rule_file_of_ours_is_told_and_never_waited_for(state: State, tmp_path: Path, how: str) -> None:
    rules = folder(state)
    path = rules / "mine.rules"
    put(tmp_path / "real.rules", rule("no-frob", "frob"))
    if how == "link":
        path.symlink_to(tmp_path / "real.rules")
    elif how == "folder-link":
        rules.rmdir()
        rules.symlink_to(tmp_path)
    elif how == "fifo":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    elif how == "huge":
        path.write_bytes(b"# " + b"x" * (5 << 20))
    elif how == "not-utf8":
        path.write_bytes(b'block "\xff"\n')
    elif how == "open":
        put(path, rule("no-frob", "frob"), mode=0o666)
    elif how == "folder-open":
        put(path, rule("no-frob", "frob"))
        rules.chmod(0o777)
    elif how == "name":
        put(rules / "My Rules.rules", rule("no-frob", "frob"))
    aged()
    started = time.process_time()
    held = book(state)
    assert time.process_time() - started < 5
    assert len(held.problems) == 1, held.problems
    assert "no-frob" not in str(ids(held, "frob", state))
    assert ids(held, "rclone purge a:b", state) == ["storage/rclone-removes", "rules/broken"]


@ORDINARY
def test_a_file_that_cannot_be_read_is_told(state: State) -> None:
    put(folder(state) / "mine.rules", rule("no-frob", "frob"), mode=0)
    assert "ermission" in book(state).problems[0]


def test_a_second_rule_of_the_same_id_is_refused(state: State) -> None:
    put(folder(state) / "storage.rules", rule("rclone-removes", "frob", "warn"))
    rules = book(state)
    assert "storage/rclone-removes is a rule of built-in/storage.rules already" in rules.problems[0]
    (told, _) = found(rules, "rclone purge a:b", state)
    assert told.level is Level.BLOCK


def test_a_file_that_was_probably_meant_is_noted(state: State) -> None:
    put(folder(state) / "mine.rule", rule("no-frob", "frob"))
    rules = book(state)
    assert rules.problems == ()
    assert "mine.rule is not read" in rules.notes[0]


@ROOT_ONLY
def test_the_system_s_rules_are_root_s_alone(state: State) -> None:
    system = Path(state.home, "etc", "rules")
    system.mkdir(parents=True, mode=0o755)
    put(system / "house.rules", rule("no-frob", "frob"), mode=0o644)
    assert ids(book(state), "frob", state) == ["house/no-frob"]
    os.chown(system / "house.rules", 12345, 12345)
    aged()
    assert "belongs to uid 12345" in book(state).problems[0]


def quickest(what: Callable[[], object]) -> float:
    """The least of five times: what the work costs where nothing else runs."""
    times = []
    for _ in range(5):
        started = time.process_time()
        what()
        times.append(time.process_time() - started)
    return min(times)


def test_ten_thousand_rules(state: State) -> None:
    rules = folder(state)
    for number in range(4):
        text = "\n".join(rule(f"r{each}", f"prog{number}x{each}") for each in range(2500))
        (rules / f"pack{number}.rules").write_text(text)
    aged()
    started = time.process_time()
    assert book(state).problems == ()
    compiling = time.process_time() - started
    held = book(state)
    loading = quickest(lambda: book(state))
    assert held.count > 10_000
    assert ids(held, "prog3x2499 && ls", state) == ["pack3/r2499"]
    assert ids(held, "ls -l", state) == []
    assert quickest(lambda: ids(held, "ls -l", state)) < 0.01
    assert loading < compiling / 10
