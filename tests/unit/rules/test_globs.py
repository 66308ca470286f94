"""Globs agree with a plain model of what they mean."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.rules import globs

LETTERS = st.text("ab/.", max_size=8)
GLOBS = st.text("ab/.*?", max_size=8)


def model(glob: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in glob), re.DOTALL)


@given(GLOBS, LETTERS)
def test_a_word_glob_is_the_regex_it_stands_for(glob: str, text: str) -> None:
    assert globs.matches(glob, text) is (model(glob).fullmatch(text) is not None)


@given(GLOBS, GLOBS, LETTERS)
def test_two_globs_overlap_when_a_text_matches_both(one: str, two: str, text: str) -> None:
    if globs.matches(one, text) and globs.matches(two, text):
        assert globs.overlap(one, two)
    if not globs.wild(two):
        assert globs.overlap(one, two) is globs.matches(one, two)


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [("[a-c]x", "bx", "dx"), ("[!a-c]x", "dx", "bx"), ("[]]x", "]x", "ax"), ("a[*]", "a*", "ab"), ("[", "[", "a")],
)
def test_classes(glob: str, yes: str, no: str) -> None:
    assert globs.matches(glob, yes)
    assert not globs.matches(glob, no)
    assert globs.overlap(glob, yes)


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("/a/*", "/a/b", "/a/b/c"),
        ("/a/**", "/a/b/c", "/ab"),
        ("/a/**", "/a", "/b/a"),
        ("/a/**/z", "/a/z", "/a/zz"),
        ("/a/**/z", "/a/b/c/z", "/a/b/c/z/d"),
        ("**/x/**", "/a/x/b", "/a/xx/b"),
        ("**/*.pem", "/a.pem", "/a.pem/b"),
        ("/*", "/a", "/a/b"),
        ("/", "/", "/a"),
    ],
)
def test_paths(glob: str, yes: str, no: str) -> None:
    assert globs.path_matches(glob, yes)
    assert not globs.path_matches(glob, no)


def test_where_a_pattern_stands() -> None:
    assert globs.path_glob(".env") == "**/.env"
    assert globs.path_glob("~/x/") == "~/x"
    assert globs.placed("~/x", "/home/dev", "/p") == "/home/dev/x"
    assert globs.placed("./x", "/home/dev", "/p") == "/p/x"
    assert globs.placed("~", "/", "/p") == ""


def test_long_texts_take_no_time_to_speak_of() -> None:
    assert not globs.matches("*a*a*a*a*a*b", "a" * 60_000)
    assert not globs.matches("*?a?a?a?a?a?b", "a" * 60_000)
    assert globs.overlap("x" * 5000, "x" * 5000 + "*")
