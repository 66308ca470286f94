"""The questions before the catalogs are changed, and the sentences of what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bk.engine.console.catalogs.sheet import Agreement, Delta, SourceRow
from bk.text import inert
from bk.tui.actions import REVERSIBLE, TIGHTENS
from bk.tui.screens.catalogs_words import VOUCHED, fared, share
from bk.tui.screens.confirm import Ask
from bk.tui.words import age

TURNED = {"added": "no longer listed", "removed": "listed again", "changed": "listed as before"}


def sync_question(names: Sequence[str], rows: Sequence[SourceRow], generation: int, key: str) -> Ask:
    """Ask the sources now?"""
    asked = ", ".join(row.name for row in rows) or "none is on: only what came with this release is looked at"
    return Ask(
        f"ask {names[0] if names else 'every source'} now",
        "Ask",
        "News is checked, and put in force when it is believed. Then what is installed is held against it.",
        [("asks", asked), ("in force", f"generation {generation:,}"),
         ("stop", "c stops it at any time; what is in force stays in force")],
        tier=TIGHTENS,
        opened_by=key,
    )  # fmt: skip


def accept_question(row: SourceRow, now_ms: int, still: Callable[[], str]) -> Ask:
    """Take in what was held back?"""
    held = row.held
    assert held is not None
    facts = [
        ("because", held.reason),
        ("adds", f"{held.added:,} entries"),
        ("removes", f"{held.removed:,} entries"),
        ("came", f"{age(held.at_ms, now_ms)} ago"),
        ("vouched by", VOUCHED.get(row.provenance, row.provenance) or "nobody"),
    ]
    effect = "What was held back is put in force now. Rolling back undoes it."
    return Ask(f"accept the news of {row.name}", "Accept", effect, facts, tier=REVERSIBLE, opened_by="a", still=still)


def switch_question(row: SourceRow, agreed: Agreement | None) -> Ask:
    """Ask a source, or no longer?"""
    word = "off" if row.enabled else "on"
    effect = f"{row.name} is asked from now on, and what it says counts as one voice."
    facts = [("source", row.title), ("entries", f"{row.entries:,}")]
    if row.enabled:
        effect = f"{row.name} is no longer asked, and from the next sync on what it says no longer counts."
        whole, both = share(row, agreed)
        if whole:
            facts.append(("only here", f"{whole - both:,} packages are listed by nobody else"))
    return Ask(f"switch {row.name} {word}", f"Switch {word}", effect, facts, tier=REVERSIBLE, opened_by="x")


def rollback_question(found: Delta) -> Ask:
    """Go back to the generation before?"""
    more = " or more" if found.more else ""
    facts = [("packages", f"{count:,}{more} {TURNED[kind]}") for kind, count in found.counts.items() if count]
    facts += [("such as", f"{name}: {TURNED[kind]}") for kind, name, _ in found.first]
    return Ask(
        f"go back to generation {found.older}",
        "Roll back",
        f"Generation {found.newer} is no longer in force. What its sources brought since is held back until you accept "
        "it.",
        facts or [("packages", "nothing differs")],
        tier=REVERSIBLE,
        opened_by="b",
    )


def whole(said: dict[str, Any]) -> str:
    """Every byte was read."""
    return f"generation {said.get('generation')} is whole: every byte was read"


def accepted(said: dict[str, Any]) -> str:
    """What was held back counts now."""
    return f"the news of {said.get('source')} is in force, generation {said.get('generation')}"


def went_back(said: dict[str, Any]) -> str:
    """An earlier generation is in force."""
    held = ", ".join(map(str, said.get("held") or ()))
    return f"generation {said.get('generation')} is in force again{f'; held back: {held}' if held else ''}"


def synced(said: dict[str, Any]) -> str:
    """What came of a look at the sources."""
    sources = said.get("sources") or {}
    news = [name for name, each in sources.items() if each.get("outcome") == "updated"]
    what = f"news from {', '.join(news)}" if news else "no news"
    now = "is in force" if said.get("activated") else "stays in force"
    return f"{what}; generation {said.get('generation')} {now}"


def told_wrong(said: dict[str, Any]) -> str:
    """What did not go as it should."""
    sources = said.get("sources") or {}
    told = [f"{name} {fared(each)}" for name, each in sources.items() if each.get("outcome") in ("failed", "held")]
    told += [str(each) for each in said.get("problems") or ()]
    told += [f"{name} was lost" for name in said.get("lost") or ()]
    return inert("; ".join(told), 1000)
