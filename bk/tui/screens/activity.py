"""The ledger, live: every entry of any age, found by words, time or number, with its proof."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from bk.engine.console import audit
from bk.engine.console.seek import spot
from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.tui.actions import LISTS, Action
from bk.tui.explain import explain
from bk.tui.proof import proof_told
from bk.tui.prose import Explanation, still
from bk.tui.screens.activity_words import BY, YOUNGEST_FIRST, columns, nothing
from bk.tui.screens.base import WHOLE
from bk.tui.screens.goto import GoTo
from bk.tui.screens.listing import Listing
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.filterbar import FilterBar
from bk.tui.widgets.ledger_rows import LedgerRows
from bk.tui.widgets.lines import LineList
from bk.tui.words import age, plural

GONE = "this entry is gone: press v to verify"


class ActivityScreen(Listing):
    """Entries, newest first, on the line list; the chain's state beside the explanation."""

    NAME = "activity"
    FILTER_HINT = "level:block agent:claude since:1h words"
    PURPOSE = (
        "Every decision and every deed, as the chained ledger holds it. It is live; moving away from the newest entry",
        "stops following, and f follows again. All words of a filter must hold.",
    )
    ACTIONS: ClassVar = (
        Action("list.open", "explain", "enter", "Open the selected entry on the whole screen."),
        LISTS[0],
        Action("activity.follow", "follow", "f", "Go to the newest entry, and stay there as new ones come."),
        Action("activity.pause", "pause", "p", "Hold the list still; what comes meanwhile is counted."),
        Action("activity.time", "go to", "t", "Go to a time or a number: 14:30, yesterday 9:00, -2h, #1,200."),
        Action("activity.verify", "verify", "v", "Check the whole ledger: every entry, checkpoint and the mark."),
        Action("activity.proof", "proof", "P", "Prove that the selected entry is in the signed ledger.", bar=False),
        *LISTS[1:],
    )  # fmt: skip

    def body(self) -> ComposeResult:
        """List, explanation, chain."""
        self._rows = LedgerRows(self.session.feed)
        self._last = self.session.feed.last
        self._paused = False
        self._signed: tuple[int, int] | None = None
        with Horizontal(id="panes"):
            yield LineList(columns(self.session.now), self._rows, id="entries", follows=True)
            with Vertical(id="beside"):
                yield Detail()
                yield Static(id="chain")

    def on_mount(self) -> None:
        """The rows are there at once: they are read as they are drawn."""
        self.main.when_gone = GONE
        self._shown = True
        self._settle()
        self.main.follow()

    def gather(self, wanted: Callable[[], bool]) -> Any:  # noqa: ARG002 - reads one small file
        """The newest checkpoint, for the strip."""
        return self.session.chain()

    def show(self, found: Any) -> None:
        """Remember it."""
        self._signed = found
        self._tell_chain()

    def refresh_frame(self) -> None:
        """The strip shows the same health as the header."""
        super().refresh_frame()
        self._tell_chain()

    def _tell_chain(self) -> None:
        found = self._signed
        word = self.board.health.get("chain", ("checking", ""))[0]
        signed = f"signed up to #{found[0]:,}, {age(found[1], self.session.now())} ago" if found else "not signed yet"
        tone = "bold $success" if word == "ok" else "bold $error" if word != "checking" else "$text-quiet"
        tip = self.session.feed.last
        self.query_one("#chain", Static).update(
            Content.assemble(("chain ", "$text-quiet"), (word, tone), (f"  to #{tip:,}  {signed}", "$text-quiet"))
        )

    def ledger_grew(self) -> None:
        """New entries: at once when this screen is in front."""
        super().ledger_grew()
        if not self.query(LineList):
            return
        feed, after = self.session.feed, self._last
        self._last = feed.last
        self._settle()
        self._tell_chain()
        if self._paused:
            self.main.unseen += max(0, feed.last - after)
        elif feed.last < after:
            self._begin_again()
        elif self.filter_text:
            self.search_new(self.filter_text, after)
        else:
            self.main.grew(self._rows.look_again())
        self.tell_shown()

    def explained(self) -> tuple[object, Explanation] | None:
        """The selected entry, the whole of it."""
        key, now = self.main.key, self.session.now()
        if not isinstance(key, int):
            return None
        entry = self.session.feed.entry(key)
        if entry is None:
            return key, still(
                (f"entry #{key:,} is missing from the ledger. v checks it and names what happened.", "$error")
            )
        return key, lambda width: explain(entry, now, width, WHOLE)

    def record(self) -> Mapping[str, Any] | None:
        """The selected entry."""
        entry = self.main.selected
        return self.session.record(entry) if isinstance(entry, Entry) else None

    def tell_shown(self) -> None:
        """Following or what was missed; how many of how many."""
        status, feed, table = self.status, self.session.feed, self.main
        whole = plural(feed.last - feed.first + 1 if feed.last else 0, "entry", "entries")
        status.live, status.following, status.unseen = True, table.following and not self._paused, table.unseen
        status.filter = self.filter_text
        status.complaint = next((bar.why for bar in self.query(FilterBar)), "")
        shown = f"{self._rows.count():,} of {whole}" if status.filter else whole
        paused = "paused · " if self._paused else ""
        status.told = f"{paused}{shown}{' · oldest first' if self._rows.oldest_first else ''}"

    def tell_selected(self) -> None:
        """The explanation and what the status says."""
        super().tell_selected()
        self.tell_shown()

    def follow_again(self) -> None:
        """Everything that came meanwhile, and on."""
        self._paused = False
        if self._rows.order is not None:
            self._rows.order = None
            self.main.sorted_by = ""
        if self.filter_text:
            self.search_all(self.filter_text)
        self._rows.look_again()
        self.main.follow()

    # the filter, order, time

    def filter_by(self, text: str) -> None:
        """Show what matches; a filter that cannot be used hides nothing."""
        why = self.session.wrong_with(text) if text else ""
        self.query_one(FilterBar).complain(why)
        if text and not why:
            self.search_all(text)
        else:
            self.workers.cancel_group(self, "search")
            self._restricted(self.filter_text, None)

    @work(thread=True, group="search", exclusive=True, exit_on_error=False)
    def search_all(self, text: str) -> None:
        """Find everything a filter lets through; the first screenful is shown before the rest is known."""
        worker = get_current_worker()
        told = 0

        def tell(found: array[int], down_to: int) -> None:
            nonlocal told
            if (found or down_to <= 1) and not told and not worker.is_cancelled:
                told = len(found) or 1
                first = array("q", reversed(found))
                self.app.call_from_thread(self._restricted, text, first)

        try:
            found = self.session.search(text, wanted=lambda: not worker.is_cancelled, tell=tell)
        except BkError as error:
            if not worker.is_cancelled:
                self.app.call_from_thread(self.board.trouble, error)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._restricted, text, found)

    @work(thread=True, group="search-new", exit_on_error=False)
    def search_new(self, text: str, after: int) -> None:
        """Find which of the new entries a filter lets through."""
        try:
            found = self.session.search(text, after=after)
        except BkError:
            return  # the next look, or the next key, asks again
        self.app.call_from_thread(self._found_more, text, found)

    @on(LineList.SortAsked)
    def _sort(self, event: LineList.SortAsked) -> None:
        event.prevent_default()
        table = event.list
        column = BY.get(table.sorted_by)
        if column is not None:
            worst_first = column == "level" and not table.descending
            self.order_by(column, self._rows.found, descending=worst_first or (column != "level" and table.descending))
            return
        self.workers.cancel_group(self, "order")
        self._rows.order = None
        youngest_first = table.sorted_by in ("", YOUNGEST_FIRST)
        self._rows.oldest_first = table.descending if youngest_first else not table.descending
        table.replaced()

    @work(thread=True, group="order", exclusive=True, exit_on_error=False)
    def order_by(self, column: str, within: array[int] | None, *, descending: bool) -> None:
        """The whole ledger, or what the filter lets through, in another order; the side index is brought up first."""
        worker = get_current_worker()

        def wanted() -> bool:
            return not worker.is_cancelled

        self.app.call_from_thread(setattr, self.status, "work", "sorting")
        try:
            self.session.keep_index(wanted)
            order = self.session.ordered(column, descending=descending, within=within, wanted=wanted)
        except BkError as error:
            if wanted():
                self.app.call_from_thread(setattr, self.main, "sorted_by", "")
                self.app.call_from_thread(self.main.refresh)
                self.app.call_from_thread(self.board.trouble, error)
            return
        finally:
            self.app.call_from_thread(setattr, self.status, "work", "")
        order.reverse()
        if wanted():
            self.app.call_from_thread(self._ordered, order)

    def do_time(self) -> None:
        """Ask where to."""

        def there(text: str | None) -> None:
            if text and spot(text, now).seq:  # a number is found without reading anything: in the frame that comes
                self._went_to(self.session.nearest(text, self._rows.found), text)
            elif text:
                self.go_to(text)

        now = self.session.now()
        self.app.push_screen(GoTo(lambda text: spot(text, now)), there)

    @work(thread=True, group="goto", exclusive=True, exit_on_error=False)
    def go_to(self, text: str) -> None:
        """The entry nearest to this time or number, of those that are shown."""
        found = self._rows.found
        try:
            seq = self.session.nearest(text, array("q", found) if found is not None else None)
        except BkError as error:
            self.app.call_from_thread(self.board.trouble, error)
            return
        self.app.call_from_thread(self._went_to, seq, text)

    # verbs

    def do_open(self) -> None:
        """On the whole screen."""
        self.main.action_open()

    def do_follow(self) -> None:
        """Stay with the newest."""
        self.follow_again()

    def do_pause(self) -> None:
        """Hold still, or go on."""
        self._paused = not self._paused
        if not self._paused:
            self.follow_again()
        self.tell_shown()

    @work(thread=True, group="verify", exclusive=True, exit_on_error=False)
    def do_verify(self) -> None:
        """Check the whole ledger in the background and show the report."""
        self.app.call_from_thread(setattr, self.status, "work", "checking every entry")
        told = self.session.verify()
        self.app.call_from_thread(setattr, self.status, "work", "")
        self.app.call_from_thread(self.open_page, "ledger", still(*told))

    @work(thread=True, group="verify", exclusive=True, exit_on_error=False)
    def do_proof(self) -> None:
        """Prove the selected entry."""
        seq = self.main.key
        if not isinstance(seq, int):
            return
        try:
            shown = audit.show(self.session.state, seq)
        except BkError as error:
            self.app.call_from_thread(self.say, str(error), severity="warning")
            return
        self.app.call_from_thread(self.open_page, f"proof of #{seq:,}", still(*proof_told(shown)))

    def do_export(self) -> None:
        """Everything that is shown, as JSON lines."""
        from bk.tui.export import written

        session, text = self.session, self.filter_text
        records = (session.record(entry) for entry in audit.entries(session.state, text, now_ms=session.now()))
        self.perform("writing the entries that are shown", lambda: written(self.NAME, records))

    # what comes back from workers

    def _restricted(self, text: str, found: array[int] | None) -> None:
        if text != self.filter_text:
            return
        self._rows.restrict(found)
        self.main.sorted_by = ""
        hidden = self.session.feed.last - self.session.feed.first + 1
        self.main.when_empty = (
            (f"The filter hides all {hidden:,} entries.", "Esc clears it.") if found is not None else ()
        )
        self.main.replaced()
        self.tell_shown()

    def _found_more(self, text: str, found: array[int]) -> None:
        held = self._rows.found
        if text != self.filter_text or held is None:
            return
        fresh = [seq for seq in found if not held or seq > held[-1]]
        self.main.grew(self._rows.look_again(fresh))
        self.tell_shown()

    def _ordered(self, order: array[int]) -> None:
        self._rows.order = order
        self._rows.oldest_first = False
        self.main.following = False
        self.main.replaced()
        self.tell_shown()

    def _went_to(self, seq: int, text: str) -> None:
        feed, wanted = self.session.feed, spot(text, self.session.now()).seq
        seq = min(max(seq, feed.first), feed.last)
        if not self.main.pick_key(seq):
            self.say("no entry of that is shown; Esc clears the filter", severity="warning")
        elif wanted and wanted != seq:
            why = "is not among those that are shown" if feed.first <= wanted <= feed.last else "does not exist"
            self.say(f"#{wanted:,} {why}; this is the nearest")
        else:
            self._picked()

    def _begin_again(self) -> None:
        self._rows.restrict(None)
        self.main.replaced(self._rows)
        self.main.follow()

    def _settle(self) -> None:
        feed = self.session.feed
        self.settle(None if feed.last else nothing(feed.problem))
