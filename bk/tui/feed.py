"""What the dashboard looks at by itself: the ledger a few times a second, the guard's health every few seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from bk.engine.console.describe import subject
from bk.engine.console.feed import following
from bk.engine.errors import BkError
from bk.tui.words import LEVELS

if TYPE_CHECKING:
    from bk.tui.app import Dashboard

POLL_SECONDS = 0.2
WORST = "quarantine"
HEALTH_SECONDS = 5.0
AT_WORK_SECONDS = 1.0  # no key for so long: nobody is reading along who would feel a frame that comes late
HEALTH_AT_MOST = 15.0
RING_SECONDS = 10.0
INDEX_AFTER = 2_000  # entries; the newest few are searched without the side index


class Watch:
    """Takes in what the ledger gained, and tells the screen in front. Costs microseconds while nothing happens."""

    def __init__(self, board: Dashboard) -> None:
        self._board = board
        self._behind = False
        self._indexed = 0
        self._rang = self._healthy = float("-inf")

    def begin(self) -> None:
        """The first look, so that no screen takes a ledger for empty that was only not read yet."""
        session = self._board.session
        session.feed.poll()
        if not session.incidents_behind:
            session.update_incidents()

    def start(self) -> None:
        """Look now, and from now on."""
        self.look(first=True)
        self._board.call_after_refresh(self.look_at_health)  # not before the first frame
        self._board.set_interval(POLL_SECONDS, self.look)
        self._board.set_interval(AT_WORK_SECONDS, self._look_when_due)

    def look(self, *, first: bool = False) -> None:
        """One look at the ledger, and at whether anybody is still there."""
        board, session = self._board, self._board.session
        if board.gate.tick():
            board.gate_changed("locked: nobody was here for a while")
        before = session.feed.last
        news = session.feed.poll()
        if session.feed.problem is not None and (news or first):
            board.refresh_front()
        if not news and not first:
            return
        if session.incidents_behind:
            self._catch_up()
        elif session.update_incidents():
            board.refresh_front()
            self._ring(before)
        board.ledger_grew()
        if abs(session.feed.last - self._indexed) > INDEX_AFTER:
            self._indexed = session.feed.last
            board.run_worker(self._index, thread=True, group="index", exclusive=True, exit_on_error=False)

    def _ring(self, before: int) -> None:
        """Something that belongs in quarantine came: ring once and say so, and leave the person where they are."""
        feed = self._board.session.feed
        worst = next((each for each in following(feed, before) if each.level == WORST), None)
        if worst is not None and time.monotonic() - self._rang > RING_SECONDS:
            self._rang = time.monotonic()
            self._board.bell()
            self._board.say(f"{LEVELS[WORST][0]} {subject(worst)} · ! opens what is most urgent", severity="error")

    def _look_when_due(self) -> None:
        since = time.monotonic() - self._healthy
        if since >= HEALTH_AT_MOST or (since >= HEALTH_SECONDS and self._board.gate.untouched >= AT_WORK_SECONDS):
            self.look_at_health()

    def look_at_health(self) -> None:
        """Probe hook, engine, chain and catalogs away from the screen."""
        self._healthy = time.monotonic()
        self._board.run_worker(self._health, thread=True, group="health", exclusive=True, exit_on_error=False)

    def _health(self) -> None:
        words = self._board.session.health()
        self._board.call_from_thread(self._board.healthy, words)

    def _index(self) -> None:
        worker = get_current_worker()
        self._board.session.keep_index(lambda: not worker.is_cancelled)

    def _catch_up(self) -> None:
        if not self._behind:
            self._behind = True
            self._board.run_worker(self._load, thread=True, group="incidents", exclusive=True, exit_on_error=False)

    def _load(self) -> None:
        try:
            self._board.session.load_incidents()
        except BkError as error:
            self._board.call_from_thread(self._board.trouble, error)
        finally:
            self._behind = False
        self._board.call_from_thread(self._board.ledger_grew)
        self._board.call_from_thread(self._board.refresh_front)
