"""Cargo: `add` writes a requirement, `install` and `binstall` build and install one version."""

from __future__ import annotations

from bk.engine.lower.installs.line import elsewhere, install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

TAKES = options(
    "-F --features -p --package --manifest-path --path --git --branch --tag --rev --registry --index --root"
    " --target --target-dir --version --vers --bin --example --profile -j --jobs --color --config -Z -C --rename"
    " --message-format --install-path --pkg-url --strategies --disable-strategies --targets --precise --message"
    " --base --lockfile-path"
)
ADD = options("add")
INSTALL = options("install binstall i b")


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What one cargo command fetches."""
    if program.startswith("cargo-"):
        verb, rest = program.removeprefix("cargo-"), list(words[1:] if words[:1] == [program[6:]] else words)
    else:
        line = split([word for word in words if word[:1] != "+"], TAKES, until=1)
        if not line.words:
            return []
        verb, rest = line.words[0], line.rest
    if verb in ADD:
        return _crates("cargo", rest)
    if verb in INSTALL - {"i", "b"}:
        return _crates("cargo install", rest)
    if verb == "update":
        line = split(rest, TAKES)
        precise = line.value("--precise")
        wanted = (line.values("-p", "--package") or line.words) if precise else []
        return [install("cargo", "cargo install", word, _name(word)[0], precise) for word in wanted]
    return []


def _crates(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(words, TAKES)
    places = [(value, "git") for value in line.values("--git")]
    places += [(value, "file") for value in line.values("--path")]
    if places:
        names = line.words or [""]
        return [
            install("cargo", manager, place, _name(word)[0], source=source)
            for place, source in places
            for word in names
        ]
    asked = line.value("--version", "--vers")
    made = []
    for word in [*line.words, *line.rest]:
        name, version = _name(word)
        source = elsewhere(word) if "/" in word or word.startswith(".") else ""
        made.append(
            install("cargo", manager, word, "" if source else name, version or asked, source=source or "registry")
        )
    return made


def _name(word: str) -> tuple[str, str]:
    """(name, version) of `name@version` or of a package id ending so."""
    name, _, version = str(word).rpartition("#")[2].partition("@")
    return name, version
