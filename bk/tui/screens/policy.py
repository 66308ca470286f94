"""What is enforced and where it came from: packs, own rules, exceptions, trust; and a field to try a command."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from bk.engine.console import config, grants, hits, rules
from bk.engine.console.config import Proposal
from bk.engine.console.grants import Row as Exempt
from bk.engine.console.hits import Hits
from bk.engine.console.session import short
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.actions import ADMIN, LISTS, REVERSIBLE, TIGHTENS, Action
from bk.tui.prose import Explanation
from bk.tui.screens.config_review import Review, Reviewed, look
from bk.tui.screens.config_whatif import WhatIf
from bk.tui.screens.confirm import Answer, Ask
from bk.tui.screens.listing import Listing
from bk.tui.screens.policy_rows import BUILT_IN, HITS, IN_FORCE, Line, columns, explain, passes
from bk.tui.screens.policy_try import Try, TryInput, answered
from bk.tui.widgets.detail import Detail
from bk.tui.widgets.lines import LineList
from bk.tui.widgets.rows import ListRows
from bk.tui.words import plural

Json = Any
OFF = "rules.disabled"
COUNT_AGAIN = 60.0


class Looked(NamedTuple):
    """What the engine says, asked at once."""

    lines: tuple[Line, ...]
    problems: tuple[str, ...]
    off: tuple[str, ...]
    profile: str


class PolicyScreen(Listing):
    """Exceptions first, then rules of one's own, then bk's; the text and the examples of the one that is selected."""

    NAME = "policy"
    NOUN = ("rule and exception", "rules and exceptions")
    FILTER_HINT = "level:block pack:git from:user state:off words"
    PURPOSE = (
        "Every rule that calls are held against, where it came from, and what a person let pass all the same.",
        "Type a command at the top to see what bk would say to it, and why: nothing is run, nothing is recorded.",
    )
    ACTIONS: ClassVar = (
        Action("list.open", "read", "enter", "The rule with its text and examples, on the whole screen."),
        Action("policy.try", "try", "x", "Type a command and see what bk would say to it."),
        Action("policy.whatif", "what if", "w", "Replay the last days with this rule switched off, or on again."),
        Action("policy.calls", "its calls", "h", "The calls that this rule spoke up about, in Activity.", bar=False),
        Action("policy.switch", "off / on", "o", "Switch a rule off, or on again, for every call from now on.",
               gate=ADMIN, tier=REVERSIBLE),
        Action("policy.revoke", "end it", "R", "End an exception or a trust now.", gate=ADMIN, tier=TIGHTENS),
        *LISTS,
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._looked: Looked | None = None
        self._cwd = os.getcwd()
        self._hits: Hits | None = None
        self._counted = float("-inf")

    def body(self) -> ComposeResult:
        """The field, what is wrong, the list and the explanation."""
        self._rows: ListRows[Line] = ListRows(key=lambda one: one.ident, record=lambda one: one.told())
        yield Try(self.session, self._cwd)
        yield Static(id="wrong")
        with Horizontal(id="panes"):
            yield LineList(columns(lambda: self._hits), self._rows, id="lines")
            yield Detail()

    def gather(self, wanted: Callable[[], bool]) -> Any:  # noqa: ARG002 - short queries
        """Rules with the present folder's, and every exception that still counts."""
        found = rules.listing_in(self.session.state, self._cwd)
        exempts = grants.rows(self.session.env, kinds=("allow", "once", "trust"))
        lines = [Line(exempt=each) for each in exempts if each.state == IN_FORCE]
        own = [Line(rule) for rule in found.rows if rule["layer"] != BUILT_IN]
        built_in = [Line(rule) for rule in found.rows if rule["layer"] == BUILT_IN]
        off = tuple(map(str, config.get(self.session.state, OFF).value))
        return Looked((*lines, *own, *built_in), (*found.problems, *found.notes), off, found.profile)

    def show(self, found: Looked) -> None:
        """The list, and what is wrong with its files."""
        self._looked = found
        self._rows.replace(found.lines)
        self.main.replaced()
        line = self.query_one("#wrong", Static)
        root, width = self.session.state.root, max(20, self.size.width - 2)
        said = [inert(f"~ {each.replace(root, self.session.shown_root)}", width) for each in found.problems[:3]]
        line.update(Content("\n").join(map(Content, said)))
        line.set_class(bool(said), "-shown")
        self.tell_shown()
        if time.monotonic() - self._counted > COUNT_AGAIN:
            self._counted = time.monotonic()
            self._count()

    @work(thread=True, group="hits", exclusive=True, exit_on_error=False)
    def _count(self) -> None:
        """How often each rule spoke up lately, while the list is there already."""
        worker = get_current_worker()
        try:
            found = hits.hits(self.session.state, self.session.now(), lambda: not worker.is_cancelled)
        except BkError as error:
            if not worker.is_cancelled:
                self.app.call_from_thread(self.board.trouble, error)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._have_counted, found)

    def _have_counted(self, found: Hits) -> None:
        self._hits = found
        if self.main.sorted_by == HITS:
            self._rows.replace(self._rows.every())
            self.main.replaced()
        self.main.refresh()
        self.tell_selected()

    def tell_shown(self) -> None:
        """How many, how many of them are off, and which profile holds."""
        super().tell_shown()
        if self._looked is None or self.status.filter:
            return
        every = self._looked.lines
        off = sum(one.rule is not None and one.state != IN_FORCE for one in every)
        passing = sum(one.rule is None for one in every)
        said = [plural(sum(one.rule is not None for one in every), "rule"), f"{off} off"]
        said += [plural(passing, "exception")] if passing else []
        self.status.told = " · ".join([*said, f"profile {inert(self._looked.profile, 20)}"])

    @property
    def line(self) -> Line | None:
        """What is selected."""
        return self.main.selected if self.query(LineList) else None

    def explained(self) -> tuple[object, Explanation] | None:
        """All about it."""
        one = self.line
        if one is None or self._looked is None:
            return None
        exempts: list[Exempt] = [each.exempt for each in self._looked.lines if each.exempt is not None]
        now, state = self.session.now(), self.session.state
        return one.ident, lambda width: explain(
            one, exempts, width, now, lambda path: short(path, state.home), self._hits
        ).content()

    def why_not(self, ident: str) -> str | None:
        """Rules are switched, exceptions are ended."""
        what, one = ident.rpartition(".")[2], self.line
        if what == "calls":
            return "" if one is not None and one.rule is not None else None
        if what in ("whatif", "switch"):
            return self._not_switched(one)
        if what == "revoke":
            return "" if one is not None and one.rule is None else None
        return ""

    def _not_switched(self, one: Line | None) -> str | None:
        if one is None or one.rule is None or self._looked is None:
            return None
        if one.state == IN_FORCE:
            return ""
        if one.ident not in self._looked.off:
            return f"{one.ident} is off by a pattern, a profile or config.local.toml: change {OFF} in Config"
        return ""

    def do_calls(self) -> None:
        """Activity, with the filter that shows them."""
        if self.line is not None:
            self.board.show_calls(f"rule:{self.line.ident}")

    # try

    def do_try(self) -> None:
        """Type a command."""
        self.query_one(Try).open()

    @on(TryInput.Left)
    def _try_left(self) -> None:
        self.focus_main()

    @on(Try.Asked)
    def _try_asked(self) -> None:
        """The answer to what is typed now, whole."""
        box, command = self.query_one(Try), self.query_one(Try).command

        def judge() -> None:
            worker = get_current_worker()
            try:
                answer = box.judged(command)
            except BkError as error:
                self.app.call_from_thread(self.board.trouble, error)
            else:
                if not worker.is_cancelled:
                    self.app.call_from_thread(self.open_page, "why", answered(answer, command))

        self.run_worker(judge, thread=True, group="try", exclusive=True, exit_on_error=False)

    # change

    def do_open(self) -> None:
        """On the whole screen."""
        self.main.action_open()

    def _propose(self, one: Line) -> Proposal:
        state = self.session.state
        if one.state == IN_FORCE:
            return config.propose_add(state, OFF, one.ident)
        return config.propose_remove(state, OFF, one.ident)

    def do_whatif(self) -> None:
        """What switching it would have meant."""
        one = self.line
        if one is not None:
            word = "off" if one.state == IN_FORCE else "on again"
            self.app.push_screen(WhatIf(f"what if {one.ident} were {word}", self.session, lambda: self._propose(one)))

    def do_switch(self) -> None:
        """Have the change looked at, then ask."""
        one = self.line
        if one is None:
            return

        def prepare() -> None:
            worker = get_current_worker()
            looked: Reviewed | BkError
            try:
                word = "off" if one.state == IN_FORCE else "on again"
                looked = look(self.session, lambda: self._propose(one), about=f"{one.ident} {word}")
            except BkError as error:
                looked = error
            if not worker.is_cancelled:
                self.app.call_from_thread(self._ask, one, looked)

        self.run_worker(prepare, thread=True, group="review", exclusive=True, exit_on_error=False)

    def _ask(self, one: Line, looked: Reviewed | BkError) -> None:
        if isinstance(looked, BkError):
            self.board.trouble(looked)
            return
        session, word = self.session, "off" if one.state == IN_FORCE else "on again"

        def deed() -> str:
            seq = looked.proposal.make(admin=session.admin, actor=f"person:{os.getuid()}")
            return f"{one.ident} is {word}: entry #{seq:,}"

        def answered_by(answer: object) -> None:
            if answer is None:
                self.say("cancelled: nothing was done")
            elif not self.board.gate.open:
                self.say(self.board.gate.sentence, severity="warning")
            else:
                self.perform(f"switching {one.ident} {word}", deed)

        self.app.push_screen(Review(looked, session, opened_by="o"), answered_by)

    def do_revoke(self) -> None:
        """End what lets calls pass."""
        one = self.line
        if one is None or one.rule is not None:
            return
        session, ident = self.session, one.ident

        def deed() -> str:
            grants.revoke(ident, admin=session.admin, env=session.env)
            kept = [each for each in grants.rows(session.env, kinds=("allow", "once", "trust"))
                    if each.grant.ident == ident and each.state == IN_FORCE]  # fmt: skip
            if kept:
                raise BkError("it was not ended", ident, "bk allow list")
            return f"{ident} is ended"

        def answered_by(_answer: Answer) -> None:
            self.perform(f"ending {ident}", deed)

        ask = Ask(
            f"end {ident}",
            "End it",
            "From the next call on it lets nothing pass any more.",
            [("it is", passes(one.grant)), ("reason", one.grant.reason or "none was given")],
            tier=TIGHTENS,
            opened_by="R",
        )
        self.confirm(ask, answered_by)
