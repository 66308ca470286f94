"""What waits for a person: calls that were stopped, and bad things found installed, in one live list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal

from bk.engine.console import cases, remediate
from bk.engine.console.matters import Matter, found, merged
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import ADMIN, FOR_GOOD, LISTS, REVERSIBLE, Action
from bk.tui.explain import explain_matter
from bk.tui.prose import Explanation
from bk.tui.screens.base import WHOLE
from bk.tui.screens.confirm import Answer, Ask
from bk.tui.screens.incidents_words import clean_up, columns
from bk.tui.screens.listing import Listing
from bk.tui.screens.quarantine_deeds import HeldDeeds
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.notice import Notice
from bk.tui.widgets.rows import ListRows
from bk.tui.words import WIRE

SPAN = "7d"
EXEMPT_WORD = "exempt"


class IncidentsScreen(Listing):
    """The list, the explanation of what is selected, and the verbs that settle it."""

    NAME = "incidents"
    NOUN = ("incident", "incidents")
    FILTER_HINT = "state:open level:block npm words"
    PURPOSE = (
        "What was stopped, or found installed and known to be bad: the open ones first, the worst first.",
        "Acknowledge what you have seen; what happens again opens it again.",
    )
    ACTIONS: ClassVar = (
        Action("list.open", "explain", "enter", "Open the selected one on the whole screen."),
        Action("incidents.ack", "seen", "a", "You have seen it: it comes back only when it happens again.", gate=ADMIN),
        Action("incidents.restore", "restore", "R", "Put what is held of it back where it was.", gate=ADMIN,
               tier=REVERSIBLE),
        Action("incidents.purge", "purge", "P", "Delete what is held of it, for good.", gate=ADMIN, tier=FOR_GOOD),
        Action("incidents.approve", "move it", "A", "Your word that it may be quarantined.", gate=ADMIN,
               tier=REVERSIBLE),
        Action("incidents.exempt", "exempt", "x", f"Leave it alone for {SPAN}, with a reason.", gate=ADMIN,
               tier=REVERSIBLE),
        Action("incidents.always", "exempt always", "X", "Leave it alone until it is opened again.", gate=ADMIN,
               tier=FOR_GOOD, bar=False),
        Action("incidents.plan", "clean-up", "c", "What is left to do about it, and how. Nothing is touched."),
        Action("incidents.reopen", "reopen", "o", "It waits for a person again.", gate=ADMIN),
        *LISTS,
    )  # fmt: skip

    def body(self) -> ComposeResult:
        """List and explanation."""
        self._rows: ListRows[Matter] = ListRows(key=lambda one: one.ident, record=lambda one: one.told())
        self._deeds = HeldDeeds(self)
        with Horizontal(id="panes"):
            yield LineList(columns(self.session), self._rows, id="matters")
            yield Detail()

    def gather(self, wanted: Callable[[], bool]) -> Any:  # noqa: ARG002 - one short query
        """The responder's book; the stopped calls are known already."""
        return found(self.session.env)

    def show(self, found: Any) -> None:
        """Both, merged."""
        self._rows.replace(merged(self.session.incidents.cases(), found))
        if not self._rows.total:
            self.settle(self._nothing())
            return
        self.settle(None)
        self.main.replaced()
        self.tell_shown()

    def ledger_grew(self) -> None:
        """Show it at once, and ask the book again."""
        if self.is_current and self._shown and self.wrong is None:
            book = [one.incident for one in self._all if one.incident is not None]
            self.show(book)
        super().ledger_grew()

    @property
    def matter(self) -> Matter | None:
        """What is selected."""
        return self.main.selected if self.query(LineList) else None

    def explained(self) -> tuple[object, Explanation] | None:
        """What is selected, the whole of it."""
        one = self.matter
        if one is None:
            return None
        behind = self.session.feed.entry(one.seq) if one.seq else None
        now = self.session.now()
        return one.ident, lambda width: explain_matter(one, behind, now, width, WHOLE)

    def record(self) -> Mapping[str, Any] | None:
        """The entry behind a stopped call, else what the book tells."""
        one = self.matter
        behind = self.session.feed.entry(one.seq) if one is not None and one.seq else None
        return self.session.record(behind) if behind is not None else one.told() if one is not None else None

    def why_not(self, ident: str) -> str | None:
        """Only what fits the selected one is offered."""
        one = self.matter
        if not ident.startswith("incidents."):
            return ""
        what = ident.rpartition(".")[2]
        if what == "plan" and one is not None and one.incident is not None:
            return ""
        if one is None or one.settled or what == "plan":
            return None
        found = one.incident is not None
        if what in ("restore", "purge"):
            return "" if one.state == "quarantined" and one.hold else None
        if what == "ack":
            return "" if one.open and one.state != "quarantined" else None
        if what == "reopen":
            return "" if not one.open and one.state != "quarantined" else None
        if one.state == "quarantined":
            return None
        if what == "approve" and one.state == "pending_path":
            return "where it lies is not known, so nothing can be moved: c says how to be rid of it"
        return "" if found and one.open else None

    def urgent(self) -> None:
        """Select the most urgent one."""
        self.main.pick(0)

    def do_open(self) -> None:
        """On the whole screen."""
        self.main.action_open()

    def do_ack(self) -> None:
        """It was seen."""
        one = self.matter
        if one is None:
            return
        if one.case is not None:
            case = one.case
            self.perform(
                "noting that you have seen it",
                lambda: f"{case.incident.ident} is marked as seen: entry #{self.session.acknowledge(case):,}",
                undo=True,
            )
        else:
            self._decide("incident_ack", partial(cases.ack, one.ident), "seen", undo=True)

    def do_reopen(self) -> None:
        """It waits again."""
        one = self.matter
        if one is None:
            return
        if one.case is not None:
            case = one.case
            self.perform(
                "opening it again", lambda: f"{case.incident.ident} is open again: entry #{self.session.reopen(case):,}"
            )
        else:
            self._decide("incident_reopen", partial(cases.reopen, one.ident), "open again")

    def do_restore(self) -> None:
        """As on Quarantine: look at how things stand, then ask."""
        if self.matter is not None and self.matter.hold:
            self._deeds.restore(self.matter.hold)

    def do_purge(self) -> None:
        """As on Quarantine: look at how things stand, then ask."""
        if self.matter is not None and self.matter.hold:
            self._deeds.purge(self.matter.hold)

    @work(thread=True, group="plan", exclusive=True, exit_on_error=False)
    def do_plan(self) -> None:
        """What is left to do, looked up now."""
        one = self.matter
        if one is None or one.incident is None:
            return
        self.app.call_from_thread(setattr, self.status, "work", "looking at what still names it")
        try:
            shown, plan = cases.show(one.ident, self.session.env), remediate.plan(one.ident, self.session.env)[1]
        except BkError as error:
            self.app.call_from_thread(self.board.trouble, error)
            return
        finally:
            self.app.call_from_thread(setattr, self.status, "work", "")
        told = clean_up(shown.followups, plan)
        self.app.call_from_thread(self.open_page, f"clean-up of {inert(one.title, 60)}", told)

    def do_exempt(self) -> None:
        """Leave it alone for a while."""
        self._ask_exempt(SPAN)

    def do_always(self) -> None:
        """Leave it alone, for good."""
        self._ask_exempt("")

    def do_approve(self) -> None:
        """A person's word that it may be moved."""
        one = self.matter
        if one is None:
            return

        def deed(answer: Answer) -> None:
            self._decide("incident_approve", partial(cases.approve, one.ident, reason=answer.reason), "approved")

        ask = Ask(
            f"move {one.title}",
            "Move it",
            "It is read again now, and moved into the vault if it is still what was found. It can be put back.",
            self._facts(one),
            tier=REVERSIBLE,
            opened_by="A",
            reason="Why? (kept in the ledger)",
            still=self._still(one),
        )
        self.confirm(ask, deed)

    def _ask_exempt(self, span: str) -> None:
        one = self.matter
        if one is None:
            return

        def deed(answer: Answer) -> None:
            exempt = partial(cases.exempt, one.ident, reason=answer.reason, span=span)
            how_long = f"for {span}" if span else "until it is opened again"
            self._decide("incident_exempt", exempt, f"left alone {how_long}", undo=True)

        ask = Ask(
            f"leave {one.title} alone",
            "Exempt",
            f"bk will not report or move it for {span}."
            if span
            else "bk will never report or move it again by itself.",
            self._facts(one),
            tier=REVERSIBLE if span else FOR_GOOD,
            phrase="" if span else EXEMPT_WORD,
            opened_by="x" if span else "X",
            reason="Why? (needed, kept in the ledger)",
            reason_needed=True,
            still=self._still(one),
        )
        self.confirm(ask, deed)

    def _decide(self, event: str, verb: Callable[..., object], told: str, *, undo: bool = False) -> None:
        """Have the engine do it, and tell what the ledger says came of it."""
        one = self.matter
        if one is None:
            return
        session, ident, title = self.session, one.ident, one.title

        def deed() -> str:
            verb(admin=session.admin, env=session.env)
            entry = session.outcome(event, incident=ident)
            if entry.data.get("outcome") != "done":
                raise BkError("it was not done", str(entry.data.get("detail", "")), f"bk audit show {entry.seq}")
            state = str(entry.data.get("state") or "").replace("_", " ")
            return f"{title}: {told}{f', now {state}' if state else ''}: entry #{entry.seq:,}"

        self.perform(event.replace("_", " "), deed, undo=undo)

    def _facts(self, one: Matter) -> list[tuple[str, str]]:
        found = one.incident
        if found is None:
            return []
        return [
            ("where", found.path or "not known"),
            ("evidence", f"{len(found.groups)} independent: {', '.join(found.groups)}"),
            ("why", found.why),
        ]

    def _still(self, one: Matter) -> Callable[[], str]:
        env, was = self.session.env, one.state

        def still() -> str:
            now = cases.show(one.ident, env).incident.state
            return "" if now == was else f"it is {now} now"

        return still

    @property
    def _all(self) -> list[Matter]:
        return list(self._rows.every())

    def _nothing(self) -> Notice:
        session = self.session
        if session.nothing_decided:
            why = (
                "Nothing has been decided here yet. Calls that are stopped, and bad things found installed, come here."
            )
            return Notice("empty", "No incidents.", why, [("Put bk in front of your agents:", WIRE)])
        why = "No call was stopped, and nothing that is installed is known to be bad. Overview shows what bk watches."
        return Notice("empty", "No incidents.", why, [("Look at what is installed now:", "bk scan")])
