"""One run of one client: a home and a project of its own, the loopback and nothing else, a guard, a scripted model.

The run happens in fresh network, mount and process namespaces, so that nothing can be reached and nothing survives it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bk.engine.state import State
from bk.engine.wiring import codex_trust, files, wire
from bk.engine.wiring.clients import BY_NAME
from bk.engine.wiring.plans import MANAGED, USER
from tests.live.client import PORT, Client, Run
from tests.live.packages import TOOLS, node

Json = Any
RUNS = TOOLS.parent / "runs"
BIN = Path(sys.executable).parent
SECONDS = 300  # for a client: many times what one needs on a busy machine, since a hung one is killed by nothing else
START = 180  # for everything that has to stand before it
TRIES = 3
SECRET = "a-key-that-nobody-may-see"
TOKENS = {  # put together here: no scanner takes them for real ones. Some clients hide some kinds by themselves
    "github": "ghp_" + "q7Rk2Vw9Zt4Lx8Nb3Ym6" + "Hc1Jd5Fg0SpAeUiQ",
    "aws": "AKIA" + "Q3RK7VW9ZT4LX8NB",
    "databricks": "dapi" + "3f9a7c1e5b2d8046" + "a1c9e7f3b5d20864",
    "jwt": "eyJ" + "hbGciOiJub25lIn0" + "." + "eyJ" + "zdWIiOiJsaXZlIn0" + ".c2ln",
}
NOTES = "what the notes say:"
TIMED = """began=$(date +%s.%N); "{bin}/bk-hook" "$@"; code=$?
echo "$began $(date +%s.%N)" >> "{root}/spans"; exit $code"""
GUARDS = {
    "killed": "kill -9 $$",
    "timed": TIMED,
    "real": 'tee -a "{root}/stdin" | "{bin}/bk-hook" "$@"',
    "missing": "",
}
OUTSIDE = "words that stand in no secret place"
RULES = """suspicious "asked"
  why "this is asked about"
  nudge "ask the person"
  match command("asked-for")

warn "warned"
  why "this is warned of"
  nudge "think again"
  match command("warned-of")
"""


class StageError(Exception):
    """What a client needs did not come up, so that nothing was seen and nothing is judged."""


class Seen:
    """What came of a run: what lies where, how often the guard was called, what the model was told."""

    def __init__(self, root: Path, result: dict[str, Json], *, hears: bool = True) -> None:
        self.root = root
        self.hears = hears
        self.code = result.get("code")
        self.wall = float(result.get("wall", 0))
        calls = root / "calls"
        self.called = [float(line.split()[0]) for line in calls.read_text().splitlines()] if calls.exists() else []
        self.calls = len(self.called)
        asked = sorted((root / "model" / "asked").glob("*.json"))
        self.told = "\n".join(path.read_text() for path in asked)
        self.turns = sum(not path.name.endswith("-other.json") for path in asked)

    def made(self, path: str) -> bool:
        """Whether a file is there, below the run's folder."""
        return (self.root / path).exists()

    @property
    def ran(self) -> bool:
        """Whether the tool made the project's marker."""
        return self.made("project/marker")

    def moments(self) -> list[dict[str, Json]]:
        """When the model was asked and when it had answered."""
        path = self.root / "model" / "moments"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def spans(self) -> list[float]:
        """How long each call of a timed guard took."""
        path = self.root / "spans"
        rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [float(end) - float(began) for began, end in rows]

    def end(self) -> str:
        """The last words of the client, for a person who wonders why a case failed."""
        rows = [f"{self.root}: exit {self.code}, {self.calls} calls, {self.turns} turns"]
        for name in ("stage.log", "stdout", "stderr"):
            path = self.root / name
            if path.exists():
                rows.append(f"{name}: {path.read_text(errors='replace')[-600:]}")
        return "\n".join(rows)


def project_of(client: Client, case: str) -> Path:
    """Where a run of a case works."""
    return RUNS / client.name / case / "project"


def home_of(client: Client, case: str) -> Path:
    """The person's home in a run of a case."""
    return RUNS / client.name / case / "home"


