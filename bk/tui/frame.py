"""One frame of the dashboard as text, for pipes and for machines without a terminal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from textual.worker import WorkerError

from bk.tui.app import Dashboard
from bk.tui.places import FIRST

if TYPE_CHECKING:
    from bk.engine.console.session import Session


async def drawn(session: Session, width: int, height: int, screen: str = FIRST, *, plain: bool = False) -> str:
    """The first settled frame, without escape sequences."""
    app = Dashboard(session, first=screen, plain=plain)
    async with app.run_test(headless=True, size=(width, height)) as pilot:
        while waiting := [each for each in app.workers if not each.is_finished]:
            for each in waiting:
                with suppress(WorkerError):  # what was called off has another in its place; what failed is shown
                    await each.wait()
            await pilot.pause()
        await pilot.pause()
        lines = ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]
        app.exit()
    return "\n".join(line.rstrip() for line in lines)
