"""Where the trail is kept: one small database, read when lowering first asks, cached while the engine lives.

What cannot be read or kept is never passed over in silence: `trouble` tells it, and what could not be written stays in
memory until it can be.
"""

from __future__ import annotations

import os
import sqlite3
import stat

from bk.engine.trail.steps import steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _collections_abc import dict_items, dict_keys, dict_values
    from collections.abc import Iterator, Sequence

    from bk.engine.model import Action, ToolCall
    from bk.engine.state import State
    from bk.engine.trail.steps import Step

NAME = "trail.db"
KEEP_MS = 30 * 86_400_000
MAX_ROWS = 50_000
MAX_SESSION = 2_000
MAX_CACHED = 64
MAX_KEY = 400
MAX_PATH = 4_096
READ_S, WRITE_S = 0.05, 0.25
_SCHEMA = """
CREATE TABLE IF NOT EXISTS trail (
  session TEXT NOT NULL, path TEXT NOT NULL, takes TEXT NOT NULL, tree INTEGER NOT NULL, gone INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, PRIMARY KEY (session, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS trail_at ON trail (at_ms);
"""
_PUT = "INSERT OR REPLACE INTO trail (session, path, takes, tree, gone, at_ms) VALUES (?, ?, ?, ?, ?, ?)"


class Row:
    """One path: what it holds, whether all below it does, the inode it had when something may have removed it."""

    __slots__ = ("at_ms", "gone", "takes", "tree")

    def __init__(self, takes: tuple[str, ...], tree: bool, gone: int, at_ms: int) -> None:
        self.takes = takes
        self.tree = tree
        self.gone = gone
        self.at_ms = at_ms


class Tracks(dict[str, tuple[str, ...]]):
    """What a session left where, looked up when it is first asked for. `used` are the answers that were given.

    A path below a folder that was filled as a whole, and another name of a path (a link), get that path's answer.
    """

    __slots__ = ("_call", "_loaded", "_rows", "_store", "_trees", "trouble", "used")

    def __init__(self, store: Trail, call: ToolCall) -> None:
        self._store = store
        self._call = call
        self._loaded = False
        self._rows: dict[str, Row] = {}
        self._trees = False
        self.trouble = ""
        self.used: dict[str, tuple[str, ...]] = {}

    def __reduce__(self) -> tuple[type, tuple[dict[str, tuple[str, ...]]]]:
        return dict, (dict(self.used),)  # what was answered is all that a replay needs

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        self._rows, self.trouble = self._store.rows(key_of(self._call))
        for path, row in self._rows.items():
            if not row.gone or _inode(path) == row.gone:
                dict.__setitem__(self, path, row.takes)
                self._trees = self._trees or row.tree

    def __bool__(self) -> bool:
        self._load()
        return bool(dict.__len__(self))

    def __len__(self) -> int:
        self._load()
        return dict.__len__(self)

    def __contains__(self, path: object) -> bool:
        return bool(self.get(path))

    def __getitem__(self, path: str) -> tuple[str, ...]:
        takes = self.get(path)
        if not takes:
            raise KeyError(path)
        return takes

    def __iter__(self) -> Iterator[str]:
        self._load()
        return dict.__iter__(self)

    def get(self, path: object, default: object = None) -> tuple[str, ...]:
        """What went into the file, () for one that is not on the trail."""
        self._load()
        if not dict.__len__(self) or not isinstance(path, str):
            return default if isinstance(default, tuple) else ()
        takes = self._of(path)
        if not takes and path.startswith("/"):
            real = _real(path)
            takes = self._of(real) if real != path else ()
        if takes:
            self.used[path] = takes
            return takes
        return default if isinstance(default, tuple) else ()

    def _of(self, path: str) -> tuple[str, ...]:
        takes = dict.get(self, path, ())
        if takes or not self._trees:
            return takes
        at = path
        while at:
            at = at.rpartition("/")[0]
            row = self._rows.get(at or "/")
            if row is not None and row.tree and dict.__contains__(self, at or "/"):
                return row.takes
        return ()

    def items(self) -> dict_items[str, tuple[str, ...]]:
        """Every path with its takes; a caller that walks them has been given them all."""
        self._load()
        for path in dict.__iter__(self):
            self.used[path] = dict.__getitem__(self, path)
        return dict.items(self)

    def keys(self) -> dict_keys[str, tuple[str, ...]]:
        """Every path."""
        self._load()
        return dict.keys(self)

    def values(self) -> dict_values[str, tuple[str, ...]]:
        """Every path's takes."""
        self._load()
        return dict.values(self)


