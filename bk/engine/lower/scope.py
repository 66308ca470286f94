"""What a shell knows while it runs: where it is, its variables, what flows through a pipe, and how much is left."""

from __future__ import annotations

from bk.engine.lower.paths import resolve
from bk.engine.lower.words import UNKNOWN, Dim
from bk.engine.model import Touch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Action

MAX_ACTIONS = 4000
MAX_NODES = 60_000
MAX_ALTERNATIVES = 4
NOWHERE = frozenset(
    ("", "-", "/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/urandom")
)


class SpentError(Exception):
    """The budget of one call is used up; what follows stays dark."""


class Look:
    """What lowering may know of the machine, handed in: environment variables of the shell that will run the call."""

    __slots__ = ("env",)

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self.env = env or {}


class Stream:
    """What one stage of a pipeline hands to the next.

    `text` is the whole of it when that is known; `names` are words it is likely to contain (the paths that `find`
    would print); `source` is the shell text that makes it.
    """

    __slots__ = ("names", "source", "text")

    def __init__(self, text: str | None = None, names: Sequence[str] = (), source: str = "") -> None:
        self.text = text
        self.names = tuple(names)
        self.source = source


def brief(text: str) -> str:
    """A text short enough to record, its end kept: that is where a pipeline says what it is for."""
    return text if len(text) <= 240 else f"{text[:120]} … {text[-110:]}"


class Scope:
    """State that commands read and change. `vars` and `cwds` are replaced, never altered, so a snapshot is free."""

    __slots__ = ("actions", "cwds", "env", "home", "left", "start", "vars", "via")

    def __init__(self, cwd: str, home: str, env: Mapping[str, str]) -> None:
        self.actions: list[Action] = []
        self.start = cwd
        self.cwds: tuple[str, ...] = (cwd,)
        self.home = home
        self.env = env
        self.vars: dict[str, tuple[str, ...]] = {}
        self.via: tuple[str, ...] = ()
        self.left = MAX_NODES

    @property
    def cwd(self) -> str:
        """The working directory, or the likeliest of several."""
        return self.cwds[0]

    def emit(self, action: Action) -> None:
        """Add an action; the end of the budget is an exception."""
        if len(self.actions) >= MAX_ACTIONS:
            raise SpentError
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

    def lookup(self, name: str) -> tuple[str, ...]:
        """The values a variable may have, unknown parts marked."""
        values = self.vars.get(name)
        if values is not None:
            return values
        if name == "HOME":
            return (self.home,)
        if name == "PWD":
            return tuple(UNKNOWN if type(cwd) is Dim else cwd for cwd in self.cwds)
        if name == "IFS":
            return (" ",)
        value = self.env.get(name)
        return (UNKNOWN,) if value is None else (value,)

    def assign(self, name: str, values: tuple[str, ...]) -> None:
        """Set a variable; HOME moves `~` with it when its value is known."""
        self.vars = {**self.vars, name: values}
        if name == "HOME" and len(values) == 1 and values[0].startswith("/") and UNKNOWN not in values[0]:
            self.home = values[0]

    def chdir(self, word: str) -> None:
        """Change the working directory, as far as it can be known."""
        moved: list[str] = []
        for cwd in self.cwds:
            path = resolve(word, cwd, self.home, self.env)
            moved.append(Dim(path) if type(word) is Dim or type(cwd) is Dim else path)
        self.cwds = tuple(dict.fromkeys(moved))[:MAX_ALTERNATIVES]

    def snapshot(self) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], str]:
        """The state to come back to or to merge with."""
        return self.vars, self.cwds, self.home

    def restore(self, before: tuple[dict[str, tuple[str, ...]], tuple[str, ...], str]) -> None:
        """Go back: what a subshell changed is gone."""
        self.vars, self.cwds, self.home = before

    def merge(self, other: tuple[dict[str, tuple[str, ...]], tuple[str, ...], str]) -> None:
        """Either this state or the other one holds from here on."""
        names, cwds, _ = other
        if cwds is not self.cwds and cwds != self.cwds:
            self.cwds = tuple(dict.fromkeys(self.cwds + cwds))[:MAX_ALTERNATIVES]
        if names is not self.vars and names != self.vars:
            both = dict(self.vars)
            for name, values in names.items():
                mine = both.get(name)
                both[name] = values if mine is None else tuple(dict.fromkeys(mine + values))[:16]
            self.vars = both
