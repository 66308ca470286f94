"""Lock files of npm, pnpm, yarn and bun: what they promise. A promise has no place on disk that could be moved."""

from __future__ import annotations

from bk.engine.inventory.item import LOCKED, Item
from bk.engine.lower.installs.listing import Listing
from bk.engine.lower.installs.locks import READERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.inventory.place import Found, Place

LOCK_MAX = 64 << 20
LOCKS = (
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
)


def read(place: Place, found: Found) -> None:
    """Every lock file that lies in a directory."""
    names = place.names()
    for name, manager in LOCKS:
        if name not in names:
            continue
        text = place.text(name, LOCK_MAX)
        if text is None:
            continue
        listing = Listing()
        READERS[name](text, listing)
        for why in listing.problems:
            found.problem(place.at(name), why)
        for ecosystem, package, version, _ in dict.fromkeys(listing.items):
            if ecosystem == "npm" and package and version:
                found.add(
                    Item(
                        "npm",
                        package,
                        version,
                        manager=manager,
                        kind=LOCKED,
                        observed=place.at(name),
                        root=place.path,
                    )
                )
    if names.get("bun.lockb") == "f" and "bun.lock" not in names:
        found.problem(place.at("bun.lockb"), "it is binary; `bun install --save-text-lockfile` writes one to read")
