"""The rulebook in force: compiled rules, asked about actions."""

from __future__ import annotations

import json

from bk.engine.model import Connect, Finding, Install, Level, McpCall, Opaque, Run, Touch
from bk.engine.rules import globs, regex
from bk.engine.rules.advice import advice, reason
from bk.engine.rules.call import Call, normal, ready
from bk.engine.rules.judge import NOTHING, Branch, concerns_call, exempt, holds
from bk.engine.rules.keys import ASSIGNED, FLAGGED, PLACES, marks_of, shelved
from bk.engine.rules.match import matches, new_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action, Json

FORMAT = 1
_FLAGS = ("-", "/", "+", "\u2010", "\u2013", "\u2014", "\u2212")
_BY_LINE = ("with_flags", "without_flags", "with_subcommand", "with_args", "with_no_args", "with_option")
BY_WORDS = frozenset((*_BY_LINE, "says", "via", "as_root"))
MAX_KEPT = 400
MAX_FINDINGS = 4
MAX_NAMES = 2000
MAX_SPANS = 1000
MAX_WORDS = 200
_KINDS: dict[type, str] = {Install: "install", McpCall: "mcp", Opaque: "opaque"}


class _Table:
    """What is entered for some programs: always to be tried, and by the command's first words."""

    __slots__ = ("always", "assigned", "flagged", "shelves")

    def __init__(self, entered: Mapping[str, Sequence[int]]) -> None:
        self.always = entered.get("", ())
        self.assigned = entered.get(ASSIGNED, ())
        self.flagged = entered.get(FLAGGED, ())
        self.shelves = shelved(entered)


