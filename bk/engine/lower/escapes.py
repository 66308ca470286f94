"""Programs with a way out to a shell: options, scripts and variables whose value is a command."""

from __future__ import annotations

import re

from bk.engine.lower import filters, inside, network
from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

# Options whose value is a command, by program; a separate or glued value.
OPTIONS: dict[str, tuple[str, ...]] = {
    "rsync": ("-e", "--rsh"),
    "tar": (
        "--to-command",
        "-I",
        "--use-compress-program",
        "--rsh-command",
        "-F",
        "--info-script",
        "--new-volume-script",
    ),
    "zip": ("-TT", "--unzip-command"),
    "man": ("-P", "--pager", "-H", "--html"),
    "rg": ("--pre", "--hostname-bin"),
    "fzf": ("--preview", "--bind-execute"),
    "sort": ("--compress-program",),
    "split": ("--filter",),
    "wget": ("--use-askpass",),
    "tcpdump": ("-z",),
    "scp": ("-S",),
    "sftp": ("-S",),
    "watchman": ("--exec",),
    "nmap": (),
    "dpkg": (),
}
for _same, _others in {"tar": "gtar bsdtar", "rg": "ripgrep", "sort": "gsort", "split": "gsplit"}.items():
    for _other in _others.split():
        OPTIONS[_other] = OPTIONS[_same]


def carry(
    shell: Shell,
    _mark: int,
    name: str,
    args: Sequence[str],
    *,
    stdin: Stream | None,
    fed: Stream | None,  # noqa: ARG001 - every family is called alike
) -> Stream | None:
    """The commands among the arguments; the program's own effects have been emitted."""
    wanted = OPTIONS.get(name)
    if wanted:
        for option, value in option_values(args, wanted):
            _text(shell, value, f"{name} {option}")
            if wanted is OPTIONS["tar"]:
                _unseen(shell, value, f"{name} {option}")
    own = _OWN.get(name)
    if own is not None:
        own(shell, args, stdin)
    return None


