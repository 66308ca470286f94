"""How things stand, at a glance: what guards, what waits for a person, what happened in the last hour and day."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bk.engine.console.describe import agent, subject
from bk.engine.console.tally import Tally
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import Action
from bk.tui.screens.base import Base
from bk.tui.widgets.notice import Notice
from bk.tui.widgets.sparkline import spark
from bk.tui.widgets.timeline import timeline
from bk.tui.words import HEALTH, HOUR, LEVELS, STATES, TONES, WIRE, WRONG, age, clock, plural

if TYPE_CHECKING:
    from bk.engine.console.matters import Matter
    from bk.tui.screens.overview_look import Found

SHOWN_LEVELS = ("allow", "warn", "ask", "block", "quarantine")
MEANING = {
    "hook": {"ok": "agents' calls are decided before they run", "off": "no agent asks bk before it acts: bk diag"},
    "engine": {"ok": "answers calls at once", "down": "calls are decided without it, slower: bk engine start"},
    "chain": {"ok": "each entry is linked to the one before"},
    "catalogs": {"STALE": "no news for too long: bk catalogs sync"},
}
TWO_COLUMNS = 110  # the width from which the cards stand in two columns


class Overview(Base):
    """Cards: the guard, what waits, what is held, the last hour, the last day, the latest."""

    NAME = "overview"
    AUTO_FOCUS = "#cards"
    PURPOSE = (
        "How the guard is, what waits for you, and what happened lately. Every figure is looked up, none is assumed.",
        "Click a card, or press its number, for more.",
    )
    ACTIONS: ClassVar = (
        Action("overview.incidents", "what waits", "enter", "Open the incidents."),
        Action("overview.sample", "sample", "s", "Look at sample activity, in a throw-away state."),
        Action("overview.again", "look again", "r", "Look everything up again now."),
    )

    def __init__(self) -> None:
        super().__init__()
        self._tally: Tally | None = None
        self._latest: Found | None = None

    def body(self) -> ComposeResult:
        """Two columns of cards where there is room."""
        with VerticalScroll(id="cards"), Horizontal(id="columns"):
            with Vertical(id="left"):
                yield Card("waits", "waits for you", "incidents")
                yield Card("guard", "the guard")
                yield Card("held", "held", "quarantine")
            with Vertical(id="right"):
                yield Card("hour", "the last hour")
                yield Card("day", "the last day")
                yield Card("latest", "latest", "activity")

    def gather(self, wanted: Callable[[], bool]) -> Any:
        """Everything that takes a file to know. What reads it is imported here: it takes as long as the first frame."""
        from bk.tui.screens.overview_look import look

        found = look(self.session, self._tally, wanted)
        if isinstance(found.tally, Tally):
            self._tally = found.tally
        return found

    def show(self, found: Any) -> None:
        """Draw the cards."""
        self._latest = found
        if self.session.nothing_decided and self.session.feed.problem is None and not self.session.incidents.cases():
            self.settle(self._newcomer())
            return
        self.settle(None)
        self.draw()

    def ledger_grew(self) -> None:
        """Count what is new, and look at the rest soon."""
        if isinstance(self._tally, Tally) and self._tally.last:
            feed = self.session.feed
            if feed.last - self._tally.last > 5000:
                self._tally = None
            else:
                self._tally.absorb(
                    entry
                    for seq in range(self._tally.last + 1, feed.last + 1)
                    if (entry := feed.entry(seq)) is not None
                )
        if self._latest is not None and self.is_current:
            self.show(self._latest)
        super().ledger_grew()

    def refresh_frame(self) -> None:
        """The guard's card shows the same health as the header."""
        super().refresh_frame()
        if self._latest is not None and not self.has_class("-noticed"):
            self.draw()

    def draw(self) -> None:
        """Every card for its width."""
        found, now = self._latest, self.session.now()
        if found is None:
            return
        matters = self._matters(found)
        drawings: dict[str, Callable[[int], list[Content]]] = {
            "guard": lambda width: self._guard(found, width),
            "waits": lambda width: _waits(matters, found.matters, now, width, self._room),
            "held": lambda width: _held(found.held, now, width),
            "hour": lambda width: _hour(found.tally, now, width),
            "day": lambda width: _day(found.tally, now, width),
            "latest": self._latest_lines,
        }
        titles = self._titles(found, matters)
        for card in self.query(Card):
            card.draw(titles.get(str(card.id), ""), drawings[str(card.id)])
        feed = self.session.feed
        self.status.told = plural(
            feed.last - feed.first + 1 if feed.last else 0, "entry in the ledger", "entries in the ledger"
        )

    def why_not(self, ident: str) -> str | None:
        """The sample is for those who have nothing yet."""
        if ident == "overview.sample":
            return "" if self.has_class("-noticed") and not self.session.sample else None
        return None if ident == "overview.incidents" and self.has_class("-noticed") else ""

    def do_incidents(self) -> None:
        """What waits."""
        self.board.go("incidents")

    def do_sample(self) -> None:
        """Leave for the sample; whoever runs the app opens it."""
        self.app.exit("sample")

    def do_again(self) -> None:
        """Count anew, probe anew."""
        self._tally = None
        self.board.look_again()
        self.reload()

    @property
    def _room(self) -> int:
        """How many of what waits are named: as many as the column takes, beside what else is in it."""
        if self.size.height < 30:
            return 3
        return max(6, self.size.height - 26) if self.size.width >= TWO_COLUMNS else 6

    @property
    def _recent(self) -> int:
        """How many of the latest entries are shown: those that the column has room for."""
        if self.size.height < 30:
            return 4
        return self.size.height - 18 if self.size.width >= TWO_COLUMNS else min(14, self.size.height - 22)

    def _matters(self, found: Found) -> list[Matter]:
        from bk.engine.console.matters import merged

        return [] if isinstance(found.matters, BkError) else merged(self.session.incidents.cases(), found.matters)

    def _titles(self, found: Found, matters: list[Matter]) -> dict[str, str]:
        """The figure that goes with each title."""
        waiting = sum(one.open for one in matters)
        titles = {"waits": f"● {plural(waiting, 'open incident')}" if waiting else ""}
        if isinstance(found.held, list) and found.held:
            titles["held"] = f"{STATES['quarantined'][0]} {plural(len(found.held), 'item')}"
        if isinstance(found.tally, Tally):
            minutes = found.tally.minutes(self.session.now())
            total = sum(minutes)
            titles["hour"] = (
                f"{plural(total, 'verdict')}, at most {max(minutes):,} a minute" if total else "no verdicts"
            )
        return titles

    def _guard(self, found: Found, width: int) -> list[Content]:
        lines = []
        for name, (word, more) in self.board.health.items():
            glyph, style = HEALTH.get(word, WRONG)
            told = more or MEANING.get(name, {}).get(word, "")
            lines.append(_row(name, (glyph, word, TONES[style]), told, width))
        if not lines:
            lines.append(Content.assemble(("looking …", "$text-quiet")))
        stand = found.catalogs
        if isinstance(stand, BkError):
            lines.append(_row("catalogs", ("x", "BROKEN", "$error"), stand.detail or stand.title, width))
        elif "catalogs" not in self.board.health:
            if stand.generation:
                news = f"generation {stand.generation:,}, news {age(stand.synced_ms, self.session.now())} ago"
                lines.append(_row("catalogs", ("+", "ok", "$success"), news, width))
            else:
                lines.append(_row("catalogs", ("?", "new", "$text-quiet"), "come with the first decision", width))
        return lines

    def _latest_lines(self, width: int) -> list[Content]:
        feed, rows = self.session.feed, self._recent
        entries = [feed.entry(seq) for seq in range(feed.last, max(feed.first - 1, feed.last - rows), -1)]
        lines = []
        for entry in entries:
            if entry is None:
                continue
            glyph, word, style = LEVELS.get(entry.level, LEVELS[""])
            who = f"  {inert(agent(entry), 11):<11}" if width > 64 else ""
            said = inert(subject(entry), max(8, width - 19 - len(who)))
            gap = " " * max(0, width - 19 - len(who) - Content(said).cell_length)
            lines.append(
                Content.assemble(
                    (f"{clock(entry.at)}  ", "$text-quiet"),
                    (f"{glyph} {word or entry.kind[:5]:<5}  "[:9], TONES.get(style, "")),
                    (said + gap, "$text-quiet" if entry.level == "allow" else ""),
                    (who, "$text-quiet"),
                )
            )
        return lines or [Content.assemble(("nothing yet", "$text-quiet"))]

    def _newcomer(self) -> Notice:
        why = "bk decides each tool call of your coding agent before it runs, and shows it here as it happens."
        steps = (
            ("See it work: s opens sample activity, in a throw-away state.", ""),
            ("Try a call by hand, in another terminal:", "bk check --tool Bash --args 'cat ~/.ssh/id_ed25519'"),
            ("Put it in front of the agents on this machine:", WIRE),
            ("Prove that the guard works, and see how it is:", "bk selftest    bk diag"),
        )
        return Notice("empty", "Nothing has been decided yet.", why, steps)


