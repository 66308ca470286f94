"""Extensions of VS Code and of the editors that grew out of it: one folder each, and a registry that names them.

The same identity may belong to different people in the two stores that such editors use, so where the registry says
which store it was, that is kept.
"""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

from bk.engine.inventory.ecosystems.bundled import bundled
from bk.engine.inventory.item import CACHED, DIR, INSTALLED, NOWHERE, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

MARKS = frozenset(("extensions/",))
MANIFEST_MAX = 1 << 20
REGISTRY = "extensions.json"
OBSOLETE = ".obsolete"
APPS = {  # folder of a home → (what the editor calls its data, the store it asks)
    ".vscode": ("Code", "marketplace"),
    ".vscode-insiders": ("Code - Insiders", "marketplace"),
    ".vscode-exploration": ("Code - Exploration", "marketplace"),
    ".vscode-oss": ("Code - OSS", "open-vsx"),
    ".vscode-oss-dev": ("code-oss-dev", "open-vsx"),
    ".vscodium": ("VSCodium", "open-vsx"),
    ".vscodium-insiders": ("VSCodium - Insiders", "open-vsx"),
    ".cursor": ("Cursor", "open-vsx"),
    ".cursor-nightly": ("Cursor Nightly", "open-vsx"),
    ".windsurf": ("Windsurf", "open-vsx"),
    ".windsurf-next": ("Windsurf - Next", "open-vsx"),
    ".trae": ("Trae", "open-vsx"),
    ".trae-cn": ("Trae CN", "open-vsx"),
    ".antigravity": ("Antigravity", "open-vsx"),
    ".kiro": ("Kiro", "open-vsx"),
    ".positron": ("Positron", "open-vsx"),
    ".void-editor": ("Void", "open-vsx"),
    ".pearai": ("PearAI", "open-vsx"),
    ".theia": ("Theia", "open-vsx"),
    ".vscode-server": ("", "marketplace"),
    ".vscode-server-insiders": ("", "marketplace"),
    ".vscode-remote": ("", "marketplace"),
    ".vscodium-server": ("", "open-vsx"),
    ".vscode-oss-server": ("", "open-vsx"),
    ".cursor-server": ("", "open-vsx"),
    ".windsurf-server": ("", "open-vsx"),
    ".trae-server": ("", "open-vsx"),
    ".antigravity-server": ("", "open-vsx"),
    ".kiro-server": ("", "open-vsx"),
    ".positron-server": ("", "open-vsx"),
}
_BASES = (".config", "Library/Application Support", "AppData/Roaming")
_OTHERS = (
    ".local/share/code-server/extensions", ".openvscode-server/extensions", ".config/Code/data/extensions",
    ".var/app/com.visualstudio.code/data/vscode/extensions", ".var/app/com.vscodium.codium/data/codium/extensions",
    ".var/app/com.vscodium.codium/data/vscode/extensions", "snap/code/common/.vscode/extensions",
    "snap/code/current/.vscode/extensions", "snap/codium/current/.vscode-oss/extensions",
)  # fmt: skip
_FOLDER = re.compile(
    r"(?P<publisher>[A-Za-z0-9][A-Za-z0-9_-]*)\.(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*?)"
    r"-(?P<version>\d+\.\d+\.\d+(?:-(?!(?:win32|linux|alpine|darwin|web|universal)\b)[0-9A-Za-z.]+)?)"
    r"(?:-(?P<platform>(?:win32|linux|alpine|darwin)-[a-z0-9]+|web|universal))?",
    re.ASCII,
)
_SCRIPTS = ("vscode:uninstall", "preinstall", "install", "postinstall")


