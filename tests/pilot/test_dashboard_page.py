"""The page on the dashboard names keys and times that are what it says they are."""

from __future__ import annotations

import re
from pathlib import Path

from bk.engine.console.hits import DAYS
from bk.engine.console.orders import MOST
from bk.engine.console.seek import spot
from bk.tui.actions import EVERYWHERE, LISTS, Action
from bk.tui.screens.activity import ActivityScreen
from bk.tui.screens.incidents import IncidentsScreen
from bk.tui.screens.policy import PolicyScreen
from bk.tui.screens.quarantine import QuarantineScreen

PAGE = (Path(__file__).parents[2] / "docs" / "dashboard.md").read_text(encoding="utf-8")
NOW = 1_795_276_800_000


def keys(actions: tuple[Action, ...]) -> dict[str, str]:
    return {action.ident: action.keys for action in actions}


def test_the_keys_it_names_are_those_of_the_registry() -> None:
    held, incidents, policy = keys(QuarantineScreen.ACTIONS), keys(IncidentsScreen.ACTIONS), keys(PolicyScreen.ACTIONS)
    assert [held[f"quarantine.{what}"] for what in ("restore", "elsewhere", "purge")] == ["R", "O", "P"]
    assert [incidents[f"incidents.{what}"] for what in ("restore", "purge", "plan")] == ["R", "P", "c"]
    assert [policy[f"policy.{what}"] for what in ("calls", "try", "whatif")] == ["h", "x", "w"]
    assert keys(ActivityScreen.ACTIONS)["activity.time"] == "t"
    assert keys(LISTS)["list.sort"] == "s"
    assert keys(EVERYWHERE)["app.undo"] == "u"


def test_every_time_it_shows_can_be_gone_to() -> None:
    table = PAGE.partition("| typed after `t` |")[2].partition("\n\n")[0]
    shown = re.findall(r"`([^`]+)`", "".join(line.split("|")[1] for line in table.splitlines()[2:]))
    assert len(shown) >= 9
    for text in shown:
        assert any(spot(text, NOW))


def test_its_figures_are_those_of_the_code() -> None:
    assert f"at\nmost {MOST:,}" in PAGE
    assert f"in {DAYS} days" in PAGE
