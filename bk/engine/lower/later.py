"""Commands that run later or in another terminal: at, cron, tmux, screen, terminals, schedulers."""

from __future__ import annotations

import re

from bk.engine.lower import inside
from bk.engine.lower.flow import settle
from bk.engine.lower.operands import effects
from bk.engine.lower.paths import resolve
from bk.engine.lower.scripts import piped
from bk.engine.lower.wrappers import glued
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

_CRON = r"(?m)^[ \t]*(?:@\w+|(?:[\w*/,-]+[ \t]+){5})[ \t]*(\S.*)$"
_KEYS = r"\\(?:n|r|015|012)|\r|\n"
_TMUX_FIRST = frozenset(("-L", "-S", "-f", "-T"))
_TMUX_TAKES = names("-s -n -t -c -e -F -x -y -l -p -d-value -b -E -w -h-value -S -T -N -R")
_TMUX_RUNS = names(
    "new-session new new-window neww split-window splitw respawn-pane respawnp respawn-window respawnw"
    " display-popup popup"
    " pipe-pane pipep run-shell run if-shell if"
)
_TEXTUAL = frozenset(("run-shell", "run", "if-shell", "if", "pipe-pane", "pipep"))


def carry(
    shell: Shell,
    mark: int,
    name: str,
    args: Sequence[str],
    *,
    stdin: Stream | None,
    fed: Stream | None,  # noqa: ARG001 - every family is called alike
) -> Stream | None:
    """The program's own effects, and what it is told to run."""
    effects(name, args, shell.scope)
    out = settle(shell, mark, name, stdin, None)
    _OWN[name](shell, name, args, stdin)
    return out


def _at(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None) -> None:
    """Its text comes through the pipe or from a file."""
    given, _ = inside.all_options(args, frozenset(("-f", "-q", "-t", "-T")))
    if given.has("-l", "-r", "-d", "-c", "-V"):
        return
    for value in given.values("-f"):
        text = shell.scope.look.text(resolve(value, shell.scope.cwd, shell.scope.home, shell.scope.env))
        if text is not None:
            inside.text(shell, text, (name,))
    if stdin is not None and not given.has("-f"):
        state = shell.scope.snapshot()
        piped(shell, name, stdin)
        shell.scope.restore(state)


def _crontab(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None) -> None:
    """Each line of a table carries a command behind its times."""
    given, operands = inside.all_options(args, frozenset(("-u",)))
    if given.has("-l", "-r", "-e"):
        return
    text = stdin.text if stdin is not None and (not operands or operands == ["-"]) else None
    for word in operands:
        if word != "-":
            text = shell.scope.look.text(resolve(word, shell.scope.cwd, shell.scope.home, shell.scope.env))
    if text is None and stdin is not None and any(one.startswith("net:") for one in stdin.origins):
        shell.dark("pipe-to-shell", f"{stdin.source} | crontab", stdin.origins)
    for match in re.finditer(_CRON, text or ""):
        if not match[0].lstrip().startswith("#"):
            inside.text(shell, match[1].replace("\\%", "%"), (name,))


def _tmux(shell: Shell, name: str, args: Sequence[str], _stdin: Stream | None) -> None:
    """`tmux new 'TEXT'`, `send-keys TEXT Enter`; commands are separated by `;`."""
    first = inside.split(args, _TMUX_FIRST | {"-c"})
    for value in first.values("-c"):
        inside.text(shell, value, (name,))
    command: list[str] = []
    for word in (*first.rest, ";"):
        if word in (";", "\\;"):
            _tmux_one(shell, name, command)
            command = []
        elif word.endswith("\\;") or (
            word.endswith(";") and len(word) > 1 and command[:1] and command[0][:4] != "send"
        ):
            command.append(word[:-1].rstrip("\\"))
            _tmux_one(shell, name, command)
            command = []
        else:
            command.append(word)


