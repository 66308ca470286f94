"""Facts that a person brings as files: recognised by what is in them, and worth what stands behind them.

A file counts as a voice when a pinned key signed it, when it has the digest that a person named, or when an admin
vouches for it and says why. Anything else is shown and may warn.
"""

from __future__ import annotations

import hmac
import os
import re
import stat
import time
import zipfile
from hashlib import sha256

from bk import __version__
from bk.engine.catalogs import accepted, feeds
from bk.engine.catalogs.accepted import Head
from bk.engine.catalogs.assembly import IMPORTED
from bk.engine.catalogs.delta import News
from bk.engine.catalogs.feeds import folder
from bk.engine.catalogs.run import Visit, conclude, weighed
from bk.engine.errors import USAGE, BkError
from bk.engine.intel import compact, signed, sniff
from bk.engine.intel.record import Record
from bk.engine.intel.sources import Batch
from bk.engine.intel.sources.source import FeedError
from bk.engine.provenance import PinnedOrigin, Provenance, Unproven
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bk.engine.catalogs.job import Job
    from bk.engine.intel.sniff import Format
    from bk.engine.model import Json

FILE_MAX = 512 << 20
MEMBER_MAX = 16 << 20
FILES_MAX = 1_000_000
TOLD = 20
_WORD = re.compile(r"[^a-z0-9]+")


class Bundle:
    """The files of one format under one given path: they become one imported source."""

    __slots__ = ("batch", "digest", "files", "name", "serial")

    def __init__(self, name: str, batch: Batch, serial: int) -> None:
        self.name = name
        self.batch = batch
        self.serial = serial
        self.digest = sha256()
        self.files = 0


def bring(job: Job, paths: Sequence[str], *, name: str = "", digest: str = "", vouch: str = "") -> dict[str, Json]:
    """Import files and folders; what is in no known format is told, and is an error when nothing else was there.

    Each format under a path becomes one source, called after both, or after `name`, which a second format lengthens.
    What is imported again under the same name is news of that source.
    """
    if digest and (len(paths) != 1 or not os.path.isfile(paths[0])):
        raise BkError("a digest is of one file", f"{len(paths)} paths were given", "--sha256 with one FILE", code=USAGE)
    bundles: dict[str, Bundle] = {}
    strange: list[str] = []
    for path in paths:
        _read(job, path, bundles, strange, name=name, digest=digest.lower(), vouch=vouch)
    if not bundles:
        why = strange[0] if strange else "there are no files"
        raise BkError("nothing could be imported", inert(why, 400), "bk catalogs import --help", code=USAGE)
    visits: dict[str, Visit] = {}
    holds = feeds.holds(job.state, job.store)
    for ident, bundle in bundles.items():
        job.tell("compare", ident, f"{len(bundle.batch.records)} entries of {bundle.files} files")
        os.makedirs(folder(ident, job.state), mode=0o700, exist_ok=True)
        visits[ident] = weighed(job, ident, News.of(bundle.batch), _head(job, bundle), holds.get(ident))
    job.record(
        "imported",
        paths=[inert(path, 200) for path in paths[:TOLD]],
        vouch=inert(vouch, 400),
        sha256=digest,
        sources={ident: each.told() for ident, each in visits.items()},
    )
    said = conclude(job, visits)
    return {**said, "left_out": [inert(why, 400) for why in strange[:TOLD]], "left_out_count": len(strange)}


def _read(
    job: Job, path: str, bundles: dict[str, Bundle], strange: list[str], *, name: str, digest: str, vouch: str
) -> None:
    """Read everything under one path into the bundles of its formats."""
    called: dict[str, str] = {}
    for count, (file, data) in enumerate(_files(path), 1):
        if count % 1000 == 1:
            job.tell("read", detail=file, done=count)
        try:
            form = sniff.recognised(file, data)
        except FeedError as error:
            if not file.endswith(".note"):
                strange.append(error.detail)
            continue
        ident = called.setdefault(form.name, _called(form, path, name, first=not called))
        bundle = bundles.get(ident)
        if bundle is None:
            proof, serial = _proof(job, path, ident, digest=digest, vouch=vouch)
            batch = Batch(ident, form.group, proof, _today(job), form.issues)
            bundle = bundles[ident] = Bundle(ident, batch, serial)
        try:
            _take(form, data, bundle.batch, spoken=bool(digest or vouch))
        except (FeedError, BkError, ValueError) as error:
            strange.append(f"{file}: {error}")
            continue
        bundle.digest.update(sha256(data).digest())
        bundle.files += 1
    for ident in [each for each in called.values() if not bundles[each].files]:
        del bundles[ident]


def _called(form: Format, path: str, name: str, *, first: bool) -> str:
    """The name of the source that a path's files of one format become."""
    if name:
        return f"{IMPORTED}{name}" if first else f"{IMPORTED}{name}-{form.name}"
    base = os.path.basename(os.path.abspath(path)).lower().partition(".")[0]
    stem = _WORD.sub("-", base).strip("-")[:40] or "files"
    return f"{IMPORTED}{form.name}-{stem}"


