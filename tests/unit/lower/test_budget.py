"""Every way to hold much data ends soon too: variables, files, descriptors, functions, scripts that run scripts."""

from __future__ import annotations

import time

import pytest

from bk.engine.lower import Look, lower
from bk.engine.model import Opaque, ToolCall
from tests.unit.checks import HOME, PROJECT

MANY = 20_000
LENGTH = 1 << 20
HOSTILE = {
    "variables": "".join(f"X{n}=1;" for n in range(MANY)),
    "tainted variables": "".join(f"X{n}=$(cat f{n});" for n in range(MANY)),
    "functions": "".join(f"f{n}(){{ g; }};" for n in range(MANY)),
    "calls in a function": "f(){ " + "f & " * MANY + "}; f",
    "functions that call each other": "".join(f"f{n}(){{ f{n + 1}; f{n + 1}; }};" for n in range(3000)),
    "aliases": "".join(f"alias a{n}=b;" for n in range(MANY)),
    "files and trees": "".join(f"echo a > d/f{n}; tar c d > x;" for n in range(MANY)),
    "a script that grows": "".join("echo ls >> f; bash f;" for _ in range(MANY)),
    "scripts": "".join(f"echo 'bash f{n + 1}; bash f{n + 1}' > f{n};" for n in range(500)) + "bash f0",
    "links": "".join(f"ln -s a{n} l{n};" for n in range(3000)) + "cat l1/x",
    "descriptors": "".join(f"exec {n}>f{n};" for n in range(3, 3000)) + "cat a >&$X",
    "named pipes": "".join(f"mkfifo p{n}; cat p{n} > p{n + 1};" for n in range(2000)),
    "programs in a pipe": "|".join(f"p{n}" for n in range(2900)),
    "arithmetic": "echo " + "$((1+1)) " * MANY,
    "patterns": "X=" + "a" * 128 + ";" + "echo ${X//*a/} ${X%%*b} ${X##a*b};" * 9000,
    "slices": "X=" + "ab" * 8000 + ";" + "echo ${X:1:2} ${X//a/b};" * 9000,
    "arrays": "A=(" + "x " * 200_000 + "); echo ${A[5]} ${A[@]}",
    "array pieces": "A=(x);" + "A+=(y);" * MANY,
    "parameters": "set -- " + "x " * MANY + ";" + "shift;" * MANY,
    "written line ends": "ls\\nrm " * 100_000,
    "carriage returns": "rm\r-rf " * 100_000,
    "only carriage returns": "\r" * LENGTH,
    "braces": ";{a,b} " * 100_000,
    "brackets": ";{a" * 300_000,
    "endless loops": "while true; do x & done;" * MANY,
    "globs": "/???/r? -rf / ;" * MANY,
    "nothing": "a\0" * 500_000,
    "substitutions for files": "tee " + ">(cat a) " * MANY,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ends_soon(name: str) -> None:
    call = ToolCall("Bash", "shell", {"command": HOSTILE[name][:LENGTH]}, cwd=PROJECT, home=HOME)
    started = time.process_time()
    lower(call)
    assert time.process_time() - started < 1.5


def test_files_of_the_machine_are_bounded_too() -> None:
    makefile = "".join(f"a{n}: a{n + 1}\n\t$(A{n}) x\nA{n}=$(A{n + 1})$(A{n + 1})\n" for n in range(1500))[:65_000]
    script = "bash f; ./f; source f;" * 2000
    trail = {f"{PROJECT}/d/f{n}": ("net:h.example",) for n in range(2000)}
    look = Look(files={f"{PROJECT}/Makefile": makefile, f"{PROJECT}/f": script}, trail=trail)
    started = time.process_time()
    lower(ToolCall("Bash", "shell", {"command": "make; bash f;" + "tar c d;" * 500}, cwd=PROJECT, home=HOME), look)
    assert time.process_time() - started < 1.5


def test_what_was_left_out_is_said() -> None:
    for name in ("variables", "functions", "files and trees", "braces"):
        call = ToolCall("Bash", "shell", {"command": HOSTILE[name][:LENGTH]}, cwd=PROJECT, home=HOME)
        assert any(isinstance(action, Opaque) and action.why == "limit" for action in lower(call)), name
