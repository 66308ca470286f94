"""Where a call connects: the cloud's metadata service, hosts that are denied, and hosts that nobody listed."""

from __future__ import annotations

from bk.engine.checks.hosts import DENIED, hosts, metadata, near, under
from bk.engine.model import Connect, Finding, Level, Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

MAX_BYTES = 10 << 20
SHOWN = 160
WEB = names("curl wget http https xh aria2c fetch invoke-webrequest invoke-restmethod iwr irm")
METADATA_ADVICE = "let the tool that needs the instance's role ask for it by itself"
DENY_ADVICE = "send it to a host of the project, or ask the person where it may go"
SIZE_ADVICE = "send less at once; a person can raise egress.max_bytes"
UNKNOWN_ADVICE = "a person can name the host in egress.allow"


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Findings for each connection, by host. The policy's own lists come before the built-in one."""
    run: Run | None = None
    for action in actions:
        if type(action) is Run:
            run = action
        elif type(action) is Connect:
            found = _of(action, run, facts)
            if found is not None:
                yield found


def _of(action: Connect, run: Run | None, facts: Facts) -> Finding | None:
    policy = facts.policy
    deny = policy.get("egress.deny") or ()
    allow = policy.get("egress.allow") or ()
    reached = list(hosts(action.url, action.host))
    for host in reached:
        if metadata(host):
            reason = f"asks {_shown(action)}, a cloud's metadata service, which hands out the machine's credentials"
            return Finding("egress/metadata", Level.BLOCK, reason, action=action, instead=METADATA_ADVICE)
    trusted = bool(allow) and all(under(host, allow) for host in reached)
    for host in reached:
        listed = under(host, deny) if deny else ""
        if listed:
            reason = f"connects to {_shown(action)}: {listed} is on the deny list"
            return Finding("egress/deny", Level.BLOCK, reason, action=action, instead=DENY_ADVICE)
        listed = "" if trusted else under(host, DENIED)
        if listed:
            reason = f"connects to {_shown(action)}: {DENIED[listed]}"
            evidence = {"host": host, "listed": listed}
            return Finding("egress/listed", Level.BLOCK, reason, action=action, evidence=evidence, instead=DENY_ADVICE)
    most = policy.get("egress.max_bytes") or MAX_BYTES
    size = _size(run) if action.sends else 0
    if size > most:
        reason = f"sends at least {size} bytes to {_shown(action)}; {most} is the limit"
        return Finding(
            "egress/size", Level.BLOCK, reason, action=action, instead="send less, or raise egress.max_bytes"
        )
    if trusted or _within(action, reached):
        return None
    level = Level.of(policy.get("egress.default") or "allow")
    if level is Level.ALLOW and action.sends and (run is None or run.program.lower() in WEB):
        level = Level.WARN
    if level is Level.ALLOW:
        return None
    reason = f"{'sends data to' if action.sends else 'connects to'} {_shown(action)}, which is on no list"
    return Finding("egress/unlisted", level, reason, action=action, instead=UNKNOWN_ADVICE)


def _within(action: Connect, reached: Sequence[str]) -> bool:
    """Whether it stays on this machine or in a private network; `:9200/path` is how some tools write localhost."""
    if len(reached) == 1 and not reached[0]:
        return action.url[:1] == ":"
    return all(near(host) for host in reached)


def _size(run: Run | None) -> int:
    """How much is certainly sent: what stands on the command line and on a known stdin."""
    if run is None:
        return 0
    return len(run.stdin or "") + sum(len(word) for word in run.argv[1:] if len(word) > 64)


def _shown(action: Connect) -> str:
    text = action.url or action.host
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
