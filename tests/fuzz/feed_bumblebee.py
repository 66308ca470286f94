"""Bumblebee catalogs."""

from __future__ import annotations

from bk.engine.intel.sources import bumblebee
from tests.fuzz._feeds import altered_json, read, seeds

SEEDS = seeds("bumblebee.json")


def one(data: bytes) -> None:
    """Read `data` as a catalog."""
    read(bumblebee.parse, data)
    read(bumblebee.parse, altered_json(data, SEEDS))
