"""Looking through wrappers: the program or shell text inside `sudo`, `env`, `timeout`, `xargs` and their like."""

from __future__ import annotations

import re

from bk.engine.lower.words import Dim
from bk.engine.lower.wrapping import WRAPPERS, Wrapper
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ASSIGNMENT", "WRAPPERS", "Inner", "glued", "quoted", "unwrap"]

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
SHORTEST = 4
FLAGS = frozenset(("--start", "--login", "--shell", "--mount", "--user", "--set-home", "--wait"))  # not shortened names


class Inner:
    """What a wrapper runs: `words`, or shell `text`; `label` names the wrapper, with the assignments it makes.

    `feed` says that words come through the pipe: `xargs` or `parallel`; `lines` that each line of it is one.
    `touches` are files that the wrapper itself uses. `shell`: given nothing to run, it is a shell.
    """

    __slots__ = ("cwd", "feed", "label", "lines", "query", "replace", "shell", "tells", "text", "touches", "words")

    def __init__(self, label: tuple[str, ...]) -> None:
        self.label = label
        self.words: Sequence[str] = ()
        self.text: str | None = None
        self.cwd: str | None = None
        self.query = False
        self.replace: str | None = None
        self.feed = ""
        self.lines = False
        self.shell = False
        self.tells = False
        self.touches: list[tuple[str, str]] = []


def unwrap(name: str, words: Sequence[str]) -> Inner:
    """Look through one wrapper: `words[0]` is the wrapper as written."""
    wrapper = WRAPPERS[name]
    inner = Inner((name,))
    inner.shell, inner.tells = wrapper.opens, wrapper.tells
    special = _OWN.get(name)
    if special is not None and special(wrapper, inner, words):
        return inner
    alone = False
    index, end = 1, len(words)
    while index < end:
        word = words[index]
        if word == "--":
            index += 1
            break
        if word[:1] != "-" or word == "-":
            if ASSIGNMENT.match(word):
                inner.label += (word,)
                index += 1
                continue
            if word == "-":
                index += 1
                continue
            break
        alone = alone or word.partition("=")[0] in wrapper.alone
        index += _option(wrapper, inner, words, index)
    if alone:
        return inner
    while index < end and ASSIGNMENT.match(words[index]):
        inner.label += (words[index],)
        index += 1
    index += wrapper.skip if inner.text is None or (wrapper.skip and index + wrapper.skip < end) else 0
    inner.words = words[index:]
    if wrapper.skip and wrapper.text and inner.text is None and len(inner.words) > 1 and inner.words[0] in wrapper.text:
        inner.text = inner.words[1]
    if inner.text is not None:
        inner.text = glued((inner.text, *map(quoted, inner.words))) if name in ("env", "entr") else inner.text
        inner.words = ()
    elif wrapper.joined and inner.words and not any(word in ("-x", "--exec") for word in words[1:index]):
        inner.text, inner.words = glued(inner.words), ()
    return inner


def _option(wrapper: Wrapper, inner: Inner, words: Sequence[str], index: int) -> int:
    """Take in one option; how many words it was."""
    word = words[index]
    long = word[:2] == "--"
    name, equals, value = word.partition("=") if long else (word, "", "")
    used = 1
    wants = wrapper.wants
    if name in wrapper.pairs:
        return 3
    if long and name not in wants and len(name) >= SHORTEST and name not in wrapper.queries and name not in FLAGS:
        near = [one for one in wants if one.startswith(name)]
        name = near[0] if len(near) == 1 else name
    if name in wants:
        if not equals:
            value = words[index + 1] if index + 1 < len(words) else ""
            used = 2
    elif not long and len(name) > 2:
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
    value = Dim(value) if type(word) is Dim and used == 1 else value
    if name in wrapper.queries:
        inner.query = True
    if name in wrapper.cwd:
        inner.cwd = value
    elif name in wrapper.text:
        inner.text = value
    elif name in wrapper.files:
        inner.touches.append((value, wrapper.files[name]))
    return used


def _sudo(wrapper: Wrapper, inner: Inner, words: Sequence[str]) -> bool:
    """`sudo -e FILE` edits; everything else is as with other wrappers."""
    for at, word in enumerate(words[1:], 1):
        if word[:1] != "-":
            return False
        if word in ("-e", "--edit"):
            inner.words = ["sudoedit", *words[at + 1 :]]
            return True
        if word in wrapper.wants or word == "--":
            return False
    return False


def _su(wrapper: Wrapper, inner: Inner, words: Sequence[str]) -> bool:
    """`su - user -c TEXT` in any order; what follows the user goes to his shell. `runuser -u user cmd` is plain."""
    operands: list[str] = []
    plain = False
    index, end = 1, len(words)
    while index < end:
        word = words[index]
        if word == "--":
            index += 1
            continue
        if word[:1] != "-" or word == "-":
            if plain:
                inner.words = words[index:]
                return True
            if word != "-":
                operands.append(word)
            index += 1
            continue
        plain = plain or word in ("-u", "--user") or word.startswith("--user=")
        index += _option(wrapper, inner, words, index)
    if inner.text is None and len(operands) > 1:
        inner.words = ["sh", *operands[1:]]
    return True


