"""Homebrew: kegs with the links that make them found, and casks, whose applications lie elsewhere."""

from __future__ import annotations

import re

from bk.engine.inventory.ecosystems.beside import link_into
from bk.engine.inventory.item import DIR, INSTALLED, NOWHERE, Item, Locator
from bk.engine.lower.installs.listing import table, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

MARKS = frozenset(("Cellar/", "Caskroom/"))
PREFIXES = ("/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew")
RECEIPT_MAX = 4 << 20
ELSEWHERE = "its application lies elsewhere: it is moved only by hand"
_KEG = re.compile(r"(.*/(?:homebrew|\.linuxbrew|local))/Cellar")


def places(home: str, env: Mapping[str, str]) -> Iterator[str]:
    """The prefixes that are known."""
    for prefix in dict.fromkeys((*PREFIXES, f"{home}/.linuxbrew", env.get("HOMEBREW_PREFIX", ""))):
        if prefix.startswith("/"):
            yield f"{prefix}/Cellar"
            yield f"{prefix}/Caskroom"


def read(place: Place, found: Found) -> None:
    """A Cellar or a Caskroom, whole."""
    if place.path.endswith("/Cellar"):
        _kegs(place, found)
    else:
        _casks(place, found)
    found.skip(*place.names())


def _kegs(place: Place, found: Found) -> None:
    prefix = place.path.rpartition("/")[0]
    for formula, kind in place.names().items():
        for version, sort in place.names(formula).items() if kind == "d" else ():
            keg, observed = f"{formula}/{version}", f"{formula}/{version}/INSTALL_RECEIPT.json"
            if sort != "d" or not place.is_file(observed):
                continue
            receipt = table(place.json(observed, RECEIPT_MAX))
            asked = receipt.get("installed_on_request")
            tap = word(table(receipt, "source").get("tap"))
            found.add(
                Item(
                    "homebrew",
                    formula,
                    version,
                    manager="brew",
                    kind=INSTALLED,
                    observed=place.at(observed),
                    locator=Locator(DIR, place.at(keg), also=_links(place, prefix, formula, keg)),
                    root=place.path,
                    direct=asked if isinstance(asked, bool) else None,
                    note=f"from the tap {tap}" if tap not in ("", "homebrew/core") else "",
                )
            )


def _links(place: Place, prefix: str, formula: str, keg: str) -> list[str]:
    """The links by which a keg is found, where they lead into it."""
    if not _KEG.fullmatch(place.path):
        return []
    wanted = [f"{prefix}/opt/{formula}"]
    for folder in ("bin", "sbin"):
        wanted += [f"{prefix}/{folder}/{name}" for name in place.names(f"{keg}/{folder}")]
    return [path for path in wanted if link_into(place, path, place.at(keg))]


def _casks(place: Place, found: Found) -> None:
    for token, kind in place.names().items():
        metadata = f"{token}/.metadata"
        for version, sort in place.names(metadata).items() if kind == "d" else ():
            if sort == "d" and version != "config":
                found.add(
                    Item("homebrew", token, version, manager="brew cask", kind=INSTALLED, locator=NOWHERE,
                         observed=place.at(f"{metadata}/{version}"), root=place.path, note=ELSEWHERE)
                )  # fmt: skip
