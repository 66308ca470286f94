"""`bk rules` as people and programs meet it: bytes, exit codes, files and entries."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bk.engine.checks.own import commands
from bk.engine.console.probes import rules as probe
from bk.engine.ledger.store import Ledger
from bk.engine.lower import lower
from bk.engine.model import Entry, ToolCall
from bk.engine.state import State
from tests.unit.config.terminal import as_person

from . import aged, book, folder, ids, put, rule

BK = [sys.executable, "-m", "bk", "rules"]


def env(state: State) -> dict[str, str]:
    return {"HOME": state.home, "BK_HOME": state.root, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def bk(state: State, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it as a program would: without a terminal."""
    root = Path(__file__).parents[3]
    return subprocess.run(
        [*BK, *words], env={**env(state), "PYTHONPATH": str(root)}, cwd=state.home, capture_output=True, text=True,
        timeout=60, stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def told(state: State, *words: str) -> Any:
    return json.loads(bk(state, *words, "--json").stdout)


def entries(state: State) -> list[Entry]:
    ledger = Ledger.open(state)
    try:
        return [entry for entry in ledger.entries(limit=100) if entry.kind in ("admin", "config")]
    finally:
        ledger.close()


def test_list_names_every_rule_and_where_it_comes_from(state: State) -> None:
    put(folder(state) / "mine.rules", rule("no-frob", "frob"))
    put(state.config, '[rules]\ndisabled = ["storage/rclone-removes"]\n')
    done = bk(state, "list")
    assert done.returncode == 0, done.stderr
    assert "yours, ~/.bk/rules/mine.rules" in done.stdout
    assert "no-frob" in done.stdout
    rows = {row["id"]: row for row in told(state, "list")["rules"]}
    assert rows["mine/no-frob"]["layer"] == "user"
    assert rows["storage/rclone-removes"]["in_force"] is False
    assert [row["id"] for row in told(state, "list", "--disabled")["rules"]] == ["storage/rclone-removes"]
    assert {row["pack"] for row in told(state, "list", "--pack", "mine")["rules"]} == {"mine"}
    missing = bk(state, "list", "--pack", "nope")
    assert missing.returncode == 1
    assert "packs here" in missing.stderr


def test_list_says_when_a_file_is_wrong(state: State) -> None:
    put(folder(state) / "mine.rules", "block\n")
    done = bk(state, "list")
    assert done.returncode == 3
    assert "problem" in done.stdout.splitlines()[0]


def test_show_tells_one_rule_in_full(state: State) -> None:
    text = rule("no-frob", "frob")
    put(folder(state) / "mine.rules", "# notes\n" + text)
    for name in ("mine/no-frob", "no-frob"):
        done = bk(state, "show", name)
        assert done.returncode == 0, done.stderr
        assert "in force" in done.stdout
        assert "mine.rules:2" in done.stdout
        assert 'match command("frob")' in done.stdout
    assert told(state, "show", "mine/no-frob")["text"] == text.rstrip()
    missing = bk(state, "show", "no-frobb")
    assert missing.returncode == 2
    assert "did you mean no-frob?" in missing.stderr


def test_show_is_safe_for_the_terminal(state: State) -> None:
    put(folder(state) / "mine.rules", rule("no-frob", "frob").replace("because", "evil \u202e \u2066 text"))
    done = bk(state, "show", "no-frob")
    assert "\u202e" not in done.stdout
    assert "\u2066" not in done.stdout


def test_lint_points_at_the_place(state: State, tmp_path: Path) -> None:
    path = tmp_path / "mine.rules"
    path.write_text('block "x"\n  match comand("y")\n  nudge "{hots}"\n')
    done = bk(state, "lint", str(path))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip().startswith("2:9"))
    assert "did you mean command?" in lines[at]
    assert lines[at + 1].index("comand") == lines[at + 2].index("^")
    said = told(state, "lint", str(path))
    assert said["ok"] is False
    assert [(error["line"], error["column"]) for error in said["files"][0]["errors"]] == [(2, 9), (3, 10)]
    path.write_text(rule("ok", "frob"))
    assert bk(state, "lint", str(path)).returncode == 0
    assert bk(state, "lint", str(tmp_path / "none.rules")).returncode == 1


