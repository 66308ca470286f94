"""RubyGems and Bundler."""

from __future__ import annotations

from bk.engine.lower.installs.line import elsewhere, install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

GEM_TAKES = options(
    "-v --version -i --install-dir -n --bindir -s --source -p --http-proxy -P --trust-policy --platform -B --build-root"
    " --config-file -g --file --without -G --gem -b --bulk-threshold"
) - {"-g", "-b"}
BUNDLE_TAKES = options(
    "-v --version -g --group -s --source -r --require --git --github --branch --ref --path --glob --gemfile --jobs"
    " --retry --binstubs"
)


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What one command of this family fetches."""
    if program == "gem":
        return _gem(words)
    line = split(words, BUNDLE_TAKES, until=1)
    if line.words[:1] != ["add"]:
        return []
    given = split(line.rest, BUNDLE_TAKES)
    source = "git" if given.has("--git", "--github") else "file" if given.has("--path") else "registry"
    version = _single(given.value("-v", "--version"))
    return [install("rubygems", "bundle", word, word, version, source=source) for word in given.words]


def _gem(words: Sequence[str]) -> list[Install]:
    line = split(words, GEM_TAKES, until=1)
    verb = line.words[0] if line.words else ""
    if verb not in ("install", "i", "fetch", "update", "exec"):
        return []
    given = split(line.rest, GEM_TAKES, until=1 if verb == "exec" else -1)
    asked = _single(given.value("-v", "--version"))
    wanted = given.values("-g", "--gem") or given.words if verb == "exec" else given.words
    made = []
    for word in wanted:
        source = elsewhere(word)
        name, colon, version = ("", "", "") if source else str(word).partition(":")
        made.append(
            install("rubygems", "gem", word, name, version if colon else asked, source=source or "registry",
                    runs=verb == "exec")
        )  # fmt: skip
    return made


def _single(version: str) -> str:
    """`= 1.0` is the version 1.0."""
    return version.removeprefix("=").strip()
