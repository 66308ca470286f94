"""One module for each ecosystem; each is registered in `EVERY` and knows its own files alone.

A module has:

- `MARKS`: what makes a directory mean something to it: names of entries (`"pyvenv.cfg"`), endings of entries
  (`"*.gemspec"`) and names of the directory itself (`"site-packages/"`); or a function `(path, names) -> bool`;
- `places(home, env)`: the well-known directories, as paths, or as `(path, depth)` where the walk should not go all the
  way down (depth 0 looks at that directory alone);
- `read(place, found)`: called for each directory that its marks fit.

What a reader has dealt with it takes from the walk with `found.skip(name, …)`.
"""

from __future__ import annotations

from bk.engine.inventory.ecosystems import (
    cargo,
    chromium,
    composer,
    conda,
    editors,
    firefox,
    go,
    homebrew,
    instructions,
    jetbrains,
    locks,
    maven,
    mcp,
    npm,
    nuget,
    plugins,
    python,
    rubygems,
    skills,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol

    from bk.engine.inventory.place import Found, Place

    class Ecosystem(Protocol):
        """What every module of this folder offers."""

        @property
        def MARKS(self) -> frozenset[str] | Callable[[str, Mapping[str, str]], bool]:  # noqa: N802 - a constant there
            """What makes a directory mean something."""
            ...

        def places(self, home: str, env: Mapping[str, str]) -> Iterable[str | tuple[str, int]]:
            """The well-known directories."""
            ...

        def read(self, place: Place, found: Found) -> None:
            """Read one directory that the marks fit."""
            ...


EVERY: Mapping[str, Ecosystem] = {
    "npm": npm,
    "pypi": python,
    "conda": conda,
    "cargo": cargo,
    "go": go,
    "rubygems": rubygems,
    "packagist": composer,
    "nuget": nuget,
    "maven": maven,
    "homebrew": homebrew,
    "locks": locks,
    "editors": editors,
    "jetbrains": jetbrains,
    "chromium": chromium,
    "firefox": firefox,
    "mcp": mcp,
    "skills": skills,
    "plugins": plugins,
    "instructions": instructions,
}
