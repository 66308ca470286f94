"""One entry taken out of a settings file, and put back: every other byte of the file stays as it is.

An MCP server is not a file but an entry, and an editor's extension is a folder and an entry. Its text may hold a
credential, so it is kept in the vault alone, readable by its owner alone, and is never shown.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from hashlib import sha256

from bk.quarantine import spans, tables
from bk.quarantine.kernel import nothing, refused, unmarked
from bk.quarantine.record import Change
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.tree import open_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bk.quarantine.record import Descriptions

MAX = 8 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


# ---- what would change


def changes(rows: Iterable[tuple[str, str]], described: Descriptions, *, needed: bool) -> list[Change]:
    """What cutting these rows comes to, in the order in which they are to be cut.

    Of one list the later ones go first, so that the numbers of the others hold. A row that is not there is refused
    when it is `needed`, and otherwise there is nothing to cut.
    """
    made: list[Change] = []
    texts: dict[str, bytes] = {}
    for path, pointer in sorted(set(rows), key=_later_first):
        try:
            text = texts[path] if path in texts else read(os.fsencode(path))
            there = _standing(text, path, pointer, described)
        except HoldRefusedError as error:
            if needed or error.refusal != "gone":
                raise
            continue
        if there:
            texts[path] = without(text, path, there)
            at = os.fsencode(path)
            made.append(Change(at, there, len(made), digest(text), digest(texts[path]), described))
        elif needed:
            raise HoldRefusedError("identity_mismatch", f"{path}{pointer}: it is not there")
    return made


def _later_first(row: tuple[str, str]) -> tuple[str, str, int]:
    path, pointer = row
    list_of, _, number = pointer.rpartition("/")
    return path, list_of, -int(number) if number.isdecimal() else 0


def _standing(text: bytes, path: str, pointer: str, described: Descriptions) -> str:
    """Where the row is now; "" when it is not there."""
    try:
        names = spans.pointed(pointer)
        if path.endswith(".toml"):
            return pointer if tables.there(text.decode(), names) else ""
        if path.endswith((".yaml", ".yml")):
            raise ValueError("YAML cannot be edited without touching more than the entry")
        found = spans.standing(text.decode(), names, described)
        return spans.pointing(found) if found else ""
    except spans.MissingError:
        return ""
    except (ValueError, RecursionError) as error:
        raise HoldRefusedError("identity_mismatch", f"{path}{pointer}: {error}") from error


def without(text: bytes, path: str, pointer: str) -> bytes:
    """The file's bytes without the entry, checked to differ from before by that entry alone."""
    try:
        cut = tables.cut if path.endswith(".toml") else spans.cut
        return cut(text.decode(), spans.pointed(pointer))[0].encode()
    except (ValueError, RecursionError) as error:
        raise HoldRefusedError("identity_mismatch", f"{path}{pointer}: {error}") from error


# ---- changing it


def take_out(change: Change, payload: int, told: Callable[[str], None]) -> None:
    """Write the entry into the vault, then the file without it in one step."""
    fd, name = open_parent(change.path)
    try:
        text, info = _read_at(fd, name, change.path)
        if digest(text) != change.before:
            raise HoldRefusedError("identity_mismatch", os.fsdecode(change.path))
        left = without(text, os.fsdecode(change.path), change.pointer)
        kept = {"text": text.decode(), "pointer": change.pointer, "mtime_ns": info.st_mtime_ns}
        _write(payload, change.kept, json.dumps(kept).encode(), 0o600)
        os.fsync(payload)
        told(f"kept {change.slot}")
        _replace(fd, name, left, info, change, told=told)
        told(f"changed {change.slot}")
    except OSError as error:
        raise refused(error, os.fsdecode(change.path)) from error
    finally:
        os.close(fd)


def put_back(change: Change, payload: int, *, theirs: bool = False, told: Callable[[str], None] = nothing) -> bool:
    """Put the entry where it was; True when that changed a file which somebody had edited since.

    A file that nobody touched since becomes what it was, byte for byte; in one that was edited, the entry is added.
    Another entry in its place is a conflict, unless `theirs` may stay.
    """
    path = os.fsdecode(change.path)
    fd, name = open_parent(change.path)
    try:
        _swept(fd, change)
        now, info = _read_at(fd, name, change.path)
        if digest(now) == change.before:
            return False  # a crash came after it was put back, or before it was taken
        whole, mtime_ns = _kept(change, payload)
        if digest(now) == change.after:
            _replace(fd, name, whole, info, change, mtime_ns=mtime_ns, told=told)
            return False
        if _same(now, whole, change):
            return False
        if _standing(now, path, change.pointer, change.described) and not _only_a_number(now, change):
            if theirs:
                return False
            raise HoldRefusedError("conflict", f"{path}{change.pointer}: an entry of this name is there now")
        _replace(fd, name, _added(now, whole, change), info, change, told=told)
        return True
    except OSError as error:
        raise refused(error, path) from error
    finally:
        os.close(fd)


