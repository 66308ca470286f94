"""Secrets known by what stands next to them: a name (`PASSWORD=x`), a flag (`--token x`), a header, a credential pair.

A label is found by one linear pattern; where its value ends is then walked piece by piece, because quotes nest in ways
that one pattern could only follow by backtracking.
"""

from __future__ import annotations

from bk.engine.ledger.shapes import mark, pattern, settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    Span = tuple[int, int, str]  # start, end, kind
    Found = re.Match[str]

_PHRASE = r"pass(?:word|wd|phrase|code)s?|(?<![a-z])pass|(?<=\\[nrt])pass|(?<=ssh)pass|(?<=db)pass|(?<=user)pass|pwd"
_KEY = (
    r"(?:api|access|private|auth|account|encryption|signing|session|master|deploy|service|secret|shared|storage)"
    r"[_-]?keys?"
)
_WORD = rf"(?:{_PHRASE}|secret[_-]?key[_-]?base|secrets?|(?<!pad_)(?<!eos_)(?<!bos_)token|{_KEY}|credentials?|_auth)"
_NAMED = rf"(?i:({_WORD}))\d{{0,2}}(\\{{0,7}}[\"'])?\]?[ \t]{{0,4}}(=>|:=|={{1,3}}|:|>)[ \t]{{0,4}}"
_FLAG = rf"(?<![\w-])--?(?i:[\w-]{{0,40}}?({_WORD}))[ \t]+(?=[^\s-])"
_SPACED = r"(?i:(aws_secret_access_key|aws_session_token|_authtoken|_password))[ \t]+(?=[^\s=:-])"
_NETRC = r"(?i:\blogin[ \t]+\S{1,128}[ \t\n]+(password))[ \t]+(?=\S)"
_PAIR = (
    r"(?<!\S)[\"']?(?:-u|-U|--user|--proxy-user|-[A-Za-z]{1,6}u(?=[ \t]))(?:[ \t]+|=|(?=[^\s=]{1,128}:))"
    r"(\\{0,7}[\"'])?([^\s:\"'/=\\]{0,128}):(?!//)"
)
_PROGRAM = (
    r"(?:(?<![\w-])|(?<=\\[nrt]))(?:sshpass\s[^;|&\n]{0,120}?-p[ \t]*"
    r"|(?:mysql|mariadb)\w{0,8}\s[^;|&\n]{0,120}?\s-p(?=[^\s])"
    r"|(?:docker|podman|nerdctl|helm|oc|az)\s[^;|&\n]{0,40}?\blogin\s[^;|&\n]{0,120}?\s-p[ \t]+"
    r"|redis-cli\s[^;|&\n]{0,120}?\s-a[ \t]+|ldap\w{1,12}\s[^;|&\n]{0,120}?\s-w[ \t]+"
    r"|mongo\w{0,8}\s[^;|&\n]{0,120}?\s-p[ \t]+|-pass(?:in|out)?[ \t]+pass:)"
)
_HEADER = (
    r"(?i:(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]{0,40}(?:key|token|secret|auth)"
    r"|(?:private|job|deploy)-token|api-key))(\\{0,7}[\"'])?[ \t]{0,4}:(?!:)[ \t]{0,8}"
)
_SCHEME = (
    r"(?i:(?:bearer|basic|token|digest|negotiate|ntlm|apikey|api-key|key|hawk|splunk|dpop|geniekey|signature"
    r"|aws4-hmac-sha256)\\?[ \t]{1,8})"
)
_BEARER = r"(?i:\b(?:bearer|basic)[ \t]+)((?=[A-Za-z_.~+/-]{0,64}[0-9=])[A-Za-z0-9._~+/-]{16,}+={0,2})"
_COOKIE_FLAG = r"(?<!\S)(?:--cookie|-b)(?:[ \t]+|=)(?=\\{0,7}[\"']?[^\s=\"'\\]{1,128}=)"

_BARE = r"(?:[^\s\"'`;|&<>()\\]|\\[^nrt\n\"'])++"
_SHELL_BARE = r"(?:[^\s\"'`;|&<>()\\]|\\[^\n])++"
_DOUBLE = r'"(?:[^"\\]|\\[\s\S])*+"'
_SINGLE = r"'[^']*+'"
_ESCAPED = r"(\\{1,7}[\"'])(?:(?!\1)[\s\S])*+\1"
_CODE = (
    r"(?:os\.|process\.env|getenv|get_|getpass|input\(|env[.(\[]|ENV\[|config[.\[]|settings\.|self\.|args\.|ctx\.|req\."
    r"|request\.)"
)
_BACK = 512


def maybe_label(low: str) -> bool:
    """Whether any literal of the finders could occur, in one expression for speed."""
    return (
        "pass" in low or "key" in low or "token" in low or "secret" in low or "auth" in low or "-u" in low
        or "pwd" in low or "cred" in low or "cookie" in low or "-b " in low or "login" in low or "mysql" in low
        or "maria" in low or "redis-" in low or "ldap" in low or "mongo" in low or "x-" in low or "bearer" in low
        or "basic " in low or "user" in low or "curl" in low
    )  # fmt: skip


