"""What every feed reader must hold to, whatever it is given: a ValueError, or claims that can stand in our files.

Cut and flipped bytes are refused by the first parser that they meet. So each input also chooses a change to a real
file that leaves it well formed: a value of another type, a key that is gone, a line said twice, a number beyond all.
"""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

from bk.engine.intel import compact
from bk.engine.intel.merge import merge
from bk.engine.intel.names import ECOSYSTEMS, possible
from bk.engine.intel.record import KINDS, SEVERITIES
from bk.engine.intel.sources import Batch
from bk.engine.provenance import PinnedOrigin

FILES = Path(__file__).parents[2] / "fixtures" / "catalogs"
SLOW_S = 5.0
VALUES: list[object] = [
    None, True, 0, -1, 10**30, 1e308, float("inf"), "", " ", "*", "0", "1.0.0", ">=1,<2", "<1", "v", "@@x", "@a/b",
    "a/b:c", "\x00", "\t", "\n", "\u2028", "\x85", "\ud800", "\u202e", "\u0661", "e\u0301", "x" * 5000, "1." * 400,
    "9" * 5000, "[", "]", "{}", "- ",
    "''", '"', "&a", "malicious", "2026-13-45", "0001-01-01T00:00:00Z", "npm", "PyPI", "Go", "VSCode:https://x.example",
    "MAL-2026-1", "SEMVER", "GIT", [], {}, [[]], [None], {"a": None}, {"introduced": "0"}, ["1.0.0"] * 300,
]  # fmt: skip


def seeds(*names: str) -> list[bytes]:
    """Real files to begin with."""
    return [(FILES / name).read_bytes() for name in names]


def read(reader: Callable[[bytes, Batch], None], data: bytes) -> Batch | None:
    """Read `data`; None when it was refused, else a batch whose claims are in order and in its own name."""
    batch = Batch("feed", "one", PinnedOrigin(), "2026-01-02")
    started = time.monotonic()
    refusal = _refusal(reader, data, batch)
    assert time.monotonic() - started < SLOW_S, "a small file takes no time"
    if refusal is not None:
        assert str(refusal), "a refusal says why"
        return None
    for record in batch.records:
        assert record.ecosystem in ECOSYSTEMS, record
        assert possible(record.ecosystem, record.name), record
        assert record.kind in KINDS, record
        assert record.severity in SEVERITIES, record
        assert (record.groups, record.provenance) == (("one",), PinnedOrigin()), "a feed speaks for itself alone"
        assert record.kind == "every" or record.versions, record
    assert all(grave.group == "one" for grave in batch.withdrawn)
    merged = merge(batch.records, batch.withdrawn)
    written = "\n".join(compact.lines(merged)) + "\n"
    again = list(compact.parse(written, "here"))
    assert again == merged, f"what is written down comes back: {set(again) ^ set(merged)}"
    return batch


def _refusal(reader: Callable[[bytes, Batch], None], data: bytes, batch: Batch) -> ValueError | None:
    try:
        reader(data, batch)
    except ValueError as error:
        return error
    return None


def altered_json(data: bytes, files: list[bytes]) -> bytes:
    """One of the JSON files (or one of its lines) with a few values changed, as `data` chooses."""
    rng = random.Random(data)
    lines = rng.choice(files).decode()
    docs = [json.loads(lines)] if _whole(lines) else [json.loads(line) for line in lines.splitlines() if line.strip()]
    for _ in range(rng.randint(1, 4)):
        _alter(rng, docs)
    return b"\n".join(json.dumps(doc, ensure_ascii=rng.random() < 0.8).encode(errors="replace") for doc in docs)


def altered_text(data: bytes, files: list[bytes]) -> bytes:
    """One of the text files with a few lines or words changed, as `data` chooses."""
    rng = random.Random(data)
    lines = rng.choice(files).decode().split("\n")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        pick = rng.randrange(5)
        if pick == 0:
            lines[at:at] = [lines[rng.randrange(len(lines))]] * rng.randint(1, 3)
        elif pick == 1:
            del lines[at : at + rng.randint(1, 3)]
            lines = lines or [""]
        elif pick == 2:
            lines[at] = rng.choice((" ", "  ", "\t", "- ", "#", "")) + lines[at]
        else:
            words = lines[at].split(" ")
            words[rng.randrange(len(words))] = str(rng.choice(VALUES))
            lines[at] = " ".join(words)
    return "\n".join(lines).encode(errors="replace")


def _whole(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _alter(rng: random.Random, node: list[object] | dict[str, object]) -> None:
    """Change one value, one key or one element somewhere below."""
    keys: list[object] = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key = rng.choice(keys)
    inner = node[key]  # type: ignore[call-overload,index]
    if isinstance(inner, list | dict) and inner and rng.random() < 0.8:
        _alter(rng, inner)
        return
    pick = rng.randrange(5)
    if pick == 0:
        del node[key]  # type: ignore[call-overload,arg-type]
    elif pick == 1 and isinstance(node, dict):
        node[str(rng.choice(VALUES))[:50]] = copy.deepcopy(inner)
    elif pick == 1 and isinstance(node, list):
        node.extend(copy.deepcopy(inner) for _ in range(rng.randint(1, 50)))
    elif pick == 2:
        node[key] = [inner]  # type: ignore[call-overload,index]
    else:
        node[key] = copy.deepcopy(rng.choice(VALUES))  # type: ignore[call-overload,index]
