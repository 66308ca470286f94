"""The paths in a program's arguments, and what it does to them."""

from __future__ import annotations

import re

from bk.engine.lower import archives, changes, downloads, git, gnu, network
from bk.engine.lower.paths import joined, pathlike
from bk.engine.lower.programs import SPECS, USE_OPTIONS, Spec
from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.lower.scope import Scope

SCOPED = frozenset(("npm", "pnpm", "yarn", "bun"))
_PACKAGE = re.compile(r"@[a-z0-9~-][a-z0-9._~-]*/[a-z0-9~-][a-z0-9._~-]*(@[^/]*)?\Z")
_USED = ("--env-file",)


def effects(name: str, args: Sequence[str], scope: Scope) -> None:
    """Emit what a program with these arguments reads, writes, deletes, lists and connects to."""
    special = SPECIAL.get(name)
    if special is not None:
        special(name, args, scope)
        return
    spec = SPECS.get(name)
    if spec is None:
        _unknown(args, scope, scoped=name in SCOPED and "--" not in args)
        return
    operands, deep, into = options(spec, args, scope)
    does = spec.does
    if does == "none":
        return
    if spec.pattern and operands:
        operands = operands[spec.pattern :]
    if does == "read" and not operands and deep:
        operands = ["."]
    _USES[does](operands, deep, into, scope)


def options(spec: Spec, args: Sequence[str], scope: Scope) -> tuple[list[str], bool, str | None]:
    """The operands, whether whole trees are meant, and the directory that an option names as the destination."""
    operands: list[str] = []
    deep = "*" in spec.deep
    into: str | None = None
    scripted = False
    takes, paths = spec.takes, spec.paths
    index, end = 0, len(args)
    while index < end:
        word = args[index]
        index += 1
        if word[:1] != "-" or word == "-":
            operands.append(word)
            continue
        if word == "--":
            operands.extend(args[index:])
            break
        name, value, glued = word, "", False
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            glued = bool(equals)
            if name not in spec.long and len(name) >= gnu.SHORTEST:
                name = gnu.full(name, spec.long)
        elif len(word) > 2 and word not in takes and word not in paths:
            for at in range(1, len(word)):
                letter = "-" + word[at]
                if letter in spec.deep:
                    deep = True
                if letter in takes or letter in paths:
                    name, value, glued = letter, word[at + 1 :], at + 1 < len(word)
                    break
        if name in spec.deep or name.lower() in spec.deep:
            deep = True
        if name in spec.scripts:
            scripted = True
        if name in paths:
            if not glued:
                value = args[index] if index < end else ""
                index += 1
            into = _option_path(paths[name], value, into, args, scope)
        elif name in takes and not glued:
            index += 1
    if spec.pattern and scripted:
        operands = [""] * spec.pattern + operands
    return operands, deep, into


def _option_path(mode: str, value: str, into: str | None, args: Sequence[str], scope: Scope) -> str | None:
    if mode == "into":
        return value
    if mode == "tree":
        scope.touch(value, "write", tree=True)
    elif mode == "keygen":
        if "-y" in args:
            scope.touch(value, "read")
        elif "-l" not in args and "-R" not in args and "-F" not in args:
            scope.touch(value, "write", certain=False)
    elif mode != "none" and value:
        scope.touch(value, mode)
    return into


def _simple(mode: str) -> Callable[[list[str], bool, str | None, Scope], None]:
    def use(operands: list[str], deep: bool, _into: str | None, scope: Scope) -> None:
        for word in operands:
            if word and word[0] != "+":
                scope.touch(word, mode, tree=deep)

    return use


def _list(operands: list[str], deep: bool, _into: str | None, scope: Scope) -> None:
    for word in operands or ["."]:
        scope.touch(word, "list", tree=deep)


def _edit(operands: list[str], _deep: bool, _into: str | None, scope: Scope) -> None:
    for word in operands:
        if word and word[0] != "+":
            scope.touch(word, "read")
            scope.touch(word, "write")


