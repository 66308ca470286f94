"""What the ledger keeps of a call: enough to review and replay the decision, never a secret or a megabyte."""

from __future__ import annotations

from blake3 import blake3

from bk.engine.canonical import exact
from bk.engine.grants.grant import fingerprint
from bk.engine.model import Entry, Install, Level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bk.engine.decide import Judgement
    from bk.engine.facts import Facts
    from bk.engine.model import Action, Finding, Json, ToolCall
    from bk.engine.world import World

LONG = 4096
HEAD = 1024
MAX_ACTIONS = 64
MAX_FINDINGS = 32


def entry_of(call: ToolCall, judgement: Judgement, world: World, took_us: int, *, nonce: str = "") -> Entry:
    """The decision entry of a call."""
    verdict = judgement.verdict
    data: dict[str, Json] = {
        "harness": call.harness,
        "event": call.event,
        "tool": call.tool,
        "kind": call.kind,
        "cwd": call.cwd,
        "input": shortened(call.input, world.redact),
        "actions": [action_data(action, world.redact) for action in judgement.actions[:MAX_ACTIONS]],
        "findings": [finding_data(finding, world.redact) for finding in verdict.findings[:MAX_FINDINGS]],
        "policy": judgement.policy.digest,
        "index": world.generation,
        "took_us": took_us,
    }
    if world.rules is not None:
        data["rules"] = world.rules.digest
    if judgement.seen is not None:
        if judgement.seen.looked:
            data["looked"] = judgement.seen.looked
        if judgement.seen.trail.used:
            used = list(judgement.seen.trail.used.items())[:MAX_ACTIONS]
            data["trail"] = {path: list(takes) for path, takes in used}
        packages = packages_of(judgement.actions, judgement.seen.facts, world.redact)
        if packages:
            data["packages"] = packages
    if len(judgement.actions) > MAX_ACTIONS:
        data["actions_left_out"] = len(judgement.actions) - MAX_ACTIONS
    if verdict.reason:
        data["reason"] = verdict.reason
    if verdict.level >= Level.ASK:
        data["fingerprint"] = fingerprint(call)  # what a person's one-time grant for this very call names
    if verdict.failure:
        data["failure"] = verdict.failure
        data["fail_mode"] = judgement.policy.values["fail_mode"]
    if call.unknown:
        data["unknown_tool"] = True
    if call.session:
        data["session"] = call.session
    if call.call_id:
        data["tool_use_id"] = call.call_id
    if call.claims:
        data["agent"] = dict(call.claims)
    if call.home != world.state.home:
        data["home"] = call.home
    kind = "decision" if call.event == "pre" else "result"
    if call.event == "post":
        data["response"] = shortened(call.response, world.redact)
    return Entry(kind, f"hook:{call.harness}", data, level=verdict.level.word, call=nonce)


def refusal_entry(
    *, harness: str, event: str, body: bytes, judgement: Judgement, world: World, nonce: str, claims: Mapping[str, str]
) -> Entry:
    """The entry of a request that never became a call. Its bytes are named by hash: they may be anything."""
    verdict = judgement.verdict
    data: dict[str, Json] = {
        "harness": harness,
        "event": event,
        "tool": "",
        "findings": [finding_data(finding, world.redact) for finding in verdict.findings],
        "reason": verdict.reason,
        "failure": verdict.failure,
        "fail_mode": judgement.policy.values["fail_mode"],
        "policy": judgement.policy.digest,
        "request": {"bytes": len(body), "blake3": blake3(body).hexdigest()},
    }
    if claims:
        data["agent"] = dict(claims)
    return Entry("decision", f"hook:{harness}", data, level=verdict.level.word, call=nonce)


def level_of(entry: Entry) -> Level:
    """The level an entry recorded."""
    return Level.of(entry.level)


def shortened(value: Json, redact: Callable[[Json], Json]) -> Json:
    """A JSON value whose long strings are cut to a head, a length and a hash.

    Redaction comes before the cut, because half a token no longer looks like one.
    """
    kind = type(value)
    if kind is str:
        if len(value) <= LONG:
            return value
        whole = value.encode(errors="replace")
        return {"cut": True, "chars": len(value), "blake3": blake3(whole).hexdigest(), "head": redact(value)[:HEAD]}
    if kind is dict:
        return {key: shortened(item, redact) for key, item in value.items()}
    if kind is list:
        return [shortened(item, redact) for item in value]
    if kind is int and not exact(value):
        return str(value)
    return value


def action_data(action: Action, redact: Callable[[Json], Json]) -> dict[str, Json]:
    """An action as the ledger and every JSON output spell it."""
    shown: dict[str, Json] = {"do": action.word, "target": _one_line(action.target, redact)}
    mode = getattr(action, "mode", "")
    if mode:
        shown["mode"] = mode
    if action.via:
        shown["via"] = list(action.via)
    if not action.certain:
        shown["certain"] = False
    return shown


def packages_of(
    actions: Sequence[Action], facts: Facts | None, redact: Callable[[Json], Json]
) -> list[dict[str, Json]]:
    """Which packages a call was about and who spoke of each, known now and not to be guessed from texts later.

    `agreed` are the groups whose word counts, `unproven` those that nobody vouches for, `dissented` those that know
    the ecosystem and do not list the package.
    """
    installs = [action for action in actions if type(action) is Install]
    if facts is not None and facts.matches:
        installs += [listed for listed in facts.listed.installs if facts.matches.get(listed.target)]
    told: dict[tuple[str, ...], dict[str, Json]] = {}
    for install in installs:
        asked = (install.ecosystem, install.name, install.version, install.manager, install.source)
        if asked in told or not install.name or len(told) == MAX_ACTIONS:
            continue
        told[asked] = shown = {"ecosystem": install.ecosystem, "name": _one_line(install.name, redact)}
        if install.version:
            shown["version"] = _one_line(install.version, redact)
        if install.manager:
            shown["manager"] = install.manager
        if install.source != "registry":
            shown["source"] = install.source
        if facts is not None and facts.matches.get(install.target):
            _voices(shown, install, facts)
    return list(told.values())


def _voices(shown: dict[str, Json], install: Install, facts: Facts) -> None:
    """Who lists a package and who does not, in the groups that are counted."""
    from bk.engine.checks.package_words import dissent

    found = [match for match in facts.matches[install.target] if not match.tier]
    agreed = {group for match in found if match.provenance.real for group in match.groups}
    spoken = {group for match in found for group in match.groups}
    shown["agreed"] = sorted(agreed)
    if spoken > agreed:
        shown["unproven"] = sorted(spoken - agreed)
    shown["sources"] = sorted({source for match in found for source in match.sources})
    shown["dissented"] = dissent(install.ecosystem, sorted(spoken), facts)
    origin = facts.origins.get(install.target)
    if origin is not None and origin.own:
        shown["private"] = True


def finding_data(finding: Finding, redact: Callable[[Json], Json]) -> dict[str, Json]:
    """A finding as the ledger and every JSON output spell it."""
    shown: dict[str, Json] = {"rule": finding.rule, "level": finding.level.word, "reason": finding.reason}
    if finding.evidence:
        shown["evidence"] = dict(finding.evidence)
    if finding.instead:
        shown["instead"] = finding.instead
    if finding.action is not None:
        shown["target"] = _one_line(finding.action.target, redact)
    return shown


def _one_line(target: str, redact: Callable[[Json], Json]) -> str:
    """A target cut to a length the ledger keeps, secrets taken out first: half a token no longer looks like one."""
    return target if len(target) <= LONG else str(redact(target))[:LONG]
