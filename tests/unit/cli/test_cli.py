"""The command line as a person meets it: help, mistakes, errors; each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from bk.cli.nouns import NOUNS
from bk.engine.errors import EXIT_CODES
from bk.engine.state import State


def bk(
    state: State, *words: str, env: dict[str, str] | None = None, said: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bk", *words],
        env={"HOME": state.home, "PATH": os.environ["PATH"], "TERM": "dumb", **(env or {})},
        cwd=state.home,
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_shows_every_command_and_every_exit_code(state: State) -> None:
    done = bk(state, "--help")
    assert done.returncode == 0
    for noun in NOUNS:
        assert re.search(rf"^  {noun} ", done.stdout, re.MULTILINE)
    for code in EXIT_CODES:
        assert re.search(rf"^  {code} ", done.stdout, re.MULTILINE)
    assert done.stdout.index("check") < done.stdout.index("audit")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_without_words_it_helps_and_says_that_something_was_missing(state: State) -> None:
    done = bk(state)
    assert done.returncode == 2
    assert "usage: bk COMMAND" in done.stdout


@pytest.mark.parametrize(("typed", "meant"), [("chek", "check"), ("adit", "audit"), ("dashbord", "dashboard")])
def test_a_mistyped_command_is_guessed(state: State, typed: str, meant: str) -> None:
    done = bk(state, typed)
    assert done.returncode == 2
    assert f"did you mean `bk {meant}`?" in done.stderr


def test_a_hostile_command_name_is_shown_inert(state: State) -> None:
    done = bk(state, "\x1b[31mx")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("noun", NOUNS)
def test_every_command_explains_itself(state: State, noun: str) -> None:
    for words in ((noun, "--help"), ("help", noun)):
        done = bk(state, *words)
        assert done.returncode == 0, done.stderr
        assert f"bk {noun}" in done.stdout
        assert "Traceback" not in done.stderr


def test_the_version_costs_no_library(state: State) -> None:
    code = "import sys; from bk.cli import main; main(['--version']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("bk ")
    assert not {"typer", "rich", "textual", "bk.engine.console", "sqlite3"} & set(done.stdout.split())


def test_an_error_is_one_screen_with_the_next_step(state: State) -> None:
    done = bk(state, "check", "--tool", "Weird", "--args", "x")
    assert done.returncode == 2
    assert "the arguments cannot be read" in done.stderr
    assert "next:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refused_state_directory_is_explained(state: State) -> None:
    done = bk(state, "version", env={"BK_HOME": "relative"})
    assert done.returncode == 1
    assert "BK_HOME is refused" in done.stderr


def test_a_defect_is_named_and_traced_only_on_request(state: State) -> None:
    code = (
        "import sys, bk.cli as cli\n"
        "def broken(words): raise KeyError('boom')\n"
        "cli._dispatch = broken\n"
        "sys.exit(cli.main(['check']))"
    )
    for debug, traced in (("", False), ("1", True)):
        env = {"HOME": state.home, "PATH": os.environ["PATH"], "BK_DEBUG": debug}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert ("Traceback" in done.stderr) is traced
        if not traced:
            assert done.returncode == 70
            assert "boom" in done.stderr
            assert "BK_DEBUG=1" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands_and_their_options(state: State, shell: str) -> None:
    shown = bk(state, "--show-completion", shell)
    assert shown.returncode == 0, shown.stderr
    assert "_BK_COMPLETE" in shown.stdout
    asked = {
        "bash": {"COMP_WORDS": "bk dia", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "bk dia"},
        "fish": {"_TYPER_COMPLETE_ARGS": "bk dia", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = bk(state, env={"_BK_COMPLETE": f"complete_{shell}", **asked})
    assert "diag" in done.stdout, done.stderr
    assert "audit" not in done.stdout


def test_the_dashboard_needs_a_terminal_and_says_what_else_there_is(state: State) -> None:
    done = bk(state, "dashboard")
    assert done.returncode == 2
    assert "bk dashboard --once" in done.stderr


def test_one_frame_can_be_printed(state: State) -> None:
    done = bk(state, "dashboard", "--once", "--size", "80x24")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.rstrip("\n").splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "Nothing has been decided yet" in done.stdout
    assert "\x1b" not in done.stdout
