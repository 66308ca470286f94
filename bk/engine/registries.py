"""From which registry a listed package would really come: the person's own settings, and what a project or call says.

A hit on a name that a registry of one's own serves may be a collision, so it is asked about. What a project, a lock
file or the call itself says can only make that stricter: softening needs the person's own files or the system's, read
as they are and contradicted by nothing. Loaded only when a record speaks of something that a call installs.
"""

from __future__ import annotations

import os
import re
import stat

from bk.engine.facts import Origin
from bk.engine.look import take
from bk.engine.model import Install, Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from bk.engine.facts import Listed
    from bk.engine.model import Action, Json, ToolCall
    from bk.engine.state import State

    _Named: TypeAlias = dict[str, str]  # scope, or "" for all packages, to host

KEY = "posture.private_registries"
# Files below the home that a person's own tools read. Every one of them is guarded: no agent writes it unasked.
HOME_FILES = {"npm": (".npmrc",), "pypi": (".config/pip/pip.conf", ".pip/pip.conf")}
SYSTEM_FILES = {"npm": ("/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc"), "pypi": ("/etc/pip.conf",)}
PROJECT_FILES = {
    "npm": (".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml"),
    "pypi": (".venv/pip.conf", "venv/pip.conf", "pip.conf", "uv.toml"),
}
READERS = {  # the managers that go by the files above
    "npm": frozenset(("npm", "npx", "pnpm", "pnpx", "pnx")),
    "pypi": frozenset(("pip", "pip3", "pipx", "python", "python3")),
}
FLAGS = {
    "npm": frozenset(("--registry", "--npmRegistryServer")),
    "pypi": frozenset(
        ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--index", "--default-index", "--pypi-index")
    ),
    "rubygems": frozenset(("-s", "--source")),
    "nuget": frozenset(("-s", "--source", "-Source", "--add-source")),
    "cargo": frozenset(("--index", "--registry")),
}
MAX_SETTINGS = 64 << 10
MAX_LOCK = 16 << 20
MAX_UP = 12
MAX_LOCKED = 8
NEAR = 1500
UNKNOWN = "?"  # a place that only shows when a tool runs
_SETTING = {
    "npm": re.compile(
        r"""^[ \t]*["']?(?:(@[\w.~-]+):)?(?:registry|npmRegistryServer)["']?[ \t]*[=: \t][ \t]*["']?([^\s"'#]+)""", re.M
    ),
    "pypi": re.compile(r"""^[ \t]*()(?:index[-_]url|url|default-index)[ \t]*=[ \t]*["']?([^\s"'#]+)""", re.M),
}
_ADDRESS = re.compile(r"""https?://(?:[^/\s"'@]*@)?(\[[0-9a-fA-F:.]+\]|[^/\s"':?#@]+)""")
_ELSEWISE = re.compile(
    r"registr|index|npm_config|npmrc|userconfig|globalconfig|\bpip_|find-links|pip\.conf|--?config", re.I
)
_PRIVATE_NAMES = names("internal local localhost lan corp home intranet private test example invalid arpa")


def origins(
    call: ToolCall,
    actions: Sequence[Action],
    *,
    installs: Iterable[Install],
    listed: Listed | None,
    state: State,
    policy: Mapping[str, Json],
) -> dict[str, Origin]:
    """For each of these installs, by `target`, the registry that would serve it when that is no public one."""
    look = _Look(call, actions, listed, state, tuple(policy.get(KEY) or ()))
    found: dict[str, Origin] = {}
    for install in installs:
        if install.source == "registry" and not install.where and install.target not in found:
            origin = look.origin(install)
            if origin is not None:
                found[install.target] = origin
    return found


