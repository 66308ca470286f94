"""Measures the threat index: `python -m bench.index [PACKAGES]`. `synthetic` is what other benchmarks load."""

from __future__ import annotations

import gc
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from bk.engine.intel.index import Index, build
from bk.engine.intel.record import Record
from bk.engine.provenance import PinnedOrigin

SHARES = (
    ("npm", 0.929),
    ("pypi", 0.0493),
    ("rubygems", 0.0178),
    ("nuget", 0.0033),
    ("cargo", 0.0003),
    ("go", 0.0002),
    ("editor-extension", 0.0002),
)
SYLLABLES = ("ka", "lo", "mi", "ter", "vex", "nor", "sha", "pi", "gra", "bel", "qu", "zen", "dor", "fi", "lux", "rem")
WITH_VERSIONS = 0.15
OPEN = """
import sys, time
from bk.engine.intel.index import Index
a = time.perf_counter()
index = Index.open(sys.argv[1])
b = time.perf_counter()
index.lookup("npm", "kalomi-1")
c = time.perf_counter()
print((b - a) * 1e6, (c - b) * 1e6)
"""


def records(count: int) -> Iterator[Record]:
    """Invented packages, split and shaped like the public malware lists."""
    chance = random.Random(20_250_915)
    ecosystems = [name for name, share in SHARES for _ in range(round(share * 10_000))]
    for number in range(count):
        ecosystem = ecosystems[chance.randrange(len(ecosystems))]
        name = "".join(chance.choices(SYLLABLES, k=chance.randint(2, 6))) + f"-{number}"
        if ecosystem == "npm" and number % 3 == 0:
            name = f"@{chance.choice(SYLLABLES)}{number % 977}/{name}"
        elif ecosystem == "go":
            name = f"forge.example/{name}/{name}"
        elif ecosystem == "editor-extension":
            name = f"maker{number % 77}.{name}"
        exact = chance.random() < WITH_VERSIONS
        listed = [f"{chance.randint(0, 9)}.{chance.randint(0, 40)}.{n}" for n in range(chance.randint(1, 8))]
        yield Record(
            ecosystem,
            name,
            "exact" if exact else "every",
            listed if exact else (),
            "critical",
            (f"group-{number % 3}",),
            PinnedOrigin(),
            ident=f"SYN-2026-{number}",
            date="2026-11-21",
            sources=(f"source-{number % 5}",),
        )


def synthetic(path: str, count: int) -> None:
    """Write an index of `count` invented packages."""
    build(path, records(count), {"built": "2026-11-21T00:00:00Z", "sources": {"synthetic": "2026-11-21"}})


def _spent(body: Callable[[], object], times: int) -> list[float]:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        body()
        spent.append((time.perf_counter() - start) * 1e6)
    return sorted(spent)


def _line(label: str, spent: list[float]) -> str:
    return f"{label:<34} p50 {spent[len(spent) // 2]:8.1f} µs   p99 {spent[len(spent) * 99 // 100]:8.1f} µs"


def main() -> None:
    """Build, then print size, build time, open and look-up times."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 250_000
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/index"
        made = list(records(count))
        start = time.perf_counter()
        build(path, made, {"built": "2026-11-21T00:00:00Z"})
        took = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{count:,} packages: {os.path.getsize(path) / 1e6:.1f} MB, built in {took:.1f} s, peak {peak:.0f} MiB")
        chance = random.Random(7)
        asked = [(record.ecosystem, record.name) for record in chance.choices(made, k=5000)]
        made.clear()
        gc.collect()
        print(_line("open (warm process)", _spent(lambda: Index.open(path).close(), 2000)))
        index = Index.open(path)
        hits = iter(asked * 2)
        misses = iter([(ecosystem, name + "x") for ecosystem, name in asked] * 2)
        print(_line("look-up, hit", _spent(lambda: index.lookup(*next(hits)), 10_000)))
        print(_line("look-up, miss", _spent(lambda: index.lookup(*next(misses)), 10_000)))
        start = time.perf_counter()
        index.verify()
        print(f"full verify {time.perf_counter() - start:.2f} s")
        index.close()
        opened, looked = [], []
        for _ in range(20):
            done = subprocess.run([sys.executable, "-c", OPEN, path], capture_output=True, text=True, check=True)
            one, two = map(float, done.stdout.split())
            opened.append(one)
            looked.append(two)
        print(_line("open, first in a new process", sorted(opened)))
        print(_line("first look-up in a new process", sorted(looked)))


if __name__ == "__main__":
    main()
