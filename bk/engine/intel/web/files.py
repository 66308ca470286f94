"""The files of one source on disk: a new one becomes visible whole or not at all, and a cut download can go on.

Beside a file `name` lie `.name.from` (what it is: URL, validators, size and digest; without a match there the file is
asked for anew) and, while it comes, `.name.part` with its own `.name.part.from`, written only after the bytes that it
speaks of are on disk.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import stat
from contextlib import contextmanager

from bk.engine.intel.sources.source import FeedError
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKPOINT = 16 << 20
BLOCK = 1 << 20
MAX_NOTE = 16 << 10
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Known:
    """What is known about the bytes in a file: where they came from and how to tell them from others."""

    __slots__ = ("digest", "etag", "modified", "size", "total", "url")

    def __init__(self, url: str, *, etag: str, modified: str, size: int, digest: str, total: int = 0) -> None:
        self.url = url
        self.etag = etag
        self.modified = modified
        self.size = size
        self.digest = digest
        self.total = total


class Place:
    """Where one file of a source lies, with its part and its notes."""

    __slots__ = ("_folder", "note", "part", "part_note", "path")

    def __init__(self, folder: str, to: str) -> None:
        pieces = to.split("/")
        if any(not piece or piece.startswith(".") or "\0" in piece for piece in pieces):
            raise FeedError("disk", f"{inert(to, 120)!r} is no name for a file of a source")
        self._folder = "/".join([folder, *pieces[:-1]])
        self.path = f"{folder}/{to}"
        self.note = f"{self._folder}/.{pieces[-1]}.from"
        self.part = f"{self._folder}/.{pieces[-1]}.part"
        self.part_note = f"{self.part}.from"
        with disk(self.path):
            for depth in range(len(pieces)):
                _own("/".join([folder, *pieces[:depth]]))

    def known(self, url: str) -> Known | None:
        """What the file is, if it is still exactly what came from that URL."""
        with disk(self.path):
            known = _noted(self.note, url)
            try:
                handle = os.open(self.path, _READ)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, or no file at all: replaced by what comes
                    return None
                raise
            with os.fdopen(handle, "rb") as file:
                if known is None or not _plain(file.fileno(), known.size):
                    return None
                return known if _digest(file, known.size).hexdigest() == known.digest else None

    def started(self, url: str) -> tuple[Known, Download] | None:
        """A download of that URL that was cut, ready to go on; None when there is none to rely on."""
        with disk(self.part):
            known = _noted(self.part_note, url)
            if known is None:
                return None
            try:
                handle = os.open(self.part, _OLD)
            except OSError:
                return None
            file = os.fdopen(handle, "r+b")
            try:
                if _plain(handle, known.size, at_least=True):
                    digest = _digest(file, known.size)
                    if digest.hexdigest() == known.digest:
                        file.truncate(known.size)
                        file.seek(known.size)
                        return known, Download(self, file, digest, known)
            except BaseException:
                file.close()
                raise
            file.close()
            return None

    def begin(self, known: Known, *, resumable: bool) -> Download:
        """A download from the start; what lay in its way is removed, never written through."""
        with disk(self.part):
            _gone(self.part_note)
            _gone(self.part)
            file = os.fdopen(os.open(self.part, _NEW, 0o600), "w+b")
        return Download(self, file, _hasher(), known, resumable=resumable)


class Download:
    """A file that is coming. Ends with `commit`, `keep` (to go on later) or `drop`."""

    def __init__(
        self, place: Place, file: io.BufferedRandom, digest: hashlib.blake2b, known: Known, *, resumable: bool = True
    ) -> None:
        self._place = place
        self._file = file
        self._digest = digest
        self._known = known
        self._noted = known.size
        self.size = known.size
        self._resumable = resumable and known.etag.startswith('"')  # a weak one tells no bytes apart

    def write(self, data: bytes) -> None:
        """Add bytes; now and then what came is made safe against a crash."""
        with disk(self._place.part):
            self._file.write(data)
            self._digest.update(data)
            self.size += len(data)
            if self._resumable and self.size - self._noted >= CHECKPOINT:
                self._checkpoint()

    def _checkpoint(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        _write_note(self._place.part_note, self._now())
        self._noted = self.size

    def _now(self) -> Known:
        known = self._known
        digest = self._digest.hexdigest()
        return Known(
            known.url, etag=known.etag, modified=known.modified, size=self.size, digest=digest, total=known.total
        )

    def commit(self) -> Known:
        """Make it the file that is in force, on disk and by one rename."""
        place, known = self._place, self._now()
        with disk(place.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            _gone(place.note)  # a crash from here on asks anew instead of believing an old note
            os.replace(place.part, place.path)
            _sync_folder(os.path.dirname(place.path))
            _write_note(place.note, known)
            _gone(place.part_note)
        return known

    def keep(self) -> None:
        """Leave what came for the next time, if the server can say then whether it still fits."""
        if not self._resumable or not self.size or self._file.closed:
            self.drop()
            return
        try:
            with disk(self._place.part):
                self._checkpoint()
                self._file.close()
        except FeedError:
            self.drop()
            raise

    def drop(self) -> None:
        """Forget what came; also frees a full disk."""
        with contextlib.suppress(OSError):
            self._file.close()  # flushes, which a full disk refuses; the descriptor is closed all the same
        for path in (self._place.part_note, self._place.part):
            with contextlib.suppress(OSError):
                os.unlink(path)


@contextmanager
def disk(path: str) -> Iterator[None]:
    """Say of any failure of the file system what it is, as a FeedError."""
    try:
        yield
    except OSError as error:
        raise FeedError("disk", f"{inert(path, 200)}: {error.strerror or error}") from error


def _own(folder: str) -> None:
    """Make the directory, or see that it is one, ours, and no link to another."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    info = os.lstat(folder)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o022:
        raise FeedError("disk", f"{inert(folder, 200)} is not a directory of our own")


def _noted(path: str, url: str) -> Known | None:
    """The note at `path`, if it is readable and about that URL."""
    try:
        handle = os.open(path, _READ)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        if not _plain(handle, 0, at_least=True):
            return None
        data = file.read(MAX_NOTE)
    try:
        said = json.loads(data)
        known = Known(**{name: said[name] for name in Known.__slots__})
    except (ValueError, LookupError, TypeError):
        return None
    texts = (known.etag, known.modified, known.digest)
    numbers = (known.size, known.total)
    if known.url != url or not all(isinstance(t, str) for t in texts) or not all(type(n) is int for n in numbers):
        return None
    return known


def _write_note(path: str, known: Known) -> None:
    fresh = f"{path}.new"
    _gone(fresh)
    said = {name: getattr(known, name) for name in Known.__slots__}
    with os.fdopen(os.open(fresh, _NEW, 0o600), "w", encoding="utf-8") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    _sync_folder(os.path.dirname(path))


def _plain(handle: int, size: int, *, at_least: bool = False) -> bool:
    """Whether this is an ordinary file of ours, under one name, of that size."""
    info = os.fstat(handle)
    ours = stat.S_ISREG(info.st_mode) and info.st_nlink == 1 and info.st_uid == os.geteuid()
    return ours and (info.st_size >= size if at_least else info.st_size == size)


def _digest(file: io.BufferedIOBase, size: int) -> hashlib.blake2b:
    digest = _hasher()
    while size > 0 and (block := file.read(min(BLOCK, size))):
        digest.update(block)
        size -= len(block)
    return digest


def _hasher() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=32)


def _gone(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
