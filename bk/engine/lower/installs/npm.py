"""npm, pnpm, Yarn, Bun, Deno and their runners: all fetch from the npm registry unless told otherwise."""

from __future__ import annotations

import re

from bk.engine.lower.installs.line import Line, elsewhere, install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

_ADD = options("install i in ins inst insta instal isnt isnta isntal isntall add a install-test it link ln update up"
               " upgrade udpate u")  # fmt: skip
VERBS = {
    "npm": _ADD - {"a", "u"},
    "pnpm": _ADD - {"a", "u", "it"},
    "yarn": options("add up upgrade link upgrade-interactive"),
    "bun": options("add a install i update link"),
    "ng": options("add update"),
    "expo": options("install add"),
    "lerna": options("add"),
}
RUN_VERBS = {
    "npm": options("exec x"),
    "pnpm": options("dlx"),
    "yarn": options("dlx"),
    "bun": options("x"),
}
CREATE_VERBS = {
    "npm": options("init create innit"),
    "pnpm": options("create"),
    "yarn": options("create"),
    "bun": options("create c"),
}
RUNNERS = options("npx bunx pnpx pnx")
TAKES = {
    "npm": options(
        "-w --workspace -C --prefix --registry --tag --omit --include --cache --userconfig --globalconfig --loglevel"
        " --before --otp --access --script-shell --location --install-strategy --cpu --os --libc --depth --save-prefix"
        " --proxy --https-proxy --noproxy --ca --cafile --cert --key --node-options --user-agent --scope"
        " --fetch-retries --fetch-timeout --maxsockets --min-release-age"
    ),
    "pnpm": options(
        "-C --dir -F --filter --filter-prod --registry --store-dir --virtual-store-dir --modules-dir --lockfile-dir"
        " --reporter --network-concurrency --child-concurrency --package-import-method --node-linker --loglevel"
        " --public-hoist-pattern --hoist-pattern --global-dir --cpu --os --libc --save-catalog-name --resolution-mode"
    ),
    "yarn": options(
        "--cwd --registry --modules-folder --cache-folder --mutex --network-timeout --network-concurrency"
        " --global-folder --link-folder --proxy --https-proxy --otp --tag --mode --prefix"
    ),
    "bun": options(
        "--cwd --registry --config --backend --cache-dir --concurrent-scripts --linker --omit --network-concurrency"
        " -F --filter --ca --cafile --minimum-release-age --cpu --os"
    ),
}
RUN_OPTIONS = options("-p --package -c --call --allow-build")
_SAME = {"npx": "npm", "bunx": "bun", "pnpx": "pnpm", "pnx": "pnpm", "ng": "npm", "expo": "npm", "lerna": "npm"}
_RANGE = re.compile(r"[~^<>=].*|[*xX]|\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?", re.ASCII)
_SHORTHAND = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?:#.*)?", re.ASCII)


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What one command of this family fetches."""
    if program in RUNNERS:
        return _runner(program, words)
    if program == "corepack":
        return _corepack(words)
    if program == "deno":
        return _deno(words)
    manager = "yarn" if program == "yarnpkg" else program
    takes = TAKES[_SAME.get(manager, manager)]
    line = split(words, takes | {"--package"}, until=1)
    if not line.words:
        return []
    verb: str = line.words[0]
    rest: Sequence[str] = line.rest
    if manager == "yarn" and verb in ("global", "workspace", "workspaces"):
        skip = {"global": 0, "workspace": 1, "workspaces": 0}[verb]
        nested = split(rest, takes, until=1 + skip)
        if len(nested.words) <= skip:
            return []
        verb, rest = nested.words[skip], nested.rest
        if verb == "foreach":
            verb, rest = _after(rest, VERBS["yarn"])
    if verb in RUN_VERBS.get(manager, ()):
        return _runner(manager, [*_packages_before(line), *rest])
    if verb in CREATE_VERBS.get(manager, ()):
        return _create(manager, rest)
    if verb in VERBS[manager]:
        given = split(rest, takes)
        return [made for word in [*given.words, *given.rest] for made in specs(manager, word)]
    return []


def specs(manager: str, word: str, *, runs: bool = False) -> list[Install]:
    """What one package spec names; an alias names what it stands for."""
    name, version, source = spec(word)
    if not name and not source:
        return []
    ecosystem = "jsr" if word.startswith("jsr:") or version.startswith("jsr:") else "npm"
    return [install(ecosystem, manager, word, name, version, source=source or "registry", runs=runs)]


def spec(word: str) -> tuple[str, str, str]:
    """(name, version, source) of a spec; source is "" for the registry."""
    name, alias, text = str(word).rpartition("@npm:")
    if alias and _RANGE.fullmatch(text):  # Yarn also writes a package's own range with its protocol
        text = f"{name}@{text}"
    text = text.removeprefix("npm:").removeprefix("jsr:")
    place = elsewhere(text)
    if not place and text[:1] != "@" and _SHORTHAND.fullmatch(text):
        place = "git"
    if place:
        return (*_tarball(text), place) if place == "url" else ("", "", place)
    at = text.find("@", 1)
    name, version = (text, "") if at < 0 else (text[:at], text[at + 1 :])
    name = "/".join(name.split("/")[:2]) if name[:1] == "@" else name.partition("/")[0]
    if version.startswith(("workspace:", "patch:", "catalog:")):
        return name, "", "file"
    place = elsewhere(version)
    return (name, "", place) if place else (name, version, "")


def _tarball(url: str) -> tuple[str, str]:
    """(name, version) of a registry's own tarball, `…/name/-/name-1.0.0.tgz`: that package under another address."""
    before, dash, file = url.partition("#")[0].partition("?")[0].rpartition("/-/")
    scope, _, base = before.replace("%2f", "/").replace("%2F", "/").rpartition("/")
    if not dash or not base or not file.startswith(f"{base}-") or not file.endswith(".tgz"):
        return "", ""
    scope = scope.rpartition("/")[2]
    return (f"{scope}/{base}" if scope[:1] == "@" else base), file[len(base) + 1 : -len(".tgz")]


