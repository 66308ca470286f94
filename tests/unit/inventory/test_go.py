"""Go modules: trees that may not be written, with the downloads they would be unpacked from again."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.quarantine.back import restore
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wish
from tests.unit.quarantine.house import photograph


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def module(home: Home, path: str, version: str, *, tree: bool = True) -> None:
    """A module as `go mod download` leaves it."""
    for end in (".info", ".mod", ".zip", ".ziphash", ".lock"):
        home.put(f"go/pkg/mod/cache/download/{path}/@v/{version}{end}", end)
    home.put(f"go/pkg/mod/cache/download/{path}/@v/list", version)
    if tree:
        folder = home.put(f"go/pkg/mod/{path}@{version}/inner/x.go", "package x\n", 0o444).parent
        folder.chmod(0o555)
        folder.parent.chmod(0o555)


@pytest.fixture
def mods(home: Home) -> Iterator[Home]:
    module(home, "github.com/!evil!corp/mod", "v1.2.3")
    module(home, "github.com/!evil!corp/mod/v2", "v2.0.0-20240101000000-abcdefabcdef")
    module(home, "example.com/only", "v0.1.0+incompatible", tree=False)
    home.put("go/pkg/mod/cache/download/sumdb/sum.example/latest", "x")
    home.put("go/pkg/mod/cache/vcs/abc/HEAD", "x")
    yield home
    for folder, _, _ in os.walk(home.path):
        os.chmod(folder, 0o755)


def test_a_module_is_its_tree_and_its_download(mods: Home) -> None:
    items = mods.seen("go")
    assert mods.problems == []
    assert said(items) == {
        ("github.com/EvilCorp/mod", "v1.2.3", "cached", "dir"),
        ("github.com/EvilCorp/mod/v2", "v2.0.0-20240101000000-abcdefabcdef", "cached", "dir"),
        ("example.com/only", "v0.1.0+incompatible", "cached", "file_set"),
    }
    item = one(items, "github.com/EvilCorp/mod")
    assert item.locator.path == mods.at("go/pkg/mod/github.com/!evil!corp/mod@v1.2.3")
    downloads = mods.at("go/pkg/mod/cache/download/github.com/!evil!corp/mod/@v/v1.2.3")
    assert item.locator.also == tuple(downloads + end for end in (".info", ".mod", ".zip", ".ziphash"))
    assert mods.takes(items) == []


def test_modes_that_forbid_writing_come_back(mods: Home) -> None:
    item = one(mods.seen("go"), "github.com/EvilCorp/mod")
    before = photograph(Path(item.locator.path))
    held = hold(mods.state, wish(item), projects=[item.root])
    assert not os.path.exists(item.locator.path)
    assert not any(os.path.exists(path) for path in item.locator.also)
    assert os.path.exists(mods.at("go/pkg/mod/github.com/!evil!corp/mod/v2@v2.0.0-20240101000000-abcdefabcdef"))
    restore(mods.state, held.ident)
    assert photograph(Path(item.locator.path)) == before
    assert os.stat(item.locator.path).st_mode & 0o777 == 0o555


def test_a_cache_with_another_name_is_only_reported(home: Home) -> None:
    home.put("elsewhere/mod/example.com/evil@v1.0.0/x.go")
    home.put("elsewhere/mod/cache/download/example.com/evil/@v/v1.0.0.zip")
    assert one(home.seen("go"), "example.com/evil").note == "this cache of modules lies in no pkg/mod"


def program(text: bytes) -> bytes:
    """A small ELF file with a section of build information."""
    version = b"go1.22.1"
    info = b"\xff Go buildinf:" + bytes([8, 2]) + bytes(16)
    text = bytes(16) + text + bytes(16)
    size, count = len(text), b""
    while size > 0x7F:
        count, size = count + bytes([size & 0x7F | 0x80]), size >> 7
    info += bytes([len(version)]) + version + count + bytes([size]) + text
    names = b"\0.go.buildinfo\0.shstrtab\0"
    table = 64 + len(info) + len(names)
    head = (
        b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, 3, 2)
    )
    rows = bytes(64)
    for name, at, length in ((1, 64, len(info)), (15, 64 + len(info), len(names))):
        rows += struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, at, length, 0, 0, 1, 0)
    return head + info + names + rows


def test_programs_say_what_they_were_built_from(home: Home) -> None:
    deps = b"".join(b"dep\texample.com/dep%d\tv1.0.0\th1:x=\n" % number for number in range(40))
    home.put(
        "go/bin/evil",
        program(b"path\texample.com/evil/cmd/evil\nmod\texample.com/evil\tv1.4.0\th1:abc=\n" + deps),
        0o755,
    )
    home.put("go/bin/local", program(b"path\tmine\nmod\tmine\t(devel)\t\n"), 0o755)
    home.put("go/bin/short", b"\x7fELF\x02\x01" + bytes(20))
    home.put("go/bin/script", "#!/bin/sh\n", 0o755)
    home.put("go/bin/cut", program(b"mod\tx\tv1\n")[:-100])
    (home.path / "go/bin/link").symlink_to("evil")
    items = home.seen("go")
    assert said(items) == {("example.com/evil", "v1.4.0", "installed", "file_set")}
    assert one(items, "example.com/evil").locator.files == (home.at("go/bin/evil"),)
    assert home.takes(items) == []


def test_an_ordinary_user_can_hold_what_go_protects_from_writing(mods: Home) -> None:
    item = one(mods.seen("go"), "github.com/EvilCorp/mod")
    before = photograph(Path(item.locator.path))
    child = os.fork()
    if not child:  # a process that, like an ordinary user's, may not overrule modes
        code = 2
        try:
            drop_overruling()
            held = hold(mods.state, wish(item), projects=[item.root])
            gone = not os.path.lexists(item.locator.path)
            restore(mods.state, held.ident)
            code = 0 if gone else 3
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert photograph(Path(item.locator.path)) == before


def drop_overruling() -> None:
    """Give up root's power over modes; an ordinary user has none to give up."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        head = struct.pack("<Ii", 0x20080522, 0)
        sets = ctypes.create_string_buffer(24)
        assert libc.capget(head, sets) == 0
        words = list(struct.unpack("<6I", sets.raw))
        words[0] &= ~0b1110  # overruling modes, reading regardless of them, acting as any owner
        assert libc.capset(head, struct.pack("<6I", *words)) == 0
