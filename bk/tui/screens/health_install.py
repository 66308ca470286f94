"""Wiring bk into clients from the dashboard: the diff of every file, then the question, then the recorded result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bk.engine.console import hooks
from bk.engine.console.hooks import Change, Client
from bk.engine.errors import BkError
from bk.text import inert, inert_lines
from bk.tui.actions import TIGHTENS
from bk.tui.prose import Prose
from bk.tui.screens.confirm import WIDEST, Ask, Confirm
from bk.tui.words import plural

if TYPE_CHECKING:
    from bk.engine.console.session import Session

Wired = Sequence[tuple[Client, list[Change]]]
LINES_MAX = 400
TONE = {"+": "$secondary", "-": "$warning", "@": "$text-faint"}


class Install(Confirm):
    """Shows what would be written, and asks. The diff scrolls with j and k."""

    BINDINGS: ClassVar = [
        Binding("j,down", "scroll(1)"),
        Binding("k,up", "scroll(-1)"),
        Binding("pagedown", "scroll(8)"),
        Binding("pageup", "scroll(-8)"),
    ]

    def __init__(self, wired: Wired, *, opened_by: str) -> None:
        names = ", ".join(client.title for client, _ in wired)
        effect = "Only bk's own entries are added; everything else in these files stays as it is, to the byte."
        super().__init__(Ask(f"have {names} ask bk", "Install", effect, tier=TIGHTENS, opened_by=opened_by))
        self._wired = wired

    def on_resize(self, event: events.Resize) -> None:  # type: ignore[override]
        """Another width, other lines."""
        event.prevent_default()
        width = min(WIDEST, self.size.width) - 8
        text = Prose(width)
        text.add(self.ask.effect)
        text.add(("bk hooks uninstall takes it out again.   j k: read on", "$text-quiet"))
        for client, changes in self._wired:
            text.title(client.title)
            text.drawn(*lines_of(explain_changes(changes), width))
        self.query_one("#ask-text", Static).update(text.content())

    def action_scroll(self, by: int) -> None:
        """Read on."""
        self.query_one("#ask-facts", VerticalScroll).scroll_relative(y=by, animate=False)


def explain_changes(changes: Sequence[Change]) -> list[tuple[str, str]]:
    """The diff of every file that would change, as (line, tone) pairs."""
    found: list[tuple[str, str]] = []
    for change in changes:
        if not change.changes:
            continue
        told = "a new file" if change.before is None else ""
        path = inert(change.path.encode(errors="replace").decode(), 400)
        found.append((f"{path}{f'  ({told})' if told else ''}", "bold"))
        lines = change.diff().splitlines()[2:]
        for line in lines[:LINES_MAX]:
            shown = inert_lines(line.replace("\t", "  "), 1)
            found.append((f"  {shown[0] if shown else ''}", TONE.get(line[:1], "$text-quiet")))
        if len(lines) > LINES_MAX:
            more = f"  … and {len(lines) - LINES_MAX:,} more lines: bk hooks install --diff --dry-run"
            found.append((more, "$text-quiet"))
    return found


def lines_of(told: Sequence[tuple[str, str]], width: int) -> list[Content]:
    """The same as lines of a width; what is longer goes on below itself."""
    lines: list[Content] = []
    for line, tone in told:
        first, *rest = Content.assemble((inert(line), tone)).wrap(max(8, width - 4))
        lines += [first, *(Content.assemble("    ", each) for each in rest)]
    return lines


def installed(wired: Wired, session: Session) -> str:
    """Wire them in, in a worker; the sentence of what was recorded and how they stand after it."""
    env, entries = session.env, []
    for client, changes in wired:
        hooks.install(client, changes, env=env)
        entry = session.outcome("hooks_install", client=client.name)
        if entry.data.get("outcome") != "done":
            raise BkError("it was not wired in", str(entry.data.get("detail", "")), f"bk audit show {entry.seq}")
        entries.append(entry.seq)
    standing = {one.client.name: one for one in hooks.status(env)}
    silent = [one for client, _ in wired if (one := standing.get(client.name)) is not None and not one.asks]
    if silent:
        why = silent[0].off[0] if silent[0].off else "something keeps it from asking"
        raise BkError(f"{silent[0].client.title} is wired in, and would not ask yet", why, silent[0].fix)
    numbers = ", ".join(f"#{seq:,}" for seq in entries)
    names = wired[0][0].title if len(wired) == 1 else plural(len(wired), "client")
    return f"{names}: asks bk from its next start on: entry {numbers}"
