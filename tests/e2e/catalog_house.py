"""An installation whose catalogs are brought up to date by the real worker process, from feeds on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bk.engine.catalogs import status
from bk.engine.catalogs.status import SourceRow, Status
from bk.engine.config import snapshot
from bk.engine.decide import decide
from bk.engine.intel import signed
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry, ToolCall, Verdict
from bk.engine.state import State
from bk.engine.world import World
from tests.feeds.server import FeedServer

FEEDS = ("bumblebee", "osv", "datadog", "ossf", "github", "aikido", "socket", "org", "list")
DAY_MS = 86_400_000


class CatalogHouse:
    """One installation and its settings; only the feeds that a test names are switched on."""

    def __init__(self, state: State, feed: FeedServer) -> None:
        self.state = state
        self.feed = feed
        self.env = {"HOME": state.home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        self.on: dict[str, dict[str, str]] = {}
        self.more: dict[str, Any] = {}
        self.project = Path(state.home, "project")
        self.project.mkdir(exist_ok=True)

    def settings(self, **more: Any) -> None:
        """Write config.toml: the feeds that are on, and further keys (dots as double underscores)."""
        self.more.update({key.replace("__", "."): value for key, value in more.items()})
        lines = [f"catalogs.{name}.enabled = {json.dumps(name in self.on)}" for name in FEEDS]
        lines += [
            f"catalogs.{name}.{key} = {json.dumps(v)}" for name, said in self.on.items() for key, v in said.items()
        ]
        lines.append(f"catalog_sync.ca_file = {json.dumps(self.feed.ca_file)}")
        lines += [f"{key} = {json.dumps(value)}" for key, value in self.more.items()]
        path = Path(self.state.config)
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o600)

    def use(self, name: str, path: str, **said: str) -> None:
        """Switch a feed on, at a path of the server."""
        self.on[name] = {"url": path if "://" in path else self.feed.url(path), **said}
        self.settings()

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the worker."""
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "bk.engine.catalogs.worker", *words],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def work(self, *words: str, timeout: float = 90) -> dict[str, Any]:
        """Run the worker to its end; what it says at last, with its exit code."""
        process = self.start(*words)
        try:
            out, errors = process.communicate(timeout=timeout)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        assert not errors, errors
        lines = [json.loads(line) for line in out.splitlines()]
        for line in lines[:-1]:
            assert set(line) == {"step", "source", "done", "total", "detail"}
        said: dict[str, Any] = lines[-1]["result"]
        assert process.returncode == (0 if said["ok"] else 1)
        return said

    def sync(self, *names: str) -> dict[str, Any]:
        """Ask the feeds now."""
        return self.work("sync", "--force", *names)

    def status(self, now_ms: int = 0) -> Status:
        """How things stand."""
        values: Mapping[str, Any] = snapshot.read(self.state).values
        return status.read(self.state, values, now_ms or time.time_ns() // 1_000_000)

    def row(self, name: str) -> SourceRow:
        """How one source stands."""
        return next(row for row in self.status().sources if row.name == name)

    def in_force(self) -> tuple[str, str]:
        """The name of the generation in force, and a digest of its every byte."""
        name = Path(self.state.intel, "current").read_text().split("\n")[0]
        return name, hashlib.sha256(Path(self.state.intel, name).read_bytes()).hexdigest()

    def entries(self, event: str = "") -> list[Entry]:
        """What the ledger says of catalogs."""
        if not os.path.exists(self.state.audit):
            return []
        ledger = Ledger.open(self.state, create=False)
        try:
            found = ledger.entries(limit=5000)
        finally:
            ledger.close()
        return [each for each in found if each.kind == "catalog" and event in ("", each.data["event"])]

    def verdict(self, command: str) -> Verdict:
        """What a call that runs this command would get, by the state on disk."""
        world = World.open(self.state)
        try:
            call = ToolCall(
                "Bash", "shell", {"command": command}, harness="claude-code", cwd=str(self.project),
                home=self.state.home, session="s",
            )  # fmt: skip
            return decide(call, world).verdict
        finally:
            if world.index is not None:
                world.index.close()

    def install(self, package: str) -> str:
        """The level that installing an npm package gets, without what is no matter of catalogs."""
        verdict = self.verdict(f"npm install {package}")
        levels = [each.level for each in verdict.findings if each.rule.startswith("package/")]
        return max(levels).word if levels else "allow"


def rows(prefix: str, count: int, version: str = "1.0.0") -> bytes:
    """A plain list of so many packages."""
    return json.dumps([{"name": f"{prefix}-{number}", "version": version} for number in range(count)]).encode()


class Signer:
    """An organisation that signs its feed and puts it on the server."""

    def __init__(self, feed: FeedServer, name: str = "org.example") -> None:
        self.feed = feed
        self.secret, self.public = signed.mint(name)

    def publish(
        self, *lines: str, serial: int, issued_ms: int = 0, days: int = 30, secret: str = "", feed: str = "org"
    ) -> None:
        """Sign facts (columns by tabs) and serve note and file."""
        now = issued_ms or time.time_ns() // 1_000_000
        data = ("\n".join(lines) + "\n").encode()
        note = signed.sign(
            secret or self.secret, feed=feed, serial=serial, issued_ms=now, expires_ms=now + days * DAY_MS,
            payloads={"org.facts": data},
        )  # fmt: skip
        self.feed.serve("/org/org.note", note)
        self.feed.serve("/org/org.facts", data, etag=f"s{serial}-{len(data)}")


def fact(
    name: str, *versions: str, kind: str = "", severity: str = "critical", ident: str = "", groups: str = "org"
) -> str:
    """A line of facts."""
    kind = kind or ("exact" if versions else "every")
    return "\t".join(("npm", name, kind, severity, groups, "none", ident, "2026-01-01", "org", " ".join(versions)))
