"""Programs that carry a command in their arguments beside doing something themselves; readers load at first need."""

from __future__ import annotations

import re

from bk.engine.lower.flow import settle
from bk.engine.lower.operands import effects
from bk.engine.lower.output import printed
from bk.engine.lower.programs import FETCHERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

    Carry: TypeAlias = Callable[..., Stream | None]

FAMILIES: dict[str, str] = {
    "remote": (
        "adb ansible apptainer autossh aws az bolt buildah cf clush colima copilot crictl ctr dbclient devcontainer"
        " distrobox distrobox-enter docker docker-compose docker-machine dokku dsh eb et fab flatpak flatpak-spawn fly"
        " flyctl gcloud gh heroku incus k k0s k3s kitten knife kubecolor kubectl lima limactl lxc lxc-attach machinectl"
        " microk8s minikube mosh multipass nerdctl nomad oc parallel-ssh pdsh plink podman podman-compose psexec pssh"
        " railway render salt salt-call salt-ssh singularity slogin snap ssh systemd-nspawn tailscale toolbox tsh"
        " vagrant winrs wsl"
    ),
    "launchers": (
        "asdf aws-okta aws-vault berglas bun bundle bundler bunx cabal cargo chamber chokidar concurrently conda consul"
        " cronitor ddev devbox direnv doppler dotenvx envchain envconsul etcdctl fnm foreman goenv guix hatch honcho"
        " hyperfine infisical ip jenv lando lerna mamba micromamba mise nix nix-shell nodemon nodenv npm npx nvm nx"
        " onchange op opam pdm pee perf phpenv pipenv pipx pixi plenv pnpm pnpx pnx poetry pyenv rbenv rr rtx rye"
        " saml2aws sops stack start-server-and-test teller tox turbo uv uvx volta yarn yarnpkg"
    ),
    "later": (
        "alacritty at batch byobu crontab foot gnome-terminal kitty konsole launchctl lxterminal mate-terminal rxvt"
        " schtasks screen st terminator tilix tmux urxvt wezterm x-terminal-emulator xfce4-terminal xterm zellij"
    ),
    "escapes": (
        "apt apt-get aptitude awk bsdtar capsh clickhouse-client cockroach cqlsh dpkg duckdb ed ex expect ftp fzf gawk"
        " gdb git gsed gsort gsplit gtar gvim less lftp litecli lldb mail mailx man mariadb mawk more most msmtp mutt"
        " mycli mysql nawk nc nc.openbsd nc.traditional ncat ncftp neomutt netcat nmap nvim openssl original-awk pgcli"
        " psql red rg ripgrep rpm rsync rvim s-nail scp sed sendmail sftp socat sort split sqlcmd sqlite sqlite3 swaks"
        " tar tclsh tcpdump usql vi view vim vimdiff watchman wget wish zip"
    ),
}
CARRIERS: dict[str, str] = {program: family for family, programs in FAMILIES.items() for program in programs.split()}

# The commonest programs carry a command only when their arguments look like this; else none is sought.
_HINTS = {
    program: pattern
    for programs, pattern in {
        "git": r"(?:^|\s)(?:-c|-O|-x|-u|--exec|--extcmd|--upload|--receive|--open|config|ext::|submodule|bisect"
        r"|filter-branch|for-each|--\w+-filter|--\w+-cmd|--smtp|-p)|::",
        "sed gsed": r"e(?:\s|$|[;}'])|[wWrR]\s",
        "awk gawk mawk nawk original-awk": r"system|[|>]|inplace",
        "tar gtar bsdtar": r"checkpoint-act|command|-\w*[IF]|compress-pr|script",
        "rsync": r"(?:^|\s)(?:-\w*e|--rsh)",
        "rg ripgrep": r"--pre|--hostname",
        "sort gsort": r"--compress",
        "split gsplit": r"--filter",
        "wget": r"askpass",
        "less more most man": r"\+!|-P|-H|--pager|--html",
        "apt apt-get aptitude dpkg rpm": r"(?i)invoke|%\(",
        "zip": r"-TT|--unzip-c",
        "scp sftp": r"-S",
        "tcpdump": r"-\w*z",
        "openssl": r"s_client",
    }.items()
    for program in programs.split()
}
_READERS: dict[str, Carry] = {}


def carry(
    shell: Shell, mark: int, name: str, args: Sequence[str], *, stdin: Stream | None, fed: Stream | None
) -> Stream | None:
    """Lower what a carrier does and what it carries; its Run is the action at `mark`."""
    family = CARRIERS[name]
    out: Stream | None = None
    if family == "escapes":
        scope = shell.scope
        effects(name, args, scope)
        hint = None if any(step.startswith("TAR_OPTIONS=") for step in scope.via) else _HINTS.get(name)
        if hint is not None and re.search(hint, " ".join(args)) is None:
            return settle(shell, mark, name, stdin, None if name in FETCHERS else printed(name, args, stdin, scope))
        out = settle(shell, mark, name, stdin, None if name in FETCHERS else printed(name, args, stdin, scope))
    reader = _READERS.get(family)
    if reader is None:
        module = __import__(f"bk.engine.lower.{family}", fromlist=["carry"])
        reader = _READERS[family] = module.carry
    got = reader(shell, mark, name, args, stdin=stdin, fed=fed)
    if family == "escapes":
        settle(shell, mark, name, stdin, None)  # for what was found among its arguments, too
    return got or out
