"""git: which of its commands read, write or delete the paths they name."""

from __future__ import annotations

from bk.engine.lower import network
from bk.engine.lower.downloads import clone
from bk.engine.lower.paths import pathlike
from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Scope

_GLOBAL_TAKES = frozenset(("-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--super-prefix"))
_READS = names("add show diff blame annotate cat-file hash-object difftool log archive stage")
_WRITES = frozenset(("restore", "checkout"))
_TAKES = names(
    "-m --message --author --date -n --max-count -S -G -L --format --pretty --since --until --grep -b -B --diff-filter"
)
_CLONE_TAKES = names(
    "-b --branch --depth -o --origin -u --upload-pack --reference --reference-if-able --template -c --config -j --jobs"
    " --separate-git-dir --filter --shallow-since --shallow-exclude --server-option --bundle-uri --revision"
)
_NO_TAKES = frozenset(("--chmod",))


def effects(_name: str, args: Sequence[str], scope: Scope) -> None:
    """`-C DIR` moves first; then the command decides what its operands are."""
    before = scope.snapshot()
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word == "-C":
            if index < end:
                scope.touch(args[index], "list")
                scope.chdir(args[index])
            index += 1
        elif word in _GLOBAL_TAKES:
            index += 1
        elif word[:1] != "-":
            _command(word, args[index:], scope)
            break
    scope.restore(before)


def _command(verb: str, args: Sequence[str], scope: Scope) -> None:
    operands, after = _operands(args, _TAKES if verb not in ("add", "stage", "rm") else _NO_TAKES)
    if verb in _READS:
        for word in operands + after:
            path = _in_revision(word)
            if path not in (".", ":/", "HEAD"):
                scope.touch(path, "read")
    elif verb in _WRITES:
        for word in after or [word for word in operands if pathlike(word)]:
            if word != ".":
                scope.touch(word, "write")
    elif verb == "rm":
        if "--cached" not in args:
            for word in operands + after:
                scope.touch(word, "delete", tree="-r" in args)
    elif verb == "mv":
        for word in (operands + after)[:-1]:
            scope.touch(word, "delete", tree=True)
        for word in (operands + after)[-1:]:
            scope.touch(word, "write")
    elif verb == "commit":
        for at, word in enumerate(args[:-1]):
            if word in ("-F", "--file", "-t", "--template"):
                scope.touch(args[at + 1], "read")
    elif verb == "apply":
        for word in operands + after:
            scope.touch(word, "read")
    elif verb == "clone":
        words, after = _operands(args, _CLONE_TAKES)
        words += after
        _reach(verb, words, scope)
        if words and ("://" in words[0][:12] or ":" in words[0].partition("/")[0]) and words[0][:5].lower() != "file:":
            clone(words, scope)
    elif verb in ("ls-remote", "fetch", "pull", "push", "remote", "submodule"):
        _reach(verb, operands, scope)
    elif verb == "grep":
        for word in after:
            scope.touch(word, "read")
    elif verb == "credential-store":
        for word in args:
            if word.startswith("--file="):
                scope.touch(word[7:], "read")


def _operands(args: Sequence[str], takes: frozenset[str]) -> tuple[list[str], list[str]]:
    """Operands before `--` and those after it."""
    before: list[str] = []
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word == "--":
            return before, list(args[index:])
        if word[:1] == "-":
            if word in takes:
                index += 1
            continue
        before.append(word)
    return before, []


def _in_revision(word: str) -> str:
    """`HEAD:path` names a path in a revision."""
    revision, colon, path = word.partition(":")
    if colon and path and "/" not in revision[:1] and not path.startswith("/"):
        return Dim(path) if type(word) is Dim else path
    return word


def _reach(verb: str, operands: Sequence[str], scope: Scope) -> None:
    for word in operands:
        if "://" in word[:12]:
            network.connect(word, scope, sends=verb == "push")
            if word[:5].lower() == "file:":
                scope.touch(word, "read", tree=True)
        elif not network.remote(word, scope, sends=verb == "push") and verb == "clone" and pathlike(word):
            scope.touch(word, "list", tree=True)
