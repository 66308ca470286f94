"""What is open is open everywhere: header, Overview, the list of incidents and the command say one number."""

from __future__ import annotations

import json
import os

import pytest

from bk.cli import incidents
from bk.engine.console.session import Session
from bk.engine.model import Entry
from bk.engine.responder.incidents import ACKNOWLEDGED, QUARANTINED, Book, Incident
from bk.engine.state import State
from tests.pilot.conftest import Board, decision, installed, running


def entry(found: Incident, level: str) -> Entry:
    data = {"event": "finding", "incident": found.id, "package": f"npm:{found.name}@1.3.1", "state": found.state}
    return Entry("responder", "responder", data, level=level)


def becomes(state: State, found: Incident, into: str) -> None:
    with Book(state, write=True) as book:
        book.becomes(found, into, 2)


async def test_an_open_finding_counts_whatever_its_level(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    state.ensure()
    board = Board(state, first="overview")
    found = installed(state)
    board.write(decision("git status"), decision("cat ~/.netrc", "block"), entry(found, "warn"))
    for name, value in {"HOME": state.home, "BK_HOME": state.root}.items():
        monkeypatch.setenv(name, value)

    said: list[str] = []
    monkeypatch.setattr(incidents, "_say", said.append)  # the app has the standard output

    def command(*, as_json: bool = False) -> str:
        incidents.show_all(as_json=as_json)
        return said[-1]

    async with running(board):
        await board.sees("● 2 open incidents", 15)
        await board.until(lambda: board.app.open_count == 2, 15)
        await board.sees("● 2 open ", 15)
        assert "2 open, 1 of them stopped calls and notices" in command()
        other = installed(state, "right-padd", path="/home/ada/nm/y")
        board.write(entry(other, "warn"))
        await board.until(lambda: board.app.open_count == 3, 15)
        await board.sees("● 3 open incidents", 15)
        assert "3 open, 1 of them" in command()
        becomes(state, found, ACKNOWLEDGED)
        becomes(state, other, QUARANTINED)
        board.write(entry(found, ""), entry(other, "quarantine"))
        await board.until(lambda: board.app.open_count == 1, 15)
        await board.sees("● 1 open incident", 15)
        told = json.loads(command(as_json=True))
        assert told["open"] == {"stopped": 1, "installed": 0}
        assert [one["state"] for one in told["incidents"]] == [QUARANTINED]


def test_a_book_that_cannot_be_read_leaves_the_stopped_calls_counted(state: State) -> None:
    state.ensure()
    Board(state).write(decision("cat ~/.netrc", "block"))
    installed(state)
    session = Session(state, why_not_admin="")
    session.feed.poll()
    session.load_incidents()
    assert session.open_count == 2
    with open(f"{state.root}/incidents.db", "wb") as file:
        file.write(b"no book" * 1000)
    for name in ("incidents.db-wal", "incidents.db-shm"):
        if os.path.exists(f"{state.root}/{name}"):
            os.unlink(f"{state.root}/{name}")
    session.load_incidents()
    assert session.open_count == 1
    session.close()
