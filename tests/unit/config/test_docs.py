"""The page is the schema."""

from __future__ import annotations

from pathlib import Path

from bk.engine.config.docs import render
from bk.engine.config.schema import KEYS

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text() == render(), "run: python -m bk.engine.config.docs > docs/configuration.md"


def test_every_key_is_explained_in_one_line() -> None:
    for key in KEYS:
        assert render().count(f"| `{key.name}` |") == 1
        assert 10 < len(key.help) < 120
        assert "\n" not in key.help
