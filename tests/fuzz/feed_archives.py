"""Archives of records: their members, or a stated reason, within bounds of memory and time."""

from __future__ import annotations

import io
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

from bk.engine.intel.sources import tarred, zipped
from bk.engine.intel.sources.source import FeedError

FILES = {"osv/MAL-1.json": b'{"id": "MAL-1"}', "osv/deep/MAL-2.json": b"{}" * 500, "empty": b"", "x" * 150: b"long"}
MEMBER_MAX = 1 << 16
SLOW_S = 5.0
PLACE = Path(tempfile.mkdtemp(prefix="bkfuzz")) / "archive"


def _zip(method: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    return made.getvalue()


def _tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


SEEDS = [_zip(zipfile.ZIP_STORED), _zip(zipfile.ZIP_DEFLATED), _tar()]


def one(data: bytes) -> None:
    """Unpack `data` as either kind."""
    PLACE.write_bytes(data)
    started = time.monotonic()
    for kind in (zipped, tarred):
        try:
            for name, content in kind.members(str(PLACE), lambda name: not name.endswith(".md"), member_max=MEMBER_MAX):
                if len(content) > MEMBER_MAX or name.endswith(".md"):
                    raise AssertionError(f"{name}: {len(content)} bytes")
        except FeedError as error:
            if error.kind != "malformed" or PLACE.name not in error.detail:
                raise AssertionError(f"{error.kind}: {error.detail}") from error
    assert time.monotonic() - started < SLOW_S, "a small archive takes no time"
