"""What the tests of manifests share: a project folder and an index of invented packages."""

from __future__ import annotations

from pathlib import Path

from bk.engine.decide import Judgement, decide
from bk.engine.intel.index import Index, build
from bk.engine.intel.record import Record
from bk.engine.model import Install, ToolCall
from bk.engine.provenance import PinnedOrigin
from bk.engine.state import State
from bk.engine.world import World

BAD = {
    "npm": ("evil", "@scope/evil"),
    "pypi": ("evil-py",),
    "cargo": ("evilcrate",),
    "go": ("example.com/evil/mod",),
    "rubygems": ("evilgem",),
    "packagist": ("evil/pkg",),
    "nuget": ("evil.net",),
}


class Project:
    """A folder in a throw-away home, judged with an index that lists version 1.0.0 of each bad package."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.path = Path(state.home, "project")
        self.path.mkdir()
        records = [
            Record(ecosystem, name, "exact", ("v1.0.0" if ecosystem == "go" else "1.0.0",), "critical", ("one",),
                   PinnedOrigin(), ident=f"T-{name}")
            for ecosystem, names in BAD.items()
            for name in names
        ]  # fmt: skip
        path = f"{state.home}/index.bki"
        build(path, records, {"built": "2026-01-02T03:04:05Z", "sources": {}})
        self.world = World.open(state)
        if self.world.index is not None:
            self.world.index.close()
        self.world.index, self.world.index_path = Index.open(path), path

    def put(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def decide(self, command: str, folder: str = "") -> Judgement:
        cwd = str(self.path / folder)
        call = ToolCall("Bash", "shell", {"command": command}, harness="t", cwd=cwd, home=self.state.home, session="s")
        return decide(call, self.world)

    def found(self, command: str, folder: str = "") -> list[tuple[str, str, str]]:
        """(ecosystem, name, version) of what the index knows in the manifests of a command."""
        return [
            (finding.action.ecosystem, finding.action.name, finding.action.version)
            for finding in self.decide(command, folder).verdict.findings
            if finding.rule.startswith("package/") and isinstance(finding.action, Install)
        ]

    def rules(self, command: str) -> set[str]:
        return {finding.rule for finding in self.decide(command).verdict.findings if finding.level}
