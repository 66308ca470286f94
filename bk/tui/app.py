"""The dashboard's app: which session is looked at, who may act, which screen is in front. All else is in screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding

from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.feed import Watch
from bk.tui.gate import PHRASE, Gate
from bk.tui.palette import Everything
from bk.tui.places import FIRST, PLACES, place
from bk.tui.plain import Plain
from bk.tui.prose import still
from bk.tui.screens.base import Base, defect
from bk.tui.screens.confirm import Ask, Confirm
from bk.tui.screens.page import Page
from bk.tui.styles import Styles
from bk.tui.theme import CONTRAST, THEMES
from bk.tui.words import moment

if TYPE_CHECKING:
    from textual.filter import LineFilter
    from textual.theme import Theme

    from bk.engine.console.session import Session
    from bk.engine.console.takeback import Past

Deed = Callable[[], str]
NOT_RUNNING = "engine down: calls are decided without it. next: bk engine start"
SAMPLE = "sample"
TOAST_SECONDS = 6.0


class Dashboard(App[str]):
    """One session on one state directory. Ends with `sample` when that is to be looked at next."""

    TITLE = "bk"
    CSS_PATH: ClassVar = ["screens/base.tcss", *(f"screens/{each.name}.tcss" for each in PLACES)]
    DEFAULT_MODE = FIRST
    COMMANDS: ClassVar = {Everything}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar = [Binding(each.key, f"go('{each.name}')", each.title, show=False) for each in PLACES]

    def __init__(
        self,
        session: Session,
        *,
        first: str = FIRST,
        gate: Gate | None = None,
        greets: bool = False,
        plain: bool = False,
    ) -> None:
        vars(self)["DEFAULT_MODE"] = first  # the library's constructor reads it, once
        super().__init__()
        self.session = session
        self.gate = gate or Gate(session.why_not_admin, again=session.ask_again)
        self.health: Mapping[str, tuple[str, str]] = {}
        self.troubles: list[BkError] = []
        self.doing = ""
        self._before = ""
        self._under_way = 0
        self._began = 0
        self._watch = Watch(self)
        self._greets = greets
        self._plain = [Plain()] if plain else []
        for each in PLACES:
            self.add_mode(each.name, each.make)
        for theme in THEMES:
            self.register_theme(theme)
        self._begin_with(THEMES[0])

    def _begin_with(self, theme: Theme) -> None:
        """Wear a theme from the start: put on later, it has every style read twice more before the first frame."""
        self.set_reactive(App.theme, theme.name)
        self.stylesheet = Styles(self.get_css_variables())
        self.set_class(True, f"-theme-{theme.name}", update=False)
        self.set_class(theme.dark, "-dark-mode", update=False)
        self.set_class(not theme.dark, "-light-mode", update=False)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, so that styles load under any of the library's themes too."""
        return dict(THEMES[0].variables)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The library's, and ours for terminals that have nothing but ASCII."""
        return [*super().get_line_filters(), *self._plain]

    def on_load(self) -> None:
        """Know the ledger before the first screen is made."""
        self._watch.begin()
        self._began = self.session.feed.last

    def on_mount(self) -> None:
        """Begin to look."""
        if self.console.color_system == "standard" and not self.is_headless:
            self.theme = CONTRAST.name  # its colours survive being cut to sixteen
        self._watch.start()
        if self._greets and self.session.new_here:
            from bk.tui.screens.welcome import greet

            greet(self)

    async def on_event(self, event: events.Event) -> None:
        """Every key and click shows that somebody is here."""
        if isinstance(event, (events.Key, events.MouseDown, events.MouseScrollDown, events.MouseScrollUp)):
            self.gate.touch()
        await super().on_event(event)

    # what screens ask

    @property
    def front(self) -> Base | None:
        """The screen in front, below whatever asks or explains."""
        return next((each for each in self.screen_stack if isinstance(each, Base)), None)

    @property
    def open_count(self) -> int:
        """Incidents that wait for a person."""
        return self.session.open_count

    @property
    def banner(self) -> str:
        """What must be known on every screen; "" when there is nothing."""
        problem = self.session.feed.problem
        if problem is not None:
            return f" x {problem.title}: {problem.detail}. next: {problem.next_step}"
        return f" ~ {NOT_RUNNING}" if self.health.get("engine", ("",))[0] == "down" else ""

    def refresh_front(self) -> None:
        """Header, tabs, status and keys of the screen in front."""
        front = self.front
        if front is not None and front.is_mounted and front.is_running:
            front.refresh_frame()

    def ledger_grew(self) -> None:
        """The screen in front takes it in now, the others when they are come back to."""
        for stack in self._screen_stacks.values():
            for each in stack:
                if isinstance(each, Base) and each.is_mounted:
                    each.ledger_grew()

    def healthy(self, health: Mapping[str, tuple[str, str]]) -> None:
        """The health, newly looked at."""
        if health != self.health:
            self.health = health
            self.refresh_front()

    def look_again(self) -> None:
        """Probe the guard's parts now."""
        self._watch.look_at_health()

    def gate_changed(self, told: str) -> None:
        """Say so, everywhere."""
        self.refresh_front()
        self.say(told)

    def say(self, text: str, *, severity: str = "information") -> None:
        """A toast."""
        self.notify(inert(text, 400), severity=severity, markup=False, timeout=TOAST_SECONDS)  # type: ignore[arg-type]

    def trouble(self, error: BkError) -> None:
        """Something went wrong: it stays in the status line of every screen until it is read."""
        self.troubles.append(error)
        self.refresh_front()

    def perform(self, doing: str, deed: Deed, *, undo: bool = False) -> None:
        """A deed, in a worker that leaving a screen does not cancel. What it returns is the recorded result.

        `undo` says that the record holds enough to take it back.
        """

        def do() -> None:
            try:
                told = deed()
            except BkError as error:
                self.call_from_thread(self._done, "", error, False)
            except Exception as error:  # noqa: BLE001 - shown to the person, and kept until it is read
                self.call_from_thread(self._done, "", defect(error), False)
            else:
                self.call_from_thread(self._done, told, None, undo)

        self._under_way += 1
        self.doing = doing
        self.refresh_front()
        self.run_worker(do, thread=True, group="deeds")

    def unlock(self, then: Callable[[], None] = lambda: None) -> None:
        """Ask for the word that opens the gate again."""
        ask = Ask(
            "admin is locked",
            "Unlock",
            "Nobody touched a key for a while, or you locked it. The engine looks again at who is asking.",
            tier=3,
            phrase=PHRASE,
            opened_by="L",
        )

        def answered(answer: object) -> None:
            if answer is None:
                return
            why = self.gate.unlock()
            self.gate_changed(f"still locked: {why}" if why else "unlocked")
            if not why:
                then()

        self.push_screen(Confirm(ask), answered)

    # what keys do

    def go(self, name: str) -> None:
        """Open a screen."""
        if name != self.current_mode and place(name) is not None:
            self._before = self.current_mode
            self.switch_mode(name)

    def action_go(self, name: str) -> None:
        """Open a screen, unless a question is open."""
        if self.screen is self.front:
            self.go(name)

    def do_previous(self) -> None:
        """The screen before this one."""
        self.go(self._before or FIRST)

    def do_palette(self) -> None:
        """Every command by name."""
        self.action_command_palette()

    def do_help(self) -> None:
        """Explain the screen."""
        from bk.tui.screens.help import help_page

        if self.front is not None:
            self.push_screen(help_page(self, self.front))

    def do_theme(self) -> None:
        """The next look."""
        names = [theme.name for theme in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]

    def do_urgent(self) -> None:
        """The most urgent open incident."""
        self.go("incidents")
        if self.front is not None and self.front.NAME == "incidents":
            self.call_after_refresh(self.front.urgent)  # type: ignore[attr-defined]

    def show_calls(self, filter_text: str) -> None:
        """Activity, with this filter on."""
        self.go("activity")
        if self.front is not None and self.front.NAME == "activity":
            self.call_after_refresh(self.front.put_filter, filter_text)  # type: ignore[attr-defined]

    def do_problem(self) -> None:
        """Read what went wrong; read, it is gone from the status line."""
        if not self.troubles:
            self.say("nothing went wrong")
            return
        error = self.troubles.pop(0)
        code = inert(str(getattr(error, "refusal", "")), 60)  # what the ledger calls the same refusal
        told = (
            (f"{inert(error.title, 200)}\n\n", "bold $error"),
            (f"{inert(error.detail, 2000)}\n\n", ""),
            *((("code  ", "$text-quiet"), (f"{code}\n", "")) if code else ()),
            ("next  ", "$text-quiet"),
            (inert(error.next_step or "bk diag", 400), "$secondary"),
        )
        self.push_screen(Page("what went wrong", still(*told)))
        self.refresh_front()

    def do_undo(self) -> None:
        """Take back the last deed that the record says can be, whoever ran the dashboard then."""

        def look() -> None:
            from bk.engine.console.takeback import newest

            try:
                past = newest(self.session)
            except BkError as error:
                self.call_from_thread(self.trouble, error)
            else:
                self.call_from_thread(self._take_back, past)

        self.run_worker(look, thread=True, group="undo", exclusive=True, exit_on_error=False)

    def _take_back(self, past: Past | None) -> None:
        if past is None:
            self.say("there is nothing to take back", severity="warning")
        elif past.seq > self._began:
            self.perform(f"taking back: {past.what}", past.undo)
        elif self.front is not None and self.screen is self.front:
            ask = Ask(
                f"take back entry #{past.seq:,}",
                "Take it back",
                "You did this before this dashboard was opened. It is undone by a new entry; nothing is deleted.",
                [("what", past.what), ("when", moment(past.at_ms))],
                tier=1,
                opened_by="u",
            )
            self.front.confirm(ask, lambda _answer: self.perform(f"taking back: {past.what}", past.undo))

    def do_lock(self) -> None:
        """Lock, or ask to unlock."""
        if self.gate.why_not:
            self.say(self.gate.sentence, severity="warning")
        elif self.gate.open:
            self.gate.lock()
            self.gate_changed("locked: L unlocks")
        else:
            self.unlock()

    def do_quit(self) -> None:
        """Leave, when nothing is under way."""
        if not self._under_way:
            self.exit()
            return
        effect = f"{self.doing}: the engine finishes it or undoes it."
        ask = Ask("something is still under way", "Leave", effect, tier=1, opened_by="q")
        self.push_screen(Confirm(ask), lambda answer: self.exit() if answer is not None else None)

    def _done(self, told: str, error: BkError | None, undo: bool) -> None:
        self._under_way -= 1
        if not self._under_way:
            self.doing = ""
        if error is not None:
            self.trouble(error)
        else:
            self.say(f"{told}{' · u takes it back' if undo else ''}")
        self._watch.look()
        self.refresh_front()
        if self.front is not None:
            self.front.reload()
