"""What comes after a yes: what is typed into a program that runs, what a call puts out, and what asking costs."""

from __future__ import annotations

from statistics import median

from tests.live.client import Client
from tests.live.played import Notes, Steps, stopped, touch, without
from tests.live.stage import NOTES, TOKENS, Seen, project_of, run

TURNS = 8
ROUNDS = 2


def typed(client: Client, case: str) -> Notes:
    """An interpreter is started bare and typed into, which no hook is shown: so it must not start."""

    def steps(name: str) -> Steps:
        return client.types(f"touch {project_of(client, name)}/typed")

    without(client, case, steps, "project/typed")
    seen = run(client, case, [*touch(client, case), *steps(case)])
    return stopped(seen, "project/typed")


def post(client: Client, case: str) -> Notes:
    """The output of a call has secrets in it: the model does not see them, or is told, or nothing can be done there."""

    def steps(name: str) -> Steps:
        return [{"run": f"cat {project_of(client, name)}/notes.txt; touch {project_of(client, name)}/marker"}]

    open_ = without(client, case, steps, "project/marker")
    assert NOTES in open_.told, open_.end()
    shown = [kind for kind, token in TOKENS.items() if token in open_.told]
    own = sorted(TOKENS.keys() - shown)
    assert shown, f"the client hides each of these by itself: {own}\n{open_.end()}"
    seen = run(client, case, steps(case))
    assert seen.ran, seen.end()
    assert NOTES in seen.told or client.replaces, seen.end()
    left, told = [kind for kind in shown if TOKENS[kind] in seen.told], "has a secret in it" in seen.told
    assert left in ([], shown), f"only {left} of {shown} are there\n{seen.end()}"
    hidden = not left
    assert told or not hidden, seen.end()
    assert hidden is client.replaces, f"the secrets are {'hidden' if hidden else 'there'}\n{seen.end()}"
    return {"hidden": hidden, "told": told, "own": own}


def overhead(client: Client, case: str) -> Notes:
    """What a turn costs more with the hook than without, and how long after the model's answer the hook begins."""

    def steps(name: str) -> Steps:
        return [{"run": f"touch {project_of(client, name)}/marker{n}"} for n in range(TURNS)]

    last = f"project/marker{TURNS - 1}"
    plain: list[float] = []
    asked: list[float] = []
    begins: list[float] = []
    lasts: list[float] = []
    for _ in range(ROUNDS):  # by turns, since the machine is busier at one time than at another
        plain += _turns(without(client, case, steps, last))
        seen = run(client, case, steps(case), guard="timed")
        assert seen.made(last), seen.end()
        asked += _turns(seen)
        lasts += seen.spans()
        answered = [row["at"] for row in seen.moments() if row["what"] == "answered" and 0 < row["step"] < TURNS]
        begins += [min(at - sent for at in seen.called if at >= sent) for sent in answered]
    return {
        "turn_ms": round(1000 * (median(asked) - median(plain))),
        "without_ms": round(1000 * median(plain)),
        "start_ms": round(1000 * median(begins)),
        "hook_ms": round(1000 * median(lasts)),
    }


def _turns(seen: Seen) -> list[float]:
    """From each answer of the model that calls a tool to the request with its result; the first, cold one left out."""
    rows = seen.moments()
    sent = {row["step"]: row["at"] for row in rows if row["what"] == "answered"}
    came = {row["step"]: row["at"] for row in reversed(rows) if row["what"] == "asked"}
    found = [came[n + 1] - sent[n] for n in range(1, TURNS) if n in sent and n + 1 in came]
    assert found, seen.end()
    return found
