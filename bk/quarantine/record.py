"""What is asked to be held, and what is held: plain data that the manifest, the journal and every surface share."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Json

    Descriptions = Sequence[Mapping[str, str]]

KINDS = ("dir", "file_set", "config_entry")
LIVE = ("planned", "moving", "held", "restoring", "purging")
TEMPORARY = b".bk-hold-"  # a sibling that an artifact is renamed to before it is removed, or that it is copied to


class Limits:
    """How much one hold may take."""

    __slots__ = ("max_bytes",)

    def __init__(self, max_bytes: int = 2 << 30) -> None:
        self.max_bytes = max_bytes


class Hold:
    """A wish to take one artifact out of use.

    `path` is a directory (`dir`) or a settings file (`config_entry`, with `pointer` to the entry in it); `files` are
    the files of a `file_set`, all below `root`. `also` must move with it: links in a `bin`, cached copies; `rows` are
    (file, pointer) of the registries that name it, which are cut out with it. A pointer into a list is only a number,
    so `described` says what its element must hold: (pointer within it, text), all of any one description.
    """

    __slots__ = (
        "actor", "also", "described", "ecosystem", "evidence", "files", "incident", "kind", "name", "path", "pointer",
        "root", "rows", "rules", "version",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        ecosystem: str,
        name: str,
        version: str,
        *,
        path: str = "",
        files: Sequence[str] = (),
        pointer: str = "",
        root: str = "",
        also: Sequence[str] = (),
        rows: Sequence[tuple[str, str]] = (),
        described: Descriptions = (),
        incident: str = "",
        evidence: Sequence[Mapping[str, Json]] = (),
        rules: Sequence[str] = (),
        actor: str = "",
    ) -> None:
        self.kind = kind
        self.ecosystem = ecosystem
        self.name = name
        self.version = version
        self.path = path
        self.files = tuple(files)
        self.pointer = pointer
        self.root = root
        self.also = tuple(also)
        self.rows = tuple(rows)
        self.described = tuple(described)
        self.incident = incident
        self.evidence = tuple(evidence)
        self.rules = tuple(rules)
        self.actor = actor


class Part:
    """One file-system entry of a held artifact: where it was, what it is, and the slot of the payload it lies in."""

    __slots__ = ("bytes", "count", "device", "digest", "inode", "kind", "mode", "parent", "path", "slot")

    def __init__(  # noqa: PLR0917 - the columns of a manifest line
        self,
        path: bytes,
        kind: str,
        slot: int,
        device: int,
        inode: int,
        mode: int,
        parent: tuple[int, int],
        digest: str,
        count: int,
        size: int,
    ) -> None:
        self.path = path
        self.kind = kind
        self.slot = slot
        self.device = device
        self.inode = inode
        self.mode = mode  # a move may have to change it for a moment: after a crash, this is what it was
        self.parent = parent  # device and inode of the directory it is in
        self.digest = digest
        self.count = count
        self.bytes = size

    @property
    def name(self) -> bytes:
        """Its name in the payload."""
        return b"%d" % self.slot

    def told(self) -> list[Json]:
        """As the manifest has it."""
        return [os.fsdecode(self.path), self.kind, self.slot, self.device, self.inode, self.mode, list(self.parent),
                self.digest, self.count, self.bytes]  # fmt: skip

    @classmethod
    def read(cls, told: Sequence[Json]) -> Part:
        """From the manifest."""
        path, kind, slot, device, inode, mode, parent, digest, count, size = told
        return cls(os.fsencode(path), kind, slot, device, inode, mode, (*parent,), digest, count, size)


class Folder:
    """A directory that a file set may leave empty: removed with it, made again with it."""

    __slots__ = ("mode", "mtime_ns", "owner", "path")

    def __init__(self, path: bytes, mode: int, owner: tuple[int, int], mtime_ns: int) -> None:
        self.path = path
        self.mode = mode
        self.owner = owner
        self.mtime_ns = mtime_ns

    def told(self) -> list[Json]:
        """As the manifest has it."""
        return [os.fsdecode(self.path), self.mode, list(self.owner), self.mtime_ns]

    @classmethod
    def read(cls, told: Sequence[Json]) -> Folder:
        """From the manifest."""
        path, mode, owner, mtime_ns = told
        return cls(os.fsencode(path), mode, (*owner,), mtime_ns)


class Change:
    """An entry taken out of a settings file: the file's digests before and after, and where the entry was."""

    __slots__ = ("after", "before", "described", "path", "pointer", "slot")

    def __init__(  # noqa: PLR0917 - the columns of a manifest line
        self, path: bytes, pointer: str, slot: int, before: str, after: str, described: Descriptions = ()
    ) -> None:
        self.path = path
        self.pointer = pointer
        self.slot = slot
        self.before = before
        self.after = after
        self.described = tuple(described)

    @property
    def kept(self) -> bytes:
        """The name under which the vault keeps what was cut out."""
        return b"entry-%d" % self.slot

    @property
    def aside(self) -> bytes:
        """The sibling of the file that its new text is written to."""
        return TEMPORARY + b"entry-%d" % self.slot

    def told(self) -> list[Json]:
        """As the manifest has it."""
        described = [dict(each) for each in self.described]
        return [os.fsdecode(self.path), self.pointer, self.slot, self.before, self.after, described]

    @classmethod
    def read(cls, told: Sequence[Json]) -> Change:
        """From the manifest."""
        path, pointer, slot, before, after, described = told
        return cls(os.fsencode(path), pointer, slot, before, after, described)


