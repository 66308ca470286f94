"""The ledger, as the command line and the dashboard may read it; and the few verbs by which a person changes it."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bk.engine.console.gate import require_admin
from bk.engine.console.pages import Page, page
from bk.engine.console.pages import keep_index_in_passing as keep_index_in_passing  # noqa: PLC0414 - surfaces name it from here
from bk.engine.console.proof import Proof, inclusion
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.errors import from_sqlite
from bk.engine.ledger.merkle import leaf_hash
from bk.engine.ledger.query import parse, run, stored
from bk.engine.ledger.schema import reader
from bk.engine.ledger.verify import archives
from bk.engine.model import Entry
from bk.engine.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.ledger.checkpoint import Checkpoint
    from bk.engine.ledger.recovery import Recovered as Recovered  # noqa: PLC0414 - surfaces name it from here
    from bk.engine.ledger.report import Report as Report  # noqa: PLC0414 - surfaces name it from here

Json = Any
POLL_S = 0.2
PAGE = 2_000


class Shown:
    """One entry in full: `intact` says whether its text still has the hash it was chained with."""

    def __init__(self, entry: Entry, body: str, intact: bool, proof: Proof | None, problem: str) -> None:
        self.entry = entry
        self.body = body
        self.intact = intact
        self.proof = proof
        self.problem = problem


def record(entry: Entry) -> dict[str, Json]:
    """An entry as the object that the ledger stores."""
    from bk.engine.ledger.export import body_of

    return body_of(entry)


def begun(state: State) -> bool:
    """Whether anything was ever recorded here: a missing database alone does not mean that."""
    return os.path.exists(state.audit) or os.path.exists(state.mark)


def query(state: State, text: str, *, limit: int = 50, before: int = 0, now_ms: int | None = None) -> Page:
    """The newest entries that match, below `before` if given, from the current segment back into closed ones."""
    return page(state, text, anchor=before, limit=limit, now_ms=_now(now_ms))


def entries(state: State, text: str = "", *, after: int = 0, now_ms: int | None = None) -> Iterator[Entry]:
    """Every matching entry, oldest first, read in pages so that no reader holds the write-ahead log open."""
    wanted, now = parse(text), _now(now_ms)
    for past, path in _files(state):
        after, full = max(after, past), True
        while full:
            with _opened(path) as con:
                page = run(con, wanted, now, after=after, limit=PAGE, oldest_first=True)
            yield from page
            full = len(page) == PAGE
            after = page[-1].seq if page else after


def tail(
    state: State,
    text: str = "",
    *,
    last: int = 20,
    follow: bool = False,
    stop: Callable[[], bool] = lambda: False,
    poll_s: float = POLL_S,
) -> Iterator[Entry]:
    """The last matching entries, oldest first; then, when following, each new one as it is recorded."""
    wanted = parse(text)
    seen = _newest(state)
    if last > 0:
        yield from reversed(query(state, text, limit=last, before=seen + 1).entries)
    con: sqlite3.Connection | None = None
    version = identity = None
    try:
        while follow and not stop():
            try:
                info = os.stat(state.audit)
                if con is None or identity != (info.st_dev, info.st_ino):
                    con = _reopened(con, state.audit)
                    identity, version = (info.st_dev, info.st_ino), None
                changed = con.execute("PRAGMA data_version").fetchone()[0]
                if changed != version:
                    version = changed
                    newest = con.execute("SELECT max(seq) FROM entry").fetchone()[0] or 0
                    while seen < newest:
                        page = run(con, wanted, _now(None), after=seen, limit=PAGE, oldest_first=True)
                        yield from page
                        seen = page[-1].seq if len(page) == PAGE else newest
            except (FileNotFoundError, sqlite3.OperationalError):
                _closed(con)  # not there yet, or being replaced: the next look decides
                con = None
            except sqlite3.Error as error:
                raise from_sqlite(error, state.audit) from error
            time.sleep(poll_s)
    finally:
        _closed(con)


def show(state: State, seq: int) -> Shown:
    """One entry with everything that can be said about it, its proof included."""
    row = None
    for past, path in reversed(_files(state)):
        if past < seq:
            with _opened(path) as con:
                row = con.execute("SELECT CAST(body AS BLOB), leaf FROM entry WHERE seq = ?", (seq,)).fetchone()
            break
    if row is None:
        raise BkError(
            f"there is no entry #{seq:,}", "the ledger holds none of that number", "bk audit tail shows the newest"
        )
    body, problem, proof = bytes(row[0]), "", None
    try:
        proof = inclusion(state, seq)
    except BkError as error:
        problem = str(error)
    text = body.decode(errors="replace")
    return Shown(stored(seq, text), text, leaf_hash(body) == row[1], proof, problem)


def evidence(state: State, seq: int) -> dict[str, Json]:
    """One entry with its proof, as one object that can be handed on and checked elsewhere: what `e` exports."""
    shown = show(state, seq)
    return {
        "entry": record(shown.entry),
        "body": shown.body,
        "intact": shown.intact,
        "proof": None if shown.proof is None else shown.proof.as_json(),
        "problem": shown.problem,
    }


def verify(state: State, *, file: str = "", public_key: str = "", seal_key: str = "") -> Report:
    """Verify this installation, or one file offline. Keys are given as text, as the path of a file, or as `-`."""
    from bk.engine.ledger.seal import SealKey
    from bk.engine.ledger.verify import verify as check
    from bk.engine.notes import PublicKey

    public = _key(public_key, PublicKey.parse, "public key") if public_key else None
    seal = _key(seal_key, SealKey.parse, "seal key") if seal_key else None
    if file:
        if not os.path.exists(file):
            raise BkError("the file to verify is not there", file, "give the path of an audit.db")
        return check(os.path.abspath(file), public, seal)
    if not begun(state):
        raise BkError("there is no ledger yet", state.audit, "it begins with the first call that bk decides")
    return check(state, public, seal)


def export(state: State, text: str, form: str, write: Callable[[str], object]) -> int:
    """Write the matching entries in another tool's format, oldest first; returns how many."""
    from bk.engine.ledger.export import export as written

    return written(entries(state, text), form, write)


