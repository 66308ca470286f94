"""How a program's words are read: which are options, which are their values, and which are left."""

from __future__ import annotations

from bk.engine.rules.arity import RECORDS
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Long options that are switches in every tool we know, for programs where an unknown one would take a value.
SWITCHES = names(
    "--help --version --debug --quiet --verbose --yes --force --dry-run --recursive --all --json --wait --watch --purge"
    " --confirm --interactive --assume-yes --auto-approve --all-namespaces --prune --ignore-not-found --now --insecure"
    " --delete --destroy --hard --soft --silent --plain --raw --async --detach --follow --overwrite --replace --remote"
    " --local --global --log-http --only-show-errors --dryrun --exact-timestamps --size-only --follow-symlinks"
    " --permanent --skip-confirm --skip-confirmation --accept-data-loss --cleanup --no-input --show-secrets --prod"
    " --production --staging --preview --list --open --check --diff --refresh --reveal --force-delete --all-versions"
    " --stdin --include-tests --skip-final-snapshot --delete-automated-backups --enable --disable --force-failover"
)

# Options that exist in their own right, so that they are not read as the beginning of a longer one.
EXACT = names(
    "--force --all --delete --recursive --recurse --yes --prune --remove --output --name --user --project"
    " --region --config --file --volumes --verbose --quiet --help --version --debug --no-verify --verify --keep"
    " --merge --hard --soft --mixed --patch --staged --cached --tags --mirror --branch --remote --local --global"
    " --system --list --edit --unset --include --exclude --interactive --cascade --purge --wait --rmi --link"
    " --image --format --filter --type --data --header --request --host --port --database --execute --command"
    " --eval --update --check --test --group --owner --mode --reference --preserve --archive --target --source"
    " --method --input --field --json --auto --set --script --import"
)
OFF = frozenset(("false", "0", "no", "none", "off"))
POWERSHELL = names(
    "remove clear stop restart set new add get start invoke disable enable format initialize import export move copy"
    " rename out write read test select where uninstall install register unregister update reset suspend resume resize"
    " repair mount dismount connect disconnect send receive convertto convertfrom wait push pop"
)
MAX_WORDS = 1 << 17


class Options:
    """What is known of one program. `style`: `cluster` (`-rf` is `-r -f`), `single` or `shell` (PowerShell)."""

    __slots__ = ("guess", "stops", "style", "takes", "verbs")

    def __init__(self) -> None:
        self.stops: set[str] = set()
        self.takes: frozenset[str] = frozenset()
        self.style = "cluster"
        self.guess = False
        self.verbs: dict[str, frozenset[str]] = {}


_read: dict[str, Options | None] = {}
MAX_READ = 2000


def options_of(program: str) -> Options | None:
    """What is known of a program's options, by its normal name; None when nothing is."""
    if program in _read:
        return _read[program]
    records = _records(program)
    if not records and "-" in program and program.partition("-")[0] in POWERSHELL:
        records = _records("WindowsPowerShell")
    if len(_read) >= MAX_READ:
        _read.clear()
    options = _read[program] = _options(records) if records else None
    return options


def _records(program: str) -> list[str]:
    """The records whose head names a program, searched for as text: a cold call needs one or two of them."""
    found: list[str] = []
    if not program.replace("-", "").replace(".", "").replace("_", "").isalnum():
        return found
    needle = program + " "
    at = RECORDS.find(needle)
    while at >= 0:
        start = RECORDS.rfind("\n", 0, at) + 1
        if RECORDS[at - 1] in " \n" and RECORDS[start] != " " and "|" not in RECORDS[start:at]:
            end = start
            while (end := RECORDS.find("\n", end + 1)) >= 0 and RECORDS[end + 1 : end + 2] == " ":
                pass
            found.append(RECORDS[start:end])
        at = RECORDS.find(needle, at + 1)
    return found


def _options(records: Sequence[str]) -> Options:
    options = Options()
    for record in records:
        head, _, takes = record.partition(" |")
        verb = ""
        for word in head.split():
            if word[0] == "@":
                verb = word[1:]
            elif word == "=guess":
                options.guess = True
            elif word == "=stop":
                options.stops.add(verb)
            elif word[0] == "=":
                options.style = word[1:]
        if verb:
            options.verbs[verb] = names(takes)
        else:
            options.takes |= names(takes)
    return options


class Words:
    """A command's words, sorted. `readings` are its positional words; several when an unknown option may take a value.

    `seen` maps each option to its last place; `values` holds what options were given; `raw` option words as written.
    """

    __slots__ = ("program", "raw", "readings", "seen", "style", "values")

    def __init__(self, program: str, argv: Sequence[str]) -> None:
        self.program = program
        self.seen: dict[str, int] = {}
        self.values: list[tuple[str, str]] = []
        self.raw: list[str] = []
        options = options_of(program)
        self.style = options.style if options is not None else "cluster"
        self.readings = _read_words(self, argv[:MAX_WORDS], options)


