"""A small secret that is made once for an installation: whoever writes first wins, and nobody ever changes it.

It is published by a hard link, which fails where a rename would replace: two processes that start together must end
with one secret, because everything that was made with the other would never match again.
"""

from __future__ import annotations

import os
import stat

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CAP = 4096
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def kept(path: str, make: Callable[[], bytes], owner: int) -> bytes:
    """What the file holds; made and published first when there is none. BkError names what makes it unfit."""
    found = held(path, owner)
    if found is None:
        _publish(path, make())
        found = held(path, owner)
    if found is None:
        raise unfit(path, "it was taken away while it was made")
    return found


def held(path: str, owner: int) -> bytes | None:
    """What the file holds, None when there is none: a plain file of its owner, that nobody else may read."""
    try:
        fd = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unfit(path, error.strerror or "it cannot be opened") from error
    with open(fd, "rb") as file:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise unfit(path, "it is not a plain file")
        if info.st_uid not in (owner, os.geteuid()):
            raise unfit(path, f"it belongs to uid {info.st_uid}")
        if info.st_mode & 0o077:
            raise unfit(path, f"others may use it (mode {info.st_mode & 0o777:o})")
        data = file.read(CAP + 1)
    if len(data) > CAP:
        raise unfit(path, f"it is larger than {CAP:,} bytes")
    return data


def unfit(path: str, why: str) -> BkError:
    """The error for a secret that is not used at all; it is never made anew over one that is there."""
    step = f"put {os.path.basename(path)} back from a copy, with mode 600"
    return BkError("a secret of this installation cannot be used", f"{path}: {why}", step)


def _publish(path: str, data: bytes) -> None:
    """Whole and on disk before it has its name; the name is taken only if nobody has it."""
    folder = os.path.dirname(path)
    aside = f"{path}.{os.urandom(8).hex()}.new"
    try:
        fd = os.open(aside, _MAKE, 0o600)
        try:
            with open(fd, "wb") as file:
                os.fchmod(fd, 0o600)
                file.write(data)
                file.flush()
                os.fsync(fd)
            try:
                os.link(aside, path, follow_symlinks=False)
            except FileExistsError:
                return
        finally:
            os.unlink(aside)
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(at)
        finally:
            os.close(at)
    except OSError as error:
        raise unfit(path, error.strerror or "it cannot be written") from error
