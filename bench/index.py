"""Measures the threat index, each figure in a process of its own: `python -m bench.index [--full]`.

The full size is 500,000 packages with 2,000,000 versions from two sources, taken the whole way: accepted claims as
text, merged, built aside, verified, put in force. `records` and `synthetic` are what other benchmarks and tests load.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

from bench.measure import Command, interleave
from bench.page import Figure, machine, put, table
from bk.engine.intel import bundle, generations
from bk.engine.intel.index import Index, build
from bk.engine.intel.record import Record
from bk.engine.provenance import PinnedOrigin
from bk.engine.state import State

FULL = 500_000
SMALL = 20_000
VERSIONS = 4
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
SOURCES = ("import-one", "import-two")
OPEN = """
import sys, time
from bk.engine.intel.index import Index
a = time.perf_counter()
index = Index.open(sys.argv[1])
found = index.lookup(sys.argv[2], sys.argv[3])
b = time.perf_counter()
print((b - a) * 1e3, len(found))
"""


def records(count: int, *, versions: int = 0) -> Iterator[Record]:
    """Invented packages, split and shaped like the public malware lists; or each with this many versions."""
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
        exact = versions or chance.random() < WITH_VERSIONS
        listed = [
            f"{chance.randint(0, 9)}.{chance.randint(0, 40)}.{n}" for n in range(versions or chance.randint(1, 8))
        ]
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


def accept(state: State, count: int) -> None:
    """Have two sources say what `count` packages and four times as many versions are; every third package by both."""
    from bk.engine.catalogs.accepted import Head, Line, text_of, write
    from bk.engine.intel.merge import canonical

    for name, step, group in ((SOURCES[0], 1, "group-0"), (SOURCES[1], 3, "group-1")):
        lines = []
        for number, each in enumerate(records(count, versions=VERSIONS)):
            if number % step == 0:
                each.groups, each.sources = (group,), (name,)
                lines.append(text_of(Line(canonical(each))))
        folder = f"{state.intel}/feeds/{name}"
        os.makedirs(folder, mode=0o700, exist_ok=True)
        head = Head(group=group, provenance="pinned_origin", records=len(lines), ecosystems={"npm": 1})
        write(f"{folder}/accepted.facts", sorted(lines), head)


def _child(body: str, *args: str) -> list[float]:
    """Run a part of this module in its own process; the numbers that it prints."""
    words = [sys.executable, "-m", "bench.index", "--child", body, *args]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return [float(word) for word in done.stdout.split()]


def _state(home: str) -> State:
    return State(f"{home}/.bk", home, os.geteuid())


def _made(home: str) -> tuple[float, ...]:
    """From accepted text to a generation in force: seconds, the size of the file, and memory."""
    from bk.engine.catalogs.assembly import plan
    from bk.engine.config import snapshot

    state = _state(home)
    start = time.perf_counter()
    wanted = plan(state, snapshot.read(state).values, {})
    made = generations.activate(state, wanted.records(), wanted.meta(), "live")
    return time.perf_counter() - start, os.path.getsize(made.path) / 1e6, _peak()


def _warm(home: str) -> tuple[float, ...]:
    """Microseconds: p50 and p99 of a hit, of a miss, of opening."""
    index = Index.open(bundle.ensure(_state(home)))
    chance = random.Random(7)
    names = list(index.names())
    asked = chance.sample(names, min(20_000, len(names)))
    del names
    hits, misses = iter(asked), iter([(ecosystem, f"{name}x") for ecosystem, name in asked])
    spent = [
        *_spent(lambda: index.lookup(*next(hits)), len(asked)),
        *_spent(lambda: index.lookup(*next(misses)), len(asked)),
        *_spent(lambda: Index.open(index.path).close(), 2000),
    ]
    return tuple(spent)


def _verified(home: str) -> tuple[float, ...]:
    """Seconds to read every byte of the generation in force."""
    generation = generations.in_force(_state(home))
    assert generation is not None
    start = time.perf_counter()
    generations.verify(generation)
    return (time.perf_counter() - start,)


def _compared(home: str) -> tuple[float, ...]:
    """Seconds to find what differs between the two kept generations, how much that is, and memory."""
    old, new = generations.listed(_state(home))[-2:]
    start = time.perf_counter()
    found = sum(1 for _ in generations.delta(old, new))
    return time.perf_counter() - start, found, _peak()


def _peak() -> float:
    """The most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


