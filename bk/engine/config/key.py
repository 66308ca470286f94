"""One setting as data: its type and bounds, which way is tighter, and how a value of it is read."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

MAX_ITEMS = 1000
MAX_ITEM = 1024
MAX_STARS = 32
MAX_LISTS = 200
_RULE = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._-]*(?:/[A-Za-z0-9*._-]+)?")
_EXCEPTION = re.compile(r"(?:\*|[a-z-]{2,20}):\S{1,300} (?:\*|release-age|lifecycle|remote-source) \S.*")
_URL = re.compile(r"https?://[\w.:\[\]-]{1,300}(?:/[\w./~%+-]{0,600})?")
_VERIFIER = re.compile(r"[!-*,-~]{1,80}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}")
_LIST = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,79}")


class Key:
    """One setting. `relax` names the lowest layer that may make it looser: `user` or `system`."""

    __slots__ = (
        "choices", "clamp", "default", "env", "help", "high", "item", "kind", "low", "name", "order", "project",
        "relax", "secret",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: str,
        default: Json,
        help: str,  # noqa: A002 - what it is
        *,
        order: str,
        low: int = 0,
        high: int = 0,
        choices: tuple[str, ...] = (),
        item: str = "",
        relax: str = "user",
        project: bool = False,
        env: str = "",
        clamp: bool = False,
        secret: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
        self.help = help
        self.order = order
        self.low = low
        self.high = high
        self.choices = choices
        self.item = item
        self.relax = relax
        self.project = project
        self.env = env
        self.clamp = clamp
        self.secret = secret

    def read(self, raw: Json) -> tuple[Json, str]:
        """The value in its own type, and a note when it had to be clamped; ValueError says what is wrong."""
        if self.kind == "bool":
            if type(raw) is not bool:
                raise ValueError(f"is {_type(raw)}; true or false is needed")
            return raw, ""
        if self.kind == "int":
            return self._int(raw)
        if self.kind == "choice":
            if not isinstance(raw, str) or raw not in self.choices:
                shown = repr(raw[:40]) if isinstance(raw, str) else _type(raw)
                raise ValueError(f"is {shown}; one of {', '.join(self.choices)} is needed")
            return str(raw), ""
        if self.kind == "lists":
            return _lists(raw, self), ""
        if self.kind == "url":
            return _url(raw), ""
        if self.kind == "text":
            return self._text(raw), ""
        return self._list(raw), ""

    def _list(self, raw: Json) -> list[str]:
        if not isinstance(raw, list):
            raise ValueError(f"is {_type(raw)}; a list is needed")
        if len(raw) > MAX_ITEMS:
            raise ValueError(f"has {len(raw)} items; {MAX_ITEMS} is the most")
        return list(dict.fromkeys(self._item(each) for each in raw))

    def _int(self, raw: Json) -> tuple[Json, str]:
        if type(raw) is not int:
            raise ValueError(f"is {_type(raw)}; a whole number is needed")
        if self.low <= raw <= self.high:
            return int(raw), ""
        if not self.clamp:
            raise ValueError(f"is outside {self.low}–{self.high}")
        value = min(max(raw, self.low), self.high)
        return value, f"is outside {self.low}–{self.high}; {value} is used"

    def _item(self, raw: Json) -> str:
        if not isinstance(raw, str):
            raise ValueError(f"has an item that is {_type(raw)}; text is needed")
        shown = repr(raw[:40])
        if not raw or len(raw) > MAX_ITEM:
            raise ValueError(f"has an item of {len(raw)} characters: 1–{MAX_ITEM} are allowed")
        if any(char < " " or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in raw):
            raise ValueError(f"has a control character in {shown}")
        if self.item == "glob":
            _glob(raw, shown)
        elif self.item == "pattern":
            _pattern(raw, shown)
        elif self.item == "name" and ("/" in raw or ":" in raw or " " in raw):
            raise ValueError(f"has {shown}; a bare name is needed, without a scheme, port or path")
        elif self.item == "exception" and _EXCEPTION.fullmatch(raw) is None:
            raise ValueError(f"has {shown}; ECOSYSTEM:PACKAGE RULE REASON is needed, such as 'npm:left-pad * ours'")
        elif self.item == "rule" and _RULE.fullmatch(raw) is None:
            raise ValueError(f"has {shown}; a rule's id is needed, such as git/force-push or git/*")
        return str(raw)

    def _text(self, raw: Json) -> str:
        """An absolute path or a public key, or nothing."""
        if not isinstance(raw, str):
            raise ValueError(f"is {_type(raw)}; text is needed")
        if self.item == "path" and raw and (not raw.startswith("/") or not raw.isprintable() or len(raw) > MAX_ITEM):
            raise ValueError(f"is {raw[:40]!r}; an absolute path is needed")
        if self.item == "key" and raw and _VERIFIER.fullmatch(raw) is None:
            raise ValueError(f"is {raw[:40]!r}; a key is NAME+ID+BASE64, as `bk self key` prints it")
        return str(raw)

    def at_least(self, held: Json, offered: Json) -> bool:
        """Whether `offered` is as tight as `held`, or tighter."""
        return bool(self.tighten(held, offered) == offered or self._same(held, offered))

    def tighten(self, held: Json, offered: Json) -> Json:
        """The loosest value that is as tight as both; `held` where there is no tighter way."""
        if self.order == "lower":
            return min(held, offered)
        if self.order == "higher":
            return max(held, offered)
        if self.order == "later":
            return max(held, offered, key=self.choices.index)
        if self.order == "more":
            return [*held, *(each for each in offered if each not in held)]
        if self.order == "fewer":
            return [each for each in held if each in offered]
        return held

    def _same(self, held: Json, offered: Json) -> bool:
        if self.order == "more":
            return set(offered) >= set(held)
        if self.order == "fewer":
            return set(offered) <= set(held)
        return bool(held == offered)

    @property
    def bounds(self) -> str:
        """The values it may take, for people."""
        if self.kind == "int":
            return f"{self.low}–{self.high}" + (" (clamped)" if self.clamp else "")
        if self.kind == "choice":
            return ", ".join(self.choices)
        told = {"bool": "true, false", "glob": "path globs", "pattern": "RE2 patterns", "rule": "ids or globs of ids",
                "name": "names"}  # fmt: skip
        told |= {"lists": "named lists of text", "url": "a URL, or nothing", "path": "an absolute path, or nothing"}
        told["key"] = "a public key, or nothing"
        told["exception"] = "`ECOSYSTEM:PACKAGE RULE REASON`"
        return told.get(self.item or self.kind, "")


def _url(raw: Json) -> str:
    """A web address, or empty: without a name and password, which do not belong into settings."""
    if not isinstance(raw, str):
        raise ValueError(f"is {_type(raw)}; text is needed")
    if raw and _URL.fullmatch(raw) is None:
        raise ValueError(f"is {raw[:40]!r}; http://HOST/PATH or https://HOST/PATH is needed, without a password")
    return raw


def _lists(raw: Json, key: Key) -> dict[str, list[str]]:
    """The lists that a person names for their own rules."""
    if not isinstance(raw, dict):
        raise ValueError(f"is {_type(raw)}; a table of lists is needed")
    if len(raw) > MAX_LISTS:
        raise ValueError(f"holds {len(raw)} lists; {MAX_LISTS} is the most")
    read: dict[str, list[str]] = {}
    for name, items in raw.items():
        if _LIST.fullmatch(name) is None:
            raise ValueError(f"has a list {name[:40]!r}: a name is letters, digits, - and _, and starts with a letter")
        try:
            read[name] = key._list(items)
        except ValueError as error:
            raise ValueError(f"has a list {name} that {error}") from error
    return read


def _type(raw: Json) -> str:
    names = {bool: "a truth value", int: "a number", float: "a fraction", str: "text", list: "a list", dict: "a table"}
    return names.get(type(raw), f"a {type(raw).__name__}")


def _glob(raw: str, shown: str) -> None:
    if not raw.startswith(("/", "~/", "**")):
        raise ValueError(f"has {shown}, which names no place: start it with /, ~/ or **/")
    if "/../" in f"{raw}/" or raw.count("*") > MAX_STARS:
        raise ValueError(f"has {shown}, which goes up with .. or has more than {MAX_STARS} stars")


def _pattern(raw: str, shown: str) -> None:
    """Only what the linear-time engine can run, and never what would blank every record."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        matches_nothing = re2.compile(raw, options=options).search("") is not None
    except re2.error as error:
        why = error.args[0] if error.args else ""
        why = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        raise ValueError(f"has {shown}, which RE2 cannot run: {why[:80]}") from error
    if matches_nothing:
        raise ValueError(f"has {shown}, which matches the empty text and would blank everything")
