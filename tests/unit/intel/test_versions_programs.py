"""The dialects against the ecosystems' own programs, where these are installed: one process answers many questions."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from bk.engine.intel import order
from bk.engine.intel.demand import demand, pinned

from .comparing import agree, sign

NODE = """
const s = require(process.argv[1]), o = {loose: true}
const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'))
console.log(JSON.stringify(asked.map(([range, version]) => s.validRange(range, o) === null ? null
  : [s.satisfies(version, range, o), s.valid(version, o)])))
"""


def npm_module() -> str:
    """The `semver` that npm itself carries, or "" without one."""
    program = shutil.which("npm")
    if program is None or shutil.which("node") is None:
        return ""
    found = Path(program).resolve().parent.parent / "node_modules" / "semver"
    return str(found) if found.is_dir() else ""


def test_agrees_with_npm_itself() -> None:
    module = npm_module()
    if not module:
        pytest.skip("needs npm's own semver")
    pick = random.Random(5)

    def number() -> str:
        return pick.choice(["0", "0", "1", "1", "2", "3", "10", "01"])

    def version() -> str:
        pre = pick.choice([*[""] * 5, "-alpha", "-alpha.1", "-0", "-beta", "-01", "alpha", "rc1", "--", "-x-y"])
        return pick.choice([*[""] * 8, "v", "=", "=v"]) + f"{number()}.{number()}.{number()}{pre}"

    def partial() -> str:
        free = pick.choice(["x", "X", "*"])
        return pick.choice([free, number(), f"{number()}.{number()}", f"{number()}.{free}", version(), version()])

    def alternative() -> str:
        if pick.random() < 0.15:
            return f"{partial()} - {partial()}"
        ops = ["", "", "^", "~", "~>", ">", "<", ">=", "<=", "=", "^ ", ">= ", "<  "]
        return " ".join(pick.choice(ops) + partial() for _ in range(pick.choice([1, 1, 2, 3])))

    asked = [
        (pick.choice(["||", " || "]).join(alternative() for _ in range(pick.choice([1, 1, 2, 3]))), version())
        for _ in range(20_000)
    ]
    done = subprocess.run(
        ["node", "-e", NODE, module], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=120
    )
    wrong = []
    for (request, one), answer in zip(asked, json.loads(done.stdout), strict=True):
        if answer is None:
            continue
        satisfied, valid = answer
        mine = demand("npm", request)
        accepted = mine.accepts(one) if mine is not None else "not understood"
        perhaps = accepted is None and not satisfied  # `*` follows the tag `latest`
        if (accepted is not satisfied and not perhaps) or pinned("npm", one) != valid:
            wrong.append((request, one, accepted, satisfied))
    assert wrong == []


def test_agrees_with_dpkg_itself() -> None:
    if shutil.which("dpkg") is None:
        pytest.skip("needs dpkg")
    pick = random.Random(7)

    def version() -> str:
        upstream = pick.choice("012") + "".join(pick.choice("0012ab.~+") for _ in range(pick.randrange(5)))
        return pick.choice(["", "", "", "0:", "1:"]) + upstream + pick.choice(["", "", "-0", "-1", "-0~", "-1~a"])

    wrong = []
    for _ in range(400):
        one, other = version(), version()
        if pick.random() < 0.2:
            other = one + pick.choice(["0", "~", ".", "a"])
        keys = [order.key("deb", text) for text in (one, other)]
        op = {-1: "lt", 0: "eq", 1: "gt"}[sign(*keys)]
        if subprocess.run(["dpkg", "--compare-versions", one, op, other], check=False, timeout=20).returncode:
            wrong.append((one, op, other))
    assert wrong == []


def test_agrees_with_maven_itself() -> None:
    jars = sorted(Path.home().glob(".m2/repository/org/apache/maven/maven-artifact/3.9.*/maven-artifact-3.9.*.jar"))
    if shutil.which("java") is None or not jars:
        pytest.skip("needs Maven 3.9")
    pick = random.Random(9)
    words = ["alpha", "beta", "milestone", "rc", "cr", "snapshot", "ga", "final", "release", "sp", "a", "b", "m", "x"]

    def version() -> str:
        text = pick.choice(["0", "1", "1", "2", "10"])
        for _ in range(pick.randrange(5)):
            part = pick.choice(["0", "0", "1", "2", "10", "01"]) if pick.random() < 0.6 else pick.choice(words)
            text += pick.choice([".", ".", "-", ""]) + part
        return text

    asked = [version() for _ in range(6_000)]
    name = "org.apache.maven.artifact.versioning.ComparableVersion"
    done = subprocess.run(
        ["java", "-cp", str(jars[-1]), name, *asked], capture_output=True, text=True, check=True, timeout=120
    )
    compared = [line.split() for line in done.stdout.splitlines() if line.startswith("   ")]
    assert len(compared) == len(asked) - 1
    for one, op, other in compared:
        agree("maven", one, other, {"<": -1, "==": 0, ">": 1}[op])