class Rulebook:
    """Compiled rules, indexed so that a call pays only for the rules that name its programs."""

    __slots__ = (
        "_branches",
        "_by_name",
        "_commands",
        "_globs",
        "_heads",
        "_hosts",
        "_kinds",
        "_met",
        "_paths",
        "_ready",
        "_regexes",
        "_roots",
        "_said",
        "_shared",
        "_tables",
        "_terms",
        "_texts",
        "count",
        "digest",
        "problems",
        "profile",
    )

    def __init__(self, compiled: Mapping[str, Json]) -> None:
        if compiled["format"] != FORMAT:
            raise ValueError(f"rules compiled in format {compiled['format']}, not {FORMAT}")
        self.digest: str = compiled["digest"]
        self.profile: str = compiled["profile"]
        self.problems: tuple[str, ...] = tuple(compiled["problems"])
        self.count: int = compiled["rules"]
        self._terms: list[str] = compiled["terms"]
        self._texts: str = compiled["texts"]
        self._heads: list[str] = compiled["heads"]
        self._tables: list[dict[str, list[int]]] = compiled["tables"]
        self._ready: dict[int, _Table] = {}
        self._met: dict[tuple[tuple[str, ...], tuple[str, ...], str | None], tuple[int, ...]] = {}
        self._commands: dict[str, list[int]] = compiled["commands"]
        self._globs: list[list[Json]] = compiled["globs"]
        self._paths: dict[str, dict[str, list[int]]] = compiled["paths"]
        self._hosts: dict[str, dict[str, list[int]]] = compiled["hosts"]
        self._kinds: dict[str, list[int]] = compiled["kinds"]
        self._regexes: list[list[Json]] = compiled["regexes"]
        self._said: list[Json] | None = None
        self._branches: dict[int, Branch] = {}
        self._shared: dict[int, Json] = {}
        self._by_name: dict[str, list[_Table]] = {}
        self._roots: dict[str, list[str]] = {}

    @classmethod
    def load(cls, compiled: Json) -> Rulebook:
        """The rulebook that `compile.compiled` wrote down; or LookupError, TypeError or ValueError."""
        return cls(compiled)

    def judge(self, actions: Sequence[Action], facts: Facts) -> list[Finding]:
        """What the rules find in these actions."""
        call = Call(actions, facts)
        kinds = self._kinds
        for action in actions:
            kind = type(action)
            if isinstance(action, Run):
                self._try(self._for_run(action, call), action, call)
            elif isinstance(action, Touch):
                if self._paths:
                    self._try(self._for_touch(action, call), action, call)
                if "content" in kinds and new_texts(action):
                    self._try(kinds["content"], action, call)
            elif isinstance(action, Connect):
                if self._hosts:
                    self._try(self._for_connect(action), action, call)
            else:
                self._try(kinds.get(_KINDS.get(kind, ""), ()), action, call)
            if action.takes and "taking" in kinds:
                self._try(kinds["taking"], action, call)
            if "any" in kinds:
                self._try(kinds["any"], action, call)
        if "calls" in kinds:
            self._try(kinds["calls"], NOTHING, call)
        if self._regexes:
            self._search(call)
        return call.found

    def _branch(self, number: int) -> Branch:
        """One alternative, read from its text when it is needed for the first time."""
        branch = self._branches.get(number)
        if branch is None:
            rule, anchor, others, exempt = json.loads(self._terms[number])
            head = self._shared.get(rule)
            if head is None:
                head = self._shared[rule] = json.loads(self._heads[rule])
            branch = self._branches[number] = Branch(rule, anchor, others, exempt, head)
        return branch

    def _try(self, numbers: Iterable[int], action: Action, call: Call) -> None:
        """Report the rules of which an alternative holds for an action."""
        hit = call.hit
        for number in numbers:
            branch = self._branches.get(number) or self._branch(number)
            hit.text = hit.flag = ""
            if not matches(branch.anchor, action, call, doubt=branch.doubt) or not concerns_call(branch, call):
                continue
            anchor = None if action is NOTHING else action
            if holds(branch, anchor, call):
                self._tell(branch.rule, anchor, call)

    def _tell(self, rule: int, action: Action | None, call: Call) -> None:
        """Add a finding: one for each action at most, and not more than a few of one rule."""
        if self._said is None:
            self._said = json.loads(self._texts)
        ident, level, why, nudge, severity, tags, ref, origin = self._said[rule]
        told = [one for one in call.found if one.rule == ident]
        if len(told) >= MAX_FINDINGS or any(one.action is action for one in told):
            return
        more = {"severity": severity, "tags": tags, "ref": ref}
        evidence = {"match": shown(action, call), "origin": origin, **{name: more[name] for name in more if more[name]}}
        call.found.append(
            Finding(
                ident,
                Level(level),
                reason(why, ident, action, call),
                action=action,
                evidence=evidence,
                instead=advice(nudge, ident, action, call),
            )
        )

    def _for_run(self, run: Run, call: Call) -> list[int]:
        """The alternatives that a command could meet, by its program and its words.

        Agents repeat themselves: what a command alone decides, its words, input and what carries it, is remembered
        for commands wholly known.
        """
        runs = self._kinds.get("runs")
        numbers = list(runs) if runs else []
        if call.assigns:
            numbers.extend(self._kinds.get("assigned", ()))
        if run.argv and type(run.argv[0]) is not str:
            return [*numbers, *self._doubtful(normal(run.program))]
        tables = self._of_program(run.program)
        if call.assigns:
            for table in tables:
                numbers.extend(table.assigned)
        whole = (run.argv, run.via, run.stdin)
        known = self._met.get(whole) if run.certain else None
        if known is None:
            known = self._meeting(run, tables, call)
            if run.certain and sum(map(len, run.argv)) + sum(map(len, run.via)) + len(run.stdin or "") < MAX_KEPT:
                if len(self._met) >= MAX_NAMES:
                    self._met.clear()
                self._met[whole] = known
        numbers.extend(known)
        return numbers

    def _meeting(self, run: Run, tables: Sequence[_Table], call: Call) -> tuple[int, ...]:
        """What is entered for these words, without the alternatives that the words already rule out."""
        numbers: list[int] = []
        for table in tables:
            numbers.extend(table.always)
            if table.flagged and _flagged(run):
                numbers.extend(table.flagged)
            if table.shelves:
                numbers.extend(_by_words(table, call.words(run).readings))
        if not run.certain:
            return tuple(numbers)
        return tuple(number for number in numbers if not self._ruled_out(self._branch(number), run, call))

    @staticmethod
    def _ruled_out(branch: Branch, run: Run, call: Call) -> bool:
        term = branch.anchor
        if term[0] != "command" or any(modifier[0] not in BY_WORDS for modifier in term[2]):
            return False
        return not matches(term, run, call, doubt=branch.doubt)

    def _of_program(self, program: str) -> list[_Table]:
        """The tables of a program; remembered, since names with wildcards are tried one by one."""
        known = self._by_name.get(program)
        if known is not None:
            return known
        name = normal(program)
        held = list(self._commands.get(name, ()))
        for glob, tables in self._globs:
            if globs.matches(glob, name):
                held.extend(tables)
        if len(self._by_name) >= MAX_NAMES:
            self._by_name.clear()
        found = self._by_name[program] = [self._table(at) for at in dict.fromkeys(held)]
        return found

    def _table(self, at: int) -> _Table:
        table = self._ready.get(at)
        if table is None:
            table = self._ready[at] = _Table(self._tables[at])
        return table

    def _doubtful(self, program: str) -> list[int]:
        """What a program could be of which only a part is known."""
        if not program.strip("*"):
            return []
        tables: dict[int, None] = {}
        for name, held in [*self._commands.items(), *self._globs]:
            if globs.overlap(name, program):
                tables.update(dict.fromkeys(held))
        return [number for at in tables for numbers in self._tables[at].values() for number in numbers]

    def _for_touch(self, touch: Touch, call: Call) -> list[int]:
        table = self._paths.get(touch.mode)
        if not table:
            return []
        if not touch.certain:
            return sorted({number for numbers in table.values() for number in numbers})
        numbers = _on_path(table, touch.path, call.home)
        really = call.facts.really(touch.path)
        if really != touch.path:
            numbers.extend(_on_path(table, really, call.home))
        if touch.tree:
            under = touch.path.rstrip("/") + "/"
            for root in self._rooted(touch.mode, table):
                if globs.placed(root, call.home, call.cwd).startswith(under):
                    numbers.extend(table[root])
        return numbers

    def _rooted(self, mode: str, table: Mapping[str, Sequence[int]]) -> list[str]:
        roots = self._roots.get(mode)
        if roots is None:
            roots = self._roots[mode] = [key for key in table if key[:1] in ("/", "~")]
        return roots

    def _for_connect(self, connect: Connect) -> list[int]:
        """The alternatives that a connection could meet. A method that is not known could be any."""
        if connect.method:
            tables = [self._hosts[method] for method in ("", connect.method) if method in self._hosts]
        else:
            tables = list(self._hosts.values())
        host = connect.host
        if "*" in host:
            return sorted({number for table in tables for held in table.values() for number in held})
        numbers: list[int] = []
        for table in tables:
            numbers.extend(table.get("", ()))
            rest = host
            while rest:
                numbers.extend(table.get(rest, ()))
                rest = rest.partition(".")[2]
        return numbers

    def _search(self, call: Call) -> None:
        """Regex rules: on each command as it was understood, then on the call's text as it was written."""
        runs = [(action, action.target) for action in call.actions if isinstance(action, Run)]
        everything = "\n".join([call.text(), *(text for _, text in runs)]).casefold()
        for number, needs in self._regexes:
            for need in needs:
                if need in everything:
                    break
            else:
                if needs:
                    continue
            branch = self._branch(number)
            if concerns_call(branch, call):
                self._regex(branch, runs, call)

    def _regex(self, branch: Branch, runs: Sequence[tuple[Run, str]], call: Call) -> None:
        """One regex rule. Words of commands that were let go are taken out of the written text, each of them once."""
        _, pattern, needs = branch.anchor
        rest = call.text()
        seen = False
        for action, text in runs:
            if not call.search(pattern, needs, text):
                continue
            if holds(branch, action, call):
                seen = True
                self._tell(branch.rule, action, call)
            else:
                for word in action.argv[:MAX_WORDS]:
                    rest = rest.replace(word, " ", 1)
        if seen or not regex.may_match(needs, rest.casefold()):
            return
        for count, span in enumerate(ready(pattern).finditer(rest)):
            text = span.group(0)
            if count >= MAX_SPANS:
                return
            if text and not any(exempt(tree, None, call, text) for tree in branch.exempt):
                call.hit.text = text
                self._tell(branch.rule, None, call)
                return


