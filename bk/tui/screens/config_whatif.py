"""What a change would have meant: the recorded calls of the last days decided again, in a worker, with a way out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import get_current_worker

from bk.engine.console import whatif
from bk.engine.console.config import Proposal
from bk.engine.console.session import Session
from bk.engine.console.whatif import ALLOWED, ASKED, BLOCKED, CHANGED, WHY_NOT, Flip, Result
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.prose import Prose
from bk.tui.widgets.lines import Cell, Column, LineList
from bk.tui.widgets.rows import ListRows
from bk.tui.words import DAY, LEVELS, TONES, plural

SPANS = (1, 7, 30, 90)
USUAL = 30
TELL_SECONDS = 0.1
BAR = 30
KINDS = {BLOCKED: ("■", "block"), ASKED: ("?", "ask"), ALLOWED: ("·", "warn"), CHANGED: ("▲", "quiet")}


class WhatIf(ModalScreen[Result | None]):
    """Runs as soon as it opens. Esc stops it, and closes it when it has stopped; `s` looks back further, or less far.

    `propose` is called in the worker, so that what is replayed is the change as it would be made now.
    """

    AUTO_FOCUS = "LineList"
    BINDINGS: ClassVar = [
        Binding("escape", "leave", "stop, close", priority=True),
        Binding("q", "leave", "close"),
        Binding("s", "span", "another span"),
    ]

    def __init__(self, title: str, session: Session, propose: Callable[[], Proposal]) -> None:
        super().__init__()
        self._title = title
        self._session = session
        self._propose = propose
        self._days = USUAL
        self._told = 0.0
        self._rows: ListRows[Flip] = ListRows(key=lambda flip: flip.seq, record=lambda flip: flip.told())
        self.result: Result | None = None
        self.wrong: BkError | None = None
        self.running = False

    def compose(self) -> ComposeResult:
        """How far it is, what flips, and why the selected one does."""
        with Vertical(id="whatif"):
            yield Static(id="whatif-head")
            yield LineList(_columns(), self._rows, id="flips")
            yield Static(id="whatif-why")
            yield Static(id="whatif-keys")

    def on_mount(self) -> None:
        """Begin."""
        self.query_one("#whatif").border_title = Content(inert(self._title, 70))
        self.start()

    def on_resize(self) -> None:
        """Another width, other lines."""
        self._draw()

    def start(self) -> None:
        """Replay from the beginning of the span."""
        self.running, self.result, self.wrong = True, None, None
        self._rows.replace(())
        self._list.replaced()
        self._draw()
        self.run_worker(self._replay, thread=True, group="whatif", exclusive=True, exit_on_error=False)

    def action_leave(self) -> None:
        """Stop; when it has stopped, close."""
        if self.running:
            self.workers.cancel_group(self, "whatif")
            self.running = False
            self._draw()
        else:
            self.dismiss(self.result)

    def action_span(self) -> None:
        """The next span."""
        self._days = SPANS[(SPANS.index(self._days) + 1) % len(SPANS)]
        self.start()

    @property
    def _list(self) -> LineList:
        return self.query_one("#flips", LineList)

    def on_line_list_picked(self) -> None:
        """Why the selected one flips."""
        self._draw_why()

    def _replay(self) -> None:
        worker = get_current_worker()

        def tell(result: Result, _flip: Flip | None) -> None:
            now = time.monotonic()
            if now - self._told >= TELL_SECONDS and not worker.is_cancelled:
                self._told = now
                self.app.call_from_thread(self._show, result, None)

        since = self._session.now() - self._days * DAY
        result, wrong = None, None
        try:
            change = whatif.Proposal.of_change(self._propose())
            result = whatif.run(self._session.state, change, since, tell, lambda: worker.is_cancelled)
        except BkError as error:
            wrong = error
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, result, wrong, True)

    def _show(self, result: Result | None, wrong: BkError | None, done: bool = False) -> None:
        if not self.is_mounted or not self.running:
            return
        self.result, self.wrong, self.running = result, wrong, not done
        if result is not None and len(result.flips) != self._rows.total:
            self._rows.replace(list(result.flips))
            self._list.replaced()
        self._draw()

    def _draw(self) -> None:
        if not self.size.width:
            return
        text = Prose(max(20, min(110, self.size.width) - 8))
        if self.wrong is not None:
            text.add((f"x {inert(self.wrong.title, 200)}", "bold $error"))
            text.add(inert(self.wrong.detail, 600))
            text.labelled("next", (inert(self.wrong.next_step, 300), "$secondary"), indent=0)
        else:
            self._draw_result(text)
        self.query_one("#whatif-head", Static).update(text.content())
        keys = "Esc stops" if self.running else "Esc closes"
        days = SPANS[(SPANS.index(self._days) + 1) % len(SPANS)]
        self.query_one("#whatif-keys", Static).update(
            Content.assemble((f"{keys} · s: the last {plural(days, 'day')} · nothing is run, nothing recorded",
                              "$text-quiet")))  # fmt: skip
        table = self._list
        if not self._rows.total:
            over = self.result is not None and not self.running
            table.when_empty = ("No recorded call would get another answer.",) if over else ()
        table.refresh()
        self._draw_why()

    def _draw_result(self, text: Prose) -> None:
        result = self.result
        share = result.looked / max(1, result.total) if result is not None else 0.0
        if self.running:
            filled = int(share * BAR)
            text.add((f"{'━' * filled}", "$primary"), (f"{'─' * (BAR - filled)}", "$text-faint"), f" {share:4.0%}",
                     (f"  replaying the last {plural(self._days, 'day')}", "$text-quiet"))  # fmt: skip
        else:
            stopped = result is None or result.looked < result.total
            said = f"stopped at {share:.0%}" if stopped else "done"
            calls = plural(result.replayed, "call") if result is not None else "no call"
            text.add((f"{said}: ", "bold"), f"{calls} of the last {plural(self._days, 'day')} replayed")
        if result is None:
            return
        spans: list[tuple[str, str]] = []
        for what, (glyph, style) in KINDS.items():
            many = result.counts[what]
            tone = TONES[style] if many else "$text-quiet"
            spans += [(f"{glyph} {many:,} {what}", f"bold {tone}" if many else tone), ("  ", "")]
        text.add(*spans[:-1])
        if result.not_replayed:
            why = ", ".join(f"{many:,} because {WHY_NOT[name]}" for name, many in result.left_out.items() if many)
            text.add((f"not replayed: {why}", "$text-quiet"))

    def _draw_why(self) -> None:
        flip = self._list.selected
        said = Content("")
        if flip is not None:
            rules = inert(", ".join(flip.rules), 200)
            said = Content.assemble((f"entry #{flip.seq:,}  {rules}\n", "$text-quiet"), inert(flip.reason, 400))
        self.query_one("#whatif-why", Static).update(said)


def _columns() -> list[Column]:
    def word(level: str) -> str:
        return LEVELS.get(level, LEVELS[""])[1]

    def what(flip: Flip) -> Cell:
        glyph, style = KINDS[flip.what]
        return Cell(f"{glyph} {flip.what}", style)

    return [
        Column("WHAT", 15, what),
        Column("WAS → WOULD", 13, lambda flip: Cell(f"{word(flip.before)} → {word(flip.after)}", "quiet")),
        Column("CALL", 0, lambda flip: Cell(flip.subject)),
        Column("AGENT", 11, lambda flip: Cell(flip.agent, "quiet"), needs=80),
    ]