def _daemon(wrapper: Wrapper, inner: Inner, words: Sequence[str]) -> bool:
    """`start-stop-daemon --exec PROGRAM -- ARGUMENT…`."""
    index, end = 1, len(words)
    program = ""
    while index < end and words[index] != "--":
        word = words[index]
        name, equals, value = word.partition("=")
        if name in ("-K", "--stop", "-T", "--status"):
            return True
        if name in ("-x", "--exec", "-a", "--startas"):
            program = value if equals else words[index + 1] if index + 1 < end else ""
        index += _option(wrapper, inner, words, index) if word[:1] == "-" else 1
    inner.words = [program, *words[index + 1 :]] if program else words[index + 1 :]
    return True


def _script(wrapper: Wrapper, inner: Inner, words: Sequence[str]) -> bool:
    """`script [-c TEXT] [FILE]`, or the BSD form `script FILE COMMAND…`: what is shown goes to the file."""
    index, end = 1, len(words)
    operands: list[str] = []
    while index < end:
        word = words[index]
        if word[:1] == "-" and word != "--" and len(word) > 1:
            index += _option(wrapper, inner, words, index)
            continue
        if word != "--":
            operands.append(word)
            if len(operands) == 2:
                inner.words = [] if inner.text is not None else words[index:]
                break
        index += 1
    inner.touches.extend((word, "write") for word in operands[:1])
    return True


def _xargs(wrapper: Wrapper, inner: Inner, words: Sequence[str]) -> bool:
    """The replacement may be glued, separate, or left out (`-i`); whole lines are put in for it."""
    index, end = 1, len(words)
    inner.feed = "xargs"
    while index < end:
        word = words[index]
        if word == "--" or word[:1] != "-":
            index += word == "--"
            break
        name, _, value = word.partition("=")
        if word[:2] in ("-i", "-l", "-e"):
            inner.replace = (word[2:] or "{}") if word[:2] == "-i" else inner.replace
            index += 1
            continue
        if name == "--replace":
            inner.replace = value or "{}"
        elif word[:2] in ("-I", "-J"):
            inner.replace = word[2:] or (words[index + 1] if index + 1 < end else "{}")
        inner.lines = inner.lines or word[:2] in ("-I", "-i", "-0", "-d", "-L") or name in ("--replace", "--null")
        index += _option(wrapper, inner, words, index)
    inner.words = words[index:] or ["echo"]
    return True


_PARALLEL_TAKES = names(
    "-j -P -a -S -N -n -L -I -C -d -E -s -U -M -W --jobs --arg-file --sshlogin --max-args --colsep --delimiter"
    " --results"
    " --joblog --tmpdir --timeout --retries --delay --load --memfree --halt --tagstring --sshloginfile --slf --workdir"
    " --wd --block --recstart --recend --env --basefile --return --max-replace-args --max-procs --max-lines"
    " --progress-at"
    " --nice --shuf-seed --trc --transferfile --profile -J --rpl --plus-from"
)


def _parallel(_wrapper: Wrapper, inner: Inner, words: Sequence[str]) -> bool:
    """The words before `:::` are a shell text with places for those after it; without any, those after it are."""
    index, end = 1, len(words)
    inner.feed = "parallel"
    while index < end and words[index][:1] == "-" and words[index] != "--":
        name, equals, value = words[index].partition("=")
        if name in ("--dry-run", "--dryrun", "--help", "--version", "-V", "--citation"):
            inner.query = True
        used = 2 if name in _PARALLEL_TAKES and not equals else 1
        if name in ("-a", "--arg-file"):
            inner.touches.append((value if equals else words[index + 1] if index + 1 < end else "", "read"))
        if name == "-I":
            inner.replace = words[index + 1] if index + 1 < end else None
        index += used
    inner.words = words[index + (index < end and words[index] == "--") :]
    if not inner.words:
        inner.words = [""]
    return True


_OWN: dict[str, Callable[[Wrapper, Inner, Sequence[str]], bool]] = {
    "sudo": _sudo,
    "start-stop-daemon": _daemon,
    "su": _su,
    "runuser": _su,
    "script": _script,
    "xargs": _xargs,
    "parallel": _parallel,
    "sem": _parallel,
}


def quoted(word: str) -> str:
    """A word so that a shell reads it back as it is; unknown parts stay unknown."""
    if type(word) is Dim:
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def glued(words: Sequence[str]) -> str:
    """Words as one shell text, for wrappers that hand them to a shell."""
    text = " ".join(words)
    return Dim(text) if any(type(word) is Dim for word in words) else text
