"""What is left to do about an artifact: real processes that use it, the files that name it, the copies that remain."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bk.engine.inventory.item import CACHED, DIR, FILE_SET, INSTALLED, Item, Locator
from bk.engine.responder import followups
from bk.engine.responder.followups import FollowUp
from tests.unit.responder.house import House

HOLDING = "import os, sys, time; {}; print('ready', flush=True); time.sleep(60)"
OPEN = HOLDING.format("kept = open(sys.argv[1].replace('?', '/'))")
MAPPED = HOLDING.format(
    "import mmap; f = open(sys.argv[1].replace('?', '/'), 'rb'); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ);"
    "f.close()"
)
HERE = HOLDING.format("os.chdir(sys.argv[1].replace('?', '/'))")


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.say("evil", "osv", "datadog")
    return made


@contextmanager
def running(*words: str, cwd: Path | None = None, says: bool = True) -> Iterator[int]:
    """A process of ours that goes on until the test is over."""
    process = subprocess.Popen(words, cwd=cwd, stdout=subprocess.PIPE, text=True)
    try:
        if says:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield process.pid
    finally:
        process.kill()
        process.wait()


def hidden(path: Path) -> str:
    """A path that is no path on a command line: what finds the process then is not its arguments."""
    return str(path).replace("/", "?")


def left(house: House, items: Sequence[Item]) -> list[FollowUp]:
    return followups.of(house.state, house.only(), items)


def told(house: House, items: Sequence[Item], pid: int) -> list[str]:
    """How a process uses the artifact, as a person is told."""
    found = [each for each in left(house, items) if each.kind == "process"]
    assert {each.path for each in found} <= {f"process {pid}"}
    assert all("end it" in each.step for each in found)
    return [each.detail for each in found]


def program(item: Item) -> list[str]:
    shutil.copy("/bin/sleep", f"{item.locator.path}/sleeper")
    return [f"{item.locator.path}/sleeper", "60"]


WAYS: dict[str, tuple[Callable[[Item], list[str]], str]] = {
    "exe": (program, "sleeper is a program of it"),
    "cwd": (lambda item: [sys.executable, "-c", HERE, hidden(Path(item.locator.path, "lib"))], "works in it"),
    "argv": (lambda item: ["tail", "-f", f"{item.locator.path}/lib/index.js"], "tail was started with it"),
    "maps": (lambda item: [sys.executable, "-c", MAPPED, hidden(Path(item.locator.path, "lib/index.js"))],
             "has files of it loaded"),
    "fd": (lambda item: [sys.executable, "-c", OPEN, hidden(Path(item.locator.path, "lib/index.js"))],
           "has files of it open"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_process_that_uses_it_is_named_before_and_after_it_is_held(house: House, way: str) -> None:
    words, how = WAYS[way]
    item = house.install()
    house.set(dry_run=True)
    house.run([item])
    with running(*words(item), says=way not in ("exe", "argv")) as pid:
        time.sleep(0.05 if way in ("exe", "argv") else 0)
        assert [each.endswith(how) for each in told(house, [item], pid)] == [True]
        house.set(dry_run=False)
        assert house.run([item]).moved == 1
        after = told(house, [item], pid)  # what it uses lies in the vault now
        assert [each.endswith(how) for each in after] == [True]
    assert told(house, [item], pid) == []


def test_a_process_is_named_when_the_original_was_copied_and_removed(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    house = House(tmp_path)
    house.say("evil", "osv", "datadog")
    house.project = other / f"bk-follow-{os.getpid()}"
    try:
        item = house.install()
        with running(sys.executable, "-c", OPEN, hidden(Path(item.locator.path, "lib/index.js"))) as pid:
            assert house.run([item]).moved == 1
            assert [each.endswith("has files of it open") for each in told(house, [item], pid)] == [True]
    finally:
        shutil.rmtree(house.project)


def test_a_process_that_uses_a_neighbour_is_not_named(house: House) -> None:
    item, other = house.install(), house.install("evil-not")
    house.run([item])
    with running(*program(other), says=False) as pid:
        assert told(house, [item, other], pid) == []


def test_a_process_that_uses_a_module_of_a_python_package_is_named(house: House) -> None:
    site = house.project / ".venv" / "lib" / "python3.11" / "site-packages"
    files = [f"{site}/{name}" for name in ("evil/__init__.py", "evil-1.0.0.dist-info/METADATA")]
    for file in (*files, f"{site}/evil/other.py"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text("x = 1\n")
    house.say("evil", "osv", "datadog", ecosystem="pypi")
    house.set(dry_run=True)
    item = house.item("evil", "1.0.0", Locator(FILE_SET, files=files), ecosystem="pypi", manager="pip")
    house.run([item])
    with running(sys.executable, "-c", OPEN, hidden(Path(files[0]))) as pid:
        assert [each.endswith("has files of it open") for each in told(house, [item], pid)] == [True]
    with running(sys.executable, "-c", OPEN, hidden(site / "evil" / "other.py")) as pid:
        assert told(house, [item], pid) == []  # a shared folder's other file


def cached(house: House, path: Path, manager: str) -> Item:
    """A folder of a manager's cache with the package in it."""
    path.mkdir(parents=True)
    (path / "package.json").write_text(json.dumps({"name": "evil", "version": "1.0.0"}))
    where = Locator(DIR, str(path))
    return house.item("evil", "1.0.0", where, kind=CACHED, manager=manager, root=str(path.parent), observed=f"{path}/x")


