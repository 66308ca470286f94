"""The shapes of feeds: what is not of its shape is a ValueError, and files become FeedErrors that name them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from bk.engine.intel.purls import TYPES, name_of, purl_of
from bk.engine.intel.sources.kept import keep, kept
from bk.engine.intel.sources.shape import document, elements, named_rows, table, text, texts, understood, weakest
from bk.engine.intel.sources.source import FeedError
from bk.engine.provenance import PinnedOrigin, Signature, Unproven


@pytest.mark.parametrize("value", [[], [1], [1, "a,]", {"b": [2]}], [[[]]], [None, True, 1.5]])
@pytest.mark.parametrize("indent", [None, 1])
def test_the_elements_of_an_array(value: list[object], indent: int | None) -> None:
    assert list(elements(json.dumps(value, indent=indent).encode())) == value


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1 2]", b"[1]x", b"[1]]", b"\xff"]
)
def test_what_is_no_array(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        list(elements(data))


def test_a_document_says_each_key_once_and_is_not_too_deep() -> None:
    assert document(b'\xef\xbb\xbf{"a": {"b": 1}, "b": {"a": 1}}') == {"a": {"b": 1}, "b": {"a": 1}}
    for data in (b'{"a": 1, "a": 1}', b'[{"a": 1, "a": 2}]', b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000):
        with pytest.raises(ValueError, match=r".+"):
            document(data)


def test_csv() -> None:
    assert table(b'a,"b, c"\r\n\r\n,\n"d ""e""",f\n') == [["a", "b, c"], ['d "e"', "f"]]
    assert named_rows(b"x, y\n1,2\n3\n") == [{"x": "1", "y": "2"}, {"x": "3", "y": ""}]
    assert named_rows(b"") == []
    for data in (b'"open', b'"a"b\n', b"x\n1,2\n", b"x" * 200_000 + b"\n", b"\xff"):
        with pytest.raises(ValueError, match=r".+"):
            named_rows(data)


def test_what_is_not_of_its_kind_is_told_briefly() -> None:
    with pytest.raises(ValueError, match="versions is None, not an array"):
        texts(None, "versions")
    with pytest.raises(ValueError, match=r"a name is \['\\u202exxx.*…, not text") as raised:
        text(["\u202e" + "x" * 5000], "a name")
    assert len(str(raised.value)) < 120


def test_a_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    with pytest.raises(FeedError, match=r"feed\.json") as raised:
        understood(str(path), lambda data: None)
    assert raised.value.kind == "disk"
    path.write_bytes(b"{")
    with pytest.raises(FeedError, match=r"^feed\.json: ") as raised:
        understood(str(path), lambda data: document(data) and None)
    assert raised.value.kind == "malformed"


def test_files_that_came_together_are_worth_the_worst_of_them() -> None:
    assert weakest(Signature("k"), PinnedOrigin("h")) == PinnedOrigin("h")
    assert weakest(PinnedOrigin("h"), Unproven("x"), Signature("k")) == Unproven("x")
    assert weakest(Signature("k")) == Signature("k")


def test_what_a_source_keeps_is_whole_and_its_own(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    assert kept(str(path), 10) == b""
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    path.parent.mkdir()
    (path.parent / ".file.new").symlink_to(victim)
    keep(str(path), b"0123456789")
    assert victim.read_bytes() == b"mine"
    assert kept(str(path), 10) == b"0123456789"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keep(str(path), b"new")
    assert sorted(each.name for each in path.parent.iterdir()) == ["file"]
    with pytest.raises(FeedError, match="more than 2"):
        kept(str(path), 2)
    path.unlink()
    path.symlink_to(victim)
    with pytest.raises(FeedError, match="symbolic"):
        kept(str(path), 10)
    with pytest.raises(FeedError):
        keep(str(victim / "file"), b"")


@pytest.mark.parametrize(
    ("ecosystem", "name", "version", "purl"),
    [
        ("npm", "@s/a", "1.0.0", "pkg:npm/%40s/a@1.0.0"),
        ("npm", "a", "1.0.0+b c", "pkg:npm/a@1.0.0%2Bb%20c"),
        ("go", "github.com/a/b", "v1.0.0", "pkg:golang/github.com/a/b@v1.0.0"),
        ("maven", "org.a:b", "1", "pkg:maven/org.a/b@1"),
        ("cargo", "a?b", "1#2", "pkg:cargo/a%3Fb@1%232"),
        ("mcp", "a", "1", ""),
        ("npm", "a", "", ""),
        ("npm", "", "1", ""),
    ],
)
def test_package_urls(ecosystem: str, name: str, version: str, purl: str) -> None:
    assert purl_of(ecosystem, name, version) == purl


def test_package_urls_come_back() -> None:
    assert name_of("npm", "@s", "a") == ("npm", "@s/a")
    assert name_of("maven", "org.a", "b") == ("maven", "org.a:b")
    assert name_of("golang", "github.com/a", "b") == ("go", "github.com/a/b")
    assert name_of("docker", "library", "x") == ("", "")
    assert all(name_of(kind, "", "x") == (ecosystem, "x") for ecosystem, kind in TYPES.items())
