"""The user units: what they say, whose they are, and what happens where there is no systemd."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.service import systemd
from bk.engine.state import State


def test_the_units_start_this_installation_with_this_interpreter(state: State) -> None:
    paths = systemd.install(state)
    assert [Path(path).name for path in paths] == list(systemd.UNITS)
    socket, service = (Path(path).read_text() for path in paths)
    assert f"ListenStream={state.socket}\n" in socket
    assert "SocketMode=0600" in socket
    assert f'ExecStart="{sys.executable}" -I -m bk.serve\n' in service
    assert f'"BK_HOME={state.root}"' in service
    assert "NoNewPrivileges=yes" in service
    assert systemd.installed(state)


def test_systemd_itself_accepts_the_units(state: State) -> None:
    paths = systemd.install(state)
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # nothing to ask; the test above holds what they say
        return
    env = {**os.environ, "HOME": state.home, "XDG_RUNTIME_DIR": state.run}
    done = subprocess.run([analyze, "verify", "--user", *paths], capture_output=True, text=True, env=env, timeout=60)
    told = [line for line in (done.stdout + done.stderr).splitlines() if "bk-engine" in line]
    assert told == []


def test_installing_twice_changes_nothing_and_uninstalling_leaves_nothing(state: State) -> None:
    first = {path: Path(path).read_bytes() for path in systemd.install(state)}
    assert {path: Path(path).read_bytes() for path in systemd.install(state)} == first
    assert systemd.uninstall(state) == list(first)
    assert os.listdir(systemd.folder(state)) == []
    assert systemd.uninstall(state) == []


@pytest.mark.parametrize("verb", [systemd.install, systemd.uninstall])
def test_a_unit_of_somebody_else_is_left_alone(state: State, verb: object) -> None:
    own = Path(systemd.folder(state), systemd.UNITS[1])
    own.parent.mkdir(parents=True)
    own.write_text("[Service]\nExecStart=/bin/true\n")
    with pytest.raises(BkError, match="somebody else"):
        verb(state)  # type: ignore[operator]
    assert own.read_text() == "[Service]\nExecStart=/bin/true\n"
    assert os.listdir(own.parent) == [own.name]


def test_a_path_cannot_smuggle_a_directive_into_a_unit(state: State) -> None:
    evil = State(f"{state.home}/x\nExecStartPre=/bin/evil", state.home, state.owner)
    with pytest.raises(BkError, match="unit files cannot hold"):
        systemd.install(evil)
    percent = State(f"{state.home}/100%h", state.home, state.owner)
    assert "/100%%h/run/engine.sock" in systemd.unit_texts(percent)[systemd.UNITS[0]]


def test_where_systemd_cannot_be_told_the_reason_is(state: State) -> None:
    assert systemd.tell([f"{state.root}/no-such-program"]) != ""
    assert systemd.tell(["false"]) == "exit code 1"
    assert systemd.tell(["true"]) == ""


def test_a_placed_engine_is_not_a_users_service(state: State) -> None:
    placed = State(state.root, state.home, state.owner, placed=True)
    with pytest.raises(BkError, match="own user"):
        systemd.install(placed)
