"""What a confirmed outcome does on this machine, and how all of it is taken back: real decisions, a real inventory."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bk.engine.checks.packages import CONFIRMED
from bk.engine.corpus import promote
from bk.engine.corpus.shapes import (
    ACTIVE,
    BENIGN,
    BREACH,
    ENFORCE,
    EXPIRED,
    EXPLAINED,
    FORENSIC,
    MALICIOUS,
    OVERRIDE,
    REVOKED,
    WATCH,
)
from bk.engine.corpus.store import Corpus
from bk.engine.intel import overlay
from bk.engine.responder import incidents as states
from tests.unit.corpus.house import DAY_MS
from tests.unit.corpus.machine import EVIL, Machine


def test_one_group_warns_of_the_very_next_install_and_two_block_it(machine: Machine) -> None:
    machine.confirmed("alpha")
    (row,) = machine.overlay(ACTIVE)
    assert (row.purl, row.tier, row.created_by) == ("pkg:npm/evil@1.0.0", WATCH, "corpus")
    assert row.expires_ms == row.created_ms + 90 * DAY_MS
    assert machine.does(EVIL) == "warn"
    machine.say("evil", "beta")
    machine.sync()
    machine.run()
    (renewed,) = machine.overlay(ACTIVE)
    assert (renewed.id, renewed.tier) == (row.id, ENFORCE)
    machine.known, machine.records = {}, []
    machine.sync()  # even when no source is asked any more
    assert machine.does(EVIL) == "block"
    assert machine.does("npm install evil@1.0.1") == "allow"
    assert machine.does("npm install other@1.0.0") == "allow"


@pytest.mark.parametrize(
    ("source", "tier", "level"),
    [(FORENSIC, ENFORCE, "block"), (BREACH, ENFORCE, "block"), (OVERRIDE, WATCH, "warn")],
)
def test_a_persons_review_blocks_and_a_mere_word_warns(machine: Machine, source: str, tier: str, level: str) -> None:
    machine.reviewed(source=source)
    (row,) = machine.overlay()
    assert (row.tier, row.reason, row.created_by) == (tier, "seen in the sandbox", "person:1000")
    assert row.expires_ms == row.created_ms + 365 * DAY_MS
    assert machine.does(EVIL) == level


def test_nothing_follows_twice(machine: Machine) -> None:
    machine.install()
    machine.confirmed("alpha", "beta")
    machine.run()  # what the responder found because of it is an event of its own
    before, entries = machine.rows(), len(machine.overlay())
    book = [(one.id, one.state, one.updated_ms) for one in machine.incidents()]
    for _ in range(10):
        assert machine.settle() == []
        assert machine.run().labels == {}
    after = machine.rows()
    assert (after["overlay_entry"], after["label"]) == (before["overlay_entry"], before["label"])
    assert len(machine.overlay()) == entries == 1
    assert [(one.id, one.state, one.updated_ms) for one in machine.incidents()] == book


def test_the_installed_copy_gets_its_card_and_its_target_and_stays_where_it_is(machine: Machine) -> None:
    folder = machine.install()
    machine.install("other")
    machine.confirmed("alpha", "beta")
    (incident,) = machine.incidents()
    assert (incident.name, incident.groups) == ("evil", ("alpha", "beta"))  # two voices, not three
    assert any(each.get("tier") == ENFORCE for each in incident.evidence)
    assert machine.targets() == ["evil"]
    assert folder.is_dir()


def test_below_the_threshold_a_card_is_armed_and_nothing_is_watched(machine: Machine) -> None:
    machine.install()
    machine.confirmed("alpha")
    (incident,) = machine.incidents()
    assert (incident.state, incident.why) == (
        states.APPROVAL,
        "a label alone moves nothing: 1 of 2 independent sources",
    )
    assert machine.targets() == []


@pytest.mark.parametrize(
    ("values", "becomes"),
    [
        ({}, states.OPEN),
        ({"enabled": True}, states.REPORTED),
        ({"enabled": True, "dry_run": False}, states.QUARANTINED),
    ],
)
def test_a_persons_label_obeys_the_same_gate(machine: Machine, values: dict[str, Any], becomes: str) -> None:
    folder = machine.install()
    machine.values.update({f"auto_quarantine.{name}": value for name, value in values.items()})
    machine.reviewed()
    (incident,) = machine.incidents()
    assert incident.state == becomes
    assert folder.exists() == (becomes != states.QUARANTINED)
    assert machine.targets() == ([] if becomes == states.QUARANTINED else ["evil"])


def test_every_version_on_a_persons_word_moves_nothing(machine: Machine) -> None:
    machine.install()
    machine.values.update({"auto_quarantine.enabled": True, "auto_quarantine.dry_run": False})
    machine.does("npm install evil")
    machine.run()
    machine.reviewed()
    assert machine.said() == [("evil", "", ENFORCE)]
    assert machine.incidents()[0].state == states.APPROVAL
    assert machine.does("npm install evil@7.0.0") == "block"


def test_an_undone_label_unwinds_overlay_card_and_target(machine: Machine) -> None:
    machine.install()
    ident = machine.reviewed()
    assert (machine.targets(), machine.incidents()[0].state) == (["evil"], states.OPEN)
    machine.undo(ident)
    assert machine.settle() == ["overlay_revoked", "withdrawn"]
    assert [row.state for row in machine.overlay()] == [REVOKED]
    assert machine.said() == []
    assert machine.targets() == []
    assert machine.incidents()[0].state == states.RESOLVED
    assert machine.does(EVIL) == "allow"


def test_what_a_source_still_says_stays_when_a_label_goes(machine: Machine) -> None:
    machine.install()
    machine.say("evil", "alpha")
    machine.sync()
    machine.does(EVIL)
    machine.run()
    ident = machine.reviewed()
    assert machine.targets() == ["evil"]
    machine.undo(ident)
    machine.settle()
    (incident,) = machine.incidents()
    assert (incident.state, incident.why) == (states.OPEN, "1 of 2 independent sources")
    assert machine.targets() == []


def test_what_is_held_stays_held_when_its_label_goes(machine: Machine) -> None:
    machine.install()
    machine.values.update({"auto_quarantine.enabled": True, "auto_quarantine.dry_run": False})
    ident = machine.reviewed()
    machine.undo(ident)
    machine.settle()
    assert machine.incidents()[0].state == states.QUARANTINED


def test_withdrawn_by_everybody_it_is_over_after_a_week(machine: Machine) -> None:
    machine.install()
    machine.confirmed("alpha", "beta")
    machine.withdraw("alpha", "beta")
    machine.sync()
    machine.run()
    assert machine.said() == [("evil", "1.0.0", ENFORCE)]
    machine.run(days=6)
    assert machine.said()
    machine.run(days=2)
    assert machine.said() == []
    assert machine.targets() == []
    assert machine.incidents()[0].state == states.RESOLVED


def test_a_person_who_clears_a_package_ends_what_was_automatic(machine: Machine) -> None:
    machine.confirmed("alpha")
    machine.does(EVIL, session="another")
    machine.run()
    event = machine.events(session="another")[0]
    machine.label(event, BENIGN, EXPLAINED)
    machine.settle()
    assert machine.said() == []
    machine.say("evil", "beta", "gamma")
    machine.sync()
    machine.run()
    assert machine.said() == []  # more voices are the catalogs' to count; no entry of our own against a person


def test_an_entry_expires_and_comes_back_only_by_a_new_label(machine: Machine) -> None:
    machine.confirmed("alpha")
    assert machine.settle(days=91) == ["overlay_expired"]
    assert machine.said() == []
    assert machine.settle() == []
    assert [row.state for row in machine.overlay()] == [EXPIRED]
    machine.say("evil", "beta")
    machine.sync()
    machine.run()
    assert [row.state for row in machine.overlay()] == [EXPIRED, ACTIVE]


def test_two_versions_are_two_entries_and_one_version_is_one(machine: Machine) -> None:
    for version in ("1.0.0", "1.0.1", "1.0.0"):
        machine.does(f"npm install evil@{version}")
    for version in ("1.0.0", "1.0.1"):
        machine.say("evil", "alpha", version=version)
    machine.sync()
    machine.run()
    assert sorted(machine.said()) == [("evil", "1.0.0", WATCH), ("evil", "1.0.1", WATCH)]
    con = sqlite3.connect(f"{machine.state.root}/corpus.db")
    with pytest.raises(sqlite3.IntegrityError):
        con.execute("INSERT INTO overlay_entry SELECT 'another', * FROM (SELECT * FROM overlay_entry LIMIT 1)".replace(
            "'another', *", "'another', purl, ecosystem, name, version, severity, reason, label, tier, created_ms,"
            " expires_ms, created_by, state, ended_by, ended_ms"))  # fmt: skip
    con.close()


def test_a_text_that_was_lost_or_damaged_is_written_anew(machine: Machine) -> None:
    machine.confirmed("alpha")
    facts = Path(overlay.paths(machine.state)[0])
    whole = facts.read_bytes()
    for damage in (facts.unlink, lambda: facts.write_bytes(whole[:20]), lambda: facts.write_bytes(b"")):
        damage()
        machine.settle()
        assert facts.read_bytes() == whole
    assert machine.does(EVIL) == "warn"


def test_what_was_cut_off_between_the_table_and_the_cards_is_taken_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install()
    machine.does(EVIL)
    machine.run()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(promote, "follow", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.reviewed()
    assert [row.state for row in machine.overlay()] == [ACTIVE]
    assert machine.incidents() == []
    machine.settle()
    assert machine.targets() == ["evil"]
    assert len(machine.overlay()) == 1


def test_another_installations_conclusion_has_no_effect(machine: Machine) -> None:
    from bk.engine.corpus.shapes import IMPORTED, Label

    machine.does(EVIL)
    machine.run()
    event = machine.only()
    with Corpus(machine.state, write=True) as corpus:
        corpus.label(Label("", event.id, "", MALICIOUS, IMPORTED, at_ms=machine.now, actor="corpus", human=False))
    assert machine.outcome() == MALICIOUS
    assert machine.settle() == []
    assert machine.said() == []


def test_the_finding_says_whose_word_it_is(machine: Machine) -> None:
    from bk.engine.decide import decide
    from bk.engine.model import ToolCall
    from bk.engine.world import World

    machine.reviewed()
    (row,) = machine.overlay()
    call = ToolCall("Bash", "shell", {"command": EVIL}, cwd=machine.state.home, home=machine.state.home)
    finding = decide(call, World.open(machine.state)).verdict.findings[0]
    assert finding.rule == CONFIRMED
    assert finding.reason.startswith("npm package evil 1.0.0 was confirmed as malicious by a person")
    assert row.id in finding.reason
    assert (finding.evidence["labelled"], finding.evidence["groups"]) == (True, [])


def test_one_critical_source_that_blocks_is_still_watch_weight_here(machine: Machine) -> None:
    machine.does(EVIL)
    machine.say("evil", "alpha", severity="critical")
    machine.sync()
    assert machine.does(EVIL) == "block"
    machine.run()
    assert machine.said() == [("evil", "1.0.0", WATCH)]


@pytest.mark.parametrize("groups", [(), ("alpha",)])
def test_a_label_of_few_groups_moves_nothing_and_least_of_all_another_version(
    machine: Machine, groups: tuple[str, ...]
) -> None:
    there, other = machine.install(), machine.install("evil-two", "2.0.0")
    machine.values.update({"auto_quarantine.enabled": True, "auto_quarantine.dry_run": False})
    machine.does("npm install evil-two@1.0.0")
    machine.say("evil-two", *groups)
    machine.confirmed(*groups)
    assert there.is_dir()
    assert other.is_dir()
    assert {one.name for one in machine.incidents()} == ({"evil"} if groups else set())


def test_switched_off_nothing_is_kept_and_nothing_follows(machine: Machine) -> None:
    machine.install()
    machine.values["corpus.enabled"] = False
    machine.confirmed("alpha", "beta")
    assert not Path(machine.state.root, "corpus.db").exists()
    assert machine.incidents() == []
    assert not Path(overlay.paths(machine.state)[0]).exists()


def test_what_a_label_had_taken_is_put_back_like_anything_else(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bk.engine.console import quarantine
    from bk.engine.errors import BkError
    from bk.quarantine.listing import listed
    from tests.unit.quarantine.house import photograph

    monkeypatch.setattr(quarantine, "require_admin", lambda admin, env=None: None)
    folder = machine.install()
    before = photograph(folder)
    machine.values.update({"auto_quarantine.enabled": True, "auto_quarantine.dry_run": False})
    machine.reviewed()
    (held,) = listed(machine.state)
    env = {"HOME": machine.state.home}
    with pytest.raises(BkError, match="evil"):
        quarantine.restore(held.ident, admin=True, env=env)
    quarantine.restore(held.ident, override=True, reason="our own", admin=True, env=env)
    assert photograph(folder) == before
    machine.settle()
    assert folder.is_dir()  # and it is left alone from then on


def test_what_expired_is_over_everywhere(machine: Machine) -> None:
    machine.install()
    machine.reviewed()
    assert machine.settle(days=366) == ["overlay_expired", "withdrawn"]
    assert (machine.said(), machine.targets()) == ([], [])
    assert machine.incidents()[0].state == states.RESOLVED
    assert machine.does(EVIL) == "allow"
