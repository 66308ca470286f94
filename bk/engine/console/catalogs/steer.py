"""What a person may have done to the catalogs: each is an entry first, and what could weaken them needs a person."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bk.engine.config.schema import SOURCES, nearest
from bk.engine.console.catalogs.work import Work
from bk.engine.console.config import propose_set
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import ready
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.text import inert

Json = Any
MAX_GENERATION = 999_999
_DIGEST = re.compile(r"[0-9a-fA-F]{64}\Z")
_IMPORT = re.compile(r"import-[a-z0-9-]{1,100}\Z")


def sync(names: Sequence[str] = (), *, force: bool = False, env: Mapping[str, str] | None = None) -> Work:
    """Ask sources for news now; with `force` also those that are not due or wait out a failure."""
    for name in names:
        known(name)
    _record("sync", env, sources=list(names), force=force)
    return Work(["sync", *(["--force"] if force else []), *names], env)


def accept(name: str, *, admin: bool, env: Mapping[str, str] | None = None) -> Work:
    """Take in what was held back from a source."""
    known(name, imported=True)
    require_admin(admin, env)
    _record("accept", env, source=name)
    return Work(["accept", name], env)


def rollback(number: int = 0, *, admin: bool, env: Mapping[str, str] | None = None) -> Work:
    """Put an earlier generation in force: the one before, or the one with this number."""
    if not 0 <= number <= MAX_GENERATION:
        raise BkError("which generation?", str(number), "bk catalogs status lists them", code=USAGE)
    require_admin(admin, env)
    _record("rollback", env, generation=number)
    return Work(["rollback", *([str(number)] if number else [])], env)


def rebuild(env: Mapping[str, str] | None = None) -> Work:
    """Build the generation in force anew from what was accepted and what came with the release."""
    _record("rebuild", env)
    return Work(["rebuild"], env)


def verify(env: Mapping[str, str] | None = None) -> Work:
    """Read every byte of the generation in force, and look for the known entries of each source."""
    ready(env)
    return Work(["verify"], env)


def forget(name: str, *, admin: bool, env: Mapping[str, str] | None = None) -> Work:
    """Take out what was imported under this name."""
    if _IMPORT.match(name) is None:
        raise BkError(
            "that is nothing imported", inert(name, 60), "bk catalogs disable NAME is for sources", code=USAGE
        )
    require_admin(admin, env)
    _record("forget", env, source=name)
    return Work(["forget", name], env)


def export(path: str, *, key: str = "", env: Mapping[str, str] | None = None) -> Work:
    """Write what is in force as text that `import` reads elsewhere; with a secret key, signed."""
    full = os.path.abspath(os.path.expanduser(path))
    if os.path.lexists(full):
        raise BkError("that file exists", inert(full, 300), "name another one", code=USAGE)
    signer = os.path.abspath(os.path.expanduser(key)) if key else ""
    _record("export", env, file=full, key=signer)
    return Work(["export", *([f"--key={signer}"] if signer else []), full], env)


def take_in(
    paths: Sequence[str],
    *,
    digest: str = "",
    vouch: str = "",
    admin: bool,
    env: Mapping[str, str] | None = None,
) -> Work:
    """Import files by hand. Without a digest or a person's word for them they may warn and never count."""
    full = [os.path.abspath(os.path.expanduser(path)) for path in paths]
    gone = next((path for path in full if not os.path.exists(path)), "")
    if gone:
        raise BkError("there is no such file", inert(gone, 300), "bk catalogs import PATH…", code=USAGE)
    if digest and (_DIGEST.match(digest) is None or len(full) != 1 or os.path.isdir(full[0])):
        raise BkError("that digest fits no one file", inert(digest, 80), "64 hex digits, for one file", code=USAGE)
    if vouch:
        if not vouch.strip():
            raise BkError("why do you vouch for it?", "", "--vouch 'where it is from'", code=USAGE)
        require_admin(admin, env)
    _record("import", env, files=full, sha256=digest.lower(), vouch=vouch[:400])
    proof = [f"--{name}={value}" for name, value in (("sha256", digest.lower()), ("vouch", vouch[:400])) if value]
    return Work(["import", *proof, *full], env)


def switch(name: str, *, on: bool, admin: bool, env: Mapping[str, str] | None = None) -> bool:
    """Have a source asked, or no longer; False when it already was so."""
    known(name)
    state = ready(env)
    proposal = propose_set(state, f"catalogs.{name}.enabled", "true" if on else "false")
    if not any(change.old != change.new for change in proposal.changes):
        return False
    require_admin(admin, env)
    proposal.make(admin=admin, actor=_person())
    return True


def known(name: str, *, imported: bool = False) -> None:
    """Refuse a name that no source has; the nearest one is offered."""
    if name in SOURCES or (imported and _IMPORT.match(name) is not None):
        return
    close = nearest(name, tuple(SOURCES))
    hint = f"did you mean {close}?" if close else f"sources: {', '.join(SOURCES)}"
    raise BkError("there is no such source", inert(name, 60), hint, code=USAGE)


def _record(verb: str, env: Mapping[str, str] | None, **said: Json) -> None:
    """The person's word goes on record before the worker is asked; what the worker then does is its own entry."""
    ledger = Ledger.open(ready(env))
    try:
        data = {"verb": f"catalogs {verb}", **{key: value for key, value in said.items() if value}}
        ledger.append([Entry("admin", _person(), data)], sync=True)
    finally:
        ledger.close()


def _person() -> str:
    return f"person:{os.getuid()}"
