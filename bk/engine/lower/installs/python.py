"""pip and everything that installs from a Python package index, and conda's family beside it."""

from __future__ import annotations

import re

from bk.engine.lower.installs.line import elsewhere, install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bk.engine.model import Install

PIP_TAKES = options(
    "-r --requirement -c --constraint -t --target -i --index-url --extra-index-url -f --find-links --prefix --root"
    " --python-version --platform --implementation --abi --only-binary --no-binary --progress-bar --log --proxy"
    " --retries --timeout --trusted-host --cert --client-cert --cache-dir --src --upgrade-strategy -C --config-settings"
    " --config-setting --global-option --install-option --build-option --hash --python --exists-action"
    " --keyring-provider --use-feature --use-deprecated --report --group -d --dest --download -w --wheel-dir -b --build"
    " --override --resolution --prerelease --index-strategy --exclude-newer --index --default-index --link-mode"
    " --refresh-package -P --upgrade-package --reinstall-package --no-build-package --no-binary-package"
    " --build-constraint"
)
UV_TAKES = PIP_TAKES | options(
    "-p --with --with-requirements --with-editable --from --directory --project --config-file --env-file --extra"
    " --optional --group --only-group --no-group --package --marker --tag --rev --branch --script -m --module"
    " --color --bounds --allow-insecure-host --python-platform --keyring-provider"
)
PROJECT_TAKES = options(
    "--group -G -E --extras --source --python --platform -C --directory -P --project --markers -p --features --path"
    " --git --rev --branch --tag --subdirectory -dG --lockfile --index --venv -c --config -i --extra-pip-args"
    " --categories --name --pypi-index -r --requirements"
)
PIPX_TAKES = options(
    "--python --index-url -i --pip-args --suffix --spec --preinstall --backend --with --requirement -r"
)
CONDA_TAKES = options(
    "-n --name -p --prefix -c --channel --file --solver --subdir --platform --repodata-fn --override-frozen"
    " --feature --manifest-path -e --environment --expose --with -r --root-prefix"
)
PYTHON_TAKES = options("-X -W --check-hash-based-pycs")
ADDERS = {
    "poetry": options("add"),
    "pdm": options("add"),
    "rye": options("add install"),
    "pipenv": options("install"),
    "hatch": options(""),
}
MODULES = options("pip pipx uv poetry pdm pipenv easy_install conda")
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*(?:\(([^)]*)\)|(@\s*.*)|([<>=!~^*].*)|$)", re.ASCII
)
_PINNED = re.compile(r"={2,3}\s*([^\s,*;]+)")


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What one command of this family fetches."""
    program = program.rstrip("-")
    reader = _READERS.get(program)
    return reader(program, words) if reader is not None else []


def requirement(manager: str, word: str, *, runs: bool = False, editable: bool = False) -> list[Install]:
    """What one requirement names: a name with specifiers, a direct reference, or a place."""
    text = str(word).partition(";")[0].strip()
    if not text:
        return []
    found = _REQUIREMENT.fullmatch(text)
    place = elsewhere(text) or ("file" if editable or (found is None and "/" in text) else "")
    if place:
        return [install("pypi", manager, word, _egg(text), source=place, runs=runs)]
    if found is None:
        return [install("pypi", manager, word, text, runs=runs)]
    name = found[1]
    if found[4]:
        at = found[4][1:].strip()
        place = elsewhere(at)
        return [install("pypi", manager, word, name, "" if place else at, source=place or "registry", runs=runs)]
    return [install("pypi", manager, word, name, version_of(found[3] or found[5] or ""), runs=runs)]


def version_of(specifier: str) -> str:
    """The version of a lone `==`, else the specifiers as written."""
    specifier = specifier.strip()
    pinned = _PINNED.fullmatch(specifier)
    return pinned[1] if pinned else specifier


def _egg(text: str) -> str:
    """The name that a direct URL claims for itself."""
    found = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", text)
    return found[1] if found else ""


def _each(manager: str, words: Iterable[str], *, runs: bool = False) -> list[Install]:
    return [made for word in words for made in requirement(manager, word, runs=runs)]


def _pip(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(words, PIP_TAKES, until=1)
    if not line.words or line.words[0] not in ("install", "download", "wheel"):
        return []
    return _pip_operands(manager, line.rest)


def _pip_operands(manager: str, words: Sequence[str], takes: frozenset[str] = PIP_TAKES) -> list[Install]:
    line = split(words, takes | {"-e", "--editable"})
    made = _each(manager, [*line.words, *line.rest])
    for place in line.values("-e", "--editable"):
        made.extend(requirement(manager, place, editable=True))
    return made


def _python(_program: str, words: Sequence[str]) -> list[Install]:
    """`python -m pip …`: options before `-m` are the interpreter's."""
    for at, word in enumerate(words):
        if word == "-m" or (word[:1] == "-" and word[1:2] != "-" and word.endswith("m") and len(word) > 2):
            module = words[at + 1] if at + 1 < len(words) else ""
            return read(module, words[at + 2 :]) if module in MODULES else []
        if word.startswith("-m") and word[2:] in MODULES:
            return read(word[2:], words[at + 1 :])
        if word[:1] != "-" and not (at and words[at - 1] in PYTHON_TAKES):
            return []
    return []


