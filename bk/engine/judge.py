"""Findings to one verdict: the most restrictive wins, whatever the order."""

from __future__ import annotations

from bk.engine.model import Level, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.model import Finding


def judge(findings: Iterable[Finding]) -> Verdict:
    """The verdict of these findings; nothing found is an allow."""
    found = list(findings)
    return Verdict(max((finding.level for finding in found), default=Level.ALLOW), found)
