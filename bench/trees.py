"""Plants trees as npm, pnpm and pip leave them, and remembers what is in them.

Metadata is written for every package, because that is what is read; the files beside it (code, licences) are hard links
to a few, because only their number counts.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator

from bk.engine.tables import names

HEAVY = 700  # packages of one project, as a usual web application has
NESTED = 0.1
BESIDE = ("README.md", "LICENSE", "index.js", "lib/index.js", "lib/cli.js", "lib/types.d.ts")
PIP_BESIDE = ("__init__.py", "core.py", "util.py", "api.py", "cli.py", "py.typed")
PER_LINK = 60_000  # a file system has a limit of links to one file

Planted = set[tuple[str, str, str, str]]  # ecosystem, name, version, where its metadata lies


class Forest:
    """Trees below one folder. `planted` is every installed package, `locked` every promise."""

    def __init__(self, root: str, seed: int = 1) -> None:
        self.root = root
        self.planted: Planted = set()
        self.locked: Planted = set()
        self._random = random.Random(seed)
        self._links = 0
        os.makedirs(f"{root}/.bulk")

    def plant(self, total: int) -> None:
        """Half npm, a third pnpm, the rest pip, in projects of usual size."""
        shares = (("npm", self._npm, total // 2), ("pnpm", self._pnpm, total // 3))
        for name, planting, share in shares:
            for number, size in enumerate(_sizes(share, HEAVY)):
                planting(f"{self.root}/{name}-{number}", size)
        for number, size in enumerate(_sizes(total - total // 2 - total // 3, 120)):
            self._pip(f"{self.root}/pip-{number}", size)

    def paths(self) -> Iterator[str]:
        """Where the metadata of the planted packages lies."""
        for _, _, _, path in self.planted:
            yield path

    def _bulk(self, folder: str, names: tuple[str, ...]) -> None:
        source = f"{self.root}/.bulk/{self._links // PER_LINK}"
        if self._links % PER_LINK == 0:
            _write(source, "module.exports = {}\n" * 40)
        self._links += len(names)
        for name in names:
            os.link(source, f"{folder}/{name}")

    def _package(self, folder: str, name: str, version: str) -> None:
        os.makedirs(f"{folder}/lib")
        _write(f"{folder}/package.json", _package_json(name, version))
        self._bulk(folder, BESIDE)
        self.planted.add(("npm", name, version, f"{folder}/package.json"))

    def _names(self, size: int) -> list[tuple[str, str]]:
        made = {}
        while len(made) < size:
            word = f"{self._random.choice(_WORDS)}-{self._random.choice(_WORDS)}-{self._random.randrange(5_000)}"
            name = f"@{self._random.choice(_WORDS)}/{word}" if self._random.random() < 0.2 else word
            made[name] = f"{self._random.randrange(9)}.{self._random.randrange(30)}.{self._random.randrange(12)}"
        return list(made.items())

    def _npm(self, project: str, size: int) -> None:
        os.makedirs(f"{project}/src")
        packages = self._names(size)
        flat, nested = packages[: -int(size * NESTED) or None], packages[-int(size * NESTED) or size :]
        entries: dict[str, dict[str, object]] = {}
        for name, version in flat:
            self._npm_one(project, f"node_modules/{name}", name, version, entries)
        for name, version in nested:
            host = self._random.choice(flat)[0]
            self._npm_one(project, f"node_modules/{host}/node_modules/{name}", name, version, entries)
        self._project(project, flat)
        whole = {"name": "app", "lockfileVersion": 3, "requires": True, "packages": entries}
        _write(f"{project}/package-lock.json", json.dumps(whole, indent=2))
        _write(f"{project}/node_modules/.package-lock.json", json.dumps(whole, indent=2))
        self._lock(f"{project}/package-lock.json", packages)

    def _npm_one(self, project: str, at: str, name: str, version: str, entries: dict[str, dict[str, object]]) -> None:
        self._package(f"{project}/{at}", name, version)
        entries[at] = {
            "version": version,
            "resolved": f"https://registry.example/{name}/-/{name.rpartition('/')[2]}-{version}.tgz",
            "integrity": "sha512-" + "A" * 86 + "==",
            "license": "MIT",
            "engines": {"node": ">=18"},
        }

    def _pnpm(self, project: str, size: int) -> None:
        os.makedirs(f"{project}/node_modules/.pnpm/node_modules")
        packages = self._names(size)
        lines = ["lockfileVersion: '9.0'", "", "packages:", ""]
        for name, version in packages:
            folder = f"{name.replace('/', '+')}@{version}"
            inner = f"{project}/node_modules/.pnpm/{folder}/node_modules"
            self._package(f"{inner}/{name}", name, version)
            for other, its in self._random.sample(packages, min(2, len(packages))):
                _link(
                    f"{inner}/{other}",
                    f"{project}/node_modules/.pnpm/{other.replace('/', '+')}@{its}/node_modules/{other}",
                )
            target = f"{project}/node_modules/.pnpm/{folder}/node_modules/{name}"
            _link(f"{project}/node_modules/.pnpm/node_modules/{name}", target)
            lines += [f"  '{name}@{version}':", "    resolution: {integrity: sha512-AAAA}", ""]
        for name, version in packages[:40]:
            _link(
                f"{project}/node_modules/{name}",
                f"{project}/node_modules/.pnpm/{name.replace('/', '+')}@{version}/node_modules/{name}",
            )
        _write(f"{project}/node_modules/.modules.yaml", "layoutVersion: 5\nnodeLinker: isolated\nstoreDir: /store/v3\n")
        self._project(project, packages[:40])
        _write(f"{project}/pnpm-lock.yaml", "\n".join(lines))
        self._lock(f"{project}/pnpm-lock.yaml", packages)

    def _project(self, project: str, asked: list[tuple[str, str]]) -> None:
        told = {
            "name": "app",
            "version": "1.0.0",
            "dependencies": {name: f"^{version}" for name, version in asked[:40]},
        }
        _write(f"{project}/package.json", json.dumps(told, indent=2))

    def _lock(self, path: str, packages: list[tuple[str, str]]) -> None:
        self.locked.update(("npm", name, version, path) for name, version in packages)

    def _pip(self, project: str, size: int) -> None:
        site = f"{project}/.venv/lib/python3.11/site-packages"
        os.makedirs(f"{project}/.venv/bin")
        _write(f"{project}/.venv/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.7\n")
        for long, version in self._names(size):
            name = long.lstrip("@").replace("/", "-")
            module = name.replace("-", "_")
            if os.path.exists(f"{site}/{module}"):
                continue
            info = f"{module}-{version}.dist-info"
            os.makedirs(f"{site}/{module}/__pycache__")
            os.makedirs(f"{site}/{info}")
            files = [f"{module}/{one}" for one in PIP_BESIDE]
            self._bulk(f"{site}/{module}", PIP_BESIDE)
            files += [f"{info}/{one}" for one in ("INSTALLER", "METADATA", "RECORD", "WHEEL", "top_level.txt")]
            _write(f"{site}/{info}/METADATA", _metadata(name, version))
            _write(f"{site}/{info}/INSTALLER", "pip\n")
            _write(f"{site}/{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
            _write(f"{site}/{info}/top_level.txt", module + "\n")
            _write(f"{site}/{info}/RECORD", "".join(f"{one},sha256={'A' * 43},800\n" for one in files))
            self.planted.add(("pypi", name, version, f"{site}/{info}/METADATA"))


_WORDS = sorted(
    names(
        "async array babel cache color core data debug emitter events fast glob graph hash http is json lazy loader "
        "map node object parse path plugin promise proxy query queue react regex schema stream string table token tree "
        "type url util value vue watch web yaml zip"
    )
)


def _sizes(total: int, usual: int) -> list[int]:
    return [usual] * (total // usual) + ([total % usual] if total % usual else [])


def _write(path: str, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def _link(path: str, target: str) -> None:
    folder = path.rpartition("/")[0]
    os.makedirs(folder, exist_ok=True)
    if not os.path.lexists(path):
        os.symlink(os.path.relpath(target, folder), path)


def _package_json(name: str, version: str) -> str:
    """As long as they usually are: a description, scripts, a dozen dependencies."""
    return json.dumps(
        {
            "name": name,
            "version": version,
            "description": f"What {name} does, said in a sentence of a usual length for such things",
            "main": "index.js",
            "bin": {name.rpartition("/")[2]: "lib/cli.js"},
            "files": ["lib", "index.js"],
            "scripts": {"test": "node --test", "lint": "eslint .", "build": "tsc -p ."},
            "repository": {"type": "git", "url": f"git+https://code.example/{name}.git"},
            "keywords": ["one", "two", "three", "four"],
            "author": "Somebody <somebody@mail.example>",
            "license": "MIT",
            "dependencies": {f"dependency-{number}": f"^{number}.0.0" for number in range(6)},
            "devDependencies": {f"tool-{number}": f"^{number}.1.0" for number in range(8)},
            "engines": {"node": ">=18"},
        },
        indent=2,
    )


def _metadata(name: str, version: str) -> str:
    return (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: What it does\nLicense: MIT\n"
        + "".join(f"Requires-Dist: dependency-{number} (>={number}.0)\n" for number in range(8))
        + "\n"
        + "A description of some length. " * 60
    )