def _read_words(words: Words, argv: Sequence[str], options: Options | None) -> tuple[list[str], ...]:
    """One pass; a word that may or may not be an option's value is kept apart until the end."""
    sure: list[str] = []
    doubts: list[tuple[int, str, bool]] = []
    takes = options.takes if options is not None else frozenset()
    index, end = 1, len(argv)
    while index < end:
        word = argv[index]
        index += 1
        if word[:1] != "-" or len(word) < 2:
            if options is not None:
                if not sure and options.verbs:
                    verbs = options.verbs
                    takes = options.takes | verbs.get(word, verbs.get("*", frozenset()))
                if options.stops and (sure[0] if sure else "") in options.stops:
                    sure.extend(argv[index - 1 :])
                    break
            sure.append(word)
            continue
        if word == "--":
            words.seen["--"] = index
            sure.extend(argv[index:])
            break
        words.raw.append(word)
        name, glued, wants = _option(words, word, takes, index)
        follows = index < end and argv[index] != "--"
        if wants:
            if glued is not None:
                words.values.append((name, glued))
            elif follows:
                words.values.append((name, argv[index]))
                index += 1
        elif glued is not None:
            words.values.append((name, glued))
        elif follows and len(doubts) < 2 and len(sure) < 4 and argv[index][:1] != "-":
            doubt = _doubt(options, name)
            if doubt is not None:
                words.values.append((name, argv[index]))
                doubts.append((len(sure), argv[index], doubt))
                if not doubt:
                    sure.append(argv[index])
                index += 1
    if not doubts:
        return (sure,)
    return _readings(sure, doubts)


def _doubt(options: Options | None, name: str) -> bool | None:
    """Whether the word after an unknown option is its value: likely (True), unlikely (False), or surely not (None)."""
    if options is None:
        return False if len(name) != 2 or name[1].isalpha() else None
    if options.guess and name[:2] == "--":
        return None if name in SWITCHES or name.startswith(("--no-", "--enable-", "--disable-", "--skip-")) else True
    return None


def _readings(sure: list[str], doubts: list[tuple[int, str, bool]]) -> tuple[list[str], ...]:
    """The likely reading first, then one with every doubtful word and one with none."""
    with_all = list(sure)
    with_none = list(sure)
    for at, word, value in reversed(doubts):
        if value:
            with_all.insert(at, word)
        else:
            del with_none[at]
    found = [sure]
    for other in (with_all, with_none):
        if other not in found:
            found.append(other)
    return tuple(found)


def _option(words: Words, word: str, takes: frozenset[str], at: int) -> tuple[str, str | None, bool]:
    """Take note of an option word: its name, a value that is glued to it, and whether it takes one."""
    seen = words.seen
    style = words.style
    if word[1] == "-" or style == "single":
        name, equals, value = word.partition("=")
        if not equals or value.lower() not in OFF:
            seen[name] = at
        if not equals and style == "single" and word[1] != "-" and len(word) > 2 and word[:2] in takes:
            return word[:2], word[2:], True
        return name, value if equals else None, name in takes
    if style == "shell":
        name, colon, value = word.lower().partition(":")
        seen[name] = at
        return name, value if colon else None, name in takes or _begins(name, takes)
    for place in range(1, len(word)):
        letter = "-" + word[place]
        if letter in takes:
            seen[letter] = at
            rest = word[place + 1 :]
            if rest[:1] == "=":
                rest = rest[1:]
            return letter, rest or None, True
        if word[place] == "=":
            return word[:place], word[place + 1 :], False
        seen[letter] = at
    return word, None, False


def _begins(name: str, takes: frozenset[str]) -> bool:
    return len(name) > 3 and any(option.startswith(name) for option in takes)


def has_flag(flag: str, words: Words, *, strict: bool = False) -> bool:
    """Whether a flag is present and in force. `strict`: only as it is written, for conditions that let a call go."""
    seen = words.seen
    at = seen.get(flag)
    if at is not None:
        return _in_force(flag, at, seen)
    if "=" in flag:
        return _with_value(flag, words)
    if flag[:1] != "-":
        return _slashed(flag, words)
    if flag[:2] == "--":
        return not strict and len(flag) > 5 and _abbreviated(flag, words)
    if len(flag) > 2:
        return _single(flag, words)
    return False


def _in_force(flag: str, at: int, seen: dict[str, int]) -> bool:
    """The last of `--x` and `--no-x` wins."""
    if flag[:2] != "--" or len(seen) == 1:
        return True
    other = "--" + flag[5:] if flag.startswith("--no-") else "--no-" + flag[2:]
    return seen.get(other, -1) < at


def _abbreviated(flag: str, words: Words) -> bool:
    least = 5 if words.program == "git" else 6
    for name, at in words.seen.items():
        if name[:2] == "--" and len(name) >= least and flag.startswith(name) and name not in EXACT:
            return _in_force(flag, at, words.seen)
    return False


def _with_value(flag: str, words: Words) -> bool:
    name, _, value = flag.partition("=")
    return flag in words.raw or any(option == name and given == value for option, given in words.values)


def _slashed(flag: str, words: Words) -> bool:
    """`/s` of Windows programs, in any case and run together; `+x` as a word of its own."""
    wanted = flag.lower()
    for reading in words.readings:
        for word in reading:
            if word == flag:
                return True
            if wanted[0] == "/" and word[:1] == "/" and wanted[1:] in word[1:].lower().replace(":", "/").split("/"):
                return True
    return False


def _single(flag: str, words: Words) -> bool:
    """`-delete` as a word, `-rf` as letters in any order, `-Recurse` as PowerShell shortens it."""
    for word in words.raw:
        if word == flag or (word.startswith(flag) and word[len(flag)] in "=:"):
            return word[len(flag) + 1 :].lower().lstrip("$") not in OFF if len(word) > len(flag) else True
    if flag[1].isupper():
        short = flag.lower()
        least = 2 if words.style == "shell" else 4
        return any(len(word) >= least and short.startswith(word.lower().partition(":")[0]) for word in words.raw)
    if len(flag) <= 4 and words.style == "cluster":
        return all("-" + letter in words.seen for letter in flag[1:])
    return False
