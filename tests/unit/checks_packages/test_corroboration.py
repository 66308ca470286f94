from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bk.engine.checks.packages import check
from bk.engine.config.schema import KEYS
from bk.engine.facts import Facts, Match
from bk.engine.model import Finding, Install, Level, Run
from bk.engine.provenance import stored

DEFAULTS = {key.name: key.default for key in KEYS}


def match(
    kind: str = "exact",
    *groups: str,
    severity: str = "critical",
    provenance: str = "pinned_origin",
    versions: Sequence[str] = ("1.0.0",),
    ecosystem: str = "npm",
    name: str = "evil",
    ident: str = "X-1",
    date: str = "2026-01-02",
) -> Match:
    return Match(
        ecosystem,
        name,
        () if kind == "every" else versions,
        kind=kind,
        severity=severity,
        groups=groups or ("a",),
        provenance=stored(provenance),
        ident=ident,
        date=date,
    )


def findings(found: Sequence[Match], install: Install | None = None, **policy: Any) -> list[Finding]:
    action = install or Install("npm", "evil", "1.0.0", manager="npm")
    limits = {**DEFAULTS, **{f"corroboration.{name}": value for name, value in policy.items()}}
    facts = Facts(home="/h", cwd="/h", state_root="/s", policy=limits, matches={action.target: found})
    return list(check([Run(["npm"]), action], facts))


def level(found: Sequence[Match], **policy: Any) -> str:
    return max((one.level for one in findings(found, **policy)), default=Level.ALLOW).word


HIGH = {"severity": "high"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], "allow"),
        ([match("exact", "a", severity="high")], "warn"),
        ([match("exact", "a", "b", severity="high")], "block"),
        ([match("exact", "a", severity="high"), match("exact", "b", severity="low")], "block"),
        ([match("exact", "a", "b", "c", severity="high")], "quarantine"),
        ([match("exact", "a", severity="high"), match("exact", "a", severity="high")], "warn"),
        ([match("exact", "a")], "block"),
        ([match("range", "a")], "block"),
        ([match("exact", "a", "b")], "quarantine"),
        ([match("exact", "a"), match("range", "b")], "quarantine"),
        ([match("exact", "a"), match("exact", "a")], "block"),
        ([match("exact", "a"), match("exact", "b", severity="high")], "quarantine"),
        ([match("every", "a")], "ask"),
        ([match("every", "a", severity="high")], "ask"),
        ([match("every", "a"), match("every", "a")], "ask"),
        ([match("every", "a", "b")], "block"),
        ([match("every", "a"), match("every", "b"), match("every", "c")], "quarantine"),
        ([match("exact", "a", severity="high"), match("every", "a", severity="medium")], "warn"),
        ([match("exact", "a", severity="high"), match("every", "b")], "block"),
        ([match("exact", "a"), match("every", "b")], "block"),
        ([match("maybe", "a")], "block"),
        ([match("maybe", "a", "b", "c")], "block"),
        ([match("maybe", "a", severity="high")], "warn"),
        ([match("maybe", "a", "b", severity="high")], "ask"),
        ([match("maybe", "a"), match("every", "b")], "block"),
        ([match("exact", "a", provenance="none")], "warn"),
        ([match("exact", "a", "b", "c", provenance="none")], "warn"),
        ([match("every", "a", provenance="none")], "warn"),
        ([match("maybe", "a", provenance="none")], "warn"),
        ([match("exact", "a", provenance="none"), match("exact", "b", severity="high")], "warn"),
        ([match("exact", "a", provenance="signature")], "block"),
    ],
)
def test_ladder(found: list[Match], expected: str) -> None:
    assert level(found) == expected
    assert level(list(reversed(found))) == expected


def test_two_factor_mode() -> None:
    strict = {"critical_block_at": 2}
    assert level([match("exact", "a")], **strict) == "warn"
    assert level([match("maybe", "a")], **strict) == "warn"
    assert level([match("exact", "a", "b")], **strict) == "quarantine"
    assert level([match("exact", "a", "b")], critical_block_at=2, critical_quarantine_at=3) == "block"


