"""Run in a process of its own: one move that ends itself, unasked, at the n-th step. Prints each step it came to."""

from __future__ import annotations

import os
import signal
import sys

from bk.engine.state import State
from bk.quarantine.back import restore
from bk.quarantine.purge import purge
from bk.quarantine.record import Hold
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import extension_wish


def main(home: str, verb: str, target: str, last: int, *files: str) -> None:
    """`last` steps are gone through; at the one after it the process is killed."""
    state = State(f"{home}/.bk", home, os.geteuid())
    seen = 0

    def told(step: str) -> None:
        nonlocal seen
        os.write(1, f"{step}\n".encode())
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    if verb == "hold":
        hold(state, Hold("dir", "npm", "evil", "1.0.0", path=target), told=told)
    elif verb == "hold-files":
        hold(state, Hold("file_set", "pypi", "evil", "1.0.0", files=files, root=target), told=told)
    elif verb == "hold-extension":
        hold(state, extension_wish(target), told=told)
    elif verb == "hold-module":
        hold(state, Hold("dir", "go", "evil", "v1.0.0", path=target), told=told)
    elif verb == "hold-entry":
        hold(state, Hold("config_entry", "mcp", "evil", "", path=target, pointer="/mcpServers/evil"), told=told)
    elif verb == "restore":
        restore(state, target, told=told)
    else:
        purge(state, target, told=told)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
