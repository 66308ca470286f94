"""What a person does to something held, from whichever screen: look at how it stands, ask, have the engine do it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from bk.engine.console import quarantine, shelf
from bk.engine.console.session import short
from bk.engine.console.shelf import UNDER_WAY, Held, Outlook
from bk.engine.errors import BkError
from bk.tui.screens.confirm import Answer, Ask
from bk.tui.screens.quarantine_questions import in_own_words, place_question, purge_question, restore_question
from bk.tui.screens.quarantine_words import ENDED, package
from bk.tui.words import plural, size

if TYPE_CHECKING:
    from bk.tui.screens.base import Base

Question = Callable[[Held, Outlook], None]


def why_not(held: Held, what: str) -> str | None:
    """Whether this can be done to it: "" yes, a sentence no, None not at all."""
    if held.state in ENDED:
        return None
    if what == "verify":
        return ""
    if held.state == "orphan":
        return None
    if held.state == "purging" and what == "purge":
        return ""
    if held.state in UNDER_WAY:
        return f"it is {held.state}, or was cut off while it was: V brings it to its end first"
    if what == "purge" and held.problem:
        return f"bk deletes nothing that is not what was taken: {held.problem}"
    if what == "elsewhere" and (len(held.parts) != 1 or held.changes):
        return "it has several parts, or was cut out of a file: it goes back to its own place only (R)"
    return ""


class HeldDeeds:
    """The deeds, for one screen: its questions open over it, and its status line shows how far they are.

    What they are about is an item that is shown, or the id of one.
    """

    def __init__(self, screen: Base) -> None:
        self._screen = screen
        self._places: dict[str, str] = {}

    def restore(self, item: Held | str) -> None:
        """Put it back where it was."""
        self._asking(item, "restore", self._ask_restore)

    def elsewhere(self, item: Held | str) -> None:
        """Put it back somewhere else."""
        self._asking(item, "elsewhere", self._ask_elsewhere)

    def purge(self, item: Held | str) -> None:
        """Have it deleted for good."""
        self._asking(item, "purge", self._ask_purge)

    # the questions, and what follows from them

    def _ask_restore(self, held: Held, out: Outlook) -> None:
        ask = restore_question(held, out, self.where(held), self._still(held))
        make = out.place in ("missing", "replaced")
        self._screen.confirm(ask, lambda answer: self._restore(held, answer, override=bool(out.voices), make=make))

    def _ask_elsewhere(self, held: Held, out: Outlook) -> None:
        ask = place_question(held, out, self.where(held), self._still(held), self._places.get(held.ident, ""))

        def there(answer: Answer) -> None:
            self._places[held.ident] = answer.place
            self._restore(held, answer, override=bool(out.voices), make=False)

        self._screen.confirm(ask, there)

    def _ask_purge(self, held: Held, out: Outlook) -> None:
        ask = purge_question(held, out, self.where(held), self._still(held))
        self._screen.confirm(ask, lambda _answer: self._purge(held, ask))

    def _restore(self, held: Held, answer: Answer, *, override: bool, make: bool) -> None:
        session, parts = self._screen.session, len(held.parts)
        done = 0
        to = os.path.join(session.state.home, answer.place[2:]) if answer.place.startswith("~/") else answer.place

        def told(step: str) -> None:
            nonlocal done
            if step.startswith("put "):
                done += 1
                self._progress(f"restoring {package(held)}: {done:,} of {plural(parts, 'part')} in place")
            elif step.startswith("checked "):
                self._progress(f"restoring {package(held)}: reading what is kept")

        def deed() -> str:
            quarantine.restore(held.ident, to=to, recreate_parent=make, override=override,
                               reason=answer.reason, admin=session.admin, env=session.env, told=told)  # fmt: skip
            entry = session.outcome("quarantine_restore", hold=held.ident)
            if entry.data.get("outcome") != "done":
                raise BkError("it was not restored", str(entry.data.get("detail", "")), f"bk audit show {entry.seq}")
            note = f" ({entry.data['note']})" if entry.data.get("note") else ""
            there = short(str(entry.data.get("to", "")), session.state.home)
            return f"{package(held)} is {f'at {there}' if there else 'back where it was'}{note}: entry #{entry.seq:,}"

        self._screen.perform(f"restoring {package(held)}", in_own_words(deed, moved=bool(answer.place)))

    def _purge(self, held: Held, ask: Ask) -> None:
        session = self._screen.session

        def deed() -> str:
            each = quarantine.purge([held.ident], confirm=lambda _held: ask.phrase, admin=session.admin,
                                    env=session.env)  # fmt: skip
            for _item, what in each:
                if what != "deleted":
                    raise BkError("it was not deleted", what, "V says more")
            entry = session.outcome("quarantine_purge", hold=held.ident)
            if entry.data.get("outcome") != "done":
                raise BkError("it was not deleted", str(entry.data.get("detail", "")), f"bk audit show {entry.seq}")
            return f"{package(held)} is deleted, {size(held.size)}: entry #{entry.seq:,}"

        self._screen.perform(f"deleting {package(held)}", in_own_words(deed))

    def _still(self, held: Held) -> Callable[[], str]:
        env, was = self._screen.session.env, (held.state, held.problem)

        def still() -> str:
            try:
                now = quarantine.show(held.ident, env).held
            except BkError as error:
                return str(error)
            return "" if (now.state, now.problem) == was else now.problem or f"it is {now.state} now"

        return still

    def where(self, held: Held) -> str:
        """Where it was, as it is shown."""
        return short(shelf.text_of(held), self._screen.session.state.home)

    def _progress(self, told: str) -> None:
        screen = self._screen

        def tell() -> None:
            screen.board.doing = told
            screen.refresh_frame()

        screen.app.call_from_thread(tell)

    # what must be looked up first

    def _asking(self, item: Held | str, what: str, ask: Question) -> None:
        screen = self._screen

        def look() -> None:
            try:
                held = item if isinstance(item, Held) else quarantine.show(item, screen.session.env).held
                why = why_not(held, what)
                if why is None:
                    raise BkError("nothing is held any more", f"{package(held)} is {held.state}", "bk quarantine list")
                out = shelf.outlook(held, screen.session.env) if not why else Outlook()
            except BkError as error:
                screen.app.call_from_thread(screen.board.trouble, error)
                return
            screen.app.call_from_thread(self._ask_if_here, held, out, why, ask)

        screen.run_worker(look, thread=True, group="asking", exclusive=True, exit_on_error=False)

    def _ask_if_here(self, held: Held, out: Outlook, why: str, ask: Question) -> None:
        if why:
            self._screen.say(why, severity="warning")
        elif self._screen.app.screen is self._screen:
            ask(held, out)