def test_copies_in_caches_are_named_one_by_one_until_they_are_gone(house: House) -> None:
    item = house.install()
    home = Path(house.state.home)
    bun = cached(house, home / ".bun" / "install" / "cache" / "evil@1.0.0@@@1", "bun")
    yarn = cached(house, home / ".cache" / "yarn" / "v6" / "npm-evil-1.0.0-abc", "yarn")
    lock = house.locked()
    Path(lock.observed).write_text("{}")
    house.set(dry_run=True)
    house.run([item])
    every = [item, bun, yarn, lock]
    found = {(each.kind, each.path, each.detail) for each in left(house, every)}
    assert found == {
        ("cache", bun.locator.path, "bun 1.0.0"),
        ("cache", yarn.locator.path, "yarn 1.0.0"),
        ("lockfile", lock.observed, "npm 1.0.0"),
    }
    shutil.rmtree(bun.locator.path)
    assert [each.path for each in left(house, every) if each.kind == "cache"] == [yarn.locator.path]


def test_another_version_in_a_cache_is_no_copy(house: House) -> None:
    item = house.install()
    other = cached(house, Path(house.state.home) / ".bun" / "install" / "cache" / "evil@2.0.0@@@1", "bun")
    other.version = "2.0.0"
    house.set(dry_run=True)
    house.run([item])
    assert left(house, [item, other]) == []


def extension(house: House) -> tuple[Item, list[Path]]:
    """An extension that its editor's registry names, and the registry of one of its profiles."""
    root = Path(house.state.home) / ".vscode" / "extensions"
    folder = root / "acme.evil-1.0.0"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"publisher": "acme", "name": "evil", "version": "1.0.0"}))
    row = {"identifier": {"id": "acme.evil"}, "version": "1.0.0", "relativeLocation": folder.name}
    registries = [root / "extensions.json", Path(house.state.home, ".config/Code/User/profiles/p/extensions.json")]
    for path in registries:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([row]))
    where = Locator(DIR, str(folder), also=[f"{path}#/0" for path in registries])
    house.say("acme.evil", "osv", "datadog", ecosystem="editor-extension")
    house.answers["acme.evil"] = "same"
    told = {"manager": "vscode", "kind": INSTALLED, "observed": f"{folder}/package.json", "root": str(root)}
    return Item("editor-extension", "acme.evil", "1.0.0", locator=where, **told), registries  # type: ignore[arg-type]


def test_registries_of_editors_are_named_while_they_name_it(house: House) -> None:
    item, registries = extension(house)
    house.set(dry_run=True)
    house.run([item])
    found = [(each.kind, each.path, each.detail) for each in left(house, [item])]
    assert found == [("registry", str(path), "it names acme.evil-1.0.0") for path in registries]
    house.set(dry_run=False)
    assert house.run([item]).moved == 1
    assert left(house, [item]) == []  # the rows went with it
    registries[1].write_text(json.dumps([{"relativeLocation": "acme.evil-1.0.0"}]))
    assert [each.path for each in left(house, [item])] == [str(registries[1])]
