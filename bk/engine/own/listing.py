"""The list itself: which releases of bk are compromised, by version or by the digest of their files, and why.

{"format": "bk-self/1", "entries": [
  {"id": "…", "version": "1.2.3", "reason": "…", "date": "2026-01-31", "severity": "critical"},
  {"id": "…", "digest": "sha256:…", "reason": "…", "date": "2026-01-31", "severity": "critical"}]}

What else an entry holds is passed over, so that a later bk can say more in the same format.
"""

from __future__ import annotations

import json
import re

from bk.engine.intel.order import key as order_of
from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.versions import canonical_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.model import Json

FEED = "bk-self"
FORMAT = "bk-self/1"
SEVERITIES = ("critical", "high", "medium", "low")
LIST_MAX = 1 << 20
ENTRIES_MAX = 5000
REASON_MAX = 400
_IDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class Listed:
    """One compromised release: either `version` or `digest` is set."""

    __slots__ = ("date", "digest", "ident", "reason", "severity", "version")

    def __init__(
        self, ident: str, *, version: str = "", digest: str = "", reason: str, date: str, severity: str = "critical"
    ) -> None:
        self.ident = ident
        self.version = version
        self.digest = digest
        self.reason = reason
        self.date = date
        self.severity = severity

    @property
    def what(self) -> str:
        """The release that is meant, for people."""
        return f"version {self.version}" if self.version else f"the files {self.digest[:19]}…"

    def names(self, version: str, digest: str) -> bool:
        """Whether this release is meant. A version without a local part means every local build of it, too."""
        if self.digest:
            return self.digest == digest
        meant, ours = spelled(self.version), spelled(version)
        return meant == (ours if "+" in meant else ours.partition("+")[0])

    def told(self) -> dict[str, Json]:
        """The entry as the list spells it."""
        which = {"version": self.version} if self.version else {"digest": self.digest}
        return {"id": self.ident, **which, "reason": self.reason, "date": self.date, "severity": self.severity}


def spelled(version: str) -> str:
    """One spelling for equal versions, by the rules of bk's own packaging."""
    return canonical_version("pypi", version)


def parse(data: bytes) -> tuple[Listed, ...]:
    """The entries; FeedError for anything else, as a whole: half a list would be taken for a whole one."""
    if len(data) > LIST_MAX:
        raise _wrong(f"it is larger than {LIST_MAX} bytes")
    try:
        body = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"it is not JSON ({error})") from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise _wrong(f"it is not in the format {FORMAT}; a newer bk may know it")
    entries = body.get("entries")
    if not isinstance(entries, list) or len(entries) > ENTRIES_MAX:
        raise _wrong("it holds no list of entries, or too many")
    made = tuple(map(_entry, entries))
    if len({each.ident for each in made}) != len(made):
        raise _wrong("two entries have the same id")
    return made


def text(entries: Iterable[Listed]) -> bytes:
    """The list as it is published; what `parse` would refuse raises FeedError."""
    body = {"format": FORMAT, "entries": [each.told() for each in entries]}
    data = (json.dumps(body, indent=1, ensure_ascii=True) + "\n").encode()
    parse(data)
    return data


def matching(entries: Iterable[Listed], version: str, digest: str) -> tuple[Listed, ...]:
    """The entries that mean this release."""
    return tuple(each for each in entries if each.names(version, digest))


def _entry(raw: Json) -> Listed:
    if not isinstance(raw, dict):
        raise _wrong("an entry is not an object")
    said = {name: raw.get(name, "") for name in ("id", "version", "digest", "reason", "date", "severity")}
    if not all(isinstance(each, str) for each in said.values()):
        raise _wrong("an entry holds something that is not text")
    ident, version, digest = said["id"], said["version"], said["digest"]
    if not _IDENT.fullmatch(ident):
        raise _wrong(f"an entry has no usable id: {ident[:80]!r}")
    if bool(version) == bool(digest):
        raise _wrong(f"{ident} names neither a version nor a digest, or both")
    if version and (version != version.strip() or order_of("pypi", version) is None):
        raise _wrong(f"{ident} names {version[:80]!r}, which is not a version")
    if digest and not _DIGEST.fullmatch(digest):
        raise _wrong(f"{ident} names {digest[:80]!r}, which is not a digest (sha256: and 64 hex digits)")
    if not said["reason"].strip() or len(said["reason"]) > REASON_MAX or not said["reason"].isprintable():
        raise _wrong(f"{ident} gives no reason on one line of at most {REASON_MAX} characters")
    if not _DATE.fullmatch(said["date"]) or said["severity"] not in SEVERITIES:
        raise _wrong(f"{ident} has no date (2026-01-31) or no severity ({', '.join(SEVERITIES)})")
    return Listed(
        ident,
        version=version,
        digest=digest,
        reason=said["reason"],
        date=said["date"],
        severity=said["severity"],
    )


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name appears twice")
    return made


def _wrong(why: str) -> FeedError:
    return FeedError("malformed", f"the list of compromised releases cannot be understood: {why}")
