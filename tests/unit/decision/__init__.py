"""A whole installation in a throw-away home: links, settings, an index of invented packages, the real decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bk.engine.decide import Judgement, decide
from bk.engine.intel.index import Index, build
from bk.engine.intel.record import Record
from bk.engine.model import ToolCall
from bk.engine.provenance import stored
from bk.engine.state import State, locate
from bk.engine.world import World
from tests.unit.checks import KINDS, SETTINGS

CASES = Path(__file__).parents[3] / "fixtures" / "cases"


def _bad(name: str, ecosystem: str = "npm", **over: Any) -> Record:
    told = {"kind": "exact", "versions": ("1.0.0",), "severity": "critical", "provenance": "pinned_origin", **over}
    return Record(
        ecosystem,
        name,
        told["kind"],
        told["versions"],
        told["severity"],
        ("one",),
        stored(told["provenance"]),
        ident=f"T-{name}",
    )


PACKAGES = (
    _bad("evil-crit"),
    _bad("evil-high", severity="high"),
    _bad("evil-unsigned", provenance="none"),
    _bad("evil-wild", kind="every", versions=()),
    _bad("evil-allver", kind="every", versions=()),
    _bad("@scope/evil"),
    _bad("evil-multi"),
    _bad("evil-multi", versions=("2.0.0",), severity="low", provenance="none"),
    _bad("evil-py", "pypi"),
    _bad("typo-squat", "pypi"),
    _bad("evil.ext", "editor-extension"),
    _bad("github.com/evil/mod", "go", versions=("v1.0.0",)),
    _bad("evilcrate", "cargo"),
    _bad("evilgem", "rubygems"),
    _bad("evil/pkg", "packagist"),
)

_OURS = "/usr/local/bin/bk-hook --harness {}"


def _hooks(event: str, harness: str, **more: Any) -> str:
    entry = {"type": "command", "command": _OURS.format(harness), "timeout": 10, **more}
    return json.dumps({"version": 1, "hooks": {event: [{"matcher": ".*", "hooks": [entry]}]}}, indent=2)


# What an installation writes into the settings of the harnesses that the cases touch.
INSTALLED = {
    ".claude/settings.json": SETTINGS,
    ".codex/hooks.json": _hooks("PreToolUse", "codex"),
    ".codex/config.toml": "[features]\nhooks = true\n",
    ".cursor/hooks.json": _hooks("beforeShellExecution", "cursor", failClosed=True),
    ".gemini/settings.json": _hooks("BeforeTool", "gemini"),
}


class House:
    """Where the cases of the decision run: `~/proj` with a `.env`, links into `~/.ssh`, settings that invoke us."""

    def __init__(self, root: Path) -> None:
        self.home = str(root)
        self.project = f"{root}/proj"
        for folder in (".ssh", ".aws", ".claude", ".codex", ".cursor", ".gemini", "proj", ".bk"):
            (root / folder).mkdir(mode=0o700)
        (root / ".ssh" / "id_rsa").write_text("invented\n")
        (root / ".aws" / "credentials").write_text("invented\n")
        for path, text in INSTALLED.items():
            (root / path).write_text(text)
        (root / "proj" / ".env").write_text("A=1\n")
        (root / "proj" / "keys").symlink_to(root / ".ssh")
        (root / "proj" / ".env.example").symlink_to(root / ".ssh" / "id_rsa")
        self.state: State = locate({"HOME": self.home, "BK_HOME": f"{self.home}/.bk"})
        self.state.ensure()
        path = f"{self.home}/index.bki"
        build(path, PACKAGES, {"built": "2026-01-02T03:04:05Z", "sources": {}})
        base = World.open(self.state)
        if base.index is not None:
            base.index.close()
        base.index, base.index_path = Index.open(path), path
        self.world = base

    def decide(self, tool: str, given: Mapping[str, Any], cwd: str = "") -> Judgement:
        """The judgement of one call."""
        text = json.dumps(given).replace("$HOME", self.home) if tool != "Bash" else json.dumps(given)
        kind = KINDS.get(tool) or ("mcp" if tool.startswith("mcp__") else "other")
        call = ToolCall(tool, kind, json.loads(text), cwd=cwd or self.project, home=self.home)
        return decide(call, self.world)


def rows(name: str) -> Iterator[dict[str, Any]]:
    """The recorded cases of one file."""
    for line in (CASES / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
