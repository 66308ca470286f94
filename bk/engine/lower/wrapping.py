"""Wrappers as data: programs that run the program named in their arguments, and their options."""

from __future__ import annotations

ABOUT = frozenset(("--help", "--version", "--usage"))


class Wrapper:
    """One wrapper. `takes` are options with a separate value; `skip` is how many words precede the inner program.

    `cwd`: options naming the inner working directory. `text`: options whose value is shell text. `queries`: options
    that make it only ask about the program. `pairs`: options with two values. `files`: options with a file and what is
    done to it. `alone`: options with which it acts on something else than a program. `joined`: the words are handed to
    a shell as one text. `opens`: without a program it opens a shell. `tells`: its own command line is worth an action.
    """

    __slots__ = (
        "alone",
        "cwd",
        "files",
        "joined",
        "opens",
        "pairs",
        "queries",
        "skip",
        "takes",
        "tells",
        "text",
        "wants",
    )

    def __init__(
        self,
        takes: str = "",
        *,
        skip: int = 0,
        cwd: str = "",
        text: str = "",
        queries: str = "",
        pairs: str = "",
        files: str = "",
        alone: str = "",
        joined: bool = False,
        opens: bool = False,
        tells: bool = False,
    ) -> None:
        self.skip = skip
        self.cwd = frozenset(cwd.split())
        self.text = frozenset(text.split())
        self.files = dict(pair.rsplit(":", 1) for pair in files.split())
        self.takes = frozenset(takes.split()) | frozenset(self.files)
        self.queries = frozenset(queries.split()) | ABOUT
        self.pairs = frozenset(pairs.split())
        self.alone = frozenset(alone.split())
        self.joined = joined
        self.opens = opens
        self.tells = tells
        self.wants = self.takes | self.cwd | self.text


