"""Explanations are true to the entry, inert, and as wide as they are told."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from bk.engine.model import Entry
from bk.tui import places
from bk.tui.actions import ADMIN, EVERYWHERE, REVERSIBLE, bindings, shown_keys
from bk.tui.app import Dashboard
from bk.tui.explain import explain
from bk.tui.places import PLACES
from bk.tui.theme import THEMES
from bk.tui.words import age

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    "tool",
    "kind",
    "cwd",
    "session",
    "input",
    "actions",
    "findings",
    "failure",
    "agent",
    "policy",
    "took_us",
    "actions_left_out",
    "title",
    "detail",
    "next_step",
)


def entry(**data: object) -> Entry:
    return Entry("decision", "hook:claude-code", data, level="block", at=1_763_739_000_000, seq=7)


def test_it_tells_what_why_and_what_instead() -> None:
    finding = {
        "rule": "self/state",
        "level": "block",
        "reason": "deletes it",
        "instead": "ask",
        "evidence": {"ids": ["a", "b"]},
    }
    action = {"do": "touch", "mode": "delete", "target": "/h/.bk", "via": ["sudo", "sh -c"], "certain": False}
    data = {"tool": "Bash", "kind": "shell", "input": {"command": "rm x"}, "findings": [finding], "actions": [action]}
    told = explain(entry(**data), 1_763_739_060_000, 80).plain
    for part in (
        "BLOCK",
        "rm x",
        "self/state",
        "deletes it",
        "instead",
        "a, b",
        "delete",
        "via sudo > sh -c",
        "in part unknown",
        "#7",
        "1m ago",
    ):
        assert part in told


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON), st.integers(30, 120))
def test_any_entry_can_be_explained_within_the_width(data: dict[str, object], width: int) -> None:
    for kind in ("decision", "incident", "config"):
        told = explain(Entry(kind, "x", data, level="", at=0, seq=1), 0, width)
        for line in told.plain.split("\n"):
            assert cell_len(line) <= width
            assert line.isprintable() or not line


def test_a_failure_says_that_nothing_was_decided() -> None:
    assert "could not be decided (deadline)" in explain(entry(failure="deadline"), 0, 80).plain


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (86400 * 3, "3d"), (-5, "0s")],
)
def test_ages_are_short(seconds: int, told: str) -> None:
    assert age(0, seconds * 1000) == told


def test_a_key_means_one_thing_in_one_place() -> None:
    for place in PLACES:
        digits = [each.key for each in PLACES]
        keys = [key for action in (*place.load().ACTIONS, *EVERYWHERE) for key in action.keys.split(",")] + digits
        assert len(keys) == len(set(keys)), place.name


def test_every_action_has_a_binding_with_its_id_and_help_and_is_done_somewhere() -> None:
    for place in PLACES:
        screen = place.load()
        for action in (*screen.ACTIONS, *EVERYWHERE):
            (binding,) = bindings([action])
            assert binding.id == action.ident  # type: ignore[union-attr]
            assert action.help.endswith(".")
            assert shown_keys(action)
            assert hasattr(screen, f"do_{action.what}") or hasattr(Dashboard, f"do_{action.what}"), action.ident
            assert action.tier < REVERSIBLE or action.gate == ADMIN


def test_every_screen_says_what_it_is_for_and_has_its_styles() -> None:
    for place in PLACES:
        screen = place.load()
        assert place.name == screen.NAME
        assert screen.PURPOSE
        assert os.path.exists(os.path.join(os.path.dirname(places.__file__), "screens", f"{place.name}.tcss"))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_text_can_be_read_in_every_theme(theme) -> None:  # type: ignore[no-untyped-def]
    inks = [
        theme.foreground,
        theme.primary,
        theme.secondary,
        theme.accent,
        theme.success,
        theme.warning,
        theme.error,
        theme.variables["text-quiet"],
    ]
    for ink in inks:
        for paper in (theme.background, theme.surface, theme.variables["selected-calm"], theme.variables["selected"]):
            assert contrast(ink, paper) >= 4.5, (ink, paper)
