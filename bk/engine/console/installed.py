"""What is installed in the sample: packages that are known to be bad, some of them held, one that would be.

The packages are names and versions in a file and no code; everything else is the real thing: the scan, the responder's
passes, the vault, the corpus.
"""

from __future__ import annotations

import json
import os

from bk.engine.config import snapshot
from bk.engine.config.files import replace
from bk.engine.corpus import batch
from bk.engine.intel import generations, overlay
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.scan import PROJECT, scan
from bk.engine.responder.clock import now_ms
from bk.engine.responder.round import respond
from bk.engine.state import State

HELD = (("debug", "4.4.2"), ("axios", "1.14.1"), ("@ctrl/tinycolor", "4.1.1"))
WOULD = ("chalk", "5.6.1")
GOOD = (("left-pad", "1.3.0"), ("zod", "3.23.8"), ("ms", "2.1.3"))
LIVE = '[auto_quarantine]\nenabled = true\ndry_run = false\n\n[notify]\nchannel = "none"\n'
DRY = LIVE.replace("dry_run = false", "dry_run = true")


def install(state: State) -> None:
    """Plant the packages and let the responder look twice: once when it may move, once when it may only say so."""
    _learn(state)
    modules = f"{state.home}/src/shop/node_modules"
    _package(modules, "..", "shop", "1.0.0")
    for name, version in (*GOOD, *HELD):
        _package(modules, name, name, version)
    replace(state.config, LIVE.encode())
    _pass(state)
    _package(modules, WOULD[0], *WOULD)
    replace(state.config, DRY.encode())
    _pass(state)


def _package(modules: str, folder: str, name: str, version: str) -> None:
    path = f"{modules}/{folder}"
    os.makedirs(path, 0o755, exist_ok=True)
    with open(f"{path}/package.json", "w", encoding="utf-8") as file:
        json.dump({"name": name, "version": version, "description": "sample: holds no code"}, file)


def _pass(state: State) -> None:
    values = snapshot.read(state).values
    env = {"HOME": state.home, "BK_HOME": state.root, "PATH": ""}
    limits = Limits(seconds=10.0)
    respond(state, values, scan(state, profile=PROJECT, roots=[f"{state.home}/src"], limits=limits, env=env))


def _learn(state: State) -> None:
    """One pass of the corpus over what was decided."""
    there = generations.in_force(state)
    index = overlay.in_force(state)
    try:
        batch.run(
            state, snapshot.read(state).values, index=index, generation=there.number if there else 0, now_ms=now_ms()
        )
    finally:
        index.close()
