"""The same command in other clothes: whatever the shell makes of it is what is seen."""

from __future__ import annotations

import pytest

from bk.engine.lower import Look
from tests.unit.checks import decided
from tests.unit.lower.seen import seen, told

GONE = "delete //"

# Each of these runs `rm -rf /`.
SAME = [
    "rm -rf /",
    "r''m -rf /",
    "r\\m -rf /",
    "$'\\x72\\x6d' -rf /",
    "$'\\162m' -rf /",
    "\"rm\" '-rf' /",
    "/bin/../bin/rm -rf /",
    "RM -rf /",
    "rm.exe -rf /",
    "SUDO.EXE rm -rf /",
    "sudo.exe /bin/RM -rf /",
    "rm\\\n -rf /",
    "rm${IFS}-rf${IFS}/",
    "rm${IFS%??}-rf${IFS%??}/",
    "{rm,-rf,/}",
    "X=rm; $X -rf /",
    "X='rm -rf /'; $X",
    "a=r b=m; $a$b -rf /",
    "X=xrmx; ${X:1:2} -rf /",
    "X=xrmx; ${X: -3:2} -rf /",
    "X=rm.txt; ${X%.txt} -rf /",
    "X=rm.txt; ${X%.*} -rf /",
    "X=a/b/rm; ${X##*/} -rf /",
    "X=rXm; ${X/X/} -rf /",
    "X=r1m2; ${X//[0-9]/} -rf /",
    "X=RM; ${X,,} -rf /",
    "X=RM; ${X@L} -rf /",
    "X=mr; ${X:1:1}${X:0:1} -rf /",
    "X=rm Y=X; ${!Y} -rf /",
    "declare -n R=X; X=rm; $R -rf /",
    "declare -l X=RM; $X -rf /",
    "declare -l X; X=RM; $X -rf /",
    'A=(rm -rf /); "${A[@]}"',
    "A=(rm -rf /); ${A[0]} ${A[1]} ${A[2]}",
    "A=(ls rm); ${A[0+1]} -rf /",
    'A=(rm); A+=(-rf /); "${A[@]}"',
    'A=(x rm -rf /); "${A[@]:1}"',
    "declare -A M=([d]=rm); ${M[d]} -rf /",
    'set -- rm -rf /; "$@"',
    "set rm -rf /; $*",
    "set -- / -rf rm; $3 $2 $1",
    'set -- x rm -rf /; shift; "$@"',
    'set -- x rm -rf /; "${@:2}"',
    "printf -v X %s rm; $X -rf /",
    "printf -v X '\\x72m'; $X -rf /",
    "read X <<< rm; $X -rf /",
    "read -r A B C <<< 'rm -rf /'; $A $B $C",
    "IFS=, read -r A B C <<< 'rm,-rf,/'; $A $B $C",
    "read -a A <<< 'rm -rf /'; \"${A[@]}\"",
    "mapfile -t A <<< $'rm\\n-rf\\n/'; \"${A[@]}\"",
    "echo rm | read X; $X -rf /",
    "IFS=,; X=rm,-rf,/; $X",
    "unset X; rm -rf ${X:-/}",
    "rm -rf ${X-/}",
    "X=; rm -rf $X/",
    "unset X; rm -rf $X/*",
    "true && T=rm || T=echo; $T -rf /",
    "if x; then T=rm; else T=ls; fi; $T -rf /",
    "case x in y) T=rm;; *) T=ls;; esac; $T -rf /",
    "for T in ls rm; do $T -rf /; done",
    "select T in a; do rm -rf /; done",
    "alias q='rm -rf'; q /",
    "shopt -s expand_aliases\nalias ls='rm -rf'\nls /",
    "hash -p /bin/rm ls; ls -rf /",
    "f() { rm -rf /; }; f",
    'ls() { rm -rf "$1"; }; ls /',
    "function cd { rm -rf /; }",
    'f() { "$@"; }; f rm -rf /',
    "eval 'rm -rf /'",
    "eval rm -rf /",
    'eval "${x+rm -rf /}"',
    'eval "$x rm -rf /"',
    'eval "$(echo rm -rf /)"',
    "$(echo rm) -rf /",
    "`echo rm -rf /`",
    "$(printf '\\x72\\x6d') -rf /",
    "$(rev <<< mr) -rf /",
    "echo cm0gLXJmIC8K | base64 -d | sh",
    "sh <<< 'rm -rf /'",
    "bash <<-E\n\trm -rf /\nE",
    "bash <<E | cat\nrm -rf /\nE",
    "cat <<E | bash\nrm -rf /\nE",
    "bash -c 'rm -rf \"$1\"' _ /",
    "bash -c '$0 -rf /' rm",
    "source /dev/stdin <<< 'rm -rf /'",
    ". <(echo rm -rf /)",
    "trap 'rm -rf /' EXIT",
    "trap -- 'rm -rf /' DEBUG",
    "PROMPT_COMMAND='rm -rf /' bash -i",
    "PS4='$(rm -rf /)' bash -xc ls",
    "GIT_SSH_COMMAND='rm -rf /;' git fetch",
    "export GIT_PAGER='rm -rf /'; git log",
    "PAGER='sh -c \"rm -rf /\"' man ls",
    "X='$(rm -rf /)'; echo \"${X@P}\"",
    "coproc rm -rf /",
    "coproc { rm -rf /; }",
    "time -p -- rm -rf /",
    "! rm -rf /",
    "! ! X=rm; $X -rf /",
    "exit 0 && rm -rf /",
    "false && rm -rf /",
    "| rm -rf /",
    "ls\r\nrm -rf /\r\n",
    "ls hi\\nrm -rf /",
    "ls\frm -rf /",
    "rm\v-rf /",
    "/???/r? -rf /",
    "/bin/r[m] -rf /",
    "/usr/bin/r* -rf /",
    "((1)) && rm -rf /",
    "[[ -n $(rm -rf /) ]]",
    "echo $(( $(rm -rf /) + 1 ))",
    "A[$(rm -rf /)]=1",
    "echo ${A[$(rm -rf /)]}",
    "> $(rm -rf /)",
    "exec 3< <(rm -rf /)",
    "echo x > >(rm -rf /)",
    "printf 'rm -rf /' > f; bash f",
    "echo 'rm -rf /' > f; chmod +x f; ./f",
    "cat > f <<E\nrm -rf /\nE\nsource f",
    "echo rm -rf / | tee f; sh < f",
    "echo ls > f; echo rm -rf / >> f; sh f",
    "echo rm -rf / > f && ln -s f g && . g",
    "echo rm -rf / > f; cp f g; mv g h; bash h",
    "echo rm -rf / > f; cat f | sh",
    "echo rm -rf / > f; $(cat f)",
    "echo rm -rf / > f; bash --rcfile f -i",
    "echo rm -rf / > f; BASH_ENV=f bash -c ls",
    "true && echo 'rm -rf /' > f || echo ls > f; bash f",
    "echo 'rm -rf \"$1\"' > f; bash f /",
    "printf '#!/usr/bin/env bash\\nrm -rf /\\n' > f; ./f",
    "ln -s / x; rm -rf x/",
    'exec {fd}<<< \'rm -rf /\'; mapfile -tu"$fd" A; eval "${A[0]}"',
    "exec {fd}> >(bash); printf 'rm -rf /' >&$fd",
    "exec 4< <(echo rm -rf /); read -u 4 X; $X",
    "exec < <(echo rm -rf /); bash",
    "echo 'rm -rf /' | xargs bash -c",
    "X=/ rm -rf $X",
]


