"""What a rule file says, as objects: rules, their patterns and their examples."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from bk.engine.model import Json

    Pattern: TypeAlias = "Regex | Term | Not | Every | Either"
    Value: TypeAlias = "str | Listed | Term"


class _Said:
    """Equality by what is said, not by where: a formatted file means the same rules."""

    __slots__: tuple[str, ...] = ()
    place = frozenset(("line", "column", "file"))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [name for name in self.__slots__ if name not in self.place]
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        names = [name for name in self.__slots__ if name not in self.place]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


class Listed(_Said):
    """A reference to a list of the configuration: `@paths.sensitive`."""

    __slots__ = ("column", "line", "name")

    def __init__(self, name: str, line: int = 0, column: int = 0) -> None:
        self.name = name
        self.line = line
        self.column = column


class Regex(_Said):
    """A pattern for RE2, as written."""

    __slots__ = ("column", "line", "text")

    def __init__(self, text: str, line: int = 0, column: int = 0) -> None:
        self.text = text
        self.line = line
        self.column = column


class Modifier(_Said):
    """A condition on the action that a matcher found."""

    __slots__ = ("column", "name", "values")

    def __init__(self, name: str, values: Sequence[Value], column: int = 0) -> None:
        self.name = name
        self.values = tuple(values)
        self.column = column


class Term(_Said):
    """A matcher call with its modifiers."""

    __slots__ = ("column", "line", "modifiers", "name", "values")

    def __init__(
        self,
        name: str,
        values: Sequence[Value],
        modifiers: Sequence[Modifier] = (),
        line: int = 0,
        column: int = 0,
    ) -> None:
        self.name = name
        self.values = tuple(values)
        self.modifiers = tuple(modifiers)
        self.line = line
        self.column = column


class Not(_Said):
    """The opposite of a pattern."""

    __slots__ = ("inner",)

    def __init__(self, inner: Pattern) -> None:
        self.inner = inner


class Every(_Said):
    """All of these: `and`."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Pattern]) -> None:
        self.parts = tuple(parts)


class Either(_Said):
    """One of these: `or`."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Pattern]) -> None:
        self.parts = tuple(parts)


class Example(_Said):
    """A call that the rule must find (`bad`) or must leave alone."""

    __slots__ = ("bad", "cwd", "input", "line", "text", "tool")

    def __init__(self, *, bad: bool, tool: str, given: Mapping[str, Json], cwd: str, text: str, line: int = 0) -> None:
        self.bad = bad
        self.tool = tool
        self.input = given
        self.cwd = cwd
        self.text = text
        self.line = line

    @property
    def command(self) -> str:
        """The command line of a shell example; for other tools their input as JSON."""
        given = self.input.get("command")
        return given if isinstance(given, str) else json.dumps(self.input, ensure_ascii=False)


class Rule(_Said):
    """One rule: when it applies, what it then says, and the calls that show it."""

    __slots__ = (
        "agents",
        "column",
        "examples",
        "file",
        "line",
        "matches",
        "name",
        "nudge",
        "pack",
        "ref",
        "severity",
        "tags",
        "tier",
        "tools",
        "unless",
        "why",
    )

    def __init__(self, tier: str, name: str, *, pack: str, file: str, line: int, column: int = 1) -> None:
        self.tier = tier
        self.name = name
        self.pack = pack
        self.file = file
        self.line = line
        self.column = column
        self.matches: tuple[Pattern, ...] = ()
        self.unless: tuple[Pattern, ...] = ()
        self.nudge = ""
        self.why = ""
        self.severity = ""
        self.tags: tuple[str, ...] = ()
        self.tools: tuple[str, ...] = ()
        self.agents: tuple[str, ...] = ()
        self.ref = ""
        self.examples: tuple[Example, ...] = ()

    @property
    def ident(self) -> str:
        """The id that findings and `disabled` lists use: `pack/name`."""
        return f"{self.pack}/{self.name}"


def examples(rule: Rule) -> tuple[Example, ...]:
    """The calls a rule is tried with, in the order they are written."""
    return rule.examples
