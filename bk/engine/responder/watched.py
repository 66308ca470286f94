"""Which folders to watch: where editors, agents and managers put things for this person, and in the person's projects.

Known by the readers themselves: where one looks is where something can land. At most `SPOTS_MAX` folders; what is left
out is counted, and still found by every scan.
"""

from __future__ import annotations

import os
from time import monotonic

from bk.engine.inventory.ecosystems import editors, jetbrains, mcp, npm, plugins, python, skills
from bk.engine.inventory.reach import NOT_INTO
from bk.engine.responder.eyes import PLAN, Spot
from bk.engine.responder.looking import folders
from bk.engine.settings import FILES, files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.state import State

SPOTS_MAX = 512
PRODUCTS_MAX = 32
SEARCH_MAX = 20_000
SEARCH_S = 10.0
DEEP = 6
TREES = {"node_modules": "npm", "site-packages": "pypi", "dist-packages": "pypi"}
ENVIRONMENTS = ("node_modules", ".venv", "venv", "env")
_UNWATCHED = ("cache", "/store", "/_npx", "/artifacts", "/wheels")
_PROJECT = frozenset(
    (".git", "package.json", "pyproject.toml", "requirements.txt", "Cargo.toml", "go.mod", *ENVIRONMENTS)
)


def spots(state: State, values: Mapping[str, Json], env: Mapping[str, str]) -> tuple[list[Spot], int]:
    """What to watch, the places that an editor or an agent loads from first; and how many folders are left out."""
    home, own = os.path.realpath(state.home), os.path.realpath(state.root)
    wanted: dict[str, list[Spot]] = {}
    for spot in (*_extensions(home, env), *_agents(home, env), *_trees(home, env, values["scan.roots"])):
        if spot.path != own and not spot.path.startswith(f"{own}/"):
            wanted.setdefault(spot.path, []).append(spot)
    there = [path for path in wanted if os.path.isdir(path)]
    missing = [path for path in wanted if path not in set(there)]
    kept = there[:SPOTS_MAX] + missing[:SPOTS_MAX]
    return [spot for path in kept for spot in wanted[path]], max(0, len(there) - SPOTS_MAX)


def _extensions(home: str, env: Mapping[str, str]) -> Iterator[Spot]:
    """The folders of editors' extensions and plugins."""
    for path, _ in editors.places(home, env):
        yield Spot("editors", os.path.realpath(path))
    for path, _ in jetbrains.places(home, env):
        base = os.path.realpath(path)
        yield Spot("jetbrains", base)
        yield Spot(PLAN, base)
        for product in sorted(_listed(base)[0])[:PRODUCTS_MAX]:
            yield Spot("jetbrains", f"{base}/{product}", base)
            yield Spot("jetbrains", f"{base}/{product}/plugins", base)


def _agents(home: str, env: Mapping[str, str]) -> Iterator[Spot]:
    """Skills, plugins and the servers that settings files name."""
    for path, _ in skills.places(home, env):
        if path.endswith("/skills"):
            yield Spot("skills", os.path.realpath(path))
    for path, depth in plugins.places(home, env):
        real = os.path.realpath(path)
        if depth:
            yield Spot("plugins", real, depth=depth)
            continue
        claude = real.endswith("/plugins")
        yield Spot("plugins", real, names=(plugins.INSTALLS,) if claude else plugins.OPENCODE)
        for below in () if claude else ("plugin", "plugins"):
            yield Spot("plugins", f"{real}/{below}", real)
    for path, depth in mcp.places(home, env):
        if depth <= 1:
            yield _settings(os.path.realpath(path))


def _settings(path: str) -> Spot:
    """A folder with settings files that may name servers."""
    own = path.rpartition("/")[2]
    if own == mcp.DESKTOP or path.endswith("/.continue/mcpServers"):
        return Spot("mcp", path)
    named = {key for key in mcp.CLIENTS if "/" not in key and key not in mcp.COMMON}
    named |= {key.rpartition("/")[2] for key in mcp.CLIENTS if key.startswith(f"{own}/")}
    return Spot("mcp", path, names=named)


def _trees(home: str, env: Mapping[str, str], roots: Sequence[str]) -> Iterator[Spot]:
    """The tops of package trees: of the person's own environments, and of the projects below `scan.roots`."""
    search = _Search()
    for each in dict.fromkeys((*npm.places(home, env), *python.places(home, env))):
        path, depth = each if isinstance(each, tuple) else (each, DEEP)
        real = os.path.realpath(path)
        if (real == home or real.startswith(f"{home}/")) and not any(part in path for part in _UNWATCHED):
            yield Spot(PLAN, real, names=ENVIRONMENTS if depth == 0 else ())
            yield from search.below(real, min(depth, DEEP), projects=False)
    for root in folders(roots, home):
        real = os.path.realpath(root)
        yield Spot(PLAN, real)
        yield from search.below(real, DEEP, projects=True)


class _Search:
    """One bounded look for package trees and projects, no link followed."""

    def __init__(self) -> None:
        self._left = SEARCH_MAX
        self._until = monotonic() + SEARCH_S

    def below(self, top: str, depth: int, *, projects: bool) -> Iterator[Spot]:
        """The trees below a folder; with `projects` also what their clients' settings are kept in."""
        waiting = [(top, depth)]
        while waiting and self._left > 0 and monotonic() < self._until:
            path, left = waiting.pop(0)
            self._left -= 1
            inner, others = _listed(path)
            for name in inner:
                kind = TREES.get(name)
                if kind:
                    root = path if kind == "npm" else f"{path}/{name}"
                    yield Spot(kind, f"{path}/{name}", root, whole=True)
                elif left > 0 and (name[0] != "." or name in ENVIRONMENTS) and name not in NOT_INTO:
                    waiting.append((f"{path}/{name}", left - 1))
            if projects and not _PROJECT.isdisjoint((*inner, *others)):
                hidden = _hidden(path)
                yield Spot(PLAN, path, names=(*ENVIRONMENTS, *(one[len(path) + 1 :].split("/")[0] for one in hidden)))
                yield _settings(path)
                yield from (_settings(one) for one in hidden if os.path.isdir(one))


def _hidden(project: str) -> list[str]:
    """The folders of a project in which clients keep its settings."""
    paths = [os.path.dirname(f"{project}/{one}") for own, _, _ in FILES.values() for one in files(own)]
    return [path for path in dict.fromkeys(paths) if path != project]


def _listed(path: str) -> tuple[list[str], list[str]]:
    """The names of the folders in a folder, and of all else; none where it cannot be listed."""
    inner: list[str] = []
    others: list[str] = []
    try:
        with os.scandir(path) as entries:
            for each in entries:
                (inner if each.is_dir(follow_symlinks=False) else others).append(each.name)
    except OSError:
        return [], []
    return inner, others
