"""The threat catalogs: what is in force, how each source stands, how far they agree, and what a person may do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from bk.engine.console.catalogs import sheet as sheets
from bk.engine.console.catalogs import steer
from bk.engine.console.catalogs.sheet import Agreement, Sheet, SourceRow
from bk.engine.console.catalogs.standing import status
from bk.engine.console.catalogs.work import Work
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import ADMIN, LISTS, REVERSIBLE, TIGHTENS, Action
from bk.tui.prose import Explanation
from bk.tui.screens.catalogs_questions import (
    accept_question,
    accepted,
    rollback_question,
    switch_question,
    sync_question,
    synced,
    told_wrong,
    went_back,
    whole,
)
from bk.tui.screens.catalogs_rows import RANK, Known, columns
from bk.tui.screens.catalogs_words import STEPS, bar, explain_source, summary, tell_delta, tell_runs
from bk.tui.screens.confirm import Answer
from bk.tui.screens.listing import Listing
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.notice import Notice
from bk.tui.widgets.rows import ListRows

BUSY = "the catalogs are being worked on: c stops that"
EXAMPLES = 4


class CatalogsScreen(Listing):
    """The sources, the explanation of the selected one, and the deeds of a person."""

    NAME = "catalogs"
    NOUN = ("source", "sources")
    FILTER_HINT = "state:failing osv words"
    PURPOSE = (
        "Who lists bad packages, how fresh that is, and how far they agree: one source warns, two block.",
        "News that looks wrong is held back until you accept it; what is in force stays in force meanwhile.",
    )
    ACTIONS: ClassVar = (
        Action("catalogs.sync", "sync now", "r", "Ask every source that is on for news.", gate=ADMIN, tier=TIGHTENS),
        Action("catalogs.stop", "stop", "c", "Stop what is under way; what is in force stays in force."),
        Action("catalogs.accept", "accept", "a", "Take in the news of the selected source that was held back.",
               gate=ADMIN, tier=REVERSIBLE),
        Action("catalogs.delta", "delta", "d", "What the generation in force changed against the one before."),
        Action("catalogs.rollback", "roll back", "b", "Put the generation before this one in force.", gate=ADMIN,
               tier=REVERSIBLE),
        Action("catalogs.switch", "on/off", "x", "Ask the selected source, or no longer.", gate=ADMIN,
               tier=REVERSIBLE),
        Action("catalogs.log", "log", "l", "The last runs, and how each source fared in them."),
        Action("list.open", "explain", "enter", "Open the selected source on the whole screen."),
        Action("catalogs.one", "sync this one", "o", "Ask only the selected source.", gate=ADMIN, tier=TIGHTENS,
               bar=False),
        Action("catalogs.verify", "verify", "v", "Read every byte of what is in force.", bar=False),
        *LISTS,
    )  # fmt: skip

    def body(self) -> ComposeResult:
        """Summary, progress, sources, explanation."""
        self._rows: ListRows[SourceRow] = ListRows(key=lambda row: row.name, record=lambda row: row.told())
        self._known = Known(self.session.now)
        self._counted = -1
        self._work: Work | None = None
        self._stopped = False
        yield Static(id="sheet")
        yield Static(id="running")
        with Horizontal(id="panes"):
            yield LineList(columns(self._known), self._rows, id="sources")
            yield Detail()

    def gather(self, wanted: Callable[[], bool]) -> Any:  # noqa: ARG002 - a few small files
        """How everything stands now."""
        return sheets.sheet(self.session.env)

    def show(self, found: Any) -> None:
        """The sources, those that need a person first."""
        assert isinstance(found, Sheet)
        self._known.sheet = found
        rows = sorted(found.status.sources, key=lambda row: (RANK.get(row.state, 9), -row.entries))
        self._rows.replace(rows)
        if not rows:
            self.settle(
                Notice("empty", "No sources are known.", "This build of bk knows of none.", [("See:", "bk diag")])
            )
            return
        self.settle(None)
        self.main.replaced()
        self._tell_sheet()
        self.tell_shown()
        if found.status.generation != self._counted:
            self._counted = found.status.generation
            self._count()

    def on_resize(self, event: Any) -> None:
        """Another width, another summary."""
        super().on_resize(event)
        self._tell_sheet()

    def on_unmount(self) -> None:
        """Whoever leaves does not wait for a feed: what is in force stays in force."""
        if self._work is not None:
            self._stopped = True
            self._work.end()

    @property
    def row(self) -> SourceRow | None:
        """What is selected."""
        return self.main.selected if self.query(LineList) else None

    def explained(self) -> tuple[object, Explanation] | None:
        """The selected source, the whole of it."""
        row, sheet, agreed, now = self.row, self._known.sheet, self._known.agreed, self.session.now()
        if row is None or sheet is None:
            return None
        return row.name, lambda width: explain_source(row, sheet, agreed, now, width)

    def why_not(self, ident: str) -> str | None:
        """Only what fits is offered, and one thing at a time."""
        what, row = ident.rpartition(".")[2], self.row
        if not ident.startswith("catalogs."):
            return ""
        if what == "stop":
            return "" if self._work is not None else None
        if what == "accept" and (row is None or row.held is None or not row.enabled):
            return None
        if what in ("log", "delta"):
            return "" if what == "log" or self._earlier else "there is no earlier generation to compare with"
        if self._work is not None:
            return BUSY
        if what == "rollback" and not self._earlier:
            return "there is no earlier generation to go back to"
        if row is not None and what in ("one", "switch") and row.name.startswith("import-"):
            return f"it was imported by hand: bk catalogs forget {row.name} --admin takes it out"
        if what == "one" and row is not None and not row.enabled:
            return f"{row.name} is off: x has it asked"
        return "" if row is not None or what in ("sync", "verify", "rollback") else None

    # what keys do

    def do_open(self) -> None:
        """On the whole screen."""
        self.main.action_open()

    def do_stop(self) -> None:
        """Stop what this screen began."""
        running = self._work
        if running is not None:
            self._stopped = True
            self.run_worker(running.end, thread=True, group="ending")

    def do_sync(self) -> None:
        """Ask, then ask every source."""
        rows = [row for row in self._rows.every() if row.enabled and not row.needs]
        self._ask_sync([], rows, "r")

    def do_one(self) -> None:
        """Ask, then ask this source."""
        if self.row is not None:
            self._ask_sync([self.row.name], [self.row], "o")

    def do_accept(self) -> None:
        """Ask, then take the news in."""
        row, session = self.row, self.session
        if row is None or row.held is None:
            return
        ask = accept_question(row, session.now(), self._still(row.name, row.held.digest))

        def start(_answer: Answer) -> None:
            taking = partial(steer.accept, row.name, admin=session.admin, env=session.env)
            self._begin(f"accepting the news of {row.name}", taking, accepted)

        self.confirm(ask, start)

    def do_rollback(self) -> None:
        """Look at what would change, then ask."""
        sheet = self._known.sheet
        if sheet is not None:
            self._look_back(sheet.earlier, sheet.status.generation)

    def do_switch(self) -> None:
        """Ask, then switch."""
        row, session = self.row, self.session
        if row is None:
            return
        on = not row.enabled

        word = "on" if on else "off"

        def deed() -> str:
            if not steer.switch(row.name, on=on, admin=session.admin, env=session.env):
                return f"{row.name}: nothing changed, it already is {word}"
            seq = sheets.entry("config", session.env)
            return f"{row.name} is {word} now, the next sync takes that in: entry #{seq:,}"

        ask = switch_question(row, self._known.agreed)
        self.confirm(ask, lambda _answer: self.perform(f"switching {row.name} {word}", deed, undo=True))

    def do_verify(self) -> None:
        """Read every byte."""
        self._begin("reading every byte of what is in force", lambda: steer.verify(self.session.env), whole)

    @work(thread=True, group="delta", exclusive=True, exit_on_error=False)
    def do_delta(self) -> None:
        """Show what the last generation changed."""
        self.app.call_from_thread(setattr, self.status, "work", "comparing two generations")
        try:
            found = sheets.delta(env=self.session.env)
        except BkError as error:
            self.app.call_from_thread(self.say, f"{error}. {error.next_step}", severity="warning")
            return
        finally:
            self.app.call_from_thread(setattr, self.status, "work", "")
        self.app.call_from_thread(self.open_page, "what the last generation changed",
                                  lambda width: tell_delta(found, width))  # fmt: skip

    def do_log(self) -> None:
        """Show the last runs."""
        if self._known.sheet is not None:
            runs, now = self._known.sheet.status.runs, self.session.now()
            self.open_page("the last runs", lambda width: tell_runs(runs, now, width))

    # questions and work

    def _ask_sync(self, names: list[str], rows: list[SourceRow], key: str) -> None:
        session = self.session
        generation = self._known.sheet.status.generation if self._known.sheet else 0
        ask = sync_question(names, rows, generation, key)
        self.confirm(ask, lambda _answer: self._begin(
            "asking for news", lambda: steer.sync(names, force=True, env=session.env), synced))  # fmt: skip

    @work(thread=True, group="delta", exclusive=True, exit_on_error=False)
    def _look_back(self, older: int, newer: int) -> None:
        self.app.call_from_thread(setattr, self.status, "work", "looking at what would change")
        try:
            found = sheets.delta(older, newer, most=EXAMPLES, env=self.session.env)
        except BkError as error:
            self.app.call_from_thread(self.board.trouble, error)
            return
        finally:
            self.app.call_from_thread(setattr, self.status, "work", "")
        self.app.call_from_thread(self._ask_rollback, found)

    def _ask_rollback(self, found: sheets.Delta) -> None:
        session = self.session
        if self.app.screen is not self:
            return
        ask = rollback_question(found)
        back = partial(steer.rollback, found.older, admin=session.admin, env=session.env)
        self.confirm(ask, lambda _answer: self._begin("going back", back, went_back))

    def _begin(self, doing: str, start: Callable[[], Work], told: Callable[[dict[str, Any]], str]) -> None:
        """Run the worker, show each of its steps, and tell what it recorded."""
        session = self.session

        def deed() -> str:
            running = start()
            self._work, self._stopped = running, False
            self._known.doing = {}
            try:
                self.app.call_from_thread(self._stepped, {})
                for step in running:
                    self.app.call_from_thread(self._stepped, step)
                if self._stopped:
                    return "stopped: what is in force stays in force"
                said = running.outcome()
            finally:
                self._work = None
                self._known.doing = {}
                if self.is_mounted:
                    self.app.call_from_thread(self._stepped, {})
            if not said.get("ok"):
                raise BkError("not everything could be done", told_wrong(said), "the sources concerned say what to do")
            seq = max(sheets.entry("catalog", session.env), sheets.entry("admin", session.env))
            return f"{told(said)}: entry #{seq:,}"

        self.perform(doing, deed)

    def _stepped(self, step: dict[str, Any]) -> None:
        """One step of the worker: on its source's row, and in the line above."""
        running = self._work is not None
        self.set_class(running, "-running")
        if running and step:
            word = STEPS.get(str(step.get("step")), str(step.get("step")))
            done, total = (step.get(end) for end in ("done", "total"))
            far = f" {done:,} of {total:,}" if isinstance(done, int) and isinstance(total, int) and total else ""
            source, detail = str(step.get("source") or ""), str(step.get("detail") or "")
            self._known.doing = {source: word} if source else {}
            said = f" … {word}{far}{f'  {source}' if source else ''}{f'  {detail}' if detail else ''}"
            drawn = bar(done / total, 20) if far and isinstance(done, int) and isinstance(total, int) else ""
            self.query_one("#running", Static).update(
                Content.assemble((inert(said, max(10, self.size.width - 24)), ""), (f"  {drawn}", "$primary"))
            )
        elif running:
            self.query_one("#running", Static).update(Content(" … starting the worker"))
        self.main.refresh()
        self.refresh_keys()

    def _still(self, name: str, digest: str) -> Callable[[], str]:
        env = self.session.env

        def still() -> str:
            try:
                now = next((row for row in status(env).sources if row.name == name), None)
            except BkError as error:
                return str(error)
            if now is None or now.held is None:
                return "nothing is held back any more"
            return "" if now.held.digest == digest else "other news is held back now"

        return still

    @work(thread=True, group="count", exclusive=True, exit_on_error=False)
    def _count(self) -> None:
        worker = get_current_worker()
        try:
            found = sheets.agreement(self.session.env, lambda: not worker.is_cancelled)
        except BkError:
            return  # the summary says that the generation cannot be told; v says why
        if not worker.is_cancelled:
            self.app.call_from_thread(self._agree, found)

    def _agree(self, found: Agreement) -> None:
        self._known.agreed = found
        self._tell_sheet()
        self.main.refresh()
        self.tell_selected()

    # how it looks

    @property
    def _earlier(self) -> int:
        return self._known.sheet.earlier if self._known.sheet is not None else 0

    def _tell_sheet(self) -> None:
        if self._known.sheet is not None and self.size.width:
            drawn = summary(self._known.sheet, self._known.agreed, self.session.now(), self.size.width)
            self.query_one("#sheet", Static).update(drawn)
