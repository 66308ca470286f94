"""What the pages name must exist: commands, files, keys, tests, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bk.cli import main
from bk.engine.config.schema import KEYS
from bk.engine.errors import EXIT_CODES

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
IDS = [page.name for page in PAGES]
NOUNS = (
    "audit",
    "config",
    "engine",
    "rules",
    "allow",
    "trust",
    "mcp",
    "catalogs",
    "self",
    "envelope",
    "corpus",
    "overlay",
)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_paths_in_code_spans_exist(page: Path) -> None:
    for span in re.findall(r"`((?:bk|tests|docs|bench|fixtures|screenshots)/[\w./-]+)`", page.read_text()):
        assert (ROOT / span).exists(), f"{page.name} names {span}"


def test_every_command_named_in_the_pages_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    named: set[tuple[str, ...]] = set()
    for page in PAGES:
        for noun, verb in re.findall(
            r"\bbk (version|diag|selftest|check|dashboard|simulate|explain|audit|config|engine"
            r"|rules|allow|trust|mcp|catalogs|self|envelope|corpus|overlay)(?: ([a-z]+))?",
            page.read_text(),
        ):
            named.add((noun, verb) if verb and noun in NOUNS else (noun,))
    assert len(named) > 8
    for words in sorted(named):
        code = main([*words, "--help"])
        assert code == 0, f"bk {' '.join(words)} --help: {capsys.readouterr().err}"


def test_keys_named_in_the_pages_are_in_the_schema() -> None:
    known = {key.name for key in KEYS}
    groups = {name.split(".")[0] for name in known if "." in name}
    for page in PAGES:
        for span in re.findall(r"`([a-z_]+\.[a-z_]+)(?: = [^`]*)?`", page.read_text()):
            if span.split(".")[0] in groups and not span.endswith((".py", ".db", ".toml", ".json", ".md")):
                assert span in known, f"{page.name} names the key {span}"


def test_the_readme_tells_the_exit_codes_as_the_code_has_them() -> None:
    text = (ROOT / "README.md").read_text()
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in text


def test_no_file_outgrows_the_house() -> None:
    for path in (ROOT / "bk").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, f"{path.relative_to(ROOT)} is two ideas"
