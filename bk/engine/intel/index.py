"""The threat index: one immutable file a generation, opened without parsing, looked up with two small reads.

    header   magic, version, header length, file length, bucket and page counts, salt, digest of the header
             meta (JSON), profiles (texts that many records share), one digest a directory page
    pages    64 directory entries each: where a bucket lies, how long it is, its digest
    buckets  the records of the names that hash there, as delimited text

Every byte is covered by a digest that is checked before the byte is believed: the header when the file is opened, one
page and one bucket when a name is looked up. So opening costs the same for a thousand records and for a million, and
damage is found where it would matter, never answered as "not listed". Digests find damage; they are no signature:
whoever may write the state directory may write another index.
"""

from __future__ import annotations

import os
import struct

from blake3 import blake3

from bk.engine.errors import Refusal
from bk.engine.intel.record import SEVERITIES, Record
from bk.engine.provenance import stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bk.engine.model import Json
    from bk.engine.provenance import Provenance

MAGIC = b"bkintel\n"
VERSION = 3
HEADER = struct.Struct(">8sIIQIII16s32s")  # …, buckets, meta length, profiles length, salt, digest
ENTRY = struct.Struct(">QI12s")  # offset, length, digest
SHORT = 12
PAGE_ENTRIES = 32
PAGE = ENTRY.size * PAGE_ENTRIES
FIRST_READ = 16384
HEADER_MAX = 1 << 24
BUCKET_MAX = 1 << 24
NEXT_STEP = "bk catalogs rebuild, or bk catalogs rollback --admin"

# Delimiters of bucket and profile text; the writer refuses them in content.
NAME, RECORD, FIELD, ITEM = "\x1e", "\x1d", "\x1f", "\x1c"
CODES = {
    "npm": "n",
    "pypi": "p",
    "cargo": "c",
    "go": "g",
    "rubygems": "r",
    "packagist": "k",
    "nuget": "u",
    "maven": "m",
    "editor-extension": "e",
    "mcp": "x",
    "browser-extension": "b",
    "homebrew": "h",
    "agent-skill": "a",
}
ECOSYSTEMS_BY_CODE = {code: ecosystem for ecosystem, code in CODES.items()}
KIND_CODES = {"exact": "=", "range": "~", "every": "*"}
KINDS_BY_CODE = {code: kind for kind, code in KIND_CODES.items()}


def broken(path: str, why: str) -> Refusal:
    """The one way an index fails: the call cannot be decided, and this is what to do."""
    return Refusal("index", f"the threat index cannot be used: {why} ({path})", NEXT_STEP)


def key_of(ecosystem: str, name: str) -> bytes:
    """The bytes under which a canonical name is filed."""
    return f"{CODES.get(ecosystem, ecosystem + ':')}{name}".encode(errors="surrogatepass")


def unkeyed(key: bytes) -> tuple[str, str]:
    """The ecosystem and the name that a key stands for."""
    text = key.decode(errors="surrogatepass")
    ecosystem = ECOSYSTEMS_BY_CODE.get(text[:1])
    if ecosystem is not None:
        return ecosystem, text[1:]
    ecosystem, _, name = text.partition(":")
    return ecosystem, name


def bucket_of(key: bytes, salt: bytes, buckets: int) -> int:
    """Salted per generation, so that nobody can choose names that crowd one bucket."""
    return int.from_bytes(blake3(salt + key).digest(8), "big") % buckets


def short(data: bytes) -> bytes:
    """The digest kept for a page or a bucket."""
    return blake3(data).digest(SHORT)


