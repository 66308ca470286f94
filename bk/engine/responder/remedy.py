"""How a person gets rid of a package for good: the manager's own commands, and the changes to the files that name it.

Nothing here changes anything. A move takes a package out of use; only its project's own files keep it from coming back.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from shlex import quote

from bk.engine.inventory.item import LOCKED
from bk.engine.inventory.place import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bk.engine.inventory.item import Item
    from bk.engine.model import Json
    from bk.engine.responder.incidents import Incident

READ_MAX = 16 << 20
TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
FILES = {"npm": ("package.json", "package-lock.json", "npm-shrinkwrap.json"), "pypi": ("requirements.txt",)}

# manager (or ecosystem) → commands; the name and the version are put in, quoted for a shell
REMOVE: Mapping[str, tuple[str, ...]] = {
    "npm": ("npm uninstall {name} --ignore-scripts", "npm cache clean --force"),
    "pnpm": ("pnpm remove {name} --ignore-scripts", "pnpm store prune"),
    "yarn": ("yarn remove {name}", "yarn cache clean {name}"),
    "bun": ("bun remove {name} --ignore-scripts", "bun pm cache rm"),
    "pypi": ("python -m pip uninstall --yes {name}", "python -m pip cache remove {name}"),
    "pip": ("python -m pip uninstall --yes {name}", "python -m pip cache remove {name}"),
    "uv": ("uv remove {name}", "uv cache clean {name}"),
    "pipx": ("pipx uninstall {name}",),
    "poetry": ("poetry remove {name}",),
    "conda": ("conda remove {name}", "conda clean --packages"),
    "cargo": ("cargo remove {name}", "cargo update"),
    "go": ("go get {name}@none", "go mod tidy"),
    "rubygems": ("bundle remove {name}", "gem uninstall {name} --version {version}"),
    "packagist": ("composer remove {name} --no-scripts", "composer clear-cache"),
    "nuget": ("dotnet remove package {name}",),
    "maven": ("mvn dependency:purge-local-repository -DmanualInclude={name} -DreResolve=false",),
    "homebrew": ("brew uninstall {name}",),
    "editor-extension": ("code --uninstall-extension {name}",),
}
PIN: Mapping[str, str] = {
    "npm": 'or, when another needs it, in package.json: "overrides": {{"{name}": "<a version that is not listed>"}}',
    "pypi": "or, when another package needs it, in a constraints file: {name}!={version}",
    "cargo": "or, when another crate needs it: cargo update -p {name} --precise <a version that is not listed>",
    "go": "or, when another module needs it, in go.mod: exclude {name} {version}",
    "packagist": 'or, when another package needs it, in composer.json: "conflict": {{"{name}": "{version}"}}',
}


class Plan:
    """The steps, and the differences that they come to."""

    __slots__ = ("diffs", "steps")

    def __init__(self, steps: list[str], diffs: list[str]) -> None:
        self.steps = steps
        self.diffs = diffs


def plan(incident: Incident, items: Iterable[Item]) -> Plan:
    """What to do about an incident, in every project that the inventory saw it in."""
    same = [item for item in items if item.version == incident.version]
    steps: list[str] = []
    diffs: list[str] = []
    for root in sorted({item.root for item in same if item.root} or {""}):
        here = [item for item in same if item.root == root] or same
        managers = sorted({item.manager for item in here if item.manager in REMOVE}) or [incident.ecosystem]
        if root and os.path.isdir(root):
            steps.append(f"cd {quote(root)}")
        for manager in managers:
            steps += [_filled(command, incident) for command in REMOVE.get(manager, ())]
        files = {f"{root}/{name}" for name in FILES.get(incident.ecosystem, ()) if root}
        files |= {item.observed for item in here if item.kind == LOCKED}
        diffs += filter(None, (_difference(path, incident) for path in sorted(files)))
    if not steps:
        steps.append(f"remove {incident.name} {incident.version} by hand where it is named: {incident.observed}")
    pin = PIN.get(incident.ecosystem)
    if pin:
        steps.append("# " + pin.format(name=incident.name, version=incident.version))
    steps.append("bk scan")
    return Plan(steps, diffs)


def _filled(command: str, incident: Incident) -> str:
    return command.format(name=quote(incident.name), version=quote(incident.version))


def _difference(path: str, incident: Incident) -> str:
    """What a file would have to lose, as a patch; "" when it does not name the package or cannot be read."""
    try:
        data = read(path, READ_MAX)
        text = "" if data is None else data.decode()
    except (OSError, ValueError):
        return ""
    base = os.path.basename(path)
    if base in ("package-lock.json", "npm-shrinkwrap.json"):
        after = _json(text, lambda told: _unlocked(told, incident))
    elif base == "package.json":
        after = _json(text, lambda told: _undeclared(told, incident))
    elif base.endswith(".txt"):
        after = "".join(line for line in text.splitlines(keepends=True) if not _requires(line, incident))
    else:
        return ""
    lines = difflib.unified_diff(
        text.splitlines(keepends=True), after.splitlines(keepends=True), f"a{path}", f"b{path}"
    )
    return "".join(_ended(line) for line in lines)


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _json(text: str, change: object) -> str:
    """A JSON file with something taken out, in the form that it had."""
    assert callable(change)
    try:
        told: Json = json.loads(text)
        if not isinstance(told, dict) or not change(told):
            return text
    except (ValueError, RecursionError, AttributeError, TypeError):
        return text
    indent = re.search(r"\n([ \t]+)\S", text)
    made = json.dumps(told, indent=indent[1] if indent else None, ensure_ascii=False)
    return made + ("\n" if text.endswith("\n") else "")


def _undeclared(told: dict[str, Json], incident: Incident) -> bool:
    """Take a package out of every table that declares it."""
    tables = [told[name] for name in TABLES if isinstance(told.get(name), dict)]
    had = [table.pop(incident.name, None) is not None for table in tables]
    return True in had


def _unlocked(told: dict[str, Json], incident: Incident) -> bool:
    """Take the version's own entries out of a lock file, and its name out of what the project asks for."""
    packages = told.get("packages")
    if not isinstance(packages, dict):
        return False
    gone = list(_entries(packages, incident))
    for name in gone:
        del packages[name]
    top = packages.get("")
    asked = _undeclared(top, incident) if gone and isinstance(top, dict) else False
    return bool(gone) or asked


def _entries(packages: Mapping[str, Json], incident: Incident) -> Iterator[str]:
    for name, entry in packages.items():
        if name.endswith(f"node_modules/{incident.name}") and entry.get("version") == incident.version:
            yield name


def _requires(line: str, incident: Incident) -> bool:
    from bk.engine.intel.names import canonical_name

    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;#\\]+)", line)
    return match is not None and (canonical_name("pypi", match[1]), match[2]) == (incident.name, incident.version)
