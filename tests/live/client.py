"""A client under test, and what it finds when it starts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Json = Any
MODEL = "live-model"
PORT = 18080
BASE = f"http://127.0.0.1:{PORT}"


class Run:
    """What a client finds when it starts: a home, a project, its environment, and the words that start it."""

    def __init__(self, root: Path, tools: Path, *, mcp: bool = False, trusted: bool = False) -> None:
        self.root = root
        self.home, self.project = root / "home", root / "project"
        self.tools = tools
        self.mcp = mcp
        self.trusted = trusted  # the person has said that the project may be trusted
        self.env: dict[str, str] = {}
        self.before: list[list[str]] = []
        self.canned: dict[str, Json] = {}

    def put(self, path: str, told: Json) -> None:
        """Write a file into the home."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(told if isinstance(told, str) else json.dumps(told, indent=2))

    def program(self, client: str, name: str) -> str:
        """A program that a client's package brought."""
        return str(self.tools / client / "node_modules" / ".bin" / name)


class Client:
    """One client: its name in bk, its package, and how a run of it is set up."""

    def __init__(
        self,
        name: str,
        package: str,
        start: Callable[[Run], list[str]],
        *,
        tier: int = 1,
        weight: int = 5,
        asks: bool = False,
        warns: bool = True,
        hears: bool = True,
        reads: bool = True,
        replaces: bool = False,
        mcp: Callable[[str], list[dict[str, Json]]] | None = None,
        types: Callable[[str], list[dict[str, Json]]] | None = None,
        hostile: Mapping[str, Json] | None = None,
        managed: bool = False,
        python: str = "",
        secret: str = ".ssh/id_rsa",
        kept: str = ".ssh/authorized_keys",
    ) -> None:
        self.name = name
        self.package = package
        self.start = start
        self.tier = tier
        self.weight = weight  # roughly the seconds of a run: the slowest clients begin first
        self.asks = asks
        self.warns = warns
        self.hears = hears  # whether anybody is told why a call was denied
        self.reads = reads
        self.replaces = replaces
        self.mcp = mcp or (lambda path: [{"mcp": "touchfile", "given": {"path": path}}])
        self.types = types or (
            lambda line: []
        )  # how a line is typed into a program that runs, where no hook is shown that
        self.hostile = dict(hostile or {})
        self.managed = managed
        self.python = python
        self.kept = kept  # and what its tool for writing is
        self.secret = secret  # what its tool for reading is tried on: one that it does not refuse by itself

    @property
    def version(self) -> str:
        """The pinned release."""
        return re.split("==|@", self.package)[-1]
