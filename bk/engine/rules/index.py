"""Where a call finds the alternatives that could concern it, so that it pays for no others.

Commands are found by program and first words, paths by a folder or name that they must contain, connections by method
and host.
Written when rules are compiled, looked up by the rulebook.
"""

from __future__ import annotations

from bk.engine.rules import globs
from bk.engine.rules.hosts import EXTERNAL
from bk.engine.rules.keys import ASSIGNED, FLAGGED, key_of
from bk.engine.rules.regex import needed
from bk.engine.rules.rule import Regex, Term
from bk.engine.rules.terms import filled, values_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.rules.alternatives import Branch

    Lists = Mapping[str, Sequence[str]]

OPTIONS = frozenset(("with_flags", "with_option"))
MODES = {"reads": "read", "writes": "write", "deletes": "delete"}
PLAIN = {
    "match_base_command_not_in": "runs",
    "env": "assigned",
    "secret_in": "any",
    "pipeline_from": "taking",
    "obfuscated": "taking",
    "installs": "install",
    "mcp": "mcp",
    "opaque": "opaque",
    "content": "content",
    "in_tool": "calls",
}


class Index:
    """The tables while they are filled."""

    __slots__ = ("commands", "hosts", "kinds", "paths", "regexes")

    def __init__(self) -> None:
        self.commands: dict[tuple[str, ...], dict[str, list[int]]] = {}
        self.paths: dict[str, dict[str, list[int]]] = {}
        self.hosts: dict[str, dict[str, list[int]]] = {}
        self.kinds: dict[str, list[int]] = {}
        self.regexes: list[list[Json]] = []

    def add(self, number: int, branch: Branch, lists: Lists) -> None:
        """Enter one alternative where its anchor will be looked for."""
        anchor = branch.anchor
        if isinstance(anchor, Regex):
            self.regexes.append([number, list(needed(anchor.text))])
            return
        if anchor.name == "flows" and isinstance(anchor.values[1], Term):
            anchor = anchor.values[1]
        if anchor.name in ("command", "pipeline_to"):
            self._command(number, anchor, lists)
        elif anchor.name in MODES:
            table = self.paths.setdefault(MODES[anchor.name], {})
            for glob in values_of(anchor, lists):
                _put(table, path_key(glob), number)
        elif anchor.name in ("connects_to", "requests"):
            for method in _methods(anchor, lists):
                table = self.hosts.setdefault(method, {})
                for host in _hosts(anchor, lists):
                    _put(table, host, number)
        else:
            _put(self.kinds, PLAIN[anchor.name], number)

    def _command(self, number: int, anchor: Term, lists: Lists) -> None:
        """Programs that are named together share a table."""
        table = self.commands.setdefault(tuple(values_of(anchor, lists)), {})
        for key in _keys(anchor, lists):
            _put(table, key, number)

    def written(self) -> dict[str, Json]:
        """The tables as JSON; programs with wildcards apart, since they must be tried one by one."""
        exact: dict[str, list[int]] = {}
        wild: dict[str, list[int]] = {}
        for at, together in enumerate(self.commands):
            for name in together:
                held = (wild if globs.wild(name) else exact).setdefault(name, [])
                if at not in held:
                    held.append(at)
        return {
            "tables": list(self.commands.values()),
            "commands": exact,
            "globs": [[name, held] for name, held in wild.items()],
            "paths": self.paths,
            "hosts": self.hosts,
            "kinds": self.kinds,
            "regexes": self.regexes,
        }


def _put(table: dict[str, list[int]], key: str, number: int) -> None:
    held = table.setdefault(key, [])
    if number not in held[-1:]:
        held.append(number)


def _keys(anchor: Term, lists: Lists) -> list[str]:
    """What a command must have: first words, a variable set for it, an option; `""` when it may be anything."""
    for modifier in anchor.modifiers:
        if modifier.name == "with_subcommand":
            keys = {key_of(value.lower().split()) for value in filled(modifier.values, lists)}
            if "" not in keys:
                return sorted(keys)
    asked = {modifier.name for modifier in anchor.modifiers}
    return [ASSIGNED] if "env" in asked else [FLAGGED] if asked & OPTIONS else [""]


def path_key(glob: str) -> str:
    """Something every matching path has: `/folder` above it, a `name` in it, a `.suffix` at its end, or nothing."""
    if glob[0] in "/~":
        return globs.literal_root(glob)
    parts = [part for part in glob.split("/") if part not in ("**", ".", "")]
    for part in reversed(parts):
        if not globs.wild(part):
            return part
    last = parts[-1] if parts else ""
    dot = last.rfind(".")
    if dot >= 0 and not globs.wild(last[dot:]) and not glob.endswith("/**"):
        return "*" + last[dot:]
    return ""


def _methods(anchor: Term, lists: Lists) -> list[str]:
    """The HTTP methods that a condition speaks of; `""` when it may be any."""
    if anchor.name != "requests":
        return [""]
    methods: list[str] = values_of(anchor, lists)[0]
    return [""] if any(globs.wild(method) for method in methods) else methods


def _hosts(anchor: Term, lists: Lists) -> list[str]:
    """Domains below which a host must lie; `""` when it may be any."""
    if anchor.name == "requests":
        named = [url.partition("/")[0] for url in values_of(anchor, lists)[1]]
    else:
        named = values_of(anchor, lists)
    return [host_key(host) for host in named] or [""]


def host_key(host: str) -> str:
    """The literal end of a host pattern."""
    if host == EXTERNAL or ":" in host:
        return ""
    kept: list[str] = []
    for label in reversed(host.split(".")):
        if globs.wild(label):
            break
        kept.append(label)
    return ".".join(reversed(kept))
