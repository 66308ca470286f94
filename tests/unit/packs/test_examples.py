"""The built-in packs: rules explain themselves, examples are decided as they say, suggestions are let through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bk.engine.rules
from bk.engine.decide import decide
from bk.engine.model import Level, ToolCall
from bk.engine.rules.format import formatted
from bk.engine.rules.parse import parse
from bk.engine.rules.rule import Example, Rule, examples
from bk.engine.state import State
from bk.engine.tables import names
from bk.engine.world import World
from tests.unit.checks import KINDS

PACKS = sorted((Path(bk.engine.rules.__file__).parent / "packs").glob("*.rules"))
RULES: list[Rule] = [rule for path in PACKS for rule in parse(path.read_text(), file=path.name, pack=path.stem)]
LEVELS = {"block": Level.BLOCK, "suspicious": Level.ASK, "warn": Level.WARN}
CASES = [
    pytest.param(rule, one, id=f"{rule.ident}-{'bad' if one.bad else 'good'}-{at}")
    for rule in RULES
    for at, one in enumerate(examples(rule))
]
SUGGESTED = re.compile(r"`([^`{}]+)`")
WANTED = names(
    "core git disk databases containers kubernetes iac secrets persistence supply-chain windows system hosting"
    " cloud-aws exfiltration"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home = tmp_path_factory.mktemp("home")
    state = State(f"{home}/.bk", "/home/dev", home.stat().st_uid)
    state.ensure()
    return World.open(state)


def asked(world: World, one: Example) -> list[tuple[str, Level]]:
    kind = KINDS.get(one.tool) or ("mcp" if one.tool.startswith("mcp__") else "other")
    call = ToolCall(one.tool, kind, one.input, cwd=one.cwd, home="/home/dev")
    return [(finding.rule, finding.level) for finding in decide(call, world).verdict.findings]


@pytest.mark.parametrize(("rule", "one"), CASES)
def test_example(world: World, rule: Rule, one: Example) -> None:
    found = asked(world, one)
    if one.bad:
        assert (rule.ident, LEVELS[rule.tier]) in found, one.text
    else:
        assert rule.ident not in [name for name, _ in found], one.text


@pytest.mark.parametrize("rule", RULES, ids=[rule.ident for rule in RULES])
def test_a_rule_explains_itself(rule: Rule) -> None:
    assert rule.why
    assert rule.nudge
    assert {one.bad for one in examples(rule)} == {True, False}


@pytest.mark.parametrize("rule", RULES, ids=[rule.ident for rule in RULES])
def test_what_a_rule_suggests_is_not_stopped(world: World, rule: Rule) -> None:
    for command in SUGGESTED.findall(rule.nudge):
        call = ToolCall("Bash", "shell", {"command": command}, cwd="/home/dev/project", home="/home/dev")
        verdict = decide(call, world).verdict
        assert verdict.level < Level.ASK, f"{rule.ident} suggests `{command}`, which is stopped: {verdict.reason}"


def test_the_packs_are_whole() -> None:
    there = {path.stem for path in PACKS}
    assert there >= WANTED
    assert len({rule.ident for rule in RULES}) == len(RULES) > 150


@pytest.mark.parametrize("path", PACKS, ids=[path.stem for path in PACKS])
def test_a_pack_is_in_its_one_form(path: Path) -> None:
    text = path.read_text()
    assert formatted(text) == text
