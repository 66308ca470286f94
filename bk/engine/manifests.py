"""The lists behind `npm ci`, `pip install -r` and their likes: found, read, parsed, and looked up in the index.

Thousands of locked packages become at most a few actions: the ones that some record speaks of. A page is parsed and
looked up once for as long as its file does not change.
"""

from __future__ import annotations

import os
import time

from blake3 import blake3

from bk.engine.config.files import racy, stamp
from bk.engine.facts import Listed
from bk.engine.intel.index import key_of
from bk.engine.intel.match import SAME_NAMES, matches
from bk.engine.intel.names import spellings
from bk.engine.lists import PROJECT_ENDINGS
from bk.engine.look import take
from bk.engine.lower.installs.manifests import SOURCE
from bk.engine.model import Install, Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.intel.index import Index
    from bk.engine.lower.installs.listing import Item, Listing
    from bk.engine.model import Action, ToolCall
    from bk.engine.world import World

MAX_BYTES = 16 << 20
MAX_FILES = 32
MAX_PAGES = 64
MAX_UP = 12
MAX_SHOWN = 8
MAX_HITS = 64
# Which lock each manager reads, and which manifest lists what it would lock.
LOCKS = {
    "npm": ("npm-shrinkwrap.json", "package-lock.json"),
    "pnpm": ("pnpm-lock.yaml",),
    "yarn": ("yarn.lock",),
    "bun": ("bun.lock",),
    "deno": ("deno.lock",),
    "uv": ("uv.lock",),
    "poetry": ("poetry.lock",),
    "pdm": ("pdm.lock", "pylock.toml"),
    "rye": ("requirements.lock", "requirements-dev.lock"),
    "pipenv": ("Pipfile.lock",),
    "cargo": ("Cargo.lock",),
    "go": ("go.sum",),
    "bundle": ("Gemfile.lock", "gems.locked"),
    "composer": ("composer.lock",),
    "dotnet": ("packages.lock.json",),
    "nuget": ("packages.lock.json",),
}
PROJECTS = {
    "deno": ("deno.json", "deno.jsonc", "package.json"),
    "pipenv": ("Pipfile",),
    "npm": ("package.json",),
    "pypi": ("pyproject.toml",),
    "cargo": ("Cargo.toml",),
    "go": ("go.mod",),
    "rubygems": ("Gemfile", "gems.rb"),
    "packagist": ("composer.json",),
    "nuget": ("Directory.Packages.props", "packages.config"),
}
_WHY = {
    "absent": "it is not there",
    "large": f"it is larger than {MAX_BYTES >> 20} MiB",
    "special": "it is no plain file",
    "secret": "it lies where secrets are kept",
    "unreadable": "it cannot be opened",
    "no path": "its name is not known before it runs",
}


class Page:
    """What one file lists: how many, which of them the index knows, what comes from elsewhere, what stayed dark."""

    __slots__ = ("count", "digest", "found", "indexes", "more", "names", "problems")

    def __init__(self, digest: str) -> None:
        self.digest = digest
        self.count = 0
        self.found: list[tuple[str, str, str, str]] = []
        self.names: frozenset[tuple[str, str]] = frozenset()
        self.indexes: tuple[str, ...] = ()
        self.more: tuple[str, ...] = ()
        self.problems: tuple[str, ...] = ()


class Shelf:
    """The pages that one index has been asked about."""

    __slots__ = ("_pages",)

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str], tuple[list[int], Page]] = {}

    def page(self, path: str, ecosystem: str, world: World, home: list[str]) -> Page | str:
        """The page of a file, or why there is none."""
        seen = stamp(path)
        known = self._pages.get((path, ecosystem))
        if known is not None and known[0] == seen:
            return known[1]
        text, told = take(path, home, MAX_BYTES)
        if text is None:
            return told[0]
        made = page_of(text, path, ecosystem, world, told[0])
        if not racy(seen, time.time_ns()) and not os.path.islink(path):
            if len(self._pages) >= MAX_PAGES:
                self._pages.clear()
            self._pages[path, ecosystem] = (seen, made)
        return made


def page_of(text: str, path: str, ecosystem: str, world: World, digest: str) -> Page:
    """Parse a text by its name and look everything in it up."""
    from bk.engine.lower.installs import locks, requirements
    from bk.engine.lower.installs.listing import Listing

    listing: Listing = Listing()
    name = path.rpartition("/")[2].lower()
    reader = locks.READERS.get(name) or requirements.READERS.get(name)
    if reader is None:
        reader = requirements.by_ending(name) if ecosystem != "pypi" or name.endswith(".toml") else None
    (reader or requirements.requirements)(text, listing)
    made = Page(digest)
    made.count = len(listing.items)
    made.names = frozenset((item[0], item[1]) for item in listing.items)
    made.more, made.problems = tuple(listing.more), tuple(listing.problems)
    made.indexes = tuple(dict.fromkeys(index for index in listing.indexes if index))
    elsewhere = [item for item in listing.items if item[3] not in ("registry", "file")][:MAX_SHOWN]
    made.found = list(dict.fromkeys([*elsewhere, *_notable(listing.items, world.index)]))
    return made


def _notable(items: Sequence[Item], index: Index | None) -> list[Item]:
    """The packages of which some record speaks."""
    if index is None:
        return []
    keys: dict[bytes, list[Item]] = {}
    for item in dict.fromkeys(items):
        ecosystem = SAME_NAMES.get(item[0], item[0])
        for name in spellings(ecosystem, item[1]):
            keys.setdefault(key_of(ecosystem, name), []).append(item)
    named = dict.fromkeys(item for key in index.listed(keys) for item in keys[key])
    return [item for item in named if matches(index, Install(item[0], item[1], item[2]))]


