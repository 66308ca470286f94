"""What inert() promises: one line, visible, as wide as it says, and harmless in the widgets that show it."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bk.text import ELLIPSIS, cells, inert, inert_lines

HOSTILE = [
    "evil[/",
    "evil[/]",
    "[@click=app.quit]x[/]",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b[31mred\x1b[0m",
    "\x9b31mred",
    "\u202egpj.exe",
    "left\u200b-pad",
    "left\ufe0f-pad",
    "a\nb\tc\r",
    "\x00\x7f",
    "\ud800",
    "\ue000",
    "\U000e0041tag",
    "Z" + "\u0335" * 400,
    "\u3164hangul filler",
    "x" * 10_000,
    "漢" * 5_000,
]


@given(st.text(st.characters()))
def test_nothing_invisible_or_active_is_left(text: str) -> None:
    shown = inert(text)
    for char in shown:
        assert unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    shown.encode()
    assert inert(shown) == shown


@given(st.text(st.characters()), st.integers(0, 60))
def test_cut_text_fits_its_cells_by_the_terminal_librarys_own_count(text: str, width: int) -> None:
    shown = inert(text, width)
    assert cells(shown) <= width
    assert cell_len(shown) <= width


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_left_alone(text: str) -> None:
    assert inert(text) == text
    assert inert(text, len(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_one_short_line(text: str) -> None:
    shown = inert(text, 40)
    assert cell_len(shown) <= 40
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)


def test_the_stand_ins_are_visible() -> None:
    assert inert("a\nb") == "a␊b"
    assert inert("\x1b[0m") == "␛[0m"
    assert inert("a\u200bb\u202ec") == "a\ufffdb\ufffdc"
    assert inert("a\u00a0b") == "a␣b"
    assert inert("naïve 漢字") == "naïve 漢字"
    assert inert("nai\u0308ve") == "nai\u0308ve"
    assert inert("\u0301x").startswith("\ufffd")


def test_a_cut_says_so_and_never_splits_a_wide_character() -> None:
    assert inert("abcdef", 4) == "abc" + ELLIPSIS
    assert inert("漢字漢字", 4) == "漢" + ELLIPSIS
    assert inert("漢字", 4) == "漢字"
    assert inert("abc", 0) == ""


def test_lines_are_kept_apart_and_counted() -> None:
    assert inert_lines("a\r\n\tb\x1b") == ["a", "    b␛"]
    assert inert_lines("x\n" * 5, most=2) == ["x", "x", "… 4 more lines"]


@pytest.mark.parametrize("text", HOSTILE)
def test_textual_shows_it_as_is(text: str) -> None:
    from textual.content import Content

    content = Content(inert(text, 60))
    assert content.plain == inert(text, 60)
    assert not content.spans


def test_it_costs_the_cold_path_no_module() -> None:
    code = "import sys; a = set(sys.modules); import bk.text; bk.text.inert('plain'); print(*(set(sys.modules) - a))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"bk", "bk.text", "__future__"}
