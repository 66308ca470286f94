"""One line of a Beekeeper corpus (schema 1.0, flat JSON) as an event, and what its outcome is worth here. Pure.

The package is that of the first match that somebody stands behind: where a source dissents, the other installation
put a row without a name, or with the name of what the source does *not* list, first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bk.engine.corpus import reading
from bk.engine.corpus.packages import purl
from bk.engine.corpus.shapes import (
    CONFIRMATION,
    IMPORT,
    MALICIOUS,
    ORG_ONLY,
    SOURCES,
    TRUE_LABELS,
    UNRESOLVED,
    WITHDRAWN,
    Event,
    ident,
)
from bk.engine.corpus.shapes import IMPORTED as OURS
from bk.engine.intel.sources import known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bk.engine.model import Json

SCHEMA = "1.0"
LEVELS = {"allow": "allow", "warn": "warn", "block": "block", "alert": "warn"}
CLAIMS = frozenset(SOURCES) - {OURS, WITHDRAWN}
DEPTH_MAX = 16
TEXT_MAX, COMMAND_MAX, ITEMS_MAX, ITEM_MAX, MATCHES_MAX = 400, 2_000, 8, 300, 64
AHEAD_MS = 86_400_000
PURL_MAX = 1_000
_OUTCOME = ("record_id", "true_label", "adjudication_source", "was_correct", "resolved_at", "push_envelope")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)

# Why a line is left out, and why an outcome is.
WHY = {
    "oversize": "it is longer than a line may be",
    "not-utf8": "it is not text",
    "syntax": "it is not JSON",
    "not-object": "it is no object",
    "duplicate-key": "a key stands twice in one object",
    "number": "a number in it is none that JSON can carry",
    "depth": "it is nested too deeply",
    "nul": "a string in it holds a NUL",
    "surrogate": "a string in it is not text",
    "schema": "it is not of schema 1.0",
    "no-id": "it has neither a record id nor a cluster id",
    "no-time": "its time is missing or cannot be read",
    "future": "it is from the future",
    "no-decision": "its decision is none of allow, warn, block, alert",
    "malformed": "a field is not of its form",
    "not-relevant": "it was allowed, and nothing in it is about a package or a connection",
    "too-large": "it is too large for the corpus",
}
LABEL_WHY = {
    "confirmed-by-miss": "it says that a catalog confirmed it, and no catalog entry stands behind it",
    "unknown-label": "its label is none of malicious, benign, policy_correct, unresolved",
    "unknown-source": "it does not say in a known word who labelled it",
    "too-many": "its cluster was labelled too often",
}


class Dropped(Exception):  # noqa: N818 - it is an answer, not a mishap
    """A line that is left out; `why` is a key of WHY."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Line:
    """An event, or why there is none, and the outcome that its line claims, or why it is not carried over."""

    __slots__ = ("dropped", "event", "evidence", "label_dropped", "resolved_ms", "true_label")

    def __init__(self, event: Event, *, true_label: str, resolved_ms: int, evidence: Mapping[str, Json]) -> None:
        self.event = event
        self.true_label = true_label
        self.resolved_ms = resolved_ms
        self.evidence = dict(evidence)
        self.label_dropped = ""
        self.dropped = ""


def read(data: bytes, now_ms: int, clean: Callable[[Json], Json], most: int = 1 << 20) -> Line:
    """What a line says, its secrets taken out first; raises Dropped when it says nothing that can be kept."""
    try:
        said = clean(reading.object_of(data, most, DEPTH_MAX))
    except reading.Unreadable as wrong:
        raise Dropped(wrong.kind) from wrong
    if said.get("corpus_schema_version") != SCHEMA:
        raise Dropped("schema")
    record, cluster = _id(said, "record_id"), _id(said, "cluster_id")
    if not record and not cluster:
        raise Dropped("no-id")
    at_ms = _moment(said.get("timestamp"))
    if at_ms < 0:
        raise Dropped("no-time")
    if at_ms > now_ms + AHEAD_MS:
        raise Dropped("future")
    level = LEVELS.get(said["decision"]) if type(said.get("decision")) is str else None
    if level is None:
        raise Dropped("no-decision")
    matches, dissent = _matches(said.get("catalog_matches"))
    named = _named(matches)
    whole = {key: value for key, value in said.items() if key not in _OUTCOME}
    event_id = ident("beekeeper-event", whole)
    event = Event(
        event_id,
        at_ms,
        IMPORT,
        _behaviour(said),
        _decision(said, level, matches, dissent, named),
        _context(said),
        [named] if named else [],
        ident("beekeeper-cluster", cluster) if cluster else event_id,
    )
    line = _outcome(event, said, record, matches)
    connects = any(each["do"] == "connect" for each in event.behaviour.get("actions", ()))
    if level == "allow" and not matches and not connects:
        line.dropped = "not-relevant"
    return line


