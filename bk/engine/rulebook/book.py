"""The rules that hold for a call: everybody's, the project's own on top, and a word about files that are wrong."""

from __future__ import annotations

from bk.engine.model import Finding, Level
from bk.engine.rules.book import Rulebook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

BROKEN = "rules/broken"
LEVELS = {"warn": Level.WARN, "block": Level.BLOCK}
SHOWN = 300
NEXT = "`bk rules lint` shows the place; a person must correct the file"


class InForce(Rulebook):
    """Rulebooks asked one after the other. None of them can take a finding of another away.

    `problems` are files that are wrong, told with every verdict; `notes` only where rules are listed.
    """

    __slots__ = ("books", "notes")

    def __init__(self, books: Sequence[Rulebook], problems: Sequence[str], notes: Sequence[str] = ()) -> None:
        self.books = tuple(books)
        self.problems = tuple(problems)
        self.notes = tuple(notes)
        self.digest = "+".join(book.digest for book in books)
        self.profile = books[0].profile if books else ""
        self.count = sum(book.count for book in books)

    def judge(self, actions: Sequence[Action], facts: Facts) -> list[Finding]:
        """What the rules find in these actions, and that a file is wrong while one is."""
        found = self.books[0].judge(actions, facts)
        for book in self.books[1:]:
            found += book.judge(actions, facts)
        if self.problems:
            found.append(self._broken(facts))
        return found

    def with_project(self, added: Sequence[Rulebook], problems: Sequence[str]) -> InForce:
        """These rules and a project's."""
        return InForce((*self.books, *added), (*self.problems, *problems), self.notes)

    def _broken(self, facts: Facts) -> Finding:
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        level = LEVELS.get(str(facts.policy.get("rules.on_error")), Level.BLOCK)
        return Finding(
            BROKEN,
            level,
            f"a rule file is wrong: {self.problems[0][:SHOWN]}{more}",
            evidence={"problems": [problem[:SHOWN] for problem in self.problems[:8]]},
            instead=NEXT,
        )
