"""Reads one AST pattern: matcher calls with modifiers, joined by `and`, `or`, `not` and parentheses."""

from __future__ import annotations

import re

from bk.engine.rules import regex
from bk.engine.rules.errors import PatternError, nearest
from bk.engine.rules.rule import Either, Every, Listed, Modifier, Not, Term
from bk.engine.rules.vocabulary import INNER, MATCHERS, MODIFIERS, ON_ANY, SECRET_PLACES, SINKS, SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.rules.rule import Pattern, Value
    from bk.engine.rules.vocabulary import Shape

MAX_DEPTH = 30
MAX_TERMS = 200
_BLANK = re.compile(r"[ ]*")
_NAME = re.compile(r"[A-Za-z_]\w*")
_LIST = re.compile(r"@?[A-Za-z_][\w-]*(?:\.[\w-]+)*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_AST = re.compile(r"[ (]*(?:not\b[ (]*)*([A-Za-z_]\w*) *\(")
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_ALMOST = re.compile(r"[ (]*(?:not\b[ (]*)*([A-Za-z_]\w+) *\(\s*(?:\"|\)\s*$|@)")


def is_ast(text: str) -> bool:
    """Whether the text of a `match` is matchers rather than a regex: its first token is a matcher that is called."""
    found = _AST.match(text)
    return found is not None and found[1] in MATCHERS


def misspelt(text: str) -> tuple[int, str, str] | None:
    """A regex that looks like a call of a matcher that does not exist: column, the word, what was likely meant."""
    found = _ALMOST.match(text)
    if found is None:
        return None
    word = found[1]
    if word in MODIFIERS:
        return found.start(1) + 1, word, ""
    meant = nearest(word, MATCHERS)
    return (found.start(1) + 1, word, meant) if meant else None


def parsed(text: str, *, line: int = 0, offset: int = 0) -> tuple[Pattern, int]:
    """The pattern and where it ends in `text`; `offset` is added to columns. Raises PatternError."""
    reader = _Reader(text, line, offset)
    pattern = reader.either(0)
    return pattern, reader.at


def string(text: str, at: int) -> tuple[str, int]:
    """A quoted string with escapes that starts at `at`: its value, and where it ends. Raises PatternError."""
    out: list[str] = []
    index = at + 1
    while index < len(text):
        char = text[index]
        if char == '"':
            return "".join(out), index + 1
        if char == "\\":
            escaped = text[index + 1 : index + 2]
            if escaped not in _ESCAPES or not escaped:
                raise PatternError(index + 1, f'unknown escape \\{escaped}: a string knows \\" \\\\ \\n \\t')
            out.append(_ESCAPES[escaped])
            index += 2
            continue
        out.append(char)
        index += 1
    raise PatternError(at + 1, 'this string has no closing quote (")')


class _Reader:
    """A recursive-descent reader over one line."""

    __slots__ = ("at", "line", "offset", "terms", "text")

    def __init__(self, text: str, line: int, offset: int) -> None:
        self.text = text
        self.line = line
        self.offset = offset
        self.at = 0
        self.terms = 0

    def fail(self, message: str, suggestion: str = "", at: int | None = None) -> PatternError:
        return PatternError((self.at if at is None else at) + 1 + self.offset, message, suggestion)

    def blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def word(self) -> str:
        """The name that stands here, not taken."""
        self.blank()
        found = _NAME.match(self.text, self.at)
        return found[0] if found else ""

    def take(self, token: str) -> bool:
        self.blank()
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def either(self, depth: int) -> Pattern:
        if depth > MAX_DEPTH:
            raise self.fail(f"parentheses are nested deeper than {MAX_DEPTH}")
        parts = [self.every(depth)]
        while self.word() == "or":
            self.at += 2
            parts.append(self.every(depth))
        return parts[0] if len(parts) == 1 else Either(parts)

    def every(self, depth: int) -> Pattern:
        parts = [self.one(depth)]
        while self.word() == "and":
            self.at += 3
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Every(parts)

    def one(self, depth: int) -> Pattern:
        word = self.word()
        if word == "not":
            self.at += 3
            if depth > MAX_DEPTH:
                raise self.fail(f"`not` is nested deeper than {MAX_DEPTH}")
            return Not(self.one(depth + 1))
        if not word and self.take("("):
            inner = self.either(depth + 1)
            if not self.take(")"):
                raise self.fail("expected ) here, or `and` or `or`")
            return inner
        if not word:
            raise self.fail('expected a matcher here, such as command("rm")')
        return self.term(word)

    def term(self, word: str) -> Term:
        start = self.at
        shape = MATCHERS.get(word)
        if shape is None:
            if word in MODIFIERS:
                raise self.fail(f'{word} is a modifier: it stands after a matcher, as in command("x") {word}(…)')
            raise self.fail(f"unknown matcher {word}", nearest(word, MATCHERS))
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise self.fail(f"a pattern may have {MAX_TERMS} matchers")
        self.at += len(word)
        values = self.call(word, shape)
        self.checked(word, values, start)
        modifiers: list[Modifier] = []
        while (name := self.word()) and name not in ("and", "or"):
            modifiers.append(self.modifier(name, word))
        return Term(word, values, modifiers, self.line, start + 1 + self.offset)

    def modifier(self, name: str, matcher: str) -> Modifier:
        start = self.at
        shape = MODIFIERS.get(name)
        if shape is None:
            if name in MATCHERS or name == "not":
                raise self.fail(f"expected `and` or `or` before {name}")
            raise self.fail(f"unknown modifier {name}", nearest(name, [*MODIFIERS, "and", "or"]))
        if matcher != "command" and name not in ON_ANY:
            raise self.fail(f"{name} says something about a command; it cannot follow {matcher}(…)")
        if not MATCHERS[matcher].acts or matcher in ("obfuscated", "flows"):
            raise self.fail(f"{matcher}(…) takes no modifiers")
        self.at += len(name)
        return Modifier(name, self.call(name, shape), start + 1 + self.offset)

    def call(self, word: str, shape: Shape) -> list[Value]:
        """The values in parentheses."""
        if not self.take("("):
            raise self.fail(f"expected ( after {word}")
        values: list[Value] = []
        opened = self.at - 1
        if not self.take(")"):
            while True:
                self.blank()
                if self.at >= len(self.text):
                    raise self.fail(f"this ( of {word} is not closed", at=opened)
                if shape.kind == "none":
                    raise self.fail(f"{word}() takes no values")
                values.append(self.value(word, shape, len(values)))
                if self.take(")"):
                    break
                if not self.take(","):
                    if self.at >= len(self.text):
                        raise self.fail(f"this ( of {word} is not closed", at=opened)
                    raise self.fail("expected , or ) here")
        if not shape.least <= len(values) <= shape.most:
            many = str(shape.least) if shape.least == shape.most else f"at least {shape.least}"
            if len(values) > shape.most:
                many = f"at most {shape.most}"
            raise self.fail(f"{word} takes {many} value{'s' * (many[-1:] != '1')}, here are {len(values)}", at=opened)
        return values

    def value(self, word: str, shape: Shape, index: int) -> Value:
        """A string, a list, a number, or a matcher inside a matcher."""
        start = self.at
        if self.text.startswith('"', start):
            if shape.kind == "flow":
                raise self.fail('flows takes matchers, as in flows(reads("~/.ssh/**"), connects_to(external()))')
            if shape.kind == "regex":
                return self.pattern()
            try:
                text, self.at = string(self.text, start)
            except PatternError as error:
                raise PatternError(error.column + self.offset, error.message) from error
            self.sound(text, shape, start)
            return text
        name = self.word()
        if name and (found := _NAME.match(self.text, start)) and self.text[found.end() :].lstrip(" ")[:1] == "(":
            return self.inner(name, shape, word, index)
        if shape.kind == "word" and name:
            self.at += len(name)
            return name
        if found := _LIST.match(self.text, start):
            name = found[0]
            if not name.startswith("@") and "." not in name:
                raise self.fail(f'expected a string ("{name}") or a list (@{name})')
            self.at = found.end()
            return Listed(name.removeprefix("@"), self.line, start + 1 + self.offset)
        if found := _NUMBER.match(self.text, start):
            self.at = found.end()
            return found[0]
        raise self.fail('expected a value here: "text", @list or a number')

    def sound(self, text: str, shape: Shape, start: int) -> None:
        """A value that could never match is a mistake."""
        if not text and shape.kind not in ("option", "glob"):
            raise self.fail("an empty text matches nothing", at=start)
        if shape.kind == "flag" and text[:1] not in "-/+":
            raise self.fail(f"a flag starts with - (or / or +), {text!r} does not", at=start)
        if shape.kind == "name" and "/" in text:
            raise self.fail("programs are named without their folder", text.rsplit("/", 1)[-1], at=start)

    def pattern(self) -> str:
        """A regex up to its closing quote: only `\\"` is an escape, everything else is RE2's."""
        start = self.at
        out: list[str] = []
        index = start + 1
        while index < len(self.text) and self.text[index] != '"':
            if self.text[index] == "\\" and index + 1 < len(self.text):
                out.append('"' if self.text[index + 1] == '"' else self.text[index : index + 2])
                index += 2
            else:
                out.append(self.text[index])
                index += 1
        if index >= len(self.text):
            raise self.fail('this pattern has no closing quote (")')
        self.at = index + 1
        text = "".join(out)
        try:
            regex.compiled(text)
        except PatternError as error:
            raise self.fail(error.message, at=start + error.column) from error
        return text

    def inner(self, name: str, shape: Shape, word: str, index: int) -> Term:
        """`external()` for a host, `reads(…)` and the like in `flows`."""
        start = self.at
        if shape.kind == "host" and name in INNER:
            self.at += len(name)
            return Term(name, self.call(name, INNER[name]), (), self.line, start + 1 + self.offset)
        if shape.kind != "flow":
            raise self.fail(f"{name}(…) cannot be a value of {word}", "external" if shape.kind == "host" else "")
        known = SOURCES if index == 0 else SINKS
        if name not in known:
            role = "source" if index == 0 else "sink"
            raise self.fail(f"{name} is no {role} of flows: known are {', '.join(sorted(known))}", nearest(name, known))
        return self.term(name)

    def checked(self, word: str, values: list[Value], start: int) -> None:
        if word != "secret_in":
            return
        for value in values:
            if value not in SECRET_PLACES:
                shown = value if isinstance(value, str) else "this"
                raise self.fail(
                    f"secret_in takes {', '.join(SECRET_PLACES)}, not {shown}",
                    nearest(str(shown), SECRET_PLACES),
                    at=start,
                )
