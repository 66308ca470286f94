"""Getting news of compromised releases: fetched, verified in full, then put in the place of our copy.

This is the only part that speaks to a network, and only the catalogs' worker process runs it. What is not signed by the
release key makes every call be blocked; what is old, unreachable or unreadable leaves in force what was accepted last.
"""

from __future__ import annotations

import os

from bk.engine.config.files import replace
from bk.engine.errors import BkError
from bk.engine.intel import signed
from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.client import Web
from bk.engine.own import listing, memory, verify
from bk.engine.own.standing import LIST, NOTE, UNKEYED, Build, Standing, folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json
    from bk.engine.own.memory import Memory
    from bk.engine.own.verify import Copy
    from bk.engine.state import State

ACCEPTED, UNCHANGED, KEPT, REFUSED, UNPLACED = "accepted", "unchanged", "kept", "refused", "unplaced"
FORGED = ("signature", "malformed", "wrong-feed")
DEADLINE_S = 60.0
AGAIN_MS = 30 * 86_400_000
ACTOR = "worker"


class Outcome:
    """What came of it. `word` is `accepted`, `unchanged`, `kept` (no usable news: `kind` and `detail` say why; what was
    accepted last holds), `refused` (not signed by the release key: calls are blocked), `unkeyed` or `unplaced` (there
    is no key, or no address, to ask with)."""

    __slots__ = ("detail", "kind", "standing", "word")

    def __init__(self, word: str, standing: Standing, kind: str = "", detail: str = "") -> None:
        self.word = word
        self.standing = standing
        self.kind = kind
        self.detail = detail

    @property
    def ok(self) -> bool:
        """Whether the list is as current as it can be here."""
        return self.word in (ACCEPTED, UNCHANGED, UNKEYED, UNPLACED)

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {
            "outcome": self.word,
            "kind": self.kind,
            "detail": self.detail,
            "release": self.standing.word,
            "serial": self.standing.serial,
        }


class Online:
    """The place where the list is published: what is not signed there is somebody's attempt."""

    __slots__ = ("_base", "_web")
    published = True

    def __init__(self, web: Web, base: str) -> None:
        self._web = web
        self._base = base.rstrip("/")

    def read(self, name: str, most: int) -> bytes:
        """One file of it; FeedError when it cannot be had whole."""
        return self._web.read(f"{self._base}/{name}", max_bytes=most).data


