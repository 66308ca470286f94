"""How the corpus's nouns lie in its tables, and which questions a list may be asked."""

from __future__ import annotations

import json

from bk.engine.corpus.shapes import (
    SURFACES,
    TRUE_LABELS,
    UNRESOLVED,
    Cluster,
    Event,
    Label,
    OverlayEntry,
    Sealed,
)
from bk.engine.errors import USAGE, BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bk.engine.model import Json

LAYER_MAX = 64 << 10  # characters of one layer of an event
LEVELS = ("allow", "warn", "ask", "block", "quarantine")
_EVENT = ("id", "at_ms", "surface", "level", "session", "cluster", "purls", "behaviour", "decision", "context")
_LABEL = ("id", "event", "cluster", "true_label", "source", "confidence", "evidence", "actor", "human", "at_ms",
          "supersedes")  # fmt: skip
_CLUSTER = ("id", "surface", "key", "first_ms", "last_ms", "n", "true_label", "label", "generation", "judged_ms",
            "due_ms", "gone", "note")  # fmt: skip
_OVERLAY = ("id", "purl", "ecosystem", "name", "version", "severity", "reason", "label", "tier", "created_ms",
            "expires_ms", "created_by", "state", "ended_by", "ended_ms")  # fmt: skip
_SEALED = ("id", "label", "issuer", "key_id", "nonce", "at_ms", "until_ms", "body")

EVENT = f"SELECT {', '.join(_EVENT)} FROM event"  # noqa: S608 - our own names
PAGE = f"SELECT {', '.join(f'e.{name}' for name in _EVENT)}, c.label FROM event e JOIN cluster c ON c.id = e.cluster"  # noqa: S608
LABEL = f"SELECT {', '.join(_LABEL)} FROM label"  # noqa: S608 - our own names
CLUSTER = f"SELECT {', '.join(_CLUSTER)} FROM cluster"  # noqa: S608 - our own names
OVERLAY = f"SELECT {', '.join(_OVERLAY)} FROM overlay_entry"  # noqa: S608 - our own names
SEALED = f"SELECT {', '.join(_SEALED)} FROM envelope"  # noqa: S608 - our own names

CLUSTER_COLUMNS = len(_CLUSTER)
CONFIRMED = (
    f"SELECT {', '.join(f'c.{name}' for name in _CLUSTER)}, {', '.join(f'l.{name}' for name in _LABEL)},"  # noqa: S608
    " (SELECT group_concat(purl, ' ') FROM package p WHERE p.cluster = c.id)"
    " FROM cluster c JOIN label l ON l.id = c.label WHERE c.true_label = ? AND c.true_label <> 'unresolved'"
)
ABOUT = f"{CLUSTER} WHERE id IN (SELECT cluster FROM package WHERE purl = ? LIMIT ?)"  # noqa: S608 - our own names
INSERT_EVENT = f"INSERT OR IGNORE INTO event VALUES ({', '.join('?' * len(_EVENT))})"  # noqa: S608 - marks only
INSERT_LABEL = f"INSERT OR IGNORE INTO label({', '.join(_LABEL)}) VALUES ({', '.join('?' * len(_LABEL))})"  # noqa: S608
INSERT_SEALED = f"INSERT OR IGNORE INTO envelope VALUES ({', '.join('?' * len(_SEALED))})"  # noqa: S608 - marks only
_CHANGES = ("state", "label", "tier", "reason", "severity", "expires_ms", "ended_by", "ended_ms")
PUT_OVERLAY = (
    f"INSERT INTO overlay_entry VALUES ({', '.join('?' * len(_OVERLAY))}) ON CONFLICT(id) DO UPDATE SET "  # noqa: S608
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGES)
)


def event_row(event: Event) -> tuple[Any, ...]:
    """An event as its row; its three layers come last."""
    session = str(event.behaviour.get("session", ""))
    return (event.id, event.at_ms, event.surface, event.level, session, event.cluster, " ".join(event.purls),
            _text(event.behaviour), _text(event.decision), _text(event.context))  # fmt: skip


def fits(event: Event) -> bool:
    """Whether each layer of an event is small enough to be kept."""
    return all(len(text) <= LAYER_MAX for text in event_row(event)[-3:])


