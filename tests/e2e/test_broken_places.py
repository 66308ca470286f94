"""When a part breaks, the hook blocks and says why, `bk diag` names the part and the way back, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.ledger.verify import verify
from bk.engine.state import State
from tests.e2e.engine_house import House, until

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")


@pytest.fixture
def house(state: State) -> Iterator[House]:
    made = House(state)
    yield made
    made.quiet()


@pytest.fixture
def disk_house(short_dir: Path) -> Iterator[House]:
    """An installation on a disk of three megabytes."""
    home = short_dir / "disk"
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(home)], check=True)
    try:
        state = State(f"{home}/.bk", str(home), os.geteuid())
        state.ensure()
        made = House(state)
        yield made
        made.quiet()
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


def denied(house: House, word: str) -> str:
    """The reason of a call that must be blocked; `word` has to be in it."""
    done = house.call("git status")
    reason = done.stderr.decode()
    assert done.returncode == 2, f"let through: {done.stdout!r}"
    assert json.loads(done.stdout)["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert word in reason, reason
    return reason


def told(house: House, part: str) -> dict[str, str]:
    """What `bk diag` says of a part that is not well."""
    done = house.bk("diag", "--json")
    assert done.returncode in (3, 4), done.stdout + done.stderr
    parts = {item["component"]: item for item in json.loads(done.stdout)["components"]}
    assert parts[part]["state"] == "bad", parts[part]
    assert parts[part]["next_step"], "a part that is not well has a way back"
    found: dict[str, str] = parts[part]
    return found


def working(house: House) -> None:
    assert house.call("git status").returncode == 0
    until(house.engine)


@ROOT_ONLY
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_full_disk_blocks_and_space_heals_it(disk_house: House, warm: bool) -> None:
    house = disk_house
    working(house)
    if not warm:
        house.quiet()
    recorded = len(house.entries())
    ballast = Path(house.state.home, "ballast")
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
    for _ in range(600):  # what is left in already allocated pages may still take some entries
        done = house.call("git status")
        if done.returncode:
            break
    denied(house, "full")
    ballast.unlink()
    until(lambda: house.call("git status").returncode == 0)
    assert len(house.entries()) > recorded
    assert verify(house.state).ok


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_removed_ledger_blocks_until_a_person_recovers_it(house: House, warm: bool) -> None:
    working(house)
    if not warm:
        house.quiet()
    for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
        Path(house.state.root, name).unlink(missing_ok=True)
    denied(house, "audit.db")
    assert "recover" in told(house, "ledger")["next_step"]


def test_an_overwritten_ledger_blocks_and_is_named(house: House) -> None:
    working(house)
    house.quiet()
    path = Path(house.state.audit)
    path.write_bytes(b"not a database " * 1000)
    denied(house, "audit.db")
    assert told(house, "ledger")["reason"]
    assert path.read_bytes().startswith(b"not a database"), "nobody touches the evidence"


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_damaged_index_blocks_and_is_named(house: House, warm: bool) -> None:
    working(house)
    if not warm:
        house.quiet()
    (current,) = Path(house.state.intel).glob("generation-*.index")
    whole = current.read_bytes()
    current.chmod(0o600)
    current.write_bytes(whole[: len(whole) // 2])
    if warm:  # an engine holds the file it opened: it must notice at the next look-up or reload
        os.utime(Path(house.state.intel, "current"))
        until(lambda: house.call("npm install left-pad@1.3.0").returncode == 2)
    else:
        denied(house, "index")
    assert told(house, "index")["next_step"]


def test_a_bad_edit_keeps_the_last_good_policy_and_is_shown(house: House) -> None:
    config = Path(house.state.config)
    config.write_text('paths.block = ["~/clients/**"]\n')
    config.chmod(0o600)
    working(house)
    secret = f"cat {house.state.home}/clients/list"
    assert house.call(secret).returncode == 2
    config.write_text("this is [not toml")
    until(lambda: any(entry.kind == "incident" for entry in house.entries()))
    assert house.call(secret).returncode == 2, "what was forbidden stays forbidden"
    assert house.call("git status").returncode == 0, "and what was allowed goes on"
    done = house.bk("diag", "--json")
    assert done.returncode == 3
    parts = {item["component"]: item for item in json.loads(done.stdout)["components"]}
    assert parts["config"]["state"] in ("warn", "bad")
    assert parts["config"]["next_step"]


def test_a_state_directory_open_to_others_is_refused(house: House) -> None:
    os.chmod(house.state.root, 0o755)
    denied(house, "")
    os.chmod(house.state.root, 0o700)
    working(house)
