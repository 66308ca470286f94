"""Archives that others packed: read in small memory, and refused when they are not what they say."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import pytest

from bk.engine.intel.sources import Batch, extract, tarred, zipped
from bk.engine.intel.sources.osv_bulk import record_of
from bk.engine.intel.sources.source import FeedError
from bk.engine.provenance import Unproven

from . import asking

PLAIN = {"a.json": b"{}", "b/ü.json": b"x" * 5000, "empty.json": b""}


def everything(_name: str) -> bool:
    return True


def unzipped(path: Path) -> dict[str, bytes]:
    return dict(zipped.members(str(path), everything))


def untarred(path: Path) -> dict[str, bytes]:
    return dict(tarred.members(str(path), everything))


def packed(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_is_read_as_the_library_reads_it(tmp_path: Path, method: int) -> None:
    path = packed(tmp_path / "a.zip", PLAIN, method)
    with zipfile.ZipFile(path) as archive:
        assert unzipped(path) == {name: archive.read(name) for name in archive.namelist()} == PLAIN
    assert dict(zipped.members(str(path), lambda name: name == "a.json")) == {"a.json": b"{}"}


def test_a_zip_that_was_written_in_one_pass_and_one_with_long_numbers_are_read(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in PLAIN.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    (tmp_path / "a.zip").write_bytes(pipe.data)
    assert unzipped(tmp_path / "a.zip") == PLAIN
    many = {f"{number}.json": b"" for number in range(70_000)}
    assert len(unzipped(packed(tmp_path / "many.zip", many, zipfile.ZIP_STORED))) == 70_000


def test_an_empty_zip_is_one(tmp_path: Path) -> None:
    assert unzipped(packed(tmp_path / "a.zip", {})) == {}


def refused(act: object, path: Path, match: str) -> None:
    with pytest.raises(FeedError, match=match) as caught:
        act(path)  # type: ignore[operator]
    assert caught.value.kind == "malformed"
    assert path.name in caught.value.detail


def test_a_zip_with_odd_members_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", PLAIN)
    data = path.read_bytes()
    central = data.index(b"PK\1\2")

    def changed(at: int, new: bytes) -> Path:
        path.write_bytes(data[:at] + new + data[at + len(new) :])
        return path

    refused(unzipped, changed(central + 8, b"\1\0"), "encrypted")
    refused(unzipped, changed(central + 10, b"\x0c\0"), "packed in way 12")
    refused(unzipped, changed(central + 16, b"\0\0\0\0"), "not what it should be")
    refused(unzipped, changed(central + 24, struct.pack("<I", 1 << 30)), "bytes; 4194304 is the most")
    refused(unzipped, changed(central + 24, b"\1\0\0\0"), "not what it should be|not packed as it should be")
    refused(unzipped, changed(central + 42, b"\1\0\0\0"), "not where the directory says")
    refused(unzipped, changed(central + 46, b"z"), "not where the directory says")
    refused(unzipped, changed(central + 40, struct.pack("<H", stat.S_IFLNK | 0o777)), "is a link")
    refused(unzipped, changed(len(data) - 10, b"\xff\0\0\0"), "directory is not where")
    path.write_bytes(data + b"more")
    refused(unzipped, path, "cut off|follows its end")
    path.write_bytes(data[:-30])
    refused(unzipped, path, "cut off")
    path.write_bytes(b"")
    refused(unzipped, path, "no zip")


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    refused(unzipped, packed(tmp_path / "a.zip", {"a.json": bytes(zipped.MEMBER_MAX)}), "unpacks to")
    refused(unzipped, packed(tmp_path / "b.zip", {"a.json": bytes(zipped.MEMBER_MAX + 1)}), "is the most")


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.json": os.urandom(2000)})
    data = path.read_bytes()
    at = data.index(b"PK\1\2")
    end = data.index(b"PK\5\6")
    entry = data[at:end]
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 100, 100, len(entry) * 100, at, 0)
    path.write_bytes(data[:at] + entry * 100 + tail)
    refused(unzipped, path, "claim more than")


def test_a_damaged_zip_is_a_feed_error_and_nothing_else(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", PLAIN)
    data = path.read_bytes()
    chance = random.Random(4)
    for _ in range(3000):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path.write_bytes(broken[: chance.choice([len(broken), chance.randrange(len(broken))])])
        try:
            unzipped(path)
        except FeedError as error:
            assert error.kind == "malformed"  # noqa: PT017 - most of them raise, which is what is looked at


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_is_read_as_the_library_reads_it(tmp_path: Path, form: int) -> None:
    long = {f"top/{'d' * 90}/{'e' * 60}.json": b"1"} if form != tarfile.USTAR_FORMAT else {f"{'d' * 90}/x.json": b"1"}
    files = {**PLAIN, **long, "top/block.json": b"y" * 1024}
    path = tmp_path / "a.tar.gz"
    path.write_bytes(asking.tarred(files, form))
    assert untarred(path) == files


def test_links_devices_and_ways_out_lead_nowhere(tmp_path: Path) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, kind in (
            ("l", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("d", tarfile.CHRTYPE),
            ("f", tarfile.DIRTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "/etc/passwd"
            archive.addfile(member)
        member = tarfile.TarInfo("../../../../tmp/escaped.json")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"{}"))
    path = tmp_path / "a.tar.gz"
    path.write_bytes(made.getvalue())
    assert untarred(path) == {"../../../../tmp/escaped.json": b"{}"}
    assert os.listdir(tmp_path) == ["a.tar.gz"]
    assert not os.path.exists("/tmp/escaped.json")


def test_a_tar_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    whole = asking.tarred(PLAIN)
    plain = gzip.decompress(whole)
    for data, match in (
        (whole[:-20], "cut off"),
        (b"", "cut off"),
        (b"no gzip", "incorrect header"),
        (gzip.compress(b"x" * 512), "no tar header|no tar archive|is no number|codec"),
        (gzip.compress(plain[:100] + b"7" + plain[101:]), "no tar archive"),
        (gzip.compress(plain[:1024]), "cut off"),
        (gzip.compress(plain + b"x" * 512), "follows its end"),
        (gzip.compress(plain[:512], 9)[:-8] + bytes(8), "incorrect|cut off"),
    ):
        path.write_bytes(data)
        refused(untarred, path, match)


def test_a_tar_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(asking.tarred({"big.json": bytes(64 << 20)}))
    refused(lambda path: list(tarred.members(str(path), lambda _: False)), path, "unpacks to more")
    path.write_bytes(asking.tarred({"big.json": bytes(5 << 20)}))
    refused(untarred, path, "is the most")
    header = bytearray(tarfile.TarInfo("pax").tobuf(tarfile.USTAR_FORMAT))
    header[156:157] = b"x"
    header[124:136] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(gzip.compress(bytes(header) + bytes(1 << 20)))
    refused(untarred, path, "extended header")


def test_a_damaged_tar_is_a_feed_error_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    plain = gzip.decompress(asking.tarred({**PLAIN, f"{'d' * 200}.json": b"1"}))
    chance = random.Random(4)
    for _ in range(1500):
        broken = bytearray(plain)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(broken))
            broken[at] = chance.randrange(256)
            block = at // 512 * 512
            head = broken[block : block + 512]  # keep the sum right, so that the damage is read
            head[148:156] = b" " * 8
            broken[block + 148 : block + 156] = b"%06o\0 " % sum(head)
        path.write_bytes(gzip.compress(bytes(broken), 1))
        try:
            untarred(path)
        except FeedError as error:
            assert error.kind == "malformed"  # noqa: PT017


MEASURE = """
import resource, sys
from bk.engine.intel.sources import {module}
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in {module}.members(sys.argv[1], lambda name: True))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)
"""


@pytest.mark.parametrize(("module", "suffix"), [("zipped", ".zip"), ("tarred", ".tar.gz")])
def test_memory_does_not_grow_with_the_archive(tmp_path: Path, module: str, suffix: str) -> None:
    files = {f"top/osv/malicious/npm/{n}/MAL-2026-{n}.json": b'{"id": "MAL-2026-%d"}' % n * 20 for n in range(30_000)}
    path = tmp_path / f"a{suffix}"
    if suffix == ".zip":
        packed(path, files)
    else:
        path.write_bytes(asking.tarred(files))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(module=module), str(path)], capture_output=True, text=True, timeout=120
    )
    count, grown_kib = map(int, done.stdout.split())
    assert count == 30_000
    assert grown_kib < 4096, f"{grown_kib} KiB for 30,000 members"


def kept(tmp_path: Path, *records: dict[str, object]) -> str:
    path = str(tmp_path / "x.facts")
    with extract.Keeper(path, "here") as keeper:
        for record in records:
            keeper.take(str(record["id"]), partial(record_of, data=json.dumps(record).encode()))
    return path


def test_an_extract_that_was_altered_or_cut_is_none(tmp_path: Path) -> None:
    path = kept(tmp_path, asking.mal(1), asking.mal(2, versions=["1.0.0", "2.0.0"]))
    whole = Path(path).read_bytes()
    assert extract.stamps(path, "here") == {"MAL-2026-1": "2026-01-02T03:04:05", "MAL-2026-2": "2026-01-02T03:04:05"}
    assert extract.stamps(path, "elsewhere") is None
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + b"#" + whole[at + 1 :]):
            if damaged == whole:
                continue
            Path(path).write_bytes(damaged)
            assert extract.stamps(path, "here") is None
            batch = Batch("l", "g", Unproven(), "")
            with pytest.raises(FeedError):
                extract.read(path, batch)
            assert batch.records == []


def test_a_keeper_that_fails_leaves_the_file_before(tmp_path: Path) -> None:
    path = kept(tmp_path, asking.mal(1))
    before = Path(path).read_bytes()
    with pytest.raises(KeyError), extract.Keeper(path, "here"):
        raise KeyError
    assert Path(path).read_bytes() == before
    assert os.listdir(tmp_path) == ["x.facts"]
