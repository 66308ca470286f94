"""However a dangerous command is dressed, its verdict never falls; harmless commands together stay harmless."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bk.engine.model import Level
from tests.unit.decision import House, rows

KEYWORDS = frozenset(
    [
        "for",
        "while",
        "until",
        "if",
        "case",
        "select",
        "function",
        "time",
        "coproc",
        "do",
        "then",
        "else",
        "export",
        "declare",
    ]
)


def _named(command: str) -> bool:
    """Whether the first word is a plain program's name, which quoting does not change."""
    head = command.partition(" ")[0]
    return head.isalpha() and head not in KEYWORDS


def _split_word(command: str) -> str:
    """The first word with an empty string in its middle: the same word to a shell."""
    head, space, rest = command.partition(" ")
    return f"{head[0]}''{head[1:]}{space}{rest}" if _named(command) and len(head) > 1 else command


def _ansi(command: str) -> str:
    head, space, rest = command.partition(" ")
    if not _named(command):
        return command
    return "$'" + "".join(f"\\x{ord(letter):02x}" for letter in head) + "'" + space + rest


def _backslash(command: str) -> str:
    return "\\" + command if _named(command) else command


Dress = Callable[[str], str]
DRESSES: dict[str, Dress] = {
    "sh -c": lambda c: f"sh -c {shlex.quote(c)}",
    "bash -lc": lambda c: f"bash -lc {shlex.quote(c)}",
    "eval": lambda c: f"eval {shlex.quote(c)}",
    "env": lambda c: f"env X=1 bash -c {shlex.quote(c)}",
    "timeout": lambda c: f"timeout -s KILL 5 bash -c {shlex.quote(c)}",
    "nohup": lambda c: f"nohup sh -c {shlex.quote(c)}",
    "nice": lambda c: f"nice -n 5 sh -c {shlex.quote(c)}",
    "xargs": lambda c: f"echo x | xargs -n1 sh -c {shlex.quote(c)}",
    "subshell": lambda c: f"( {c} )",
    "group": lambda c: f"{{ {c}; }}",
    "substitution": lambda c: f"echo $( {c} )",
    "assigned": lambda c: f"OUT=$( {c} )",
    "if": lambda c: f"if true; then {c}; fi",
    "while": lambda c: f"while true; do {c}; break; done",
    "for": lambda c: f"for i in 1 2; do {c}; done",
    "function": lambda c: f"job() {{ {c}; }}; job",
    "and": lambda c: f"true && {c}",
    "then": lambda c: f"cd . ; {c}",
    "before": lambda c: f"{c}; true",
    "piped": lambda c: f"{c} | cat",
    "negated": lambda c: f"! {c}",
    "here-string": lambda c: f"bash <<< {shlex.quote(c)}",
    "heredoc": lambda c: f"bash <<'END{len(c)}'\n{c}\nEND{len(c)}",
    "echoed": lambda c: f"echo {shlex.quote(c)} | sh",
    "trap": lambda c: f"trap {shlex.quote(c)} EXIT",
    "split": _split_word,
    "ansi": _ansi,
    "backslash": _backslash,
}
HARMLESS = (
    "ls -la",
    "echo hello",
    "git status --short",
    "pwd",
    "cat README.md",
    "true",
    "python3 --version",
    "grep -rn TODO src",
    "npm test",
    "git log --oneline -5",
    "wc -l src/app.py",
    "mkdir -p build",
    "git diff HEAD~1",
    "date +%F",
)
JOINS = (
    "{} && {}",
    "{}; {}",
    "{} || {}",
    "( {}; {} )",
    "if {}; then {}; fi",
    "{{ {}; {}; }}",
    "{}\n{}",
    "{} | cat; {}",
)


def _plain(command: str) -> bool:
    """Commands that can stand inside another line: no trailing words that swallow what follows, no open quotes."""
    if any(mark in command for mark in ("\n", "<<", "#", "\r", "\t")) or command.rstrip()[-1:] in ("&", ";", "\\", "|"):
        return False
    if command.lstrip()[:1] in ("!", "|"):
        return False
    try:
        return bool(shlex.split(command))
    except ValueError:
        return False


def _dangerous() -> list[str]:
    found: dict[str, None] = {}
    for name in ("decision.jsonl", "paths.jsonl", "selfguard.jsonl"):
        for row in rows(name):
            command: Any = row["input"].get("command") if row["tool"] == "Bash" else None
            if isinstance(command, str) and row["expect"] in ("ask", "block") and _plain(command):
                found.setdefault(command)
    return list(found)


DANGEROUS = _dangerous()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("home"))


def level(house: House, command: str) -> Level:
    return house.decide("Bash", {"command": command}).verdict.level


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=st.sampled_from(DANGEROUS),
    names=st.lists(st.sampled_from(sorted(DRESSES)), min_size=1, max_size=3),
)
def test_no_dress_lowers_a_verdict(house: House, command: str, names: list[str]) -> None:
    dressed = command
    for name in names:
        dressed = DRESSES[name](dressed)
    assert level(house, dressed) >= level(house, command), dressed


@pytest.mark.parametrize("name", sorted(DRESSES))
def test_each_dress_alone(house: House, name: str) -> None:
    for command in DANGEROUS[:: max(1, len(DANGEROUS) // 60)]:
        dressed = DRESSES[name](command)
        assert level(house, dressed) >= level(house, command), dressed


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.sampled_from(HARMLESS), min_size=2, max_size=6), how=st.sampled_from(JOINS))
def test_harmless_commands_stay_harmless_together(house: House, parts: list[str], how: str) -> None:
    whole = parts[0]
    for part in parts[1:]:
        whole = how.format(whole, part)
    assert level(house, whole) == Level.ALLOW, whole


def test_there_is_enough_to_dress() -> None:
    assert len(DANGEROUS) > 300
    assert len(DRESSES) >= 20
