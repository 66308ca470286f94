"""Maintenance: turn a folder of upstream files into the facts that a release carries.

    python -m bk.engine.intel.bundle_build CATALOGS OUT

CATALOGS holds one folder a source, as named in `PLAN`; OUT receives `facts.tsv`. `SOURCES.toml` beside it is written by
hand from what is printed here, and a test compares its counts with the facts.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from pathlib import Path

from bk.engine.intel.compact import lines
from bk.engine.intel.merge import merge
from bk.engine.intel.sources import Batch, bumblebee, datadog, lists, osv, pypa, rustsec
from bk.engine.provenance import PinnedOrigin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.intel.record import Record

# label, independence group, date of the snapshot, file pattern, reader
PLAN: tuple[tuple[str, str, str, str, Callable[[bytes, Batch], None]], ...] = (
    ("bumblebee", "vendor-reports", "2026-07-16", "bumblebee/*.json", bumblebee.parse),
    ("shai-hulud-detect", "vendor-reports", "2026-08-21", "cobenian-shai-hulud-detect/*.txt", lists.parse),
    ("safedep", "vendor-reports", "2025-09-25", "safedep/malicious-package-versions.jsonl", lists.json_lines),
    ("datadog-consolidated", "vendor-reports", "2026-04-03", "datadog-ioc/*consolidated*.csv", datadog.vendors),
    ("datadog-ioc", "datadog", "2026-04-03", "datadog-ioc/*[!d]_iocs.csv", datadog.parse),
    ("datadog-ioc", "datadog", "2026-04-03", "datadog-ioc/*_shai-hulud-2.0.csv", datadog.parse),
    (
        "datadog-dataset",
        "datadog",
        "2026-04-03",
        "datadog-dataset/ide_extensions-manifest.json",
        partial(datadog.manifest, ecosystem="editor-extension"),
    ),
    ("ossf", "ossf", "2026-08-20", "ossf-malicious-packages/MAL-*.json", osv.parse),
    ("rustsec", "rustsec", "2026-08-21", "rustsec/raw/*.md", rustsec.parse),
    ("pypa", "pypa", "2024-10-10", "pypa/*.yaml", pypa.parse),
)


def collect(folder: Path) -> tuple[list[Record], list[Batch]]:
    """Read every source of the plan; returns the merged facts and one batch a line of the plan."""
    batches = []
    for label, group, date, pattern, read in PLAN:
        batch = Batch(label, group, PinnedOrigin(), date)
        files = sorted(folder.glob(pattern))
        if not files:
            raise FileNotFoundError(f"{folder}/{pattern}")
        for file in files:
            try:
                read(file.read_bytes(), batch)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{file}: {error}") from error
        batches.append(batch)
    withdrawn = [grave for batch in batches for grave in batch.withdrawn]
    return merge((record for batch in batches for record in batch.records), withdrawn), batches


def main(folder: str, out: str) -> None:
    """Write the facts and say what each source gave."""
    records, batches = collect(Path(folder))
    Path(out, "facts.tsv").write_text("\n".join(lines(records)) + "\n", encoding="utf-8")
    for batch in batches:
        versions = sum(len(record.versions) for record in batch.records if record.kind == "exact")
        print(
            f"{batch.label}: {len(batch.records)} records, {versions} versions, {len(batch.withdrawn)} withdrawn,"
            f" {len(batch.notes)} notes"
        )
        for note in batch.notes:
            print(f"    {note}")
    counted = Counter(source for record in records for source in record.sources)
    print(f"{len(records)} facts", *(f"{label} {count}" for label, count in sorted(counted.items())), sep="\n    ")


if __name__ == "__main__":
    main(*sys.argv[1:3])
