"""DataDog's manifests: four of them, of which one may be missing upstream."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.intel.sources import datadog
from bk.engine.intel.sources.datadog import DataDog
from bk.engine.intel.sources.source import FeedError
from bk.engine.provenance import PinnedOrigin, Unproven
from tests.feeds.server import FeedServer

from .asking import fetched, told, understood
from .test_sources import batch
from .webbing import feed, folder  # noqa: F401 - fixtures

SOURCE = DataDog()
MANIFESTS = {
    "npm": b'{"invented-built": null, "@invented/hijacked": ["1.0.1", "1.0.2"]}',
    "pypi": b'{"Invented_Py": null}',
    "ide_extensions": b'{"Invented.Extension": null}',
    "ai-skills": b'{"invented-skill": null}',
}


def serve(feed: FeedServer, **manifests: bytes) -> None:  # noqa: F811
    for kind, data in {**MANIFESTS, **manifests}.items():
        if data:
            feed.serve(f"/s/{kind}/manifest.json", data, etag=f"{kind}-{len(data)}")


def test_every_manifest_is_brought_and_read(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    serve(feed)
    got = fetched(SOURCE, feed, folder, "/s")
    assert got.changed
    assert isinstance(got.provenance, PinnedOrigin)
    assert told(understood(SOURCE, folder).records) == {
        ("npm", "invented-built", "every", (), "critical"),
        ("npm", "@invented/hijacked", "exact", ("1.0.1", "1.0.2"), "critical"),
        ("pypi", "Invented_Py", "every", (), "critical"),
        ("editor-extension", "Invented.Extension", "every", (), "critical"),
        ("agent-skill", "invented-skill", "every", (), "critical"),
    }
    assert not fetched(SOURCE, feed, folder, "/s").changed
    serve(feed, npm=b'{"invented-built": null}')
    assert fetched(SOURCE, feed, folder, "/s").changed
    assert ("npm", "@invented/hijacked", "exact", ("1.0.1", "1.0.2"), "critical") not in told(
        understood(SOURCE, folder).records
    )


def test_only_the_skills_may_be_missing(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    serve(feed, **{"ai-skills": b""})
    fetched(SOURCE, feed, folder, "/s")
    assert {record.ecosystem for record in understood(SOURCE, folder).records} == {"npm", "pypi", "editor-extension"}
    feed.status("/s/pypi/manifest.json", 404)
    with pytest.raises(FeedError) as raised:
        fetched(SOURCE, feed, folder, "/s")
    assert raised.value.kind == "status"
    (folder / "npm.json").unlink()
    with pytest.raises(FeedError, match=r"npm\.json"):
        understood(SOURCE, folder)


def test_without_tls_nothing_is_proven(folder: Path) -> None:  # noqa: F811
    with FeedServer(tls=False) as plain:
        serve(plain)
        assert isinstance(fetched(SOURCE, plain, folder, "/s").provenance, Unproven)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"a": 1}',
        b'{"a": "1.0.0"}',
        b'{"a": [1]}',
        b'{"a": null, "a": ["1.0.0"]}',
        b"\xff",
        b"[" * 100_000,
        b'{"a": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_manifest_is_refused_by_name(feed: FeedServer, folder: Path, data: bytes) -> None:  # noqa: F811
    serve(feed)
    fetched(SOURCE, feed, folder, "/s")
    (folder / "pypi.json").write_bytes(data)
    with pytest.raises(FeedError, match=r"^pypi\.json: ") as raised:
        understood(SOURCE, folder)
    assert raised.value.kind == "malformed"


@pytest.mark.parametrize(
    "data", [b"package_name\na,b\n", b'package_name,package_version\n"a', b"package_name\r\x00\xff\n", b'a"b\n"c"d\n']
)
def test_broken_csv_is_a_value_error(data: bytes) -> None:
    for reader in (datadog.parse, datadog.vendors):
        with pytest.raises(ValueError, match=r"CSV|decode|codec"):
            reader(data, batch())


def test_rows_with_missing_cells_are_left_out_not_guessed() -> None:
    got = batch()
    datadog.parse(b"package_name,package_version\nlonely\n,1.0.0\nwhole,1.0.0\n", got)
    datadog.parse(b"type,indicator,context\nnpm package\nnpm package,nameless\n", got)
    datadog.vendors(b"package_name,package_versions,sources\na,1.0.0\n", got)
    assert told(got.records) == {("npm", "whole", "exact", ("1.0.0",), "critical")}
    assert len(got.notes) == 5
