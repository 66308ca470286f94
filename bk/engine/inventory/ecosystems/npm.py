"""npm packages, whoever installed them: npm, pnpm, yarn, bun, npx, global prefixes, their caches and lock files."""

from __future__ import annotations

from bk.engine.inventory.ecosystems import npm_caches, npm_locks, npm_pnp, npm_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bk.engine.inventory.place import Found, Place

MARKS = frozenset(
    (
        "node_modules",
        "node_modules/",
        "nodejs/",
        ".pnp.cjs",
        ".pnp.js",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "bun.lock",
        "bun.lockb",
        "_cacache/",
        "cache/",
        "v1/", "v2/", "v3/", "v4/", "v5/", "v6/", "v10/", "v11/",
    )
)  # fmt: skip
_BELOW_HOME: tuple[tuple[str, int], ...] = (
    ("", 0),
    (".npm-global/lib", 0),
    (".npm-packages/lib", 0),
    (".nvm/versions/node", 2),
    (".nodenv/versions", 2),
    (".asdf/installs/nodejs", 3),
    (".local/share/mise/installs/node", 2),
    (".local/share/fnm/node-versions", 3),
    (".fnm/node-versions", 3),
    (".volta/tools/image", 4),
    ("n/lib", 0),
    (".npm/_npx", 1),
    (".npm/_cacache", 0),
    (".local/share/pnpm/global", 2),
    (".local/share/pnpm/store", 64),
    ("Library/pnpm/global", 2),
    ("Library/pnpm/store", 64),
    (".pnpm-store", 64),
    (".config/yarn/global", 0),
    (".cache/yarn", 1),
    ("Library/Caches/Yarn", 1),
    (".yarn/berry/cache", 0),
    (".bun/install/global", 0),
    (".bun/install/cache", 0),
    ("AppData/Roaming/npm", 0),
    ("AppData/Local/npm-cache/_npx", 1),
    ("AppData/Local/pnpm/store", 64),
)
_FOR_ALL = ("/usr/local/lib", "/usr/lib", "/usr/share/nodejs", "/opt/homebrew/lib", "/opt/local/lib")
_NAMED: tuple[tuple[str, str, int], ...] = (
    ("npm_config_prefix", "/lib", 0),
    ("NPM_CONFIG_PREFIX", "/lib", 0),
    ("npm_config_cache", "/_npx", 1),
    ("npm_config_cache", "/_cacache", 0),
    ("NPM_CONFIG_CACHE", "/_npx", 1),
    ("NPM_CONFIG_CACHE", "/_cacache", 0),
    ("NVM_DIR", "/versions/node", 2),
    ("PNPM_HOME", "/global", 2),
    ("PNPM_HOME", "/store", 64),
    ("BUN_INSTALL", "/install/global", 0),
    ("BUN_INSTALL", "/install/cache", 0),
    ("YARN_CACHE_FOLDER", "", 1),
    ("VOLTA_HOME", "/tools/image", 4),
)


def places(home: str, env: Mapping[str, str]) -> Iterable[str | tuple[str, int]]:
    """Where global packages, runs of npx, stores and caches lie."""
    for below, depth in _BELOW_HOME:
        yield f"{home}/{below}".rstrip("/"), depth
    for name, below, depth in _NAMED:
        if env.get(name):
            yield env[name].rstrip("/") + below, depth
    for path in _FOR_ALL:
        yield path, 0


def read(place: Place, found: Found) -> None:
    """Read a project, a folder of packages, a cache or a store."""
    names = place.names()
    own = place.path.rpartition("/")[2]
    if own == "_cacache":
        npm_caches.npm(place, found)
        return
    if own == "cache":
        npm_caches.bun(place, found)
        npm_pnp.berry(place, found)
    elif own[:1] == "v" and own[1:].isdigit():
        npm_caches.versioned(place, found)
    elif own == "node_modules":
        npm_tree.Tree(place, found, "").read()
        found.skip(*names)
        return
    if place.path == "/usr/share/nodejs":
        npm_tree.Tree(place, found, "", manager="apt").read()
        found.skip(*names)
    if names.get("node_modules") == "d":
        npm_tree.Tree(place, found, "node_modules").read()
        found.skip("node_modules")
    if ".pnp.cjs" in names or ".pnp.js" in names:
        npm_pnp.project(place, found)
    npm_locks.read(place, found)
