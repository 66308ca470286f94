"""What would be moved under other settings is what the gate says of it, and looking moves nothing."""

from __future__ import annotations

import os

import pytest

from bk.engine.console import config
from bk.engine.console.installed import HELD, WOULD, install
from bk.engine.console.would import ASKS, MOVES, REPORTS, live, would
from bk.engine.errors import BkError
from bk.engine.responder.incidents import Book
from bk.engine.state import State

ENABLED, DRY = config.APART


@pytest.fixture
def planted(state: State) -> State:
    state.ensure()
    install(state)
    return state


def asked(state: State, **staged: object) -> list[tuple[str, str]]:
    values = dict(config.propose_staged(state, {}).policy().values)
    values.update({f"auto_quarantine.{name}": value for name, value in staged.items()})
    return [(each.what, each.name) for each in would(state, values, read=True)]


def test_each_setting_changes_what_would_move(planted: State) -> None:
    bad = f"npm:{WOULD[0]}@{WOULD[1]}"
    assert asked(planted) == [(REPORTS, bad)], "dry_run is on in the sample"
    assert asked(planted, dry_run=False) == [(MOVES, bad)]
    assert asked(planted, enabled=False) == []
    assert asked(planted, dry_run=False, threshold=3) == []
    assert asked(planted, dry_run=False, ecosystems=["pypi"]) == [(ASKS, bad)]
    assert asked(planted, dry_run=False, max_moves=0) == [(ASKS, bad)]
    assert asked(planted, dry_run=False, exclude_paths=["~/src/**"]) == [(ASKS, bad)]
    with Book(planted) as book:
        states = {one.name: one.state for one in book.every()}
    held = dict.fromkeys((name for name, _ in HELD), "quarantined")
    assert states == {**held, WOULD[0]: "dry_run_reported"}, "looking changed nothing"


def test_what_is_gone_or_another_by_now_would_not_move(planted: State) -> None:
    folder = f"{planted.home}/src/shop/node_modules/{WOULD[0]}"
    with open(f"{folder}/package.json", "w", encoding="utf-8") as file:
        file.write('{"name": "chalk", "version": "5.6.3"}')
    assert asked(planted, dry_run=False) == [(ASKS, f"npm:{WOULD[0]}@{WOULD[1]}")]
    os.remove(f"{folder}/package.json")
    os.rmdir(folder)
    assert asked(planted, dry_run=False) == []


def test_an_exemption_holds_here_too(planted: State) -> None:
    with Book(planted, write=True) as book:
        one = next(each for each in book.every() if each.name == WOULD[0])
        book.exempt(one, digest="", reason="ours", by="person:1", at_ms=1, until_ms=0)
    assert asked(planted, dry_run=False) == []


def test_live_is_both_and_nothing_else() -> None:
    assert live({ENABLED: True, DRY: False})
    assert not live({ENABLED: True, DRY: True})
    assert not live({ENABLED: False, DRY: False})


def test_the_two_decisions_are_never_one_save(state: State) -> None:
    state.ensure()
    with pytest.raises(BkError, match="two decisions"):
        config.propose_staged(state, {ENABLED: True, DRY: False})
    with pytest.raises(BkError, match="two decisions"):
        config.propose_staged(state, {ENABLED: None, DRY: None})


def test_staged_values_are_exact_and_unstated_ones_fall_back(state: State) -> None:
    state.ensure()
    with open(state.config, "w", encoding="utf-8") as file:
        file.write('# mine\n[paths]\nblock = ["/a", "/b"]  # both\n\n[notify]\nchannel = "none"\n')
    proposal = config.propose_staged(state, {"paths.block": ["/b"], "notify.channel": None, "fail_mode": "warn"})
    values = proposal.policy().values
    assert (values["paths.block"], values["notify.channel"], values["fail_mode"]) == (["/b"], "desktop", "warn")
    assert "# mine" in proposal.diff
    assert config.stated(state) == {"paths.block": ["/a", "/b"], "notify.channel": "none"}
    with pytest.raises(BkError, match=r"outside 1–3|threshold"):
        config.propose_staged(state, {"auto_quarantine.threshold": 9})


def test_a_look_at_the_file_tells_another_version(state: State) -> None:
    state.ensure()
    assert config.on_disk(state) == ""
    with open(state.config, "w", encoding="utf-8") as file:
        file.write("fail_mode = 'warn'\n")
    first = config.on_disk(state)
    with open(state.config, "a", encoding="utf-8") as file:
        file.write("# more\n")
    assert first
    assert config.on_disk(state) != first
