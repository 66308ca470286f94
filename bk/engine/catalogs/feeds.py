"""The feeds as this installation sees them: which are wanted, what each still needs, and where its files lie."""

from __future__ import annotations

import os
import stat

from bk.engine.catalogs import accepted
from bk.engine.catalogs.store import Held
from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.catalogs.store import Store
    from bk.engine.intel.sources.source import Source
    from bk.engine.model import Json
    from bk.engine.state import State

TOKEN_MAX = 4096
UNTOLD = "it was kept back; the reason was lost with the database"


def sources() -> tuple[Source, ...]:
    """Every feed that bk knows."""
    from bk.engine.intel.sources.every import SOURCES

    return SOURCES


def by_name(name: str) -> Source | None:
    """The feed of this name."""
    return next((source for source in sources() if source.name == name), None)


def wanted(name: str, values: Mapping[str, Json]) -> bool:
    """Whether a person wants this feed to be asked and heard."""
    return bool(values.get(f"catalogs.{name}.enabled", False))


def missing(source: Source, state: State, values: Mapping[str, Json]) -> str:
    """What a person must still give before the feed can be asked, in words; "" when nothing."""
    lacks = []
    for need in source.needs.split(" and ") if source.needs else ():
        stated = values.get(f"catalogs.{source.name}.{need}")
        if not (os.path.exists(token_path(source.name, state)) if need == "token" else stated):
            lacks.append(need)
    return " and ".join(lacks)


def token(name: str, state: State) -> str:
    """The token a person left for this feed, "" when there is none; refused when others could read it."""
    path = token_path(name, state)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise BkError("the token cannot be read", f"{path}: {error.strerror}") from error
    with open(fd, "rb") as file:
        info = os.fstat(fd)
        if info.st_mode & 0o077 or not stat.S_ISREG(info.st_mode) or info.st_uid not in (state.owner, os.geteuid()):
            raise BkError("the token is not its owner's alone", path, f"chmod 600 {path}")
        text = file.read(TOKEN_MAX + 1).decode("ascii", errors="replace").strip()
    if not text or len(text) > TOKEN_MAX or not text.isprintable() or " " in text:
        raise BkError("the token is not one line of text", path, "write the token alone into the file")
    return text


def token_path(name: str, state: State) -> str:
    """Where a person leaves the token of a feed."""
    return f"{state.keys}/{name}.token"


def holds(state: State, store: Store) -> dict[str, Held]:
    """What waits for a person, also when the database that said why was lost."""
    found = store.holds()
    for name in kept(state):
        path = f"{folder(name, state)}/{accepted.HELD}"
        if name not in found and os.path.exists(path):
            head = accepted.head(path)
            found[name] = Held(name, UNTOLD, 0, 0, digest=head.digest if head else "")
    return found


def kept(state: State) -> list[str]:
    """Every source of which there is anything here."""
    try:
        return sorted(name for name in os.listdir(f"{state.intel}/feeds") if not name.startswith("."))
    except FileNotFoundError:
        return []


def folder(name: str, state: State) -> str:
    """Where everything of one source lies."""
    return f"{state.intel}/feeds/{name}"


def files(name: str, state: State) -> str:
    """Where the files of one source lie as they were received."""
    return f"{folder(name, state)}/files"
