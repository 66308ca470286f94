"""What every screen is made of. To add one:

1. `bk/tui/screens/vault.py`:

       class Vault(Listing):
           NAME = "vault"
           PURPOSE = ("What is held, where it came from, and how to get it back.",)
           FILTER_HINT = "npm:left-pad words"
           ACTIONS = (
               Action("vault.restore", "restore", "R", "Put it back where it was.", gate=ADMIN, tier=REVERSIBLE),
               *LISTS,
           )
           def body(self):                      # widgets, top to bottom
               self.rows = ListRows(key=lambda held: held.ident, record=told)
               yield LineList(COLUMNS, self.rows, id="main")
               yield Detail()
           def gather(self, wanted):            # in a worker: ask bk.engine.console; raise BkError
               return quarantine.rows(env=self.session.env)
           def show(self, found):               # on the screen again
               self.rows.replace(found)
               self.settle(None if found else Notice("empty", "Nothing is held.", "why", [("do", "command")]))
           def explained(self): ...             # (identity, Explanation) of what is selected, for Detail, Enter and `y`
           def why_not(self, ident): ...        # None: not offered here; a sentence: refused, and why; "": works
           def do_restore(self):
               self.confirm(Ask(...), lambda answer: self.perform("restoring", lambda: deed(answer.reason)))

2. `bk/tui/screens/vault.tcss`, by the same name as the place: layout only, each rule under `Vault`; colours are tokens
   of bk/tui/theme.py. All styles are read once, when the app starts: reading them on a first visit costs 50 ms.
3. One line in `bk/tui/places.py`. Tabs, number key, palette, help and key bar follow from it.

`gather` runs again whenever the ledger grew, at most once a second, and when the screen is come back to; it is
cancelled when the screen is left. A BkError from it becomes the designed state that fits it. `perform` runs a deed in a
worker that is not cancelled; it returns the sentence of the engine's recorded result, the only thing that is ever shown
as success.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState, get_current_worker

from bk.engine.console.trouble import kind_of
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import ADMIN, EVERYWHERE, Action, bindings, named
from bk.tui.gate import LOCKED
from bk.tui.prose import Explanation
from bk.tui.screens.confirm import Answer, Ask, Confirm
from bk.tui.screens.page import Page
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.header import Header
from bk.tui.widgets.keybar import Key, KeyBar
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.notice import Notice, NoticeView
from bk.tui.widgets.status import Status
from bk.tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from bk.engine.console.session import Session
    from bk.tui.app import Dashboard

WIDTHS = [(0, "-narrow"), (60, "-normal"), (110, "-wide")]
HEIGHTS = [(0, "-short"), (22, "-tall")]
SMALLEST = (40, 12)
LOADING_SECONDS = 0.3
AGAIN_SECONDS = 1.0
TOAST_SECONDS = 6
WHOLE = 4000
BAR = tuple(action for action in EVERYWHERE if action.bar)


class Base(Screen[None]):
    """Header, tabs, banner, the screen's own body, status and keys; and the states that every screen must have."""

    NAME: ClassVar[str] = ""
    PURPOSE: ClassVar[tuple[str, ...]] = ()
    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    FILTER_HINT: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = "LineList"

    def __init_subclass__(cls, **more: Any) -> None:
        cls.BINDINGS = bindings((*cls.ACTIONS, *EVERYWHERE))
        super().__init_subclass__(**more)

    def __init__(self) -> None:
        super().__init__()
        self._shown = False
        self._stale = False
        self._waiting = False
        self.wrong: BkError | None = None

    # what a screen says about itself

    def body(self) -> ComposeResult:
        """The screen's own widgets."""
        return iter(())

    def foot(self) -> ComposeResult:
        """What stands between the body and the status line."""
        return iter(())

    def gather(self, wanted: Callable[[], bool]) -> Any:
        """Ask the engine, in a worker; `wanted()` is False once nobody waits for it. Raises BkError."""

    def show(self, found: Any) -> None:
        """Show what was gathered."""

    def explained(self) -> tuple[object, Explanation] | None:
        """What is selected: its identity and its explanation."""
        return None

    def why_not(self, ident: str) -> str | None:  # noqa: ARG002 - screens look at it
        """Whether an action can be done to what is selected: "" yes, a sentence no, None not offered here."""
        return ""

    def follow_again(self) -> None:
        """Stay with what is new; for screens that can."""

    def ledger_grew(self) -> None:
        """The ledger has new entries: gather again, at most once a second."""
        if not self._waiting:
            self._waiting = True
            self.set_timer(AGAIN_SECONDS, self.reload)

    # what screens use

    @property
    def board(self) -> Dashboard:
        """The app."""
        return self.app  # type: ignore[return-value]

    @property
    def session(self) -> Session:
        """What is looked at."""
        return self.board.session

    @property
    def status(self) -> Status:
        """The status line."""
        return self.query_one(Status)

    def settle(self, notice: Notice | None) -> None:
        """Show a state of the whole screen instead of the body; None shows the body."""
        self.query_one(NoticeView).say(notice)
        if self.has_class("-noticed") != (notice is not None):
            self.set_class(notice is not None, "-noticed")
            if notice is None and self.focused is None:
                self.focus_main()
        self.refresh_keys()

    def say(self, text: str, *, severity: str = "information") -> None:
        """A toast."""
        self.notify(inert(text, 400), severity=severity, markup=False, timeout=TOAST_SECONDS)  # type: ignore[arg-type]

    def confirm(self, ask: Ask, then: Callable[[Answer], None]) -> None:
        """Ask first; `then` runs when it was confirmed."""

        def answered(answer: Answer | None) -> None:
            if answer is None:
                self.say("cancelled: nothing was done")
            else:
                then(answer)

        self.app.push_screen(Confirm(ask), answered)

    def perform(self, doing: str, deed: Callable[[], str], *, undo: bool = False) -> None:
        """Have the engine do something; `deed` returns the sentence of its recorded result, or raises BkError.

        `undo` is for what `bk.engine.console.takeback` finds in the record.
        """
        self.board.perform(doing, deed, undo=undo)

    def open_page(self, title: str, made: Explanation, *, copied: Callable[[], str] | None = None) -> None:
        """A text on the whole screen."""
        self.app.push_screen(Page(title, made, copied=copied))

    def reload(self) -> None:
        """Gather and show anew."""
        self._waiting = False
        if self.app.current_mode != self.NAME:
            self._stale = True
            return
        self.run_worker(self._gather, thread=True, group="gather", exclusive=True, exit_on_error=False)
        if not self._shown:
            self.set_timer(LOADING_SECONDS, self._say_loading)

    def tell_selected(self) -> None:
        """Bring the explanation and the keys up to date with what is selected."""
        for pane in self.query(Detail):
            pane.explain(*(self.explained() or ("",)))
        self.refresh_keys()

    def focus_main(self) -> None:
        """The list, or the first thing that can be focused."""
        found = next(iter(self.query(LineList)), None)
        if found is not None:
            self.set_focus(found)
        else:
            self.focus_next()

    # frame

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        self._dress()
        session = self.session
        yield Header(session.host, session.shown_root, sample=session.sample)
        yield Tabs(self.NAME)
        yield Static(id="banner")
        with Vertical(id="body"):
            yield from self.body()
        yield NoticeView()
        yield from self.foot()
        yield Status()
        yield KeyBar()
        yield Static(id="too-small")

    def on_mount(self) -> None:
        """Show what is known, and gather the rest."""
        self.refresh_frame()
        self.call_after_refresh(self.reload)  # a worker that imports and reads would hold the first frame up

    def _dress(self) -> None:
        """The classes that are known already: each that is put on later has every style looked up again."""
        for room, steps in zip(self.app.size, (WIDTHS, HEIGHTS), strict=True):
            self.add_class(max(step for step in steps if step[0] <= room)[1], update=False)
        self.set_class(self.board.gate.open, "-admin", update=False)
        self.set_class(bool(self.board.banner), "-bannered", update=False)

    def on_screen_resume(self) -> None:
        """Catch up with what happened meanwhile."""
        self.refresh_frame()
        if self._stale:
            self._stale = False
            self.reload()

    def on_screen_suspend(self) -> None:
        """Nobody waits for what was being gathered."""
        if self.app.current_mode != self.NAME:
            cancelled = self.workers.cancel_group(self, "gather")
            self._stale = self._stale or bool(cancelled) or not self._shown

    def on_resize(self, event: events.Resize) -> None:
        """Below the floor one clear message; above it everything as it was."""
        width, height = event.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(small, "-too-small")
        if small:
            said = f"bk needs {SMALLEST[0]}x{SMALLEST[1]},\nthis is {width}x{height}\n\nq quits"
            self.query_one("#too-small", Static).update(Content(said))

    def refresh_frame(self) -> None:
        """Header, tabs, banner and status as things are now."""
        board = self.board
        header = self.query_one(Header)
        waiting = board.open_count
        header.health, header.gate, header.urgent = board.health, board.gate.state, waiting
        self.query_one(Tabs).counts = {"incidents": waiting} if waiting else {}
        self.set_class(board.gate.open, "-admin")
        banner = board.banner
        self.query_one("#banner", Static).update(Content(inert(banner, self.size.width)) if banner else "")
        self.set_class(bool(banner), "-bannered")
        status = self.status
        status.problem = str(board.troubles[0]) if board.troubles else ""
        status.more_problems = max(0, len(board.troubles) - 1)
        status.work = board.doing
        self.refresh_keys()

    def refresh_keys(self) -> None:
        """The key bar for what is selected now."""
        bar = self.query_one(KeyBar)
        offered = [
            Key(action, why) for action in self.ACTIONS if action.bar and (why := self.refusal(action)) is not None
        ]
        if list(bar.keys) != offered:
            bar.keys = offered
        if not bar.always:
            bar.always = [Key(action) for action in BAR]

    # actions

    def refusal(self, action: Action) -> str | None:
        """Why this would be refused now: "" when it would not be, None when it is not offered here."""
        why = self.why_not(action.ident)
        if why or why is None or action.gate != ADMIN:
            return why
        return self.board.gate.sentence

    def action_do(self, ident: str) -> None:
        """Do an action by its name, if it can be done here and the gate is open; else say why not."""
        action = next((each for each in (*self.ACTIONS, *EVERYWHERE) if each.ident == ident), None)
        if action is None:
            return
        why = self.refusal(action)
        if why is None:
            self.say(f"{action.title}: there is nothing here that it could be done to", severity="warning")
        elif why and action.gate == ADMIN and self.board.gate.state == LOCKED and not self.why_not(ident):
            self.board.unlock(lambda: self.action_do(ident))
        elif why:
            self.say(why, severity="warning")
        else:
            doing = getattr(self, f"do_{action.what}", None) or getattr(self.board, f"do_{action.what}")
            doing()

    def on_key(self, event: events.Key) -> None:
        """A letter that means nothing here, though its other case does, says so: it never does nothing."""
        char = event.character or ""
        if char.isalpha() and event.key not in self.active_bindings:
            other = next((a for a in self.ACTIONS if char.swapcase() in a.keys.split(",")), None)
            if other is not None:
                self.say(f"{char} is not a key here; {named(char.swapcase())} is: {other.title}", severity="warning")

    @on(KeyBar.Pressed)
    def _pressed(self, event: KeyBar.Pressed) -> None:
        self.action_do(event.ident)

    @on(Tabs.Chosen)
    def _chosen(self, event: Tabs.Chosen) -> None:
        self.board.go(event.name)

    @on(Status.Clicked)
    def _status_clicked(self) -> None:
        if self.board.troubles:
            self.board.do_problem()
        else:
            self.follow_again()

    def do_back(self) -> None:
        """Back to the list."""
        self.focus_main()

    # workers

    def _gather(self) -> None:
        worker = get_current_worker()
        try:
            found: Any = self.gather(lambda: not worker.is_cancelled)
        except BkError as error:
            found = error
        if not worker.is_cancelled:
            self.app.call_from_thread(self._gathered, found)

    def _gathered(self, found: Any) -> None:
        self.wrong = found if isinstance(found, BkError) else None
        if isinstance(found, BkError):
            self.settle(Notice(kind_of(found), found.title, found.detail, [("Next:", found.next_step)]))
        else:
            if not self._shown and self.has_class("-noticed"):
                self.settle(None)
            self.show(found)
        self._shown = True
        self.tell_selected()

    def _say_loading(self) -> None:
        if not self._shown:
            self.settle(Notice("loading", "looking …", "", ()))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A defect must not pass in silence."""
        if event.state == WorkerState.ERROR and event.worker.error is not None:
            self.board.trouble(defect(event.worker.error))


def defect(error: BaseException) -> BkError:
    """An error that nobody foresaw, as a person may read it."""
    return BkError("a defect in bk", f"{type(error).__name__}: {error}", "bk diag, and please report it")
