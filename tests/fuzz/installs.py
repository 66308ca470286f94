"""Every package manager's reader on any words: no crash, no hang, names that are text, and the same answer twice."""

from __future__ import annotations

import json
from pathlib import Path

from bk.engine.lower.installs import FAMILIES, installs, read
from bk.engine.model import Install, Run

CASES = Path(__file__).parents[2] / "fixtures" / "cases"
PROGRAMS = [(program, family) for family, programs in FAMILIES.items() for program in programs.split()]
SEEDS = [
    json.loads(line)["input"]["command"].encode()
    for line in (CASES / "decision.jsonl").read_text(encoding="utf-8").splitlines()
    if '"id": "B' in line and "command" in json.loads(line)["input"]
]
LIMIT = 2000


def one(data: bytes) -> None:
    """The words as a command line of their own, and as the arguments of one manager chosen by the data."""
    words = data.decode(errors="replace")[:LIMIT].split()
    if words:
        told(installs(Run(words), "/p"))
    program, family = PROGRAMS[sum(data) % len(PROGRAMS)]
    told(read(program, family, words))
    assert read(program, family, words) == read(program, family, words)


def told(found: list[Install]) -> None:
    """Each result is an Install whose fields can be recorded."""
    for install in found:
        assert type(install) is Install
        json.dumps([install.ecosystem, install.name, install.version, install.source, install.manager, install.target])
        assert "\n" not in install.ecosystem