def option_values(args: Sequence[str], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """(option, value) for each of these options, wherever it stands."""
    found: list[tuple[str, str]] = []
    for at, word in enumerate(args):
        for option in wanted:
            if word == option:
                if at + 1 < len(args):
                    found.append((option, args[at + 1]))
            elif option[:2] == "--" and word.startswith(option + "="):
                found.append((option, _like(word, word[len(option) + 1 :])))
            elif len(option) == 2 and word[:1] == "-" and word[1:2] != "-":
                cut = word.find(option[1])
                if cut == len(word) - 1 and cut > 1 and word[1:cut].isalpha() and at + 1 < len(args):
                    found.append((option, args[at + 1]))
                elif cut == 1 and len(word) > 2:
                    found.append((option, _like(word, word[2:])))
    return found


def _like(word: str, part: str) -> str:
    return Dim(part) if type(word) is Dim else part


def _text(shell: Shell, text: str, via: str) -> None:
    """A command text; a remote shell's plain name with its options is no news."""
    first = text.split(maxsplit=1)[:1]
    if not first or (first[0].rsplit("/", 1)[-1] in ("ssh", "rsh") and "Command" not in text):
        return
    inside.text(shell, text, (via,))


def _tar(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """`--checkpoint-action=exec=TEXT`, also from TAR_OPTIONS."""
    words = list(args)
    for step in shell.scope.via:
        if step.startswith("TAR_OPTIONS="):
            words.extend(step[12:].split(" --"))
    for at, word in enumerate(words):
        key, _, value = word.partition("=")
        if not key.lstrip("-").startswith("checkpoint-act"):
            continue
        value = value or (words[at + 1] if at + 1 < len(words) else "")
        if value.startswith("exec="):
            _text(shell, _like(word, value[5:]), "tar --checkpoint-action")
            _unseen(shell, value[5:], "tar --checkpoint-action")


_KNOWN = names(
    "gzip pigz bzip2 pbzip2 lbzip2 xz pxz pixz zstd pzstd zstdmt lz4 lzip plzip lzop lzma brotli compress gunzip"
    " bunzip2 unxz unzstd igzip ssh rsh echo printf date true : sleep cat wc sha256sum sha1sum md5sum"
)


def _unseen(shell: Shell, text: str, via: str) -> None:
    """A script or a shell that tar starts for itself: nothing but a known compressor or counter is plain."""
    words = text.split()
    first = words[0] if words else ""
    if first.startswith(("/bin/", "/usr/bin/")):
        first = first.rpartition("/")[2]
    if first and (first not in _KNOWN or any(mark in text for mark in ";|&$`\n")):
        shell.dark("pipe-to-shell", f"{via} {text}", ("unknown",))


_EX = r"(?:^|(?<=[|\n:\s%$\d])|(?<=\br))!\s*(?P<cmd>[^\n!=\s][^\n]*)"
_EX_CALL = r"(?:system|systemlist|job_start|termopen|jobstart)\(\s*(\[?)(['\"])(.*?)\2"
_EX_TERM = r"(?:^|[|:\s])ter(?:minal)?\s+(?:\+\+\w+\s+)*(\S.*)"
_EX_CODE = r"(?s)(?:^|[|:\s])(py(?:thon)?3?|lua|perl|ruby)\s+(.+)"
_EX_WRITE = r"(?:^|[|:\s])(?:w|write|sav|saveas)!?\s+([~/.\w][^|\s]*)"
_EX_DELETE = r"delete\(\s*(['\"])(.*?)\1(?:\s*,\s*(['\"])rf\3)?"


def _vim(shell: Shell, args: Sequence[str], stdin: Stream | None) -> None:
    """`-c ':!TEXT'`, `+!TEXT`, `--cmd`; the ex commands of a script on stdin."""
    texts = [value for _, value in option_values(args, ("-c", "--cmd"))]
    texts.extend(word[1:] for word in args if word[:1] == "+" and len(word) > 1)
    if stdin is not None and stdin.text is not None:
        texts.append(stdin.text)
    for text in texts:
        _ex(shell, text)


def _ex(shell: Shell, text: str) -> None:
    for match in re.finditer(_EX, text):
        inside.text(shell, match["cmd"], ("vim !",))
    for match in re.finditer(_EX_CALL, text):
        inside.text(shell, match[3], ("vim system",))
    for match in re.finditer(_EX_TERM, text):
        inside.text(shell, match[1], ("vim :terminal",))
    for match in re.finditer(_EX_WRITE, text):
        shell.scope.touch(match[1], "write")
    for match in re.finditer(_EX_DELETE, text):
        shell.scope.touch(match[2], "delete", tree=match[3] is not None)
    code = re.search(_EX_CODE, text)
    if code is not None:
        from bk.engine.lower.interpreters import LANGUAGES, lower_code

        lower_code(shell, code[2], LANGUAGES.get(code[1].rstrip("3").replace("py", "python")[:6], "python"), ("vim",))


_ED = r"(?m)^\d*,?\$?[ \t]*(?:[rw][ \t]*)?![ \t]*(.+)$"
_ED_WRITE = r"(?m)^(?:\d*,?\$?)?[wW]q?[ \t]+([^!\s].*)$"


def _ed(shell: Shell, args: Sequence[str], stdin: Stream | None) -> None:
    """ed reads its commands from the pipe."""
    _vim(shell, args, None)
    if stdin is not None and stdin.text is not None:
        for match in re.finditer(_ED, stdin.text):
            inside.text(shell, match[1], ("ed !",))
        for match in re.finditer(_ED_WRITE, stdin.text):
            shell.scope.touch(match[1].strip(), "write")


def _pager(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    for word in args:
        if word[:2] == "+!":
            inside.text(shell, word[2:], ("less !",))


def _netcat(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """`nc -e PROGRAM`, `ncat --sh-exec TEXT`: whoever is at the other end talks to it."""
    found = option_values(args, ("-e", "--exec", "-c", "--sh-exec", "--lua-exec"))
    for option, value in found:
        if option == "-c" and (value.isdigit() or not value or network.hostlike(value)):
            continue
        inside.text(shell, value, (f"nc {option}",))
        shell.dark("reverse-shell", f"nc {' '.join(args)}", ("unknown",))


_SOCAT = r"(?i)(exec|system|shell):\s*(\"[^\"]*\"|'[^']*'|(?:[^,\\]|\\.)*)"


def _socat(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """`EXEC:TEXT` and `SYSTEM:TEXT` addresses; with a network address beside them they serve it."""
    wide = any(re.match(r"(?i)(?:tcp|udp|openssl|ssl|sctp|proxy|socks|vsock|dtls)[\w-]*:", word) for word in args)
    for word in args:
        match = re.match(_SOCAT, word)
        if match is None:
            continue
        text = match[2].strip("\"'")
        if text:
            inside.text(shell, _like(word, text), (f"socat {match[1].upper()}",))
        if wide:
            shell.dark("reverse-shell", f"socat {' '.join(args)}", ("unknown",))


def _gdb(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """`-ex 'shell TEXT'`, `-ex '!TEXT'`, `--args PROGRAM…`."""
    for word in ("--args", "--"):
        if word in args:
            inside.run(shell, args[list(args).index(word) + 1 :], ("gdb --args",))
            break
    for _, value in option_values(args, ("-ex", "--ex", "-iex", "--eval-command", "-o", "-eval-command")):
        match = re.match(r"\s*(?:shell|!|make|platform shell|pipe [^|]*\|)\s*(.+)", value)
        if match is not None:
            inside.text(shell, match[1], ("gdb shell",))
        call = re.search(r"system\s*\(\s*\"((?:[^\"\\]|\\.)*)\"", value)
        if call is not None:
            inside.text(shell, call[1], ("gdb system",))
        if re.match(r"\s*(?:py|python|script)\b", value):
            from bk.engine.lower.interpreters import lower_code

            lower_code(shell, re.sub(r"^\s*\w+\s*", "", value), "python", ("gdb python",))


def _expect(shell: Shell, args: Sequence[str], stdin: Stream | None) -> None:
    """`spawn`, `exec` and `system` in an expect or Tcl text; `file delete` and `open … w` in Tcl."""
    texts = [value for _, value in option_values(args, ("-c",))]
    if stdin is not None and stdin.text is not None and not any(word[:1] != "-" for word in args):
        texts.append(stdin.text)
    for text in texts:
        tcl(shell, text)


def tcl(shell: Shell, text: str) -> None:
    """The commands of a Tcl text."""
    for statement in re.split(r"[;\n\[\]]", text):
        words = statement.strip().strip("{}").split(maxsplit=1)
        if len(words) < 2:
            continue
        verb, rest = words
        if verb in ("spawn", "exec", "system"):
            inside.text(shell, re.sub(r"^(?:-\w+\s+)+", "", rest.strip().strip("{}")), (f"expect {verb}",))
        elif verb == "file" and rest.startswith("delete"):
            for word in rest.split()[1:]:
                if word[:1] != "-":
                    shell.scope.touch(word.strip('"{}'), "delete", tree=True)
        elif verb == "open" and len(rest.split()) > 1 and rest.split()[1][:1] in "wa":
            shell.scope.touch(rest.split()[0].strip('"{}'), "write")


def _openssl(shell: Shell, args: Sequence[str], stdin: Stream | None) -> None:
    """`s_client -connect HOST:PORT` carries its stdin out."""
    if args and args[0] == "s_client":
        sends = stdin is not None and any(one != "file:/dev/null" for one in stdin.origins)
        for _, value in option_values(args, ("-connect", "-host")):
            network.connect(value, shell.scope, sends=sends)
            shell.scope.actions[-1].takes = stdin.origins if stdin is not None and sends else ()


def _fzf(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    for _, value in option_values(args, ("--bind",)):
        for match in re.finditer(r"(?:execute(?:-silent)?|become|reload|transform[\w-]*)\(([^)]*)\)", value):
            inside.text(shell, match[1], ("fzf --bind",))


def _packages(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """`-o APT::Update::Pre-Invoke::=TEXT`, `rpm --eval '%(TEXT)'`."""
    for word in args:
        match = re.match(r"(?i)(?:-o)?(?:apt|dpkg)::[\w:-]*(?:pre|post)[\w-]*invoke[\w:-]*=(.*)", word)
        if match is not None:
            inside.text(shell, match[1], ("apt invoke",))
        for one in re.finditer(r"%\(([^()]*)\)", word) if "%(" in word else ():
            inside.text(shell, one[1], ("rpm --eval",))


def _capsh(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """What follows `--` or `==` goes to a shell."""
    for mark in ("--", "=="):
        if mark in args:
            inside.run(shell, ["bash", *args[list(args).index(mark) + 1 :]], ("capsh",))
            return


def _mail(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    """A letter leaves for its addressee, with what is attached."""
    for _, value in option_values(args, ("-a", "-A", "--attach")):
        shell.scope.touch(value, "read")
    for word in args:
        if re.fullmatch(r"[\w.+-]+@[\w.-]+\.\w+", word):
            network.connect(f"smtp://{word.partition('@')[2]}", shell.scope, sends=True)


def _lftp(shell: Shell, args: Sequence[str], stdin: Stream | None) -> None:
    """`!TEXT` in its commands runs here; `put` and `mirror -R` carry files out."""
    texts = [value for _, value in option_values(args, ("-c", "-e"))]
    if stdin is not None and stdin.text is not None:
        texts.append(stdin.text)
    for text in texts:
        for statement in re.split(r"[;\n]", text):
            command = statement.strip()
            if command[:1] == "!":
                inside.text(shell, command[1:], ("ftp !",))
            else:
                words = command.split()
                if words[:1] in (["put"], ["mput"], ["send"]) or (words[:1] == ["mirror"] and "-R" in words):
                    for word in words[1:]:
                        if word[:1] != "-":
                            shell.scope.touch(word, "read", tree=words[0] == "mirror")
                if words[:1] in (["open"], ["connect"]) and len(words) > 1:
                    network.connect(words[-1], shell.scope, sends=True)
    for word in args:
        if word[:1] != "-" and network.hostlike(word):
            network.connect(word, shell.scope, sends=True)


def _git(shell: Shell, args: Sequence[str], _stdin: Stream | None) -> None:
    from bk.engine.lower.gitcode import carried

    carried(shell, args)


def _sql(shell: Shell, args: Sequence[str], stdin: Stream | None) -> None:
    from bk.engine.lower.sql import client

    client(shell, args, stdin)


_OWN: dict[str, Callable[[Shell, Sequence[str], Stream | None], None]] = {
    **dict.fromkeys(("tar", "gtar", "bsdtar"), _tar),
    **dict.fromkeys(("vim", "vi", "nvim", "ex", "view", "gvim", "rvim", "vimdiff"), _vim),
    "ed": _ed,
    "red": _ed,
    **dict.fromkeys(("less", "more", "most", "view"), _pager),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk", "original-awk"), filters.awk),
    **dict.fromkeys(("sed", "gsed"), filters.sed),
    **dict.fromkeys(("nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"), _netcat),
    "socat": _socat,
    **dict.fromkeys(("gdb", "lldb"), _gdb),
    **dict.fromkeys(("expect", "tclsh", "wish", "unbuffer-expect"), _expect),
    "openssl": _openssl,
    "fzf": _fzf,
    **dict.fromkeys(("apt", "apt-get", "rpm", "dpkg", "aptitude"), _packages),
    "capsh": _capsh,
    **dict.fromkeys(("mail", "mailx", "mutt", "s-nail", "sendmail", "msmtp", "swaks", "neomutt"), _mail),
    **dict.fromkeys(("lftp", "ftp", "ncftp"), _lftp),
    "git": _git,
    **dict.fromkeys(
        ("psql", "mysql", "mariadb", "sqlite3", "sqlite", "duckdb", "pgcli", "mycli", "litecli", "clickhouse-client",
         "cockroach", "sqlcmd", "cqlsh", "usql"),
        _sql,
    ),
}  # fmt: skip
_OWN["view"] = _vim