@pytest.mark.parametrize("command", SAME)
def test_it_is_seen_through(command: str) -> None:
    found = [line.rstrip("?") for line in told(command)]
    assert GONE in found or "delete /*/" in found, found


# Each of these only looks like it.
OTHER = [
    "echo 'rm -rf /'",
    "echo rm -rf / > f",
    "X='rm -rf /'",
    "X='rm -rf /'; echo \"$X\"",
    "printf -v X 'rm -rf /'",
    "f() { echo \"$1\"; }; f 'rm -rf /'",
    "bash -n -c 'rm -rf /'",
    "bash -c 'echo' _ rm -rf /",
    "cat <<'E'\nrm -rf /\nE",
    "git commit -m 'rm -rf /'",
    "grep -r 'rm -rf /' .",
    'rm -rf "${X:?}"/*',
    'T=$(mktemp -d); rm -rf "$T"/*',
    "rm -rf $TMPDIR/x",
    "X=build; rm -rf $X/*",
    "for d in a b; do rm -rf $d/*; done",
]


@pytest.mark.parametrize("command", OTHER)
def test_what_only_looks_like_it_is_not_it(command: str) -> None:
    assert not any(line.startswith(("delete //", "delete /*", "delete /**")) for line in told(command))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (":(){ :|:& };:", "forkbomb"),
        ("bomb() { bomb | bomb & }; bomb", "forkbomb"),
        ("f() { f & f & }; f", "forkbomb"),
        ("f() { (f &); }; f", "forkbomb"),
        ("a() { b & b & }; b() { a; }; a", "forkbomb"),
        ("while true; do sh & done", "forkbomb"),
        ("while :; do cat /dev/zero & done", "forkbomb"),
        ("for ((;;)); do x & done", "forkbomb"),
        ("until false; do x & done", "forkbomb"),
        ("rm\u200b -rf /", "hidden"),
        ("\uff52\uff4d -rf /", "hidden"),
        ("r\u043c -rf /", "hidden"),
        ("rm \u2013rf /", "hidden"),
        ("rm \u2212rf /", "hidden"),
        ("rm -r\u200bf /", "hidden"),
        ("ls\0 x", "hidden"),
        ("$X -rf /", "computed"),
        ('"$(date)" -rf /', "computed"),
    ],
)
def test_what_cannot_be_right_is_dark(command: str, why: str) -> None:
    assert f"dark {why}?" in [f"{line}?" for line in told(command)]


