"""For maintainers: a folder that holds the signed list, ready to be served from anywhere.

`bk-self.note` names `list-<serial>.json`; a list never changes under its name, so that a cache between us and a reader
can only be late, never inconsistent. The note is written last.
"""

from __future__ import annotations

import os
import stat
import time

from bk.engine import notes
from bk.engine.config.files import replace
from bk.engine.errors import USAGE, BkError
from bk.engine.intel import signed
from bk.engine.intel.sources.source import FeedError
from bk.engine.own import listing
from bk.engine.own.listing import Listed
from bk.engine.own.standing import LIST, NOTE
from bk.engine.own.verify import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = 30
DAYS_MAX = 400
_DAY_MS = 86_400_000


class Published:
    """What the folder says now."""

    __slots__ = ("entries", "expires_ms", "serial", "signed_by")

    def __init__(self, serial: int, expires_ms: int, entries: tuple[Listed, ...], signed_by: Sequence[str]) -> None:
        self.serial = serial
        self.expires_ms = expires_ms
        self.entries = entries
        self.signed_by = list(signed_by)


def mint(name: str, path: str) -> str:
    """A new release key: the secret half in a new file for its owner alone; the public half is the answer."""
    try:
        secret, public = notes.mint(name)
    except ValueError as error:
        raise BkError(
            "a key cannot be called so", str(error), "letters, digits, dots and dashes", code=USAGE
        ) from error
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise BkError("there is a file of that name", path, "a key is never overwritten: name another file") from error
    except OSError as error:
        raise BkError("the key cannot be written", f"{path}: {error.strerror}") from error
    with open(fd, "w", encoding="ascii") as file:
        os.fchmod(fd, 0o600)
        file.write(secret + "\n")
        file.flush()
        os.fsync(fd)
    return public


def public_half(path: str) -> str:
    """The public half of the key in a file."""
    key, name = notes.secret(_secret(path))
    return str(notes.PublicKey(name, bytes(key.verify_key)))


def publish(
    folder: str,
    keys: Sequence[str],
    *,
    add: Sequence[Listed] = (),
    withdraw: Sequence[str] = (),
    days: int = DAYS,
    now_ms: int = 0,
) -> Published:
    """Sign the folder's list anew, with the next serial: as it was, with entries added or withdrawn. The list that is
    there must be signed by one of these keys (files of secret halves)."""
    now = now_ms or time.time_ns() // 1_000_000
    if not 0 < days <= DAYS_MAX:
        raise BkError("for how many days?", f"{days}", f"between 1 and {DAYS_MAX}", code=USAGE)
    secrets = [_secret(path) for path in keys]
    serial, entries = current(folder, [public_half(path) for path in keys])
    gone = set(withdraw)
    unknown = gone - {each.ident for each in entries}
    if unknown:
        raise BkError("the list has no such entry", ", ".join(sorted(unknown)), "`bk self publish` shows the ids")
    entries = (*(each for each in entries if each.ident not in gone), *add)
    serial += 1
    name = f"{LIST}{serial}.json"
    try:
        data = listing.text(entries)
        expires = now + days * _DAY_MS
        note = signed.sign(
            *secrets, feed=listing.FEED, serial=serial, issued_ms=now, expires_ms=expires, payloads={name: data}
        )
    except (FeedError, ValueError) as error:
        raise BkError("the list cannot be published so", str(error), "correct the entry", code=USAGE) from error
    try:
        os.makedirs(folder, exist_ok=True)
        replace(f"{folder}/{name}", data, 0o644)
        replace(f"{folder}/{NOTE}", note, 0o644)
    except OSError as error:
        raise BkError("the folder cannot be written", f"{error.filename or folder}: {error.strerror}") from error
    return Published(serial, expires, entries, [_short(path) for path in keys])


def current(folder: str, public: Sequence[str]) -> tuple[int, tuple[Listed, ...]]:
    """Serial and entries of the list in a folder, signed by one of these public keys; (0, ()) for an empty folder."""
    try:
        with open(f"{folder}/{NOTE}", "rb") as file:
            note = file.read(signed.NOTE_MAX + 1)
    except FileNotFoundError:
        return 0, ()
    except OSError as error:
        raise BkError("the list cannot be read", f"{folder}/{NOTE}: {error.strerror}") from error
    last: FeedError | None = None
    for key in public:
        try:
            feed = opened(note, key)
            name = feed.payloads[0].name
            with open(f"{folder}/{name}", "rb") as file:
                return feed.serial, listing.parse(feed.checked(name, file.read(listing.LIST_MAX + 1)))
        except FeedError as error:
            last = error
        except OSError as error:
            raise BkError("the list cannot be read", f"{error.filename}: {error.strerror}") from error
    why = last.detail if last is not None else "no key was given"
    raise BkError("the list in that folder cannot be continued", why, "use its key, or an empty folder")


def _short(path: str) -> str:
    return notes.PublicKey.parse(public_half(path)).short


def _secret(path: str) -> str:
    """A secret key's text; refused when others could have read it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise BkError("the key cannot be read", f"{path}: {error.strerror}", "`bk self key new` makes one") from error
    with open(fd, "rb") as file:
        info = os.fstat(fd)
        if info.st_mode & 0o077 or not stat.S_ISREG(info.st_mode):
            raise BkError("the key is not its owner's alone", path, f"chmod 600 {path}, and ask who has read it")
        text = file.read(4096).decode("ascii", errors="replace").strip()
    try:
        notes.secret(text)
    except ValueError as error:
        raise BkError(
            "that is no signing key", f"{path}: {error}", "`bk self key new` makes one", code=USAGE
        ) from error
    return text
