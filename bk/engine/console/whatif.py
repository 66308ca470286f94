"""What a change would have meant: recorded calls are decided again, under what holds now and under what is proposed.

Nothing is executed, nothing is recorded and nobody is asked. A call is replayed from its entry: its input, the answers
its session's trail gave, the time it was made at. Files that its verdict rested on must still be as they were then, and
an input that was cut or redacted is no input: such calls are counted, not guessed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from blake3 import blake3

from bk.engine.console.audit import entries, now
from bk.engine.console.describe import subject
from bk.engine.console.pages import jump
from bk.engine.console.proposed import Proposal as Proposal  # noqa: PLC0414 - surfaces name it from here
from bk.engine.console.proposed import Replaying, recalled, replaying
from bk.engine.decide import Judgement, decide
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.moments import moment
from bk.engine.ledger.search import spans
from bk.engine.model import Entry, Install, Level, ToolCall
from bk.engine.state import State

Json = Any
BLOCKED, ALLOWED, ASKED, CHANGED = "newly blocked", "newly allowed", "newly asked", "other level"
CUT, REDACTED, FILES, NO_CALL = "cut", "redacted", "files", "no call"
WHY_NOT = {
    CUT: "the input was too long to be kept whole",
    REDACTED: "a secret was taken out of the input",
    FILES: "files it rested on are no longer what they were",
    NO_CALL: "the request never became a call",
}
FLIPS_MAX = 1_000
TELL_EVERY = 200
CACHED = 4_096
_MARK = "[REDACTED:"


class Flip(NamedTuple):
    """One call whose verdict would be another."""

    seq: int
    at: int
    what: str
    agent: str
    tool: str
    subject: str
    before: str
    after: str
    rules: tuple[str, ...]
    reason: str

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {**self._asdict(), "rules": list(self.rules)}


class Result:
    """What became of a replay. `flips` are the first of them, the newest last; the counts are of all."""

    __slots__ = (
        "calls",
        "cancelled",
        "counts",
        "drifted",
        "flips",
        "left_out",
        "looked",
        "replayed",
        "since_ms",
        "total",
    )

    def __init__(self, since_ms: int, total: int) -> None:
        self.since_ms = since_ms
        self.total = total
        self.looked = self.calls = self.replayed = self.drifted = 0
        self.counts = dict.fromkeys((BLOCKED, ALLOWED, ASKED, CHANGED), 0)
        self.left_out = dict.fromkeys(WHY_NOT, 0)
        self.flips: list[Flip] = []
        self.cancelled = False

    @property
    def flipped(self) -> int:
        """How many verdicts would be others."""
        return sum(self.counts.values())

    @property
    def not_replayed(self) -> int:
        """How many calls say nothing about the change."""
        return sum(self.left_out.values())

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {
            "since_ms": self.since_ms, "calls": self.calls, "replayed": self.replayed,
            "cannot_be_replayed": {name: many for name, many in self.left_out.items() if many},
            "differ_from_then": self.drifted, "flips": dict(self.counts), "cancelled": self.cancelled,
            "shown": [flip.told() for flip in self.flips],
        }  # fmt: skip


class _Said(NamedTuple):
    level: Level
    rules: tuple[str, ...]
    reason: str


def run(
    state: State,
    proposal: Proposal,
    since: str | int,
    tell: Callable[[Result, Flip | None], None] = lambda _result, _flip: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Result:
    """Replay what was recorded since a moment (`30d`, a date, or milliseconds) and say which verdicts would flip.

    An empty proposal compares what was answered then with what would be answered now. `tell` hears of each flip and,
    every few hundred entries, of how far it is; it is called in this thread, which should not be a screen's.
    """
    since_ms = since if isinstance(since, int) else moment(since, shown=since).at(now())
    before, after = replaying(state, proposal)
    files = spans(state)
    first = jump(state, since_ms)
    result = Result(since_ms, max(0, files[-1][1] - first + 1) if first else 0)
    replay = _Replay(state.home, before, after, result)
    for entry in entries(state, "kind:decision", after=first - 1) if first else ():
        if cancelled():
            result.cancelled = True
            break
        if entry.at < since_ms:
            continue
        result.calls += 1
        result.looked = entry.seq - first + 1
        flip = replay.take(entry)
        if flip is not None or not result.calls % TELL_EVERY:
            tell(result, flip)
    if not result.cancelled:
        result.looked = result.total
    tell(result, None)
    return result


def call_of(entry: Entry, home: str) -> ToolCall | str:
    """The call that an entry records; or why it cannot be had: one of `WHY_NOT`."""
    data = entry.data
    given, tool = data.get("input"), data.get("tool")
    if not isinstance(given, dict) or not isinstance(tool, str) or not tool:
        return NO_CALL
    wrong = _lost(given)
    if wrong:
        return wrong
    claims = data.get("agent")
    return ToolCall(
        tool,
        str(data.get("kind", "other")),
        given,
        harness=str(data.get("harness", "")),
        cwd=str(data.get("cwd", "")),
        home=str(data.get("home") or home),
        session=str(data.get("session", "")),
        claims=claims if isinstance(claims, dict) else None,
        unknown=data.get("unknown_tool") is True,
    )


class _Replay:
    """Entry by entry; calls that are alike in all that counts are decided once."""

    def __init__(self, home: str, before: Replaying | None, after: Replaying, result: Result) -> None:
        self._home = home
        self._before = before
        self._after = after
        self._result = result
        self._known: dict[str, tuple[_Said | None, _Said]] = {}

    def take(self, entry: Entry) -> Flip | None:
        """Decide one recorded call again and count what came of it; the flip, when it is one."""
        result = self._result
        call = call_of(entry, self._home)
        if isinstance(call, str):
            result.left_out[call] += 1
            return None
        answer = self._answered(call, entry)
        if answer is None:
            result.left_out[FILES] += 1
            return None
        result.replayed += 1
        was, would = answer
        then = Level.of(entry.level)
        level = then if was is None else was.level
        result.drifted += (would if was is None else was).level is not then
        what = _flip(level, would.level)
        if not what:
            return None
        result.counts[what] += 1
        said = would if would.level >= level or was is None else was
        flip = Flip(
            entry.seq, entry.at, what, call.harness, call.tool, subject(entry), level.word, would.level.word,
            said.rules, said.reason or str(entry.data.get("reason", "")),
        )  # fmt: skip
        if len(result.flips) < FLIPS_MAX:
            result.flips.append(flip)
        return flip

    def _answered(self, call: ToolCall, entry: Entry) -> tuple[_Said | None, _Said] | None:
        """What is said of a call before and after; None when files that its verdict rests on have changed since."""
        trail, looked = entry.data.get("trail"), entry.data.get("looked")
        asked = "" if looked else _key(call, trail)
        held = self._known.get(asked) if asked else None
        if held is not None:
            return held
        said: list[_Said | None] = []
        plain = True
        for world in (self._before, self._after):
            if world is None:
                said.append(None)
                continue
            judgement = decide(call, world.at(entry.at, recalled(trail)), once=False)
            if not _same_files(judgement, looked):
                return None
            plain = plain and not any(type(action) is Install for action in judgement.actions)
            said.append(_said(judgement))
        was, would = said
        assert would is not None
        if asked and plain:  # what is installed is judged by its age, which differs from call to call
            if len(self._known) >= CACHED:
                self._known.clear()
            self._known[asked] = (was, would)
        return was, would


def _said(judgement: Judgement) -> _Said:
    verdict = judgement.verdict
    rules = tuple(dict.fromkeys(finding.rule for finding in verdict.findings if finding.level is verdict.level))
    return _Said(verdict.level, rules, verdict.reason)


def _same_files(judgement: Judgement, looked: Json) -> bool:
    """Whether every file that was looked at says now what it said then."""
    then = {row[0]: row[1:] for row in looked or () if isinstance(row, list) and row}
    seen = judgement.seen.looked if judgement.seen is not None else []
    return all(then.get(row[0], row[1:]) == row[1:] for row in seen) and (not then or bool(seen))


def _key(call: ToolCall, trail: Json) -> str:
    """What two calls share of which the same must be said."""
    of = [call.harness, call.tool, call.kind, call.cwd, call.home, call.input, dict(call.claims), trail, call.unknown]
    return blake3(json.dumps(of, sort_keys=True).encode()).hexdigest()


def _lost(value: Json) -> str:
    """Why an input is not the one that was judged, "" when it is."""
    if isinstance(value, str):
        return REDACTED if _MARK in value else ""
    if isinstance(value, list):
        return next(filter(None, map(_lost, value)), "")
    if isinstance(value, dict):
        if value.get("cut") is True and "blake3" in value:
            return CUT
        return next(filter(None, map(_lost, value.values())), "")
    return ""


def _flip(before: Level, after: Level) -> str:
    if before is after:
        return ""
    if _group(before) == _group(after):
        return CHANGED
    return (ALLOWED, ASKED, BLOCKED)[_group(after)]


def _group(level: Level) -> int:
    return 2 if level.denies else 1 if level is Level.ASK else 0


def proposal(
    state: State,
    *,
    config: str | None = None,
    named: str = "the proposed settings",
    rules: Sequence[str] = (),
    texts: Mapping[str, str] | None = None,
) -> Proposal:
    """A proposal from a text of settings, rule files by path, and rule texts by pack; BkError names what is wrong."""
    return Proposal.of(state, config=config, named=named, files=rules, texts=texts)


def readable(path: str) -> str:
    """The text of a settings file that somebody proposes."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(1 << 20)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise BkError(
            "the proposed settings cannot be read", f"{path}: {why}", "name a config.toml", code=USAGE
        ) from error
