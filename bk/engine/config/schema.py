"""Every setting, once, as data: what it is, its bounds, which way is tighter, and who may loosen it.

`order` says which way a value gets tighter: `lower`, `higher`, `later` (in `choices`), `more` or `fewer` (items of a
list), `fixed` when neither way can be called tighter. `project` lets a project file or the environment tighten it.
"""

from __future__ import annotations

import re

from bk.engine.config.lists import ENV_VARS, EXECUTABLES, SENSITIVE
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Json

MAX_ITEMS = 1000
MAX_ITEM = 1024
MAX_STARS = 32
MAX_LISTS = 200
_RULE = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._-]*(?:/[A-Za-z0-9*._-]+)?")
_EXCEPTION = re.compile(r"(?:\*|[a-z-]{2,20}):\S{1,300} (?:\*|release-age|lifecycle|remote-source) \S.*")
_URL = re.compile(r"https?://[\w.:\[\]-]{1,300}(?:/[\w./~%+-]{0,600})?")
POSTURE = ("off", "warn", "ask", "block")
REGISTRIES = ("npm", "pypi", "cargo", "go", "rubygems", "packagist", "nuget", "editor-extension")
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
        told |= {"lists": "named lists of text", "url": "a URL, or nothing"}
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


REGENERABLE = sorted(
    names("""
    node_modules bower_components .pnpm-store dist build out target .next .nuxt .output .svelte-kit .turbo .parcel-cache
    .vite .angular .webpack .docusaurus .expo .gradle .cache .venv venv __pycache__ .pytest_cache .mypy_cache
    .ruff_cache .tox .nox .hypothesis .ipynb_checkpoints .eggs *.egg-info htmlcov coverage .coverage .nyc_output
    cmake-build-* _build .dart_tool deriveddata pods .terraform .serverless .aws-sam cdk.out storybook-static
    playwright-report test-results tmp temp .tmp logs obj *.pyc *.pyo *.o *.obj *.class *.log *.tmp *.temp *.swp
    *.tsbuildinfo *~ .ds_store thumbs.db .eslintcache .stylelintcache .sass-cache
    """)
)
INSTALLERS = sorted(
    names("""
    sh.rustup.rs static.rust-lang.org/rustup/ raw.githubusercontent.com/homebrew/install/
    raw.githubusercontent.com/nvm-sh/nvm/ raw.githubusercontent.com/pyenv/pyenv-installer/ pyenv.run astral.sh/uv/
    astral.sh/ruff/ bun.sh/install deno.land/install.sh deno.land/x/install/ get.docker.com deb.nodesource.com/setup_
    rpm.nodesource.com/setup_ install.python-poetry.org get.pnpm.io/install.sh starship.rs/install.sh get.sdkman.io
    get.volta.sh ollama.com/install.sh claude.ai/install.sh mise.run tailscale.com/install.sh get.k3s.io
    raw.githubusercontent.com/helm/helm/ just.systems/install.sh
    """)
)

