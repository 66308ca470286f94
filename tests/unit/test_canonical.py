"""RFC 8785: the published number and key-order examples, and agreement of both encoders."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.canonical import _write, canonical

NUMBERS = [
    (0.0, b"0"),
    (-0.0, b"0"),
    (5e-324, b"5e-324"),
    (-5e-324, b"-5e-324"),
    (1.7976931348623157e308, b"1.7976931348623157e+308"),
    (9007199254740992.0, b"9007199254740992"),
    (295147905179352830000.0, b"295147905179352830000"),
    (9.999999999999997e22, b"9.999999999999997e+22"),
    (1e23, b"1e+23"),
    (1.0000000000000001e23, b"1.0000000000000001e+23"),
    (999999999999999700000.0, b"999999999999999700000"),
    (1e21, b"1e+21"),
    (9.999999999999997e-7, b"9.999999999999997e-7"),
    (0.000001, b"0.000001"),
    (333333333.3333332, b"333333333.3333332"),
    (333333333.33333325, b"333333333.33333325"),
    (4.50, b"4.5"),
    (2e-3, b"0.002"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_published_numbers(value: float, text: bytes) -> None:
    assert canonical(value) == text


def test_published_key_order_is_utf16_not_code_point() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert canonical(dict.fromkeys(keys, 1)) == _write(dict.fromkeys(ordered, 1)).encode()
    assert list(json.loads(canonical(dict.fromkeys(keys, 1)))) == ordered


def test_published_string_escapes() -> None:
    assert canonical('\u20ac$\u000f\nA\'B"\\\\"/') == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, 10**400, object(), {1: 2}, {"a": {2: 3}}])
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON|key|integer"):
        canonical(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda i: st.lists(i) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), i),
        max_leaves=15,
    )
)
def test_canonical_text_reads_back_and_is_stable(value: object) -> None:
    text = canonical(value)
    assert json.loads(text, parse_int=float) == value
    assert canonical(json.loads(text)) == text