@pytest.mark.parametrize(
    "command",
    [
        "fact() { if [ $1 -gt 1 ]; then fact $(($1 - 1)); fi; }; fact 3",
        "walk() { for f in $1/*; do [ -d $f ] && walk $f; done; }; walk .",
        'retry() { "$@" || retry "$@"; }; retry ls',
        "while true; do server & wait $!; done",
        "while true; do x & sleep 1; done",
        "while read l; do x $l & done",
        "for i in 1 2 3; do x & done; wait",
        "a() { b; }; b() { echo; }; a | a &",
        "git commit -m 'caf\u00e9 \U0001f469\u200d\U0001f467'",
        "echo \u2013 \u00e9",
        "python3 caf\u00e9.py --na\u00efve",
    ],
)
def test_honest_work_is_neither_a_bomb_nor_hidden(command: str) -> None:
    assert not {"dark forkbomb", "dark hidden"} & set(told(command))


def test_an_unknown_program_keeps_its_words() -> None:
    dark = next(action for action in seen("$TOOL -rf ~/work") if action.word == "opaque")
    assert "-rf" in dark.target
    assert "work" in dark.target


@pytest.mark.parametrize("command", ['rm -rf "$X"/', "rm -rf $X/*", 'rm -rf "$X"/*', "rm -rf $(x)/"])
def test_a_tree_below_nobody_knows_what_may_be_everything(command: str) -> None:
    assert "delete /**/?" in told(command)


def test_a_variable_of_the_environment_is_known() -> None:
    assert told("rm -rf $D/*", Look({"D": "/srv/d"}))[-1] == "delete /srv/d/*/?"
    assert told("cat $TMPDIR/x", Look({}))[-1] == "read /tmp/x"


def test_a_glob_that_makes_no_sense_is_no_error() -> None:
    assert decided("cat ~/.ss[z-a]/id_rsa").level.denies
