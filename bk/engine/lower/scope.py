"""What a shell knows while it runs: where it is, its variables, what flows through a pipe, and how much is left."""

from __future__ import annotations

from types import MappingProxyType

from bk.engine.lower.paths import normal, resolve
from bk.engine.lower.words import UNKNOWN, Dim
from bk.engine.model import Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from tree_sitter import Node

    from bk.engine.lower.flow import Written
    from bk.engine.model import Action, Connect

    State: TypeAlias = tuple[Mapping[str, tuple[str, ...]], tuple[str, ...], str, Mapping[str, "Stream"]]

MAX_ACTIONS = 4000
MAX_NODES = 60_000
MAX_ALTERNATIVES = 4
MAX_WANTED = 32
MAX_ORIGINS = 256
NOWHERE = frozenset(
    ("", "-", "/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/urandom")
)


class SpentError(Exception):
    """The budget of one call is used up; what follows stays dark."""


class Look:
    """What lowering may know of the machine, handed in.

    `env`: variables of the shell that will run the call. `files`: texts of local files that lowering asked for, None
    for one that is absent, unreadable or too big. `trail`: paths that earlier calls of the session wrote, with what
    went into them. `fetch` gets a file at the moment it is asked for, into `files`, so that a replay needs no disk;
    without it, `wanted` says which files were missed.
    """

    __slots__ = ("env", "fetch", "files", "trail", "wanted")

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str | None] | None = None,
        trail: Mapping[str, tuple[str, ...]] | None = None,
        fetch: Callable[[str], str | None] | None = None,
    ) -> None:
        self.env = env or {}
        self.files = dict(files) if files else {}
        self.fetch = fetch
        self.trail = {} if trail is None else trail  # asking whether it is empty would read it
        self.wanted: list[str] = []

    def text(self, path: str) -> str | None:
        """The text of a local file; one that was not handed in and cannot be fetched is noted as wanted."""
        try:
            return self.files[path]
        except KeyError:
            if self.fetch is not None:
                text = self.files[path] = self.fetch(path)
                return text
            if path not in self.wanted and len(self.wanted) < MAX_WANTED:
                self.wanted.append(path)
            return None


class _Blind(Look):
    """Nothing is known, and nothing can be asked for."""

    __slots__ = ()

    def text(self, path: str) -> str | None:  # noqa: ARG002 - the same question, another answer
        """None."""
        return None


NO_LOOK = _Blind()


class Stream:
    """What one stage of a pipeline hands to the next.

    `text` is the whole of it when that is known; `names` are words it is likely to contain (the paths that `find`
    would print); `source` is the shell text that makes it; `origins` is where its data comes from (`Action.takes`);
    `paths` are the files whose contents it is, one after another, when it is nothing else.
    """

    __slots__ = ("names", "origins", "paths", "source", "text")

    def __init__(
        self,
        text: str | None = None,
        names: Sequence[str] = (),
        source: str = "",
        origins: tuple[str, ...] = (),
        paths: tuple[str, ...] = (),
    ) -> None:
        self.text = text
        self.names = tuple(names)
        self.source = source
        self.origins = origins
        self.paths = paths


class Descriptor:
    """What a file descriptor opened by `exec` leads to: connections, files, `>(…)`, and what can be read from it."""

    __slots__ = ("connects", "drains", "paths", "stream")

    def __init__(
        self,
        connects: Sequence[Connect] = (),
        paths: Sequence[str] = (),
        stream: Stream | None = None,
        drains: tuple[tuple[str, Node], ...] = (),
    ) -> None:
        self.connects = tuple(connects)
        self.paths = tuple(paths)
        self.stream = stream
        self.drains = drains


