"""The words of the language: what may stand where. The parser, the formatter and the reference page agree on these."""

from __future__ import annotations

from bk.engine.tables import names

TIERS = ("block", "suspicious", "warn")
CLAUSES = names("match match_base_command_not_in unless nudge why severity tags tools agents example ref")
ONCE = names("nudge why severity tags tools agents ref")
SEVERITIES = ("critical", "high", "medium", "low", "info")
PLACEHOLDERS = names("base_command command path host package flag rule match")
SECRET_PLACES = ("env", "args", "body", "any")


class Shape:
    """What a matcher takes: how many values, and what they are.

    `kind` is `name glob path host regex flag word flow method`; `acts` tells that it is met by an action, so that it
    can be what a rule is about; the others ask about the call as a whole.
    """

    __slots__ = ("acts", "kind", "least", "most")

    def __init__(self, kind: str, least: int, most: int, *, acts: bool = True) -> None:
        self.kind = kind
        self.least = least
        self.most = most
        self.acts = acts


MANY = 1000
MATCHERS: dict[str, Shape] = {
    "command": Shape("name", 1, MANY),
    "pipeline_to": Shape("name", 1, MANY),
    "pipeline_from": Shape("name", 1, MANY),
    "reads": Shape("path", 1, MANY),
    "writes": Shape("path", 1, MANY),
    "deletes": Shape("path", 1, MANY),
    "connects_to": Shape("host", 1, MANY),
    "requests": Shape("method", 1, MANY),
    "installs": Shape("glob", 0, MANY),
    "secret_in": Shape("word", 1, 4),
    "flows": Shape("flow", 2, 2),
    "in_tool": Shape("glob", 1, MANY, acts=False),
    "mcp": Shape("glob", 1, 2),
    "content": Shape("regex", 1, 1),
    "obfuscated": Shape("none", 0, 0),
    "opaque": Shape("glob", 0, MANY),
    "env": Shape("glob", 1, 2),
}
INNER = {"external": Shape("none", 0, 0)}
SOURCES = names("reads command connects_to env secret_in obfuscated")
SINKS = names("connects_to command writes requests")

MODIFIERS: dict[str, Shape] = {
    "with_flags": Shape("flag", 1, MANY),
    "without_flags": Shape("flag", 1, MANY),
    "with_option": Shape("option", 2, 2),
    "with_args": Shape("glob", 1, MANY),
    "with_no_args": Shape("none", 0, 0),
    "with_subcommand": Shape("glob", 1, MANY),
    "says": Shape("regex", 1, 1),
    "in_dir": Shape("path", 1, MANY),
    "as_root": Shape("none", 0, 0),
    "via": Shape("name", 1, MANY),
    "where": Shape("glob", 1, MANY),
    "env": Shape("glob", 1, 2),
}
ON_ANY = names("in_dir as_root via where env")
