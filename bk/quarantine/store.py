"""The books of the quarantine: one row an item, one line a step, and a sealed manifest beside each payload.

The database is what counts. The manifest beside the payload is a second witness under a key of this installation: where
the two differ, somebody altered one, and nothing is put back on its word.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import sqlite3
import time

from bk.engine.errors import BkError
from bk.quarantine.kernel import refused
from bk.quarantine.record import Held
from bk.quarantine.refused import HoldRefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.state import State

LOCK_S = 10.0
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS item(
  id TEXT PRIMARY KEY, state TEXT NOT NULL, manifest TEXT NOT NULL, at_ms INTEGER NOT NULL, note TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS journal(
  seq INTEGER PRIMARY KEY, item TEXT NOT NULL, step TEXT NOT NULL, at_ms INTEGER NOT NULL, detail TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
"""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def new_ident(now_ms: int) -> str:
    """A name that sorts by time, cannot be guessed, and holds nothing from outside."""
    number = (now_ms << 80) | secrets.randbits(80)
    return "q_" + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


class Books:
    """The open books, with the lock that lets one process at a time move anything. Use as a context manager."""

    __slots__ = ("_con", "_key", "_lock", "items", "root", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.root = f"{state.root}/quarantine"
        self.items = -1
        self._lock = -1
        self._key = b""

    def __enter__(self) -> Books:
        self.state.ensure()
        try:
            for path in (self.root, f"{self.root}/items"):
                if not os.path.isdir(path):
                    os.mkdir(path, 0o700)
            self._lock = _locked(f"{self.root}/lock")
            self.items = os.open(f"{self.root}/items", _DIRECTORY)
            self._con = connect(self.state, write=True)
            self._con.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._close()
            raise unreadable(self.state, error) from error
        except OSError as error:
            self._close()
            raise refused(error, self.root) from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._con.close()
        self._close()
        if isinstance(error, sqlite3.Error):  # such as a full disk
            raise unreadable(self.state, error) from error

    def _close(self) -> None:
        for fd in (self.items, self._lock):
            if fd >= 0:
                os.close(fd)
        self.items = self._lock = -1

    # ---- rows

    def add(self, held: Held) -> None:
        """A new item; nothing has been touched yet."""
        self._con.execute(
            "INSERT INTO item VALUES (?, ?, ?, ?, '')", (held.ident, held.state, written(held), held.at_ms)
        )
        self.step(held, "planned")

    def move_to(self, held: Held, state: str, note: str = "") -> None:
        """Another state of an item, with the step that led there, both on disk when this returns."""
        self._con.execute("BEGIN IMMEDIATE")
        self._con.execute("UPDATE item SET state = ?, note = ? WHERE id = ?", (state, note, held.ident))
        self.step(held, state, note)
        self._con.execute("COMMIT")
        held.state, held.problem = state, note

    def step(self, held: Held, step: str, detail: str = "") -> None:
        """One line of the journal."""
        now = time.time_ns() // 1_000_000
        self._con.execute(
            "INSERT INTO journal(item, step, at_ms, detail) VALUES (?, ?, ?, ?)", (held.ident, step, now, detail)
        )

    def item(self, ident: str) -> Held:
        """One item by its id."""
        return item(self._con, ident)

    def every(self) -> Iterator[Held]:
        """Every item, newest first."""
        return every(self._con)

    # ---- manifests

    def key(self) -> bytes:
        """The key of this installation's manifests, made once."""
        if not self._key:
            rows = self._con.execute("SELECT count(*) FROM item WHERE state IN ('held', 'restoring')").fetchone()
            self._key = key_of(self.state, make=not rows[0])  # a new key would make all that is held look tampered
        return self._key

    def seal(self, held: Held) -> None:
        """Write the manifest beside the payload, whole and on disk."""
        text = written(held)
        seal = hmac.new(self.key(), text.encode(), "sha256").hexdigest()
        where = self.place(held)
        try:
            fd = os.open("manifest.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600, dir_fd=where)
            with open(fd, "w", encoding="ascii") as file:
                file.write(json.dumps({"manifest": text, "hmac": seal}, indent=1) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.rename("manifest.new", "manifest.json", src_dir_fd=where, dst_dir_fd=where)
            os.fsync(where)
        finally:
            os.close(where)

    def make_place(self, held: Held) -> None:
        """The item's own directory, with an empty payload."""
        os.mkdir(held.ident, 0o700, dir_fd=self.items)
        where = self.place(held)
        try:
            os.mkdir("payload", 0o700, dir_fd=where)
            os.fsync(where)
        finally:
            os.close(where)
        os.fsync(self.items)

    def place(self, held: Held) -> int:
        """The item's directory, opened; a link in its place is tampering."""
        return opened_place(self.items, held.ident)

    def payload(self, held: Held) -> int:
        """The directory that its parts lie in, opened."""
        where = self.place(held)
        try:
            return os.open("payload", _DIRECTORY, dir_fd=where)
        except OSError as error:
            raise HoldRefusedError("tampered", f"{held.ident}: {error.strerror}") from error
        finally:
            os.close(where)

    def drop_place(self, held: Held) -> None:
        """Remove the item's directory, which holds nothing but the manifest any more."""
        try:
            where = self.place(held)
        except HoldRefusedError:
            return
        try:
            for name in os.listdir(where):
                if name == "payload":
                    os.rmdir(name, dir_fd=where)
                elif name.startswith("manifest."):
                    os.unlink(name, dir_fd=where)
        finally:
            os.close(where)
        os.rmdir(held.ident, dir_fd=self.items)
        os.fsync(self.items)


def connect(state: State, *, write: bool) -> sqlite3.Connection:
    """The database; every commit of a writer is on disk, because a move follows it."""
    path = f"{state.root}/quarantine.db"
    if not write:
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0, isolation_level=None)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    con = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("PRAGMA synchronous = FULL")
    return con


def item(con: sqlite3.Connection, ident: str) -> Held:
    """One item by its id, exactly."""
    row = con.execute("SELECT manifest, state, note FROM item WHERE id = ?", (ident,)).fetchone()
    if row is None:
        raise HoldRefusedError("not_found", ident[:60], "`bk quarantine list` shows what is held")
    return _held(row)


def every(con: sqlite3.Connection) -> Iterator[Held]:
    """Every item, newest first."""
    for row in con.execute("SELECT manifest, state, note FROM item ORDER BY id DESC"):
        yield _held(row)


def _held(row: tuple[str, str, str]) -> Held:
    try:
        held = Held.read(json.loads(row[0]), row[1])
    except (ValueError, LookupError, TypeError) as error:
        raise BkError("the quarantine's books are damaged", f"a row cannot be read: {error}", "bk diag") from error
    held.problem = row[2]
    return held


def written(held: Held) -> str:
    """The manifest as text, the same for the row and for the file: ASCII, so that any name of a file survives."""
    return json.dumps(held.told(), sort_keys=True, separators=(",", ":"))


def witnessed(state: State, items: int, held: Held) -> str:
    """What is wrong with an item's manifest; "" when it says what the books say, under our key."""
    try:
        where = opened_place(items, held.ident)
    except HoldRefusedError as error:
        return error.detail
    try:
        fd = os.open("manifest.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=where)
        with open(fd, encoding="ascii") as file:
            told = json.loads(file.read(64 << 20))
        text, seal = str(told["manifest"]), str(told["hmac"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        return f"its manifest cannot be read: {error}"
    finally:
        os.close(where)
    if not hmac.compare_digest(hmac.new(key_of(state), text.encode(), "sha256").hexdigest(), seal):
        return "its manifest was altered"
    return "" if text == written(held) else "its manifest and the books differ"


def opened_place(items: int, ident: str) -> int:
    """An item's directory below the open `items`."""
    try:
        return os.open(ident, _DIRECTORY, dir_fd=items)
    except OSError as error:
        raise HoldRefusedError("tampered", f"{ident}: {error.strerror}") from error


def key_of(state: State, *, make: bool = False) -> bytes:
    """The key of this installation's manifests."""
    path = f"{state.keys}/quarantine"
    try:
        if make and not os.path.lexists(path):
            fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            os.rename(f"{path}.new", path)
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            key = file.read(33)
    except OSError as error:
        raise BkError("the quarantine's key cannot be read", f"{path}: {error.strerror}") from error
    if len(key) != 32:
        raise BkError("the quarantine's key is damaged", f"{path}: {len(key)} bytes", "restore keys/quarantine")
    return key


def unreadable(state: State, error: sqlite3.Error) -> BkError:
    """The books cannot be used, so nothing is moved."""
    return BkError("the quarantine's books cannot be used", f"{state.root}/quarantine.db: {error}", "bk diag")


def _locked(path: str) -> int:
    import fcntl

    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    until = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(fd)
                raise HoldRefusedError("locked", path, "try again when it is done") from None
            time.sleep(0.02)
