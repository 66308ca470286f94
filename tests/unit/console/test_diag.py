"""Every component names its state, the reason and the way back."""

from __future__ import annotations

import _socket
import json
import os
import time
from pathlib import Path

import pytest

from bk.engine.console.diag import diagnose, exit_code, words
from bk.engine.console.probes import Part
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State


def parts(state: State) -> dict[str, Part]:
    return {part.name: part for part in diagnose({"HOME": state.home})}


def write(state: State) -> None:
    ledger = Ledger.open(state)
    ledger.append([Entry("engine", "test", {"event": "x"})])
    ledger.close()


def claude(state: State, said: object) -> None:
    folder = Path(state.home, ".claude")
    folder.mkdir(exist_ok=True)
    (folder / "settings.json").write_text(said if isinstance(said, str) else json.dumps(said))


HOOK = {
    "hooks": {
        "PreToolUse": [{"matcher": "*", "hooks": [{"type": "command", "command": "bk-hook --harness claude-code"}]}]
    }
}


def test_a_fresh_installation_is_well_and_says_what_comes(state: State) -> None:
    seen = parts(state)
    assert {
        "hook",
        "engine",
        "ledger",
        "index",
        "config",
        "snapshot",
        "state",
        "disk",
        "clock",
        "runtime",
    } <= seen.keys()
    for name in ("ledger", "engine", "state", "config", "disk", "runtime"):
        assert seen[name].state == "ok", seen[name]
    assert "nothing has been recorded" in seen["ledger"].reason
    assert "records from" in seen["index"].reason


def test_the_ledgers_head_is_told(state: State) -> None:
    write(state)
    told = parts(state)["ledger"]
    assert told.state == "ok"
    assert "1 entries" in told.reason or "1 entry" in told.reason
    assert words(state)["chain"][0] == "ok"


def test_a_truncated_ledger_is_tampering(state: State) -> None:
    write(state)
    os.unlink(state.audit)
    seen = parts(state)
    assert seen["ledger"].state == "bad"
    assert seen["ledger"].tampered
    assert "recover" in seen["ledger"].next_step
    assert exit_code(list(seen.values())) == 4
    assert words(state)["chain"][0] == "BROKEN"


def test_a_corrupt_ledger_is_tampering(state: State) -> None:
    write(state)
    Path(state.audit).write_bytes(b"nonsense" * 1000)
    seen = parts(state)
    assert seen["ledger"].state == "bad"
    assert exit_code(list(seen.values())) == 4


def test_a_directory_that_others_can_enter_is_named_with_the_remedy(state: State) -> None:
    os.chmod(state.root, 0o755)
    seen = parts(state)["state"]
    assert seen.state == "bad"
    assert f"chmod 700 {state.root}" in seen.next_step


@pytest.mark.parametrize(("known_before", "word"), [(True, "warn"), (False, "bad")])
def test_a_bad_setting_is_named(state: State, known_before: bool, word: str) -> None:
    if known_before:
        parts(state)
    Path(state.config).write_text("fail_mod = 'open'\n")
    os.chmod(state.config, 0o600)
    seen = parts(state)
    assert seen["config"].state == word
    assert "fail_mod" in seen["config"].reason
    assert exit_code(list(seen.values())) == 3


def test_a_relaxed_fail_mode_is_shown(state: State) -> None:
    Path(state.config).write_text("fail_mode = 'open'\n")
    os.chmod(state.config, 0o600)
    assert "fail_mode is open" in parts(state)["config"].reason


def test_a_planted_socket_is_reported(state: State) -> None:
    squatter = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    squatter.bind(state.socket)
    squatter.listen(5)
    try:
        seen = parts(state)["engine"]
        assert seen.state == "bad"
        assert str(os.getpid()) in seen.reason
        assert words(state)["engine"][0] == "PROBLEM"
    finally:
        squatter.close()


@pytest.mark.parametrize(
    ("settings", "state_word", "told"),
    [
        (HOOK, "ok", "asks before each call"),
        ({}, "warn", "does not ask"),
        ({"hooks": {"PreToolUse": "x"}}, "warn", "does not ask"),
        ({**HOOK, "disableAllHooks": True}, "bad", "disableAllHooks"),
        ("{", "warn", "cannot be read"),
    ],
)
def test_claudes_hook_entry_is_looked_at(state: State, settings: object, state_word: str, told: str) -> None:
    claude(state, settings)
    seen = parts(state)["claude-code"]
    assert seen.state == state_word
    assert told in seen.reason


def test_a_hook_that_cannot_run_is_bad(state: State) -> None:
    claude(state, json.loads(json.dumps(HOOK).replace("bk-hook --", "/gone/bk-hook --")))
    assert parts(state)["claude-code"].state == "bad"


def test_a_clock_that_went_back_is_named(state: State) -> None:
    write(state)
    ahead = time.time() + 86400
    os.utime(state.audit, (ahead, ahead))
    seen = parts(state)["clock"]
    assert seen.state == "warn"
    assert "went back" in seen.reason


def test_an_unusable_home_is_an_answer_too() -> None:
    (only,) = diagnose({"HOME": "/root", "BK_HOME": "relative"})
    assert only.state == "bad"
    assert "BK_HOME is refused" in only.reason


def test_a_relaxed_fail_mode_and_a_bad_edit_are_always_in_sight(state: State) -> None:
    assert "fail mode" not in words(state)
    path = Path(state.config)
    path.write_text('fail_mode = "open"\n')
    path.chmod(0o600)
    assert next(iter(words(state).items())) == ("fail mode", ("OPEN", ""))
    path.write_text("fail_mode = [")
    assert words(state)["config"][0] in ("PROBLEM", "BROKEN")
