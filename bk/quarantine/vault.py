"""Taking an artifact out of use: all of it or none of it, and never anything else.

The order is what makes a crash harmless: the books know of every part before the first is touched, each part moves by
one rename that replaces nothing, and what was renamed is looked at again: a name that was swapped meanwhile goes back.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import time

from bk.engine.errors import BkError
from bk.quarantine import entries
from bk.quarantine.ground import ground, mounted
from bk.quarantine.kernel import nothing, refused, rename, unmarked
from bk.quarantine.paths import contained, form, inside, protected
from bk.quarantine.record import LIVE, TEMPORARY, Folder, Held, Limits, Part
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.store import Books, new_ident
from bk.quarantine.tree import copied, open_parent, removed, summed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bk.engine.state import State
    from bk.quarantine.paths import Ground
    from bk.quarantine.record import Hold

KIND_OF = ((stat.S_ISDIR, "dir"), (stat.S_ISREG, "file"), (stat.S_ISLNK, "link"))
PACKAGES = re.compile(r".*(?:-packages|/__pypackages__/[\d.]+/lib)/.+", re.DOTALL)  # below it a folder is importable
SETTINGS = "mcp"  # the rule on places for files that an entry is cut out of
FIRST = (".pth", ".start")  # what an interpreter runs by itself goes before anything else


def hold(
    state: State,
    wanted: Hold,
    *,
    projects: Iterable[str] = (),
    limits: Limits | None = None,
    told: Callable[[str], None] = nothing,
) -> Held:
    """Take an artifact out of use; raises HoldRefusedError, and then nothing has changed.

    `projects` are the roots of which a package was seen: never themselves moved. `told` hears of every step.
    """
    limits = limits or Limits()
    here = ground(state, projects)
    paths = _paths(wanted, here)
    with Books(state) as books:
        _free(books, paths)
        held = _planned(wanted, paths, here, limits)
        told("planning")
        books.add(held)
        told("planned")
        _take(books, held, limits, told)
        return held


def rehearsed(
    state: State, wanted: Hold, *, projects: Iterable[str] = (), limits: Limits | None = None, whole: bool = True
) -> Held:
    """What `hold` would take, or its refusal, and nothing is touched. Without `whole` only the places are ruled on, and
    what lies there is not read."""
    here = ground(state, projects)
    paths = _paths(wanted, here)
    return _planned(wanted, paths, here, limits or Limits()) if whole else Held(new_ident(0), wanted, parts=())


def _paths(wanted: Hold, here: Ground) -> list[str]:
    """The paths of a wish, in the order in which they are to go, every one allowed by the rules on paths."""
    for file in {path for path, _ in wanted.rows} | ({wanted.path} if wanted.kind == "config_entry" else set()):
        _allowed(file, SETTINGS, here)
    if wanted.kind == "config_entry":
        return []
    if wanted.kind == "file_set":
        if not wanted.files:
            raise HoldRefusedError("empty", f"{wanted.ecosystem} {wanted.name}")
        for path in wanted.files:
            code = form(path)
            if code:
                raise HoldRefusedError(code, path)
            if not wanted.root or not inside(path, wanted.root) or path == wanted.root:
                raise HoldRefusedError("outside_environment", path)
        paths = sorted(set(wanted.files), key=lambda path: (not path.endswith(FIRST), "/bin/" not in path, path))
    else:
        paths = [wanted.path]
    for path in (*paths, *wanted.also):
        _allowed(path, wanted.ecosystem, here)
    return [*wanted.also, *paths] if wanted.kind == "dir" else [*paths, *wanted.also]


def _allowed(path: str, ecosystem: str, here: Ground) -> None:
    code = form(path) or protected(path, here)
    if not code and not contained(ecosystem, path):
        code = "no_container"
    if code:
        raise HoldRefusedError(code, path)


def _free(books: Books, paths: list[str]) -> None:
    """Nothing that overlaps an item which is under way; of what is held, nothing is left to take."""
    for other in books.every():
        if other.state in LIVE and other.state != "held":
            for part in other.parts:
                there = os.fsdecode(part.path)
                if any(inside(path, there) or inside(there, path) for path in paths):
                    raise HoldRefusedError("nested_in_live_item", f"{there} ({other.ident})")


def _planned(wanted: Hold, paths: list[str], here: Ground, limits: Limits) -> Held:
    """Look at everything that would move: what it is, whose, how large, and its digest."""
    now = time.time_ns() // 1_000_000
    parts = [_part(os.fsencode(path), slot, wanted, limits) for slot, path in enumerate(paths)]
    if sum(part.bytes for part in parts) > limits.max_bytes:
        raise HoldRefusedError("too_large", f"more than {limits.max_bytes} bytes")
    folders = _folders(parts, wanted, here) if wanted.kind == "file_set" else []
    needed = wanted.kind == "config_entry"
    rows = [(wanted.path, wanted.pointer), *wanted.rows] if needed else wanted.rows
    changes = entries.changes(rows, wanted.described, needed=needed)
    return Held(new_ident(now), wanted, parts=parts, folders=folders, changes=changes, at_ms=now)


def _part(path: bytes, slot: int, wanted: Hold, limits: Limits) -> Part:
    shown = os.fsdecode(path)
    fd, name = open_parent(path)
    try:
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        parent = os.fstat(fd)
        kind = next((word for test, word in KIND_OF if test(info.st_mode)), "")
        if not kind:
            raise HoldRefusedError("special_file", shown)
        if wanted.kind == "dir" and shown == wanted.path and kind != "dir":
            raise HoldRefusedError("symlink_component" if kind == "link" else "not_directory", shown)
        point = mounted(path)
        if info.st_dev != parent.st_dev or point:
            raise HoldRefusedError("mount_point", point or shown)
        if not os.access(b".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=True):
            raise HoldRefusedError("read_only", os.path.dirname(shown))
        total = summed(fd, name, info, owner=os.geteuid(), max_bytes=limits.max_bytes)
        if total.vcs:
            raise HoldRefusedError("vcs_root", f"{shown}{total.vcs}")
    except OSError as error:
        raise refused(error, shown) from error
    finally:
        os.close(fd)
    whose, mode = (parent.st_dev, parent.st_ino), stat.S_IMODE(info.st_mode)
    return Part(path, kind, slot, info.st_dev, info.st_ino, mode, whose, total.digest, total.count, total.bytes)


def _folders(parts: list[Part], wanted: Hold, here: Ground) -> list[Folder]:
    """The directories that may be left empty, deepest first. Left behind, they would still import as a package."""
    found: dict[bytes, Folder] = {}
    for part in parts:
        path = os.path.dirname(part.path)
        while path not in found and _may_vanish(os.fsdecode(path), wanted, here):
            info = os.lstat(path)
            found[path] = Folder(path, stat.S_IMODE(info.st_mode), (info.st_uid, info.st_gid), info.st_mtime_ns)
            path = os.path.dirname(path)
    return sorted(found.values(), key=lambda folder: folder.path, reverse=True)


def _may_vanish(path: str, wanted: Hold, here: Ground) -> bool:
    return bool(PACKAGES.fullmatch(path) and inside(path, wanted.root) and not protected(path, here))


# ---- the move


def _take(books: Books, held: Held, limits: Limits, told: Callable[[str], None]) -> None:
    try:
        books.make_place(held)
        told("reserved")
        books.seal(held)
        told("witnessed")
        books.move_to(held, "moving")
        told("moving")
        payload = books.payload(held)
        try:
            for part in held.parts:
                _move(part, held, payload, limits, told)
                books.step(held, "moved", str(part.slot))
            for change in held.changes:
                entries.take_out(change, payload, told)
                books.step(held, "changed", str(change.slot))
            _vanish(held.folders)
            told("vanished")
            os.fsync(payload)
        finally:
            os.close(payload)
        books.move_to(held, "held")
        told("held")
    except BaseException as error:
        from bk.quarantine.recovery import undo

        if not isinstance(error, (BkError, OSError, sqlite3.Error)):
            raise  # ended from outside: the next start finds the books as they are, and recovers
        why = refused(error, held.path) if isinstance(error, OSError) else error
        undo(books, held, str(why))
        raise why from error


def _move(part: Part, held: Held, payload: int, limits: Limits, told: Callable[[str], None]) -> None:
    fd, name = open_parent(part.path)
    try:
        _still(fd, name, part)
        told(f"before {part.slot}")
        try:
            rename(fd, name, payload, part.name, told)
        except OSError as error:
            if refused(error, "").refusal != "cross_device":
                raise refused(error, os.fsdecode(part.path)) from error
            _move_across(part, held, fd, name, payload, limits, told)
            return
        info = os.stat(part.name, dir_fd=payload, follow_symlinks=False)
        if (info.st_dev, info.st_ino) != (part.device, part.inode):
            rename(payload, part.name, fd, name)  # something else had been put there
            raise HoldRefusedError("identity_mismatch", os.fsdecode(part.path))
        told(f"renamed {part.slot}")
        os.fsync(payload)
        os.fsync(fd)
        told(f"moved {part.slot}")
    finally:
        os.close(fd)


def _still(fd: int, name: bytes, part: Part) -> None:
    """The parent and the entry are the ones that were looked at."""
    shown = os.fsdecode(part.path)
    try:
        parent, info = os.fstat(fd), os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError as error:
        raise refused(error, shown) from error
    if (parent.st_dev, parent.st_ino) != part.parent:
        raise HoldRefusedError("parent_changed", shown)
    if (info.st_dev, info.st_ino) != (part.device, part.inode):
        raise HoldRefusedError("identity_mismatch", shown)


def _move_across(  # noqa: PLR0917 - where from, where to
    part: Part, held: Held, fd: int, name: bytes, payload: int, limits: Limits, told: Callable[[str], None]
) -> None:
    """To another file system: a verified copy first, then the original disappears in one step, and only then goes."""
    shown, partial = os.fsdecode(part.path), part.name + b".partial"
    try:
        copied(fd, name, payload, partial)
        told(f"copied {part.slot}")
        verify_part(payload, partial, part, limits)
        rename(payload, partial, payload, part.name)
        os.fsync(payload)
        told(f"verified {part.slot}")
        aside = TEMPORARY + held.ident.encode() + b"-" + part.name
        _still(fd, name, part)
        rename(fd, name, fd, aside)
        info = os.stat(aside, dir_fd=fd, follow_symlinks=False)
        if (info.st_dev, info.st_ino) != (part.device, part.inode):
            rename(fd, aside, fd, name)
            raise HoldRefusedError("identity_mismatch", shown)
        os.fsync(fd)
        told(f"aside {part.slot}")
        verify_part(fd, aside, part, limits)  # a write while it was copied would otherwise be lost
        removed(fd, aside, device=part.device, inode=part.inode)
        os.fsync(fd)
        told(f"removed {part.slot}")
    except OSError as error:
        raise refused(error, shown) from error


def verify_part(fd: int, name: bytes, part: Part, limits: Limits) -> None:
    """An entry of an open directory is, in everything that can be restored, what the books say of a part."""
    try:
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        total = summed(fd, name, info, owner=-1, max_bytes=limits.max_bytes)
    except OSError as error:
        raise refused(error, os.fsdecode(part.path)) from error
    if total.digest != part.digest:
        raise HoldRefusedError("identity_mismatch", f"{os.fsdecode(part.path)}: its digest is another one")


def _vanish(folders: Iterable[Folder]) -> None:
    """Remove the directories that the move emptied; one with something of somebody else's in it stays."""
    for folder in folders:
        fd, name = open_parent(folder.path)
        try:
            with unmarked(fd):
                os.rmdir(name, dir_fd=fd)
        except OSError:
            continue
        finally:
            os.close(fd)
