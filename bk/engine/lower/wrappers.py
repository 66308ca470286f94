"""Programs that run the program named in their arguments, as data: which options take a value, what comes before."""

from __future__ import annotations

import re

from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


class Wrapper:
    """One wrapper. `takes` are options with a separate value; `skip` is how many words precede the inner program.

    `cwd`: options naming the inner working directory. `text`: options
    whose value is shell text. `queries`: options that make it only ask about the program.
    """

    __slots__ = ("cwd", "queries", "skip", "takes", "text")

    def __init__(self, takes: str = "", *, skip: int = 0, cwd: str = "", text: str = "", queries: str = "") -> None:
        self.takes = frozenset(takes.split())
        self.skip = skip
        self.cwd = frozenset(cwd.split())
        self.text = frozenset(text.split())
        self.queries = frozenset(queries.split())


_PLAIN = Wrapper()
WRAPPERS: dict[str, Wrapper] = {
    "sudo": Wrapper(
        "-u -g -h -p -C -r -t -T -U -R --user --group --host --prompt --close-from --role --type --other-user --chroot",
        cwd="-D --chdir",
        queries="-l -v -k -K --list --validate",
    ),
    "doas": Wrapper("-u -C -a"),
    "env": Wrapper("-u --unset", cwd="-C --chdir", text="-S --split-string"),
    "nohup": _PLAIN,
    "time": Wrapper("-f -o --format --output"),
    "gtime": Wrapper("-f -o --format --output"),
    "timeout": Wrapper("-s -k --signal --kill-after", skip=1),
    "gtimeout": Wrapper("-s -k --signal --kill-after", skip=1),
    "nice": Wrapper("-n --adjustment"),
    "ionice": Wrapper("-c -n --class --classdata"),
    "chrt": Wrapper(skip=1),
    "taskset": Wrapper(skip=1),
    "stdbuf": Wrapper("-i -o -e --input --output --error"),
    "unbuffer": _PLAIN,
    "command": Wrapper(queries="-v -V"),
    "builtin": _PLAIN,
    "exec": Wrapper("-a"),
    "setsid": _PLAIN,
    "coproc": _PLAIN,
    "busybox": _PLAIN,
    "toybox": _PLAIN,
    "caffeinate": Wrapper("-t -w"),
    "strace": Wrapper("-e -o -p -s -u -a -b -E -I -O -S -P"),
    "ltrace": Wrapper("-e -o -p -s -u -a -n -l -x"),
    "watch": Wrapper("-n --interval"),
    "flock": Wrapper("-w -E --timeout --conflict-exit-code", skip=1, text="-c --command"),
    "script": Wrapper("-o -E", skip=1, text="-c --command"),
    "su": Wrapper("-s -g -G -w --shell --group", skip=1, text="-c --command"),
    "runuser": Wrapper("-u -g -G -s --user --group --shell", text="-c --command"),
    "pkexec": Wrapper("--user"),
    "chroot": Wrapper("--userspec --groups", skip=1),
    "unshare": Wrapper("-S -G --setuid --setgid"),
    "nsenter": Wrapper("-t -S -G --target --setuid --setgid"),
    "systemd-run": Wrapper("-u -p -E --unit --property --setenv --description --slice --on-active --on-calendar --uid"),
    "systemd-inhibit": Wrapper("--what --who --why --mode"),
    "dbus-run-session": _PLAIN,
    "xvfb-run": Wrapper("-n -s -e -f --server-num --server-args --error-file --auth-file"),
    "proxychains": Wrapper("-f"),
    "proxychains4": Wrapper("-f"),
    "torsocks": _PLAIN,
    "firejail": _PLAIN,
    "rlwrap": _PLAIN,
    "parallel": Wrapper("-j --jobs -a --arg-file -S --sshlogin -N -n"),
    "xargs": Wrapper("-I -n -P -L -d -a -s -E --max-args --max-procs --delimiter --arg-file --max-chars"),
    "start-stop-daemon": Wrapper("--pidfile --user --chuid --name -p -u -c -n", skip=0),
}

# Two-word runners of a project's own tools: the outer command stays a command, the rest is one too.
RUNNERS: dict[str, frozenset[str]] = {
    "uv": frozenset(("run",)),
    "poetry": frozenset(("run",)),
    "pipenv": frozenset(("run",)),
    "pdm": frozenset(("run",)),
    "rye": frozenset(("run",)),
    "hatch": frozenset(("run",)),
    "bundle": frozenset(("exec",)),
    "npm": frozenset(("exec",)),
    "pnpm": frozenset(("exec",)),
    "mise": frozenset(("exec", "x")),
    "direnv": frozenset(("exec",)),
}


class Inner:
    """What a wrapper runs: `words`, or shell `text`; `label` names the wrapper, with the assignments it makes."""

    __slots__ = ("cwd", "label", "query", "replace", "text", "words")

    def __init__(self, label: tuple[str, ...]) -> None:
        self.label = label
        self.words: Sequence[str] = ()
        self.text: str | None = None
        self.cwd: str | None = None
        self.query = False
        self.replace: str | None = None


def unwrap(name: str, words: Sequence[str]) -> Inner:
    """Look through one wrapper: `words[0]` is the wrapper as written."""
    wrapper = WRAPPERS[name]
    inner = Inner((name,))
    index, end = 1, len(words)
    while index < end:
        word = words[index]
        if word == "--":
            index += 1
            break
        if not word.startswith("-") or len(word) < 2:
            if ASSIGNMENT.match(word):
                inner.label += (word,)
                index += 1
                continue
            break
        index += _option(wrapper, inner, words, index)
    while index < end and ASSIGNMENT.match(words[index]):
        inner.label += (words[index],)
        index += 1
    if inner.text is None and not (wrapper.text and wrapper.skip and index + wrapper.skip >= end):
        index += wrapper.skip
        if wrapper.text and index < end and words[index] in wrapper.text and index + 1 < end:
            inner.text = words[index + 1]
    inner.words = words[index:]
    if inner.text is None and wrapper.text and name in ("su", "script", "flock"):
        for at, word in enumerate(inner.words[:-1]):
            if word in wrapper.text:
                inner.text = inner.words[at + 1]
    return inner


def _option(wrapper: Wrapper, inner: Inner, words: Sequence[str], index: int) -> int:
    """Take in one option; how many words it was."""
    word = words[index]
    name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
    used = 1
    wants = wrapper.takes | wrapper.cwd | wrapper.text
    if name in wants:
        if not equals:
            value = words[index + 1] if index + 1 < len(words) else ""
            used = 2
    elif not name.startswith("--") and len(name) > 2:
        for at in range(1, len(name)):
            letter = f"-{name[at]}"
            if letter in wrapper.queries:
                inner.query = True
            if letter in wants:
                name, value = letter, name[at + 1 :]
                if not value:
                    value = words[index + 1] if index + 1 < len(words) else ""
                    used = 2
                break
    if name in wrapper.queries:
        inner.query = True
    if name in wrapper.cwd:
        inner.cwd = value
    elif name in wrapper.text:
        inner.text = value
    elif name in ("-I", "--replace"):
        inner.replace = value or "{}"
    return used


def glued(words: Sequence[str]) -> str:
    """Words as one shell text, for wrappers that hand them to a shell."""
    text = " ".join(words)
    return Dim(text) if any(type(word) is Dim for word in words) else text
