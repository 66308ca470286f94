"""A made-up year of many agents: entries like real ones in size and mix, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State

BATCH = 1024
STEP_MS = 1_500
AGENTS = ("claude-code", "claude-code", "claude-code", "codex", "gemini-cli", "cursor")
PROJECTS = tuple(
    f"/home/dev/src/{name}-{number}" for name in ("shop", "site", "api", "lab", "infra") for number in range(8)
)
SPOKEN = """
cart order stock price user login token page query cache index model route guard store batch event queue worker parse
render upload invoice refund basket ledger signal socket thread buffer header footer layout theme button
"""
WORDS = tuple(SPOKEN.split())
PACKAGES = tuple(f"{first}-{second}" for first in WORDS[:24] for second in WORDS[24:])
DIGEST = "0123456789abcdef"
RARE = "zanzibar-quokka"  # one entry in a hundred thousand tells of it


def entries(count: int, *, now_ms: int, seed: int = 7, step_ms: int = STEP_MS) -> Iterator[Entry]:
    """`count` entries that end now, oldest first."""
    dice = random.Random(seed)
    policy, index = _hex(dice, 32), "g-000123"
    session = _hex(dice, 32)
    for number in range(count):
        if dice.random() < 0.005:
            session = _hex(dice, 32)
        at = now_ms - (count - number) * step_ms
        yield _entry(dice, number, at, session, policy, index)


def fill(state: State, count: int, *, now_ms: int, seed: int = 7) -> None:
    """Append that many to a ledger, beginning it when there is none."""
    ledger = Ledger.open(state)
    try:
        batch: list[Entry] = []
        for entry in entries(count, now_ms=now_ms, seed=seed):
            batch.append(entry)
            if len(batch) == BATCH:
                ledger.append(batch)
                ledger.sync()
                batch.clear()
        ledger.append(batch)
        ledger.sync()
    finally:
        ledger.close()


def _entry(dice: random.Random, number: int, at: int, session: str, policy: str, index: str) -> Entry:
    project = dice.choice(PROJECTS)
    agent = dice.choice(AGENTS)
    tool, kind, given, actions = _call(dice, project)
    level, findings = _verdict(dice, actions)
    if number % 100_000 == 1_234:
        given = {**given, "description": f"look for {RARE}"}
    data = {
        "harness": agent,
        "event": "pre",
        "tool": tool,
        "kind": kind,
        "cwd": project,
        "input": given,
        "actions": actions,
        "findings": findings,
        "policy": policy,
        "index": index,
        "rules": policy[::-1],
        "took_us": dice.randrange(180, 2_000),
        "session": f"{session[:8]}-{session[8:12]}-{session[12:16]}-{session[16:20]}-{session[20:]}",
        "tool_use_id": f"toolu_{_hex(dice, 24)}",
        "home": "/home/dev",
    }
    if findings:
        data["reason"] = findings[0]["reason"]
    return Entry("decision", f"hook:{agent}", data, level=level, call=_hex(dice, 32), at=at)


def _call(dice: random.Random, project: str) -> tuple[str, str, dict[str, object], list[dict[str, object]]]:
    one, two = dice.choice(WORDS), dice.choice(WORDS)
    path = f"{project}/src/{one}/{two}_{dice.randrange(400)}.ts"
    roll = dice.random()
    if roll < 0.35:
        return "Read", "read", {"file_path": path}, [{"do": "touch", "target": path, "mode": "read"}]
    if roll < 0.5:
        given: dict[str, object] = {
            "file_path": path,
            "old_string": f"return {one}",
            "new_string": f"return {two}({one})",
        }
        return "Edit", "edit", given, [{"do": "touch", "target": path, "mode": "write"}]
    if roll < 0.55:
        package = f"{dice.choice(PACKAGES)}@{dice.randrange(9)}.{dice.randrange(30)}.{dice.randrange(9)}"
        command = f"npm install {package}"
        actions: list[dict[str, object]] = [
            {"do": "run", "target": command},
            {"do": "install", "target": f"npm:{package}"},
        ]
        return "Bash", "shell", {"command": command, "description": f"Add {package}"}, actions
    if roll < 0.6:
        url = f"https://{one}.example/{two}?page={dice.randrange(1000)}"
        return "WebFetch", "fetch", {"url": url, "prompt": f"what is {one}"}, [{"do": "connect", "target": url}]
    command = f"git diff --stat {one}/{two} && npm test -- {two} --grep '{one} {dice.randrange(5000)}'"
    parts = command.split(" && ")
    run: list[dict[str, object]] = [{"do": "run", "target": part} for part in parts]
    return "Bash", "shell", {"command": command, "description": f"Show {one}, test {two}"}, run


def _verdict(dice: random.Random, actions: list[dict[str, object]]) -> tuple[str, list[dict[str, object]]]:
    roll = dice.random()
    if roll < 0.94:
        return "allow", []
    level, rule = (
        ("warn", "core/careful")
        if roll < 0.98
        else ("block", "secrets/read")
        if roll < 0.999
        else ("quarantine", "package/known-bad")
    )
    target = actions[0]["target"]
    return level, [{"rule": rule, "level": level, "reason": f"{target} is what {rule} is about", "target": target}]


def _hex(dice: random.Random, length: int) -> str:
    return f"{dice.getrandbits(length * 4):0{length}x}"
