"""From a confirmed event to the envelope that may be told of it: a package, how sure we are, and marks. Pure.

What leaves is the name of a public package and digests. A folder, a host, a user or a command is in it only as part of
a digest, and traces of machines (`iocs`) are never filled in.
"""

from __future__ import annotations

import shlex

from bk.engine.corpus.envelope import SOURCES_MAX, Envelope, Tier, Truth
from bk.engine.corpus.fingerprint import behaviour_v1, behaviour_v2, host
from bk.engine.corpus.packages import package
from bk.engine.corpus.shapes import ENFORCE_GROUPS, IMPORTED, MALICIOUS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.corpus.shapes import Event, Label
    from bk.engine.model import Json


def claims(event: Event, label: Label) -> list[Envelope]:
    """One envelope for each package version that the label speaks of; ValueError says why there is none."""
    if label.true_label != MALICIOUS:
        raise ValueError(f"it is {label.true_label}: only what was confirmed malicious is worth telling")
    if label.source == IMPORTED:
        raise ValueError("only another installation says so, and what others say is not passed on as ours")
    named = [str(each) for each in label.evidence.get("purls") or event.purls]
    if not named:
        raise ValueError("it is about no package of a public registry")
    count = min(max(len(set(map(str, label.evidence.get("groups", ())))), 1), SOURCES_MAX)
    v1, v2 = signatures(event)
    return [_claim(each, count, v1, v2) for each in named]


def signatures(event: Event) -> tuple[str, str]:
    """Both signatures of what an event did: its tool, and the first path, machine and command that it was about."""
    actions = [each for each in event.behaviour.get("actions", ()) if isinstance(each, dict)]
    tool = str(event.behaviour.get("tool", ""))
    path, url, line = _first(actions, "touch"), _first(actions, "connect"), _first(actions, "run")
    argv = _words(line)
    return behaviour_v1(tool, path, host(url)), behaviour_v2(argv[0] if argv else tool, path, url, argv)


def _claim(purl: str, count: int, v1: str, v2: str) -> Envelope:
    ecosystem, name, version = package(purl)
    if not name:
        raise ValueError(f"{purl[:80]} names no package")
    return Envelope(
        f"{ecosystem}:{name}",
        version,
        behaviour_v1=v1,
        behaviour_v2=v2,
        truth=Truth.MALICIOUS,
        tier=Tier.ENFORCE if count >= ENFORCE_GROUPS else Tier.WATCH,
        sources=count,
    )


def _first(actions: list[dict[str, Json]], kind: str) -> str:
    return next((str(each.get("target", "")) for each in actions if each.get("do") == kind), "")


def _words(line: str) -> list[str]:
    """The words of a command as it was kept; one that was cut in the middle of a quotation is split at its spaces."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()
