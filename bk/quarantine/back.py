"""Putting an artifact back: whole, into a place that is free, and only what is proven to be what was taken."""

from __future__ import annotations

import os
from contextlib import suppress

from bk.quarantine import entries
from bk.quarantine.ground import ground
from bk.quarantine.kernel import nothing, refused, rename, unmarked
from bk.quarantine.paths import elsewhere, refusal
from bk.quarantine.record import TEMPORARY, Limits
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.store import Books, witnessed
from bk.quarantine.tree import DIRECTORY, copied, open_parent, removed
from bk.quarantine.vault import SETTINGS, verify_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.state import State
    from bk.quarantine.record import Folder, Held, Part

UNBOUNDED = Limits(1 << 62)


def restore(
    state: State,
    ident: str,
    *,
    to: str = "",
    recreate_parent: bool = False,
    told: Callable[[str], None] = nothing,
) -> Held:
    """Put an item back where it was, or at `to`; raises HoldRefusedError, and then it is held as before."""
    with Books(state) as books:
        held = books.item(ident)
        if held.state != "held":
            raise HoldRefusedError("not_held", f"{ident} is {held.state}")
        wrong = witnessed(state, books.items, held)
        if wrong:
            raise HoldRefusedError("tampered", wrong, "`bk quarantine verify` says more")
        targets = _targets(state, held, to)
        payload = books.payload(held)
        try:
            for part in held.parts:
                verify_part(payload, part.name, part, UNBOUNDED)
                told(f"checked {part.slot}")
            _room(held, targets, recreate_parent=recreate_parent, moved=bool(to))
            books.move_to(held, "restoring", to)
            told("restoring")
            note = _put(held, targets, payload, told)
        except HoldRefusedError as error:
            if held.state == "restoring":
                take_again(held, targets, payload)
                books.move_to(held, "held", str(error))
            if error.refusal == "identity_mismatch":
                raise HoldRefusedError("tampered", error.detail, "`bk quarantine verify` says more") from error
            raise
        finally:
            os.close(payload)
        finished(books, held, note)
        told("restored")
        return held


def finished(books: Books, held: Held, note: str) -> None:
    """Everything is in its old place: the books say so, with what a person should know, and the vault forgets it."""
    books.move_to(held, "restored", note)
    payload = books.payload(held)
    try:
        for change in held.changes:
            entries.forgotten(change, payload)
    finally:
        os.close(payload)
    books.drop_place(held)


def _targets(state: State, held: Held, to: str) -> list[bytes]:
    """Where each part goes, by the same rules as when it was taken: the books may have been tampered with too."""
    if to:
        if len(held.parts) != 1 or held.changes:
            raise HoldRefusedError(
                "not_directory", f"{held.ident} has several parts and goes back to its own place only"
            )
        code = elsewhere(to, held.ecosystem, ground(state))
        if code:
            raise HoldRefusedError(code, to)
        return [os.fsencode(to)]
    here = ground(state)
    places = [(part.path, held.ecosystem) for part in held.parts]
    places += [(change.path, SETTINGS) for change in held.changes]
    for path, kind in places:
        code = refusal(os.fsdecode(path), kind, here)
        if code:
            raise HoldRefusedError(code, os.fsdecode(path))
    return [part.path for part in held.parts]


def _room(held: Held, targets: Sequence[bytes], *, recreate_parent: bool, moved: bool) -> None:
    """Every folder is there (or may be made again), is the one it was, and every place is free."""
    made = {folder.path for folder in held.folders}
    for part, target in zip(held.parts, targets, strict=True):
        folder = os.path.dirname(target)
        try:
            fd, name = open_parent(target)
        except (HoldRefusedError, OSError) as error:
            if os.path.lexists(folder):
                if isinstance(error, OSError):
                    raise refused(error, os.fsdecode(target)) from error
                raise
            if folder in made or recreate_parent:
                continue
            raise HoldRefusedError("parent_missing", os.fsdecode(folder), "--recreate-parent makes it again") from error
        try:
            there = os.fstat(fd)
            if not moved and not recreate_parent and folder not in made and part.parent != (there.st_dev, there.st_ino):
                raise HoldRefusedError(
                    "parent_changed", os.fsdecode(folder), "look at it; --recreate-parent accepts it as it is"
                )
            _is_free(fd, name, target)
        finally:
            os.close(fd)


def _is_free(fd: int, name: bytes, target: bytes) -> None:
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise HoldRefusedError("conflict", os.fsdecode(target), "move it away, or restore with --to")


