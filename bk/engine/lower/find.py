"""find and fd: what they list, what they delete, and the commands they run on what they find."""

from __future__ import annotations

from bk.engine.lower.scope import Stream
from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from bk.engine.lower.shell import Shell

    Simple: TypeAlias = Callable[[Shell, Sequence[str], Stream | None], Stream | None]

MAX_FOUND = 64
MAX_INNER = 48
MAX_SINGLE = 8
STEP = 2
FINDERS = names("find gfind bfs fd fdfind")
_NAMES = frozenset(("-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename"))
_RUNS = frozenset(("-exec", "-execdir", "-ok", "-okdir"))
_FILES = frozenset(("-fprint", "-fprint0", "-fls", "-fprintf"))
# Tests that leave most of a tree untouched; `-type`, `-mindepth` and their like leave whole trees to be found.
_NARROWS = names(
    "-empty -newer -anewer -cnewer -mtime -atime -ctime -mmin -amin -cmin -size -user -group -uid -gid -perm"
    " -regex -iregex"
    " -inum -samefile -links -nouser -nogroup -executable -lname -ilname -newermt -newerct -newerat -newermm -used"
    " -xattr"
)
_TAKES = names(
    "-type -maxdepth -mindepth -mtime -atime -ctime -mmin -amin -cmin -size -user -group -uid -gid -perm -regex -iregex"
    " -newer -anewer -cnewer -newermt -inum -samefile -links -fstype -lname -ilname -regextype -printf -used"
    " -xtype -xattr"
)


def act(shell: Shell, name: str, args: Sequence[str], simple: Simple) -> Stream:
    """What a finder does with these arguments."""
    return (fd if name[:2] == "fd" else effects)(shell, args, simple)


def effects(shell: Shell, args: Sequence[str], simple: Simple) -> Stream:
    """The found paths are the start paths with everything below, narrowed to the names asked for."""
    scope = shell.scope
    roots: list[str] = []
    index, end = 0, len(args)
    while index < end and (args[index] in ("-H", "-L", "-P") or args[index][:2] in ("-O", "-D")):
        index += 2 if args[index] == "-D" else 1
    while index < end and args[index][:1] not in ("-", "(", "!"):
        roots.append(args[index])
        index += 1
    roots = roots or ["."]
    tests: list[str] = []
    narrowed = shallow = negated = False
    for word in roots:
        scope.touch(word, "list", tree=True)
    found: list[str] = [one for root in roots for one in (root, Dim(f"{root.rstrip('/')}/**"))]
    while index < end:
        word = args[index]
        index += 1
        if word in ("!", "-not"):
            negated = True
            continue
        if word in _NAMES and index < end:
            if not negated:
                narrowed = True
                tests.append(args[index])
                pairs = [(root, name) for root in roots[:MAX_FOUND] for name in tests[:MAX_FOUND]][:MAX_FOUND]
                found = [_narrowed(root, name) for root, name in pairs]
            index += 1
        elif word == "-maxdepth" and index < end:
            shallow = args[index] == "0"
            index += 1
        elif word == "-delete":
            _delete(shell, roots, found, narrowed=narrowed, named=bool(tests), shallow=shallow)
        elif word in _FILES and index < end:
            scope.touch(args[index], "write")
            index += 2 if word == "-fprintf" else 1
        elif word in _RUNS:
            stop = index
            while stop < end and args[stop] not in (";", "+"):
                stop += 1
            given = found if not narrowed or tests else [Dim(f"{root.rstrip('/')}/**") for root in roots]
            run(shell, f"find {word}", args[index:stop], given, simple)
            index = stop + 1
        else:
            if word in _NARROWS and not negated:
                narrowed = True
                found = [one for one in found if type(one) is Dim]
            index += word in _TAKES
        negated = False
    return Stream(None, found)


def _delete(
    shell: Shell, roots: Sequence[str], found: Sequence[str], *, narrowed: bool, named: bool, shallow: bool
) -> None:
    """A search without a test deletes its whole start path; one with tests deletes some of what is below."""
    scope = shell.scope
    via = ("find -delete",)
    if named:
        for path in roots if shallow else found:
            scope.touch(path, "delete", tree=True, via=via)
        return
    for root in roots:
        scope.touch(root, "delete", tree=not shallow, certain=not narrowed, via=via)


