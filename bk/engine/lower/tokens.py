"""Program text to tokens: strings with their values, names, numbers and operators; comments are left out."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TOKENS = 20_000
MAX_CODE = 65_536

_DOUBLE = r'"(?:[^"\\]|\\.)*"'
_SINGLE = r"'(?:[^'\\]|\\.)*'"
_BACK = r"`(?:[^`\\]|\\.)*`"
_NUMBER = r"0[xX][\da-fA-F]+|\d[\d_]*(?:\.\d+)?"
_OPERATOR = r"=>|->|::|\?\.|\.\.\.|\.\.|===?|!==?|=~|!~|<<|>>|<=|>=|&&|\|\||\|>|<>|[-+*/%.|&^]=|:=|\S"
_HASH = r"\#[^\n]*"
_SLASHES = r"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?"
_REGEX = r"(?<=[(,=:\[!&|?{;])/(?![/*\s])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.){0,60}\]){1,200}/[a-z]*"


def _grammar(comment: str, strings: str, names: str) -> str:
    return (
        rf"(?s)(?P<skip>\s+|{comment})|(?P<text>{strings})|(?P<name>{names})|(?P<number>{_NUMBER})|(?P<op>{_OPERATOR})"
    )


_PYTHON = r"(?:\b[rRbBuUfF]{1,2})?(?:\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''|" + (
    r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
)
_PERCENT = (
    r"%[wWiIqQx](?:\((?:[^()\\]|\\.)*\)|\[(?:[^\[\]\\]|\\.)*\]|\{(?:[^{}\\]|\\.)*\}|\|[^|]*\||![^!]*!)"
    r"|%\((?:[^()\\]|\\.)*\)"
)
_QUOTES = (
    r"\bq[qwx]?\s*(?:\((?:[^()\\]|\\.)*\)|\[(?:[^\[\]\\]|\\.)*\]|\{(?:[^{}\\]|\\.)*\}"
    r"|<[^<>]*>|\|[^|]*\||/[^/]*/|![^!]*!)"
)
_GRAMMARS = {
    "python": _grammar(_HASH, _PYTHON, r"[A-Za-z_]\w*"),
    "js": _grammar(_SLASHES, rf"{_DOUBLE}|{_SINGLE}|{_BACK}|{_REGEX}", r"[A-Za-z_$][\w$]*"),
    "ruby": _grammar(
        _HASH, rf"{_DOUBLE}|{_SINGLE}|{_BACK}|{_PERCENT}", r"[@$]{0,2}[A-Za-z_]\w*[!?]?(?!=)|[@$]{0,2}[A-Za-z_]\w*"
    ),
    "perl": _grammar(_HASH, rf"{_DOUBLE}|{_SINGLE}|{_BACK}|{_QUOTES}", r"[$@%&]?[A-Za-z_]\w*(?:::\w+)*|\$[\d&_]|@_"),
    "php": _grammar(rf"{_HASH}|{_SLASHES}|<\?php|\?>", rf"{_DOUBLE}|{_SINGLE}|{_BACK}", r"\$?[A-Za-z_]\w*"),
    "lua": _grammar(
        r"--\[\[(?:[^\]]|\](?!\]))*(?:\]\])?|--[^\n]*",
        rf"{_DOUBLE}|{_SINGLE}|\[\[(?:[^\]]|\](?!\]))*(?:\]\])?",
        r"[A-Za-z_]\w*",
    ),
    "awk": _grammar(_HASH, rf"{_DOUBLE}", r"[A-Za-z_]\w*|\$\d+"),
    "lisp": _grammar(r";[^\n]*", _DOUBLE, r"[A-Za-z_*+/<>=!?:-][\w*+/<>=!?:.-]*"),
    "other": _grammar(_HASH, rf"{_DOUBLE}|{_SINGLE}|{_BACK}", r"[A-Za-z_]\w*[!?]?"),
}
_ESCAPE = re.compile(
    r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|U[0-9A-Fa-f]{8}|[0-7]{1,3}|.)", re.DOTALL
)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "\n": ""}
_BRACED = re.compile(r"\{([^{}]*)\}")
_DOLLAR = re.compile(r"\$\{([^{}]*)\}")
_RUBY = re.compile(r"#\{([^{}]*)\}")
_VARIABLE = re.compile(r"\{?\$\{?([A-Za-z_]\w*)\}?(?:->|\[[^\]]*\]|\{[^}]*\})*\}?|@\{?([A-Za-z_]\w*)\}?")


class Token:
    """One token. `kind` is `text name number op list`; `value` a text's value, `parts` its pieces when it is filled in.

    `runs` says that the text is a command the language starts (backticks, `qx`, `%x`).
    """

    __slots__ = ("at", "kind", "parts", "runs", "value")

    def __init__(self, kind: str, value: str, at: int) -> None:
        self.kind = kind
        self.value = value
        self.at = at
        self.runs = False
        self.parts: list[tuple[str, str]] | None = None


def tokens(code: str, language: str) -> list[Token]:
    """The tokens of a program text, as many as the budget allows."""
    found: list[Token] = []
    grammar = _GRAMMARS.get(language, _GRAMMARS["other"])
    for match in re.finditer(grammar, code[:MAX_CODE]):
        kind = match.lastgroup
        if kind == "skip" or kind is None:
            continue
        token = Token(kind, match[0], match.start())
        if kind == "text":
            _VALUES.get(language, _plain)(token)
        found.append(token)
        if len(found) >= MAX_TOKENS:
            break
    return found


def unescaped(text: str) -> str:
    """A string's inside with its backslashes read."""
    return _ESCAPE.sub(_escaped, text) if "\\" in text else text


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:].strip("{}"), 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
    if code[0] in "01234567":
        return chr(int(code, 8) & 0xFF)
    return _SIMPLE.get(code, code)


