"""What was taken out of use, as cards: put it back, have it deleted for good, check it, keep a copy of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from bk.engine.console import quarantine, shelf
from bk.engine.console.shelf import UNDER_WAY, Held, Outlook, Shelf
from bk.engine.errors import BkError
from bk.tui.actions import ADMIN, FOR_GOOD, LISTS, REVERSIBLE, TIGHTENS, Action
from bk.tui.prose import Explanation
from bk.tui.screens.listing import Listing
from bk.tui.screens.quarantine_deeds import HeldDeeds, why_not
from bk.tui.screens.quarantine_questions import copy_question
from bk.tui.screens.quarantine_words import Checked, card, explain_held, package
from bk.tui.widgets.cards import LINES, Button, Card, CardList
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.lines import Cell, Column, LineList
from bk.tui.widgets.notice import Notice
from bk.tui.widgets.rows import ListRows
from bk.tui.words import plural, size

LEAST = 7  # lines below which an explanation is not worth its room
BUTTONS = (("[R]estore", "quarantine.restore"), ("[P]urge", "quarantine.purge"), ("[V]erify", "quarantine.verify"),
           ("[X] copy", "quarantine.copy_out"), ("[Enter] evidence", "list.open"))  # fmt: skip


class QuarantineScreen(Listing):
    """The cards, the explanation of the selected one, and the deeds of a person."""

    NAME = "quarantine"
    NOUN = ("item", "items")
    FILTER_HINT = "npm:left-pad state:held words"
    PURPOSE = (
        "What was taken out of use: where it was, who calls it bad, and whether what is kept of it is whole.",
        "bk itself deletes nothing in here. R puts an item back, P has it deleted for good; both need you.",
    )
    ACTIONS: ClassVar = (
        Action("quarantine.restore", "restore", "R", "Put it back where it was, and leave it alone for some days.",
               gate=ADMIN, tier=REVERSIBLE),
        Action("quarantine.purge", "purge", "P", "Delete what is kept of it, for good.", gate=ADMIN, tier=FOR_GOOD),
        Action("quarantine.elsewhere", "put elsewhere", "O", "Put it back at another place of your choice.",
               gate=ADMIN, tier=REVERSIBLE, bar=False),
        Action("quarantine.verify", "verify", "V", "Bring what was cut off to its end, and read every byte kept."),
        Action("list.open", "evidence", "enter", "Open the selected item on the whole screen, with its history."),
        Action("quarantine.all", "verify all", "A", "The same for everything that is held.", bar=False),
        Action("quarantine.copy_out", "copy", "X", "Write what is kept of it to a new archive, for an analyst.",
               tier=TIGHTENS, bar=False),
        Action("quarantine.ended", "ended", "h", "Also show what was put back or deleted, or no longer."),
        *LISTS,
    )  # fmt: skip

    def body(self) -> ComposeResult:
        """Summary, cards, explanation."""
        self._rows: ListRows[Held] = ListRows(key=lambda held: held.ident, record=quarantine.told)
        self._shelf = Shelf(())
        self._ended = False
        self._checked: dict[str, Checked] = {}
        self._outlooks: dict[str, Outlook] = {}
        self._deeds = HeldDeeds(self)
        yield Static(id="vault")
        with Horizontal(id="panes"):
            yield CardList(self._card, self._rows, id="cards-held", columns=COLUMNS)
            yield Detail("evidence")

    def gather(self, wanted: Callable[[], bool]) -> Any:  # noqa: ARG002 - a few hundred rows at most
        """The books, the manifests and the payloads, as they are now."""
        return shelf.shelf(ended=self._ended, env=self.session.env)

    def show(self, found: Any) -> None:
        """The cards."""
        assert isinstance(found, Shelf)
        self._shelf = found
        self._outlooks.clear()
        self._rows.replace(found.held)
        if not found.held:
            self.settle(self._nothing())
            return
        self.settle(None)
        self.main.replaced()
        self._tell_vault()
        self.tell_shown()

    def tell_shown(self) -> None:
        """How many, and what stands below them."""
        super().tell_shown()
        self.call_after_refresh(self._fit)

    def on_resize(self, event: events.Resize) -> None:
        """Another size, other room."""
        super().on_resize(event)
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Few cards leave room: the explanation of the selected one stands below them."""
        wanted, room = self._rows.count() * LINES, self.query_one("#panes").size.height
        roomy = not self.has_class("-wide") and 0 < wanted <= room - LEAST
        self.set_class(roomy, "-roomy")
        self.main.styles.height = wanted if roomy else None
        if roomy:
            self.tell_selected()

    @property
    def held(self) -> Held | None:
        """What is selected."""
        return self.main.selected if self.query(LineList) else None

    def explained(self) -> tuple[object, Explanation] | None:
        """What is selected, the whole of it."""
        held = self.held
        if held is None:
            return None
        now, due = self.session.now(), held.ident in self._shelf.due
        out, checked = self._outlooks.get(held.ident), self._checked.get(held.ident)
        return held.ident, lambda width: explain_held(held, out, checked, now, width, due=due)

    def tell_selected(self) -> None:
        """The explanation, and in a moment what had to be looked up for it."""
        super().tell_selected()
        held = self.held
        if held is not None and held.ident not in self._outlooks:
            self._look_up(held)

    def why_not(self, ident: str) -> str | None:
        """Only what fits the selected one is offered."""
        held = self.held
        if not ident.startswith("quarantine.") or ident in ("quarantine.ended", "quarantine.all"):
            return "" if ident != "quarantine.all" or self._rows.total else None
        return why_not(held, ident.rpartition(".")[2]) if held is not None else None

    def do_open(self) -> None:
        """On the whole screen."""
        self.main.action_open()

    def do_restore(self) -> None:
        """Look at how things stand, then ask."""
        if self.held is not None:
            self._deeds.restore(self.held)

    def do_elsewhere(self) -> None:
        """Look at how things stand, then ask where to."""
        if self.held is not None:
            self._deeds.elsewhere(self.held)

    def do_purge(self) -> None:
        """Look at how things stand, then ask."""
        if self.held is not None:
            self._deeds.purge(self.held)

    def do_verify(self) -> None:
        """Read every byte of the selected one."""
        held = self.held
        if held is not None:
            self._verify(held.ident, package(held))

    def do_all(self) -> None:
        """Read every byte of everything."""
        self._verify("", "everything that is held")

    def do_ended(self) -> None:
        """With what is over, or without."""
        self._ended = not self._ended
        self.say("what was put back or deleted is shown too" if self._ended else "only what is held is shown")
        self.reload()

    def do_copy_out(self) -> None:
        """Ask, then write an archive."""
        held, session = self.held, self.session
        if held is None:
            return
        path = os.path.join(os.getcwd(), f"bk-{held.ident}.tar.gz")

        def deed() -> str:
            count = quarantine.export(held.ident, path, env=session.env)
            seq = session.outcome("quarantine_export", hold=held.ident).seq
            return f"{count:,} bytes written to {path}: entry #{seq:,}"

        ask = copy_question(held, path)
        self.confirm(ask, lambda _answer: self.perform(f"copying {package(held)}", deed))

    @on(CardList.Pressed)
    def _button(self, event: CardList.Pressed) -> None:
        self.action_do(event.ident)

    def _verify(self, ident: str, what: str) -> None:
        session = self.session

        def deed() -> str:
            found = quarantine.verify(ident, env=session.env)
            now = session.now()
            self._checked.update({held.ident: Checked(now, wrong) for held, wrong in found})
            bad = [(held, wrong) for held, wrong in found if wrong]
            if bad:
                held, wrong = bad[0]
                more = f", and {plural(len(bad) - 1, 'other')}" if len(bad) > 1 else ""
                raise BkError(f"{package(held)} is not whole{more}", wrong, f"bk quarantine show {held.ident}")
            if ident and not any(held.state == "held" for held, _ in found):
                return f"{what}: {found[0][0].state}" if found else f"{what}: nothing is held"
            return f"{what}: every byte was read and is whole"

        self.perform(f"reading every byte of {what}", deed)

    # what must be looked up

    @work(thread=True, group="outlook", exclusive=True, exit_on_error=False)
    def _look_up(self, held: Held) -> None:
        worker = get_current_worker()
        try:
            out = shelf.outlook(held, self.session.env)
        except BkError as error:
            out = Outlook(doubt=str(error))
        if not worker.is_cancelled:
            self.app.call_from_thread(self._looked_up, held.ident, out)

    def _looked_up(self, ident: str, out: Outlook) -> None:
        self._outlooks[ident] = out
        if self.held is not None and self.held.ident == ident:
            self.tell_selected()

    # how it looks

    def _card(self, held: Held, width: int) -> Card:
        buttons = []
        for label, ident in BUTTONS:
            action = next(each for each in self.ACTIONS if each.ident == ident)
            why = why_not(held, ident.rpartition(".")[2]) if ident.startswith("quarantine.") else ""
            if why is not None:
                gated = action.gate == ADMIN and not self.board.gate.open
                buttons.append(Button(label, ident, works=not why and not gated))
        due = held.ident in self._shelf.due
        return card(
            held, self._deeds.where(held), width, self.session.now(), self._checked.get(held.ident), buttons, due=due
        )

    def _tell_vault(self) -> None:
        there = [held for held in self._shelf.held if held.state in ("held", "orphan", *UNDER_WAY)]
        wrong = sum(bool(held.problem) for held in there)
        parts = [
            (f"{len(there):,} held", "bold $accent"),
            (f"  {size(sum(held.size for held in there))}", "$text-quiet"),
        ]
        if wrong:
            parts.append((f"  x {wrong:,} with a problem", "bold $error"))
        for count, told, tone in (
            (len(self._shelf.due), "due for review", "$warning"),
            (self._shelf.would, "would be held (dry run)", "$secondary"),
            (self._shelf.pathless, "with no known path", "$secondary"),
        ):
            if count:
                parts.append((f"  {count:,} {told}", tone))
        self.query_one("#vault", Static).update(Content.assemble(*parts))

    def _nothing(self) -> Notice:
        if self._ended:
            return Notice("empty", "Nothing was ever held here.", "h goes back to what is held now.", ())
        shown = self._shelf
        why = "bk moves here what is installed and known to be malicious; until you allow it to, it only reports."
        steps = [("Look at what is installed now:", "bk scan"), ("Show what was put back or deleted: press h", "")]
        if shown.would:
            steps[:0] = [(f"{plural(shown.would, 'item')} would be held, but for the dry run: see Incidents", "")]
        return Notice("empty", "Nothing is held.", why, steps)


COLUMNS = [
    Column("NAME", 10, lambda held: Cell(package(held)), sort=package),
    Column("AGE", 5, lambda held: Cell(str(held.at_ms)), sort=lambda held: -held.at_ms),
    Column("SIZE", 5, lambda held: Cell(size(held.size)), sort=lambda held: -held.size),
    Column("STATE", 5, lambda held: Cell(held.state), sort=lambda held: (not held.problem, held.state)),
]
