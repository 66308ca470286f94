"""From an empty home to a purge: real package managers' trees, real feeds, the real worker and command line."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bk.engine.state import State
from bk.quarantine.listing import listed as held_in
from tests.e2e.catalog_house import CatalogHouse, Signer, fact
from tests.feeds.server import FeedServer
from tests.unit.config.terminal import as_person
from tests.unit.quarantine.house import photograph

ROOT = Path(__file__).parent.parent.parent
LIVE = {"auto_quarantine__enabled": True, "auto_quarantine__dry_run": False}
pytestmark = pytest.mark.long


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


class Machine(CatalogHouse):
    """A home with projects in it, two independent feeds, and a person at a terminal."""

    def __init__(self, state: State, feed: FeedServer) -> None:
        super().__init__(state, feed)
        self.signer = Signer(feed)
        self.serial = 0
        self.more = {"scan.roots": ["~/project"], "notify.channel": "none"}

    def call_bad(self, *packages: tuple[str, str, str]) -> None:
        """Have two independent sources call packages (ecosystem, name, version) malicious."""
        self.serial += 1
        lines = [fact(name, version).replace("npm", ecosystem, 1) for ecosystem, name, version in packages]
        self.signer.publish(*lines, serial=self.serial)
        told = [
            {"ecosystem": ecosystem, "name": name, "version": version, "severity": "critical"}
            for ecosystem, name, version in packages
        ]
        self.feed.serve("/l.json", json.dumps(told).encode(), etag=str(self.serial))
        self.use("list", "/l.json")
        self.use("org", "/org", key=self.signer.public)

    def bk(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command line, without a terminal."""
        return subprocess.run(
            [sys.executable, "-m", "bk", *words], env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=120
        )

    def person(self, *words: str, answer: str = "") -> tuple[int, str]:
        """The command line, as a person at a terminal runs it."""
        return as_person([sys.executable, "-m", "bk", *words, "--admin"], self.env, Path(self.state.home), answer)

    def told(self, *events: str) -> list[dict[str, Any]]:
        """What the ledger says of the responder."""
        from bk.engine.ledger.store import Ledger

        ledger = Ledger.open(self.state, create=False)
        try:
            found = [dict(entry.data) for entry in ledger.entries(limit=5000) if entry.kind == "responder"]
        finally:
            ledger.close()
        return [each for each in found if each["event"] in events] if events else found

    def npm(self, *packages: tuple[str, str]) -> Path:
        """A project into which npm itself installed these, offline."""
        tarballs = [str(tarball(Path(self.state.home), name, version)) for name, version in packages]
        self.project.joinpath("package.json").write_text('{"name": "shop", "version": "1.0.0"}')
        words = ["npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", *tarballs]
        env = {**self.env, "PATH": os.environ["PATH"]}
        subprocess.run(words, cwd=self.project, env=env, check=True, capture_output=True, timeout=120)
        return self.project / "node_modules"

    def pip(self, *packages: tuple[str, str]) -> Path:
        """An environment into which pip itself installed these, without an index."""
        venv = self.project / ".venv"
        subprocess.run([sys.executable, "-m", "venv", str(venv)], env=self.env, check=True, timeout=120)
        wheels = [str(wheel(Path(self.state.home), name, version)) for name, version in packages]
        words = [str(venv / "bin" / "pip"), "install", "--no-index", "--no-deps", "--quiet", *wheels]
        subprocess.run(words, env=self.env, check=True, capture_output=True, timeout=120)
        return next(venv.glob("lib/python*/site-packages"))

    def python(self, code: str) -> str:
        """What the environment's interpreter prints."""
        words = [str(self.project / ".venv" / "bin" / "python"), "-c", code]
        return subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=60).stdout.strip()


