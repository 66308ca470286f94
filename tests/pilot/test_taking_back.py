"""Taking back works from the record: after a restart too, only what still stands, and nothing twice."""

from __future__ import annotations

import pytest

from bk.engine.console import cases, config
from bk.engine.console.catalogs import steer
from bk.engine.console.session import Session
from bk.engine.console.takeback import newest
from bk.engine.responder.incidents import Book
from bk.engine.state import State
from bk.tui.screens.confirm import Confirm
from tests.pilot.conftest import Board, decision, installed, running
from tests.pilot.test_incidents import confirmed

PATIENCE = 15.0
pytestmark = pytest.mark.usefixtures("at_a_terminal")


async def test_what_was_done_before_a_restart_is_asked_about_and_taken_back(state: State) -> None:
    first = Board(state, first="incidents")
    first.write(decision("cat ~/.netrc", "block"))
    async with running(first):
        await first.until(lambda: first.rows.rows.count() == 1, PATIENCE)
        await first.press("a")
        await first.until(lambda: first.app.open_count == 0, PATIENCE)
        done = first.entries()[-1]
    again = Board(state, first="incidents")
    async with running(again):
        await again.until(lambda: again.rows.rows.count() == 1 and again.app.open_count == 0, PATIENCE)
        await again.press("u")
        await confirmed(again)
        assert f"take back entry #{done.seq}" in again.text()
        assert "cat ~/.netrc: seen" in again.text()
        await again.press("enter")
        await again.sees("cancelled: nothing was done", PATIENCE)
        assert again.entries()[-1].seq == done.seq
        await again.press("u")
        await confirmed(again, "y")
        await again.until(lambda: again.app.open_count == 1, PATIENCE)
        assert again.entries()[-1].data["verb"] == "reopen"
        await again.press("u")
        await again.sees("there is nothing to take back", PATIENCE)
        assert not isinstance(again.app.screen, Confirm)
        assert again.entries()[-1].data["verb"] == "reopen"


def test_the_newest_that_still_stands_is_the_one(state: State) -> None:
    one, two = installed(state, "one"), installed(state, "two", path="/home/ada/nm/y")
    session = Session(state, why_not_admin="")
    try:
        assert newest(session) is None
        cases.exempt(one.id, reason="ours", span="7d", admin=True, env=session.env)
        cases.ack(two.id, admin=True, env=session.env)
        past = newest(session)
        assert past is not None
        assert past.what == "npm:two@1.3.1: seen"
        assert "is open again: entry #" in past.undo()
        with Book(state) as book:
            assert book.one(two.id).state == "open"
        before = newest(session)
        assert before is not None
        assert before.what == "npm:one@1.3.1: left alone", "what is taken back already is passed over"
        assert steer.switch("datadog", on=False, admin=True, env=session.env)
        switched = newest(session)
        assert switched is not None
        assert switched.what == "datadog switched off"
        switched.undo()
        assert config.get(state, "catalogs.datadog.enabled").value is True
        left = newest(session)
        assert left is not None
        assert left.what == "datadog switched on"
    finally:
        session.close()