KEYS: tuple[Key, ...] = (
    Key(
        "fail_mode", "choice", "closed",
        "What a call gets when it cannot be decided: closed blocks it, warn and open let it run.",
        order="later", choices=("open", "warn", "closed"), project=True, env="BK_FAIL_MODE",
    ),
    Key("hook.deadline_ms", "int", 5000, "Longest time one call may take to be decided.",
        order="lower", low=500, high=30_000),
    Key("hook.max_bytes", "int", 1 << 20, "Largest request of a client; a larger one cannot be decided.",
        order="lower", low=4096, high=1 << 20),
    Key("hook.max_depth", "int", 64, "Deepest nesting of a request; a deeper one cannot be decided.",
        order="lower", low=8, high=128, relax="system"),
    Key("hook.agent_depth", "int", 10, "How deep agents may start agents, by their own count.",
        order="lower", low=1, high=100, project=True),
    Key("hook.ask_fallback", "choice", "block", "What `ask` becomes for a client that cannot ask.",
        order="later", choices=("warn", "block"), project=True),
    Key("parser.opaque", "choice", "ask",
        "What a command that cannot be seen through gets when it looks like an install.",
        order="later", choices=("warn", "ask", "block"), project=True),
    Key("paths.block", "list", [], "Paths that no call may touch.", order="more", item="glob", project=True),
    Key("paths.allow", "list", [], "Paths that the built-in list of sensitive places leaves alone.",
        order="fewer", item="glob"),
    Key("paths.sensitive", "list", list(SENSITIVE),
        "What rules mean by @paths.sensitive: places whose content must not leave the machine.",
        order="more", item="glob"),
    Key("rules.profile", "choice", "standard",
        "How much of the built-in rules applies: relaxed asks less, strict stops more.",
        order="later", choices=("relaxed", "standard", "strict")),
    Key("rules.disabled", "list", [], "Rules that are switched off.", order="fewer", item="rule"),
    Key("rules.on_error", "choice", "warn",
        "What every call gets while a rule file is wrong and its last good rules are used.",
        order="later", choices=("warn", "block"), project=True),
    Key("executables.allowed", "list", EXECUTABLES,
        "What rules mean by @executables.allowed: programs of everyday work.", order="fewer", item="name"),
    Key("secrets.env_vars", "list", ENV_VARS,
        "What rules mean by @secrets.env_vars: variables that hold a credential.", order="more", item="name"),
    Key("lists", "lists", {}, "More lists for rules of your own: hosts = [\"…\"] is @hosts there.", order="fixed"),
    Key("destroy.regenerable", "list", REGENERABLE,
        "Names below a project that its tools make again: deleting them needs no question.",
        order="fewer", item="name"),
    Key("egress.allow", "list", [], "Hosts, with all below them, that calls may connect and send to.",
        order="fewer", item="name"),
    Key("egress.deny", "list", [], "Hosts, with all below them, that no call may connect to.",
        order="more", item="name", project=True),
    Key("egress.default", "choice", "allow", "What a connection to a host on neither list gets.",
        order="later", choices=("allow", "warn", "ask", "block"), project=True),
    Key("egress.max_bytes", "int", 10 << 20, "Most that one connection may send, where the size is known.",
        order="lower", low=1024, high=1 << 30, project=True),
    Key("egress.installers", "list", INSTALLERS,
        "Addresses whose installer may be piped into a shell after a question; others may not.",
        order="fewer"),
    Key("posture.min_age_hours", "int", 24, "Hours that a release must have been public for.",
        order="higher", low=0, high=8760, project=True),
    Key("posture.release_age.action", "choice", "warn", "What a package that is younger than that gets.",
        order="later", choices=POSTURE, project=True),
    Key("posture.lifecycle.action", "choice", "warn", "What a package that runs scripts when it is installed gets.",
        order="later", choices=POSTURE, project=True),
    Key("posture.remote_source.action", "choice", "warn",
        "What a package from a repository, a URL, a file or an index that is not yours gets.",
        order="later", choices=POSTURE, project=True),
    Key("posture.allow", "list", [],
        "Packages that one of these rules (release-age, lifecycle, remote-source, or * for all) leaves alone.",
        order="fewer", item="exception"),
    *(Key(f"posture.registries.{name}", "url", "",
          f"The registry that is asked about {name} packages, in the background; empty asks none.", order="fixed")
      for name in REGISTRIES),
    Key("corroboration.warn_at", "int", 1, "Independent sources that make a package warn.",
        order="lower", low=1, high=9, project=True),
    Key("corroboration.block_at", "int", 2, "Independent sources that block a package.",
        order="lower", low=1, high=9, project=True),
    Key("corroboration.quarantine_at", "int", 3, "Independent sources that block a package and mark it for quarantine.",
        order="lower", low=1, high=9, project=True),
    Key("corroboration.critical_block_at", "int", 1, "The same as block_at, for a critical exact-version match.",
        order="lower", low=1, high=9, project=True),
    Key("corroboration.critical_quarantine_at", "int", 2,
        "The same as quarantine_at, for a critical exact-version match.",
        order="lower", low=1, high=9, project=True),
    Key("auto_quarantine.enabled", "bool", False,
        "Whether installed artifacts that are known to be bad may be held (moves arrive with the responder).",
        order="fixed"),
    Key("auto_quarantine.dry_run", "bool", True,
        "Only say what would be held; true unless it is explicitly false (moves arrive with the responder).",
        order="fixed"),
    Key("auto_quarantine.threshold", "int", 2,
        "Independent sources before an installed artifact is held (moves arrive with the responder).",
        order="fixed", low=1, high=3, clamp=True),
    Key("audit.redact_patterns", "list", [], "What is blanked in every record, besides the built-in secrets.",
        order="fixed", item="pattern", secret=True),
    Key("audit.retention_days", "int", 365, "How long closed segments of the ledger are kept.",
        order="higher", low=1, high=36_500),
    Key("audit.segment_entries", "int", 1_000_000, "Entries after which the ledger starts a new segment.",
        order="fixed", low=16, high=100_000_000),
    Key("audit.checkpoint_entries", "int", 1024, "Entries after which a checkpoint is signed.",
        order="lower", low=1, high=1_000_000),
    Key("audit.checkpoint_seconds", "int", 60, "Seconds after which a checkpoint is signed, when there is news.",
        order="lower", low=1, high=86_400),
    Key("engine.idle_exit_s", "int", 0, "Seconds without a call after which the engine exits; 0 means never.",
        order="fixed", low=0, high=604_800),
)  # fmt: skip

BY_NAME = {key.name: key for key in KEYS}

# each first value may not be above the second; the first is lowered, which only tightens
STEPS = (
    ("corroboration.block_at", "corroboration.quarantine_at"),
    ("corroboration.warn_at", "corroboration.block_at"),
    ("corroboration.critical_quarantine_at", "corroboration.quarantine_at"),
    ("corroboration.critical_block_at", "corroboration.critical_quarantine_at"),
    ("corroboration.critical_block_at", "corroboration.block_at"),
)


def in_step(values: dict[str, Json]) -> list[tuple[str, str]]:
    """Lower what stands above the step after it; the pairs that had to be put in step."""
    moved = [(low, high) for low, high in STEPS if values[low] > values[high]]
    for low, high in STEPS:
        values[low] = min(values[low], values[high])
    return moved


def nearest(name: str, among: Sequence[str] = tuple(BY_NAME)) -> str:
    """The key that was probably meant, or ""."""
    from difflib import get_close_matches

    close = get_close_matches(name[:80], among, 1, 0.6)
    if not close:  # a key without its table, or in the wrong one
        last = name[:80].rpartition(".")[2]
        tails = {each.rpartition(".")[2]: each for each in among}
        close = [tails[tail] for tail in get_close_matches(last, tails, 1, 0.8)]
    return close[0] if close else ""
