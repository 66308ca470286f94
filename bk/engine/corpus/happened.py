"""What one entry of the ledger says happened, as an event in its layers; nothing for what is of no concern. Pure.

Of concern is what was not simply allowed, and of what was allowed: an install, a credential that was touched, a
connection. What the responder found on disk is of concern when it names a package.
"""

from __future__ import annotations

from bk.engine.corpus.fingerprint import cluster_id
from bk.engine.corpus.packages import purl
from bk.engine.corpus.shapes import CONSOLE, ENGINE, ORG_ONLY, SCAN, SCHEMA, SURFACES, Event
from bk.engine.intel.demand import pinned
from bk.engine.trail.steps import secret_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Entry, Json

IDENT = 24
ACTIONS_MAX = 32
FINDINGS_MAX = 32
PACKAGES_MAX = 64
TEXT_MAX = 400
COMMAND_MAX = 1_000
PURL_MAX = 1_000
_STOPPED = ("warn", "ask", "block", "quarantine")
_DENIED = ("block", "quarantine")
_COMMANDS = ("command", "cmd", "script", "url", "file_path", "path")


def event_of(entry: Entry, leaf: str) -> Event | None:
    """The event in an entry whose hash in the ledger is this; None when it is of no concern."""
    data = entry.data
    if entry.kind in ("decision", "result"):
        if entry.kind == "result" and entry.level not in _DENIED:
            return None  # the decision before the call has said the same
        return _decided(entry, data, leaf) if entry.level in _STOPPED or _touchy(data) else None
    if entry.kind in ("responder", "incident") and isinstance(data.get("package"), str):
        return _found(entry, data, leaf)
    return None


def _decided(entry: Entry, data: Mapping[str, Json], leaf: str) -> Event:
    packages = [_package(each) for each in data.get("packages", ())[:PACKAGES_MAX]]
    behaviour: dict[str, Json] = {"kind": entry.kind}
    for name in ("harness", "tool", "session", "failure"):
        if data.get(name):
            behaviour[name] = str(data[name])[:TEXT_MAX]
    if data.get("kind"):
        behaviour["does"] = str(data["kind"])
    said = data.get("input")
    command = next((said[name] for name in _COMMANDS if said.get(name)), "") if isinstance(said, dict) else ""
    if command:
        behaviour["command"] = _head(command)
    actions = data.get("actions", ())
    behaviour["actions"] = [_action(each) for each in actions[:ACTIONS_MAX]]
    left = len(actions) - ACTIONS_MAX + int(data.get("actions_left_out", 0))
    if left > 0:
        behaviour["actions_left_out"] = left
    findings = [_finding(each) for each in data.get("findings", ())[:FINDINGS_MAX]]
    decision: dict[str, Json] = {
        "level": entry.level or "allow",
        "reason": str(data.get("reason", ""))[: 2 * TEXT_MAX],
        "rules": list(dict.fromkeys(each["rule"] for each in findings)),
        "findings": findings,
        "packages": packages,
        "agreed": _all(packages, "agreed"),
        "dissented": _all(packages, "dissented"),
    }
    for name in ("policy", "rules", "index"):
        if data.get(name):
            decision[{"rules": "rulebook"}.get(name, name)] = str(data[name])
    return _event(entry, leaf, behaviour, decision, packages, cwd=str(data.get("cwd", ""))[:TEXT_MAX])