def _tmux_one(shell: Shell, name: str, words: list[str]) -> None:
    if not words:
        return
    verb = words[0]
    if verb in ("send-keys", "send"):
        keys = inside.split(words[1:], frozenset(("-t", "-N", "-c"))).rest
        text = "".join(
            "\n" if key in ("Enter", "C-m", "C-j", "KPEnter") else " " if key == "Space" else key for key in keys
        )
        if text.strip():
            inside.text(shell, text if type(text) is str else str(text), (f"{name} send-keys",))
    elif verb in _TMUX_RUNS:
        rest = inside.split(words[1:], _TMUX_TAKES).rest
        if verb in _TEXTUAL:
            for text in rest:
                inside.text(shell, text, (f"{name} {verb}",))
        elif len(rest) == 1:
            inside.text(shell, rest[0], (f"{name} {verb}",))
        elif rest:
            inside.run(shell, rest, (f"{name} {verb}",))


def _screen(shell: Shell, name: str, args: Sequence[str], _stdin: Stream | None) -> None:
    """`screen -dmS x CMD…`, `screen -X stuff 'TEXT\\n'`."""
    given = inside.split(args, names("-S -c -e -h -p -s -t -T -X -L-file -Logfile -r-value"))
    verb = given.value("-X")
    rest = given.rest
    if verb == "stuff":
        for text in rest:
            inside.text(shell, re.sub(_KEYS, "\n", text), (f"{name} stuff",))
    elif verb in ("exec", "screen"):
        inside.run(shell, [word for word in rest if word.strip(".!|:")], (f"{name} {verb}",))
    elif not verb and rest and not given.has("-r", "-x", "-ls"):
        inside.run(shell, rest, (name,))


def _terminal(shell: Shell, name: str, args: Sequence[str], _stdin: Stream | None) -> None:
    """`xterm -e CMD…`, `gnome-terminal -- CMD…`, `kitty CMD…`."""
    for at, word in enumerate(args):
        if word in ("-e", "-x", "--", "--command", "start", "--execute") or word.startswith(("--command=", "-e=")):
            value = word.partition("=")[2]
            rest = [value] if value else list(args[at + 1 :])
            if word in ("start",):
                rest = list(inside.split(rest, frozenset(("--cwd", "--class", "--workspace"))).rest)
            if len(rest) == 1:
                inside.text(shell, rest[0], (name,))
            elif rest:
                inside.run(shell, rest, (name,))
            return


def _zellij(shell: Shell, name: str, args: Sequence[str], _stdin: Stream | None) -> None:
    if "--" in args:
        inside.run(shell, args[list(args).index("--") + 1 :], (name,))
    elif "write-chars" in args:
        inside.text(shell, glued(args[list(args).index("write-chars") + 1 :]), (name,))


def _launchctl(shell: Shell, name: str, args: Sequence[str], _stdin: Stream | None) -> None:
    """`launchctl submit -l x -- CMD…`."""
    if args[:1] and args[0] in ("submit", "asuser", "bsexec"):
        rest = args[list(args).index("--") + 1 :] if "--" in args else args[2:]
        inside.run(shell, rest, (name,))


def _schtasks(shell: Shell, name: str, args: Sequence[str], _stdin: Stream | None) -> None:
    for at, word in enumerate(args[:-1]):
        if word.lower() == "/tr":
            inside.text(shell, args[at + 1], (name,))


_OWN: dict[str, Callable[[Shell, str, Sequence[str], Stream | None], None]] = {
    "at": _at,
    "batch": _at,
    "crontab": _crontab,
    "tmux": _tmux,
    "byobu": _tmux,
    "screen": _screen,
    **dict.fromkeys(
        ("xterm", "gnome-terminal", "kitty", "konsole", "alacritty", "xfce4-terminal", "wezterm", "urxvt", "rxvt",
         "foot", "st", "terminator", "tilix", "lxterminal", "mate-terminal", "x-terminal-emulator"),
        _terminal,
    ),
    "zellij": _zellij,
    "launchctl": _launchctl,
    "schtasks": _schtasks,
}  # fmt: skip
