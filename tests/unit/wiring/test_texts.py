"""In and out of any settings file: nothing but our entries changes, twice is once, and out is as before."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings

from bk.engine.wiring import json_text, texts, toml_text, yaml_text
from bk.engine.wiring.clients import BY_NAME
from bk.engine.wiring.plans import USER, Plan, Say
from tests import width
from tests.unit.wiring.documents import FOREIGN, json_documents, toml_documents, yaml_documents


def plan(client: str, program: str = "/usr/bin/bk-hook") -> Plan:
    made = BY_NAME[client].plans[USER](Say(program, BY_NAME[client]))
    return made[0]


EMPTY = re.compile(r"hooks = \[ ?\]|(?<=hooks: )\{\}|(?<=hooks: )~|(?<=pre_tool_call: )\[\]")
COMMENTS = (
    "// settings",
    "// it is so",
    "/* why */",
    "// end",
    "/* two */",
    "# one",
    "# none",
    "# why",
    "# theirs",
    "# after",
)
CLAUDE, KIMI, HERMES = plan("claude-code"), plan("kimi"), plan("hermes")


def others(text: str, of: Plan) -> Any:
    """What the document says without us: a list or a table that is empty says nothing."""
    told: Any = {"json": json_text.read, "toml": toml_text.read, "yaml": yaml_text.read}[of.form](text)
    told = json.loads(json.dumps(told, default=str))
    hooks = told.pop("hooks", None)
    for names, _ in of.states:
        told.pop(names[0], None)
    if isinstance(hooks, dict):
        hooks = {event: [row for row in rows or () if not texts.ours(row)] for event, rows in hooks.items()}
        hooks = {event: rows for event, rows in hooks.items() if rows}
    elif isinstance(hooks, list):
        hooks = [row for row in hooks if not texts.ours(row)]
    return repr({**told, "hooks": hooks} if hooks else told)  # nan is not itself


def in_and_out(text: str, of: Plan) -> None:
    wired = texts.planned(text, of)
    assert texts.holds(wired, of)
    assert others(wired, of) == others(text, of), "what others say is as it was"
    assert texts.planned(wired, of) == wired, "twice is once"
    again = plan_moved(of)
    moved = texts.planned(wired, again)
    assert texts.holds(moved, again), "a guard that moved replaces the old entry"
    assert others(moved, of) == others(text, of)
    out = texts.removed(moved, of, prune=True)
    assert others(out, of) == others(text, of)
    assert "bk-hook" not in out
    assert within(EMPTY.sub("", text), wired), "nothing is taken away or spelled anew"
    for comment in COMMENTS:
        assert out.count(comment) >= text.count(comment), "what people have said stays"


def within(text: str, longer: str) -> bool:
    """Whether every character but white space is in the longer text, in its order."""
    there = iter(longer)
    return all(char in there for char in text if not char.isspace())


def plan_moved(of: Plan) -> Plan:
    name = {"json": "claude-code", "toml": "kimi", "yaml": "hermes"}[of.form]
    return plan(name, "/opt/new place/bk-hook")


@settings(max_examples=width.of(30, 100), deadline=None)
@given(json_documents())
def test_json(text: str) -> None:
    in_and_out(text, CLAUDE)


@settings(max_examples=width.of(30, 80), deadline=None)
@given(toml_documents())
def test_toml(text: str) -> None:
    in_and_out(text, KIMI)


@settings(max_examples=width.of(12, 40), deadline=None)
@given(yaml_documents())
def test_yaml(text: str) -> None:
    in_and_out(text, HERMES)


@pytest.mark.parametrize(
    "text",
    ["{", '{"a": 1,, }', "[1]", '{"hooks": []}', '{"hooks": {"PreToolUse": {}}}', '{"hooks": 3}', "null",
     '{"hooks": {}, "hooks": {}}', "{} {}", '{"a": 1'],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_left_alone(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        texts.planned(text, CLAUDE)


@pytest.mark.parametrize("text", ["a = ", "[x", 'hooks = "x"', "hooks = [{event='a'}]", "hooks = 1"])
def test_so_is_toml(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        texts.planned(text, KIMI)


@pytest.mark.parametrize("text", ["a: [", "- a\n", "hooks: {a: 1}\n", "hooks: x\n", "hooks:\n  pre_tool_call: [a]\n"])
def test_so_is_yaml(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        texts.planned(text, HERMES)


def test_five_megabytes_take_no_more_than_reading_them() -> None:
    rows = [{"matcher": f"m{number}" + "x" * 900, "hooks": FOREIGN["hooks"]} for number in range(5_500)]
    text = json.dumps({"hooks": {"PreToolUse": rows, "Stop": []}, "x": 1}, indent=2)
    assert len(text) > 5 << 20
    started = time.process_time()
    json_text.read(text)
    reading = time.process_time() - started
    started = time.process_time()
    wired = texts.planned(text, CLAUDE)
    assert time.process_time() - started < 120 * reading
    assert texts.removed(wired, CLAUDE) == text.replace('"Stop": []\n  },', '"Stop": []\n  },')


def test_an_entry_of_somebody_else_in_the_same_group_is_theirs() -> None:
    mixed = {"matcher": "*", "hooks": [*FOREIGN["hooks"], *CLAUDE.rows[0].row["hooks"]]}
    text = json.dumps({"hooks": {"PreToolUse": [mixed]}})
    assert mixed in json_text.elements(texts.removed(text, CLAUDE), ("hooks", "PreToolUse"))
