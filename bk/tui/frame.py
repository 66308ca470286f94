"""One frame of the dashboard as text, for pipes and for machines without a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bk.tui.app import Dashboard
from bk.tui.places import FIRST

if TYPE_CHECKING:
    from bk.engine.console.session import Session


async def drawn(session: Session, width: int, height: int, screen: str = FIRST) -> str:
    """The first settled frame, without escape sequences."""
    app = Dashboard(session, first=screen)
    async with app.run_test(headless=True, size=(width, height)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        lines = ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]
        app.exit()
    return "\n".join(line.rstrip() for line in lines)
