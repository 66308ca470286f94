"""What is installed here: the runs that looked, what each saw, what changed between two, and a new look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.worker import get_current_worker

from bk.engine.console import inventory
from bk.engine.console.inventory import Diff, Item, Run
from bk.engine.errors import BkError
from bk.tui.actions import LISTS, Action
from bk.tui.prose import Explanation
from bk.tui.screens.inventory_scan import Progress, Scan
from bk.tui.screens.inventory_words import (
    CHANGES,
    Change,
    change_columns,
    explain_item,
    explain_run,
    item_columns,
    run_columns,
)
from bk.tui.screens.listing import Listing
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.filterbar import FilterBar
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.notice import Notice
from bk.tui.widgets.rows import ListRows, matches
from bk.tui.words import plural

MOST = 5_000
RUNS, ITEMS, CHANGED = "runs", "items", "changes"
SETTLE_SECONDS = 0.12
NOUNS = {RUNS: ("run", "runs"), ITEMS: ("item", "items"), CHANGED: ("change", "changes")}


class Seen(NamedTuple):
    """The items of a run that are shown; `more` when there are others beyond them."""

    items: list[Item]
    more: bool


class InventoryScreen(Listing):
    """Runs, and of the selected one its items or what changed; a scan that is started here."""

    NAME = "inventory"
    FILTER_HINT = "npm left-pad kind:installed"
    PURPOSE = (
        "What is installed on this machine: each run of a scan, what it saw, and what came and went since another one.",
        "A scan looks and compares with the catalogs. It moves nothing; what is known to be bad becomes an incident.",
    )
    ACTIONS: ClassVar = (
        Action("inventory.stop", "stop the scan", "x", "Stop the scan that is under way; the run is kept as stopped."),
        Action("list.open", "explain", "enter", "Open the selected one on the whole screen."),
        Action("inventory.scan", "scan", "n", "Look now where package managers put things."),
        Action("inventory.items", "items", "i", "What the selected run saw."),
        Action("inventory.changes", "changes", "c", "What changed up to the selected run, since the marked one or the "
               "one like it before."),
        Action("inventory.mark", "mark", "m", "Compare others with the selected run; again takes the mark away."),
        Action("inventory.project", "scan projects", "p", "Look now in the project directories (scan.roots).",
               bar=False),
        Action("inventory.deep", "deep scan", "D", "Look now through the whole home; it takes longer.", bar=False),
        *LISTS,
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._view = RUNS
        self._marked = 0
        self._diffs: dict[tuple[int, int], tuple[Run, Diff] | BkError] = {}
        self._of: Run | None = None
        self._more = False
        self._sought = (0, 0)
        self.scan: Scan | None = None

    def body(self) -> ComposeResult:
        """Progress while there is any, and the list in view beside what is selected."""
        self._runs: ListRows[Run] = ListRows(key=lambda run: run.id, record=lambda run: run.plain())
        self._items: ListRows[Item] = ListRows(key=lambda item: item.key, record=lambda item: item.plain())
        self._changes: ListRows[Change] = ListRows(key=lambda one: one.key, record=lambda one: one.told())
        yield Progress()
        with Horizontal(id="panes"):
            with Vertical(id="lists"):
                yield LineList(run_columns(self.session.now, lambda: self._marked), self._runs, id=RUNS)
                yield LineList(item_columns(), self._items, id=ITEMS)
                yield LineList(change_columns(), self._changes, id=CHANGED)
            yield Detail()

    def on_mount(self) -> None:
        """The runs first."""
        self._turn_to(RUNS)

    @property
    def main(self) -> LineList:
        """The list in view."""
        return self.query_one(f"#{self._view}", LineList)

    @property
    def NOUN(self) -> tuple[str, str]:  # type: ignore[override]  # noqa: N802 - the name that lists have for it
        """What is counted in this view."""
        return NOUNS[self._view]

    def focus_main(self) -> None:
        """The list in view."""
        self.set_focus(self.main)

    def gather(self, wanted: Callable[[], bool]) -> Any:  # noqa: ARG002 - one short query
        """The runs that are kept."""
        return inventory.runs(self.session.env)

    def show(self, found: Any) -> None:
        """The runs, wherever the person is."""
        self._runs.replace(found)
        self._diffs.clear()
        self._sought = (0, 0)
        if not found:
            self.settle(self._nothing())
            return
        self.settle(None)
        self.query_one(f"#{RUNS}", LineList).replaced()
        self.tell_shown()

    def ledger_grew(self) -> None:
        """Decisions are nothing to the inventory; a scan elsewhere is seen on the next visit, or with the next key."""
        self._stale = True

    def tell_selected(self) -> None:
        """Explain; what a run differs in is looked up once somebody stays on it."""
        super().tell_selected()
        if self._view == RUNS and self.run is not None and self._pair not in self._diffs:
            self.set_timer(SETTLE_SECONDS, self._compare)

    def tell_shown(self) -> None:
        """How many, of which run, and what is left out."""
        super().tell_shown()
        if self._view == ITEMS and self._of is not None:
            rows = self._items
            first = f"the first {rows.count():,} of {self._of.total:,}, / finds the others" if self._more else ""
            self.status.told = f"run {self._of.id}: {first or plural(rows.count(), 'item')}"
        elif self._view == CHANGED and self._of is not None:
            self.status.told = f"{self._title}: {plural(self._changes.count(), 'change')}"

    # what is selected

    @property
    def run(self) -> Run | None:
        """The run that keys act on: the selected one, or the one whose items are shown."""
        if self._view != RUNS:
            return self._of
        found: Run | None = self.main.selected if self.is_mounted and self.query(LineList) else None
        return found

    def explained(self) -> tuple[object, Explanation] | None:
        """The selected run, item or change."""
        one, now = self.main.selected, self.session.now()
        if one is None:
            return None
        if self._view == ITEMS:
            return one.key, lambda width: explain_item(one, width)
        if self._view == CHANGED:
            return one.key, lambda width: explain_item(one.item, width, change=one)
        apart = self._diffs.get(self._pair)
        return one.id, lambda width: explain_run(one, apart, now, width)

    def why_not(self, ident: str) -> str | None:
        """Only what fits the view and the selected run."""
        what = ident.rpartition(".")[2]
        if what == "stop":
            return "" if self.scan is not None else None
        if what in ("scan", "project", "deep"):
            return "" if self.scan is None else "a scan is under way: x stops it"
        if what in (ITEMS, CHANGED, "mark"):
            if self.run is None or (what == self._view) or (what == "mark" and self._view != RUNS):
                return None
            ended = self.run.status in ("complete", "partial") or what == ITEMS
            return "" if ended else "this run did not come to its end, so it proves nothing"
        return ""

    # what keys do

    def do_scan(self) -> None:
        """Where managers put things."""
        self._begin("baseline")

    def do_project(self) -> None:
        """The project directories."""
        self._begin("project")

    def do_deep(self) -> None:
        """The whole home."""
        self._begin("deep")

    def do_stop(self) -> None:
        """Stop at the next directory."""
        if self.scan is not None:
            self.scan.stop()

    def do_open(self) -> None:
        """On the whole screen."""
        self.main.action_open()

    def do_mark(self) -> None:
        """What others are compared with."""
        run = self.run
        if run is not None:
            self._marked = 0 if self._marked == run.id else run.id
            self.main.refresh()
            self.say(f"others are compared with run {run.id}" if self._marked else "no run is marked any more")
            self.tell_selected()

    def do_items(self) -> None:
        """What the selected run saw."""
        self._of = self.run
        self._list_items("")

    def do_changes(self) -> None:
        """What came, went and changed."""
        run, pair = self.run, self._pair
        if run is None:
            return
        self._of = run
        if pair in self._diffs:
            self._show_changes(pair)
        else:
            self._sought = pair
            self.run_worker(
                lambda: self._differ(pair, show=True), thread=True, group="diff", exclusive=True, exit_on_error=False
            )

    def do_back(self) -> None:
        """Clear the filter, then back to the runs."""
        bar = self.query_one(FilterBar)
        if not bar.applied and self._view != RUNS:
            self.workers.cancel_group(self, "items")
            self._turn_to(RUNS)
            self.tell_shown()
            self.tell_selected()
            return
        super().do_back()

    def filter_by(self, text: str) -> None:
        """Items are looked for in the whole run, not only among those that are shown."""
        if self._view == ITEMS and self._of is not None and (self._more or self._of.total > MOST):
            self._list_items(text)
        else:
            super().filter_by(text)

    # inside

    @property
    def _pair(self) -> tuple[int, int]:
        run = self.run
        if run is None:
            return 0, 0
        return (self._marked if self._marked != run.id else 0), run.id

    @property
    def _title(self) -> str:
        before = self._diffs.get(self._pair)
        older = before[0].id if isinstance(before, tuple) else 0
        return f"run {self._pair[1]} against run {older}"

    def _turn_to(self, view: str) -> None:
        for bar in self.query(FilterBar):
            if bar.applied:
                bar.clear_filter()
        self._view = view
        for each in self.query(LineList):
            each.display = each.id == view
        self.set_focus(self.main)

    def _begin(self, profile: str) -> None:
        if self.scan is not None:
            return
        like = next((run for run in self._runs.every() if run.profile == profile and run.directories), None)
        self.scan = Scan(profile, about=like.directories if like is not None else 0)
        self.settle(None)
        self.query_one(Progress).follow(self.scan)
        scan, session = self.scan, self.session

        def deed() -> str:
            try:
                return scan.go(session)
            finally:
                self.app.call_from_thread(self._ended)

        self.perform("scanning", deed)
        self.refresh_keys()

    def _ended(self) -> None:
        self.scan = None
        self.query_one(Progress).follow(None)
        self.reload()

    def _list_items(self, text: str) -> None:
        run, env = self._of, self.session.env
        if run is None:
            return

        def look() -> None:
            worker, words, found = get_current_worker(), text.lower().split(), []
            try:
                for item in inventory.items(run.id, env=env):
                    if worker.is_cancelled:
                        return
                    if not words or matches(item.plain(), words):
                        found.append(item)
                        if len(found) > MOST:
                            break
            except BkError as error:
                self.app.call_from_thread(self.board.trouble, error)
                return
            if not worker.is_cancelled:
                self.app.call_from_thread(self._show_items, Seen(found[:MOST], len(found) > MOST), text)

        self.run_worker(look, thread=True, group="items", exclusive=True, exit_on_error=False)

    def _show_items(self, seen: Seen, text: str) -> None:
        if self._view != ITEMS:
            self._turn_to(ITEMS)
        self._more = seen.more
        self._items.filter("")
        self._items.replace(seen.items)
        self.main.when_empty = (
            (f"Nothing that run {self._of.id if self._of else 0} saw fits this filter.", "Esc clears it.")
            if text
            else ("This run saw nothing.", "Esc goes back to the runs.")
        )
        self.main.replaced()
        self.tell_shown()
        self.tell_selected()

    def _compare(self) -> None:
        pair = self._pair
        wanted = self._view == RUNS and pair[1] and pair not in self._diffs and pair != self._sought
        if wanted and self.app.current_mode == self.NAME:
            self._sought = pair
            self.run_worker(
                lambda: self._differ(pair, show=False), thread=True, group="diff", exclusive=True, exit_on_error=False
            )

    def _differ(self, pair: tuple[int, int], *, show: bool) -> None:
        worker, made = get_current_worker(), None
        try:
            before, _, diff = inventory.difference(*pair, self.session.env)
            made = (before, diff)
        except BkError as error:
            self._diffs[pair] = error
        if made is not None:
            self._diffs[pair] = made
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_changes if show else self._compared, pair)

    def _compared(self, pair: tuple[int, int]) -> None:
        if self._view == RUNS and pair == self._pair:
            super().tell_selected()

    def _show_changes(self, pair: tuple[int, int]) -> None:
        made = self._diffs.get(pair)
        if isinstance(made, BkError):
            self.say(f"{made}", severity="warning")
            return
        if made is None:
            return
        diff = made[1]
        rows = [Change(CHANGES[0], item) for item in diff.added]
        rows += [Change(CHANGES[1] if diff.proven else CHANGES[2], item) for item in diff.gone]
        rows += [Change(CHANGES[3], item, was) for was, item in diff.changed]
        self._turn_to(CHANGED)
        self._changes.replace(rows)
        self.main.when_empty = (f"Nothing changed: {self._title}.", "Esc goes back to the runs.")
        self.main.replaced()
        self.tell_shown()
        self.tell_selected()

    def record(self) -> Mapping[str, Any] | None:
        """What is selected, as JSON."""
        one = self.main.selected
        return one.told() if isinstance(one, Change) else one.plain() if one is not None else None

    def _nothing(self) -> Notice:
        why = "bk looks at what is installed after each sync of the catalogs, and whenever you ask it to."
        steps = (
            ("Look now: n scans where package managers put things, D the whole home.", ""),
            ("Or in another terminal, with the findings as text:", "bk scan"),
        )
        return Notice("empty", "Nothing has been scanned yet.", why, steps)
