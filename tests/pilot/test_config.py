"""What a person changes on Config is in config.toml and in the ledger afterwards; what they did not confirm is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.console import config
from bk.engine.console.installed import DRY, WOULD, install
from bk.engine.state import State
from bk.tui.screens.config import ConfigScreen
from bk.tui.screens.config_edit import Edit
from bk.tui.screens.config_review import Review
from bk.tui.screens.config_whatif import WhatIf
from bk.tui.screens.confirm import SETTLE_SECONDS
from tests.pilot.conftest import Board, decision, running
from tests.pilot.test_hostile import STORABLE

TEXT = """# how we work here
fail_mode = "closed"  # never let a call slip

[hook]
# slow machine
deadline_ms = 9000
"""
MINE = "# mine, keep it\n" + DRY

pytestmark = pytest.mark.usefixtures("at_a_terminal")


def written(state: State, text: str = TEXT) -> Path:
    state.ensure()
    path = Path(state.config)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


async def picked(board: Board, name: str) -> ConfigScreen:
    screen = board.front
    assert isinstance(screen, ConfigScreen)
    assert board.rows.pick_key(name)
    await board.pilot.pause()
    return screen


async def reviewed(board: Board, *keys: str) -> Review:
    """The review that is open, answered by these keys once it listens."""
    await board.press("ctrl+s")
    await board.until(lambda: isinstance(board.app.screen, Review))
    review = board.app.screen
    assert isinstance(review, Review)
    await board.pilot.pause(SETTLE_SECONDS + 0.05)
    await board.press(*keys)
    return review


async def told(board: Board, text: str) -> None:
    """A toast says it, however it is wrapped."""
    await board.until(lambda: any(text in each.message for each in board.app._notifications))


async def test_a_choice_is_staged_reviewed_and_saved_with_its_comments(state: State) -> None:
    path, board = written(state), Board(state, first="config")
    async with running(board):
        await picked(board, "fail_mode")
        await board.press("space")
        await board.sees("closed → open *")
        assert path.read_text() == TEXT, "staging writes nothing"
        await board.press("z")
        await board.press("enter")
        await board.until(lambda: isinstance(board.app.screen, Edit))
        await board.press("up", "enter")
        await board.sees("closed → warn *")
        review = await reviewed(board, "enter")
        assert not review.ask.phrase
        await told(board, "cancelled: nothing was saved")
        assert path.read_text() == TEXT
        await reviewed(board, "y")
        await told(board, "saved, entry #")
        assert path.read_text() == TEXT.replace('"closed"', '"warn"'), "comments and order are kept"
        recorded = board.entries()[-1]
        assert (recorded.kind, recorded.data["event"], recorded.data["admin"]) == ("config", "changed", True)
        assert [change["key"] for change in recorded.data["changes"]] == ["fail_mode"]
        await board.until(lambda: board.rows.selected.row.value == "warn")
        assert not board.rows.selected.staged


async def test_a_number_is_checked_where_it_is_typed(state: State) -> None:
    path, board = written(state), Board(state, first="config")
    async with running(board):
        await picked(board, "hook.deadline_ms")
        await board.press("enter")
        await board.until(lambda: isinstance(board.app.screen, Edit))
        await board.press(*"7", "enter")
        await board.sees("is outside 500–30000")
        await board.sees("next: may be 500–30000")
        assert isinstance(board.app.screen, Edit), "what cannot be is not staged"
        await board.press(*"000", "enter")
        await board.sees("9,000 → 7,000 *")
        await reviewed(board, "y")
        await told(board, "saved, entry #")
        assert path.read_text() == TEXT.replace("9000", "7000")


async def test_a_list_takes_one_item_a_line_and_a_default_is_stated_no_more(state: State) -> None:
    path, board = written(state), Board(state, first="config")
    async with running(board):
        await picked(board, "egress.deny")
        await board.press("enter")
        await board.until(lambda: isinstance(board.app.screen, Edit))
        await board.press(*"a/b", "ctrl+s")
        await board.sees("a bare name is needed")
        await board.press("backspace", "backspace", *"aa", "enter", *"bb", "ctrl+s")
        await board.sees("none → 2: aaa, bb *")
        await picked(board, "hook.deadline_ms")
        await board.press("r")
        await board.sees("9,000 → 5,000 *")
        await board.sees("2 staged changes, not saved")
        await reviewed(board, "y")
        await told(board, "2 settings: saved")
        text = path.read_text()
        assert 'deny = ["aaa", "bb"]' in text
        assert "deadline_ms" not in text
        assert "# never let a call slip" in text
        assert {each["key"] for each in board.entries()[-1].data["changes"]} == {"egress.deny", "hook.deadline_ms"}


async def test_the_two_switches_are_two_saves_and_going_live_wants_its_word(state: State) -> None:
    state.ensure()
    install(state)
    path = written(state, MINE.replace("enabled = true", "enabled = false"))
    board = Board(state, first="config")
    async with running(board, (120, 36)):
        await board.press("a")
        await board.sees("off → on *")
        await board.sees("nothing would move, 1 would only be reported")
        await board.press("d")
        await told(board, "two decisions")
        assert list(board.front._staged) == ["auto_quarantine.enabled"]
        review = await reviewed(board, "y")
        assert not review.ask.phrase, "while dry_run is on, nothing moves yet"
        await told(board, "saved, entry #")
        assert path.read_text() == MINE
        await board.press("d")
        await board.sees("1 would move")
        before = board.entries()[-1].seq
        review = await reviewed(board, *"mov", "tab", "tab", "space")
        assert review.ask.phrase == "move"
        await board.sees(f"npm:{WOULD[0]}@{WOULD[1]}")  # the question lists what would move
        assert path.read_text() == MINE
        await board.press("shift+tab", "shift+tab", "end", "e", "enter")
        await told(board, "cancelled: nothing was saved")
        assert (path.read_text(), board.entries()[-1].seq) == (MINE, before), "Enter is Cancel, word or no word"
        await reviewed(board, *"move", "tab", "tab", "space")
        await told(board, "saved, entry #")
        assert path.read_text() == MINE.replace("dry_run = true", "dry_run = false")
        changes = board.entries()[-1].data["changes"]
        assert [(each["key"], each["new"]) for each in changes] == [("auto_quarantine.dry_run", False)]
        await board.sees("LIVE: what matches is moved")
        await board.press("d")
        review = await reviewed(board, "y")
        assert not review.ask.phrase, "back to dry is one key"
        await board.until(lambda: path.read_text() == MINE)


async def test_enabling_where_dry_run_is_off_already_goes_live_too(state: State) -> None:
    written(state, MINE.replace("enabled = true", "enabled = false").replace("dry_run = true", "dry_run = false"))
    board = Board(state, first="config")
    async with running(board):
        await board.press("a")
        assert (await reviewed(board, "enter")).ask.phrase == "move"


async def test_what_weakens_for_good_wants_its_word(state: State) -> None:
    path, board = written(state), Board(state, first="config")
    async with running(board):
        await picked(board, "fail_mode")
        await board.press("space")
        review = await reviewed(board, "y", "tab", "tab", "space")
        assert review.ask.phrase == "open"
        assert path.read_text() == TEXT
        assert isinstance(board.app.screen, Review)


async def test_somebody_elses_edit_is_told_and_never_overwritten(state: State) -> None:
    path, board = written(state), Board(state, first="config")
    async with running(board):
        await picked(board, "fail_mode")
        await board.press("space")
        await board.sees("closed → open *")
        await reviewed(board)
        theirs = TEXT.replace("9000", "8000")
        path.write_text(theirs)
        await board.sees("no longer: config.toml was changed by somebody else")
        await board.press(*"open", "tab", "tab", "space")
        assert isinstance(board.app.screen, Review), "a dead question confirms nothing"
        await board.press("escape")
        await told(board, "what you staged is not in it")
        await board.sees("8,000")
        assert path.read_text() == theirs
        assert list(board.front._staged) == ["fail_mode"], "what was staged still waits"
        assert not [entry for entry in board.entries() if entry.kind == "config"]


async def test_an_edit_between_the_look_and_the_save_is_refused_by_the_engine(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, board = written(state), Board(state, first="config")
    monkeypatch.setattr(config, "on_disk", lambda _state: "the same")
    async with running(board):
        await picked(board, "hook.deadline_ms")
        await board.press("r")
        await reviewed(board)
        path.write_text(TEXT + "# theirs\n")
        await board.press("y")
        await board.sees("the settings were changed meanwhile")
        assert path.read_text() == TEXT + "# theirs\n"
        await board.press("comma")
        await board.sees("make the change again")


async def test_read_only_says_why_and_stages_nothing(state: State) -> None:
    path = written(state)
    board = Board(state, first="config", why_not_admin="it must be asked for with --admin")
    async with running(board):
        for key in ("space", "a", "d", "r"):
            await board.press(key)
            await board.sees("read-only: it must be asked for with --admin")
        await board.press("ctrl+s", "Z")
        assert not isinstance(board.app.screen, Review)
        assert path.read_text() == TEXT
        assert not board.front._staged
    assert not board.entries()


async def test_a_file_that_does_not_parse_makes_it_read_only_and_names_the_place(state: State) -> None:
    path = written(state)
    config.in_force(state)
    path.write_text("fail_mode = \n")
    board = Board(state, first="config")
    async with running(board):
        await board.sees("config.toml cannot be read, so nothing can be changed here")
        await board.sees("the last good settings are in force. next: bk config edit")
        await board.press("space")
        await told(board, "config.toml cannot be read: bk config edit")
        assert path.read_text() == "fail_mode = \n"
        written(state)
        await board.until(lambda: "cannot be read, so" not in board.text())
        await board.press("space")
        await board.sees("closed → open *")


async def test_what_if_replays_what_is_staged_and_the_review_tells_it(state: State) -> None:
    written(state)
    board = Board(state, first="config")
    board.write(*(decision(f"curl https://host{number}.example/data", home=state.home) for number in range(3)))
    async with running(board):
        await picked(board, "egress.default")
        await board.press("space", "space", "space")
        await board.sees("allow → block *")
        await board.press("w")
        await board.until(lambda: isinstance(board.app.screen, WhatIf) and not board.app.screen.running)
        await board.sees("3 newly blocked")
        await board.sees("allow → BLOCK")
        await board.press("escape")
        await reviewed(board)
        await board.sees("what if: 3 newly blocked, in 3 recorded calls")
    assert len(board.entries()) == 3, "nothing was recorded"


async def test_hostile_values_are_inert(state: State) -> None:
    state.ensure()
    usable = [text for text in STORABLE if text.isprintable() and text.strip() and len(text) < 300]
    items = ", ".join(f"'{text}'" for text in usable if "'" not in text)
    written(
        state, f"[lists]\nevil = [{items}]\n[auto_quarantine]\nexclude_paths = ['/x/[/', '/[@click=app.quit]x[/]']\n"
    )
    board = Board(state, first="config")
    async with running(board):
        for name in ("lists", "auto_quarantine.exclude_paths"):
            await picked(board, name)
            await board.press("x")
            await board.sees("in force")
            await board.press("escape", "enter")
            await board.until(lambda: isinstance(board.app.screen, Edit))
            await board.press("escape")
        await picked(board, "auto_quarantine.exclude_paths")
        await board.press("r")
        await reviewed(board, "escape")
        assert board.app.is_running
        assert "\x1b" not in board.text()


async def test_secret_patterns_are_not_shown_in_the_list(state: State) -> None:
    written(state, '[audit]\nredact_patterns = ["hunter2"]\n')
    board = Board(state, first="config")
    async with running(board):
        await picked(board, "audit.redact_patterns")
        await board.sees("1 pattern, not shown")
        assert "hunter2" not in board.text()
