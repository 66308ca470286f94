"""What one word of a filter means: the condition it becomes, and what a side index may know of it.

Every value is bound, never spliced: the SQL is made of constants in this file alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bk.engine.ledger.moments import Moment, moment
from bk.engine.ledger.words import Word, bad
from bk.engine.model import WORDS

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
    "target": "text in what an action would run, touch, install or connect to: target:*.pem",
    "path": "path an action touched, or anything below it: path:~/.ssh, path:*.env",
    "host": "host an action would connect to: host:example.com, host:*.example.com",
    "since": "not before: 30m 1h 2d 1w, today, yesterday, 2025-01-31, 2025-01-31T12:00Z",
    "until": "not after, written like since",
    "seq": "entry number: seq:100, seq:100..200, seq>=100",
    **{name: f"package: {name}:NAME or {name}:NAME@VERSION" for name in ECOSYSTEMS},
}
SEQ_MAX = 2**62
Needs = tuple[tuple[str, ...], ...]
Value = str | int | Moment

_EACH = "EXISTS (SELECT 1 FROM json_each(body, '$.data.%s') AS item WHERE %s)"
_DO = "json_extract(item.value, '$.do')"
_TARGET = "json_extract(item.value, '$.target')"
_ALIKE = {"pypi": "_.", "cargo": "_"}


class Clause(NamedTuple):
    """One condition: constant SQL, and what is bound to it (moments are resolved when the query is run).

    `plain` conditions need no more than the row; the rest read the body as JSON, which a tampered body may not be.
    `facet` is the same condition over the side index, "" where it has none. `needs` are texts that every matching
    body holds: one group of them at least, all of that group; () when nothing can be said.
    """

    sql: str
    params: tuple[Value, ...]
    plain: bool = False
    facet: str = ""
    needs: Needs = ()


def clause(word: Word) -> Clause:
    """The condition that a word stands for; raises a BkError that names what cannot be understood."""
    if not word.key:
        made = _text(word.value)
    else:
        make = _MAKERS.get(word.key)
        if make is None:
            raise _unknown(word)
        if word.sign not in (":", "=", "!=") and word.key not in ("level", "seq"):
            raise bad(word, f"{word.key} cannot be compared", f"write {word.key}:{word.value}")
        made = make(word)
    if word.negated != (word.sign == "!="):
        # NULL (a column the entry does not have) is "no", also under a negation
        facet = made.facet and f"NOT coalesce(({made.facet}), 0)"
        return Clause(f"NOT coalesce(({made.sql}), 0)", made.params, made.plain, facet)
    return Clause(f"({made.sql})", made.params, made.plain, made.facet and f"({made.facet})", made.needs)


def _unknown(word: Word) -> Exception:
    from difflib import get_close_matches

    near = get_close_matches(word.key, KEYS, 1, 0.5)
    meant = f"did you mean {near[0]}{word.sign}{word.value}? " if near else ""
    as_text = f'to search for the text, quote it: "{word.key}{word.sign}{word.value}"'
    return bad(word, f"the filter has no key {word.key!r}", f"{meant}{as_text}")


def _any(parts: Sequence[Clause]) -> Clause:
    known = all(part.needs for part in parts)
    return Clause(
        " OR ".join(part.sql for part in parts),
        tuple(value for part in parts for value in part.params),
        all(part.plain for part in parts),
        " OR ".join(part.facet for part in parts) if all(part.facet for part in parts) else "",
        tuple(group for part in parts for group in part.needs) if known else (),
    )


def _values(word: Word) -> list[str]:
    given = [word.value] if word.quoted else [part for part in word.value.split(",") if part]
    if not given:
        raise bad(word, "a word of the filter has no value", f"write {word.key}:VALUE")
    return given


def _like(text: str) -> str:
    """Text as a LIKE pattern in which nothing but `*` is special."""
    return _exactly(text).replace("*", "%")


def _exactly(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _inside(text: str) -> str:
    """Text as it stands in a body, which is JSON: a quote is written \\" there."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _held(text: str, before: str = "", after: str = "") -> Needs:
    """What a body holds that has this pattern between these marks."""
    first, *rest = _inside(text).split("*")
    parts = [before + first, *rest]
    parts[-1] += after
    return (tuple(part for part in parts if part),)


def _text(value: str) -> Clause:
    pattern = f"%{_exactly(_inside(value))}%"
    return Clause("body LIKE ? ESCAPE '\\'", (pattern,), plain=True, needs=((_inside(value),),))


def _choice(word: Word, allowed: Sequence[str]) -> list[str]:
    from difflib import get_close_matches

    picked = []
    for value in _values(word):
        low = value.lower()
        if low not in allowed:
            near = get_close_matches(low, allowed, 1, 0.5)
            hint = f"did you mean {word.key}:{near[0]}? " if near else ""
            raise bad(word, f"there is no {word.key} {value!r}", f"{hint}one of: {' '.join(allowed)}")
        picked.append(low)
    return picked


def _is(column: str, value: str) -> Clause:
    facet = f"{column} IN (SELECT id FROM word WHERE text = ?)"  # noqa: S608 - a constant of this file
    return Clause(f"{column} = ?", (value,), facet=facet, needs=((f'"{column}":"{value}"',),))


def _level(word: Word) -> Clause:
    picked = _choice(word, WORDS)
    if word.sign in (":", "=", "!="):
        return _any([_is("level", level) for level in picked])
    if len(picked) != 1:
        raise bad(word, "only one level can be compared with", "write level>=ask")
    at = WORDS.index(picked[0])
    span = {">=": WORDS[at:], ">": WORDS[at + 1 :], "<=": WORDS[: at + 1], "<": WORDS[:at]}[word.sign]
    return _any([_is("level", level) for level in span]) if span else Clause("0", (), facet="0")


