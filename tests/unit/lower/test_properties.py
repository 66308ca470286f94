"""Properties: lowering takes any text, and no honest wrapping hides a command from it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.lower import lower
from bk.engine.model import ToolCall
from bk.engine.tables import names
from tests.unit.checks import HOME, PROJECT, actions, decided

KINDS = ("shell", "read", "write", "edit", "search", "fetch", "mcp", "install", "agent", "other", "unheard-of")
TEXT = """
cat $( ) ` ' " | || && ; & { } ( < > >> << <<< ~ $X ${X} ${X:- \\ * ? [ ] = ! # if then fi for in do
done case esac while f() sh -c eval xargs sudo env find -exec {} + EOF ~/.ssh/id_rsa .env bk cd A=1
-- /dev/tcp/h/1 time coproc function
"""
TOKENS = sorted(names(TEXT))
shellish = st.lists(
    st.one_of(
        st.sampled_from(TOKENS),
        st.text(max_size=6),
        st.just("\n"),
    ),
    max_size=24,
).map(" ".join)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(
    ["command", "file_path", "paths", "url", "edits", "content", "cwd", "args", "patch", "source", "x"]
)


@settings(max_examples=400, deadline=None)
@given(shellish | st.text(max_size=200))
def test_any_text_is_lowered_and_judged(text: str) -> None:
    decided(text)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(KINDS), st.dictionaries(keys, json_values, max_size=5), st.text(max_size=10), st.text(max_size=10)
)
def test_any_input_of_any_kind_is_lowered(kind: str, data: dict[str, object], cwd: str, home: str) -> None:
    call = ToolCall("any", kind, data, cwd=cwd, home=home)
    assert lower(call) == lower(call)


def quoted(text: str) -> str:
    return shlex.quote(text)


SIMPLE: list[Callable[[str], str]] = [
    lambda c: f"sudo {c}",
    lambda c: f"sudo -u dev -- {c}",
    lambda c: f"env A=1 {c}",
    lambda c: f"timeout -k 5 10 {c}",
    lambda c: f"nice -n 5 {c}",
    lambda c: f"nohup {c}",
    lambda c: f"command {c}",
    lambda c: f"stdbuf -oL {c}",
    lambda c: f"time {c}",
    lambda c: f"xargs -r {c}",
    lambda c: f"A=1 B='2 3' {c}",
]
ANY: list[Callable[[str], str]] = [
    lambda c: f"( {c} )",
    lambda c: f"{{ {c}; }}",
    lambda c: f"! {c}",
    lambda c: f"time {c}",
    lambda c: f"sh -c {quoted(c)}",
    lambda c: f"bash -lc {quoted(c)}",
    lambda c: f"eval {quoted(c)}",
    lambda c: f"echo $({c})",
    lambda c: f'echo "x $({c}) y"',
    lambda c: f"true && {c}",
    lambda c: f"false || {c}",
    lambda c: f"{c} | base64",
    lambda c: f"echo x | {c}",
    lambda c: f"{c} > /tmp/out 2>&1",
    lambda c: f"if test 1; then {c}; fi",
    lambda c: f"for i in 1 2; do {c}; done",
    lambda c: f"while read -r l; do {c}; done < list",
    lambda c: f"case x in x) {c};; esac",
    lambda c: f"f() {{ {c}; }}; f",
    lambda c: f"ls; {c}; pwd",
    lambda c: f"{c} &",
    lambda c: f"X=$({c}); echo $X",
    lambda c: f"printf %s {quoted(c)} | bash",
    lambda c: f"diff <({c}) /dev/null",
    lambda c: f"{{ bash <<'HERE{len(c)}'\n{c}\nHERE{len(c)}\n}}",
    lambda c: f"cd . && {c}",
    lambda c: f"trap {quoted(c)} EXIT",
]


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["cat ~/.ssh/id_rsa", "cat /home/dev/.ssh/id_rsa", "bk config set a b", "rm -rf ~/.bk"]),
    st.lists(st.sampled_from(range(len(SIMPLE))), max_size=3),
    st.lists(st.sampled_from(range(len(ANY))), max_size=4),
)
def test_no_honest_wrapping_hides_a_command(command: str, inner: list[int], outer: list[int]) -> None:
    for index in inner:
        command = SIMPLE[index](command)
    for index in outer:
        command = ANY[index](command)
    verdict = decided(command)
    assert verdict.level.denies, command


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(range(len(ANY))), min_size=1, max_size=3))
def test_no_honest_wrapping_makes_a_harmless_command_harmful(outer: list[int]) -> None:
    command = "wc -l README.md"
    for index in outer:
        command = ANY[index](command)
    verdict = decided(command)
    assert not verdict.level.denies, (command, verdict.reason)


def test_quoting_of_every_character_changes_nothing() -> None:
    for spelled in (
        "".join(f"\\{c}" if c != "/" else c for c in "/home/dev/.ssh/id_rsa"),
        "''".join("/home/dev/.ssh/id_rsa"),
    ):
        assert decided(f"cat {spelled}").level.word == "block"
    ansi = "".join(f"\\x{ord(c):02x}" for c in "/home/dev/.ssh/id_rsa")
    assert decided(f"cat $'{ansi}'").level.word == "block"
    octal = "".join(f"\\{ord(c):03o}" for c in "cat /home/dev/.ssh/id_rsa")
    assert decided(f"bash -c $'{octal}'").level.word == "block"


def test_json_in_json_is_walked() -> None:
    deep: object = "/home/dev/.ssh/id_rsa"
    for _ in range(20):
        deep = [{"a": deep}]
    found = actions("mcp__x__go", {"a": deep})
    assert [action.target for action in found if action.word == "touch"] == [f"{HOME}/.ssh/id_rsa"]
    assert json.dumps(deep)
    assert PROJECT