class _Look:
    """What one call's surroundings say of registries; each file is read once."""

    __slots__ = ("_actions", "_call", "_listed", "_locks", "_own", "_private", "_project", "_state")

    def __init__(
        self, call: ToolCall, actions: Sequence[Action], listed: Listed | None, state: State, private: tuple[str, ...]
    ) -> None:
        self._call = call
        self._actions = actions
        self._listed = listed
        self._state = state
        self._private = private
        self._own: dict[str, list[tuple[str, _Named]]] = {}
        self._project: dict[str, list[tuple[str, _Named]]] = {}
        self._locks: dict[str, str] = {}

    def origin(self, install: Install) -> Origin | None:
        """Where this package would come from; None when that is, or may be, the public registry."""
        own = self._said_by_the_person(install)
        other = self._said_by_others(install)
        if own is not None:
            softens = other is None or other.host == own.host
            return own if softens and self._undisputed(install) else Origin(own.host, own.told)
        return other

    def _said_by_the_person(self, install: Install) -> Origin | None:
        ecosystem = install.ecosystem
        if ecosystem not in HOME_FILES or install.manager.partition(" ")[0] not in READERS[ecosystem]:
            return None
        if ecosystem not in self._own:
            paths = [f"{self._state.home.rstrip('/')}/{tail}" for tail in HOME_FILES[ecosystem]]
            self._own[ecosystem] = [
                (path, _named(ecosystem, text))
                for path in (*paths, *SYSTEM_FILES[ecosystem])
                if (text := _owned_text(path, self._state.owner))
            ]
        scope = _scope(install)
        for path, named in self._own[ecosystem]:
            if scope and scope in named and named[scope] != named.get(""):
                return Origin(named[scope], path, own=True)
        for path, named in self._own[ecosystem]:
            if "" in named:
                return Origin(named[""], path, own=True) if self._is_private(named[""]) else None
        return None

    def _said_by_others(self, install: Install) -> Origin | None:
        """A flag, a file of the project or a lock; the first that names another place."""
        ecosystem, scope = install.ecosystem, _scope(install)
        for host in self._flags(ecosystem, scope):
            return Origin(host, "the command says so")
        for path, named in self._project_files(ecosystem):
            host = named.get(scope, "") or named.get("", "")
            if host and (scope in named or self._is_private(host)):
                return Origin(host, path)
        for one in self._listed.installs if self._listed is not None else ():
            if one.source == "index" and one.ecosystem == ecosystem and self._is_private(_host(one.name)):
                return Origin(_host(one.name), one.via[-1] if one.via else "a file of the project")
        host = self._locked(install)
        return Origin(host, install.via[-1]) if host and self._is_private(host) else None

    def _undisputed(self, install: Install) -> bool:
        """Whether nothing in reach of an agent could send this install elsewhere than the person's settings do."""
        call = self._call
        if call.home != self._state.home or any(
            _ELSEWISE.search(value) for value in call.input.values() if isinstance(value, str)
        ):
            return False
        own = self._said_by_the_person(install)
        ours = own.host if own is not None else ""
        if any(host != ours for _, named in self._project_files(install.ecosystem) for host in named.values()):
            return False
        return self._locked(install) in ("", ours)

    def _flags(self, ecosystem: str, scope: str) -> list[str]:
        flags = FLAGS.get(ecosystem, frozenset())
        found = []
        for action in self._actions:
            if type(action) is not Run:
                continue
            for at, word in enumerate(action.argv):
                flag, equals, value = word.partition("=")
                if flag in flags or (ecosystem == "npm" and scope and flag == f"--{scope}:registry"):
                    found.append(_host(value if equals else (action.argv[at + 1 : at + 2] or ("",))[0]))
        return [host for host in found if host]

    def _project_files(self, ecosystem: str) -> list[tuple[str, _Named]]:
        if ecosystem not in PROJECT_FILES:
            return []
        if ecosystem not in self._project:
            made = self._project[ecosystem] = []
            folder, home = self._call.cwd.rstrip("/"), self._state.home.rstrip("/")
            for _ in range(MAX_UP):
                if folder in ("", home):
                    break
                for name in PROJECT_FILES[ecosystem]:
                    text = _text(f"{folder}/{name}")
                    if text and (named := _named(ecosystem, text)):
                        made.append((f"{folder}/{name}", named))
                folder = folder.rpartition("/")[0]
        return self._project[ecosystem]

    def _locked(self, install: Install) -> str:
        """The host that a lock file resolved this package to, "" when it names none."""
        if self._listed is None or not install.via or len(self._locks) >= MAX_LOCKED:
            return ""
        file = install.via[-1]
        for path, *_ in self._listed.looked:
            if str(path).rpartition("/")[2] == file:
                if path not in self._locks:
                    self._locks[path] = take(path, [], MAX_LOCK)[0] or ""
                return _resolved(self._locks[path], install.name)
        return ""

    def _is_private(self, host: str) -> bool:
        return evidently_private(host) or any(host == one or host.endswith(f".{one}") for one in self._private)


def evidently_private(host: str) -> bool:
    """Whether a host cannot be a public registry: an address or a name that the open network does not have."""
    if not host or host == UNKNOWN:
        return False
    if host[0] == "[":
        return host[1:5].lower().startswith(("::1", "fc", "fd", "fe80"))
    parts = host.rstrip(".").split(".")
    if len(parts) == 4 and all(part.isdigit() and len(part) < 4 for part in parts):
        first, second = int(parts[0]), int(parts[1])
        return first in (0, 10, 127) or (first, second) in ((192, 168), (169, 254)) or (
            first == 172 and 16 <= second < 32
        )  # fmt: skip
    return len(parts) == 1 or parts[-1] in _PRIVATE_NAMES


def _named(ecosystem: str, text: str) -> _Named:
    """The hosts that a settings file names, by scope; what is no plain address is kept as a place nobody knows."""
    found: _Named = {}
    for match in _SETTING[ecosystem].finditer(text):
        found[(match[1] or "").lower()] = _host(match[2]) or UNKNOWN
    return found


def _scope(install: Install) -> str:
    return install.name.partition("/")[0].lower() if install.ecosystem == "npm" and install.name[:1] == "@" else ""


def _host(url: str) -> str:
    match = _ADDRESS.match(url[url.find("+") + 1 :] if "+http" in url[:12] else url)
    return match[1].lower() if match else ""


def _resolved(text: str, name: str) -> str:
    """The first address that stands close behind the package's name."""
    for quote in ('"', "'", "/", " ", ""):
        at = text.find(f"{quote}{name}")
        if at >= 0:
            match = _ADDRESS.search(text, at, at + NEAR)
            return match[1].lower() if match else ""
    return ""


def _owned_text(path: str, owner: int) -> str:
    """A file's text when only its owner, who is this user or root, can have written it, and it is no link."""
    try:
        info = os.lstat(path)
    except OSError:
        return ""
    if not stat.S_ISREG(info.st_mode) or info.st_uid not in (owner, 0) or info.st_mode & 0o022:
        return ""
    return _text(path)


def _text(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return ""
        return os.read(fd, MAX_SETTINGS).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(fd)