def test_lower_thresholds_tighten() -> None:
    assert level([match("exact", "a", severity="low")], block_at=1) == "block"
    assert level([match("exact", "a", severity="low")], block_at=1, quarantine_at=1) == "quarantine"
    assert level([match("exact", "a", severity="low")], warn_at=2) == "allow"
    assert level([match("every", "a")], block_at=1) == "block"


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("exact", "package/known-malicious"),
        ("range", "package/known-malicious"),
        ("every", "package/every-version"),
        ("maybe", "package/could-be-malicious"),
    ],
)
def test_rules(kind: str, rule: str) -> None:
    assert [one.rule for one in findings([match(kind)])] == [rule]


def test_the_reason_names_package_version_voices_and_record() -> None:
    one = findings([match("exact", "ossf", "vendors", ident="MAL-1", date="2026-03-31")])[0]
    assert one.reason == "npm package evil 1.0.0 is listed as malicious by ossf and vendors (MAL-1, 2026-03-31)"
    assert one.evidence["groups"] == ["ossf", "vendors"]
    assert one.evidence["package"] == "npm:evil@1.0.0"
    assert one.evidence["versions"] == ["1.0.0"]
    assert one.action is not None


def test_the_reason_tells_the_listed_spelling() -> None:
    one = findings([match("exact", "a")], Install("npm", "EVIL", "1.0.0"))[0]
    assert "EVIL 1.0.0 (listed as evil)" in one.reason


def test_advice_only_says_what_the_records_say() -> None:
    fixed = findings([match("range", "a", versions=[">=1.95.6,<1.95.8"])], Install("npm", "evil", "1.95.7"))[0]
    assert fixed.instead == "use evil 1.95.8 or later, where the report says that it is fixed"
    listed = findings([match("maybe", "a", versions=[f"1.0.{n}" for n in range(9)])], Install("npm", "evil"))[0]
    assert listed.instead.startswith("pin a version of evil other than 1.0.0, 1.0.1")
    assert listed.instead.endswith("and 3 more, or do without it")
    assert "(1.0.0, 1.0.1" in listed.reason
    every = findings([match("every", "a")])[0]
    assert every.instead.startswith("do without evil")


def test_hostile_names_are_made_harmless() -> None:
    name = "evil\x1b[31m\u202egnp.exe"
    action = Install("npm", name, "1.0.0")
    for one in findings([match("exact", "a", name=name, ident="\x1b]0;x")], action):
        assert "\x1b" not in one.reason + one.instead
        assert "\u202e" not in one.reason + one.instead


def test_a_named_package_from_elsewhere_is_still_looked_up() -> None:
    action = Install("npm", "evil", "1.0.0", source="url")
    assert {one.rule for one in findings([match("exact", "a")], action)} == {"package/known-malicious"}


def test_a_name_known_only_at_run_time_gets_what_the_policy_says() -> None:
    action = Install("npm", "**", manager="npm", certain=False)
    facts = Facts(home="/h", cwd="/h", state_root="/s", policy={**DEFAULTS, "parser.opaque": "block"})
    assert [(one.rule, one.level) for one in check([action], facts)] == [("package/unknown-name", Level.BLOCK)]
    facts = Facts(home="/h", cwd="/h", state_root="/s", policy=DEFAULTS)
    assert [one.level for one in check([action], facts)] == [Level.ASK]


def test_the_same_name_in_another_namespace_only_warns() -> None:
    action = Install("conda", "evil", "1.0.0")
    found = findings([match("exact", "a", "b", "c", ecosystem="pypi")], action)
    assert [(one.rule, one.level) for one in found] == [("package/same-name-elsewhere", Level.WARN)]


def test_one_package_named_twice_is_told_once() -> None:
    action = Install("npm", "evil", "1.0.0")
    facts = Facts(home="/h", cwd="/h", state_root="/s", policy=DEFAULTS, matches={action.target: [match("exact", "a")]})
    assert len(list(check([action, Install("npm", "evil", "1.0.0")], facts))) == 1


def test_no_match_and_a_plain_registry_say_nothing() -> None:
    assert findings([]) == []
