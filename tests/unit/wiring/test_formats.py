"""What people's files really look like: each case once broke an entry, lost a comment, or was refused without need."""

from __future__ import annotations

import pytest

from bk.engine.wiring import json_text, texts, toml_text, yaml_text
from bk.engine.wiring.alike import alike
from bk.engine.wiring.plans import Plan
from tests.unit.wiring.test_texts import CLAUDE, HERMES, KIMI, plan_moved

OURS = {"json": CLAUDE, "toml": KIMI, "yaml": HERMES}

ROOM = [
    ("yaml", "hooks:\n"),
    ("yaml", "hooks: {}\n"),
    ("yaml", "hooks: {} # none yet\nmodel: x\n"),
    ("yaml", "model: x\nhooks: ~\n"),
    ("yaml", "hooks:\n  pre_tool_call: []\n  post_tool_call:\n    - command: |\n        a\n        b\n"),
    ("yaml", "hooks:\n  pre_tool_call:\n# about what follows\nmodel: x\n"),
    ("yaml", "\ufeffmodel: é\nhooks:\n  pre_tool_call:\n    - command: 😀\n"),
    ("yaml", "a: &base\n  x: 1\nb:\n  <<: *base\nhooks:\n  pre_tool_call:\n    - &one\n      command: c\n    - *one\n"),
    ("yaml", "---\nhooks:\n  pre_tool_call: # why\n  -   command: a # b\n      x: 1\n"),
    ("yaml", "model: x\r\nhooks:\r\n\tpre_tool_call: x\r\n".replace("\tpre_tool_call: x", "  other:\r\n    - c: w")),
    ("yaml", "x: .nan\nhooks:\n  pre_tool_call:\n    - {command: a, timeout: 3}\n"),
    ("yaml", "model: x\n...\n"),
    ("toml", "hooks = []\n"),
    ("toml", "\ufeffhooks = []\na = 1\n"),
    ("toml", "hooks = [ ] # none yet\na = 1\n"),
    ("toml", "hooks = [\n]\n[x]\nhooks = [1]\n"),
    ("toml", "a = nan\n"),
    ("toml", 'a.b.c = 1\nd = { e = 1, f = [1, 2] }\n[[hooks]] # theirs\nevent = "Stop"\n[hooks.env]\nA = "1"\n'),
    ("toml", '  [[hooks]]\n  event = "Stop"\n# the end'),
    ("json", '{"hooks": { /* none */ }}'),
    ("json", '{"hooks": [].length}'.replace("[].length", '{"PreToolUse": [ // none\n]}')),
    ("json", '\ufeff{\r\n\t"a": 1, // one\r\n\t/* two */ "b": [1, 2,], // three\r\n}'),
    ("json", "// nothing but this\n"),
]


@pytest.mark.parametrize(("form", "text"), ROOM, ids=range(len(ROOM)))
def test_there_is_room(form: str, text: str) -> None:
    plan = OURS[form]
    wired = texts.planned(text, plan)
    assert texts.holds(wired, plan)
    assert texts.planned(wired, plan) == wired
    moved = plan_moved(plan)
    assert texts.holds(texts.planned(wired, moved), moved)
    out = texts.removed(wired, plan, before=text)
    assert alike(said(plan, out), said(plan, text))
    assert "bk-hook" not in out
    for word in ("theirs", "none yet", "why", "about what follows", "# b", "// one", "/* two */", "// three"):
        assert out.count(word) == text.count(word)


def said(plan: Plan, text: str) -> object:
    """What a document says; a list or a table with nothing in it says nothing."""
    read = {"json": json_text.read, "toml": toml_text.read, "yaml": yaml_text.read}[plan.form]
    return full(read(text))


def full(value: object) -> object:
    if isinstance(value, dict):
        return {key: full(each) for key, each in value.items() if each not in ({}, [], None) and full(each) != {}}
    return value


WRONG = [
    ("json", '{\n  "a": 1,,\n}', "line 2"),
    ("json", '{\n // c\n "a": 1 /* x\n y */,\n "b" 3\n}', "line 5"),
    ("json", '{\n  "a": "x\n"}', "line 2"),
    ("json", '{\n"a": /* never ended \n}', "line 2"),
    ("json", '{"a": 1} {}', "line 1"),
    ("json", '{"twice": 1, "twice": 2}', "'twice' is there twice"),
    ("json", '{"a":' * 3000, "too deeply"),
    ("toml", 'a = 1\nb = "\n', "line 2"),
    ("toml", "\ufeffa = 1\r\nb = \r\n", "line 2"),
    ("toml", 'hooks = [{event = "x"}]\n', "[[hooks]]"),
    ("yaml", "a: 1\nb: [\n", "line"),
    ("yaml", "a: 1\n\tb: 2\n", "line 2"),
    ("yaml", "hooks: x\n", "written as a value"),
    ("yaml", "hooks_auto_accept: false\n", "another value"),
    ("yaml", "a: 1\n---\nb: 2\n", "line"),
]


@pytest.mark.parametrize(("form", "text", "why"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_with_its_line(form: str, text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - what it says is looked at
        texts.planned(text, OURS[form])
    assert why in str(caught.value)


def test_a_setting_that_we_made_goes_and_one_that_was_there_stays() -> None:
    for before, left in (("model: x\n", False), ("hooks_auto_accept: true # mine\nmodel: x\n", True)):
        out = texts.removed(texts.planned(before, HERMES), HERMES, before=before)
        assert ("hooks_auto_accept" in out) is left
        assert ("# mine" in out) is left
    wired = texts.planned("model: x\n", HERMES)
    assert "hooks_auto_accept" in texts.removed(wired, HERMES), "who does not know takes nothing away"


def test_a_comment_before_ours_is_kept_when_ours_was_last() -> None:
    text = '{\n  "hooks": {\n    "PreToolUse": [\n      {"matcher": "x", "hooks": []} // theirs\n    ]\n  }\n}\n'
    assert texts.removed(texts.planned(text, CLAUDE), CLAUDE) == text


def test_numbers_and_truths_are_told_apart() -> None:
    assert alike({"a": [float("nan"), 1]}, {"a": [float("nan"), 1]})
    assert not alike(True, 1)
    assert not alike({"a": 1}, {"a": 1, "b": None})
    assert not alike([1], [1, 2])


@pytest.mark.long
@pytest.mark.parametrize(
    ("form", "head", "row"),
    [
        ("yaml", "hooks:\n  pre_tool_call:\n", "    - matcher: m # {n}\n      command: {x}\n"),
        ("toml", "a = 1 # one\n", '[[hooks]] # {n}\nevent = "Stop"\ncommand = "{x}"\n\n'),
        ("json", '// one\n{{"hooks": {{"PreToolUse": [\n', '  {{"matcher": "{x}", "hooks": []}}, // {n}\n'),
    ],
    ids=["yaml", "toml", "json"],
)
def test_five_megabytes(form: str, head: str, row: str) -> None:
    rows = "".join(row.format(n=number, x="x" * 900) for number in range(5_600))
    text = head.format() + rows + ("]}}\n" if form == "json" else "")
    assert len(text) > 5_000_000
    plan = OURS[form]
    wired = texts.planned(text, plan)
    assert texts.holds(wired, plan)
    out = texts.removed(wired, plan, before=text)
    assert [line for line in out.splitlines() if line] == [line for line in text.splitlines() if line]
