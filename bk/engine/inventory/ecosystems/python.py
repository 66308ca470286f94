"""Python packages: in directories of packages of any kind of environment, and in the caches of pip and uv."""

from __future__ import annotations

import re

from bk.engine.inventory.ecosystems.python_site import ENDINGS, Site, headers
from bk.engine.inventory.item import CACHED, DIR, FILE_SET, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

MARKS = frozenset((*(f"*{ending}" for ending in ENDINGS), "*.whl"))
METADATA_MAX = 4 << 20
_ARCHIVE = re.compile(r"(.*/uv)/archive-v\d+/[^/]+")
_WHEELS = re.compile(r"(.*/(?:pip/wheels|pypoetry/artifacts))/.+")
_WHEEL = re.compile(r"([A-Za-z0-9][\w.]*)-(\d[\w.+!]*?)(?:-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl")
_OF_A_HOME = (
    ".local/lib", ".local/share/pipx/venvs", ".local/pipx/venvs", ".local/share/uv/tools", ".cache/uv",
    ".cache/pip/wheels", ".local/share/virtualenvs", ".virtualenvs", ".cache/pypoetry", ".local/share/hatch/env",
    ".local/share/pdm/venvs", ".local/share/uv/python", ".pyenv/versions", "pipx/venvs", "Library/Python",
    "Library/Caches/pip/wheels", "Library/Caches/pypoetry", "Library/Caches/uv", "Library/Application Support/uv/tools",
    "AppData/Roaming/Python", "AppData/Roaming/uv/data/tools", "AppData/Local/uv/cache",
    "AppData/Local/pip/Cache/wheels",
)  # fmt: skip
_NAMED = (
    ("PIPX_HOME", "/venvs"), ("UV_TOOL_DIR", ""), ("UV_CACHE_DIR", ""), ("PIP_CACHE_DIR", "/wheels"),
    ("WORKON_HOME", ""), ("POETRY_CACHE_DIR", ""), ("VIRTUAL_ENV", ""),
)  # fmt: skip
_OF_THE_MACHINE = (("/usr/lib/python3/dist-packages", 0), ("/usr/local/lib", 2), ("/opt/homebrew/lib", 2))


def places(home: str, env: Mapping[str, str]) -> Iterator[str | tuple[str, int]]:
    """Where Python keeps packages of a person and of the machine."""
    for below in _OF_A_HOME:
        yield f"{home}/{below}"
    for name, below in _NAMED:
        if env.get(name, "").startswith("/"):
            yield env[name] + below
    yield from _OF_THE_MACHINE


def read(place: Place, found: Found) -> None:
    """Everything that one directory of packages holds."""
    cache = _WHEELS.fullmatch(place.path)
    if cache:
        _wheels(place, found, cache[1])
    archive = _ARCHIVE.fullmatch(place.path)
    if archive:
        _archive(place, found, archive[1])
        return
    site = Site(place)
    if not site.is_project:
        site.read(found)


def _wheels(place: Place, found: Found, cache: str) -> None:
    """Wheels that a manager built and would install again without asking anybody."""
    for name, kind in place.names().items():
        wheel = _WHEEL.fullmatch(name)
        if wheel and kind == "f":
            locator = Locator(FILE_SET, files=(place.at(name),))
            manager = "pip" if "/pip/" in f"{cache}/" else "poetry"
            found.add(
                Item("pypi", wheel[1], wheel[2], manager=manager, kind=CACHED, observed=place.at(name), locator=locator,
                     root=cache, confidence="name")
            )  # fmt: skip


def _archive(place: Place, found: Found, cache: str) -> None:
    """An unpacked wheel of uv's, from which it links files into environments.

    Its name in the index of wheels is left dangling: uv then stops with an error instead of fetching it again.
    """
    infos = [name for name, kind in place.names().items() if kind == "d" and name.endswith(".dist-info")]
    for info in infos:
        name, version = headers(place.text(f"{info}/METADATA", METADATA_MAX) or "")
        if not name:
            found.problem(place.at(info), "it names no package")
            continue
        locator = Locator(DIR, place.path)
        found.add(
            Item("pypi", name, version, manager="uv", kind=CACHED, observed=place.at(f"{info}/METADATA"), root=cache,
                 locator=locator if len(infos) == 1 else Locator("none"))
        )  # fmt: skip
    found.skip(*place.names())
