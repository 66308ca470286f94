"""Writes a generation of the index. Never on the hot path; the format is told in `index`."""

from __future__ import annotations

import os

from blake3 import blake3

from bk.engine.canonical import canonical
from bk.engine.errors import BkError
from bk.engine.intel.index import (
    CODES,
    ENTRY,
    FIELD,
    HEADER,
    ITEM,
    KIND_CODES,
    MAGIC,
    NAME,
    PAGE_ENTRIES,
    RECORD,
    SHORT,
    VERSION,
    Index,
    bucket_of,
    key_of,
    short,
)
from bk.engine.intel.names import canonical_name
from bk.engine.intel.record import SEVERITIES, Record
from bk.engine.intel.versions import canonical_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bk.engine.model import Json

NAMES_A_BUCKET = 16
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def write(path: str, records: Iterable[Record], meta: Mapping[str, Json]) -> dict[str, Json]:
    """Build the file aside, sync it, open and verify it, and only then give it its name."""
    names, profiles, count, packages = _gather(records)
    told = {**meta, "records": count, "packages": packages}
    aside = f"{path}.{os.getpid()}.new"
    try:
        _lay_out(aside, names, profiles, canonical(told))
        made = Index.open(aside)
        try:
            made.verify()
        finally:
            made.close()
        os.rename(aside, path)
        _sync_directory(os.path.dirname(path) or ".")
    except OSError as error:
        raise BkError(
            "the threat index could not be written",
            f"{path}: {error.strerror}",
            "free the disk, then `bk catalogs rebuild`",
        ) from error
    finally:
        if os.path.lexists(aside):
            os.unlink(aside)
    return told


def _gather(records: Iterable[Record]) -> tuple[dict[bytes, str], list[str], int, dict[str, int]]:
    """Records by key as bucket text; equal records once; a key keeps all the records it was given."""
    profiles: dict[str, str] = {}
    names: dict[bytes, dict[str, None]] = {}
    packages: dict[str, int] = {}
    count = 0
    for record in records:
        key, text = _encoded(record, profiles)
        known = names.get(key)
        if known is None:
            known = names[key] = {}
            packages[record.ecosystem] = packages.get(record.ecosystem, 0) + 1
        if text not in known:
            known[text] = None
            count += 1
    return {key: RECORD.join(sorted(known)) for key, known in names.items()}, list(profiles), count, packages


def _encoded(record: Record, profiles: dict[str, str]) -> tuple[bytes, str]:
    ecosystem = record.ecosystem
    name = canonical_name(ecosystem, record.name)
    versions = _versions(record)
    if ecosystem not in CODES and not ecosystem.replace("-", "").isalnum():
        raise ValueError(f"not an ecosystem: {ecosystem!r}")
    profile = FIELD.join(
        (
            KIND_CODES[record.kind],
            str(SEVERITIES.index(record.severity)),
            record.provenance.word,
            ITEM.join(sorted(set(record.groups))),
            ITEM.join(sorted(set(record.sources))),
        )
    )
    number = profiles.get(profile)
    if number is None:
        number = profiles[profile] = _base36(len(profiles))
    for text in (name, *record.groups, *record.sources, *versions, record.ident, record.date):
        if not text.isprintable() and any(char < " " for char in text):
            raise ValueError(f"control characters in a record of {record.name!r}")
    if not name or not record.groups:
        raise ValueError(f"a record needs a name and a group: {record!r}")
    return key_of(ecosystem, name), f"{number}{FIELD}{ITEM.join(versions)}{FIELD}{record.ident}{FIELD}{record.date}"


def _versions(record: Record) -> list[str]:
    """Canonical versions or interval ends; a kind that names versions must have some."""
    if record.kind == "every":
        return []
    if not record.versions:
        raise ValueError(f"a record of kind {record.kind} names no versions: {record!r}")
    if record.kind == "exact":
        return list(dict.fromkeys(canonical_version(record.ecosystem, version) for version in record.versions))
    return [",".join(_end(record.ecosystem, end) for end in text.split(",")) for text in record.versions]


def _end(ecosystem: str, end: str) -> str:
    op = end[:2] if end[1:2] == "=" else end[:1]
    if op not in ("<", ">", "<=", ">="):
        raise ValueError(f"not an interval: {end!r}")
    return op + canonical_version(ecosystem, end[len(op) :])


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text


def _lay_out(path: str, names: dict[bytes, str], profiles: list[str], meta: bytes) -> None:
    buckets = max(1, -(-len(names) // NAMES_A_BUCKET))
    mixed = blake3(VERSION.to_bytes(4, "big"))
    for key in sorted(names):
        mixed.update(key + b"\0")
    salt = mixed.digest(16)
    filled: list[list[bytes]] = [[] for _ in range(buckets)]
    for key in sorted(names):
        text = names[key].encode(errors="surrogatepass")
        filled[bucket_of(key, salt, buckets)].append(NAME.encode() + key + FIELD.encode() + text)
    bodies = [b"".join(entries) for entries in filled]
    shared = RECORD.join(profiles).encode()
    pages = -(-buckets // PAGE_ENTRIES)
    length = HEADER.size + len(meta) + len(shared) + pages * SHORT
    offset = length + pages * PAGE_ENTRIES * ENTRY.size
    directory = bytearray()
    for body in bodies:
        directory += ENTRY.pack(offset, len(body), short(body))
        offset += len(body)
    directory += bytes(pages * PAGE_ENTRIES * ENTRY.size - len(directory))
    size_of_page = PAGE_ENTRIES * ENTRY.size
    digests = b"".join(short(bytes(directory[at : at + size_of_page])) for at in range(0, len(directory), size_of_page))
    rest = meta + shared + digests
    head = HEADER.pack(MAGIC, VERSION, length, offset, buckets, len(meta), len(shared), salt, bytes(32))[:-32]
    digest = blake3(head + rest).digest()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as file:
        file.write(head + digest + rest)
        file.write(directory)
        file.writelines(bodies)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
