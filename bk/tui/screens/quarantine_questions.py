"""The questions before something held is put back, deleted or copied, and what to do when the engine refuses."""

from __future__ import annotations

from collections.abc import Callable

from bk.engine.console.shelf import Held, Outlook
from bk.engine.errors import BkError
from bk.tui.actions import FOR_GOOD, REVERSIBLE, TIGHTENS
from bk.tui.screens.confirm import Ask
from bk.tui.screens.quarantine_words import PLACES, TYPED, package
from bk.tui.words import moment, plural, size

# what a person can do here about a refusal of the engine, where its own advice speaks of the command line
STEPS = {
    "condemned": "R asks again, and then for your reason",
    "conflict": "move that away and press R again, or O to put it somewhere else",
    "parent_changed": "look at that folder, then R again",
    "parent_missing": "press R again: the folder is made again",
    "tampered": "V says more; nothing is put back on the word of what was altered",
    "not_held": "V brings what was cut off to its end",
}

# the same when the place was the person's own choice: what is said instead of the engine's title, and the next step
AGAIN = "O again, and another place: what you typed is still there to be changed"
ALLOWED = "a new name below your home (not in a dot folder or bin), /tmp, /srv, /mnt or /media"
MOVED = {
    "conflict": ("something is there already", AGAIN),
    "parent_missing": ("the folder above it is not there", "make that folder, then O again: what you typed is kept"),
    **dict.fromkeys(("protected_root", "home_or_ancestor", "inside_state_dir", "inside_quarantine", "own_program",
                     "project_root", "dotdot", "form"), ("", f"O again, and {ALLOWED}")),
}  # fmt: skip


def restore_question(held: Held, out: Outlook, was: str, still: Callable[[], str]) -> Ask:
    """Put it back? What is still known to be bad wants a reason."""
    bad = bool(out.voices)
    effect = f"It goes back byte for byte, and is left alone for {plural(out.grace_days, 'day')}."
    if bad:
        effect = f"It is STILL known to be malicious. {effect}"
    more = [("there now", PLACES.get(out.place, "")), ("later", "to have it taken again: Incidents, then o")]
    return Ask(
        f"restore {package(held)}{' although it is malicious' if bad else ''}",
        "Restore",
        effect,
        [*_facts(held, out, was), *more],
        tier=REVERSIBLE,
        opened_by="R",
        reason="Why put it back all the same? (needed, kept in the ledger)" if bad else "Why? (kept in the ledger)",
        reason_needed=bad,
        still=still,
    )


def place_question(held: Held, out: Outlook, was: str, still: Callable[[], str], place: str) -> Ask:
    """Put it somewhere else? Wants the place typed, and a reason when it is still known to be bad."""
    bad = bool(out.voices)
    effect = f"It goes there byte for byte, and is left alone there for {plural(out.grace_days, 'day')}."
    return Ask(
        f"put {package(held)} elsewhere{' although it is malicious' if bad else ''}",
        "Put it there",
        f"It is STILL known to be malicious. {effect}" if bad else effect,
        [*_facts(held, out, was), ("may be", ALLOWED)],
        tier=REVERSIBLE,
        opened_by="O",
        place=place,
        place_label="Where to? (the whole path, its own name at the end)",
        example=f"~/analysis/{held.name.rpartition('/')[2]}",
        reason="Why put it back all the same? (needed, kept in the ledger)" if bad else "Why? (kept in the ledger)",
        reason_needed=bad,
        still=still,
    )


def purge_question(held: Held, out: Outlook, was: str, still: Callable[[], str]) -> Ask:
    """Delete it for good? Wants the end of its id typed."""
    more = [
        ("stays", "its ledger entries, its manifest, the sha256 of every file"),
        ("not done", "lock files and settings that name it are left as they are"),
    ]
    return Ask(
        f"purge {package(held)}",
        "Purge",
        "This deletes what is kept of it for good. It cannot be undone.",
        [*_facts(held, out, was), *more],
        tier=FOR_GOOD,
        phrase=held.ident[-TYPED:],
        opened_by="P",
        still=still,
    )


def copy_question(held: Held, path: str) -> Ask:
    """Write a copy of it?"""
    return Ask(
        f"copy {package(held)}",
        "Copy",
        "A copy is written, readable by you alone. It is as bad as what is held, which stays where it is.",
        [("item", f"{package(held)}  {held.ident}"), ("to", path)],
        tier=TIGHTENS,
        opened_by="X",
    )


def in_own_words(deed: Callable[[], str], *, moved: bool = False) -> Callable[[], str]:
    """The deed, whose refusals name a next step that can be taken here."""

    def do() -> str:
        try:
            return deed()
        except BkError as error:
            refusal = getattr(error, "refusal", "")
            title, step = MOVED.get(refusal, ("", "")) if moved else ("", "")
            error.title = title or error.title
            error.next_step = step or STEPS.get(refusal, error.next_step)
            raise

    return do


def _facts(held: Held, out: Outlook, was: str) -> list[tuple[str, str]]:
    if out.doubt:
        says = f"could not be looked up: {out.doubt}"
    elif out.voices:
        says = f"still active: {', '.join(out.voices)} say it is malicious"
    else:
        says = f"not enough now to hold it: that takes {plural(out.needed, 'source')}"
    when = f"{moment(held.at_ms)}, " if held.at_ms else ""
    much = plural(len(held.changes), "entry", "entries")
    if held.parts:
        much = f"{plural(held.count, 'file or folder', 'files and folders')}, {size(held.size)}"
    return [("item", f"{package(held)}  {held.ident}"), ("held", f"{when}{much}"), ("was", was), ("evidence", says)]