class Trail:
    """The trail of one installation. Used by one thread; `tidy` opens a connection of its own."""

    __slots__ = ("_cache", "_con", "_inode", "_owner", "_said", "_unsaved", "_version", "path")

    def __init__(self, state: State) -> None:
        self.path = f"{state.root}/{NAME}"
        self._owner = state.owner
        self._con: sqlite3.Connection | None = None
        self._inode = 0
        self._version = -1
        self._cache: dict[str, dict[str, Row]] = {}
        self._unsaved: dict[str, dict[str, Row | None]] = {}
        self._said: dict[str, int] = {}

    def due(self, matter: str, now_ms: int, every_ms: int) -> bool:
        """Whether a matter was not told of lately; an engine need not say the same for every call."""
        if now_ms - self._said.get(matter, -every_ms) < every_ms:
            return False
        self._said[matter] = now_ms
        return True

    def of(self, call: ToolCall) -> Tracks:
        """What the call's session has left so far; nothing is read yet."""
        return Tracks(self, call)

    def rows(self, key: str) -> tuple[dict[str, Row], str]:
        """A session's rows, and what kept them from being read."""
        try:
            con = self._opened(create=False)
            if con is None:
                return _with({}, self._unsaved.get(key)), ""
            version = con.execute("PRAGMA data_version").fetchone()[0]
            known = self._cache.get(key) if version == self._version else None
            if known is None:
                found = con.execute("SELECT path, takes, tree, gone, at_ms FROM trail WHERE session = ?", (key,))
                known = {row[0]: Row(tuple(row[1].split("\n")), bool(row[2]), row[3], row[4]) for row in found}
                if version != self._version or len(self._cache) >= MAX_CACHED:
                    self._cache.clear()
                self._version = version
                self._cache[key] = known
        except (sqlite3.Error, OSError) as error:
            held = self._cache.get(key, {})  # what was read before still protects
            self._release()
            return _with(held, self._unsaved.get(key)), _told(error)
        return _with(known, self._unsaved.get(key)), ""

    def remember(self, call: ToolCall, actions: Sequence[Action], now_ms: int) -> str:
        """Keep what a call that may run would leave behind; the reason when that could not be written down."""
        if not any(action.word == "touch" for action in actions):
            return ""
        tracks = self.of(call)
        made = steps(actions, call.home, tracks)
        if not made:
            return ""
        tracks._load()
        changed = _changes(made, tracks, now_ms)
        if not changed:
            return tracks.trouble
        key = key_of(call)
        rows = {path: row for path, row in {**tracks._rows, **changed}.items() if row is not None}
        if len(rows) > MAX_SESSION:
            changed.update(_folded(rows))
        pending = {**self._unsaved.get(key, {}), **changed}
        failed = self._write(key, pending)
        if failed:
            self._unsaved[key] = pending
        else:
            self._unsaved.pop(key, None)
        return failed or tracks.trouble

    def _write(self, key: str, rows: dict[str, Row | None]) -> str:
        try:
            con = self._opened(create=True)
            assert con is not None
            con.execute("BEGIN IMMEDIATE")
            try:
                for path, row in rows.items():
                    if row is None:
                        con.execute("DELETE FROM trail WHERE session = ? AND path = ?", (key, path))
                    else:
                        con.execute(_PUT, (key, path, "\n".join(row.takes), row.tree, row.gone, row.at_ms))
                con.execute("COMMIT")
            except BaseException:
                con.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as error:
            self._release()
            if damaged(error):
                set_aside(self.path)
            return _told(error)
        self._cache.pop(key, None)
        return ""

    def _opened(self, *, create: bool) -> sqlite3.Connection | None:
        """The connection to the file that is there now; None when there is none and none is to be made."""
        try:
            info = os.lstat(self.path)
        except FileNotFoundError:
            self.close()
            if not create:
                return None
            _made(self.path)
            info = os.lstat(self.path)
        if self._con is not None and self._inode == info.st_ino:
            return self._con
        self.close()
        if not stat.S_ISREG(info.st_mode) or info.st_uid not in (self._owner, os.geteuid()) or info.st_mode & 0o077:
            raise PermissionError(f"{self.path} is not a plain file of its owner alone")
        self._con = connected(self.path, WRITE_S if create else READ_S)
        self._inode = info.st_ino
        return self._con

    def close(self) -> None:
        """Let go of the database and of what was read from it."""
        self._release()
        self._cache.clear()

    def _release(self) -> None:
        if self._con is not None:
            self._con.close()
        self._con = None
        self._version = -1


