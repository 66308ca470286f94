"""Saved filters: what is kept, what is refused, and what a spoilt file does (nothing)."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from bk.engine.console import filters
from bk.engine.console.filters import Saved
from bk.engine.errors import USAGE, BkError
from bk.engine.state import State


def test_a_filter_is_kept_for_its_owner_alone_and_forgotten_again(state: State) -> None:
    assert filters.shelf(state) == ((), "")
    filters.save(state, "stopped", "  level>=block since:1d ")
    filters.save(state, "a-2", "npm:left-pad")
    assert filters.shelf(state).rows == (Saved("a-2", "npm:left-pad"), Saved("stopped", "level>=block since:1d"))
    assert stat.S_IMODE(os.stat(f"{state.root}/filters.json").st_mode) == 0o600
    filters.save(state, "stopped", "level:block")
    assert filters.shelf(state).rows[1].text == "level:block"
    filters.remove(state, "stopped")
    assert [row.name for row in filters.shelf(state).rows] == ["a-2"]
    with pytest.raises(BkError, match="no such filter"):
        filters.remove(state, "stopped")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Up", "x"),
        ("", "x"),
        ("a b", "x"),
        ("../x", "x"),
        ("a" * 41, "x"),
        ("ok", ""),
        ("ok", "x" * 1001),
        ("ok", "lvel:x"),
    ],
)
def test_what_cannot_be_used_is_not_saved(state: State, name: str, text: str) -> None:
    with pytest.raises(BkError) as caught:
        filters.save(state, name, text)
    assert caught.value.code == USAGE
    assert not os.path.exists(f"{state.root}/filters.json")


def test_there_is_a_bound(state: State) -> None:
    Path(f"{state.root}/filters.json").write_text(json.dumps({f"f{number}": "x" for number in range(filters.MOST)}))
    with pytest.raises(BkError, match="too many"):
        filters.save(state, "one-more", "x")
    filters.save(state, "f3", "y")


@pytest.mark.parametrize(
    "held",
    [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a": 1, "B!": "x", "c": "' + b"x" * 2_000 + b'"}',
     b'{"a":"' + b" " * (300 << 10) + b'"}'],
)  # fmt: skip
def test_a_spoilt_file_is_told_and_neither_raised_nor_overwritten(state: State, held: bytes) -> None:
    path = Path(f"{state.root}/filters.json")
    path.write_bytes(held)
    shelf = filters.shelf(state)
    assert shelf.rows == ()
    assert str(path) in shelf.problem
    assert filters.expanded(state, "@a level:block") == "@a level:block"
    with pytest.raises(BkError, match="cannot be changed"):
        filters.save(state, "a", "x")
    assert path.read_bytes() == held


def test_a_file_that_others_could_have_written_is_not_read(state: State) -> None:
    path = Path(f"{state.root}/filters.json")
    path.write_text('{"a": "x"}')
    path.chmod(0o666)
    assert filters.shelf(state).rows == ()
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert filters.shelf(state).problem


def test_a_filter_that_no_longer_reads_says_why(state: State) -> None:
    Path(f"{state.root}/filters.json").write_text('{"old": "colour:red", "good": "level:block"}')
    os.chmod(f"{state.root}/filters.json", 0o600)
    good, old = filters.shelf(state).rows
    assert good.problem == ""
    assert "colour" in old.problem
    assert "at character 1" in old.problem


def test_a_name_stands_for_its_filter(state: State) -> None:
    filters.save(state, "bad", "level:block -tool:Read")
    assert filters.expanded(state, "agent:claude @bad since:1h") == "agent:claude level:block -tool:Read since:1h"
    for plain in ("@other", "npm:@bad/x", '"@bad"', "@bad/x", "a@bad"):
        assert filters.expanded(state, plain) == plain
    with pytest.raises(BkError, match="negated"):
        filters.expanded(state, "-@bad")