def _runner(manager: str, words: Sequence[str]) -> list[Install]:
    """`npx`-like: the packages of `-p`, else the first operand, are fetched and run."""
    line = split(words, TAKES[_SAME.get(manager, manager)] | RUN_OPTIONS, until=1)
    wanted = [value for value in line.values("-p", "--package") if value and value[:1] != "-"]
    if not wanted and not line.has("-c", "--call"):
        wanted = line.words or line.rest[:1]
        wanted = [word for word in wanted if elsewhere(word) != "file"]
    return [made for word in wanted for made in specs(manager, word, runs=True)]


def _packages_before(line: Line) -> list[str]:
    """Options that stood before the verb, for a reader that looks for `--package`."""
    return [f"{flag}={value}" for flag, value in line.options if flag in ("-p", "--package") and value]


def _create(manager: str, words: Sequence[str]) -> list[Install]:
    """`npm init foo` fetches and runs `create-foo`."""
    line = split(words, TAKES[_SAME.get(manager, manager)] | RUN_OPTIONS, until=1)
    word = (line.words or line.rest[:1] or [""])[0]
    if not word:
        return []
    name, version, source = spec(word)
    if source or not name:
        return specs(manager, word, runs=True) if source != "file" else []
    scope, slash, rest = name.partition("/")
    if name[0] != "@":
        name = name if name.startswith("create-") else f"create-{name}"
    elif not slash:
        name = f"{scope}/create"
    elif not rest.startswith("create"):
        name = f"{scope}/create-{rest}"
    return [install("npm", manager, word, name, version, runs=True)]


def _corepack(words: Sequence[str]) -> list[Install]:
    """`corepack pnpm add x` is pnpm; `corepack use pnpm@9` fetches pnpm itself."""
    line = split(words, options("--install-directory -o --output"), until=1)
    if not line.words:
        return []
    verb = line.words[0].partition("@")[0]
    if verb in ("npm", "npx", "pnpm", "pnpx", "yarn", "yarnpkg"):
        return read(verb, line.rest)
    if verb in ("use", "prepare", "install", "up"):
        given = split(line.rest, ())
        return [made for word in given.words for made in specs("corepack", word)]
    return []


def _deno(words: Sequence[str]) -> list[Install]:
    """Deno names registries in the spec: `npm:x`, `jsr:x`, or a URL."""
    line = split(words, options("-c --config --import-map --lock --cert -L --log-level"), until=1)
    if not line.words or line.words[0] not in ("install", "i", "add", "run", "x", "serve", "eval", "cache"):
        return []
    verb = line.words[0]
    takes = options(
        "-n --name --root -c --config --import-map --lock --cert --location --v8-flags --seed --port --host"
    )
    given = split(line.rest, takes, until=1 if verb in ("run", "serve", "x") else -1)
    runs = verb in ("run", "serve", "x")
    made: list[Install] = []
    for word in given.words:
        if word.startswith(("npm:", "jsr:")) or (elsewhere(word) in ("url", "git") and verb != "eval"):
            made.extend(specs("deno", word, runs=runs))
        elif verb == "x":
            made.extend(specs("deno", word, runs=True))
    return made


def _after(words: Sequence[str], verbs: frozenset[str]) -> tuple[str, Sequence[str]]:
    """The first of these verbs and what follows it."""
    for at, word in enumerate(words):
        if word in verbs:
            return word, words[at + 1 :]
    return "", ()
