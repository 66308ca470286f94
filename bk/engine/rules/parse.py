"""Reads a rule file. Every mistake of the file is found and told; a file with one is no rules at all."""

from __future__ import annotations

import re

from bk.engine.rules import regex
from bk.engine.rules.alternatives import checked
from bk.engine.rules.errors import PatternError, RuleError, RuleErrors, nearest
from bk.engine.rules.example import example
from bk.engine.rules.expression import is_ast, misspelt, parsed, string
from bk.engine.rules.rule import Listed, Regex, Rule, Term
from bk.engine.rules.vocabulary import CLAUSES, ONCE, PLACEHOLDERS, SEVERITIES, TIERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.rules.rule import Pattern

MAX_FILE = 1 << 20
MAX_LINE = 4096
MAX_RULES = 5000
MAX_ERRORS = 200
OUTSIDE = "match_base_command_not_in"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_WORD = re.compile(r"[^\s\"#]+")
_ITEM = re.compile(r"[^\s\",#]+")
_LIST = re.compile(r"@?([A-Za-z_][\w-]*(?:\.[\w-]+)*)$")
_PLACE = re.compile(r"\{\{|\}\}|\{(\w*)\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def parse(text: str, *, file: str, pack: str) -> list[Rule]:
    """The rules of a file's text; raises RuleErrors with every mistake in it."""
    reader = _File(text, file, pack)
    reader.read()
    if reader.errors:
        raise RuleErrors(reader.errors[:MAX_ERRORS])
    return reader.rules


def content(line: str, at: int) -> str:
    """What stands on a line from `at` on, without a comment; only for places where no literal text may stand."""
    rest = line[at:].strip(" ")
    return "" if rest.startswith("#") else rest


class _File:
    """One pass over the lines."""

    __slots__ = ("clean", "errors", "file", "line", "names", "pack", "rule", "rules", "said", "source", "text")

    def __init__(self, text: str, file: str, pack: str) -> None:
        self.text = text
        self.file = file
        self.pack = pack
        self.errors: list[RuleError] = []
        self.rules: list[Rule] = []
        self.names: dict[str, int] = {}
        self.rule: Rule | None = None
        self.said: set[str] = set()
        self.line = 0
        self.source = ""
        self.clean = 0

    def wrong(self, column: int, message: str, suggestion: str = "") -> None:
        self.errors.append(RuleError(self.file, self.line, column, message, suggestion, source=self.source))

    def read(self) -> None:
        """Everything, line by line."""
        if not self._readable():
            return
        for number, source in enumerate(self.text.split("\n"), 1):
            self.line, self.source = number, source
            if len(self.errors) >= MAX_ERRORS:
                break
            if len(source) > MAX_LINE:
                self.source = source[:200]
                self.wrong(MAX_LINE + 1, f"a line may have {MAX_LINE:,} characters, this one has {len(source):,}")
                continue
            if (odd := _CONTROL.search(source)) is not None:
                self.wrong(odd.start() + 1, f"control character U+{ord(odd[0]):04X}: a rule file is plain text")
                continue
            stripped = source.strip(" \t")
            if not stripped or stripped.startswith("#"):
                continue
            lead = source[: len(source) - len(source.lstrip(" \t"))]
            if "\t" in lead:
                self.wrong(lead.index("\t") + 1, "indent with spaces, not with a tab")
                lead = lead.replace("\t", " ")
            try:
                if lead:
                    self._clause(len(lead))
                else:
                    self._header()
            except PatternError as error:
                self.wrong(error.column, error.message, error.suggestion)
        self._finish()

    def _readable(self) -> bool:
        """Whether the text as a whole can be read as lines."""
        self.line, self.source = 1, self.text.split("\n", 1)[0][:MAX_LINE]
        if self.text.startswith("\ufeff"):
            self.wrong(1, "the file starts with a byte order mark: save it as UTF-8 without one")
        if len(self.text) > MAX_FILE:
            self.wrong(1, f"a rule file may have {MAX_FILE:,} characters, this one has {len(self.text):,}")
        for odd, told in (("\r", "the line ends with CR: save the file with LF line ends"), ("\0", "a NUL character")):
            at = self.text.find(odd)
            if at >= 0:
                self.line = self.text.count("\n", 0, at) + 1
                start = self.text.rfind("\n", 0, at) + 1
                self.source = self.text[start:at][:MAX_LINE]
                self.wrong(at - start + 1, told)
        return not self.errors

    def _finish(self) -> None:
        """The rule that ends here must be able to match."""
        rule, self.rule = self.rule, None
        if rule is None:
            return
        if not rule.matches and len(self.errors) == self.clean:
            lines = self.text.split("\n")
            source = lines[rule.line - 1] if rule.line <= len(lines) else ""
            told = "has no `match`: it could never apply" if self.said else "is empty: it needs at least a `match`"
            self.errors.append(RuleError(self.file, rule.line, 1, f"rule {rule.name!r} {told}", source=source))
        if len(self.rules) > MAX_RULES:
            self.wrong(1, f"a file may have {MAX_RULES:,} rules")

    def _header(self) -> None:
        self._finish()
        self.said = set()
        self.clean = len(self.errors)
        found = _WORD.match(self.source)
        tier = found[0] if found else ""
        rest = self.source[len(tier) :]
        at = len(self.source) - len(rest.lstrip(" "))
        name = f"line-{self.line}"
        rule = self.rule = Rule(tier, name, pack=self.pack, file=self.file, line=self.line)
        if tier not in TIERS:
            if tier in CLAUSES:
                self.wrong(1, f"`{tier}` belongs to a rule: indent it below its header")
                self.rule = None
                return
            self.wrong(1, f"expected {', '.join(TIERS)} here, not {tier or self.source[:20]!r}", nearest(tier, TIERS))
            return
        self.rules.append(rule)
        if not self.source.startswith('"', at):
            raise PatternError(at + 1, f'expected the rule\'s name in quotes, as in {tier} "force-push"')
        name, end = string(self.source, at)
        if _NAME.fullmatch(name) is None:
            raise PatternError(at + 2, "a rule's name is letters, digits, dots, - and _, 80 at most")
        self._nothing_more(end)
        if name in self.names:
            raise PatternError(at + 2, f"pack {self.pack!r} has a rule {name!r} already, at line {self.names[name]}")
        self.names[name] = self.line
        rule.name = name

    def _clause(self, at: int) -> None:
        rule = self.rule
        found = _WORD.match(self.source, at)
        word = found[0] if found else ""
        if word not in CLAUSES:
            hint = nearest(word, CLAUSES) or ("match" if is_ast(self.source[at:]) else "")
            raise PatternError(at + 1, f"expected a clause here, not {(word or self.source[at : at + 20])!r}", hint)
        if rule is None:
            raise PatternError(
                at + 1, f'`{word}` stands outside a rule: a rule starts with a header such as block "name"'
            )
        end = at + len(word)
        if word in ONCE and word in self.said:
            raise PatternError(at + 1, f"this rule has a `{word}` already")
        self.said.add("match" if word == OUTSIDE else word)
        while end < len(self.source) and self.source[end] == " ":
            end += 1
        _CLAUSES[word](self, rule, end)

    def _nothing_more(self, at: int) -> None:
        if content(self.source, at):
            start = at + len(self.source[at:]) - len(self.source[at:].lstrip(" "))
            raise PatternError(start + 1, "nothing more was expected on this line")

    def _text(self, at: int) -> str:
        if not self.source.startswith('"', at):
            raise PatternError(at + 1, 'expected a text in quotes ("…") here')
        text, end = string(self.source, at)
        self._nothing_more(end)
        if not text.strip():
            raise PatternError(at + 1, "this text is empty")
        return text

    def _words(self, at: int) -> tuple[str, ...]:
        """Words with commas between them."""
        words: list[str] = []
        while True:
            found = _ITEM.match(self.source, at)
            if found is None:
                raise PatternError(at + 1, "expected a word here")
            words.append(found[0])
            at = found.end()
            while self.source[at : at + 1] == " ":
                at += 1
            if self.source[at : at + 1] != ",":
                self._nothing_more(at)
                return tuple(words)
            at += 1
            while self.source[at : at + 1] == " ":
                at += 1

    def _pattern(self, at: int) -> Pattern:
        """A regex or matchers."""
        text = self.source[at:].rstrip(" ")
        if not text:
            raise PatternError(
                len(self.source) + 1, 'expected a pattern here: a regex, or a matcher such as command("rm")'
            )
        if is_ast(text):
            pattern, end = parsed(text, line=self.line, offset=at)
            if content(text, end):
                start = end + len(text[end:]) - len(text[end:].lstrip(" "))
                raise PatternError(at + start + 1, "expected `and`, `or` or the end of the line here")
            return pattern
        odd = misspelt(text)
        if odd is not None:
            column, word, meant = odd
            if meant:
                message = f"unknown matcher {word}; if a regex is meant, write [{word[0]}]{word[1:]}(…"
            else:
                message = f'{word} is a modifier: it stands after a matcher, as in command("x") {word}(…)'
            raise PatternError(at + column, message, meant)
        try:
            regex.compiled(text)
        except PatternError as error:
            raise PatternError(at + error.column, error.message) from error
        return Regex(text, self.line, at + 1)

    def match(self, rule: Rule, at: int) -> None:
        pattern = self._pattern(at)
        checked(pattern)
        rule.matches += (pattern,)

    def outside(self, rule: Rule, at: int) -> None:
        text = self.source[at:].partition("#")[0].rstrip(" ")
        found = _LIST.match(text)
        if found is None:
            raise PatternError(at + 1, "expected a list here, as in @executables.allowed")
        rule.matches += (Term(OUTSIDE, [Listed(found[1], self.line, at + 1)], (), self.line, at + 1),)

    def unless(self, rule: Rule, at: int) -> None:
        rule.unless += (self._pattern(at),)

    def nudge(self, rule: Rule, at: int) -> None:
        rule.nudge = self._text(at)
        for found in _PLACE.finditer(self.source, at):
            name = found[1]
            if name is not None and name not in PLACEHOLDERS:
                raise PatternError(
                    found.start() + 1,
                    f"unknown placeholder {{{name}}}: known are {', '.join(sorted(PLACEHOLDERS))}; {{{{ is a brace",
                    nearest(name, PLACEHOLDERS),
                )

    def why(self, rule: Rule, at: int) -> None:
        rule.why = self._text(at)

    def severity(self, rule: Rule, at: int) -> None:
        (word, *more) = self._words(at)
        if more or word not in SEVERITIES:
            raise PatternError(at + 1, f"severity is one of {', '.join(SEVERITIES)}", nearest(word, SEVERITIES))
        rule.severity = word

    def tags(self, rule: Rule, at: int) -> None:
        rule.tags = self._words(at)

    def tools(self, rule: Rule, at: int) -> None:
        rule.tools = self._words(at)

    def agents(self, rule: Rule, at: int) -> None:
        rule.agents = self._words(at)

    def ref(self, rule: Rule, at: int) -> None:
        rule.ref = self.source[at:].strip(" ")
        if not rule.ref:
            raise PatternError(len(self.source) + 1, "expected a reference here")

    def example(self, rule: Rule, at: int) -> None:
        rule.examples += (example(self.source, at, self.line),)


_CLAUSES: dict[str, Callable[[_File, Rule, int], None]] = {
    "match": _File.match,
    OUTSIDE: _File.outside,
    "unless": _File.unless,
    "nudge": _File.nudge,
    "why": _File.why,
    "severity": _File.severity,
    "tags": _File.tags,
    "tools": _File.tools,
    "agents": _File.agents,
    "ref": _File.ref,
    "example": _File.example,
}
