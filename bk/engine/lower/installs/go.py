"""Go: `get`, `install`, `run` and `mod download` fetch module paths, each with its own version."""

from __future__ import annotations

from bk.engine.lower.installs.line import install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

TAKES = options(
    "-C -o -p -tags -ldflags -gcflags -asmflags -gccgoflags -mod -modfile -overlay -pkgdir -toolexec -exec -buildmode"
    " -compiler -installsuffix -covermode -coverpkg -pgo -asan -require -reuse --C --tags --ldflags --mod --modfile"
) - {"-asan"}


def read(_program: str, words: Sequence[str]) -> list[Install]:
    """What one go command fetches."""
    line = split(words, TAKES, until=1)
    verb, rest = (line.words[0] if line.words else ""), line.rest
    if verb == "mod":
        nested = split(rest, TAKES, until=1)
        if nested.words[:1] == ["edit"]:
            return [
                made for value in split(nested.rest, TAKES).values("-require", "--require") for made in _module(value)
            ]
        if nested.words[:1] == ["download"]:
            return [made for word in split(nested.rest, TAKES).words for made in _module(word)]
        return []
    if verb in ("get", "install"):
        given = split(rest, TAKES)
        return [made for word in [*given.words, *given.rest] for made in _module(word)]
    if verb == "run":
        given = split(rest, TAKES, until=1)
        return [made for word in given.words for made in _module(word, runs=True)]
    return []


def _module(word: str, *, runs: bool = False) -> list[Install]:
    """A path whose first element has a dot is remote; anything else is here or in the standard library."""
    path, at, version = str(word).partition("@")
    path = path.removesuffix("/...").removesuffix("/")
    first = path.partition("/")[0]
    remote = "." in first.strip(".") and first[:1] not in (".", "/", "~", "_") and not path.endswith(".go")
    if not path or not (remote or (at and first[:1] not in "./~")):
        return []
    return [install("go", "go", word, path, version, runs=runs)]
