"""Admin verbs are for a person at a terminal: each way of not being one is refused with its own sentence."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.console.gate import MARKERS, Ancestor, ancestors, require_admin, why_not
from bk.engine.errors import BkError

CODE = "from bk.engine.console.gate import why_not; print(repr(why_not(True, {})))"


def said_under(argv: list[str], cwd: Path) -> str:
    """What the gate says in a process on its own terminal, started through `argv`."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execv(argv[0], argv)
    said = b""
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:
            break
        if not part:
            break
        said += part
    os.waitpid(pid, 0)
    os.close(fd)
    return said.decode().strip()


def test_without_the_option_it_is_refused() -> None:
    with pytest.raises(BkError, match="needs a person") as caught:
        require_admin(False, {})
    assert "--admin" in caught.value.detail


def test_without_a_controlling_terminal_it_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, start_new_session=True)
    assert "no controlling terminal" in done.stdout


@pytest.mark.parametrize("marker", MARKERS)
def test_an_agents_mark_in_the_environment_is_refused(marker: str) -> None:
    pid, fd = pty.openpty()
    try:
        assert marker in why_not(True, {marker: "1"}, terminal=os.ttyname(fd))
        assert marker not in why_not(True, {marker: ""}, terminal=os.ttyname(fd))
    finally:
        os.close(pid)
        os.close(fd)


def test_an_agent_above_is_found_by_its_name(tmp_path: Path) -> None:
    agent = tmp_path / "codex"
    agent.write_text(f'#!/bin/sh\n"{sys.executable}" -c "{CODE}"; true\n')
    agent.chmod(0o755)
    assert "codex" in said_under([str(agent)], tmp_path)


def test_an_agent_run_as_a_script_is_found(tmp_path: Path) -> None:
    script = tmp_path / "node_modules" / "@openai" / "codex" / "cli.py"
    script.parent.mkdir(parents=True)
    script.write_text(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CODE!r}])")
    assert "codex" in said_under([sys.executable, str(script)], tmp_path)


@pytest.mark.parametrize(
    ("name", "argv", "agent"),
    [
        ("claude", ("claude",), "claude"),
        ("node", ("node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"), "claude"),
        ("node", ("node", "/opt/bin/gemini", "--yolo"), "gemini"),
        ("python3", ("python3", "-m", "aider"), "aider"),
        ("vim", ("vim", "claude"), ""),
        ("bash", ("/bin/bash",), ""),
        ("claudette", ("claudette",), ""),
        ("less", ("less", "/home/me/codex/README"), ""),
    ],
)
def test_agents_are_told_from_look_alikes(name: str, argv: tuple[str, ...], agent: str) -> None:
    assert Ancestor(1, name, argv).agent == agent


def test_the_chain_of_ancestors_is_real() -> None:
    assert ancestors(os.getpid())[0].pid == os.getppid()
