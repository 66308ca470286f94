"""`bk hooks` and `bk shim` as a newcomer runs them: what is written, what is told, and the real guard behind it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BK = (
    [sys.executable, "-m", "bk"]
    if not (Path(sys.executable).parent / "bk").exists()
    else [str(Path(sys.executable).parent / "bk")]
)


class Place:
    """A home with two clients in it, and a project."""

    def __init__(self, root: Path) -> None:
        self.home, self.project = root / "home", root / "project"
        for path in (self.home / ".claude", self.home / ".gemini" / "tmp", self.project):
            path.mkdir(parents=True)

    def bk(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "BK_HOME": str(self.home / ".bk"), "LANG": "C.UTF-8"}
        return subprocess.run(
            [*BK, *words], env=env, cwd=self.project, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def place(short_dir: Path) -> Place:
    return Place(short_dir)


def test_install_status_and_what_stops_it(place: Place) -> None:
    settings = place.home / ".claude" / "settings.json"
    settings.write_text('{\n  "model": "x" // mine\n}\n')
    dry = place.bk("hooks", "install", "--all-detected", "--dry-run")
    assert dry.returncode == 0
    assert "would be written" in dry.stdout
    assert "+" in dry.stderr
    assert "bk-hook" not in settings.read_text()
    done = json.loads(place.bk("hooks", "install", "--all-detected", "--json").stdout)
    assert {row["client"] for row in done["clients"]} == {"claude-code", "gemini"}
    assert settings.read_text().startswith('{\n  "model": "x", // mine\n')
    again = place.bk("hooks", "install", "--all-detected")
    assert "is as it should be" in again.stdout
    good = place.bk("hooks", "status", "--json")
    assert good.returncode == 0
    assert all(row["effective"] for row in json.loads(good.stdout)["clients"])
    (place.project / ".claude").mkdir()
    (place.project / ".claude" / "settings.json").write_text('{"disableAllHooks": true}')
    bad = place.bk("hooks", "status")
    assert bad.returncode == 3
    assert "disableAllHooks" in bad.stdout
    assert "--scope managed" in bad.stdout
    found = place.bk("audit", "query", "kind:incident", "--json").stdout
    assert "does not ask bk" in found, "a repository that switches hooks off is an incident"
    refused = place.bk("hooks", "uninstall", "--target", "claude-code")
    assert refused.returncode != 0
    assert "bk-hook" in settings.read_text()


def test_a_broken_file_does_not_keep_the_others_from_it(place: Place) -> None:
    (place.home / ".claude" / "settings.json").write_text("{ broken")
    told = place.bk("hooks", "install", "--all-detected")
    assert told.returncode == 3
    assert "left alone" in told.stdout
    assert "bk-hook" in (place.home / ".gemini" / "settings.json").read_text()
    assert (place.home / ".claude" / "settings.json").read_text() == "{ broken"


def test_an_unknown_client_and_an_unknown_scope_say_what_there_is(place: Place) -> None:
    assert "claude-code" in place.bk("hooks", "install", "--target", "vim").stderr
    assert "scope" in place.bk("hooks", "install", "--target", "kimi", "--scope", "managed").stderr
    if os.geteuid() == 0:
        return
    assert "root" in place.bk("hooks", "install", "--target", "claude-code", "--scope", "managed").stderr


def test_shims(place: Place) -> None:
    told = json.loads(place.bk("shim", "install", "npm", "pip", "--json").stdout)
    assert told["installed"] == ["npm", "pip"]
    assert os.access(f"{told['folder']}/npm", os.X_OK)
    assert place.bk("shim", "status").returncode == 3, "not on the PATH yet"
    assert place.bk("shim", "install", "ls").returncode == 2
    assert place.bk("shim", "uninstall").returncode != 0


def test_a_client_that_calls_no_hook_is_told_of(place: Place) -> None:
    (place.home / ".continue").mkdir()
    told = place.bk("hooks", "status")
    assert "Continue" in told.stdout
    assert "calls no hook" in told.stdout
    assert json.loads(place.bk("hooks", "status", "--json").stdout)["unhooked"] == ["Continue"]


@pytest.mark.long
def test_verify_finds_a_guard_that_says_yes(place: Place) -> None:
    assert place.bk("hooks", "install", "--target", "claude-code").returncode == 0
    lock = os.open(place.home / ".bk" / "run" / "starting.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # so that no engine is left behind
    good = place.bk("hooks", "verify", "--json")
    assert good.returncode == 0, good.stdout
    settings = place.home / ".claude" / "settings.json"
    settings.write_text(settings.read_text().replace("; exit 2", "; exit 0").replace("0|2) exit $c", "0|2) exit 0"))
    bad = place.bk("hooks", "verify", "--json")
    assert bad.returncode == 3
    row = json.loads(bad.stdout)["clients"][0]
    assert not row["effective"]
    assert not row["stops"]
    assert "as bk writes it" in row["off"][0]
    os.close(lock)