def labelled(text: str, low: str) -> str:
    """The text without the values that a label gives away; `low` is its lower-cased form, for the cheap tests."""
    for literals, source, judge in FINDERS:
        for literal in literals:
            if literal in low:
                text = _cut(text, source, judge)
                break
    return text


def kind_of(word: str) -> str:
    """The name that the mark carries for this label."""
    low = word.lower()
    if "pass" in low or low == "pwd":
        return "password"
    if "key" in low:
        return "api-key"
    return "token" if "token" in low or low == "_auth" else "secret"


def is_secret_flag(word: str) -> str:
    """The kind of secret that the argument after this flag is, or ""."""
    found = pattern(rf"--?(?i:[\w-]{{0,40}}?({_WORD}))").fullmatch(word) if word[:1] == "-" else None
    return kind_of(found.group(1)) if found else ""


def pair(word: str) -> str:
    """The word of a `user:password` argument without its password."""
    found = pattern(
        r"([^\s:\"'/=]{0,128}):(?!//)(.+)",
    ).fullmatch(word)
    if not found or _public(*found.groups()):
        return word
    return f"{found[1]}:{mark('password')}"


def _public(user: str, value: str) -> bool:
    """Whether a pair is a uid and a gid, a host and a path, or without a secret."""
    return settled(value) or value[0] == "/" or (value.isdigit() and user.isdigit())


def _cut(text: str, source: str, judge: Callable[[str, Found], Span | None]) -> str:
    """Replace what `judge` says of each label, going on after its value: no stretch is walked twice."""
    search = pattern(source).search
    parts: list[str] = []
    done = at = 0
    while found := search(text, at):
        at = max(found.end(), at + 1)
        span = judge(text, found)
        if span is None:
            continue
        start, end, kind = span
        if start < done or start >= end:
            continue
        parts.append(text[done:start])
        parts.append(mark(kind))
        done = end
        at = max(at, end)
    return "".join(parts) + text[done:] if parts else text


def _quoted(text: str, at: int) -> tuple[int, int, int] | None:
    """The inside and the end of a quoted value at `at`; an unclosed quote reaches to the end of its line."""
    opening = pattern(r"\\{0,7}[\"']").match(text, at)
    if not opening:
        return None
    start = opening.end()
    width = start - at
    found = pattern(_ESCAPED if width > 1 else _DOUBLE if text[at] == '"' else _SINGLE).match(text, at)
    if found:
        return start, found.end() - width, found.end()
    line = pattern(r"[^\n]*+").match(text, start)
    end = line.end() if line else len(text)
    return start, end, end


def _value(text: str, at: int, *, label: int) -> tuple[int, int]:
    """Where the value that begins at `at` starts and ends, quotes left outside."""
    quoted = _quoted(text, at)
    if quoted:
        start, end, after = quoted
        if text[start : start + 1].isspace() or start >= end:
            return at, at
        return start, _joined(text, after, label, end)
    found = pattern(_BARE).match(text, at)
    if not found:
        return at, at
    end = found.end()
    while end > at + 1 and text[end - 1] == ",":
        end -= 1
    return at, _joined(text, found.end(), label, end)


def _joined(text: str, after: int, label: int, end: int) -> int:
    """Follow shell words that go on after a piece (`ab"c d"e`), unless that quote was opened before the label."""
    while after < len(text):
        char = text[after]
        if char in "\"'":
            before = text[max(0, label - _BACK, text.rfind("\n", max(0, label - _BACK), label) + 1) : label]
            if (before.count(char) - before.count("\\" + char)) % 2:
                return end
            quoted = _quoted(text, after)
            if not quoted:
                return end
            after = end = quoted[2]
            continue
        found = pattern(_SHELL_BARE).match(text, after)
        if not found or char in ",}])":
            return end
        after = end = found.end()
    return end


def _enclosed(text: str, name: int, at: int) -> tuple[int, int] | None:
    """The rest of the quotes that were opened right before the name (`-e "NAME=two words"`), if they were."""
    start = name
    while start > 0 and name - start < 64 and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    quote = text[start - 1 : start]
    opened = text[max(0, start - 4) : start - 1].rstrip()
    if not quote or quote not in "\"'" or opened.endswith(("c", ":", "\\")) or text[at : at + 1] in ("\\", "'", '"'):
        return None
    inside = pattern(r'(?:[^"\\\n]|\\.){1,4096}+(?=")' if quote == '"' else r"[^'\n]{1,4096}+(?=')").match(text, at)
    return inside.span() if inside else None


def _line_start(text: str, name: int) -> str:
    """What begins the line that a name stands first on, its own prefix and indentation aside: "\\n", a quote, or ""."""
    start = name
    while start > 0 and name - start < 64 and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    while start > 0 and name - start < 128 and text[start - 1] in " \t->":
        start -= 1
    if start == 0 or text[start - 1] in "\n\r":
        return "\n"
    if text[start - 1] == "\\" and text[start] in "nr":
        return "'"
    return text[start - 1] if text[start - 1] in "\"'" else ""


