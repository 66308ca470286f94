"""`bk config` as it is typed: output, exit codes, the editor, and the gate at a real terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.config.schema import KEYS
from bk.engine.state import State
from tests.unit.config.terminal import as_person

BK = [sys.executable, "-m", "bk", "config"]
ROOT = Path(__file__).parents[3]


def env_of(state: State, **more: str) -> dict[str, str]:
    return {"HOME": state.home, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "dumb", **more}


def bk(state: State, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BK, *words],
        env=env_of(state, **more),
        cwd=state.home,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_show_is_aligned_and_names_origins(state: State) -> None:
    assert bk(state, "set", "hook.agent_depth", "3").returncode == 0
    done = bk(state, "show", "--origin", BK_FAIL_MODE="closed")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == len(KEYS)
    assert len({line.rindex(line.split()[-1]) for line in lines}) == 1
    assert "hook.agent_depth" in lines[4]
    assert lines[4].split() == ["hook.agent_depth", "3", "user"]
    plain = bk(state, "show")
    assert max(map(len, plain.stdout.splitlines())) <= 100


def test_show_says_what_is_wrong_and_exits_so(state: State) -> None:
    assert bk(state, "set", "hook.agent_depth", "3").returncode == 0
    assert bk(state, "get", "hook.agent_depth").stdout == "3\n"
    Path(state.config).write_text('fail_moed = "x\u001b[31m"\n')
    done = bk(state, "show")
    assert done.returncode == 3
    assert "problem: " in done.stdout
    assert "\x1b" not in done.stdout
    told = json.loads(bk(state, "show", "--json").stdout)
    assert len(told["problems"]) == 1
    assert {row["key"]: row["value"] for row in told["keys"]}["hook.agent_depth"] == 3


def test_get_unknown_and_json(state: State) -> None:
    done = bk(state, "get", "fail_moed")
    assert done.returncode == 2
    assert "did you mean fail_mode?" in done.stderr
    assert json.loads(bk(state, "get", "fail_mode", "--json").stdout)["value"] == "closed"


def test_lists_and_unset(state: State) -> None:
    assert bk(state, "add", "paths.block", "~/a/**").returncode == 0
    done = bk(state, "add", "paths.block", "~/b/**", "--json")
    assert json.loads(done.stdout)["saved"] is True
    assert bk(state, "get", "paths.block").stdout == '["~/a/**", "~/b/**"]\n'
    refused = bk(state, "remove", "paths.block", "~/a/**")
    assert refused.returncode == 1
    assert "--admin" in refused.stderr
    assert bk(state, "unset", "paths.block").returncode == 1
    assert bk(state, "get", "paths.block").stdout == '["~/a/**", "~/b/**"]\n'


def test_validate_exits_by_what_it_finds(state: State) -> None:
    assert bk(state, "validate").stdout == "valid\n"
    bad = Path(state.home) / "x.toml"
    bad.write_text("[hook]\ndeadline_ms = 1\n")
    done = bk(state, "validate", str(bad))
    assert done.returncode == 1
    assert f"{bad}:2: hook.deadline_ms is outside 500–30000" in done.stderr
    told = bk(state, "validate", str(bad), "--json")
    assert (told.returncode, json.loads(told.stdout)["valid"]) == (1, False)


def test_admin_without_a_terminal_is_not_enough(state: State) -> None:
    done = subprocess.run(
        [*BK, "set", "fail_mode", "open", "--admin"],
        env=env_of(state), cwd=state.home, capture_output=True, text=True, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no controlling terminal" in done.stderr
    assert not os.path.exists(state.config)


def test_a_person_at_a_terminal_may_loosen(state: State, short_dir: Path) -> None:
    code, shown = as_person([*BK, "set", "fail_mode", "warn", "--admin"], env_of(state), short_dir)
    assert (code, "saved" in shown) == (0, True), shown
    assert bk(state, "get", "fail_mode").stdout == '"warn"\n'
    code, shown = as_person([*BK, "set", "fail_mode", "open"], env_of(state), short_dir)
    assert code == 1
    assert "--admin" in shown
    code, shown = as_person([*BK, "set", "fail_mode", "open", "--admin"], env_of(state, CLAUDECODE="1"), short_dir)
    assert code == 1
    assert "agent" in shown


def editor(state: State, old: str, new: str) -> str:
    script = Path(state.home) / "my editor"
    script.write_text(f'#!/bin/sh\nstat -c %a "$1" > {state.home}/mode\nsed -i \'s/{old}/{new}/\' "$1"\n')
    script.chmod(0o755)
    return f"'{script}'"


def test_edit_validates_compares_and_saves(state: State) -> None:
    assert bk(state, "set", "hook.agent_depth", "3").returncode == 0
    done = bk(state, "edit", "--yes", EDITOR=editor(state, "= 3", "= 2 # less"))
    assert done.returncode == 0, done.stderr
    assert "+agent_depth = 2 # less" in done.stdout
    assert (Path(state.home) / "mode").read_text() == "600\n"
    assert "agent_depth = 2 # less\n" in Path(state.config).read_text()
    invalid = bk(state, "edit", "--yes", EDITOR=editor(state, "= 2", "= 2000"))
    assert invalid.returncode == 1
    assert "outside 1–100" in invalid.stderr
    loosening = bk(state, "edit", "--yes", EDITOR=editor(state, "= 2", "= 20"))
    assert loosening.returncode == 1
    assert "--admin" in loosening.stderr
    assert bk(state, "edit", EDITOR="false").returncode == 1
    assert bk(state, "edit", EDITOR="no-such-editor").returncode == 1
    assert bk(state, "edit", EDITOR="true").stdout.strip() == "nothing to change"
    assert "agent_depth = 2 # less\n" in Path(state.config).read_text()
    assert [name for name in os.listdir(state.root) if name.startswith(".edit")] == []


def test_edit_asks_before_it_saves(state: State, short_dir: Path) -> None:
    assert bk(state, "set", "hook.agent_depth", "3").returncode == 0
    env = env_of(state, EDITOR=editor(state, "= 3", "= 5"))
    code, shown = as_person([*BK, "edit", "--admin"], env, short_dir, answer="n\n")
    assert (code, "save this?" in shown) == (1, True), shown
    assert bk(state, "get", "hook.agent_depth").stdout == "3\n"
    code, shown = as_person([*BK, "edit", "--admin"], env, short_dir, answer="y\n")
    assert (code, "saved" in shown) == (0, True), shown
    assert bk(state, "get", "hook.agent_depth").stdout == "5\n"


def test_import_shows_what_it_would_do_first(state: State, short_dir: Path) -> None:
    source = Path(state.home) / "config.json"
    source.write_text('{"fail_mode":"warn","audit":{"retention_days":30},"corpus":{"path":"/srv/x"}}')
    refused = bk(state, "import", str(source), "--yes")
    assert refused.returncode == 1
    assert "corpus.path is left" in refused.stdout
    assert not os.path.exists(state.config)
    code, shown = as_person([*BK, "import", str(source), "--admin"], env_of(state), short_dir, answer="y\n")
    assert code == 0, shown
    assert bk(state, "get", "audit.retention_days").stdout == "30\n"


@pytest.mark.parametrize("verb", ["show", "get", "set", "unset", "add", "remove", "validate", "edit", "import"])
def test_every_verb_explains_itself(state: State, verb: str) -> None:
    done = bk(state, verb, "--help")
    assert done.returncode == 0
    if verb not in ("show", "get", "validate"):
        assert "--admin" in done.stdout