def _narrowed(root: str, name: str) -> str:
    base = root.rstrip("/")
    return Dim(name) if name.startswith("/") else Dim(f"{base}/**/{name.removeprefix('**/').removeprefix('*/')}")


def run(shell: Shell, how: str, words: Sequence[str], found: Sequence[str], simple: Simple) -> None:
    """The command of `-exec` or `-x`, with what was found in the place of `{}`."""
    found = found[:MAX_FOUND]
    if shell.nesting > MAX_INNER:
        shell.dark("depth", " ".join(words))
        return
    if "-c" in words and "{}" in words and 1 < len(found) <= MAX_SINGLE:
        for path in found:  # `$1` of a shell stands for each of them
            run(shell, how, words, [path], simple)
        return
    filled: list[str] = []
    for word in words:
        if word == "{}":
            filled.extend(found)
        elif "{" in word and any(mark in word for mark in _MARKS):
            for path in found:
                text = word
                for mark in _MARKS:
                    text = text.replace(mark, path)
                filled.append(Dim(text) if type(path) is Dim or type(word) is Dim else text)
        else:
            filled.append(word)
    scope = shell.scope
    before = scope.via
    scope.via += (how,)
    shell.nesting += STEP
    simple(shell, filled, None)
    shell.nesting -= STEP
    scope.via = before


_MARKS = ("{}", "{/}", "{//}", "{.}", "{/.}")
_FD_TAKES = names(
    "-e -t -d -E -S -j -c -o --extension --type --exclude --max-depth --min-depth --exact-depth --size --owner"
    " --threads"
    " --color --changed-within --changed-before --ignore-file --batch-size --format --base-directory -C --search-path"
    " --max-results --path-separator --strip-cwd-prefix-when --and --hyperlink"
)
_FD_RUNS = frozenset(("-x", "-X", "--exec", "--exec-batch"))


def fd(shell: Shell, args: Sequence[str], simple: Simple) -> Stream:
    """`fd [options] [PATTERN [PATH…]] [-x COMMAND… ;]`: the found paths lie below the given ones."""
    operands: list[str] = []
    ends: list[str] = []
    roots: list[str] = []
    commands: list[list[str]] = []
    index, end = 0, len(args)
    narrowed = False
    while index < end:
        word = args[index]
        index += 1
        if word in _FD_RUNS:
            stop = index
            while stop < end and args[stop] != ";":
                stop += 1
            commands.append(list(args[index:stop]))
            index = stop + 1
        elif word[:1] != "-" or word == "-":
            operands.append(word)
        elif word == "--":
            continue
        else:
            name, equals, value = word.partition("=")
            takes = name in _FD_TAKES
            if takes and not equals:
                value = args[index] if index < end else ""
                index += 1
            if name in ("-e", "--extension"):
                ends.append(value)
            elif name in ("--base-directory", "-C", "--search-path"):
                roots.append(value)
            elif name in ("-S", "--size", "--changed-within", "--changed-before", "--owner"):
                narrowed = True
    pattern = operands[0] if operands else ""
    roots = roots or operands[1:] or ["."]
    all_of_it = not ends and pattern in ("", ".", ".*", "*", "^") and not narrowed
    found: list[str] = []
    for root in roots:
        shell.scope.touch(root, "list", tree=True)
        base = root.rstrip("/")
        if all_of_it:
            found += [root, Dim(f"{base}/**")]
        elif ends:
            found += [Dim(f"{base}/**/*.{one}") for one in ends]
        elif pattern in ("", ".", ".*", "*", "^"):
            found.append(Dim(f"{base}/**"))
        else:
            found.append(Dim(f"{base}/**/*{pattern.strip('^$').replace('.*', '*').replace(chr(92), '')}*"))
    for command in commands:
        marked = any(mark in word for word in command for mark in _MARKS)
        run(shell, "find fd -x", command if marked else [*command, "{}"], found, simple)
    return Stream(None, found)
