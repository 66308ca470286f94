"""One way to write a rule file: what it says stays as it is, comments too."""

from __future__ import annotations

from bk.engine.rules.example import WHERE
from bk.engine.rules.expression import is_ast, parsed, string
from bk.engine.rules.parse import OUTSIDE, parse
from bk.engine.rules.rule import Either, Every, Listed, Not, Term
from bk.engine.rules.vocabulary import MATCHERS, MODIFIERS, TIERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.rules.rule import Pattern, Value

INDENT = "  "
_TEXTS = frozenset(("nudge", "why"))
_WORDS = frozenset(("severity", "tags", "tools", "agents"))


def formatted(text: str) -> str:
    """The text in its one form; raises RuleErrors when it is not a rule file. Formatting twice changes nothing more."""
    parse(text, file="rules", pack="rules")
    out: list[str] = []
    gap = in_rule = False
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bare = line.strip(" \t")
        if not bare:
            gap = True
            continue
        if bare.startswith("#"):
            inside = in_rule and (line[0] == " " or _clause_follows(lines, number))
            if not inside:
                if out and (gap or in_rule):
                    _blank(out)
                in_rule = False
            out.append((INDENT if inside else "") + bare)
        elif line[0] != " ":
            if out and (in_rule or gap):
                _blank(out)
            in_rule = True
            out.append(_header(bare))
        else:
            out.append(INDENT + _clause(bare))
        gap = False
    return "\n".join(out) + "\n" if out else ""


def _clause_follows(lines: Sequence[str], number: int) -> bool:
    """Whether the next line that says something belongs to the rule that is open."""
    for line in lines[number + 1 :]:
        if line.strip(" ") and not line.lstrip(" ").startswith("#"):
            return line[0] == " "
    return False


def _blank(out: list[str]) -> None:
    if out[-1]:
        out.append("")


def _commented(text: str, rest: str) -> str:
    """A piece with the comment that follows it on its line."""
    comment = rest.strip(" ")
    return f"{text}  {comment}" if comment else text


def _header(line: str) -> str:
    tier = next(tier for tier in TIERS if line.startswith(tier))
    at = line.index('"')
    name, end = string(line, at)
    return _commented(f'{tier} "{name}"', line[end:])


def _clause(line: str) -> str:
    word = line.split(" ", 1)[0].split('"', 1)[0]
    rest = line[len(word) :].lstrip(" ")
    if word in _TEXTS:
        text, end = string(rest, 0)
        return _commented(f"{word} {quoted(text)}", rest[end:])
    if word in _WORDS:
        words, hash_, comment = rest.partition("#")
        listed = ", ".join(one.strip(" ") for one in words.split(","))
        return _commented(f"{word} {listed}", hash_ + comment)
    if word == OUTSIDE:
        name, hash_, comment = rest.partition("#")
        return _commented(f"{word} @{name.strip(' ').removeprefix('@')}", hash_ + comment)
    if word in ("match", "unless") and is_ast(rest):
        pattern, end = parsed(rest)
        return _commented(f"{word} {rendered(pattern)}", rest[end:])
    if word == "example":
        kind, _, call = rest.partition(" ")
        where = WHERE.search(call)
        place = f"  @ cwd={where[1]}" if where else ""
        return f"{word} {kind} {(call[: where.start()] if where else call).strip(' ')}{place}"
    return f"{word} {rest}"


def rendered(pattern: Pattern, *, inside: bool = False) -> str:
    """A pattern of matchers as text; parentheses only where they are needed."""
    if isinstance(pattern, Not):
        return "not " + rendered(pattern.inner, inside=True)
    if isinstance(pattern, (Every, Either)):
        word = " and " if isinstance(pattern, Every) else " or "
        text = word.join(rendered(part, inside=not isinstance(part, Term)) for part in pattern.parts)
        return f"({text})" if inside else text
    if not isinstance(pattern, Term):
        return pattern.text
    parts = [_call(pattern.name, pattern.values, MATCHERS[pattern.name].kind if pattern.name in MATCHERS else "")]
    parts += [_call(one.name, one.values, MODIFIERS[one.name].kind) for one in pattern.modifiers]
    return " ".join(parts)


def _call(name: str, values: Sequence[Value], kind: str) -> str:
    shown: list[str] = []
    for value in values:
        if isinstance(value, Listed):
            shown.append(f"@{value.name}")
        elif isinstance(value, Term):
            shown.append(rendered(value))
        elif kind == "regex":
            shown.append('"' + value.replace('"', '\\"') + '"')
        elif kind == "word":
            shown.append(value)
        else:
            shown.append(quoted(value))
    return f"{name}({', '.join(shown)})"


def quoted(text: str) -> str:
    """A text as a string of the language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
