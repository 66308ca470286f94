"""What a release of bk is, byte for byte: one digest, the same for a wheel, an sdist and what is installed.

It is SHA-256 over one line for each file of the package, in the order of their paths, as `sha256sum` would write them:

    <SHA-256>  bk/<path>

What an installation adds by itself is left out: compiled bytecode, the native client and the report of its build,
hidden files and editors' backups.
"""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
from hashlib import sha256

from blake3 import blake3

from bk.engine.config.files import replace
from bk.engine.errors import USAGE, BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.state import State

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE_MAX = 64 << 20
FILES_MAX = 20_000
_BUILT = ("hook/native/bin/", "hook/native/built.json")
_MACHINE = (".pyc", ".pyo", "~")
_VERSION = b'__version__ = "'


class Release:
    """One release: its version, the digest of its files, and how many there are."""

    __slots__ = ("digest", "files", "version")

    def __init__(self, hashes: Mapping[str, str], version: str) -> None:
        self.digest = combined(hashes)
        self.files = len(hashes)
        self.version = version


def release(path: str) -> Release:
    """The release in a wheel, an sdist, an installed or unpacked tree, or the folder of the package itself."""
    if os.path.isdir(path):
        for root in (path, f"{path}/bk"):
            if os.path.isfile(f"{root}/engine/own/artifact.py"):
                return _made(_of_tree(os.path.realpath(root)))
        raise BkError("there is no bk in that folder", path, "name a wheel, an sdist or an installed tree", code=USAGE)
    try:
        if zipfile.is_zipfile(path):
            return _made(_of_wheel(path))
        if tarfile.is_tarfile(path):
            return _made(_of_sdist(path))
    except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise BkError("the release cannot be read", f"{path}: {error}") from error
    raise BkError("that is no release of bk", path, "name a wheel, an sdist or an installed tree", code=USAGE)


def installed() -> str:
    """The digest of the files that are running, hashed now."""
    return combined({name: sha256(data).hexdigest() for name, data in _of_tree(PACKAGE)})


def known(state: State) -> str:
    """The same, from when these very files were hashed last, told by their stamps."""
    path = f"{state.root}/own/tree"
    seen = blake3()
    for name, info in _walk(PACKAGE):
        seen.update(f"{name} {info.st_mtime_ns} {info.st_ctime_ns} {info.st_size} {info.st_ino}\n".encode())
    stamp = seen.hexdigest()
    try:
        with open(path, encoding="ascii") as file:
            kept = file.read(512).split()
    except (FileNotFoundError, UnicodeDecodeError):
        kept = []
    if len(kept) == 3 and kept[0] == stamp and kept[2] == _sealed(kept[0], kept[1]):
        return kept[1]
    digest = installed()
    replace(path, f"{stamp}\n{digest}\n{_sealed(stamp, digest)}\n".encode())
    return digest


def forget(state: State) -> None:
    """Have the files hashed again the next time, whatever their stamps say."""
    try:
        os.unlink(f"{state.root}/own/tree")
    except FileNotFoundError:
        return


def combined(hashes: Mapping[str, str]) -> str:
    """The digest over all files."""
    lines = "".join(f"{hashes[name]}  bk/{name}\n" for name in sorted(hashes))
    return f"sha256:{sha256(lines.encode(errors='surrogateescape')).hexdigest()}"


def counts(name: str) -> bool:
    """Whether a file, by its path below the package, is part of a release."""
    parts = name.split("/")
    if any(part.startswith(".") or part == "__pycache__" for part in parts):
        return False
    return not name.startswith(_BUILT) and not name.endswith(_MACHINE)


def _made(files: Iterator[tuple[str, bytes]]) -> Release:
    hashes: dict[str, str] = {}
    version = ""
    for name, data in files:
        if name in hashes:
            raise BkError("that is no release of bk", f"it holds bk/{name} twice")
        hashes[name] = sha256(data).hexdigest()
        if name == "__init__.py":
            version = data.partition(_VERSION)[2].partition(b'"')[0].decode(errors="replace")
    if not hashes:
        raise BkError("that is no release of bk", "it holds no file of the package", code=USAGE)
    return Release(hashes, version)


def _of_tree(root: str) -> Iterator[tuple[str, bytes]]:
    for name, info in _walk(root):
        path = f"{root}/{name}"
        if stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                yield name, file.read()
        else:  # a release has no links and no devices: what is one must not hash like a file
            link = os.readlink(path) if stat.S_ISLNK(info.st_mode) else ""
            yield name, f"not a file {link}".encode(errors="surrogateescape")


def _walk(root: str, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(f"{root}/{below}") as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = f"{below}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if counts(f"{name}/x"):
                yield from _walk(root, f"{name}/")
        elif counts(name):
            yield name, entry.stat(follow_symlinks=False)


def _of_wheel(path: str) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        found = archive.infolist()
        _few(len(found))
        for info in found:
            name = info.filename.removeprefix("bk/")
            if name != info.filename and not info.is_dir() and counts(name):
                with archive.open(info) as file:
                    yield name, _whole(file.read(FILE_MAX + 1), name)


def _of_sdist(path: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for at, info in enumerate(archive):
            _few(at)
            inside = info.name.partition("/")[2]
            name = inside.removeprefix("bk/")
            if name == inside or info.isdir() or not counts(name):
                continue
            file = archive.extractfile(info) if info.isreg() else None
            yield name, _whole(file.read(FILE_MAX + 1), name) if file else f"not a file {info.linkname}".encode()


def _few(count: int) -> None:
    if count >= FILES_MAX:
        raise BkError("that is no release of bk", f"it holds more than {FILES_MAX} files")


def _whole(data: bytes, name: str) -> bytes:
    if len(data) > FILE_MAX:
        raise BkError("that is no release of bk", f"bk/{name} is larger than {FILE_MAX >> 20} MiB")
    return data


def _sealed(stamp: str, digest: str) -> str:
    return blake3(f"{stamp} {digest}".encode()).hexdigest()
