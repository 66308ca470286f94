"""The words people filter the ledger with: `level:block agent:claude since:1h npm:left-pad "some text"`.

Every value is bound, never spliced: the SQL is made of constants in this file alone.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.moments import Moment, moment
from bk.engine.model import WORDS, Entry

KINDS = ("decision", "result", "config", "engine", "admin", "catalog", "incident", "responder", "segment")
ECOSYSTEMS = ("npm", "pypi", "cargo", "go", "rubygems", "packagist", "nuget", "maven", "editor-extension")
KEYS = {
    "level": "verdict: allow warn ask block quarantine; also level>=ask, level:block,warn",
    "kind": f"entry kind: {' '.join(KINDS)}",
    "agent": "client the call came from, by the start of its name: agent:claude",
    "tool": "tool name: tool:Bash, tool:mcp__*",
    "session": "session id, by its start",
    "actor": "who wrote the entry, by its start: actor:hook, actor:cli",
    "call": "id of one hook request",
    "rule": "rule of a finding, by its start",
    "failure": "cause of a failed decision, by its start: failure:deadline",
    "path": "path an action touched, or anything below it: path:~/.ssh, path:*.env",
    "host": "host an action would connect to: host:example.com, host:*.example.com",
    "since": "not before: 30m 1h 2d 1w, today, yesterday, 2025-01-31, 2025-01-31T12:00Z",
    "until": "not after, written like since",
    "seq": "entry number: seq:100, seq:100..200, seq>=100",
    **{name: f"package: {name}:NAME or {name}:NAME@VERSION" for name in ECOSYSTEMS},
}
MAX_WORDS = 64
MAX_LENGTH = 1000
_SEQ_MAX = 2**62

_EACH = "EXISTS (SELECT 1 FROM json_each(body, '$.data.%s') AS item WHERE %s)"
_DO = "json_extract(item.value, '$.do')"
_TARGET = "json_extract(item.value, '$.target')"


class Clause(NamedTuple):
    """One condition: constant SQL, and what is bound to it (moments are resolved when the query is run).

    `plain` conditions need no more than the row; the rest read the body as JSON, which a tampered body may not be.
    """

    sql: str
    params: tuple[str | int | Moment, ...]
    plain: bool = False


class Query:
    """A parsed filter. `text` is what was typed; an empty one matches everything."""

    def __init__(self, text: str, clauses: Sequence[Clause]) -> None:
        self.text = text
        self._clauses = tuple(clauses)

    def where(self, now_ms: int) -> tuple[str, list[str | int]]:
        """The SQL condition over the table `entry` and its parameters, as of now."""
        plain = [clause for clause in self._clauses if clause.plain]
        inside = [clause for clause in self._clauses if not clause.plain]
        parts = [clause.sql for clause in plain]
        if inside:  # CASE, not AND: only CASE is sure never to look into a body that is not JSON
            parts.append(f"CASE WHEN json_valid(body) THEN {' AND '.join(c.sql for c in inside)} ELSE 0 END")
        params = [value for clause in (*plain, *inside) for value in clause.params]
        bound = [value.at(now_ms) if isinstance(value, Moment) else value for value in params]
        return " AND ".join(parts) or "1", bound


class Word(NamedTuple):
    """One word of the filter: `[-]key[sign]value`, or text when `key` is ""."""

    shown: str
    negated: bool
    key: str
    sign: str
    value: str
    quoted: bool


_WORD = re.compile(
    r"(?P<not>-)?(?:(?P<key>[A-Za-z][A-Za-z0-9_-]*+)(?P<sign>>=|<=|!=|[:=<>])(?!//))?(?P<value>(?:\"[^\"]*\"|[^\s\"])*)"
)


def parse(text: str) -> Query:
    """The filter that `text` says; raises BkError that names the word that cannot be understood."""
    clauses = [_clause(word) for word in words(text)]
    clauses.sort(key=lambda clause: "EXISTS" in clause.sql)  # the cheap ones first: they often spare the rest
    return Query(text.strip(), clauses)


def words(text: str) -> list[Word]:
    """The words of a filter, quotes taken off."""
    if "\0" in text or not _encodable(text):
        raise _bad("the filter holds a character that no entry can", repr(text[:80]), "leave it out")
    found: list[Word] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _WORD.match(text, at)
        end = match.end() if match else at
        if match is None or end == at or (end < len(text) and not text[end].isspace()):
            raise _bad("a quote in the filter is not closed", text[at : at + 80], 'close it with "')
        shown, value = match.group(), match["value"]
        if len(shown) > MAX_LENGTH:
            raise _bad("a word of the filter is too long", f"{shown[:60]}…: over {MAX_LENGTH} characters", "shorten it")
        key = (match["key"] or "").lower()
        bare = value.replace('"', "")
        if not bare:
            raise _bad("a word of the filter has no value", shown, f"write {key}:VALUE" if key else "leave it out")
        found.append(Word(shown, bool(match["not"]), key, match["sign"] or "", bare, '"' in value))
        at = end
    if len(found) > MAX_WORDS:
        raise _bad("the filter has too many words", f"{len(found)}, and {MAX_WORDS} are allowed", "use fewer")
    return found


def _clause(word: Word) -> Clause:
    if not word.key:
        made = _text(word.value)
    else:
        make = _MAKERS.get(word.key)
        if make is None:
            raise _unknown(word)
        if word.sign not in (":", "=", "!=") and word.key not in ("level", "seq"):
            raise _bad(f"{word.key} cannot be compared", word.shown, f"write {word.key}:{word.value}")
        made = make(word)
    negated = word.negated != (word.sign == "!=")
    # NULL (a column the entry does not have) is "no", also under a negation
    return Clause(f"NOT coalesce(({made.sql}), 0)" if negated else f"({made.sql})", made.params, made.plain)


def _unknown(word: Word) -> BkError:
    from difflib import get_close_matches

    near = get_close_matches(word.key, KEYS, 1, 0.5)
    meant = f"did you mean {near[0]}{word.sign}{word.value}? " if near else ""
    as_text = f'to search for the text, quote it: "{word.key}{word.sign}{word.value}"'
    return _bad(f"the filter has no key {word.key!r}", word.shown, f"{meant}{as_text}")


def _bad(title: str, detail: str, next_step: str) -> BkError:
    return BkError(title, detail, next_step, code=USAGE)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _any(parts: Sequence[Clause]) -> Clause:
    return Clause(" OR ".join(part.sql for part in parts), tuple(value for part in parts for value in part.params))


def _values(word: Word) -> list[str]:
    given = [word.value] if word.quoted else [part for part in word.value.split(",") if part]
    if not given:
        raise _bad("a word of the filter has no value", word.shown, f"write {word.key}:VALUE")
    return given


def _like(text: str) -> str:
    """Text as a LIKE pattern in which nothing but `*` is special."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")