def cut_again(change: Change, payload: int) -> None:
    """Take out again what was put back, when the rest of the restore failed; what is another entry stays."""
    fd, name = open_parent(change.path)
    try:
        now, info = _read_at(fd, name, change.path)
        there = _same(now, _kept(change, payload)[0], change)
        if there:
            _replace(fd, name, without(now, os.fsdecode(change.path), there), info, change)
    except OSError as error:
        raise refused(error, os.fsdecode(change.path)) from error
    finally:
        os.close(fd)


def forgotten(change: Change, payload: int) -> None:
    """Drop what the vault keeps of an entry, when the file has it again."""
    with suppress(FileNotFoundError):
        os.unlink(change.kept, dir_fd=payload)


def kept_text(change: Change, payload: int) -> bytes:
    """The file as it was when the entry was taken out of it."""
    return _kept(change, payload)[0]


# ---- what a file says


def _same(now: bytes, whole: bytes, change: Change) -> str:
    """Where the very entry that was cut out is now; "" when it is nowhere."""
    path = os.fsdecode(change.path)
    try:
        names = spans.pointed(change.pointer)
        if path.endswith(".toml"):
            return change.pointer if tables.same(now.decode(), whole.decode(), names) else ""
        text = whole.decode()
        was, _ = spans.find(text, names)
        found = spans.same(now.decode(), names, spans.value(text, was)) if was else None
        return spans.pointing(found) if found else ""
    except spans.MissingError:
        return ""
    except (ValueError, RecursionError) as error:
        raise HoldRefusedError("conflict", f"{path}: {error}") from error


def _only_a_number(now: bytes, change: Change) -> bool:
    """Whether what stands at the pointer is just the element that has this number now."""
    if change.described or change.path.endswith(b".toml"):
        return False
    text = now.decode()
    return text[spans.find(text, spans.pointed(change.pointer))[1]] == "["


def _added(now: bytes, whole: bytes, change: Change) -> bytes:
    """The file as it is now, with the entry of before added."""
    path = os.fsdecode(change.path)
    try:
        added = tables.added if path.endswith(".toml") else spans.added
        return added(now.decode(), whole.decode(), spans.pointed(change.pointer)).encode()
    except (ValueError, RecursionError) as error:
        raise HoldRefusedError("conflict", f"{path}: {error}") from error


def digest(text: bytes) -> str:
    """What names a state of the file."""
    return sha256(text).hexdigest()


# ---- files


def read(path: bytes) -> bytes:
    """The file's bytes; a link, a pipe or somebody else's file is refused."""
    fd, name = open_parent(path)
    try:
        return _read_at(fd, name, path)[0]
    except OSError as error:
        raise refused(error, os.fsdecode(path)) from error
    finally:
        os.close(fd)


def _read_at(fd: int, name: bytes, path: bytes) -> tuple[bytes, os.stat_result]:
    with open(os.open(name, _READ, dir_fd=fd), "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode):
            raise HoldRefusedError("special_file", os.fsdecode(path))
        if info.st_uid != os.geteuid():
            raise HoldRefusedError("not_owner", os.fsdecode(path))
        text = file.read(MAX + 1)
    if len(text) > MAX:
        raise HoldRefusedError("too_large", os.fsdecode(path))
    return text, info


def _kept(change: Change, payload: int) -> tuple[bytes, int]:
    """The file as it was when the entry was taken out of it, and when it had been written."""
    try:
        fd = os.open(change.kept, _READ, dir_fd=payload)
        with open(fd, "rb") as file:
            told = json.loads(file.read(8 * MAX))
        text: bytes = told["text"].encode()
        mtime_ns = int(told["mtime_ns"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise HoldRefusedError("tampered", f"{os.fsdecode(change.path)}: {error}") from error
    if digest(text) != change.before:
        raise HoldRefusedError("tampered", os.fsdecode(change.path))
    return text, mtime_ns


def _replace(
    fd: int,
    name: bytes,
    text: bytes,
    info: os.stat_result,
    change: Change,
    *,
    mtime_ns: int = 0,
    told: Callable[[str], None] = nothing,
) -> None:
    """The file's new bytes in one step, with its owner and mode, if it is still the one that was read."""
    _swept(fd, change)
    _write(fd, change.aside, text, stat.S_IMODE(info.st_mode), (info.st_uid, info.st_gid), mtime_ns)
    told(f"written {change.slot}")
    now = os.stat(name, dir_fd=fd, follow_symlinks=False)
    if (now.st_ino, now.st_ctime_ns, now.st_size) != (info.st_ino, info.st_ctime_ns, info.st_size):
        _swept(fd, change)
        raise HoldRefusedError("identity_mismatch", os.fsdecode(change.path))
    with unmarked(fd):
        os.rename(change.aside, name, src_dir_fd=fd, dst_dir_fd=fd)
    os.fsync(fd)


def _swept(fd: int, change: Change) -> None:
    """Remove what a crash left beside the file."""
    with suppress(FileNotFoundError), unmarked(fd):
        os.unlink(change.aside, dir_fd=fd)


def _write(  # noqa: PLR0917 - which file, and what it is to be
    fd: int, name: bytes, text: bytes, mode: int, owner: tuple[int, int] | None = None, mtime_ns: int = 0
) -> None:
    with unmarked(fd):
        made = os.open(name, _NEW, 0o600, dir_fd=fd)
    with open(made, "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        if mtime_ns:
            os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
        os.fsync(file.fileno())
