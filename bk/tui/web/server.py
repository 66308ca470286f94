"""Serving the dashboard to a browser: one process of its own for each page that is open."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import jinja2
from aiohttp import web
from textual_serve.server import Server

from bk.engine.errors import BkError
from bk.tui.web.door import HEADERS, Door

MOST = 8  # pages at once: each is a process
TITLE = "bk"


class Guarded(Server):
    """textual-serve's server behind a door, with a page that loads nothing from anywhere else."""

    def __init__(self, door: Door, command: str) -> None:
        super().__init__(command, host=door.host, port=door.port, title=TITLE, public_url=door.origin)
        self._door = door
        self._open = 0
        text = files("bk.tui.web").joinpath("templates/app_index.html").read_text(encoding="utf-8")
        self._page = jinja2.Template(text, autoescape=True)

    async def application(self) -> web.Application:
        """The application, every route of it behind the door."""
        app = web.Application(middlewares=[self._guard], client_max_size=1 << 16)
        app.add_routes([
            web.get("/", self._index),
            web.get("/ws", self._socket, name="websocket"),
            web.static("/static", self.statics_path, name="static"),
        ])  # fmt: skip
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        nonce = secrets.token_urlsafe(16)
        request["nonce"] = nonce
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        why = self._door.refused(request.headers, peer[0] if peer else "", request.path)
        given = request.query.get("token", "") if request.path == "/" else ""
        held = request.cookies.get(self._door.cookie, "")
        if not why and not (self._door.opens(given) or self._door.opens(held)):
            why = "the token of this launch is missing: open the address that bk printed"
        response: web.StreamResponse
        if why:
            response = web.Response(status=403, text=f"bk: {why}\n")
        else:
            response = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
            response.headers["Content-Security-Policy"] = self._door.policy.replace("{nonce}", nonce)
            if given and not why:
                response.set_cookie(self._door.cookie, self._door.token, httponly=True, samesite="Strict", path="/")
        return response

    async def _index(self, request: web.Request) -> web.Response:
        at = f"ws://{request.host}/ws"
        text = self._page.render(websocket=at, title=TITLE, nonce=request["nonce"])
        return web.Response(text=text, content_type="text/html")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self._open >= MOST:
            return web.Response(status=503, text=f"bk: {MOST} pages are open already\n")
        self._open += 1
        try:
            return await self.handle_websocket(request)
        finally:
            self._open -= 1


def command_line(*, demo: bool) -> str:
    """What is run for each page: this very interpreter, with no terminal and no right to act."""
    words = [sys.executable, "-m", "bk.tui.web.page", *(["--demo"] if demo else [])]
    return shlex.join(words)


def serve(host: str, port: int, told: Callable[[str], object], *, demo: bool = False, command: str = "") -> None:
    """Serve until interrupted; `told` hears the address to open, token and all, once it can be opened."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family)
    except OSError as error:
        raise BkError(
            "the dashboard cannot be served", f"{host}:{port}: {error.strerror}", "choose another port"
        ) from error
    with bound:
        door = Door(host, bound.getsockname()[1])
        asyncio.run(_serve(Guarded(door, command or command_line(demo=demo)), bound, lambda: told(door.url)))


async def _serve(server: Guarded, bound: socket.socket, ready: Callable[[], object]) -> None:
    runner = web.AppRunner(await server.application(), access_log=None, shutdown_timeout=5.0)
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, done.set)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        ready()
        await done.wait()
    finally:
        await runner.cleanup()