def union(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    """Both, in order, each once; too many to follow says so."""
    if not two or one is two:
        return one
    if not one:
        return two
    both = tuple(dict.fromkeys(one + two))
    return both if len(both) <= MAX_ORIGINS else (*both[:MAX_ORIGINS], "unknown")


def together(one: Stream | None, two: Stream | None) -> Stream | None:
    """What two commands print, one after the other or one instead of the other."""
    if one is None or two is None:
        kept = one or two
        return Stream(None, kept.names, kept.source, kept.origins) if kept is not None else None
    text = one.text + two.text if one.text is not None and two.text is not None else None
    return Stream(text, one.names + two.names, one.source or two.source, union(one.origins, two.origins))


def brief(text: str) -> str:
    """A text short enough to record, its end kept: that is where a pipeline says what it is for."""
    return text if len(text) <= 240 else f"{text[:120]} … {text[-110:]}"


CLEAN = Stream()
NONE: Mapping[str, Any] = MappingProxyType({})
FAR = "/~"  # the home and start folder of another machine: where it lies is its own business


class Scope:
    """State that commands read and change. What it holds is replaced, never altered: snapshots are free, and most of a
    scope is the class's own. `afar` is what was written elsewhere.

    `refs` are the variables that stand for another one, `cased` those that keep one case;
    `taints` are the variables with data from elsewhere in them; `written` is what this call has put into files,
    `links` the links it has made, `fifos` its named pipes, `descriptors` what `exec` opened. `guarded`: the words of
    the command use `${x:?}`, so that no variable in them is empty.

    `where` is put on every action: "" on this machine, else `ssh:host`, `container:name`, `cluster:pod` (entered with
    `Shell.elsewhere`). `look` is what is known of this machine; elsewhere it knows nothing.
    """

    afar: Mapping[str, dict[str, Written]] = NONE
    cased: Mapping[str, str] = NONE
    descriptors: Mapping[str, Descriptor] = NONE
    fifos: tuple[str, ...] = ()
    guarded = False
    left = MAX_NODES
    links: Mapping[str, str] = NONE
    refs: Mapping[str, str] = NONE
    taints: Mapping[str, Stream] = NONE
    vars: Mapping[str, tuple[str, ...]] = NONE
    via: tuple[str, ...] = ()
    where = ""

    def __init__(self, cwd: str, home: str, look: Look) -> None:
        self.actions: list[Action] = []
        self.start = cwd
        self.cwds: tuple[str, ...] = (cwd,)
        self.home = home
        self.look = look
        self.env = look.env
        self.written: dict[str, Written] = {}

    @property
    def cwd(self) -> str:
        """The working directory, or the likeliest of several."""
        return self.cwds[0]

    def emit(self, action: Action) -> None:
        """Add an action; the end of the budget is an exception."""
        if len(self.actions) >= MAX_ACTIONS:
            raise SpentError
        if self.where:
            action.where = self.where
        self.actions.append(action)

    def touch(
        self,
        word: str,
        mode: str,
        *,
        tree: bool = False,
        content: str | None = None,
        certain: bool = True,
        via: tuple[str, ...] = (),
    ) -> None:
        """Record that a path named by `word` is used, once for each directory we may be in."""
        if word in NOWHERE or (type(word) is Dim and word[:2] == "**" and not word.strip("*/")):
            if mode == "delete" and "/" in word and not self.guarded:
                self.emit(Touch("/**", mode, tree=True, via=self.via + via, certain=False))
            return  # nothing of it is known: it says no more than that the program ran
        cwds = self.cwds if word[0] not in "/~" else self.cwds[:1]
        for cwd in cwds:
            path = resolve(word, cwd, self.home, self.env)
            sure = certain and type(word) is not Dim and (type(cwd) is not Dim or word[0] in "/~")
            if path.endswith("/**") and not sure:
                path, under = path[:-3] or "/", True
            else:
                under = tree
            self.emit(Touch(path, mode, content=content, tree=under, via=self.via + via, certain=sure))
            if self.links:
                self._through_links(word, path, mode, under, via)

    def _through_links(self, word: str, path: str, mode: str, tree: bool, via: tuple[str, ...]) -> None:
        """A path through a link that this call made is also the path that the link leads to."""
        for link, target in self.links.items():
            if path == link:
                if mode != "delete" or word[-1:] == "/":
                    self.emit(Touch(target, mode, tree=tree, via=self.via + via))
            elif path.startswith(link + "/"):
                self.emit(Touch(normal(target + path[len(link) :]), mode, tree=tree, via=self.via + via, certain=False))

    def lookup(self, name: str) -> tuple[str, ...]:
        """The values a variable may have, unknown parts marked."""
        if self.refs:
            name = self.refs.get(name, name)
        values = self.vars.get(name)
        if values is not None:
            return values
        if name == "HOME":
            return (self.home,)
        if name == "PWD":
            return tuple(UNKNOWN if type(cwd) is Dim else cwd for cwd in self.cwds)
        if name == "IFS":
            return (" \t\n",)
        value = self.env.get(name)
        if value is None and name == "TMPDIR" and not self.where:
            return ("/tmp",)  # noqa: S108 - what programs take when it is not set
        return (UNKNOWN,) if value is None else (value,)

    def assign(self, name: str, values: tuple[str, ...], taint: Stream | None = None) -> None:
        """Set a variable, with where its data comes from; HOME moves `~` with it when its value is known."""
        if self.refs:
            name = self.refs.get(name, name)
        self.vars = {**self.vars, name: values}
        self.left -= len(self.vars) >> 6  # the copy has its price
        if taint is not None or name in self.taints:
            self.taints = {**self.taints, name: taint or CLEAN}
        if name == "HOME" and len(values) == 1 and values[0].startswith("/") and UNKNOWN not in values[0]:
            self.home = values[0]

    def chdir(self, word: str) -> None:
        """Change the working directory, as far as it can be known."""
        moved: list[str] = []
        for cwd in self.cwds:
            path = resolve(word, cwd, self.home, self.env)
            sure = type(word) is not Dim and (type(cwd) is not Dim or word[:1] in ("/", "~"))
            moved.append(path if sure else Dim(path))
        self.cwds = tuple(dict.fromkeys(moved))[:MAX_ALTERNATIVES]

    def snapshot(self) -> State:
        """The state to come back to or to merge with."""
        return self.vars, self.cwds, self.home, self.taints

    def restore(self, before: State) -> None:
        """Go back: what a subshell changed is gone."""
        self.vars, self.cwds, self.home, self.taints = before

    def merge(self, other: State) -> None:
        """Either this state or the other one holds from here on."""
        names, cwds, _, taints = other
        if cwds is not self.cwds and cwds != self.cwds:
            self.cwds = tuple(dict.fromkeys(self.cwds + cwds))[:MAX_ALTERNATIVES]
        if names is not self.vars and names != self.vars:
            both = dict(self.vars)
            for name, values in names.items():
                mine = both.get(name)
                both[name] = values if mine is None else tuple(dict.fromkeys(mine + values))[:16]
            self.vars = both
        if taints is not self.taints:
            kept = dict(taints)
            for name, stream in self.taints.items():
                theirs = kept.get(name, CLEAN)
                kept[name] = Stream(None, (), stream.source or theirs.source, union(stream.origins, theirs.origins))
            self.taints = kept
