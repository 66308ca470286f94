"""Codex runs a hook only once a person trusts it; what it calls the hook, and its hash, only Codex itself can tell.

Its own server is asked for both, and the answer goes into its settings, as its own dialogue would write it.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time

from bk.engine.errors import BkError
from bk.engine.wiring import toml_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

SECONDS = 30
MAX_LINE = 1 << 20


def trusted(program: str, folder: str, home: str, hooks: str, text: str) -> str:
    """Codex's settings with the hooks of one file trusted; BkError when Codex does not tell."""
    rows = [row for row in _listed(program, folder, home) if _of(row, hooks)]
    if not rows:
        raise BkError("Codex lists no hook of ours", hooks, "start Codex once and trust the hook there")
    there = toml_text.read(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    for row in rows:
        key, digest = str(row["key"]), str(row["currentHash"])
        states = there.get("hooks", {}).get("state", {}) if isinstance(there.get("hooks"), dict) else {}
        known = states.get(key)
        if isinstance(known, dict) and known.get("trusted_hash") == digest:
            continue
        head = f"[hooks.state.{json.dumps(key)}]"
        if known is not None:
            old = f"trusted_hash = {json.dumps(known.get('trusted_hash'))}"
            at = text.find(old, text.find(head))
            if text.find(head) < 0 or at < 0:
                raise BkError("Codex's settings hold the old hash in a form of their own", key, "trust it in Codex")
            text = f"{text[:at]}trusted_hash = {json.dumps(digest)}{text[at + len(old) :]}"
            continue
        gap = "" if not text or text.endswith("\n") else newline
        text = (
            f"{text}{gap}{newline if text.strip() else ''}{head}{newline}trusted_hash = {json.dumps(digest)}{newline}"
        )
    toml_text.read(text)
    return text


def skipped(program: str, folder: str, home: str, hooks: str) -> list[str]:
    """Why Codex itself would not run the hooks of a file: none trusted yet, or one that has changed since it was."""
    rows = [row for row in _listed(program, folder, home) if _of(row, hooks)]
    if not rows:
        return [f"{hooks}: Codex lists no hook in it"]
    said = sorted({str(row.get("trustStatus")) for row in rows} - {"trusted", "managed"})
    return [f"{hooks}: Codex calls a hook in it {each}, and skips it without a word" for each in said]


def _of(row: Json, hooks: str) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("key"), str) or not isinstance(row.get("currentHash"), str):
        return False
    return hooks in row["key"] or row.get("sourcePath") == hooks


def _listed(program: str, folder: str, home: str) -> list[Json]:
    """What Codex says of the hooks that it found for a folder."""
    env = {**os.environ, "HOME": home}
    with subprocess.Popen(
        [program, "app-server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=env,
    ) as server:
        try:
            talk = _Talk(server)
            talk.ask(1, "initialize", {"clientInfo": {"name": "bk", "title": "bk", "version": "1"}})
            talk.say({"method": "initialized"})
            told = talk.ask(2, "hooks/list", {"cwds": [folder]})
        finally:
            server.kill()
    data = told.get("data") if isinstance(told, dict) else None
    return [row for each in data or () if isinstance(each, dict) for row in each.get("hooks") or ()]


class _Talk:
    """Requests and answers a line each, within a time."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        if server.stdin is None or server.stdout is None:
            raise BkError("Codex cannot be asked", "it has no pipes")
        self._in, self._out = server.stdin, server.stdout
        self._until = time.monotonic() + SECONDS
        self._rest = b""

    def say(self, message: dict[str, Json]) -> None:
        try:
            self._in.write(json.dumps(message).encode() + b"\n")
            self._in.flush()
        except BrokenPipeError as error:
            raise BkError("Codex ended before it answered", "", "trust the hook in Codex itself") from error

    def ask(self, number: int, method: str, params: dict[str, Json]) -> Json:
        self.say({"id": number, "method": method, "params": params})
        while True:
            told = json.loads(self._line())
            if isinstance(told, dict) and told.get("id") == number:
                if "result" not in told:
                    raise BkError("Codex would not tell of its hooks", str(told.get("error"))[:200])
                return told["result"]

    def _line(self) -> bytes:
        with selectors.DefaultSelector() as wait:
            wait.register(self._out, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                left = self._until - time.monotonic()
                if left <= 0 or not wait.select(left) or len(self._rest) > MAX_LINE:
                    raise BkError("Codex did not answer in time", f"{SECONDS} s", "trust the hook in Codex itself")
                more = os.read(self._out.fileno(), 65_536)
                if not more:
                    raise BkError("Codex ended before it answered", "", "trust the hook in Codex itself")
                self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line
