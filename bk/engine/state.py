"""Where things live on disk, with which modes, and which uid owns the engine: decided here and nowhere else.

The native client reads the same root-owned placement file, so moving the engine under its own uid is an edit of that
file and not of code.
"""

from __future__ import annotations

import os
import stat

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLACE = "/etc/bk/place"
SOCKET_MAX = 107  # sun_path, less its NUL


class State:
    """The paths of one installation. `owner` is the uid that may own the engine and the state, `callers` those that
    may ask it: the owner alone, unless a placement file puts the engine under a uid of its own."""

    __slots__ = ("callers", "home", "owner", "placed", "root", "socket")

    def __init__(
        self,
        root: str,
        home: str,
        owner: int,
        socket: str = "",
        *,
        placed: bool = False,
        callers: Sequence[int] = (),
    ) -> None:
        self.root = root
        self.home = home
        self.owner = owner
        self.socket = socket or f"{root}/run/engine.sock"
        self.placed = placed
        self.callers = frozenset(callers or (owner,))

    @property
    def audit(self) -> str:
        """The ledger's current segment."""
        return f"{self.root}/audit.db"

    @property
    def mark(self) -> str:
        """The ledger's high-water mark, outside the database on purpose."""
        return f"{self.root}/mark/audit.mark"

    @property
    def keys(self) -> str:
        """Signing and sealing keys."""
        return f"{self.root}/keys"

    @property
    def config(self) -> str:
        """The user's config.toml."""
        return f"{self.root}/config.toml"

    @property
    def snapshot(self) -> str:
        """Config and rules as the hot path reads them."""
        return f"{self.root}/run/snapshot.json"

    @property
    def intel(self) -> str:
        """Generations of the threat index."""
        return f"{self.root}/intel"

    @property
    def run(self) -> str:
        """Socket, locks and pid: gone after a reboot without loss."""
        return os.path.dirname(self.socket)

    @property
    def engine_lock(self) -> str:
        """Held for as long as an engine runs."""
        return f"{self.run}/engine.lock"

    @property
    def log(self) -> str:
        """The engine's own messages, rotated at 1 MiB."""
        return f"{self.root}/engine.log"

    def ensure(self) -> None:
        """Create the directories with owner-only modes; refuse a root that others can reach or that is not ours."""
        for path in (self.root, f"{self.root}/mark", self.keys, self.intel, self.run):
            shared = path == self.run and self.callers != {self.owner}
            try:
                os.makedirs(path, mode=0o711 if shared else 0o700, exist_ok=True)
                info = os.lstat(path)
            except OSError as error:
                raise BkError(
                    "the state directory cannot be used",
                    f"{path}: {error.strerror}",
                    "make it writable for you, or free the disk it is on",
                ) from error
            trusted(path, info, self.owner, shared=shared)


def trusted(path: str, info: os.stat_result, owner: int, *, shared: bool = False) -> None:
    """Refuse a directory that somebody else owns, that others may enter (when `shared`: write), or that is a link."""
    if stat.S_ISLNK(info.st_mode):
        raise BkError("the state directory is a symbolic link", path, "replace it by a real directory")
    if info.st_uid != owner:
        raise BkError("the state directory belongs to another user", f"{path}: uid {info.st_uid}, not {owner}")
    if info.st_mode & (0o022 if shared else 0o077):
        raise BkError(
            "the state directory is open to others", f"{path}: mode {info.st_mode & 0o777:o}", f"chmod 700 {path}"
        )


def locate(env: Mapping[str, str], cwd: str = "") -> State:
    """Find this user's installation: the placement file, else BK_HOME, else ~/.bk.

    BK_HOME is for tests and second installations. It is refused where a project could have set it: when it is
    relative, or lies in (or leads into) the working directory's project. The clients say the same in the same words.
    """
    uid = os.geteuid()
    home = _one_slash(env.get("HOME", ""))
    moved = _one_slash(env.get("BK_HOME", ""))
    placed = _placement()
    if home and not os.path.isabs(home):
        raise BkError("HOME is not an absolute path", home, "set HOME to your home directory")
    home = os.path.normpath(home or "/")
    if placed:
        owner, callers = int(placed.get("uid", uid)), _uids(placed.get("callers", ""))
        return State(placed["state"], home, owner, placed.get("socket", ""), placed=True, callers=callers)
    if not moved:
        return State(f"{home}/.bk" if home != "/" else "/.bk", home, uid)
    if not os.path.isabs(moved):
        raise BkError("BK_HOME is refused: it is not an absolute path", moved, "unset BK_HOME")
    root = os.path.normpath(moved)
    if cwd and _inside_project(root, cwd, home):
        raise BkError("BK_HOME is refused: it lies in the project that is being worked on", root, "unset BK_HOME")
    if cwd and _inside_project(os.path.realpath(root), cwd, home):
        raise BkError("BK_HOME is refused: it leads into the project that is being worked on", root, "unset BK_HOME")
    return State(root, home, uid)


def _one_slash(path: str) -> str:
    """POSIX lets two leading slashes mean something else; here they must not hide that a path lies in a project."""
    return "/" + path.lstrip("/") if path.startswith("//") else path


def _uids(text: str) -> list[int]:
    """The uids that a placement file lets talk to an engine under its own uid."""
    words = text.replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() for word in words):
        raise BkError("the placement file names callers that are no uids", PLACE, "callers=1000 1001")
    return [int(word) for word in words]


def _placement() -> dict[str, str]:
    """`key=value` lines of a placement file that only root can have written; empty when there is none."""
    try:
        info = os.lstat(PLACE)
        with open(PLACE, encoding="utf-8") as file:
            text = file.read(4096)
    except OSError:
        return {}
    if info.st_uid != 0 or info.st_mode & 0o022 or not stat.S_ISREG(info.st_mode):
        raise BkError("the placement file is not root's alone", PLACE, f"chown root {PLACE} && chmod 644 {PLACE}")
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    placed = {key.strip(): value.strip() for key, value in pairs}
    if not os.path.isabs(placed.get("state", "")) or not placed.get("socket", "/").startswith("/"):
        raise BkError("the placement file names no state directory", PLACE, "add a line state=/absolute/path")
    if not placed.get("uid", "0").isdecimal():
        raise BkError("the placement file names no uid", PLACE, "add a line uid=NUMBER, or leave it out")
    return placed


def _inside_project(root: str, cwd: str, home: str) -> bool:
    """Whether `root` is in the working directory, or in a repository above it that is not the home directory."""
    here = os.path.normpath(cwd)
    top = here
    probe = here
    while probe not in ("/", home):
        if os.path.lexists(f"{probe}/.git"):
            top = probe
        probe = os.path.dirname(probe)
    if top in ("/", home):
        return False
    return root == top or root.startswith(top + "/")
