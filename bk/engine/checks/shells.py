"""Shells that another machine steers, programs that multiply until nothing else runs, and miners."""

from __future__ import annotations

import re

from bk.engine.checks.hosts import POOLS, hosts, under
from bk.engine.checks.patterns import Pattern
from bk.engine.checks.sources import INTERPRETERS, RAW, SHELLS, base, raw
from bk.engine.model import Connect, Finding, Level, Opaque, Run, Touch
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

MINERS = names(
    "xmrig xmrig-proxy minerd cgminer bfgminer sgminer cpuminer cpuminer-opt cpuminer-multi ethminer xmr-stak"
    " xmr-stak-rx hellminer nanominer phoenixminer teamredminer lolminer t-rex nbminer gminer srbminer"
    " srbminer-multi claymore ccminer minergate-cli nheqminer wildrig-multi verthashminer xmrigcc rigel onezerominer"
)
_MINING = ("stratum", "--donate-level", "--coin=monero", "--algo=rx/", "--algo=randomx")
_SOCKET = Pattern(
    r"\bsocket\b|TCPSocket|TCPServer|p?fsockopen|stream_socket_client|IO::Socket|Socket\.INET|/inet/tcp/|TcpClient"
    r"|/dev/tcp/|Deno\.connect|\bnet['\"]?\)?\.(?:connect|createConnection|createServer|Socket|Dial)",
    re.IGNORECASE,
)
_SHELL = Pattern(
    r"\bdup2\b|\bpty\.spawn|(?:^|[\"'\s=(,/])(?:ba|z|da|k|a)?sh[\"'\s,)]|/bin/(?:ba|z|da|k|a)?sh\b|cmd(?:\.exe)?[\"']"
    r"|powershell|\biex\b|Invoke-Expression|\|&\s*getline",
    re.IGNORECASE,
)
_GIVES = Pattern(r"-[a-zA-Z]*e|-c|--exec|--sh-exec|--lua-exec|-e.+")
_PARTY = Pattern(r"^(?:exec|system|shell)\b:?", re.IGNORECASE)
SHELL_ADVICE = "to reach another machine use ssh, with a command that says what it does"
BOMB_ADVICE = "start as many processes as you need, and wait for them"
MINER_ADVICE = "leave mining to machines that are meant for it"


_TELLING = RAW | MINERS | INTERPRETERS | frozenset(("pwsh", "powershell"))


