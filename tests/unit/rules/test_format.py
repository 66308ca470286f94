"""The formatter: one form, the same rules, comments kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.rules.errors import RuleError, RuleErrors
from bk.engine.rules.format import formatted
from bk.engine.rules.parse import parse
from tests.unit.rules.test_parse import WHOLE

MESSY = """

#head
block   "a"   # c1


    match command( "git","g" )   with_flags("-f")and not(in_tool("x")or reads(@a.b)) # x
# stays inside
      # inner
    match   fo"o(bar)?  #lit
    example   bad   x y     @ cwd=/x
    tags a,b ,  c  # t
      # last
# tail


# tail 2
warn "b"
 match_base_command_not_in exe.allowed   # hi
 match flows(reads(a.b), connects_to(external())) and secret_in( any )"""
CLEAN = """#head
block "a"  # c1
  match command("git", "g") with_flags("-f") and not (in_tool("x") or reads(@a.b))  # x
  # stays inside
  # inner
  match fo"o(bar)?  #lit
  example bad x y  @ cwd=/x
  tags a, b, c  # t
  # last

# tail

# tail 2
warn "b"
  match_base_command_not_in @exe.allowed  # hi
  match flows(reads(@a.b), connects_to(external())) and secret_in(any)
"""


def test_one_form() -> None:
    assert formatted(MESSY) == CLEAN
    assert formatted(CLEAN) == CLEAN
    assert formatted("\n\n") == ""


def test_what_is_no_rule_file_is_refused() -> None:
    with pytest.raises(RuleErrors):
        formatted("block x\n")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
QUOTABLE = TEXT.filter(lambda text: text.strip(" ") != "")
NAME = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)


SAID = [r"a\\b", r"x\"y", "(?i)drop", "[a-z]q"]
REGEXES = [r"rm\s+-rf", "a#b  c", "(x|y)+z", "not here"]
TIERS = ["block", "suspicious", "warn"]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def spaced(draw: Any) -> str:
    return draw(st.sampled_from(["", " ", "   "]))


@st.composite
def terms(draw: Any) -> str:
    kind = draw(st.sampled_from(["command", "reads", "in_tool", "says", "flows", "list"]))
    gap = spaced(draw)
    if kind == "command":
        flags = "".join(f'{gap} with_flags({gap}"-{draw(NAME)}"{gap},"--x")' for _ in range(draw(st.integers(0, 2))))
        return f'command({gap}"{draw(NAME)}"{gap}){flags}'
    if kind == "says":
        return f'command("x") says("{draw(st.sampled_from(SAID))}")'
    if kind == "flows":
        return f"flows(reads({quoted(draw(QUOTABLE))}),{gap}connects_to(external()))"
    if kind == "list":
        return f"writes(@{draw(NAME)}.{draw(NAME)})"
    return f"{kind}({quoted(draw(QUOTABLE))})"


PATTERN = st.recursive(
    terms(),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} and {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]} or {pair[1]}"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]} and not ({pair[1]})"),
    ),
    max_leaves=4,
)


@st.composite
def files(draw: Any) -> str:
    lines: list[str] = []
    for number in range(draw(st.integers(0, 3))):
        lines += draw(st.lists(st.sampled_from(["", "# note", "  "]), max_size=3))
        comment = draw(st.sampled_from(["", "  # why", " #x"]))
        tier = draw(st.sampled_from(TIERS))
        lines.append(f'{tier}{" " * draw(st.integers(1, 3))}"r{number}"{comment}')
        pad = " " * draw(st.integers(1, 5))
        lines.append(f"{pad}match {draw(PATTERN)}{comment}")
        more = [
            f"{pad}unless {draw(PATTERN)}",
            f"{pad}match {draw(st.sampled_from(REGEXES))}",
            f"{pad}why {quoted(draw(QUOTABLE))}{comment}",
            f"{pad}tags {draw(NAME)} ,{draw(NAME)}",
            f"{pad}example bad {draw(NAME)}   @ cwd=/{draw(NAME)}",
            f"{pad}example good {draw(NAME)}  x",
            "      # inner",
            "",
        ]
        lines += draw(st.permutations(more))[: draw(st.integers(0, len(more)))]
    return "\n".join(lines)


@given(files())
def test_a_formatted_file_says_the_same(text: str) -> None:
    try:
        said = parse(text, file="f", pack="p")
    except RuleErrors:
        with pytest.raises(RuleErrors):
            formatted(text)
        return
    once = formatted(text)
    assert parse(once, file="f", pack="p") == said
    assert formatted(once) == once
    assert sorted(part for part in text.split() if part.startswith("#")) == sorted(
        part for part in once.split() if part.startswith("#")
    )


def test_every_clause_survives() -> None:
    assert parse(formatted(WHOLE), file="f", pack="p") == parse(WHOLE, file="f", pack="p")


@given(
    st.text(st.characters(codec="utf-8"), max_size=200)
    | st.binary(max_size=100).map(lambda data: data.decode("latin-1"))
)
def test_any_text_is_rules_or_a_stated_mistake(text: str) -> None:
    wrong = mistakes(text)
    assert wrong is None or wrong
    assert all(error.line >= 1 and error.column >= 1 and error.shown for error in wrong or ())


def mistakes(text: str) -> tuple[RuleError, ...] | None:
    try:
        parse(text, file="f", pack="p")
    except RuleErrors as wrong:
        return wrong.errors
    return None
