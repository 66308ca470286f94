"""Taking over a `beekeeper-corpus.ndjson`: what happened there is kept, what was concluded there is only quoted.

Every line is read without trust. Its event is kept under ids that no event of this machine can have; its label becomes
the weakest there is, of a source of its own that nothing follows from. Labels that the other installation gave because
a catalog had *no* entry are known by having no match behind them, and are left out.
"""

from __future__ import annotations

import os
import stat

from bk.engine.corpus.beekeeper_line import LABEL_WHY, WHY, Dropped, Line, read
from bk.engine.corpus.rows import fits
from bk.engine.corpus.shapes import ACTOR, IMPORTED, Label, ident
from bk.engine.corpus.store import Corpus
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.redact import redactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bk.engine.model import Json
    from bk.engine.state import State

LINE_MAX = 1 << 20
LINES_MAX = 1_000_000
BATCH = 500
NUMBERS_MAX = 20
LABELS_MAX = 32  # of one cluster: each new one is weighed against all of them
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Count:
    """How often something was left out, and the first lines where."""

    __slots__ = ("lines", "n")

    def __init__(self) -> None:
        self.n = 0
        self.lines: list[int] = []

    def add(self, number: int) -> None:
        """Once more, in this line."""
        self.n += 1
        if len(self.lines) < NUMBERS_MAX:
            self.lines.append(number)


class Report:
    """What an import kept and what it left out, each with its reason and where that was."""

    __slots__ = ("again", "dropped", "events", "labels", "labels_dropped", "lines", "rest")

    def __init__(self) -> None:
        self.lines = 0
        self.events = 0
        self.again = 0
        self.labels = 0
        self.rest = False
        self.dropped: dict[str, Count] = {}
        self.labels_dropped: dict[str, Count] = {}

    def told(self) -> dict[str, Json]:
        """For a program."""

        def counts(found: dict[str, Count], meaning: dict[str, str]) -> dict[str, Json]:
            return {
                why: {"count": each.n, "lines": each.lines, "meaning": meaning[why]}
                for why, each in sorted(found.items())
            }

        return {
            "lines": self.lines,
            "events": self.events,
            "again": self.again,
            "labels": self.labels,
            "rest_unread": self.rest,
            "dropped": counts(self.dropped, WHY),
            "labels_dropped": counts(self.labels_dropped, LABEL_WHY),
        }


def imported(state: State, path: str, now_ms: int, *, redact: Callable[[Json], Json] | None = None) -> Report:
    """Read the file into the corpus; the same file again adds nothing. Raises BkError when it cannot be read at all.

    What was read before something went wrong stays: every batch of lines is one transaction.
    """
    report = Report()
    clean = redact or redactor()
    fd = _opened(path)
    with Corpus(state, write=True) as corpus:
        batch: list[tuple[int, Line]] = []
        for number, data in _lines(fd, report):
            line = _read(data, now_ms, clean, number, report)
            if line is not None:
                batch.append((number, line))
            if len(batch) >= BATCH:
                _keep(corpus, batch, report)
                batch.clear()
        _keep(corpus, batch, report)
    return report


def _opened(path: str) -> int:
    try:
        fd = os.open(path, _FLAGS)
    except OSError as error:
        raise BkError(
            "the file cannot be read", f"{path}: {error.strerror}", "name a plain file", code=USAGE
        ) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise BkError("the file cannot be read", f"{path}: it is not a plain file", "name a plain file", code=USAGE)
    return fd


def _lines(fd: int, report: Report) -> Iterator[tuple[int, bytes | None]]:
    """The lines with their numbers, None for one that is too long; an empty line is none."""
    with open(fd, "rb") as file:
        while data := file.readline(LINE_MAX + 1):
            if report.lines == LINES_MAX:
                report.rest = True
                return
            report.lines += 1
            whole = len(data) <= LINE_MAX
            while not data.endswith(b"\n") and (more := file.readline(LINE_MAX)):
                whole, data = False, more
            if not whole:
                yield report.lines, None
            elif data.strip():
                yield report.lines, data


def _read(data: bytes | None, now_ms: int, clean: Callable[[Json], Json], number: int, report: Report) -> Line | None:
    """A line that has an event; the others are counted."""
    try:
        if data is None:
            raise Dropped("oversize")
        line = read(data, now_ms, clean, LINE_MAX)
        if not fits(line.event):
            raise Dropped("too-large")
    except Dropped as dropped:
        report.dropped.setdefault(dropped.why, Count()).add(number)
        return None
    if line.label_dropped:
        report.labels_dropped.setdefault(line.label_dropped, Count()).add(number)
    if line.dropped:
        report.dropped.setdefault(line.dropped, Count()).add(number)
        return None
    return line


def _keep(corpus: Corpus, batch: list[tuple[int, Line]], report: Report) -> None:
    """One batch in one transaction."""
    if not batch:
        return
    with corpus.transaction():
        for number, line in batch:
            new = corpus.record([line.event])
            report.events += new
            report.again += 1 - new
            if line.true_label:
                _quote(corpus, number, line, report)


def _quote(corpus: Corpus, number: int, line: Line, report: Report) -> None:
    """Keep what the other installation said, in the order in which it said it."""
    known = [each for each in corpus.labels_of(line.event.cluster) if each.source == IMPORTED]
    label = Label(
        ident("import", [line.event.id, line.true_label, line.evidence]),
        line.event.id,
        line.event.cluster,
        line.true_label,
        IMPORTED,
        at_ms=line.resolved_ms,
        actor=ACTOR,
        evidence=line.evidence,
        human=False,
    )
    if any(each.id == label.id for each in known):
        return
    if len(known) >= LABELS_MAX:
        report.labels_dropped.setdefault("too-many", Count()).add(number)
        return
    corpus.label(label)
    report.labels += 1
