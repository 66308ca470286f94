"""Package managers' command lines, one module a family: what a simple command would fetch from where.

Only the command line is read; a manifest or lock file that it installs from is named (`manifests`), not read.
Over-reading is preferred to missing: an option that is not in a table is taken to have no value, so that the word
after it still counts as a package.
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
LISTING = frozenset(("npm", "python", "cargo", "go", "ruby", "php", "dotnet"))
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
    "containers": "docker podman nerdctl helm kubectl oc",
    "agents": "claude codex gemini gh cursor-agent amp goose opencode qwen crush copilot auggie droid",
    "others": ("dart flutter pub mix cabal stack vcpkg conan ansible-galaxy vagrant asdf nix sdk mise rtx volta"),
}
_FAMILY = {program: family for family, programs in FAMILIES.items() for program in programs.split()}
_READERS: dict[str, Reader] = {}


def installs(run: Run, cwd: str) -> list[Install]:
    """Every package that this command names and would fetch or run; empty for a program that installs nothing."""
    return [install for install in every(run, cwd) if install.source != "manifest"]


def every(run: Run, cwd: str) -> list[Install]:
    """Also the files and folders whose lists it installs, each as one Install of source `manifest`."""
    program = run.program
    family = _FAMILY.get(program)
    if family is None:
        program = _plain(program)
        family = _FAMILY.get(program)
        if family is None:
            return []
    words = run.argv[1:] if program == run.program else _folded(run)
    found = [one for one in read(program, family, words) if one.name or one.source != "registry"][:INSTALLS_MAX]
    if family in LISTING:
        from bk.engine.lower.installs.manifests import asked

        found += asked(program, words, cwd)
    return found


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
