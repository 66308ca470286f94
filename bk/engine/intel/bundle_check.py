"""Maintenance: whether a folder of upstream files says in bk what it says upstream.

    python -m bk.engine.intel.bundle_check CATALOGS

Counts what the readers take from every file against `bundled/EXPECTED.toml`, builds an index of it all, and asks it for
every incident named there, for every row of `merged-exact.jsonl` where there is one, and for a version of each listed
package that nobody lists. Prints the figures; exit 1 when anything differs.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

from bk.engine.intel.bundle_build import collect
from bk.engine.intel.index import Index, build
from bk.engine.intel.match import matches
from bk.engine.intel.sniff import recognised
from bk.engine.intel.sources import Batch
from bk.engine.model import Install
from bk.engine.provenance import Unproven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bk.engine.intel.record import Record
    from bk.engine.model import Json

EXPECTED = Path(__file__).with_name("bundled") / "EXPECTED.toml"
ROWS = "merged-exact.jsonl"
CERTAIN = ("exact", "range", "every")


class Check:
    """What was looked at, and what was not as expected."""

    __slots__ = ("figures", "wrong")

    def __init__(self) -> None:
        self.figures: Counter[str] = Counter()
        self.wrong: list[str] = []

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Note a difference."""
        if found != wanted:
            self.wrong.append(f"{what}: {found}, expected {wanted}")


def check(folder: Path) -> Check:
    """Everything that can be said of a folder of catalogs."""
    made = Check()
    expected = tomllib.loads(EXPECTED.read_text(encoding="utf-8"))
    for each in expected["counted"]:
        _counted(folder, each, made)
    records, _ = collect(folder)
    made.figures["facts"] = len(records)
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "index")
        build(path, records, {"built": "2026-01-01T00:00:00Z", "sources": {}})
        index = Index.open(path)
        try:
            _incidents(index, expected["incident"], made)
            _rows(index, folder / ROWS, expected["incident"], made)
            _neighbours(index, records, made)
        finally:
            index.close()
    return made


def _counted(folder: Path, wanted: Mapping[str, Json], made: Check) -> None:
    """Compare what the readers take from some files with what is in them."""
    path = str(wanted["path"])
    batch = Batch("check", "check", Unproven(), "")
    files = sorted(folder.glob(path))
    for file in files:
        data = file.read_bytes()
        recognised(str(file), data).read(data, batch)
    found = Counter(
        files=len(files),
        claims=len(batch.records),
        versions=sum(len(record.versions) for record in batch.records),
        withdrawn=len(batch.withdrawn),
        left_out=sum("left out" in note for note in batch.notes),
        advisories=len({record.ident for record in batch.records}) + len(batch.withdrawn),
    )
    for record in batch.records:
        found[record.ecosystem] += len(record.versions)
    for what, count in {"files": 1, "withdrawn": 0, "left_out": 0, **wanted}.items():
        if what != "path":
            made.expect(f"{path}, {what}", found[what], count)
    made.figures["files"] += found["files"]
    made.figures["claims"] += found["claims"]


def _incidents(index: Index, incidents: Iterable[Mapping[str, Json]], made: Check) -> None:
    """Every version that an incident is known by is found, and its neighbours are not."""
    for incident in incidents:
        made.figures["incidents"] += 1
        for word, wanted in (("found", True), ("clean", False)):
            for each in incident.get(word, ()):
                made.figures[word] += 1
                made.expect(f"{incident['name']}: {each}", _listed(index, *each.split(" ")), wanted)


def _rows(index: Index, path: Path, incidents: Iterable[Mapping[str, Json]], made: Check) -> None:
    """Every row of a list that others merged from the same files is found, but for what was withdrawn."""
    if not path.exists():
        return
    gone = {each for incident in incidents if not incident.get("found") for each in incident["clean"]}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        made.figures["merged rows"] += 1
        if f"{row['ecosystem']} {row['name']} {row['version']}" not in gone:
            made.expect(f"{ROWS}: {line}", _listed(index, row["ecosystem"], row["name"], row["version"]), True)


def _neighbours(index: Index, records: Iterable[Record], made: Check) -> None:
    """A version that nobody lists is clean, for each package of which only versions are listed."""
    kinds: dict[tuple[str, str], set[str]] = {}
    for record in records:
        kinds.setdefault((record.ecosystem, record.name), set()).add(record.kind)
    for (ecosystem, name), told in kinds.items():
        if told == {"exact"}:
            made.figures["neighbours"] += 1
            version = "v7777.0.1" if ecosystem == "go" else "7777.0.1"
            made.expect(f"{ecosystem} {name} {version}", _listed(index, ecosystem, name, version), False)


def _listed(index: Index, ecosystem: str, name: str, version: str) -> bool:
    """Whether an install of exactly this version is certain to be what a critical or high claim is about."""
    asked = Install(ecosystem, name, version, source="registry", manager="")
    return any(match.kind in CERTAIN and match.severity in ("critical", "high") for match in matches(index, asked))


def main(folder: str) -> int:
    """Say what was found."""
    made = check(Path(folder))
    print(", ".join(f"{count} {what}" for what, count in made.figures.items()))
    for wrong in made.wrong:
        print(wrong)
    return 1 if made.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
