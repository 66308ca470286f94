"""The ledger on disks that fill up, in directories that cannot be written, and in files that are damaged."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.ledger.errors import LedgerError
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.model import Entry
from bk.engine.state import State


@pytest.fixture
def small_disk(short_dir: Path) -> Iterator[State]:
    """An installation on a disk of one megabyte."""
    place = short_dir / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(place)], check=True)
    try:
        made = State(f"{place}/.bk", str(place), os.geteuid())
        made.ensure()
        yield made
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def big(number: int) -> Entry:
    return Entry("decision", "hook:test", {"n": number, "pad": "x" * 3000}, level="allow", call=f"c{number}")


def until_refused(ledger: Ledger, start: int) -> tuple[int, str]:
    """How many entries found room, and why the next did not."""
    for number in range(1000):
        try:
            ledger.append([big(start + number)])
        except LedgerError as error:
            return number, error.cause
    return 1000, ""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_blocks_and_loses_nothing(small_disk: State) -> None:
    state = small_disk
    ledger = Ledger.open(state)
    kept, cause = until_refused(ledger, 0)
    assert cause == "full"
    assert kept > 20
    for _ in range(3):
        with pytest.raises(LedgerError) as raised:
            ledger.append([big(10**6)])
        assert raised.value.cause == "full"
        assert "free space" in raised.value.next_step
    assert verify(state).ok
    ballast = Path(state.root, "intel", "ballast")
    ledger.close()

    # the space that is freed goes to the ledger again, in the same process and in a new one
    subprocess.run(["mount", "-o", "remount,size=4m", str(Path(state.root).parent)], check=True)
    ledger = Ledger.open(state)
    assert [each.call for each in ledger.entries(limit=1000)] == [f"c{number}" for number in range(kept)]
    ledger.append([big(kept)])
    assert ledger.checkpoint()
    room = os.statvfs(state.root)
    ballast.write_bytes(bytes(max(0, room.f_bavail - 2) * room.f_frsize))
    assert until_refused(ledger, 10**7)[1] == "full"
    ballast.unlink()
    before = ledger.head()[0]
    assert ledger.append([big(10**8)])[0].seq == before + 1
    ledger.close()
    report = verify(state)
    assert report.ok, report.problems


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_ledger_cannot_be_begun_on_a_full_disk_and_can_later(small_disk: State) -> None:
    state = small_disk
    ballast = Path(state.root, "intel", "ballast")
    room = os.statvfs(state.root)
    ballast.write_bytes(bytes((room.f_bavail - 4) * room.f_frsize))
    for _ in range(2):
        with pytest.raises(LedgerError) as raised:
            Ledger.open(state)
        assert raised.value.cause == "full"
    ballast.unlink()
    ledger = Ledger.open(state)
    ledger.append([big(1)])
    ledger.close()
    assert verify(state).ok


def attempt(state: State) -> str:
    """Open and append; the cause and the next step when that is refused."""
    try:
        ledger = Ledger.open(state)
        try:
            return f"recorded {ledger.append([Entry('engine', 'x', {})])[0].seq}"
        finally:
            ledger.close()
    except LedgerError as error:
        return f"{error.cause}: {error.next_step}"


def as_ordinary_user(state: State) -> str:
    """The same in a child whom file modes bind; forked, because not everybody can read this interpreter."""
    take, give = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(state.owner)
                os.setuid(state.owner)
            os.write(give, attempt(state).encode())
        finally:
            os._exit(0)
    os.close(give)
    with os.fdopen(take, encoding="utf-8") as said:
        text = said.read()
    assert os.waitpid(child, 0)[1] == 0
    return text


@pytest.fixture
def shared(short_dir: Path) -> Iterator[State]:
    """An installation that an ordinary user owns, whoever runs the tests."""
    os.chmod(short_dir, 0o755)
    made = State(f"{short_dir}/s", "/", 65534 if os.geteuid() == 0 else os.geteuid())
    for path in (made.root, f"{made.root}/mark", made.keys, made.run):
        os.mkdir(path, 0o700)
        if os.geteuid() == 0:
            os.chown(path, made.owner, made.owner)
    yield made
    for path in (made.root, f"{made.root}/mark", made.keys):
        os.chmod(path, 0o700)


@pytest.mark.parametrize("what", ["root", "mark", "audit.db"])
def test_what_cannot_be_written_is_named(shared: State, what: str) -> None:
    assert [as_ordinary_user(shared) for _ in range(2)] == ["recorded 1", "recorded 2"]
    path = {"root": shared.root, "mark": shared.mark, "audit.db": shared.audit}[what]
    mode = os.stat(path).st_mode & 0o777
    os.chmod(path, 0o500 if what == "root" else 0o400)
    assert as_ordinary_user(shared) == "readonly: make the state directory writable for its owner"
    os.chmod(path, mode)
    assert as_ordinary_user(shared) == "recorded 3"


@pytest.mark.parametrize("part", ["", "/mark", "/keys"])
def test_a_directory_that_cannot_be_written_from_the_start(shared: State, part: str) -> None:
    os.chmod(f"{shared.root}{part}", 0o500)
    assert as_ordinary_user(shared).startswith("readonly: ")
    os.chmod(f"{shared.root}{part}", 0o700)
    assert as_ordinary_user(shared) == "recorded 1"


@pytest.mark.parametrize("how", ["garbage", "half a page", "zeros in the middle"])
def test_a_corrupt_database_is_named_and_blocks(state: State, how: str) -> None:
    ledger = Ledger.open(state)
    ledger.append([big(number) for number in range(60)])
    ledger.checkpoint()
    ledger.close()
    file = Path(state.audit)
    raw = file.read_bytes()
    if how == "garbage":
        file.write_bytes(os.urandom(len(raw)))
    elif how == "half a page":
        file.write_bytes(raw[:2048])
    else:
        file.write_bytes(raw[:4096] + bytes(len(raw) - 4096))
    said = attempt(state)
    assert said.startswith("corrupt: ")
    assert "recover" in said
    report = verify(state)
    assert not report.ok
    assert report.problems[0].kind == "corrupt"
