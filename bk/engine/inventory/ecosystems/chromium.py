"""Extensions of Chromium and the browsers built from it: a folder for each identity in each profile.

`Preferences` and `Secure Preferences` are read and never written: the browser signs what they say, and takes a change
by anybody else for tampering.
"""

from __future__ import annotations

import re

from bk.engine.inventory.item import CACHED, DIR, INSTALLED, NOWHERE, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

MARKS = frozenset(("Extensions", "Preferences", "Secure Preferences"))
SETTINGS = ("Preferences", "Secure Preferences")
SETTINGS_MAX = 32 << 20
MANIFEST_MAX = 1 << 20
MESSAGES_MAX = 4 << 20
UNPACKED = frozenset((4, 8))  # loaded from a folder by hand, or by the command line
COMPONENT = frozenset((5, 10))  # a part of the browser
_IDENT = re.compile(r"[a-p]{32}")
_VERSION = re.compile(r"(\d+(?:\.\d+){0,3})_\d+")
_MESSAGE = re.compile(r"__MSG_([A-Za-z0-9_@]{1,200})__")
_ORDER = re.compile(r"\d+")
_LINUX = (
    "google-chrome", "google-chrome-beta", "google-chrome-unstable", "chromium", "BraveSoftware/Brave-Browser",
    "BraveSoftware/Brave-Browser-Beta", "BraveSoftware/Brave-Browser-Nightly", "microsoft-edge", "microsoft-edge-beta",
    "microsoft-edge-dev", "vivaldi", "vivaldi-snapshot", "opera", "opera-beta", "yandex-browser", "thorium",
    "ungoogled-chromium", "net.imput.helium", "perplexity-comet",
)  # fmt: skip
_MACOS = (
    "Google/Chrome", "Google/Chrome Beta", "Google/Chrome Canary", "Chromium", "BraveSoftware/Brave-Browser",
    "Microsoft Edge", "Vivaldi", "com.operasoftware.Opera", "Arc/User Data", "Comet", "Dia/User Data",
    "Yandex/YandexBrowser",
)  # fmt: skip
_WINDOWS = (
    "Google/Chrome", "Google/Chrome Beta", "Google/Chrome SxS", "Chromium", "BraveSoftware/Brave-Browser",
    "Microsoft/Edge", "Vivaldi", "Perplexity/Comet", "Yandex/YandexBrowser",
)  # fmt: skip
_SANDBOXES = (
    "snap/chromium/common/chromium", "snap/chromium/current/.config/chromium",
    "snap/brave/current/.config/BraveSoftware/Brave-Browser",
    ".var/app/com.google.Chrome/config/google-chrome", ".var/app/org.chromium.Chromium/config/chromium",
    ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser",
    ".var/app/com.microsoft.Edge/config/microsoft-edge", ".var/app/com.vivaldi.Vivaldi/config/vivaldi",
)  # fmt: skip