class Index:
    """One open generation."""

    __slots__ = (
        "_fd",
        "_meta",
        "_page_digests",
        "_pages_at",
        "_profiles",
        "_salt",
        "_shared",
        "_size",
        "buckets",
        "path",
    )

    def __init__(self, path: str, fd: int, header: bytes, size: int) -> None:
        _, _, length, _, buckets, meta, profiles, salt, _ = HEADER.unpack_from(header)
        self.path = path
        self._fd = fd
        self._size = size
        self.buckets = buckets
        self._salt = salt
        self._meta = header[HEADER.size : HEADER.size + meta]
        self._shared = header[HEADER.size + meta : HEADER.size + meta + profiles]
        self._profiles: list[tuple[str, str, tuple[str, ...], Provenance, tuple[str, ...]]] | None = None
        self._page_digests = header[HEADER.size + meta + profiles : length]
        self._pages_at: int = length

    @classmethod
    def open(cls, path: str) -> Index:
        """Open and check the header; raises a Refusal with cause `index` for anything but a whole index."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            raise broken(path, error.strerror or "cannot be opened") from error
        try:
            return cls(path, fd, *_header(path, fd))
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError):
                raise broken(path, error.strerror or "cannot be read") from error
            raise

    @property
    def meta(self) -> dict[str, Json]:
        """When it was built, from what, and how much is in it."""
        import json

        told: dict[str, Json] = json.loads(self._meta)
        return told

    @property
    def shared(self) -> list[bytes]:
        """The texts that claims refer to by number."""
        return self._shared.split(b"\x1d")

    def lookup(self, ecosystem: str, name: str) -> list[Record]:
        """Every record filed under a canonical name; a damaged index raises, it never answers "nothing"."""
        key = key_of(ecosystem, name)
        data = self._bucket(bucket_of(key, self._salt, self.buckets))
        at = data.find(b"\x1e" + key + b"\x1f")
        if at < 0:
            return []
        start = at + len(key) + 2
        end = data.find(b"\x1e", start)
        return self._records(ecosystem, name, data[start : end if end >= 0 else len(data)])

    def listed(self, keys: Iterable[bytes]) -> set[bytes]:
        """Which of many keys are filed at all; each directory page is read and checked once."""
        wanted: dict[int, list[bytes]] = {}
        for key in keys:
            wanted.setdefault(bucket_of(key, self._salt, self.buckets), []).append(key)
        pages: dict[int, bytes] = {}
        found: set[bytes] = set()
        for bucket, here in wanted.items():
            page, slot = divmod(bucket, PAGE_ENTRIES)
            directory = pages.get(page)
            if directory is None:
                directory = pages[page] = self._page(page)
            if ENTRY.unpack_from(directory, slot * ENTRY.size)[1]:
                data = self._records_at(*ENTRY.unpack_from(directory, slot * ENTRY.size))
                found.update(key for key in here if b"\x1e" + key + b"\x1f" in data)
        return found

    def __iter__(self) -> Iterator[Record]:
        """Every record, bucket by bucket."""
        for bucket in range(self.buckets):
            for key, rest in self.entries(bucket):
                yield from self._records(*unkeyed(key), rest)

    def names(self) -> Iterator[tuple[str, str]]:
        """Every (ecosystem, name), bucket by bucket; cheaper than reading what is said of each."""
        for bucket in range(self.buckets):
            for key, _ in self.entries(bucket):
                yield unkeyed(key)

    def verify(self) -> None:
        """Read everything once: every digest, every record, no unaccounted byte."""
        expected = self._pages_at + -(-self.buckets // PAGE_ENTRIES) * PAGE
        packages: dict[str, int] = {}
        records = 0
        for bucket in range(self.buckets):
            offset, length, _ = self._entry(bucket)
            if offset != expected:
                raise broken(self.path, "its parts do not join up")
            expected += length
            seen = set()
            for key, rest in self.entries(bucket):
                if key in seen or bucket_of(key, self._salt, self.buckets) != bucket:
                    raise broken(self.path, "a record is filed in the wrong place")
                seen.add(key)
                ecosystem, name = unkeyed(key)
                records += len(self._records(ecosystem, name, rest))
                packages[ecosystem] = packages.get(ecosystem, 0) + 1
        if expected != self._size:
            raise broken(self.path, "it holds bytes that belong to nothing")
        meta = self.meta
        if records != meta["records"] or packages != meta["packages"]:
            raise broken(self.path, "it does not hold what its header says")

    def close(self) -> None:
        """Give the file descriptor back; look-ups afterwards fail."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            self.close()

    def entries(self, bucket: int) -> Iterator[tuple[bytes, bytes]]:
        """The keys of a bucket, each with the text that is filed under it."""
        for entry in self._bucket(bucket).split(b"\x1e")[1:]:
            key, _, rest = entry.partition(b"\x1f")
            yield key, rest

    def _entry(self, bucket: int) -> tuple[int, int, bytes]:
        page, slot = divmod(bucket, PAGE_ENTRIES)
        found: tuple[int, int, bytes] = ENTRY.unpack_from(self._page(page), slot * ENTRY.size)
        return found

    def _page(self, page: int) -> bytes:
        """A directory page, checked."""
        data = self._read(PAGE, self._pages_at + page * PAGE)
        if short(data) != self._page_digests[page * SHORT : page * SHORT + SHORT]:
            raise broken(self.path, "a directory page was altered")
        return data

    def _bucket(self, bucket: int) -> bytes:
        return self._records_at(*self._entry(bucket))

    def _records_at(self, offset: int, length: int, digest: bytes) -> bytes:
        """A bucket's text, checked."""
        if not length:
            return b""
        if length > BUCKET_MAX:
            raise broken(self.path, "a part of it is too large")
        data = self._read(length, offset)
        if short(data) != digest:
            raise broken(self.path, "a part of it was altered")
        return data

    def _read(self, length: int, offset: int) -> bytes:
        try:
            data = os.pread(self._fd, length, offset)
        except OSError as error:
            raise broken(self.path, error.strerror or "cannot be read") from error
        if len(data) != length:
            raise broken(self.path, "it is truncated")
        return data

    def _records(self, ecosystem: str, name: str, data: bytes) -> list[Record]:
        profiles = self._profiles
        if profiles is None:
            profiles = self._profiles = _profiles(self._shared)
        found = []
        for text in data.decode(errors="surrogatepass").split(RECORD):
            profile, versions, ident, date = text.split(FIELD)
            kind, severity, groups, provenance, sources = profiles[int(profile, 36)]
            listed = versions.split(ITEM) if versions else ()
            found.append(
                Record(
                    ecosystem, name, kind, listed, severity, groups, provenance, ident=ident, date=date, sources=sources
                )
            )
        return found


