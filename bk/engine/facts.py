"""What checks may know of the world, as plain data: handed in, so that a recorded day can be judged again."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Install, Json, ToolCall
    from bk.engine.provenance import Provenance
    from bk.engine.rules.book import Rulebook


class Match:
    """One threat-intelligence record that speaks of a package version.

    `kind` is `exact` (listed version), `range` (bounded), `every` (all versions) or `maybe` (an unpinned request
    that could resolve to a listed version). `groups` are the independent sources behind the record; `provenance` is
    how we know that they said it; `sources` are the labels of the lists that agreed. `tier` is "" but where this
    machine itself confirmed it: `watch` or `enforce`, and `labelled` when that is a person's review. Such a record is
    no voice: what was counted to confirm it is not counted again.
    """

    __slots__ = (
        "date", "ecosystem", "groups", "ident", "kind", "labelled", "name", "provenance", "severity", "sources",
        "tier", "versions",
    )  # fmt: skip

    def __init__(
        self,
        ecosystem: str,
        name: str,
        versions: Sequence[str],
        *,
        kind: str,
        severity: str,
        groups: Sequence[str],
        provenance: Provenance,
        ident: str = "",
        date: str = "",
        sources: Sequence[str] = (),
        tier: str = "",
        labelled: bool = False,
    ) -> None:
        self.ecosystem = ecosystem
        self.name = name
        self.versions = tuple(versions)
        self.kind = kind
        self.tier = tier
        self.labelled = labelled
        self.severity = severity
        self.groups = tuple(groups)
        self.provenance = provenance
        self.ident = ident
        self.date = date
        self.sources = tuple(sources)


class Origin:
    """Where a package would come from instead of its ecosystem's public registry.

    `own` is True only when that is what the person's own settings say, or the system's, and nothing that an agent or
    a project may write says otherwise: then a hit on the name may be a collision. `told` says who said it.
    """

    __slots__ = ("host", "own", "told")

    def __init__(self, host: str, told: str, *, own: bool = False) -> None:
        self.host = host
        self.told = told
        self.own = own


class Listed:
    """What the manifests and lock files behind a call's installs hold.

    `installs` are the packages of which some record speaks, or that come from elsewhere; `unread` says of each file
    that could not be understood (manager, path, why); `looked` names each file with its digest and how much it lists.
    """

    __slots__ = ("installs", "looked", "unread")

    def __init__(self) -> None:
        self.installs: list[Install] = []
        self.unread: list[tuple[str, str, str]] = []
        self.looked: list[list[Json]] = []


class Facts:
    """Everything a check may ask about, gathered before checks run.

    `real` maps each path that an action touches to where it really leads (links followed, missing leaves kept).
    `documents` holds the present text of the guarded files that an action writes, None where there is none.
    `matches` holds, for each Install's `target`, what the index knows. `policy` is the effective configuration.
    `call` is the call itself, for conditions on its tool and its text; `rules` the rulebook in force; `now_ms` the
    wall clock, which only expiries look at. `packages` holds, for each Install's `target`, what is known of that
    release beside threats (`published_ms`, `scripts`, `maintainers`, `newcomers`); `servers`, for each MCP server
    named, the identity it has now and the one a person knows (`now`, `pinned`). `listed` is what manifests would
    install.
    `origins` holds, for a listed package's `target`, the other registry that would serve it. `catalog` tells of the
    threat catalogs as a whole: `stale_days` (None while they are fresh), `date`, and `groups` with the ecosystems
    that each knows.
    """

    __slots__ = (
        "call",
        "catalog",
        "cwd",
        "documents",
        "executables",
        "home",
        "listed",
        "matches",
        "now_ms",
        "origins",
        "packages",
        "policy",
        "real",
        "rules",
        "servers",
        "state_root",
    )

    def __init__(
        self,
        *,
        home: str,
        cwd: str,
        state_root: str,
        policy: Mapping[str, Json],
        real: Mapping[str, str] | None = None,
        documents: Mapping[str, str | None] | None = None,
        matches: Mapping[str, Sequence[Match]] | None = None,
        executables: Sequence[str] = (),
        call: ToolCall | None = None,
        rules: Rulebook | None = None,
        packages: Mapping[str, Mapping[str, Json]] | None = None,
        servers: Mapping[str, Mapping[str, str]] | None = None,
        listed: Listed | None = None,
        origins: Mapping[str, Origin] | None = None,
        catalog: Mapping[str, Json] | None = None,
        now_ms: int = 0,
    ) -> None:
        self.home = home
        self.cwd = cwd
        self.state_root = state_root
        self.policy = policy
        self.real = real or {}
        self.documents = documents or {}
        self.matches = matches or {}
        self.executables = tuple(executables)
        self.call = call
        self.rules = rules
        self.packages = packages or {}
        self.servers = servers or {}
        self.listed = listed or _NOTHING
        self.origins = origins or {}
        self.catalog = catalog or {}
        self.now_ms = now_ms

    def really(self, path: str) -> str:
        """Where a path leads; itself when nothing is known of it."""
        return self.real.get(path, path)


_NOTHING = Listed()
