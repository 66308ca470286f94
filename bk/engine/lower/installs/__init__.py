"""Package managers' command lines, one module a family: what a simple command would fetch from where.

Only the command line is read. What a manifest, lock file or requirements file would add needs the file's text and is
not decided here. Over-reading is preferred to missing: an option that is not in a table is taken to have no value, so
that the word after it still counts as a package.
"""

from __future__ import annotations

from bk.engine.model import Install, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    Reader: TypeAlias = Callable[[str, Sequence[str]], list[Install]]

INSTALLS_MAX = 512
NESTING = ("containers", "agents")
FAMILIES = {
    "npm": "npm pnpm yarn yarnpkg bun npx bunx pnpx pnx corepack deno ng expo lerna",
    "python": (
        "pip pip- pipx uv uvx poetry pdm rye hatch pipenv easy_install easy_install- python pypy py"
        " conda mamba micromamba pixi"
    ),
    "cargo": "cargo cargo-binstall cargo-add cargo-install",
    "go": "go",
    "ruby": "gem bundle bundler",
    "php": "composer composer.phar",
    "dotnet": "dotnet dnx nuget paket install-package",
    "maven": "mvn mvnw mvnd jbang cs coursier",
    "editors": (
        "code code-insiders code-server cursor windsurf codium vscodium positron trae kiro antigravity void"
        " openvscode-server"
    ),
    "system": (
        "brew apt apt-get aptitude dnf yum microdnf apk pacman yay paru zypper snap flatpak port pkg emerge nix-env"
        " choco winget scoop luarocks cpan cpanm opam"
    ),
    "containers": "docker podman nerdctl helm",
    "agents": "claude codex gemini gh",
}
_FAMILY = {program: family for family, programs in FAMILIES.items() for program in programs.split()}
_READERS: dict[str, Reader] = {}


def installs(run: Run, cwd: str) -> list[Install]:  # noqa: ARG001 - manifests will be found from it
    """Every package that this command would fetch or run; empty for a program that installs nothing."""
    program = run.program
    family = _FAMILY.get(program)
    if family is None:
        program = _plain(program)
        family = _FAMILY.get(program)
        if family is None:
            return []
    found = read(program, family, run.argv[1:] if program == run.program else _folded(run))
    return [one for one in found if one.name or one.source != "registry"][:INSTALLS_MAX]


def inner(words: Sequence[str], via: str) -> list[Install]:
    """What a command inside another one's arguments would install; a second nesting is simply not known."""
    if not words:
        return []
    run = Run(words)
    if _FAMILY.get(_plain(run.program)) in NESTING:
        return [Install("oci", "**", manager=via, via=(via,), certain=False)]
    found = installs(run, run.cwd)
    for install in found:
        install.via = (via, *install.via)
    return found


def read(program: str, family: str, words: Sequence[str]) -> list[Install]:
    """Hand the words to the family's reader, which is loaded at first need."""
    reader = _READERS.get(family)
    if reader is None:
        module = __import__(f"{__name__}.{family}", fromlist=["read"])
        reader = _READERS[family] = module.read
    return reader(program, words)


def _plain(program: str) -> str:
    """A program's name without capitals, the version it carries (`pip3.11`) and what Windows appends."""
    name = program.lower()
    for suffix in (".exe", ".cmd", ".bat", ".ps1"):
        name = name.removesuffix(suffix)
    return name if name in _FAMILY else name.rstrip("0123456789.")


def _folded(run: Run) -> Sequence[str]:
    """The arguments; verb and options in lower case where the program's name was found only that way."""
    words = list(run.argv[1:])
    if run.program == run.program.lower():
        return words
    for at, word in enumerate(words):
        if type(word) is str and (at == 0 or word[:1] == "-"):
            words[at] = word.lower()
    return words
