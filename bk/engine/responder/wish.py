"""What the vault is asked to take of an artifact: itself, and everything that must go and come back with it."""

from __future__ import annotations

import os
import re

from bk.quarantine.record import Hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.inventory.item import Item
    from bk.engine.responder.incidents import Incident

RULE = "responder/known-malicious"
ROW = re.compile(r"(.+?\.(?:json|toml))#(/.+)", re.DOTALL)  # how a locator says "this row of that registry"


def wish(item: Item, incident: Incident, actor: str) -> Hold:
    """What the vault is asked to take."""
    locator = item.locator
    rows = [(row[1], row[2]) for row in map(ROW.fullmatch, locator.also) if row]
    return Hold(
        locator.kind,
        item.ecosystem,
        item.name,
        item.version,
        path=locator.path,
        files=locator.files,
        pointer=locator.pointer,
        root=item.root,
        also=[path for path in locator.also if not ROW.fullmatch(path)],
        rows=rows,
        described=described(item),
        incident=incident.id,
        evidence=incident.evidence,
        rules=[RULE],
        actor=actor,
    )


def described(item: Item) -> list[dict[str, str]]:
    """How the element of a list that speaks of an artifact is told from the others, whatever its number is by now."""
    path = item.locator.path
    if item.ecosystem == "editor-extension":
        by_name = {"/identifier/id": item.name, "/version": item.version}
        return [by_name, {"/relativeLocation": os.path.basename(path)}, {"/location/path": path}]
    if item.ecosystem == "agent-skill":
        return [{"/installPath": path}]
    return [{"": f"{item.name}@{item.version}" if item.version else item.name}] if item.manager == "opencode" else []


def size(item: Item) -> int:
    """Bytes that would move, roughly: the vault counts exactly, and refuses by itself."""
    total = 0
    for path in (item.locator.path, *item.locator.files, *item.locator.also):
        if not path or ROW.fullmatch(path):
            continue
        try:
            total += os.lstat(path).st_size
            if item.locator.kind == "dir":
                for folder, _, files in os.walk(path):
                    total += sum(os.lstat(f"{folder}/{name}").st_size for name in files)
        except OSError:
            continue
    return total
