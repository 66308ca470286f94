"""What wiring is made of: a client, the files that it reads at each scope, and what has to stand in them."""

from __future__ import annotations

from bk.engine.wiring.command import line, script, unshelled
from bk.engine.wiring.plugins import plugin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bk.engine.model import Json

USER, PROJECT, MANAGED = "user", "project", "managed"
SECONDS = 10  # how long a client waits for us; we answer well before


class Row:
    """One entry in a list at `names` of a file, for one event of the client."""

    __slots__ = ("names", "row")

    def __init__(self, names: tuple[str, ...], row: Mapping[str, Json]) -> None:
        self.names = names
        self.row = dict(row)


class Plan:
    """What one file has to hold: `rows` in its lists, `states` as single settings, or `whole` as all of it."""

    __slots__ = ("form", "mode", "path", "rows", "states", "whole")

    def __init__(
        self,
        path: str,
        form: str,
        *,
        rows: tuple[Row, ...] = (),
        states: tuple[tuple[tuple[str, ...], Json], ...] = (),
        whole: str = "",
        mode: int = 0o600,
    ) -> None:
        self.path = path
        self.form = form
        self.rows = rows
        self.states = states
        self.whole = whole
        self.mode = mode


class Client:
    """A client: how it is recognised on a machine, and its plans by scope.

    `deny` is what it has to read on standard output to take a missing guard for a no; most go by the exit code.
    """

    __slots__ = ("caveat", "deny", "deny_exit", "folders", "name", "plans", "programs", "title")

    def __init__(
        self,
        name: str,
        title: str,
        *,
        folders: str,
        programs: str,
        plans: Mapping[str, Callable[[Say], tuple[Plan, ...]]],
        caveat: str = "",
        deny: str = "",
        deny_exit: int = 2,
    ) -> None:
        self.name = name
        self.title = title
        self.deny = deny
        self.deny_exit = deny_exit
        self.folders = tuple(folders.split())
        self.programs = tuple(programs.split())
        self.plans = dict(plans)
        self.caveat = caveat


class Say:
    """The words of one client's command, with the program that is installed here."""

    __slots__ = ("client", "deny", "deny_exit", "program")

    def __init__(self, program: str, client: Client) -> None:
        self.program = program
        self.client = client.name
        self.deny = client.deny
        self.deny_exit = client.deny_exit

    def line(self, event: str = "") -> str:
        """For a client that hands the command to a shell."""
        return line(self.program, self.client, deny=self.deny, deny_exit=self.deny_exit, event=event)

    def words(self, event: str = "") -> str:
        """For a client that splits it into words."""
        return unshelled(self.line(event))

    def script(self, event: str = "") -> str:
        """For a client that starts a file."""
        return script(self.program, self.client, deny=self.deny, deny_exit=self.deny_exit, event=event)

    def plugin(self, kind: str) -> str:
        """For a client that loads a program of ours into itself."""
        return plugin(kind, self.program, self.client)