def test_lint_of_everything_is_right_and_hints_at_what_is_missing(state: State) -> None:
    assert bk(state, "lint").returncode == 0
    put(folder(state) / "mine.rules", 'block "bare"\n  match command("frob")\n')
    done = bk(state, "lint")
    assert done.returncode == 0
    assert "bare has no why, no nudge, no example bad, no example good" in done.stdout


def test_the_examples_of_every_built_in_rule_are_as_they_say(state: State) -> None:
    said = told(state, "test")
    assert said["ok"], [each for each in said["examples"] if not each["ok"]]
    assert said["tried"] > 300


def test_an_example_must_be_found_by_its_own_rule(state: State, tmp_path: Path) -> None:
    path = tmp_path / "mine.rules"
    path.write_text(
        'block "mine"\n  match command("frob") with_flags("--all")\n'
        "  example bad rclone purge remote:shop\n  example good frob --all\n  example bad frob --all\n"
    )
    done = bk(state, "test", str(path))
    assert done.returncode == 1
    assert "this rule does not find it; found by storage/rclone-removes" in done.stdout
    assert "this rule finds it, and should not" in done.stdout
    said = told(state, "test", str(path), "--rule", "mine/mine")
    assert [each["ok"] for each in said["examples"]] == [False, False, True]
    nothing = bk(state, "test", str(path), "--rule", "nope")
    assert nothing.returncode == 2


def test_no_other_file_is_quoted(state: State) -> None:
    secret = Path(state.home, ".env")
    secret.write_text("TOKEN=hunter2\n")
    for words in (("lint", str(secret)), ("test", str(secret)), ("fmt", "--check", str(secret))):
        done = bk(state, *words)
        assert done.returncode == 1
        assert "hunter2" not in done.stdout + done.stderr
    Path(state.home, "x.rules").symlink_to(secret)
    done = bk(state, "lint", f"{state.home}/x.rules")
    assert done.returncode == 1
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "let"),
    [
        ("bk rules list --json", True),
        ("bk rules show git/x", True),
        ("bk rules lint", True),
        ("bk rules test a.rules", True),
        ("bk explain 'rm -rf /'", True),
        ("bk simulate --input calls.jsonl", True),
        ("bk rules new mine", False),
        ("bk rules fmt", False),
        ("bk rules import p.json", False),
        ("bk rules list --admin", False),
    ],
)
def test_agents_may_look_and_not_write(command: str, let: bool) -> None:
    found = list(commands(lower(ToolCall("Bash", "shell", {"command": command}, cwd="/home/u/p", home="/home/u"))))
    assert [finding.rule for finding in found] == ([] if let else ["self/cli"])


@pytest.mark.parametrize("words", [("new", "house"), ("fmt",), ("import", "p.json")])
def test_writing_needs_a_person(state: State, words: tuple[str, ...]) -> None:
    put(folder(state) / "mine.rules", 'block   "x"\n    match command( "frob" )\n')
    policy = [{"id": "a", "rule_type": "package_allowlist", "packages": ["p"], "action": "block"}]
    Path(state.home, "p.json").write_text(json.dumps({"schema_version": "1", "name": "n", "rules": policy}))
    before = sorted((path.name, path.read_bytes()) for path in folder(state).iterdir())
    for more in ((), ("--admin",)):
        done = bk(state, *words, *more, *(["--yes"] if words[0] == "import" and more else []))
        assert done.returncode == 1, done.stdout
        assert "person" in done.stderr
    assert sorted((path.name, path.read_bytes()) for path in folder(state).iterdir()) == before