_PLAIN = Wrapper()
_TIMEOUT = Wrapper("-s -k --signal --kill-after", skip=1)
_TIME = Wrapper("-f --format", files="-o:write --output:write", queries="-V")
_PROXY = Wrapper("-f -q")
_SU = Wrapper(
    "-s -g -G -w --shell --group --supp-group --whitelist-environment",
    text="-c --command --session-command",
    opens=True,
    queries="-h -V",
)
WRAPPERS: dict[str, Wrapper] = {
    "sudo": Wrapper(
        "-u -g -h -p -C -c -r -t -T -U -R -a --user --group --host --prompt --close-from --role --type --other-user"
        " --chroot --command-timeout --login-class --auth-type",
        cwd="-D --chdir",
        queries="-l -v -K -V --list --validate --remove-timestamp",
        opens=True,
    ),
    "doas": Wrapper("-u -a", queries="-C -L", opens=True),
    "run0": Wrapper("-u -g --user --group --nice --slice --property --background", cwd="-D --chdir", opens=True),
    "env": Wrapper("-u --unset", cwd="-C --chdir", text="-S --split-string", queries="-V"),
    "time": _TIME,
    "gtime": _TIME,
    "timeout": _TIMEOUT,
    "gtimeout": _TIMEOUT,
    "timelimit": Wrapper("-t -T -s -S"),
    "nice": Wrapper("-n --adjustment"),
    "ionice": Wrapper("-c -n -p -P -u --class --classdata", alone="-p -P -u --pid --pgid --uid"),
    "chrt": Wrapper("-T -P -D", skip=1, alone="-p -m --pid --max"),
    "taskset": Wrapper(skip=1, alone="-p --pid"),
    "stdbuf": Wrapper("-i -o -e --input --output --error"),
    "command": Wrapper(queries="-v -V"),
    "exec": Wrapper("-a"),
    "caffeinate": Wrapper("-t -w"),
    "strace": Wrapper("-e -p -s -u -a -b -E -I -O -S -P -X -U", files="-o:write", queries="-V -h"),
    "ltrace": Wrapper("-e -p -s -u -a -n -l -x -A -D -F -w", files="-o:write", queries="-V -h"),
    "watch": Wrapper("-n -q --interval --equexit", joined=True, queries="-v -h"),
    "flock": Wrapper("-w -E --timeout --wait --conflict-exit-code", skip=1, text="-c --command", queries="-V -h"),
    "script": Wrapper("-E -I -O -B -T -m -t -o --echo --log-in --log-out --log-io", text="-c --command", queries="-V"),
    "su": _SU,
    "runuser": Wrapper(
        "-u -g -G -s -w --user --group --supp-group --shell", text="-c --command --session-command", opens=True
    ),
    "sg": Wrapper(text="-c", skip=1, opens=True),
    "pkexec": Wrapper("--user"),
    "chroot": Wrapper("-u -g -G --userspec --groups", skip=1, opens=True, tells=True),
    "unshare": Wrapper(
        "-S -G -R --setuid --setgid --root --map-user --map-group --propagation --setgroups --boottime --monotonic",
        cwd="-w --wd",
        opens=True,
        tells=True,
        queries="-V -h",
    ),
    "nsenter": Wrapper(
        "-t -S -G --target --setuid --setgid --env-from", opens=True, tells=True, cwd="-W --wdns", queries="-V -h"
    ),
    "systemd-run": Wrapper(
        "-u -p -E -t -H -M --unit --property --setenv --description --slice --on-active --on-calendar --on-boot"
        " --on-startup --on-unit-active --uid --gid --nice --timer-property --path-property --socket-property"
        " --service-type --host --machine --job-mode --background",
        cwd="--working-directory",
        tells=True,
    ),
    "systemd-inhibit": Wrapper("--what --who --why --mode"),
    "systemd-cat": Wrapper("-t -p --identifier --priority --stderr-priority --level-prefix"),
    "xvfb-run": Wrapper("-n -s -e -f -w --server-num --server-args --error-file --auth-file --wait"),
    "proxychains": _PROXY,
    "proxychains4": _PROXY,
    "parallel": Wrapper(),
    "xargs": Wrapper(
        "-I -n -P -L -d -J -R -S -s -E --max-args --max-procs --max-lines --delimiter --max-chars --eof"
        " --process-slot-var",
        files="-a:read --arg-file:read",
    ),
    "start-stop-daemon": Wrapper(
        "-p -u -c -n -s -x -a -g -d -N -P -I -k -R -r --pidfile --user --chuid --name --signal --exec --startas --group"
        " --nicelevel --procsched --iosched --umask --retry --chroot --output",
        cwd="--chdir -d",
        alone="-K --stop -T --status",
        tells=True,
    ),
    "bwrap": Wrapper(
        "--proc --dev --tmpfs --dir --unsetenv --uid --gid --hostname --args --cap-add --cap-drop --lock-file --size"
        " --perms --seccomp --mqueue --userns --pidns --sync-fd --info-fd --json-status-fd --block-fd --argv0"
        " --exec-label --file-label",
        cwd="--chdir",
        pairs="--bind --ro-bind --dev-bind --bind-try --ro-bind-try --dev-bind-try --symlink --setenv --file --chmod"
        " --bind-data --ro-bind-data --remount-ro --overlay-src",
        tells=True,
    ),
    "proot": Wrapper(
        "-r -b -q -k -R -S -m --rootfs --bind --mount --qemu --kernel-release",
        cwd="-w --cwd --pwd",
        opens=True,
        tells=True,
    ),
    "fakeroot": Wrapper("-l -s -i -b --lib --faked", queries="-v -h"),
    "setpriv": Wrapper(
        "--reuid --regid --ruid --rgid --euid --egid --groups --inh-caps --ambient-caps --bounding-set --securebits"
        " --pdeathsig --selinux-label --apparmor-profile --ptracer",
        queries="-d --dump --list-caps -V",
        opens=True,
    ),
    "numactl": Wrapper(
        "-m -N -C -i -p --membind --cpunodebind --physcpubind --interleave --preferred", queries="-H -s"
    ),
    "prlimit": Wrapper("-p -o --pid --output", alone="-p --pid"),
    "cpulimit": Wrapper("-l -p -e -P -c --limit --pid --exe --path --cpu", alone="-p -e --pid --exe"),
    "gosu": Wrapper(skip=1, queries="-v"),
    "su-exec": Wrapper(skip=1),
    "setuidgid": Wrapper(skip=1),
    "s6-setuidgid": Wrapper(skip=1),
    "chpst": Wrapper("-u -U -b -e -/ -C -n -l -L -m -d -o -p -f -c -r -t"),
    "softlimit": Wrapper("-a -c -d -f -l -m -o -p -r -s -t"),
    "envdir": Wrapper(skip=1),
    "s6-envdir": Wrapper(skip=1),
    "setarch": Wrapper(skip=1, opens=True),
    "arch": Wrapper("-arch -e -d", queries="-h"),
    "faketime": Wrapper(skip=1),
    "sshpass": Wrapper("-p -d -P", files="-f:read", queries="-V -h"),
    "dotenv": Wrapper("-e -v -p -f -q --file --quote", skip=0),
    "env-cmd": Wrapper("-f -r --file --rc-file -e --environments"),
    "watchexec": Wrapper(
        "-w -W -e -f -i -s -d -E -c -o --watch --exts --filter --ignore --signal --debounce --env --shell --delay-run"
        " --stop-signal --stop-timeout --on-busy-update --color --workdir --project-origin --ignore-file --map-signal"
    ),
    "entr": Wrapper(text="-s"),
    "ssh-agent": Wrapper("-a -t -E -P -O", queries="-k -D -d -s -c"),
    "trickle": Wrapper("-d -u -w -t -l -n -s"),
    "winpty": Wrapper(queries="--show-key"),
    "dtach": Wrapper("-r -e -E", skip=1),
    "abduco": Wrapper("-e", skip=1),
    "daemonize": Wrapper("-c -e -o -p -l -u -E"),
    "valgrind": Wrapper(queries="-h"),
    "ccache": _PLAIN,
    "busybox": Wrapper(queries="--list --list-full --install"),
    "toybox": Wrapper(queries="--list --long"),
    "multitime": Wrapper("-n -s -I -i -o -r"),
    "sandbox-exec": Wrapper("-f -n -p -D"),
    "cgexec": Wrapper("-g"),
    "schroot": Wrapper("-c -u -s --chroot --user --shell", cwd="-d --directory", opens=True, tells=True),
    "torify": _PLAIN,
    "rtk": Wrapper(queries="-V gain discover init config"),
}
WRAPPERS.update(
    dict.fromkeys(
        [
            "ld.so",
            "ld-linux.so.2",
            "ld-linux-x86-64.so.2",
            "ld-linux-aarch64.so.1",
            "ld-linux-armhf.so.3",
            "ld-musl-x86_64.so.1",
            "ld-musl-aarch64.so.1",
            "ld64.so.2",
            "ld.so.1",
        ],
        Wrapper("--library-path --preload --argv0 --inhibit-rpath --audit", queries="--list --verify --list-tunables"),
    )
)
WRAPPERS.update(
    dict.fromkeys(
        [
            "nohup",
            "unbuffer",
            "builtin",
            "setsid",
            "coproc",
            "dbus-run-session",
            "dbus-launch",
            "torsocks",
            "tsocks",
            "firejail",
            "rlwrap",
            "rlfe",
            "chronic",
            "ifne",
            "eatmydata",
            "catchsegv",
            "fakechroot",
            "linux32",
            "linux64",
            "i386",
            "x86_64",
            "tini",
            "dumb-init",
            "catatonit",
            "with-contenv",
            "cross-env",
            "nocache",
            "pseudo",
            "sem",
            "steam-run",
            "summon",
            "rosetta",
            "setlock",
            "nq",
            "noglob",
        ],
        _PLAIN,
    )
)
