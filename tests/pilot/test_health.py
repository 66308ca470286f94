"""Every probe is shown with its next step; a client that is wired in from here really asks, and its file says so."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bk.engine.console import hooks
from bk.engine.console.diag import diagnose
from bk.engine.service import lifecycle
from bk.engine.state import State
from bk.tui.screens.confirm import SETTLE_SECONDS, Confirm
from bk.tui.screens.health import HealthScreen
from bk.tui.screens.health_install import Install
from tests.pilot.conftest import Board, running
from tests.pilot.test_hostile import STORABLE, harmless

MINE = '{\n  "model": "mine"\n}\n'


@pytest.fixture(autouse=True)
def _nothing_else_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.fixture
def claude(state: State) -> Path:
    """A home in which Claude Code keeps settings of its own."""
    settings = Path(state.home) / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(MINE)
    return settings


async def pick(board: Board, name: str) -> None:
    await board.until(lambda: board.rows.rows.count() > 0)
    board.rows.pick(next(at for at in range(board.rows.rows.count()) if board.rows.rows.at(at).name == name))
    await board.pilot.pause()


async def test_every_probe_is_there_with_its_reason_and_next_step(state: State) -> None:
    Path(state.config).write_text('fail_mode = "open"\n')
    Path(state.config).chmod(0o600)
    board = Board(state, first="health")
    async with running(board, (160, 50)):
        parts = {part.name: part for part in diagnose(board.session.env)}
        rows = [board.rows.rows.at(at) for at in range(board.rows.rows.count())]
        assert {row.name for row in rows} == set(parts)
        assert next(row.state for row in rows) in ("bad", "warn"), "what is wrong comes first"
        await pick(board, "config")
        await board.sees("fail_mode is open")
        await board.sees("bk config unset fail_mode")


@pytest.mark.usefixtures("at_a_terminal")
async def test_a_client_is_wired_in_after_its_diff_was_shown(state: State, claude: Path) -> None:
    board = Board(state, first="health")
    async with running(board):
        await pick(board, "Claude Code")
        await board.sees("not wired")
        await board.press("i")
        await board.until(lambda: isinstance(board.app.screen, Install))
        await board.sees("PreToolUse")
        await board.sees("settings.json")
        await board.pilot.pause(SETTLE_SECONDS + 0.05)
        await board.press("i", "enter")
        await board.sees("cancelled: nothing was done")
        assert claude.read_text() == MINE
        await board.press("i")
        await board.until(lambda: isinstance(board.app.screen, Install))
        await board.pilot.pause(SETTLE_SECONDS + 0.05)
        await board.press("y")
        await board.until(lambda: "bk-hook" in claude.read_text())
        assert json.loads(claude.read_text())["model"] == "mine"
        (standing,) = [one for one in hooks.status(board.session.env) if one.client.name == "claude-code"]
        assert standing.asks
        await board.sees("asks bk")
        done = board.session.outcome("hooks_install", client="claude-code")
        assert done.data["outcome"] == "done"
        await board.until(lambda: board.front.why_not("health.install") is None)


async def test_a_client_that_is_cut_off_says_what_does_it(state: State, claude: Path) -> None:
    board = Board(state, first="health")
    env = board.session.env
    ((client, changes),) = hooks.planned(hooks.present(env), hooks.USER, env=env)
    hooks.install(client, changes, env=env)
    claude.write_text(json.dumps({**json.loads(claude.read_text()), "disableAllHooks": True}))
    async with running(board):
        await pick(board, "Claude Code")
        await board.sees("cut off")
        await board.sees("disableAllHooks is true: no hook runs")


@pytest.mark.long
async def test_a_hook_is_proven_by_starting_it(state: State, claude: Path) -> None:
    board = Board(state, first="health")
    env = board.session.env
    ((client, changes),) = hooks.planned(hooks.present(env), hooks.USER, env=env)
    hooks.install(client, changes, env=env)
    assert "bk-hook" in claude.read_text()
    async with running(board):
        await pick(board, "Claude Code")
        await board.press("v")
        try:
            await board.until(lambda: any("was stopped" in one.message for one in board.app._notifications), 30)
        finally:
            lifecycle.stop(state)  # the first call started it


async def test_without_admin_nothing_is_wired(state: State, claude: Path) -> None:
    board = Board(state, first="health", why_not_admin="it must be asked for with --admin")
    async with running(board):
        await pick(board, "Claude Code")
        await board.press("i")
        await board.sees("read-only: it must be asked for with --admin")
        assert not isinstance(board.app.screen, Confirm)
    assert claude.read_text() == MINE
    assert not board.entries()


async def test_r_looks_again(state: State) -> None:
    board = Board(state, first="health")
    async with running(board):
        await pick(board, "config")
        assert board.rows.selected.state == "ok"
        Path(state.config).write_text("no_such_key = 1\n")
        Path(state.config).chmod(0o600)
        await board.press("r")
        await board.until(lambda: board.rows.selected.name == "config" and board.rows.selected.state == "warn")


@pytest.mark.parametrize("at", range(0, len(STORABLE), 6))
async def test_hostile_settings_are_inert(state: State, claude: Path, at: int) -> None:
    wicked = [text for text in STORABLE[at : at + 6] if text]
    claude.write_text(json.dumps({text: text for text in wicked}, indent=1))
    os.makedirs(f"{state.home}/.codex")
    Path(state.home, ".codex", "hooks.json").write_text("".join(wicked))
    board = Board(state, first="health")
    async with running(board, (120, 40)):
        assert isinstance(board.front, HealthScreen)
        for name in ("Claude Code", "Codex"):
            await pick(board, name)
            harmless(board.text(), (120, 40))
            told = board.front.explained()
            assert told is not None
            harmless(told[1](60).plain, (60, 24))
