"""Trees, by open directories and never by path: what is in one, a copy of one, and its removal.

No link is ever followed, nothing outside the opened directory is touched, whoever swaps names meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
from hashlib import sha256

from bk.quarantine.kernel import refused, unmarked
from bk.quarantine.refused import HoldRefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CHUNK = 1 << 20
DEPTH_MAX = 512
SPECIAL = (stat.S_ISFIFO, stat.S_ISSOCK, stat.S_ISBLK, stat.S_ISCHR)


class Sum:
    """What a tree amounts to: its digest, how many entries, how many bytes, whose they are."""

    __slots__ = ("bytes", "count", "digest", "vcs")

    def __init__(self, digest: str, count: int, size: int, vcs: str) -> None:
        self.digest = digest
        self.count = count
        self.bytes = size
        self.vcs = vcs


def open_parent(path: bytes) -> tuple[int, bytes]:
    """The directory that holds `path`, opened component by component without following a link, and the last name.

    A link directly below the root belongs to the system (`/tmp`, `/var` on some) and is resolved first.
    """
    parts = path.split(b"/")[1:]
    first = os.lstat(b"/" + parts[0])
    if stat.S_ISLNK(first.st_mode) and len(parts) > 1:
        parts = os.path.realpath(b"/" + parts[0]).split(b"/")[1:] + parts[1:]
    fd = os.open(b"/", DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = inner
    except OSError as error:
        os.close(fd)
        raise refused(error, os.fsdecode(path)) from error
    return fd, parts[-1]


def summed(fd: int, name: bytes, info: os.stat_result, *, owner: int, max_bytes: int) -> Sum:
    """The digest of one entry of an open directory: a file, a link, or a whole tree with all that can be restored."""
    total = _Summing(owner, max_bytes)
    total.entry(fd, name, b"", info, 0)
    return Sum(total.hash.hexdigest(), total.count, total.size, total.vcs)


class _Summing:
    """One walk in a fixed order, hashing as it goes."""

    def __init__(self, owner: int, max_bytes: int) -> None:
        self.hash = sha256()
        self.count = self.size = 0
        self.vcs = ""
        self._owner = owner
        self._max = max_bytes
        self._links: dict[tuple[int, int], bytes] = {}

    def entry(self, fd: int, name: bytes, told: bytes, info: os.stat_result, depth: int) -> None:
        if self._owner not in (-1, info.st_uid):
            raise HoldRefusedError("not_owner", f"{os.fsdecode(told or name)}: uid {info.st_uid}")
        self.count += 1
        mode = info.st_mode
        times = b"" if stat.S_ISLNK(mode) else b"%d" % info.st_mtime_ns  # of a link they mean nothing
        self._tell(told, b"%o" % mode, b"%d" % info.st_uid, b"%d" % info.st_gid, times)
        if stat.S_ISDIR(mode):
            self._directory(fd, name, told, info, depth)
        elif stat.S_ISREG(mode):
            self._file(fd, name, told, info)
        elif stat.S_ISLNK(mode):
            self._tell(os.readlink(name, dir_fd=fd))
        else:
            raise HoldRefusedError("special_file", os.fsdecode(told or name))

    def _directory(self, fd: int, name: bytes, told: bytes, info: os.stat_result, depth: int) -> None:
        if depth >= DEPTH_MAX:
            raise HoldRefusedError("too_large", f"{os.fsdecode(told)}: more than {DEPTH_MAX} levels deep")
        inner = os.open(name, DIRECTORY, dir_fd=fd)
        try:
            _same(inner, info, told or name)
            self._tell(*_attributes(inner))
            for below in sorted(os.fsencode(each) for each in os.listdir(inner)):
                if below in (b".git", b".hg", b".jj", b".svn") and not self.vcs:
                    self.vcs = os.fsdecode(told + b"/" + below)
                there = os.stat(below, dir_fd=inner, follow_symlinks=False)
                if there.st_dev != info.st_dev:
                    raise HoldRefusedError("mount_point", os.fsdecode(told + b"/" + below))
                self.entry(inner, below, told + b"/" + below, there, depth + 1)
        finally:
            os.close(inner)

    def _file(self, fd: int, name: bytes, told: bytes, info: os.stat_result) -> None:
        self.size += info.st_size
        if self.size > self._max:
            raise HoldRefusedError("too_large", f"more than {self._max} bytes")
        first = self._links.setdefault((info.st_dev, info.st_ino), told)
        if first != told:
            self._tell(b"link", first)  # a second name of a file that is already in the sum
            return
        inner = os.open(name, FILE, dir_fd=fd)
        try:
            _same(inner, info, told or name)
            self._tell(*_attributes(inner))
            content = sha256()
            while chunk := os.read(inner, CHUNK):
                content.update(chunk)
            self._tell(content.digest())
        finally:
            os.close(inner)

    def _tell(self, *parts: bytes) -> None:
        for part in parts:
            self.hash.update(b"%d:" % len(part))
            self.hash.update(part)


def _same(fd: int, info: os.stat_result, what: bytes) -> None:
    now = os.fstat(fd)
    if (now.st_dev, now.st_ino, stat.S_IFMT(now.st_mode)) != (info.st_dev, info.st_ino, stat.S_IFMT(info.st_mode)):
        raise HoldRefusedError("identity_mismatch", os.fsdecode(what))


def _attributes(fd: int) -> Iterator[bytes]:
    """Extended attributes that can be put back, in order."""
    try:
        names = sorted(os.listxattr(fd))
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return
        raise
    for name in names:
        yield os.fsencode(name)
        yield os.getxattr(fd, name)


def copied(fd: int, name: bytes, to_fd: int, new: bytes) -> None:
    """A copy of one entry into another open directory, with modes, times, attributes, holes and links between files."""
    _Copying(to_fd).entry(fd, name, to_fd, new, new)


class _Copying:
    """One copy; remembers where it put files that have several names, as paths in the copy, which only we can write."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._first: dict[tuple[int, int], bytes] = {}

    def entry(self, fd: int, name: bytes, to_fd: int, new: bytes, told: bytes) -> None:
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if stat.S_ISDIR(info.st_mode):
            self._directory(fd, name, to_fd, new, told, info)
        elif stat.S_ISREG(info.st_mode):
            self._file(fd, name, to_fd, new, told, info)
        elif stat.S_ISLNK(info.st_mode):
            with unmarked(to_fd):
                os.symlink(os.readlink(name, dir_fd=fd), new, dir_fd=to_fd)
            os.chown(new, info.st_uid, info.st_gid, dir_fd=to_fd, follow_symlinks=False)
        else:
            raise HoldRefusedError("special_file", os.fsdecode(told))

    def _directory(  # noqa: PLR0917 - from, to, and what it is
        self, fd: int, name: bytes, to_fd: int, new: bytes, told: bytes, info: os.stat_result
    ) -> None:
        with unmarked(to_fd):
            os.mkdir(new, 0o700, dir_fd=to_fd)
        inner, made = os.open(name, DIRECTORY, dir_fd=fd), os.open(new, DIRECTORY, dir_fd=to_fd)
        try:
            _same(inner, info, told)
            for below in sorted(os.fsencode(each) for each in os.listdir(inner)):
                self.entry(inner, below, made, below, told + b"/" + below)
            _dressed(inner, made, info)
            os.fsync(made)
        finally:
            os.close(inner)
            os.close(made)

    def _file(  # noqa: PLR0917 - from, to, and what it is
        self, fd: int, name: bytes, to_fd: int, new: bytes, told: bytes, info: os.stat_result
    ) -> None:
        first = self._first.get((info.st_dev, info.st_ino))
        if first is not None:
            os.link(first, new, src_dir_fd=self._root, dst_dir_fd=to_fd, follow_symlinks=False)
            return
        inner = os.open(name, FILE, dir_fd=fd)
        try:
            with unmarked(to_fd):
                made = os.open(new, NEW, 0o600, dir_fd=to_fd)
        except OSError:
            os.close(inner)
            raise
        try:
            _same(inner, info, told)
            _content(inner, made, info.st_size)
            _dressed(inner, made, info)
            os.fsync(made)
        finally:
            os.close(inner)
            os.close(made)
        if info.st_nlink > 1:
            self._first[info.st_dev, info.st_ino] = told


