"""Packages that an extension brings inside itself: told as its parts, and moved only with it."""

from __future__ import annotations

from bk.engine.inventory.item import INSTALLED, Item
from bk.engine.lower.installs.listing import word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.inventory.place import Found, Place

MANIFEST_MAX = 1 << 20
BUNDLED_MAX = 20_000
DEPTH_MAX = 8


def bundled(place: Place, sub: str, parent: Item, found: Found, depth: int = 0) -> None:
    """Packages that an extension brings: told as its parts, and moved only with it."""
    if depth > DEPTH_MAX:
        return
    folders = []
    for name, kind in place.names(sub).items():
        if kind == "d" and name.startswith("@"):
            folders += [f"{sub}/{name}/{inner}" for inner, sort in place.names(f"{sub}/{name}").items() if sort == "d"]
        elif kind == "d" and not name.startswith("."):
            folders.append(f"{sub}/{name}")
    for folder in folders[:BUNDLED_MAX]:
        told = place.json(f"{folder}/package.json", MANIFEST_MAX)
        manifest = told if isinstance(told, dict) else {}
        name, version = word(manifest.get("name")), word(manifest.get("version"))
        if name and version:
            note = f"a part of the extension {parent.name} {parent.version}"
            observed = place.at(f"{folder}/package.json")
            found.add(
                Item("npm", name, version, manager="bundled", kind=INSTALLED, observed=observed,
                     root=parent.root, note=note)
            )  # fmt: skip
        if place.is_dir(f"{folder}/node_modules"):
            bundled(place, f"{folder}/node_modules", parent, found, depth + 1)
