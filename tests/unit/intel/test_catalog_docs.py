"""The page about catalogs says of each source what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bk.cli.catalog_words import WORDS
from bk.engine.config.schema import BY_NAME
from bk.engine.config.schema import SOURCES as SWITCHES
from bk.engine.intel.sources.every import SOURCES
from bk.engine.intel.sources.source import Source

PAGE = (Path(__file__).parents[3] / "docs" / "catalogs.md").read_text()
ROWS = {
    cells[0].strip("`"): cells
    for line in PAGE.splitlines()
    if line.startswith("| `")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    if len(cells) == 7
}


def test_every_source_is_in_the_table_and_no_other() -> None:
    assert set(ROWS) == {source.name for source in SOURCES} == set(SWITCHES)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_source_is_told_as_it_is(source: Source) -> None:
    _, on, needs, group, licence, vouched, _ = ROWS[source.name]
    assert on == ("yes" if source.default else "no")
    assert SWITCHES[source.name] is source.default
    assert BY_NAME[f"catalogs.{source.name}.enabled"].default is source.default
    assert [word for word in ("token", "URL", "key") if word in needs] == [
        {"token": "token", "url": "URL", "key": "key"}[need] for need in source.needs.split(" and ") if need
    ]
    assert group == f"`{source.group}`"
    assert licence == source.licence
    assert vouched.startswith("signature" if source.name == "org" else "pinned origin")


def test_every_word_of_the_status_is_explained() -> None:
    section = PAGE.split("## Reading the status")[1].split("\n## ")[0]
    explained = set(re.findall(r"^\| (\w+) \|", section, re.MULTILINE)) - {"word"}
    assert explained == {word for word, _ in WORDS.values()}
