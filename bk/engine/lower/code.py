"""Program text in other languages: the paths it names, the commands it starts, the hosts it talks to.

This is a scan of string literals and not a parse: it finds what is written out, which is what one-liners do.
"""

from __future__ import annotations

import re

from bk.engine.lower.network import connect
from bk.engine.lower.paths import pathlike

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.lower.scope import Scope

MAX_CODE = 65536
MAX_LITERALS = 400
_LITERAL = re.compile(
    r"""(?<![\w])[rRbBuUfF]{0,2}(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)"""
)
_CHANGES = re.compile(
    r"\b(?:remove|unlink|rmtree|rmdir|rename|replace|truncate|chmod|chown|symlink|link|move|copy\w*|write\w*|dump|save"
    r"|appendFile\w*|createWriteStream|rm|rmSync|mkdir|makedirs|touch|put|output|file_put_contents|outfile|unlinkSync"
    r"|delete|cp|mv|sponge|open\([^)]*,\s*['\"][rb]?[wax+])",
    re.IGNORECASE,
)
_UPROOTS = re.compile(
    r"\brmtree\b|\brm_r?f\b|\bremove_(?:tree|dir_all|entry)|\brmSync\b|\brimraf\b|recursive\s*[:=]\s*true"
)
_COMMANDS = re.compile(
    r"(?:\bsystem|\bpopen\d?|\bexec\w*|\bspawn\w*|\brun|\bcall|\bcheck_\w+|\bPopen|\bgetoutput|\bgetstatusoutput"
    r"|\bshell_exec|\bpassthru|\bcommand|\bsh|%x|\bqx)\s*[\(\{]?\s*$",
    re.IGNORECASE,
)
_LIST = re.compile(r"\[\s*((?:['\"][^'\"\n]*['\"]\s*,?\s*)+)\]")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_PERL_BARE = re.compile(r"<\s*([~/.][^<>\s]*)\s*>")


def scan(code: str, scope: Scope) -> list[str]:
    """Emit what the literals in `code` name; the shell texts it would run are returned for lowering."""
    code = code[:MAX_CODE]
    changes = _CHANGES.search(code) is not None
    uproots = _UPROOTS.search(code) is not None
    commands: list[str] = []
    words = list(_literals(code))
    for index, (start, text) in enumerate(words):
        before = code[max(0, start - 40) : start]
        if _COMMANDS.search(before):
            commands.append(text)
            continue
        if "://" in text[:12] and not text.startswith("file:"):
            if " " not in text:
                connect(text, scope, certain=False)
            continue
        for path in _paths(text, words, index, code):
            scope.touch(path, "read")
            if changes:
                scope.touch(path, "write")
            if uproots:
                scope.touch(path, "delete", tree=True)
    commands.extend(_argument_lists(code))
    for match in _PERL_BARE.finditer(code):
        scope.touch(match[1], "read")
    return commands[:16]


def _literals(code: str) -> Iterator[tuple[int, str]]:
    for count, match in enumerate(_LITERAL.finditer(code)):
        if count >= MAX_LITERALS:
            return
        text = match[1] if match[1] is not None else match[2] if match[2] is not None else match[3]
        yield match.start(), _ESCAPE.sub(_escaped, text) if "\\" in text else text


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xu" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if not 0xD800 <= number < 0xE000 else "\ufffd"
    return {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(code, code)


def _paths(text: str, words: list[tuple[int, str]], index: int, code: str) -> Iterator[str]:
    """The literal as a path, and joined with the literals right after it (`join(home, ".ssh", "id_rsa")`)."""
    if not text or len(text) > 512 or " " in text or "\n" in text:
        return
    if pathlike(text):
        yield text
    elif not text.startswith("."):
        return
    if index + 1 < len(words):
        start, after = words[index + 1]
        gap = code[words[index][0] + len(text) + 2 : start]
        if after and gap.strip() in (",", "+", "/", ", r", "),") and " " not in after and len(after) < 256:
            yield f"{text.rstrip('/')}/{after.lstrip('/')}"


def _argument_lists(code: str) -> Iterator[str]:
    """`["cat", "file"]` after something that starts a process."""
    if not re.search(r"subprocess|Popen|spawn|execFile|exec[lv]|\brun\(|check_output|\bcall\(|Command", code):
        return
    for match in _LIST.finditer(code):
        parts = re.findall(r"['\"]([^'\"\n]*)['\"]", match[1])
        if parts:
            yield " ".join("'" + part + "'" for part in parts)
