"""How entries become the few things that a person must look at."""

from __future__ import annotations

from typing import Any

from bk.engine.console.incidents import ACKNOWLEDGE, Incidents, is_notable
from bk.engine.model import Entry


def blocked(
    seq: int, rule: str = "path/secret", target: str = "/h/.ssh/id", level: str = "block", **data: Any
) -> Entry:
    findings = [{"rule": rule, "level": level, "reason": "r", "target": target, "instead": "ask"}]
    said = {"tool": "Bash", "kind": "shell", "input": {"command": f"cat {target}"}, "findings": findings, **data}
    return Entry("decision", "hook:claude-code", said, level=level, at=seq * 1000, seq=seq)


def seen(seq: int, ident: str, upto: int) -> Entry:
    return Entry("admin", "person:0", {"verb": ACKNOWLEDGE, "incident": ident, "seen": upto}, at=seq * 1000, seq=seq)


def test_only_stopped_calls_and_incidents_count() -> None:
    assert is_notable(blocked(1))
    assert is_notable(blocked(1, level="quarantine"))
    assert not is_notable(blocked(1, level="ask"))
    assert not is_notable(Entry("result", "hook:x", {}, level="block"))
    assert is_notable(Entry("incident", "engine", {"title": "t"}, level="warn"))


def test_the_same_matter_is_one_incident_and_another_target_is_another() -> None:
    book = Incidents()
    assert book.absorb([blocked(1), blocked(2), blocked(3, target="/h/.aws/credentials")])
    cases = book.cases()
    assert [(case.count, case.incident.title) for case in cases] == [
        (1, "cat /h/.aws/credentials"),
        (2, "cat /h/.ssh/id"),
    ]
    assert cases[1].first_at == 1000
    assert cases[1].incident.at == 2000
    assert cases[1].incident.next_step == "ask"


def test_open_ones_come_first_then_the_stronger_then_the_later() -> None:
    book = Incidents()
    book.absorb([blocked(1, target="a"), blocked(2, target="b", level="quarantine"), blocked(3, target="c")])
    book.absorb([seen(4, next(c for c in book.cases() if c.last_seq == 3).incident.ident, 3)])
    assert [case.last_seq for case in book.cases()] == [2, 1, 3]
    assert sum(case.incident.state == "open" for case in book.cases()) == 2


def test_acknowledging_holds_only_for_what_was_seen() -> None:
    book = Incidents()
    book.absorb([blocked(1)])
    ident = book.cases()[0].incident.ident
    assert book.absorb([seen(2, ident, 1)])
    assert book.cases()[0].incident.state == "acknowledged"
    book.absorb([blocked(3)])
    assert book.cases()[0].incident.state == "open"
    assert not book.absorb([seen(4, ident, 1)]), "an acknowledgement of what came before does not hide what came after"
    assert book.cases()[0].incident.state == "open"


def test_an_entry_is_taken_in_once() -> None:
    book = Incidents()
    book.absorb([blocked(1), blocked(2)])
    assert not book.absorb([blocked(1), blocked(2)])
    assert book.cases()[0].count == 2


def test_damaged_entries_do_not_break_the_list() -> None:
    book = Incidents()
    entries = [
        Entry("decision", "hook:x", {"findings": "no list", "input": 3, "actions": {"do": 1}}, level="block", seq=1),
        Entry("incident", "x", {}, level="", seq=2),
        Entry("admin", "x", {"verb": ACKNOWLEDGE, "incident": ["?"], "seen": "x"}, seq=3),
    ]
    book.absorb(entries)
    assert len(book.cases()) == 2


def test_what_the_responder_held_is_one_case_however_often_its_state_changes() -> None:
    def changed(seq: int, state: str, level: str) -> Entry:
        said = {"event": state, "incident": "3f2a" * 4, "package": "npm:evil@1.0.0", "state": state, "why": "two agree"}
        return Entry("responder", "responder", said, level=level, at=seq * 1000, seq=seq)

    book = Incidents()
    assert not book.absorb([changed(1, "open", "warn")])
    assert book.absorb([changed(2, "pending_approval", "block"), changed(3, "quarantined", "quarantine")])
    (case,) = book.cases()
    assert (case.count, case.incident.title, case.incident.level) == (2, "npm:evil@1.0.0: quarantined", "quarantine")
    assert case.incident.next_step == "bk incidents show 3f2a3f2a"
