"""Commands behind a door: `kubectl exec POD -- CMD`, `uv run CMD`, `vagrant ssh -c TEXT` share one shape, as data."""

from __future__ import annotations

from bk.engine.lower import inside
from bk.engine.lower.flow import settle
from bk.engine.lower.operands import effects
from bk.engine.lower.words import Dim
from bk.engine.lower.wrappers import glued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell


class Door:
    """One verb that leads to a command: `name` is the program and the words after its global options.

    `place` is where the command runs (`ssh`, `container`, `cluster`; "" is here), called by the first of `skip`
    operands or the value of one of `named`. `codes`: options whose value is shell text. `text`: the words are joined
    and read by a shell. `dash`: the command comes only after `--`. `enters`: options whose value is the program.
    `first`: takes of the global options. `cwd`: options naming the folder. `feeds`: without a command, stdin is one.
    `ends`: options after which all is the command. `strict`: options end at the last skipped operand. `versioned`: the
    program may carry a version (`tool@1.2`).
    """

    __slots__ = (
        "codes",
        "cwd",
        "dash",
        "ends",
        "enters",
        "feeds",
        "first",
        "label",
        "named",
        "place",
        "program",
        "skip",
        "strict",
        "takes",
        "text",
        "verbs",
        "versioned",
    )

    def __init__(
        self,
        name: str,
        takes: str = "",
        *,
        place: str = "",
        skip: int = 0,
        codes: str = "",
        text: bool = False,
        dash: bool = False,
        enters: str = "",
        named: str = "",
        first: str = "",
        cwd: str = "",
        feeds: bool = False,
        ends: str = "",
        strict: bool = False,
        versioned: bool = False,
    ) -> None:
        self.program, *verbs = name.split()
        self.verbs = tuple(tuple(verb.split("|")) for verb in verbs)
        self.label = (" ".join((self.program, *(verb[0] for verb in self.verbs))),)
        self.codes = frozenset(codes.split())
        self.enters = frozenset(enters.split())
        self.named = frozenset(named.split())
        self.cwd = frozenset(cwd.split())
        self.takes = frozenset(takes.split()) | self.codes | self.enters | self.named | self.cwd
        self.first = frozenset(first.split())
        self.place = place
        self.skip = skip
        self.text = text
        self.dash = dash
        self.feeds = feeds
        self.ends = frozenset(ends.split())
        self.strict = strict
        self.versioned = versioned


def table(*doors: Door) -> dict[str, list[Door]]:
    """Doors by program."""
    made: dict[str, list[Door]] = {}
    for door in doors:
        made.setdefault(door.program, []).append(door)
    return made


def also(doors: dict[str, list[Door]], **same: str) -> None:
    """Programs that have the doors of another one."""
    for program, others in same.items():
        for other in others.split():
            doors[other] = doors[program]


def enter(
    doors: dict[str, list[Door]],
    shell: Shell,
    mark: int,
    name: str,
    args: Sequence[str],
    *,
    stdin: Stream | None,
    fed: Stream | None,
) -> Stream | None:
    """The program's own effects, then the command behind the first door that its words open."""
    for door in doors[name]:
        rest = _opened(door, args)
        if rest is not None:
            behind = _behind(door, rest)
            effects(name, args[: len(args) - len(behind.command)], shell.scope)
            out = settle(shell, mark, name, stdin, None)
            return _through(door, shell, behind, stdin, fed) or out
    effects(name, args, shell.scope)
    return settle(shell, mark, name, stdin, None)


def _opened(door: Door, args: Sequence[str]) -> Sequence[str] | None:
    """What follows the verbs, when they are there; options may stand between them."""
    rest = args
    for verb in door.verbs:
        rest = inside.split(rest, door.first).rest
        if not rest or rest[0] not in verb:
            return None
        rest = rest[1:]
    return rest


class _Behind:
    """What stands after the verbs: the options, the skipped operands, shell texts, and the command's words."""

    __slots__ = ("command", "given", "operands", "texts")

    def __init__(self, given: inside.Args, operands: list[str], texts: list[str], command: Sequence[str]) -> None:
        self.given = given
        self.operands = operands
        self.texts = texts
        self.command = command


