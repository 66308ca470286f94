"""System package managers: named so that policy and ledger can speak of them; no index covers their namespaces."""

from __future__ import annotations

from bk.engine.lower.installs.line import elsewhere, install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install


class Manager:
    """One manager: its namespace, its installing verbs, and the options that take a value."""

    __slots__ = ("ecosystem", "mark", "takes", "verbs")

    def __init__(self, ecosystem: str, verbs: str, takes: str = "", mark: str = "") -> None:
        self.ecosystem = ecosystem
        self.verbs = options(verbs)
        self.takes = options(takes)
        self.mark = mark


_APT = Manager("deb", "install reinstall build-dep", "-o -t -c --target-release --option --config-file", "=")
_RPM = Manager(
    "rpm", "install localinstall reinstall in", "-c --config --repo --repoid --enablerepo --disablerepo -x --exclude"
)
_PACMAN = Manager("arch", "-S -Sy -Syu -Syyu -U --sync --upgrade", "--config --dbpath --root -r -b --cachedir")
MANAGERS = {
    "brew": Manager("homebrew", "install reinstall", "--appdir --fontdir --cc --build-from"),
    "apt": _APT,
    "apt-get": _APT,
    "aptitude": _APT,
    "dnf": _RPM,
    "yum": _RPM,
    "microdnf": _RPM,
    "zypper": _RPM,
    "apk": Manager("alpine", "add", "-X --repository -t --virtual -p --root --keys-dir --cache-dir", "="),
    "pacman": _PACMAN,
    "yay": _PACMAN,
    "paru": _PACMAN,
    "snap": Manager("snap", "install", "--channel --revision"),
    "flatpak": Manager("flatpak", "install", "--arch --installation"),
    "port": Manager("macports", "install"),
    "pkg": Manager("freebsd", "install add", "-r --repository"),
    "choco": Manager("chocolatey", "install", "--version -s --source --params"),
    "winget": Manager("winget", "install add", "--id -v --version -s --source --scope -l --location --name"),
    "scoop": Manager("scoop", "install", "-a --arch", "@"),
    "luarocks": Manager("luarocks", "install", "--server --tree --lua-version --only-server"),
    "cpan": Manager("cpan", ""),
    "cpanm": Manager("cpan", "", "-l --local-lib -L --local-lib-contained --mirror --from", "@"),
    "opam": Manager("opam", "install", "--switch -j --jobs", "."),
    "emerge": Manager("gentoo", ""),
    "nix-env": Manager("nix", "-i -iA --install", "-f --file -p --profile"),
}

_STATING = ("chocolatey", "winget")


def read(program: str, words: Sequence[str]) -> list[Install]:
    """What one system package manager's command installs."""
    manager = MANAGERS[program]
    operands = _operands(manager, words)
    made = []
    if program == "flatpak" and len(operands) > 1:
        operands = operands[1:]  # the first names the remote
    stated = split(words, manager.takes).value("--version", "-v") if manager.ecosystem in _STATING else ""
    for word in operands:
        source = elsewhere(word)
        if source == "git" and manager.ecosystem == "homebrew":
            source = "registry"
        name, mark, version = str(word).partition(manager.mark) if manager.mark else (str(word), "", "")
        name = "" if source else name if mark else str(word)
        version = version or stated
        made.append(install(manager.ecosystem, program, word, name, version, source=source or "registry"))
    return made


def _operands(manager: Manager, words: Sequence[str]) -> list[str]:
    """The words that name packages; [] when the command installs nothing."""
    if not manager.verbs:
        return split(words, manager.takes).words
    if any(verb[0] == "-" for verb in manager.verbs):
        return split(words, manager.takes).words if manager.verbs & set(words) else []
    line = split(words, manager.takes)
    if not line.words or line.words[0] not in manager.verbs:
        return []
    return line.values("--id") or line.words[1:]
