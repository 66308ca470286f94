"""After a crash: every item that was under way is brought to one end, and nothing is ever in two places or in none.

A hold that did not come to its end goes back, because nobody has been told that it is held. A restore that a person
began is brought to its end. A purge is a person's alone: here nothing is ever deleted but copies of our own.
"""

from __future__ import annotations

import os

from bk.quarantine import back, entries
from bk.quarantine.kernel import lowered, nothing, refused, rename
from bk.quarantine.record import TEMPORARY
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.store import Books
from bk.quarantine.tree import open_parent
from bk.quarantine.vault import verify_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State
    from bk.quarantine.record import Held, Part

INCOMPLETE = "recovered_incomplete"
UNDER_WAY = ("planned", "moving", "restoring", "purging")


class Recovered:
    """What became of one item that was under way."""

    __slots__ = ("held", "was")

    def __init__(self, held: Held, was: str) -> None:
        self.held = held
        self.was = was


def recover(state: State) -> list[Recovered]:
    """Bring every item that was under way to its end; returns what was found."""
    if not os.path.exists(f"{state.root}/quarantine.db"):
        return []
    done: list[Recovered] = []
    with Books(state) as books:
        for held in list(books.every()):
            was = held.state
            if was not in UNDER_WAY:
                continue
            try:
                if was == "restoring":
                    _finish_restore(books, held)
                elif was == "purging":
                    _unpurge(books, held)
                else:
                    undo(books, held, INCOMPLETE)
            except HoldRefusedError as error:  # something is in the way; the others must not wait for it
                books.step(held, "not recovered", str(error))
                held.problem = str(error)
            done.append(Recovered(held, was))
    return done


def undo(books: Books, held: Held, why: str) -> None:
    """Put back what a hold had taken; what was never touched stays as it is. The item ends as `failed`."""
    try:
        payload = books.payload(held)
    except HoldRefusedError:
        books.move_to(held, "failed", why)  # it never had a place
        books.drop_place(held)
        return
    try:
        for change in reversed(held.changes):
            if _there(payload, change.kept):
                entries.put_back(change, payload, theirs=True)
                entries.forgotten(change, payload)
        back._make(held.folders, [])
        for part in reversed(held.parts):
            _untake(held, part, payload)
        back.dress(held)
    finally:
        os.close(payload)
    books.move_to(held, "failed", why)
    books.drop_place(held)


def _untake(held: Held, part: Part, payload: int) -> None:
    """One part back to its place, from wherever the crash left it."""
    fd, name = open_parent(part.path)
    aside = TEMPORARY + held.ident.encode() + b"-" + part.name
    try:
        _lower(part, fd, name)
        _lower(part, payload, part.name)
        back.discarded(payload, part.name + b".partial")
        if _there(fd, aside):  # a move to another file system, cut off while the original was being removed
            if _whole(fd, aside, part):
                rename(fd, aside, fd, name)
                back.discarded(payload, part.name)
                return
            back.discarded(fd, aside)  # half removed; the copy in the vault was verified before this began
        if not _there(payload, part.name):
            return
        if _there(fd, name) and _whole(fd, name, part):
            back.discarded(payload, part.name)  # a verified copy, and the original still in place
            return
        _return(held, part, fd, name, payload)
    except OSError as error:
        raise refused(error, os.fsdecode(part.path)) from error
    finally:
        os.close(fd)


def _return(held: Held, part: Part, fd: int, name: bytes, payload: int) -> None:
    if _there(fd, name):
        raise HoldRefusedError("conflict", os.fsdecode(part.path), "move it away, then `bk quarantine verify`")
    back.put_part(held, part, part.path, payload, nothing)


def _finish_restore(books: Books, held: Held) -> None:
    """A person asked for it and everything was checked: go on from where it stopped."""
    payload = books.payload(held)
    to = held.problem
    try:
        targets = [os.fsencode(to)] if to else [part.path for part in held.parts]
        back._make(held.folders, [os.path.dirname(target) for target in targets])
        for part, target in reversed(list(zip(held.parts, targets, strict=True))):
            fd, name = open_parent(target)
            try:
                back.discarded(fd, TEMPORARY + held.ident.encode() + b"-" + part.name)
                _lower(part, fd, name)
                _lower(part, payload, part.name)
                if not _there(payload, part.name):
                    continue
                if _there(fd, name) and _whole(fd, name, part):
                    back.discarded(payload, part.name)
                    continue
            finally:
                os.close(fd)
            back.put_part(held, part, target, payload, nothing)
        note = back.put_entries(held, payload, nothing)
        back.dress(held)
    except HoldRefusedError as error:
        back.take_again(held, targets, payload)
        books.move_to(held, "held", str(error))
        return
    finally:
        os.close(payload)
    back.finished(books, held, note)


def _unpurge(books: Books, held: Held) -> None:
    """A purge that had not begun to delete is forgotten; one that had must be asked for again: only a person purges."""
    where = books.place(held)
    try:
        begun = not _there(where, b"payload")
    finally:
        os.close(where)
    if begun:
        held.problem = "a purge was cut off: what is left of it cannot be restored; purge it again"
        books.step(held, "cut off")
        return
    books.move_to(held, "held", "a purge was cut off before it began")


def _there(fd: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _lower(part: Part, fd: int, name: bytes) -> None:
    """The mode that a directory had before a move which was cut off."""
    if part.kind == "dir":
        lowered(fd, name, part.mode, lambda: _whole(fd, name, part))


def _whole(fd: int, name: bytes, part: Part) -> bool:
    try:
        verify_part(fd, name, part, back.UNBOUNDED)
    except HoldRefusedError:
        return False
    return True
