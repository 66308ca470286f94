"""The reference page knows every word of the language, and its examples are of the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bk.engine.rules.expression import is_ast
from bk.engine.rules.vocabulary import CLAUSES, MATCHERS, MODIFIERS, PLACEHOLDERS, SEVERITIES, TIERS
from tests.unit.rules import found, one, rules

PAGE = (Path(__file__).parents[3] / "docs" / "rules-language.md").read_text(encoding="utf-8")
ROWS = [line.replace("\\|", "\0").split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
EXAMPLES = [row[2].strip(" |`").replace("\0", "|") for row in ROWS if len(row) == 3]


def test_every_word_is_there() -> None:
    for name in (*MATCHERS, *MODIFIERS):
        assert f"`{name}(" in PAGE, name
    for word in (*CLAUSES, *TIERS, *SEVERITIES):
        assert re.search(rf"[`\"]{word}[`\" ]", PAGE), word
    for name in PLACEHOLDERS:
        assert f"`{{{name}}}`" in PAGE, name


def test_there_is_an_example_of_each_matcher_and_modifier() -> None:
    for name in (*MATCHERS, *MODIFIERS):
        assert any(f"{name}(" in example for example in EXAMPLES), name


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_can_be_read(example: str) -> None:
    assert is_ast(example)
    assert rules(one(example))


def test_the_rule_at_the_top_does_what_is_said_of_it() -> None:
    text = PAGE.split("```")[1].strip("\n") + "\n"
    assert rules(text)[0].name == "reset-hard"
    assert found(text, "sudo env A=1 /usr/bin/git -C x reset --har")
    assert found(text, "git reset --hard; git --help")
    assert not found(text, "echo git reset --hard")
