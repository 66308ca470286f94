"""How often a rule spoke up in the last days stands beside it, and one key shows those calls."""

from __future__ import annotations

from bk.engine.console.hits import DAY_MS, hits
from bk.engine.state import State
from bk.tui.screens.policy import PolicyScreen
from bk.tui.screens.policy_rows import HITS
from tests.pilot.conftest import Board, decision, running

PATIENCE = 15.0
RULE = "git/force-push"


async def test_a_rule_shows_its_hits_and_leads_to_the_calls(state: State) -> None:
    board = Board(state, first="policy")
    now = board.session.now()
    old = decision("git push -f old", "block", rule=RULE)
    old.at = now - 31 * DAY_MS
    calls = [decision(f"git push -f {number}", "block", rule=RULE) for number in range(3)]
    for entry in calls:
        entry.at = now - 60_000
    board.write(old, *calls, decision("git status"))
    async with running(board, (120, 30)):
        screen = board.front
        assert isinstance(screen, PolicyScreen)
        await board.until(lambda: screen._hits is not None, PATIENCE)
        assert board.rows.pick_key(RULE)
        await board.sees("3 calls in 30 days", PATIENCE)
        while board.rows.sorted_by != HITS:
            await board.press("s")
        await board.until(lambda: board.rows.rows.key(0) == RULE, PATIENCE)
        board.rows.pick_key(RULE)
        await board.press("h")
        await board.until(lambda: board.front.NAME == "activity" and board.rows.rows.count() == 4, PATIENCE)
        assert board.front.filter_text == f"rule:{RULE}"  # type: ignore[attr-defined]


def test_hits_are_counted_by_rule_and_what_was_allowed_is_none(state: State) -> None:
    board = Board(state)
    assert hits(state, board.session.now()).by_rule == {}
    entries = [decision("cat x", "warn", rule="a/b"), decision("ls"), decision("cat y", "block", rule="a/b")]
    for number, entry in enumerate(entries):
        entry.at = board.session.now() - 10_000 + number
    board.write(*entries)
    found = hits(state, board.session.now())
    assert found.whole
    assert {rule: (hit.calls, hit.last_ms) for rule, hit in found.by_rule.items()} == {"a/b": (2, entries[2].at)}
    board.session.close()
