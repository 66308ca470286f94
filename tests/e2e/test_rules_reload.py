"""Rules that change while the engine runs, and before it does: the next call obeys, and a bad edit is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.reload import QUIET_NS
from bk.engine.state import State
from tests.e2e.engine_house import House, until
from tests.unit.rulebook import rule

DENIED, LET = 2, 0
QUIET = QUIET_NS / 1e9
EDIT = 0.1  # what an edit may take to count, besides the time between two looks


@pytest.fixture
def house(state: State) -> Iterator[House]:
    made = House(state)
    Path(state.root, "rules").mkdir(mode=0o700)
    yield made
    made.quiet()


def write(house: House, text: str, name: str = "mine.rules") -> None:
    path = Path(house.state.root, "rules", name)
    path.write_text(text)
    path.chmod(0o600)


def problems(house: House) -> list[str]:
    return [
        str(entry.data["detail"])
        for entry in house.entries()
        if entry.kind == "incident" and entry.data["incident"] == "rules"
    ]


def test_the_call_after_an_edit_obeys_it(house: House) -> None:
    house.bk("engine", "start")
    assert house.call("frob", "a").returncode == LET
    write(house, rule("no-frob", "frob"))
    time.sleep(QUIET + EDIT)
    done = house.call("frob", "b")
    assert done.returncode == DENIED
    assert b"mine/no-frob" in done.stderr
    assert house.call("grob", "c").returncode == LET
    write(house, rule("no-grob", "grob"))
    time.sleep(QUIET + EDIT)
    assert [house.call(each).returncode for each in ("frob", "grob")] == [LET, DENIED]
    Path(house.state.root, "rules", "mine.rules").unlink()
    time.sleep(QUIET + EDIT)
    assert house.call("grob", "d").returncode == LET
    told = [entry for entry in house.entries() if entry.kind == "config" and entry.data.get("event") == "rules"]
    assert len(told) >= 2
    decided = [entry for entry in house.entries() if entry.kind == "decision"]
    assert decided[0].data["rules"] != decided[1].data["rules"]


def test_a_bad_edit_keeps_the_rules_and_is_reported_once(house: House) -> None:
    write(house, rule("no-frob", "frob"))
    house.bk("engine", "start")
    assert house.call("frob").returncode == DENIED
    write(house, 'block "x"\n  match comand("y")\n')
    time.sleep(QUIET + EDIT)
    for _ in range(5):
        assert house.call("frob").returncode == DENIED
        allowed = house.call("ls")
        assert allowed.returncode == LET
        assert "a rule file is wrong" in json.loads(allowed.stdout)["systemMessage"]
        time.sleep(0.06)
    until(lambda: problems(house))
    assert len(problems(house)) == 1
    assert "comand" in problems(house)[0]
    assert house.bk("diag").returncode == 3
    write(house, rule("no-grob", "grob"))
    time.sleep(QUIET + EDIT)
    assert [house.call(each).returncode for each in ("frob", "grob")] == [LET, DENIED]
    assert house.call("ls").stdout == b""


def test_cold_calls_obey_the_files_too(house: House) -> None:
    assert house.call("frob").returncode == LET
    house.quiet()
    write(house, rule("no-frob", "frob"))
    assert house.call("frob").returncode == DENIED
    house.quiet()
    write(house, "block\n")
    assert house.call("frob").returncode == DENIED
    house.quiet()
    assert house.call("rclone purge remote:shop").returncode == DENIED


def test_an_engine_that_starts_with_a_wrong_file_says_so(house: House) -> None:
    write(house, "block\n")
    house.bk("engine", "start")
    assert house.call("rclone purge remote:shop").returncode == DENIED
    until(lambda: problems(house))
    assert "mine.rules:1" in problems(house)[0]


def test_a_project_s_rules_and_the_settings_that_switch_rules_off(house: House) -> None:
    house.bk("engine", "start")
    own = house.project / ".bk" / "rules"
    own.mkdir(parents=True)
    (own / "api.rules").write_text(rule("no-frob", "frob"))
    done = house.call("frob")
    assert done.returncode == DENIED
    assert b"project.api/no-frob" in done.stderr
    assert house.call("rclone purge remote:shop").returncode == DENIED
    local = Path(house.state.root, "config.local.toml")
    local.write_text('[rules]\ndisabled = ["storage/rclone-removes", "project.api/*"]\n')
    local.chmod(0o600)
    time.sleep(QUIET + EDIT)
    assert [house.call(each).returncode for each in ("frob", "rclone purge remote:shop")] == [LET, LET]
