"""Plain lists of package versions, as people write them: text, CSV, JSON, JSON lines.

Text is `[ecosystem:]name:version`. CSV has a first row that names its columns, or two or three known columns. JSON is
an array of objects, an object that holds one, or an object that maps names to versions. Where no ecosystem is said,
npm is meant. A version `*`, or null for versions in a map, is every version.
"""

from __future__ import annotations

import re
from functools import partial

from bk.engine.intel.sources import ECOSYSTEMS
from bk.engine.intel.sources.shape import SEVERITIES, document, elements, mapping, sequence, table, understood, written
from bk.engine.intel.sources.shape import text as worded
from bk.engine.intel.sources.source import FeedError, Fetched, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bk.engine.intel.sources import Batch
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Web
    from bk.engine.model import Json

DEFAULT = "npm"
EVERY = "*"
LIST_MAX = 64 * 1024 * 1024
FILE = "list"
NAMES = ("name", "package", "packagename", "module")
VERSIONS = ("version", "versions", "packageversion", "packageversions", "affectedversion", "affectedversions")
OTHERS = ("ecosystem", "severity", "id")
HOLDERS = ("packages", "entries", "items", "data")
_LETTERS = re.compile(r"[^a-z]+")
_BETWEEN = re.compile(r"\|\||[,;|]")


class Listed:
    """Rows gathered by claim, so that the versions of one package become one record."""

    __slots__ = ("_batch", "_claims")

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._claims: dict[tuple[str, str, str, str], list[str]] = {}

    def take(
        self, ecosystem: str, name: str, versions: Iterable[str], *, severity: str = "critical", ident: str = ""
    ) -> None:
        """One row."""
        told = [version.strip().lstrip("= ") for version in versions]
        ranged = [version for version in told if version[:1] in tuple("<>^~!")]
        if ranged:
            self._batch.note(f"left out, a range where a version should be: {name} {ranged}")
        kept = [version for version in told if version and version not in ranged]
        if not told or not any(told):
            self._batch.note(f"left out, no version: {name}")
        elif kept:
            self._claims.setdefault((ecosystem or DEFAULT, name, severity, ident), []).extend(kept)

    def add(self) -> None:
        """All of it, to the batch."""
        for (ecosystem, name, severity, ident), versions in self._claims.items():
            exact = [version for version in versions if version != EVERY]
            if len(exact) < len(versions):
                self._batch.add(ecosystem, name, "every", severity=severity, ident=ident)
            if exact:
                self._batch.add(ecosystem, name, "exact", exact, severity=severity, ident=ident)


def read(data: bytes, batch: Batch) -> None:
    """Add a list in whichever of the forms it is written."""
    first = written(data).lstrip()[:1]
    if first == "[":
        json_rows(data, batch)
    elif first == "{":
        json_object(data, batch)
    elif tabular(data):
        comma_separated(data, batch)
    else:
        parse(data, batch)


def parse(data: bytes, batch: Batch) -> None:
    """Add a text list; the last colon splits off the version, an unknown prefix is part of an npm name."""
    listed = Listed(batch)
    for line in written(data).splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        name, colon, version = text.rpartition(":")
        if not colon:
            batch.note(f"left out, no version: {text}")
            continue
        prefix, colon, rest = name.partition(":")
        known = bool(colon) and prefix.lower() in ECOSYSTEMS
        listed.take(prefix.lower() if known else DEFAULT, rest if known else name, [version])
    listed.add()


def json_lines(data: bytes, batch: Batch) -> None:
    """Add JSON lines, one row each."""
    listed = Listed(batch)
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            _row(mapping(document(line), f"line {number}"), listed)
    listed.add()


def json_rows(data: bytes, batch: Batch) -> None:
    """Add a JSON array of rows."""
    listed = Listed(batch)
    for element in elements(data):
        _row(mapping(element, "a row"), listed)
    listed.add()


def json_object(data: bytes, batch: Batch) -> None:
    """Add JSON lines, one row, an object that holds rows, or a map of names to versions (also one an ecosystem)."""
    lines = [line for line in data.split(b"\n", 2)[:2] if line.strip()]
    if len(lines) == 2 and lines[0].rstrip().endswith(b"}") and lines[1].lstrip().startswith(b"{"):
        json_lines(data, batch)
        return
    listed = Listed(batch)
    whole = mapping(document(data), "the list")
    keys = keys_of(whole)
    held = next((whole[key] for key in HOLDERS if isinstance(whole.get(key), list)), None)
    if held is not None and all(isinstance(each, dict) for each in held):
        for element in held:
            _row(element, listed)
    elif any(isinstance(whole.get(keys.get(name, "")), str) for name in NAMES) and any(
        name in keys for name in VERSIONS
    ):
        _row(whole, listed)
    else:
        for name, said in whole.items():
            if name in ECOSYSTEMS and isinstance(said, dict):
                for inner, versions in said.items():
                    _mapped(name, inner, versions, listed)
            else:
                _mapped(DEFAULT, name, said, listed)
    listed.add()


