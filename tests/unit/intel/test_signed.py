"""Signed feeds: one key, the exact bytes, a serial that never falls, a life that ends."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from bk.engine import notes
from bk.engine.intel.signed import NOTE_MAX, SKEW_MS, SignedFeed, mint, opened, read, sign
from bk.engine.intel.sources.source import FeedError
from bk.engine.notes import PublicKey
from bk.engine.provenance import Signature

DAY = 86_400_000
NOW = 1_800_000_000_000
SECRET, PUBLIC = mint("feeds.example/list")
OTHER_SECRET, OTHER = mint("witness.example")
FACTS = b"npm\tx\n"


def made(
    *secrets: str,
    feed: str = "list",
    serial: int = 7,
    issued: int = NOW - DAY,
    expires: int = NOW + 30 * DAY,
    payloads: dict[str, bytes] | None = None,
) -> bytes:
    files = {"list.facts": FACTS} if payloads is None else payloads
    return sign(*(secrets or (SECRET,)), feed=feed, serial=serial, issued_ms=issued, expires_ms=expires, payloads=files)


def open_(note: bytes, key: str = PUBLIC, *, feed: str = "list", now: int = NOW, least: int = 0) -> SignedFeed:
    return opened(note, key, feed=feed, now_ms=now, least_serial=least)


def refused(note: bytes, key: str = PUBLIC, *, feed: str = "list", now: int = NOW, least: int = 0) -> str:
    with pytest.raises(FeedError) as raised:
        open_(note, key, feed=feed, now=now, least=least)
    assert raised.value.detail
    return raised.value.kind


def test_a_note_says_what_was_signed_and_who_signed_it() -> None:
    feed = open_(made())
    assert (feed.feed, feed.serial, feed.issued_ms, feed.expires_ms) == ("list", 7, NOW - DAY, NOW + 30 * DAY)
    assert feed.provenance == Signature(PublicKey.parse(PUBLIC).short)
    assert feed.provenance.real
    assert feed.checked("list.facts", FACTS) == FACTS
    assert made().decode().splitlines()[:6] == [
        "bk-feed/1",
        "feed list",
        "serial 7",
        "issued 2027-01-14T08:00:00Z",
        "expires 2027-02-14T08:00:00Z",
        "payload list.facts 6 ab91b50d70e08d3b84b10c03715574467b4d6fc1c0b5182afde6cbe70cccaae2",
    ]


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80])
def test_every_altered_byte_is_seen(flip: int) -> None:
    note = made(SECRET)
    for at in range(len(note)):
        wrong = bytearray(note)
        wrong[at] ^= flip
        assert refused(bytes(wrong)) in ("signature", "malformed"), at


def test_every_cut_and_every_doubled_byte_is_seen() -> None:
    note = made()
    for at in range(len(note)):
        assert refused(note[:at]) in ("signature", "malformed")
        assert refused(note[:at] + note[at : at + 1] + note[at:]) in ("signature", "malformed"), at


def test_a_payload_is_the_signed_file_to_the_byte(tmp_path: Path) -> None:
    feed = open_(made())
    path = tmp_path / "list.facts"
    path.write_bytes(FACTS)
    feed.check_file("list.facts", str(path))
    for wrong in (FACTS + b" ", FACTS[:-1], b"npm\ty\n", b""):
        with pytest.raises(FeedError, match="not the file that was signed"):
            feed.checked("list.facts", wrong)
        path.write_bytes(wrong)
        with pytest.raises(FeedError, match="not the file that was signed"):
            feed.check_file("list.facts", str(path))
    with pytest.raises(FeedError, match="names no file other"):
        feed.checked("other", FACTS)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        feed.check_file("list.facts", str(link))


def test_only_the_pinned_key_counts() -> None:
    assert refused(made(OTHER_SECRET)) == "signature"
    same_name = mint("feeds.example/list")
    assert refused(made(same_name[0])) == "signature", "a key of the same name is another key"
    assert open_(made(same_name[0]), same_name[1]).serial == 7
    renamed = str(PublicKey("feeds.example/other", PublicKey.parse(PUBLIC).key))
    assert refused(made(), renamed) == "signature", "the same key under another name is another signer"
    for bad in ("", "x", PUBLIC[:-2], PUBLIC.replace("+", " ", 1), SECRET):
        assert refused(made(), bad) == "signature"


def test_several_signatures_and_keys_that_nobody_knows() -> None:
    both = made(OTHER_SECRET, SECRET)
    assert open_(both).provenance.by.startswith("feeds.example/list+")
    assert open_(both, OTHER).provenance.by.startswith("witness.example+")
    unknown = b"\xe2\x80\x94 nobody.example " + base64.b64encode(b"abcd" + bytes(64)) + b"\n"
    assert open_(made() + unknown).serial == 7
    assert refused(made() + b"\xe2\x80\x94 nobody.example !!!\n") == "malformed"
    assert refused(made() + unknown * 16) == "malformed"
    line = made().rpartition(b"\n\n")[2]
    broken = bytearray(base64.b64decode(line.split(b" ")[2]))
    broken[-1] ^= 1
    twice = made() + b"\xe2\x80\x94 feeds.example/list " + base64.b64encode(bytes(broken)) + b"\n"
    assert refused(twice) == "signature", "a signature under the pinned name that does not fit is never passed over"


def test_a_signature_of_one_text_is_none_of_another() -> None:
    signature = made().rpartition(b"\n\n")[2]
    text = made(serial=8).rpartition(b"\n\n")[0]
    assert refused(text + b"\n\n" + signature) == "signature"


def test_another_feed_of_the_same_key_is_refused() -> None:
    assert refused(made(feed="bk-self")) == "wrong-feed"
    assert open_(made(feed="bk-self"), feed="bk-self").feed == "bk-self"


def test_a_serial_never_falls() -> None:
    assert open_(made(serial=7), least=7).serial == 7
    assert refused(made(serial=6), least=7) == "rolled-back"
    assert open_(made(serial=8), least=7).serial == 8
    assert open_(made(serial=0)).serial == 0


def test_a_feed_ends_and_begins() -> None:
    note = made()
    assert refused(note, now=NOW + 30 * DAY) == "expired"
    assert open_(note, now=NOW + 30 * DAY - 1).serial == 7
    ahead = made(issued=NOW + SKEW_MS, expires=NOW + 9 * DAY)
    assert open_(ahead).serial == 7
    assert refused(ahead, now=NOW - 1) == "not-yet"
    assert read(note, PUBLIC).serial == 7, "who only asks what was signed is told"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bk-feed/1\n",
        "bk-feed/2\nfeed list\nserial 7\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\n",
        "bk-feed/1\nserial 7\nfeed list\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\n",
        "bk-feed/1\nfeed li st\nserial 7\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\n",
        "bk-feed/1\nfeed list\nserial 07\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\n",
        "bk-feed/1\nfeed list\nserial -7\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\n",
        "bk-feed/1\nfeed list\nserial ٧\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\n",
        "bk-feed/1\nfeed list\nserial 7\nissued 2027-01-14T08:00:00+01:00\nexpires 2027-02-14T08:00:00Z\n",
        "bk-feed/1\nfeed list\nserial 7\nissued 2027-02-30T08:00:00Z\nexpires 2027-03-14T08:00:00Z\n",
        "bk-feed/1\nfeed list\nserial 7\nissued 2027-03-14T08:00:00Z\nexpires 2027-03-14T08:00:00Z\n",
        "bk-feed/1\nfeed list\nserial 7\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\nmore\n",
        "bk-feed/1\nfeed list\nserial 7\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\n\n",
    ],
)
def test_signed_nonsense_is_malformed(text: str) -> None:
    key, name = notes.secret(SECRET)
    note = text.encode() + b"\n" + notes.line(text.encode(), key, name)
    assert refused(note) == "malformed"


@pytest.mark.parametrize(
    "payload",
    [
        "payload x 1",
        f"payload ../x 1 {'0' * 64}",
        f"payload x 01 {'0' * 64}",
        f"payload x 1 {'0' * 63}",
        f"payload x 1 {'A' * 64}",
        f"payload x 1 {'0' * 64} more",
        f"payload x 1 {'0' * 64}\npayload x 2 {'1' * 64}",
    ],
)
def test_a_payload_has_one_form(payload: str) -> None:
    key, name = notes.secret(SECRET)
    text = (
        "bk-feed/1\nfeed list\nserial 7\nissued 2027-01-14T08:00:00Z\nexpires 2027-02-14T08:00:00Z\n" + payload + "\n"
    )
    assert refused(text.encode() + b"\n" + notes.line(text.encode(), key, name)) == "malformed"


def test_a_note_has_a_largest_size() -> None:
    assert refused(b"x" * (NOTE_MAX + 1)) == "malformed"
    assert refused(b"\xff" * 100 + b"\n\nx\n") == "malformed"
    assert refused(b"a\rb\n\n" + made().rpartition(b"\n\n")[2]) == "malformed"


def test_what_no_note_can_say_is_not_signed() -> None:
    for wrong in ({"feed": "li st"}, {"serial": -1}, {"expires": NOW - 2 * DAY}, {"payloads": {"../x": b""}}):
        with pytest.raises(ValueError, match=r"line|expires|payload"):
            made(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="signatures"):
        sign(feed="a", serial=1, issued_ms=NOW, expires_ms=NOW + DAY, payloads={})
    for bad in ("", PUBLIC, SECRET[:-4], SECRET.replace("list", "tsil")):
        with pytest.raises(ValueError):  # noqa: PT011
            made(bad)


def test_minted_keys_are_verifier_keys() -> None:
    secret, public = mint("a.example")
    key, name = notes.secret(secret + "\n")
    assert (name, bytes(key.verify_key)) == ("a.example", PublicKey.parse(public).key)
    assert isinstance(key, SigningKey)
    assert secret.startswith("PRIVATE+KEY+a.example+")
    for bad in ("", "two words", "a+b", "a\nb"):
        with pytest.raises(ValueError, match="called"):
            mint(bad)
