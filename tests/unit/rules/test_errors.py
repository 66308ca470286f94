"""Every mistake is told with its place, what was expected and the nearest known word; all of a file at once."""

from __future__ import annotations

import pytest

from bk.engine.rules.compile import compiled
from bk.engine.rules.errors import RuleErrors
from tests.unit.rules import book, errors, one, rules

RULE = 'block "r"\n  match x1\n'
WRONG = [
    # text, line, column, part of the message, suggestion
    ('blok "r"\n  match x1\n', 1, 1, "expected block, suspicious, warn", "block"),
    ("block r\n  match x1\n", 1, 7, "name in quotes", ""),
    ("block\n  match x1\n", 1, 6, "name in quotes", ""),
    ('block "r\n  match x1\n', 1, 7, "no closing quote", ""),
    ('block "a b"\n  match x1\n', 1, 8, "letters, digits", ""),
    ('block "r" x\n  match x1\n', 1, 11, "nothing more", ""),
    (RULE + 'warn "r"\n  match x1\n', 3, 7, "already, at line 1", ""),
    ("  match x1\n", 1, 3, "outside a rule", ""),
    ("match x1\n", 1, 1, "indent it", ""),
    ('block "r"\n', 1, 1, "is empty", ""),
    ('block "r"\n  why "x"\n', 1, 1, "has no `match`", ""),
    ('block "r"\n\tmatch x1\n', 2, 1, "spaces, not with a tab", ""),
    ('block "r"\n  mtch x1\n', 2, 3, "expected a clause", "match"),
    ('block "r"\n  command("x")\n', 2, 3, "expected a clause", "match"),
    ('block "r"\n  match\n', 2, 8, "expected a pattern", ""),
    ('block "r"\n  match foo(bar\n', 2, 16, "missing )", ""),
    ('block "r"\n  match a(?=b)\n', 2, 10, "invalid perl operator", ""),
    ('block "r"\n  match a[z-a]b\n', 2, 11, "z-a", ""),
    ('block "r"\n  match a{2000}\n', 2, 10, "repetition size", ""),
    ('block "r"\n  match a*\n', 2, 9, "matches the empty text", ""),
    ('block "r"\n  match comand("x")\n', 2, 9, "unknown matcher comand", "command"),
    ('block "r"\n  match with_flags("-x")\n', 2, 9, "is a modifier", ""),
    ('block "r"\n  match command("x") with_flag("-x")\n', 2, 22, "unknown modifier", "with_flags"),
    ('block "r"\n  match command("x") command("y")\n', 2, 22, "expected `and` or `or`", ""),
    ('block "r"\n  match command("x") and foo("y")\n', 2, 26, "unknown matcher foo", ""),
    ('block "r"\n  match command("x") and\n', 2, 25, "expected a matcher", ""),
    ('block "r"\n  match command("x"\n', 2, 16, "is not closed", ""),
    ('block "r"\n  match command("x" "y")\n', 2, 21, "expected , or )", ""),
    ('block "r"\n  match command()\n', 2, 16, "takes at least 1 value", ""),
    ('block "r"\n  match command("x) with\n', 2, 17, "no closing quote", ""),
    ('block "r"\n  match command("a\\.b")\n', 2, 19, "unknown escape", ""),
    ('block "r"\n  match command("/bin/rm")\n', 2, 17, "without their folder", "rm"),
    ('block "r"\n  match command(rm)\n', 2, 17, 'expected a string ("rm")', ""),
    ('block "r"\n  match command("x") with_flags("force")\n', 2, 33, "a flag starts with -", ""),
    ('block "r"\n  match command("x") says("a(b")\n', 2, 31, "missing )", ""),
    ('block "r"\n  match reads("x") with_flags("-x")\n', 2, 20, "about a command", ""),
    ('block "r"\n  match in_tool("x") as_root()\n', 2, 22, "takes no modifiers", ""),
    ('block "r"\n  match (command("x")\n', 2, 22, "expected )", ""),
    ('block "r"\n  match command("x") )\n', 2, 22, "end of the line", ""),
    ('block "r"\n  match not command("x")\n', 2, 13, "only what must not be", ""),
    ('block "r"\n  match obfuscated("x")\n', 2, 20, "takes no values", ""),
    ('block "r"\n  match secret_in(arg)\n', 2, 9, "secret_in takes", "args"),
    ('block "r"\n  match flows("x", "y")\n', 2, 15, "flows takes matchers", ""),
    ('block "r"\n  match flows(read("x"), connects_to("y"))\n', 2, 15, "no source", "reads"),
    ('block "r"\n  match flows(reads("x"), reads("y"))\n', 2, 27, "no sink", ""),
    ('block "r"\n  match command("x")\n  nudge x\n', 3, 9, "text in quotes", ""),
    ('block "r"\n  match command("x")\n  nudge "use {pth}"\n', 3, 14, "unknown placeholder", "path"),
    ('block "r"\n  match command("x")\n  why ""\n', 3, 7, "empty", ""),
    ('block "r"\n  match command("x")\n  why "a"\n  why "b"\n', 4, 3, "has a `why` already", ""),
    ('block "r"\n  match command("x")\n  severity hihg\n', 3, 12, "severity is one of", "high"),
    ('block "r"\n  match command("x")\n  tags a,\n', 3, 10, "expected a word", ""),
    ('block "r"\n  match command("x")\n  tags a b\n', 3, 10, "nothing more", ""),
    ('block "r"\n  match command("x")\n  ref\n', 3, 6, "expected a reference", ""),
    ('block "r"\n  match command("x")\n  example bda x\n', 3, 11, "bad or good", "bad"),
    ('block "r"\n  match command("x")\n  example bad\n', 3, 14, "expected a command", ""),
    ('block "r"\n  match command("x")\n  example bad {"tool_name": x}\n', 3, 29, "not JSON", ""),
    ('block "r"\n  match command("x")\n  example bad {"tool_name": "x"}\n', 3, 15, "a call is", ""),
    ('block "r"\n  match command("x")\n  example bad x  @ cwd=y\n', 3, 24, "starts with /", ""),
    ('block "r"\n  match_base_command_not_in "x"\n', 2, 29, "expected a list", ""),
    ("\ufeff" + RULE, 1, 1, "byte order mark", ""),
    (RULE.replace("\n", "\r\n"), 1, 10, "CR", ""),
    ('block "r"\n  match a\x00b\n', 2, 10, "NUL", ""),
    ('block "r"\n  match a\x07b\n', 2, 10, "U+0007", ""),
    ('block "r"\n  match ' + "a" * 5000 + "\n", 2, 4097, "4,096 characters", ""),
    ('block "r"\n  match ' + "a" * 2500 + "\n", 2, 2009, "2,000 characters", ""),
    ('block "r"\n  match ' + "(" * 40 + 'command("x")' + ")" * 40 + "\n", 2, 40, "nested deeper", ""),
    (
        'block "r"\n  match ' + " and ".join(['(command("a") or command("b") or command("c"))'] * 4) + "\n",
        2,
        10,
        "more than 64 alternatives",
        "",
    ),
]


