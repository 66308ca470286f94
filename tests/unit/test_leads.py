"""Following links gives what the system's own function gives, in fewer looks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bk.engine.leads import Leads


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "file").write_text("x")
    (tmp_path / "out").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "a" / "b" / "chain").symlink_to("../../out/file")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return tmp_path


SPELLINGS = (
    "a/file",
    "out/file",
    "out/b/chain",
    "a/up/a/up/out/b",
    "dangling",
    "dangling/below/it",
    "missing/deep/er",
    "loop",
    "loop/x",
    "a/file/not-a-folder",
    "out",
    "",
)


def test_as_the_system_says(tree: Path) -> None:
    together = Leads()
    for spelling in SPELLINGS:
        path = f"{tree}/{spelling}".rstrip("/")
        assert together.real(path) == Leads().real(path) == os.path.realpath(path), spelling
    for path in ("/", "/etc/passwd", "/proc/self", "/tmp", "/" + "x/" * 100 + "y", "/nul\0byte"):
        try:
            wanted = os.path.realpath(path)
        except ValueError:
            wanted = path
        assert Leads().real(path) == wanted


def test_a_folder_is_looked_at_once(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    lstat = os.lstat

    def counted(path: str) -> os.stat_result:
        looked.append(path)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", counted)
    leads = Leads()
    for name in ("one", "two", "three"):
        leads.real(f"{tree}/a/b/{name}")
    assert len(looked) == len(set(looked))
    leads.real(f"{tree}/gone/x/y/z")
    assert not any(path.startswith(f"{tree}/gone/") for path in looked)
