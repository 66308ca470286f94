"""What this machine's places are, for the rules on paths: homes, our own state and program, what is mounted where."""

from __future__ import annotations

import os
import pwd
import sys

from bk.quarantine.paths import Ground

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.state import State


def ground(state: State, projects: Iterable[str] = ()) -> Ground:
    """The ground as it is now; every name and where it really leads count."""
    homes = {state.home, *(user.pw_dir for user in pwd.getpwall() if user.pw_dir.startswith("/"))}
    homes -= {"/", "/nonexistent"}
    programs = {os.path.dirname(sys.executable), os.path.dirname(os.__file__), _package()}
    if sys.prefix != sys.base_prefix:
        programs.add(sys.prefix)
    return Ground(
        homes=homes | {os.path.realpath(home) for home in homes},
        state=os.path.realpath(state.root),
        programs=programs | {os.path.realpath(each) for each in programs},
        projects=projects,
    )


def _package() -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def mounted(path: bytes) -> str:
    """A mount point at or below a path; "" when there is none."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    for line in lines:
        point = line.split(b" ")[4]
        if b"\\" in point:
            point = point.decode("unicode_escape").encode("latin-1")
        if point == path or point.startswith(path + b"/"):
            return os.fsdecode(point)
    return ""
