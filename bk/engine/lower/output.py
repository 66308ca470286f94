"""What a command prints, where that follows from its words: enough to see through `echo … | sh` and `cat $(…)`."""

from __future__ import annotations

import re

from bk.engine.lower.paths import joined, resolve
from bk.engine.lower.scope import Stream
from bk.engine.lower.words import Dim, ansi_c
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Scope

_FORMAT = re.compile(r"%(?:%|[-+ 0#]*\d*(?:\.\d+)?([a-zA-Z]))")
_PASSES = names(
    "grep egrep fgrep rg sort uniq head tail sed awk cut tr tee rev column shuf nl fmt tac cat xargs fzf perl"
)
_GREPS = names("grep egrep fgrep rg ag ack")
_LITERAL = re.compile(r"[\w.-]+")
MAX_TEXT = 65536
MAX_DECODED = 1 << 16


def printed(name: str, args: Sequence[str], stdin: Stream | None, scope: Scope) -> Stream | None:
    """The output of a program as a stream, or None when nothing is known of it."""
    maker = _MAKERS.get(name)
    if maker is not None:
        return maker(args, stdin, scope)
    if name in _GREPS and stdin is not None and stdin.names and name != "rg":
        return Stream(None, _matched(args, stdin.names), stdin.source)
    if name in _PASSES and stdin is not None and stdin.names:
        return Stream(None, stdin.names, stdin.source)
    return None


