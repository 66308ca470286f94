"""This very release, as a person may ask about it: what the signed list says, and what a person decided against it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from bk import __version__
from bk.engine.config import snapshot
from bk.engine.console.catalogs.work import Work
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import ready
from bk.engine.console.probes import BAD, OK, UNKNOWN, WARN, Part
from bk.engine.errors import USAGE, BkError
from bk.engine.model import Entry
from bk.engine.own import artifact, memory, verify
from bk.engine.own.standing import LISTED, NEVER, REFUSED, UNKEYED, Build, Standing, read
from bk.engine.state import State

Json = Any
REASON_MAX = 400
NO_KEY = "this build carries no release key: whether it was listed as compromised cannot be checked"
NO_KEY_STEP = "set self_catalog.key and self_catalog.url in /etc/bk/config.toml, or use a build that carries a key"
NO_PLACE = "nobody said where the list is: it is never asked for"
NO_PLACE_STEP = "bk config set self_catalog.url https://…"
REFRESH_STEP = "bk self verify --refresh"


class Report:
    """This release and the list about it, at one moment; `overruled` are the words of people, kept for ever."""

    __slots__ = ("build", "digest", "key", "now_ms", "overruled", "standing", "version")

    def __init__(self, state: State, values: Mapping[str, Json], standing: Standing) -> None:
        self.now_ms = verify.now()
        self.version = __version__
        self.standing = standing
        self.build = Build(values)
        self.key = ""
        self.digest = standing.digest
        self.overruled: list[Entry] = []
        if self.build.key and standing.kind != verify.UNREADABLE:
            self.key = verify.short(self.build.key)
            self.overruled = memory.recall(state, self.key).overruled

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What is not as it should be, short of a refusal, each with what to do."""
        standing, found = self.standing, []
        if standing.word == UNKEYED:
            return [(NO_KEY, NO_KEY_STEP)]
        if not self.build.url:
            found.append((NO_PLACE, NO_PLACE_STEP))
        if standing.word == NEVER:
            found.append(("no list of compromised releases was ever accepted", REFRESH_STEP))
        if standing.problem and standing.word != REFUSED:
            found.append((f"the last attempt to get news failed: {standing.problem}", REFRESH_STEP))
        if standing.expired(self.now_ms):
            told = f"the list has expired; what it said (serial {standing.serial}) still holds"
            found.append((told, REFRESH_STEP))
        found += [
            (f"{each.data.get('entry')} names this release, and {each.actor} released this machine from it", "")
            for each in self.overruled
            if each.data.get("entry") in standing.idents and each.data.get("serial") == standing.serial
        ]
        return found

    def told(self) -> dict[str, Json]:
        """For a program."""
        said = self.standing.told()
        said["release"] = {"version": self.version, "digest": self.digest}
        said["key"], said["built_in"], said["url"] = self.key, self.build.built_in, self.build.url
        said["expired"] = self.standing.expired(self.now_ms)
        said["problems"] = [problem for problem, _ in self.problems]
        said["overruled"] = [{**each.data, "by": each.actor, "at_ms": each.at} for each in self.overruled]
        return said


def status(env: Mapping[str, str] | None = None) -> Report:
    """How this release stands, by what was verified last."""
    state = ready(env)
    values = snapshot.read(state).values
    return Report(state, values, read(state, values))


def check(*, refresh: bool = False, source: str = "", env: Mapping[str, str] | None = None) -> Report:
    """Verify the local copy, this release's own files and the answer made from them anew; with `refresh` after asking
    for news, with `source` after taking the list from a folder."""
    state = ready(env)
    values = snapshot.read(state).values
    if refresh or source:
        if not Build(values).key:
            raise BkError("the list cannot be asked for", NO_KEY, NO_KEY_STEP)
        said = Work(["self", *(["--source", os.path.abspath(source)] if source else [])], env).finished()
        outcome = said.get("result", {})
        if source and outcome.get("outcome") == "kept":
            raise BkError("that list cannot be taken", str(outcome.get("detail", "")), "what was accepted before holds")
    artifact.forget(state)
    return Report(state, values, verify.settle(state, values))


def overrule(ident: str, *, reason: str, admin: bool, env: Mapping[str, str] | None = None) -> Report:
    """Release this machine from one listing, as it is in the list that is in force: the next list asks again."""
    require_admin(admin, env)
    if not reason.strip():
        raise BkError("why?", "a listing that is overruled without a reason cannot be reviewed", "--reason '…'")
    state = ready(env)
    values = snapshot.read(state).values
    standing = verify.settle(state, values)
    if standing.word != LISTED or ident not in standing.idents:
        named = ", ".join(standing.idents) or "no entry"
        raise BkError(
            "there is no such listing", f"{named} names this release", "`bk self status` shows it", code=USAGE
        )
    said = {
        "verb": "self overrule",
        "outcome": memory.OVERRULED,
        "key": verify.short(Build(values).key),
        "entry": ident,
        "serial": standing.serial,
        "reason": reason.strip()[:REASON_MAX],
        "release": __version__,
        "digest": standing.digest,
    }
    memory.keep(state, said, verify.now(), values, actor=f"person:{os.getuid()}")
    return Report(state, values, verify.settle(state, values))


def release(path: str = "") -> artifact.Release:
    """The release in a wheel, an sdist or a folder; without one, the release that is running."""
    return artifact.release(path or artifact.PACKAGE)


def part(state: State) -> Part:
    """The line of `bk diag`."""
    values = snapshot.read(state).values
    if not Build(values).key:
        return Part("release", UNKNOWN, NO_KEY, NO_KEY_STEP)
    report = Report(state, values, read(state, values))
    standing = report.standing
    if standing.failure is not None:
        return Part("release", BAD, standing.detail, standing.next_step)
    for problem, step in report.problems:
        return Part("release", WARN, problem, step or "bk self status")
    until = time.strftime("%Y-%m-%d", time.gmtime(standing.expires_ms / 1000))
    return Part(
        "release", OK, f"{__version__} is not on the list of compromised ones (serial {standing.serial}, {until})"
    )


def word(state: State) -> dict[str, tuple[str, str]]:
    """What the dashboard shows at all times while this release must not guard anything."""
    standing = read(state, snapshot.read(state).values)
    said = {LISTED: "COMPROMISED", REFUSED: "UNTRUSTED"}.get(standing.word)
    return {"release": (said, "")} if said else {}
