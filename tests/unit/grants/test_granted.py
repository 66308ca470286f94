"""What an exception does to findings, and to which it never reaches."""

from __future__ import annotations

import random

import pytest

from bk.engine.checks.locations import KINDS
from bk.engine.grants.grant import CLOCK_SLACK_MS, Grant, fingerprint, granted
from bk.engine.judge import judge
from bk.engine.model import Finding, Level, ToolCall, Touch

NOW = 1_800_000_000_000
CALL = ToolCall(
    "Bash", "shell", {"command": "git reset --hard"}, harness="claude-code", cwd="/home/dev/project", home="/home/dev"
)


def grant(rule: str = "git/*", kind: str = "allow", **scope: object) -> Grant:
    return Grant("g-1", kind, rule, at_ms=NOW - 1000, **scope)  # type: ignore[arg-type]


def finding(rule: str = "git/reset-hard", level: Level = Level.BLOCK, path: str = "") -> Finding:
    action = Touch(path, "write") if path else None
    return Finding(rule, level, "reason", action=action, evidence={"seen": 1}, instead="advice")


def after(found: Finding, *grants: Grant, call: ToolCall = CALL, now: int = NOW) -> Level:
    return judge(granted([found], grants, call, now)[0]).level


def test_a_granted_finding_no_longer_counts_but_keeps_its_evidence() -> None:
    told, used = granted([finding()], [grant()], CALL, NOW)
    assert (told[0].level, used) == (Level.ALLOW, ())
    assert told[0].evidence == {"seen": 1, "was": "block", "granted": "g-1"}
    assert told[0].reason == "reason"


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        ({}, True),
        ({"project": "/home/dev/project"}, True),
        ({"project": "/home/dev"}, True),
        ({"project": "/home/dev/proj"}, False),
        ({"project": "/home/dev/project/sub"}, False),
        ({"agent": "claude-code"}, True),
        ({"agent": "codex"}, False),
        ({"until_ms": NOW + 1}, True),
        ({"until_ms": NOW}, False),
        ({"path": "/home/dev/**"}, False),
    ],
)
def test_scopes(scope: dict[str, object], holds: bool) -> None:
    assert after(finding(), grant(**scope)) == (Level.ALLOW if holds else Level.BLOCK)


def test_a_path_scope_speaks_of_paths_alone() -> None:
    one = grant("destroy/*", path="/data/*/cache")
    assert after(finding("destroy/tree", path="/data/a/cache"), one) == Level.ALLOW
    assert after(finding("destroy/tree", path="/data/a/b/cache"), one) == Level.BLOCK
    assert after(finding("destroy/tree", path="/data/a/cache2"), one) == Level.BLOCK


def test_a_clock_set_back_ends_a_dated_grant() -> None:
    dated = grant(until_ms=NOW + 60_000)
    assert after(finding(), dated, now=NOW - CLOCK_SLACK_MS - 2000) == Level.BLOCK


@pytest.mark.parametrize(
    "rule",
    [
        "self/state",
        "failure/index",
        "agent/depth",
        "credentials/print",
        "secrets/vault-delete",
        "exfiltration/secret",
        "shells/reverse",
        "paths/secret-store",
        "paths/credential-file",
    ],
)
@pytest.mark.parametrize("kind", ["allow", "once", "trust"])
@pytest.mark.parametrize("level", [Level.ASK, Level.BLOCK])
def test_no_grant_reaches_what_guards(rule: str, kind: str, level: Level) -> None:
    mine = grant("*", kind, call=fingerprint(CALL) if kind == "once" else "")
    assert after(finding(rule, level), mine, grant(rule)) == level


def test_malware_that_sources_agree_on_stays() -> None:
    assert after(finding("package/known-malicious", Level.QUARANTINE), grant("package/*")) == Level.QUARANTINE
    assert after(finding("package/known-malicious", Level.BLOCK), grant("package/*")) == Level.BLOCK
    assert after(finding("package/suspect", Level.ASK), grant("package/*")) == Level.ALLOW


def test_every_kind_of_secret_place_is_out_of_reach() -> None:
    for kind in KINDS.values():
        if kind.levels["read"] is Level.BLOCK and kind.name not in ("env-file", "policy"):
            assert after(finding(f"paths/{kind.name}"), grant("*")) == Level.BLOCK, kind.name


def test_trust_turns_questions_into_warnings_and_leaves_blocks() -> None:
    trusted = grant("*", "trust", project="/home/dev/project")
    assert after(finding(level=Level.ASK), trusted) == Level.WARN
    assert after(finding(level=Level.BLOCK), trusted) == Level.BLOCK
    assert after(finding(level=Level.WARN), trusted) == Level.WARN


def test_once_is_for_one_exact_call() -> None:
    one = grant("*", "once", call=fingerprint(CALL))
    told, used = granted([finding(), finding("disk/mkfs")], [one], CALL, NOW)
    assert judge(told).level == Level.ALLOW
    assert used == ("g-1",)
    for change in ({"command": "git reset --hard HEAD~9"}, {"command": "git reset --hard", "timeout": 1}):
        other = ToolCall("Bash", "shell", change, harness="claude-code", cwd=CALL.cwd, home=CALL.home)
        assert after(finding(), one, call=other) == Level.BLOCK
    elsewhere = ToolCall("Bash", "shell", CALL.input, harness="claude-code", cwd="/", home=CALL.home)
    assert after(finding(), one, call=elsewhere) == Level.BLOCK


def test_the_order_of_findings_and_grants_does_not_matter() -> None:
    found = [finding(), finding("disk/mkfs"), finding("self/cli"), finding("git/clean", Level.ASK)]
    grants = [grant(), grant("disk/*", agent="codex"), grant("*", "trust", project="/home/dev")]
    wanted = judge(granted(found, grants, CALL, NOW)[0]).level
    for seed in range(20):
        shuffled = random.Random(seed)
        shuffled.shuffle(found)
        shuffled.shuffle(grants)
        assert judge(granted(found, grants, CALL, NOW)[0]).level == wanted


def test_what_has_no_canonical_form_has_no_fingerprint() -> None:
    odd = ToolCall("Bash", "shell", {"command": "x", "n": float("nan")}, cwd="/", home="/")
    assert fingerprint(odd) == ""
