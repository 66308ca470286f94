"""Every part of the guard and how it is, and for each agent client whether it would ask: with what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from bk.engine.console import diag, hooks
from bk.engine.console.hooks import Change, Client, Standing
from bk.engine.console.probes import Part
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import ADMIN, LISTS, TIGHTENS, Action
from bk.tui.prose import Explanation, Prose
from bk.tui.screens.health_install import Install, explain_changes, installed, lines_of
from bk.tui.screens.listing import Listing
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.lines import Cell, Column, LineList
from bk.tui.widgets.rows import ListRows
from bk.tui.words import TONES, plural

CLIENT, PART = "client", "part"
# state of a part -> (glyph, word, style, order)
STATES = {
    "bad": ("x", "broken", "block", 0),
    "warn": ("~", "look", "warn", 1),
    "unknown": ("?", "unknown", "quiet", 2),
    "ok": ("+", "ok", "good", 3),
}
AGAIN_SECONDS = 5.0
MEANT = {
    "claude-code": "Whether Claude Code asks bk before it acts.",
    "hook": "The small program that every client starts for each call.",
    "engine": "The resident engine, and what it watches. Without it calls are decided too, more slowly.",
    "release": "Whether this very release is on the list of compromised ones.",
    "ledger": "The chained record of everything; its mark proves that nothing was cut off.",
    "index": "The catalog of known-bad packages that calls are decided with.",
    "catalogs": "How fresh the catalogs are, and whether every source is heard.",
    "responder": "What is installed and spoken against, and what is held.",
    "config": "The settings in force, and what is wrong with the files behind them.",
    "rules": "The rules in force, and what is wrong with a file of them.",
    "snapshot": "Settings and rules, compiled for the hook.",
    "state": "The directory that holds all of it: ours, and closed to others.",
    "disk": "Room for the record: without it calls are blocked.",
    "clock": "Entries carry this time.",
    "runtime": "Interpreter and libraries.",
}


class Row:
    """One line: a part of the guard, or a client. `changes` is what wiring the client in would write, or why not."""

    __slots__ = ("changes", "part", "standing")

    def __init__(
        self,
        *,
        part: Part | None = None,
        standing: Standing | None = None,
        changes: list[Change] | BkError | None = None,
    ) -> None:
        self.part = part
        self.standing = standing
        self.changes = changes

    @property
    def name(self) -> str:
        """What it is called."""
        return self.standing.client.title if self.standing is not None else self.part.name if self.part else ""

    @property
    def key(self) -> str:
        """Its identity in the list."""
        return f"client {self.standing.client.name}" if self.standing is not None else f"part {self.name}"

    @property
    def state(self) -> str:
        """The word of a part: for a client whether it would ask."""
        if self.standing is None:
            return self.part.state if self.part is not None else "unknown"
        return "ok" if self.standing.asks else "bad" if self.standing.scopes else "warn"

    @property
    def look(self) -> tuple[str, str, str]:
        """Glyph, word and style."""
        glyph, word, style, _ = STATES.get(self.state, STATES["unknown"])
        if self.standing is not None:
            word = "asks bk" if self.standing.asks else "cut off" if self.standing.scopes else "not wired"
        return glyph, word, style

    @property
    def reason(self) -> str:
        """One line of why."""
        one = self.standing
        if one is None:
            return self.part.reason if self.part is not None else ""
        if one.off:
            return one.off[0]
        return f"before each call ({', '.join(one.scopes)})" if one.scopes else "it acts without asking"

    @property
    def next_step(self) -> str:
        """What to do."""
        return self.standing.fix if self.standing is not None else self.part.next_step if self.part is not None else ""

    def told(self) -> dict[str, Any]:
        """For a program, and for the filter."""
        if self.standing is not None:
            return {"sort": CLIENT, "state": self.state, **self.standing.told()}
        part = self.part or Part("", "unknown", "")
        return {"sort": PART, "state": part.state, "name": part.name, "reason": part.reason, "next": part.next_step}


class HealthScreen(Listing):
    """Clients first, then every probe; what is wrong before what is well."""

    NAME = "health"
    NOUN = ("part", "parts")
    FILTER_HINT = "state:bad sort:client words"
    PURPOSE = (
        "How the guard is: for each agent client whether it would really ask bk, and for each part how it is, why, and "
        "what to do next. Every line was looked up just now; none is assumed.",
    )
    ACTIONS: ClassVar = (
        Action("list.open", "explain", "enter", "Open the selected one on the whole screen."),
        Action("health.install", "have it ask bk", "i", "Wire bk into the selected client; shows what would be written "
               "first.", gate=ADMIN, tier=TIGHTENS),
        Action("health.prove", "prove it", "v", "Start the client's own hook with a call that must be stopped."),
        Action("health.again", "look again", "r", "Probe everything again now."),
        *LISTS,
    )  # fmt: skip

    def body(self) -> ComposeResult:
        """List and explanation."""
        self._rows: ListRows[Row] = ListRows(key=lambda row: row.key, record=lambda row: row.told())
        with Horizontal(id="panes"):
            yield LineList(_columns(), self._rows, id="parts")
            yield Detail()

    def gather(self, wanted: Callable[[], bool]) -> Any:
        """Every probe, every client, and what wiring each in would write."""
        env = self.session.env
        rows = []
        for one in hooks.status(env):
            if not wanted():
                return []
            changes: list[Change] | BkError
            try:
                changes = hooks.planned([one.client], hooks.USER, env=env)[0][1]
            except BkError as error:
                changes = error
            rows.append(Row(standing=one, changes=changes))
        known = {one.standing.client.name for one in rows if one.standing is not None}
        parts = [Row(part=part) for part in diag.diagnose(env) if part.name not in known]
        rows.sort(key=_order)
        return [*rows, *sorted(parts, key=_order)]

    def show(self, found: Any) -> None:
        """All of it; a glance says how many are not well."""
        self._rows.replace(found)
        self.main.replaced()
        self.tell_shown()
        wrong = sum(row.state in ("bad", "warn") for row in found)
        if not self.status.filter:
            whole = plural(len(found), "part")
            self.status.told = f"{wrong:,} of {whole} to look at" if wrong else f"{whole}, all well"

    def ledger_grew(self) -> None:
        """Probes cost more than a list: at most every few seconds."""
        if not self._waiting:
            self._waiting = True
            self.set_timer(AGAIN_SECONDS, self.reload)

    @property
    def row(self) -> Row | None:
        """What is selected."""
        found: Row | None = self.main.selected if self.is_mounted and self.query(LineList) else None
        return found

    def explained(self) -> tuple[object, Explanation] | None:
        """The selected one."""
        row = self.row
        return (row.key, lambda width: _explain(row, width)) if row is not None else None

    def record(self) -> Mapping[str, Any] | None:
        """The selected one, as JSON."""
        return self.row.told() if self.row is not None else None

    def why_not(self, ident: str) -> str | None:
        """Clients can be wired in and proven; parts cannot."""
        what, row = ident.rpartition(".")[2], self.row
        if what not in ("install", "prove"):
            return ""
        if row is None or row.standing is None:
            return None
        if what == "prove":
            return "" if row.standing.scopes else None
        if isinstance(row.changes, BkError):
            return f"{row.changes}. {row.changes.next_step}"
        if not row.changes or not any(each.changes for each in row.changes):
            return None if row.standing.asks else f"there is nothing left to write. {row.standing.fix}"
        return ""

    def do_open(self) -> None:
        """On the whole screen."""
        self.main.action_open()

    def do_again(self) -> None:
        """Probe anew."""
        self.board.look_again()
        self.reload()

    def do_install(self) -> None:
        """The diff first, then the client is wired in."""
        row, session = self.row, self.session
        if row is None or row.standing is None or not isinstance(row.changes, list):
            return
        client, changes = row.standing.client, row.changes

        def answered(answer: object) -> None:
            if answer is None:
                self.say("cancelled: nothing was done")
            else:
                self.perform(f"wiring bk into {client.title}", lambda: installed([(client, changes)], session))

        self.app.push_screen(Install([(client, changes)], opened_by="i"), answered)

    def do_prove(self) -> None:
        """The client's own command, with a call that must be stopped."""
        row = self.row
        if row is None or row.standing is None:
            return
        client, env = row.standing.client, self.session.env

        def deed() -> str:
            return _proven(client, env)

        self.perform(f"proving {client.title}", deed)


