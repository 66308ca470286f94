"""Hosts that are listed, denied or unknown: what the lists of a person and of a project change."""

from __future__ import annotations

from typing import Any

import pytest

from bk.engine.checks.egress import check
from bk.engine.judge import judge
from bk.engine.model import Connect, Level, Run, Verdict
from tests.unit.checks import facts


def reached(url: str, host: str, *, sends: bool = False, run: Run | None = None, **policy: Any) -> Verdict:
    named = {key.replace("__", "."): value for key, value in policy.items()}
    action = Connect(url, host, sends=sends)
    return judge(check([run, action] if run else [action], facts(policy=named)))


KNOWN = {"egress__allow": ["registry.example", "pypi.example"], "egress__default": "warn"}


@pytest.mark.parametrize(
    ("url", "host", "level"),
    [
        ("https://registry.example/express", "registry.example", "allow"),
        ("https://sub.pypi.example/simple/requests/", "sub.pypi.example", "allow"),
        ("https://evilpypi.example/upload", "evilpypi.example", "warn"),
        ("https://notpastebin.com/raw/abc", "notpastebin.com", "warn"),
        ("https://some-random-site.example.com/data", "some-random-site.example.com", "warn"),
        ("https://pastebin.com/raw/abc", "pastebin.com", "block"),
        ("https://sub.hastebin.com/raw/xyz", "sub.hastebin.com", "block"),
        ("http://pastebin.com\\@x", "x", "block"),
        ("http://notpastebin.com\\@x", "x", "warn"),
        ("http://localhost:1/", "localhost", "allow"),
    ],
)
def test_with_a_list_of_ones_own(url: str, host: str, level: str) -> None:
    assert reached(url, host, **KNOWN).level.word == level


@pytest.mark.parametrize("level", ["allow", "warn", "ask", "block"])
def test_the_default_decides_on_the_rest(level: str) -> None:
    assert reached("https://h.example/", "h.example", egress__default=level).level.word == level
    assert reached("http://10.0.0.1/", "10.0.0.1", egress__default=level).level is Level.ALLOW


def test_a_person_may_allow_what_the_built_in_list_denies_but_not_the_metadata_service() -> None:
    allow = ["abc.ngrok.io", "169.254.169.254", "metadata.google.internal"]
    assert reached("https://abc.ngrok.io/", "abc.ngrok.io", egress__allow=allow).level is Level.ALLOW
    assert reached("https://x.ngrok.io/", "x.ngrok.io", egress__allow=allow).level is Level.BLOCK
    assert reached("http://169.254.169.254/", "169.254.169.254", egress__allow=allow).level is Level.BLOCK


def test_a_url_that_reads_two_ways_is_only_allowed_when_both_are() -> None:
    assert reached("http://pastebin.com\\@h.example", "h.example", egress__allow=["h.example"]).level is Level.BLOCK


def test_deny_beats_allow() -> None:
    verdict = reached("https://a.h.example/", "a.h.example", egress__allow=["a.h.example"], egress__deny=["h.example"])
    assert [finding.rule for finding in verdict.findings] == ["egress/deny"]


def test_what_is_certainly_sent_may_be_too_much() -> None:
    big = Run(["curl", "-d", "x" * 3000, "https://registry.example"])
    small = Run(["curl", "-d", "x" * 300, "https://registry.example"])
    fed = Run(["curl", "-d", "@-", "https://registry.example"], stdin="x" * 3000)
    for run, level in ((big, "block"), (fed, "block"), (small, "allow")):
        found = reached(
            "https://registry.example", "registry.example", sends=True, run=run, egress__max_bytes=2048, **KNOWN
        )
        assert found.level.word == level
    assert reached("https://registry.example", "registry.example", run=big, egress__max_bytes=2048, **KNOWN).level == 0


def test_what_is_fetched_is_not_counted_as_sent() -> None:
    assert reached("https://h.example", "h.example", sends=True).level is Level.WARN
    assert reached("https://h.example", "h.example").level is Level.ALLOW
    assert reached("ssh://h.example", "h.example", sends=True, run=Run(["ssh", "h.example"])).level is Level.ALLOW
