"""What Policy shows is what the engine enforces, and a switched rule is in config.toml and in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.console import check, config, grants
from bk.engine.model import Level, ToolCall
from bk.engine.state import State
from bk.tui.screens.config_review import Review
from bk.tui.screens.config_whatif import WhatIf
from bk.tui.screens.confirm import SETTLE_SECONDS, Confirm
from bk.tui.screens.page import Page
from bk.tui.screens.policy import PolicyScreen
from bk.tui.screens.policy_try import Try
from tests.pilot.conftest import Board, decision, running
from tests.pilot.test_config import told
from tests.pilot.test_hostile import STORABLE

pytestmark = pytest.mark.usefixtures("at_a_terminal")
RULE = "git/force-push"
COMMAND = "git push --force origin main"
OURS = """block "deploys"
  why "reaches people"
  match command("deploy")
  example bad deploy now
  example good echo now
"""


def own_rule(state: State, text: str = OURS) -> None:
    state.ensure()
    folder = Path(state.root) / "rules"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "ours.rules").write_text(text, encoding="utf-8")


def verdict(state: State, command: str) -> Level:
    call = ToolCall("Bash", "shell", {"command": command}, harness="test", cwd=state.home, home=state.home)
    return check.Bench(state).judge(call).verdict.level


async def picked(board: Board, ident: str) -> PolicyScreen:
    screen = board.front
    assert isinstance(screen, PolicyScreen)
    assert board.rows.pick_key(ident), f"{ident} is not shown"
    await board.pilot.pause()
    return screen


async def answered(board: Board, kind: type[Confirm], *keys: str) -> Confirm:
    await board.until(lambda: isinstance(board.app.screen, kind))
    asked = board.app.screen
    assert isinstance(asked, Confirm)
    await board.pilot.pause(SETTLE_SECONDS + 0.05)
    await board.press(*keys)
    return asked


async def test_a_rule_is_switched_off_with_its_word_and_on_again_with_a_key(state: State) -> None:
    state.ensure()
    path = Path(state.config)
    path.write_text("# mine\n[rules]\ndisabled = []  # nothing yet\n")
    path.chmod(0o600)
    before, board = verdict(state, COMMAND), Board(state, first="policy")
    assert before > Level.WARN
    async with running(board):
        await picked(board, RULE)
        await board.press("o")
        review = await answered(board, Review, "y", "enter")
        assert review.ask.phrase == "off"
        await told(board, "cancelled: nothing was done")
        assert verdict(state, COMMAND) is before
        await board.press("o")
        await answered(board, Review, *"off", "tab", "tab", "space")
        await told(board, f"{RULE} is off: entry #")
        assert path.read_text() == f'# mine\n[rules]\ndisabled = ["{RULE}"]  # nothing yet\n'
        assert verdict(state, COMMAND) < before
        recorded = board.entries()[-1]
        assert (recorded.kind, recorded.data["verb"]) == ("config", "add")
        assert recorded.data["changes"][0]["new"] == [RULE]
        await board.until(lambda: board.rows.selected.state == "off")
        assert board.rows.key == RULE, "the selection stays with the rule"
        await board.sees("switched off by rules.disabled")
        await board.press("o")
        review = await answered(board, Review, "y")
        assert not review.ask.phrase
        await told(board, f"{RULE} is on again")
        assert verdict(state, COMMAND) is before


async def test_a_rule_that_a_pattern_switches_off_says_where_to_change_that(state: State) -> None:
    state.ensure()
    config.propose_add(state, "rules.disabled", "git/*").make(admin=True, actor="person:1")
    board = Board(state, first="policy")
    async with running(board):
        await picked(board, RULE)
        await board.press("o")
        await told(board, "off by a pattern")
        assert not isinstance(board.app.screen, Review)


async def test_a_command_is_tried_as_it_is_typed_and_nothing_is_recorded(state: State) -> None:
    own_rule(state)
    board = Board(state, first="policy")
    async with running(board):
        await board.press("x", *"deploy now")
        await board.sees("ours/deploys")
        await board.press("enter")
        await board.until(lambda: isinstance(board.app.screen, Page))
        await board.sees("reaches people")
        await board.press("escape", "escape")
        assert board.app.focused is board.rows
        assert board.front.query_one(Try).command == "deploy now"
    assert not board.entries()


async def test_own_rules_come_first_and_one_opens_with_its_text_and_examples(state: State) -> None:
    own_rule(state)
    board = Board(state, first="policy")
    async with running(board):
        assert board.rows.selected.ident == "ours/deploys"
        await board.press("enter")
        await board.until(lambda: isinstance(board.app.screen, Page))
        for text in ("~/.bk/rules/ours.rules", "deploy now", 'match command("deploy")', "reaches people"):
            await board.sees(text)
        await board.press("escape", "slash", *"pack:git")
        await board.until(lambda: 3 < board.rows.rows.count() < 50)
        await board.until(
            lambda: all(line.pack == "git" for line in board.rows.rows.items() if line.rule["pack"] == "git")
        )
        assert "ours/deploys" not in [line.ident for line in board.rows.rows.items()]


async def test_what_if_a_rule_were_off(state: State) -> None:
    state.ensure()
    board = Board(state, first="policy")
    board.write(*(decision(COMMAND, "ask", home=state.home) for _ in range(2)))
    async with running(board):
        await picked(board, RULE)
        await board.press("w")
        await board.until(lambda: isinstance(board.app.screen, WhatIf) and not board.app.screen.running)
        await board.sees("2 newly asked")
        await board.sees("BLOCK → ask")
        await board.press("escape")
        assert not isinstance(board.app.screen, WhatIf)
    assert len(board.entries()) == 2


async def test_an_exception_is_shown_with_its_rule_and_ended(state: State) -> None:
    state.ensure()
    project = Path(state.home) / "shop"
    project.mkdir(parents=True)
    env = {"HOME": state.home, "BK_HOME": ""}
    grant = grants.allow(RULE, project=str(project), reason="ours", admin=True, env=env)
    board = Board(state, first="policy")
    async with running(board):
        assert board.rows.selected.ident == grant.ident
        await picked(board, RULE)
        await board.press("enter")
        await board.sees(grant.ident)
        await board.press("escape")
        await picked(board, grant.ident)
        await board.press("R")
        await answered(board, Confirm, "R", "y")
        await told(board, f"{grant.ident} is ended")
        await board.until(lambda: board.rows.rows.find(grant.ident) < 0)
        assert [row.state for row in grants.rows(env)] == ["revoked"]
        assert board.entries()[-1].data == {"event": "revoked", "grant": grant.ident}


async def test_read_only_changes_nothing_and_says_why(state: State) -> None:
    state.ensure()
    board = Board(state, first="policy", why_not_admin="it must be asked for with --admin")
    async with running(board):
        await board.press("o")
        await told(board, "read-only: it must be asked for with --admin")
        assert not isinstance(board.app.screen, Confirm)
    assert not Path(state.config).exists()


async def test_a_wrong_rule_file_is_told(state: State) -> None:
    own_rule(state, OURS + 'blokc "typo"\n')
    board = Board(state, first="policy")
    async with running(board):
        await board.sees("ours.rules")


async def test_hostile_rules_exceptions_and_commands_are_inert(state: State) -> None:
    state.ensure()
    usable = [text for text in STORABLE if text.isprintable() and text.strip() and len(text) < 300 and '"' not in text]
    rules = [OURS.replace("deploys", f"r{at}").replace("reaches people", text.replace("\\", ""))
             for at, text in enumerate(usable)]  # fmt: skip
    own_rule(state, "\n".join(rules))
    env = {"HOME": state.home, "BK_HOME": ""}
    for text in STORABLE[:6]:
        grants.allow(RULE, agent=text, span="1d", reason=text or "x", admin=True, env=env)
    board = Board(state, first="policy")
    async with running(board):
        for _ in range(3):
            await board.press("enter")
            await board.until(lambda: isinstance(board.app.screen, Page))
            await board.press("escape", "j")
        box = board.front.query_one(Try)
        for text in usable[:3]:
            box.query_one("#command").value = f"echo {text}"
            await board.pilot.pause(0.2)
        assert "\x1b" not in board.text()
        assert board.app.is_running
