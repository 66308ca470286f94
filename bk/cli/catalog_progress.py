"""What the catalog worker does, shown while it does it: a line a source on a terminal, plain lines elsewhere.

A step is what the worker reports: its name, the source it is about, and how far it is.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bk.cli.paint import coloured
from bk.engine.errors import BkError
from bk.text import inert

if TYPE_CHECKING:
    from bk.engine.console.catalogs.work import Work

Json = Any
ALL = "catalogs"
INTERRUPTED = 130
NAMES = {
    "fetch": "asking", "read": "reading", "compare": "comparing", "build": "building", "check": "checking",
    "scan": "looking at what is installed", "respond": "comparing what is installed",
}  # fmt: skip
DETAIL = 200


def follow(work: Work, *, quiet: bool = False) -> dict[str, Json]:
    """Show a run to its end, and hand over what came of it. Ctrl-C ends the worker first."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        if quiet:
            for _ in work:
                pass
        elif coloured():
            _display(work)
        else:
            for line in _plain(work):
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
    except KeyboardInterrupt:
        work.end()
        raise BkError("stopped", "what is in force stays in force", "bk catalogs status", code=INTERRUPTED) from None
    except BaseException:
        work.end()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    return work.outcome()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _plain(steps: Iterable[dict[str, Json]]) -> Iterator[str]:
    """One line for each step of each source."""
    last = ("", "")
    for step in steps:
        word, source, detail = _parts(step)
        if source and detail and step.get("step") == "fetch":
            continue  # how a source fared is told at the end, with what to do
        if (word, source) != last or detail:
            yield f"{source or ALL:<14} {word}{': ' if detail else ''}{detail}"
        last = (word, source)


def _display(steps: Iterable[dict[str, Json]]) -> None:
    """A live line for each source: what is done to it, how far that is, and for how long."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Words(TextColumn):
        """A column of outside text: never markup."""

        def render(self, task: Any) -> Text:
            return Text(str(task.fields["told"]), no_wrap=True, overflow="ellipsis")

    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=12),
        TimeElapsedColumn(),
        Words(""),
    )
    rows: dict[str, TaskID] = {}
    here = ""
    with Progress(*columns, console=Console(highlight=False), refresh_per_second=8, transient=True) as shown:
        for step in steps:
            word, source, detail = _parts(step)
            name = source or ALL
            if here and here != name:
                shown.update(rows[here], total=1, completed=1, told="")
            here = name
            if name not in rows:
                rows[name] = shown.add_task(f"{name:<12}", total=None, told="")
            done, total = (_number(step.get(end)) for end in ("done", "total"))
            counted = not source and total > 0  # of a source they say which of how many it is, not how far
            shown.update(
                rows[name],
                told=f"{word}  {detail}".rstrip(),
                completed=done if counted else 0,
                total=total if counted else None,
            )


def _parts(step: dict[str, Json]) -> tuple[str, str, str]:
    """Step, source and detail, made safe to show."""
    word = inert(str(step.get("step", "")), 30)
    return NAMES.get(word, word), inert(str(step.get("source") or ""), 40), inert(str(step.get("detail") or ""), DETAIL)


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