def _kind(word: Word) -> Clause:
    return _any([_is("kind", kind) for kind in _choice(word, KINDS)])


def _starting(column: str, *, whole: bool = False) -> Callable[[Word], Clause]:
    """A condition on the start of a column (or all of it), `*` standing for anything."""

    def make(word: Word) -> Clause:
        known = f"{column} IN (SELECT id FROM word WHERE text LIKE ? ESCAPE '\\')"  # noqa: S608 - a constant of this file
        facet = "" if column == "call" else known
        return _any([
            Clause(f"{column} LIKE ? ESCAPE '\\'", (_like(value) + ("" if whole else "%"),), facet=facet,
                   needs=_held(value, f'"{column}":"', '"' if whole else ""))
            for value in _values(word)
        ])  # fmt: skip

    return make


def _failure(word: Word) -> Clause:
    sql = "json_extract(body, '$.data.failure') LIKE ? ESCAPE '\\'"
    return _any([Clause(sql, (_like(value) + "%",), needs=_held(value, '"failure":"')) for value in _values(word)])


def _rule(word: Word) -> Clause:
    sql = _EACH % ("findings", "json_extract(item.value, '$.rule') LIKE ? ESCAPE '\\'")
    return _any([Clause(sql, (_like(value) + "%",), needs=_held(value, '"rule":"')) for value in _values(word)])


def _target(word: Word) -> Clause:
    sql = _EACH % ("actions", f"{_TARGET} LIKE ? ESCAPE '\\'")
    return _any([Clause(sql, (f"%{_like(value)}%",), needs=_held(value)) for value in _values(word)])


def _path(word: Word) -> Clause:
    parts = []
    for value in _values(word):
        path = value.rstrip("/") or "/"
        home = path == "~" or path.startswith("~/")
        bare = path[1:] if home else path
        pattern = _like(bare)
        prefix = "coalesce(json_extract(body, '$.data.home'), '%') || " if home else ""
        if not home and not path.startswith("/"):
            pattern = "%" + ("" if pattern.startswith("%") else "/") + pattern
        below = "/%" if path != "/" else "%"
        sql = _EACH % (
            "actions",
            f"{_DO} = 'touch' AND ({_TARGET} LIKE {prefix}? ESCAPE '\\' OR {_TARGET} LIKE {prefix}? ESCAPE '\\')",
        )
        parts.append(Clause(sql, (pattern, pattern + below), needs=_held(bare)))
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
        parts.append(Clause(sql, (f"{host}/%", f"{host}:%", f"%@{host}%"), needs=_held(value)))
    return _any(parts)


def _package(word: Word) -> Clause:
    """Separators that a registry does not tell apart are folded on both sides: entries keep names as typed."""
    alike = _ALIKE.get(word.key, "")
    target = _TARGET
    for mark in alike:
        target = f"replace({target}, '{mark}', '-')"
    sql = _EACH % ("actions", f"{_DO} = 'install' AND ({target} LIKE ? ESCAPE '\\' OR {target} LIKE ? ESCAPE '\\')")
    parts = []
    for value in _values(word):
        name, version = _split_version(value.translate(dict.fromkeys(map(ord, alike), "-")))
        package = f"{word.key}:{_like(name)}"
        needs = _held(name.replace("-", "*") if alike else name, f"{word.key}:")
        params = (f"{package}@{_like(version)}",) * 2 if version else (package, f"{package}@%")
        parts.append(Clause(sql, params, needs=needs))
    return _any(parts)


def _split_version(value: str) -> tuple[str, str]:
    at = value.rfind("@")
    return (value[:at], value[at + 1 :]) if at > 0 else (value, "")


def _when(comparison: str, *, end: bool) -> Callable[[Word], Clause]:
    def make(word: Word) -> Clause:
        sql = f"at {comparison} ?"
        return Clause(sql, (moment(word.value, shown=word.shown, end=end),), facet=sql)

    return make


def _seq(word: Word) -> Clause:
    first, dots, last = word.value.replace("#", "").replace("_", "").partition("..")
    if not all(part.isascii() and part.isdigit() for part in (first, last) if part) or not (first or last):
        raise bad(word, f"{word.value!r} is not an entry number", "write seq:100, seq:100..200 or seq>=100")
    low, high = (_number(part, default) for part, default in ((first, 0), (last, SEQ_MAX)))
    if word.sign in (":", "=", "!="):
        sql = "seq BETWEEN ? AND ?"
        return Clause(sql, (low, high if dots else low), plain=True, facet=sql)
    if dots:
        raise bad(word, "a range cannot be compared with", "write seq:100..200 or seq>=100")
    sql = f"seq {word.sign} ?"  # the sign is one of the few that a word can have
    return Clause(sql, (low,), plain=True, facet=sql)


def _number(digits: str, default: int) -> int:
    """Digits as a number that SQLite can hold; thousands of them are not read at all."""
    return default if not digits else SEQ_MAX if len(digits) > 18 else int(digits)


_MAKERS: dict[str, Callable[[Word], Clause]] = {
    "level": _level,
    "kind": _kind,
    "agent": _starting("harness"),
    "tool": _starting("tool", whole=True),
    "session": _starting("session"),
    "actor": _starting("actor"),
    "call": _starting("call"),
    "rule": _rule,
    "failure": _failure,
    "target": _target,
    "path": _path,
    "host": _host,
    "since": _when(">=", end=False),
    "until": _when("<=", end=True),
    "seq": _seq,
    **dict.fromkeys(ECOSYSTEMS, _package),
}
