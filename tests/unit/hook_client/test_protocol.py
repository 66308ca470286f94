"""The frames themselves: what goes in comes out, and nothing else does."""

from __future__ import annotations

import pytest

from bk.hook import protocol
from bk.hook.protocol import BadFrame, decode_reply, decode_request, encode_reply, encode_request
from bk.hook.request import VARIABLES, Request

NONCE = b"0123456789abcdef" * 2


def frame(**change: bytes | int | dict[bytes, bytes]) -> bytes:
    given: dict[str, object] = {
        "harness": b"claude-code",
        "event": b"PreToolUse",
        "cwd": b"/srv/\xc3\xa9",
        "home": b"/home/dev",
        "nonce": NONCE,
        "env": {b"BK_AGENT_DEPTH": b"3", b"HOME": b"/home/dev", b"SECRET": b"x"},
        "body": b"{}",
        "deadline_ms": 4500,
    }
    return encode_request(**(given | change))  # type: ignore[arg-type]


def raw(meta: bytes, body: bytes = b"{}") -> bytes:
    return b"BKH1" + len(meta).to_bytes(4) + len(body).to_bytes(4) + meta + body


def meta_of(data: bytes) -> bytes:
    return data[12 : 12 + int.from_bytes(data[4:8])]


def test_a_request_arrives_as_it_was_sent() -> None:
    request = decode_request(frame())
    assert request is not None
    assert (request.harness, request.event, request.cwd, request.home) == (
        "claude-code", "PreToolUse", "/srv/é", "/home/dev",
    )  # fmt: skip
    assert (request.nonce, request.body, request.deadline_ms) == (NONCE.decode(), b"{}", 4500)
    assert request.env == {"BK_AGENT_DEPTH": "3", "HOME": "/home/dev"}, "only the fixed list travels"


def test_every_prefix_waits_for_more() -> None:
    data = frame()
    for size in range(len(data)):
        assert decode_request(bytearray(data[:size])) is None


@pytest.mark.parametrize("value", [b"a\x1eb", b"a\x1fb", b"a\0b", b"\xff", b"\xed\xa0\x80"])
@pytest.mark.parametrize("key", ["cwd", "event", "harness"])
def test_a_value_that_would_break_the_frame_is_not_sent(key: str, value: bytes) -> None:
    with pytest.raises(BadFrame, match="not UTF-8 or holds a separator"):
        frame(**{key: value})


def test_a_variable_that_would_break_the_frame_is_not_sent() -> None:
    with pytest.raises(BadFrame, match=r"env\.BK_AGENT_ID"):
        frame(env={b"BK_AGENT_ID": b"x\x1enonce\x1f" + NONCE})


def test_too_much_is_not_sent() -> None:
    with pytest.raises(BadFrame, match="too large"):
        frame(env={b"BK_AGENT_LINEAGE": b"x" * 70000})
    with pytest.raises(BadFrame, match="too large"):
        frame(body=bytes(protocol.MAX_BODY + 1))
    assert decode_request(frame(body=bytes(protocol.MAX_BODY))) is not None


GOOD = meta_of(frame())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"BKH2", "protocol version"),
        (b"GET / HTTP/1.1\r\n", "protocol version"),
        (b"X", "protocol version"),
        (b"BKH1\xff\xff\xff\xff\0\0\0\0", "meta is too long"),
        (b"BKH1\0\0\0\0\xff\xff\xff\xff", "body is too long"),
        (b"BKH1" + (65537).to_bytes(4) + bytes(4), "meta is too long"),
        (b"BKH1" + bytes(4) + (protocol.MAX_BODY + 1).to_bytes(4), "body is too long"),
        (raw(b""), "ends within"),
        (raw(GOOD[:-1]), "ends within"),
        (raw(GOOD + b"\x1e"), "one key and one value"),
        (raw(GOOD + b"env.HOME\x1f/x\x1e"), "twice"),
        (raw(GOOD + b"cwd\x1f/\x1e"), "twice"),
        (raw(GOOD + b"env.PATH\x1f/x\x1e"), "does not know"),
        (raw(GOOD + b"env.BK_AGENT_ID\x1fa\x1fb\x1e"), "one key and one value"),
        (raw(GOOD + b"\x1f\x1e"), "does not know"),
        (raw(GOOD.replace(b"BK_AGENT_DEPTH\x1f3", b"BK_AGENT_DEPTH\x1f\xff")), "not UTF-8"),
        (raw(GOOD.replace(b"\x1f3", b"\x1f\0")), "NUL"),
        (raw(GOOD.replace(NONCE, NONCE[:-1])), "nonce"),
        (raw(GOOD.replace(NONCE, NONCE.upper())), "nonce"),
        (raw(GOOD.replace(b"4500", b"-1")), "deadline"),
        (raw(GOOD.replace(b"4500", b"")), "deadline"),
        (raw(GOOD.replace(b"4500", b"30001")), "deadline"),
        (raw(GOOD.replace(b"4500", "٣".encode())), "deadline"),
        (raw(GOOD.replace(b"/srv", b"srv")), "absolute"),
        (raw(GOOD.replace(b"harness\x1fclaude-code\x1e", b"")), "lacks harness"),
        (frame() + b"x", "follow"),
    ],
)
def test_a_malformed_request_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        decode_request(bytearray(data))


def test_a_reply_arrives_as_it_was_sent() -> None:
    data = encode_reply(protocol.ANSWER, 2, b"out", b"err")
    assert decode_reply(data) == (0, 2, b"out", b"err")
    for size in range(len(data)):
        assert decode_reply(data[:size]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"BKR2",
        b"HTTP",
        b"BKR1\x04\0\0\0" + bytes(8),
        b"BKR1\0\0\1\0" + bytes(8),
        b"BKR1\0\0\0\1" + bytes(8),
        b"BKR1\0\0\0\0" + ((1 << 20) + 1).to_bytes(4) + bytes(4),
        b"BKR1\0\0\0\0" + bytes(4) + ((64 << 10) + 1).to_bytes(4),
        b"BKR1\0\0\0\0" + b"\xff" * 8,
        encode_reply(0, 0, b"", b"") + b"x",
    ],
)
def test_a_malformed_reply_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_reply(data)


def test_a_reply_over_the_caps_is_not_sent() -> None:
    with pytest.raises(BadFrame):
        encode_reply(0, 0, bytes(protocol.MAX_STDOUT + 1), b"")
    with pytest.raises(BadFrame):
        encode_reply(0, 0, b"", bytes(protocol.MAX_STDERR + 1))


def test_claims_are_what_the_environment_says_of_the_agent() -> None:
    env = dict.fromkeys(VARIABLES, "x") | {"BK_AGENT_ID": ""}
    claims = Request("claude-code", "", "/", "/", "0" * 32, env, b"").claims()
    assert claims.keys() == {"BK_FAIL_MODE", "BK_PARENT_AGENT_ID", "BK_AGENT_DEPTH", "BK_AGENT_LINEAGE"}
