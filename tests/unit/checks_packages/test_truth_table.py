"""Every combination of the ladder's inputs against the rule written a second time, and what stands outside it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from bk.engine.checks.packages import check
from bk.engine.facts import Facts, Match, Origin
from bk.engine.model import Finding, Install, Level, Run
from tests.unit.checks_packages.test_corroboration import DEFAULTS, match

GROUPS = ("a", "b", "c", "d")
WIDE = ("<9.0.0", ">=0,<9.0.0", ">=0.0.0,<1", ">=1.0.0", ">=0.0.1,<999999", ">1.2.3")
NARROW = (">=1.95.6,<1.95.8", ">=1.2.0,<2.0.0", ">=0.9.50,<1.0.2", ">=4.1.1,<=4.1.2", ">=1!2.0,<1!2.4")


def judged(found: list[Match], origin: Origin | None = None, catalog: Any = None, **policy: Any) -> list[Finding]:
    action = Install("npm", "evil", "1.0.0", manager="npm")
    values = {**DEFAULTS, **policy}
    origins = {action.target: origin} if origin else None
    facts = Facts(
        home="/h", cwd="/h", state_root="/s", policy=values, matches={action.target: found}, origins=origins,
        catalog=catalog,
    )  # fmt: skip
    return list(check([Run(["npm"]), action], facts))


def level(found: list[Match], origin: Origin | None = None, **policy: Any) -> str:
    return max((one.level for one in judged(found, origin, **policy)), default=Level.ALLOW).word


def expected(kind: str, severity: str, count: int, provenance: str, block: int) -> str:
    """The rule in other words; `block` is `critical_block_at`."""
    if provenance == "none":
        return "warn"
    plain = ("warn", "block", "quarantine", "quarantine")[count - 1]
    critical = severity == "critical"
    if kind == "every":
        return "ask" if count == 1 else plain
    if kind == "maybe":
        if critical and count >= block:
            return "block"
        return "warn" if count == 1 else "ask"
    if critical:
        return "quarantine" if count >= 2 else "block" if count >= block else "warn"
    return plain


@pytest.mark.parametrize(
    ("kind", "severity", "count", "provenance", "block"),
    product(
        ("exact", "range", "maybe", "every"),
        ("critical", "high", "medium", "low"),
        (1, 2, 3, 4),
        ("signature", "pinned_origin", "none"),
        (1, 2),
    ),
)
def test_the_ladder(kind: str, severity: str, count: int, provenance: str, block: int) -> None:
    wanted = expected(kind, severity, count, provenance, block)
    policy = {"corroboration.critical_block_at": block}
    versions = NARROW[:1] if kind == "range" else ("1.0.0",)
    apart = [
        match(kind, group, severity=severity, provenance=provenance, versions=versions) for group in GROUPS[:count]
    ]
    assert level(apart, **policy) == wanted
    together = match(kind, *GROUPS[:count], severity=severity, provenance=provenance, versions=versions)
    assert level([together], **policy) == wanted
    mirrors = [match(kind, "a", severity=severity, provenance=provenance, versions=versions) for _ in range(count)]
    assert level(mirrors, **policy) == expected(kind, severity, 1, provenance, block)


@pytest.mark.parametrize("span", WIDE)
@pytest.mark.parametrize("kind", ["range", "maybe"])
def test_a_range_that_leaves_out_hardly_anything_is_a_wildcard(span: str, kind: str) -> None:
    one = judged([match(kind, "a", versions=[span])])
    assert [(each.rule, each.level.word) for each in one] == [("package/every-version", "ask")]
    assert level([match(kind, "a", "b", versions=[span])]) == "block"
    assert level([match(kind, "a", versions=[NARROW[0], span])]) == "ask"


@pytest.mark.parametrize("span", NARROW)
@pytest.mark.parametrize("kind", ["range", "maybe"])
def test_a_bounded_range_is_none(span: str, kind: str) -> None:
    assert level([match(kind, "a", versions=[span])]) == "block"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([match("exact", "a", severity="high")], "ask"),
        ([match("exact", "a")], "ask"),
        ([match("exact", "a", "b", "c")], "ask"),
        ([match("range", "a", "b", versions=NARROW[:1])], "ask"),
        ([match("every", "a", "b", "c")], "ask"),
        ([match("maybe", "a")], "ask"),
        ([match("exact", "a", provenance="none")], "warn"),
        ([], "allow"),
    ],
)
def test_a_hit_on_a_name_of_ones_own_registry_is_a_question(found: list[Match], expected: str) -> None:
    assert level(found, Origin("registry.example", "~/.npmrc", own=True)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([match("exact", "a", severity="high")], "ask"),
        ([match("exact", "a")], "block"),
        ([match("exact", "a", "b")], "quarantine"),
        ([match("exact", "a", "b", severity="high")], "block"),
        ([match("every", "a", "b")], "block"),
        ([match("maybe", "a")], "block"),
        ([match("every", "a")], "ask"),
    ],
)
def test_what_a_project_says_of_registries_softens_nothing(found: list[Match], expected: str) -> None:
    assert level(found, Origin("registry.example", "a lock file")) == expected


def test_the_reason_names_records_voices_dissent_registry_and_date() -> None:
    catalog = {
        "stale_days": None,
        "date": "2026-11-20",
        "groups": {"ossf": ["npm"], "github": ["npm", "pypi"], "rustsec": ["cargo"], "socket": ["npm"]},
    }
    found = [match("exact", "ossf", "vendors", ident="MAL-1 GHSA-2", date="2026-03-31")]
    one = judged(found, Origin("registry.example", "/h/.npmrc", own=True), catalog)[0]
    assert one.reason == (
        "npm package evil 1.0.0 is listed as malicious by ossf and vendors (GHSA-2, MAL-1, 2026-03-31);"
        " registry.example would serve it, a registry of your own (/h/.npmrc);"
        " not listed by github and socket; catalogs of 2026-11-20"
    )
    assert one.evidence["dissent"] == ["github", "socket"]
    assert one.evidence["registry"] == {"host": "registry.example", "own": True, "told": "/h/.npmrc"}


@pytest.mark.parametrize(("action", "expected"), [("off", ""), ("warn", "warn"), ("ask", "ask"), ("block", "block")])
def test_stale_catalogs_touch_installs_as_the_policy_says(action: str, expected: str) -> None:
    policy = {"catalog_sync.stale_action": action}
    found = judged([], catalog={"stale_days": 12}, **policy)
    assert [(one.rule, one.level.word) for one in found] == ([("package/stale-catalog", expected)] if expected else [])
    assert judged([], catalog={"stale_days": None}, **policy) == []
    facts = Facts(home="/h", cwd="/h", state_root="/s", policy={**DEFAULTS, **policy}, catalog={"stale_days": 12})
    assert list(check([Run(["ls"])], facts)) == []


def test_stale_catalogs_are_told_once_and_say_for_how_long() -> None:
    installs = [Install("npm", name, manager="npm") for name in ("a", "b")]
    facts = Facts(home="/h", cwd="/h", state_root="/s", policy=DEFAULTS, catalog={"stale_days": 12})
    (one,) = check(installs, facts)
    assert "for 12 days" in one.reason
    assert "bk catalogs sync" in one.instead
