"""What happened and what it turned out to be: evidence then and now side by side, a person's label, own entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from bk.engine.console import corpus, overlay
from bk.engine.console.corpus import Shown
from bk.engine.console.overlay import OverlayEntry
from bk.engine.console.review import Matter, Review, label_that_counts, review
from bk.engine.errors import BkError
from bk.tui.actions import ADMIN, LISTS, REVERSIBLE, Action
from bk.tui.prose import Explanation
from bk.tui.screens import corpus_deeds as deeds
from bk.tui.screens.corpus_label import Labelling, Said
from bk.tui.screens.corpus_words import (
    entry_columns,
    explain_entry,
    explain_now,
    explain_then,
    matter_columns,
    summary,
)
from bk.tui.screens.listing import Listing
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.filterbar import FilterBar
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.notice import Notice
from bk.tui.widgets.rows import ListRows

SETTLE_SECONDS = 0.08
MATTERS, ENTRIES = "matters", "entries"
NOUNS = {MATTERS: ("matter", "matters"), ENTRIES: ("own entry", "own entries")}


class Found(NamedTuple):
    """What was gathered."""

    review: Review
    entries: list[OverlayEntry]


class CorpusScreen(Listing):
    """Matters, the ones that wait for a word first; of the selected one what was known then, beside what is now."""

    NAME = "corpus"
    FILTER_HINT = "outcome:unresolved npm words"
    PURPOSE = (
        "What happened here and what it turned out to be: on the left what was known when it was decided, on the right "
        "what is known now.",
        "A person's label outweighs every automatic one. It is one new entry, deletes nothing, and can be taken back.",
    )
    ACTIONS: ClassVar = (
        Action("corpus.malicious", "malicious", "m", "Say that it was an attack.", gate=ADMIN, tier=REVERSIBLE),
        Action("corpus.benign", "benign", "b", "Say that it was harmless.", gate=ADMIN, tier=REVERSIBLE),
        Action("corpus.policy", "policy right", "c", "Say that it was harmless, and rightly answered as it was.",
               gate=ADMIN, tier=REVERSIBLE),
        Action("corpus.take_back", "take back", "U", "Take the label back that counts now.", gate=ADMIN,
               tier=REVERSIBLE),
        Action("corpus.revoke", "revoke", "x", "End this entry now.", gate=ADMIN, tier=REVERSIBLE),
        Action("list.open", "explain", "enter", "Everything about the selected one, on the whole screen."),
        Action("corpus.ended", "ended too", "a", "Show entries that ended, too; again hides them."),
        Action("corpus.entries", "own entries", "o", "This machine's own entries on packages, and back."),
        Action("corpus.adjudicate", "adjudicate", "J", "Have the engine judge now, with the catalogs in force.",
               gate=ADMIN, bar=False),
        *LISTS,
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._view = MATTERS
        self._shown_of: dict[str, Shown | BkError] = {}
        self._sought = ""
        self._latest: Found | None = None
        self._every = False

    def body(self) -> ComposeResult:
        """A line of figures, the list in view, then and now."""
        self._matters: ListRows[Matter] = ListRows(key=lambda one: one.event.cluster, record=lambda one: one.told())
        self._entries: ListRows[OverlayEntry] = ListRows(key=lambda row: row.id, record=lambda row: row.told())
        yield Static(id="figures")
        with Vertical(id="review"):
            yield LineList(matter_columns(self.session.now), self._matters, id=MATTERS)
            yield LineList(entry_columns(self.session.now), self._entries, id=ENTRIES)
            with Horizontal(id="evidence"):
                yield Detail("when it was decided", id="then")
                yield Detail("now", id="now")

    def on_mount(self) -> None:
        """The matters first."""
        self._turn_to(MATTERS)

    @property
    def main(self) -> LineList:
        """The list in view."""
        return self.query_one(f"#{self._view}", LineList)

    @property
    def NOUN(self) -> tuple[str, str]:  # type: ignore[override]  # noqa: N802 - the name that lists have for it
        """What is counted in this view."""
        return NOUNS[self._view]

    def focus_main(self) -> None:
        """The list in view."""
        self.set_focus(self.main)

    def gather(self, wanted: Callable[[], bool]) -> Any:
        """The newest matters, and this machine's own entries."""
        env = self.session.env
        return Found(review(wanted, env), overlay.rows(every=self._every, env=env))

    def show(self, found: Any) -> None:
        """Both lists; what was looked up before may be otherwise now."""
        self._latest = found
        self._shown_of.clear()
        self._sought = ""
        self._matters.replace(found.review.matters)
        self._entries.replace(found.entries)
        if not self._matters.total and not self._entries.total:
            self.settle(self._nothing(enabled=found.review.enabled))
            return
        self.settle(None)
        for name, empty in (
            (MATTERS, ("Nothing is in the corpus yet.", "o goes to this machine's own entries.")),
            (ENTRIES, ("This machine has no entry of its own in force.",
                       "A label of malicious makes one, and so does: bk overlay add")),
        ):  # fmt: skip
            listed = self.query_one(f"#{name}", LineList)
            listed.when_empty = () if listed.rows.count() else empty
            listed.replaced()
        self._draw_figures()
        self.tell_shown()

    def on_resize(self, _event: events.Resize) -> None:
        """Another width, other figures."""
        self._draw_figures()

    def tell_shown(self) -> None:
        """How many, and whether older ones are left out."""
        super().tell_shown()
        if self._latest is not None and self._latest.review.more and self._view == MATTERS:
            self.status.told += ", the newest: bk corpus list has all"

    # what is selected

    @property
    def matter(self) -> Matter | None:
        """The selected matter."""
        found = self.main.selected if self.is_mounted and self.query(LineList) else None
        return found if isinstance(found, Matter) else None

    @property
    def entry(self) -> OverlayEntry | None:
        """The selected own entry."""
        found = self.main.selected if self.is_mounted and self.query(LineList) else None
        return found if isinstance(found, OverlayEntry) else None

    def explained(self) -> tuple[object, Explanation] | None:
        """Then and now, one under the other, for the whole screen."""
        now, one, row = self.session.now(), self.matter, self.entry
        if row is not None:
            return row.id, lambda width: explain_entry(row, now, width)
        if one is None:
            return None
        return one.event.cluster, self._both(one)

    def tell_selected(self) -> None:
        """Each side its own text; the right one is looked up once somebody stays on it."""
        then, beside = self.query_one("#then", Detail), self.query_one("#now", Detail)
        now, one, row = self.session.now(), self.matter, self.entry
        beside.display = one is not None
        then.border_title = "explained" if row is not None else "when it was decided"
        if row is not None:
            then.explain(row.id, lambda width: explain_entry(row, now, width))
        elif one is not None:
            key, shown = one.event.cluster, self._known(one)
            if self.has_class("-narrow"):
                beside.display = False
                then.explain(key, self._both(one))
            else:
                then.explain(key, lambda width: explain_then(one, now, width))
                beside.explain(key, lambda width: explain_now(one, shown, now, width))
            if key not in self._shown_of:
                self.set_timer(SETTLE_SECONDS, self._look)
        else:
            then.explain("")
        self.refresh_keys()

    def record(self) -> Mapping[str, Any] | None:
        """The whole of it, as far as it is known."""
        one, row = self.matter, self.entry
        if row is not None:
            return row.told()
        shown = self._known(one) if one is not None else None
        return shown.told() if shown is not None else one.told() if one is not None else None

    def why_not(self, ident: str) -> str | None:
        """Only what fits the view."""
        one, row, what = self.matter, self.entry, ident.rpartition(".")[2]
        if what in ("malicious", "benign", "policy"):
            return "" if one is not None else None
        if what == "take_back":
            return "" if one is not None and one.said_by else None
        if what == "revoke":
            return "" if row is not None and row.state == "active" else None
        if what == "ended":
            return "" if self._view == ENTRIES else None
        return ""

    # what keys do

    def do_open(self) -> None:
        """On the whole screen."""
        self.main.action_open()

    def do_malicious(self) -> None:
        """It was an attack."""
        self._ask_label("malicious", "m")

    def do_benign(self) -> None:
        """It was harmless."""
        self._ask_label("benign", "b")

    def do_policy(self) -> None:
        """It was harmless, and rightly answered."""
        self._ask_label("policy_correct", "c")

    def do_entries(self) -> None:
        """To the own entries, and back."""
        self._turn_to(ENTRIES if self._view == MATTERS else MATTERS)
        self.tell_shown()
        self.tell_selected()

    def do_ended(self) -> None:
        """Entries that ended, too."""
        self._every = not self._every
        self.say("entries that ended are shown too" if self._every else "only entries in force are shown")
        self.reload()

    def do_back(self) -> None:
        """Clear the filter, then back to the matters."""
        if not self.query_one(FilterBar).applied and self._view == ENTRIES:
            self.do_entries()
            return
        super().do_back()

    def do_adjudicate(self) -> None:
        """Judge now."""
        self.perform("adjudicating", partial(deeds.adjudicate, self.session))

    def do_revoke(self) -> None:
        """End an own entry."""
        row, session = self.entry, self.session
        if row is not None:
            revoke = partial(deeds.revoke, session, row)
            ask = deeds.ask_revoke(session, row)
            self.confirm(ask, lambda answer: self.perform("revoking", partial(revoke, answer.reason)))

    def do_take_back(self) -> None:
        """The label that counts now."""
        one, session = self.matter, self.session
        shown = self._known(one) if one is not None else None
        given = label_that_counts(shown) if shown is not None else None
        if one is None or given is None:
            self.say("wait a moment: its labels are being looked up", severity="warning")
            return
        back = partial(deeds.take_back, session, one, given.id)
        ask = deeds.ask_take_back(session, one, given)
        self.confirm(ask, lambda answer: self.perform("taking the label back", partial(back, answer.reason)))

    # inside

    def _known(self, one: Matter) -> Shown | None:
        known = self._shown_of.get(one.event.cluster)
        return known if isinstance(known, Shown) else None

    def _both(self, one: Matter) -> Explanation:
        """Then and now, one under the other."""
        now, shown = self.session.now(), self._known(one)

        def both(width: int) -> Content:
            heads = [Content.assemble((title, "bold $primary")) for title in ("when it was decided", "now")]
            gap = Content("")
            parts = [heads[0], gap, explain_then(one, now, width), gap, heads[1], gap]
            return Content("\n").join([*parts, explain_now(one, shown, now, width)])

        return both

    def _ask_label(self, first: str, key: str) -> None:
        one = self.matter
        if one is None:
            return

        def answered(said: Any) -> None:
            if isinstance(said, Said):
                self._label(one, said)
            else:
                self.say("cancelled: nothing was done")

        self.app.push_screen(Labelling(one, first, opened_by=key), answered)

    def _label(self, one: Matter, said: Said) -> None:
        session = self.session
        self.perform("labelling", lambda: deeds.label(session, one, said), undo=True)

    def _look(self) -> None:
        one = self.matter
        if one is None or one.event.cluster in {*self._shown_of, self._sought} or self.app.current_mode != self.NAME:
            return
        self._sought = one.event.cluster

        def look() -> None:
            worker = get_current_worker()
            found: Shown | BkError
            try:
                found = corpus.show(one.event.id, self.session.env)
            except BkError as error:
                found = error
            if not worker.is_cancelled:
                self.app.call_from_thread(self._looked, one.event.cluster, found)

        self.run_worker(look, thread=True, group="look", exclusive=True, exit_on_error=False)

    def _looked(self, cluster: str, found: Shown | BkError) -> None:
        self._shown_of[cluster] = found
        if isinstance(found, BkError):
            self.board.trouble(found)
        if self.matter is not None and self.matter.event.cluster == cluster:
            self.tell_selected()

    def _turn_to(self, view: str) -> None:
        for bar in self.query(FilterBar):
            if bar.applied:
                bar.clear_filter()
        self._view = view
        for each in self.query(LineList):
            each.display = each.id == view
        self.set_focus(self.main)

    def _draw_figures(self) -> None:
        found, width = self._latest, self.size.width - 2
        if found is not None and width > 0:
            waiting = sum(one.waits for one in found.review.matters)
            own = sum(row.state == "active" for row in found.entries)
            self.query_one("#figures", Static).update(summary(found.review.outcomes, waiting, own, width))

    def _nothing(self, *, enabled: bool) -> Notice:
        if not enabled:
            why = "corpus.enabled is false: what happens is decided and recorded, but not kept for review."
            step = ("Switch it on:", "bk config set corpus.enabled true --admin")
            return Notice("empty", "The corpus is switched off.", why, [step])
        why = "Calls that were stopped or warned about, and installs of packages, come here with their evidence."
        steps = (("Try a call by hand, in another terminal:", "bk check --tool Bash --args 'npm install left-pad'"),)
        return Notice("empty", "Nothing has happened yet that needs a review.", why, steps)
