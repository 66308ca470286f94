"""Decisions as a SARIF 2.1.0 log: one result a finding, so that code-scanning viewers can show them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from blake3 import blake3

from bk import __version__
from bk.engine.model import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"quarantine": "error", "block": "error", "ask": "warning", "warn": "warning", "allow": "note"}
TOLD = ("warn", "ask", "block", "quarantine")


def write_log(entries: Iterable[Entry], write: Callable[[str], object]) -> int:
    """Write the log; the rules come after the results because only then are they known. Returns the entries read."""
    rules: dict[str, str] = {}
    write(f'{{"$schema":{json.dumps(SCHEMA)},"version":"2.1.0","runs":[{{"results":[')
    comma = ""
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007 - the last number is the count
        for result in results(entry):
            rules.setdefault(result["ruleId"], result["level"])
            write(comma + "\n" + json.dumps(result, ensure_ascii=False))
            comma = ","
    driver = {
        "name": "bk",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [
            {
                "id": rule,
                "name": _pascal(rule),
                "shortDescription": {"text": rule},
                "defaultConfiguration": {"level": of},
            }
            for rule, of in sorted(rules.items())
        ],
    }
    rest = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "utf16CodeUnits",
    }
    write("\n]," + json.dumps(rest, ensure_ascii=False)[1:] + "]}\n")
    return count


def results(entry: Entry) -> list[dict[str, Json]]:
    """The results of one entry: its findings from warn upward, or its failure when it has none."""
    if entry.kind != "decision" or entry.level not in TOLD:
        return []
    findings = entry.data.get("findings")
    told = [
        _result(entry, str(item.get("rule") or "unnamed"), str(item.get("level")), item)
        for item in (findings if isinstance(findings, list) else ())
        if isinstance(item, Mapping) and item.get("level") in TOLD
    ]
    if not told:
        failure = str(entry.data.get("failure") or "unexplained")
        told = [_result(entry, f"failure/{failure}", entry.level, {"reason": entry.data.get("reason")})]
    return told


def _result(entry: Entry, rule: str, level: str, finding: Mapping[str, Json]) -> dict[str, Json]:
    target = str(finding.get("target") or "")
    text = str(finding.get("reason") or rule)
    if finding.get("instead"):
        text += f" Instead: {finding['instead']}"
    mark = blake3(f"{rule}\x1f{target}".encode(errors="replace")).hexdigest()[:32]
    result: dict[str, Json] = {
        "ruleId": rule,
        "level": LEVELS[level],
        "message": {"text": text.replace("](", "] (")},  # no embedded links: the text may quote an attacker
        "partialFingerprints": {"bkRuleAndTarget/v1": mark},
        "properties": {
            "seq": entry.seq,
            "at": entry.at,
            "verdict": entry.level,
            "call": entry.call,
            **{name: entry.data[name] for name in ("harness", "tool", "session", "cwd") if name in entry.data},
        },
    }
    if target.startswith("/"):
        uri = "file://" + quote(target, safe="/", errors="replace")
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": uri}}}]
    elif target:
        result["locations"] = [{"logicalLocations": [{"fullyQualifiedName": target, "kind": "resource"}]}]
    return result


def _pascal(rule: str) -> str:
    words = "".join(char if char.isalnum() else " " for char in rule).split()
    return "".join(word[:1].upper() + word[1:] for word in words) or "Unnamed"
