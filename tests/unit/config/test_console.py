"""The console's door to the settings: an entry before every change, a person for every loosening."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bk.engine.console import config
from bk.engine.errors import BkError
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State

NOWHERE = "/nonexistent/etc/config.toml"


def entries(state: State) -> list[Entry]:
    ledger = Ledger.open(state)
    try:
        return [entry for entry in ledger.entries() if entry.kind == "config"]
    finally:
        ledger.close()


def make(proposal: config.Proposal) -> None:
    proposal.make(admin=False, actor="cli:7")


def value(state: State, name: str) -> object:
    return config.get(state, name, system=NOWHERE).value


def test_a_change_is_an_entry_with_both_digests(state: State) -> None:
    before = config.in_force(state, system=NOWHERE).digest
    make(config.propose_set(state, "hook.agent_depth", "3", system=NOWHERE))
    after = config.in_force(state, system=NOWHERE).digest
    (entry,) = entries(state)
    assert entry.actor == "cli:7"
    assert entry.data["verb"] == "set"
    assert (entry.data["old"], entry.data["new"]) == (before, after)
    assert entry.data["changes"] == [{"key": "hook.agent_depth", "old": 10, "new": 3, "direction": "tighter"}]
    assert value(state, "hook.agent_depth") == 3


def test_a_loosening_without_a_person_is_refused_and_changes_nothing(state: State) -> None:
    make(config.propose_set(state, "hook.agent_depth", "3", system=NOWHERE))
    for proposal in (
        config.propose_set(state, "fail_mode", "open", system=NOWHERE),
        config.propose_unset(state, "hook.agent_depth", system=NOWHERE),
        config.propose_add(state, "paths.allow", "/x/**", system=NOWHERE),
        config.propose_set(state, "audit.redact_patterns", '["x+"]', system=NOWHERE),
    ):
        assert proposal.needs_person
        with pytest.raises(BkError, match="needs a person"):
            make(proposal)
    assert len(entries(state)) == 1
    assert Path(state.config).read_text().endswith("agent_depth = 3\n")


def test_a_change_that_the_ledger_cannot_take_is_not_made(state: State) -> None:
    make(config.propose_set(state, "hook.agent_depth", "3", system=NOWHERE))
    proposal = config.propose_set(state, "hook.agent_depth", "2", system=NOWHERE)
    os.unlink(state.audit)
    with pytest.raises(BkError):
        make(proposal)
    assert value(state, "hook.agent_depth") == 3


def test_two_proposals_from_one_state_do_not_both_win(state: State) -> None:
    first = config.propose_set(state, "hook.agent_depth", "3", system=NOWHERE)
    second = config.propose_add(state, "paths.block", "/x/**", system=NOWHERE)
    make(first)
    with pytest.raises(BkError, match="changed meanwhile"):
        make(second)
    assert len(entries(state)) == 1


def test_nothing_to_change_is_no_entry(state: State) -> None:
    make(config.propose_set(state, "hook.agent_depth", "3", system=NOWHERE))
    again = config.propose_set(state, "hook.agent_depth", "3", system=NOWHERE)
    assert again.diff == ""
    make(again)
    assert len(entries(state)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hook.agent_depth", "three"),
        ("hook.agent_depth", "3\nfail_mode = 'open'"),
        ("auto_quarantine.dry_run", "no"),
        ("paths.block", "/x/**"),
        ("paths.block", "'/x/**'"),
        ("fail_mode", "[]"),
        ("hook.deadline_ms", ""),
    ],
)
def test_what_is_typed_wrong_is_told_with_the_next_step(state: State, name: str, text: str) -> None:
    with pytest.raises(BkError) as caught:
        config.propose_set(state, name, text, system=NOWHERE)
    assert caught.value.next_step
    assert not os.path.exists(state.config)


def test_what_is_in_force_includes_the_project_and_the_environment(state: State) -> None:
    project = Path(state.home) / "src"
    project.mkdir()
    (project / ".bk.toml").write_text("hook.agent_depth = 4\n")
    shown = config.in_force(state, str(project), {"BK_FAIL_MODE": "open"}, system=NOWHERE)
    row = next(row for row in shown.rows if row.key.name == "hook.agent_depth")
    assert (row.value, row.origin) == (4, "project")
    assert any("would loosen" in problem for problem in shown.problems)
    assert row.told()["default"] == 10


def test_validate_names_what_is_wrong_with_each_kind_of_file(state: State, tmp_path: Path) -> None:
    user, project = tmp_path / "config.toml", tmp_path / ".bk.toml"
    user.write_text("auto_quarantine.enabled = true\nhook.deadline = 3\nauto_quarantine.threshold = 7\n")
    faults = config.validate(state, str(user), system=NOWHERE)
    assert len(faults) == 2
    assert "did you mean hook.deadline_ms" in faults[0]
    project.write_text('auto_quarantine.enabled = true\npaths.block = ["secrets/**"]\n')
    assert config.validate(state, str(project), system=NOWHERE) == [
        f"{project}: auto_quarantine.enabled is not for a project to set"
    ]
    assert config.validate(state, system=NOWHERE) == []
    Path(state.config).write_text("broken")
    assert "line 1" in config.validate(state, system=NOWHERE)[0]
    with pytest.raises(BkError, match="no such file"):
        config.validate(state, str(tmp_path / "none.toml"), system=NOWHERE)


def test_an_import_adds_to_what_is_there(state: State, tmp_path: Path) -> None:
    Path(state.config).write_text('audit.redact_patterns = ["mine-[0-9]+"] # keep\n')
    os.chmod(state.config, 0o600)
    source = tmp_path / "config.json"
    source.write_text('{"redact_patterns": ["acme-[0-9]+"], "fail_mode": "closed", "socket": {"api_token": "t"}}')
    proposal = config.propose_import(state, str(source), system=NOWHERE)
    assert "+audit.redact_patterns" in proposal.diff
    assert '"mine-[0-9]+", "acme-[0-9]+"] # keep' in proposal.diff
    assert proposal.notes == ("socket.api_token is left: a token is not copied between files",)
    assert proposal.needs_person