def _proven(client: Client, env: Mapping[str, str]) -> str:
    told = hooks.verified(client, env)
    if not told["stops"]:
        said = next((str(each["said"]) for each in told["tried"] if not each["stops"]), "nothing of ours stands there")
        step = f"bk hooks verify --target {client.name}"
        raise BkError(f"{client.title} would not be stopped", inert(said, 300), step)
    return f"{client.title}: a call that must be stopped was stopped, {plural(len(told['tried']), 'time')} of as many"


def _order(row: Row) -> tuple[int, str]:
    return STATES.get(row.state, STATES["unknown"])[3], ""


def _columns() -> list[Column]:
    def state(row: Row) -> Cell:
        glyph, word, style = row.look
        return Cell(f"{glyph} {word}", style)

    return [
        Column("STATE", 11, state, sort=_order),
        Column("WHAT", 16, lambda row: Cell(row.name, "strong" if row.standing is not None else ""),
               sort=lambda row: row.name),
        Column("WHY", 0, lambda row: Cell(row.reason, "" if row.state != "ok" else "quiet"),
               sort=lambda row: row.reason),
    ]  # fmt: skip


def _explain(row: Row, width: int) -> Content:
    text = Prose(width)
    glyph, word, style = row.look
    text.add((inert(row.name, 60), "bold"), "  ", (f"{glyph} {word}", f"bold {TONES[style]}"))
    one = row.standing
    if one is None:
        text.add((MEANT.get(row.name, ""), "$text-quiet"))
        text.gap()
        text.add(inert(row.reason, 1200))
    else:
        text.add(("Whether this client would ask bk before it acts, here and now.", "$text-quiet"))
        text.gap()
        if one.scopes:
            text.labelled("asks at", f"{', '.join(one.scopes)} scope", indent=0)
        for why in one.off:
            text.labelled("but", (inert(why, 400), "$error"), indent=0)
        if not one.scopes:
            text.add("bk is not wired into it: whatever it does, nobody asks bk.")
        if one.client.caveat:
            text.labelled("note", inert(one.client.caveat, 400), indent=0)
    if row.next_step:
        text.gap()
        text.labelled("next", (inert(row.next_step, 400), "$secondary"), indent=0)
    if isinstance(row.changes, BkError):
        text.gap()
        text.labelled("no install", (inert(str(row.changes), 400), "$error"), indent=0)
    elif row.changes and any(each.changes for each in row.changes):
        text.title("what the key i would write, once you said yes")
        text.drawn(*lines_of(explain_changes(row.changes), width))
    return text.content()
