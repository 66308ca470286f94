"""A home, a project and a machine on a real disk, in which clients are wired in and out."""

from __future__ import annotations

import os
from pathlib import Path

from bk.engine.state import State
from bk.engine.wiring import wire
from bk.engine.wiring.clients import BY_NAME
from bk.engine.wiring.plans import USER
from bk.engine.wiring.standing import Standing, standing


class Desk:
    """A home, a project, a machine and a state directory."""

    def __init__(self, root: Path, program: str = "/usr/bin/bk-hook") -> None:
        self.home, self.project = f"{root}/home", f"{root}/project"
        for path in (self.home, self.project, f"{root}/machine"):
            os.makedirs(path)
        self.spot = wire.Spot(self.home, self.project, program, f"{root}/machine")
        self.state = State(f"{self.home}/.bk", self.home, os.getuid())
        self.state.ensure()

    def put(self, path: str, text: str, mode: int = 0o644) -> Path:
        file = Path(self.spot.path(path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, newline="")
        file.chmod(mode)
        return file

    def install(self, name: str, scope: str = USER) -> list[wire.Change]:
        changes = wire.installing(BY_NAME[name], scope, self.spot)
        wire.install(changes, self.state)
        return changes

    def uninstall(self, name: str, scope: str = USER) -> None:
        wire.uninstall(wire.removing(BY_NAME[name], scope, self.spot, self.state), self.state)

    def guarded(self, root: Path) -> None:
        """Have a guard that can be started."""
        guard = root / "bk-hook"
        guard.write_text("#!/bin/sh\n")
        guard.chmod(0o755)
        self.spot = wire.Spot(self.home, self.project, str(guard), self.spot.machine)

    def stands(self, name: str) -> Standing:
        return standing(BY_NAME[name], self.spot, here=True)

    def off(self, name: str) -> str:
        found = self.stands(name)
        assert found.asks is not bool(found.off)
        return " | ".join(found.off)
