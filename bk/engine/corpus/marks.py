"""The marks that an event carries of where it happened: equal for the same folder, and nothing to anybody else."""

from __future__ import annotations

import os
import sys

from bk.engine.corpus.fingerprint import fleet_node, repo_fingerprint
from bk.engine.corpus.salt import salt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.corpus.shapes import Event
    from bk.engine.state import State

_FOLDERS_MAX = 4096
_SYSTEMS = {"win32": "windows", "cygwin": "windows"}


class Marks:
    """Marks events with this installation's salt. Without a salt that can be used nothing is marked, nor kept."""

    __slots__ = ("_folders", "_machine", "_salt")

    def __init__(self, state: State) -> None:
        self._salt = salt(state)
        self._machine = fleet_node(self._salt, os.uname().nodename, _SYSTEMS.get(sys.platform, sys.platform))
        self._folders: dict[str, str] = {}

    def on(self, event: Event) -> None:
        """Add the marks of the machine and of the event's working folder to its context."""
        event.context["fleet_node_id"] = self._machine
        folder = event.context.get("cwd")
        if isinstance(folder, str) and folder:
            event.context["repo_fingerprint"] = self._folder(folder)

    def _folder(self, folder: str) -> str:
        if folder not in self._folders:
            if len(self._folders) >= _FOLDERS_MAX:
                self._folders.clear()
            self._folders[folder] = repo_fingerprint(self._salt, folder)
        return self._folders[folder]
