"""What a call that may run leaves for the calls after it: its trail, servers it used first, what it did not know."""

from __future__ import annotations

from bk.engine.decide import TRAIL_LOST, Judgement, trail_lost
from bk.engine.judge import judge
from bk.engine.model import Entry, Finding, Level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import ToolCall
    from bk.engine.world import World

FIRST = "mcp/first-use"
PINS = "mcp/unavailable"
AGAIN_MS = 60_000


def remembered(call: ToolCall, judgement: Judgement, world: World) -> tuple[Judgement, list[Entry]]:
    """The judgement with a warning for what could not be remembered, and the incidents that tell of it.

    Honest work goes on without the trail; that it does so unwatched is said each time, and is an incident.
    """
    if call.event != "pre" or judgement.verdict.level > Level.ASK:
        return judgement, []
    now = world.now_ms()
    told = _noted(judgement.verdict.findings, world, now)
    why = world.trail.remember(call, judgement.actions, now)
    if why and not any(finding.rule == TRAIL_LOST for finding in judgement.verdict.findings):
        told.append(trail_lost(why))
    incidents = [
        _incident(finding)
        for finding in (*judgement.verdict.findings, *told)
        if finding.rule in (TRAIL_LOST, PINS) and world.trail.due(finding.rule, now, AGAIN_MS)
    ]
    if not told:
        return judgement, incidents
    verdict = judge([*judgement.verdict.findings, *told])
    return judgement.with_verdict(verdict), incidents


def _noted(findings: Sequence[Finding], world: World, now: int) -> list[Finding]:
    """Keep what findings ask to be kept: a server's first identity, and releases to look up."""
    wanted = [finding.evidence["wanted"] for finding in findings if "wanted" in finding.evidence]
    first = [finding.evidence for finding in findings if finding.rule == FIRST]
    if wanted:
        from bk.engine.intel.releases import want

        want(world.state, wanted, now)
    told = []
    for seen in first:
        from bk.engine.servers import pin_first

        why = pin_first(world.state, seen, world.redact, now)
        if why:
            told.append(Finding(PINS, Level.WARN, f"who an MCP server is could not be kept ({why})"))
    return told


def _incident(finding: Finding) -> Entry:
    what = finding.rule.replace("/", "-")
    data = {"incident": what, "title": f"{what}", "detail": finding.reason, "next_step": finding.instead}
    return Entry("incident", "engine", data, level="warn")
