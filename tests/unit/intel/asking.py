"""A source that is asked at a feed server, and what it understood."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from bk.engine.intel.record import Record
from bk.engine.intel.sources import Batch
from bk.engine.intel.sources.source import Fetched, Setting, Source
from bk.engine.intel.web.client import Web
from bk.engine.provenance import PinnedOrigin
from tests.feeds.server import FeedServer

FILES = Path(__file__).parents[3] / "fixtures" / "catalogs"
NOW_MS = 1_789_000_000_000

Told = tuple[str, str, str, tuple[str, ...], str]


def fetched(source: Source, feed: FeedServer, folder: Path, path: str = "", **more: Any) -> Fetched:
    """Ask the source's mirror at this path of the server."""
    url = feed.url(path)
    setting = Setting(url=url, now_ms=NOW_MS, **more)
    with Web(str(folder), source.hosts, ca_file=feed.ca_file, base=url, deadline_s=30.0, patience_s=2.0) as web:
        return source.fetch(web, str(folder), setting)


def understood(source: Source, folder: Path) -> Batch:
    made = Batch(source.name, source.group, PinnedOrigin("test"), "2026-07-16", source.issues)
    source.parse(str(folder), made)
    return made


def told(records: list[Record]) -> set[Told]:
    return {(r.ecosystem, r.name, r.kind, r.versions, r.severity) for r in records}


def mal(number: int, name: str = "", *, modified: str = "2026-01-02T03:04:05Z", **more: Any) -> dict[str, Any]:
    """An invented OSV record."""
    package = {"ecosystem": more.pop("ecosystem", "npm"), "name": name or f"invented-{number}"}
    versions = more.pop("versions", ["1.0.0"])
    ranges = more.pop("ranges", [])
    ident = more.pop("id", f"MAL-2026-{number}")
    affected = [{"package": package, "versions": versions, "ranges": ranges}]
    return {"schema_version": "1.7.5", "id": ident, "modified": modified, "affected": affected, **more}


def zipped(records: list[dict[str, Any]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for record in records:
            archive.writestr(f"{record['id']}.json", json.dumps(record))
    return made.getvalue()


def listing(records: list[dict[str, Any]]) -> bytes:
    """A list of changes, the newest first."""
    rows = sorted(((record["modified"], record["id"]) for record in records), reverse=True)
    return "".join(f"{modified},{ident}\n" for modified, ident in rows).encode()


def tarred(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=form, pax_headers={"comment": "a" * 40}) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()
