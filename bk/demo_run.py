"""What `make run` does: an engine, and the dashboard on it. Without a terminal, one frame and how to open it."""

from __future__ import annotations

import os
import sys

from bk.engine.errors import OK, BkError
from bk.text import inert


def main() -> int:
    """Start what is needed and show it; never fails for want of a terminal."""
    from bk.engine.console.engine import start
    from bk.tui.launch import FRAME, frame, opened, show

    bk = os.path.join(os.path.dirname(sys.executable), "bk")
    try:
        engine, was_running = start()
        session = opened(admin=True, sample=False)
    except BkError as error:
        sys.stderr.write(f"bk: {inert(str(error), 400)}\n    next: {inert(error.next_step or f'{bk} diag', 400)}\n")
        return error.code
    told = f"The engine {'runs' if was_running else 'was started'} as process {engine.pid}."
    try:
        if sys.stdin.isatty() and sys.stdout.isatty():
            show(session)
        else:
            sys.stdout.write(frame(session, *FRAME) + "\n\n")
            sys.stdout.write(
                f"{told}\nThis is one frame: there is no terminal here. In one, run: {bk} dashboard --admin\n"
            )
            sys.stdout.write(f"To look around first: {bk} dashboard --sample\n")
    finally:
        session.close()
    return OK


if __name__ == "__main__":
    sys.exit(main())
