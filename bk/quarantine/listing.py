"""What is held, as it really is: the books, the manifests beside the payloads, and the payloads themselves."""

from __future__ import annotations

import os
import sqlite3
import tarfile

from bk.engine.errors import BkError
from bk.quarantine.back import UNBOUNDED
from bk.quarantine.kernel import refused
from bk.quarantine.record import Held as _Held
from bk.quarantine.record import Hold
from bk.quarantine.recovery import UNDER_WAY
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.store import connect, every, item, opened_place, unreadable, witnessed
from bk.quarantine.tree import DIRECTORY
from bk.quarantine.vault import verify_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.state import State
    from bk.quarantine.record import Held

ORPHAN = "orphan"


def listed(state: State, *, ended: bool = False) -> list[Held]:
    """What is held, newest first, with what is wrong with each; with `ended` also what was restored or purged.

    A directory of the vault that the books do not know is listed too: nothing that was taken is ever out of sight.
    """
    if not os.path.exists(f"{state.root}/quarantine.db"):
        return []
    con = _reading(state)
    try:
        found = list(every(con))
    except sqlite3.Error as error:
        raise unreadable(state, error) from error
    finally:
        con.close()
    items = _items(state)
    if items < 0:
        return [held for held in found if ended or held.state in ("held", *UNDER_WAY)]
    try:
        return [*_known(state, items, found, ended=ended), *_unknown(items, {held.ident for held in found})]
    finally:
        os.close(items)


def _known(state: State, items: int, found: list[Held], *, ended: bool) -> Iterator[Held]:
    for held in found:
        if held.state == "held":
            held.problem = witnessed(state, items, held) or held.problem
            yield held
        elif held.state in UNDER_WAY:
            held.problem = (
                held.problem or f"it was cut off while {held.state}: `bk quarantine verify` brings it to an end"
            )
            yield held
        elif ended:
            yield held


def _unknown(items: int, known: set[str]) -> Iterator[Held]:
    for name in sorted(os.listdir(items)):
        if name not in known:
            wanted = Hold("dir", "", name, "")
            yield _Held(name, wanted, parts=[], state=ORPHAN, problem="the books do not know it")


def one(state: State, ident: str) -> Held:
    """One item, held or ended."""
    if not os.path.exists(f"{state.root}/quarantine.db"):
        raise HoldRefusedError("not_found", ident[:60], "nothing was ever held here")
    con = _reading(state)
    try:
        return item(con, ident)
    except sqlite3.Error as error:
        raise unreadable(state, error) from error
    finally:
        con.close()


def history(state: State, ident: str) -> list[tuple[int, str, str]]:
    """The steps of an item: when, what, and what was said of it."""
    con = _reading(state)
    try:
        rows = con.execute("SELECT at_ms, step, detail FROM journal WHERE item = ? ORDER BY seq", (ident,))
        return [(at, step, detail) for at, step, detail in rows]
    except sqlite3.Error as error:
        raise unreadable(state, error) from error
    finally:
        con.close()


def verified(state: State, held: Held) -> str:
    """Read everything that is kept of an item and compare; what is wrong, or ""."""
    items = _items(state)
    if items < 0:
        return "its payload is gone"
    try:
        wrong = witnessed(state, items, held)
        if wrong:
            return wrong
        payload = _payload(items, held)
        try:
            for part in held.parts:
                verify_part(payload, part.name, part, UNBOUNDED)
            from bk.quarantine.entries import kept_text

            for change in held.changes:
                kept_text(change, payload)
            expected = {part.name for part in held.parts} | {change.kept for change in held.changes}
            more = {os.fsencode(name) for name in os.listdir(payload)} - expected
            return f"its payload holds {len(more)} things that it did not" if more else ""
        finally:
            os.close(payload)
    except HoldRefusedError as error:
        return str(error)
    finally:
        os.close(items)


def exported(state: State, ident: str, to: str) -> int:
    """Copy what is kept of an item into a new tar file, for an analyst; returns its size. Nothing changes."""
    held = one(state, ident)
    wrong = verified(state, held) if held.state == "held" else f"it is {held.state}"
    if wrong:
        raise HoldRefusedError("tampered" if held.state == "held" else "not_held", f"{ident}: {wrong}")
    try:
        fd = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            archive.add(f"{state.root}/quarantine/items/{ident}", arcname=ident)
        return os.stat(to).st_size
    except OSError as error:
        raise refused(error, to) from error


def _payload(items: int, held: Held) -> int:
    where = opened_place(items, held.ident)
    try:
        return os.open("payload", DIRECTORY, dir_fd=where)
    except OSError as error:
        raise HoldRefusedError("tampered", f"{held.ident}: {error.strerror}") from error
    finally:
        os.close(where)


def _items(state: State) -> int:
    try:
        return os.open(f"{state.root}/quarantine/items", DIRECTORY)
    except FileNotFoundError:
        return -1
    except OSError as error:
        raise BkError("the quarantine cannot be read", f"{state.root}/quarantine: {error.strerror}") from error


def _reading(state: State) -> sqlite3.Connection:
    try:
        return connect(state, write=False)
    except sqlite3.Error as error:
        raise unreadable(state, error) from error
