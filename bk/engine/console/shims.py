"""Stand-ins for package managers, for the command line and the dashboard."""

from __future__ import annotations

import os

from bk.engine.console.deed import Deed
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import here, hook_path
from bk.engine.errors import BkError
from bk.engine.shims import folder
from bk.engine.shims.folder import Shim
from bk.engine.shims.stand_in import MANAGERS


def install(names: list[str]) -> list[str]:
    """Put stand-ins for these managers, or for all that are on the PATH."""
    guard = hook_path()
    if not guard:
        raise BkError("there is no bk-hook to call", "it is not beside this interpreter", "reinstall bk")
    state = here()
    chosen = names or [name for name in MANAGERS if _there(name, folder.folder(state))]
    state.ensure()
    with Deed(state, "shim_install", names=chosen):
        return folder.install(state, chosen, guard)


def uninstall(names: list[str], *, admin: bool) -> list[str]:
    """Take stand-ins away: a person has to say it."""
    require_admin(admin)
    state = here()
    state.ensure()
    with Deed(state, "shim_uninstall", names=names):
        return folder.uninstall(state, names)


def status() -> list[Shim]:
    """Every stand-in as it stands on this PATH."""
    return folder.status(here(), os.environ.get("PATH", ""))


def place() -> str:
    """The folder that has to come first on the PATH."""
    return folder.folder(here())


def _there(name: str, but: str) -> bool:
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return any(
        os.path.realpath(each) != os.path.realpath(but) and os.access(f"{each}/{name}", os.X_OK) for each in folders
    )
