"""Asking registries about releases: in the background, only where a person's settings name one, never during a call.

What comes back is hostile text of bounded size; of it only a version, a time and the names of scripts are kept.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time

from bk.engine.intel.answers import ANSWERS
from bk.engine.intel.releases import Release, opened, path_of, store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from bk.engine.model import Json
    from bk.engine.state import State

MAX_ASKED = 20
MAX_SECONDS = 20.0
MAX_BODY = 24 << 20
MAX_HOPS = 3
MAX_SETTINGS = 256 << 10
TIMEOUT_S = (2.5, 5.0)
SETTINGS = {
    "npm": ("/.npmrc", re.compile(r"^[ \t]*registry[ \t]*=[ \t]*(\S+)", re.MULTILINE)),
    "pypi": ("/.config/pip/pip.conf", re.compile(r"^[ \t]*index-url[ \t]*=[ \t]*(\S+)", re.MULTILINE)),
    "go": ("/.config/go/env", re.compile(r"^GOPROXY=([^,|\s]+)", re.MULTILINE)),
}


class UnansweredError(Exception):
    """A registry gave no usable answer; the text says why."""


def fetch(state: State, policy: Mapping[str, Json], now_ms: int = 0) -> int:
    """Look up what decisions wanted to know; how many were answered. Does nothing where no registry is known."""
    now_ms = now_ms or time.time_ns() // 1_000_000
    own = own_registries(state.home)
    stated = {name.rpartition(".")[2]: url for name, url in policy.items() if name.startswith("posture.registries.")}
    bases = {**own, **{ecosystem: url for ecosystem, url in stated.items() if url}}
    if not bases or (not own and not os.path.exists(path_of(state))):
        return 0
    con = opened(state, 2.0)
    try:
        _sources(con, own, now_ms)
        return _answer(con, bases, now_ms)
    finally:
        con.close()


def own_registries(home: str) -> dict[str, str]:
    """The registries that the tools' own settings name; nothing else of those files is looked at."""
    found: dict[str, str] = {}
    for ecosystem, (tail, pattern) in SETTINGS.items():
        try:
            with open(home + tail, encoding="utf-8", errors="replace") as file:
                match = pattern.search(file.read(MAX_SETTINGS))
        except OSError:
            continue
        if match and match[1].startswith(("https://", "http://")) and "@" not in match[1]:
            found[ecosystem] = match[1]
    return found


def _sources(con: sqlite3.Connection, own: Mapping[str, str], now_ms: int) -> None:
    held = dict(con.execute("SELECT ecosystem, base FROM source"))
    if held != dict(own):
        con.execute("DELETE FROM source")
        con.executemany("INSERT INTO source VALUES (?, ?, ?)", [(name, base, now_ms) for name, base in own.items()])


def _answer(con: sqlite3.Connection, bases: Mapping[str, str], now_ms: int) -> int:
    wanted = con.execute("SELECT ecosystem, name, asked FROM wanted ORDER BY at_ms LIMIT ?", (MAX_ASKED,)).fetchall()
    if not wanted:
        return 0
    import requests

    until = time.monotonic() + MAX_SECONDS
    answered = 0
    with requests.Session() as session:
        session.trust_env = False
        for ecosystem, name, asked in wanted:
            if time.monotonic() > until:
                break
            base = bases.get(ecosystem)
            release = Release(ecosystem, name, asked, problem="no registry is known for it")
            if base and ecosystem in ANSWERS:
                release = one(session, base, ecosystem, name, asked)
                answered += not release.problem
            store(con, release, now_ms)
    return answered


def one(session: requests.Session, base: str, ecosystem: str, name: str, asked: str) -> Release:
    """Ask about one release. A failure is an answer too: it says why nothing is known."""
    way = ANSWERS[ecosystem]
    try:
        document = _get(session, base.rstrip("/") + way.path(name, asked), way.accept)
        return way.read(name, asked, document)
    except UnansweredError as error:
        return Release(ecosystem, name, asked, problem=str(error)[:200])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Release(ecosystem, name, asked, problem="the registry's answer could not be understood")


def _get(session: requests.Session, url: str, accept: str) -> Json:
    from urllib.parse import urljoin

    import requests

    origin = url.split("/")[:3]
    try:
        for _ in range(MAX_HOPS):
            headers = {"Accept": accept, "User-Agent": "bk"}
            with session.get(url, headers=headers, timeout=TIMEOUT_S, stream=True, allow_redirects=False) as reply:
                if reply.is_redirect:
                    url = urljoin(url, reply.headers["location"])
                    if url.split("/")[:3] != origin:
                        raise UnansweredError("the registry sends its callers elsewhere")
                    continue
                if reply.status_code != 200:
                    raise UnansweredError(f"the registry answered {reply.status_code}")
                return json.loads(_body(reply))
    except requests.RequestException as error:
        raise UnansweredError(f"the registry cannot be reached ({type(error).__name__})") from error
    raise UnansweredError("the registry sends its callers around")


def _body(reply: requests.Response) -> bytes:
    until = time.monotonic() + MAX_SECONDS
    parts: list[bytes] = []
    size = 0
    for part in reply.iter_content(1 << 16):
        parts.append(part)
        size += len(part)
        if size > MAX_BODY or time.monotonic() > until:
            raise UnansweredError("the registry's answer is too large or too slow")
    return b"".join(parts)