def checkpoint(state: State, *, admin: bool) -> Checkpoint | None:
    """Sign what is new now, on a person's word; the word itself is recorded first."""
    require_admin(admin)
    from bk.engine.ledger.redact import redactor
    from bk.engine.ledger.store import Ledger

    ledger = Ledger.open(state, redact=redactor(()), create=False)
    try:
        ledger.append([Entry("admin", _person(), {"verb": "checkpoint"})], sync=True)
        return ledger.checkpoint()
    finally:
        ledger.close()


def seal(state: State, *, admin: bool) -> str:
    """Start a fresh seal; returns its verification key, which is kept nowhere. The ledger records that it was done."""
    require_admin(admin)
    from bk.engine.ledger import seal as sealing
    from bk.engine.ledger.redact import redactor
    from bk.engine.ledger.store import Ledger

    ledger = Ledger.open(state, redact=redactor(()), create=False)
    try:
        return sealing.start(ledger, _person())
    finally:
        ledger.close()


def recover(state: State, *, admin: bool) -> Recovered | None:
    """Set a damaged ledger aside and go on in a new segment whose first entry says so; None when it can be used."""
    require_admin(admin)
    from bk.engine.ledger.recovery import recover as recovered

    return recovered(state, actor=_person())


def now() -> int:
    """The clock that entries carry."""
    return time.time_ns() // 1_000_000


def _now(now_ms: int | None) -> int:
    return now() if now_ms is None else now_ms


def _person() -> str:
    return f"person:{os.getuid()}"


def _files(state: State) -> list[tuple[int, str]]:
    """Every file of the ledger, oldest first, with the last entry that belongs to the file before it.

    The current file keeps the closed segment's entries for a while; the segment's own file counts for those.
    """
    if not begun(state):
        return []
    closed = archives(state.root)
    return [(first - 1, path) for first, _, path in closed] + [(closed[-1][1] if closed else 0, state.audit)]


@contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    con = reader(path)
    try:
        yield con
    except sqlite3.Error as error:
        raise from_sqlite(error, path) from error
    finally:
        con.close()


def _newest(state: State) -> int:
    if not os.path.exists(state.audit):
        return 0
    with _opened(state.audit) as con:
        return int(con.execute("SELECT max(seq) FROM entry").fetchone()[0] or 0)


def _reopened(con: sqlite3.Connection | None, path: str) -> sqlite3.Connection:
    _closed(con)
    return reader(path)


def _closed(con: sqlite3.Connection | None) -> None:
    if con is not None:
        con.close()


def _key(given: str, parse_key: Callable[[str], Any], name: str) -> Any:
    """A key from text, from a file, or from standard input, so that a secret one need not be on the command line."""
    text = given
    if given == "-":
        from getpass import getpass

        text = getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline()
    elif os.path.exists(given):
        try:
            with open(given, encoding="utf-8") as file:
                text = file.read(4096)
        except (OSError, UnicodeDecodeError) as error:
            raise BkError(f"the {name} cannot be read", f"{given}: {error}", "give the key or its file") from error
    try:
        return parse_key(text.strip())
    except ValueError as error:
        raise BkError(
            f"this is not a {name}",
            str(error),
            f"give the {name} as it was printed, its file, or - for input",
            code=USAGE,
        ) from error
