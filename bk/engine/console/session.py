"""What a dashboard holds: one state directory looked at, and the few things a person may do to it."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Mapping
from typing import Any

from bk.engine.console.audit import query
from bk.engine.console.deed import ASKED
from bk.engine.console.diag import verified, words
from bk.engine.console.feed import Feed, following, parsed
from bk.engine.console.filters import expanded
from bk.engine.console.gate import why_not
from bk.engine.console.incidents import ACKNOWLEDGE, REOPEN, Case, Incidents
from bk.engine.console.installation import here
from bk.engine.console.matters import Standing
from bk.engine.console.orders import in_order
from bk.engine.console.pages import keep_index
from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.engine.state import State

Json = Any
FEW = 2_000
BEGINNINGS = 50
RECENT = 50
WELCOMED = "welcomed"
OWN_KINDS = ("engine", "config", "catalog", "segment")


class Session:
    """One look at one installation. `now` is the clock, in milliseconds; tests hand in a still one.

    `open_count` is what waits for a person: calls that were stopped, and what was found installed, whatever its level.
    """

    def __init__(
        self,
        state: State,
        *,
        why_not_admin: str,
        host: str = "",
        sample: bool = False,
        shown_root: str = "",
        now: Callable[[], int] | None = None,
        again: Callable[[], str] | None = None,
    ) -> None:
        self.state = state
        self.why_not_admin = why_not_admin
        self.host = host or os.uname().nodename
        self.sample = sample
        self.root = state.root
        self.shown_root = shown_root or short(state.root, state.home)
        self.now = now or (lambda: time.time_ns() // 1_000_000)
        self._again = again
        self.feed = Feed(state)
        self.incidents = Incidents()
        self.standing = Standing(state)
        self.open_count = 0
        self._seen = 0

    @property
    def env(self) -> dict[str, str]:
        """The environment in which every console function finds this state, and no other."""
        usual = self.state.root == f"{self.state.home}/.bk"
        return {**os.environ, "HOME": self.state.home, "BK_HOME": "" if usual else self.state.root}

    @property
    def admin(self) -> bool:
        """Whether admin verbs may be asked for; the engine looks again at each of them."""
        return not self.why_not_admin

    def ask_again(self) -> str:
        """Whether a person may still act: the sentence that says why not, or ""."""
        if self._again is not None:
            self.why_not_admin = self._again()
        return self.why_not_admin

    @property
    def nothing_decided(self) -> bool:
        """Whether the ledger tells of nothing but bk's own beginnings."""
        if self.feed.last - self.feed.first >= BEGINNINGS:
            return False
        return all(entry.kind in OWN_KINDS for entry in following(self.feed, 0))

    @property
    def new_here(self) -> bool:
        """Whether nobody was welcomed here yet, and no call was decided: two looks, so that every start may ask."""
        return not self.sample and not os.path.lexists(f"{self.state.root}/{WELCOMED}") and self.nothing_decided

    @property
    def incidents_behind(self) -> bool:
        """Whether there is so much to take in that `load_incidents` must do it, in a worker."""
        return self.feed.last < self._seen or self.feed.last - self._seen > FEW

    def load_incidents(self) -> None:
        """Take in everything, away from the screen. Raises BkError when the ledger cannot be read."""
        self.standing.look()
        last, fresh = self.feed.last, Incidents()
        fresh.absorb(self.feed.notable())
        self.incidents, self._seen = fresh, last
        self._count()

    def update_incidents(self) -> bool:
        """Take in the little that the feed gained; True when an incident is new or changed."""
        before, self._seen = self._seen, self.feed.last
        stands_otherwise = self.standing.look()
        if not self.incidents.absorb(following(self.feed, before)) and not stands_otherwise:
            return False
        self._count()
        return True

    def _count(self) -> None:
        self.open_count = self.standing.open(self.incidents).total

    def health(self) -> dict[str, tuple[str, str]]:
        """hook, engine and chain, each a word and a few more. Takes long enough to belong in a worker."""
        return words(self.state)

    def verify(self) -> list[tuple[str, str]]:
        """The whole ledger checked, told in styled parts."""
        return verified(self.state)

    def wrong_with(self, filter_text: str) -> str:
        """What is wrong with a filter; "" when it can be used."""
        try:
            parsed(expanded(self.state, filter_text))
        except BkError as error:
            return f"{error}. {error.next_step}"
        return ""

    def search(
        self,
        filter_text: str,
        *,
        after: int = 0,
        wanted: Callable[[], bool] = lambda: True,
        tell: Callable[[array[int], int], None] = lambda _found, _down_to: None,
    ) -> array[int]:
        """The numbers of the entries that a filter lets through, ascending; `tell` hears of the newest first."""
        return self.feed.search(
            parsed(expanded(self.state, filter_text)), self.now(), after=after, wanted=wanted, tell=tell
        )

    def ordered(
        self,
        column: str,
        *,
        descending: bool,
        within: array[int] | None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> array[int]:
        """The numbers of the entries in a column's order, of all of them or of those. For a worker thread."""
        return in_order(self.state, column, descending=descending, within=within, wanted=wanted)

    def keep_index(self, wanted: Callable[[], bool] = lambda: True) -> int:
        """Bring the side index of the ledger up to date, so that filters are fast. For a worker thread."""
        return keep_index(self.state, wanted=wanted)

    def nearest(self, text: str, within: array[int] | None = None) -> int:
        """The entry nearest to a time or a number as people write it, of all or of those; 0 when there is none.

        For a worker thread. Raises BkError when it is neither.
        """
        from bk.engine.console.seek import nearest, spot

        return nearest(self.state, spot(text, self.now()), within)

    def chain(self) -> tuple[int, int] | None:
        """Up to which entry the ledger is signed, and when that was; None when it is not. For a worker thread."""
        from bk.engine.console.tally import signed

        return signed(self.state)

    def record(self, entry: Entry) -> dict[str, Json]:
        """An entry as the JSON that is copied."""
        return {
            "seq": entry.seq,
            "at": entry.at,
            "kind": entry.kind,
            "actor": entry.actor,
            "level": entry.level,
            "data": entry.data,
        }

    def acknowledge(self, case: Case) -> int:
        """Record that a person has seen an incident; returns the entry's number. Raises BkError when refused."""
        return self._decide(case, ACKNOWLEDGE, seen=case.last_seq)

    def reopen(self, case: Case) -> int:
        """Record that an incident waits for a person again; returns the entry's number. Raises BkError when refused."""
        return self._decide(case, REOPEN)

    def outcome(self, event: str, **same: str) -> Entry:
        """The newest entry that tells how a deed ended, for those who may only show what was recorded."""
        for entry in query(self.state, "kind:responder", limit=RECENT).entries:
            data = entry.data
            ended = data.get("event") == event and data.get("outcome") != ASKED
            if ended and all(data.get(name) == value for name, value in same.items()):
                return entry
        raise BkError("it cannot be said how this ended", f"no entry tells the end of {event}", "bk audit tail")

    def _decide(self, case: Case, verb: str, **more: Json) -> int:
        if self.why_not_admin:
            raise BkError("this needs a person", self.why_not_admin, "run bk dashboard --admin in your own terminal")
        from bk.engine.ledger.store import Ledger

        data = {"verb": verb, "incident": case.incident.ident, **more, "title": case.incident.title}
        ledger = Ledger.open(self.state, redact=_redact(self.state), create=False)
        try:
            return ledger.append([Entry("admin", f"person:{os.getuid()}", data)], sync=True)[0].seq
        finally:
            ledger.close()

    def close(self) -> None:
        """Let go of the ledger; a sample's state is removed with it."""
        self.feed.close()
        if self.sample:
            import shutil

            shutil.rmtree(os.path.dirname(self.state.home), ignore_errors=True)


def open_session(*, admin: bool, env: Mapping[str, str] | None = None) -> Session:
    """A session on this user's installation; without the right to act it is read-only and knows why."""
    return Session(here(env), why_not_admin=why_not(admin, env), again=lambda: why_not(admin, env))


def short(path: str, home: str) -> str:
    """A path with the home directory as ~."""
    return "~" + path[len(home) :] if home != "/" and path.startswith(home + "/") else path


def _redact(state: State) -> Callable[[Json], Json]:
    from bk.engine.config import snapshot
    from bk.engine.ledger.redact import redactor

    return redactor(snapshot.read(state).values["audit.redact_patterns"])