@pytest.mark.parametrize(("text", "line", "column", "said", "meant"), WRONG, ids=range(len(WRONG)))
def test_the_place_and_the_words(text: str, line: int, column: int, said: str, meant: str) -> None:
    told = errors(text)
    assert told, text
    first = told[0]
    assert (first.line, first.column) == (line, column), first.shown
    assert said in first.message
    assert first.suggestion == meant
    assert len(told) == 1, [str(one) for one in told]


def test_all_mistakes_of_a_file_are_told_and_no_rule_is_left() -> None:
    told = errors('blok "a"\n  match x1\nblock "b"\n  mtch x\n  match a(\n  nudge "{x}"\nwarn "c"\n  match fine\n')
    assert [(error.line, error.column) for error in told] == [(1, 1), (4, 3), (5, 11), (6, 10)]


def test_the_caret_stands_below_the_place() -> None:
    (error,) = errors('block "r"\n  match command("x") with_flag("-x")\n')
    source, caret = error.caret.split("\n")
    assert source[caret.index("^") :].startswith("with_flag(")
    assert error.shown.startswith("p.rules:2:22: unknown modifier with_flag (did you mean with_flags?)")


def test_a_long_line_is_shown_around_the_place() -> None:
    (error,) = errors('block "r"\n  match ' + "a" * 1000 + "(\n")
    source, caret = error.caret.split("\n")
    assert len(source) < 200
    assert caret.index("^") <= len(source)


def test_what_is_shown_is_harmless() -> None:
    (error,) = errors('block "r"\n  match \u202eevil(\n')
    assert "\u202e" not in error.shown


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "   \n"])
def test_a_file_without_rules_is_no_mistake(text: str) -> None:
    assert rules(text) == []


def test_a_list_that_is_not_there_is_told_when_compiling() -> None:
    text = 'block "r"\n  match x1\n  match reads(@paths.sensitiv)\n'
    with pytest.raises(RuleErrors) as wrong:
        compiled({"p": rules(text)}, {"paths.sensitive": ["x"]})
    (error,) = wrong.value.errors
    assert (error.line, error.column, error.suggestion) == (3, 15, "paths.sensitive")


def test_a_switched_off_name_that_is_no_rule_is_a_problem() -> None:
    held = book(one('command("x")'), disabled=["p/rr"])
    assert held.problems == ("disabled names no rule: p/rr (did you mean p/r?)",)
