"""Socket's verdicts on the packages that are asked for here: an account's service, not a list that can be had.

Each package version is asked once a day, many in one question, because the service counts questions. That a package
is known there means nothing: only an alert that calls it malware does, or one that the account's own policy blocks
and the service calls critical. What was once called malware is asked again until it no longer is.
"""

from __future__ import annotations

import json
import re
from functools import partial

from bk.engine.intel.names import canonical_name
from bk.engine.intel.purls import name_of, purl_of
from bk.engine.intel.sources.kept import keep, kept
from bk.engine.intel.sources.shape import document, mapping, sequence, text, understood, weakest
from bk.engine.intel.sources.source import FeedError, Fetched, Source
from bk.engine.intel.versions import canonical_version
from bk.engine.provenance import Unproven, stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from bk.engine.intel.sources import Batch
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Web
    from bk.engine.model import Json

    _Key: TypeAlias = tuple[str, str, str]

BASE = "https://api.socket.dev/v0"
FILE = "answers.jsonl"
FILE_MAX = 64 * 1024 * 1024
REPLY_MAX = 64 * 1024 * 1024
ORGANISATIONS_MAX = 1024 * 1024
LIFE_MS = 86_400_000
AT_ONCE = 500
A_RUN = 5000
MALWARE = "malware"
GUESSED = "gptMalware"
RISK = "supplyChainRisk"
CLEARED = "cleared"
SAID = ("", "high", "critical", CLEARED)  # the worse, the later; what was cleared is never compared
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)


class Verdict:
    """What was said of one package version, when, and how we know: a severity, `cleared`, or nothing against it."""

    __slots__ = ("asked_ms", "key", "said", "word")

    def __init__(self, key: _Key, asked_ms: int, said: str, word: str) -> None:
        self.key = key
        self.asked_ms = asked_ms
        self.said = said
        self.word = word

    def fresh(self, now_ms: int) -> bool:
        """Whether it need not be asked again yet; an answer from the future tells of a clock that was wrong."""
        return self.asked_ms <= now_ms < self.asked_ms + LIFE_MS

    @property
    def line(self) -> bytes:
        """The verdict in our file."""
        return json.dumps([*self.key, self.asked_ms, self.said, self.word]).encode() + b"\n"


def verdicts(data: bytes) -> Iterator[Verdict]:
    """The verdicts in our file."""
    for line in data.split(b"\n"):
        if not line:
            continue
        row = sequence(document(line), "a verdict")
        if len(row) != 6 or type(row[3]) is not int:
            raise ValueError("a verdict has six parts")
        ecosystem, name, version, _, said, word = (text(each, "a part") for each in (*row[:3], "", *row[4:]))
        stored(word)
        if said not in SAID:
            raise ValueError(f"{said[:40]!a} is no verdict")
        yield Verdict((ecosystem, name, version), row[3], said, word)


def parse(data: bytes, batch: Batch) -> None:
    """Add what our file holds against packages, and take back what was cleared."""
    for verdict in verdicts(data):
        ecosystem, name, version = verdict.key
        if verdict.said == CLEARED:
            batch.withdraw(ecosystem, name, (), [version], every=False)
        elif verdict.said:
            batch.add(ecosystem, name, "exact", [version], severity=verdict.said)


def replies(data: bytes) -> dict[_Key, str]:
    """The worst that a reply holds against each package it speaks of: JSON lines, one artifact each."""
    found: dict[_Key, str] = {}
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        row = mapping(document(line), "a line of the reply")
        if not isinstance(row.get("alerts"), list):  # a summary, an error about one name, or an artifact not yet seen
            continue
        kind, namespace = text(row.get("type"), "a type"), text(row.get("namespace") or "", "a namespace")
        name, version = text(row.get("name"), "a name"), text(row.get("version") or "", "a version")
        ecosystem, whole = name_of(kind, namespace, name)
        key = _key(ecosystem, whole, version)
        found[key] = max(found.get(key, ""), _rated(row["alerts"]), key=SAID.index)
    return found