def _behind(door: Door, words: Sequence[str]) -> _Behind:
    options: list[tuple[str, str]] = []
    operands: list[str] = []
    rest, ended = words, None
    if door.ends:
        cut = next((at for at, word in enumerate(words) if word in door.ends), None)
        if cut is not None:
            rest, ended = words[:cut], words[cut + 1 :]
    while True:
        if door.strict and len(operands) >= door.skip:
            dashes = bool(rest) and rest[0] == "--"
            rest = rest[1:] if dashes else rest
            break
        dashes = _dashes(rest, door.takes)
        part = inside.split(rest, door.takes)
        options.extend(part.options)
        rest = part.rest
        while dashes and rest and len(operands) < door.skip:
            operands.append(rest[0])
            rest = rest[1:]
        if dashes or not rest or (len(operands) >= door.skip and not door.dash):
            break
        operands.append(rest[0])
        rest = rest[1:]
    if ended is not None:
        rest = ended
    elif door.dash and not dashes:
        rest = []
    given = inside.Args(options, rest)
    texts = [value for value in given.values(*door.codes) if value]
    if texts and "--scripts" in door.codes:
        texts = _several(words, "--scripts")
    return _Behind(given, operands, texts, rest)


def _through(door: Door, shell: Shell, behind: _Behind, stdin: Stream | None, fed: Stream | None) -> Stream | None:
    given, operands = behind.given, behind.operands
    where = ""
    if door.place:
        name = given.value(*door.named) or (operands[0] if operands else door.program)
        where = f"{door.place}:{name.rpartition('@')[2] if door.place == 'ssh' else name}"
    out: Stream | None = None
    for text in behind.texts:
        out = _text(shell, where, text, door.label, stdin)
    if behind.texts:
        return out
    command = [*given.values(*door.enters)[-1:], *behind.command]
    if door.versioned and command:
        command[0] = unversioned(command[0])
    if not command:
        if door.feeds and stdin is not None and len(operands) >= door.skip:
            return _words(shell, where, ["sh"], door.label, stdin=stdin, fed=fed)
        return None
    folder = given.value(*door.cwd)
    if folder and not door.text:
        command = ["env", "-C", folder, *command]
    if door.text:
        return _text(shell, where, glued(command), door.label, stdin)
    return _words(shell, where, command, door.label, stdin=stdin, fed=fed)


def _dashes(words: Sequence[str], takes: frozenset[str]) -> bool:
    """Whether the options end with `--`."""
    part = inside.split(words, takes)
    done = len(words) - len(part.rest)
    return done > 0 and words[done - 1] == "--" and (not part.options or part.options[-1][1] != "--")


def _several(words: Sequence[str], name: str) -> list[str]:
    """Every value of an option that takes all words up to the next option."""
    found: list[str] = []
    taking = False
    for word in words:
        if word[:2] == "--":
            option, equals, value = word.partition("=")
            taking = option == name
            if taking and equals:
                found.append(value)
        elif taking:
            found.append(word)
    return found


def _text(shell: Shell, where: str, text: str, via: tuple[str, ...], stdin: Stream | None) -> Stream | None:
    if where:
        return inside.far(shell, where, text, stdin, via)
    return inside.text(shell, text, via, stdin)


def _words(
    shell: Shell,
    where: str,
    words: Sequence[str],
    via: tuple[str, ...],
    *,
    stdin: Stream | None,
    fed: Stream | None,
) -> Stream | None:
    if where:
        return inside.far(shell, where, words, stdin, via)
    return inside.run(shell, words, via, stdin, fed)


def unversioned(word: str) -> str:
    """`prisma@5` runs `prisma`; `@scope/tool@1` runs `tool`."""
    at = word.find("@", 1)
    name = word if at < 0 else word[:at]
    name = name.rpartition("==")[0] or name
    return Dim(name) if type(word) is Dim else name
