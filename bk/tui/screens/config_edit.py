"""A value is typed or chosen; nothing leaves here that the setting cannot be."""

from __future__ import annotations

import json
from typing import Any, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from bk.engine.console.config import typed
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.screens.config_rows import Setting, may_be, worded

Json = Any
BOOLS = (True, False)
MOST_LINES = 12


class Edited(NamedTuple):
    """What is to be staged."""

    value: Json


class Edit(ModalScreen[Edited | None]):
    """Enter stages what is typed, Ctrl+S a list; Esc leaves everything as it was."""

    AUTO_FOCUS = "#value"
    BINDINGS: ClassVar = [
        Binding("escape", "leave", "leave", priority=True),
        Binding("ctrl+s", "stage", "stage", priority=True),
    ]

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self._setting = setting
        self._key = setting.row.key
        self._choices: tuple[Json, ...] = BOOLS if self._key.kind == "bool" else self._key.choices
        self._value: Json = setting.new if setting.staged else setting.row.value

    def compose(self) -> ComposeResult:
        """What it is for, the field, what is wrong with it."""
        with Vertical(id="edit"):
            yield Static(Content(inert(self._key.help, 400)), id="edit-help")
            if self._choices:
                said = [Option(Content(self._choice(each))) for each in self._choices]
                yield OptionList(*said, id="value", markup=False)
            elif self._key.kind == "list":
                yield TextArea("\n".join(self._value), id="value", soft_wrap=False, show_line_numbers=False)
            else:
                yield Input(self._text(), id="value", compact=True, max_length=4096)
            yield Static(id="edit-hint")

    def on_mount(self) -> None:
        """The present value is where one begins."""
        self.query_one("#edit").border_title = Content(inert(self._setting.name, 70))
        field = self.query_one("#value")
        if isinstance(field, OptionList):
            field.highlighted = self._choices.index(self._value) if self._value in self._choices else 0
        elif isinstance(field, TextArea):
            field.styles.height = min(MOST_LINES, max(3, len(self._value) + 1))
        elif isinstance(field, Input):
            field.select_on_focus = True
        self._judge()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _judge(self) -> None:
        """Say at once whether it can be."""
        hint = self.query_one("#edit-hint", Static)
        try:
            self._read()
        except BkError as error:
            told = error.detail or error.title
            hint.update(Content.assemble((f"x {inert(told, 300)}", "$error"),
                                         (f"\nnext: {inert(error.next_step, 200)}", "$secondary")))  # fmt: skip
        else:
            how = "Enter: stage" if self._key.kind != "list" else "one a line · Ctrl+S: stage"
            allowed = inert(f"may be {may_be(self._setting.row)}", 200)
            quiet = f"{allowed} · default {inert(worded(self._setting.row, self._key.default), 60)}"
            hint.update(Content.assemble((f"{quiet}\n", "$text-quiet"), (f"{how} · Esc: leave it", "$text-quiet")))

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def action_stage(self) -> None:
        """Stage it, if it can be."""
        try:
            value = self._read()
        except BkError:
            self.query_one("#edit-hint").add_class("-refused")
            self.app.bell()
        else:
            self.dismiss(Edited(value))

    def action_leave(self) -> None:
        """As it was."""
        self.dismiss(None)

    def _read(self) -> Json:
        """The value in the field; BkError says what is wrong with it."""
        key, field = self._key, self.query_one("#value")
        raw: Json
        if isinstance(field, OptionList):
            raw = self._choices[field.highlighted or 0]
        elif isinstance(field, TextArea):
            raw = [line.strip() for line in field.text.splitlines() if line.strip()]
        else:
            assert isinstance(field, Input)
            raw = typed(key, field.value.strip())
        try:
            value, note = key.read(raw)
        except ValueError as error:
            raise BkError(f"it {error}", f"{key.name} {error}", f"may be {key.bounds}") from error
        if note:
            raise BkError(note, f"{key.name} is outside {key.bounds}", "choose a value in range")
        return value

    def _text(self) -> str:
        if self._key.kind == "lists":
            inside = ", ".join(f"{name} = {json.dumps(items)}" for name, items in self._value.items())
            return f"{{{inside}}}"
        return str(self._value)

    def _choice(self, value: Json) -> str:
        now = "  in force" if value == self._setting.row.value else ""
        first = "  default" if value == self._key.default else ""
        return f"{inert(worded(self._setting.row, value), 40)}{now}{first}"
