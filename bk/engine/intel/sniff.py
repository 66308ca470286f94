"""Which reader a file is for, told by what is in it: a name can be wrong, and a wrong reader would find nothing.

The name is only asked where two formats look the same: a manifest does not say its ecosystem, and some lists are known
by where they come from. What is not recognised, or could be two things, is refused with what was looked for.
"""

from __future__ import annotations

import json
import os
import re
from functools import partial

from bk.engine.intel import compact
from bk.engine.intel.sources import ECOSYSTEMS, aikido, bumblebee, datadog, github, lists, org, osv, pypa, rustsec
from bk.engine.intel.sources.shape import document, elements, mapping, table, written
from bk.engine.intel.sources.source import FeedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bk.engine.intel.sources import Batch
    from bk.engine.model import Json

LOOKED_FOR = (
    "Bumblebee catalogs, OSV records (JSON, JSON lines or YAML), GitHub advisories, RustSec advisories, DataDog"
    " manifests and CSV files, Aikido lists, facts in bk's own format, and plain lists: CSV, JSON, JSON lines, or text"
    " of [ecosystem:]name:version"
)
LINE = re.compile(r"(?:[a-z-]{2,20}:)?@?[^\s:@,]+(?::[^\s:@,]+)?:[^\s:,]+", re.ASCII)
MOST = 0.8  # of the lines of a text list, this share must be rows of one
_YAML = re.compile(r"(?:id|details|affected|modified|published|summary|aliases|schema_version):(?: |$)", re.ASCII)
_SHOWN = 40


