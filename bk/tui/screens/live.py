"""The one live screen: what waits for a person, what is happening, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static
from textual.worker import get_current_worker

from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import bindings
from bk.tui.explain import explain, explain_case
from bk.tui.screens.page import Page
from bk.tui.widgets.activity import Activity
from bk.tui.widgets.cases import Cases
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.header import Header
from bk.tui.widgets.lines import LineList
from bk.tui.words import plural

if TYPE_CHECKING:
    from array import array

    from bk.engine.console.session import Session

POLL_SECONDS = 0.2
HEALTH_SECONDS = 5.0
CLOCK_SECONDS = 5.0


class Live(Screen[None]):
    """Header, incidents, activity, explanation, status and keys."""

    CSS_PATH = "live.tcss"
    TITLE = "bk"
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (60, "-normal"), (110, "-wide")]
    VERTICAL_BREAKPOINTS: ClassVar = [(0, "-short"), (22, "-tall")]
    BINDINGS: ClassVar = bindings(
        "explain", "filter", "follow", "acknowledge", "order", "copy", "verify", "sample", "switch", "help", "back", "quit"
    )

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._filter = ""
        self._empty: bool | None = None
        self._since = 0

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
        yield Input(placeholder="level:block agent:claude since:1h words", id="filter", compact=True)
        yield Static(id="status")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Show what is there, then follow what comes."""
        self.query_one("#cases").border_title = "incidents"
        self.query_one("#activity").border_title = "activity"
        self.query_one("#detail").border_title = "explained"
        self.query_one("#filter").display = False
        self.refresh_feed(first=True)
        self._say_status()
        self.set_interval(POLL_SECONDS, self.refresh_feed)
        self.set_interval(CLOCK_SECONDS, self._tick)
        self.set_interval(HEALTH_SECONDS, self.look_at_health)
        self.look_at_health()

    def refresh_feed(self, *, first: bool = False) -> None:
        """Take in what the ledger has gained."""
        session = self.session
        if not session.feed.poll() and not first:
            return
        self._show_empty(session.feed.last == 0)
        if session.update_incidents() or first:
            self.query_one(Cases).show(session.incidents.cases())
            self.query_one(Header).urgent = session.incidents.open_count
            self._size_cases()
        activity = self.query_one(Activity)
        last = session.feed.last
        if first or self._since > last or (self._since == 0 and last):
            activity.show(session.feed)
        elif self._filter:
            self.search_new(self._filter, self._since)
        else:
            activity.grew()
        self._since = last
        self._say_status()

    @work(thread=True, group="health", exclusive=True, exit_on_error=False)
    def look_at_health(self) -> None:
        """Probe hook, engine and chain away from the screen."""
        words = self.session.health()
        self.app.call_from_thread(self._show_health, words)

    @work(thread=True, group="search", exclusive=True, exit_on_error=False)
    def search_all(self, text: str) -> None:
        """Find everything a filter lets through."""
        worker = get_current_worker()
        try:
            found = self.session.search(text, wanted=lambda: not worker.is_cancelled)
        except BkError as error:
            if not worker.is_cancelled:
                self.app.call_from_thread(self._flash, f"{error.title}: {error.detail}")
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_found, text, found)

    @work(thread=True, group="search-new", exit_on_error=False)
    def search_new(self, text: str, after: int) -> None:
        """Find which new entries a filter lets through."""
        found = self.session.search(text, after=after)
        self.app.call_from_thread(self._show_more, text, found)

    def _show_found(self, text: str, found: array[int]) -> None:
        if text == self._filter:
            self.query_one(Activity).filtered(found)
            self._say_status()

    def _show_more(self, text: str, found: array[int]) -> None:
        activity = self.query_one(Activity)
        if text == self._filter and activity.found is not None:
            last = activity.found[-1] if activity.found else 0
            activity.grew([seq for seq in found if seq > last])
            self._say_status()

    def _show_health(self, words: dict[str, tuple[str, str]]) -> None:
        self.query_one(Header).health = words

    def _show_empty(self, empty: bool) -> None:
        if empty == self._empty:
            return
        self._empty = empty
        self.set_class(empty, "-empty")
        if empty:
            self.query_one("#empty", Static).update(newcomer(self.session))
            self.query_one(Detail).explain("", Content(""))
        else:
            self.query_one(Activity).focus()
        self.refresh_bindings()

    def _size_cases(self) -> None:
        cases = self.query_one(Cases)
        rows = cases.row_count()
        opened = self.session.incidents.open_count
        cases.border_title = f"incidents · {opened:,} open" if rows else "incidents · none: nothing was blocked"
        most = 4 if self.size.height < 30 else max(5, self.size.height // 3)
        cases.styles.height = min(rows, most) + 2 if rows else 1

    def on_resize(self) -> None:
        """Another size, another share for the incidents."""
        if self._empty is False:
            self._size_cases()

    def _tick(self) -> None:
        self.query_one(Cases).refresh()

    @on(LineList.Picked)
    def _picked(self, event: LineList.Picked) -> None:
        if event.list.has_focus or event.list is self.query_one(Activity):
            self.explain_selected()
        self._say_status()

    @on(LineList.Opened)
    def _opened(self) -> None:
        self.action_explain()

    def on_descendant_focus(self) -> None:
        """The explanation follows the list that is worked in."""
        self.explain_selected()
        self.refresh_bindings()

    def explained(self) -> tuple[object, Content] | None:
        """What the selected record is and says."""
        cases, activity = self.query_one(Cases), self.query_one(Activity)
        feed, now = self.session.feed, self.session.now()
        if cases.has_focus and cases.selected is not None:
            case = cases.selected
            return case.incident.ident, explain_case(case, feed.entry(case.incident.entry), now)
        if isinstance(activity.key, int):
            entry = feed.entry(activity.key)
            if entry is not None:
                return activity.key, explain(entry, now)
            gone = f"entry #{activity.key:,} is missing from the ledger. v verifies it and names what happened."
            return activity.key, Content.assemble((gone, "$error"))
        return None

    def explain_selected(self) -> None:
        """Fill the explanation pane."""
        if not self.is_mounted or not self.query("#explained"):
            return
        found = self.explained()
        if found is not None:
            self.query_one(Detail).explain(*found)
        elif self._empty is False:
            self.query_one(Detail).explain("", Content.assemble(("nothing is selected", "$text-quiet")))

    def _say_status(self) -> None:
        activity, feed = self.query_one(Activity), self.session.feed
        if feed.problem is not None:
            told = f" {feed.problem.title}: {feed.problem.detail}. next: {feed.problem.next_step}"
            self.query_one("#status", Static).update(Content.assemble((inert(told, 400), "bold $error")))
            return
        left: list[tuple[str, str]] = [(" ", "")]
        if activity.unseen:
            left.append((f" +{activity.unseen:,} new · f to follow ", "bold $background on $primary"))
        elif not self._empty:
            left.append(("following" if activity.following else "not following · f to follow", "$text-quiet"))
        right = plural(feed.last, "entry", "entries") if feed.last else ""
        if self._filter:
            shown = activity.row_count()
            right = f"filter {inert(self._filter, 40)} · {shown:,} of {feed.last - feed.first + 1:,} · Esc clears"
        if activity.oldest_first:
            right += " · oldest first"
        gap = self.size.width - sum(len(text) for text, _ in left) - len(right) - 1
        self.query_one("#status", Static).update(
            Content.assemble(*left, " " * max(1, gap), (right, "$primary" if self._filter else "$text-quiet"))
        )

    def _flash(self, text: str, *, severity: str = "warning") -> None:
        self.notify(inert(text, 300), severity=severity, markup=False, timeout=6)  # type: ignore[arg-type]

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self.set_timer(0.08, lambda: self._apply(event.value))

    @on(Input.Submitted, "#filter")
    def _entered(self) -> None:
        self.query_one("#filter").display = False
        self.query_one(Activity).focus()

    def _apply(self, text: str) -> None:
        box = self.query_one("#filter", Input)
        if text != box.value or text.strip() == self._filter:
            return
        self._filter = text.strip()
        if not self._filter:
            self.query_one(Activity).filtered(None)
            self._say_status()
            return
        why = self.session.wrong_with(self._filter)
        box.set_class(bool(why), "-wrong")
        if why:
            self.query_one("#status", Static).update(Content.assemble((f" {inert(why, 200)}", "$error")))
        else:
            self.search_all(self._filter)

    def action_filter(self) -> None:
        """Type a filter."""
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    def action_follow(self) -> None:
        """Go to the newest and stay there."""
        self.query_one(Activity).follow()
        self._say_status()

    def action_order(self) -> None:
        """The other order."""
        self.query_one(Activity).reverse()
        self._say_status()

    def action_switch(self) -> None:
        """The other list."""
        cases, activity = self.query_one(Cases), self.query_one(Activity)
        (activity if cases.has_focus or not cases.row_count() else cases).focus()

    def action_explain(self) -> None:
        """The explanation on the whole screen."""
        found = self.explained()
        if found is not None:
            self.app.push_screen(Page("explained", found[1]))

    def action_copy(self) -> None:
        """Copy the selected record as JSON."""
        cases, activity = self.query_one(Cases), self.query_one(Activity)
        seq = cases.selected.incident.entry if cases.has_focus and cases.selected else activity.key
        entry = self.session.feed.entry(seq) if isinstance(seq, int) else None
        if entry is None:
            return
        self.app.copy_to_clipboard(json.dumps(self.session.record(entry), ensure_ascii=True, indent=2))
        self._flash(f"copied entry #{entry.seq:,} as JSON", severity="information")

    def action_acknowledge(self) -> None:
        """Mark the selected incident as seen, if a person may."""
        case = self.query_one(Cases).selected
        if case is None:
            return
        if self.session.why_not_admin:
            self._flash(f"read-only: {self.session.why_not_admin}")
            return
        try:
            seq = self.session.acknowledge(case)
        except BkError as error:
            self._flash(f"{error.title}: {error.detail}. next: {error.next_step}", severity="error")
            return
        self.refresh_feed()
        self._flash(f"{case.incident.ident} is marked as seen, entry #{seq:,}", severity="information")

    @work(thread=True, group="verify", exclusive=True, exit_on_error=False)
    def action_verify(self) -> None:
        """Check the whole ledger in the background and show the report."""
        self.app.call_from_thread(self._flash, "checking every entry …", severity="information")
        told = self.session.verify()
        self.app.call_from_thread(self._show_report, told)

    def _show_report(self, told: list[tuple[str, str]]) -> None:
        self.app.push_screen(Page("ledger", Content.assemble(*told)))
        self.look_at_health()

    def action_sample(self) -> None:
        """Open the sample."""
        self.app.run_worker(self.app.open_sample(), exclusive=True)  # type: ignore[attr-defined]

    def action_help(self) -> None:
        """Explain the screen."""
        from bk.tui.screens.help import help_page

        self.app.push_screen(help_page(self.session))

    def action_back(self) -> None:
        """Leave the filter, then clear it."""
        box = self.query_one("#filter", Input)
        if box.has_focus:
            box.display = False
            self.query_one(Activity).focus()
        elif self._filter:
            box.value = ""
            box.display = False
        elif self.query_one(Detail).has_focus:
            self.query_one(Activity).focus()

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What does nothing here is not offered; what needs a person is greyed, and says so when pressed."""
        if action == "sample":
            return bool(self._empty)
        if action in ("filter", "follow", "order", "copy", "verify", "explain", "switch"):
            return not self._empty
        if action == "acknowledge":
            return self.is_mounted and self.query_one(Cases).has_focus and self.query_one(Cases).row_count() > 0
        return True


def newcomer(session: Session) -> Content:
    """What an empty dashboard tells someone who has just arrived."""
    hook = session.hook_command
    return Content.assemble(
        ("\nNothing has been decided yet.\n\n", "bold"),
        "bk decides each tool call of your coding agent before it runs, and shows it here within a moment.\n\n",
        ("1  ", "bold $primary"), "See it work: press ", ("s", "bold $primary"), " for sample activity. It lives in a\n",
        "   throw-away state and never mixes with yours.\n",
        ("2  ", "bold $primary"), "Try a call by hand, in another terminal:\n",
        ("   bk check --tool Bash --args 'cat ~/.ssh/id_ed25519'\n", "$secondary"),
        ("3  ", "bold $primary"), "Put it in front of Claude Code: the README shows the hook entry, with this path:\n",
        (f"   {inert(hook, 200)}\n\n", "$secondary"),
        ("bk selftest", "$secondary"), " proves the guard works; ",
        ("bk diag", "$secondary"), " says how each part is.\n",
    )  # fmt: skip