def _put(held: Held, targets: Sequence[bytes], payload: int, told: Callable[[str], None]) -> str:
    """Folders, then parts in the reverse of the order in which they went, then entries, then times.

    Returns what a person should know about it.
    """
    _make(held.folders, [os.path.dirname(target) for target in targets])
    told("made")
    for part, target in reversed(list(zip(held.parts, targets, strict=True))):
        put_part(held, part, target, payload, told)
    note = put_entries(held, payload, told)
    dress(held)
    told("dressed")
    return note


def put_entries(held: Held, payload: int, told: Callable[[str], None]) -> str:
    """The entries back into their files; which of them went into a file that had been edited since."""
    edited = []
    for change in reversed(held.changes):
        if entries.put_back(change, payload, told=told):
            edited.append(os.fsdecode(change.path))
        told(f"changed {change.slot}")
    return f"{', '.join(edited)} was edited since: the entry was added to it as it is now" if edited else ""


def put_part(held: Held, part: Part, target: bytes, payload: int, told: Callable[[str], None]) -> None:
    """One part from the vault to its place."""
    fd, name = open_parent(target)
    try:
        told(f"before {part.slot}")
        try:
            rename(payload, part.name, fd, name, told)
        except OSError as error:
            if refused(error, "").refusal != "cross_device":
                raise refused(error, os.fsdecode(target)) from error
            aside = TEMPORARY + held.ident.encode() + b"-" + part.name
            try:
                copied(payload, part.name, fd, aside)
                told(f"copied {part.slot}")
                verify_part(fd, aside, part, UNBOUNDED)
                rename(fd, aside, fd, name)
            except (OSError, HoldRefusedError):
                discarded(fd, aside)
                raise
            os.fsync(fd)
            told(f"placed {part.slot}")
            info = os.stat(part.name, dir_fd=payload, follow_symlinks=False)
            removed(payload, part.name, device=info.st_dev, inode=info.st_ino)
        os.fsync(fd)
        os.fsync(payload)
        told(f"put {part.slot}")
    except OSError as error:
        raise refused(error, os.fsdecode(target)) from error
    finally:
        os.close(fd)


def discarded(fd: int, name: bytes) -> None:
    """Remove a copy of ours, if there is one; the original is elsewhere."""
    try:
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return
    removed(fd, name, device=info.st_dev, inode=info.st_ino)


def take_again(held: Held, targets: Sequence[bytes], payload: int) -> None:
    """Undo a restore that failed half-way: what was put goes back into the vault."""
    for part, target in zip(held.parts, targets, strict=True):
        try:
            os.stat(part.name, dir_fd=payload, follow_symlinks=False)
            continue
        except FileNotFoundError:
            pass
        fd, name = open_parent(target)
        try:
            rename(fd, name, payload, part.name)
        except OSError as error:
            if refused(error, "").refusal != "cross_device":
                raise refused(error, os.fsdecode(target)) from error
            info = os.stat(name, dir_fd=fd, follow_symlinks=False)
            copied(fd, name, payload, part.name + b".partial")
            rename(payload, part.name + b".partial", payload, part.name)
            removed(fd, name, device=info.st_dev, inode=info.st_ino)
        finally:
            os.close(fd)
    for change in held.changes:
        with suppress(HoldRefusedError):  # a file that cannot be read any more has no entry of ours
            entries.cut_again(change, payload)


def _make(folders: Sequence[Folder], needed: Sequence[bytes]) -> None:
    """Directories that went with a file set, as they were; and the missing ones above a target."""
    for folder in sorted(folders, key=lambda each: each.path):
        fd, name = open_parent(folder.path)
        try:
            with unmarked(fd):
                os.mkdir(name, 0o700, dir_fd=fd)
            inner = os.open(name, DIRECTORY, dir_fd=fd)
            os.fchown(inner, *folder.owner)
            os.fchmod(inner, folder.mode)
            os.close(inner)
        except FileExistsError:
            continue
        finally:
            os.close(fd)
    for path in sorted(set(needed)):
        above = b""
        for name in path.split(b"/")[1:]:
            above += b"/" + name
            if not os.path.lexists(above):
                os.mkdir(above, 0o755)


def dress(held: Held) -> None:
    """Times of the folders that putting things back has changed."""
    for folder in held.folders:
        try:
            fd, name = open_parent(folder.path)
        except (HoldRefusedError, OSError):
            continue
        try:
            inner = os.open(name, DIRECTORY, dir_fd=fd)
            os.utime(inner, ns=(os.fstat(inner).st_atime_ns, folder.mtime_ns))
            os.close(inner)
        except OSError:
            continue
        finally:
            os.close(fd)
