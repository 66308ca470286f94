"""What deciding costs in the process itself, with every pack on: one command, a long script, the whole case book.

`python -m bench.decide` prints the figures and fails when one is over its bound.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bk.engine.decide import decide
from bk.engine.model import ToolCall
from bk.engine.state import State
from bk.engine.world import World

CASES = Path(__file__).parents[1] / "fixtures" / "cases"
SIMPLE = (
    "git status",
    "ls -la src",
    "npm test",
    "grep -rn TODO src",
    "cat README.md",
    "python3 -m pytest -q",
    "git commit -m 'fix the parser'",
    "docker compose up -d",
    "kubectl get pods -n web",
    "cd app && npm run build | tail -5",
)
BOUNDS = {"simple p50": 300.0, "script p50": 1500.0, "cases p99": 5000.0}
ROUNDS = 60


def script(commands: int = 40) -> str:
    """A script of this many everyday commands."""
    return "set -e\n" + "\n".join(SIMPLE[at % len(SIMPLE)] for at in range(commands - 1))


def measured(world: World, commands: Sequence[str], rounds: int, cwd: str) -> list[float]:
    """Microseconds of each decision, the fastest of a few tries for each so that the machine's noise stays out."""
    took: list[float] = []
    for command in commands:
        call = ToolCall("Bash", "shell", {"command": command}, cwd=cwd, home=world.state.home)
        tries = []
        for _ in range(rounds):
            started = time.perf_counter_ns()
            decide(call, world)
            tries.append((time.perf_counter_ns() - started) / 1000)
        took.append(sorted(tries)[len(tries) // 2])
    return sorted(took)


def figures() -> dict[str, float]:
    """The measured figures, in microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        state = State(f"{folder}/.bk", folder, os.geteuid())
        state.ensure()
        world = World.open(state)
        project = f"{folder}/project"
        os.mkdir(project)
        measured(world, SIMPLE, 3, project)
        gc.set_threshold(20_000, 20, 100)  # as the resident engine does
        gc.freeze()
        simple = measured(world, SIMPLE, ROUNDS, project)
        whole = measured(world, [script()], ROUNDS, project)
        every = measured(world, commands_of_the_case_book(), 3, project)
        return {
            "simple p50": simple[len(simple) // 2],
            "simple max": simple[-1],
            "script p50": whole[0],
            "cases p50": every[len(every) // 2],
            "cases p99": every[int(len(every) * 0.99)],
            "cases max": every[-1],
            "cases": float(len(every)),
        }


def commands_of_the_case_book() -> list[str]:
    """Every shell command in the fixtures."""
    found: dict[str, None] = {}
    for path in sorted(CASES.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            given = json.loads(line).get("input")
            command = given.get("command") if isinstance(given, dict) else given
            if isinstance(command, str):
                found.setdefault(command)
    return list(found)


def main() -> int:
    """Print the table; 1 when a bound is broken."""
    found = figures()
    failed = False
    for name, value in found.items():
        bound = BOUNDS.get(name)
        over = bound is not None and value > bound
        failed = failed or over
        told = f"  (at most {bound:,.0f})" if bound else ""
        print(f"{name:12} {value:10,.0f}{'' if name == 'cases' else ' µs'}{told}{'  OVER' if over else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
