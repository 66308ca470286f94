"""What the index says of a package now: the same look-up that decisions and the responder use, and no other.

Who counts is who is vouched for, once a group. What this machine has confirmed by itself is no voice here, or it would
confirm itself.
"""

from __future__ import annotations

from bk.engine.corpus.adjudicate import SEVERITIES, Found
from bk.engine.corpus.packages import package
from bk.engine.intel.freshness import ON_DEMAND
from bk.engine.intel.match import matches
from bk.engine.intel.names import UNVERSIONED, VERSIONLESS
from bk.engine.intel.overlay import GROUP
from bk.engine.model import Install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.index import Index

KINDS = {"exact": "exact", "every": "wide", "range": "near"}  # a "maybe" is about some other version as likely


class Lookup:
    """One generation, asked once a package however many clusters are about it."""

    __slots__ = ("_index", "_known", "_memo")

    def __init__(self, index: Index) -> None:
        self._index = index
        self._memo: dict[str, Found] = {}
        self._known: dict[str, set[str]] = {}
        for name, source in (index.meta.get("sources") or {}).items():
            if isinstance(source, dict) and name not in ON_DEMAND and source.get("group"):
                for ecosystem in source.get("ecosystems") or ():
                    self._known.setdefault(str(ecosystem), set()).add(str(source["group"]))

    def of(self, purl: str) -> Found:
        """What is said of one package version, or of a package whose version was not certain."""
        found = self._memo.get(purl)
        if found is None:
            found = self._memo[purl] = self._asked(purl)
        return found

    def _asked(self, purl: str) -> Found:
        ecosystem, name, version = package(purl)
        if not name:
            return Found()
        said: dict[str, set[str]] = {kind: set() for kind in KINDS.values()}
        ids: set[str] = set()
        severities: set[str] = set()
        for match in matches(self._index, _install(ecosystem, name, version)):
            own = match.tier or GROUP in match.groups
            if own or not match.provenance.real or match.kind not in KINDS or match.ecosystem != ecosystem:
                continue
            if match.name != name and not (ecosystem == "go" and name.startswith(f"{match.name}/")):
                continue
            said[KINDS[match.kind]].update(match.groups)
            ids.update(match.ident.split())
            severities.add(match.severity)
        spoken = {group for groups in said.values() for group in groups}
        silent = self._known.get(ecosystem, set()) - spoken
        severity = min(severities & set(SEVERITIES), key=SEVERITIES.index, default="")
        return Found(exact=said["exact"], wide=said["wide"], near=said["near"], silent=silent, ids=sorted(ids),
                     severity=severity)  # fmt: skip


def _install(ecosystem: str, name: str, version: str) -> Install:
    """The package as something that is pinned to this one version."""
    if not version and ecosystem in VERSIONLESS:
        version = UNVERSIONED
    pin = f"={version}" if ecosystem == "cargo" and version else version
    return Install(ecosystem, name, pin, via=("cargo.lock",))
