"""Extensions of Firefox and the browsers built from it: an archive each, and a registry of the profile's own."""

from __future__ import annotations

import re

from bk.engine.inventory.item import FILE_SET, INSTALLED, NOWHERE, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

MARKS = frozenset(("extensions.json",))
REGISTRY_MAX = 32 << 20
BUILT_IN = ("app-builtin", "app-system-defaults", "app-system-addons", "app-builtin-addons")
_ARCHIVE = re.compile(r".*/extensions/[^/]+\.xpi", re.DOTALL)
_ROOTS = (
    ".mozilla/firefox", ".config/mozilla/firefox", ".librewolf", ".waterfox", ".floorp", ".zen", ".mullvad-browser",
    ".tor-browser/profile.default", ".thunderbird", "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox", ".var/app/io.gitlab.librewolf-community/.librewolf",
    "Library/Application Support/Firefox/Profiles", "Library/Application Support/librewolf/Profiles",
    "Library/Application Support/zen/Profiles", "AppData/Roaming/Mozilla/Firefox/Profiles",
    "AppData/Roaming/librewolf/Profiles", "AppData/Roaming/zen/Profiles",
)  # fmt: skip


def places(home: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:  # noqa: ARG001 - one shape for all
    """Where these browsers keep the profiles of a person: a folder below each of these."""
    for below in _ROOTS:
        yield f"{home}/{below}", 1


def read(place: Place, found: Found) -> None:
    """Every extension that the registry of one profile names."""
    told = place.json("extensions.json", REGISTRY_MAX) if place.names().get("extensions.json") == "f" else None
    addons = told.get("addons") if isinstance(told, dict) else None
    if not isinstance(addons, list):
        return  # an editor keeps a list under this name
    for addon in addons:
        if isinstance(addon, dict) and addon.get("type") == "extension":
            _addon(place, addon, found)


def _addon(place: Place, addon: Mapping[str, Json], found: Found) -> None:
    ident, version, path = addon.get("id"), addon.get("version"), addon.get("path")
    location = str(addon.get("location", ""))
    if not isinstance(ident, str) or not ident or location in BUILT_IN or location.startswith("app-builtin"):
        return
    locator = NOWHERE
    notes = [_title(addon)]
    if isinstance(path, str) and _ARCHIVE.fullmatch(path) and path.startswith(f"{place.path}/"):
        if place.is_file(path[len(place.path) + 1 :]):
            locator = Locator(FILE_SET, files=(path,))
        else:
            notes.append("its archive is not there")
    else:
        notes.append("it runs from outside of the profile")
    if addon.get("active") is False or addon.get("userDisabled") is True:
        notes.append("disabled")
    if not isinstance(addon.get("signedState"), int) or addon["signedState"] <= 0:
        notes.append("not signed")
    source = addon.get("sourceURI") or addon.get("updateURL")
    item = Item(
        "browser-extension", ident, version if isinstance(version, str) else "", manager=_browser(place),
        kind=INSTALLED, observed=place.at("extensions.json"), locator=locator, root=place.path,
        origin=_host(source), note="; ".join(note for note in notes if note),
    )  # fmt: skip
    found.add(item)


def _title(addon: Mapping[str, Json]) -> str:
    shown = addon.get("defaultLocale")
    name = shown.get("name") if isinstance(shown, dict) else ""
    return name[:120] if isinstance(name, str) else ""


def _host(source: Json) -> str:
    from bk.engine.inventory.ecosystems.launch import host_of

    return host_of(source) if isinstance(source, str) else ""


def _browser(place: Place) -> str:
    """The browser, by the folders on the way to its profile."""
    lowered = place.path.lower()
    known = ("librewolf", "waterfox", "floorp", "zen", "mullvad", "tor-browser", "thunderbird")
    return next((name for name in known if name in lowered), "firefox")
