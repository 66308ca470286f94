"""Trees as managers leave them, one scan over them, and whether the vault would take what it says."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from bk.engine.inventory import store
from bk.engine.inventory.ecosystems import EVERY
from bk.engine.inventory.item import Item
from bk.engine.inventory.scan import scan
from bk.engine.state import State
from bk.quarantine.ground import ground
from bk.quarantine.paths import refusal
from bk.quarantine.record import Hold


class Home:
    """A home of its own, with nothing in it."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = Path(os.path.realpath(path))
        self.state = State(str(self.path / ".bk"), str(self.path), os.geteuid())
        self.problems: list[tuple[str, str]] = []

    def put(self, path: str, text: str | bytes | object = "", mode: int = 0) -> Path:
        """A file below the home; what is no text is written as JSON."""
        there = self.path / path
        there.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            there.write_bytes(text)
        else:
            there.write_text(text if isinstance(text, str) else json.dumps(text))
        if mode:
            there.chmod(mode)
        return there

    def at(self, path: str) -> str:
        """The absolute path of something below the home."""
        return f"{self.path}/{path}"

    def seen(self, *ecosystems: str, env: Mapping[str, str] | None = None, root: str = "") -> list[Item]:
        """Everything that one scan of the home reports, with the readers that are named."""
        run = scan(
            self.state,
            profile="project",
            roots=[self.at(root) if root else str(self.path)],
            env=env or {},
            ecosystems={name: EVERY[name] for name in ecosystems},
        )
        self.problems = run.problems
        found = list(store.items(self.state, run))
        assert not {item.locator.kind for item in found} - {"dir", "file_set", "config_entry", "none"}
        return found

    def takes(self, items: list[Item]) -> list[str]:
        """What the rules of the vault say against the locators of items: nothing, if all is well."""
        here = ground(self.state, {item.root for item in items if item.root})
        wrong = []
        for item in items:
            at = item.locator
            for path in filter(None, (at.path, *at.files, *(one for one in at.also if "#" not in one))):
                code = refusal(path, item.ecosystem, here)
                inner = at.kind != "file_set" or path not in at.files or path.startswith(item.root + "/")
                if code or not inner or not item.root or not os.path.lexists(path):
                    wrong.append(f"{item.name}: {path}: {code or 'outside its root'}")
            if at.kind == "file_set" and not at.files:
                wrong.append(f"{item.name}: an empty set")
        return wrong


def one(items: list[Item], name: str, **over: object) -> Item:
    """The only item of a name."""
    [item] = [
        item for item in items if item.name == name and all(getattr(item, key) == value for key, value in over.items())
    ]
    return item


def wish(item: Item) -> Hold:
    """What the vault is asked for an item."""
    at = item.locator
    also = [path for path in at.also if "#" not in path]
    return Hold(
        at.kind, item.ecosystem, item.name, item.version, path=at.path, files=at.files, pointer=at.pointer,
        root=item.root, also=also,
    )  # fmt: skip


def said(items: list[Item]) -> set[tuple[str, str, str, str]]:
    """Name, version, kind and kind of locator of every item."""
    return {(item.name, item.version, item.kind, item.locator.kind) for item in items}


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], commands: str = "", needs: str = "") -> Path:
    """A wheel that pip installs without a network."""
    info = f"{name}-{version}.dist-info"
    inside = dict(files)
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    inside[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\nName: not this\n"
    )
    inside[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if commands:
        inside[f"{info}/entry_points.txt"] = f"[console_scripts]\n{commands}\n"
    rows = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in inside.items())
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in inside.items():
            archive.writestr(each, text)
        archive.writestr(f"{info}/RECORD", f"{rows}{info}/RECORD,,\n")
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
