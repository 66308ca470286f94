"""One tool call to one verdict: lower, check, judge. Everything else in the project serves or uses this page."""

from __future__ import annotations

from bk.engine.checks import CHECKS
from bk.engine.errors import Refusal
from bk.engine.grants.grant import granted
from bk.engine.judge import judge
from bk.engine.look import lowered
from bk.engine.model import Finding, Level, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.config.policy import Policy
    from bk.engine.look import Lowered
    from bk.engine.model import Action, ToolCall
    from bk.engine.world import World

TRAIL_LOST = "trail/unavailable"
FAIL_LEVELS = {"closed": Level.BLOCK, "warn": Level.WARN, "open": Level.ALLOW}


class Judgement:
    """A verdict with what it rests on: the actions understood, the policy applied, one-time grants it would spend."""

    __slots__ = ("actions", "policy", "seen", "spends", "verdict")

    def __init__(
        self,
        verdict: Verdict,
        actions: Sequence[Action],
        policy: Policy,
        spends: tuple[str, ...] = (),
        seen: Lowered | None = None,
    ) -> None:
        self.seen = seen
        self.spends = spends
        self.verdict = verdict
        self.actions = actions
        self.policy = policy

    def with_verdict(self, verdict: Verdict) -> Judgement:
        """The same judgement with another verdict."""
        return Judgement(verdict, self.actions, self.policy, self.spends, self.seen)


def decide(call: ToolCall, world: World, *, once: bool = True) -> Judgement:
    """Judge a call. Never raises for what the call contains: what cannot be decided is answered by `fail_mode`.

    `once` is False when one-time grants are not to count.
    """
    policy = world.policy_for(call)
    if world.failure is not None:
        return Judgement(failed(world.failure, policy), (), policy)
    try:
        too_deep = _depth(call, policy)
        seen = lowered(call, world.trail.of(call))
        actions = seen.actions
        facts = seen.facts = world.gather(call, actions, policy)
        findings = [finding for check in CHECKS for finding in check(actions, facts)]
        seen.looked += facts.listed.looked
        if seen.trail.trouble:
            findings.append(trail_lost(seen.trail.trouble))
    except Refusal as refusal:
        return Judgement(failed(refusal, policy), (), policy)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with us must not let a call through
        defect = Refusal("internal", f"deciding failed: {type(error).__name__}: {error}", "run `bk diag`")
        return Judgement(failed(defect, policy), (), policy)
    verdict = judge([*too_deep, *findings])
    if verdict.level > Level.ALLOW:
        grants = [grant for grant in world.grants() if once or grant.kind != "once"]
        if grants:
            told, spends = granted(verdict.findings, grants, call, world.now_ms())
            return Judgement(judge(told), actions, policy, spends, seen)
    return Judgement(verdict, actions, policy, seen=seen)


def failed(refusal: Refusal, policy: Policy | None) -> Verdict:
    """The verdict when there was nothing to decide on: a block, unless the user chose another `fail_mode`."""
    mode = policy.values["fail_mode"] if policy is not None else "closed"
    if refusal.cause == "self":  # a release that may be compromised cannot be told to go on
        mode = "closed"
    level = FAIL_LEVELS.get(mode, Level.BLOCK)
    relaxed = "" if level is Level.BLOCK else f" (let through: fail_mode is {mode})"
    finding = Finding(
        f"failure/{refusal.cause}",
        level,
        (refusal.detail or refusal.cause) + relaxed,
        instead=refusal.next_step,
    )
    return Verdict(level, [finding], failure=refusal.cause)


def trail_lost(why: str) -> Finding:
    """What a person and the agent hear while a session's trail cannot be used."""
    return Finding(
        TRAIL_LOST,
        Level.WARN,
        f"what earlier calls of this session wrote cannot be told ({why}), so this call was judged without it",
        evidence={"why": why},
        instead="run `bk diag`; a damaged trail.db is replaced by itself, a locked one must be let go",
    )


def _depth(call: ToolCall, policy: Policy) -> list[Finding]:
    """Agents that start agents without end are stopped. The depth is the agent's own claim: it can only tighten."""
    claimed = call.claims.get("BK_AGENT_DEPTH", "")
    if not claimed:
        return []
    limit = policy.values["hook.agent_depth"]
    if not (claimed.isascii() and claimed.isdigit() and len(claimed) < 10):
        raise Refusal("agent-depth", f"BK_AGENT_DEPTH is not a number: {claimed[:40]!r}")
    if int(claimed) <= limit:
        return []
    reason = f"agents are nested {int(claimed)} deep; {limit} is the limit"
    return [Finding("agent/depth", Level.BLOCK, reason, instead="do the work in a shallower agent")]
