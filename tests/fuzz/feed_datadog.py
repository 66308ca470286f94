"""DataDog's manifests and CSV files."""

from __future__ import annotations

from functools import partial

from bk.engine.intel.sources import datadog
from tests.fuzz._feeds import altered_json, altered_text, read, seeds

SEEDS = seeds("manifest.json", "own.csv", "axios_iocs.csv", "teampcp_iocs.csv", "consolidated_iocs.csv")


def one(data: bytes) -> None:
    """Read `data` as each of them."""
    read(partial(datadog.manifest, ecosystem="npm"), data)
    read(partial(datadog.manifest, ecosystem="agent-skill"), data)
    read(datadog.parse, data)
    read(datadog.vendors, data)
    read(partial(datadog.manifest, ecosystem="npm"), altered_json(data, SEEDS[:1]))
    read(datadog.parse, altered_text(data, SEEDS[1:]))
    read(datadog.vendors, altered_text(data, SEEDS[1:]))
