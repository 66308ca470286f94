"""Where paths really lead, for the paths of one call: folders that they share are looked at once."""

from __future__ import annotations

import os
import stat

MAX_PARTS = 64


class Leads:
    """Answers of one moment; made anew for each call, so that nothing stale is ever told."""

    __slots__ = ("_gone", "_known")

    def __init__(self) -> None:
        self._known: dict[str, str] = {"": "", "/": "/"}
        self._gone: set[str] = set()

    def real(self, path: str) -> str:
        """The path with every link followed; what is not there is kept as it is spelled."""
        known = self._known.get(path)
        if known is not None:
            return known
        try:
            if path.count("/") > MAX_PARTS:
                return os.path.realpath(path)
            return self._step(path)
        except (OSError, ValueError):
            return path

    def _step(self, path: str) -> str:
        head, _, name = path.rpartition("/")
        base = self._known.get(head)
        if base is None:
            base = self._step(head)
        full = f"{base}/{name}"
        if head in self._gone:
            self._gone.add(path)
        else:
            try:
                if stat.S_ISLNK(os.lstat(full).st_mode):
                    full = os.path.realpath(full)
            except OSError:
                self._gone.add(path)
        self._known[path] = full
        return full