def _content(source: int, target: int, size: int) -> None:
    """The bytes, and the holes between them."""
    at = 0
    os.ftruncate(target, size)
    while at < size:
        try:
            start = os.lseek(source, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        end = os.lseek(source, start, os.SEEK_HOLE)
        while start < end:
            chunk = os.pread(source, min(CHUNK, end - start), start)
            if not chunk:
                return
            written = 0
            while written < len(chunk):
                written += os.pwrite(target, chunk[written:], start + written)
            start += len(chunk)
        at = end


def _dressed(source: int, target: int, info: os.stat_result) -> None:
    """Owner, mode, attributes and times, in the order in which none undoes another."""
    os.fchown(target, info.st_uid, info.st_gid)
    os.fchmod(target, stat.S_IMODE(info.st_mode))
    attributes = list(_attributes(source))
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        os.setxattr(target, name, value)
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))


def removed(fd: int, name: bytes, *, device: int, inode: int) -> None:
    """Remove one entry of an open directory with all below it, if it still is the one that is meant."""
    info = os.stat(name, dir_fd=fd, follow_symlinks=False)
    if (info.st_dev, info.st_ino) != (device, inode):
        raise HoldRefusedError("identity_mismatch", os.fsdecode(name))
    if not stat.S_ISDIR(info.st_mode):
        with unmarked(fd):
            os.unlink(name, dir_fd=fd)
        return
    inner = os.open(name, DIRECTORY, dir_fd=fd)
    try:
        _same(inner, info, name)
        _emptied(inner, 0)
    finally:
        os.close(inner)
    with unmarked(fd):
        os.rmdir(name, dir_fd=fd)


def _emptied(fd: int, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise HoldRefusedError("too_large", f"more than {DEPTH_MAX} levels deep")
    info = os.fstat(fd)
    if stat.S_IMODE(info.st_mode) & 0o700 != 0o700:
        os.fchmod(fd, 0o700)  # nothing can be removed from a directory that may not be written
    for each in os.listdir(fd):
        name = os.fsencode(each)
        if stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            inner = os.open(name, DIRECTORY, dir_fd=fd)
            try:
                _emptied(inner, depth + 1)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=fd)
        else:
            os.unlink(name, dir_fd=fd)
