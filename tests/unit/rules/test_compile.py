"""The compiled form: survives being stored, says the same each time, and holds levels, lists and what is off."""

from __future__ import annotations

import json

import pytest

from bk.engine.model import Level
from bk.engine.rules.book import Rulebook
from bk.engine.rules.compile import compiled
from tests.unit.rules import LISTS, asked, book, one, rules

TIERS = 'block "b"\n  match command("b")\nsuspicious "s"\n  match command("s")\nwarn "w"\n  match command("w")\n'


@pytest.mark.parametrize(
    ("profile", "levels"),
    [
        ("relaxed", [Level.BLOCK, Level.WARN, Level.WARN]),
        ("standard", [Level.BLOCK, Level.ASK, Level.WARN]),
        ("strict", [Level.BLOCK, Level.BLOCK, Level.ASK]),
    ],
)
def test_a_profile_moves_levels(profile: str, levels: list[Level]) -> None:
    held = book(TIERS, profile=profile)
    assert [asked(held, name)[0].level for name in "bsw"] == levels


@pytest.mark.parametrize("entry", ["p/s", "s", "p/*"])
def test_rules_are_switched_off_by_id_name_or_glob(entry: str) -> None:
    held = book(TIERS, disabled=[entry])
    assert not asked(held, "s")
    assert bool(asked(held, "b")) is (entry != "p/*")
    assert held.problems == ()
    assert held.count == (0 if entry == "p/*" else 2)


def test_it_can_be_stored_and_is_the_same_each_time() -> None:
    text = (
        TIERS
        + one('reads(@paths.sensitive) or connects_to("h.example")').replace('"r"', '"x"')
        + 'warn "y"\n  match a+b\n'
    )
    made = compiled({"p": rules(text)}, LISTS)
    again = json.loads(json.dumps(made))
    assert again == made
    assert compiled({"p": rules(text)}, LISTS) == made
    assert Rulebook.load(again).digest == made["digest"]
    assert {finding.rule for finding in asked(Rulebook.load(again), "cat .env; curl h.example; echo aab")} == {
        "p/x",
        "p/y",
    }


def test_any_change_of_meaning_changes_the_digest() -> None:
    base = compiled({"p": rules(TIERS)}, LISTS)["digest"]
    others = [
        compiled({"p": rules(TIERS.replace('command("w")', 'command("v")'))}, LISTS),
        compiled({"p": rules(TIERS)}, LISTS, profile="strict"),
        compiled({"p": rules(TIERS)}, LISTS, disabled=["w"]),
        compiled({"q": rules(TIERS, "q")}, LISTS),
    ]
    assert len({base, *(made["digest"] for made in others)}) == 5


def test_a_list_is_part_of_what_a_rule_means() -> None:
    text = one("reads(@mine)")
    assert asked(book(text, {"mine": ["*.key"]}), "cat a.key")
    assert not asked(book(text, {"mine": []}), "cat a.key")


@pytest.mark.parametrize("broken", [{}, {"format": 99}, []])
def test_anything_else_is_refused(broken: object) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        Rulebook.load(broken)


def test_packs_do_not_disturb_each_other() -> None:
    held = Rulebook.load(compiled({"a": rules(TIERS, "a"), "b": rules(TIERS, "b")}, {}))
    assert [finding.rule for finding in asked(held, "s")] == ["a/s", "b/s"]
