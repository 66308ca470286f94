"""What a finding says to the one who made the call."""

from __future__ import annotations

import pytest

from bk.engine.model import Install, McpCall
from tests.unit.rules import asked, book, facts, one


def test_the_reason_is_the_first_sentence_and_the_command() -> None:
    (finding,) = asked(book(one('command("rm")', 'why "takes it away. For good."')), "rm   'a b'")
    assert finding.reason == "takes it away: rm 'a b'"
    assert finding.rule == "p/r"


def test_what_the_finding_rests_on() -> None:
    more = ("severity high", "tags a, b", "ref doc 1")
    (finding,) = asked(book(one('command("rm")', *more)), "rm x")
    assert finding.evidence == {
        "match": "rm x",
        "origin": "p.rules:1",
        "severity": "high",
        "tags": ["a", "b"],
        "ref": "doc 1",
    }


@pytest.mark.parametrize(
    ("match", "nudge", "command", "told"),
    [
        ('command("rm") with_flags("-r", "-f")', "no {flag} for {base_command}", "/bin/rm -f x", "no -f for rm"),
        ('command("rm")', "{command} by {rule}", "rm x", "rm x by p/r"),
        ('command("rm")', "not {path}", "rm -f a b/c", "not b/c"),
        ('command("rm")', "{host} {package}", "rm x", "that host that package"),
        ('command("rm")', "{flag}", "rm x", "that option"),
        ('reads("*.pem")', "{path}", "cat a.pem", "/home/dev/project/a.pem"),
        ('connects_to("h.example")', "{host}", "curl h.example/x", "h.example"),
        ('command("x")', "{{path}} } {", "x", "{path} } {"),
        ('command("x")', "ask a person", "x", "ask a person"),
    ],
)
def test_placeholders(match: str, nudge: str, command: str, told: str) -> None:
    (finding,) = asked(book(one(match, f'nudge "{nudge}"')), command)
    assert finding.instead == told


def test_packages_and_tools_have_names() -> None:
    held = book(one('installs() or mcp("*")', 'nudge "{package} {base_command}"'))
    assert held.judge([Install("npm", "left-pad")], facts())[0].instead == "left-pad the program"
    assert held.judge([McpCall("s", "t", {})], facts())[0].instead == "s/t the program"


def test_what_comes_from_the_call_is_short_and_harmless() -> None:
    (finding,) = asked(book(one('command("rm")', 'nudge "{command}"')), "rm '\u202e\x1b[31m" + "a" * 500 + "'")
    assert len(finding.instead) <= 80
    assert len(finding.reason) < 200
    assert "\u202e" not in finding.instead + finding.reason
    assert "\x1b" not in finding.instead + finding.reason


def test_one_rules_words_do_not_reach_another() -> None:
    text = (
        'block "a"\n  match command("rm") with_flags("-f")\n'
        'block "b"\n  match command("rm")\n  nudge "{flag} {match}"\n'
    )
    told = {finding.rule: finding.instead for finding in asked(book(text), "rm -f x")}
    assert told["p/b"] == "that option rm -f x"
