"""What the dashboard looks at by itself: the ledger a few times a second, the guard's health every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from bk.engine.errors import BkError

if TYPE_CHECKING:
    from bk.tui.app import Dashboard

POLL_SECONDS = 0.2
HEALTH_SECONDS = 5.0
INDEX_AFTER = 2_000  # entries; the newest few are searched without the side index


class Watch:
    """Takes in what the ledger gained, and tells the screen in front. Costs microseconds while nothing happens."""

    def __init__(self, board: Dashboard) -> None:
        self._board = board
        self._behind = False
        self._indexed = 0

    def begin(self) -> None:
        """The first look, so that no screen takes a ledger for empty that was only not read yet."""
        session = self._board.session
        session.feed.poll()
        if not session.incidents_behind:
            session.update_incidents()

    def start(self) -> None:
        """Look now, and from now on."""
        self.look(first=True)
        self.look_at_health()
        self._board.set_interval(POLL_SECONDS, self.look)
        self._board.set_interval(HEALTH_SECONDS, self.look_at_health)

    def look(self, *, first: bool = False) -> None:
        """One look at the ledger, and at whether anybody is still there."""
        board, session = self._board, self._board.session
        if board.gate.tick():
            board.gate_changed("locked: nobody was here for a while")
        news = session.feed.poll()
        if session.feed.problem is not None and (news or first):
            board.refresh_front()
        if not news and not first:
            return
        if session.incidents_behind:
            self._catch_up()
        elif session.update_incidents():
            board.refresh_front()
        board.ledger_grew()
        if abs(session.feed.last - self._indexed) > INDEX_AFTER:
            self._indexed = session.feed.last
            board.run_worker(self._index, thread=True, group="index", exclusive=True, exit_on_error=False)

    def look_at_health(self) -> None:
        """Probe hook, engine, chain and catalogs away from the screen."""
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
