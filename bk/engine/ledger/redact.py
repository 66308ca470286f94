"""Takes secrets out of JSON values before they are stored. Pure: no files, no clock, no environment.

It is applied to everything the ledger keeps, so an ordinary text must cost next to nothing: patterns run only when one
of their literals occurs. What is removed is named in its place, as `[REDACTED:kind]`.
"""

from __future__ import annotations

from bk.engine.errors import BkError
from bk.engine.ledger.labels import is_secret_flag, labelled, maybe_label, pair
from bk.engine.ledger.shapes import SHAPES, mark, maybe_token, pattern, settled, tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from bk.engine.model import Json

MAX_DEPTH = 200
_SHORTEST = 6  # "-u a:b": nothing shorter can hold a label and a secret
_ROUNDS = 8
_WORD = 40
_WORDS = 4096
_NAMES = frozenset(("name", "key", "Name", "Key", "variable"))
_VALUES = frozenset(("value", "Value", "old", "new", "from", "to", "before", "after", "default"))
_ENDINGS = (
    "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "secrets", "secretkey", "token",
    "apikey", "apikeys", "accesskey", "privatekey", "authkey", "accountkey", "signingkey", "encryptionkey",
    "sessionkey", "masterkey", "storagekey", "secretkeybase", "authorization", "credential", "credentials", "cookie",
    "cookies", "connectionstring",
)  # fmt: skip
_EXACT = {"pass": "password", "bearer": "token", "jwt": "token", "sshpass": "password", "xauth": "token"}
_NOT = frozenset(
    ("pwd", "oldpwd", "cwdpwd", "padtoken", "eostoken", "bostoken", "unktoken", "masktoken", "septoken", "clstoken",
     "nexttoken", "pagetoken", "nextpagetoken", "continuationtoken")
)  # fmt: skip
_kinds: dict[str, str] = {}


def redactor(user_patterns: Sequence[str] = ()) -> Callable[[Json], Json]:
    """A function that returns a JSON value with its secrets replaced; `user_patterns` are run by RE2."""
    clean = _Cleaner(tuple(_user_pattern(source) for source in user_patterns))

    def redact(value: Json) -> Json:
        return _walk(value, clean, 0)

    return redact


class _Cleaner:
    """Cleans one text. It remembers the words that every entry repeats: tool names, rule ids, and keys in `plain`."""

    __slots__ = ("_harmless", "_own", "plain")

    def __init__(self, own: tuple[Any, ...]) -> None:
        self._own = own
        self._harmless: set[str] = set()
        self.plain: set[str] = set()

    def __call__(self, text: str) -> str:
        if text in self._harmless or (len(text) < _SHORTEST and not self._own):
            return text
        given = text
        for _ in range(_ROUNDS):
            before = text
            for compiled in self._own:
                text = _user(compiled, text)
            text = _builtin(text)
            if text == before:
                break
        if text == given and len(text) <= _WORD:
            _remember(self._harmless, text)
        return text

    def key(self, key: str) -> tuple[str, str]:
        """How a key is shown, and the kind of secret that stands under it, or ""."""
        shown, kind = self(key), _secret_key(key)
        if shown == key and not kind and key not in _VALUES and len(key) <= _WORD:
            _remember(self.plain, key)
        return shown, kind


def _remember(words: set[str], word: str) -> None:
    if len(words) >= _WORDS:
        words.clear()
    words.add(word)


def _builtin(text: str) -> str:
    low = text.lower()
    for literals, replace in SHAPES:
        for literal in literals:
            if literal in low:
                text = replace(text)
                break
    if maybe_token(low):
        text = tokens(text, low)
    return labelled(text, low) if maybe_label(low) else text


def _walk(value: Json, clean: _Cleaner, depth: int) -> Json:
    kind = type(value)
    if kind is str:
        return clean(value)
    if kind is dict:
        return _object(value, clean, depth) if depth < MAX_DEPTH else mark("too-deep")
    if kind is list or kind is tuple:
        return _array(value, clean, depth) if depth < MAX_DEPTH else mark("too-deep")
    return value


