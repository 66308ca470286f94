"""Every setting, once, as data: what it is, its bounds, which way is tighter, and who may loosen it.

`order` says which way a value gets tighter: `lower`, `higher`, `later` (in `choices`), `more` or `fewer` (items of a
list), `fixed` when neither way can be called tighter. `project` lets a project file or the environment tighten it.
"""

from __future__ import annotations

from bk.engine.config.key import Key
from bk.engine.config.lists import ENV_VARS, EXECUTABLES, SENSITIVE
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Json

POSTURE = ("off", "warn", "ask", "block")
REGISTRIES = ("npm", "pypi", "cargo", "go", "rubygems", "packagist", "nuget", "editor-extension")
SOURCES = {
    "bumblebee": True, "osv": True, "datadog": True, "ossf": False, "github": False, "aikido": False, "socket": False,
    "org": False, "list": False,
}  # fmt: skip

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
    Key("posture.private_registries", "list", [],
        "Hosts of registries that serve packages of your own: a listed name from there is asked about, not blocked.",
        order="fewer", item="name"),
    *(Key(f"posture.registries.{name}", "url", "",
          f"The registry that is asked about {name} packages, in the background; empty asks none.", order="fixed")
      for name in REGISTRIES),
    Key("catalog_sync.enabled", "bool", True, "Whether threat catalogs are brought up to date in the background.",
        order="fixed"),
    Key("catalog_sync.interval_hours", "int", 2, "Hours between two times that a source is asked for news.",
        order="fixed", low=2, high=24),
    Key("catalog_sync.stale_days", "int", 7, "Days without news from any source after which the catalogs are stale.",
        order="lower", low=1, high=365, project=True),
    Key("catalog_sync.stale_action", "choice", "warn", "What an install gets while the catalogs are stale.",
        order="later", choices=POSTURE, project=True),
    Key("catalog_sync.max_new", "int", 5000,
        "Entries that one source may add within 24 hours before a person is asked; the larger of this and the share.",
        order="lower", low=100, high=10_000_000),
    Key("catalog_sync.max_new_percent", "int", 5, "The same, as a share of what the source already holds.",
        order="lower", low=1, high=1000),
    Key("catalog_sync.max_removed_percent", "int", 20,
        "Share of its entries that one source may drop at once before a person is asked.",
        order="lower", low=1, high=100),
    Key("catalog_sync.keep_dropped_days", "int", 30,
        "Days that an entry stays in force after its source dropped it without withdrawing it.",
        order="higher", low=0, high=3650),
    Key("catalog_sync.proxy", "url", "", "The proxy through which sources are asked; the environment is not looked at.",
        order="fixed"),
    Key("catalog_sync.ca_file", "text", "", "A file of certificates to trust for sources, instead of the usual ones.",
        order="fixed", item="path"),
    *(key for name, wanted in SOURCES.items() for key in (
        Key(f"catalogs.{name}.enabled", "bool", wanted, f"Whether {name} is asked.", order="fixed"),
        Key(f"catalogs.{name}.url", "url", "", f"Where {name} is asked, instead of its own address.", order="fixed"))),
    Key("catalogs.org.key", "text", "", "The public key that signs your organisation's feed.",
        order="fixed", item="key"),
    Key("self_catalog.url", "url", "", "Where the signed list of compromised bk releases is, instead of its own place.",
        order="fixed"),
    Key("self_catalog.key", "text", "", "The public key that signs that list, for a build of your own.",
        order="fixed", item="key", relax="system"),
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
        "Whether installed artifacts that are known to be bad may be held; a move needs dry_run = false too.",
        order="fixed"),
    Key("auto_quarantine.dry_run", "bool", True,
        "Only say what would be held; true unless it is explicitly false.", order="fixed"),
    Key("auto_quarantine.threshold", "int", 2, "Independent sources before an installed artifact is held.",
        order="fixed", low=1, high=3, clamp=True),
    Key("auto_quarantine.ecosystems", "list", [],
        "Ecosystems whose artifacts may be held without a question; empty means all of them.",
        order="fixed", item="name"),
    Key("auto_quarantine.max_moves", "int", 3, "Moves in one run after which a person is asked about the rest.",
        order="fixed", low=0, high=1000),
    Key("auto_quarantine.max_bytes", "int", 2 << 30, "Largest artifact that is held without a question.",
        order="fixed", low=0, high=1 << 40),
    Key("auto_quarantine.exclude_paths", "list", [], "Places whose artifacts are never held without a question.",
        order="fixed", item="glob"),
    Key("auto_quarantine.grace_days", "int", 30, "Days for which an artifact that a person restored is left alone.",
        order="fixed", low=0, high=3650),
    Key("quarantine.review_days", "int", 90,
        "Days after which an item that is held is shown as due for a person's review; nothing is ever removed.",
        order="fixed", low=1, high=3650),
    Key("scan.roots", "list", [], "Folders with projects, for the project profile of `bk scan` and its runs by itself.",
        order="fixed", item="glob"),
    Key("scan.max_seconds", "int", 600, "Longest time that one scan may take; what is left then makes it partial.",
        order="fixed", low=1, high=86_400),
    Key("watch.enabled", "bool", True,
        "Whether extensions, packages and servers are checked as they land, and not only by the next scan.",
        order="fixed"),
    Key("corpus.enabled", "bool", True, "Whether what happened is kept to learn what it turned out to be.",
        order="fixed"),
    Key("corpus.clean_days", "int", 30,
        "Days that something allowed must have stayed quiet for before it is taken for clean, weakly.",
        order="fixed", low=1, high=365),
    Key("corpus.max_clusters", "int", 2000, "Most matters that one run judges anew; the rest waits for the next.",
        order="fixed", low=1, high=100_000),
    Key("notify.channel", "choice", "desktop",
        "How a person is told of incidents: a note on the desktop, a command, or only the line in `bk diag`.",
        order="fixed", choices=("none", "desktop", "command")),
    Key("notify.command", "list", [],
        "The program and arguments that are run for a note, without a shell; {title} and {text} are put in.",
        order="fixed"),
    Key("notify.min_level", "choice", "warn", "The least level that a person is told of.",
        order="fixed", choices=("info", "warn", "critical")),
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
