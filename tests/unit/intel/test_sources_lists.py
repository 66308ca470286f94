"""Plain lists: every form that people write them in, and a clear refusal of what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.intel.sources import lists
from bk.engine.intel.sources.lists import PlainList
from bk.engine.intel.sources.source import FeedError, Setting
from bk.engine.intel.web.client import Web
from bk.engine.provenance import PinnedOrigin, Unproven
from tests.feeds.server import FeedServer

from .asking import fetched, told, understood
from .test_sources import batch
from .webbing import feed, folder  # noqa: F401 - fixtures

SOURCE = PlainList()
SAME = {
    ("npm", "@s/a", "exact", ("1.0.0", "1.0.1"), "critical"),
    ("pypi", "b", "exact", ("2.0",), "critical"),
    ("npm", "c", "every", (), "critical"),
}
FORMS = {
    "text": b"# a list\n@s/a:1.0.0\nnpm:@s/a:1.0.1 # note\n\npypi:b:2.0\nc:*\n",
    "text with dos line ends": b"@s/a:1.0.0\r\n@s/a:1.0.1\r\npypi:b:2.0\r\nc:*\r\n",
    "text with a byte order mark": b"\xef\xbb\xbf@s/a:1.0.0\n@s/a:1.0.1\npypi:b:2.0\nc:*\n",
    "csv with names": b'Name,Version,Ecosystem\n@s/a,"1.0.0, 1.0.1",npm\nb,2.0,PyPI\nc,*,\n',
    "csv with other names": b"ecosystem,package_name,package_versions\nnpm,@s/a,1.0.0;1.0.1\npypi,b,2.0\nnpm,c,*\n",
    "csv with bars": b"package,affected versions,ecosystem\n@s/a,= 1.0.0 || = 1.0.1,npm\nb,2.0,pypi\nc,*,npm\n",
    "csv without names": b"npm,@s/a,1.0.0\nnpm,@s/a,1.0.1\npypi,b,2.0\nnpm,c,*\n",
    "csv of two and three": b"# two\n@s/a,1.0.0\n@s/a,1.0.1\npypi,b,2.0\nc,*\n",
    "json rows": b'[{"name":"@s/a","version":"1.0.0"},{"package":"@s/a","versions":["1.0.1"]},'
    b'{"packageName":"b","version":"2.0","ecosystem":"PyPI"},{"name":"c","version":"*"}]',
    "json that holds rows": b'{"version": 2, "packages": [{"name":"@s/a","affectedVersions":["1.0.0","1.0.1"]},'
    b'{"name":"b","version":"2.0","ecosystem":"pypi"},{"name":"c","version":"*"}]}',
    "json lines": b'{"name":"@s/a","version":"1.0.0"}\n{"name":"@s/a","version":"1.0.1"}\n\n'
    b'{"name":"b","version":"2.0","ecosystem":"pypi"}\n{"name":"c","version":"*"}\n',
    "json map of ecosystems": b'{"npm": {"@s/a": ["1.0.0", "1.0.1"], "c": null}, "pypi": {"b": "2.0"}}',
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str) -> None:
    got = batch()
    lists.read(FORMS[form], got)
    assert told(got.records) == SAME
    assert got.notes == []


def test_a_map_of_names_is_of_npm() -> None:
    got = batch()
    lists.read(b'{"@s/a": ["1.0.0"], "b": null, "c": "*", "d": "1, 2", "npm": ["3.0.0"]}', got)
    assert told(got.records) == {
        ("npm", "@s/a", "exact", ("1.0.0",), "critical"),
        ("npm", "b", "every", (), "critical"),
        ("npm", "c", "every", (), "critical"),
        ("npm", "d", "exact", ("1", "2"), "critical"),
        ("npm", "npm", "exact", ("3.0.0",), "critical"),
    }


def test_one_row_is_a_list_too() -> None:
    got = batch()
    lists.read(b'{"name": "@s/a", "version": "1.0.0", "severity": "Moderate", "id": "X 1"}', got)
    assert told(got.records) == {("npm", "@s/a", "exact", ("1.0.0",), "medium")}
    assert got.records[0].ident == "X_1"


def test_severity_is_critical_unless_it_is_said() -> None:
    got = batch()
    lists.read(b"name,version,severity\na,1,low\nb,1,\nc,1,strange\n", got)
    assert {(r.name, r.severity) for r in got.records} == {("a", "low"), ("b", "critical"), ("c", "high")}


def test_what_is_no_version_is_left_out_and_told() -> None:
    got = batch()
    lists.read(b"name,version\na,>=1.0\nb,\nc,^1.2\nd,1.0\ntwo words,1.0\n", got)
    lists.read(b"nuget:Xml.Thing:1.0\ngolf:thing:1.0\nno-colon\n", got)
    assert {(r.ecosystem, r.name) for r in got.records} == {("npm", "d"), ("nuget", "Xml.Thing"), ("npm", "golf:thing")}
    assert sum("range" in note for note in got.notes) == 2
    assert sum("no version" in note for note in got.notes) == 2
    assert sum("no such name" in note for note in got.notes) == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a,b,c,d\n", "row 1 is neither"),
        (b"a,1.0\nb,c,1.0\n", "row 2 is neither"),
        (b'[{"name": "a"}]', "a version is None"),
        (b'[{"version": "1"}]', "a name is None"),
        (b'[{"name": "a", "version": 1}]', "a version is 1"),
        (b'[{"name": "a", "version": "1", "ecosystem": 7}]', "an ecosystem is 7"),
        (b'{"a": 1}', "what the list says of 'a' is 1"),
        (b'{"a": {"b": 1}}', "what the list says of 'a'"),
        (b'{"a": null, "a": null}', "twice"),
        (b'{"name":"a","version":"1"}\n{"name":', "delimiter|Expecting"),
        (b"[" * 50_000, "deeply|array|row"),
        (b"\xff\xfe", "decode"),
    ],
)
def test_what_is_no_list_is_a_value_error(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        lists.read(data, batch())


def test_a_list_at_a_url(feed: FeedServer, folder: Path) -> None:  # noqa: F811
    feed.serve("/my/list.csv", FORMS["csv with names"], etag="1")
    got = fetched(SOURCE, feed, folder, "/my/list.csv")
    assert got.changed
    assert isinstance(got.provenance, PinnedOrigin)
    assert told(understood(SOURCE, folder).records) == SAME
    assert not fetched(SOURCE, feed, folder, "/my/list.csv").changed
    (folder / lists.FILE).write_bytes(b"a,b,c,d\n")
    with pytest.raises(FeedError, match="neither"):
        understood(SOURCE, folder)


def test_a_list_without_tls_proves_nothing(folder: Path) -> None:  # noqa: F811
    with FeedServer(tls=False) as plain:
        plain.serve("/list", FORMS["text"])
        assert isinstance(fetched(SOURCE, plain, folder, "/list").provenance, Unproven)


def test_a_list_needs_a_url(folder: Path) -> None:  # noqa: F811
    with Web(str(folder), ["feeds.example"]) as web, pytest.raises(FeedError, match=r"catalogs\.list\.url"):
        SOURCE.fetch(web, str(folder), Setting())
