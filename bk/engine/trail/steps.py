"""What one judged call leaves on the trail: paths filled with something notable, and paths taken away. Pure."""

from __future__ import annotations

from bk.engine.checks.places import below, hits, home_depth, split
from bk.engine.model import Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Action

MAX_TAKES = 16
MAX_TAKE = 300
MAX_STEPS = 256
SECRET_KINDS = frozenset(
    ("secret-store", "credential-file", "user-credential", "env-file", "maybe-secret", "key-file", "system-secret")
)
_TELLING = ("key", "token", "secret", "passw", "credential", "auth", "cookie", "dsn", "private")
_NEAR = ("net:localhost", "net:127.", "net:[::1]", "net:::1")


class Step:
    """One change: `takes` is what the path is filled with, empty for a path that is taken away."""

    __slots__ = ("path", "takes", "tree")

    def __init__(self, path: str, takes: tuple[str, ...], tree: bool) -> None:
        self.path = path
        self.takes = takes
        self.tree = tree


def steps(actions: Sequence[Action], home: str, known: Mapping[str, tuple[str, ...]]) -> list[Step]:
    """The changes of a call in order. What it copies or moves from a known path carries that path's takes along."""
    found: list[Step] = []
    filled: dict[str, tuple[str, ...]] = {}
    parts = home.lower().strip("/").split("/") if home.strip("/") else []
    for action in actions:
        if type(action) is not Touch or action.where or len(found) >= MAX_STEPS:
            continue
        if action.mode == "delete":
            found.append(Step(action.path, (), action.tree))
        elif action.mode == "write" and action.takes:
            takes = _notable(action, parts, known, filled)
            if takes:
                filled[action.path] = takes
                found.append(Step(action.path, takes, action.tree))
    return found


def _notable(
    action: Touch,
    home: Sequence[str],
    known: Mapping[str, tuple[str, ...]],
    filled: Mapping[str, tuple[str, ...]],
) -> tuple[str, ...]:
    kept: dict[str, None] = {}
    for take in action.takes:
        kind, _, what = take.partition(":")
        if kind in ("file", "tree"):
            if what == action.path:
                continue
            for inner in (*known.get(what, ()), *filled.get(what, ())):
                kept[inner] = None
            if secret_place(what, home, tree=kind == "tree"):
                kept[take[:MAX_TAKE]] = None
        elif (
            kind in ("secret", "decoded")
            or (kind == "net" and not take.startswith(_NEAR))
            or (kind == "env" and (what == "*" or any(word in what.lower() for word in _TELLING)))
        ):
            kept[take[:MAX_TAKE]] = None
    return tuple(kept)[:MAX_TAKES]


def secret_place(path: str, home: Sequence[str], *, tree: bool = False) -> bool:
    """Whether a path is a place where secrets lie, or a folder with such places below."""
    if not path.startswith("/") or path == "/":
        return tree
    parts = split(path)
    if any(hit.place.kind.name in SECRET_KINDS for hit in hits(parts, home, glob=False)):
        return True
    return tree and (below(parts, home) is not None or home_depth(parts, home) == len(parts))