def _text(value: str) -> Clause:
    inside = json.dumps(value, ensure_ascii=False)[1:-1]  # the body is JSON: a quote is written \" there
    escaped = inside.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Clause("body LIKE ? ESCAPE '\\'", (f"%{escaped}%",), plain=True)


def _choice(word: Word, allowed: Sequence[str]) -> list[str]:
    from difflib import get_close_matches

    picked = []
    for value in _values(word):
        low = value.lower()
        if low not in allowed:
            near = get_close_matches(low, allowed, 1, 0.5)
            hint = f"did you mean {word.key}:{near[0]}? " if near else ""
            raise _bad(f"there is no {word.key} {value!r}", word.shown, f"{hint}one of: {' '.join(allowed)}")
        picked.append(low)
    return picked


def _level(word: Word) -> Clause:
    picked = _choice(word, WORDS)
    if word.sign in (":", "=", "!="):
        return _any([Clause("level = ?", (level,)) for level in picked])
    if len(picked) != 1:
        raise _bad("only one level can be compared with", word.shown, "write level>=ask")
    at = WORDS.index(picked[0])
    span = {">=": WORDS[at:], ">": WORDS[at + 1 :], "<=": WORDS[: at + 1], "<": WORDS[:at]}[word.sign]
    return _any([Clause("level = ?", (level,)) for level in span]) if span else Clause("0", ())


def _kind(word: Word) -> Clause:
    return _any([Clause("kind = ?", (kind,)) for kind in _choice(word, KINDS)])


def _starting(expression: str) -> Callable[[Word], Clause]:
    """A condition on the start of a column, `*` standing for anything."""

    def make(word: Word) -> Clause:
        return _any([Clause(f"{expression} LIKE ? ESCAPE '\\'", (_like(value) + "%",)) for value in _values(word)])

    return make


def _whole(expression: str) -> Callable[[Word], Clause]:
    def make(word: Word) -> Clause:
        return _any([Clause(f"{expression} LIKE ? ESCAPE '\\'", (_like(value),)) for value in _values(word)])

    return make


def _rule(word: Word) -> Clause:
    sql = _EACH % ("findings", "json_extract(item.value, '$.rule') LIKE ? ESCAPE '\\'")
    return _any([Clause(sql, (_like(value) + "%",)) for value in _values(word)])


def _path(word: Word) -> Clause:
    parts = []
    for value in _values(word):
        path = value.rstrip("/") or "/"
        home = path == "~" or path.startswith("~/")
        pattern = _like(path[1:] if home else path)
        prefix = "coalesce(json_extract(body, '$.data.home'), '%') || " if home else ""
        if not home and not path.startswith("/"):
            pattern = "%" + ("" if pattern.startswith("%") else "/") + pattern
        below = "/%" if path != "/" else "%"
        sql = _EACH % (
            "actions",
            f"{_DO} = 'touch' AND ({_TARGET} LIKE {prefix}? ESCAPE '\\' OR {_TARGET} LIKE {prefix}? ESCAPE '\\')",
        )
        parts.append(Clause(sql, (pattern, pattern + below)))
    return _any(parts)