class Card(Static):
    """A framed part of the overview that can be clicked."""

    def __init__(self, ident: str, title: str, leads_to: str = "") -> None:
        super().__init__(id=ident, classes="card")
        self._title = title
        self.border_title = Content(title)
        self._leads_to = leads_to
        self._drawing: Callable[[int], list[Content]] | None = None

    def draw(self, more: str, drawing: Callable[[int], list[Content]]) -> None:
        """Its lines, for its width; `more` is said beside its title."""
        self.border_title = Content.assemble(
            (self._title, "bold $secondary"), (f"  {more}" if more else "", "$text-quiet")
        )
        self._drawing = drawing
        self.on_resize()

    def on_resize(self) -> None:
        """Another width, other lines."""
        if self._drawing is not None and self.content_size.width:
            self.update(Content("\n").join(self._drawing(max(10, self.content_size.width))))

    def on_click(self) -> None:
        """More of it."""
        if self._leads_to:
            self.screen.board.go(self._leads_to)  # type: ignore[attr-defined]


def _row(name: str, look: tuple[str, str, str], told: str, width: int) -> Content:
    glyph, word, tone = look
    lead = f"{inert(name, 10):<10}"
    state = f"{glyph} {inert(word, 9):<9} "
    return Content.assemble(
        (lead, "$text-quiet"),
        (state, f"bold {tone}"),
        (inert(told, max(0, width - len(lead) - len(state))), "$text-quiet"),
    )