def shown(action: Action | None, call: Call) -> str:
    """What a rule matched, in one line."""
    text = call.hit.text or (action.target if action is not None else call.text())
    return text if len(text) <= 200 else text[:199] + "…"


def _flagged(run: Run) -> bool:
    """Whether any word could be an option."""
    return any(word[:1] in _FLAGS or type(word) is not str for word in run.argv[1:])


def _by_words(table: _Table, readings: Sequence[Sequence[str]]) -> Iterable[int]:
    """What is entered under the first words of a command, each alternative once."""
    numbers: dict[int, None] = {}
    shelves = table.shelves
    for reading in readings:
        for place, word in enumerate(reading[:PLACES]):
            if type(word) is not str:
                return [number for held in shelves.values() for _, some in held for number in some]
            for mark in marks_of(word):
                for at, some in shelves.get(mark, ()):
                    if at in (place, -1):
                        for number in some:
                            numbers[number] = None
    return numbers


def _on_path(table: Mapping[str, Sequence[int]], path: str, home: str) -> list[int]:
    """What is entered under this path, its folders, its names, its suffix, and under nothing in particular."""
    numbers = list(table.get("", ()))
    root = home.rstrip("/")
    below = path == home or path.startswith(root + "/")
    if "/" in table:
        numbers.extend(table["/"])
    if below and "~" in table:
        numbers.extend(table["~"])
    at = path.find("/", 1)
    while at > 0:
        _entered(table, path[:at], root if below else None, numbers)
        at = path.find("/", at + 1)
    if len(path) > 1:
        _entered(table, path, root if below else None, numbers)
    for name in path.split("/"):
        if name and name in table:
            numbers.extend(table[name])
    dot = path.rfind(".")
    if dot > path.rfind("/"):
        numbers.extend(table.get("*" + path[dot:], ()))
    return numbers


def _entered(table: Mapping[str, Sequence[int]], folder: str, root: str | None, numbers: list[int]) -> None:
    held = table.get(folder)
    if held:
        numbers.extend(held)
    if root is not None and folder.startswith(root + "/"):
        held = table.get("~" + folder[len(root) :])
        if held:
            numbers.extend(held)
