"""Whether an alternative holds for the action it is about.

What must hold may be met anywhere in the call. What lets a call go may not: a condition on a command is asked of the
anchor alone, so is one on the kind of action that the anchor is, and one on any other kind must be true of every action
of that kind, so that something harmless beside something dangerous never switches a rule off.
"""

from __future__ import annotations

from bk.engine.model import Connect, Install, McpCall, Opaque, Run, Touch
from bk.engine.rules import globs
from bk.engine.rules.call import normal
from bk.engine.rules.match import MODES, matches, named, new_texts
from bk.engine.rules.modifiers import modified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Action, Json
    from bk.engine.rules.call import Call

# Conditions that, when they let a call go, are asked of the anchor alone.
OF_ANCHOR = frozenset(
    ("command", "match_base_command_not_in", "env", "secret_in", "pipeline_from", "obfuscated", "in_tool")
)
KINDS: dict[str, type[Action]] = {
    "connects_to": Connect,
    "requests": Connect,
    "installs": Install,
    "mcp": McpCall,
    "opaque": Opaque,
}
NOTHING = Opaque("call", "")


class Branch:
    """One alternative of a rule, ready to be asked; `exempt` is what its own `not`s and the rule's `unless` say."""

    __slots__ = ("agents", "anchor", "doubt", "exempt", "others", "rule", "tools")

    def __init__(self, rule: int, anchor: Json, others: Sequence[Json], exempt: Sequence[Json], head: Json) -> None:
        doubt, unless, self.tools, self.agents = head
        self.rule = rule
        self.doubt = bool(doubt)
        self.anchor = anchor
        self.others = others
        self.exempt = [*exempt, *unless]


def holds(branch: Branch, action: Action | None, call: Call, *, text: str | None = None) -> bool:
    """Whether the rest of an alternative holds once its anchor is found; `text` is what a regex matched."""
    for term in branch.others:
        if not _met(term, action, call, branch.doubt):
            return False
    return not any(exempt(tree, action, call, text) for tree in branch.exempt)


def _met(term: Json, anchor: Action | None, call: Call, doubt: bool) -> bool:
    """A further condition: any action may meet it, but pipes and contents are those of the anchor."""
    name = term[0]
    if name == "in_tool":
        return matches(term, NOTHING, call, doubt=doubt)
    if anchor is not None:
        if name == "pipeline_from":
            return matches(term, anchor, call, doubt=doubt)
        if name == "pipeline_to" and type(anchor) is Run:
            return any(
                named(term[1], run, doubt) and modified(term[2], run, call, doubt=doubt)
                for run in _fed_by(anchor, call)
            )
        if name == "content" and new_texts(anchor):
            return matches(term, anchor, call, doubt=doubt)
    return any(matches(term, action, call, doubt=doubt) for action in call.actions)


def _fed_by(anchor: Run, call: Call) -> list[Run]:
    """The commands into which data of this one flows."""
    origin = normal(anchor.program)
    return [
        action
        for action in call.actions
        if type(action) is Run
        and action is not anchor
        and any(take[:4] == "run:" and normal(take[4:]) == origin for take in action.takes)
    ]


def exempt(tree: Json, anchor: Action | None, call: Call, text: str | None) -> bool:
    """Whether a pattern of `not` or `unless` lets the anchor go."""
    kind = tree[0]
    if kind == "!":
        return not _concerns(tree[1], anchor, call, text)
    if kind == "&":
        return all(exempt(part, anchor, call, text) for part in tree[1])
    if kind == "|":
        return any(exempt(part, anchor, call, text) for part in tree[1])
    if kind == "/":
        own = text if text is not None else anchor.target if anchor is not None else ""
        return call.search(tree[1], tree[2], own)
    if kind in OF_ANCHOR:
        if anchor is None and kind != "in_tool":
            return False
        return matches(tree, anchor or NOTHING, call, doubt=False, strict=True)
    if kind == "pipeline_to":
        fed = _fed_by(anchor, call) if type(anchor) is Run else []
        return bool(fed) and all(
            named(tree[1], run, False) and modified(tree[2], run, call, doubt=False, strict=True) for run in fed
        )
    concerned = _of_kind(tree, call)
    if anchor is not None and any(action is anchor for action in concerned):
        concerned = [anchor]
    return bool(concerned) and all(matches(tree, action, call, doubt=False, strict=True) for action in concerned)


def _concerns(tree: Json, anchor: Action | None, call: Call, text: str | None) -> bool:
    """The inside of a `not` within an exemption: it keeps the rule in force, so doubt counts for it."""
    kind = tree[0]
    if kind == "!":
        return not exempt(tree[1], anchor, call, text)
    if kind == "&":
        return all(_concerns(part, anchor, call, text) for part in tree[1])
    if kind == "|":
        return any(_concerns(part, anchor, call, text) for part in tree[1])
    if kind == "/" or anchor is None:
        return exempt(tree, anchor, call, text)
    if kind in OF_ANCHOR:
        return matches(tree, anchor, call, doubt=True)
    return _met(tree, anchor, call, doubt=True)


def _of_kind(term: Json, call: Call) -> list[Action]:
    """The actions that a condition speaks of."""
    name = term[0]
    if name == "flows":
        return _of_kind(term[1][1], call)
    if name in MODES:
        mode = MODES[name]
        return [action for action in call.actions if type(action) is Touch and action.mode == mode]
    if name == "content":
        return [action for action in call.actions if new_texts(action)]
    if name == "command":
        return [action for action in call.actions if type(action) is Run and named(term[1], action, True)]
    kind = KINDS[name]
    return [action for action in call.actions if type(action) is kind]


def concerns_call(branch: Branch, call: Call) -> bool:
    """Whether a rule speaks of this tool and this agent at all."""
    tools, agents = branch.tools, branch.agents
    if not tools and not agents:
        return True
    given = call.facts.call
    if given is None:
        return False
    if tools and not (globs.any_matches(tools, given.tool.lower()) or globs.any_matches(tools, given.kind)):
        return False
    return not agents or globs.any_matches(agents, given.harness.lower())
