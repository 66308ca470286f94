"""Entries as OCSF 1.4 events.

A decision that found something is a Detection Finding (2004) with the Security Control profile; everything else that
was recorded is API Activity (6003): a tool call, or a change of bk itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from bk import __version__
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

VERSION = "1.4.0"
SEVERITY = {"allow": 1, "warn": 2, "ask": 3, "block": 4, "quarantine": 5}
SEVERITIES = ("Unknown", "Informational", "Low", "Medium", "High", "Critical")
# level -> (action_id, action, disposition_id, disposition)
OUTCOME = {
    "allow": (1, "Allowed", 1, "Allowed"),
    "warn": (1, "Allowed", 19, "Alert"),
    "ask": (0, "Unknown", 99, "Asked"),
    "block": (2, "Denied", 2, "Blocked"),
    "quarantine": (2, "Denied", 3, "Quarantined"),
}
ACTIVITY = {
    "read": (2, "Read"),
    "search": (2, "Read"),
    "fetch": (2, "Read"),
    "write": (3, "Update"),
    "edit": (3, "Update"),
}


def event(entry: Entry) -> dict[str, Json]:
    """One entry as one event with every attribute that its class requires."""
    if entry.kind == "decision" and entry.level in ("warn", "ask", "block", "quarantine"):
        return _finding(entry)
    return _activity(entry)


def _base(entry: Entry, class_uid: int, activity: int, name: str, profiles: list[str]) -> dict[str, Json]:
    severity = SEVERITY.get(entry.level, 1)
    return {
        "class_uid": class_uid,
        "class_name": {2004: "Detection Finding", 6003: "API Activity"}[class_uid],
        "category_uid": class_uid // 1000,
        "category_name": {2004: "Findings", 6003: "Application Activity"}[class_uid],
        "activity_id": activity,
        "activity_name": name,
        "type_uid": class_uid * 100 + activity,
        "time": entry.at,
        "severity_id": severity,
        "severity": SEVERITIES[severity],
        "metadata": {
            "version": VERSION,
            "product": {"name": "bk", "vendor_name": "Beekeeper", "version": __version__},
            "log_name": "ledger",
            "sequence": entry.seq,
            "uid": f"bk-{entry.seq}",
            "profiles": profiles,
        },
        "actor": _actor(entry),
    }


def _actor(entry: Entry) -> dict[str, Json]:
    actor: dict[str, Json] = {"app_name": str(entry.data.get("harness") or entry.actor or "bk")}
    if entry.data.get("session"):
        actor["session"] = {"uid": str(entry.data["session"])}
    return actor


def _finding(entry: Entry) -> dict[str, Json]:
    data = entry.data
    given = data.get("findings")
    findings = [item for item in given if isinstance(item, Mapping)] if isinstance(given, list) else []
    first: Mapping[str, Json] = findings[0] if findings else {}
    failure = str(data.get("failure") or "")
    rule = str(first.get("rule") or (f"failure/{failure}" if failure else "unexplained"))
    reason = str(data.get("reason") or first.get("reason") or rule)
    action_id, action, disposition_id, disposition = OUTCOME[entry.level]
    told = _base(entry, 2004, 1, "Create", ["security_control"])
    told |= {
        "message": reason,
        "status_id": 1,
        "status": "New",
        "is_alert": entry.level in ("block", "quarantine"),
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "finding_info": {
            "uid": f"bk-{entry.seq}",
            "title": str(first.get("reason") or reason),
            "desc": reason,
            "created_time": entry.at,
            "types": sorted({str(item.get("rule")) for item in findings}) or [rule],
            "analytic": {"uid": rule, "name": rule, "type_id": 1, "type": "Rule"},
        },
        "evidences": [{"data": {"tool": data.get("tool"), "actions": data.get("actions", []), "findings": findings}}],
        "unmapped": _unmapped(entry, ("tool", "actions", "findings", "reason", "harness", "session", "policy")),
    }
    targets = dict.fromkeys(str(item["target"]) for item in findings if item.get("target"))
    if targets:
        told["resources"] = [{"name": target} for target in targets]
    if data.get("policy"):
        told["policy"] = {"uid": str(data["policy"]), "name": "bk policy"}
    return told


def _activity(entry: Entry) -> dict[str, Json]:
    data = entry.data
    activity, name = ACTIVITY.get(str(data.get("kind")), (99, entry.kind))
    if entry.kind == "config":
        activity, name = 3, "Update"
    operation = str(data.get("tool") or data.get("verb") or data.get("event") or entry.kind)
    api: dict[str, Json] = {"operation": operation, "service": {"name": str(data.get("harness") or "bk")}}
    if entry.call:
        api["request"] = {"uid": entry.call}
    failed = bool(data.get("failure"))
    told = _base(entry, 6003, activity, name, [])
    told |= {
        "api": api,
        "src_endpoint": {"svc_name": str(data.get("harness") or entry.actor or "bk")},
        "status_id": 2 if failed else 1,
        "status": "Failure" if failed else "Success",
        "message": str(data.get("reason") or f"{entry.kind}: {operation}"),
        "unmapped": _unmapped(entry, ("harness", "session", "tool")),
    }
    return told


def _unmapped(entry: Entry, mapped: tuple[str, ...]) -> dict[str, Json]:
    rest = {name: value for name, value in entry.data.items() if name not in mapped}
    return {"kind": entry.kind, "actor": entry.actor, "level": entry.level, "call": entry.call, "data": rest}