def _rewrite(operands: list[str], _deep: bool, _into: str | None, scope: Scope) -> None:
    for word in operands:
        scope.touch(word, "read")
        scope.touch(word, "delete")


def _search(operands: list[str], deep: bool, _into: str | None, scope: Scope) -> None:
    """Recursive search that skips hidden files below what it is given, unless told not to."""
    for word in operands or ["."]:
        scope.touch(word, "read", tree=deep)
        if not deep:
            scope.touch(Dim(joined(word, "*")), "read", tree=True)


def _source(operands: list[str], _deep: bool, _into: str | None, scope: Scope) -> None:
    for word in operands[:1]:
        scope.touch(word, "read", via=("source",))


def placed(operands: list[str], into: str | None) -> tuple[list[str], list[str]]:
    """What is taken, and every path that may be written: the destination and, were it a directory, what lands in it."""
    if into is None:
        if len(operands) < 2:
            return list(operands), []
        *sources, target = operands
    else:
        sources, target = list(operands), into
    landings = [] if into is not None or target.endswith("/") else [target]
    landings.extend(
        joined(target, name) for source in sources if (name := source.rstrip("/").rsplit("/", 1)[-1]) not in ("", ".")
    )
    if not landings:
        landings.append(target)
    return sources, landings


def _copy(operands: list[str], deep: bool, into: str | None, scope: Scope) -> None:
    sources, landings = placed(operands, into)
    for word in sources:
        if not network.remote(word, scope, sends=False):
            scope.touch(word, "read", tree=deep)
    target = into if into is not None else operands[-1] if landings else ""
    if target and network.remote(target, scope, sends=True):
        return
    empty = "" if sources == ["/dev/null"] else None
    for word in landings:
        scope.touch(word, "write", content=empty)
    if target and deep and any(source.endswith(("/", "/.", "/*")) for source in sources):
        scope.touch(target, "write", tree=True)


def _move(operands: list[str], _deep: bool, into: str | None, scope: Scope) -> None:
    sources, landings = placed(operands, into)
    for word in sources:
        scope.touch(word, "read", tree=True)
        scope.touch(word, "delete", tree=True)
    for word in landings:
        scope.touch(word, "write")


def _link(operands: list[str], _deep: bool, into: str | None, scope: Scope) -> None:
    """A link makes its target readable under another name, and may take the place of a directory."""
    sources, landings = placed(operands, into)
    for word in sources:
        scope.touch(word, "read", tree=True)
    for index, word in enumerate(landings):
        scope.touch(word, "write", tree=index == 0 and into is None)


def _dd(_name: str, args: Sequence[str], scope: Scope) -> None:
    for word in args:
        key, _, value = word.partition("=")
        if key == "if":
            scope.touch(_same(word, value), "read")
        elif key == "of":
            scope.touch(_same(word, value), "write")


def _sed(name: str, args: Sequence[str], scope: Scope) -> None:
    spec = SPECS[name]
    writes = any(_in_place(word) for word in args)
    operands, _, _ = options(spec, [word for word in args if not _in_place(word)], scope)
    for word in operands[1:]:
        scope.touch(word, "read")
        if writes:
            scope.touch(word, "write")


def _in_place(word: str) -> bool:
    return word.startswith(("-i", "--in-place")) or (
        word[:1] == "-" and word[1:2] != "-" and "i" in word[1:4] and word[1:].isalpha() and len(word) < 5
    )


def _type(_name: str, args: Sequence[str], scope: Scope) -> None:
    """A query in a Unix shell, `cat` in a Windows one: only what is clearly a path is read."""
    for word in args:
        if "/" in word:
            scope.touch(word, "read")


