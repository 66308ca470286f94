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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bk.engine.state import State
from bk.quarantine.listing import listed as held_in
from tests.e2e import crates
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


BAD, GOOD = ("evil-crate", "1.0.0"), ("good-crate", "1.0.0")


def goes_alone_and_comes_back(machine: Machine, source: Path, resolves: Callable[[], list[str]]) -> None:
    """From a dry run to a restore, for a crate that lies unpacked beside another."""
    place = source / "evil-crate-1.0.0"
    top = Path(machine.state.home, ".cargo", "registry")
    machine.call_bad(("cargo", *BAD))
    whole = photograph(top)
    machine.settings(auto_quarantine__enabled=True)
    for _ in range(3):
        said = machine.sync()["responder"]
        assert (said["moved"], said["would"]) == (0, 2), said  # it, and the line of the lock file that names it
    assert photograph(top) == whole
    assert len([each for each in machine.told("would_quarantine") if each["path"] == str(place)]) == 1

    machine.settings(auto_quarantine__dry_run=False)
    assert machine.sync()["responder"]["moved"] == 1
    assert [name for name in os.listdir(source) if not name.startswith(".")] == ["good-crate-1.0.0"]
    assert not list(top.glob("cache/*/evil-crate*"))
    assert resolves() == ["good-crate"]

    (item,) = held_in(machine.state)
    code, shown = machine.person("quarantine", "restore", item.ident, "--override-malicious", "--reason", "ours")
    assert code == 0, shown
    kept = [b"/" + os.fsencode(path.relative_to(top)) for path in (source, *top.glob("cache/*"))]
    assert without_time(photograph(top), *kept) == without_time(whole, *kept)
    for _ in range(2):
        assert machine.sync()["responder"]["moved"] == 0
    assert held_in(machine.state) == []


def test_a_crate_in_a_tree_as_cargo_leaves_it_goes_alone_and_comes_back(machine: Machine) -> None:
    home = Path(machine.state.home, ".cargo")
    source = crates.unpacked(home, BAD, GOOD)
    crates.project(machine.project, BAD, GOOD)
    assert crates.resolved(machine.project, home) == ["evil-crate", "good-crate"]
    goes_alone_and_comes_back(machine, source, lambda: crates.resolved(machine.project, home))
    assert crates.resolved(machine.project, home) == ["evil-crate", "good-crate"]


@pytest.mark.skipif(not all(map(shutil.which, ("cargo", "cc"))), reason="needs cargo and a C compiler")
def test_a_crate_that_cargo_itself_unpacked_goes_alone_and_comes_back(machine: Machine) -> None:
    home = Path(machine.state.home, ".cargo")
    home.mkdir()
    local = crates.registry(Path(machine.state.home, "registry"), BAD, GOOD)
    where = f'[source.crates-io]\nreplace-with = "local"\n[source.local]\nlocal-registry = {json.dumps(str(local))}\n'
    home.joinpath("config.toml").write_text(where)
    crates.project(machine.project, BAD, GOOD).joinpath("Cargo.lock").unlink()
    toolchains = os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))
    env = {**machine.env, "PATH": os.environ["PATH"], "CARGO_HOME": str(home), "RUSTUP_HOME": toolchains}

    rest = crates.project(Path(machine.state.home, "rest"), GOOD)
    rest.joinpath("Cargo.lock").unlink()

    def cargo(folder: Path) -> subprocess.CompletedProcess[str]:
        words = ["cargo", "build", "--offline"]
        return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=300)

    done = cargo(machine.project)
    assert done.returncode == 0, done.stderr
    (source,) = (home / "registry" / "src").iterdir()
    assert sorted(os.listdir(source)) == ["evil-crate-1.0.0", "good-crate-1.0.0"]

    # what asks for the bad one has it unpacked anew from its registry; what asks for the other has that built
    goes_alone_and_comes_back(machine, source, lambda: ["good-crate"] if cargo(rest).returncode == 0 else [])
    shutil.rmtree(machine.project / "target")
    assert cargo(machine.project).returncode == 0


def test_a_pass_that_breaks_off_moves_nothing_and_the_sync_stands(machine: Machine) -> None:
    folder = machine.project / "node_modules" / "evil"
    folder.mkdir(parents=True)
    folder.joinpath("package.json").write_text('{"name": "evil", "version": "1.0.0"}')
    machine.call_bad(("npm", "evil", "1.0.0"))
    machine.settings(**LIVE)
    Path(machine.state.root, "incidents.db").write_bytes(b"no database at all" * 100)
    before = photograph(machine.project)
    said = machine.sync()
    assert said["activated"]
    assert "the incidents cannot be read" in said["responder"]["problem"]
    assert machine.install("evil@1.0.0") == "quarantine"  # what was fetched is in force
    assert photograph(machine.project) == before
    assert held_in(machine.state) == []
    assert [each.level for each in machine.entries("responder failed")] == ["warn"]


def test_a_scan_moves_nothing_and_a_person_may_ask_for_it(machine: Machine) -> None:
    folder = machine.project / "node_modules" / "evil"
    folder.mkdir(parents=True)
    folder.joinpath("package.json").write_text('{"name": "evil", "version": "1.0.0"}')
    root = str(machine.project)
    machine.bk("scan", "--root", root)  # an index is there
    machine.call_bad(("npm", "evil", "1.0.0"))
    machine.settings(catalog_sync__enabled=True)
    machine.sync()
    machine.settings(**LIVE)
    before = photograph(folder)
    assert machine.bk("scan", "--root", root).returncode == 20
    refused = machine.bk("scan", "--root", root, "--respond", "--admin")
    assert (refused.returncode, refused.stdout) == (1, ""), refused.stderr
    assert "needs a person" in refused.stderr
    assert photograph(folder) == before
    assert held_in(machine.state) == []
    code, shown = machine.person("scan", "--root", root, "--respond")
    assert (code, "1 taken out of use" in shown) == (20, True), shown
    assert [item.name for item in held_in(machine.state)] == ["evil"]


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
