"""What a rule file says is what is read from it."""

from __future__ import annotations

import pytest

from bk.engine.rules.errors import nearest
from bk.engine.rules.rule import Either, Every, Listed, Not, Regex, Term, examples
from tests.unit.rules import found, one, rules

WHOLE = """# a comment
block "reset-hard"   # why it is here
  why "throws away \\"uncommitted\\" work \\\\ more"
  nudge "git stash first; {rule} {{literally}}"
  match command("git") with_subcommand("reset") with_flags("--hard", "--merge")  # a comment
  match (?i)rm\\s+-rf "x" # literal
  unless command("git") with_flags("--help")
  severity high
  tags git, loss
  tools Bash, mcp__*
  agents claude-code
  ref https://git-scm.com/docs/git-reset
  example bad git reset --hard HEAD~3
  example good git reset --soft HEAD~3  @ cwd=/srv/app
  example bad {"tool_name": "Write", "tool_input": {"file_path": "a"}}

warn "other"
 match_base_command_not_in executables.allowed
"""


def test_every_clause_is_read() -> None:
    first, second = rules(WHOLE)
    assert (first.ident, first.tier, first.line) == ("p/reset-hard", "block", 2)
    assert first.why == 'throws away "uncommitted" work \\ more'
    assert first.nudge == "git stash first; {rule} {{literally}}"
    assert (first.severity, first.tags, first.tools) == ("high", ("git", "loss"), ("Bash", "mcp__*"))
    assert (first.agents, first.ref) == (("claude-code",), "https://git-scm.com/docs/git-reset")
    assert isinstance(first.matches[0], Term)
    assert first.matches[1] == Regex('(?i)rm\\s+-rf "x" # literal')
    assert second.matches == (Term("match_base_command_not_in", [Listed("executables.allowed")]),)


def test_examples_tell_tool_input_and_place() -> None:
    bad, good, write = examples(rules(WHOLE)[0])
    assert (bad.bad, bad.command, bad.cwd, bad.tool) == (True, "git reset --hard HEAD~3", "/home/dev/project", "Bash")
    assert (good.bad, good.command, good.cwd) == (False, "git reset --soft HEAD~3", "/srv/app")
    assert (write.tool, write.input) == ("Write", {"file_path": "a"})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('command("x")', Term),
        ('not command("x") and reads("y")', Every),
        ('( command("x") or reads("y") )', Either),
        ("not allowed", Regex),
        ("(rm|mv) -rf", Regex),
        ("commander (x)", Regex),
        ("curl\\s.*\\(x\\)", Regex),
    ],
)
def test_a_pattern_is_matchers_only_when_its_first_token_is_one(text: str, kind: type) -> None:
    assert isinstance(rules(one(text))[0].matches[0], kind)


def test_and_binds_closer_than_or() -> None:
    pattern = rules(one('command("a") or command("b") and not (reads("c") or writes("d"))'))[0].matches[0]
    assert isinstance(pattern, Either)
    assert isinstance(pattern.parts[1], Every)
    assert isinstance(pattern.parts[1].parts[1], Not)


def test_a_regex_in_quotes_keeps_its_backslashes() -> None:
    pattern = rules(one(r'command("psql") says("(?i)\bdrop\s+\"x\"")'))[0].matches[0]
    assert isinstance(pattern, Term)
    assert pattern.modifiers[0].values == (r'(?i)\bdrop\s+"x"',)


def test_lists_numbers_and_matchers_are_values() -> None:
    pattern = rules(one("flows(reads(paths.sensitive, @a.b), connects_to(external()))"))[0].matches[0]
    assert isinstance(pattern, Term)
    source, sink = pattern.values
    assert isinstance(source, Term)
    assert isinstance(sink, Term)
    assert source.values == (Listed("paths.sensitive"), Listed("a.b"))
    assert sink.values == (Term("external", ()),)
    assert found(one("command(7)"), "7 x")


def test_the_nearest_word() -> None:
    known = ["match", "unless", "nudge"]
    assert nearest("mtach", known) == "match"
    assert nearest("nugde", known) == "nudge"
    assert nearest("zzz", known) == ""
