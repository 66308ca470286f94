"""The tutorial's rules do what it says, word for word."""

from __future__ import annotations

import re
from pathlib import Path

from bk.cli.calls import kind_of
from bk.engine.config import local
from bk.engine.config.layers import parse as settings
from bk.engine.console.rules import lint
from bk.engine.console.trial import trial
from bk.engine.state import State

from . import put

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
RULES = re.findall(r"```rules\n(.*?)```", PAGE, re.DOTALL)
TOML = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_worked_example_passes_and_is_in_its_one_form(state: State, tmp_path: Path) -> None:
    from bk.engine.rules.format import formatted

    env = {"HOME": state.home, "BK_HOME": state.root}
    put(state.config, TOML[0])
    path = tmp_path / "our-house.rules"
    path.write_text("\n".join(RULES))
    assert formatted(path.read_text()) == path.read_text()
    (report,) = lint([str(path)], env)
    assert (report.ok, report.hints, report.rules) == (True, [], 2)
    outcomes = list(trial([str(path)], kind_of=kind_of, env=env, cwd=state.home))
    assert len(outcomes) == 10
    assert [outcome.example.text for outcome in outcomes if not outcome.ok] == []


def test_the_settings_it_shows_are_settings() -> None:
    assert settings(TOML[0], "config.toml").values == {"lists": {"our-hosts": ["house.example"]}}
    assert set(local.parse(TOML[1], "config.local.toml")) == {"paths.sensitive", "rules.disabled"}


def test_the_layers_and_the_finding_it_names_are_there() -> None:
    from bk.engine.rulebook.book import BROKEN
    from bk.engine.rulebook.places import LAYERS, PROJECT, PROJECT_FOLDER, SYSTEM_FOLDER

    for word in (*LAYERS, PROJECT, f"`{SYSTEM_FOLDER}/*.rules`", f"`{PROJECT_FOLDER}/*.rules`", f"`{BROKEN}`"):
        assert word in PAGE
