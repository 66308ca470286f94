"""Writing a client's file: whole or not at all, never over somebody's later change, and undone to the byte.

What stood in a file before us is kept in the state directory. As long as nobody has changed the file since, taking us
out brings back those very bytes; otherwise our entries alone are cut out of what it says now.
"""

from __future__ import annotations

import json
import os
import stat
from hashlib import sha256

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json
    from bk.engine.state import State

MAX = 16 << 20
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Was:
    """A file as it was read: its bytes (None where there is none), where it really is, and its mode."""

    __slots__ = ("data", "mode", "owner", "path", "real")

    def __init__(self, path: str, real: str, data: bytes | None, mode: int, owner: tuple[int, int]) -> None:
        self.path = path
        self.real = real
        self.data = data
        self.mode = mode
        self.owner = owner

    @property
    def text(self) -> str:
        """The bytes as text; BkError when they are none."""
        try:
            return (self.data or b"").decode()
        except UnicodeDecodeError as error:
            line = (self.data or b"").count(b"\n", 0, error.start) + 1
            raise unreadable(self.path, f"line {line}: byte {error.start} is no UTF-8") from error


def look(path: str, *, within: str = "") -> Was:
    """Read a file. Links are followed, because people keep their settings elsewhere; a project's must stay `within`."""
    real = os.path.realpath(path)
    if within and os.path.commonpath([real, os.path.realpath(within)]) != os.path.realpath(within):
        raise unreadable(path, f"it leads out of the project, to {real}")
    try:
        fd = os.open(real, _READ | os.O_NOFOLLOW)
    except FileNotFoundError:
        return Was(path, real, None, 0, (-1, -1))
    except OSError as error:
        raise unreadable(path, error.strerror or "it cannot be opened") from error
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        os.close(fd)
        raise unreadable(path, "it is no file")
    with open(fd, "rb") as file:
        data = file.read(MAX + 1)
    if len(data) > MAX:
        raise unreadable(path, f"it is larger than {MAX >> 20} MiB")
    return Was(path, real, data, stat.S_IMODE(info.st_mode), (info.st_uid, info.st_gid))


def write(was: Was, data: bytes | None, mode: int) -> None:
    """Put new bytes in place of those that were read (None removes the file), unless somebody else was faster."""
    folder = os.path.dirname(was.real)
    aside = f"{was.real}.bk-{os.getpid()}.new"
    try:
        os.makedirs(folder, 0o700 if folder.startswith(os.path.expanduser("~")) else 0o755, exist_ok=True)
        if data is None:
            _still(was)
            os.unlink(was.real)
        else:
            fd = os.open(aside, _NEW, 0o600)
            try:
                with open(fd, "wb") as file:
                    file.write(data)
                    file.flush()
                    if was.data is not None and was.owner != (os.geteuid(), os.getegid()):
                        os.fchown(fd, *was.owner)
                    os.fchmod(fd, was.mode if was.data is not None else mode)
                    os.fsync(fd)
                _still(was)
                os.rename(aside, was.real)
            except BaseException:
                os.unlink(aside)
                raise
        _sync(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BkError(f"{was.path} could not be written", reason, "make it writable, then try again") from error


def _still(was: Was) -> None:
    now = look(was.real)
    if now.data != was.data:
        raise BkError(
            f"{was.path} was changed while bk was about to write it", "nothing was written", "run the command again"
        )


def keep(state: State, was: Was, data: bytes) -> None:
    """Remember what a file was before us, and what we are about to make of it."""
    path = _kept(state, was.real)
    there = _record(path)
    before, after = was.data, [_digest(data)]
    if there and was.data is not None and _digest(was.data) in _after(there):
        before = _before(there)  # our own entry is replaced: what was before it still counts
        after.append(_digest(was.data))  # and so it does should the new one not get written
    told: dict[str, Json] = {
        "path": was.real,
        "before": None if before is None else before.decode("latin-1"),
        "after": after,
        "below": there.get("below") or _there(os.path.dirname(was.real)),
    }
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            json.dump(told, file)
            file.flush()
            os.fsync(fd)
        os.rename(f"{path}.new", path)
    except OSError as error:
        raise BkError(
            f"{was.path} was left alone", f"what it says now could not be kept: {error.strerror}", "see `bk diag`"
        ) from error


def kept(state: State, was: Was) -> tuple[bool, bytes | None]:
    """Whether what was there before us is known and nobody has changed the file since; and what it was."""
    there = _record(_kept(state, was.real))
    if not there or was.data is None or _digest(was.data) not in _after(there):
        return False, None
    return True, _before(there)


def said_before(state: State, was: Was) -> str | None:
    """What the file said before us, "" when it was not there; None when that is not known."""
    there = _record(_kept(state, was.real))
    return (_before(there) or b"").decode(errors="replace") if there else None


def forget(state: State, was: Was) -> None:
    """Drop what was remembered of a file that we are out of, and the folders that were made for it alone."""
    path = _kept(state, was.real)
    below, folder = _record(path).get("below"), os.path.dirname(was.real)
    while isinstance(below, str) and not os.path.lexists(was.real) and folder.startswith(f"{below.rstrip('/')}/"):
        try:
            os.rmdir(folder)
        except OSError:  # somebody has put something there
            break
        folder = os.path.dirname(folder)
    if os.path.lexists(path):
        os.unlink(path)


def unreadable(path: str, why: str) -> BkError:
    """What is said of a file that is left alone."""
    return BkError(f"{path} was left alone", why, "mend it or take it away, then run the command again")


def _kept(state: State, real: str) -> str:
    return f"{state.root}/wiring/{sha256(os.fsencode(real)).hexdigest()[:32]}.json"


def _record(path: str) -> dict[str, Json]:
    try:
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _before(record: dict[str, Json]) -> bytes | None:
    before = record.get("before")
    return before.encode("latin-1") if isinstance(before, str) else None


def _there(folder: str) -> str:
    """The folder, or the nearest above it that is there."""
    while not os.path.isdir(folder) and folder not in ("", "/"):
        folder = os.path.dirname(folder)
    return folder


def _after(record: dict[str, Json]) -> list[Json]:
    after = record.get("after")
    return after if isinstance(after, list) else [after]


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _sync(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
