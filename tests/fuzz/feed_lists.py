"""Plain lists in every form."""

from __future__ import annotations

from bk.engine.intel.sources import lists
from tests.fuzz._feeds import altered_json, altered_text, read, seeds

TEXTS = [
    *seeds("list.txt"),
    b"ecosystem,name,version,severity\npypi,a,1.0;1.1,high\nnpm,@s/b,*,\n",
    b"a,1.0.0\nb,= 1.0.0 || = 1.0.1\n",
]
DOCS = [
    *seeds("list.jsonl", "manifest.json"),
    b'[{"name": "a", "version": "1.0.0"}, {"package": "b", "versions": ["1", "2"], "ecosystem": "pypi"}]',
    b'{"packages": [{"name": "a", "affectedVersions": ["1.0.0"], "severity": "low"}]}',
    b'{"npm": {"a": ["1.0.0"], "b": null}, "pypi": {"c": "*"}}',
]
SEEDS = [*TEXTS, *DOCS]


def one(data: bytes) -> None:
    """Read `data` in the form that it seems to have, and in each of the others."""
    read(lists.read, data)
    for reader in (lists.parse, lists.json_lines, lists.json_rows, lists.json_object, lists.comma_separated):
        read(reader, data)
    read(lists.read, altered_json(data, DOCS))
    read(lists.read, altered_text(data, TEXTS))