class Expansion:
    """A look through a call's manifests. `written` are the texts that this very call puts into files."""

    __slots__ = ("call", "listed", "world", "written")

    def __init__(self, call: ToolCall, world: World, written: dict[str, str | None]) -> None:
        self.call = call
        self.world = world
        self.written = written
        self.listed = Listed()

    def unread(self, action: Install, path: str, why: str) -> None:
        """Note a file that could not be understood."""
        self.listed.unread.append((action.manager, path[:300], why))


def expand(call: ToolCall, actions: Sequence[Action], world: World) -> Listed:
    """What the manifests and lock files behind a call's installs would install."""
    written = {
        action.path: action.content
        for action in actions
        if type(action) is Touch and action.mode == "write" and not action.where and not action.edits
    }
    made = Expansion(call, world, written)
    done: set[tuple[str, str]] = set()
    for action in actions:
        if type(action) is Install and action.source == SOURCE and not action.where:
            key = (action.name, action.manager)
            if key not in done and len(done) < MAX_FILES:
                done.add(key)
                _marker(action, made)
    return made.listed


def _marker(action: Install, made: Expansion) -> None:
    name = action.name
    if name.startswith("~/"):
        name = made.call.home.rstrip("/") + name[1:]
    if not action.certain or "://" in name[:12]:
        why = "its name is not known before it runs" if not action.certain else "it is fetched when it runs"
        made.unread(action, action.name, why)
        return
    explicit = not name.endswith("/")
    if explicit and action.ecosystem in ("cargo", "rubygems", "nuget"):
        name, explicit = name.rpartition("/")[0] + "/", False
    if explicit:
        _read([name], action, made, certain=True)
        return
    locks, projects = _located(name.rstrip("/") or "/", action, made.call.home)
    known: set[tuple[str, str]] = set()
    _read(locks, action, made, known=known)
    _read(projects, action, made, known=known)


def _located(folder: str, action: Install, home: str) -> tuple[list[str], list[str]]:
    """The lock and the manifests that a manager finds from a folder: its own, else those of the workspace above."""
    program = action.manager.partition(" ")[0]
    names = PROJECTS.get(program) or PROJECTS.get(action.ecosystem, ())
    if program == "pip" or action.manager == "uv pip":
        return [], [path for path in (f"{folder}/{name}" for name in names) if os.path.lexists(path)]
    lock_names = LOCKS.get(program, ())
    locks: list[str] = []
    projects: list[str] = []
    for _ in range(MAX_UP):
        locks = [path for path in (f"{folder}/{name}" for name in lock_names) if os.path.lexists(path)]
        if not projects:
            projects = [path for path in (f"{folder}/{name}" for name in names) if os.path.lexists(path)]
            if action.ecosystem == "nuget":
                projects += _ending(folder)
        if locks or folder in ("/", home.rstrip("/")) or (projects and os.path.lexists(f"{folder}/.git")):
            break
        folder = folder.rpartition("/")[0] or "/"
    return locks[:1] if program == "npm" else locks, projects


def _ending(folder: str) -> list[str]:
    try:
        return sorted(f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(PROJECT_ENDINGS))[:MAX_FILES]
    except OSError:
        return []


def _read(
    paths: Sequence[str],
    action: Install,
    made: Expansion,
    *,
    certain: bool = False,
    known: set[tuple[str, str]] | None = None,
) -> None:
    """Pages and the pages that they name. With `known`, what an earlier page locked is not asked about again."""
    waiting = list(paths)
    seen: set[str] = set()
    locked = frozenset(known or ())
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        if len(seen) >= MAX_FILES:
            made.unread(action, path, f"more than {MAX_FILES} files name each other")
            return
        seen.add(path)
        page = _page(path, action, made)
        if isinstance(page, str):
            if page != "absent" or certain or len(seen) > 1:
                made.unread(action, path, _WHY.get(page, page))
            continue
        made.listed.looked.append([path, page.digest, page.count])
        for why in page.problems:
            made.unread(action, path, why)
        _take(page, path, action, made, locked)
        if known is not None:
            known |= page.names
        here = path.rpartition("/")[0]
        waiting += [more if "://" in more[:12] else os.path.normpath(os.path.join(here, more)) for more in page.more]


def _page(path: str, action: Install, made: Expansion) -> Page | str:
    world = made.world
    if "://" in path[:12]:
        return "it is fetched when it runs"
    if path in made.written:
        text = made.written[path]
        if text is None:
            return "this very call writes it"
        return page_of(text, path, action.ecosystem, world, blake3(text.encode(errors="replace")).hexdigest(16))
    if world.shelf is None:
        world.shelf = Shelf()
    home = made.call.home.lower().strip("/")
    return world.shelf.page(path, action.ecosystem, world, home.split("/") if home else [])


def _take(page: Page, path: str, action: Install, made: Expansion, locked: frozenset[tuple[str, str]]) -> None:
    """The page's notable packages as actions of their own, each saying which file it stands in."""
    via = (*action.via, path.rpartition("/")[2])
    for ecosystem, name, version, source in page.found:
        if (ecosystem, name) in locked or len(made.listed.installs) >= MAX_HITS:
            continue
        made.listed.installs.append(
            Install(ecosystem, name, version, manager=action.manager, source=source, runs=action.runs, via=via)
        )
    for url in page.indexes[:MAX_SHOWN]:
        made.listed.installs.append(Install(action.ecosystem, url, manager=action.manager, source="index", via=via))