def _filled(token: Token, text: str, pattern: re.Pattern[str]) -> None:
    """Split a text at its interpolations: (`text`, value) and (`code`, expression) pieces."""
    if pattern.search(text) is None:
        token.value = unescaped(text)
        return
    parts: list[tuple[str, str]] = []
    at = 0
    for match in pattern.finditer(text):
        if match.start() and text[match.start() - 1] == "\\":
            continue
        parts.append(("text", unescaped(text[at : match.start()])))
        groups = [group for group in match.groups() if group is not None]
        parts.append(("code", groups[0] if groups else ""))
        at = match.end()
    parts.append(("text", unescaped(text[at:])))
    token.parts = parts
    token.value = "".join(value if kind == "text" else "**" for kind, value in parts)


def _python(token: Token) -> None:
    raw = token.value
    cut = min(at for at in (raw.find('"'), raw.find("'")) if at >= 0)
    prefix, body = raw[:cut].lower(), raw[cut:]
    body = body[3:-3] if body[:3] in ('"""', "'''") and len(body) >= 6 else body[1:-1]
    if "f" in prefix:
        _filled(token, body.replace("{{", "\x01").replace("}}", "\x02"), _BRACED)
        token.value = token.value.replace("\x01", "{").replace("\x02", "}")
        return
    token.value = body if "r" in prefix else unescaped(body)


def _js(token: Token) -> None:
    raw = token.value
    if raw[:1] == "`":
        _filled(token, raw[1:-1], _DOLLAR)
    elif raw[:1] in "\"'":
        token.value = unescaped(raw[1:-1])
    else:
        token.kind = "op"  # a regular expression


def _ruby(token: Token) -> None:
    raw = token.value
    if raw[0] == "'":
        token.value = raw[1:-1].replace("\\'", "'").replace("\\\\", "\\")
    elif raw[0] == "%":
        mark, body = (raw[1], raw[3:-1]) if raw[1].isalpha() else ("Q", raw[2:-1])
        if mark in "wWiI":
            token.kind, token.value = "list", body
        else:
            token.runs = mark == "x"
            _filled(token, body, _RUBY)
    else:
        token.runs = raw[0] == "`"
        _filled(token, raw[1:-1], _RUBY)


def _perl(token: Token) -> None:
    raw = token.value
    if raw[0] == "'":
        token.value = raw[1:-1].replace("\\'", "'").replace("\\\\", "\\")
        return
    if raw[0] == "q":
        mark = raw[1] if raw[1] in "qwx" else ""
        body = raw[1 + len(mark) :].lstrip()[1:-1]
        if mark == "w":
            token.kind, token.value = "list", body
            return
        if mark == "":
            token.value = body
            return
        token.runs = mark == "x"
        _filled(token, body, _VARIABLE)
        return
    token.runs = raw[0] == "`"
    _filled(token, raw[1:-1], _VARIABLE)


def _php(token: Token) -> None:
    raw = token.value
    if raw[0] == "'":
        token.value = raw[1:-1].replace("\\'", "'").replace("\\\\", "\\")
        return
    token.runs = raw[0] == "`"
    _filled(token, raw[1:-1], _VARIABLE)


def _lua(token: Token) -> None:
    raw = token.value
    token.value = raw[2:-2] if raw[:2] == "[[" else unescaped(raw[1:-1])


def _plain(token: Token) -> None:
    token.runs = token.value[0] == "`"
    token.value = unescaped(token.value[1:-1])


_VALUES: dict[str, Callable[[Token], None]] = {
    "python": _python,
    "js": _js,
    "ruby": _ruby,
    "perl": _perl,
    "php": _php,
    "lua": _lua,
}
