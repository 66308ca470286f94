"""The first start: what is found, one call that is really decided, and nothing twice, nothing without a person."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bk.engine.console import hooks
from bk.engine.state import State
from bk.tui.app import Dashboard
from bk.tui.screens.confirm import SETTLE_SECONDS
from bk.tui.screens.health_install import Install
from bk.tui.screens.welcome import Welcome
from tests.pilot.conftest import Board, decision, running

SETTINGS = ".claude/settings.json"


@pytest.fixture(autouse=True)
def _a_client(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    os.mkdir(f"{state.home}/.claude")


def arriving(state: State, why_not_admin: str = "") -> Board:
    board = Board(state, why_not_admin=why_not_admin, first="overview")
    board.app = Dashboard(board.session, gate=board.gate, greets=True)
    return board


def mark(state: State) -> Path:
    return Path(state.root, "welcomed")


@pytest.mark.usefixtures("at_a_terminal")
async def test_it_finds_clients_shows_a_blocked_call_and_wires_them_in(state: State) -> None:
    board = arriving(state)
    async with running(board):
        await board.until(lambda: isinstance(board.app.screen, Welcome))
        await board.sees("does not ask bk yet")
        await board.sees("Claude Code")
        await board.sees("BLOCK")
        assert not board.entries(), "the example is decided and not recorded"
        await board.press("i")
        await board.until(lambda: isinstance(board.app.screen, Install))
        await board.sees("PreToolUse")
        await board.pilot.pause(SETTLE_SECONDS + 0.05)
        await board.press("y")
        await board.until(lambda: any(one.asks for one in hooks.status(board.session.env)))
        assert "bk-hook" in Path(state.home, SETTINGS).read_text()
        await board.until(mark(state).exists)
        assert board.app.current_mode == "overview"
        assert board.app.screen is board.app.front
        assert board.session.outcome("hooks_install", client="claude-code").data["outcome"] == "done"


async def test_it_is_skipped_with_a_key_and_not_shown_again(state: State) -> None:
    board = arriving(state)
    async with running(board):
        await board.until(lambda: isinstance(board.app.screen, Welcome))
        await board.press("enter")
        await board.until(mark(state).exists)
        assert board.app.screen is board.app.front
    again = arriving(state)
    async with running(again):
        await again.pilot.pause(0.3)
        await again.app.workers.wait_for_complete()
        assert again.app.screen is again.app.front
    assert not Path(state.home, SETTINGS).exists()


async def test_without_admin_it_says_the_command_and_writes_nothing(state: State) -> None:
    board = arriving(state, "it must be asked for with --admin")
    async with running(board):
        await board.until(lambda: isinstance(board.app.screen, Welcome))
        await board.sees("bk hooks install --all-detected")
        await board.press("i")
        await board.sees("read-only: it must be asked for with --admin")
        assert isinstance(board.app.screen, Welcome)
    assert not Path(state.home, SETTINGS).exists()


async def test_who_has_decisions_already_is_not_welcomed(state: State) -> None:
    board = arriving(state)
    board.write(decision("git status"))
    async with running(board):
        await board.pilot.pause(0.3)
        await board.app.workers.wait_for_complete()
        assert board.app.screen is board.app.front


async def test_who_is_asked_already_is_not_welcomed(state: State) -> None:
    board = arriving(state)
    env = board.session.env
    ((client, changes),) = hooks.planned(hooks.present(env), hooks.USER, env=env)
    hooks.install(client, changes, env=env)
    os.unlink(state.audit)
    Path(state.mark).unlink(missing_ok=True)
    async with running(board):
        await board.pilot.pause(0.3)
        await board.app.workers.wait_for_complete()
        assert board.app.screen is board.app.front
