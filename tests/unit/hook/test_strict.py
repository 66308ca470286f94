"""Each malformed request has a reason of its own, and none becomes a call."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.errors import Refusal
from bk.engine.strict import parse_object

GOOD = b'{"tool_name":"Bash","tool_input":{"command":"ls"}}'

BAD = [
    (b"", "empty"),
    (b" \n\t", "empty"),
    (b"{", "syntax"),
    (b"nonsense", "syntax"),
    (b"[1]", "not-object"),
    (b'"text"', "not-object"),
    (b"null", "not-object"),
    (b"12", "not-object"),
    (GOOD + b"x", "trailing"),
    (GOOD + GOOD, "trailing"),
    (b'{"a":1,"a":2}', "duplicate-key"),
    (b'{"a":{"b":1,"c":2,"b":3}}', "duplicate-key"),
    (b'{"a":1,"\\u0061":2}', "duplicate-key"),
    (b'{"a":NaN}', "nan"),
    (b'{"a":Infinity}', "nan"),
    (b'{"a":-Infinity}', "nan"),
    (b'{"a":1e999}', "number"),
    (b'{"a":' + b"9" * 5000 + b"}", "number"),
    (b'{"a":"\\ud800"}', "surrogate"),
    (b'{"\\udfff":1}', "surrogate"),
    (b'{"a":"x\\u0000y"}', "nul"),
    (b'{"a":"x\x00y"}', "nul"),
    (b'{"a":"\xff"}', "not-utf8"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "depth"),
    (b'{"a":' + b"[" * 100_000, "depth"),
    (b'{"a":"line\nbreak"}', "syntax"),
    (b"{'a':1}", "syntax"),
    (b'{"a":1,}', "syntax"),
    (b"\xef\xbb\xbf{}", "syntax"),
    (b'{"a":"' + b"x" * (1 << 20) + b'"}', "oversize"),
]


@pytest.mark.parametrize(("body", "cause"), BAD, ids=[f"{i}-{c}" for i, (_, c) in enumerate(BAD)])
def test_malformed_is_refused_with_its_own_cause(body: bytes, cause: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_object(body)
    assert caught.value.cause == cause
    assert caught.value.detail


def test_good_requests_are_read() -> None:
    assert parse_object(GOOD) == {"tool_name": "Bash", "tool_input": {"command": "ls"}}
    assert parse_object(b' {"a":"\\ud83d\\ude00 \\\\u0000 [[[ }}}"}\n') == {"a": "😀 \\u0000 [[[ }}}"}
    assert parse_object(b'{"a":"' + b"[" * 500 + b'"}') == {"a": "[" * 500}, "brackets in text are not depth"


def test_depth_counts_what_the_parser_would_see() -> None:
    body = b'{"a":' * 64 + b"1" + b"}" * 64
    assert parse_object(body)
    with pytest.raises(Refusal):
        parse_object(body, max_depth=63)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text().filter(lambda t: "\x00" not in t),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8).filter(lambda t: "\x00" not in t), json_values, max_size=5))
def test_what_json_writes_is_read_back_or_refused(value: dict[str, object]) -> None:
    body = json.dumps(value).encode()
    try:
        read = parse_object(body)
    except Refusal as refusal:
        read = {}
        lone = refusal.cause in ("surrogate", "nul")
    else:
        lone = False
    assert lone or read == value


@given(st.binary(max_size=200))
def test_bytes_never_crash_the_reader(body: bytes) -> None:
    with contextlib.suppress(Refusal):
        assert type(parse_object(body)) is dict
