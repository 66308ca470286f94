"""Commands that install what files list: which files they mean. Reading them is not done here.

Such a command becomes an Install whose `source` is `manifest` and whose name is the file or the project's folder.
"""

from __future__ import annotations

from bk.engine.lower.installs.line import elsewhere, options, split
from bk.engine.lower.paths import normal
from bk.engine.lower.words import Dim
from bk.engine.model import Install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.installs.line import Line

SOURCE = "manifest"


class Way:
    """How one program says it: `bare` verbs install what the project lists, unless they are given packages.

    `always` verbs do so whatever they are given. `files` are options that name a file; `folders` name the project.
    """

    __slots__ = ("always", "bare", "ecosystem", "files", "folders", "takes")

    def __init__(
        self, ecosystem: str, *, bare: str = "", always: str = "", files: str = "", folders: str = "", takes: str = ""
    ) -> None:
        self.ecosystem = ecosystem
        self.bare = options(bare)
        self.always = options(always)
        self.files = options(files)
        self.folders = options(folders)
        self.takes = options(takes) | self.files | self.folders


_INSTALL = "install i in ins inst insta instal isnt isnta isntal isntall add update up upgrade udpate"
_CLEAN = (
    "ci clean-install ic install-clean isntall-clean cit install-ci-test clean-install-test sit it install-test dedupe"
)
_NPM_TAKES = "-w --workspace --registry --omit --include --cache --loglevel --userconfig --before --cpu --os --libc"
WAYS = {
    "npm": Way("npm", bare=_INSTALL, always=_CLEAN, folders="--prefix -C", takes=_NPM_TAKES),
    "pnpm": Way(
        "npm", bare="install i update up add", always="ci fetch dedupe rebuild", folders="-C --dir",
        takes="-F --filter --registry --store-dir --reporter --lockfile-dir --loglevel --filter-prod",
    ),
    "yarn": Way(
        "npm", bare="install up upgrade", folders="--cwd",
        takes="--registry --modules-folder --cache-folder --mutex --network-timeout --mode",
    ),
    "bun": Way("npm", bare="install i update", always="ci", folders="--cwd", takes="--registry --config --backend"),
    "deno": Way("npm", bare="install i cache", takes="-c --config --lock"),
    "uv": Way(
        "pypi", bare="", always="sync lock run", folders="--directory --project",
        files="-r --requirement --requirements -c --constraint --constraints --with-requirements --override"
        " --build-constraint",
        takes="--extra --group --only-group --no-group -p --python --package --index-url --extra-index-url --index"
        " --default-index -f --find-links --with --with-editable --env-file --from -m --module --config-file",
    ),
    "poetry": Way(
        "pypi", always="install update sync lock", folders="-C --directory -P --project",
        takes="-E --extras --with --without --only",
    ),
    "pdm": Way("pypi", always="install sync update lock", folders="-p --project", takes="-G --group -L --lockfile"),
    "rye": Way("pypi", always="sync lock", files="--pyproject", takes="--features"),
    "pipenv": Way("pypi", bare="install", always="sync update upgrade lock", files="-r --requirements",
                  takes="--categories --python -i --index"),
    "conda": Way("conda", files="-f --file", folders="", takes="-n --name -p --prefix -c --channel --solver"),
    "cargo": Way(
        "cargo", always="build b check c test t run r bench doc d fetch update clippy vendor rustc fix publish package",
        files="--manifest-path", folders="-C",
        takes="-p --package --target --target-dir --features -F --bin --example --profile -j --jobs --test --bench"
        " --color --config -Z --message-format",
    ),
    "go": Way(
        "go", bare="get install", always="build test run vet generate", folders="-C --C",
        takes="-o -p -tags -ldflags -gcflags -mod -modfile -run -bench -count -timeout -exec -coverprofile -buildmode",
    ),
    "bundle": Way(
        "rubygems", always="install update lock cache package", files="--gemfile",
        takes="-j --jobs --path --without --with --retry --jobs -g --group",
    ),
    "composer": Way(
        "packagist", bare="update u upgrade", always="install i", folders="-d --working-dir",
        takes="--prefer-install --ignore-platform-req",
    ),
    "dotnet": Way(
        "nuget", always="restore build run test publish pack", files="--project",
        takes="-c --configuration -f --framework -o --output -r --runtime -s --source -v --verbosity --arch --os -a"
        " --configfile --packages -p --filter --logger",
    ),
    "nuget": Way("nuget", always="restore", takes="-Source -ConfigFile -OutputDirectory -Verbosity"),
}  # fmt: skip
_SAME = {
    "yarnpkg": "yarn", "bundler": "bundle", "composer.phar": "composer", "mamba": "conda", "micromamba": "conda",
}  # fmt: skip
_PIP = ("install", "download", "wheel", "sync", "compile")
_PIP_FILES = options("-r --requirement -c --constraint --build-constraint")
_CONDA = (("env", "create"), ("env", "update"), ("create",), ("install",), ("update",))
_BARE = frozenset(("yarn", "bundle"))  # without a verb they install
_PROJECT_FILES = (".csproj", ".fsproj", ".vbproj", ".sln", ".slnx")


