"""One thing that is installed: what was seen, and apart from it the artifact that a move would have to take.

The two are kept apart because confusing them is how a whole project gets moved for one line of its lock file.
"""

from __future__ import annotations

from urllib.parse import quote

from bk.engine.intel.names import canonical_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.model import Json

DIR, FILE_SET, CONFIG_ENTRY, NONE = "dir", "file_set", "config_entry", "none"
INSTALLED, CACHED, CONFIGURED, LOCKED = "installed", "cached", "configured", "locked"
LOCATOR_KINDS = frozenset((DIR, FILE_SET, CONFIG_ENTRY, NONE))
ITEM_KINDS = frozenset((INSTALLED, CACHED, CONFIGURED, LOCKED))
_PURL = {
    "go": "golang",
    "rubygems": "gem",
    "packagist": "composer",
    "homebrew": "brew",
    "editor-extension": "vscode-extension",
}
_GENERIC = frozenset(("mcp", "browser-extension", "agent-skill"))


class Locator:
    """Where an artifact lies: a directory, a set of files, an entry of a configuration, or nowhere that is known.

    `files` are absolute; `pointer` is RFC 6901 into `path`; `also` is what must move with it: cache entries, command
    links, rows of registries as `file#pointer`.
    """

    __slots__ = ("also", "files", "kind", "path", "pointer")

    def __init__(
        self,
        kind: str,
        path: str = "",
        files: Iterable[str] = (),
        pointer: str = "",
        also: Iterable[str] = (),
    ) -> None:
        if kind not in LOCATOR_KINDS:
            raise ValueError(f"no such kind of artifact: {kind}")
        if (kind in (DIR, CONFIG_ENTRY)) != bool(path):
            raise ValueError(f"an artifact of kind {kind} {'needs a' if not path else 'has no'} path")
        self.kind = kind
        self.path = path
        self.files = tuple(files)
        self.pointer = pointer
        self.also = tuple(also)

    def _parts(self) -> tuple[str, str, tuple[str, ...], str, tuple[str, ...]]:
        return self.kind, self.path, self.files, self.pointer, self.also

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Locator) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        return f"Locator{self._parts()}"


NOWHERE = Locator(NONE)


class Item:
    """One observation: `observed` is the file that says so, `root` the project or environment it belongs to."""

    __slots__ = (
        "confidence",
        "direct",
        "ecosystem",
        "kind",
        "locator",
        "manager",
        "name",
        "note",
        "observed",
        "origin",
        "root",
        "scripts",
        "version",
    )

    def __init__(
        self,
        ecosystem: str,
        name: str,
        version: str,
        *,
        manager: str,
        kind: str,
        observed: str,
        locator: Locator = NOWHERE,
        root: str = "",
        origin: str = "",
        direct: bool | None = None,
        scripts: Iterable[str] = (),
        confidence: str = "exact",
        note: str = "",
    ) -> None:
        if kind not in ITEM_KINDS:
            raise ValueError(f"no such kind of item: {kind}")
        self.ecosystem = ecosystem
        self.name = canonical_name(ecosystem, name)
        self.version = version
        self.manager = manager
        self.kind = kind
        self.observed = observed
        self.locator = locator
        self.root = root
        self.origin = origin
        self.direct = direct
        self.scripts = tuple(scripts)
        self.confidence = confidence
        self.note = note

    @property
    def key(self) -> str:
        """The natural key: the same artifact has it in every run, two artifacts never share it."""
        at = self.locator
        place = at.path or min(at.files, default=self.observed)
        return "\0".join((self.ecosystem, self.name, self.version, at.kind, place, at.pointer))

    @property
    def purl(self) -> str:
        """The package URL, by which other tools know it."""
        name = "/".join(quote(part, safe="") for part in _spelled(self).split("/"))
        kind = "generic" if self.ecosystem in _GENERIC else _PURL.get(self.ecosystem, self.ecosystem)
        version = f"@{quote(self.version, safe='', errors='replace')}" if self.version else ""
        return f"pkg:{kind}/{name}{version}"

    def plain(self) -> dict[str, Json]:
        """The item as JSON says it."""
        at = self.locator
        return {
            "ecosystem": self.ecosystem,
            "name": self.name,
            "version": self.version,
            "purl": self.purl,
            "manager": self.manager,
            "kind": self.kind,
            "observed": self.observed,
            "artifact": {
                "kind": at.kind,
                "path": at.path,
                "files": list(at.files),
                "pointer": at.pointer,
                "also": list(at.also),
            },
            "root": self.root,
            "origin": self.origin,
            "direct": self.direct,
            "scripts": list(self.scripts),
            "confidence": self.confidence,
            "note": self.note,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and all(getattr(self, one) == getattr(other, one) for one in self.__slots__)

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Item({self.ecosystem}:{self.name}@{self.version}, {self.kind}, {self.locator!r})"


def _spelled(item: Item) -> str:
    """A name as package URLs divide it: a namespace, a slash, a name."""
    name = item.name.encode(errors="replace").decode()
    if item.ecosystem == "maven":
        return name.replace(":", "/", 1)
    if item.ecosystem == "editor-extension":
        return name.replace(".", "/", 1)
    return name
