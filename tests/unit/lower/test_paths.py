"""Paths are made absolute and normal without asking the disk."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.lower.paths import normal, pathlike, resolve

HOME, CWD = "/home/dev", "/home/dev/project"


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("a", f"{CWD}/a"),
        ("", CWD),
        ("..", HOME),
        ("../../..", "/"),
        ("../../../../x", "/x"),
        ("/a//b/./c/../d/", "/a/b/d"),
        ("//a", "/a"),
        ("~", HOME),
        ("~/", HOME),
        ("~/x", f"{HOME}/x"),
        ("~root/x", "/root/x"),
        ("~ann", "/home/ann"),
        ("$HOME/x", f"{HOME}/x"),
        ("${HOME}/x", f"{HOME}/x"),
        ("%USERPROFILE%/x", f"{HOME}/x"),
        ("%userprofile%\\x", f"{HOME}/x"),
        ("%HOME%\\.ssh\\id", f"{HOME}/.ssh/id"),
        ("%NOPE%/x", f"{CWD}/%NOPE%/x"),
        ("$PWD/x", f"{CWD}/x"),
        ("$NOPE/x", f"{CWD}/$NOPE/x"),
        ("C:\\Users\\a", "/C:/Users/a"),
        ("file:///a/b", "/a/b"),
        ("file://localhost/a", "/a"),
        ("file:///a/%2Essh", "/a/.ssh"),
        ("file:/a", "/a"),
        ("**/x", "/**/x"),
    ],
)
def test_resolve(word: str, path: str) -> None:
    assert resolve(word, CWD, HOME) == path


def test_values_with_percent_signs_are_not_expanded_again() -> None:
    assert resolve("%A%/x", CWD, HOME, {"A": "/%B%", "B": "/no"}) == "/%B%/x"


@given(st.text(alphabet="/.ab~", max_size=20))
def test_normal_agrees_with_the_standard_library(text: str) -> None:
    expected = os.path.normpath("/" + text)
    assert normal("/" + text) == ("/" + expected.lstrip("/"))


@pytest.mark.parametrize("word", ["/a", "./a", "../a", "~/a", ".env", "a/b", "$HOME/x", "file:///x", "C:\\x"])
def test_pathlike(word: str) -> None:
    assert pathlike(word)


@pytest.mark.parametrize(
    "word", ["a", "left-pad@1.0.0", "https://h.example/x", "do not cat ~/.ssh", "a\n/b", "--x", ""]
)
def test_not_pathlike(word: str) -> None:
    assert not pathlike(word)