def comma_separated(data: bytes, batch: Batch) -> None:
    """Add a CSV list."""
    rows = [row for row in table(data) if not row[0].lstrip().startswith("#")]
    listed = Listed(batch)
    columns = _columns(rows[0]) if rows else {}
    for number, row in enumerate(rows[1:] if columns else rows, 1):
        cells = [cell.strip() for cell in row]
        if columns:
            found = {name: cells[at] for name, at in columns.items() if at < len(cells)}
            name, versions = found.get("name", ""), found.get("version", "")
            ecosystem, rated, ident = found.get("ecosystem", ""), found.get("severity", ""), found.get("id", "")
            listed.take(ecosystem, name, _BETWEEN.split(versions), severity=_severity(rated), ident=ident)
        elif len(cells) == 2:
            listed.take(DEFAULT, cells[0], _BETWEEN.split(cells[1]))
        elif len(cells) == 3 and cells[0].lower() in ECOSYSTEMS:
            listed.take(cells[0].lower(), cells[1], _BETWEEN.split(cells[2]))
        else:
            raise ValueError(
                f"CSV: row {number} is neither `name,version` nor `ecosystem,name,version`, and no first row"
                " names the columns"
            )
    listed.add()


def tabular(data: bytes) -> bool:
    """Whether a list that is not JSON is CSV: its first line that says anything has a comma."""
    lines = (line.partition("#")[0] for line in written(data).splitlines())
    return "," in next((line for line in lines if line.strip()), "")


def headed(rows: Sequence[Sequence[str]]) -> bool:
    """Whether these rows of a CSV file are a list: named columns, or all of two or three known ones."""
    if rows and _columns(rows[0]):
        return True
    return bool(rows) and all(
        (len(row) == 2 or (len(row) == 3 and row[0].strip().lower() in ECOSYSTEMS)) and _version(row[-1])
        for row in rows
    )


def _version(cell: str) -> bool:
    first = _BETWEEN.split(cell.strip())[0].lstrip("= vV")
    return first == EVERY or first[:1].isdigit()


def _columns(row: Sequence[str]) -> dict[str, int]:
    """Where name, version and the rest are, if this row says it; nothing when it holds values."""
    names = [_letters(cell) for cell in row]
    found: dict[str, int] = {}
    for what, spellings in (("name", NAMES), ("version", VERSIONS), *((other, (other,)) for other in OTHERS)):
        places = [names.index(spelling) for spelling in spellings if spelling in names]
        if places:
            found[what] = places[0]
    return found if "name" in found and "version" in found else {}


def _row(row: Mapping[str, Json], listed: Listed) -> None:
    """One object that names a package and its versions."""
    keys = keys_of(row)
    name = next((row[keys[each]] for each in NAMES if each in keys), None)
    said = next((row[keys[each]] for each in VERSIONS if each in keys), None)
    versions = said if isinstance(said, list) else _BETWEEN.split(worded(said, "a version"))
    ecosystem = worded(row.get(keys.get("ecosystem", ""), ""), "an ecosystem")
    rated = row.get(keys.get("severity", ""), "")
    ident = row.get(keys.get("id", ""), "")
    listed.take(
        ecosystem.lower(),
        worded(name, "a name"),
        [worded(each, "a version") for each in versions],
        severity=_severity(str(rated or "")),
        ident=ident if isinstance(ident, str) else "",
    )


def _mapped(ecosystem: str, name: str, said: Json, listed: Listed) -> None:
    """One name of a map."""
    if said is None:
        listed.take(ecosystem, name, [EVERY])
    elif isinstance(said, str):
        listed.take(ecosystem, name, _BETWEEN.split(said))
    else:
        versions = sequence(said, f"what the list says of {name[:80]!a}")
        listed.take(ecosystem, name, [worded(each, "a version") for each in versions])


def keys_of(row: Mapping[str, Json]) -> dict[str, str]:
    """The object's own spelling of each key that we know by its letters."""
    return {_letters(key): key for key in reversed(list(row))}


def _letters(text: str) -> str:
    return _LETTERS.sub("", text.lower())


def _severity(text: str) -> str:
    """A list is of packages that must not run, unless it says otherwise."""
    return SEVERITIES.get(text.strip().lower(), "high") if text.strip() else "critical"


class PlainList(Source):
    """A list of a person's own choice, wherever it is."""

    name = FILE
    title = "A plain list"
    group = "list"
    licence = "that of the list"
    about = "A CSV, JSON, JSON lines or text list of package versions at a URL."
    needs = "url"

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:  # noqa: ARG002 - the Web writes there
        """Ask for the list."""
        if not setting.url:
            raise FeedError("setting", "no URL is set: catalogs.list.url")
        got = web.get(setting.url, FILE, max_bytes=LIST_MAX)
        return Fetched(got.provenance, changed=got.changed)

    def parse(self, folder: str, batch: Batch) -> None:
        """Add what the list says."""
        understood(f"{folder}/{FILE}", partial(read, batch=batch))