def _host(word: Word) -> Clause:
    """The host is cut out of the URL by its delimiters, so that a name in a path or a query does not count."""
    address = f"substr({_TARGET}, instr({_TARGET}, '://') + (CASE WHEN instr({_TARGET}, '://') THEN 3 ELSE 1 END))"
    sql = _EACH % (
        "actions",
        f"{_DO} = 'connect' AND (lower({address}) || '/' LIKE ? ESCAPE '\\' OR lower({address}) LIKE ? ESCAPE '\\'"
        f" OR lower({address}) LIKE ? ESCAPE '\\')",
    )
    parts = []
    for value in _values(word):
        host = _like(value.lower())
        parts.append(Clause(sql, (f"{host}/%", f"{host}:%", f"%@{host}%")))
    return _any(parts)


def _package(word: Word) -> Clause:
    """Separators that a registry does not tell apart are folded on both sides: entries keep names as typed."""
    alike = {"pypi": "_.", "cargo": "_"}.get(word.key, "")
    target = _TARGET
    for mark in alike:
        target = f"replace({target}, '{mark}', '-')"
    sql = _EACH % ("actions", f"{_DO} = 'install' AND ({target} LIKE ? ESCAPE '\\' OR {target} LIKE ? ESCAPE '\\')")
    parts = []
    for value in _values(word):
        name, version = _split_version(value.translate(dict.fromkeys(map(ord, alike), "-")))
        package = f"{word.key}:{_like(name)}"
        parts.append(Clause(sql, (f"{package}@{_like(version)}",) * 2 if version else (package, f"{package}@%")))
    return _any(parts)


def _split_version(value: str) -> tuple[str, str]:
    at = value.rfind("@")
    return (value[:at], value[at + 1 :]) if at > 0 else (value, "")


def _when(comparison: str, *, end: bool) -> Callable[[Word], Clause]:
    def make(word: Word) -> Clause:
        return Clause(f"at {comparison} ?", (moment(word.value, shown=word.shown, end=end),))

    return make


def _seq(word: Word) -> Clause:
    first, dots, last = word.value.replace("#", "").replace("_", "").partition("..")
    if not all(part.isascii() and part.isdigit() for part in (first, last) if part) or not (first or last):
        raise _bad(f"{word.value!r} is not an entry number", word.shown, "write seq:100, seq:100..200 or seq>=100")
    low, high = (min(int(part or default), _SEQ_MAX) for part, default in ((first, "0"), (last, str(_SEQ_MAX))))
    if word.sign in (":", "=", "!="):
        return Clause("seq BETWEEN ? AND ?", (low, high if dots else low), plain=True)
    if dots:
        raise _bad("a range cannot be compared with", word.shown, "write seq:100..200 or seq>=100")
    return Clause(f"seq {word.sign} ?", (low,), plain=True)  # the sign is one of the few that _WORD can match


_MAKERS: dict[str, Callable[[Word], Clause]] = {
    "level": _level,
    "kind": _kind,
    "agent": _starting("harness"),
    "tool": _whole("tool"),
    "session": _starting("session"),
    "actor": _starting("actor"),
    "call": _starting("call"),
    "rule": _rule,
    "failure": _starting("json_extract(body, '$.data.failure')"),
    "path": _path,
    "host": _host,
    "since": _when(">=", end=False),
    "until": _when("<=", end=True),
    "seq": _seq,
    **dict.fromkeys(ECOSYSTEMS, _package),
}


def run(
    connection: sqlite3.Connection,
    query: Query,
    now_ms: int,
    *,
    after: int = 0,
    before: int = 0,
    limit: int = 100,
    oldest_first: bool = False,
) -> list[Entry]:
    """Entries that match between `after` and `before` (0: no bound), the newest first unless told otherwise."""
    sql, params = query.where(now_ms)
    order = "ASC" if oldest_first else "DESC"
    select = f"SELECT seq, body FROM entry WHERE seq > ? AND seq < ? AND {sql} ORDER BY seq {order} LIMIT ?"  # noqa: S608
    rows = connection.execute(select, [after, before or _SEQ_MAX, *params, limit])
    return [stored(seq, body) for seq, body in rows]


def stored(seq: int, body: str | bytes) -> Entry:
    """The entry that a row holds. A body that cannot be read is shown as such, not raised: it is evidence."""
    try:
        said = json.loads(body)
        return Entry(
            str(said["kind"]),
            str(said["actor"]),
            dict(said["data"]),
            level=str(said["level"]),
            call=str(said["call"]),
            at=int(said["at"]),
            seq=seq,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        head = body[:200] if isinstance(body, str) else bytes(body[:200]).decode(errors="replace")
        return Entry("unreadable", "", {"body": head}, seq=seq)
