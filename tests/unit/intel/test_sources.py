"""The readers, on small extracts of the real files with their quirks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.intel import bundle_build, compact
from bk.engine.intel.merge import merge
from bk.engine.intel.record import Record
from bk.engine.intel.sources import Batch, Withdrawn, bumblebee, datadog, lists, osv, pypa, rustsec
from bk.engine.provenance import PinnedOrigin

from .samples import record

FILES = Path(__file__).parents[3] / "fixtures" / "catalogs"


def batch(label: str = "feed", group: str = "one") -> Batch:
    return Batch(label, group, PinnedOrigin(), "2026-07-16")


def told(records: list[Record]) -> set[tuple[str, str, str, tuple[str, ...], str]]:
    return {(r.ecosystem, r.name, r.kind, r.versions, r.severity) for r in records}


def test_bumblebee_names_are_repaired_and_impossible_ones_left_out() -> None:
    got = batch()
    bumblebee.parse((FILES / "bumblebee.json").read_bytes(), got)
    names = {r.name for r in got.records}
    assert "@antv/a8" in names
    assert "ai-figure" in names
    assert "move-analyzer-build" in names
    assert not any(name.startswith("@@") for name in names)
    assert "two words" not in names
    assert {r.ecosystem for r in got.records if r.name == "move-analyzer-build"} == {"cargo"}
    every = next(r for r in got.records if r.name == "invented-every")
    assert (every.kind, every.versions, every.severity) == ("every", (), "high")
    assert sum("doubled @" in note for note in got.notes) == 1
    assert any("two words" in note for note in got.notes)
    assert ("mcp", "invented-server", "exact", ("-",), "critical") in told(got.records)
    laravel = next(r for r in merge(got.records) if r.ecosystem == "packagist")
    assert not any(version.startswith("v") for version in laravel.versions)


@pytest.mark.parametrize("schema", ["0.x", "1.0.0", None, 2])
def test_bumblebee_of_another_schema_is_refused(schema: object) -> None:
    with pytest.raises(ValueError, match="schema_version"):
        bumblebee.parse(json.dumps({"schema_version": schema, "entries": []}).encode(), batch())


def test_bumblebee_of_the_first_schema_is_read() -> None:
    got = batch()
    entry = {"id": "a", "ecosystem": "npm", "package": "x", "versions": ["1.0.0"], "severity": "odd"}
    bumblebee.parse(json.dumps({"schema_version": "0.1.0", "entries": [entry]}).encode(), got)
    assert told(got.records) == {("npm", "x", "exact", ("1.0.0",), "high")}


def read_osv(name: str) -> Batch:
    got = batch()
    osv.parse((FILES / f"{name}.json").read_bytes(), got)
    return got


def test_osv_listed_versions() -> None:
    got = read_osv("MAL-2025-46969")
    assert told(got.records) == {("npm", "chalk", "exact", ("5.6.1",), "critical")}
    assert (got.records[0].ident, got.records[0].date) == ("MAL-2025-46969", "2025-09-08")


def test_osv_bounded_range() -> None:
    assert told(read_osv("MAL-2024-11183").records) == {
        ("npm", "@solana/web3.js", "range", (">=1.95.6,<1.95.8",), "critical")
    }


def test_osv_list_beside_an_open_range_is_the_claim_and_the_open_range_a_weak_one() -> None:
    assert told(read_osv("MAL-2026-3633").records) == {
        ("rubygems", "knot-rack-session-store", "exact", ("1.0.2",), "critical"),
        ("rubygems", "knot-rack-session-store", "every", (), "medium"),
    }


def test_osv_list_beside_a_bounded_range() -> None:
    records = read_osv("MAL-2026-2231").records
    assert {(r.kind, r.severity) for r in records} == {("exact", "critical"), ("range", "critical")}
    assert next(r for r in records if r.kind == "range").versions == ("<2.58.0",)


def test_osv_open_range_that_its_origin_has_narrowed_is_dropped() -> None:
    got = read_osv("MAL-2025-47141")
    assert told(got.records) == {("npm", "@ctrl/tinycolor", "range", (">=4.1.1,<=4.1.2",), "critical")}
    assert any("MAL-2025-47141" in note for note in got.notes)


def test_osv_open_range_that_an_origin_still_holds_is_kept() -> None:
    data = json.loads((FILES / "MAL-2025-47141.json").read_bytes())
    data["database_specific"]["malicious-packages-origins"][0]["source"] = "someone-else"
    got = batch()
    osv.take(data, got)
    assert ("npm", "@ctrl/tinycolor", "every", (), "medium") in told(got.records)


def test_osv_withdrawn_is_no_record_but_a_tombstone() -> None:
    got = read_osv("MAL-2026-4750")
    assert got.records == []
    assert [(w.ecosystem, w.name, w.versions) for w in got.withdrawn] == [("pypi", "fastapi", ("0.136.3",))]


def test_osv_nothing_named_means_every_version() -> None:
    got = batch()
    entry = {"id": "MAL-1", "modified": "0001-01-01T00:00:00Z"}
    osv.take({**entry, "affected": [{"package": {"ecosystem": "npm", "name": "x"}}]}, got)
    assert told(got.records) == {("npm", "x", "every", (), "critical")}
    assert got.records[0].date == "2026-07-16", "the year 1 is no date"


def test_osv_several_spans_and_git_ranges() -> None:
    got = batch()
    events = [{"introduced": "1.0.0"}, {"fixed": "1.1.0"}, {"introduced": "2.0.0"}, {"last_affected": "2.5.0"}]
    ranges = [{"type": "SEMVER", "events": events}, {"type": "GIT", "events": [{"introduced": "0"}]}]
    package = {"ecosystem": "VSCode:https://marketplace.example", "name": "Pub.Ext"}
    osv.take({"id": "M", "modified": "2026-01-01", "affected": [{"package": package, "ranges": ranges}]}, got)
    assert told(got.records) == {
        ("editor-extension", "Pub.Ext", "range", (">=1.0.0,<1.1.0", ">=2.0.0,<=2.5.0"), "critical")
    }


def test_datadog_files() -> None:
    got = batch()
    datadog.parse((FILES / "own.csv").read_bytes(), got)
    datadog.parse((FILES / "teampcp_iocs.csv").read_bytes(), got)
    datadog.parse((FILES / "axios_iocs.csv").read_bytes(), got)
    found = told(got.records)
    assert ("npm", "02-echo", "exact", ("0.0.7",), "critical") in found
    assert ("pypi", "litellm", "exact", ("1.82.7", "1.82.8"), "critical") in found
    assert ("npm", "@emilgroup/setting-sdk", "exact", ("0.2.3", "0.2.2", "0.2.1"), "critical") in found
    assert ("npm", "axios", "exact", ("1.14.1",), "critical") in found
    assert ("npm", "plain-crypto-js", "exact", ("4.2.1",), "critical") in found
    assert ("editor-extension", "checkmarx.ast-results", "exact", ("2.53.0",), "critical") in found
    assert not any("trivy" in name for _, name, *_ in found)
    assert sum("left out" in note for note in got.notes) == 2
    assert sum("repaired, no publisher" in note for note in got.notes) == 2


def test_datadog_consolidated_rows_need_another_vendor() -> None:
    got = batch()
    datadog.vendors((FILES / "consolidated_iocs.csv").read_bytes(), got)
    assert {r.name for r in got.records} == {"02-echo", "@accordproject/concerto-analysis"}
    assert len(got.notes) == 1


def test_datadog_manifest() -> None:
    got = batch()
    datadog.manifest((FILES / "manifest.json").read_bytes(), got, "editor-extension")
    assert told(got.records) == {
        ("editor-extension", "Invented.Extension", "every", (), "critical"),
        ("editor-extension", "amazonwebservices.amazon-q-vscode", "exact", ("1.84.0",), "critical"),
    }


def test_text_list() -> None:
    got = batch()
    lists.parse((FILES / "list.txt").read_bytes(), got)
    assert told(got.records) == {
        ("npm", "@ctrl/tinycolor", "exact", ("4.1.1", "4.1.2"), "critical"),
        ("pypi", "litellm", "exact", ("1.82.7",), "critical"),
        ("go", "github.com/verana-labs/verana-blockchain", "exact", ("v0.10.1-dev.20",), "critical"),
        ("packagist", "laravel-lang/lang", "exact", ("15.29.5",), "critical"),
    }
    assert got.notes == ["left out, no version: not-a-line"]


def test_json_lines() -> None:
    got = batch()
    lists.json_lines((FILES / "list.jsonl").read_bytes(), got)
    assert told(got.records) == {("npm", "@ctrl/tinycolor", "exact", ("4.1.1", "4.1.2"), "critical")}


@pytest.mark.parametrize(
    ("clean", "left"),
    [
        ([], []),
        (["< 1.4.1", "> 1.4.1"], ["=1.4.1"]),
        (["<= 0.3.9"], [">0.3.9"]),
        (["< 0.3.9"], [">=0.3.9"]),
        ([">= 1.2.0"], ["<1.2.0"]),
        (["<= 1.0.0", ">= 1.2.0"], [">1.0.0,<1.2.0"]),
        (["< 1.0.0", "> 1.2.0"], [">=1.0.0,<=1.2.0"]),
        (["^1.2"], None),
        (["< 1.0.0", "< 2.0.0"], None),
        (["<= 1.0.0", ">= 1.0.0"], None),
    ],
)
def test_rustsec_bounds(clean: list[str], left: list[str] | None) -> None:
    assert rustsec.affected(clean) == left


def test_rustsec_advisories() -> None:
    got = batch()
    for name in ("RUSTSEC-2026-0175", "RUSTSEC-2026-0260", "RUSTSEC-2023-0098"):
        rustsec.parse((FILES / f"{name}.md").read_bytes(), got)
    assert told(got.records) == {
        ("cargo", "onering", "exact", ("1.4.1",), "critical"),
        ("cargo", "arrayref", "range", (">0.3.9",), "critical"),
        ("cargo", "if-cfg", "every", (), "critical"),
    }
    with pytest.raises(ValueError, match="TOML"):
        rustsec.parse(b"# no head", got)


def test_pypa_advisories() -> None:
    got = batch()
    for name in ("PYSEC-2022-43038", "PYSEC-2024-55", "PYSEC-beginner"):
        pypa.parse((FILES / f"{name}.yaml").read_bytes(), got)
    assert told(got.records) == {
        ("pypi", "democritus-dicts", "exact", ("2021.1.21",), "high"),
        ("pypi", "democritus-dicts", "every", (), "medium"),
        ("pypi", "cipherbcrypt", "every", (), "critical"),
        ("pypi", "beginner", "exact", ("0.0.2", "0.0.4"), "critical"),
        ("pypi", "beginner", "range", (">=0.0.2,<0.0.5",), "critical"),
    }


@pytest.mark.parametrize(
    "text", ["a: &x 1", "a: |\n  b", "a: {b: 1}", "a: [1]", "a: 1\na: 2", "- a\nb: 1", "a:\n    b: 1\n  c: 2", "word"]
)
def test_yaml_beyond_the_part_that_is_known_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="YAML"):
        pypa.read(text)


def test_a_folder_of_catalogs_becomes_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = {
        "bumblebee": ["bumblebee.json"],
        "cobenian-shai-hulud-detect": ["list.txt"],
        "safedep": ["list.jsonl"],
        "datadog-ioc": ["consolidated_iocs.csv", "teampcp_iocs.csv", "own.csv"],
        "datadog-dataset": ["manifest.json"],
        "ossf-malicious-packages": ["MAL-2025-47141.json", "MAL-2026-4750.json"],
        "rustsec/raw": ["RUSTSEC-2026-0175.md"],
        "pypa": ["PYSEC-2024-55.yaml"],
    }
    names = {
        "list.jsonl": "malicious-package-versions.jsonl",
        "own.csv": "x_shai-hulud-2.0.csv",
        "consolidated_iocs.csv": "x_consolidated_iocs.csv",
        "manifest.json": "ide_extensions-manifest.json",
    }
    for folder, files in places.items():
        (tmp_path / folder).mkdir(parents=True)
        for file in files:
            (tmp_path / folder / names.get(file, file)).write_bytes((FILES / file).read_bytes())
    bundle_build.main(str(tmp_path), str(tmp_path))
    made = list(compact.parse((tmp_path / "facts.tsv").read_text(), "facts.tsv"))
    voices = {group for one in made if one.name == "@ctrl/tinycolor" for group in one.groups}
    assert voices == {"ossf", "vendor-reports"}
    assert {group for one in made if one.name == "02-echo" for group in one.groups} == {"datadog", "vendor-reports"}
    assert next(one for one in made if one.name == "@antv/a8").sources == ("bumblebee",)
    assert f"{len(made)} facts" in capsys.readouterr().out
    (tmp_path / "pypa" / "PYSEC-2024-55.yaml").unlink()
    with pytest.raises(FileNotFoundError, match="pypa"):
        bundle_build.collect(tmp_path)


def test_equal_claims_are_one_claim_with_all_their_groups() -> None:
    merged = merge(
        [
            record("X", ["1.0"], ecosystem="pypi", groups=["b"], ident="B", date="2026-03-01", sources=["s2"]),
            record("x", ["1.0.0"], ecosystem="pypi", groups=["a"], ident="A", date="2026-02-01", sources=["s1"]),
            record("x", ["1.0.0"], ecosystem="pypi", groups=["c"], provenance="none"),
            record("x", ["2.0.0"], ecosystem="pypi", groups=["a"]),
        ]
    )
    assert len(merged) == 3
    both = next(r for r in merged if len(r.groups) == 2)
    assert (both.groups, both.ident, both.date, both.sources) == (("a", "b"), "A B", "2026-02-01", ("s1", "s2"))
    assert next(r for r in merged if r.provenance.word == "none").groups == ("c",)


def test_a_withdrawal_counts_against_its_own_group_and_those_who_repeat_its_ids() -> None:
    claims = [
        record("x", ["1.0.0"], groups=["a"]),
        record("x", ["1.0.0", "1.0.1"], ident="B", groups=["b"]),
        record("x", kind="every", ident="A-2", groups=["c"]),
        record("x", ["9.0.0"], ident="A-1", groups=["d"]),
        record("y", ["1.0.0"], ident="A-1", groups=["a"]),
    ]
    grave = Withdrawn("npm", "x", ["A-1"], ["1.0.0"], every=False, group="a", issues=["A-"], proven=True)
    assert {(r.name, r.kind, r.versions, r.groups) for r in merge(claims, [grave])} == {
        ("x", "exact", ("1.0.0", "1.0.1"), ("b",)),
        ("x", "every", (), ("c",)),
        ("y", "exact", ("1.0.0",), ("a",)),
    }


def test_compact_text_comes_back_as_it_was() -> None:
    records = merge(
        [
            record("x", ["1.0.0", "1.0.1"], groups=["a", "b"], sources=["s", "t"], ident="A B"),
            record("y", kind="every"),
            record("z", [">=1,<2"], kind="range", ident="", date="", sources=[]),
        ]
    )
    text = "\n".join(compact.lines(records)) + "\n"
    assert list(compact.parse(text, "here")) == records
    assert list(compact.lines(reversed(records))) == list(compact.lines(records))


@pytest.mark.parametrize(
    "line",
    [
        "npm\tx",
        "npm\tx\tsome\tcritical\tg\tnone\t\t\t\t1.0.0",
        "npm\tx\texact\tbad\tg\tnone\t\t\t\t1.0.0",
        "npm\t\texact\thigh\tg\tnone\t\t\t\t1.0.0",
        "npm\tx\texact\thigh\t\tnone\t\t\t\t1.0.0",
    ],
)
def test_a_line_that_is_no_fact_is_an_error(line: str) -> None:
    with pytest.raises(BkError, match="line 2"):
        list(compact.parse(f"# head\n{line}\n", "here"))
