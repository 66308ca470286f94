"""A build of bk with a release key in it, installed beside this one, and an installation that uses it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from bk.engine.state import State
from tests.e2e.engine_house import BIN, House, until
from tests.feeds.server import FeedServer
from tests.unit.own import Publisher

ROOT = Path(__file__).parents[2]


class Build:
    """A copy of the package with `release.pub` in it, in an environment of its own."""

    def __init__(self, root: Path, key: str, url: str) -> None:
        self.site = root / "site"
        shutil.copytree(ROOT / "bk", self.site / "bk", ignore=shutil.ignore_patterns("__pycache__"))
        (self.site / "bk" / "engine" / "own" / "release.pub").write_text(f"{key}\n{url}\n")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / "venv")], check=True, timeout=60)
        self.bin = root / "venv" / "bin"
        self.python = self.bin / "python"
        (site,) = (root / "venv").glob("lib/python*/site-packages")
        (site / "bk.pth").write_text(f"{self.site}\n{sysconfig.get_path('purelib')}\n")
        shutil.copy2(BIN / "bk-hook", self.bin)
        script = (BIN / "bk-hook-python").read_text().splitlines(keepends=True)
        (self.bin / "bk-hook-python").write_text("".join([f"#!{self.python}\n", *script[1:]]))
        (self.bin / "bk-hook-python").chmod(0o755)


class OwnHouse(House):
    """An installation whose bk is that build, and whose list is at `feed`."""

    def __init__(self, state: State, build: Build, feed: FeedServer) -> None:
        super().__init__(state)
        self.build = build
        self.feed = feed
        self.own = Path(state.root, "own")
        self.setting(f'[catalog_sync]\nca_file = "{feed.ca_file}"\nenabled = false\n')

    def setting(self, text: str) -> None:
        path = Path(self.state.config)
        path.write_text(text)
        path.chmod(0o600)

    def bk(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.build.python), "-m", "bk", *words],
            env=self.env,
            cwd=self.project,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    def call(self, command: str, ident: str = "", timeout: float = 30) -> subprocess.CompletedProcess[bytes]:
        payload = {
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": command},
            "tool_use_id": ident,
            "session_id": "s",
            "cwd": str(self.project),
        }
        return subprocess.run(
            [str(self.build.bin / "bk-hook"), "--harness", "claude-code"],
            input=json.dumps(payload).encode(),
            env=self.env,
            cwd=self.project,
            capture_output=True,
            timeout=timeout,
        )

    def serve(self, publisher: Publisher) -> None:
        """Put the publisher's folder in the place where the list is."""
        self.feed.routes.clear()
        for path in publisher.folder.iterdir():
            self.feed.serve(f"/self/{path.name}", path.read_bytes())

    def refresh(self) -> dict[str, Any]:
        """Ask for the list now, as a person can; how this release stands then."""
        done = self.bk("self", "verify", "--refresh", "--json")
        assert done.stdout, done.stderr
        return dict(json.loads(done.stdout))

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.bk("self", "status", "--json").stdout))

    def asked(self) -> tuple[subprocess.CompletedProcess[bytes], subprocess.CompletedProcess[bytes]]:
        """The same harmless call, decided cold and then by the engine that the cold one left."""
        self.quiet()
        cold = self.call("ls")
        until(self.serving)
        until(lambda: self.bk("engine", "status").returncode != 1)
        return cold, self.call("ls")

    def incidents(self, what: str) -> list[str]:
        return [
            str(entry.data["detail"])
            for entry in self.entries()
            if entry.kind == "incident" and entry.data["incident"] == what
        ]

    def decided(self) -> list[tuple[str, str]]:
        return [
            (entry.level, str(entry.data.get("failure", ""))) for entry in self.entries() if entry.kind == "decision"
        ]
