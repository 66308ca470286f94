"""Every setting: what is in force, where it comes from, what it may be; changes are staged, looked at, and saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from bk.engine.console import config
from bk.engine.console.config import APART, Proposal
from bk.engine.console.session import short
from bk.engine.console.whatif import Result
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import ADMIN, LISTS, REVERSIBLE, Action
from bk.tui.prose import Explanation
from bk.tui.screens.config_edit import Edit, Edited
from bk.tui.screens.config_look import Looked, looked
from bk.tui.screens.config_review import Review, Reviewed, look, named
from bk.tui.screens.config_rows import Setting, columns, explain, grouped
from bk.tui.screens.config_toggles import Toggles
from bk.tui.screens.config_whatif import WhatIf
from bk.tui.screens.listing import Listing
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.rows import ListRows
from bk.tui.words import plural

Json = Any
WATCH_SECONDS = 1.0
CHANGED = "config.toml was changed by somebody else: what you staged is not in it; ctrl+s compares it with the new one"


class ConfigScreen(Listing):
    """Nothing is written before the review of what is staged was confirmed."""

    NAME = "config"
    NOUN = ("setting", "settings")
    FILTER_HINT = "area:corpus origin:user staged:yes words"
    PURPOSE = (
        "Every setting with the value in force and where it comes from. Space or Enter stages a change: nothing is "
        "written before you have seen the difference and confirmed it.",
        "auto_quarantine.enabled and .dry_run are two decisions, saved one after the other.",
    )
    ACTIONS: ClassVar = (
        Action("config.edit", "edit", "enter", "Type or choose another value, and stage it.", gate=ADMIN),
        Action("config.toggle", "stage", "space", "Stage the other, or the next value.", gate=ADMIN),
        Action("config.review", "review, save", "ctrl+s", "See the difference in the file, then save it or not.",
               gate=ADMIN, tier=REVERSIBLE),
        Action("config.whatif", "what if", "w", "Replay the last days against what is staged."),
        Action("config.drop", "drop", "z", "Drop what is staged for this setting; Z drops everything.", gate=ADMIN),
        Action("config.drop_all", "drop all", "Z", "Drop everything that is staged.", gate=ADMIN, bar=False),
        Action("config.default", "default", "r", "Stage to state it no more, so that the default shows.", gate=ADMIN,
               bar=False),
        Action("config.enabled", "quarantine", "a", "Stage the other value of auto_quarantine.enabled.", gate=ADMIN,
               bar=False),
        Action("config.dry", "dry run", "d", "Stage the other value of auto_quarantine.dry_run.", gate=ADMIN,
               bar=False),
        Action("config.explain", "explain", "x", "Read everything about the selected one on the whole screen.",
               bar=False),
        *LISTS,
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._staged: dict[str, Json] = {}
        self._looked: Looked | None = None
        self._disk = ""
        self._elsewhere = False
        self._saving = False
        self._tried: tuple[Mapping[str, Json], Result] | None = None

    def body(self) -> ComposeResult:
        """What is wrong, the two switches, the list and the explanation."""
        self._rows: ListRows[Setting] = ListRows(key=lambda one: one.name, record=lambda one: one.told())
        yield Static(id="wrong")
        yield Toggles(self._shorten)
        with Horizontal(id="panes"):
            yield LineList(columns(self._first), self._rows, id="settings")
            yield Detail()

    def on_mount(self) -> None:
        """Somebody else may edit the file at any time."""
        self.set_interval(WATCH_SECONDS, self.watch_file)

    # what the engine says

    def gather(self, wanted: Callable[[], bool]) -> Any:
        """Everything in force, what is staged held against it, and what would move."""
        return looked(self.session, dict(self._staged), wanted)

    def show(self, found: Looked) -> None:
        """The list, the switches, and what is wrong."""
        self._looked = found
        if not self._staged or not self._disk:
            self._disk, self._elsewhere = found.disk, False
        self._arrange()

    def _arrange(self) -> None:
        found = self._looked
        if found is None:
            return
        self._rows.replace(grouped(found.setting(row, self._staged) for row in found.rows))
        self.main.replaced()
        every = {one.name: one for one in self._rows.every()}
        self.query_one(Toggles).put({name: every[name] for name in APART}, found.moves)
        said = found.told()
        line = self.query_one("#wrong", Static)
        root, width = self.session.state.root, max(20, self.size.width - 2)
        said = [inert(each.replace(root, self.session.shown_root), width) for each in said[:3]]
        line.update(Content("\n").join(map(Content, said)))
        line.set_class(bool(said), "-shown")
        self.status.complaint = CHANGED if self._elsewhere and self._staged else ""
        self.tell_shown()
        self.tell_selected()

    def watch_file(self) -> None:
        """Notice that somebody else changed the file."""
        if self.app.current_mode != self.NAME or self._saving or not self._shown:
            return
        disk = config.on_disk(self.session.state)
        if disk != self._disk:
            self._disk = disk
            self._elsewhere = bool(self._staged)
            self.say(CHANGED if self._staged else "config.toml was changed by somebody else: shown anew",
                     severity="warning")  # fmt: skip
            self.reload()

    # what is selected

    @property
    def setting(self) -> Setting | None:
        """What is selected."""
        return self.main.selected if self.query(LineList) else None

    def explained(self) -> tuple[object, Explanation] | None:
        """All about it."""
        one, found = self.setting, self._looked
        if one is None or found is None:
            return None
        return one.name, lambda width: explain(one, found.moves, self._shorten, width).content()

    def tell_shown(self) -> None:
        """How many there are, and how many changes wait."""
        super().tell_shown()
        if self._staged:
            waiting = f"{plural(len(self._staged), 'staged change')}, not saved"
            self.status.told = f"{waiting} · {self.status.told}"

    def why_not(self, ident: str) -> str | None:
        """What can be staged, and whether there is anything to save."""
        what = ident.rpartition(".")[2]
        if not ident.startswith("config.") or what == "explain":
            return ""
        if self._looked is not None and self._looked.broken is not None:
            return "config.toml cannot be read: bk config edit"
        one = self.setting
        if what in ("review", "whatif", "drop_all"):
            return "" if self._staged else "nothing is staged: Space or Enter stages a change"
        if what == "drop":
            return "" if one is not None and one.staged else None
        if what == "default" and one is not None and not one.stated:
            return f"{one.name} is not stated in your config.toml: the value comes from {one.row.origin}"
        return "" if one is not None or what in ("enabled", "dry") else None

    def _first(self, one: Setting) -> bool:
        """Whether a row is the first of its area on the screen."""
        at = self._rows.find(one.name)
        before = self._rows.at(at - 1)
        return before is None or before.area != one.area or at in (self.main.cursor, self.main.scroll_offset.y)

    def _shorten(self, path: str) -> str:
        return short(path, self.session.state.home)

    @on(LineList.Opened)
    def _edit_opened(self, event: LineList.Opened) -> None:
        event.prevent_default()
        self.action_do("config.edit" if self.board.gate.open else "config.explain")

    @on(Toggles.Pressed)
    def _toggle_pressed(self, event: Toggles.Pressed) -> None:
        self.main.pick_key(event.name)
        self.action_do("config.enabled" if event.name == APART[0] else "config.dry")

    # staging

    def stage(self, name: str, value: Json) -> None:
        """Let a change wait; None is to state it no more. Nothing is written."""
        other = next((each for each in APART if each != name and each in self._staged), "") if name in APART else ""
        if other:
            self.say(f"{name} and {other} are two decisions: save or drop {other} first", severity="warning")
            return
        row = next(each for each in self._looked.rows if each.key.name == name) if self._looked is not None else None
        if row is not None and value is not None and value == row.value:
            self._staged.pop(name, None)
        else:
            self._staged[name] = value
        self._restaged()

    def _restaged(self) -> None:
        if not self._staged:
            self._elsewhere = False
        if self._looked is not None:
            self._looked = self._looked._replace(wrong=None)
        self._arrange()
        self.reload()

    def do_edit(self) -> None:
        """Another value, typed or chosen."""
        one = self.setting
        if one is None:
            return

        def edited(answer: Edited | None) -> None:
            if answer is not None:
                self.stage(one.name, answer.value)

        self.app.push_screen(Edit(one), edited)

    def do_toggle(self) -> None:
        """The other value, or the next one."""
        one = self.setting
        if one is None:
            return
        key = one.row.key
        now = one.new if one.staged else one.row.value
        if key.kind == "bool":
            self.stage(one.name, not now)
        elif key.kind == "choice":
            at = key.choices.index(now) if now in key.choices else -1
            self.stage(one.name, key.choices[(at + 1) % len(key.choices)])
        else:
            self.do_edit()

    def do_enabled(self) -> None:
        """The first of the two decisions."""
        self._switch(APART[0])

    def do_dry(self) -> None:
        """The second of them."""
        self._switch(APART[1])

    def _switch(self, name: str) -> None:
        one = next((each for each in self._rows.every() if each.name == name), None)
        if one is not None:
            self.main.pick_key(name)
            self.stage(name, not (one.new if one.staged else one.row.value))

    def do_default(self) -> None:
        """State it no more."""
        if self.setting is not None:
            self.stage(self.setting.name, None)

    def do_drop(self) -> None:
        """As it was, for this one."""
        if self.setting is not None and self._staged.pop(self.setting.name, self) is not self:
            self._restaged()

    def do_drop_all(self) -> None:
        """As it was, for all."""
        self._staged.clear()
        self._restaged()

    def do_explain(self) -> None:
        """On the whole screen."""
        found = self.explained()
        if found is not None:
            self.open_page("explained", found[1], copied=self._as_json)

    # saving

    def _propose(self) -> Proposal:
        return config.propose_staged(self.session.state, dict(self._staged))

    def do_whatif(self) -> None:
        """What it would have meant."""
        staged = dict(self._staged)

        def tried(result: Result | None) -> None:
            if result is not None:
                self._tried = (staged, result)

        title = f"what if: {named({one.name: one for one in self._rows.every() if one.staged})}"
        self.app.push_screen(WhatIf(title, self.session, self._propose), tried)

    def do_review(self) -> None:
        """Have it looked at, then ask."""
        self.run_worker(self._prepare, thread=True, group="review", exclusive=True, exit_on_error=False)

    def _prepare(self) -> None:
        worker = get_current_worker()
        looked: Reviewed | BkError
        try:
            looked = look(self.session, self._propose, self._said_of_whatif())
        except BkError as error:
            looked = error
        if not worker.is_cancelled:
            self.app.call_from_thread(self._ask, looked)

    def _said_of_whatif(self) -> str:
        if self._tried is None or self._tried[0] != self._staged:
            return "what if: not tried; w replays the last days against it"
        result = self._tried[1]
        counts = ", ".join(f"{many:,} {what}" for what, many in result.counts.items() if many) or "no other answer"
        return f"what if: {counts}, in {plural(result.replayed, 'recorded call')}"

    def _ask(self, looked: Reviewed | BkError) -> None:
        if isinstance(looked, BkError):
            self.board.trouble(looked)
            self.reload()
        elif not looked.proposal.diff:
            self.say("nothing would change: the file says so already")
            self.do_drop_all()
        else:
            review = Review(looked, self.session, opened_by="ctrl+s")
            self.app.push_screen(review, lambda answer: self._answered(looked, answer))

    def _answered(self, looked: Reviewed, answer: object) -> None:
        if answer is None:
            self.say("cancelled: nothing was saved, what you staged still waits")
            return
        if not self.board.gate.open:
            self.say(self.board.gate.sentence, severity="warning")
            return
        session, title, names = self.session, looked.title, tuple(self._staged)
        self._saving = True

        def deed() -> str:
            done: tuple[str, ...] = ()
            try:
                seq = looked.proposal.make(admin=session.admin, actor=f"person:{os.getuid()}")
                done = names
            finally:
                self.app.call_from_thread(self._saved, done)
            return f"{title}: saved, entry #{seq:,}"

        self.perform("saving the settings", deed)

    def _saved(self, names: tuple[str, ...]) -> None:
        """What was staged is in the file now; without names nothing is."""
        self._saving = False
        for name in names:
            self._staged.pop(name, None)
        if names:
            self._disk, self._elsewhere = config.on_disk(self.session.state), False
            self._arrange()
