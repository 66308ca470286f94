"""The six nouns. Nothing else crosses a wall between rooms.

They are hand-written slotted classes because a cold hook call pays for every import: `dataclasses` alone costs as
much as everything else that call needs.
"""

from __future__ import annotations

from enum import IntEnum

from bk.engine.noun import Noun, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    Json: TypeAlias = Any


class Level(IntEnum):
    """The verdict ladder. Merging is `max`, so it does not depend on order."""

    ALLOW = 0
    WARN = 1
    ASK = 2
    BLOCK = 3
    QUARANTINE = 4

    @property
    def word(self) -> str:
        """The name that people, configs and ledgers use."""
        return WORDS[self]

    @classmethod
    def of(cls, word: str) -> Level:
        """The level with this name; raises ValueError for any other text."""
        return cls(WORDS.index(word))

    @property
    def denies(self) -> bool:
        """Whether the call must not run."""
        return self >= Level.BLOCK


WORDS = ("allow", "warn", "ask", "block", "quarantine")


class ToolCall(Noun):
    """One thing an agent asks to do, normalised from any harness, gateway or sensor.

    `kind` is what the tool is (`shell read write edit search fetch mcp install agent other`), told by the surface,
    because only the surface knows its client's tool names. `input` is what the client sent, untouched.
    `claims` is what the environment says of the agent: recorded, never trusted. `unknown` says that the surface knows
    its client but not this tool, which is then understood by the shape of its arguments.
    """

    __slots__ = (
        "call_id", "claims", "cwd", "event", "harness", "home", "input", "kind", "response", "session", "tool",
        "unknown",
    )  # fmt: skip

    def __init__(
        self,
        tool: str,
        kind: str,
        input: Mapping[str, Json],  # noqa: A002 - the word every harness uses
        *,
        harness: str = "manual",
        event: str = "pre",
        cwd: str = "/",
        home: str = "/",
        session: str = "",
        call_id: str = "",
        claims: Mapping[str, str] | None = None,
        response: Json = None,
        unknown: bool = False,
    ) -> None:
        self.tool = tool
        self.kind = kind
        self.input = input
        self.harness = harness
        self.event = event
        self.cwd = cwd
        self.home = home
        self.session = session
        self.call_id = call_id
        self.claims = claims or {}
        self.response = response
        self.unknown = unknown


class Action(Noun):
    """One effect a call would have. The subclasses below are its only kinds; checks look at nothing else.

    `via` tells how lowering got here, outermost first (`("sudo", "bash -c")`); `certain` is False when part of the
    target could not be known (an unset variable, a glob), in which case the target is the best that is known.
    `takes` names where the data that goes into the action comes from, as far as it was followed: `run:PROGRAM`,
    `file:/path`, `tree:/path`, `net:HOST`, `env:NAME` (`env:*` is all of it), `secret:WHAT`, `decoded`, `unknown`.
    `where` is "" on this machine, else the other place it happens in: `ssh:host`, `container:name`, `cluster:pod`.
    """

    __slots__ = ("certain", "takes", "via", "where")
    word = "act"

    def __init__(self, *, via: tuple[str, ...] = (), certain: bool = True) -> None:
        self.via = via
        self.certain = certain
        self.takes: tuple[str, ...] = ()
        self.where = ""

    @property
    def target(self) -> str:
        """What the effect falls on, in one line."""
        return ""


class Run(Action):
    """Run a program: `argv[0]` is the program as written, `program` its base name.

    `stdin` is the whole text it is fed, when that is known (a heredoc, a pipe from `echo`).
    """

    __slots__ = ("argv", "cwd", "program", "stdin")
    word = "run"

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: str = "/",
        stdin: str | None = None,
        via: tuple[str, ...] = (),
        certain: bool = True,
    ) -> None:
        super().__init__(via=via, certain=certain)
        self.argv = tuple(argv)
        self.cwd = cwd
        self.stdin = stdin
        self.program = self.argv[0].rsplit("/", 1)[-1] if self.argv else ""

    @property
    def target(self) -> str:
        """The command line; words that need it are quoted, so that their ends stay visible."""
        return " ".join(map(quoted, self.argv))


class Touch(Action):
    """Use a path. `mode` is `read`, `write`, `delete` or `list`; `path` is absolute and lexically normal.

    `content` is the whole new text when the call states it; `edits` are (old, new, every) replacements.
    `tree` means the path and everything under it (`rm -r`, `cp -r`, a directory listing).
    """

    __slots__ = ("content", "edits", "mode", "path", "tree")
    word = "touch"

    def __init__(
        self,
        path: str,
        mode: str,
        *,
        content: str | None = None,
        edits: Sequence[tuple[str, str, bool]] = (),
        tree: bool = False,
        via: tuple[str, ...] = (),
        certain: bool = True,
    ) -> None:
        super().__init__(via=via, certain=certain)
        self.path = path
        self.mode = mode
        self.content = content
        self.edits = tuple(edits)
        self.tree = tree

    @property
    def target(self) -> str:
        """The path."""
        return self.path


