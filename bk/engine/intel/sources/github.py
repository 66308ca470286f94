"""GitHub's advisories of type malware: by its API, page by page since the last change, or as the files of its database.

Without a token GitHub answers sixty questions an hour, so a first load may take several runs: each keeps what came and
the next goes on from there.
"""

from __future__ import annotations

import os
import re
import time
from functools import partial
from urllib.parse import parse_qs, quote, urlsplit

from bk.engine.intel.sources import extract, osv
from bk.engine.intel.sources.kept import keep
from bk.engine.intel.sources.shape import SEVERITIES, document, mapping, sequence, text, understood, weakest
from bk.engine.intel.sources.source import FeedError, Fetched, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.intel.sources import Batch
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Web
    from bk.engine.model import Json
    from bk.engine.provenance import Provenance

API = "https://api.github.com"
EXTRACT = "advisories.facts"
CURSOR = "advisories.cursor"
JSON = "application/vnd.github+json"
PAGE_MAX = 32 * 1024 * 1024
RECORD_MAX = 4 * 1024 * 1024
PAGES_A_RUN = 400
READ_MAX = 512 * 1024 * 1024
A_PAGE = 100
VULNERABLE_MAX = 20_000
MALICIOUS_CODE = "CWE-506"
UNPROCESSABLE = (" 400", " 422")
EVERY = (">= 0", "> 0", "*", ">= 0.0.0", ">= 0.0")
FIELDS = (
    "ghsa_id", "type", "severity", "identifiers", "published_at", "updated_at", "withdrawn_at", "vulnerabilities",
)  # fmt: skip
_IDENT = re.compile(r"GHSA(?:-[0-9a-z]{4}){3}", re.ASCII)
_NEXT = re.compile(r"<([^<>]{1,2000})>\s*;[^,]*rel=\"next\"")
_CURSOR = re.compile(r"[!-~]{1,1000}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TERM = re.compile(r"(=|<=|>=|<|>)\s*([^\s,<>=]{1,200})")


def parse(data: bytes, batch: Batch) -> None:
    """Add advisories as the API writes them, one or a list, or one as the database's files are."""
    said = document(data)
    for each in said if isinstance(said, list) else [said]:
        take(mapping(each, "an advisory"), batch)


def take(advisory: Json, batch: Batch) -> bool:
    """Add one advisory; whether it is one of malware."""
    if "ghsa_id" not in advisory:
        return _take_file(advisory, batch)
    ident = _ident(advisory.get("ghsa_id"))
    if advisory.get("type") != "malware":
        return False
    withdrawn = text(advisory.get("withdrawn_at") or "", "withdrawn_at")
    date = text(advisory.get("published_at") or "", "published_at")[:10]
    severity = SEVERITIES.get(str(advisory.get("severity", "")).lower(), "high")
    idents = {ident, *_identifiers(advisory)}
    vulnerable = sequence(advisory.get("vulnerabilities") or [], "vulnerabilities")
    if len(vulnerable) > VULNERABLE_MAX:
        raise ValueError(f"{ident} names {len(vulnerable)} packages; {VULNERABLE_MAX} is the most")
    claims: dict[tuple[str, str, str], list[str]] = {}
    for each in vulnerable:
        one = mapping(each, "a vulnerability")
        package = mapping(one.get("package") or {}, "package")
        name = text(package.get("name"), "a package name")
        kind, versions = affected(text(one.get("vulnerable_version_range") or "", "vulnerable_version_range"))
        key = (text(package.get("ecosystem"), "an ecosystem"), name, kind)
        claims.setdefault(key, []).extend(versions)
    for (ecosystem, name, kind), versions in claims.items():
        if withdrawn:
            batch.withdraw(ecosystem, name, idents, versions if kind == "exact" else (), every=kind == "every")
        else:
            batch.add(ecosystem, name, kind, versions, severity=severity, ident=ident, date=date)
    return True


def affected(told: str) -> tuple[str, list[str]]:
    """What a range in GitHub's words is: every version, one version, or an interval."""
    told = told.strip()
    if not told or told in EVERY:
        return "every", []
    terms = [_TERM.fullmatch(term.strip()) for term in told.split(",")]
    found = [(term[1], term[2]) for term in terms if term is not None]
    if len(found) != len(terms) or len(found) > 2:
        raise ValueError(f"{told[:80]!a} is no range of versions")
    if found[0][0] == "=" and len(found) == 1:
        return "exact", [found[0][1]]
    lows = [sign + version for sign, version in found if sign[0] == ">" and version != "0"]
    highs = [sign + version for sign, version in found if sign[0] == "<"]
    zeros = [version for sign, version in found if sign[0] == ">" and version == "0"]
    if len(lows) + len(zeros) > 1 or len(highs) > 1 or len(lows) + len(highs) + len(zeros) != len(found):
        raise ValueError(f"{told[:80]!a} is no range of versions")
    return ("range", [",".join([*lows, *highs])]) if lows or highs else ("every", [])


def _take_file(record: Json, batch: Batch) -> bool:
    """Add a record in the form of OSV, if it is one of malicious code."""
    ident = _ident(record.get("id"))
    told = record.get("database_specific")
    weaknesses = told.get("cwe_ids") if isinstance(told, dict) else None
    if not osv.malicious(record) and not (isinstance(weaknesses, list) and MALICIOUS_CODE in weaknesses):
        batch.note(f"left out, no malware: {ident}")
        return False
    osv.take(record, batch)
    return True


def _ident(said: Json) -> str:
    ident = text(said, "an id")
    if not _IDENT.fullmatch(ident):
        raise ValueError(f"{ident[:60]!a} is no GHSA id")
    return ident


def _identifiers(advisory: Json) -> Iterator[str]:
    for each in sequence(advisory.get("identifiers") or [], "identifiers")[:50]:
        yield text(mapping(each, "an identifier").get("value"), "an identifier")


class GitHub(Source):
    """The advisories that npm's own audit shows, as an independent voice."""

    name = "github"
    title = "GitHub advisories of malware"
    group = "github"
    licence = "CC-BY-4.0"
    about = "Advisories of type malware; a token (optional) makes the first load quick."
    issues = ("GHSA-",)
    hosts = ("api.github.com",)

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:
        """Ask for what changed since the last time, and put it in the place of what was there."""
        load = _Load(web, folder, (setting.url or API).rstrip("/"))
        load.run(time.strftime("%Y-%m-%d", time.gmtime(setting.now_ms / 1000)) if setting.now_ms else "")
        return Fetched(load.vouched, changed=load.changed, note=load.note)

    def parse(self, folder: str, batch: Batch) -> None:
        """Add the extract, or (of an import) the JSON files in this folder and below."""
        if os.path.lexists(f"{folder}/{EXTRACT}"):
            extract.read(f"{folder}/{EXTRACT}", batch)
            return
        found = False
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if name.endswith(".json") and not name.startswith(".") and not os.path.islink(f"{place}/{name}"):
                    understood(f"{place}/{name}", lambda data: parse(data, batch))
                    found = True
        if not found:
            raise FeedError("malformed", "there is no advisory here")


class _Load:
    """One run of asking for pages."""

    def __init__(self, web: Web, folder: str, base: str) -> None:
        self._web = web
        self._base = base
        self._extract = f"{folder}/{EXTRACT}"
        self._cursor = f"{folder}/{CURSOR}"
        self._vouched: list[Provenance] = []
        self._read = 0
        self.changed = False
        self.note = ""

    @property
    def vouched(self) -> Provenance:
        """Who stands behind all the pages of this run."""
        return weakest(*self._vouched)

    def run(self, today: str) -> None:
        """Ask for pages until there are no more, or no more are given; keep what came either way."""
        stamps = extract.stamps(self._extract, self._base)
        since, after = self._noted() if stamps is not None else ("", "")
        fresh: dict[str, Json] = {}
        newest, pages = max(map(_day, (stamps or {}).values()), default=since), 0
        problem: FeedError | None = None
        while pages < PAGES_A_RUN and self._read < READ_MAX:
            try:
                page, following = self._page(since, after)
            except FeedError as error:
                if after and not pages and error.kind == "status" and error.detail.endswith(UNPROCESSABLE):
                    after = ""  # a cursor that is not taken any more
                    continue
                problem = error
                break
            pages += 1
            for advisory in page:
                fresh[_ident_of(advisory)] = advisory
                newest = max(newest, _day(_stamp(advisory)))
            after = following
            if not after:
                break
        if problem is not None and (not pages or problem.kind == "disk"):
            raise problem
        self._revise(fresh, stamps)
        done = min(newest, today or newest)  # an advisory of the year 9999 must not end the asking
        self._note(since if after else done, after)
        if after:
            self.note = f"{pages} pages came, and there are more" + (f": {problem.detail}" if problem else "")

    def _page(self, since: str, after: str) -> tuple[list[Json], str]:
        """The advisories of one page and where the next begins."""
        url = f"{self._base}/advisories?type=malware&per_page={A_PAGE}&sort=updated&direction=asc"
        url += f"&modified={quote(f'>={since}', safe='')}" if since else ""
        url += f"&after={quote(after, safe='')}" if after else ""
        answer = self._web.read(url, max_bytes=PAGE_MAX, accept=JSON)
        self._vouched.append(answer.provenance)
        self._read += len(answer.data)
        try:
            page = sequence(document(answer.data), "the page")
            if len(page) > A_PAGE:
                raise ValueError(f"it holds {len(page)} advisories of {A_PAGE}")
            link = _NEXT.search(answer.headers.get("link", ""))
            following = parse_qs(urlsplit(link[1]).query).get("after", [""])[0] if link else ""
            if following and (following == after or not _CURSOR.fullmatch(following)):
                raise ValueError("its next page is itself, or none")
            return [_slim(mapping(each, "an advisory")) for each in page], following
        except ValueError as error:
            raise FeedError("malformed", f"a page of advisories: {error}") from error

    def _revise(self, fresh: dict[str, Json], stamps: dict[str, str] | None) -> None:
        """The extract with what came in the place of what was there."""
        known = stamps or {}
        fresh = {ident: each for ident, each in fresh.items() if known.get(ident, "") != _stamp(each)}
        if stamps is not None and not fresh:
            return
        with extract.Keeper(self._extract, self._base) as keeper:
            read = {
                ident for ident, advisory in fresh.items() if keeper.take(ident, partial(_named, advisory=advisory))
            }
            if stamps is not None:
                keeper.copy(self._extract, read)
        self.changed = True

    def _noted(self) -> tuple[str, str]:
        """The day up to which all is here, and where a load goes on that was not finished."""
        try:
            with open(self._cursor, encoding="ascii") as file:
                since, after = file.read(2000).split("\n")[:2]
        except (OSError, ValueError):
            return "", ""
        usable = (not since or _DAY.fullmatch(since)) and (not after or _CURSOR.fullmatch(after))
        return (since, after) if usable else ("", "")

    def _note(self, since: str, after: str) -> None:
        keep(self._cursor, f"{since}\n{after}\n".encode("ascii"))


def _slim(advisory: Json) -> Json:
    """Only what is read of an advisory: the text of tens of thousands would fill the memory."""
    slim = {name: advisory[name] for name in FIELDS if name in advisory}
    told = slim.get("vulnerabilities")
    if isinstance(told, list):
        wanted = ("package", "vulnerable_version_range")
        slim["vulnerabilities"] = [
            {name: each[name] for name in wanted if name in each} if isinstance(each, dict) else each for each in told
        ]
    return slim


def _named(batch: Batch, advisory: Json) -> tuple[str, str] | None:
    """Add an advisory; its id and when it changed, also when it is of malware no more."""
    take(advisory, batch)
    return _ident_of(advisory), _stamp(advisory)


def _ident_of(advisory: Json) -> str:
    """The id under which an advisory is kept; one without a right id is kept by what it says, to be noted as odd."""
    return str(advisory.get("ghsa_id"))[:60]


def _stamp(advisory: Json) -> str:
    return str(advisory.get("updated_at"))[:19]


def _day(stamp: str) -> str:
    day = stamp[:10]
    return day if _DAY.fullmatch(day) else ""
