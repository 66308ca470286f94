"""Which generation of the index is in force, and the facts that a release brings along for the time before the first.

`<state>/intel/current` names a generation; it is replaced by rename, so a reader sees the old one or the new one. The
hot path pays for one small read and one stat; everything that makes or changes generations is in `generations`.
"""

from __future__ import annotations

import os

from bk.engine.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json
    from bk.engine.state import State

NEXT_STEP = "bk catalogs rebuild, or bk catalogs rollback --admin"
FACTS = f"{os.path.dirname(os.path.abspath(__file__))}/bundled/facts.tsv"
SOURCES = f"{os.path.dirname(FACTS)}/SOURCES.toml"
BUNDLED = "bundled"
PREFIX, SUFFIX = "generation-", ".index"
POINTER_MAX = 512


def ensure(state: State) -> str:
    """The path of the generation in force.

    The bundled facts are compiled when there has been no generation at all, and anew when nothing but an older
    release's bundle, or one in an older format, is in force: a generation that holds more is never replaced by them.
    """
    found = current(state)
    if found is not None and not outdated(found):
        return found[0]
    from bk.engine.intel import generations

    state.ensure()
    with generations.Lock(state):
        found = current(state)
        if found is not None and not outdated(found):
            return found[0]
        if found is None and not generations.fresh(state):
            raise refusal(f"{state.intel}/current is missing although there were generations")
        return generations.compile_bundle(state).path


def current(state: State) -> tuple[str, str, str] | None:
    """(path, origin, stamp) of the generation in force; None before the first; a Refusal when it cannot be told."""
    pointer = f"{state.intel}/current"
    try:
        fd = os.open(pointer, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            text = os.read(fd, POINTER_MAX)
        finally:
            os.close(fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refusal(f"{pointer}: {error.strerror}") from error
    lines = text.decode(errors="replace").split("\n")
    if len(lines) != 4 or lines[3] or not number_of(lines[0]):
        raise refusal(f"{pointer} does not name a generation")
    path = f"{state.intel}/{lines[0]}"
    if not os.path.exists(path):
        raise refusal(f"{path} is missing")
    return path, lines[1], lines[2]


def outdated(found: tuple[str, str, str]) -> bool:
    """Whether this is nothing but an older release's bundle."""
    return found[1] == BUNDLED and found[2] != stamp()


def stamp() -> str:
    """What tells one release's bundle, in this release's format, from another's."""
    from bk.engine.intel.index import VERSION

    try:
        info = os.stat(FACTS)
    except OSError as error:
        raise Refusal("index", f"bk's own threat facts are missing: {FACTS}", "reinstall bk") from error
    return f"{VERSION}.{info.st_size}.{info.st_mtime_ns}"


def number_of(name: str) -> int:
    """The number in a generation's file name; 0 when it is none."""
    digits = name.removeprefix(PREFIX).removesuffix(SUFFIX)
    whole = f"{PREFIX}{digits}{SUFFIX}" == name and digits.isascii() and digits.isdigit() and len(digits) == 6
    return int(digits) if whole else 0


def sources() -> dict[str, Json]:
    """The sources of the bundled facts: from when, whose, how many."""
    import tomllib

    with open(SOURCES, "rb") as file:
        told = tomllib.load(file)
    return {
        label: {name: source[name] for name in ("date", "group", "records")} for label, source in told["source"].items()
    }


def refusal(why: str) -> Refusal:
    """The one way in which the generation in force cannot be had."""
    return Refusal("index", f"the threat index cannot be used: {why}", NEXT_STEP)