def _waits(matters: list[Matter], problem: object, now: int, width: int, room: int) -> list[Content]:
    if isinstance(problem, BkError):
        return [Content.assemble((inert(f"x {problem}", width), "bold $error"))]
    waiting = [one for one in matters if one.open]
    if not waiting:
        return [Content.assemble(("✓ nothing", "bold $success"), ("  no open incident", "$text-quiet"))]
    lines = []
    for one in waiting[:room]:
        glyph, word, style = LEVELS.get(one.level, LEVELS[""])
        times = f" ×{one.count:,}" if one.count > 1 else ""
        said = inert(one.title, max(8, width - 15 - len(times)))
        gap = " " * max(0, width - 15 - len(times) - Content(said).cell_length)
        lines.append(
            Content.assemble(
                (f"{glyph} {word:<6} ", TONES.get(style, "")), said, (times, "$text-quiet"),
                gap, (f" {age(one.at, now):>4}", "$text-quiet"),
            )
        )  # fmt: skip
    if len(waiting) > room:
        lines.append(Content.assemble((f"… and {len(waiting) - room:,} more", "$text-quiet")))
    return lines


def _held(held: object, now: int, width: int) -> list[Content]:
    if isinstance(held, BkError):
        return [Content.assemble((inert(f"x {held}", width), "bold $error"))]
    assert isinstance(held, list)
    if not held:
        return [Content.assemble(("nothing is held", "$text-quiet"))]
    lines = []
    for one in held[:3]:
        wrong = f"x {one.problem}" if one.problem else age(one.at_ms, now)
        said = inert(f"{one.ecosystem}:{one.name}@{one.version}", max(8, width - len(wrong) - 2))
        lines.append(Content.assemble(f"{said}  ", (inert(wrong, 40), "$error" if one.problem else "$text-quiet")))
    return lines


def _hour(counted: object, now: int, width: int) -> list[Content]:
    if not isinstance(counted, Tally):
        return [Content.assemble((inert(f"x {counted}", width), "bold $error"))]
    minutes = counted.minutes(now)
    wide = min(60, width)
    axis = f"{'-60m':<{wide - 3}}now"
    return [spark(minutes, wide), Content.assemble((axis, "$text-faint"))]


def _day(counted: object, now: int, width: int) -> list[Content]:
    if not isinstance(counted, Tally):
        return [Content.assemble((inert(f"x {counted}", width), "bold $error"))]
    labels = [time.strftime("%H", time.localtime((now - back * HOUR) / 1000)) for back in range(23, -1, -1)]
    labels = [label if int(label) % 6 == 0 else "" for label in labels]
    levels = counted.levels(now)
    parts: list[tuple[str, str]] = []
    for level in SHOWN_LEVELS:
        glyph, word, style = LEVELS[level]
        parts.append(
            (f"{glyph} {levels.get(level, 0):,} {word.lower()}  ", TONES[style] if levels.get(level) else "$text-faint")
        )
    return [*timeline(counted.hours(now), labels, min(width, 72)), Content.assemble(*parts)]