CHILDREN: dict[str, Callable[[str], tuple[float, ...]]] = {
    "made": _made,
    "warm": _warm,
    "verified": _verified,
    "compared": _compared,
}


def _spent(body: Callable[[], object], times: int) -> tuple[float, float]:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        body()
        spent.append((time.perf_counter() - start) * 1e6)
    spent.sort()
    return spent[len(spent) // 2], spent[len(spent) * 99 // 100]


def cold(full: str, empty: str, asked: tuple[str, str], folder: str, rounds: int) -> tuple[float, float, float]:
    """Milliseconds over an empty index, p50: in the process, from spawn to exit, and with nothing in the page cache."""
    inside: dict[str, list[float]] = {full: [], empty: []}
    chilled: list[float] = []
    for _ in range(rounds):
        for path in (full, empty):
            inside[path].append(_opened(path, asked)[0])
        fd = os.open(full, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
        chilled.append(_opened(full, asked)[0])
    env = {"HOME": folder, "PATH": "/usr/bin:/bin"}
    argv = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{OPEN}"]
    commands = [Command(f"{at}", [*argv, path, *asked], b"", env, folder) for at, path in enumerate((full, empty))]
    interleave(commands, rounds * 4, warmup=5)
    least = _median(inside[empty])
    outside = [one - other for one, other in zip(*(command.series.times for command in commands), strict=True)]
    return _median(inside[full]) - least, _median(outside), _median(chilled) - least


def _opened(path: str, asked: tuple[str, str]) -> list[float]:
    done = subprocess.run([sys.executable, "-c", OPEN, path, *asked], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def _median(times: Sequence[float]) -> float:
    return sorted(times)[len(times) // 2]


def building(state: State, count: int) -> list[float]:
    """Seconds, size in MB and peak memory in MiB of building an index of this many packages in a process of its own."""
    accept(state, count)
    return _child("made", state.home)


def measure(count: int, rounds: int = 40) -> list[Figure]:
    """Every figure of the index at this size."""
    home = tempfile.mkdtemp(dir="/tmp", prefix="bkbench")
    try:
        state = _state(home)
        state.ensure()
        took, size, peak = building(state, count)
        hit, hit99, miss, miss99, opened, opened99 = _child("warm", home)
        full, empty = bundle.ensure(state), f"{home}/empty"
        build(empty, [], {})
        asked = next(Index.open(full).names())
        inside, outside, chilled = cold(full, empty, asked, home, rounds)
        made = [
            Figure("build, from accepted claims to a generation in force, s", took, 60, "{:.1f}"),
            Figure("build, peak resident memory, MiB", peak, 1024, "{:.0f}"),
            Figure("size of the index, MB", size, 250, "{:.1f}"),
            Figure("every byte of it verified, s", _child("verified", home)[0], None, "{:.1f}"),
            Figure("warm look-up, hit, p50, µs", hit, 20, f"{{:.1f}} (p99 {hit99:.1f})"),
            Figure("warm look-up, miss, p50, µs", miss, 20, f"{{:.1f}} (p99 {miss99:.1f})"),
            Figure("open in a warm process, p50, µs", opened, None, f"{{:.1f}} (p99 {opened99:.1f})"),
            Figure("open and look-up in a new process, over an empty index, p50, ms", inside, 1.5),
            Figure("the same, whole processes, p50, ms", outside, 1.5),
            Figure("the same, with the file out of the page cache, in the process, p50, ms", chilled),
        ]
        shutil.move(f"{state.intel}/feeds/{SOURCES[1]}", f"{home}/gone")
        _child("made", home)
        took, found, peak = _child("compared", home)
        told = f"{{:.1f}} (peak {peak:.0f} MiB)"
        return [*made, Figure(f"delta of {found:,.0f} entries between two generations, s", took, 20, told)]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    """Print the table; 1 when a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} packages instead of {SMALL:,}, and the hook")
    parser.add_argument("--write", metavar="PAGE", default="", help="the page whose table to replace")
    parser.add_argument("--child", nargs=2, metavar=("PART", "HOME"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(*CHILDREN[args.child[0]](args.child[1]))
        return 0
    count = FULL if args.full else SMALL
    figures = measure(count)
    if args.full:
        from bench.rebuild import figures as during

        figures += during(count)
    text = f"{machine()}; {count:,} packages, {count * VERSIONS:,} versions, two sources.\n\n"
    text += table([figure.row() for figure in figures])
    print(text)
    if args.write:
        put(args.write, "index", text)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
