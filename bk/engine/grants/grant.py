"""One exception, and what it may do to a finding. Pure: the clock is handed in."""

from __future__ import annotations

import re

from blake3 import blake3

from bk.engine.canonical import canonical
from bk.engine.model import Finding, Level, Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import ToolCall

KINDS = ("allow", "once", "trust")
# No exception reaches these: the guard itself, stores of keys, credentials on their way out, and broken decisions.
PROTECTED = (
    "self/",
    "failure/",
    "agent/",
    "secrets/",
    "credentials/",
    "exfiltration/",
    "paths/secret-store",
    "paths/credential-file",
    "paths/user-credential",
    "paths/system-secret",
    "paths/key-file",
    "shells/",
)


class Grant:
    """An exception. `kind`: `allow` (a rule, in a scope), `once` (one exact call), `trust` (a project's questions).

    Empty scope fields mean "any". `call` is the fingerprint of the one call that a `once` is for; `until_ms` is 0
    when it does not end by itself.
    """

    __slots__ = ("agent", "at_ms", "by", "call", "ident", "kind", "path", "project", "reason", "rule", "until_ms")

    def __init__(
        self,
        ident: str,
        kind: str,
        rule: str,
        *,
        project: str = "",
        path: str = "",
        agent: str = "",
        call: str = "",
        until_ms: int = 0,
        reason: str = "",
        by: str = "",
        at_ms: int = 0,
    ) -> None:
        self.ident = ident
        self.kind = kind
        self.rule = rule
        self.project = project
        self.path = path
        self.agent = agent
        self.call = call
        self.until_ms = until_ms
        self.reason = reason
        self.by = by
        self.at_ms = at_ms

    def concerns(self, call: ToolCall, print_of: str, now_ms: int) -> bool:
        """Whether it speaks of this call at this moment at all."""
        if self.until_ms and not self.at_ms - CLOCK_SLACK_MS <= now_ms < self.until_ms:
            return False  # ended, or the clock was set back to before it was given
        if self.agent and self.agent != call.harness:
            return False
        if self.call and self.call != print_of:
            return False
        return not self.project or (call.cwd.rstrip("/") + "/").startswith(self.project.rstrip("/") + "/")

    def covers(self, finding: Finding) -> bool:
        """Whether it lowers this finding."""
        if finding.level <= Level.ALLOW or protected(finding):
            return False
        if self.kind == "trust":
            return finding.level == Level.ASK
        if not _glob(self.rule).fullmatch(finding.rule):
            return False
        if self.path:
            action = finding.action
            return type(action) is Touch and _glob(self.path, deep=True).fullmatch(action.path) is not None
        return True


CLOCK_SLACK_MS = 60_000


def protected(finding: Finding) -> bool:
    """Whether no exception may touch a finding: who guards the guard, keys, and malware that sources agree on."""
    if finding.rule.startswith("package/"):
        return finding.level >= Level.BLOCK
    return finding.rule.startswith(PROTECTED)


def granted(
    findings: Sequence[Finding], grants: Sequence[Grant], call: ToolCall, now_ms: int
) -> tuple[list[Finding], tuple[str, ...]]:
    """The findings with what is granted lowered, its evidence kept; and which one-time grants that takes."""
    mark = fingerprint(call) if any(grant.call for grant in grants) else ""
    live = [grant for grant in grants if grant.concerns(call, mark, now_ms)]
    if not live:
        return list(findings), ()
    told: list[Finding] = []
    used: dict[str, None] = {}
    for finding in findings:
        grant = next((one for one in live if one.covers(finding)), None)
        if grant is None:
            told.append(finding)
            continue
        if grant.kind == "once":
            used[grant.ident] = None
        evidence = {**finding.evidence, "was": finding.level.word, "granted": grant.ident}
        level = Level.WARN if grant.kind == "trust" else Level.ALLOW
        told.append(
            Finding(
                finding.rule,
                level,
                finding.reason,
                action=finding.action,
                evidence=evidence,
                instead=finding.instead,
            )
        )
    return told, tuple(used)


def fingerprint(call: ToolCall) -> str:
    """What tells one call from another: the tool, its whole input, and where it runs."""
    try:
        whole = canonical([call.harness, call.tool, call.input, call.cwd])
    except (ValueError, TypeError, RecursionError):
        return ""
    return blake3(whole).hexdigest()[:32]


_globs: dict[tuple[str, bool], re.Pattern[str]] = {}


def _glob(text: str, *, deep: bool = False) -> re.Pattern[str]:
    """`*` within a part, `**` across parts; nothing else is special."""
    pattern = _globs.get((text, deep))
    if pattern is None:
        pieces = [re.escape(piece) for piece in re.split(r"\*+", text)]
        stars = re.findall(r"\*+", text)
        joined = pieces[0]
        for star, piece in zip(stars, pieces[1:], strict=True):
            joined += (".*" if len(star) > 1 or not deep else "[^/]*") + piece
        pattern = re.compile(joined, re.DOTALL)
        if len(_globs) < 256:
            _globs[text, deep] = pattern
    return pattern
