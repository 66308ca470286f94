"""This installation: its state directory, and the hook that belongs to this interpreter."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from bk.engine.state import State, locate

HOOK = "bk-hook"


def hook_path() -> str:
    """The hook binary that belongs to this installation; "" when it is missing."""
    path = os.path.join(os.path.dirname(sys.executable), HOOK)
    return path if os.access(path, os.X_OK) else ""


def here(env: Mapping[str, str] | None = None) -> State:
    """This user's state, untouched."""
    return locate(os.environ if env is None else env, os.getcwd())


def ready(env: Mapping[str, str] | None = None) -> State:
    """This user's state, its directories made."""
    state = here(env)
    state.ensure()
    return state
