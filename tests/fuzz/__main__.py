"""Runs every fuzz target for a while: `python -m tests.fuzz [--seconds N] [NAME …]`. A crash prints its input."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import random
import sys
import time
from collections.abc import Callable, Iterator

import tests.fuzz

TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"NaN",
    b"1e999",
    b"\x00",
    b"\xff",
    b"\n",
]
TOKENS += [
    b"$(",
    b")",
    b"`",
    b"|",
    b"&&",
    b";",
    b"<<E",
    b">",
    b"~/",
    b"..",
    b"'",
    b"\x1f",
    b"\x1e",
    b"BKH1",
    b"=",
    b"#",
]


def mutated(rng: random.Random, data: bytes) -> bytes:
    """`data` after a few cuts, flips, copies and token insertions."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(out))
        pick = rng.randrange(6)
        if pick == 0 and out:
            del out[at : at + rng.randint(1, 8)]
        elif pick == 1 and out:
            out[at % len(out)] ^= 1 << rng.randrange(8)
        elif pick == 2:
            out[at:at] = rng.choice(TOKENS)
        elif pick == 3:
            out[at:at] = out[at : at + rng.randint(1, 40)] * rng.randint(1, 3)
        elif pick == 4:
            out[at:at] = rng.randbytes(rng.randint(1, 8))
        else:
            del out[at:]
    return bytes(out)


def inputs(rng: random.Random, seeds: list[bytes]) -> Iterator[bytes]:
    """Seeds, then mutations of what came before, then noise now and then."""
    pool = list(seeds) or [b""]
    yield from pool
    while True:
        data = mutated(rng, rng.choice(pool)) if rng.random() < 0.95 else rng.randbytes(rng.randint(0, 200))
        if rng.random() < 0.02 and len(data) < 4096:
            pool.append(data)
            if len(pool) > 500:
                pool.pop(rng.randrange(len(seeds), len(pool)))
        yield data


def run(name: str, one: Callable[[bytes], None], seeds: list[bytes], seconds: float, seed: int) -> int:
    """Feed one target until its time is up; the number of inputs it took."""
    rng = random.Random(seed)
    until = time.monotonic() + seconds
    count = 0
    for data in inputs(rng, seeds):
        try:
            one(data)
        except BaseException:
            sys.stderr.write(f"\n{name} failed (seed {seed}, input {count}) on:\n{data!r}\n")
            raise
        count += 1
        if time.monotonic() > until:
            return count
    return count


def main() -> int:
    """Run the targets named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    found = [m.name for m in pkgutil.iter_modules(tests.fuzz.__path__) if not m.name.startswith("_")]
    for name in args.names or found:
        module = importlib.import_module(f"tests.fuzz.{name}")
        count = run(name, module.one, getattr(module, "SEEDS", []), args.seconds, args.seed)
        sys.stdout.write(f"{name}: {count:,} inputs, no failure (seed {args.seed})\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
