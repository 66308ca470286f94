"""What the signed list says of this release, as every call reads it: one small file, sealed by its own digest.

The file is made from a copy of the list that was verified in full (see verify.py) and names the state of that copy, of
this release and of the key by stamps; when one of them is another, everything is verified anew. Nothing is fetched
here. A file that does not fit its digest is never repaired by a call: calls are blocked until a person looks.
"""

from __future__ import annotations

import json
import os
import stat

from blake3 import blake3

from bk import __version__
from bk.engine.config.files import stamp
from bk.engine.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json
    from bk.engine.state import State

UNKEYED, NEVER, CLEAR, OVERRULED, LISTED, REFUSED = "unkeyed", "never", "clear", "overruled", "listed", "refused"
STOPS = (LISTED, REFUSED)
CAUSE = "self"
NOTE, LIST = "bk-self.note", "list-"
VERIFY = "`bk self verify` checks the list again; `bk self verify --refresh` also asks for it"
ANSWER_MAX = 64 * 1024
HOUR_MS = 3_600_000
KEY_FILE = f"{os.path.dirname(os.path.abspath(__file__))}/release.pub"
_INIT = f"{os.path.dirname(os.path.dirname(os.path.dirname(KEY_FILE)))}/__init__.py"
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_FIELDS = {
    "word": str, "kind": str, "detail": str, "next_step": str, "idents": list, "serial": int, "issued_ms": int,
    "expires_ms": int, "note": str, "payload": str, "digest": str, "asked_ms": int, "problem_kind": str,
    "problem": str, "made_for": list, "stamps": list,
}  # fmt: skip


class Standing:
    """How this release stands. `word` is one of

    `unkeyed` (nothing can be checked), `never` (no list was ever accepted), `clear`, `overruled` (listed, and a person
    released this machine), `listed`, `refused` (the list, or our copy of it, cannot be trusted).

    `problem` is why the last attempt to get news brought none; `note` and `payload` name the copy that was verified.
    """

    __slots__ = (
        "asked_ms", "detail", "digest", "expires_ms", "idents", "issued_ms", "kind", "next_step", "note", "payload",
        "problem", "problem_kind", "serial", "word",
    )  # fmt: skip

    def __init__(self, word: str, kind: str = "", detail: str = "", next_step: str = "") -> None:
        self.word = word
        self.kind = kind
        self.detail = detail
        self.next_step = next_step
        self.idents: list[str] = []
        self.serial = self.issued_ms = self.expires_ms = self.asked_ms = 0
        self.note = self.payload = self.digest = self.problem_kind = self.problem = ""

    @property
    def failure(self) -> Refusal | None:
        """Why no call may be decided by this release, if that is so."""
        return Refusal(CAUSE, self.detail, self.next_step) if self.word in STOPS else None

    @property
    def matter(self) -> str:
        """What tells one thing worth reporting from another; the same for as long as it is the same."""
        return "|".join((self.word, self.kind, ",".join(self.idents), str(self.serial), __version__))

    def expired(self, now_ms: int) -> bool:
        """Whether the list has outlived its own word; it is still believed, and a person should know."""
        return 0 < self.expires_ms <= now_ms

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {name: getattr(self, name) for name in self.__slots__}


class Build:
    """What a build, or the machine's own settings, say of the list: who signs it, and where it is."""

    __slots__ = ("built_in", "key", "url")

    def __init__(self, values: Mapping[str, Json]) -> None:
        self.key = str(values.get("self_catalog.key", ""))
        self.url = str(values.get("self_catalog.url", ""))
        self.built_in = False
        if not self.key or not self.url:
            lines = [*_embedded().splitlines(), "", ""]
            self.built_in = not self.key and bool(lines[0])
            self.key = self.key or lines[0].strip()
            self.url = self.url or lines[1].strip()


def folder(state: State) -> str:
    """Where the verified copy and the answer made from it lie."""
    return f"{state.root}/own"


def watched(state: State) -> tuple[str, ...]:
    """The files whose change makes a running engine look again."""
    root = folder(state)
    try:
        lists = [name for name in os.listdir(root) if name.startswith(LIST)]
    except OSError:
        lists = []
    return (f"{root}/answer", *(f"{root}/{name}" for name in (NOTE, *sorted(lists))))


def read(state: State, values: Mapping[str, Json]) -> Standing:
    """How this release stands, by what was verified last; verified anew when that was of something else."""
    key = str(values.get("self_catalog.key", "")) or _embedded().partition("\n")[0].strip()
    if not key:
        return Standing(UNKEYED)
    body = load(state)
    if body is None:
        return damaged(state)
    if not body or not _fits(state, body, key):
        from bk.engine.own.verify import settle

        return settle(state, values)
    return of_body(body)


def damaged(state: State) -> Standing:
    """The standing while the answer cannot be what we wrote."""
    detail = f"what was verified about this release of bk was altered: {folder(state)}/answer does not fit its digest"
    return Standing(REFUSED, "answer", detail, f"find out what changed it, then: {VERIFY}")


def load(state: State) -> dict[str, Json] | None:
    """The answer's body; empty when there is no answer, None when the file is not one that we wrote."""
    try:
        fd = os.open(f"{state.root}/own/answer", _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError:
        return None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or info.st_uid not in (state.owner, 0) or info.st_mode & 0o022:
            return None
        data = os.read(fd, ANSWER_MAX + 1)
    except OSError:
        return None
    finally:
        os.close(fd)
    digest, _, text = data.partition(b"\n")
    if digest != blake3(text).hexdigest().encode():
        return None
    try:
        body: dict[str, Json] = json.loads(text)
    except ValueError:
        return None
    return body if type(body) is dict and {name: type(each) for name, each in body.items()} == _FIELDS else None


def sealed(standing: Standing, made_for: list[Json], stamps: list[Json]) -> bytes:
    """The answer's bytes."""
    text = json.dumps({**standing.told(), "made_for": made_for, "stamps": stamps}, separators=(",", ":")).encode()
    return blake3(text).hexdigest().encode() + b"\n" + text


def of_body(body: Mapping[str, Json]) -> Standing:
    """The standing that an answer tells."""
    made = Standing(body["word"])
    for name in Standing.__slots__:
        setattr(made, name, body[name])
    return made


def due(state: State, values: Mapping[str, Json], now_ms: int) -> bool:
    """Whether the list should be asked for again, where there is a key and a place at all."""
    build = Build(values)
    if not build.key or not build.url:
        return False
    body = load(state)
    asked = int(body["asked_ms"]) if body else 0
    pause = int(values.get("catalog_sync.interval_hours", 2)) * HOUR_MS
    return not asked <= now_ms < asked + pause


def made_for(key: str) -> list[Json]:
    """What an answer is true of: this key, this version, this installation of it."""
    return [key, __version__, stamp(_INIT)]


def stamps(state: State, payload: str) -> list[Json]:
    """The state of the copy that an answer was made from."""
    root = folder(state)
    return [stamp(f"{root}/{NOTE}"), stamp(f"{root}/{payload}") if payload else []]


def _fits(state: State, body: Mapping[str, Json], key: str) -> bool:
    return bool(body["made_for"] == made_for(key) and body["stamps"] == stamps(state, str(body["payload"])))


def _embedded() -> str:
    """The key that this build carries, and on the next line where its list is; "" for a build without one."""
    try:
        fd = os.open(KEY_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        return os.read(fd, 4096).decode(errors="replace")
    finally:
        os.close(fd)
