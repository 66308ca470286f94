"""The same dashboard in a browser on this machine: read-only, behind a token, on loopback and nowhere else."""

from __future__ import annotations

import sys

from bk.engine.errors import USAGE, BkError


def serve(listen: str, *, admin: bool, demo: bool) -> None:
    """Serve until interrupted, and say where; BkError when that cannot be, and why."""
    from bk.tui.web.door import place

    if admin:
        raise BkError(
            "the web dashboard only looks",
            "admin verbs are for a person at a terminal, and a browser is none",
            "bk dashboard --admin, in your own terminal",
            code=USAGE,
        )
    host, port = place(listen)
    try:
        from bk.tui.web import server
    except ModuleNotFoundError as missing:
        if missing.name not in ("aiohttp", "jinja2", "textual_serve", "aiohttp_jinja2"):
            raise
        raise BkError(
            "the web dashboard needs one more package",
            f"{missing.name} is not installed",
            "pip install 'beekeeper-bk[web]'",
        ) from missing
    server.serve(host, port, _told, demo=demo)


def _told(url: str) -> None:
    sys.stdout.write(f"the dashboard is at {url}\n")
    if sys.stdout.isatty():
        sys.stdout.write("whoever has this address can look; ctrl+c ends it\n")
    sys.stdout.flush()
