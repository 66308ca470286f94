"""Any damage is found where it would matter; no answer is ever wrong because of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bk.engine.errors import Refusal
from bk.engine.intel.index import VERSION, Index
from bk.engine.intel.record import Record

from .samples import opened, record

NAMES = [f"name-{number}" for number in range(40)]


def _answers(path: Path) -> dict[str, list[Record] | None]:
    """Every name's answer, None for a refusal; a refusal on opening refuses them all."""
    causes: set[str] = set()
    told: dict[str, list[Record] | None] = dict.fromkeys([*NAMES, "absent"])
    try:
        index = Index.open(str(path))
    except Refusal as refusal:
        causes.add(refusal.cause)
    else:
        for name in told:
            try:
                told[name] = index.lookup("npm", name)
            except Refusal as refusal:
                causes.add(refusal.cause)
        index.close()
    assert causes <= {"index"}
    return told


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, bytes, dict[str, list[Record] | None]]:
    path = tmp_path / "i"
    opened(path, [record(name, ["1.0.0", "2.0.0"], ident=f"X-{name}") for name in NAMES]).close()
    truth = _answers(path)
    assert all(truth[name] for name in NAMES)
    assert truth["absent"] == []
    return path, path.read_bytes(), truth


def _never_wrong(path: Path, truth: dict[str, list[Record] | None], what: str) -> int:
    refused = 0
    for name, answer in _answers(path).items():
        assert answer is None or answer == truth[name], f"{what}: {name} is answered wrongly"
        refused += answer is None
    return refused


def test_every_flipped_byte_is_found(whole: tuple[Path, bytes, dict[str, list[Record] | None]]) -> None:
    path, data, truth = whole
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        assert _never_wrong(path, truth, f"byte {at}"), f"byte {at} is covered by no look-up"
        with pytest.raises(Refusal):
            Index.open(str(path)).verify()


def test_every_flipped_bit_of_the_header_is_found_on_open(
    whole: tuple[Path, bytes, dict[str, list[Record] | None]],
) -> None:
    path, data, _ = whole
    length = int.from_bytes(data[12:16], "big")
    assert length < len(data)
    for at in range(length):
        for bit in range(8):
            path.write_bytes(data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :])
            with pytest.raises(Refusal):
                Index.open(str(path))


def test_every_truncation_and_any_addition_is_found_on_open(
    whole: tuple[Path, bytes, dict[str, list[Record] | None]],
) -> None:
    path, data, _ = whole
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(Refusal):
            Index.open(str(path))
    path.write_bytes(data + b"\0")
    with pytest.raises(Refusal):
        Index.open(str(path))


def test_a_file_cut_while_it_is_open_refuses(whole: tuple[Path, bytes, dict[str, list[Record] | None]]) -> None:
    path, data, truth = whole
    index = Index.open(str(path))
    os.truncate(path, int.from_bytes(data[12:16], "big"))
    for name in truth:
        with pytest.raises(Refusal) as caught:
            index.lookup("npm", name)
        assert caught.value.cause == "index"


def test_exchanged_parts_are_found(whole: tuple[Path, bytes, dict[str, list[Record] | None]]) -> None:
    path, data, truth = whole
    length = int.from_bytes(data[12:16], "big")
    body = data[length:]
    for shift in (1, 24, 100, len(body) // 2):
        path.write_bytes(data[:length] + body[shift:] + body[:shift])
        assert _never_wrong(path, truth, f"rotated by {shift}")


@pytest.mark.parametrize("content", [b"", b"{}", b"SQLite format 3\0" + bytes(200), bytes(4096), b"bkintel\n" * 40])
def test_a_foreign_file_is_not_an_index(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "i"
    path.write_bytes(content)
    with pytest.raises(Refusal) as caught:
        Index.open(str(path))
    assert caught.value.cause == "index"


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(Refusal) as caught:
            Index.open(str(path))
        assert caught.value.cause == "index"


def test_a_pipe_does_not_hang_the_caller(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refusal):
        Index.open(str(tmp_path / "pipe"))


def test_another_format_version_is_named(whole: tuple[Path, bytes, dict[str, list[Record] | None]]) -> None:
    path, data, _ = whole
    path.write_bytes(data[:8] + (VERSION + 1).to_bytes(4, "big") + data[12:])
    with pytest.raises(Refusal, match=f"format {VERSION + 1}"):
        Index.open(str(path))