def asked(program: str, words: Sequence[str], cwd: str) -> list[Install]:
    """The files and folders whose lists this command installs."""
    if program in ("pip", "pip-", "python", "pypy", "py"):
        return _pip(program, words, cwd)
    program = _SAME.get(program, program)
    way = WAYS.get(program)
    if way is None:
        return []
    line = split(words, way.takes, until=1)
    verb = line.words[0] if line.words else ""
    if program == "uv" and verb == "pip":
        return _pip("uv pip", line.rest, cwd)
    if program == "conda":
        return _conda(way, [verb, *line.rest], cwd)
    if program == "go" and verb == "mod":
        return _marker(way, "go mod", "", cwd) if line.rest[:1] in (["download"], ["tidy"], ["vendor"]) else []
    if not verb and not (program in _BARE and not _informs(line)):
        return []
    given = split(line.rest, way.takes)
    operands = [*given.words, *given.rest]
    files = [*line.values(*way.files), *given.values(*way.files)]
    found = [made for file in files for made in _marker(way, program, file, cwd, file=True)]
    folder = next(iter([*given.values(*way.folders), *line.values(*way.folders)]), "")
    if program == "dotnet":
        folder = next((word for word in operands if word.endswith(_PROJECT_FILES)), folder)
    lists = not verb or verb in way.always or (verb in way.bare and not operands)
    if program == "uv" and verb in ("pip", "add", "tool"):
        lists = False
    if lists and not (files and program in ("cargo", "bundle", "pipenv", "dotnet")) and not given.has(*_NOT):
        found += _marker(way, f"{program} {verb}".strip(), folder, cwd)
    return found


_NOT = ("-g", "--global", "--help", "-h", "--no-sync", "--no-project", "--dry-run")


def _informs(line: Line) -> bool:
    return line.has("--help", "-h", "--version", "-v", "-V")


def _pip(program: str, words: Sequence[str], cwd: str) -> list[Install]:
    """`pip install -r FILE -c FILE`, and projects that are installed from their folder."""
    manager = program
    if program in ("python", "pypy", "py"):
        at = next((at for at, word in enumerate(words) if word in ("-m", "-mpip")), -1)
        rest = words[at + 1 :] if at >= 0 and words[at] == "-mpip" else words[at + 2 :]
        if at < 0 or (words[at] == "-m" and words[at + 1 : at + 2] != ["pip"]):
            return []
        words, manager = rest, "pip"
    from bk.engine.lower.installs.python import PIP_TAKES

    takes = PIP_TAKES | {"-e", "--editable"}
    line = split(words, takes, until=1)
    verb = line.words[0] if line.words else ""
    if verb not in _PIP:
        return []
    given = split(line.rest, takes)
    files = given.values(*_PIP_FILES)
    if verb == "sync":
        files += [*given.words, *given.rest]
    way = WAYS["uv"]
    found = [made for file in files for made in _marker(way, manager.rstrip("-"), file, cwd, file=True)]
    if verb in ("install", "wheel", "download"):
        for place in [*given.values("-e", "--editable"), *given.words, *given.rest]:
            path = place.partition("[")[0]
            if elsewhere(path) == "file" and not path.endswith((".whl", ".gz", ".zip", ".bz2", ".xz", ".tar")):
                found += _marker(way, manager.rstrip("-"), path.removeprefix("file://"), cwd)
    return found


def _conda(way: Way, words: Sequence[str], cwd: str) -> list[Install]:
    line = split(words, way.takes)
    if not any(tuple(line.words[: len(verbs)]) == verbs for verbs in _CONDA):
        return []
    files = line.values(*way.files)
    if not files and line.words[:1] == ["env"] and len(line.words) == 2:
        files = ["environment.yml"]
    return [made for file in files for made in _marker(way, "conda", file, cwd, file=True)]


def _marker(way: Way, manager: str, word: str, cwd: str, *, file: bool = False) -> list[Install]:
    """One Install for a file, or for a folder, whose name then ends in a slash."""
    sure = type(word) is not Dim and type(cwd) is not Dim and "$" not in word and "**" not in cwd
    folder = "" if file else "/"
    if "://" in word[:12]:
        path = str(word)
    elif word[:1] in "/~" and word:
        path = (normal(word) if word[0] == "/" else str(word)) + folder
    else:
        path = normal(f"{cwd}/{word}") + folder
    return [Install(way.ecosystem, path, manager=manager, source=SOURCE, certain=sure)]
