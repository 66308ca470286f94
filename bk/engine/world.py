"""One immutable view of everything a decision depends on, and the facts gathered from it for one call.

A call takes one World and keeps it to the end, so it never sees half of two configurations or two indexes.
"""

from __future__ import annotations

import os
import sys
import time

from bk.engine.checks.guarded import is_guarded
from bk.engine.config import snapshot
from bk.engine.errors import BkError, Refusal
from bk.engine.facts import Facts
from bk.engine.grants import store
from bk.engine.intel import bundle
from bk.engine.intel.index import Index
from bk.engine.intel.match import matches
from bk.engine.leads import Leads
from bk.engine.ledger.redact import redactor
from bk.engine.lists import lists
from bk.engine.look import seeing
from bk.engine.lower import Look
from bk.engine.model import Install, McpCall, Touch
from bk.engine.own import standing
from bk.engine.rulebook import store as rulebook
from bk.engine.rulebook.project import with_project
from bk.engine.trail.store import Trail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.config.policy import Policy
    from bk.engine.facts import Listed, Match, Origin
    from bk.engine.grants.grant import Grant
    from bk.engine.manifests import Shelf
    from bk.engine.model import Action, Json, ToolCall
    from bk.engine.own.standing import Standing
    from bk.engine.rulebook.book import InForce
    from bk.engine.state import State

MAX_PATHS = 256
MAX_DOCUMENT = 1 << 20