class Carried:
    """A folder that a person brought, where there is no network; nothing follows from what is wrong with it."""

    __slots__ = ("_folder",)
    published = False

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, name: str, most: int) -> bytes:
        """One file of it."""
        try:
            with open(f"{self._folder}/{name}", "rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise FeedError("disk", f"{self._folder}/{name}: {error.strerror}") from error
        if len(data) > most:
            raise FeedError("too-large", f"{self._folder}/{name} is larger than {most} bytes")
        return data


def refresh(state: State, policy_values: Mapping[str, Json], now_ms: int, *, source: str = "") -> Outcome:
    """Ask for the list (or take it from the folder `source`), accept what may be accepted, and settle the answer."""
    build = Build(policy_values)
    if not build.key:
        return Outcome(UNKEYED, Standing(UNKEYED))
    try:
        return _refreshed(state, policy_values, now_ms, build, source)
    except (BkError, OSError) as error:  # the ledger or the disk: they say so by themselves, wherever they are needed
        standing = verify.settle(state, policy_values, asked_ms=now_ms, kind="local", problem=str(error)[:300])
        return Outcome(KEPT, standing, "local", str(error))


def _refreshed(state: State, values: Mapping[str, Json], now_ms: int, build: Build, source: str) -> Outcome:
    if source:
        return _taken(Carried(source), state, values, now_ms, build.key)
    if not build.url:
        return Outcome(UNPLACED, verify.settle(state, values), "address", "self_catalog.url is not set")
    proxy, ca_file = str(values.get("catalog_sync.proxy", "")), str(values.get("catalog_sync.ca_file", ""))
    try:
        with Web(folder(state), (), base=build.url, proxy=proxy, ca_file=ca_file, deadline_s=DEADLINE_S) as web:
            return _taken(Online(web, build.url), state, values, now_ms, build.key)
    except FeedError as wrong:  # the address itself is none
        return _kept(state, values, now_ms, wrong, verify.short(build.key))


def _taken(carrier: Online | Carried, state: State, values: Mapping[str, Json], now_ms: int, key: str) -> Outcome:
    name = verify.short(key)
    known = memory.recall(state, name)
    try:
        held = _held(state, key)
        note = carrier.read(NOTE, signed.NOTE_MAX)
        try:
            verify.opened(note, key)
            feed = signed.opened(note, key, feed=listing.FEED, now_ms=now_ms, least_serial=_least(held, known))
            payload = feed.payloads[0]
            if feed.serial == known.serial and known.accepted and known.accepted.data.get("list") != payload.digest:
                raise FeedError("two-lists", f"another list was offered with serial {feed.serial}, which is in force")
            fresh = held is None or held.feed.serial != feed.serial
            data = feed.checked(payload.name, carrier.read(payload.name, listing.LIST_MAX)) if fresh else b""
        except FeedError as wrong:
            if wrong.kind in FORGED and carrier.published:
                return _refused(state, values, now_ms, wrong, (name, known))
            raise
        if fresh:
            listing.parse(data)
            _put(state, note, payload.name, data)
    except FeedError as wrong:
        return _kept(state, values, now_ms, wrong, name)
    standing = verify.settle(state, values, asked_ms=now_ms)
    entry = known.accepted
    if known.refused or entry is None or known.serial < feed.serial or entry.at < now_ms - AGAIN_MS:
        said: dict[str, Json] = {
            "outcome": memory.ACCEPTED,
            "key": name,
            "serial": feed.serial,
            "expires_ms": feed.expires_ms,
            "list": feed.payloads[0].digest,
            "release": standing.word,
            "listed": standing.idents,
        }
        memory.keep(state, said, now_ms, values, actor=ACTOR)
        standing = verify.settle(state, values, asked_ms=now_ms)
    return Outcome(ACCEPTED if fresh else UNCHANGED, standing)


def _held(state: State, key: str) -> Copy | None:
    """Our copy, if it is whole: a damaged one is replaced by any list that may be accepted at all."""
    try:
        return verify.copy(state, key)
    except FeedError:
        return None


def _least(held: Copy | None, known: Memory) -> int:
    return max(known.serial, held.feed.serial if held is not None else 0)


def _put(state: State, note: bytes, payload: str, data: bytes) -> None:
    """Replace the copy: the list first, under its own name, then the note that names it; at every moment one pair is
    whole. What no note names any more is taken away."""
    root = folder(state)
    try:
        with verify.Lock(state):
            replace(f"{root}/{payload}", data)
            replace(f"{root}/{NOTE}", note)
            for name in os.listdir(root):
                if name.startswith(LIST) and name != payload:
                    os.unlink(f"{root}/{name}")
    except OSError as error:
        raise FeedError("disk", f"{error.filename or root}: {error.strerror}") from error


def _refused(
    state: State, values: Mapping[str, Json], now_ms: int, wrong: FeedError, under: tuple[str, Memory]
) -> Outcome:
    """Somebody offers a list that the release key did not sign: from here on calls are blocked."""
    name, known = under
    if known.refused is None:
        said = {"outcome": memory.REFUSED, "key": name, "serial": known.serial, "kind": wrong.kind}
        memory.keep(state, {**said, "detail": wrong.detail[:300]}, now_ms, values, actor=ACTOR)
    standing = verify.settle(state, values, asked_ms=now_ms, kind=wrong.kind, problem=wrong.detail[:300])
    return Outcome(REFUSED, standing, wrong.kind, wrong.detail)


def _kept(state: State, values: Mapping[str, Json], now_ms: int, wrong: FeedError, name: str) -> Outcome:
    """No usable news: said wherever the list is looked at, and recorded when it is another trouble than before."""
    before = verify.settle(state, values)
    standing = verify.settle(state, values, asked_ms=now_ms, kind=wrong.kind, problem=wrong.detail[:300])
    if before.problem_kind != wrong.kind:
        said = {"outcome": memory.NOTED, "key": name, "serial": standing.serial, "kind": wrong.kind}
        memory.keep(state, {**said, "detail": wrong.detail[:300]}, now_ms, values, actor=ACTOR)
    return Outcome(KEPT, standing, wrong.kind, wrong.detail)
