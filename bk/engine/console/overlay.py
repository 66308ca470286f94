"""This machine's own entries on packages: what holds here whatever catalogs say, and what a person adds and ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bk.engine.config import snapshot
from bk.engine.console.corpus import keep, purl_in
from bk.engine.console.deed import Deed, person
from bk.engine.console.gate import require_admin
from bk.engine.console.grants import span_ms
from bk.engine.console.installation import ready
from bk.engine.corpus.packages import package
from bk.engine.corpus.promote import enact
from bk.engine.corpus.shapes import ACTIVE, ACTOR, ENFORCE, EXPIRED, OVERLAY_STATES, REVOKED, WATCH, OverlayEntry
from bk.engine.corpus.store import Corpus
from bk.engine.corpus.wishes import DAY_MS, HUMAN_DAYS, SEVERITIES, by_person, entry_id
from bk.engine.errors import USAGE, BkError
from bk.engine.intel.names import VERSIONLESS, possible
from bk.engine.responder.clock import now_ms
from bk.text import inert

__all__ = ["OverlayEntry", "add", "revoke", "rows"]
Json = Any
REASON_MAX = 400
TYPED = 5


def rows(
    *, every: bool = False, state_is: str = "", about: str = "", env: Mapping[str, str] | None = None
) -> list[OverlayEntry]:
    """The entries, newest first; without `every`, those that are in force."""
    if state_is and state_is not in OVERLAY_STATES:
        raise BkError("there is no such state", inert(state_is, 40), f"one of {', '.join(OVERLAY_STATES)}", code=USAGE)
    wanted = package(purl_in(about)) if about else None
    now = now_ms()
    with Corpus(ready(env)) as corpus:
        found = corpus.overlay()
    for row in found:
        if row.state == ACTIVE and row.expires_ms <= now:
            row.state = EXPIRED  # decisions go by the time; the table follows with the next pass
    only = state_is or ("" if every else ACTIVE)
    return [row for row in reversed(found) if only in ("", row.state) and (wanted is None or _is(row, wanted))]


def add(
    text: str,
    *,
    reason: str,
    watch: bool = False,
    everything: bool = False,
    severity: str = "critical",
    span: str = "",
    admin: bool,
    env: Mapping[str, str] | None = None,
) -> OverlayEntry:
    """Have a package version stopped here, or only warned about; it holds from the very next call."""
    if not reason.strip():
        raise BkError("why?", "an entry without a reason cannot be reviewed later", "--reason '…'", code=USAGE)
    if severity not in SEVERITIES:
        raise BkError("how bad is it?", inert(severity, 40), f"one of {', '.join(SEVERITIES)}", code=USAGE)
    told = purl_in(text)
    key = ecosystem, name, version = package(told)
    if not possible(ecosystem, name):
        raise BkError("no package can be called so", inert(text, 80), "an entry that never fits protects nobody",
                      code=USAGE)  # fmt: skip
    if not version and not everything and ecosystem not in VERSIONLESS:
        raise BkError("which version?", inert(text, 80), "NAME@VERSION, or --every-version", code=USAGE)
    if version and everything:
        raise BkError("one version or every version?", inert(text, 80), "leave one of the two out", code=USAGE)
    require_admin(admin, env)
    state, now = ready(env), now_ms()
    until = now + (span_ms(span) if span else HUMAN_DAYS * DAY_MS)
    entry = OverlayEntry(
        entry_id(key, "", now), told, *key, severity=severity, reason=reason.strip()[:REASON_MAX], label="",
        tier=WATCH if watch else ENFORCE, created_ms=now, expires_ms=until, created_by=person(),
    )  # fmt: skip
    with Corpus(state, write=True) as corpus:
        changed = [entry]
        for row in corpus.overlay(state=ACTIVE, purl=told):
            if by_person(row.created_by) and row.expires_ms > now:
                raise BkError("there is an entry already", f"{row.id}: {inert(row.reason, 200)}",
                              f"bk overlay revoke {row.id} --admin, then add it anew", code=USAGE)  # fmt: skip
            row.state, row.ended_by, row.ended_ms = REVOKED, ACTOR, now
            changed.insert(0, row)
        said = {"entry": entry.id, "purl": told, "tier": entry.tier, "expires_ms": until, "reason": entry.reason}
        with Deed(state, "overlay_add", **said):
            keep(state, enact(state, corpus, snapshot.read(state).values, changed, now))
    return entry


def revoke(ident: str, *, reason: str = "", admin: bool, env: Mapping[str, str] | None = None) -> OverlayEntry:
    """End an entry now. Nothing automatic brings it back; a person's later word does."""
    require_admin(admin, env)
    state, now = ready(env), now_ms()
    with Corpus(state, write=True) as corpus:
        row = _one(corpus, ident)
        said = {"entry": row.id, "purl": row.purl, "label": row.label, "tier": row.tier}
        with Deed(state, "overlay_revoke", **said, reason=reason.strip()[:REASON_MAX]):
            row.state, row.ended_by, row.ended_ms = REVOKED, person(), now
            keep(state, enact(state, corpus, snapshot.read(state).values, [row], now))
    return row


def _one(corpus: Corpus, ident: str) -> OverlayEntry:
    """The active entry that a person means, by its id, the beginning of that, or its package."""
    active = corpus.overlay(state=ACTIVE)
    meant = [row for row in active if row.id == ident]
    if not meant and len(ident) >= TYPED and ident.startswith("ov-"):
        meant = [row for row in active if row.id.startswith(ident)]
    if not meant and ":" in ident:
        told = purl_in(ident)
        meant = [row for row in active if row.purl == told]
    if len(meant) != 1:
        title = "there is no such entry in force" if not meant else "that is the beginning of several ids"
        raise BkError(title, inert(ident, 80), "bk overlay list", code=USAGE)
    return meant[0]


def _is(row: OverlayEntry, wanted: tuple[str, str, str]) -> bool:
    return (row.ecosystem, row.name) == wanted[:2] and wanted[2] in ("", row.version)