def _rated(alerts: Sequence[Json]) -> str:
    """How bad a list of alerts is: malware, what may be, or nothing that concerns us."""
    worst = ""
    for each in alerts:
        alert = mapping(each, "an alert")
        kind, action = alert.get("type"), alert.get("action")
        if action == "ignore":
            continue
        if kind == MALWARE:
            return "critical"
        blocked = action == "error" and alert.get("severity") == "critical" and alert.get("category") == RISK
        if kind == GUESSED or blocked:
            worst = "high"
    return worst


def _key(ecosystem: str, name: str, version: str) -> _Key:
    return ecosystem, canonical_name(ecosystem, name), canonical_version(ecosystem, version)


class Socket(Source):
    """The organisation-scoped endpoint that answers for many packages at once."""

    name = "socket"
    title = "Socket"
    group = "socket"
    licence = "the account's terms; never passed on"
    about = "Socket's malware alerts on the packages that are installed or asked for here."
    needs = "token"
    hosts = ("api.socket.dev",)

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:
        """Ask about every wanted version whose answer is a day old, and about what is held against one."""
        path = f"{folder}/{FILE}"
        try:
            known = {verdict.key: verdict for verdict in verdicts(kept(path, FILE_MAX))}
        except ValueError as error:
            raise FeedError("malformed", f"{path}: {error}") from error
        before = _told(known)
        known = {key: each for key, each in known.items() if each.said or each.fresh(setting.now_ms)}
        due = _due(known, setting)
        note = self._ask(web, due, known, setting) if due else ""
        keep(path, b"".join(known[key].line for key in sorted(known)))
        words = {each.word for each in known.values()}
        vouched = weakest(*map(stored, words)) if words else Unproven()
        return Fetched(vouched, changed=_told(known) != before, note=note)

    def parse(self, folder: str, batch: Batch) -> None:
        """Add what is held against packages."""
        understood(f"{folder}/{FILE}", partial(parse, batch=batch))

    def _ask(self, web: Web, due: Sequence[_Key], known: dict[_Key, Verdict], setting: Setting) -> str:
        """Put the questions; what was answered before one failed is kept. Returns what a person should know."""
        place = _place(web, setting)
        done = 0
        while done < min(len(due), A_RUN):
            part = due[done : done + AT_ONCE]
            try:
                answer = web.post(place, {"components": [{"purl": purl_of(*key)} for key in part]}, max_bytes=REPLY_MAX)
                found = replies(answer.data)
            except FeedError as error:
                if done:
                    return f"{done} of {len(due)} packages were asked about, then: {error.detail}"
                raise
            except ValueError as error:
                raise FeedError("malformed", f"a reply cannot be understood: {error}") from error
            for key in part:
                said = found.get(key, "")
                old = known.get(key)
                if old is not None and old.said and not said:
                    said = CLEARED if key in found else old.said
                known[key] = Verdict(key, setting.now_ms, said, answer.provenance.word)
            done += len(part)
        return f"{len(due) - done} packages are left for the next run" if done < len(due) else ""


def _due(known: dict[_Key, Verdict], setting: Setting) -> list[_Key]:
    """What must be asked now, what is held against a package first."""
    old = [key for key, each in known.items() if each.said != "" and not each.fresh(setting.now_ms)]
    new = {_key(*each) for each in setting.wanted} - known.keys()
    return [*sorted(old), *sorted(key for key in new if purl_of(*key))]


def _told(known: dict[_Key, Verdict]) -> dict[_Key, str]:
    return {key: each.said for key, each in known.items() if each.said}


def _place(web: Web, setting: Setting) -> str:
    """Where the organisation is asked: its name is in the URL that a person set, or the token knows only one."""
    base = (setting.url or BASE).rstrip("/")
    if "/orgs/" not in base:
        data = web.read(f"{base}/organizations", max_bytes=ORGANISATIONS_MAX).data
        try:
            said = mapping(document(data), "the reply").get("organizations")
            slugs = [text(mapping(each, "one").get("slug"), "a slug") for each in mapping(said, "the list").values()]
        except ValueError as error:
            raise FeedError("malformed", f"the list of organisations cannot be understood: {error}") from error
        if len(slugs) != 1 or not _SLUG.fullmatch(slugs[0]):
            raise FeedError(
                "setting",
                f"the token belongs to {len(slugs)} organisations: set catalogs.socket.url to {BASE}/orgs/NAME",
            )
        base += f"/orgs/{slugs[0]}"
    return f"{base}/purl?alerts=true&compact=true"
