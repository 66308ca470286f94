"""The ledger's entries as rows, and what stands in their place when there are none."""

from __future__ import annotations

from collections.abc import Callable

from bk.engine.console.describe import agent, subject
from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.tui.widgets.lines import Cell, Column
from bk.tui.widgets.notice import Notice
from bk.tui.words import LEVELS, WIRE, age, clock

# a column -> what the engine orders by; the others are the order of the ledger itself
BY = {"VERDICT": "level", "KIND": "kind", "TOOL": "tool", "WHO": "agent", "WHAT": "what"}
YOUNGEST_FIRST = "AGE"  # the column that counts the other way round than the ledger


def by_engine(entry: Entry) -> int:
    """A million entries are put in order by the engine; this stands for that."""
    return entry.seq


def columns(now: Callable[[], int]) -> list[Column]:
    """The list's columns."""

    def verdict(entry: Entry) -> Cell:
        glyph, word, style = LEVELS.get(entry.level, LEVELS[""])
        return Cell(f"{glyph} {word}", style) if word else Cell(entry.kind[:7], "quiet")

    def what(entry: Entry) -> Cell:
        return Cell(subject(entry), "quiet" if entry.level == "allow" else "")

    return [
        Column("SEQ", 9, lambda entry: Cell(f"{entry.seq:,}", "quiet"), right=True, needs=60, sort=by_engine),
        Column("AGE", 4, lambda entry: Cell(age(entry.at, now()), "quiet"), right=True, until=60, sort=by_engine),
        Column("TIME", 8, lambda entry: Cell(clock(entry.at), "quiet"), needs=60, sort=by_engine),
        Column("VERDICT", 7, verdict, sort=by_engine),
        Column("WHAT", 0, what, sort=by_engine),
        Column("KIND", 9, lambda entry: Cell(entry.kind, "quiet"), needs=110, sort=by_engine),
        Column("TOOL", 12, lambda entry: Cell(str(entry.data.get("tool", "")), "quiet"), needs=130, sort=by_engine),
        Column("WHO", 11, lambda entry: Cell(agent(entry), "quiet"), needs=70, sort=by_engine),
    ]


def nothing(problem: BkError | None) -> Notice:
    """Why there are no entries, and what to do."""
    if problem is None:
        why = "Each tool call of an agent is decided before it runs, and recorded here as it happens."
        steps = [("Try one by hand:", "bk check --tool Bash --args 'cat ~/.ssh/id_ed25519'"),
                 ("Put bk in front of your agents:", WIRE)]  # fmt: skip
        return Notice("empty", "Nothing has been recorded yet.", why, steps)
    steps = [("Find out what happened:", problem.next_step), ("Set it aside and go on:", "bk audit recover --admin")]
    return Notice("corrupt", problem.title, problem.detail, steps)
