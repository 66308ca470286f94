"""Wiring clients in and out, and how each of them stands, for the command line and the dashboard."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from bk.engine.console.deed import Deed, clean, recorded
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import here, hook_path
from bk.engine.errors import BkError
from bk.engine.wiring import codex_trust, files, wire
from bk.engine.wiring.clients import CLIENTS
from bk.engine.wiring.plans import MANAGED, USER, Client
from bk.engine.wiring.standing import Standing, standings
from bk.engine.wiring.switched import news
from bk.engine.wiring.wire import Change

__all__ = [
    "MANAGED", "USER", "Change", "Client", "Standing", "chosen", "every", "install", "noticed", "planned", "present",
    "spot", "status", "trust_codex", "unhooked", "uninstall", "verified",
]  # fmt: skip
Json = Any
BAIT_SECONDS = 20


def spot(project: str = "", env: Mapping[str, str] | None = None) -> wire.Spot:
    """This person's home and this directory."""
    program = hook_path()
    if not program:
        raise BkError("there is no bk-hook to call", "it is not beside this interpreter", "reinstall bk")
    return wire.Spot(here(env).home, project or os.getcwd(), program)


def chosen(targets: list[str], *, detected: bool) -> list[Client]:
    """The clients that are meant: by name, or all that are on this machine."""
    if detected:
        return present()
    if not targets:
        raise BkError("no client was named", "", "name one with --target, or take --all-detected")
    return [wire.client(name) for name in dict.fromkeys(targets)]


def present(env: Mapping[str, str] | None = None) -> list[Client]:
    """The clients on this machine."""
    return wire.detected(here(env).home, (os.environ if env is None else env).get("PATH", ""))


def unhooked(env: Mapping[str, str] | None = None) -> list[str]:
    """The clients on this machine that call no hook, so that nothing they do themselves can be stopped."""
    return wire.unhooked(here(env).home, (os.environ if env is None else env).get("PATH", ""))


def every() -> list[Client]:
    """The clients that bk can be wired into."""
    return list(CLIENTS)


def planned(
    clients: list[Client], scope: str, *, removes: bool = False, env: Mapping[str, str] | None = None
) -> list[tuple[Client, list[wire.Change]]]:
    """What would be written for each; nothing is."""
    at = spot(env=env)
    state = here(env)
    if removes:
        return [(each, wire.removing(each, scope, at, state)) for each in clients]
    return [(each, wire.installing(each, scope, at)) for each in clients]


def install(
    client: Client, changes: list[wire.Change], scope: str = USER, *, env: Mapping[str, str] | None = None
) -> None:
    """Wire a client in. What can be switched off by nobody but root is for root."""
    _rooted(scope)
    state = here(env)
    state.ensure()
    with Deed(state, "hooks_install", client=client.name, scope=scope, files=[clean(each.path) for each in changes]):
        wire.install(changes, state)


def uninstall(client: Client, changes: list[wire.Change], scope: str = USER, *, admin: bool) -> None:
    """Take a client out: from then on it asks nobody, so a person has to say it."""
    require_admin(admin)
    _rooted(scope)
    state = here()
    state.ensure()
    with Deed(state, "hooks_uninstall", client=client.name, scope=scope, files=[clean(each.path) for each in changes]):
        wire.uninstall(changes, state)


def trust_codex() -> bool:
    """Have Codex trust our hook, as its own dialogue would: to be called with a person's consent only."""
    program = shutil.which("codex")
    if not program:
        raise BkError("codex is not on the PATH", "only Codex itself can tell what it calls the hook", "trust it there")
    state, at = here(), spot()
    hooks, was = at.path("~/.codex/hooks.json"), files.look(at.path("~/.codex/config.toml"))
    text = codex_trust.trusted(program, at.project, state.home, hooks, was.text)
    if text.encode() == was.data:
        return False
    with Deed(state, "hooks_trust", client="codex", files=[clean(was.path)]):
        files.write(was, text.encode(), 0o600)
    return True


def status(env: Mapping[str, str] | None = None) -> list[Standing]:
    """How each client stands that is here or that asks us."""
    return standings(spot(env=env), present(env))


def noticed(found: list[Standing]) -> None:
    """A client that has stopped asking is an incident, once."""
    at, state = spot(), here()
    if os.path.isdir(state.root) and any(each.off for each in found):
        told = news(state, [at.project], path=os.environ.get("PATH", ""), program=at.program)
        if told:
            recorded(state, told)


def verified(client: Client, env: Mapping[str, str] | None = None) -> dict[str, Json]:
    """Start the very commands that stand in the client's files with a call that must be stopped; what each answers."""
    at = spot(env=env)
    tried = [
        {"scope": scope, "file": clean(at.path(plan.path)), **_bait(client, command, at.project, env)}
        for scope, plan in wire.every(client, at)
        for command in wire.commands(plan, at)
    ]
    return {
        "client": client.name,
        "tried": tried,
        "stops": bool(tried) and all(each["stops"] for each in tried),
        "off": _skipped(at, env) if client.name == "codex" and any(each["scope"] == USER for each in tried) else [],
    }


def _skipped(at: wire.Spot, env: Mapping[str, str] | None) -> list[str]:
    """What Codex says of our hook, where it is there to be asked: only it can tell that a trusted one has changed."""
    program = shutil.which("codex", path=(os.environ if env is None else env).get("PATH", ""))
    if not program:
        return []
    try:
        return codex_trust.skipped(program, at.project, at.home, at.path("~/.codex/hooks.json"))
    except BkError as error:
        return [f"{error.title}: {error.detail}"]
    except (OSError, ValueError) as error:
        return [f"Codex could not be asked about its hooks: {error}"]


def _bait(client: Client, command: str, project: str, env: Mapping[str, str] | None) -> dict[str, Json]:
    from bk.engine.wiring.bait import bait, stopped

    told = bait(client.name, project)
    try:
        ran = subprocess.run(
            ["/bin/sh", "-c", command], input=told, capture_output=True, timeout=BAIT_SECONDS, check=False, cwd=project,
            env=env,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"stops": False, "exit": None, "said": f"no answer within {BAIT_SECONDS} s"}
    said = ran.stderr.decode(errors="replace").strip()
    return {
        "stops": stopped(client, ran.returncode, ran.stdout, ran.stderr),
        "exit": ran.returncode,
        "said": said[:400],
    }


def _rooted(scope: str) -> None:
    if scope == MANAGED and os.geteuid() != 0:
        raise BkError("the managed scope is root's", "its files are outside every home and repository", "use sudo")