def _object(value: dict[str, Json], clean: _Cleaner, depth: int) -> dict[str, Json]:
    said = ""
    if not _NAMES.isdisjoint(value):
        for name in _NAMES.intersection(value):
            if type(value[name]) is str:
                said = said or _secret_key(value[name])
    fresh: dict[str, Json] = {}
    for key, item in value.items():
        shown = key
        if key not in clean.plain and type(key) is str:
            shown, kind = clean.key(key)
            kind = kind or (said if key in _VALUES else "")
            if kind:
                item = _hidden(item, kind, depth + 1)  # noqa: PLW2901 - the item as it will be kept
        while shown in fresh:
            shown += "'"
        fresh[shown] = clean(item) if type(item) is str else _walk(item, clean, depth + 1)
    return fresh


def _array(value: Sequence[Json], clean: _Cleaner, depth: int) -> list[Json]:
    fresh: list[Json] = []
    before = ""
    for item in value:
        kept = _walk(item, clean, depth + 1)
        if type(item) is str:
            flag = is_secret_flag(before) if before[:1] == "-" else ""
            if flag and item[:1] != "-" and not settled(item):
                kept = mark(flag)
            elif before in ("-u", "--user", "--proxy-user", "-U"):
                kept = pair(kept)
        before = item if type(item) is str else ""
        fresh.append(kept)
    return fresh


def _hidden(value: Json, kind: str, depth: int) -> Json:
    """Every text and number under a secret's name, whatever its shape."""
    of = type(value)
    if of is str:
        return value if not value or _marked(value) else mark(kind)
    if of is int or of is float:
        return value if kind == "token" else mark(kind)
    if depth >= MAX_DEPTH:
        return mark("too-deep")
    if of is list or of is tuple:
        return [_hidden(item, kind, depth + 1) for item in value]
    if of is dict:
        return {key: _hidden(item, kind, depth + 1) for key, item in value.items()}
    return value


def _marked(text: str) -> bool:
    return text.startswith("[REDACTED:") and settled(text)


def _secret_key(key: str) -> str:
    """The kind of secret that a value under this key is, or ""."""
    kind = _kinds.get(key)
    if kind is None:
        kind = _judge_key(key)
        if len(_kinds) < 4096 and len(key) <= 64:
            _kinds[key] = kind
    return kind


def _judge_key(key: str) -> str:
    word = key[-64:].lower().replace("_", "").replace("-", "").replace(" ", "").rsplit(".", 1)[-1].rstrip("0123456789")
    if word in _NOT:
        return ""
    if word in _EXACT:
        return _EXACT[word]
    if not word.endswith(_ENDINGS):
        return ""
    if "pass" in word or word.endswith("pwd"):
        return "password"
    for ending, kind in (("key", "api-key"), ("token", "token"), ("authorization", "authorization")):
        if word.rstrip("s").endswith(ending):
            return kind
    return "cookie" if "cookie" in word else "secret"


def _user_pattern(source: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(source, options=options)
    except (re2.error, UnicodeEncodeError, TypeError) as error:
        reason = error.args[0] if error.args else error
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise BkError(
            "a redaction pattern cannot be used",
            f"{source!r}: {reason}",
            "correct it in audit.redact_patterns (RE2 syntax: no look-around, no back-references)",
        ) from error
    if compiled.search("") is not None:
        raise BkError(
            "a redaction pattern cannot be used",
            f"{source!r}: it matches the empty text",
            "make it ask for at least one character, in audit.redact_patterns",
        )
    return compiled


def _user(compiled: Any, text: str) -> str:
    """Replace what a user's pattern finds, leaving marks that already stand alone."""
    try:
        spans = [found.span() for found in compiled.finditer(text)]
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8 form, and RE2 works on UTF-8
        text = text.encode("utf-8", "replace").decode()
        spans = [found.span() for found in compiled.finditer(text)]
    if not spans:
        return text
    marks = [found.span() for found in pattern(r"\[REDACTED:[a-z0-9-]+\]").finditer(text)]
    parts: list[str] = []
    done = 0
    for start, end in spans:
        inside = [at for at in marks if at[0] < end and start < at[1]]
        if end <= start or any(at[0] <= start and end <= at[1] for at in inside):
            continue
        start = max(done, min([start, *(at[0] for at in inside)]))  # noqa: PLW2901 - a half-covered mark goes whole
        end = max([end, *(at[1] for at in inside)])  # noqa: PLW2901
        parts.append(text[done:start])
        parts.append(mark("custom"))
        done = end
    return "".join(parts) + text[done:]