def _matched(args: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    """A filter leaves of everything below a folder what its pattern names; one that leaves out leaves nearly all."""
    pattern = next((word for word in args if word[:1] != "-"), "")
    if any(word == "--invert-match" or (word[:1] == "-" and word[1:2] != "-" and "v" in word) for word in args):
        return names
    pieces = sorted(_LITERAL.findall(pattern.replace("\\.", ".")), key=len)
    if not pieces or not pieces[-1].strip("."):
        return names
    end = "" if pattern.endswith(pieces[-1].lstrip(".") + "$") else "*"
    wide = [name for name in names if name.endswith("/**")]
    roots = {name[:-3] for name in wide}
    kept = [name for name in names if name not in wide and name.rstrip("/") not in roots]
    return [*kept, *(Dim(f"{name}/*{pieces[-1]}{end}") for name in wide)]


def _tracked(args: Sequence[str], _stdin: Stream | None, _scope: Scope) -> Stream | None:
    """`git ls-files`: the project's files, or those that a pathspec names."""
    if "ls-files" not in args[:3]:
        return None
    words = args[list(args).index("ls-files") + 1 :]
    if any(word in ("-d", "--deleted", "-i", "--ignored") or word.startswith("--error") for word in words):
        return None
    specs = [word for index, word in enumerate(words) if word[:1] != "-" and words[index - 1 : index] != ["-x"]]
    return Stream(None, [_spec(one) for one in specs[:64]] or [Dim("./**")])


def _spec(text: str) -> str:
    if text in (".", "*", ":/", "./", "**"):
        return Dim("./**")
    if "*" in text:
        return Dim(f"./**/{text.removeprefix('**/')}") if "/" not in text.removeprefix("**/") else Dim(text)
    return Dim(text.rstrip("/") + "/**") if "." not in text.rpartition("/")[2] else Dim(text)


def _listed(args: Sequence[str], stdin: Stream | None, _scope: Scope) -> Stream | None:
    """`rg --files`: everything that is not ignored."""
    if "--files" not in args:
        return Stream(None, _matched(args, stdin.names), stdin.source) if stdin is not None and stdin.names else None
    if any(word[:2] in ("-g", "-t", "-T") or word.startswith(("--glob", "--type", "--iglob")) for word in args):
        return None
    operands = [word for word in args if word[:1] != "-"] or ["."]
    return Stream(None, [Dim(f"{word.rstrip('/')}/**") for word in operands[:8]])


def _said(words: Sequence[str], text: str) -> Stream:
    dim = any(type(word) is Dim for word in words)
    return Stream(None if dim or len(text) > MAX_TEXT else text, tuple(words[:64]) if dim else ())


def _echo(args: Sequence[str], _stdin: Stream | None, _scope: Scope) -> Stream:
    index = 0
    escapes = newline = True
    escapes = False
    while index < len(args) and re.fullmatch(r"-[neE]+", args[index]):
        escapes = escapes or "e" in args[index]
        newline = newline and "n" not in args[index]
        index += 1
    words = args[index:]
    text = " ".join(words)
    return _said(words, (ansi_c(text) if escapes else text) + ("\n" if newline else ""))


def _printf(args: Sequence[str], _stdin: Stream | None, _scope: Scope) -> Stream | None:
    if args and args[0] == "--":
        args = args[1:]
    if not args:
        return None
    values = list(args[1:])
    form = ansi_c(args[0]) if "\\" in args[0] else args[0]
    odd = False

    def filled(match: re.Match[str]) -> str:
        nonlocal odd
        if match[1] is None:
            return "%"
        value = values.pop(0) if values else ""
        if match[1] == "b":
            return ansi_c(value)
        odd = odd or match[1] not in "sdiuc"
        return value

    pieces: list[str] = []
    for _ in range(64):
        left = len(values)
        pieces.append(_FORMAT.sub(filled, form))
        if not values or len(values) == left:
            break
    said = _said(args, "".join(pieces))
    return Stream(None, tuple(args[1:])) if odd else said


def _cat(args: Sequence[str], stdin: Stream | None, scope: Scope) -> Stream | None:
    operands = [word for word in args if word == "-" or word[:1] != "-"]
    if not operands or operands == ["-"]:
        return stdin
    if len(operands) < len(args) or any(type(word) is Dim or word == "-" for word in operands) or len(operands) > 8:
        return None
    return Stream(paths=tuple(resolve(word, scope.cwd, scope.home, scope.env) for word in operands))


def _tee(_args: Sequence[str], stdin: Stream | None, _scope: Scope) -> Stream | None:
    return stdin


def _mktemp(args: Sequence[str], _stdin: Stream | None, scope: Scope) -> Stream:
    """A new name below the folder for temporary files, or like the template that is given."""
    operands = [word for word in args if word[:1] != "-"]
    folder = next((args[at + 1] for at, word in enumerate(args[:-1]) if word in ("-p", "--tmpdir")), "")
    template = operands[-1] if operands and operands[-1] != folder else "tmp.XXXXXXXXXX"
    base = template.rstrip("X") + "*"
    if "/" in template:
        return Stream(None, (Dim(base),))
    if operands and not folder and not any(word[:1] == "-" and "t" in word for word in args):
        return Stream(None, (Dim(base),))
    return Stream(None, (Dim(f"{folder or scope.lookup('TMPDIR')[0]}/{base}"),))


def _which(args: Sequence[str], _stdin: Stream | None, _scope: Scope) -> Stream | None:
    operands = [word for word in args if word[:1] != "-"]
    return _said(operands, operands[0] + "\n") if operands else None


def _pwd(_args: Sequence[str], _stdin: Stream | None, scope: Scope) -> Stream | None:
    return _said(scope.cwds[:1], scope.cwd + "\n")


def _same_path(args: Sequence[str], _stdin: Stream | None, _scope: Scope) -> Stream | None:
    operands = [word for word in args if word[:1] != "-"]
    return _said(operands, "\n".join(operands) + "\n") if operands else None


def _dirname(args: Sequence[str], _stdin: Stream | None, _scope: Scope) -> Stream | None:
    if not args or type(args[0]) is Dim:
        return None
    return _said(args[:1], (args[0].rstrip("/").rpartition("/")[0] or ("/" if args[0][:1] == "/" else ".")) + "\n")


def _basename(args: Sequence[str], _stdin: Stream | None, _scope: Scope) -> Stream | None:
    if not args or type(args[0]) is Dim:
        return None
    base = args[0].rstrip("/").rpartition("/")[2]
    return _said(args[:1], (base.removesuffix(args[1]) if len(args) > 1 else base) + "\n")


def _ls(args: Sequence[str], _stdin: Stream | None, scope: Scope) -> Stream | None:
    operands = [word for word in args if word[:1] != "-"] or list(scope.cwds[:1])
    return Stream(None, [Dim(joined(word, "*")) for word in operands[:8]])


def _base64(args: Sequence[str], stdin: Stream | None, _scope: Scope) -> Stream | None:
    decode = any(word in ("-d", "-D", "--decode") or (word[:1] == "-" and "d" in word[:4]) for word in args)
    if not decode or stdin is None or stdin.text is None:
        return None
    import binascii

    try:
        data = binascii.a2b_base64(stdin.text[:MAX_DECODED])
    except ValueError:
        return None
    return Stream(data.decode(errors="replace"), (), stdin.source)


def _xxd(args: Sequence[str], stdin: Stream | None, _scope: Scope) -> Stream | None:
    if stdin is None or stdin.text is None or not any(word[:1] == "-" and "r" in word for word in args):
        return None
    try:
        data = bytes.fromhex("".join(stdin.text.split())[:MAX_DECODED])
    except ValueError:
        return None
    return Stream(data.decode(errors="replace"), (), stdin.source)


def _rev(_args: Sequence[str], stdin: Stream | None, _scope: Scope) -> Stream | None:
    if stdin is None or stdin.text is None:
        return stdin
    return Stream("\n".join(line[::-1] for line in stdin.text.split("\n")), (), stdin.source)


_MAKERS = {
    "echo": _echo,
    "printf": _printf,
    "cat": _cat,
    "tee": _tee,
    "mktemp": _mktemp,
    "which": _which,
    "type": _which,
    "pwd": _pwd,
    "readlink": _same_path,
    "realpath": _same_path,
    "dirname": _dirname,
    "basename": _basename,
    "ls": _ls,
    "base64": _base64,
    "xxd": _xxd,
    "rev": _rev,
    "git": _tracked,
    "rg": _listed,
}
