"""What a person does in the corpus, done by the engine; each returns the sentence of what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bk.engine.console import corpus, overlay
from bk.engine.console.overlay import OverlayEntry
from bk.engine.console.review import Label, Matter
from bk.engine.errors import BkError
from bk.text import inert
from bk.tui.screens.confirm import Ask
from bk.tui.screens.corpus_label import WHY, Said
from bk.tui.screens.corpus_words import HOW, OUTCOMES, package_of
from bk.tui.words import age, plural

if TYPE_CHECKING:
    from bk.engine.console.session import Session
    from bk.engine.model import Entry

SHOWN = 80


def label(session: Session, one: Matter, said: Said) -> str:
    """Give a label."""
    corpus.label(
        one.event.id, said.true_label, source=said.source, note=said.note, admin=session.admin, env=session.env
    )
    entry = _done(session.outcome("corpus_label", event_id=one.event.id))
    word = OUTCOMES[said.true_label][1]
    return f"{inert(one.title, SHOWN)}: {word}: entry #{entry.seq:,}"


def take_back(session: Session, one: Matter, ident: str, note: str = "") -> str:
    """Take a label back."""
    corpus.undo(ident, note=note, admin=session.admin, env=session.env)
    entry = _done(session.outcome("corpus_undo", label=ident))
    return f"{inert(one.title, SHOWN)}: the label is taken back: entry #{entry.seq:,}"


def revoke(session: Session, row: OverlayEntry, reason: str) -> str:
    """End an own entry."""
    overlay.revoke(row.id, reason=reason, admin=session.admin, env=session.env)
    entry = _done(session.outcome("overlay_revoke", entry=row.id))
    return f"{inert(package_of(row), SHOWN)}: its entry is revoked: entry #{entry.seq:,}"


def adjudicate(session: Session) -> str:
    """Have the engine judge now."""
    report = corpus.adjudicate(admin=session.admin, env=session.env)
    entry = _done(session.outcome("corpus_adjudicate"))
    made = sum(report.labels.values())
    more = "; there is more to do, J again" if report.left else ""
    looked = plural(report.clusters, "matter")
    return f"{looked} looked at, {plural(made, 'label')} given{more}: entry #{entry.seq:,}"


def ask_revoke(session: Session, row: OverlayEntry) -> Ask:
    """The question before an entry ends."""
    effect = "From now on only catalogs speak of it here. Nothing automatic brings it back; a label of yours does."
    left = f"{age(session.now(), row.expires_ms)} from now, if it is left alone"
    env, ident = session.env, row.id

    def still() -> str:
        there = any(each.id == ident for each in overlay.rows(env=env))
        return "" if there else "the entry is not in force any more"

    return Ask(
        f"revoke the entry on {package_of(row)}", "Revoke", effect,
        [("tier", row.tier), ("ends", left), ("why", row.reason)],
        opened_by="x", reason=WHY, still=still,
    )  # fmt: skip


def ask_take_back(session: Session, one: Matter, given: Label) -> Ask:
    """The question before a label is taken back."""
    effect = "A new entry says that it does not count. What had followed from it is undone; nothing is deleted."
    who = "a person" if given.human else "the machine"
    word = OUTCOMES.get(given.true_label, ("", given.true_label))[1]
    return Ask(
        f"take back the label on {one.title}", "Take it back", effect,
        [("label", f"{word}, by {who}: {HOW.get(given.source, given.source)}"),
         ("given", f"{age(given.at_ms, session.now())} ago"),
         ("note", str(given.evidence.get("note", "")) or "none")],
        opened_by="U", reason=WHY,
    )  # fmt: skip


def _done(entry: Entry) -> Entry:
    if entry.data.get("outcome") != "done":
        raise BkError("it was not done", str(entry.data.get("detail", "")), f"bk audit show {entry.seq}")
    return entry