class Format:
    """A format that can be imported: whose it is, whose voice it is, and how it is read."""

    __slots__ = ("group", "issues", "name", "read", "title")

    def __init__(
        self, name: str, title: str, group: str, read: Callable[[bytes, Batch], None], issues: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.title = title
        self.group = group
        self.read = read
        self.issues = tuple(issues)

    def __repr__(self) -> str:
        return f"Format({self.name!r})"


def _malicious(data: bytes, batch: Batch) -> None:
    """Add what an OSV document says of malicious packages; what is merely vulnerable is none of them."""
    whole = written(data).lstrip()
    if whole[:1] == "[":
        records = list(elements(data))
    elif _in_lines(data):
        records = [document(line) for line in data.split(b"\n") if line.strip()]
    else:
        records = [document(data)]
    for each in records:
        record = mapping(each, "a record")
        if osv.malicious(record):
            osv.take(record, batch)
        else:
            batch.note(f"left out, not about a malicious package: {record.get('id')}")


BUMBLEBEE = Format("bumblebee", "Bumblebee catalog", "vendor-reports", bumblebee.parse)
OSV = Format("osv", "OSV records", "ossf", _malicious, ("MAL-",))
GITHUB = Format("github", "GitHub advisories", "github", github.parse, ("GHSA-",))
PYPA = Format("pypa", "PyPA advisory", "pypa", pypa.parse, ("PYSEC-",))
RUSTSEC = Format("rustsec", "RustSec advisory", "rustsec", rustsec.parse, ("RUSTSEC-",))
DATADOG = Format("datadog-ioc", "DataDog indicators", "datadog", datadog.parse)
CONSOLIDATED = Format("datadog-consolidated", "DataDog's collection of reports", "vendor-reports", datadog.vendors)
FACTS = Format("facts", "facts in bk's own format", "org", org.parse)
LIST = Format("list", "plain list", "list", lists.read)
COLLECTED = Format("shai-hulud-detect", "Shai-Hulud detector list", "vendor-reports", lists.parse)
SAFEDEP = Format("safedep", "SafeDep list", "vendor-reports", lists.json_lines)


def _manifest(ecosystem: str) -> Format:
    read = partial(datadog.manifest, ecosystem=ecosystem)
    return Format("datadog", f"DataDog manifest of {ecosystem}", "datadog", read)


def _aikido(ecosystem: str) -> Format:
    read = partial(aikido.parse, ecosystem=ecosystem)
    return Format("aikido", f"Aikido list of {ecosystem}", "aikido", read)


def recognised(path: str, data: bytes) -> Format:
    """The one format that this file is in; raises FeedError `unknown` or `ambiguous` for any other."""
    try:
        text = written(data)
    except UnicodeDecodeError as error:
        raise _unknown(path, "it is not text") from error
    start = text.lstrip()
    if "\0" in start[:4096] or not start:
        raise _unknown(path, "it is not text" if start else "it is empty")
    try:
        if start[0] in "{[":
            return _json(path, data, start)
        return _written(path, data, text)
    except ValueError as error:
        raise _unknown(path, str(error)) from error


def _json(path: str, data: bytes, start: str) -> Format:
    """The format of a JSON file, by its first object."""
    if start[0] == "[":
        first = next(iter(elements(data)), None)
        if first is None:
            raise ValueError("it is an empty array")
        return _rows(path, mapping(first, "its first row"))
    if _in_lines(data):
        return _rows(path, mapping(document(start.partition("\n")[0].encode()), "its first line"))
    whole = mapping(document(data), "it")
    catalog = "schema_version" in whole and "entries" in whole
    record = _record(whole)
    if catalog and record:
        raise FeedError("ambiguous", f"{path} has the keys of a Bumblebee catalog and those of an OSV record")
    if catalog:
        return BUMBLEBEE
    if record:
        return _advisory(whole)
    if _ghsa(whole):
        return GITHUB
    if whole and all(each is None or _versions(each) for each in whole.values()):
        return _mapped(path, whole)
    if _row(whole) or any(isinstance(whole.get(key), list) for key in lists.HOLDERS):
        return LIST
    if whole and all(key in ECOSYSTEMS and isinstance(each, dict) for key, each in whole.items()):
        return LIST
    raise ValueError(f"it is an object with the keys {_few(whole)}")


def _rows(path: str, row: Mapping[str, Json]) -> Format:
    """The format of many JSON objects, by the first."""
    if {"package_name", "version", "reason"} <= row.keys():
        return _aikido(_said(path, "an Aikido list", {"pypi": "pypi", "predictions": "npm", "npm": "npm"}))
    if _record(row):
        return OSV
    if _ghsa(row):
        return GITHUB
    if _row(row):
        known = os.path.basename(path) == "malicious-package-versions.jsonl" and row.keys() == {"name", "version"}
        return SAFEDEP if known else LIST
    raise ValueError(f"its rows have the keys {_few(row)}")


def _mapped(path: str, whole: Mapping[str, Json]) -> Format:
    """A map of names to null or versions: a manifest where the path says so, else a list of npm's."""
    if "manifest" in os.path.basename(path).lower():
        return _manifest(_said(path, "a manifest", datadog.MANIFESTS))
    if any(each is None for each in whole.values()) and "datadog" in path.lower():
        return _manifest(_said(path, "a manifest", datadog.MANIFESTS))
    return LIST


def _said(path: str, what: str, words: Mapping[str, str]) -> str:
    """The ecosystem that the last two parts of a path name; such a file does not say it inside."""
    near = "/".join(path.lower().replace("\\", "/").split("/")[-2:])
    found = {
        ecosystem for word, ecosystem in words.items() if re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", near)
    }
    if len(found) != 1:
        raise FeedError(
            "ambiguous",
            f"{path} is {what}, which does not say its ecosystem: its name or its folder must hold one of"
            f" {', '.join(sorted(words))}",
        )
    return found.pop()


def _written(path: str, data: bytes, text: str) -> Format:
    """The format of a text file."""
    lines = text.splitlines()
    said = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if lines[0] == compact.HEAD or (said and said[0].count("\t") == len(compact.COLUMNS) - 1):
        return FACTS
    if text.lstrip().startswith("```toml\n"):
        return RUSTSEC
    if lines[0] == "bk-feed/1":
        raise ValueError("it is the note of a signed feed, which names the files that hold the facts")
    if said and sum(bool(_YAML.match(line)) for line in lines) >= 3:
        return PYPA
    rows = [line.partition("#")[0].strip() for line in said]
    if rows and sum(LINE.fullmatch(row) is not None for row in rows) >= MOST * len(rows):
        known = any("shai-hulud" in line.lower() for line in lines[:3] if line.startswith("#"))
        return COLLECTED if known else LIST
    if said and "," in said[0]:
        return _columns(path, data)
    raise ValueError(f"it begins with {lines[0][:_SHOWN]!a}")


def _columns(path: str, data: bytes) -> Format:
    """The format of a CSV file, by its first row."""
    rows = [row for row in table(data) if not row[0].lstrip().startswith("#")]
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    if head == ["package_name", "package_versions", "sources"]:
        return CONSOLIDATED
    if head in (["artifact_type", "name", "affected_versions"], ["type", "indicator", "context"]):
        return DATADOG
    if head == ["package_name", "package_version"] and "datadog" in path.lower():
        return DATADOG
    if lists.headed(rows):
        return LIST
    raise ValueError(f"it looks like CSV, with the first row {_few(head)}")


def _in_lines(data: bytes) -> bool:
    """Whether JSON objects stand one a line."""
    first, _, rest = data.lstrip().partition(b"\n")
    return first.rstrip().endswith(b"}") and rest.lstrip()[:1] == b"{"


def _record(row: Mapping[str, Json]) -> bool:
    return isinstance(row.get("id"), str) and isinstance(row.get("modified"), str) and "affected" in row


def _advisory(record: Mapping[str, Json]) -> Format:
    """Whose record of the OSV form it is, by its id."""
    return GITHUB if str(record["id"]).startswith("GHSA-") else OSV


def _ghsa(row: Mapping[str, Json]) -> bool:
    return isinstance(row.get("ghsa_id"), str) and "vulnerabilities" in row


def _row(row: Mapping[str, Json]) -> bool:
    keys = lists.keys_of(row)
    return any(name in keys for name in lists.NAMES) and any(name in keys for name in lists.VERSIONS)


def _versions(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _few(words: Sequence[str] | Mapping[str, Json]) -> str:
    return json.dumps([str(word)[:_SHOWN] for word in list(words)[:6]])


def _unknown(path: str, why: str) -> FeedError:
    return FeedError("unknown", f"{path} is in no format that bk reads: {why}. Looked for: {LOOKED_FOR}")
