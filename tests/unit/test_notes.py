"""Signed notes: the published example, one spelling for every line, and which key counts."""

from __future__ import annotations

import base64

import pytest
from nacl.signing import SigningKey

from bk.engine import notes
from bk.engine.notes import BadSignature, PublicKey, verified

EXAMPLE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
NEUMANN = PublicKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
KEY = SigningKey(bytes(range(32)))
PUBLIC = PublicKey("a.example", bytes(KEY.verify_key))


def signed(text: bytes) -> bytes:
    return text + b"\n" + notes.line(text, KEY, "a.example")


def why(note: bytes, public: PublicKey = PUBLIC) -> str:
    with pytest.raises(BadSignature) as raised:
        verified(note, public)
    return raised.value.kind


def test_the_published_example_verifies() -> None:
    assert verified(EXAMPLE, NEUMANN) == EXAMPLE.rpartition(b"\n\n")[0] + b"\n"
    assert why(EXAMPLE, PUBLIC) == "foreign"
    assert why(EXAMPLE.replace(b"answer", b"Answer"), NEUMANN) == "broken"


def test_a_text_may_hold_empty_lines() -> None:
    text = b"one\n\ntwo\n\n\nthree\n"
    assert verified(signed(text), PUBLIC) == text


def test_no_byte_of_a_signature_has_a_second_spelling() -> None:
    note = signed(b"x\n")
    text, _, line = note.rpartition(b"\n\n")
    packed = line.split(b" ")[2].strip()
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(packed[-2:-1])
    twin = packed[:-2] + alphabet[last ^ 1 : (last ^ 1) + 1] + b"="
    assert base64.b64decode(twin) == base64.b64decode(packed), "the same bytes"
    for wrong in (
        twin,
        packed.rstrip(b"="),
        packed + b"=",
        packed[:10] + b"\n" + packed[10:],
        packed.replace(b"A", b" "),
    ):
        assert why(text + b"\n\n" + line.replace(packed, wrong)) == "malformed"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n\n",
        b"x\n",
        b"x\n\n",
        signed(b"x\n")[:-1],
        signed(b"x\n") + b"\n",
        signed(b"x\n").replace(b"\xe2\x80\x94 ", b"- "),
        signed(b"x\n").replace(b"\xe2\x80\x94 ", b""),
        signed(b"tab\there\n"),
        signed(b"\xff\n"),
        signed(b"x\r\n"),
        signed(b"x\n") + b"\xe2\x80\x94 b.example AAAA\n",
        signed(b"x\n") + b"\xe2\x80\x94 two words AAAAAAAA\n",
    ],
)
def test_what_is_no_note(note: bytes) -> None:
    assert why(note) == "malformed"


def test_a_signature_of_another_length_is_broken() -> None:
    short = base64.b64encode(PUBLIC.ident + bytes(10)).decode()
    assert why(f"x\n\n\u2014 a.example {short}\n".encode()) == "broken"


def test_keys_in_text() -> None:
    secret, public = notes.mint("b.example")
    key, name = notes.secret(secret)
    assert str(PublicKey(name, bytes(key.verify_key))) == public
    assert PublicKey.parse(public).short == "+".join(public.split("+")[:2])
    for bad in ("", public, secret.replace("b.example", "c.example"), secret[:-1], f"x{secret}"):
        with pytest.raises(ValueError):  # noqa: PT011
            notes.secret(bad)
    for bad in ("two words+00000000+AA==", str(PublicKey("a b", PUBLIC.key)), str(PublicKey("", PUBLIC.key))):
        with pytest.raises(ValueError):  # noqa: PT011
            PublicKey.parse(bad)
