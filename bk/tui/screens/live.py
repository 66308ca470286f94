"""The one live screen: what waits for a person, what is happening, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Static
from textual.worker import get_current_worker

from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import bindings
from bk.tui.explain import Explanation, explain, explain_case, still
from bk.tui.screens.help import help_page
from bk.tui.screens.page import Page
from bk.tui.screens.welcome import newcomer
from bk.tui.widgets.activity import Activity
from bk.tui.widgets.cases import Cases
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.filterbar import FilterBar
from bk.tui.widgets.header import Header
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.status import Status

if TYPE_CHECKING:
    from array import array

    from bk.engine.console.session import Session

WIDTHS = [(0, "-narrow"), (60, "-normal"), (110, "-wide")]
HEIGHTS = [(0, "-short"), (22, "-tall")]
POLL_SECONDS = 0.15
HEALTH_SECONDS = 5.0
CLOCK_SECONDS = 5.0
GLANCE = 240
WHOLE = 4000


class Live(Screen[None]):
    """Header, incidents, activity, explanation, status and keys."""

    CSS_PATH = "live.tcss"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar = bindings(
        "explain",
        "filter",
        "follow",
        "acknowledge",
        "order",
        "copy",
        "verify",
        "sample",
        "switch",
        "help",
        "back",
        "quit",
    )

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._empty: bool | None = None
        self._last = 0

    def compose(self) -> ComposeResult:
        """The parts, top to bottom."""
        session = self.session
        yield Header(session.host, session.shown_root, session.gate_word, sample=session.sample)
        with Horizontal(id="body"):
            with Vertical(id="lists"):
                yield Static(id="empty")
                yield Cases(session.now, id="cases")
                yield Activity(session.now, id="activity")
            yield Detail()
        yield FilterBar()
        yield Status()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Show what is there, then follow what comes."""
        self.query_one(Activity).border_title = "activity"
        self.query_one(Detail).border_title = "explained"
        self._refresh(first=True)
        self.set_interval(POLL_SECONDS, self._refresh)
        self.set_interval(CLOCK_SECONDS, self.query_one(Cases).refresh)
        self.set_interval(HEALTH_SECONDS, self.look_at_health)
        self.look_at_health()

    def on_resize(self) -> None:
        """Another size, another share for the incidents."""
        if self._empty is False:
            self._size_cases()

    # what the ledger gains

    def _refresh(self, *, first: bool = False) -> None:
        session, activity = self.session, self.query_one(Activity)
        if not session.feed.poll() and not first:
            return
        last = session.feed.last
        self._show_empty(session.nothing_decided and session.feed.problem is None)
        if session.incidents_behind:
            self.load_incidents()
        elif session.update_incidents() or first:
            self._show_cases()
        if first or last < self._last or (last and not self._last):
            activity.show(session.feed)
        elif self.query_one(FilterBar).active:
            self.search_new(self.query_one(FilterBar).active, self._last)
        else:
            activity.grew()
        self._last = last
        self.say_status()

    @work(thread=True, group="incidents", exclusive=True, exit_on_error=False)
    def load_incidents(self) -> None:
        """Derive the incidents of a long ledger."""
        try:
            self.session.load_incidents()
        except BkError as error:
            self.app.call_from_thread(self.say_error, error)
        self.app.call_from_thread(self._show_cases)

    def _show_cases(self) -> None:
        self.query_one(Cases).show(self.session.incidents.cases())
        self.query_one(Header).urgent = self.session.incidents.open_count
        self._size_cases()

    def _show_empty(self, empty: bool) -> None:
        if empty == self._empty:
            return
        self._empty = empty
        self.set_class(empty, "-empty")
        if empty:
            self.query_one("#empty", Static).update(newcomer(self.session, self.size.width - 10))
        else:
            self.set_focus(self.query_one(Activity))
        self.refresh_bindings()

    def _size_cases(self) -> None:
        cases = self.query_one(Cases)
        rows, opened = cases.row_count(), self.session.incidents.open_count
        cases.border_title = f"incidents · {opened:,} open" if rows else "incidents · none: nothing was stopped"
        most = 3 if self.size.height < 28 else max(4, self.size.height // 4)
        cases.styles.height = min(rows, most) + 2 if rows else 1
        cases.can_focus = rows > 0

    @work(thread=True, group="health", exclusive=True, exit_on_error=False)
    def look_at_health(self) -> None:
        """Probe hook, engine and chain away from the screen."""
        words = self.session.health()
        self.app.call_from_thread(setattr, self.query_one(Header), "health", words)

    # the filter

    @on(FilterBar.Asked)
    def _asked(self, event: FilterBar.Asked) -> None:
        why = self.session.wrong_with(event.text) if event.text else ""
        self.query_one(FilterBar).complain(why)
        if event.text and not why:
            self.search_all(event.text)
            return
        self.query_one(Activity).filtered(None)
        self.say_status()

    @on(FilterBar.Left)
    def _left(self) -> None:
        self.set_focus(self.query_one(Activity))

    @work(thread=True, group="search", exclusive=True, exit_on_error=False)
    def search_all(self, text: str) -> None:
        """Find everything a filter lets through."""
        worker = get_current_worker()
        try:
            found = self.session.search(text, wanted=lambda: not worker.is_cancelled)
        except BkError as error:
            if not worker.is_cancelled:
                self.app.call_from_thread(self.say_error, error)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_found, text, found)

    @work(thread=True, group="search-new", exit_on_error=False)
    def search_new(self, text: str, after: int) -> None:
        """Find which new entries a filter lets through."""
        try:
            found = self.session.search(text, after=after)
        except BkError as error:
            self.app.call_from_thread(self.say_error, error)
            return
        self.app.call_from_thread(self._show_more, text, found)

    def _show_found(self, text: str, found: array[int]) -> None:
        if text == self.query_one(FilterBar).active:
            self.query_one(Activity).filtered(found)
            self.say_status()

    def _show_more(self, text: str, found: array[int]) -> None:
        activity = self.query_one(Activity)
        if text == self.query_one(FilterBar).active and activity.found is not None:
            last = activity.found[-1] if activity.found else 0
            activity.grew([seq for seq in found if seq > last])
            self.say_status()

    # what is selected

    @on(LineList.Picked)
    def _picked(self, event: LineList.Picked) -> None:
        if self.focused is event.list or event.list is self.query_one(Activity):
            self.explain_selected()
        self.say_status()

    @on(LineList.Opened)
    def _opened(self) -> None:
        self.action_explain()

    def on_descendant_focus(self) -> None:
        """The explanation follows the list that is worked in."""
        self.explain_selected()
        self.refresh_bindings()

    def explained(self, *, most: int = GLANCE) -> tuple[object, Explanation] | None:
        """What the selected record is, and what it says at a width; `most` bounds how much of a command is shown."""
        cases, activity = self.query_one(Cases), self.query_one(Activity)
        feed, now = self.session.feed, self.session.now()
        case = cases.selected
        if self.focused is cases and case is not None:
            behind = feed.entry(case.incident.entry)
            return case.incident.ident, lambda width: explain_case(case, behind, now, width, most)
        if isinstance(activity.key, int):
            entry = feed.entry(activity.key)
            if entry is not None:
                return activity.key, lambda width: explain(entry, now, width, most)
            gone = f"entry #{activity.key:,} is missing from the ledger. v checks it and names what happened."
            return activity.key, still((gone, "$error"))
        return None

    def explain_selected(self) -> None:
        """Fill the explanation pane."""
        found = self.explained() if self.query("#explained") else None
        if found is not None:
            self.query_one(Detail).explain(*found)
        elif self._empty is False:
            self.query_one(Detail).explain("", still(("nothing is selected", "$text-quiet")))

    def say_status(self) -> None:
        """Bring the status line up to date."""
        status, activity, feed = self.query_one(Status), self.query_one(Activity), self.session.feed
        problem = feed.problem
        status.problem = (
            f"{problem.title}: {problem.detail}. next: {problem.next_step}"
            if problem
            else self.query_one(FilterBar).why
        )
        status.following, status.unseen = activity.following, activity.unseen
        status.shown = activity.row_count()
        status.total = feed.last - feed.first + 1 if feed.last else 0
        status.filter = self.query_one(FilterBar).active
        status.oldest_first = activity.oldest_first

    def say(self, text: str, *, severity: str = "information") -> None:
        """A toast."""
        self.notify(inert(text, 400), severity=severity, markup=False, timeout=6)  # type: ignore[arg-type]

    def say_error(self, error: BkError) -> None:
        """A toast that stays long enough to be read, with the next step."""
        told = f"{error}. {error.next_step}" if error.next_step else str(error)
        self.notify(inert(told, 600), severity="error", markup=False, timeout=30)

    # what keys do

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def action_follow(self) -> None:
        """Go to the newest and stay there."""
        self.query_one(Activity).follow()
        self.say_status()

    def action_order(self) -> None:
        """The other order."""
        self.query_one(Activity).reverse()
        self.say_status()

    def action_switch(self) -> None:
        """The other list."""
        cases, activity = self.query_one(Cases), self.query_one(Activity)
        self.set_focus(cases if self.focused is activity and cases.row_count() else activity)

    def action_explain(self) -> None:
        """The explanation on the whole screen."""
        found = self.explained(most=WHOLE)
        if found is not None:
            self.app.push_screen(Page("explained", found[1]))

    def action_copy(self) -> None:
        """Copy the selected record as JSON."""
        cases, activity = self.query_one(Cases), self.query_one(Activity)
        seq = cases.selected.incident.entry if self.focused is cases and cases.selected else activity.key
        entry = self.session.feed.entry(seq) if isinstance(seq, int) else None
        if entry is not None:
            self.app.copy_to_clipboard(json.dumps(self.session.record(entry), ensure_ascii=True, indent=2))
            self.say(f"copied entry #{entry.seq:,} as JSON")

    def action_acknowledge(self) -> None:
        """Mark the selected incident as seen, if a person may."""
        case = self.query_one(Cases).selected
        if case is None or case.incident.state != "open":
            return
        if self.session.why_not_admin:
            self.say(f"read-only: {self.session.why_not_admin}", severity="warning")
            return
        try:
            seq = self.session.acknowledge(case)
        except BkError as error:
            self.say_error(error)
            return
        self._refresh()
        self.say(f"{case.incident.ident} is marked as seen: entry #{seq:,}")

    @work(thread=True, group="verify", exclusive=True, exit_on_error=False)
    def action_verify(self) -> None:
        """Check the whole ledger in the background and show the report."""
        self.app.call_from_thread(self.say, "checking every entry …")
        told = self.session.verify()
        self.app.call_from_thread(self.app.push_screen, Page("ledger", still(*told)))
        self.app.call_from_thread(self.look_at_health)

    def action_sample(self) -> None:
        """Look at sample activity instead."""
        self.app.run_worker(self.app.open_sample(), exclusive=True)  # type: ignore[attr-defined]

    def action_help(self) -> None:
        """Explain the screen."""
        self.app.push_screen(help_page(self.session))

    def action_back(self) -> None:
        """Clear the filter, or go back to the list."""
        if self.query_one(FilterBar).applied:
            self.query_one(FilterBar).clear_filter()
        elif self._empty is False:
            self.set_focus(self.query_one(Activity))

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What would do nothing here is not offered."""
        if action == "sample":
            return bool(self._empty)
        if action in ("filter", "follow", "order", "copy", "verify", "explain", "switch"):
            return not self._empty
        if action == "acknowledge":
            return not self._empty and bool(self.query("#cases")) and self.focused is self.query_one(Cases)
        return True
