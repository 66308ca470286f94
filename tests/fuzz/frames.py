"""Both directions of the hook's frames: no crash, nothing accepted early, and what is accepted means one thing."""

from __future__ import annotations

from bk.hook import protocol
from bk.hook.protocol import BadFrame, decode_reply, decode_request, encode_reply, encode_request
from bk.hook.request import VARIABLES, Request

NONCE = b"00112233445566778899aabbccddeeff"
SEEDS = [
    encode_request(b"claude-code", b"", b"/tmp", b"/home/dev", NONCE, {}, b"{}", 4700),
    encode_request(
        b"claude-code",
        b"PreToolUse",
        b"/srv/\xc3\xa9",
        b"/",
        NONCE,
        {name.encode(): b"x" for name in VARIABLES},
        b'{"tool_name":"Bash"}',
        0,
    ),
    encode_reply(protocol.ANSWER, 0, b"", b""),
    encode_reply(protocol.ANSWER, 2, b'{"a":1}\n', b"no\n"),
    encode_reply(protocol.BUSY, 2, b"", b""),
]


def one(data: bytes) -> None:
    """Read `data` as a request and as a reply, whole and in two pieces."""
    request = _request(data)
    if request is not None:
        _means_one_thing(request, data)
    reply = _reply(data)
    if reply is not None:
        assert encode_reply(*reply) == data, "a reply has one spelling"
    cut = len(data) // 2
    if request is not None:
        assert _request(data[:cut]) is None, "half a request was taken for one"
    if reply is not None:
        assert _reply(data[:cut]) is None, "half a reply was taken for one"


def _request(data: bytes) -> Request | None:
    try:
        return decode_request(bytearray(data))
    except BadFrame:
        return None


def _reply(data: bytes) -> tuple[int, int, bytes, bytes] | None:
    try:
        return decode_reply(data)
    except BadFrame:
        return None


def _means_one_thing(request: Request, data: bytes) -> None:
    assert request.cwd.startswith("/")
    assert request.home.startswith("/")
    assert len(request.nonce) == 32
    assert int(request.nonce, 16) >= 0
    assert 0 <= request.deadline_ms <= protocol.MAX_DEADLINE_MS
    assert set(request.env) <= set(VARIABLES)
    assert set(request.claims()) <= set(VARIABLES)
    assert data.endswith(request.body)
    again = decode_request(
        encode_request(
            request.harness.encode(),
            request.event.encode(),
            request.cwd.encode(),
            request.home.encode(),
            request.nonce.encode(),
            {name.encode(): value.encode() for name, value in request.env.items()},
            request.body,
            request.deadline_ms,
        )
    )
    assert again is not None
    for name in Request.__slots__:
        assert getattr(again, name) == getattr(request, name), f"{name} changed on a second way"