def run(
    client: Client,
    case: str,
    steps: list[dict[str, Json]],
    *,
    guarded: bool = True,
    guard: str = "real",
    engine: str = "warm",
    scope: str = USER,
    hostile: bool = False,
    mcp: bool = False,
) -> Seen:
    """Play `steps` to a client. `guard` is real, timed, missing or killed; `engine` is warm, dead, hung or slow.

    Only a run in which the client never spoke to its model, or had not offered it the tool of a step, is played again:
    everything else that is seen counts.
    """
    for _ in range(TRIES):
        seen = _played(
            client, case, steps,
            guarded=guarded, guard=guard, engine=engine, scope=scope, hostile=hostile, mcp=mcp,
        )  # fmt: skip
        lacked = seen.root / "model" / "lacked"
        why = lacked.read_text() if lacked.exists() else "it never spoke to its model"
        if seen.turns and not lacked.exists():
            return seen
    raise StageError(f"tried {TRIES} times: {why}\n{seen.end()}")


def _played(
    client: Client,
    case: str,
    steps: list[dict[str, Json]],
    *,
    guarded: bool,
    guard: str,
    engine: str,
    scope: str,
    hostile: bool,
    mcp: bool,
) -> Seen:
    root = RUNS / client.name / case
    shutil.rmtree(root, ignore_errors=True)
    for name in ("home/.ssh", "project", "model/asked", "guard"):
        (root / name).mkdir(parents=True)
    at = Run(root, TOOLS, mcp=mcp, trusted=hostile)
    for path in (".ssh/id_rsa", client.secret):
        at.put(path, SECRET + "\n")
    (root / "project/README.md").write_text(OUTSIDE + "\n")
    (root / "project/notes.txt").write_text("\n".join([NOTES, *TOKENS.values(), ""]))
    words = client.start(at)
    at.env = {**_plain(at), **at.env}
    _git(at)
    if guarded:
        _guard(client, at, guard, scope)
        at.before += _trust(client, at)
    if hostile:
        for path, told in client.hostile.items():
            file = at.project / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(told if isinstance(told, str) else json.dumps(told))
    (root / "model/script.json").write_text(json.dumps([*steps, {"say": "that was all"}]))
    (root / "model/canned.json").write_text(json.dumps(at.canned))
    engine = engine if guarded and guard in ("real", "timed") else ""  # where it never answers, none is needed
    told = {"root": str(root), "words": words, "env": at.env, "before": at.before, "engine": engine,
            "home": str(at.home), "project": str(at.project), "guard": guard, "mcp": mcp}  # fmt: skip
    (root / "run.json").write_text(json.dumps(told))
    inner = [sys.executable, "-m", "tests.live.stage", str(root / "run.json")]
    spaces = ["unshare", "-n", "-m", "-p", "--fork", "--kill-child", "--mount-proc"]
    with open(root / "stage.log", "wb") as log:
        subprocess.run(
            [*spaces, "timeout", "-k", "5", str(SECONDS + 3 * START), *inner],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    result = root / "result.json"
    return Seen(root, json.loads(result.read_text()) if result.exists() else {}, hears=client.hears)


def _plain(at: Run) -> dict[str, str]:
    home = str(at.home)
    return {
        "HOME": home, "PATH": f"{node()}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "npm_config_fetch_retries": "0",
        "TERM": "dumb", "LANG": "C.UTF-8", "NO_COLOR": "1", "SHELL": "/bin/bash", "USER": "root",
        "XDG_CONFIG_HOME": f"{home}/.config", "XDG_DATA_HOME": f"{home}/.local/share",
        "XDG_CACHE_HOME": f"{home}/.cache", "XDG_STATE_HOME": f"{home}/.local/state",
    }  # fmt: skip


def _git(at: Run) -> None:
    line = "git init -q . && git add -A && git -c user.email=a@b.example -c user.name=a commit -qm a"
    subprocess.run(line, shell=True, cwd=at.project, env={**os.environ, "HOME": str(at.home)}, check=True)


def _guard(client: Client, at: Run, guard: str, scope: str) -> None:
    """Wire the client to a program that counts its calls and then is the real one."""
    program = at.root / "guard" / "bk-hook"
    body = GUARDS[guard].format(root=at.root, bin=BIN)
    program.write_text(f'#!/bin/sh\necho "$(date +%s.%N) $*" >> "{at.root}/calls"\n{body}\n')
    program.chmod(0o755)
    machine = at.root / "machine" if scope == MANAGED else at.root
    spot = wire.Spot(str(at.home), str(at.project), str(program), str(machine))
    state = State(f"{at.home}/.bk", str(at.home), os.getuid())
    state.ensure()
    with open(state.config, "w", encoding="utf-8") as file:
        file.write("[catalog_sync]\nenabled = false\n")
    rules = at.home / ".bk" / "rules"
    rules.mkdir(mode=0o700, exist_ok=True)
    (rules / "live.rules").write_text(RULES)
    changes = wire.installing(BY_NAME[client.name], scope, spot)
    wire.install(changes, state)
    if guard == "missing":
        program.rename(program.with_name("gone"))


def _trust(client: Client, at: Run) -> list[list[str]]:
    """Codex alone has to be told that its hook is wanted, and it is asked inside."""
    if client.name != "codex":
        return []
    return [[sys.executable, "-m", "tests.live.stage", "--trust", at.program("codex", "codex"), str(at.root)]]


def trust(program: str, root: Path) -> None:
    """What `bk hooks install --trust` does, in a run's home."""
    was = files.look(str(root / "home/.codex/config.toml"))
    hooks = str(root / "home/.codex/hooks.json")
    text = codex_trust.trusted(program, str(root / "project"), str(root / "home"), hooks, was.text)
    files.write(was, text.encode(), 0o600)


def inside(told: dict[str, Json]) -> None:
    """The part that runs in the namespaces."""
    root, env = Path(told["root"]), told["env"]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=True)
    machine = root / "machine" / "etc"
    if machine.is_dir():  # the machine's own settings, seen as /etc by this run alone
        over = f"ro,lowerdir={machine}:/etc"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", over, "/etc"], check=True)
    waits = ["mcp"] if told["mcp"] else []
    model = subprocess.Popen([sys.executable, "-m", "tests.live.model", str(PORT), str(root / "model"), *waits])
    _until((root / "model" / "ready").exists)
    for words in told["before"]:
        subprocess.run(
            words, cwd=told["project"], env={**os.environ, **env}, stdin=subprocess.DEVNULL, timeout=START, check=False
        )
    if told["engine"]:
        _engine(told)
    started = time.monotonic()
    with open(root / "stdout", "wb") as out, open(root / "stderr", "wb") as err:
        client = subprocess.Popen(
            told["words"], cwd=told["project"], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            start_new_session=True,
        )  # fmt: skip
        try:
            code: Json = client.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(client.pid, signal.SIGKILL)
            code = "timeout"
    (root / "result.json").write_text(json.dumps({"code": code, "wall": time.monotonic() - started}))
    model.terminate()


