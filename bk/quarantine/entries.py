"""One entry taken out of a settings file, and put back: every other byte of the file stays as it is.

An MCP server is not a file but an entry. Its text may hold a credential, so it is kept in the vault alone, readable by
its owner alone, and is never shown.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from hashlib import sha256

from bk.quarantine import spans
from bk.quarantine.kernel import refused
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.tree import open_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.quarantine.record import Change

MAX = 8 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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


def digest(text: bytes) -> str:
    """What names a state of the file."""
    return sha256(text).hexdigest()


def without(text: bytes, path: str, pointer: str) -> tuple[bytes, bytes]:
    """The file's bytes without the entry, and what restores it: checked to differ from before by that entry alone."""
    try:
        names = spans.pointed(pointer)
        if path.endswith(".toml"):
            from bk.quarantine import tables

            left, kept = tables.cut(text.decode(), names)
        elif path.endswith((".yaml", ".yml")):
            raise ValueError("YAML cannot be edited without touching more than the entry")
        else:
            left, kept = spans.cut(text.decode(), names)
    except (ValueError, RecursionError) as error:
        raise HoldRefusedError("identity_mismatch", f"{path}{pointer}: {error}") from error
    return left.encode(), kept.encode()


def take_out(change: Change, payload: int, told: Callable[[str], None]) -> None:
    """Write the entry into the vault, then the file without it in one step."""
    fd, name = open_parent(change.path)
    try:
        text, info = _read_at(fd, name, change.path)
        if digest(text) != change.before:
            raise HoldRefusedError("identity_mismatch", os.fsdecode(change.path))
        left, _ = without(text, os.fsdecode(change.path), change.pointer)
        kept = json.dumps({"text": text.decode(), "pointer": change.pointer}).encode()
        _write(payload, b"entry-%d" % change.slot, kept, 0o600)
        os.fsync(payload)
        told(f"kept {change.slot}")
        _replace(fd, name, left, info, change.slot)
        told(f"changed {change.slot}")
    except OSError as error:
        raise refused(error, os.fsdecode(change.path)) from error
    finally:
        os.close(fd)


def put_back(change: Change, payload: int) -> None:
    """Put the entry where it was, if the file has no such entry now.

    A file that nobody touched since becomes what it was, byte for byte; in one that was edited, the entry is added.
    """
    path = os.fsdecode(change.path)
    fd, name = open_parent(change.path)
    try:
        now, info = _read_at(fd, name, change.path)
        if digest(now) == change.before:
            return  # a crash came after it was put back
        whole = kept_text(change, payload)
        if digest(now) == change.after:
            _replace(fd, name, whole, info, change.slot)
            return
        _replace(fd, name, _added(now, whole, path, change.pointer), info, change.slot)
    except OSError as error:
        raise refused(error, path) from error
    finally:
        os.close(fd)


def kept_text(change: Change, payload: int) -> bytes:
    """The file as it was when the entry was taken out of it."""
    try:
        fd = os.open(b"entry-%d" % change.slot, _READ, dir_fd=payload)
        with open(fd, "rb") as file:
            told = json.loads(file.read(4 * MAX))
        text: bytes = told["text"].encode()
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise HoldRefusedError("tampered", f"{os.fsdecode(change.path)}: {error}") from error
    if digest(text) != change.before:
        raise HoldRefusedError("tampered", os.fsdecode(change.path))
    return text


def _added(now: bytes, whole: bytes, path: str, pointer: str) -> bytes:
    """The file as it is now, with the entry of before added at the end of its container."""
    try:
        names = spans.pointed(pointer)
        if path.endswith(".toml"):
            from bk.quarantine import tables

            return tables.added(now.decode(), whole.decode(), names).encode()
        text, before = now.decode(), whole.decode()
        there, at = spans.find(text, names)
        was, _ = spans.find(before, names)
        if there is not None or was is None:
            raise HoldRefusedError("conflict", f"{path}{pointer}: an entry of this name is there now")
        return _inserted(text, at, before[was.at : was.end]).encode()
    except (ValueError, RecursionError) as error:
        raise HoldRefusedError("conflict", f"{path}: {error}") from error


def _inserted(text: str, at: int, member: str) -> str:
    """A member as the last of the container that opens at `at`, on a line of its own where the others have one."""
    inside = spans.members(text, at)
    if not inside:
        return f"{text[: at + 1]}{member}{text[at + 1 :]}"
    last = inside[-1][1]
    start = text.rfind("\n", 0, last.at)
    lead = text[start : last.at] if start >= 0 and not text[start : last.at].strip() else " "
    return f"{text[: last.end]},{lead}{member}{text[last.end :]}"


def _replace(fd: int, name: bytes, text: bytes, info: os.stat_result, slot: int) -> None:
    """The file's new bytes in one step, with its owner and mode."""
    aside = b".bk-hold-entry-%d" % slot
    with suppress(FileNotFoundError):
        os.unlink(aside, dir_fd=fd)  # left by a crash
    _write(fd, aside, text, stat.S_IMODE(info.st_mode), (info.st_uid, info.st_gid))
    os.rename(aside, name, src_dir_fd=fd, dst_dir_fd=fd)
    os.fsync(fd)


def _write(fd: int, name: bytes, text: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    with open(os.open(name, _NEW, 0o600, dir_fd=fd), "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
