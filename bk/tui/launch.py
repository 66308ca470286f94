"""`bk dashboard`: the command, and the two ways to show it: an app on a terminal, one frame of text without."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bk.engine.errors import USAGE, BkError

if TYPE_CHECKING:
    from bk.engine.console.session import Session

app = typer.Typer(add_completion=False)
FRAME = (100, 30)


@app.command()
def dashboard(
    *,
    admin: Annotated[bool, typer.Option("--admin", help="Be able to act: needs you, at your own terminal.")] = False,
    sample: Annotated[
        bool, typer.Option("--demo", "--sample", help="Sample activity in a throw-away state, and so marked.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Print one frame of text and leave.")] = False,
    size: Annotated[str, typer.Option(help="With --once: columns x rows.")] = f"{FRAME[0]}x{FRAME[1]}",
    screen: Annotated[str, typer.Option(help="The screen to begin with, by its name.")] = "",
    plain: Annotated[bool, typer.Option("--ascii", help="Draw with ASCII signs only.")] = False,
    web: Annotated[bool, typer.Option("--web", help="In this machine's browser instead, read-only.")] = False,
    listen: Annotated[str, typer.Option(help="With --web: where, [ADDRESS:]PORT; loopback only, 0 is any port.")] = "0",
) -> None:
    """Watch decisions and incidents live. Read-only unless you ask for --admin.

    Nothing depends on it being open: decisions are made and recorded without it.
    """
    if web:
        from bk.tui.web import serve

        serve(listen, admin=admin, demo=sample)
        return
    first = _screen(screen)
    gc.disable()  # what is imported is never garbage: looking through it takes a tenth of the time to the first frame
    session = None
    try:
        session = opened(admin=admin, sample=sample)
        if once:
            sys.stdout.write(frame(session, *_size(size), first, plain=plain) + "\n")
        elif not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise BkError(
                "the dashboard needs a terminal",
                "standard input or output is not one",
                "run it in a terminal, or print one frame with `bk dashboard --once`",
                code=USAGE,
            )
        else:
            show(session, first, admin=admin, plain=plain)
    finally:
        gc.enable()
        if session is not None:
            session.close()


def opened(*, admin: bool, sample: bool) -> Session:
    """The session that the options ask for."""
    if sample:
        from bk.engine.console.sample import open_sample

        return open_sample(admin=admin)
    from bk.engine.console.session import open_session

    return open_session(admin=admin)


def show(session: Session, first: str = "", *, admin: bool = True, plain: bool = False) -> None:
    """Run the app until the person leaves; the sample, when that is asked for, in an app of its own."""
    from bk.tui.app import SAMPLE, Dashboard
    from bk.tui.places import FIRST
    from bk.tui.plain import wanted

    plain = wanted(plain)
    board = Dashboard(session, first=first or FIRST, greets=not first, plain=plain)
    gc.freeze()  # looking through what was imported held frames up for 60 ms
    gc.enable()
    if board.run() == SAMPLE:
        sys.stdout.write("deciding the sample calls …\n")
        sys.stdout.flush()
        made = opened(admin=admin, sample=True)
        try:
            Dashboard(made, plain=plain).run()
        finally:
            made.close()


def frame(session: Session, width: int, height: int, screen: str = "", *, plain: bool = False) -> str:
    """The first frame as text; in ASCII when that is asked for, or when nothing else can be written."""
    import asyncio

    from bk.tui.frame import drawn
    from bk.tui.places import FIRST
    from bk.tui.plain import wanted

    return asyncio.run(drawn(session, width, height, screen or FIRST, plain=wanted(plain)))


def _screen(name: str) -> str:
    from bk.tui.places import PLACES, place

    if name and place(name) is None:
        raise BkError("there is no such screen", name[:40], f"one of {', '.join(p.name for p in PLACES)}", code=USAGE)
    return name


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and 20 <= int(width) <= 500 and 8 <= int(height) <= 200):
        raise BkError("the size cannot be used", text, "write it like 100x30", code=USAGE)
    return int(width), int(height)
