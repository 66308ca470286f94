"""What the evidence says a cluster of events was. Pure: facts are handed in, and the same facts say the same.

That a package is not listed says nothing. What is listed now and was not counted then, or by two independent groups,
confirms; one group that had spoken already is a reason to watch. What everybody who said it has taken back for a week
is refuted. What was allowed and stayed quiet for a month under a running guard is taken for clean, weakly. Nothing of
this touches what a person has said, and what a person took back comes back only on a new voice.
"""

from __future__ import annotations

from bk.engine.corpus.shapes import (
    ACTOR,
    BENIGN,
    CLEAN,
    CONFIRMATION,
    ENFORCE_GROUPS,
    MALICIOUS,
    WITHDRAWN,
    Label,
    ident,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bk.engine.model import Json

DAY_MS = 86_400_000
REFUTED_MS = 7 * DAY_MS
UPTIME = 0.8
LOOK_AGAIN_MS = 7 * DAY_MS
SEVERITIES = ("critical", "high", "medium", "low")


class Found:
    """What the index says of one package now. `exact` are the independent groups that name this very version, `wide`
    those that name every version, `near` those that name bounds it lies in; `silent` are the groups that know the
    ecosystem and do not list it."""

    __slots__ = ("exact", "ids", "near", "severity", "silent", "wide")

    def __init__(
        self,
        *,
        exact: Iterable[str] = (),
        wide: Iterable[str] = (),
        near: Iterable[str] = (),
        silent: Iterable[str] = (),
        ids: Iterable[str] = (),
        severity: str = "",
    ) -> None:
        self.exact = frozenset(exact)
        self.wide = frozenset(wide)
        self.near = frozenset(near)
        self.silent = frozenset(silent)
        self.ids = tuple(ids)
        self.severity = severity

    @property
    def groups(self) -> frozenset[str]:
        """Everybody who speaks against it."""
        return self.exact | self.wide | self.near

    def told(self) -> dict[str, Json]:
        """As the evidence of a label keeps it."""
        kinds = [name for name in ("exact", "wide", "near") if getattr(self, name)]
        return {"groups": sorted(self.groups), "kinds": kinds, "ids": list(self.ids[:20]), "severity": self.severity}


class Matter:
    """What is known of a cluster. `counted` are, for each package, the groups that every decision on it had counted;
    `current` the label that counts now, `previous` the last one that was given; `human` are the packages that a person
    has spoken of, `undone` the groups whose confirmation a person took back; `gone` since when a package's accusers are
    silent, `allowed` whether it happened once and was simply allowed."""

    __slots__ = (
        "allowed", "cluster", "counted", "current", "first_ms", "gone", "human", "previous", "purls", "undone",
    )  # fmt: skip

    def __init__(
        self,
        cluster: str,
        *,
        purls: Sequence[str] = (),
        counted: Mapping[str, frozenset[str]] | None = None,
        first_ms: int = 0,
        allowed: bool = False,
        current: Label | None = None,
        previous: str = "",
        human: Iterable[str] = (),
        undone: Mapping[str, frozenset[str]] | None = None,
        gone: Mapping[str, int] | None = None,
    ) -> None:
        self.cluster = cluster
        self.purls = tuple(purls)
        self.counted = dict(counted or {})
        self.first_ms = first_ms
        self.allowed = allowed
        self.current = current
        self.previous = previous
        self.human = frozenset(human)
        self.undone = dict(undone or {})
        self.gone = dict(gone or {})


class Clock:
    """The moment, and what time has shown: the share of the time since the first event in which an engine ran, and
    whether anything followed that may have to do with it."""

    __slots__ = ("clean_ms", "followed", "generation", "now_ms", "uptime")

    def __init__(
        self, now_ms: int, *, clean_days: int, uptime: float = 0.0, followed: bool = False, generation: int = 0
    ) -> None:
        self.now_ms = now_ms
        self.clean_ms = clean_days * DAY_MS
        self.uptime = uptime
        self.followed = followed
        self.generation = generation


class Note:
    """Why something is watched and not confirmed."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why


def adjudge(matter: Matter, found: Mapping[str, Found], clock: Clock) -> Label | Note | None:
    """A new label, a reason to watch, or nothing new."""
    if matter.current is not None and matter.current.human:
        return _otherwise(matter.current.true_label, matter.purls, found)
    told = _accused(matter, found, clock.now_ms)
    if told:
        return _confirmed(matter, told, clock)
    refuted = _refuted(matter, clock.now_ms)
    if refuted:
        return _withdrawn(matter, refuted, clock)
    speaking = sorted({group for each in found.values() for group in each.groups})
    if speaking:
        who = ", ".join(speaking)
        if matter.human:
            return Note(f"{who} list it, and a person has spoken of it")
        return Note(f"{who} had said so when it was decided, and nobody else does")
    if _stayed_clean(matter, clock):
        days = (clock.now_ms - matter.first_ms) // DAY_MS
        evidence = {"days": days, "uptime": round(clock.uptime, 3)}
        return _label(matter, BENIGN, CLEAN, evidence, clock, key=["clean"])
    return None


def silences(matter: Matter, found: Mapping[str, Found], now_ms: int) -> dict[str, int]:
    """Since when each package's accusers have all withdrawn what they said. One whose source is not there any more, or
    cannot be asked, has withdrawn nothing."""
    since = {}
    for purl in matter.purls:
        accusers = matter.counted.get(purl, frozenset()) | frozenset(_held(matter).get(purl, {}).get("groups", ()))
        seen = found.get(purl)
        if accusers and seen is not None and not seen.groups and accusers <= seen.silent:
            since[purl] = min(matter.gone.get(purl, now_ms), now_ms)
    return since


def due_ms(matter: Matter, clock: Clock, made: Label | Note | None) -> int:
    """When the clock alone may bring something new; 0 when it cannot."""
    if matter.current is not None and matter.current.human:
        return 0
    silent = [since + REFUTED_MS for since in matter.gone.values() if since + REFUTED_MS > clock.now_ms]
    if silent:
        return min(silent)
    if not matter.allowed or matter.current is not None or isinstance(made, Label) or clock.followed:
        return 0
    ripe = matter.first_ms + clock.clean_ms
    return ripe if ripe > clock.now_ms else clock.now_ms + LOOK_AGAIN_MS


def _accused(matter: Matter, found: Mapping[str, Found], now_ms: int) -> dict[str, dict[str, Json]]:
    """The packages that are confirmed, each with its evidence: now, or before and not refuted since."""
    told: dict[str, dict[str, Json]] = {}
    held = _held(matter)
    for purl in matter.purls:
        seen = found.get(purl)
        if purl in matter.human or seen is None:
            continue
        fresh = (seen.exact | seen.wide) - matter.counted.get(purl, frozenset())
        enough = bool(fresh) or len(seen.groups) >= ENFORCE_GROUPS
        if enough and not seen.groups <= matter.undone.get(purl, frozenset()):
            told[purl] = seen.told()
        elif purl in held:
            if seen.groups:
                told[purl] = seen.told()  # fewer say it than did: it stays, with their weight
            elif purl not in matter.gone or now_ms - matter.gone[purl] < REFUTED_MS:
                told[purl] = held[purl]
    return told


def _confirmed(matter: Matter, told: Mapping[str, Mapping[str, Json]], clock: Clock) -> Label | None:
    weights = {purl: list(each["groups"]) for purl, each in told.items()}
    before = {purl: list(each.get("groups", ())) for purl, each in _held(matter).items()}
    if weights == before:
        return None
    severities = [each["severity"] for each in told.values() if each["severity"] in SEVERITIES]
    evidence = {
        "purls": sorted(told),
        "groups": min(weights.values(), key=len),
        "severity": min(severities, key=SEVERITIES.index, default=""),
        "found": {purl: dict(each) for purl, each in told.items()},
        "generation": clock.generation,
    }
    return _label(matter, MALICIOUS, CONFIRMATION, evidence, clock, key=[sorted(weights.items())])


def _otherwise(said: str, purls: Sequence[str], found: Mapping[str, Found]) -> Note | None:
    """That catalogs list what a person has said something else of. The person's word stands."""
    named = {group for purl in purls if purl in found for group in found[purl].exact | found[purl].wide}
    if said == MALICIOUS or not named:
        return None
    return Note(f"{', '.join(sorted(named))} list it, and a person has said otherwise")


def _refuted(matter: Matter, now_ms: int) -> list[str]:
    """The packages whose accusers have all been silent for long enough, when there is no other reason to wait."""
    if matter.current is not None and matter.current.source != CONFIRMATION:
        return []
    gone = [purl for purl, since in matter.gone.items() if now_ms - since >= REFUTED_MS and purl not in matter.human]
    wanted = set(_held(matter)) or {purl for purl in matter.purls if matter.counted.get(purl)}
    return sorted(gone) if wanted and wanted <= set(gone) else []


def _withdrawn(matter: Matter, purls: Sequence[str], clock: Clock) -> Label:
    """It takes the confirmation back, because what that rested on is no more."""
    evidence = {"purls": list(purls), "since_ms": {purl: matter.gone[purl] for purl in purls}}
    taken = matter.current.id if matter.current is not None else ""
    return _label(matter, BENIGN, WITHDRAWN, evidence, clock, key=["withdrawn"], supersedes=taken)


def _stayed_clean(matter: Matter, clock: Clock) -> bool:
    return (
        matter.allowed
        and matter.current is None
        and not matter.human
        and clock.now_ms - matter.first_ms >= clock.clean_ms
        and not clock.followed
        and clock.uptime >= UPTIME
    )


def _held(matter: Matter) -> dict[str, dict[str, Json]]:
    """What an automatic confirmation that counts now rests on, for each package."""
    if matter.current is None or matter.current.source != CONFIRMATION:
        return {}
    found: dict[str, dict[str, Json]] = matter.current.evidence.get("found", {})
    return found


def _label(
    matter: Matter,
    true_label: str,
    source: str,
    evidence: Mapping[str, Json],
    clock: Clock,
    *,
    key: Json,
    supersedes: str = "",
) -> Label:
    """Its id follows from what is said and what was said before, not from when: said twice it is one label."""
    made = ident("automatic", [matter.cluster, source, key, matter.previous])
    return Label(made, "", matter.cluster, true_label, source, at_ms=clock.now_ms, actor=ACTOR, evidence=evidence,
                 human=False, supersedes=supersedes)  # fmt: skip