class Held:
    """One item of the quarantine. `problem` says what is wrong with it now; "" when nothing is."""

    __slots__ = (
        "actor", "at_ms", "changes", "ecosystem", "evidence", "folders", "ident", "incident", "kind", "name", "parts",
        "problem", "root", "rules", "state", "version",
    )  # fmt: skip

    def __init__(
        self,
        ident: str,
        wanted: Hold,
        *,
        parts: Sequence[Part],
        folders: Sequence[Folder] = (),
        changes: Sequence[Change] = (),
        state: str = "planned",
        at_ms: int = 0,
        problem: str = "",
    ) -> None:
        self.ident = ident
        self.kind = wanted.kind
        self.ecosystem = wanted.ecosystem
        self.name = wanted.name
        self.version = wanted.version
        self.root = wanted.root
        self.incident = wanted.incident
        self.evidence = wanted.evidence
        self.rules = wanted.rules
        self.actor = wanted.actor
        self.parts = tuple(parts)
        self.folders = tuple(folders)
        self.changes = tuple(changes)
        self.state = state
        self.at_ms = at_ms
        self.problem = problem

    @property
    def path(self) -> str:
        """Where it was, for people."""
        first = self.parts[0].path if self.parts else self.changes[0].path if self.changes else b""
        return os.fsdecode(first)

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(part.bytes for part in self.parts)

    @property
    def count(self) -> int:
        """File-system entries kept."""
        return sum(part.count for part in self.parts)

    @property
    def digest(self) -> str:
        """One digest of everything kept."""
        from hashlib import sha256

        whole = sha256()
        for part in self.parts:
            whole.update(bytes.fromhex(part.digest))
        for change in self.changes:
            whole.update(f"{change.pointer}\0{change.before}\0{change.after}".encode(errors="surrogateescape"))
        return whole.hexdigest()

    def told(self) -> dict[str, Json]:
        """The manifest: everything that is needed to put it back without us."""
        return {
            "id": self.ident,
            "kind": self.kind,
            "ecosystem": self.ecosystem,
            "name": self.name,
            "version": self.version,
            "root": self.root,
            "incident": self.incident,
            "evidence": [dict(each) for each in self.evidence],
            "rules": list(self.rules),
            "actor": self.actor,
            "at_ms": self.at_ms,
            "parts": [part.told() for part in self.parts],
            "folders": [folder.told() for folder in self.folders],
            "changes": [change.told() for change in self.changes],
        }

    @classmethod
    def read(cls, told: Mapping[str, Json], state: str) -> Held:
        """From a manifest."""
        wanted = Hold(
            told["kind"], told["ecosystem"], told["name"], told["version"],
            root=told["root"], incident=told["incident"], evidence=told["evidence"], rules=told["rules"],
            actor=told["actor"],
        )  # fmt: skip
        return cls(
            told["id"],
            wanted,
            parts=[Part.read(part) for part in told["parts"]],
            folders=[Folder.read(folder) for folder in told["folders"]],
            changes=[Change.read(change) for change in told["changes"]],
            state=state,
            at_ms=told["at_ms"],
        )
