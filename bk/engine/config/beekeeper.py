"""Taking over a Beekeeper `config.json`: what has a counterpart here, and for the rest, why it was left."""

from __future__ import annotations

import json
import os

from bk.engine.config.files import USER_CAP, take
from bk.engine.config.schema import BY_NAME
from bk.engine.errors import BkError
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

SAME = {
    "fail_mode": "fail_mode",
    "redact_patterns": "audit.redact_patterns",
    "audit.redact_patterns": "audit.redact_patterns",
    "audit.retention_days": "audit.retention_days",
    "auto_quarantine.enabled": "auto_quarantine.enabled",
    "auto_quarantine.dry_run": "auto_quarantine.dry_run",
    "auto_quarantine.threshold": "auto_quarantine.threshold",
    "corpus.enabled": "corpus.enabled",
}
LEFT = {
    "socket.api_token": "a token is not copied between files",
    "watch.directories": "bk has no list of directories to watch",
    "audit.max_size_bytes": "the ledger is cut by entries: audit.segment_entries",
    "audit": "records leave only by `bk audit export`",
    "llamafirewall": "bk runs no external classifier",
    "self_catalog": "bk fetches nothing about itself during a call",
    "catalog_sync": "bk has no such schedule",
    "corpus.path": "the corpus lies in the state directory, and nowhere else",
    "corpus": "bk has no such key of the corpus",
    "posture.allow": "exceptions by package are not taken over: state them anew when you need them",
    "posture": "state it anew: posture.release_age.action, posture.lifecycle.action, posture.remote_source.action",
}


class Import:
    """What an import would set, and what it leaves, each with the reason."""

    __slots__ = ("left", "taken")

    def __init__(self) -> None:
        self.taken: dict[str, Json] = {}
        self.left: list[tuple[str, str]] = []


def read(path: str) -> Import:
    """Map a Beekeeper file onto the schema; BkError when it is not one."""
    text = take(path, USER_CAP, (os.geteuid(), 0), shared=True)
    if text is None:
        raise BkError("there is no such file", path, "give the path of a Beekeeper config.json")
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BkError("the file is not valid JSON", inert(f"{path}: {error}", 300), "correct it") from error
    if not isinstance(document, dict):
        raise BkError("the file is not a Beekeeper configuration", f"{path}: it holds no object", "")
    result = Import()
    for name, raw in _flat(document):
        _one(name, raw, result)
    return result


def _one(name: str, raw: Json, result: Import) -> None:
    shown = inert(name, 80)
    target = SAME.get(name)
    if target is None:
        why = LEFT.get(name) or LEFT.get(name.partition(".")[0]) or "it is no key of Beekeeper that bk knows"
        result.left.append((shown, why))
    elif name == "auto_quarantine.dry_run" and raw is False:
        result.left.append((shown, "real moves are never imported: set it yourself after looking at a dry run"))
    elif name == "auto_quarantine.threshold" and raw == 0:
        result.left.append((shown, "0 means the default, which stays 2"))
    elif BY_NAME[target].kind == "list" and isinstance(raw, list):
        _items(shown, target, raw, result)
    else:
        try:
            result.taken[target], note = BY_NAME[target].read(raw)
        except ValueError as error:
            result.left.append((shown, f"it {error}"))
        else:
            if note:
                result.left.append((shown, f"it {note}"))


def _items(shown: str, target: str, raw: list[Json], result: Import) -> None:
    """Each item by itself, so that one bad pattern does not cost the others."""
    kept: list[str] = list(result.taken.get(target, []))
    for number, item in enumerate(raw, 1):
        try:
            value, _ = BY_NAME[target].read([item])
        except ValueError as error:
            result.left.append((f"{shown}[{number}]", f"it {inert(str(error), 120)}"))
        else:
            kept += [each for each in value if each not in kept]
    if kept:
        result.taken[target] = kept


def _flat(document: dict[str, Json]) -> list[tuple[str, Json]]:
    """Two levels, which is as deep as Beekeeper's keys go."""
    pairs: list[tuple[str, Json]] = []
    for name, value in document.items():
        if isinstance(value, dict) and value:
            pairs += [(f"{name}.{inner}", each) for inner, each in value.items()]
        else:
            pairs.append((name, value))
    return pairs


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made