def _found(entry: Entry, data: Mapping[str, Json], leaf: str) -> Event:
    """What the responder saw of an artifact, or a person did about it."""
    ecosystem, _, rest = str(data["package"]).partition(":")
    name, _, version = rest.rpartition("@")
    groups = [str(group) for group in data.get("groups", ())]
    shown = {"purl": _purl(ecosystem, name, version), "agreed": groups, "dissented": []}
    behaviour = {
        "kind": entry.kind,
        **{each: str(data[each])[:TEXT_MAX] for each in ("event", "incident", "path", "state") if data.get(each)},
    }
    decision: dict[str, Json] = {
        "level": entry.level or "allow",
        "reason": str(data.get("why", ""))[: 2 * TEXT_MAX],
        "rules": [],
        "findings": [],
        "packages": [shown],
        "agreed": groups,
        "dissented": [],
        "severity": str(data.get("severity", "")),
        "ids": [str(each)[:TEXT_MAX] for each in data.get("ids", ())[:20]],
    }
    matter = cluster_id(f"{ecosystem}:{name}", version, "")
    return _event(entry, leaf, behaviour, decision, [shown], cluster=matter)


def _event(
    entry: Entry,
    leaf: str,
    behaviour: Mapping[str, Json],
    decision: Mapping[str, Json],
    packages: Sequence[Mapping[str, Json]],
    *,
    cluster: str = "",
    cwd: str = "",
) -> Event:
    context: dict[str, Json] = {"seq": entry.seq, "actor": entry.actor, "scope": ORG_ONLY, "schema": SCHEMA}
    if cwd:
        context["cwd"] = cwd
    purls = sorted({each["purl"] for each in packages if each.get("purl")})
    ident = leaf[:IDENT]
    return Event(ident, entry.at, _surface(entry), behaviour, decision, context, purls, cluster or ident)


def _surface(entry: Entry) -> str:
    first = entry.actor.partition(":")[0]
    if entry.kind == "responder":
        return SCAN if first == "responder" else CONSOLE
    return first if first in SURFACES else ENGINE


def _touchy(data: Mapping[str, Json]) -> bool:
    """Whether something that was allowed installs, connects, or touches a credential."""
    home = [part for part in str(data.get("home", "")).lower().split("/") if part]
    return any(
        each["do"] in ("install", "connect") or (each["do"] == "touch" and secret_place(str(each["target"]), home))
        for each in data.get("actions", ())
    )


def _package(said: Mapping[str, Json]) -> dict[str, Json]:
    """A package as the decision named it; `purl` "" where the name is not the public registry's."""
    shown = {name: str(said[name])[:TEXT_MAX] for name in ("ecosystem", "name", "version", "source") if said.get(name)}
    public = said.get("source", "registry") == "registry" and not said.get("private")
    version = str(said.get("version", ""))
    exact = pinned(str(said["ecosystem"]), version, str(said.get("manager", ""))) if version else ""
    told = _purl(str(said["ecosystem"]), str(said["name"]), exact) if public else ""
    made: dict[str, Json] = {**shown, "purl": told}
    for name in ("agreed", "unproven", "sources", "dissented"):
        made[name] = [str(each)[:TEXT_MAX] for each in said.get(name, ())]
    return made


def _purl(ecosystem: str, name: str, version: str) -> str:
    made = purl(ecosystem, name, version)
    return made if len(made) <= PURL_MAX else ""


def _action(said: Mapping[str, Json]) -> dict[str, Json]:
    shown: dict[str, Json] = {"do": str(said["do"]), "target": str(said["target"])[:TEXT_MAX]}
    if said.get("mode"):
        shown["mode"] = str(said["mode"])
    return shown


def _finding(said: Mapping[str, Json]) -> dict[str, Json]:
    shown: dict[str, Json] = {"rule": str(said["rule"]), "level": str(said["level"])}
    if said.get("target"):
        shown["target"] = str(said["target"])[:TEXT_MAX]
    evidence = said.get("evidence", {})
    for name in ("groups", "sources", "dissent", "ids"):
        if evidence.get(name):
            shown[name] = [str(each)[:TEXT_MAX] for each in evidence[name]][:20]
    return shown


def _all(packages: Sequence[Mapping[str, Json]], name: str) -> list[str]:
    return sorted({group for each in packages for group in each[name]})


def _head(value: Json) -> str:
    """The beginning of a text, also of one that the ledger has cut."""
    return str(value.get("head", "") if isinstance(value, dict) else value)[:COMMAND_MAX]
