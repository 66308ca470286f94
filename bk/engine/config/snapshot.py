"""The hot path's view of the settings: one small file, fresh by stamps, verified by digest, compiled when stale.

A truncated or altered snapshot is compiled anew and never trusted, not even as the last good one.
"""

from __future__ import annotations

import json
import os

from blake3 import blake3

from bk.engine.config.files import stamp
from bk.engine.config.policy import PROJECT, SYSTEM, Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json
    from bk.engine.state import State

ENVIRONMENT = ("BK_FAIL_MODE",)
MAX_SNAPSHOT = 8 << 20
MAX_CWD = 4096
_FIELDS = {
    "sources": list, "racy": bool, "system": dict, "user": dict, "local": dict, "locked": list, "values": dict,
    "origin": dict, "problems": list, "digest": str,
}  # fmt: skip
_HERE = os.path.dirname(os.path.abspath(__file__))
_SCHEMA = (f"{_HERE}/schema.py", f"{_HERE}/lists.py")


def read(state: State, system: str = SYSTEM) -> Policy:
    """The settings in force: from the snapshot when its sources are unchanged, else compiled and kept.

    Raises Refusal("policy") when they cannot be had and no last good ones are known.
    """
    stamps = [(path, stamp(path)) for path in (*_SCHEMA, system, state.config, local_of(state.config))]
    body = _load(state.snapshot, state.owner)
    if body is not None and not body["racy"] and body["sources"] == [[path, now] for path, now in stamps]:
        return Policy(body["values"], body["origin"], body["problems"], body["locked"], body["digest"])
    from bk.engine.config.compiled import compile_policy, store

    policy, made = compile_policy(state, system, stamps, body)
    failed = store(state.snapshot, _sealed(made))
    if failed:
        return Policy(policy.values, policy.origin, (*policy.problems, failed), policy.locked, policy.digest)
    return policy


def local_of(config: str) -> str:
    """The file beside `config.toml` that changes lists on this machine."""
    return config.removesuffix(".toml") + ".local.toml"


def tightened(policy: Policy, cwd: str, home: str, env: Mapping[str, str]) -> Policy:
    """The policy with what the project's files and the environment tighten; the same object when they say nothing.

    Every `.bk.toml` from `cwd` up counts, so that a nearer one cannot hide a stricter one above it.
    """
    found = [path for here in above(cwd, home) if os.access(path := f"{here}/{PROJECT}", os.F_OK)]
    stated = [(name, env[name]) for name in ENVIRONMENT if env.get(name)]
    if not found and not stated:
        return policy
    from bk.engine.config.project import apply

    return apply(policy, found[::-1], home, stated)


def above(cwd: str, home: str) -> list[str]:
    """The folders that may hold a project's settings: the working directory and those above it, below the home."""
    found: list[str] = []
    here = _normal(cwd)
    stop = home.rstrip("/")
    while here and here != stop:
        found.append(here)
        here = here.rpartition("/")[0]
    return found


def _normal(cwd: str) -> str:
    """An absolute path without tricks, "" when it is none: then there is no project."""
    if not cwd.startswith("/") or len(cwd) > MAX_CWD or "\0" in cwd:
        return ""
    if not cwd.isascii():
        try:
            os.fsencode(cwd)
        except UnicodeEncodeError:
            return ""
    if "/." in cwd or "//" in cwd or cwd[-1] == "/":
        cwd = os.path.normpath(cwd)
    return cwd.lstrip("/") and "/" + cwd.lstrip("/")


def _sealed(body: Mapping[str, Json]) -> bytes:
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()
    return blake3(text).hexdigest().encode() + b"\n" + text


def _load(path: str, owner: int) -> Mapping[str, Json] | None:
    """The body of a whole, unaltered snapshot that nobody else could have written; None for anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        info = os.fstat(fd)
        if info.st_uid not in (owner, 0) or info.st_mode & 0o022 or info.st_size > MAX_SNAPSHOT:
            return None
        with open(fd, "rb", buffering=0, closefd=False) as file:
            data = file.read()
    except OSError:
        return None
    finally:
        os.close(fd)
    digest, _, text = data.partition(b"\n")
    if digest != blake3(text).hexdigest().encode():
        return None
    try:
        body: Mapping[str, Json] = json.loads(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) and {name: type(each) for name, each in body.items()} == _FIELDS else None
