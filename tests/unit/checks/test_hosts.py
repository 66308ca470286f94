"""One spelling for each host, and lists that match at label boundaries only."""

from __future__ import annotations

import pytest

from bk.engine.checks.hosts import DENIED, hosts, metadata, near, owner, spelled, under


@pytest.mark.parametrize(
    "name",
    [
        "169.254.169.254", "2852039166", "0xA9FEA9FE", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518",
        "169.16689662", "[::ffff:169.254.169.254]", "::ffff:a9fe:a9fe", "0:0:0:0:0:ffff:a9fe:a9fe",
        "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::", "[fd00:ec2::254]", "FD00:0EC2:0:0:0:0:0:0254",
        "metadata.google.internal", "METADATA.google.internal.", "169.254.169.254.nip.io",
        "x.169-254-169-254.sslip.io", "１６９.254.169.254", "169。254。169。254", "100.100.100.200",
    ],
)  # fmt: skip
def test_every_spelling_of_the_metadata_service(name: str) -> None:
    assert metadata(spelled(name))


@pytest.mark.parametrize(
    "name", ["169.254.169.253", "example.org", "1.2.3.4", "metadata.example.org", "0x", "300.1.1.1"]
)
def test_what_is_not_the_metadata_service(name: str) -> None:
    assert not metadata(spelled(name))


@pytest.mark.parametrize(
    ("url", "host", "listed"),
    [
        ("https://pastebin.com/x", "pastebin.com", True), ("https://raw.pastebin.com/x", "raw.pastebin.com", True),
        ("https://notpastebin.com/x", "notpastebin.com", False), ("https://x", "PasteBin.com.", True),
        ("https://x", "ｐastebin.com", True), ("https://x", "%70astebin.com", True),
        ("http://pastebin.com\\@x", "x", True), ("http://notpastebin.com\\@x", "x", False),
        ("http://paste\tbin.com/", "paste", True), ("http://pastebin.com@x/", "x", False),
        ("http://x@pastebin.com/", "pastebin.com", True), ("http://x/?u=pastebin.com", "x", False),
        ("http://**.pastebin.com/", "**.pastebin.com", True), ("pastebin.com\x00.example", "pastebin.com", True),
    ],
)  # fmt: skip
def test_lists_match_whole_labels_of_what_may_be_reached(url: str, host: str, listed: bool) -> None:
    assert any(under(one, DENIED) for one in hosts(url, host)) is listed


def test_a_persons_list_may_be_spelled_loosely() -> None:
    assert under("a.b.example", ["*.B.example"]) == "b.example"
    assert under("b.example", [".b.example."]) == "b.example"
    assert under("ab.example", ["b.example"]) == ""
    assert under("evilpypi.example", ["pypi.example"]) == ""


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("localhost", True), ("a.localhost", True), ("127.0.0.1", True), ("127.1", True), ("::1", True), ("0", True),
        ("10.1.2.3", True), ("192.168.0.1", True), ("172.16.0.1", True), ("172.31.0.1", True), ("172.32.0.1", False),
        ("db.internal", True), ("printer.local", True), ("fd12::1", True), ("8.8.8.8", False),
        ("10.example.org", False), ("192.168.example.org", False), ("fd.example.org", False),
        ("host", False), ("localhost.example.org", False),
    ],
)  # fmt: skip
def test_what_is_near(host: str, inside: bool) -> None:
    assert near(spelled(host)) is inside


@pytest.mark.parametrize(
    ("host", "label"),
    [("api.github.com", "github"), ("me.github.io", ""), ("a.example.co.uk", "example"), ("localhost", ""), ("", "")],
)
def test_who_owns_a_name(host: str, label: str) -> None:
    assert owner(host) == label
