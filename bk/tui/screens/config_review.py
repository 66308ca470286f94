"""A change of settings before it is made: the difference in the file, what follows from it, and how it is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.binding import Binding
from textual.widgets import Static

from bk.engine.console import config
from bk.engine.console.config import Proposal
from bk.engine.console.session import Session, short
from bk.engine.console.would import MOVES, live, would
from bk.text import inert, inert_lines
from bk.tui.actions import FOR_GOOD, REVERSIBLE, TIGHTENS
from bk.tui.prose import Prose
from bk.tui.screens.config_rows import Moves, Setting, list_moves, worded
from bk.tui.screens.confirm import WIDEST, Ask, Confirm
from bk.tui.words import plural

Json = Any
LINES_MAX = 200
GOES_LIVE, OPENS, SWITCHES_OFF = "move", "open", "off"
EFFECTS = {
    GOES_LIVE: "From now on a matching artifact is MOVED into the vault, not only reported. A move can be taken back. "
    "Deleting stays yours.",
    OPENS: "From now on a call that cannot be decided RUNS, and only the ledger knows.",
    SWITCHES_OFF: "From now on nothing is stopped or asked about by what is switched off here, for any agent.",
}
TONES = {"+": "$secondary", "-": "$warning"}


class Reviewed(NamedTuple):
    """A proposal, looked at by the engine. `stamp` is the file that it was made from; `glimpsed` what would move as far
    as a look at the places tells, which is asked again and again while a person decides."""

    proposal: Proposal
    stamp: str
    word: str
    tighter: bool
    moves: Moves | None
    breaker: int
    tried: str = ""
    about: str = ""
    glimpsed: frozenset[tuple[str, str]] = frozenset()

    @property
    def tier(self) -> int:
        """How it is confirmed."""
        return FOR_GOOD if self.word else TIGHTENS if self.tighter else REVERSIBLE

    @property
    def title(self) -> str:
        """What changes, in a few words."""
        changes = self.proposal.changes
        if self.about:
            return self.about
        if len(changes) != 1:
            return plural(len(changes), "setting")
        change = changes[0]
        if isinstance(change.new, (list, dict)):
            return change.key.name
        was, new = (worded_as(change.key, value) for value in (change.old, change.new))
        return f"{change.key.name}  {was} → {new}"


def worded_as(key: Json, value: Json) -> str:
    """A value of a key in few words."""
    return worded(config.Row(key, value, "", False), value)


def look(session: Session, propose: Callable[[], Proposal], tried: str = "", about: str = "") -> Reviewed:
    """Have the engine look at a change; for a worker. BkError says what is wrong with it."""
    state = session.state
    stamp = config.on_disk(state)
    proposal = propose()
    before = {row.key.name: row.value for row in config.in_force(state).rows}
    after = proposal.policy().values
    word = _word(before, after)
    moves, glimpsed = None, frozenset[tuple[str, str]]()
    if any(change.key.name.startswith("auto_quarantine.") for change in proposal.changes):
        found = would(state, after, read=True)
        moves, glimpsed = Moves(staged=found, live=found), _same(would(state, after))
    tighter = all(change.key.order != "fixed" and change.key.at_least(change.old, change.new)
                  for change in proposal.changes) or _calms(before, after, proposal)  # fmt: skip
    breaker = int(after["auto_quarantine.max_moves"])
    return Reviewed(proposal, stamp, word, tighter, moves, breaker, tried, about, glimpsed)


def _word(before: Mapping[str, Json], after: Mapping[str, Json]) -> str:
    """The word that a weakening wants typed; "" when it is none of them."""
    if live(after) and not live(before):
        return GOES_LIVE
    if after["fail_mode"] == "open" and before["fail_mode"] != "open":
        return OPENS
    if set(after["rules.disabled"]) - set(before["rules.disabled"]):
        return SWITCHES_OFF
    return ""


def _calms(before: Mapping[str, Json], after: Mapping[str, Json], proposal: Proposal) -> bool:
    """Whether it does nothing but stop bk from moving things by itself."""
    names = {change.key.name for change in proposal.changes}
    return names <= set(config.APART) and live(before) and not live(after)


def still(session: Session, of: Reviewed) -> Callable[[], str]:
    """Asked every second while the question is open: whether the change is still about the same things."""
    moving = of.glimpsed if of.moves is not None and of.word == GOES_LIVE else None
    after = of.proposal.policy().values

    def asked() -> str:
        if config.on_disk(session.state) != of.stamp:
            return "config.toml was changed by somebody else meanwhile"
        if moving is not None and _same(would(session.state, after)) != moving:
            return "what would move is not the same any more"
        return ""

    return asked


def _same(found: Json) -> frozenset[tuple[str, str]]:
    return frozenset((each.incident.id, each.name) for each in found or () if each.what == MOVES)


class Review(Confirm):
    """The difference, what would move, what was tried; confirmed as its tier wants it."""

    BINDINGS: ClassVar = [
        Binding("down,pagedown", "look(1)", "further", priority=True),
        Binding("up,pageup", "look(-1)", "back", priority=True),
    ]

    def __init__(self, of: Reviewed, session: Session, *, opened_by: str) -> None:
        ask = Ask(
            f"review: {of.title}",
            "Save",
            EFFECTS.get(of.word, "This tightens; it can be changed back." if of.tighter else ""),
            tier=of.tier,
            phrase=of.word,
            opened_by=opened_by,
            still=still(session, of),
        )
        super().__init__(ask)
        self.of = of
        self._session = session

    def on_resize(self, event: events.Resize) -> None:  # type: ignore[override]
        """Another width, other lines; this text stands in the place of the plain one."""
        event.prevent_default()
        of, state = self.of, self._session.state
        text = Prose(min(WIDEST + 16, self.size.width) - 8)
        if self.ask.effect:
            text.add((self.ask.effect, "bold" if of.word else ""))
            text.gap()
        if of.moves is not None:
            list_moves(text, of.moves, lambda path: short(path, state.home))
            if of.word == GOES_LIVE:
                text.add((f"bk stops and asks after {plural(of.breaker, 'move')} in one run.", "$text-quiet"))
            text.gap()
        text.add((inert(f"{self._session.shown_root}/config.toml", 200), "$text-quiet"))
        for at, line in enumerate(inert_lines(of.proposal.diff, LINES_MAX)[2:]):
            if not line.startswith("@@"):
                text.add((line, TONES.get(line[:1], "$text-quiet")), indent=2)
            elif at:
                text.add(("…", "$text-faint"), indent=2)
        if len(of.proposal.changes) > 1:
            text.gap()
        for change in of.proposal.changes if len(of.proposal.changes) > 1 else ():
            was, new = (worded_as(change.key, value) for value in (change.old, change.new))
            text.add((f"{change.key.name}: ", "$text-quiet"), inert(f"{was} → {new}", 400))
        for note in of.proposal.notes:
            text.add((inert(note, 300), "$text-quiet"))
        if of.tried:
            text.gap()
            text.add((inert(of.tried, 300), "$text-quiet"))
        self.query_one("#ask-text", Static).update(text.content())

    def action_look(self, pages: int) -> None:
        """What does not fit."""
        facts = self.query_one("#ask-facts")
        facts.scroll_relative(y=pages * max(1, facts.size.height - 2), animate=False)


def named(staged: Mapping[str, Setting]) -> str:
    """What a what-if is about."""
    one = next(iter(staged.values())) if len(staged) == 1 else None
    return f"{one.name} {one.value.removesuffix(' *')}" if one is not None else plural(len(staged), "setting")
