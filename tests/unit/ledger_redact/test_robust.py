"""It never raises, keeps JSON JSON, settles in one go, costs next to nothing, and cannot be made slow."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.canonical import canonical
from bk.engine.errors import BkError
from bk.engine.ledger import labels, shapes
from bk.engine.ledger.redact import redactor

redact = redactor(())
PIECES = [
    "password", "PASSWORD=", "token", "secret: ", "--token ", "api_key", "=", ":", '"', "'", "\\", '\\"', " ", "\n",
    "$", "$X",
    "$(", "{", "}", "-u a:", "curl ", "https://", "://u:", "@h", "Bearer ", "Authorization: ", "Cookie: ",
    "x-api-key: ",
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "QUJDREVGR0hJSktMTU5PUFFSU1Q=", "eyJhbGciOiJI", ".",
    "sk-",
    "ghp_" + "A1" * 18, "AKIA" + "Z9" * 8, "[REDACTED:", "[REDACTED:password]", "]", "hunter2", "<", ">", "\\n",
    "sshpass -p", "é",
    "login a password ", "\ud800", "\0", "mysql -p", "docker login -p ", ",", "--cookie a=",
]  # fmt: skip
soup = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False) | st.text() | soup,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(soup | st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(text=soup)
def test_a_second_pass_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@settings(max_examples=200, deadline=None)
@given(value=values)
def test_any_json_stays_json_of_the_same_shape(value: object) -> None:
    clean = redact(value)
    json.dumps(clean)
    assert isinstance(clean, type(value)) or isinstance(value, (int, float, str))
    if isinstance(value, (dict, list)):
        assert len(clean) == len(value)
    assert redact(clean) == clean


def test_nesting_without_end_is_cut_instead_of_raised() -> None:
    deep: object = "x"
    for _ in range(50_000):
        deep = [deep]
    assert "too-deep" in json.dumps(redact(deep))
    canonical(redact(deep))


MIB = 1 << 20
HOSTILE = [
    "a", "-", " ", "\\", '"', "=", "eyJ", "eyJ.", "eyJa.eyJb", "_eyJ", "sk-a_", "AKIA", "ghp_", "://", "://a:",
    "://a:b@",
    "password=", 'password="', "password='", 'password=\\"', "password: ", "PASSWORD=a\"b\"'c' ", "password=self.",
    "pwd=/",
    "token={{", "--password ", "--password x ", "--a-password", "-u a:b ", '-u "a:', "sshpass -p", "mysql ",
    "docker login ", "Authorization: ", '"Authorization: ', "Bearer ", "Cookie: ", '"Cookie: a', "x-key:",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nProc-Type: ",
    "-----BEGIN RSA PRIVATE KEY-----\n" + "A" * 24 + "\n",
    "SG." + "a" * 20 + ".", "login a password ", "password>a", "secret_key_base", "accountkey=", "x_password=\\",
    "https://a1",
    "[REDACTED:", "password=[REDACTED:", "1234567890:AA",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_mebibyte_is_linear(unit: str) -> None:
    small = (unit * (MIB // 8 // len(unit) + 1))[: MIB // 8]
    started = time.process_time()
    redact(small)
    assert time.process_time() - started < 2.5  # an eighth of a mebibyte; the slowest here takes a fifth of that
    if len(unit) % 3 == 0:
        started = time.process_time()
        redact((unit * (MIB // len(unit) + 1))[:MIB])
        assert time.process_time() - started < 15


def test_every_trigger_at_once_stays_linear() -> None:
    text = "eyJ token= pass: -u sk- x- bearer :// cookie: -----BEGIN PRIVATE KEY-----" + "docker login " * (MIB // 13)
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 20


def test_an_ordinary_command_costs_microseconds() -> None:
    command = (
        "cd /home/dev/project && git log --oneline --since=2024-01-01 -- src/app/main.py | head -n 20 && "
        "python -m pytest tests/unit -q -x --maxfail=1 2>&1 | tail -40 && ls -la build/dist && echo finished ok done"
    )
    assert 190 < len(command) < 220
    spent = min(timeit.repeat(lambda: redact(command), timer=time.process_time, number=2000, repeat=7)) / 2000
    assert spent < 40e-6  # 5 µs measured; the rest is for a processor that others use too


def test_the_cheap_tests_let_every_literal_through() -> None:
    for _, literals, _ in shapes.TOKENS:
        for literal in literals:
            assert shapes.maybe_token(literal), literal
    for literals, _, _ in labels.FINDERS:
        for literal in literals:
            assert labels.maybe_label(literal), literal


def test_user_patterns_are_applied_and_settle() -> None:
    own = redactor([r"ACME-\d{4}", r"(?i)project\s+\w+"])
    text = "use ACME-1234 in Project Bluebird, ACME-12, ghp_" + "a1" * 18
    clean = own(text)
    assert clean == "use [REDACTED:custom] in [REDACTED:custom], ACME-12, [REDACTED:github-token]"
    assert own(clean) == clean
    assert own({"k": ["ACME-0001"]}) == {"k": ["[REDACTED:custom]"]}


@settings(max_examples=100, deadline=None)
@given(text=soup, pattern=st.sampled_from([r"\w+", r"REDACTED", r"\[.*", r"[a-z]+:", r".", r"hunter\d", r"custom"]))
def test_user_patterns_never_raise_and_settle(text: str, pattern: str) -> None:
    own = redactor([pattern])
    once = own(text)
    assert own(once) == once


def test_a_user_pattern_runs_in_linear_time() -> None:
    own = redactor([r"(a+)+$", r"(x|xx)+y"])
    started = time.process_time()
    own("a" * 200_000 + "b")
    own("x" * 200_000)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("bad", ["(", "[z-a]", r"(?=look)", r"(a)\1", "x*", "", "a{5000}"])
def test_a_bad_user_pattern_is_named(bad: str) -> None:
    with pytest.raises(BkError) as caught:
        redactor(["fine", bad])
    assert repr(bad) in caught.value.detail
    assert "audit.redact_patterns" in caught.value.next_step


def test_nothing_heavy_is_imported_without_user_patterns() -> None:
    script = (
        "import sys; before = set(sys.modules); import bk.engine.ledger.redact as r; r.redactor(())('PASSWORD=x y');"
        "print(*sorted(set(sys.modules) - before))"
    )
    out = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    banned = {"re2", "typing", "dataclasses", "pathlib", "logging", "asyncio", "tomllib", "subprocess", "contextlib"}
    assert not banned & set(out), out