class World:
    """Policy, index and redaction of one moment. `failure` says why decisions cannot be made, when they cannot."""

    __slots__ = (
        "executables", "failure", "index", "index_path", "own", "policy", "redact", "rules", "shelf", "state", "trail",
    )  # fmt: skip

    def __init__(
        self,
        state: State,
        policy: Policy,
        index: Index | None,
        index_path: str,
        *,
        rules: InForce | None = None,
        failure: Refusal | None = None,
        own: Standing | None = None,
    ) -> None:
        self.state = state
        self.policy = policy
        self.index = index
        self.index_path = index_path
        self.rules = rules
        self.failure = failure
        self.own = own
        self.redact: Callable[[Json], Json] = redactor(policy.values["audit.redact_patterns"])
        self.executables = own_executables()
        self.trail = Trail(state)
        self.shelf: Shelf | None = None

    @classmethod
    def open(cls, state: State, *, resident: bool = False) -> World:
        """Read what is on disk now; a `resident` process also verifies anew what a call believes of this release.

        A compromised release, a broken index, or rules of which not even the built-in ones can be had, become
        `failure`; a policy that cannot be had at all raises.
        """
        policy = snapshot.read(state)
        own = _proven(state, policy) if resident else standing.read(state, policy.values)
        rules, failure = None, own.failure
        try:
            rules = rulebook.read(state, policy)
        except Refusal as refusal:
            failure = failure or refusal
        try:
            path = bundle.ensure(state)
            index = _with_overlay(state, Index.open(path))
            return cls(state, policy, index, path, rules=rules, failure=failure, own=own)
        except BkError as error:
            failure = failure or Refusal("index", str(error), error.next_step)
            return cls(state, policy, None, "", rules=rules, failure=failure, own=own)

    @property
    def generation(self) -> str:
        """The name of the index generation in force."""
        return os.path.basename(self.index_path)

    def policy_for(self, call: ToolCall) -> Policy:
        """The policy with what the call's project and environment tighten."""
        return snapshot.tightened(self.policy, call.cwd, call.home, call.claims)

    def rules_for(self, call: ToolCall, policy: Policy) -> InForce | None:
        """The rules with what the call's project adds to them."""
        if self.rules is None:
            return None
        return with_project(self.rules, self.state, policy, call.cwd, call.home)

    def grants(self) -> tuple[Grant, ...]:
        """The exceptions that people have made, as they are at this moment."""
        return store.live(self.state)

    def now_ms(self) -> int:
        """The wall clock, for expiries."""
        return time.time_ns() // 1_000_000

    def gather(self, call: ToolCall, actions: Sequence[Action], policy: Policy) -> Facts:
        """Look at the disk and the index once, so that checks need not."""
        leads = Leads()
        real: dict[str, str] = {}
        documents: dict[str, str | None] = {}
        known: dict[str, Sequence[Match]] = {}
        installs: list[Install] = []
        called: list[str] = []
        listing = False
        for action in actions:
            if isinstance(action, Touch):
                path = action.path
                if path not in real and len(real) < MAX_PATHS:
                    real[path] = leads.real(path)
                if action.mode != "read" and path not in documents:
                    for spelling in (path, real.get(path, path)):
                        if is_guarded(spelling, call.home, call.cwd):
                            documents[path] = _document(path)
                listing = listing or lists(action)
            elif isinstance(action, Install):
                installs.append(action)
                listing = listing or action.source == "manifest"
            elif isinstance(action, McpCall) and action.server:  # some clients do not say which one it is
                called.append(action.server)
        listed = self._listed(call, actions) if listing else None
        if listed is not None:
            installs += listed.installs
        for install in installs:
            if self.index is not None and install.source not in ("manifest", "index"):
                told = matches(self.index, install)  # a lock and a command may say the same words and mean more or less
                if told or install.target not in known:
                    known[install.target] = told
        hit = [install for install in installs if known.get(install.target)]
        if any(path != leads for path, leads in real.items()):
            real.setdefault(call.cwd, leads.real(call.cwd))  # a project behind a link is still the project
        return Facts(
            home=call.home,
            cwd=call.cwd,
            state_root=self.state.root,
            policy=policy.values,
            real=real,
            documents=documents,
            matches=known,
            executables=self.executables,
            now_ms=self.now_ms(),
            call=call,
            rules=self.rules_for(call, policy),
            packages=self._releases(installs, policy) if installs else None,
            servers=self._servers(call, called) if called else None,
            listed=listed,
            origins=self._origins(call, actions, hit, listed, policy) if hit else None,
            catalog=self._catalog(policy) if installs else None,
        )

    def look(self, call: ToolCall) -> Look:
        """What lowering may see of this machine for a call."""
        return seeing(call, self.trail.of(call))

    def _listed(self, call: ToolCall, actions: Sequence[Action]) -> Listed:
        """What manifests and lock files would install; only for a call that installs from them or writes them."""
        from bk.engine.manifests import expand
        from bk.engine.written import added

        listed = expand(call, actions, self)
        for action in actions:
            if type(action) is Touch and lists(action):
                added(action, call, self, listed)
        return listed

    def _releases(self, installs: Sequence[Install], policy: Policy) -> dict[str, dict[str, Json]]:
        """What is known of releases beside threats; most calls install nothing and never get here."""
        from bk.engine.intel.releases import known

        return known(self.state, policy.values, installs, self.now_ms())

    def _origins(
        self,
        call: ToolCall,
        actions: Sequence[Action],
        hit: Sequence[Install],
        listed: Listed | None,
        policy: Policy,
    ) -> dict[str, Origin]:
        """From which other registry a listed package would come; only for a call that installs something listed."""
        from bk.engine.registries import origins

        return origins(call, actions, installs=hit, listed=listed, state=self.state, policy=policy.values)

    def _catalog(self, policy: Policy) -> dict[str, Json]:
        """How old the threat catalogs are and who is in them; only for a call that installs something."""
        from bk.engine.intel.freshness import told

        return told(self.state, self.index, policy.values, self.now_ms())

    def _servers(self, call: ToolCall, called: Sequence[str]) -> dict[str, dict[str, str]]:
        """Who the called servers are, by the settings of the client, and who they were when they were first used."""
        from bk.engine.servers import known

        return known(self.state, call, called)


def _proven(state: State, policy: Policy) -> Standing:
    """How this release stands, by its signatures and not by what was concluded from them before."""
    if not standing.Build(policy.values).key:
        return standing.Standing(standing.UNKEYED)
    from bk.engine.own.verify import prove

    return prove(state, policy.values)


def _with_overlay(state: State, generation: Index) -> Index:
    """The generation, and this machine's own entries where there are any."""
    if not os.path.lexists(f"{state.intel}/overlay.facts"):
        return generation
    from bk.engine.intel.overlay import layered

    return layered(state, generation)


def own_executables() -> tuple[str, ...]:
    """The files and folders whose alteration would change or remove this guard."""
    beside = os.path.dirname(sys.executable)
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    names = ("bk", "bk-hook", "bk-hook-python")
    return (*(f"{beside}/{name}" for name in names), package)


def _document(path: str) -> str | None:
    """The present text of a guarded file: None when there is none; unreadable or huge counts as unknown text."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_DOCUMENT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return "\x00unreadable"
    return "\x00too large" if len(data) > MAX_DOCUMENT else data.decode(errors="replace")
