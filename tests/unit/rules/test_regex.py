"""Regex rules: both texts they see, the limits of RE2, and the plain search that comes first."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.rules import regex
from bk.engine.rules.errors import PatternError
from tests.unit.rules import asked, book, errors, found, one

ATOMS = st.sampled_from(
    [
        "a",
        "B",
        "ab",
        "foo",
        r"\s",
        r"\d+",
        "[a-z]",
        "[^x]",
        ".",
        r"\.",
        r"\b",
        "^",
        "$",
        "k",
        "ß",
        "(?:x|y)",
        "x?",
        "zz*",
    ]
)


def joined(parts: list[str]) -> str:
    return "".join(parts)


PATTERNS = st.recursive(
    st.lists(ATOMS, min_size=1, max_size=4).map(joined),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,1}", "+?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
        st.lists(inner, min_size=1, max_size=3).map(joined),
        inner.map(lambda text: f"(?i){text}"),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.text("aAbBfoOxyzkK\u212aßſs .1", max_size=30))
def test_the_plain_search_never_misses_what_the_pattern_matches(pattern: str, text: str) -> None:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        held = re2.compile(pattern, options)
    except re2.error:
        return
    if held.search(text) is not None:
        assert regex.may_match(regex.needed(pattern), text.casefold())


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        (r"xmrig\s+-o", ("xmrig",)),
        (r"(?i)DROP\s+TABLE", ("table",)),
        (r"curl|wget", ("curl", "wget")),
        (r"(?:ab|cd)+x", ("ab", "cd")),
        (r"(abc)?d", ()),
        (r"a|", ()),
        (r"[abc]+", ()),
        (r"\Qabc\E", ()),
        (r"ab{0}c", ()),
        (r":\(\)\s*\{", (":()",)),
        ("(" * 30 + "abc" + ")" * 30, ()),
    ],
)
def test_what_a_pattern_needs(pattern: str, needs: tuple[str, ...]) -> None:
    assert regex.needed(pattern) == needs


def test_a_pattern_sees_the_text_as_written_and_each_command_as_understood() -> None:
    assert found(one(r"^rm -rf /$"), r"r'm' -r\f '/'")
    assert found(one(r"r'm' -rf"), "r'm' -rf /")
    assert found(one(r"needle"), "cat <<'E' > x\nneedle\nE\n")
    assert found(one("needle"), {"file_path": "x", "content": "a\nneedle"}, "Write")
    assert not found(one("needle"), {"command": "ls", "description": "look for needle"})


def test_what_it_matched_is_evidence() -> None:
    (finding,) = asked(book(one("ev.l", 'nudge "not {match}"')), "echo a; x evil y")
    assert finding.evidence["match"] == "evil"
    assert finding.instead == "not evil"
    assert finding.evidence["origin"] == "p.rules:1"


@pytest.mark.parametrize(
    ("pattern", "column"),
    [
        ("a(b", 4),
        ("ab(?=c)", 3),
        ("a**", 2),
        ("x[z-a]", 3),
        ("a{1001}", 2),
        (r"ab\8", 3),
        ("a*", 1),
        (r"a\pZx\p{Foo}", 6),
    ],
)
def test_what_re2_cannot_take_has_a_column(pattern: str, column: int) -> None:
    with pytest.raises(PatternError) as wrong:
        regex.compiled(pattern)
    assert wrong.value.column == column


def test_a_pattern_that_grows_too_large_is_refused() -> None:
    (error,) = errors(one("((a{100}){100}){100}x"))
    assert "RE2" in error.message


def test_half_a_surrogate_pair_is_no_way_around() -> None:
    assert found(one("evil"), "echo \ud800; evil")
    assert found(one('command("psql") says("(?i)drop")'), "psql -c 'DROP \udfff'")
    assert found(one('content("evil")'), {"file_path": "x", "content": "\ud800 evil"}, "Write")


def test_a_backtracking_bomb_is_none() -> None:
    assert not found(one("(a+)+$b"), "echo " + "a" * 50_000)


def test_re2_is_not_loaded_for_a_call_that_cannot_match() -> None:
    code = """
import json, sys
from bk.engine.facts import Facts
from bk.engine.model import Run, ToolCall
from bk.engine.rules.book import Rulebook
held = Rulebook.load(json.loads(sys.stdin.read()))
call = ToolCall("Bash", "shell", {"command": sys.argv[1]})
found = held.judge([Run(sys.argv[1].split())], Facts(home="/h", cwd="/", state_root="/s", policy={}, call=call))
print(len(found), "re2" in sys.modules)
"""
    import json

    from bk.engine.rules.compile import compiled
    from tests.unit.rules import rules

    text = 'block "a"\n  match xmrig\\s\nblock "b"\n  match command("psql") says("drop\\s")\n'
    stored = json.dumps(compiled({"p": rules(text)}))
    for command, told in (("psql -c select", "0 False"), ("psql drop x", "0 True"), ("xmrig -o", "1 True")):
        done = subprocess.run([sys.executable, "-c", code, command], input=stored, capture_output=True, text=True)
        assert done.stdout.strip() == told, (command, done.stderr)
