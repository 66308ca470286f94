"""Patterns as JSON: lists filled in, names folded, globs split, and for each regex the text it cannot do without."""

from __future__ import annotations

from bk.engine.rules import globs, regex
from bk.engine.rules.errors import PatternError, nearest
from bk.engine.rules.hosts import EXTERNAL, url_need
from bk.engine.rules.rule import Either, Every, Listed, Not, Regex, Term

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.rules.rule import Modifier, Pattern, Value

FOLDED = frozenset(("command", "pipeline_to", "pipeline_from", "via", "connects_to", "in_tool", "installs"))
PATHS = frozenset(("reads", "writes", "deletes", "in_dir"))


def written(pattern: Pattern, lists: Mapping[str, Sequence[str]]) -> Json:
    """A pattern as JSON: `[name, values, modifiers]`, `["/", regex, needs]`, `["!", …]`, `["&", …]`, `["|", …]`."""
    if isinstance(pattern, Regex):
        return ["/", pattern.text, list(regex.needed(pattern.text))]
    if isinstance(pattern, Not):
        return ["!", written(pattern.inner, lists)]
    if isinstance(pattern, Every):
        return ["&", [written(part, lists) for part in pattern.parts]]
    if isinstance(pattern, Either):
        return ["|", [written(part, lists) for part in pattern.parts]]
    modifiers = [[one.name, *_modifier(one, lists)] for one in pattern.modifiers]
    return [pattern.name, values_of(pattern, lists), modifiers]


def values_of(term: Term, lists: Mapping[str, Sequence[str]]) -> Json:
    """A matcher's values as they are compared."""
    name = term.name
    if name == "flows":
        return [written(value, lists) for value in term.values if isinstance(value, Term)]
    if name == "content":
        (text,) = filled(term.values, lists)
        return [text, list(regex.needed(text))]
    if name == "requests":
        first, *rest = filled(term.values, lists)
        urls = [_url(glob) for glob in rest]
        return [first.upper().split("|"), urls, [url_need(url) for url in urls]]
    values = filled(term.values, lists)
    if name == "secret_in":
        return [values, list(lists.get("secrets.env_vars", ()))]
    if name in PATHS:
        return [globs.path_glob(value) for value in values]
    if name in FOLDED or name == "match_base_command_not_in":
        return [value.lower() for value in values]
    return values


def filled(values: Sequence[Value], lists: Mapping[str, Sequence[str]]) -> list[str]:
    """Values with lists put in place; an unknown list is a mistake, since it would match nothing."""
    found: list[str] = []
    for value in values:
        if isinstance(value, Listed):
            if value.name not in lists:
                known = ", ".join(f"@{name}" for name in sorted(lists)) or "none"
                raise PatternError(
                    value.column,
                    f"there is no list @{value.name}: known are {known}",
                    nearest(value.name, lists),
                    line=value.line,
                )
            found.extend(lists[value.name])
        elif isinstance(value, Term):
            found.append(EXTERNAL)
        else:
            found.append(value)
    return found


def _modifier(modifier: Modifier, lists: Mapping[str, Sequence[str]]) -> list[Json]:
    name = modifier.name
    values = filled(modifier.values, lists)
    if name == "says":
        return [values[0], list(regex.needed(values[0]))]
    if name == "with_subcommand":
        return [[value.lower().split() for value in values]]
    if name == "with_option":
        return [values[0].split("|"), values[1].lower().split("|")]
    if name in PATHS:
        return [[globs.path_glob(value) for value in values]]
    return [[value.lower() for value in values] if name in FOLDED else values]


def _url(glob: str) -> str:
    """A URL glob without scheme: `host/path`; a bare host stands for everything on it."""
    text = glob.partition("://")[2] or glob
    host, slash, path = text.partition("/")
    return (host.lower() or "*") + (slash + path if slash else "/*")