def _header(path: str, fd: int) -> tuple[bytes, int]:
    """The checked header and the file's length."""
    size = os.fstat(fd).st_size
    header = os.pread(fd, FIRST_READ, 0)
    if len(header) < HEADER.size or header[:8] != MAGIC:
        raise broken(path, "it is not a threat index" if header else "it is empty")
    _, version, length, told, buckets, meta, profiles, _, digest = HEADER.unpack_from(header)
    if version != VERSION:
        raise broken(path, f"it has format {version}, this bk reads format {VERSION}")
    if not HEADER.size <= length <= min(HEADER_MAX, size):
        raise broken(path, "it is truncated")
    if len(header) < length:
        header += os.pread(fd, length - len(header), len(header))
    header = header[:length]
    if len(header) != length or blake3(header[: HEADER.size - 32] + header[HEADER.size :]).digest() != digest:
        raise broken(path, "its header was altered")
    pages = -(-buckets // PAGE_ENTRIES)
    if not buckets or HEADER.size + meta + profiles + pages * SHORT != length:
        raise broken(path, "its header contradicts itself")
    if told != size:
        raise broken(path, f"it is {size} bytes long and should be {told}")
    return header, size


def _profiles(data: bytes) -> list[tuple[str, str, tuple[str, ...], Provenance, tuple[str, ...]]]:
    made = []
    for line in data.decode().split(RECORD) if data else ():
        code, severity, provenance, groups, sources = line.split(FIELD)
        made.append(
            (
                KINDS_BY_CODE[code],
                SEVERITIES[int(severity)],
                tuple(groups.split(ITEM)),
                stored(provenance),
                tuple(sources.split(ITEM)) if sources else (),
            )
        )
    return made


def build(path: str, records: Iterable[Record], meta: Mapping[str, Json]) -> dict[str, Json]:
    """Write a generation: aside, synced, verified, then renamed into place. Returns the meta it carries."""
    from bk.engine.intel.writer import write

    return write(path, records, meta)
