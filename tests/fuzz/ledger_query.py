"""The filter language: a filter that SQLite takes, or a stated mistake and its place; the index hides no match."""

from __future__ import annotations

import sqlite3
from functools import cache

from bk.engine.ledger.grams import bitmap, may_hold, places
from bk.engine.ledger.query import Query, parse
from bk.engine.ledger.schema import SCHEMA
from bk.engine.ledger.words import QueryError

SEEDS = [
    b'level:block,warn agent:claude since:1h npm:left-pad@1.* "some text" -rule:pkg',
    b"level>=ask kind!=config tool:mcp__* session:abc until:2025-01-31T12:00Z seq:100..200",
    b"path:~/.ssh path:*.env host:*.example.com target:*.pem failure:deadline call:ab actor:hook",
    b'-"quoted \\ text" pypi:Evil_Pkg cargo:a_b seq>=3 seq:#1 x:y "a',
]
NOW = 1_760_000_000_000
BODY = (
    '{"actor":"hook:claude-code","at":1760000000000,"call":"ab","data":{"actions":[{"do":"install","target":'
    '"npm:left-pad@1.3.0"},{"do":"touch","mode":"read","target":"/home/dev/.ssh/id"},{"do":"connect","target":'
    '"https://a.example.com/x"}],"failure":"deadline","findings":[{"rule":"pkg.new"}],"harness":"claude-code","home":'
    '"/home/dev","session":"abc","tool":"Bash"},"kind":"decision","level":"block","seq":1}'
)


@cache
def store() -> sqlite3.Connection:
    """One entry in a real table."""
    con = sqlite3.connect(":memory:")
    con.executescript(SCHEMA)
    con.execute("INSERT INTO entry(seq, body, leaf, mac) VALUES(1, ?, x'00', x'00')", (BODY,))
    return con


def _read(text: str) -> Query | None:
    """The filter; None when it is a mistake, which must be told with its place and what to do."""
    try:
        return parse(text)
    except QueryError as error:
        wrong = error
    assert 0 <= wrong.at < len(text), "the place lies in the text"
    assert wrong.title
    assert wrong.next_step
    return None


def one(data: bytes) -> None:
    """Read `data` as a filter; what is one must run, and a match must hold what the side index is asked for."""
    text = data.decode(errors="surrogateescape" if data[:1] == b"\xff" else "replace")
    query = _read(text)
    if query is None:
        return
    where, params = query.where(NOW)
    matched = store().execute(f"SELECT count(*) FROM entry WHERE {where}", params).fetchone()[0]
    if matched:
        bits = bitmap([BODY.encode()])
        for groups in query.needs():
            held = [[place for part in group for place in places(part)] for group in groups]
            assert any(may_hold(bits, group) for group in held), f"the index would hide a match of {text!r}"
