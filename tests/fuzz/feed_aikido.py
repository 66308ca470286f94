"""Aikido's lists."""

from __future__ import annotations

from functools import partial

from bk.engine.intel.sources import aikido
from tests.fuzz._feeds import altered_json, read

SEEDS = [
    b'[{"package_name": "@a/b", "version": "1.0.0", "reason": "MALWARE"},\n'
    b' {"package_name": "c", "version": "*", "reason": "TELEMETRY"}]',
    b'[{"package_name":"C_d","version":"1!2.0rc1","reason":"PROTESTWARE"},{"package_name":"e","version":"2",'
    b'"reason":"ODD"}]',
    b"[]",
]


def one(data: bytes) -> None:
    """Read `data` as a list of either ecosystem."""
    read(partial(aikido.parse, ecosystem="npm"), data)
    read(partial(aikido.parse, ecosystem="pypi"), data)
    read(partial(aikido.parse, ecosystem="npm"), altered_json(data, SEEDS))
