"""RFC 6962 Merkle trees: roots, inclusion and consistency proofs. Pure; the hash is a parameter."""

from __future__ import annotations

from hashlib import sha256 as _sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    Hash: TypeAlias = Callable[[bytes], bytes]
    Range: TypeAlias = Callable[[int, int], bytes]

TILE = 256
TILE_LEVEL = 8


def sha256(data: bytes) -> bytes:
    """The default hash: the one that signed checkpoints of public logs use."""
    return _sha256(data).digest()


def leaf_hash(data: bytes, digest: Hash = sha256) -> bytes:
    """A leaf is hashed with another prefix than a node, so neither can be passed off as the other."""
    return digest(b"\0" + data)


def node_hash(left: bytes, right: bytes, digest: Hash = sha256) -> bytes:
    """An inner node."""
    return digest(b"\1" + left + right)


class Frontier:
    """The right edge of a growing tree: enough to add leaves and to know the root, in O(log n) space."""

    __slots__ = ("digest", "peaks", "size")

    def __init__(self, size: int = 0, peaks: bytes = b"", digest: Hash = sha256) -> None:
        if len(peaks) != 32 * size.bit_count():
            raise ValueError("a frontier needs one peak for every bit of its size")
        self.size = size
        self.peaks = [peaks[i : i + 32] for i in range(0, len(peaks), 32)]
        self.digest = digest

    def packed(self) -> bytes:
        """The peaks as one string, to be stored."""
        return b"".join(self.peaks)

    def extend(self, leaves: Iterable[bytes]) -> list[tuple[int, bytes]]:
        """Add leaf hashes; returns every complete tile of 256 that came into being, with its number."""
        peaks, digest, size = self.peaks, self.digest, self.size
        tiles: list[tuple[int, bytes]] = []
        for leaf in leaves:
            value, bits, level = leaf, size, 0
            while bits & 1:
                value = digest(b"\1" + peaks.pop() + value)
                bits >>= 1
                level += 1
                if level == TILE_LEVEL:
                    tiles.append((size >> TILE_LEVEL, value))
            peaks.append(value)
            size += 1
        self.size = size
        return tiles

    def root(self) -> bytes:
        """The root of everything added so far."""
        if not self.peaks:
            return self.digest(b"")
        value = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            value = self.digest(b"\1" + peak + value)
        return value


def root_of(leaves: Sequence[bytes], digest: Hash = sha256) -> bytes:
    """The root over these leaf hashes."""
    tree = Frontier(digest=digest)
    tree.extend(leaves)
    return tree.root()


def over(leaves: Sequence[bytes], digest: Hash = sha256) -> Range:
    """The subtree roots of a list of leaf hashes, for the path functions."""
    return lambda start, stop: root_of(leaves[start:stop], digest)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_path(index: int, size: int, subtree: Range) -> list[bytes]:
    """The siblings that lead from leaf `index` to the root of a tree of `size` leaves, lowest first."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(subtree(middle, stop))
            stop = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Range) -> list[bytes]:
    """What shows that the tree of `new` leaves begins with the tree of `old` leaves."""
    if not 0 < old <= new:
        raise ValueError("a tree grows from at least one leaf and never shrinks")
    path: list[bytes] = []
    start, stop, whole = 0, new, True
    while stop != old:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(subtree(middle, stop))
            stop = middle
        else:
            path.append(subtree(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree(start, stop))
    return path[::-1]


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes, *, digest: Hash = sha256) -> bool:
    """Whether this leaf is number `index` of the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0 or len(sibling) != 32:
            return False
        if node & 1 or node == last:
            value = digest(b"\1" + sibling + value)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            value = digest(b"\1" + value + sibling)
        node >>= 1
        last >>= 1
    return last == 0 and value == root


def consistent(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes], *, digest: Hash = sha256
) -> bool:
    """Whether the tree of `new` leaves begins with the tree of `old` leaves (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new or any(len(step) != 32 for step in path):
        return False
    if old == new:
        return not path and old_root == new_root
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node >>= 1
        last >>= 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first = digest(b"\1" + step + first)
            second = digest(b"\1" + step + second)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            second = digest(b"\1" + second + step)
        node >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root