def tarball(folder: Path, name: str, version: str) -> Path:
    """A package as a registry would serve it."""
    path = folder / f"{name}-{version}.tgz"
    files = {
        "package.json": json.dumps({"name": name, "version": version, "main": "index.js"}),
        "index.js": f"module.exports = {json.dumps(name)};\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            info = tarfile.TarInfo(f"package/{file}")
            info.size, info.mode = len(text), 0o644
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def wheel(folder: Path, name: str, version: str) -> Path:
    """A wheel with one module folder in it."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"NAME = {name!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


@pytest.fixture
def machine(state: State, feed: FeedServer) -> Machine:
    return Machine(state, feed)


def without_time(seen: dict[bytes, tuple[object, ...]], *folders: bytes) -> dict[bytes, tuple[object, ...]]:
    """A photograph without the times of the folders that an entry was taken from and put back into."""
    return {path: (*what[:3], 0, *what[4:]) if path in folders else what for path, what in seen.items()}


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_an_npm_package_from_dry_run_to_purge(machine: Machine) -> None:
    modules = machine.npm(("good", "1.0.0"), ("evil", "1.0.0"))
    machine.call_bad(("npm", "evil", "1.0.0"))
    whole = photograph(machine.project)

    # switched off it is told, in a dry run it is told what would be: once each, and not a byte changes
    for enabled, event in ((False, "finding"), (True, "would_quarantine")):
        machine.settings(auto_quarantine__enabled=enabled)
        for _ in range(3):
            said = machine.sync()["responder"]
            assert (said["hits"], said["moved"], said["would"]) == (1, 0, int(enabled)), said
        assert photograph(machine.project) == whole
        assert len(machine.told(event)) == 1

    # the second setting is what lets it move
    machine.settings(auto_quarantine__dry_run=False)
    assert machine.sync()["responder"]["moved"] == 1
    assert sorted(path.name for path in modules.iterdir() if not path.name.startswith(".")) == ["good"]
    env = {**machine.env, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["node", "-e", "console.log(require('good'))"], cwd=machine.project, env=env, capture_output=True, text=True
    )
    assert done.stdout.strip() == "good", done.stderr

    # held, shown, and put back byte by byte, by a person who says why
    (item,) = held_in(machine.state)
    assert item.ident in machine.bk("quarantine", "list").stdout
    code, shown = machine.person("quarantine", "restore", item.ident)
    assert code == 3, shown
    assert "still known to be bad" in shown
    code, shown = machine.person("quarantine", "restore", item.ident, "--override-malicious", "--reason", "ours")
    assert code == 0, shown
    moved = (b"/node_modules",)
    assert without_time(photograph(machine.project), *moved) == without_time(whole, *moved)

    # left alone from then on
    for _ in range(2):
        assert machine.sync()["responder"]["moved"] == 0
    assert without_time(photograph(machine.project), *moved) == without_time(whole, *moved)

    # taken again on a person's word, and deleted on their typing only
    incident = json.loads(machine.bk("incidents", "list", "--all", "--json").stdout)["incidents"][0]
    assert incident["state"] == "exempt"
    code, shown = machine.person("incidents", "approve", incident["id"])
    assert code == 0, shown
    (item,) = held_in(machine.state)
    code, shown = machine.person("quarantine", "purge", item.ident, answer="y\n")
    assert (code, "Aborted" in shown) == (0, True), shown
    assert [each.ident for each in held_in(machine.state)] == [item.ident]
    code, shown = machine.person("quarantine", "purge", item.ident, answer=f"{item.ident[-6:]}\n")
    assert (code, "deleted" in shown) == (0, True), shown
    assert held_in(machine.state) == []
    outcomes = [(each["outcome"], each["digest"]) for each in machine.told("quarantine_purge")]
    assert outcomes == [("asked", item.digest), ("done", item.digest)]
    assert machine.bk("audit", "verify").returncode == 0


def test_a_python_package_goes_whole_and_comes_back_whole(machine: Machine) -> None:
    site = machine.pip(("goodlib", "1.0.0"), ("evillib", "1.0.0"))
    machine.call_bad(("pypi", "evillib", "1.0.0"))
    assert machine.python("import evillib; print(evillib.NAME)") == "evillib"  # leaves compiled files behind
    before = without_time(photograph(site), b"")
    machine.settings(**LIVE)
    said = machine.sync()
    assert said["responder"]["moved"] == 1, (said, machine.told())
    assert machine.python("import goodlib; print(goodlib.NAME)") == "goodlib"
    assert machine.python("import importlib.util as u; print(u.find_spec('evillib'))") == "None"
    assert [name for name in os.listdir(site) if "evillib" in name] == []
    (item,) = held_in(machine.state)
    code, shown = machine.person("quarantine", "restore", item.ident, "--override-malicious", "--reason", "ours")
    assert code == 0, shown
    after = without_time(photograph(site), b"")
    assert {path for path in after if b"goodlib" not in path} == {path for path in before if b"goodlib" not in path}
    for path in before:
        if b"evillib" in path:
            assert after[path] == before[path], path


def test_a_scan_says_what_it_found_and_exits_by_it(machine: Machine) -> None:
    folder = machine.project / "node_modules" / "evil"
    folder.mkdir(parents=True)
    folder.joinpath("package.json").write_text('{"name": "evil", "version": "1.0.0"}')
    root = str(machine.project)
    assert machine.bk("scan", "--root", root).returncode == 0
    machine.call_bad(("npm", "evil", "1.0.0"))
    machine.sync()
    done = machine.bk("scan", "--root", root)
    assert done.returncode == 20, done.stderr
    assert "npm evil 1.0.0" in done.stdout
    assert machine.bk("scan", "--root", root, "--fail-on", "never").returncode == 0
    told = json.loads(machine.bk("scan", "--root", root, "--format", "json").stdout)
    assert [(each["level"], each["name"]) for each in told["findings"]] == [("block", "evil")]
    sarif = json.loads(machine.bk("scan", "--root", root, "--format", "sarif").stdout)
    assert sarif["runs"][0]["results"][0]["level"] == "error"
    bom = json.loads(machine.bk("scan", "--root", root, "--format", "cyclonedx").stdout)
    assert [part["purl"] for part in bom["components"]] == ["pkg:npm/evil@1.0.0"]
    assert bom["vulnerabilities"][0]["affects"] == [{"ref": "pkg:npm/evil@1.0.0"}]
    records = [
        json.loads(line) for line in machine.bk("scan", "--root", root, "--format", "ndjson").stdout.splitlines()
    ]
    assert [each["record"] for each in records] == ["item", "finding", "run"]
    assert machine.bk("scan", "--root", f"{root}/none").returncode == 30
    assert machine.bk("scan", "--format", "xml").returncode == 2


def test_a_projects_own_settings_cannot_have_anything_moved(machine: Machine) -> None:
    folder = machine.project / "node_modules" / "evil"
    folder.mkdir(parents=True)
    folder.joinpath("package.json").write_text('{"name": "evil", "version": "1.0.0"}')
    text = "[auto_quarantine]\nenabled = true\ndry_run = false\nthreshold = 1\nmax_moves = 1000\n"
    machine.project.joinpath(".bk.toml").write_text(text)
    machine.call_bad(("npm", "evil", "1.0.0"))
    before = photograph(folder)
    machine.sync()
    done = subprocess.run(
        [sys.executable, "-m", "bk", "scan", "--root", "."],
        env={**machine.env, "PYTHONPATH": str(ROOT)}, cwd=machine.project, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 20
    machine.settings(auto_quarantine__enabled=True)  # a block that says no more than this is a dry run
    assert machine.sync()["responder"]["would"] == 1
    assert photograph(folder) == before
    assert held_in(machine.state) == []