def _take(form: Format, data: bytes, batch: Batch, *, spoken: bool) -> None:
    """Add one file. Facts of our own keep their groups only where a person answers for them by digest or by word."""
    if form is not sniff.FACTS or not spoken:
        form.read(data, batch)
        return
    for record in compact.parse(data.decode("utf-8-sig"), batch.label):
        count = len(batch.records)
        batch.add(
            record.ecosystem, record.name, record.kind, record.versions, severity=record.severity, date=record.date
        )
        if len(batch.records) > count:
            proof = batch.provenance if record.provenance.real else record.provenance
            batch.records[-1] = _carried(batch.records[-1], record, proof)


def _carried(taken: Record, told: Record, proof: Provenance) -> Record:
    """What was taken, with the groups, ids and sources that the file names."""
    said = {name: getattr(taken, name) for name in Record.__slots__}
    carried = {"groups": told.groups, "ident": told.ident, "sources": told.sources, "provenance": proof}
    return Record(**{**said, **carried})


def _files(path: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of a file, of every file below a folder, and of every file in an archive."""
    if not os.path.isdir(path):
        yield from _opened(path)
        return
    seen = 0
    for above, below, names in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            full = f"{above}/{name}"
            if name.startswith(".") or not stat.S_ISREG(os.lstat(full).st_mode):
                continue
            seen += 1
            if seen > FILES_MAX:
                raise BkError("the folder holds too many files", f"{path}: more than {FILES_MAX}")
            yield from _opened(full)


def _opened(path: str) -> Iterator[tuple[str, bytes]]:
    try:
        with open(path, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BkError("that is no file", path, code=USAGE)
            if file.read(4) == b"PK\3\4":
                yield from _unpacked(path)
                return
            file.seek(0)
            data = file.read(FILE_MAX + 1)
    except OSError as error:
        raise BkError("the file cannot be read", f"{path}: {error.strerror or error}", code=USAGE) from error
    if len(data) > FILE_MAX:
        raise BkError("the file is too large", f"{path}: more than {FILE_MAX >> 20} MiB")
    yield path, data


def _unpacked(path: str) -> Iterator[tuple[str, bytes]]:
    """The members of an archive, each of bounded size whatever it says of itself."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > FILES_MAX:
                raise BkError("the archive holds too many files", f"{path}: more than {FILES_MAX}")
            for member in members:
                if member.is_dir():
                    continue
                with archive.open(member) as file:
                    data = file.read(MEMBER_MAX + 1)
                if len(data) > MEMBER_MAX:
                    raise BkError("the archive holds a file that is too large", f"{path}: {member.filename}")
                yield f"{path}/{member.filename}", data
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BkError("the archive cannot be read", f"{path}: {error}", code=USAGE) from error
    except zipfile.zlib.error as error:  # type: ignore[attr-defined]
        raise BkError("the archive cannot be read", f"{path}: {error}", code=USAGE) from error


def _proof(job: Job, path: str, ident: str, *, digest: str, vouch: str) -> tuple[Provenance, int]:
    """What stands behind a path, and the serial of a signed file; a proof that fails is an error, never ignored."""
    if digest:
        with open(path, "rb") as file:
            found = sha256(file.read(FILE_MAX + 1)).hexdigest()
        if not hmac.compare_digest(found, digest):
            raise BkError("the file does not have that digest", f"{path} has sha256 {found}", "get the file again")
        return PinnedOrigin(f"sha256:{digest}"), 0
    note = f"{path}.note"
    if os.path.isfile(path) and os.path.exists(note) and job.values["catalogs.org.key"]:
        return _signed(job, path, note, ident)
    if vouch:
        return PinnedOrigin(f"vouched for by {job.by}"), 0
    return Unproven(os.path.basename(path)), 0


def _signed(job: Job, path: str, note: str, ident: str) -> tuple[Provenance, int]:
    before = accepted.head(f"{folder(ident, job.state)}/{accepted.NAME}")
    key = str(job.values["catalogs.org.key"])
    try:
        with open(note, "rb") as file:
            data = file.read(signed.NOTE_MAX + 1)
        feed = signed.read(data, key).feed
        least = before.serial if before else 0
        said = signed.opened(data, key, feed=feed, now_ms=job.now_ms(), least_serial=least)
        said.check_file(os.path.basename(path), path)
    except FeedError as error:
        raise BkError("the signature does not hold", f"{note}: {error.detail}", "get file and note again") from error
    except OSError as error:
        raise BkError("the signature cannot be read", f"{note}: {error.strerror or error}") from error
    return said.provenance, said.serial


def _head(job: Job, bundle: Bundle) -> Head:
    proof = bundle.batch.provenance
    return Head(
        group=bundle.batch.group,
        issues=bundle.batch.issues,
        provenance=proof.word,
        fingerprint=f"{bundle.digest.hexdigest()}-{proof.word}-{__version__}",
        serial=bundle.serial,
        at_ms=job.now_ms(),
        date=_today(job),
        note=proof.by,
    )


def _today(job: Job) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(job.now_ms() / 1000))
