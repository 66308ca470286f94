"""Managers of other languages and tools: one verb, then names; and tool versioners that hand on to a registry."""

from __future__ import annotations

from bk.engine.lower.installs.line import elsewhere, install, options, split
from bk.engine.lower.installs.npm import specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

# (program, verbs before the names) → (namespace, mark before the version)
VERBS: dict[tuple[str, ...], tuple[str, str]] = {
    ("dart", "pub", "add"): ("pub", ":"),
    ("flutter", "pub", "add"): ("pub", ":"),
    ("dart", "pub", "global", "activate"): ("pub", ""),
    ("pub", "global", "activate"): ("pub", ""),
    ("mix", "archive.install", "hex"): ("hex", ""),
    ("mix", "escript.install", "hex"): ("hex", ""),
    ("cabal", "install"): ("hackage", ""),
    ("stack", "install"): ("hackage", ""),
    ("vcpkg", "install"): ("vcpkg", ""),
    ("conan", "install"): ("conan", "/"),
    ("ansible-galaxy", "install"): ("galaxy", ","),
    ("ansible-galaxy", "collection", "install"): ("galaxy", ":"),
    ("ansible-galaxy", "role", "install"): ("galaxy", ","),
    ("vagrant", "plugin", "install"): ("rubygems", ""),
    ("asdf", "plugin", "add"): ("asdf", ""),
    ("asdf", "plugin-add"): ("asdf", ""),
    ("nix", "profile", "install"): ("nix", ""),
    ("nix", "profile", "add"): ("nix", ""),
    ("nix", "run"): ("nix", ""),
    ("nix", "shell"): ("nix", ""),
    ("sdk", "install"): ("sdkman", ""),
}
_BACKENDS = {
    "npm": "npm",
    "pipx": "pypi",
    "cargo": "cargo",
    "go": "go",
    "gem": "rubygems",
    "dotnet": "nuget",
    "ubi": "github",
    "aqua": "aqua",
}
_TAKES = options("--version -v --constraint-source --hosted-url --git-url --git-ref -p --profile --command -c -r -e -j")


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What one of these commands installs."""
    if program in ("mise", "rtx"):
        return _mise(program, words)
    if program == "volta":
        line = split(words, ())
        named = line.words[1:] if line.words and line.words[0] in ("install", "fetch", "pin") else []
        return [made for word in named for made in specs("volta", word)]
    line = split(words, _TAKES)
    for (name, *verbs), (ecosystem, mark) in VERBS.items():
        if name != program or line.words[: len(verbs)] != verbs:
            continue
        made = []
        runs = verbs == ["run"]
        wanted = line.words[len(verbs) :]
        for word in wanted[:1] if runs or ecosystem in ("asdf", "sdkman") else wanted:
            source = elsewhere(word)
            base, _, version = str(word).partition(mark) if mark else (str(word), "", line.value("--version"))
            made.append(install(ecosystem, program, word, base, version, source=source or "registry", runs=runs))
        return made
    return []


def _mise(program: str, words: Sequence[str]) -> list[Install]:
    """`mise use npm:prettier@3`: the tool's backend is the registry; a bare tool is mise's own."""
    line = split(words, options("-C --cd -E --env -j --jobs -p --path --before"))
    verb = line.words[0] if line.words else ""
    if verb not in ("use", "u", "install", "i", "exec", "x"):
        return []
    made = []
    for word in line.words[1:]:
        if "@" not in word and ":" not in word and verb in ("exec", "x"):
            break
        backend, colon, rest = str(word).partition(":")
        name = rest if colon else str(word)
        at = name.find("@", 1)
        name, version = (name, "") if at < 0 else (name[:at], name[at + 1 :])
        ecosystem = _BACKENDS.get(backend, "mise") if colon else "mise"
        made.append(install(ecosystem, program, word, name, version, runs=verb in ("exec", "x")))
    return made
