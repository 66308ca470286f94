"""A change that nobody has made yet, and the two Worlds that calls are held against: without it and with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bk.engine.config.edit import Draft
from bk.engine.config.layers import parse
from bk.engine.config.policy import SYSTEM, Policy
from bk.engine.config.snapshot import tightened
from bk.engine.console.rules import given
from bk.engine.errors import USAGE, BkError
from bk.engine.rulebook.book import InForce
from bk.engine.rulebook.layers import Source, gather, sentence
from bk.engine.rulebook.making import lists_of
from bk.engine.rulebook.places import SUFFIX, USER, user_folder
from bk.engine.rulebook.project import with_project
from bk.engine.rules.book import Rulebook
from bk.engine.rules.compile import compiled
from bk.engine.rules.errors import RuleErrors
from bk.engine.state import State
from bk.engine.trail.store import Tracks, Trail
from bk.engine.world import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.console.config import Proposal as Change
    from bk.engine.grants.grant import Grant
    from bk.engine.model import Json, ToolCall


class Proposal:
    """Settings and rules that are proposed. Both None and none: what holds now."""

    __slots__ = ("policy", "sources")

    def __init__(self, policy: Policy | None = None, sources: Sequence[Source] = ()) -> None:
        self.policy = policy
        self.sources = tuple(sources)

    def __bool__(self) -> bool:
        return self.policy is not None or bool(self.sources)

    @classmethod
    def of(
        cls,
        state: State,
        *,
        config: str | None = None,
        named: str = "the proposed settings",
        files: Sequence[str] = (),
        texts: Mapping[str, str] | None = None,
        system: str = SYSTEM,
    ) -> Proposal:
        """From a text of settings, rule files by path, and rule texts by pack; BkError names what is wrong."""
        policy = None
        if config is not None:
            _valid(config, named)
            draft = Draft(state, system)
            draft.replace(config)
            policy = draft.policy()
        found = given(files)
        sources = list(found.sources)
        wrong = [sentence(fault) for _, _, fault in found.faults]
        for pack, text in (texts or {}).items():
            try:
                sources.append(Source(USER, f"{user_folder(state)}/{pack}{SUFFIX}", text))
            except RuleErrors as error:
                wrong.append(sentence(error))
        if wrong:
            raise BkError(
                "a proposed rule is wrong", "\n".join(wrong[:12]), "`bk rules lint FILE` shows the places", code=USAGE
            )
        return cls(policy, sources)

    @classmethod
    def of_change(cls, change: Change) -> Proposal:
        """From a change of settings that has not been made."""
        return cls(change.policy())


def _valid(text: str, named: str) -> None:
    """What is wrong is told of the proposal, not of the file in force, whose place it would take."""
    try:
        parse(text, named)
    except BkError as error:
        raise BkError("the proposed settings are not valid", error.detail, f"correct {named}", code=USAGE) from error


class Replaying(World):
    """A World in which calls that were recorded are judged again: its clock and its trail are those of the call."""

    __slots__ = ("_at", "_grants")

    def __init__(self, base: World, policy: Policy, rules: InForce | None) -> None:
        super().__init__(
            base.state, policy, base.index, base.index_path, rules=rules, failure=base.failure, own=base.own
        )
        self._at = 0
        self._grants = base.grants()
        self.trail: Trail = _Recall(base.state)

    def at(self, at_ms: int, tracks: Mapping[str, tuple[str, ...]]) -> Replaying:
        """This World at the moment of one call."""
        self._at = at_ms
        assert isinstance(self.trail, _Recall)
        self.trail.recalled = tracks
        return self

    def policy_for(self, call: ToolCall) -> Policy:
        """The policy with what the call's project and claims tighten."""
        return tightened(self.policy, call.cwd, call.home, call.claims)

    def rules_for(self, call: ToolCall, policy: Policy) -> InForce | None:
        """The rules with the project's; what is compiled here is not left behind."""
        if self.rules is None:
            return None
        return with_project(self.rules, self.state, policy, call.cwd, call.home, keep=False)

    def grants(self) -> tuple[Grant, ...]:
        """The exceptions of now: read once, not for every call."""
        return self._grants

    def now_ms(self) -> int:
        """When the call was made."""
        return self._at


class _Recall(Trail):
    """A trail that answers what it answered then."""

    __slots__ = ("recalled",)

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.recalled: Mapping[str, tuple[str, ...]] = {}

    def of(self, call: ToolCall) -> Tracks:
        """What an entry says that the trail answered."""
        tracks = Tracks(self, call)
        tracks._loaded = True
        for path, takes in self.recalled.items():
            dict.__setitem__(tracks, path, takes)
        return tracks


def recalled(told: Json) -> dict[str, tuple[str, ...]]:
    """The trail's answers in an entry."""
    if not isinstance(told, dict):
        return {}
    return {path: tuple(map(str, takes)) for path, takes in told.items() if isinstance(takes, list)}


def replaying(state: State, proposal: Proposal) -> tuple[Replaying | None, Replaying]:
    """The World as it is and as it would be; without a proposal only the first of them, in the second place."""
    base = World.open(state)
    if base.failure is not None:
        raise BkError("nothing can be replayed", base.failure.detail or base.failure.cause, base.failure.next_step)
    standing = Replaying(base, base.policy, base.rules)
    if not proposal:
        return None, standing
    policy = proposal.policy or base.policy
    return standing, Replaying(base, policy, _rules(state, policy, proposal.sources, base.rules))


def _rules(state: State, policy: Policy, sources: Sequence[Source], held: InForce | None) -> InForce:
    """Every layer's rules under a policy, proposed files in the place of those with the same pack."""
    found = gather(state).right()
    packs = {**found.packs(), **{source.pack: source.rules for source in sources}}
    try:
        book = compiled(packs, lists_of(policy), policy.values["rules.disabled"], policy.values["rules.profile"])
    except RuleErrors as wrong:
        raise BkError(
            "the rules would be wrong", str(wrong), "`bk rules lint FILE` shows the places", code=USAGE
        ) from wrong
    return InForce([Rulebook.load(book)], held.problems if held is not None else ())