def places(home: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Where each editor keeps its extensions, and where its servers do on machines that are worked on from afar."""
    for folder in APPS:
        yield f"{home}/{folder}/extensions", 0
    for below in _OTHERS:
        yield f"{home}/{below}", 0
    for name, below in (("VSCODE_EXTENSIONS", ""), ("VSCODE_PORTABLE", "/extensions")):
        if env.get(name, "").startswith("/"):
            yield env[name] + below, 0


def read(place: Place, found: Found) -> None:
    """Every extension that lies in one folder of extensions."""
    names = place.names()
    rows = _rows(place, place.json(REGISTRY) if names.get(REGISTRY) == "f" else None, place.at(REGISTRY))
    known = REGISTRY in names or OBSOLETE in names or place.path.rpartition("/")[0].rpartition("/")[2] in APPS
    told = place.json(OBSOLETE) if names.get(OBSOLETE) == "f" else None
    obsolete = {name for name, gone in told.items() if gone} if isinstance(told, dict) else set()
    of_profiles = list(_profiles(place)) if known else []
    for name, kind in names.items():
        if kind == "l" and known and not name.startswith("."):
            _linked(place, name, found)
        item = _extension(place, name, known=known) if kind == "d" and not name.startswith(".") else None
        if item is None:
            continue
        found.skip(name)
        registered = [row for row in (*rows, *of_profiles) if row.folder == item.locator.path]
        item.locator = Locator(DIR, item.locator.path, also=[row.where for row in registered])
        item.kind = CACHED if name in obsolete else INSTALLED
        item.origin = next((row.origin for row in registered if row.origin), "") or _store(place)
        notes = [item.note, "its editor removes it at its next start" if name in obsolete else ""]
        if known and rows and not registered:
            notes.append("no registry of its editor names it")
        item.note = "; ".join(note for note in notes if note)
        found.add(item)
        bundled(place, f"{name}/node_modules", item, found)


def _linked(place: Place, name: str, found: Found) -> None:
    """An extension that somebody works on: it runs from where it is written, and is not taken from there."""
    place.stamp(name)
    real = os.path.realpath(place.at(name))
    item = _extension(place.elsewhere(os.path.dirname(real)), os.path.basename(real), known=False)
    if item is not None:
        item.locator, item.root, item.manager = NOWHERE, place.path, _manager(place)
        item.note = f"a link to {real}"
        found.add(item)


class _Row:
    """An element of a registry: which folder it names, where it stands, and which store it tells of."""

    __slots__ = ("folder", "origin", "where")

    def __init__(self, folder: str, where: str, origin: str) -> None:
        self.folder = folder
        self.where = where
        self.origin = origin


def _rows(place: Place, registry: Json, path: str) -> list[_Row]:
    made = []
    for number, element in enumerate(registry if isinstance(registry, list) else ()):
        if not isinstance(element, dict):
            continue
        folder = _folder(element, place)
        if folder:
            made.append(_Row(folder, f"{path}#/{number}", _origin(element.get("metadata"))))
    return made


def _folder(element: Mapping[str, Json], place: Place) -> str:
    """The folder that an element speaks of; "" when it names none."""
    name, location = element.get("relativeLocation"), element.get("location")
    if isinstance(name, str) and name and "/" not in name:
        return place.at(name)
    path = location.get("path") or location.get("fsPath") if isinstance(location, dict) else location
    if not isinstance(path, str) or "\0" in path:
        return ""
    return os.path.realpath(unquote(path.removeprefix("file://")) if path.startswith("file://") else path)


def _origin(metadata: Json) -> str:
    """The store, as far as the registry's metadata tells."""
    if not isinstance(metadata, dict):
        return ""
    if metadata.get("source") == "vsix":
        return "vsix"
    gallery = str(metadata.get("galleryUrl") or metadata.get("registry") or metadata.get("gallery") or "").lower()
    if "open-vsx" in gallery or "openvsx" in gallery:
        return "open-vsx"
    return "marketplace" if "marketplace" in gallery else ""


def _store(place: Place) -> str:
    """The store that this editor asks when it is left as it comes."""
    app = APPS.get(place.path.rpartition("/")[0].rpartition("/")[2])
    return app[1] if app else ""


def _profiles(place: Place) -> Iterator[_Row]:
    """The rows of an editor's further profiles: each has a registry of its own and shares the folders."""
    parent = place.path.rpartition("/")[0]
    app = APPS.get(parent.rpartition("/")[2], ("", ""))[0]
    users = [f"{parent}/data/User", f"{parent}/user-data/User"]
    users += [f"{place.home}/{base}/{app}/User" for base in _BASES] if app else []
    for user in users:
        profiles = place.elsewhere(f"{user}/profiles")
        for name, kind in profiles.names().items():
            if kind == "d" and profiles.is_file(f"{name}/{REGISTRY}"):
                # a relative location is relative to the folder of extensions, not to the profile
                yield from _rows(place, profiles.json(f"{name}/{REGISTRY}"), profiles.at(f"{name}/{REGISTRY}"))


def _extension(place: Place, folder: str, *, known: bool) -> Item | None:
    """What one folder is, by the metadata in it; by its name alone where there is none that can be read."""
    told = place.json(f"{folder}/package.json", MANIFEST_MAX)
    parts = _FOLDER.fullmatch(folder)
    manifest: dict[str, Json] = told if isinstance(told, dict) else {}
    publisher, name, version = (_word(manifest.get(key)) for key in ("publisher", "name", "version"))
    note, confidence, observed = "", "exact", place.at(f"{folder}/package.json")
    engines = manifest.get("engines")
    if publisher and name and version:
        if not known and not (isinstance(engines, dict) and "vscode" in engines):
            return None
        if parts and (f"{parts['publisher']}.{parts['name']}".lower(), parts["version"]) != (
            f"{publisher}.{name}".lower(), version,
        ):  # fmt: skip
            note = f"its folder is named {folder}"
    elif known and parts and not manifest:
        publisher, name, version = parts["publisher"], parts["name"], parts["version"]
        confidence, observed = "name", place.at(folder)
        note = "its metadata cannot be read: this is what its folder is named"
    else:
        return None
    scripts = manifest.get("scripts")
    return Item(
        "editor-extension", f"{publisher}.{name}", version, manager=_manager(place), kind=INSTALLED, observed=observed,
        locator=Locator(DIR, place.at(folder)), root=place.path, confidence=confidence, note=note,
        scripts=[script for script in _SCRIPTS if script in scripts] if isinstance(scripts, dict) else (),
    )  # fmt: skip


def _word(value: Json) -> str:
    return value.strip() if isinstance(value, str) else ""


def _manager(place: Place) -> str:
    """The editor, by the folder that it has in a home."""
    folder = place.path.rpartition("/")[0].rpartition("/")[2]
    return folder.removeprefix(".") if folder in APPS else "editor"
