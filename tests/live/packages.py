"""The clients' packages: pinned, from npm and PyPI, each in a folder of its own, and why one could not be had.

Run as `python -m tests.live.packages 1` (the first tier) or `2` (all): what does not install is reported, never passed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.live.client import Client
from tests.live.clients import CLIENTS

NODE = "node@24"
BESIDE = {  # what a client fetches for its plugins: without it each start waits over a minute for a registry
    "opencode": ("opencode-plugin", "@opencode-ai/plugin@1.18.33"),
    "kilo": ("kilo-plugin", "@kilocode/plugin@7.3.1"),
}
FOLDERS = {"augment": "auggie"}  # where a client's package lies, when that is not its name here
TOOLS = Path(os.environ.get("BK_LIVE_DIR") or os.path.expanduser("~/.cache/bk-live")) / "clients"
SECONDS = 900


def node() -> Path:
    """Where the pinned Node is: on an older one npm silently installs old releases of some clients."""
    return TOOLS / "node24" / "node_modules" / "node" / "bin"


def missing(client: Client) -> str:
    """Why a client cannot be run here; "" when its pinned package is whole."""
    for folder, package in _needed(client):
        mark = TOOLS / folder / ".whole"
        if not mark.exists() or mark.read_text() != package:
            failed = TOOLS / folder / ".failed"
            return f"{package}: {failed.read_text() if failed.exists() else 'it is not installed'}"
    return ""


def install(client: Client) -> str:
    """Have a client's package; the reason when it cannot be had."""
    for name, package in _needed(client):
        folder = TOOLS / name
        if (folder / ".whole").exists() and (folder / ".whole").read_text() == package:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        why = _npm(folder, package) if "==" not in package else _pip(folder, package, client.python)
        (folder / (".failed" if why else ".whole")).write_text(why or package)
        if why:
            return f"{package}: {why}"
    return ""


def _needed(client: Client) -> list[tuple[str, str]]:
    beside = [BESIDE[client.name]] if client.name in BESIDE else []
    return [("node24", NODE), (FOLDERS.get(client.name, client.name), client.package), *beside]


def _npm(folder: Path, package: str) -> str:
    (folder / "package.json").write_text('{"private": true}\n')
    env = {**os.environ, "PATH": f"{node()}:{os.environ['PATH']}", "npm_config_cache": str(TOOLS.parent / "npm"),
           "npm_config_update_notifier": "false", "npm_config_fund": "false", "npm_config_audit": "false"}  # fmt: skip
    kept = "--save-exact" if (folder.name, package) in BESIDE.values() else "--no-save"
    return _ran(["npm", "install", kept, "--loglevel=error", *package.split()], folder, env)


def _pip(folder: Path, package: str, version: str) -> str:
    program = _python(version)
    if not program:
        return f"needs Python {version}"
    venv = _ran([program, "-m", "venv", "venv"], folder, dict(os.environ))
    words = [str(folder / "venv/bin/pip"), "install", "-q", *package.split()]
    return venv or _ran(words, folder, dict(os.environ))


def _python(version: str) -> str:
    """An interpreter of this version: the one on the PATH, or one of pyenv's."""
    there = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    return str(there[-1]) if there else shutil.which(f"python{version}") or ""


def _ran(words: list[str], folder: Path, env: dict[str, str]) -> str:
    try:
        made = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = (made.stderr or made.stdout).strip().splitlines()
    return said[-1][:200] if made.returncode and said else f"exit {made.returncode}" if made.returncode else ""


def main() -> None:
    """Install the clients of a tier and say which there are."""
    tier = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for client in CLIENTS:
        if client.tier <= tier:
            why = install(client)
            print(
                f"{client.name:<12} {client.version:<10} {'not verified: ' + why if why else 'installed'}", flush=True
            )


if __name__ == "__main__":
    main()
