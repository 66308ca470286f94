"""Program text in other languages, evaluated as far as it is constant: calls that do something become actions."""

from __future__ import annotations

from bk.engine.lower import bindings, calls, deeds
from bk.engine.lower.bindings import JUMPS
from bk.engine.lower.fold import NOTHING, Dark, Made, Named, Ref, added, origins, under, word
from bk.engine.lower.sinks import kind_of
from bk.engine.lower.tokens import Token, tokens
from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.fold import Value
    from bk.engine.lower.shell import Shell

MAX_DEPTH = 40
BARE = frozenset(("ruby", "perl", "php", "lua"))
PREFIXES = names("! - ~ & not new await \\ ... * return typeof void my our local")
STOPS = names("if unless or and do while until for foreach in then end")


class Program:
    """One program text being evaluated."""

    __slots__ = ("at", "call", "depth", "evals", "items", "language", "names", "shell", "taken", "text", "values")

    def __init__(self, shell: Shell, text: str, language: str, args: Sequence[str], evals: int = 0) -> None:
        self.shell = shell
        self.text = text
        self.language = language
        self.items = tokens(text, language)
        self.at = 0
        self.depth = 0
        self.evals = evals
        self.taken: set[int] = set()
        self.values: dict[str, Value] = {}
        self.names = {item.value for item in self.items if item.kind == "name"}
        self.call = deeds.Deeds(self)
        given: list[Value] = list(args)
        for name in ("sys.argv", "process.argv", "ARGV", "@ARGV", "$argv"):
            shift = {"sys.argv": ["-c"], "process.argv": ["node"], "$argv": ["-"]}.get(name, [])
            self.values[name] = [*shift, *given]

    def run(self) -> None:
        """Walk the statements; what is never used by a call counts as mentioned."""
        while self.at < len(self.items):
            before = self.at
            self.statement()
            if self.at == before:
                self.at += 1
        self.call.finish()

    def peek(self, ahead: int = 0) -> str:
        """The next token as a sign: its text, or its kind and `!`."""
        index = self.at + ahead
        if index >= len(self.items):
            return ""
        item = self.items[index]
        return item.value if item.kind in ("op", "name") else item.kind + "!"

    def statement(self) -> None:
        """One statement: an import, a loop, an assignment, or an expression."""
        item = self.items[self.at]
        if item.kind == "name":
            if item.value in ("import", "from", "use") and bindings.imports(self):
                return
            if item.value in ("for", "foreach") and bindings.loop(self):
                return
            if item.value in ("def", "function", "sub", "class", "fn", "defp", "defmodule"):
                self.at += 2 if self.peek(1) not in ("(", "*") else 1
                return
        if bindings.destructured(self):
            return
        start = self.at
        value = self.expression()
        if self.at == start:
            return
        if self.peek() in ("=", ":=", "+=", ".=") and not (self.peek() == "=" and self.peek(1) == "="):
            name = bindings.name_at(self, start)
            sign = self.peek()
            self.at += 1
            right = self.expression()
            if name:
                self.values[name] = right if sign in ("=", ":=") else added(value, right)

    def expression(self) -> Value:
        """One expression, up to a comma, a closing bracket or something that is no operator."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.depth -= 1
            self.at += 1
            return NOTHING
        value = self.term()
        while self.at < len(self.items):
            sign = self.peek()
            if (
                sign == "+"
                or (sign == "." and self.language in ("perl", "php"))
                or (sign == ".." and self.language == "lua")
                or (sign == "<>" and self.language == "other")
            ):
                self.at += 1
                value = added(value, self.term())
            elif sign == "/" and isinstance(value, str):
                self.at += 1
                value = under(value, self.term())
            elif sign == "%" and isinstance(value, str):
                self.at += 1
                value = _formatted(value, self.term())
            elif sign == "*" and isinstance(value, (str, list)):
                self.at += 1
                right = self.term()
                if isinstance(right, int) and isinstance(value, str) and 0 <= right <= 64:
                    value = value * right if type(value) is str else NOTHING
            elif sign in _OPERATORS:
                self.at += 1
                right = self.term()
                value = right if sign in ("||", "??") and not isinstance(value, str) else value
                value = Dark(origins(value, right)) if sign in _COMPARES else value
            elif sign == "?":
                self.at += 1
                one = self.expression()
                if self.peek() == ":":
                    self.at += 1
                    other = self.expression()
                    value = one if isinstance(one, str) else other
            elif sign == "if" and self.language == "python":
                self.at += 1
                self.expression()
                if self.peek() == "else":
                    self.at += 1
                    self.expression()
            else:
                break
        self.depth -= 1
        return value

    def term(self) -> Value:
        """One operand, with what stands before and behind it."""
        while self.peek() in PREFIXES:
            self.at += 1
        if self.at >= len(self.items):
            return NOTHING
        item = self.items[self.at]
        kind = item.kind
        if kind == "text":
            value: Value = self.literal(item)
            while self.language == "python" and self.at < len(self.items) and self.items[self.at].kind == "text":
                value = added(value, self.literal(self.items[self.at]))
        elif kind == "list":
            self.at += 1
            value = list(item.value.split())
        elif kind == "number":
            self.at += 1
            value = _number(item.value)
        elif kind == "name":
            self.at += 1
            value = self.named(item)
        elif (
            item.value == "("
            and self.language == "lisp"
            and self.peek(1).partition("!")[0]
            and self.at + 1 < len(self.items)
        ):
            value = self.form()
        elif item.value == "(":
            value = self.group(")")
        elif item.value == "[":
            value = self.group("]")
            value = value if isinstance(value, list) else [value]
        elif item.value == "{":
            value = self.braces()
        elif item.value == "<" and self.language == "perl":
            return self.angled()
        else:
            return NOTHING
        return self.after(value)

    def literal(self, item: Token) -> Value:
        """A text literal, its interpolations filled in; a command literal is started."""
        index = self.at
        self.at += 1
        value: Value = item.value
        if item.parts is not None:
            value = ""
            for kind, piece in item.parts:
                value = added(value, piece if kind == "text" else self.inner(piece))
        if item.runs:
            self.taken.add(index)
            self.call.text(word(value), origins(value))
            return Dark(("run:sh",))
        return value

    def inner(self, text: str) -> Value:
        """An interpolated expression: a variable, or a short expression evaluated on its own."""
        name = text.strip().partition("!")[0].partition(":")[0] if self.language == "python" else text.strip()
        for one in (name, "$" + name, "@" + name):
            if one in self.values:
                return self.values[one]
        if not name or len(name) > 200 or self.depth > MAX_DEPTH - 8:
            return NOTHING
        kept = self.items, self.at
        self.items, self.at = tokens(name, self.language), 0
        try:
            return self.expression()
        finally:
            self.items, self.at = kept

    def named(self, item: Token) -> Value:
        """A name's value, or the name itself."""
        name = item.value
        if name in self.values:
            return self.values[name]
        if self.language == "perl" and name[:1] in "$@%" and name[1:2] == "E" and name[1:] == "ENV":
            return Ref("ENV")
        return Ref(name)

    def group(self, close: str) -> Value:
        """A parenthesised expression, a tuple or a list."""
        values = self.arguments(close)
        plain: list[Value] = [value for value in values if not isinstance(value, Named)]
        if close == ")" and len(plain) == 1 and self.items[self.at - 2].value != ",":
            return plain[0]
        return plain

    def form(self) -> Value:
        """`(name argument…)`."""
        start = self.at
        head = self.items[self.at + 1]
        if head.kind != "name":
            return self.group(")")
        self.at += 1
        plain: list[Value] = [value for value in self.arguments(")") if not isinstance(value, Named)]
        return calls.called(self, Ref(head.value), plain, start)

    def braces(self) -> Value:
        """An object literal, or a block."""
        return Named(
            {key: value for one in self.arguments("}") if isinstance(one, Named) for key, value in one.items()}
        )

    def angled(self) -> Value:
        """Perl's `<*.log>`."""
        start = self.items[self.at].at
        end = self.text.find(">", start)
        if end < 0 or end - start > 200:
            self.at += 1
            return NOTHING
        while self.at < len(self.items) and self.items[self.at].at <= end:
            self.at += 1
        pattern = self.text[start + 1 : end].strip()
        return Dim(pattern) if pattern[:1] in "~/." or "*" in pattern else Dark(("stdin",))

    def arguments(self, close: str) -> list[Value]:
        """The values up to the closing bracket; statements of function bodies among them are evaluated too."""
        self.at += 1
        found: list[Value] = []
        named = Named()
        while self.at < len(self.items):
            sign = self.peek()
            if sign == close:
                self.at += 1
                break
            if sign in (",", ";"):
                self.at += 1
                continue
            if sign in (")", "]", "}"):
                break
            key = self.items[self.at].value
            joint = self.peek(1)
            keyed = self.items[self.at].kind in ("name", "text") and (
                joint in (":", "=>") or (joint == "=" and self.peek(2) != "=" and close == ")")
            )
            if keyed and not (joint == ":" and self.language in ("python", "lua") and close == "("):
                self.at += 2
                named[key] = self.expression()
                continue
            before = self.at
            if self.items[before].kind == "name" and key in ("for", "foreach") and bindings.loop(self):
                continue
            value = self.expression()
            if self.at == before:
                self.at += 1
            elif self.peek() in ("=", "+=", ".=", ":="):
                self.at = before
                self.statement()
                if self.at == before:
                    self.at += 1
            else:
                found.append(value)
        if named:
            found.append(named)
        return found

    def after(self, value: Value) -> Value:
        """Attributes, calls and indexes behind a value."""
        if self.language == "lisp":
            return value
        while self.at < len(self.items):
            sign = self.peek()
            if sign in (".", "?.", "->", "::", "&.") or (sign == ":" and self.language == "lua"):
                following = self.items[self.at + 1] if self.at + 1 < len(self.items) else None
                if sign == "." and self.language in ("perl", "php"):
                    break
                if following is None or following.kind != "name":
                    if following is not None and following.value in ("(", "[", "{"):
                        self.at += 1
                        continue
                    break
                self.at += 2
                value = calls.attribute(self, value, following.value)
            elif sign == "(":
                start = self.at
                args = self.arguments(")")
                value = calls.called(self, value, args, start)
            elif sign == "[" and self.language in BARE and self.spaced() and self.starts(value):
                start = self.at
                value = calls.called(self, value, self.bare(), start)
            elif sign == "[" and [self.peek(ahead) for ahead in (1, 2, 3, 4)] == ["::", "-", "number!", "]"]:
                self.at += 5
                value = Made(value[::-1]) if isinstance(value, str) and not isinstance(value, Dim) else value
            elif sign == "[":
                value = calls.indexed(self, value, self.arguments("]"))
            elif sign == "{" and self.language == "perl" and isinstance(value, Ref):
                value = calls.indexed(self, value, self.arguments("}"))
            elif self.language in BARE and self.starts(value):
                start = self.at
                value = calls.called(self, value, self.bare(), start)
            elif self.language == "js" and isinstance(value, Ref) and sign == "text!":
                self.taken.add(self.at)
                text = self.literal(self.items[self.at])
                if value.name.rpartition(".")[2] in ("$", "sh", "execa", "command"):
                    self.call.text(word(text), origins(text))
                value = Dark(("run:sh",))
            else:
                break
        return value

    def spaced(self) -> bool:
        """Whether a blank stands before the next token: `eval [1]` is a call, `a[1]` an index."""
        at = self.items[self.at].at
        return 0 < at <= len(self.text) and self.text[at - 1] in " \t"

    def starts(self, value: Value) -> bool:
        """Whether a call without brackets begins: `unlink "x"`, `system 'ls', '-l'`."""
        item = self.items[self.at]
        before = self.items[self.at - 1]
        if not isinstance(value, Ref):
            return False
        if before.kind != "name" or before.value in JUMPS:
            return False
        if item.kind in ("text", "list"):
            return not item.runs and (self.language == "lua" or bool(kind_of(value.name, self.language)))
        if not kind_of(value.name, self.language):
            return False
        return (item.kind == "name" and item.value not in STOPS) or item.value in ("[", "<", "{")

    def bare(self) -> list[Value]:
        """The arguments of a call without brackets."""
        found: list[Value] = []
        while self.at < len(self.items):
            if self.peek() in STOPS:
                break
            before = self.at
            found.append(self.expression())
            if self.at == before or self.peek() not in (",", "=>") or self.language == "lua":
                break
            self.at += 1
        return found


_COMPARES = frozenset(("==", "===", "!=", "!==", "<", ">", "<=", ">=", "=~", "!~", "in", "is"))
_OPERATORS = _COMPARES | frozenset(("-", "*", "/", "%", "&&", "||", "|", "&", "^", "<<", ">>", "??", "and", "or", "|>"))


def _number(text: str) -> Value:
    try:
        return int(text.replace("_", ""), 0)
    except ValueError:
        return NOTHING


def _formatted(form: str, value: Value) -> Value:
    values = list(value) if isinstance(value, list) else [value]
    text = str(form)
    dim = False
    for one in values:
        piece = word(one)
        dim = dim or isinstance(piece, Dim)
        text = text.replace("%s", piece, 1)
    return Dim(text) if dim or isinstance(form, Dim) else text


def scan(shell: Shell, code: str, language: str, args: Sequence[str] = (), evals: int = 0) -> None:
    """Emit what a program text does."""
    Program(shell, code, language, args, evals).run()
