"""What differs between two generations, by entry: both are read once, a bucket at a time.

Kept in memory is a digest for each entry of the older one; names only of entries that differ, and their records not
before they are asked for. Claims are compared as text in which the numbers of shared parts are resolved: two files
number them differently.
"""

from __future__ import annotations

from blake3 import blake3

from bk.engine.intel.generations import Change
from bk.engine.intel.index import FIELD, RECORD, Index, unkeyed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELD, _RECORD = FIELD.encode(), RECORD.encode()
_DIGEST = 16


def between(old: str, new: str) -> Iterator[Change]:
    """Each package about which the two files do not say the same, by ecosystem and name."""
    before = Index.open(old)
    try:
        after = Index.open(new)
        try:
            for ecosystem, name in sorted(map(unkeyed, _differing(before, after))):
                yield Change(ecosystem, name, before.lookup(ecosystem, name), after.lookup(ecosystem, name))
        finally:
            after.close()
    finally:
        before.close()


def _differing(before: Index, after: Index) -> set[bytes]:
    """The keys of everything that is not said alike in both."""
    known = {digest: bucket for bucket, _, digest in _digests(before)}
    found = set()
    for _, key, digest in _digests(after):
        if known.pop(digest, None) is None:
            found.add(key)
    for bucket in sorted(set(known.values())):
        found.update(key for key, digest in _bucket(before, bucket) if digest in known)
    return found


def _digests(index: Index) -> Iterator[tuple[int, bytes, bytes]]:
    for bucket in range(index.buckets):
        for key, digest in _bucket(index, bucket):
            yield bucket, key, digest


def _bucket(index: Index, bucket: int) -> Iterator[tuple[bytes, bytes]]:
    """Each key of a bucket with a digest of all that is said of it, in whatever order."""
    shared = index.shared
    for key, text in index.entries(bucket):
        said = sorted([_resolved(claim, shared) for claim in text.split(_RECORD)])
        yield key, blake3(_RECORD.join([key, *said])).digest(_DIGEST)


def _resolved(claim: bytes, shared: list[bytes]) -> bytes:
    number, _, rest = claim.partition(_FIELD)
    return shared[int(number, 36)] + _FIELD + rest
