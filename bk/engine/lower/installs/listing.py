"""What a manifest or lock file lists, whatever its format: one shape for every reader. Pure."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from bk.engine.model import Json

    Item: TypeAlias = tuple[str, str, str, str]  # ecosystem, name, version, source

MAX_ITEMS = 50_000
MAX_TOML = 1 << 20
MAX_DOTS = 64  # the TOML parser is quadratic in the parts of a key

# what is not closed goes to the end at once: a text of openings alone must not be searched from each of them
_STRING = r'"(?:[^"\\]|\\[\s\S])*(?:"|\\?\Z)'
_COMMENTS = re.compile(_STRING + r"|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)")
_COMMAS = re.compile(_STRING + r"|,(?=\s{0,200}[}\]])")


class Listing:
    """`items` are the packages; `more` names further files to read; `indexes` are the places packages come from.

    `problems` says what could not be understood: a listing with problems is never taken for a clean one.
    """

    __slots__ = ("indexes", "items", "more", "problems")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.more: list[str] = []
        self.indexes: list[str] = []
        self.problems: list[str] = []

    def add(self, ecosystem: str, name: str, version: str = "", source: str = "registry") -> None:
        """List a package; what has neither a name nor a place is nothing."""
        if len(self.items) >= MAX_ITEMS:
            if len(self.items) == MAX_ITEMS:
                self.problem(f"it lists more than {MAX_ITEMS:,} packages")
            return
        if name or source != "registry":
            self.items.append((ecosystem, name[:300], version[:200], source))

    def problem(self, why: str) -> None:
        """Note what could not be understood, once."""
        if why not in self.problems and len(self.problems) < 8:
            self.problems.append(why)


def toml(text: str, found: Listing) -> dict[str, Json]:
    """A TOML document, {} with the problem noted when it is none. Imported here: the hot path reads no TOML."""
    import tomllib

    if len(text) > MAX_TOML:
        found.problem("it is too large for what it is")
        return {}
    if any(line.partition("=")[0].count(".") > MAX_DOTS for line in text.split("\n") if len(line) > MAX_DOTS):
        found.problem("a key has too many parts")
        return {}
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found.problem(f"it is not valid TOML ({type(error).__name__})")
        return {}


def loose_json(text: str) -> Json:
    """JSON, or JSON as people write it: with comments and trailing commas. Raises ValueError or RecursionError."""
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(_COMMAS.sub(_strings, _COMMENTS.sub(_strings, text)))


def _strings(match: re.Match[str]) -> str:
    return match[0] if match[0][0] == '"' else ""


def table(value: Json, *path: str) -> dict[str, Json]:
    """The table at a path of keys, {} where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def texts(value: Json) -> list[str]:
    """The texts of a list, [] for anything else."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def word(value: Json) -> str:
    """A text, "" for anything else."""
    return value if isinstance(value, str) else ""
