"""What is asked of one call again and again while rules look at it, worked out once."""

from __future__ import annotations

from bk.engine.model import Run
from bk.engine.rules import regex
from bk.engine.rules.options import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bk.engine.facts import Facts
    from bk.engine.model import Action, Finding, Json

EXPORTS = frozenset(("export", "declare", "typeset", "setenv", "set", "setx"))
MAX_LEAVES = 1 << 17
MAX_PATTERNS = 512
_PROSE = frozenset(("description", "title", "justification", "explanation", "reason"))
_patterns: dict[str, Any] = {}


def normal(program: str) -> str:
    """A program's name as rules compare it: lower case, without folder and `.exe`."""
    name = program.replace("\\", "/").rsplit("/", 1)[-1].lower()
    return name[:-4] if name.endswith(".exe") else name


class Hit:
    """What a match rested on, for the words of a finding."""

    __slots__ = ("flag", "text")

    def __init__(self) -> None:
        self.flag = ""
        self.text = ""


class Call:
    """The actions and facts of a call, with what rules share."""

    __slots__ = ("_assigns", "_folded", "_said", "_text", "_words", "actions", "cwd", "facts", "found", "hit", "home")

    def __init__(self, actions: Sequence[Action], facts: Facts) -> None:
        self.actions = actions
        self.facts = facts
        self.home = facts.home
        self.cwd = facts.cwd
        self.hit = Hit()
        self.found: list[Finding] = []
        self._words: dict[int, Words] = {}
        self._folded: dict[str, str] = {}
        self._said: dict[int, str] = {}
        self._text: str | None = None
        self._assigns: bool | None = None

    def words(self, run: Run) -> Words:
        """A command's words, sorted."""
        found = self._words.get(id(run))
        if found is None:
            found = self._words[id(run)] = Words(normal(run.program), run.argv)
        return found

    @property
    def assigns(self) -> bool:
        """Whether the call sets any variable at all, before a command or for those after it."""
        if self._assigns is None:
            self._assigns = any(
                (action.via and any("=" in word for word in action.via))
                or (type(action) is Run and action.program in EXPORTS and any("=" in word for word in action.argv))
                for action in self.actions
            )
        return self._assigns

    def said(self, run: Run) -> str:
        """All that a command is told, folded: enough to see that most patterns cannot match."""
        found = self._said.get(id(run))
        if found is None:
            found = self._said[id(run)] = "\n".join([*run.argv, run.stdin or ""]).casefold()
        return found

    def text(self) -> str:
        """All the text of the tool's input."""
        if self._text is None:
            given = self.facts.call
            if given is None:
                self._text = ""
            else:
                self._text = sound("\n".join(_leaves(given.input, _PROSE if given.kind == "shell" else frozenset())))
        return self._text

    def folded(self, text: str) -> str:
        """A text as needs are looked for in it."""
        found = self._folded.get(text)
        if found is None:
            found = self._folded[text] = text.casefold()
        return found

    def search(self, pattern: str, needs: Sequence[str], text: str) -> bool:
        """Whether a regex matches; what it matched is kept for the finding."""
        if not text or (needs and not regex.may_match(needs, self.folded(text))):
            return False
        found = ready(pattern).search(sound(text))
        if found is None:
            return False
        self.hit.text = found.group(0)
        return True


def ready(pattern: str) -> Any:
    """The RE2 object of a pattern, kept: the same few are asked for by every call."""
    found = _patterns.get(pattern)
    if found is None:
        if len(_patterns) >= MAX_PATTERNS:
            _patterns.clear()
        found = _patterns[pattern] = regex.compiled(pattern)
    return found


def sound(text: str) -> str:
    """The text as RE2 can take it: half of a surrogate pair has no bytes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def _leaves(value: Json, without: frozenset[str]) -> list[str]:
    """The texts in a JSON value, in order."""
    found: list[str] = []
    waiting: list[Json] = [value]
    while waiting and len(found) < MAX_LEAVES:
        item = waiting.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, (list, tuple)):
            waiting.extend(reversed(item[:MAX_LEAVES]))
        elif hasattr(item, "items"):
            waiting.extend(inner for key, inner in reversed(list(item.items())) if key not in without)
    return found
