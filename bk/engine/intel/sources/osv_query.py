"""OSV's question-and-answer side: what it holds against the packages that are here, where there is no archive.

A question names the version too, so only what speaks of that version is answered. Answers are ids; the record of each
is asked for once, and again when it has changed.
"""

from __future__ import annotations

from functools import partial

from bk.engine.intel.sources import extract
from bk.engine.intel.sources.osv_bulk import HELD_MAX, MAL, ONE_BY_ONE, RECORD_MAX, SECONDS, record_of
from bk.engine.intel.sources.shape import document, mapping, sequence, text
from bk.engine.intel.sources.source import FeedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.intel.web.client import Web
    from bk.engine.model import Json
    from bk.engine.provenance import Provenance

NAMES = {
    "npm": ("npm",),
    "pypi": ("PyPI",),
    "cargo": ("crates.io",),
    "go": ("Go",),
    "rubygems": ("RubyGems",),
    "packagist": ("Packagist",),
    "nuget": ("NuGet",),
    "maven": ("Maven",),
    "editor-extension": ("VSCode", "VSCode:https://open-vsx.org"),
}
A_QUESTION = 1_000
QUESTIONS_MAX = 20_000
PAGES_MAX = 50
ANSWER_MAX = 64 * 1024 * 1024


class Queries:
    """The questions of one run; `asked` is a file beside the extracts of archives."""

    def __init__(self, web: Web, folder: str, base: str) -> None:
        self._web = web
        self._base = base
        self._extract = f"{folder}/asked.facts"
        self.provenance: list[Provenance] = []
        self.changed = False
        self.note = ""

    def update(self, wanted: Iterable[tuple[str, str, str]]) -> None:
        """Ask about each (ecosystem, name, version) and keep what is held against it."""
        questions = [
            {"package": {"ecosystem": ecosystem, "name": name}, **({"version": version} if version else {})}
            for ours, name, version in sorted(set(wanted))
            for ecosystem in NAMES.get(ours, ())
        ]
        if len(questions) > QUESTIONS_MAX:
            self.note = f"{len(questions) - QUESTIONS_MAX} packages were not asked about: {QUESTIONS_MAX} is the most"
        told: dict[str, str] = {}
        for at in range(0, min(len(questions), QUESTIONS_MAX), A_QUESTION):
            self._ask(questions[at : at + A_QUESTION], told)
        known = extract.stamps(self._extract, self._base)
        due = sorted(ident for ident, stamp in told.items() if (known or {}).get(ident, "") < stamp)
        if known is not None and not due and set(known) == set(told):
            return
        fresh: dict[str, bytes] = {}
        for ident in due[:ONE_BY_ONE]:
            if sum(map(len, fresh.values())) > HELD_MAX:
                break
            answer = self._web.read(f"{self._base}/v1/vulns/{ident}", max_bytes=RECORD_MAX)
            self.provenance.append(answer.provenance)
            fresh[ident] = answer.data
        if len(due) > len(fresh):
            self.note = f"{len(due) - len(fresh)} records are still to come"
        with extract.Keeper(self._extract, self._base) as keeper:
            read = {
                ident
                for ident, data in fresh.items()
                if keeper.take(ident, partial(record_of, data=data, ident=ident, stamp=told[ident]))
            }
            if known is not None:
                keeper.copy(self._extract, read | (set(known) - set(told)))
        self.changed = True

    def _ask(self, questions: list[Json], told: dict[str, str]) -> None:
        """Put up to a thousand questions and follow the pages of each answer."""
        for _ in range(PAGES_MAX):
            answer = self._web.post(f"{self._base}/v1/querybatch", {"queries": questions}, max_bytes=ANSWER_MAX)
            self.provenance.append(answer.provenance)
            try:
                questions = _answered(answer.data, questions, told)
            except ValueError as error:
                raise FeedError("malformed", f"the answer of /v1/querybatch: {error}") from error
            if not questions:
                return
        raise FeedError("malformed", f"the answer of /v1/querybatch goes on for more than {PAGES_MAX} pages")


def _answered(data: bytes, questions: list[Json], told: dict[str, str]) -> list[Json]:
    """Take the MAL ids of an answer; the questions that have more pages."""
    results = sequence(mapping(document(data), "it").get("results"), "results")
    if len(results) != len(questions):
        raise ValueError(f"{len(questions)} questions have {len(results)} answers")
    more = []
    for question, result in zip(questions, results, strict=True):
        one = mapping(result or {}, "a result")
        for each in sequence(one.get("vulns") or [], "vulns"):
            found = mapping(each, "a record")
            ident = text(found.get("id"), "id")
            if MAL.fullmatch(ident):
                told[ident] = text(found.get("modified") or "", "modified")[:SECONDS]
        token = text(one.get("next_page_token") or "", "next_page_token")
        if token:
            more.append({**question, "page_token": token})
    return more
