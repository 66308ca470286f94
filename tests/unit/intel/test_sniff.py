"""Which reader a file is for: by what is in it, and a clear refusal where that does not tell."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bk.engine.intel import compact
from bk.engine.intel.sniff import LOOKED_FOR, recognised
from bk.engine.intel.sources import lists
from bk.engine.intel.sources.source import FeedError

from .asking import FILES
from .samples import record
from .test_sources import batch

ADVISORY = {"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z", "affected": []}
API = {"ghsa_id": "GHSA-aaaa-bbbb-cccc", "type": "malware", "vulnerabilities": []}
AIKIDO = [{"package_name": "a", "version": "1", "reason": "MALWARE"}]


@pytest.mark.parametrize(
    ("file", "name", "group"),
    [
        ("bumblebee.json", "bumblebee", "vendor-reports"),
        ("MAL-2026-3633.json", "osv", "ossf"),
        ("MAL-2026-4750.json", "osv", "ossf"),
        ("RUSTSEC-2026-0175.md", "rustsec", "rustsec"),
        ("PYSEC-2022-43038.yaml", "pypa", "pypa"),
        ("axios_iocs.csv", "datadog-ioc", "datadog"),
        ("teampcp_iocs.csv", "datadog-ioc", "datadog"),
        ("consolidated_iocs.csv", "datadog-consolidated", "vendor-reports"),
        ("own.csv", "list", "list"),
        ("list.txt", "list", "list"),
        ("list.jsonl", "list", "list"),
    ],
)
@pytest.mark.parametrize("called", ["{}", "x", "x.json", "deep/er/readme.md"])
def test_a_file_is_known_by_what_is_in_it(file: str, name: str, group: str, called: str) -> None:
    data = (FILES / file).read_bytes()
    form = recognised(called.format(file), data)
    assert (form.name, form.group) == (name, group)
    form.read(data, batch())


@pytest.mark.parametrize(
    ("path", "said", "name"),
    [
        ("x", ADVISORY, "github"),
        ("x", API, "github"),
        ("x", [API], "github"),
        ("x", [{"id": "MAL-1", "modified": "2026", "affected": []}], "osv"),
        ("npm.json", AIKIDO, "aikido"),
        ("malware_predictions.json", AIKIDO, "aikido"),
        ("samples/npm/manifest.json", {"a": None}, "datadog"),
        ("ide_extensions-manifest.json", {"A.b": None, "C.d": ["1.0.0"]}, "datadog"),
        ("datadog/ai-skills.json", {"a": None}, "datadog"),
        ("x.json", {"a": None, "b": ["1.0.0"]}, "list"),
        ("x.json", {"npm": {"a": ["1.0.0"]}}, "list"),
        ("x.json", {"packages": [{"name": "a", "version": "1"}]}, "list"),
        ("x.json", {"name": "a", "version": "1"}, "list"),
    ],
)
def test_json_of_every_kind(path: str, said: object, name: str) -> None:
    assert recognised(path, json.dumps(said).encode()).name == name
    assert recognised(path, b"\xef\xbb\xbf\n " + json.dumps(said, indent=2).encode()).name == name


@pytest.mark.parametrize("line", ["PyPI:b:2.0", "maven:org.a:b:1.0", "go:github.com/a/b:v1.0.0", "@s/a:1", "a:*"])
def test_text_lines_of_every_ecosystem(line: str) -> None:
    assert recognised("x", f"{line}\n".encode()).name == "list"
    got = batch()
    lists.read(f"{line}\n".encode(), got)
    assert len(got.records) == 1
    assert got.records[0].ecosystem == (line.split(":")[0].lower() if line.count(":") > 1 else "npm")


def test_facts_of_our_own() -> None:
    data = "\n".join(compact.lines([record("x")])).encode() + b"\n"
    assert recognised("x.tsv", data).name == "facts"
    assert recognised("x.tsv", data.partition(b"\n")[2]).name == "facts"


def test_lists_that_others_collected_keep_their_voice() -> None:
    text = b"# Shai-Hulud packages\n\n@ctrl/tinycolor:4.1.1\n"
    assert recognised("x", text).group == "vendor-reports"
    rows = b'{"name":"a","version":"1"}\n{"name":"b","version":"1"}\n'
    assert recognised("safedep/malicious-package-versions.jsonl", rows).group == "vendor-reports"
    assert recognised("other.jsonl", rows).group == "list"
    assert recognised("malicious-package-versions.jsonl", b'{"name":"a","version":"1","x":1}\n' * 2).group == "list"
    assert recognised("datadog/shai-hulud.csv", b"package_name,package_version\na,1\n").group == "datadog"
    assert recognised("mine.csv", b"package_name,package_version\na,1\n").group == "list"


@pytest.mark.parametrize(
    ("path", "said", "words"),
    [
        ("manifest.json", {"a": None}, ["ai-skills", "ide_extensions", "npm", "pypi"]),
        ("npm/pypi-manifest.json", {"a": None}, ["npm", "pypi"]),
        ("list.json", AIKIDO, ["predictions", "pypi"]),
        ("x.json", {"schema_version": "0.2.0", "entries": [], "id": "M", "modified": "2026", "affected": []}, ["OSV"]),
    ],
)
def test_what_could_be_two_things_is_refused_with_what_would_tell(path: str, said: object, words: list[str]) -> None:
    with pytest.raises(FeedError) as raised:
        recognised(path, json.dumps(said).encode())
    assert raised.value.kind == "ambiguous"
    assert all(word in raised.value.detail for word in [path, *words])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\x89PNG\r\n", "not text"),
        (b"MZ\0\0", "not text"),
        (b"{}", "keys"),
        (b"[]", "empty array"),
        (b"[1]", "first row is 1"),
        (b"7", "begins with '7'"),
        (b'{"hash": "x"}\n{"hash": "y"}\n', '"hash"'),
        (b'{"a": ', "Expecting value"),
        (b'{"vulns": [], "next": 1}', '"vulns"'),
        (b"Apache License\nVersion 2.0: see https://licence.example\n", "begins with 'Apache License'"),
        (b"A page, with words\nand more: of them\n", "looks like CSV"),
        (b"bk-feed/1\nfeed org\n", "note of a signed feed"),
        (b'"unclosed, csv\n', "CSV"),
    ],
)
def test_what_is_nothing_is_refused_with_what_was_looked_for(data: bytes, why: str) -> None:
    with pytest.raises(FeedError) as raised:
        recognised("dir/file.json", data)
    assert raised.value.kind == "unknown"
    assert "dir/file.json" in raised.value.detail
    assert why in raised.value.detail
    assert LOOKED_FOR in raised.value.detail


def test_osv_records_of_what_is_merely_vulnerable_are_left_out() -> None:
    bad = json.loads((FILES / "MAL-2025-46969.json").read_bytes())
    records = [bad, {**bad, "id": "CVE-2026-1", "aliases": []}, {**bad, "id": "GHSA-1", "aliases": ["MAL-2025-46969"]}]
    for data in (
        json.dumps(records).encode(),
        b"\n".join(json.dumps(each).encode() for each in records),
    ):
        got = batch()
        recognised("x", data).read(data, got)
        assert {r.ident for r in got.records} == {"MAL-2025-46969", "GHSA-1"}
        assert any("CVE-2026-1" in note for note in got.notes)


def test_advisories_about_something_else_are_left_out() -> None:
    for file, old, new in (
        ("PYSEC-2024-55.yaml", b"Malicious package.", b"A bug."),
        ("RUSTSEC-2026-0175.md", b'["malicious"]', b'["denial-of-service"]'),
    ):
        data = (FILES / file).read_bytes()
        assert old in data
        got = batch()
        recognised(file, data.replace(old, new)).read(data.replace(old, new), got)
        assert got.records == []
        assert any("left out, not about" in note for note in got.notes)


def test_every_fixture_is_recognised() -> None:
    odd = {"README.md", "socket_reply.ndjson", "manifest.json"}
    for path in sorted(Path(FILES).rglob("*")):
        if path.is_file() and path.name not in odd and "real" not in path.parts:
            assert recognised(str(path), path.read_bytes()).title


@pytest.mark.parametrize(
    "data",
    [
        b"a/" * 50_000,
        b"a:" * 50_000,
        b"@" * 100_000,
        b"x,y\n" + b" " * 200_000 + b",1\n",
        b"a,1" + b" " * 200_000 + b"x\n",
        b"```toml\n" * 20_000,
        b"id: \n" * 50_000,
        b'[{"name":"a","version":"' + b" " * 200_000 + b'"}]',
        b"- " * 50_000,
        b" " * 200_000 + b"x",
        b"{" * 100_000,
    ],
)
def test_no_file_takes_long(data: bytes) -> None:
    started = time.process_time()
    for act in (lambda: recognised("x", data), lambda: lists.read(data, batch())):
        try:
            act()
        except (ValueError, FeedError):
            continue
    assert time.process_time() - started < 2