class Connect(Action):
    """Open a connection. `sends` is True when the call would carry data out; `method` is HTTP's word, "" unknown."""

    __slots__ = ("host", "method", "port", "sends", "url")
    word = "connect"

    def __init__(
        self,
        url: str,
        host: str,
        port: int = 0,
        *,
        sends: bool = False,
        method: str = "",
        via: tuple[str, ...] = (),
        certain: bool = True,
    ) -> None:
        super().__init__(via=via, certain=certain)
        self.method = method
        self.url = url
        self.host = host
        self.port = port
        self.sends = sends

    @property
    def target(self) -> str:
        """The URL as written."""
        return self.url


class Install(Action):
    """Fetch or run a package. `version` is "" when the call names none; `source` is `registry git url file`."""

    __slots__ = ("ecosystem", "manager", "name", "runs", "source", "version")
    word = "install"

    def __init__(
        self,
        ecosystem: str,
        name: str,
        version: str = "",
        *,
        manager: str = "",
        source: str = "registry",
        runs: bool = False,
        via: tuple[str, ...] = (),
        certain: bool = True,
    ) -> None:
        super().__init__(via=via, certain=certain)
        self.ecosystem = ecosystem
        self.name = name
        self.version = version
        self.manager = manager
        self.source = source
        self.runs = runs

    @property
    def target(self) -> str:
        """`ecosystem:name@version`."""
        return f"{self.ecosystem}:{self.name}" + (f"@{self.version}" if self.version else "")


class McpCall(Action):
    """Call a tool of an MCP server."""

    __slots__ = ("input", "server", "tool")
    word = "mcp"

    def __init__(
        self,
        server: str,
        tool: str,
        input: Mapping[str, Json],  # noqa: A002 - the protocol's word
        *,
        via: tuple[str, ...] = (),
    ) -> None:
        super().__init__(via=via)
        self.server = server
        self.tool = tool
        self.input = input

    @property
    def target(self) -> str:
        """`server/tool`."""
        return f"{self.server}/{self.tool}"


class Opaque(Action):
    """Something lowering could not see through: a syntax error, a computed program name, a limit reached."""

    __slots__ = ("text", "why")
    word = "opaque"

    def __init__(self, why: str, text: str, *, via: tuple[str, ...] = ()) -> None:
        super().__init__(via=via, certain=False)
        self.why = why
        self.text = text

    @property
    def target(self) -> str:
        """The text that stayed dark."""
        return self.text


class Finding(Noun):
    """What one check believes about one action: rule id, level, reason, evidence, and what to do instead."""

    __slots__ = ("action", "evidence", "instead", "level", "reason", "rule")

    def __init__(
        self,
        rule: str,
        level: Level,
        reason: str,
        *,
        action: Action | None = None,
        evidence: Mapping[str, Json] | None = None,
        instead: str = "",
    ) -> None:
        self.rule = rule
        self.level = level
        self.reason = reason
        self.action = action
        self.evidence = evidence or {}
        self.instead = instead


class Verdict(Noun):
    """The answer to a call, with every finding that led to it, strongest first.

    `failure` is set when there was no decision to make because something broke (`malformed`, `deadline`, `index` …);
    the level is then what `fail_mode` says.
    """

    __slots__ = ("failure", "findings", "level")

    def __init__(self, level: Level, findings: Sequence[Finding] = (), *, failure: str = "") -> None:
        self.level = level
        self.findings = tuple(sorted(findings, key=lambda f: (-f.level, f.rule)))
        self.failure = failure

    @property
    def reason(self) -> str:
        """The three strongest reasons in one line; empty for a plain allow."""
        seen: dict[str, None] = {}
        for finding in self.findings:
            if finding.level > Level.ALLOW:
                seen.setdefault(f"{finding.reason} [{finding.rule}]")
        told = list(seen)
        more = f" (+{len(told) - 3} more)" if len(told) > 3 else ""
        return "; ".join(told[:3]) + more

    @property
    def instead(self) -> str:
        """The strongest finding's advice."""
        return next((f.instead for f in self.findings if f.instead), "")


class Entry(Noun):
    """One record of what happened. `data` is JSON; `seq` is 0 until the ledger has chained and committed it.

    `kind` is `decision result config engine admin catalog incident responder segment`; `level` is a verdict word or "".
    `call` identifies one hook request: a second append with the same `call` finds the first instead.
    """

    __slots__ = ("actor", "at", "call", "data", "kind", "level", "seq")

    def __init__(
        self,
        kind: str,
        actor: str,
        data: Mapping[str, Json],
        *,
        level: str = "",
        call: str = "",
        at: int = 0,
        seq: int = 0,
    ) -> None:
        self.kind = kind
        self.actor = actor
        self.data = data
        self.level = level
        self.call = call
        self.at = at
        self.seq = seq


class Incident(Noun):
    """Something a person must look at. `state` is `open acknowledged closed`; `entry` is the ledger row behind it."""

    __slots__ = ("at", "detail", "entry", "ident", "kind", "level", "next_step", "state", "title")

    def __init__(
        self,
        ident: str,
        kind: str,
        level: str,
        title: str,
        *,
        detail: str = "",
        next_step: str = "",
        state: str = "open",
        at: int = 0,
        entry: int = 0,
    ) -> None:
        self.ident = ident
        self.kind = kind
        self.level = level
        self.title = title
        self.detail = detail
        self.next_step = next_step
        self.state = state
        self.at = at
        self.entry = entry
