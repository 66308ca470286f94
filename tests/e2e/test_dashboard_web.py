"""`bk dashboard --web`: real requests on loopback, a real websocket, a real browser; and everybody else turned away."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from bk.cli import main
from bk.engine.errors import OK, USAGE
from bk.engine.state import State

ROOT = Path(__file__).parent.parent.parent
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Served(NamedTuple):
    base: str
    token: str
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"{self.base}/?token={self.token}"

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])


@pytest.fixture
def served(state: State) -> Iterator[Served]:
    env = {"HOME": state.home, "BK_HOME": state.root, "PATH": os.environ["PATH"]}
    words = [sys.executable, "-m", "bk", "dashboard", "--web", "--demo"]
    with subprocess.Popen(words, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        base, _, token = line.split()[-1].partition("/?token=")
        try:
            yield Served(base, token, process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


async def asked(served: Served, path: str = "/", cookie: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookie:
        sent["Cookie"] = f"bk-{served.port}={cookie}"
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(served.base + path, headers=sent, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.text(), dict(answer.headers)


async def test_only_the_token_of_this_launch_opens_the_page_and_only_from_here(served: Served) -> None:
    right = f"/?token={served.token}"
    status, text, headers = await asked(served, right)
    assert status == 200
    assert f'data-session-websocket-url="ws://127.0.0.1:{served.port}/ws"' in text
    assert "https://" not in text, "the page loads nothing from elsewhere"
    assert served.token not in text
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert (await asked(served, "/static/js/textual.js", cookie=served.token))[0] == 200
    refusals: list[tuple[str, str, dict[str, str]]] = [
        ("/", "", {}),
        ("/?token=", "", {}),
        (f"/?token={served.token[:-1]}x", "", {}),
        (f"/static/js/textual.js?token={served.token}", "", {}),
        ("/static/js/textual.js", "", {}),
        ("/static/js/textual.js", "wrong", {}),
        ("/ws", served.token, {}),
        (right, "", {"Host": f"evil.example:{served.port}"}),
        (right, "", {"Host": f"127.0.0.1.evil.example:{served.port}"}),
        (right, "", {"Host": "127.0.0.1"}),
        (right, "", {"Origin": "http://evil.example"}),
        (right, "", {"Origin": "null"}),
        (right, "", {"Origin": f"http://127.0.0.1:{served.port + 1}"}),
        ("/static/js/textual.js", served.token, {"Sec_Fetch_Site": "cross-site"}),
    ]
    for path, held, sent in refusals:
        status, text, headers = await asked(served, path, held, **sent)
        assert status == 403, (path, sent)
        assert "Set-Cookie" not in headers
        assert text.startswith("bk: ")
    assert not children(served.process.pid), "nobody got as far as a dashboard"


async def test_the_websocket_wants_the_token_and_this_origin(served: Served) -> None:
    right = {"Origin": served.base, "Cookie": f"bk-{served.port}={served.token}"}
    wrong = [
        {"Origin": served.base},
        {"Cookie": right["Cookie"]},
        {**right, "Origin": "http://evil.example"},
        {**right, "Cookie": f"bk-{served.port}=x"},
        {**right, "Host": f"rebound.example:{served.port}"},
    ]
    address = served.base.replace("http", "ws") + "/ws?width=100&height=30"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for headers in wrong:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(address, headers=headers)
            assert caught.value.status == 403
        assert not children(served.process.pid)
        async with session.ws_connect(address, headers=right) as page:
            shown = b""
            until = time.monotonic() + 30
            while b"READ-ONLY" not in shown and time.monotonic() < until:
                message = await page.receive(timeout=30)
                shown += message.data if isinstance(message.data, bytes) else b""
            assert b"READ-ONLY" in shown
            assert len(children(served.process.pid)) == 1
    until = time.monotonic() + 15
    while children(served.process.pid) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    assert not children(served.process.pid), "a page that is closed leaves no process behind"


def test_it_listens_on_loopback_and_says_where_once(served: Served) -> None:
    with open("/proc/net/tcp", encoding="ascii") as file:
        listening = [row.split() for row in file.readlines()[1:]]
    local = [row[1] for row in listening if row[3] == "0A" and int(row[1].partition(":")[2], 16) == served.port]
    assert local == [f"0100007F:{served.port:04X}"]
    assert len(served.token) >= 40


@pytest.mark.parametrize("where", ["0.0.0.0:8787", "192.0.2.7:0", "[::]:0", "example.org:80", "127.0.0.1:x", "70000"])
def test_other_addresses_are_refused(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", "--web", "--listen", where]) == USAGE
    said = capsys.readouterr().err
    assert "no port" in said or "not a loopback address" in said


def test_it_never_acts_and_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", "--web", "--admin"]) == USAGE
    assert "only looks" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["dashboard", "--web", "--listen", str(taken.getsockname()[1])]) != OK
    assert "cannot be served" in capsys.readouterr().err


class Browser:
    """A headless browser, spoken to by its own debugging protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.requests: list[str] = []

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            told = await self._socket.receive_json(timeout=30)
            if told.get("method") == "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])
            if told.get("id") == self._number:
                return dict(told.get("result", {}))

    async def value(self, expression: str) -> Any:
        return (await self.ask("Runtime.evaluate", expression=expression))["result"].get("value")


@pytest.mark.long
@pytest.mark.skipif(BROWSER is None, reason="needs a headless browser")
async def test_a_browser_shows_the_dashboard_and_asks_nobody_else(served: Served, tmp_path: Path) -> None:
    words = [
        str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run",
        f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1100,700", "about:blank",
    ]  # fmt: skip
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stderr is not None
            told = next(line for line in process.stderr if "DevTools listening on" in line)
            door = told.split("ws://")[1].split("/")[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://{door}/json/list") as answer:
                    tabs = json.loads(await answer.text())
                page = next(tab for tab in tabs if tab["type"] == "page")
                async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as wire:
                    await _look(Browser(wire), served)
        finally:
            process.terminate()
            process.wait(timeout=20)


async def _look(browser: Browser, served: Served) -> None:
    await browser.ask("Network.enable")
    await browser.ask("Page.navigate", url=served.url)
    until = time.monotonic() + 40
    while time.monotonic() < until and "-first-byte" not in str(await browser.value("document.body.className")):
        await asyncio.sleep(0.2)
    assert "-first-byte" in str(await browser.value("document.body.className"))
    assert await browser.value("location.href") == f"{served.base}/", "the token does not stay in the address"
    sizes = []
    while time.monotonic() < until and (not sizes or sizes[-1] < 15_000):
        await asyncio.sleep(0.3)
        shot = await browser.ask("Page.captureScreenshot", format="png")
        sizes.append(len(base64.b64decode(shot["data"])))
    assert sizes[-1] >= 15_000, "an empty page compresses to a fraction of that"
    assert browser.requests
    assert all(url.startswith((served.base, "data:", "ws://127.0.0.1")) for url in browser.requests), browser.requests
