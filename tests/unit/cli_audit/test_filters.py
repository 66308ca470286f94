"""Saved filters as they are typed, and the place that a bad filter is told with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bk.engine.errors import OK, USAGE
from bk.engine.state import State
from tests.unit.cli_audit.test_read import Bk, bk, state

__all__ = ["bk", "state"]


def test_a_filter_is_saved_shown_used_and_forgotten(state: State, bk: Bk) -> None:
    assert bk("filters", "list").err.startswith("no filter is saved")
    assert (
        bk("filters", "save", "stopped", "level>=block", "-agent:codex").out
        == "@stopped is level>=block -agent:codex\n"
    )
    assert bk("filters", "list").out == "@stopped  level>=block -agent:codex\n"
    told = json.loads(bk("filters", "list", "--json").out)
    assert told == {"filters": [{"name": "stopped", "text": "level>=block -agent:codex", "problem": ""}], "problem": ""}
    assert bk("query", "@stopped", "--json").objects == bk("query", "level>=block", "-agent:codex", "--json").objects
    assert bk("filters", "remove", "@stopped").code == OK
    assert bk("filters", "remove", "stopped").code == USAGE


def test_a_name_and_a_filter_must_be_right(state: State, bk: Bk) -> None:
    assert bk("filters", "save", "Nope", "x").code == USAGE
    said = bk("filters", "save", "a", "level:block", "lvl:x")
    assert said.code == USAGE
    assert "(at character 13)" in said.err
    assert bk("filters", "list").out == ""


def test_a_spoilt_file_is_told(state: State, bk: Bk) -> None:
    Path(state.root, "filters.json").write_text("{")
    said = bk("filters", "list")
    assert said.code == OK
    assert "filters.json" in said.err
    assert bk("query", "level:block").code == OK


def test_a_query_says_where_it_went_wrong(state: State, bk: Bk) -> None:
    said = bk("query", "agent:claude", "since:whenever")
    assert said.code == USAGE
    assert "since:whenever (at character 14)" in said.err


@pytest.mark.parametrize("again", range(2))
def test_a_query_leaves_an_index_that_changes_no_answer(state: State, bk: Bk, again: int) -> None:
    assert bk("query", "level:block").rows == [9, 4, 3]
