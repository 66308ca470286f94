"""One probe a component: how it is, why, and what to do. A probe that fails says so; it never hides the others."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from bk.engine.console.installation import hook_path
from bk.engine.errors import TAMPERED, BkError
from bk.engine.state import State, trusted

Json = Any
OK, WARN, BAD, UNKNOWN = "ok", "warn", "bad", "unknown"
OLD_INDEX_DAYS = 180
LITTLE_DISK = 256 << 20
NO_DISK = 8 << 20
SWITCH = "take it out of rules.disabled, in config.toml or config.local.toml"
BUILT = 1763683200  # 21 Nov 2025: a clock before this is wrong
CLAUDE_FILES = ("settings.json", "settings.local.json")
CLAUDE_MANAGED = "/etc/claude-code/managed-settings.json"
NEEDED = ("blake3", "tree-sitter", "tree-sitter-bash", "google-re2", "pynacl", "textual", "typer", "tomlkit")


class Part(NamedTuple):
    """One component: `state` is `ok warn bad unknown`; `tampered` when the ledger is not what it was."""

    name: str
    state: str
    reason: str
    next_step: str = ""
    tampered: bool = False


def state_directory(state: State) -> Part:
    """Ours, and closed to others."""
    name = "state"
    if not os.path.lexists(state.root):
        return Part(name, OK, f"{state.root} does not exist yet; the first call makes it")
    try:
        for path in (state.root, f"{state.root}/mark", state.keys, state.intel, state.run):
            if os.path.lexists(path):
                trusted(path, os.lstat(path), state.owner)
        files = (path for path in (state.audit, state.mark, state.config) if os.path.lexists(path))
        open_to = [path for path in files if os.lstat(path).st_mode & 0o077]
    except BkError as error:
        return Part(name, BAD, f"{error.title}: {error.detail}", error.next_step)
    except OSError as error:
        return Part(name, BAD, f"{error.filename}: {error.strerror}", "make it readable for its owner")
    if open_to:
        return Part(name, WARN, f"{open_to[0]} can be read by others", f"chmod 600 {' '.join(open_to)}")
    if not os.access(state.root, os.W_OK):
        return Part(name, BAD, f"{state.root} cannot be written: every call is blocked", f"chmod u+w {state.root}")
    return Part(name, OK, f"{state.root}, closed to others")


def configuration(state: State) -> Part:
    """The settings in force, and what is wrong with the files behind them."""
    from bk.engine.config import snapshot

    policy = snapshot.read(state)
    mode = policy.values["fail_mode"]
    if policy.problems:
        more = f" (and {len(policy.problems) - 1} more)" if len(policy.problems) > 1 else ""
        return Part("config", WARN, f"{policy.problems[0]}{more}", "bk config validate")
    if mode != "closed":
        return Part(
            "config", WARN, f"fail_mode is {mode}: a call that cannot be decided runs", "bk config unset fail_mode"
        )
    changed = sum(1 for origin in policy.origin.values() if origin != "built-in")
    return Part("config", OK, f"policy {policy.digest[:12]}, {changed} changed from the defaults")


def compiled(state: State) -> Part:
    """The compiled settings that a call reads."""
    try:
        info = os.lstat(state.snapshot)
    except FileNotFoundError:
        return Part("snapshot", OK, "not made yet; the first call makes it")
    except OSError as error:
        return Part("snapshot", BAD, f"{state.snapshot}: {error.strerror}", f"remove {state.snapshot}")
    if not stat.S_ISREG(info.st_mode) or info.st_uid not in (state.owner, 0) or info.st_mode & 0o022:
        step = f"remove {state.snapshot}; the next call makes it anew"
        return Part("snapshot", WARN, f"{state.snapshot} is not a file that only you can write: it is not used", step)
    return Part("snapshot", OK, f"made {_ago(info.st_mtime)} ago")


def rules(state: State) -> Part:
    """The rules in force, what is wrong with a file of them, and what is switched off."""
    from bk.engine.console.rules import listing_in, off_protective

    found = listing_in(state, os.getcwd())
    if found.problems:
        more = f" (and {len(found.problems) - 1} more)" if len(found.problems) > 1 else ""
        return Part("rules", BAD, f"{found.problems[0]}{more}", "bk rules lint")
    off = [row["id"] for row in found.rows if row["off"]]
    own = sum(1 for row in found.rows if row["layer"] != "built-in" and not row["off"])
    told = f"{len(found.rows) - len(off)} in force, {own} of them not built in"
    told += f"; switched off: {', '.join(off[:4])}{f' and {len(off) - 4} more' if len(off) > 4 else ''}" if off else ""
    protective = off_protective(found.rows)
    if protective:
        return Part("rules", WARN, f"{told}; {protective[0]} protects secrets or what cannot be made good", SWITCH)
    if found.notes:
        return Part("rules", WARN, f"{told}; {found.notes[0]}", "bk rules lint")
    return Part("rules", OK, told)


def ledger(state: State) -> Part:
    """The record: opened, compared with its mark, its last checkpoint."""
    from bk.engine.ledger.schema import reader
    from bk.engine.ledger.store import Ledger

    if not os.path.exists(state.audit) and not os.path.exists(state.mark):
        return Part("ledger", OK, "nothing has been recorded yet")
    book = Ledger.open(state, create=False)
    try:
        seq, mac = book.head()
    finally:
        book.close()
    rows = reader(state.audit)
    try:
        signed = rows.execute("SELECT max(seq) FROM checkpoint").fetchone()[0]
    finally:
        rows.close()
    told = f"{seq:,} entries, chain tip {mac.hex()[:12]}, agrees with its mark; "
    told += f"signed up to #{signed:,}" if signed else "not signed yet"
    return Part("ledger", OK, told)


def index(state: State) -> Part:
    """The catalog of known-bad packages."""
    from bk.engine.intel import bundle
    from bk.engine.intel.index import Index

    path = bundle.ensure(state)
    opened = Index.open(path)
    meta = opened.meta
    opened.close()
    sources = meta.get("sources") or {}
    newest = max((str(source.get("date", "")) for source in sources.values()), default="")
    told = f"{int(meta.get('records') or 0):,} records from {len(sources)} sources, the newest of {newest or 'no date'}"
    told += f" ({os.path.basename(path)})"
    if newest and newest < time.strftime("%Y-%m-%d", time.gmtime(time.time() - OLD_INDEX_DAYS * 86400)):
        return Part("index", WARN, told, "install a newer bk: the facts come with it")
    return Part("index", OK, told)


def catalogs(state: State) -> Part:
    """How fresh the catalogs are, and whether every source that is switched on is heard."""
    from bk.engine.catalogs.status import read
    from bk.engine.config import snapshot

    now = read(state, snapshot.read(state).values, time.time_ns() // 1_000_000)
    asked = [row for row in now.sources if row.enabled]
    news = f"the last news {_span((now.now_ms - now.synced_ms) / 1000)} ago" if now.synced_ms else "no news yet"
    told = f"{len(asked)} sources are asked, {news}"
    unwell = [row for row in asked if row.state in ("degraded", "failing")]
    if unwell:
        row = unwell[0]
        why = f"what it brought is held back: {row.held.reason}" if row.held is not None else row.problem
        told += f"; {row.name}: {why}" + (f" (and {len(unwell) - 1} more)" if len(unwell) > 1 else "")
    if now.stale:
        return Part("catalogs", WARN, f"STALE: {told}", "bk catalogs status")
    return Part("catalogs", WARN if unwell else OK, told, "bk catalogs status" if unwell else "")


def engine(state: State) -> Part:
    """The resident engine, and whoever else may sit on its socket."""
    from bk.engine.console.engine import unindexed, watching
    from bk.engine.service.status import EngineStatus

    if not os.path.isdir(state.run):
        return Part("engine", OK, "not running; the first call starts it")
    seen = EngineStatus(state)
    if seen.problems:
        return Part(
            "engine", BAD, "; ".join(seen.problems[:3]), "bk engine start takes the socket back; then ask who it was"
        )
    if not seen.running:
        return Part("engine", OK, "not running: calls are decided cold, and the first one starts it", "bk engine start")
    told = f"process {seen.pid}, up {_span(seen.uptime_s)}; watch: {watching(seen.said)}"
    why, step = unindexed(seen.said)
    if why:
        told += f"; the index for free text is off, and searches read the ledger: {why}"
        return Part("engine", WARN, told, f"{step} ({state.root}); it is tried again within a quarter of an hour")
    return Part("engine", OK, told)


def release(state: State) -> Part:
    """Whether this very release is on the list of compromised ones."""
    from bk.engine.console.own import part

    return part(state)


def native_client(_state: State) -> Part:
    """The hook program beside this interpreter."""
    path = hook_path()
    if not path:
        return Part("hook", BAD, f"bk-hook is not beside {sys.executable}", "reinstall bk")
    with open(path, "rb") as file:
        native = file.read(4) == b"\x7fELF"
    built = _built()
    if not native:
        why = f": {built['reason']}" if built.get("reason") else ""
        told = f"{path} is the Python client, with the same answers but slower{why}"
        return Part("hook", WARN, told, "install a C compiler, then reinstall bk")
    return Part("hook", OK, f"{path}, native" + (f", {built['link']}" if built.get("link") else ""))


def claude(state: State) -> Part:
    """Whether Claude Code asks us."""
    name = "claude-code"
    folder = f"{state.home}/.claude"
    paths = [f"{folder}/{file}" for file in CLAUDE_FILES] + [CLAUDE_MANAGED]
    there = [path for path in paths if os.path.exists(path)]
    if not there and not shutil.which("claude"):
        return Part(name, UNKNOWN, "Claude Code was not found here")
    found: list[str] = []
    for path in there:
        try:
            with open(path, encoding="utf-8") as file:
                said = json.load(file)
        except (OSError, ValueError) as error:
            return Part(name, WARN, f"{path} cannot be read: {error}", "correct it: Claude Code may ignore its hooks")
        if not isinstance(said, dict):
            continue
        if said.get("disableAllHooks"):
            return Part(name, BAD, f"{path} sets disableAllHooks: no call is checked", f"remove it from {path}")
        commands = _hook_commands(said, "PreToolUse")
        found += [command for command in commands if "bk-hook" in command or "bk check --hook" in command]
    if not found:
        return Part(name, WARN, "it does not ask bk before it acts", "bk hooks install --target claude-code")
    program = found[0].split()[0].strip("'\"")
    if program.startswith("/") and not os.access(program, os.X_OK):
        return Part(name, BAD, f"its hook names {program}, which cannot be run", f"use {hook_path() or 'bk-hook'}")
    return Part(name, OK, f"asks before each call: {found[0][:120]}")


def runtime(_state: State) -> Part:
    """Interpreter and libraries."""
    from importlib.metadata import PackageNotFoundError, version

    missing = []
    for package in NEEDED:
        try:
            version(package)
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return Part("runtime", BAD, f"not installed: {', '.join(missing)}", "reinstall bk")
    return Part("runtime", OK, f"Python {sys.version.split()[0]}, all {len(NEEDED)} libraries present")


def disk(state: State) -> Part:
    """Room for the record."""
    path = state.root
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    seen = os.statvfs(path)
    free = seen.f_bavail * seen.f_frsize
    told = f"{free / 2**20:,.0f} MiB free at {path}"
    if free < NO_DISK:
        return Part("disk", BAD, f"{told}: calls are blocked when an entry cannot be written", "free space")
    return Part("disk", WARN if free < LITTLE_DISK else OK, told, "free space" if free < LITTLE_DISK else "")


def clock(state: State) -> Part:
    """Entries carry this time."""
    now = time.time()
    if now < BUILT:
        return Part("clock", WARN, f"the clock says {time.strftime('%Y-%m-%d')}", "set the clock")
    try:
        ahead = os.stat(state.audit).st_mtime - now
    except OSError:
        ahead = 0.0
    if ahead > 60:
        return Part(
            "clock", WARN, f"the clock went back: the last entry is {_span(ahead)} in the future", "set the clock"
        )
    return Part("clock", OK, time.strftime("%Y-%m-%d %H:%M:%S %Z"))


def responder(state: State) -> Part:
    """What is installed and spoken against, and what is held."""
    from bk.engine.console import cases

    return cases.part(state)


PROBES: tuple[tuple[str, Callable[[State], Part]], ...] = (
    ("claude-code", claude),
    ("hook", native_client),
    ("engine", engine),
    ("release", release),
    ("ledger", ledger),
    ("index", index),
    ("catalogs", catalogs),
    ("responder", responder),
    ("config", configuration),
    ("rules", rules),
    ("snapshot", compiled),
    ("state", state_directory),
    ("disk", disk),
    ("clock", clock),
    ("runtime", runtime),
)


def probe(name: str, look: Callable[[State], Part], state: State) -> Part:
    """A probe's answer; its own failure is an answer too."""
    try:
        return look(state)
    except BkError as error:
        return Part(name, BAD, str(error), error.next_step or "bk --help", error.code == TAMPERED)
    except (OSError, ValueError, LookupError, TypeError, ImportError) as error:
        return Part(name, BAD, f"{type(error).__name__}: {error}", "reinstall bk, or report this")


def _hook_commands(settings: dict[str, Json], event: str) -> list[str]:
    hooks = settings.get("hooks")
    groups = hooks.get(event) if isinstance(hooks, dict) else None
    found = [
        hook.get("command")
        for group in (groups if isinstance(groups, list) else [])
        for hook in ((group.get("hooks") or []) if isinstance(group, dict) else [])
        if isinstance(hook, dict)
    ]
    return [command for command in found if isinstance(command, str)]


def _built() -> dict[str, Json]:
    """What the build wrote about the native client."""
    from importlib.resources import files

    try:
        said = json.loads(files("bk.hook").joinpath("native", "built.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _ago(then: float) -> str:
    return _span(max(0.0, time.time() - then))


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