def key_of(call: ToolCall) -> str:
    """What names a session; a client that names none has one for each directory."""
    return f"{call.harness}\x1f{call.session or call.cwd}"[:MAX_KEY]


def connected(path: str, wait_s: float) -> sqlite3.Connection:
    """A connection with the table in place."""
    con = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)
    try:
        con.execute("PRAGMA synchronous = NORMAL")
        if con.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'trail'").fetchone()[0] == 0:
            con.execute("PRAGMA journal_mode = WAL")
            con.executescript(_SCHEMA)
    except BaseException:
        con.close()
        raise
    return con


def damaged(error: Exception) -> bool:
    """Whether an error means that the file will never be readable again."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.IntegrityError)
    )


def set_aside(path: str) -> None:
    """Move a damaged database out of the way, so that the next write begins a new one."""
    for name in ("-wal", "-shm"):
        try:
            os.unlink(path + name)
        except OSError:
            continue
    try:
        os.rename(path, f"{path}.damaged")
    except OSError:
        return


def _made(path: str) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))


def _with(rows: dict[str, Row], unsaved: dict[str, Row | None] | None) -> dict[str, Row]:
    if not unsaved:
        return rows
    return {path: row for path, row in {**rows, **unsaved}.items() if row is not None}


def _changes(made: Sequence[Step], tracks: Tracks, now_ms: int) -> dict[str, Row | None]:
    """Rows to put, None for those to drop.

    Whether a deletion happens is not known when it is judged (`false && rm x`), so a path that is there keeps its row,
    with the inode that would have to be gone.
    """
    changed: dict[str, Row | None] = {}
    for step in made:
        if len(step.path) > MAX_PATH:
            continue
        if step.takes:
            for path in {step.path, _real(step.path)}:
                changed[path] = Row(step.takes, step.tree, 0, now_ms)
            continue
        below = step.path.rstrip("/") + "/"
        for path, row in (*tracks._rows.items(), *list(changed.items())):
            if row is not None and (path == step.path or path.startswith(below)):
                inode = _inode(path)
                changed[path] = Row(row.takes, row.tree, inode, now_ms) if inode else None
    return changed


def _folded(rows: dict[str, Row]) -> dict[str, Row | None]:
    """Too many paths for one session: the older half is kept as their folders. Nothing is forgotten by flooding."""
    oldest = sorted(rows, key=lambda path: rows[path].at_ms)[: len(rows) // 2]
    folders: dict[str, Row | None] = dict.fromkeys(oldest)
    for path in oldest:
        folder = path.rpartition("/")[0] or "/"
        there = folders.get(folder) or rows.get(folder)
        takes = tuple(dict.fromkeys((*(there.takes if there else ()), *rows[path].takes)))[:16]
        folders[folder] = Row(takes, True, 0, rows[path].at_ms)
    return folders


def _inode(path: str) -> int:
    try:
        return os.lstat(path).st_ino
    except (OSError, ValueError):
        return 0


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path


def _told(error: Exception) -> str:
    return f"{NAME}: {error}"