def _outcome(event: Event, said: Mapping[str, Json], record: str, matches: list[dict[str, Json]]) -> Line:
    """What the line says that it was. A confirmation counts only with an entry behind it."""
    label, source = said.get("true_label", UNRESOLVED), said.get("adjudication_source", "")
    resolved = _moment(said.get("resolved_at"))
    evidence: dict[str, Json] = {"from": "beekeeper", "record": record}
    line = Line(event, true_label="", resolved_ms=resolved if resolved >= 0 else event.at_ms, evidence=evidence)
    if type(label) is not str or label not in TRUE_LABELS:
        line.label_dropped = "unknown-label"
    elif label != UNRESOLVED:
        if type(source) is not str or source not in CLAIMS:
            line.label_dropped = "unknown-source"
        elif label == MALICIOUS and source == CONFIRMATION and not matches:
            line.label_dropped = "confirmed-by-miss"
        else:
            line.true_label = label
            line.evidence["claimed"] = source
    return line


def _matches(found: Json) -> tuple[list[dict[str, Json]], list[str]]:
    """The rows that a source stands behind with an entry, and the sources that do not list it."""
    if found is None:
        return [], []
    if type(found) is not list or any(type(row) is not dict for row in found):
        raise Dropped("malformed")
    matches: list[dict[str, Json]] = []
    dissent: list[str] = []
    for row in found[:MATCHES_MAX]:
        source, name, entry = _text(row, "catalog_source", 60), _text(row, "package"), _text(row, "entry_id", 120)
        if row.get("dissented", False) is not False:
            dissent.append(source)
        elif name and entry:
            kept = {each: _text(row, each, 128) for each in ("ecosystem", "version", "severity")}
            matches.append({"source": source, "entry": entry, "package": name, **kept})
    return matches, sorted(set(dissent))[:ITEMS_MAX]


def _named(matches: list[dict[str, Json]]) -> str:
    """The package of the first row that names one of an ecosystem we know."""
    for row in matches:
        name, version = str(row["package"]), str(row["version"])
        head, colon, tail = name.partition(":")
        ecosystem = known(str(row["ecosystem"])) or (known(head) if colon else "")
        if colon and known(head) == ecosystem and ecosystem != "maven":
            name = tail
        found = purl(ecosystem, name, "" if version == "*" else version) if ecosystem else ""
        if found and len(found) <= PURL_MAX:
            return found
    return ""


def _behaviour(said: Mapping[str, Json]) -> dict[str, Json]:
    """What was done, in the words that our own events use."""
    command = _text(said, "original_command", COMMAND_MAX)
    actions = [{"do": "run", "target": command}] if command else []
    actions += [{"do": "touch", "target": path} for path in _texts(said, "sentry_files_accessed")]
    actions += [{"do": "connect", "target": host} for host in _texts(said, "sentry_network_dests")]
    kept: dict[str, Json] = {
        "harness": _text(said, "agent_name", 80),
        "tool": _text(said, "tool_name", 120),
        "command": command,
        "seen_by": _text(said, "source_surface", 40),
        "program": _text(said, "sentry_process_exe"),
        "chain": _texts(said, "sentry_parent_chain"),
        "actions": actions,
    }
    return {"kind": IMPORT, **{key: value for key, value in kept.items() if value}}


def _decision(
    said: Mapping[str, Json], level: str, matches: list[dict[str, Json]], dissent: list[str], named: str
) -> dict[str, Json]:
    """What was answered. Who agreed there is quoted as `claimed`: nobody's word counts here because of it."""
    rules = _texts(said, "rule_ids")
    return {
        "level": level,
        "reason": _text(said, "reason"),
        "rules": rules,
        "findings": [],
        "packages": [{"purl": named, "agreed": [], "dissented": dissent}] if named else [],
        "agreed": [],
        "dissented": dissent,
        "claimed": matches[:ITEMS_MAX],
    }


def _context(said: Mapping[str, Json]) -> dict[str, Json]:
    """Where it belongs. Marks of the other installation stay apart from ours: they were made with another salt."""
    kept: dict[str, Json] = {"from": "beekeeper", "scope": ORG_ONLY}
    for name in ("repo_fingerprint", "fleet_node_id"):
        text = said.get(name)
        if type(text) is str and _DIGEST.fullmatch(text):
            kept[f"their_{name}"] = text
    return kept


def _id(said: Mapping[str, Json], name: str) -> str:
    value = said.get(name, "")
    if type(value) is not str or len(value) > TEXT_MAX:
        raise Dropped("malformed")
    return value


def _text(said: Mapping[str, Json], name: str, most: int = TEXT_MAX) -> str:
    value = said.get(name)
    if value is None:
        return ""
    if type(value) is not str:
        raise Dropped("malformed")
    return value[:most]


def _texts(said: Mapping[str, Json], name: str) -> list[str]:
    value = said.get(name)
    if value is None:
        return []
    if type(value) is not list or any(type(item) is not str for item in value):
        raise Dropped("malformed")
    return [item[:ITEM_MAX] for item in value[:ITEMS_MAX]]


def _moment(text: Json) -> int:
    """Milliseconds of an RFC 3339 moment; -1 for anything else, and for what lies before 1970."""
    match = _MOMENT.fullmatch(text) if type(text) is str else None
    if match is None:
        return -1
    zone = "+00:00" if match[3] == "Z" else match[3]
    try:
        at = datetime.fromisoformat(f"{match[1]}{(match[2] or '.0')[:7].ljust(7, '0')}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return -1
    return max(-1, int(at.timestamp() * 1000))
