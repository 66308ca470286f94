"""How items lie in the inventory's database: a directory's items as one compressed text, cheap to keep and to skip."""

from __future__ import annotations

import json
import zlib

from bk.engine.inventory.item import Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def row_of(item: Item) -> list[object]:
    """The item as a list."""
    at = item.locator
    return [
        item.ecosystem, item.name, item.version, item.manager, item.kind, item.observed,
        at.kind, at.path, at.files, at.pointer, at.also,
        item.root, item.origin, item.direct, item.scripts, item.confidence, item.note,
    ]  # fmt: skip


def item_of(row: list[Any]) -> Item:
    """The item that a list tells of."""
    ecosystem, name, version, manager, kind, observed, at, path, files, pointer, also, root, origin, direct, *rest = row
    scripts, confidence, note = rest
    return Item(
        ecosystem,
        name,
        version,
        manager=manager,
        kind=kind,
        observed=observed,
        locator=Locator(at, path, files, pointer, also),
        root=root,
        origin=origin,
        direct=direct,
        scripts=scripts,
        confidence=confidence,
        note=note,
    )


def packed(value: object) -> bytes:
    """JSON in ASCII, so that a path that is no UTF-8 survives it, compressed."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), 1)


def unpacked(kept: bytes | None) -> list[Any]:
    """What was packed; a list always."""
    return list(json.loads(zlib.decompress(kept))) if kept else []


def mentions(kept: bytes, word: str) -> bool:
    """Whether a packed list may hold this text: looking is much cheaper than unpacking."""
    return json.dumps(word).encode("ascii") in zlib.decompress(kept)