def _pipx(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(words, PIPX_TAKES, until=1)
    verb = line.words[0] if line.words else ""
    if verb == "run":
        given = split(line.rest, PIPX_TAKES, until=1)
        wanted = [word for word in given.values("--spec") or given.words if not word.endswith(".py")]
        return _each(manager, [*wanted, *given.values("-w", "--with")], runs=True)
    if verb in ("install", "inject", "upgrade"):
        given = split(line.rest, PIPX_TAKES)
        wanted = given.words[1:] if verb == "inject" else given.words
        return _each(manager, [*(given.values("--spec") or wanted), *given.values("--preinstall")])
    return []


def _uv(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(words, UV_TAKES, until=1)
    verb = line.words[0] if line.words else ""
    if verb == "pip":
        return _uv_pip(manager, line.rest)
    if verb == "add":
        given = split(line.rest, UV_TAKES - {"-m"})
        return _each(manager, [*given.words, *given.rest])
    if verb == "run":
        given = split(line.rest, UV_TAKES, until=1)
        runs = _each(manager, _listed(given.values("-w", "--with")), runs=True)
        return runs + _each(manager, given.values("--from"), runs=True)
    if verb == "tool":
        return _uv_tool(manager, line.rest)
    return []


def _uv_pip(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(words, UV_TAKES, until=1)
    if not line.words or line.words[0] != "install":
        return []
    return _pip_operands(manager, line.rest, UV_TAKES)


def _uv_tool(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(words, UV_TAKES, until=1)
    verb = line.words[0] if line.words else ""
    if verb == "run":
        return _uvx(manager, line.rest)
    if verb in ("install", "upgrade"):
        given = split(line.rest, UV_TAKES)
        return _each(
            manager, map(_at, [*(given.values("--from") or given.words), *_listed(given.values("-w", "--with"))])
        )
    return []


def _uvx(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(words, UV_TAKES, until=1)
    wanted = line.values("--from") or line.words or line.rest[:1]
    return _each(manager, map(_at, [*wanted, *_listed(line.values("-w", "--with"))]), runs=True)


def _at(word: str) -> str:
    """`ruff@0.6.0` in uv's words is `ruff==0.6.0` in pip's."""
    name, at, version = word.partition("@")
    if at and version[:1].isdigit() and elsewhere(word) == "":
        return type(word)(f"{name}=={version}")
    return word


def _listed(values: Iterable[str]) -> list[str]:
    """`--with a,b` names two; a comma before an operator belongs to the specifier."""
    made: list[str] = []
    for value in values:
        parts = re.split(r",(?=\s*[A-Za-z0-9])", value)
        made.extend(type(value)(part) for part in parts)
    return made


def _project(manager: str, words: Sequence[str]) -> list[Install]:
    """Tools that add to a project: poetry, pdm, rye, pipenv."""
    line = split(words, PROJECT_TAKES, until=1)
    verb, rest = (line.words[0] if line.words else ""), line.rest
    if (manager == "poetry" and verb == "self") or (manager == "rye" and verb == "tools"):
        line = split(rest, PROJECT_TAKES, until=1)
        verb, rest = (line.words[0] if line.words else ""), line.rest
    if verb not in ADDERS[manager]:
        return []
    given = split(rest, PROJECT_TAKES | {"-e", "--editable"})
    wanted = _each(manager, map(_at, [*given.words, *given.rest]))
    for place in [*given.values("-e", "--editable", "--git", "--path")]:
        wanted.extend(requirement(manager, place, editable=True))
    return wanted


def _easy(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(
        words, options("-d --install-dir -i --index-url -f --find-links -H -s --script-dir -b --build-directory")
    )
    return _each(manager, line.words)


def _conda(manager: str, words: Sequence[str]) -> list[Install]:
    line = split(words, CONDA_TAKES, until=1)
    verb, rest = (line.words[0] if line.words else ""), line.rest
    if verb in ("global", "exec", "x"):
        if verb != "global":
            given = split(rest, CONDA_TAKES | {"-s", "--spec"}, until=1)
            return _conda_specs(manager, given.values("-s", "--spec", "--with") or given.words, runs=True)
        line = split(rest, CONDA_TAKES, until=1)
        verb, rest = (line.words[0] if line.words else ""), line.rest
    if verb not in ("install", "create", "add", "update", "upgrade"):
        return []
    given = split(rest, CONDA_TAKES)
    if given.has("--pypi", "--pip"):
        return _each(manager, given.words)
    return _conda_specs(manager, [*given.words, *given.values("-w", "--with")])


def _conda_specs(manager: str, words: Iterable[str], *, runs: bool = False) -> list[Install]:
    made = []
    for word in words:
        found = re.fullmatch(r"(?:[^:]+::)?([A-Za-z0-9_.-]+?)\s*(?:=(?!=)([^=\s]+)(?:=.*)?|([<>=!~].*))?", str(word))
        name, version = (found[1], found[2] or version_of(found[3] or "")) if found else (str(word), "")
        made.append(install("conda", manager, word, name, version, source=elsewhere(word) or "registry", runs=runs))
    return made


_READERS = {
    "pip": _pip,
    "python": _python,
    "pypy": _python,
    "py": _python,
    "pipx": _pipx,
    "uv": _uv,
    "uvx": _uvx,
    "poetry": _project,
    "pdm": _project,
    "rye": _project,
    "pipenv": _project,
    "easy_install": _easy,
    "conda": _conda,
    "mamba": _conda,
    "micromamba": _conda,
    "pixi": _conda,
}