# Clients in which what is typed into a program that runs is shown to no hook.
BLIND = frozenset(("codex",))
BLIND_ADVICE = "give the program its commands with the call: as an argument, a script file or a heredoc"
_SESSIONS = names(
    "ipython irb sqlite3 psql mysql mariadb redis-cli mongosh gdb lldb ghci bc dc ftp sftp screen tmux script"
)
_DOES = names("-c -e -E -m -p -r -v -V -h --eval --print --version -version --help")
_TOLD = names("-c -e -f -l -r -ex --command --execute --eval --file --batch --list --version --help")


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Findings for steered shells, fork bombs and miners."""
    run: Run | None = None
    sockets: list[Action] = []
    shells: list[Run] = []
    for action in actions:
        if type(action) is Run:
            run = action
            program = base(action)
            if program in SHELLS and _interactive(action, program):
                shells.append(action)
            if facts.call is not None and facts.call.harness in BLIND and _waits(action, program):
                yield _blind(action, program, facts.call.harness)
            elif program in ("telnet", "openssl") and (program == "telnet" or "s_client" in action.argv):
                sockets.append(action)
            if program in _TELLING or action.program.lower() in MINERS:
                yield from _of(action, program)
            for word in action.argv:
                if (word[:2] == "--" or word[:7].lower() == "stratum") and _mining(word):
                    yield _miner(action, f"`{action.target[:80]}` speaks to a pool for mining")
                    break
        elif type(action) is Connect:
            if raw(action, run):
                sockets.append(action)
            pool = next((one for host in hosts(action.url, action.host) if (one := under(host, POOLS))), "")
            if pool or action.url[:7].lower() == "stratum":
                yield _miner(action, f"connects to {action.url[:120]}, a pool for mining")
        elif type(action) is Opaque and action.why in _DARK:
            yield _DARK[action.why](action)
    if sockets and shells:
        found = _joined(actions, sockets, shells)
        if found is not None:
            yield found


def _interactive(run: Run, program: str) -> bool:
    """Whether a shell takes its commands from wherever its input comes from."""
    words = run.argv[1:]
    if program == "busybox":
        return bool(words) and words[0] in SHELLS and not any(word == "-c" for word in words)
    return not any(word[:1] == "-" and word[1:2] != "-" and "c" in word for word in words) and not any(
        word[:1] not in "-+" and not word.isdigit() and not word.startswith("/dev/fd/") for word in words if word
    )


def _waits(run: Run, program: str) -> bool:
    """Whether a program that takes commands was started without any: what it is told comes later, from a terminal."""
    if run.stdin is not None or run.takes:
        return False
    if program in SHELLS:
        return _interactive(run, program)
    words = run.argv[1:]
    if program in INTERPRETERS:
        return all(word[:1] == "-" for word in words) and not any(word[:2] in _DOES or word in _DOES for word in words)
    if program not in _SESSIONS and run.program.lower() not in _SESSIONS:
        return False
    return not any(" " in word or word in _TOLD or word.partition("=")[0] in _TOLD for word in words)


def _blind(run: Run, program: str, harness: str) -> Finding:
    reason = f"`{program}` is started to be typed into, and {harness} shows no hook what is typed"
    return Finding("shells/unseen", Level.BLOCK, reason, action=run, instead=BLIND_ADVICE)


def _of(run: Run, program: str) -> Iterator[Finding]:
    words = run.argv[1:]
    if program in RAW:
        yield from _handed(run, program, words)
    elif program in MINERS or run.program.lower() in MINERS:
        yield _miner(run, f"`{run.target[:80]}` mines")
    elif program in INTERPRETERS or program in ("pwsh", "powershell"):
        code = next((word for word in words if len(word) > 24 and _SOCKET.re.search(word)), "") or (run.stdin or "")
        if code and _SOCKET.re.search(code) and _SHELL.re.search(code):
            yield _steered(run, f"`{program}` joins a shell to a network socket")


def _mining(word: str) -> bool:
    if word[:2] == "--":
        return word.startswith(_MINING) or "=stratum" in word
    return "://" in word and word[:7].lower() == "stratum"


def _handed(run: Run, program: str, words: Sequence[str]) -> Iterator[Finding]:
    """`nc -e sh`, `socat … EXEC:sh`: the tool itself starts a program on the socket."""
    if program == "socat":
        ends = [word for word in words if word[:1] != "-" or word == "-"]
        started = [word for word in ends if _PARTY.re.match(word)]
        others = [word for word in ends if word not in started and word != "-" and not word.upper().startswith("STDIO")]
        if started and others:
            yield _steered(run, f"`{run.target[:80]}` starts a program on a socket")
    elif program not in ("telnet", "openssl"):
        index = next((at for at, word in enumerate(words) if _GIVES.re.fullmatch(word) or word.startswith(_LONG)), -1)
        if index >= 0:
            yield _steered(run, f"`{run.target[:80]}` starts a program on a socket")


def _joined(actions: Sequence[Action], sockets: Sequence[Action], shells: Sequence[Run]) -> Finding | None:
    """A shell whose input or output is a socket: directly, or through a pipe in the file system."""
    for socket in sockets:
        direct = socket.target.startswith("/dev/")
        fed = any(one[:4] == "run:" and one[4:] in SHELLS for one in socket.takes)
        for shell in shells:
            told = any(one[:4] == "net:" for one in shell.takes) or any(one[4:] in RAW for one in shell.takes)
            if direct or fed or told or "-i" in shell.argv or _loops(actions, shell):
                return _steered(shell, f"`{shell.target[:60]}` is joined to {socket.target[:100]}")
    return None


def _loops(actions: Sequence[Action], shell: Run) -> bool:
    """Whether what the shell reads is a file into which the network writes."""
    read = {one[5:] for one in shell.takes if one[:5] == "file:"}
    return any(
        type(one) is Touch
        and one.mode == "write"
        and one.path in read
        and any(take[:4] == "net:" or take[4:] in RAW for take in one.takes)
        for one in actions
    )


def _steered(action: Action, reason: str) -> Finding:
    text = f"{reason}: whoever is at the other end can run commands here"
    return Finding("shells/remote", Level.BLOCK, text, action=action, instead=SHELL_ADVICE)


def _miner(action: Action, reason: str) -> Finding:
    return Finding("shells/miner", Level.BLOCK, reason, action=action, instead=MINER_ADVICE)


def _bomb(action: Opaque) -> Finding:
    reason = f"starts copies of itself without end: {action.text[:120]}"
    return Finding("shells/forkbomb", Level.BLOCK, reason, action=action, instead=BOMB_ADVICE)


def _reverse(action: Opaque) -> Finding:
    return _steered(action, f"joins a shell to a network socket ({action.text[:120]})")


_LONG = ("--exec", "--sh-exec", "--lua-exec")
_DARK = {"forkbomb": _bomb, "reverse-shell": _reverse}