def test_a_new_file_lints_tests_counts_and_is_never_written_over(state: State, tmp_path: Path) -> None:
    code, shown = as_person([*BK, "new", "our-house", "--admin"], env(state), tmp_path)
    assert code == 0, shown
    path = Path(state.root, "rules", "our-house.rules")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert entries(state)[-1].data["what"] == str(path)
    assert bk(state, "lint", str(path)).returncode == 0
    assert told(state, "test", str(path))["ok"]
    assert bk(state, "fmt", "--check", str(path)).returncode == 0
    aged()
    assert ids(book(state), "deploy prod", state) == ["our-house/deploy-to-production"]
    path.write_text("# mine\n")
    code, shown = as_person([*BK, "new", "our-house", "--admin"], env(state), tmp_path)
    assert code == 1
    assert path.read_text() == "# mine\n"
    for name in ("storage", "../x", "A b", ""):
        code, shown = as_person([*BK, "new", name, "--admin"], env(state), tmp_path)
        assert code in (1, 2), name
    assert [each.name for each in path.parent.iterdir()] == ["our-house.rules"]


def test_fmt_keeps_what_is_said_and_the_mode(state: State, tmp_path: Path) -> None:
    path = folder(state) / "mine.rules"
    put(path, 'block   "x"\n    match command( "frob","grob" )\n', mode=0o640)
    assert bk(state, "fmt", "--check").returncode == 1
    code, shown = as_person([*BK, "fmt", "--admin"], env(state), tmp_path)
    assert code == 0, shown
    assert path.read_text() == 'block "x"\n  match command("frob", "grob")\n'
    assert path.stat().st_mode & 0o777 == 0o640
    assert entries(state)[-1].data["files"] == [str(path)]
    assert bk(state, "fmt", "--check").returncode == 0
    path.write_text("block\n")
    wrong = bk(state, "fmt")
    assert wrong.returncode == 1
    assert "line 1" in wrong.stdout


def test_import_writes_rules_and_settings_together(state: State, tmp_path: Path) -> None:
    policy = [
        {"id": "a", "rule_type": "package_allowlist", "packages": ["badpkg"], "action": "block", "ecosystem": "npm"},
        {"id": "b", "rule_type": "corroboration_threshold", "block_at": 1, "warn_at": 1},
        {"id": "c", "rule_type": "package_allowlist", "packages": ["fine"], "action": "allow"},
    ]
    source = Path(state.home, "House Policy.json")
    source.write_text(json.dumps({"schema_version": "1", "name": "our house", "rules": policy}))
    code, shown = as_person([*BK, "import", str(source), "--admin", "--yes"], env(state), tmp_path)
    assert code == 0, shown
    assert "c is left" in shown
    made = Path(state.root, "rules", "house-policy.rules")
    aged()
    assert "house-policy/a" in ids(book(state), "npm i badpkg", state)
    assert "block_at = 1" in Path(state.config).read_text()
    assert {entry.kind for entry in entries(state)} == {"admin", "config"}
    text = made.read_text()
    code, shown = as_person([*BK, "import", str(source), "--admin", "--yes"], env(state), tmp_path)
    assert code == 1
    assert "such a file already" in shown
    assert made.read_text() == text


def test_import_of_a_wrong_policy_changes_nothing(state: State, tmp_path: Path) -> None:
    source = tmp_path / "p.json"
    source.write_text(
        json.dumps({"schema_version": "2", "name": "n", "rules": [{"id": "a", "rule_type": "x", "y": 1}]})
    )
    code, shown = as_person([*BK, "import", str(source), "--admin", "--yes"], env(state), tmp_path)
    assert code == 1
    assert shown.count("rule 1:") == 2
    assert not Path(state.root, "rules").exists()


def test_diag_is_red_for_a_wrong_file_and_tells_what_is_off(state: State) -> None:
    assert probe(state).state == "ok"
    put(state.config, '[rules]\ndisabled = ["storage/rclone-removes"]\n')
    part = probe(state)
    assert "storage/rclone-removes" in part.reason
    put(folder(state) / "mine.rules", "block\n")
    part = probe(state)
    assert (part.state, part.next_step) == ("bad", "bk rules lint")
    assert "mine.rules:1" in part.reason


def test_a_read_only_state_still_shows_the_rules(state: State) -> None:
    book(state)
    shutil.rmtree(Path(state.root, "run"))
    Path(state.root, "run").write_text("not a folder")
    assert len(told(state, "list")["rules"]) > 50
