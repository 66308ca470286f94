"""Where rule files lie, and what they look like from outside: enough to know whether anything has changed."""

from __future__ import annotations

import os
import stat

from bk.engine import rules
from bk.engine.config.files import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json
    from bk.engine.state import State

SUFFIX = ".rules"
BUILT_IN, SYSTEM, USER, PROJECT = "built-in", "system", "user", "project"
LAYERS = (BUILT_IN, SYSTEM, USER)
SYSTEM_FOLDER = "/etc/bk/rules"
PROJECT_FOLDER = ".bk/rules"
CODE = os.path.dirname(os.path.abspath(str(rules.__file__)))
PACKS = f"{CODE}/packs"
OWN = os.path.dirname(os.path.abspath(__file__))
MAX_FILES = 500

_code: list[Json] = []


def user_folder(state: State) -> str:
    """The user's own rule files."""
    return f"{state.root}/rules"


def folders(state: State, system: str = SYSTEM_FOLDER) -> tuple[tuple[str, str], ...]:
    """The layers whose rules hold everywhere, each with its folder."""
    return ((BUILT_IN, PACKS), (SYSTEM, system), (USER, user_folder(state)))


def snapshot_of(state: State) -> str:
    """The compiled rules."""
    return f"{state.root}/run/rules.json"


def files_in(folder: str) -> list[str]:
    """The names of the rule files in a folder, sorted; none where there is no folder, or only a link to one."""
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return []
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name for name in names if name.endswith(SUFFIX) and name[0] != ".")


def look(folder: str) -> list[Json]:
    """A folder and its rule files, each with its stamp."""
    names = files_in(folder)[: MAX_FILES + 1]
    return [[folder, stamp(folder)], *([path, stamp(path)] for path in [f"{folder}/{name}" for name in names])]


def code() -> list[Json]:
    """The programs that read and compile rules, as they were when this process first looked.

    A long-lived process runs the code it started with: rules that it compiles must not pass for another version's.
    """
    if not _code:
        for folder in (CODE, OWN):
            paths = sorted(f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(".py"))
            _code.extend([path, stamp(path)] for path in paths)
    return _code


def sources(state: State, system: str = SYSTEM_FOLDER) -> list[Json]:
    """Everything whose change makes another rulebook, besides the settings."""
    return [*code(), *(each for _, folder in folders(state, system) for each in look(folder))]
