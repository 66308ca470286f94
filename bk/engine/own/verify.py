"""The verified copy of the list: checked in full against the key, the record and this release; the answer is made here.

A call gets here only when there is no answer yet, or when the release, the key or the copy is another than before. The
engine gets here at its start and whenever the copy changes, so that an answer that was forged is found.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from hashlib import sha256

from bk import __version__
from bk.engine.config.files import replace
from bk.engine.errors import BkError
from bk.engine.intel import signed
from bk.engine.intel.sources.source import FeedError
from bk.engine.notes import PublicKey
from bk.engine.own import artifact, listing
from bk.engine.own.memory import Memory, recall
from bk.engine.own.standing import (
    CLEAR,
    LISTED,
    NEVER,
    NOTE,
    OVERRULED,
    REFUSED,
    STOPS,
    UNKEYED,
    VERIFY,
    Build,
    Standing,
    damaged,
    folder,
    load,
    made_for,
    sealed,
    stamps,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.intel.signed import SignedFeed
    from bk.engine.model import Json
    from bk.engine.own.listing import Listed
    from bk.engine.state import State

UPGRADE = "install another release of bk, from where you trust; `bk self status` tells what is known"
UNREADABLE = "unreadable"
FORGED = "; the answer that was kept said otherwise: something had forged it"
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_PAYLOAD = re.compile(rb"^payload ([A-Za-z0-9][A-Za-z0-9._-]{0,99}) ", re.MULTILINE)


class Copy:
    """A copy of the list that was verified: the note, its one payload, and what it lists."""

    __slots__ = ("entries", "feed", "note", "payload")

    def __init__(self, feed: SignedFeed, note: bytes, payload: str, entries: tuple[Listed, ...]) -> None:
        self.feed = feed
        self.note = note
        self.payload = payload
        self.entries = entries


class Lock:
    """One process at a time changes the copy or the answer; released by the kernel if its holder dies."""

    __slots__ = ("_fd", "_path")

    def __init__(self, state: State) -> None:
        os.makedirs(folder(state), mode=0o700, exist_ok=True)
        self._path = f"{folder(state)}/lock"
        self._fd = -1

    def __enter__(self) -> None:
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def settle(
    state: State, values: Mapping[str, Json], *, asked_ms: int = 0, kind: str = "", problem: str = ""
) -> Standing:
    """Verify everything now and keep the answer, whatever the last one was. The words about the last attempt to get
    news are taken over from it, unless new ones are given with `asked_ms`."""
    build = Build(values)
    if not build.key:
        return Standing(UNKEYED)
    try:
        with Lock(state):
            made = _standing(state, build.key)
            before = load(state)
            if asked_ms:
                made.asked_ms, made.problem_kind, made.problem = asked_ms, kind, problem
            elif before:
                made.asked_ms, made.problem_kind = before["asked_ms"], before["problem_kind"]
                made.problem = before["problem"]
            if made.kind != UNREADABLE:  # that may pass by itself: nothing is remembered of it
                keep(state, made, build.key)
    except OSError as error:
        detail = f"the list of compromised releases cannot be checked: {error.filename or folder(state)}"
        return Standing(REFUSED, UNREADABLE, f"{detail}: {error.strerror}", "make it readable and writable for you")
    return made


def prove(state: State, values: Mapping[str, Json]) -> Standing:
    """How this release stands, by the copy and not by the answer; one that was altered stays refused."""
    build = Build(values)
    said = load(state) if build.key else {}
    if said is None:
        return damaged(state)
    made = settle(state, values)
    if said and said["word"] not in STOPS and made.word in STOPS and said["digest"] == made.digest:
        fits = said["made_for"] == made_for(build.key) and said["stamps"] == stamps(state, made.payload)
        made.detail += FORGED if fits else ""
    return made


def keep(state: State, standing: Standing, key: str) -> None:
    """Write the answer, if it says anything new."""
    path = f"{folder(state)}/answer"
    data = sealed(standing, made_for(key), stamps(state, standing.payload))
    try:
        with open(path, "rb") as file:
            same = file.read() == data
    except FileNotFoundError:
        same = False
    if not same:
        replace(path, data)


def opened(note: bytes, key: str) -> SignedFeed:
    """The note of the list, if the release key signed these bytes, whatever its serial and dates; raises FeedError."""
    feed = signed.read(note, key)
    if feed.feed != listing.FEED:
        raise FeedError("wrong-feed", f"the note is of the feed {feed.feed!r}, not of {listing.FEED!r}")
    if len(feed.payloads) != 1:
        raise FeedError("malformed", f"the note names {len(feed.payloads)} files, not one")
    return feed


def copy(state: State, key: str) -> Copy | None:
    """The local copy, verified; None when there is none. Raises FeedError for one that is not what was signed."""
    note = _bytes(f"{folder(state)}/{NOTE}", signed.NOTE_MAX)
    if note is None:
        return None
    feed = opened(note, key)
    name = feed.payloads[0].name
    data = _bytes(f"{folder(state)}/{name}", listing.LIST_MAX)
    if data is None:
        raise FeedError("signature", f"the list {name} that the note covers is missing")
    return Copy(feed, note, name, listing.parse(feed.checked(name, data)))


def short(key: str) -> str:
    """The key as people and the record name it; BkError for what is no key."""
    try:
        return PublicKey.parse(key).short
    except ValueError as error:
        step = "correct self_catalog.key in /etc/bk/config.toml, or reinstall bk"
        raise BkError("the release key cannot be used", "it is not NAME+ID+BASE64", step) from error


def _standing(state: State, key: str) -> Standing:
    """The truth about this release, from the key, the copy and the record."""
    try:
        name = short(key)
        known = recall(state, name)
    except BkError as error:
        return Standing(REFUSED, UNREADABLE, str(error), error.next_step or "bk audit verify")
    try:
        held = copy(state, key)
    except FeedError as wrong:
        if not known.serial:  # nothing was ever accepted under this key: the copy is another key's
            return Standing(NEVER)
        made = _mistrusted(state, "copy", f"our copy of it was altered ({wrong.detail})", known)
        made.payload = _named(state)
        return made
    if held is None:
        if not known.serial:
            return Standing(NEVER)
        return _mistrusted(state, "missing", f"our copy of it is gone, and serial {known.serial} was accepted", known)
    feed = held.feed
    if feed.serial < known.serial:
        why = f"our copy of it has serial {feed.serial}, and {known.serial} was accepted"
        return _described(_mistrusted(state, "rolled-back", why, known), held)
    digest = artifact.known(state)
    hits = listing.matching(held.entries, __version__, digest)
    made = _hit(hits, feed.serial, known) if hits else Standing(CLEAR)
    if known.refused is not None and made.word not in STOPS:
        why = str(known.refused.data.get("detail", ""))
        made = _mistrusted(
            state, "signature", f"what was offered as it is not signed by the release key ({why})", known
        )
    made.digest = digest
    return _described(made, held)


def _hit(hits: tuple[Listed, ...], serial: int, known: Memory) -> Standing:
    said = "; ".join(f"{each.ident} ({each.what}, {each.severity}, {each.date}): {each.reason}" for each in hits[:4])
    held = [each for each in hits if not known.released(each.ident, serial)]
    if held:
        detail = f"this release of bk ({__version__}) is listed as compromised and must not guard anything: {said}"
        made = Standing(LISTED, "version" if held[0].version else "digest", detail, UPGRADE)
    else:
        made = Standing(OVERRULED, detail=f"listed, and a person released this machine from it: {said}")
    made.idents = [each.ident for each in hits]
    return made


def _mistrusted(state: State, kind: str, why: str, known: Memory) -> Standing:
    """A refusal. That this release was listed when the list could still be read is said with it."""
    detail = f"the list of compromised releases cannot be trusted: {why}"
    last = known.accepted.data.get("listed") if known.accepted is not None else None
    if last:
        detail += f"; when it was last read it listed this machine's release: {', '.join(map(str, last))[:200]}"
    return Standing(REFUSED, kind, detail, f"{VERIFY}; the copy is in {folder(state)}")


def _described(standing: Standing, held: Copy) -> Standing:
    standing.serial = held.feed.serial
    standing.issued_ms, standing.expires_ms = held.feed.issued_ms, held.feed.expires_ms
    standing.note, standing.payload = sha256(held.note).hexdigest(), held.payload
    return standing


def _named(state: State) -> str:
    """The payload that a note names, believed only as far as its file is watched for being put right."""
    try:
        found = _PAYLOAD.search(_bytes(f"{folder(state)}/{NOTE}", signed.NOTE_MAX) or b"")
    except FeedError:
        return ""
    return found[1].decode() if found else ""


def _bytes(path: str, most: int) -> bytes | None:
    """A file of the copy; None when it is missing, FeedError when it is none of ours."""
    try:
        fd = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FeedError("disk", f"{path}: {error.strerror}") from error
    with open(fd, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise FeedError("too-large", f"{path} is larger than {most} bytes")
    return data


def now() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000