def _docker(_name: str, args: Sequence[str], scope: Scope) -> None:
    """Bind mounts give a container the host's files; an env file is used, not shown."""
    for index, word in enumerate(args):
        name, equals, value = word.partition("=")
        if not equals:
            value = args[index + 1] if index + 1 < len(args) else ""
            if name[:2] == "-v" and len(name) > 2:
                name, value = "-v", word[2:]
        if name in ("-v", "--volume"):
            source = value.split(":", 1)[0]
            if ":" in value and (source[:1] in "/~." or "$" in source):
                scope.touch(_same(value, source), "read", tree=True)
                if not value.endswith(":ro"):
                    scope.touch(_same(value, source), "write")
        elif name == "--mount":
            for part in value.split(","):
                key, _, path = part.partition("=")
                if key in ("source", "src"):
                    scope.touch(_same(value, path), "read", tree=True)
        elif name == "--env-file":
            scope.touch(value, "read", via=_USED)


def _unknown(args: Sequence[str], scope: Scope, *, scoped: bool) -> None:
    """Nobody knows what it does with its operands: those that look like paths may be read.

    `scoped`: to this program `@owner/name` is a package.
    """
    moved = scope.cwds[0] != scope.start
    skip = False
    for word in args:
        if skip:
            skip = False
            continue
        if word[:1] == "-":
            name, equals, value = word.partition("=")
            if name in USE_OPTIONS:
                skip = not equals
            elif name == "--env-file":
                scope.touch(value, "read", via=_USED) if equals else None
            elif equals and pathlike(value):
                scope.touch(_same(word, value), "read", certain=False)
            continue
        if word[:1] == "@":
            if scoped and _PACKAGE.match(word):
                continue
            word = _same(word, word[1:])  # noqa: PLW2901 - `@file` is how many programs are told to read one
        elif "=" in word and word[:1] not in "/~.":
            word = _same(word, word.rsplit("=", 1)[1])  # noqa: PLW2901
        if word and (pathlike(word) or (moved and len(word) < 256 and "\n" not in word)):
            scope.touch(word, "read", certain=False)
        elif "://" in word[:12]:
            network.connect(word, scope, certain=False)


def _same(whole: str, part: str) -> str:
    return Dim(part) if type(whole) is Dim else part


_USES: dict[str, Callable[[list[str], bool, str | None, Scope], None]] = {
    "read": _simple("read"),
    "write": _simple("write"),
    "delete": _simple("delete"),
    "list": _list,
    "edit": _edit,
    "rewrite": _rewrite,
    "search": _search,
    "copy": _copy,
    "move": _move,
    "link": _link,
    "source": _source,
}

SPECIAL: dict[str, Callable[[str, Sequence[str], Scope], None]] = {
    "chmod": changes.modes,
    "gchmod": changes.modes,
    "chown": changes.modes,
    "gchown": changes.modes,
    "chgrp": changes.modes,
    "setfacl": changes.modes,
    "chattr": changes.modes,
    "rsync": changes.rsync,
    "rclone": changes.rclone,
    "robocopy": changes.robocopy,
    "truncate": changes.truncate,
    "gtruncate": changes.truncate,
    "gdd": _dd,
    "dd": _dd,
    "type": _type,
    "sed": _sed,
    "gsed": _sed,
    "git": git.effects,
    "tar": archives.tar,
    "gtar": archives.tar,
    "bsdtar": archives.tar,
    "zip": archives.archive,
    "ar": archives.archive,
    "unzip": archives.unzip,
    "7z": archives.seven,
    "7za": archives.seven,
    "7zz": archives.seven,
    "curl": network.curl,
    "wget": network.wget,
    "aria2c": downloads.aria2c,
    "nc": network.raw_socket,
    "ncat": network.raw_socket,
    "netcat": network.raw_socket,
    "telnet": network.raw_socket,
    "socat": network.raw_socket,
    "ssh": network.ssh,
    "http": network.httpie,
    "https": network.httpie,
    "xh": network.httpie,
    "docker": _docker,
    "podman": _docker,
    "nerdctl": _docker,
}
