"""A throw-away installation with things in it that can be held."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bk.engine.state import State
from bk.quarantine.record import Hold


def state_in(home: Path) -> State:
    """An installation below a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    return State(str(home / ".bk"), str(home), os.geteuid())


def package(project: Path, name: str = "evil", version: str = "1.0.0") -> Path:
    """An npm package as a manager leaves it: files, a script, a link, a nested package."""
    folder = project / "node_modules" / name
    (folder / "lib").mkdir(parents=True)
    (folder / "package.json").write_text(f'{{"name": "{name}", "version": "{version}"}}')
    (folder / "lib" / "index.js").write_text("module.exports = 1\n")
    script = folder / "install.sh"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    (folder / "link").symlink_to("lib/index.js")
    inner = folder / "node_modules" / "inner"
    inner.mkdir(parents=True)
    (inner / "package.json").write_text('{"name": "inner", "version": "2.0.0"}')
    os.utime(folder / "lib" / "index.js", ns=(1_700_000_000_000_000_001, 1_700_000_000_000_000_002))
    return folder


def wish(folder: Path, **over: object) -> Hold:
    """A wish to hold an npm package."""
    told = {"path": str(folder), "incident": "inc-1", "rules": ["package/known-malicious"], "actor": "engine", **over}
    return Hold("dir", "npm", folder.name, "1.0.0", evidence=[{"group": "one"}], **told)  # type: ignore[arg-type]


REGISTRY = """[
  { "identifier": { "id": "good.ext" }, "version": "2.0.0", "relativeLocation": "good.ext-2.0.0" },
  {
    "identifier": { "id": "Acme.Evil", "uuid": "0-1" }, // kept as it is
    "version": "1.0.0",
    "relativeLocation": "acme.evil-1.0.0",
    "metadata": { "source": "gallery", "token": "s3cret" }
  },
  { "identifier": { "id": "acme.evil" }, "version": "0.9.0", "relativeLocation": "acme.evil-0.9.0" }
]
"""


def extension(home: Path) -> Path:
    """An extension of an editor: its folder, another one, and the registry that has a row for each."""
    root = home / ".vscode" / "extensions"
    for name in ("acme.evil-1.0.0", "good.ext-2.0.0"):
        (root / name / "out").mkdir(parents=True)
        (root / name / "package.json").write_text("{}")
        (root / name / "out" / "main.js").write_text(f"// {name}\n")
    (root / "extensions.json").write_text(REGISTRY)
    os.utime(root / "extensions.json", ns=(1_700_000_000_000_000_001, 1_700_000_000_000_000_002))
    os.utime(root, ns=(1_700_000_000_000_000_003, 1_700_000_000_000_000_004))
    return root / "acme.evil-1.0.0"


def extension_wish(folder: Path | str, pointer: str = "/1") -> Hold:
    """A wish to hold an extension together with its row, which stood at this place when it was looked for."""
    described = [{"/identifier/id": "acme.evil", "/version": "1.0.0"}]
    rows = [(f"{os.path.dirname(folder)}/extensions.json", pointer)]
    return Hold("dir", "editor-extension", "acme.evil", "1.0.0", path=str(folder), rows=rows, described=described)


def photograph(root: Path | bytes) -> dict[bytes, tuple[object, ...]]:
    """Everything about a tree that a restore must give back."""
    seen: dict[bytes, tuple[object, ...]] = {}
    links: dict[tuple[int, int], bytes] = {}

    def look(path: bytes, told: bytes) -> None:
        info = os.lstat(path)
        kind = stat.S_IFMT(info.st_mode)
        what: object = None
        if stat.S_ISREG(kind):
            what = (Path(os.fsdecode(path)).read_bytes(), links.setdefault((info.st_dev, info.st_ino), told))
        elif stat.S_ISLNK(kind):
            what = os.readlink(path)
        times = 0 if stat.S_ISLNK(kind) else info.st_mtime_ns
        extra = () if stat.S_ISLNK(kind) else tuple((n, os.getxattr(path, n)) for n in sorted(os.listxattr(path)))
        seen[told] = (info.st_mode, info.st_uid, info.st_gid, times, what, extra)
        if stat.S_ISDIR(kind):
            for name in sorted(os.listdir(path)):
                look(path + b"/" + name, told + b"/" + name)

    look(os.fsencode(root), b"")
    return seen
