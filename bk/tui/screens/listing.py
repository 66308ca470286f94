"""A screen around a list: filter, order, copy, export, and the explanation of what is selected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult

from bk.tui.actions import Action
from bk.tui.screens.base import Base
from bk.tui.widgets.filterbar import FilterBar
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.rows import ListRows
from bk.tui.words import plural


class Listing(Base):
    """The first list of the body is the one that keys act on. Its rows are `ListRows`, or the screen overrides."""

    FILTER_HINT: ClassVar[str] = ""
    NOUN: ClassVar[tuple[str, str]] = ("row", "rows")
    _telling = False

    def foot(self) -> ComposeResult:
        """The filter, hidden until asked for."""
        if self.FILTER_HINT:
            yield FilterBar(self.FILTER_HINT)

    @property
    def filter_text(self) -> str:
        """The filter that is in force."""
        return next((bar.active for bar in self.query(FilterBar)), "")

    @property
    def main(self) -> LineList:
        """The screen's list."""
        return self.query_one(LineList)

    def record(self) -> Mapping[str, Any] | None:
        """What is selected, as the JSON that is copied."""
        rows, item = self.main.rows, self.main.selected
        return rows.record(item) if isinstance(rows, ListRows) and item is not None else None

    def refusal(self, action: Action) -> str | None:
        """What every list can do needs a list that is shown."""
        if action.ident.startswith("list.") and self.has_class("-noticed"):
            return None
        return super().refusal(action)

    def follow_again(self) -> None:
        """Go to the newest row and stay there."""
        if self.main.follows:
            self.main.follow()

    @on(LineList.Picked)
    def _picked(self) -> None:
        """The rows are drawn first: to explain the new one takes as long, and a key that is held picks many."""
        if not self._telling:
            self._telling = True
            self.call_after_refresh(self._tell_picked)

    def _tell_picked(self) -> None:
        self._telling = False
        self.tell_selected()

    @on(LineList.Opened)
    def _opened(self) -> None:
        found = self.explained()
        if found is not None:
            self.open_page("explained", found[1], copied=self._as_json)

    @on(LineList.SortAsked)
    def _sort(self, event: LineList.SortAsked) -> None:
        rows, table = event.list.rows, event.list
        column = next((each for each in table.columns if each.title == table.sorted_by), None)
        if isinstance(rows, ListRows):
            rows.sort(column.sort if column else None, descending=table.descending)
            table.replaced()

    @on(FilterBar.Asked)
    def _asked(self, event: FilterBar.Asked) -> None:
        self.filter_by(event.text)

    @on(FilterBar.Left)
    def _left(self) -> None:
        self.focus_main()

    def put_filter(self, text: str) -> None:
        """Filter by this, as if it were typed."""
        for bar in self.query(FilterBar):
            bar.put(text)

    def filter_by(self, text: str) -> None:
        """Show only what matches."""
        rows = self.main.rows
        if isinstance(rows, ListRows):
            rows.filter(text)
            hidden = rows.total - rows.count()
            self.main.when_empty = (f"The filter hides all {rows.total:,}.", "Esc clears it.") if hidden else ()
            self.main.replaced()
            self.tell_shown()

    def tell_shown(self) -> None:
        """How many are shown, in the status line."""
        rows = self.main.rows
        if isinstance(rows, ListRows):
            self.status.filter = self.filter_text
            whole = plural(rows.total, *self.NOUN)
            self.status.told = f"{rows.count():,} of {whole}" if self.status.filter else whole

    # what the keys of every list do

    def do_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def do_sort(self) -> None:
        """The next column."""
        self.main.sort_next()

    def do_reverse(self) -> None:
        """The other way round."""
        self.main.sort_other_way()

    def do_copy(self) -> None:
        """The selected record, as JSON."""
        said = self._as_json()
        if said:
            self.app.copy_to_clipboard(said)
            self.say("copied as JSON")

    def do_export(self) -> None:
        """Everything that is shown, as JSON lines."""
        from bk.tui.export import written

        rows = self.main.rows
        if isinstance(rows, ListRows):
            records = [rows.record(item) for item in rows.items()]
            self.perform("writing", lambda: written(self.NAME, iter(records)))

    def do_back(self) -> None:
        """Clear the filter, or go back to the list."""
        bar = next(iter(self.query(FilterBar)), None)
        if bar is not None and bar.applied:
            bar.clear_filter()
        else:
            self.focus_main()

    def _as_json(self) -> str:
        record = self.record()
        return json.dumps(record, ensure_ascii=True, indent=2, default=str) if record is not None else ""
