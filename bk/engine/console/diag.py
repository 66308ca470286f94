"""How this installation is: every component for `bk diag`, three words for the dashboard, the ledger in full."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bk.engine.console.installation import here
from bk.engine.console.probes import BAD, OK, PROBES, WARN, Part, claude, engine, ledger, probe
from bk.engine.errors import DEGRADED, TAMPERED, BkError
from bk.engine.errors import OK as FINE
from bk.engine.state import State
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.config.policy import Policy

Json = Any
MAX_TOLD = 20


def diagnose(env: Mapping[str, str] | None = None) -> list[Part]:
    """Every component, the ones that guard first."""
    try:
        state = here(env)
    except BkError as error:
        return [Part("state", BAD, str(error), error.next_step)]
    return [probe(name, look, state) for name, look in PROBES]


def exit_code(parts: Sequence[Part]) -> int:
    """0 when all is well, 4 when the ledger was tampered with, else 3."""
    if any(part.tampered for part in parts):
        return TAMPERED
    return DEGRADED if any(part.state in (WARN, BAD) for part in parts) else FINE


def words(state: State) -> dict[str, tuple[str, str]]:
    """hook, engine and chain: a word each; before them what weakens every call, when something does."""
    hook = probe("claude-code", claude, state)
    running = probe("engine", engine, state)
    chain = probe("ledger", ledger, state)
    hook_word = {OK: "ok", WARN: "off", BAD: "BROKEN"}.get(hook.state, "unknown")
    engine_word = "PROBLEM" if running.state != OK else "ok" if running.reason.startswith("process") else "down"
    chain_word = "ok" if chain.state == OK else "BROKEN"
    told = {"hook": (hook_word, ""), "engine": (engine_word, ""), "chain": (chain_word, "")}
    return {**weakened(state), **told}


def weakened(state: State) -> dict[str, tuple[str, str]]:
    """What a person must see at all times: a relaxed fail_mode, wrong settings, catalogs without news."""
    from bk.engine.config import snapshot
    from bk.engine.console import own

    try:
        policy = snapshot.read(state)
    except BkError:
        return {"config": ("BROKEN", "")}
    mode = policy.values["fail_mode"]
    said = {"fail mode": (mode.upper(), "")} if mode != "closed" else {}
    if policy.problems:
        said["config"] = ("PROBLEM", "")
    return {**own.word(state), **said, **_rules(state, policy), **_catalogs(state, policy)}


def _catalogs(state: State, policy: Policy) -> dict[str, tuple[str, str]]:
    """Catalogs that had no news for too long."""
    from bk.engine.intel import bundle, freshness
    from bk.engine.intel.index import Index

    if not os.path.lexists(f"{state.intel}/current"):
        return {}  # the first call puts the release's own facts in force
    try:
        index = Index.open(bundle.ensure(state))
    except BkError:
        return {"catalogs": ("BROKEN", "")}
    try:
        told = freshness.told(state, index, policy.values, time.time_ns() // 1_000_000)
    finally:
        index.close()
    return {"catalogs": ("STALE", "")} if told["stale_days"] is not None else {}


def _rules(state: State, policy: Policy) -> dict[str, tuple[str, str]]:
    """Rule files that are wrong, or rules that cannot be had at all."""
    from bk.engine.rulebook import store

    try:
        return {"rules": ("PROBLEM", "")} if store.read(state, policy).problems else {}
    except BkError:
        return {"rules": ("BROKEN", "")}


def verified(state: State) -> list[tuple[str, str]]:
    """The whole ledger checked, told as (text, style) parts."""
    from bk.engine.ledger.verify import verify

    if not os.path.exists(state.audit):
        return [("nothing has been recorded yet\n", "")]
    try:
        report = verify(state)
    except BkError as error:
        return [("the ledger cannot be checked\n", "bold $error"), (f"{error}\n{error.next_step}\n", "")]
    said: list[tuple[str, str]] = []
    if report.ok:
        said.append(("the ledger is whole\n\n", "bold $success"))
    else:
        said.append(("the ledger does NOT verify\n\n", "bold $error"))
        for problem in report.problems[:MAX_TOLD]:
            said += [(f"  #{problem.seq:,}  {problem.kind}  ", "$error"), (f"{inert(problem.detail, 300)}\n", "")]
        if len(report.problems) > MAX_TOLD:
            said.append((f"  … and {len(report.problems) - MAX_TOLD} more: bk audit verify\n", "$text-quiet"))
        said.append(("\nnext      copy the state directory aside, then run: bk audit verify\n", "$text-quiet"))
    good = report.last_good_checkpoint
    facts = (
        ("entries", f"{report.entries:,} checked, each linked to the one before"),
        (
            "signed",
            f"{report.checkpoints:,} checkpoints" + (f", the newest that holds is at #{good.seq:,}" if good else ""),
        ),
        ("unsigned", f"{report.unsealed_tail:,} entries since the last checkpoint"),
        *(("note", inert(note, 300)) for note in report.notes[:MAX_TOLD]),
    )
    for name, told in facts:
        said += [(f"{name:<10}", "$text-quiet"), (f"{told}\n", "")]
    return said