def _named(text: str, found: Found) -> Span | None:
    word, quote, sign = found.groups()
    name, at = found.start(), found.end()
    spaced = text[at - 1] in " \t" or text[found.start(3) - 1] in " \t"
    span = (at, at)
    if sign == ">":
        close = text.find("<", at, at + 1024)
        if close > at and text.find("\n", at, close) < 0:
            span = (at, close)
    elif not quote and sign in ("=", ":") and (inside := _enclosed(text, name, at)):
        if sign == "=" or not pattern(r"\s").search(text, *inside):
            span = inside
    elif pattern(r"\\{0,7}[\"']").match(text, at) or (sign == "=" and not spaced and not quote):
        span = _value(text, at, label=name)
    elif quote and sign == ":":
        number = pattern(r"-?\d[\d.]*").match(text, at)
        if number and kind_of(word) == "password":
            span = number.span()
    elif sign in ("=", ":") and not quote and spaced and (before := _line_start(text, name)):
        body = r"(?:[^\s\\]|\\[^nrt])++" if before == "\n" else r"(?:[^\s\\\"']|\\[^nrt\"'])++"
        line = pattern(rf"({body})[ \t]*(?:[#;][^\n]*)?(?=[\n\r\"']|\\[nr\"]|\Z)").match(text, at)
        if line:
            span = line.span(1)
    return _kept(text, word, *span)


def _kept(text: str, word: str, start: int, end: int) -> Span | None:
    """The span, unless what it covers is no secret. Long values always count: judging them again would cost."""
    value = text[start:end]
    if not value or (len(value) < 256 and (settled(value) or _harmless(text, word, value, start))):
        return None
    return start, end, kind_of(word)


def _harmless(text: str, word: str, value: str, start: int) -> bool:
    """Values that name where a secret comes from, or that cannot be one."""
    low = word.lower()
    if low == "pwd" and value[0] in "/~.$":
        return True
    if low == "pass" and value.isdigit() and len(value) < 3:
        return True
    if value.lower() in ("none", "null", "true", "false", "undefined", "nil", "str", "string"):
        return True
    if value[0] in "$`" and (value in ("$", "`") or value.startswith("$(")):
        return text[start - 1 : start] != "'"
    return text[start - 1 : start] not in ('"', "'") and pattern(_CODE).match(value) is not None


def _simple(text: str, found: Found) -> Span | None:
    word = (found.group(1) if found.lastindex else None) or "password"
    return _kept(text, word, *_value(text, found.end(), label=found.start()))


def _pair(text: str, found: Found) -> Span | None:
    quote, user = found.groups()
    at = found.end()
    if quote:
        end = text.find(quote, at)
        end = end if end >= 0 else len(text)
    else:
        end = _value(text, at, label=found.start())[1]
    return None if _public(user, text[at:end]) else (at, end, "password")


def _header(text: str, found: Found) -> Span | None:
    name = found.group(1).lower()
    at = found.end()
    quoted = _quoted(text, at) if found.group(2) else None
    inside = None if found.group(2) else _enclosed(text, found.start(1), at)
    start = end = at
    if quoted:
        start, end = quoted[:2]
    elif inside:
        start, end = inside
    elif _line_start(text, found.start(1)):
        line = pattern(r"(?:[^\n\r\"'\\]|\\[^nr\"'\\])*+").match(text, at)
        end = line.end() if line else at
    scheme = pattern(_SCHEME).match(text, start)
    if scheme:
        start = scheme.end()
    if end <= start:
        start, end = _value(text, start, label=found.start())
    if settled(text[start:end]):
        return None
    kind = "cookie" if "cookie" in name else "authorization" if "authorization" in name else "api-key"
    return start, end, kind


def _bearer(_text: str, found: Found) -> Span | None:
    return found.start(1), found.end(), "authorization"


def _cookie(text: str, found: Found) -> Span | None:
    start, end = _value(text, found.end(), label=found.start())
    return None if settled(text[start:end]) else (start, end, "cookie")


FINDERS: tuple[tuple[tuple[str, ...], str, Callable[[str, Found], Span | None]], ...] = (
    (("authorization", "cookie:", 'cookie"', "cookie'", "x-", "-token", "api-key"), _HEADER, _header),
    (("bearer ", "basic "), _BEARER, _bearer),
    (("pass", "pwd", "secret", "token", "key", "credential", "_auth"), _NAMED, _named),
    (("--pass", "-pass", "secret", "token", "-key", "pwd", "credential"), _FLAG, _simple),
    (("aws_secret", "_session_token", "_authtoken", "_password"), _SPACED, _simple),
    (("login",), _NETRC, _simple),
    (("sshpass", "mysql", "mariadb", "login", "redis-cli", "ldap", "mongo", "-pass"), _PROGRAM, _simple),
    (("-u", "--user", "--proxy-user", "curl"), _PAIR, _pair),
    (("--cookie", "-b "), _COOKIE_FLAG, _cookie),
)