def _engine(told: dict[str, Json]) -> None:
    """Have an engine, and then make it what the case wants."""
    env = {**os.environ, **told["env"]}
    subprocess.run(
        [str(BIN / "bk-hook"), "--harness", "claude-code"], input=b"{}", env=env, cwd=told["project"],
        capture_output=True, timeout=START, check=False,
    )  # fmt: skip
    run = Path(told["home"]) / ".bk" / "run"
    _until((run / "engine.sock").exists)
    if told["engine"] == "warm":
        return
    pid = _pid_of(str(run / "engine.sock"))
    if told["engine"] == "dead":
        os.kill(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGSTOP)
    if told["engine"] == "slow":  # each call waits, but not for ever
        subprocess.Popen(
            ["/bin/sh", "-c", f"while :; do sleep 1.4; kill -CONT {pid}; sleep 0.7; kill -STOP {pid}; done"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


def _pid_of(socket: str) -> int:
    """The process that listens: in this process namespace it is the only engine."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"bk.serve" in words or any(word.endswith(b"serve.py") for word in words) or b"serve" in words:
                return int(name)
    raise LookupError(socket)


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + START
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not come up")
        time.sleep(0.02)


if __name__ == "__main__":
    if sys.argv[1] == "--trust":
        trust(sys.argv[2], Path(sys.argv[3]))
    else:
        inside(json.loads(Path(sys.argv[1]).read_text()))