def places(home: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Where the browsers keep the profiles of a person: a folder below each of these."""
    config = env.get("XDG_CONFIG_HOME", "")
    for base in (f"{home}/.config", *((config,) if config.startswith("/") else ())):
        for below in _LINUX:
            yield f"{base}/{below}", 1
    for below in _MACOS:
        yield f"{home}/Library/Application Support/{below}", 1
    for below in _WINDOWS:
        yield f"{home}/AppData/Local/{below}/User Data", 1
    for below in _SANDBOXES:
        yield f"{home}/{below}", 1


def read(place: Place, found: Found) -> None:
    """Every extension of one profile."""
    idents = [name for name, kind in place.names("Extensions").items() if kind == "d" and _IDENT.fullmatch(name)]
    settings = _settings(place)
    if not idents and not settings:
        return
    for ident in idents:
        _packed(place, ident, settings.get(ident, {}), found)
    for ident, told in settings.items():
        if _IDENT.fullmatch(ident) and told.get("location") in UNPACKED:
            _unpacked(place, ident, told, found)


def _settings(place: Place) -> dict[str, dict[str, Json]]:
    """What the browser itself believes of each extension."""
    told: dict[str, dict[str, Json]] = {}
    for name in SETTINGS:
        document = place.json(name, SETTINGS_MAX) if place.names().get(name) == "f" else None
        extensions = document.get("extensions") if isinstance(document, dict) else None
        settings = extensions.get("settings") if isinstance(extensions, dict) else None
        for ident, entry in settings.items() if isinstance(settings, dict) else ():
            if isinstance(entry, dict):
                told[ident] = {**told.get(ident, {}), **entry}
    return told


def _packed(place: Place, ident: str, told: Mapping[str, Json], found: Found) -> None:
    """An extension from a store: a folder for each version, of which the browser loads one."""
    versions: list[tuple[list[int], str, Mapping[str, Json]]] = []
    for folder, kind in place.names(f"Extensions/{ident}").items():
        if kind != "d" or not _VERSION.fullmatch(folder):
            continue
        manifest = place.json(f"Extensions/{ident}/{folder}/manifest.json", MANIFEST_MAX)
        versions.append((_order(folder), folder, manifest if isinstance(manifest, dict) else {}))
    if not versions:
        return
    newest = max(versions)[1]
    loaded = str(told.get("path", "")).rpartition("/")[2]
    current = loaded if any(loaded == folder for _, folder, _ in versions) else newest
    for _, folder, manifest in sorted(versions, key=lambda one: one[:2]):
        version = manifest.get("version")
        spelled = folder.rpartition("_")[0]
        notes = [_title(place, f"Extensions/{ident}/{folder}", manifest), *_state(told)]
        if isinstance(version, str) and version != spelled:
            notes.append(f"its folder is named {folder}")
        item = Item(
            "browser-extension", ident, version if isinstance(version, str) and version else spelled,
            manager=_browser(place), kind=INSTALLED if folder == current else CACHED,
            observed=place.at(f"Extensions/{ident}/{folder}/manifest.json"),
            locator=Locator(DIR, place.at(f"Extensions/{ident}")), root=place.path, origin=_store(told, manifest),
            confidence="exact" if isinstance(version, str) and version else "name",
            note="; ".join(note for note in notes if note),
        )  # fmt: skip
        found.add(item)


def _unpacked(place: Place, ident: str, told: Mapping[str, Json], found: Found) -> None:
    """An extension that runs from somebody's own folder: told, and never taken from there."""
    path = told.get("path")
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        return
    manifest = place.elsewhere(path.rstrip("/")).json("manifest.json", MANIFEST_MAX)
    manifest = manifest if isinstance(manifest, dict) else {}
    version, name = manifest.get("version"), manifest.get("name")
    notes = [name if isinstance(name, str) and not _MESSAGE.fullmatch(name) else "", *_state(told), f"unpacked: {path}"]
    item = Item(
        "browser-extension", ident, version if isinstance(version, str) else "", manager=_browser(place),
        kind=INSTALLED, observed=place.at(SETTINGS[0]), locator=NOWHERE, root=place.path, origin="unpacked",
        note="; ".join(note for note in notes if note),
    )  # fmt: skip
    found.add(item)


def _order(folder: str) -> list[int]:
    return [int(number) for number in _ORDER.findall(folder)]


def _state(told: Mapping[str, Json]) -> list[str]:
    off = told.get("state") == 0 or bool(told.get("disable_reasons"))
    return ["disabled"] if off else []


def _store(told: Mapping[str, Json], manifest: Mapping[str, Json]) -> str:
    """Where it came from, as the browser remembers it."""
    if told.get("from_webstore") is True:
        return "web store"
    if told.get("location") in COMPONENT:
        return "a part of the browser"
    address = manifest.get("update_url")
    if isinstance(address, str) and address:
        from bk.engine.inventory.ecosystems.launch import host_of

        return host_of(address)
    return ""


def _title(place: Place, folder: str, manifest: Mapping[str, Json]) -> str:
    """The name that people know; it may be a key into the messages of a language."""
    name = manifest.get("name")
    if not isinstance(name, str):
        return ""
    message = _MESSAGE.fullmatch(name)
    if message is None:
        return name[:120]
    language = manifest.get("default_locale")
    languages = [language] if isinstance(language, str) and "/" not in language else []
    for each in dict.fromkeys((*languages, "en", "en_US")):
        told = place.json(f"{folder}/_locales/{each}/messages.json", MESSAGES_MAX)
        for key, entry in told.items() if isinstance(told, dict) else ():
            if key.lower() == message[1].lower() and isinstance(entry, dict) and isinstance(entry.get("message"), str):
                return str(entry["message"])[:120]
    return ""


def _browser(place: Place) -> str:
    """The browser, by the folder that holds its profiles."""
    parts = [part for part in place.path.split("/") if part not in ("User Data", "Default", "config")]
    own = place.path.rpartition("/")[2]
    if parts and parts[-1] == own:
        parts.pop()
    return parts[-1].lower().replace(" ", "-") if parts else "chromium"