def event_of(row: Sequence[Any]) -> Event:
    """The event that a row holds, without its outcome."""
    ident, at_ms, surface, _, _, cluster, purls, behaviour, decision, context = row[: len(_EVENT)]
    layers = (json.loads(behaviour), json.loads(decision), json.loads(context))
    return Event(ident, at_ms, surface, *layers, purls.split(), cluster)


def position(event: Event) -> str:
    """Where an event stands in a list: what `page` takes to go on after it."""
    return f"{event.at_ms}:{event.id}"


def label_row(label: Label) -> tuple[Any, ...]:
    """A label as its row."""
    return (label.id, label.event, label.cluster, label.true_label, label.source, label.confidence,
            _text(label.evidence), label.actor, int(label.human), label.at_ms, label.supersedes)  # fmt: skip


def label_of(row: Sequence[Any]) -> Label:
    """The label that a row holds."""
    ident, event, cluster, true_label, source, confidence, evidence, actor, human, at_ms, supersedes = row
    return Label(ident, event, cluster, true_label, source, at_ms=at_ms, actor=actor, confidence=confidence,
                 evidence=json.loads(evidence), human=bool(human), supersedes=supersedes)  # fmt: skip


def cluster_of(row: Sequence[Any]) -> Cluster:
    """The cluster that a row holds, without its packages."""
    ident, surface, *rest = row
    said = dict(zip(_CLUSTER[2:], rest, strict=True))
    said["gone"] = json.loads(said["gone"])
    return Cluster(ident, surface, **said)


def overlay_row(entry: OverlayEntry) -> tuple[Any, ...]:
    """An overlay entry as its row."""
    return tuple(getattr(entry, name) for name in _OVERLAY)


def overlay_of(row: Sequence[Any]) -> OverlayEntry:
    """The overlay entry that a row holds."""
    said = dict(zip(_OVERLAY, row, strict=True))
    return OverlayEntry(**said)


def sealed_row(sealed: Sealed) -> tuple[Any, ...]:
    """An envelope as its row."""
    return tuple(getattr(sealed, name) for name in _SEALED)


def sealed_of(row: Sequence[Any]) -> Sealed:
    """The envelope that a row holds."""
    said = dict(zip(_SEALED, row, strict=True))
    return Sealed(**said)


def where(after: str | None, filters: Mapping[str, Json]) -> tuple[str, list[Any]]:
    """The clause of a page and its values; BkError for a filter or a word that is none."""
    clauses, values = ["1"], []
    if after:
        at, _, ident = after.partition(":")
        if not at.lstrip("-").isdigit() or not ident:
            raise _bad("that is no place in the list", after)
        clauses.append("(e.at_ms, e.id) < (?, ?)")
        values += [int(at), ident]
    for name, wanted in filters.items():
        if wanted in (None, ""):
            continue
        clause, more = _clause(name, wanted)
        clauses.append(clause)
        values += more
    return " AND ".join(clauses), values


def _clause(name: str, wanted: Json) -> tuple[str, list[Any]]:
    match name:
        case "label":
            _known(name, wanted, TRUE_LABELS)
            if wanted == UNRESOLVED:
                return "c.true_label = 'unresolved'", []
            return "e.cluster IN (SELECT id FROM cluster WHERE true_label = ? AND true_label <> 'unresolved')", [wanted]
        case "surface":
            _known(name, wanted, SURFACES)
            return "e.surface = ?", [wanted]
        case "level":
            _known(name, wanted, LEVELS)
            return "e.level = ?", [wanted]
        case "session":
            return "e.session = ?", [str(wanted)]
        case "package":
            told = str(wanted)
            inside = "e.cluster IN (SELECT cluster FROM package WHERE purl = ? OR (purl >= ? AND purl < ?))"
            return inside, [told, f"{told}@", f"{told}A"]  # `@` and `A` are neighbours
        case "since_ms":
            return "e.at_ms >= ?", [int(wanted)]
        case "until_ms":
            return "e.at_ms <= ?", [int(wanted)]
        case _:
            raise _bad("events cannot be filtered by that", name)


def _known(name: str, wanted: Json, among: Sequence[str]) -> None:
    if wanted not in among:
        raise BkError(f"there is no such {name}", str(wanted)[:40], f"one of {', '.join(among)}", code=USAGE)


def _bad(title: str, detail: str) -> BkError:
    return BkError(title, detail[:80], "label, surface, level, session, package, since_ms, until_ms", code=USAGE)


def _text(value: Mapping[str, Json]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
