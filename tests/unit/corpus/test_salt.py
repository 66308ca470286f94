"""One salt an installation: made once, never replaced, nobody else's to read."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.corpus import once
from bk.engine.corpus.salt import salt
from bk.engine.errors import BkError
from bk.engine.state import State

RACE = """
import os, sys
from bk.engine.corpus.salt import salt
from bk.engine.state import State
state = State(sys.argv[1], "/", os.geteuid())
print(flush=True)
sys.stdin.readline()
print(salt(state).hex())
"""


def place(state: State) -> Path:
    return Path(state.root, "corpus.salt")


def test_it_is_made_once_and_stays(state: State) -> None:
    first = salt(state)
    assert len(first) == 32
    assert salt(state) == first
    assert bytes.fromhex(place(state).read_text()) == first
    assert stat.S_IMODE(place(state).stat().st_mode) == 0o600
    assert [name for name in os.listdir(state.root) if name.startswith("corpus.salt")] == ["corpus.salt"]


def test_of_many_that_start_together_the_first_writer_wins(state: State) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, state.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for each in racers:
        assert each.stdout is not None
        each.stdout.readline()
    for each in racers:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    found = {each.communicate(timeout=30)[0].strip() for each in racers}
    assert found == {salt(state).hex()}


def test_who_loses_the_race_for_the_name_takes_what_is_there(state: State) -> None:
    path = str(place(state))

    def slow() -> bytes:
        place(state).touch(0o600)
        place(state).write_bytes(b"theirs")
        return b"mine"

    assert once.kept(path, slow, state.owner) == b"theirs"
    assert [name for name in os.listdir(state.root) if "corpus.salt" in name] == ["corpus.salt"]


@pytest.mark.parametrize("held", ["", "ab" * 31, "ab" * 33, "AB" * 32, "zz" * 32, " " + "ab" * 32, "ab" * 32 + "\n\n"])
def test_a_malformed_salt_is_an_error_and_stays_as_it_is(state: State, held: str) -> None:
    place(state).touch(0o600)
    place(state).write_text(held)
    with pytest.raises(BkError, match="hexadecimal"):
        salt(state)
    assert place(state).read_text() == held


def test_a_link_is_not_followed(state: State, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch(0o600)
    other.write_text("ab" * 32)
    place(state).symlink_to(other)
    with pytest.raises(BkError):
        salt(state)
    place(state).unlink()
    place(state).symlink_to(tmp_path / "missing")
    with pytest.raises(BkError):
        salt(state)
    assert not (tmp_path / "missing").exists()


def test_what_others_may_read_or_what_is_no_file_is_not_used(state: State) -> None:
    salt(state)
    place(state).chmod(0o644)
    with pytest.raises(BkError, match="mode 644"):
        salt(state)
    place(state).unlink()
    os.mkfifo(place(state), 0o600)
    with pytest.raises(BkError, match="plain file"):
        salt(state)
    place(state).unlink()
    place(state).touch(0o600)
    place(state).write_bytes(b"a" * 5000)
    with pytest.raises(BkError, match="larger"):
        salt(state)
