"""Proofs for every small size, and that no altered proof passes."""

from __future__ import annotations

import random
from hashlib import blake2s, sha256

import pytest

from bk.engine.ledger.merkle import (
    TILE,
    Frontier,
    consistency_path,
    consistent,
    included,
    inclusion_path,
    leaf_hash,
    node_hash,
    over,
    root_of,
)

MOST = 1025
LEAVES = [leaf_hash(b"leaf %d" % i) for i in range(MOST)]


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + naive(leaves[:split]) + naive(leaves[split:])).digest()


class Subtrees:
    """Subtree roots with a memory, so that a thousand sizes stay fast."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, int], bytes] = {}

    def __call__(self, start: int, stop: int) -> bytes:
        if stop - start == 1:
            return LEAVES[start]
        if (start, stop) not in self.known:
            middle = start + (1 << (stop - start - 1).bit_length() - 1)
            self.known[start, stop] = node_hash(self(start, middle), self(middle, stop))
        return self.known[start, stop]


SUBTREES = Subtrees()


def test_root_is_the_rfcs_for_every_size() -> None:
    for size in [*range(70), 255, 256, 257, 511, 512, 513, 1024, 1025]:
        assert root_of(LEAVES[:size]) == naive(LEAVES[:size])


def indexes(size: int) -> list[int]:
    if size <= 130:
        return list(range(size))
    edge = 1 << (size - 1).bit_length() - 1
    return sorted({0, 1, edge - 1, edge, size - 2, size - 1, *random.Random(size).sample(range(size), 6)})


def test_inclusion_holds_for_every_size_and_refuses_every_altered_sibling() -> None:
    checked = 0
    for size in range(1, MOST + 1):
        root = SUBTREES(0, size)
        for index in indexes(size):
            path = inclusion_path(index, size, SUBTREES)
            assert included(LEAVES[index], index, size, path, root)
            for at, step in enumerate(path):
                bad = [*path[:at], bytes([step[0] ^ 1]) + step[1:], *path[at + 1 :]]
                assert not included(LEAVES[index], index, size, bad, root)
            checked += 1
    assert checked > 15_000


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, 100, 1025])
def test_inclusion_refuses_what_is_not_that_proof(size: int) -> None:
    root = SUBTREES(0, size)
    for index in {0, size // 2, size - 1}:
        path = inclusion_path(index, size, SUBTREES)
        leaf = LEAVES[index]
        assert not included(leaf_hash(b"another"), index, size, path, root)
        assert not included(leaf, index, size, [*path, root], root)
        assert not included(leaf, index, size, path, leaf_hash(b"root"))
        assert not included(leaf, size, size, path, root)
        assert not included(leaf, -1, size, path, root)
        if path:
            assert not included(leaf, index, size, path[:-1], root)
            assert not included(leaf, index, size, [path[0][:31], *path[1:]], root)
        for other in {0, size // 2, size - 1} - {index}:
            assert not included(leaf, other, size, path, root)


def test_an_inner_node_cannot_pass_for_a_leaf() -> None:
    inner = node_hash(LEAVES[0], LEAVES[1])
    root = SUBTREES(0, 4)
    assert included(inner, 0, 2, [SUBTREES(2, 4)], root)  # the hash alone says so …
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != inner  # … but no body has that leaf hash


def test_consistency_holds_for_all_pairs_and_refuses_every_altered_sibling() -> None:
    for new in range(1, 65):
        for old in range(1, new + 1):
            path = consistency_path(old, new, SUBTREES)
            first, second = SUBTREES(0, old), SUBTREES(0, new)
            assert consistent(old, new, first, second, path)
            for at, step in enumerate(path):
                bad = [*path[:at], bytes([step[0] ^ 1]) + step[1:], *path[at + 1 :]]
                assert not consistent(old, new, first, second, bad), (old, new, at)
            assert not consistent(old, new, first, second, [*path, second])
            if path:
                assert not consistent(old, new, first, second, path[:-1])
                assert not consistent(old, new, leaf_hash(b"x"), second, path)
                assert not consistent(old, new, first, leaf_hash(b"x"), path)


def test_consistency_is_what_certificate_transparency_publishes() -> None:
    leaves = [
        leaf_hash(bytes.fromhex(text))
        for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
    ]
    path = consistency_path(6, 8, over(leaves))
    assert [step.hex() for step in path] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    path = inclusion_path(5, 8, over(leaves))
    assert [step.hex() for step in path] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@pytest.mark.parametrize(("old", "new"), [(0, 1), (2, 1), (-1, 3)])
def test_no_consistency_proof_without_growth(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="grows"):
        consistency_path(old, new, SUBTREES)
    assert not consistent(old, new, LEAVES[0], LEAVES[0], [])


def test_a_frontier_can_be_stored_and_gone_on_with() -> None:
    tree = Frontier()
    for start in range(0, 1000, 7):
        stop = min(start + 7, 1000)
        tree = Frontier(tree.size, tree.packed())
        tree.extend(LEAVES[start:stop])
        assert tree.root() == SUBTREES(0, stop)
    with pytest.raises(ValueError, match="peak"):
        Frontier(3, bytes(32))


def test_tiles_are_the_roots_of_256_leaves() -> None:
    tree = Frontier()
    tiles = tree.extend(LEAVES[:700]) + tree.extend(LEAVES[700:1025])
    assert tiles == [(n, root_of(LEAVES[n * TILE : (n + 1) * TILE])) for n in range(4)]


def test_the_hash_is_a_parameter() -> None:
    def other(data: bytes) -> bytes:
        return blake2s(data).digest()

    leaves = [leaf_hash(b"%d" % i, other) for i in range(11)]
    root = root_of(leaves, other)
    path = inclusion_path(4, 11, over(leaves, other))
    assert included(leaves[4], 4, 11, path, root, digest=other)
    assert not included(leaves[4], 4, 11, path, root)
