"""PowerShell text to pipelines of commands: words, quoted texts, variables, groups and script blocks."""

from __future__ import annotations

import re

from bk.engine.lower.words import UNKNOWN, Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.lower.scope import Scope

MAX_PARTS = 4000
_OPEN = {"(": ")", "{": "}"}
_VARIABLE = re.compile(r"\$(?:\{([^}]+)\}|([A-Za-z_][\w:]*|\?|\$|\^|_))")
_WORD = re.compile(r"(?:[^\s;|&(){}\"'`$,<>]|`.|(?<=.)&(?!&))+", re.DOTALL)
_FOLDERS = {
    "userprofile": "~", "home": "~", "homepath": "~", "appdata": "~/AppData/Roaming", "localappdata": "~/AppData/Local",
    "systemroot": "C:/Windows", "windir": "C:/Windows", "systemdrive": "C:", "programfiles": "C:/Program Files",
    "programdata": "C:/ProgramData", "temp": "~/AppData/Local/Temp",
    "tmp": "~/AppData/Local/Temp", "public": "C:/Users/Public",
    "programfiles(x86)": "C:/Program Files (x86)", "onedrive": "~/OneDrive", "allusersprofile": "C:/ProgramData",
}  # fmt: skip


class Part:
    """One piece of a command. `kind` is `word text variable group block member assign redirect comma`.

    `inner` are the `$(…)` inside a text; a `plain` text stood in single quotes.
    """

    __slots__ = ("inner", "kind", "plain", "text")

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text
        self.inner: list[str] = []
        self.plain = False

    def word(self, scope: Scope) -> str:
        """The part as a word, variables put in."""
        if self.plain:
            return self.text
        if self.kind == "variable":
            return Part.expanded("$" + self.text if self.text[:1] != "$" else self.text, scope)
        if self.kind in ("text", "word") and "$" in self.text:
            return Part.expanded(self.text, scope)
        return self.text

    def origins(self, scope: Scope) -> tuple[str, ...]:
        """The environment variables that go into the part."""
        del scope
        if self.plain:
            return ()
        found = re.findall(r"(?i)\$\{?env:(\w+)", self.text if self.kind == "text" else "$" + self.text)
        return tuple(f"env:{name}" for name in found if name.lower() not in _FOLDERS)

    @staticmethod
    def expanded(text: str, scope: Scope) -> str:
        """A text with its variables' values; `**` for one that nobody knows."""
        dim = False

        def value(match: re.Match[str]) -> str:
            nonlocal dim
            name = (match[1] or match[2]).lower()
            if name in ("true", "false", "null"):
                return match[0]
            if name == "home":
                return scope.home
            if name == "pwd":
                return scope.cwd
            known = scope.vars.get("$" + name)
            if known is not None and len(known) == 1 and UNKNOWN not in known[0]:
                dim = dim or type(known[0]) is Dim
                return known[0]
            if name.startswith("env:"):
                folder = _FOLDERS.get(name[4:])
                if folder is not None:
                    return folder.replace("~", scope.home, 1)
                given = scope.env.get(match[0].partition(":")[2].strip("}"))
                if given is not None:
                    return given
            dim = True
            return "**"

        made = re.sub(r"\$\([^()]*\)", "**", text)
        dim = made != text
        made = _VARIABLE.sub(value, made)
        return Dim(made) if dim else made


def parse(text: str) -> list[list[list[Part]]]:
    """Pipelines, each a list of stages, each a list of parts."""
    pipelines: list[list[list[Part]]] = []
    stages: list[list[Part]] = []
    parts: list[Part] = []
    at, end, count = 0, len(text), 0

    def finish(*, pipeline: bool) -> None:
        nonlocal parts, stages
        if parts:
            stages.append(parts)
            parts = []
        if pipeline and stages:
            pipelines.append(stages)
            stages = []

    while at < end and count < MAX_PARTS:
        char = text[at]
        count += 1
        if char in " \t\r":
            at += 1
        elif char in ";\n":
            finish(pipeline=True)
            at += 1
        elif char == "|":
            double = text[at : at + 2] == "||"
            finish(pipeline=double)
            at += 1 + double
        elif text[at : at + 2] == "&&":
            finish(pipeline=True)
            at += 2
        elif char == "`" and text[at + 1 : at + 2] in ("\n", "\r"):
            at += 2
        elif char == "#" and (at == 0 or text[at - 1] in " \t\n;"):
            stop = text.find("\n", at)
            at = stop if stop >= 0 else end
        elif text[at : at + 2] == "<#":
            stop = text.find("#>", at)
            at = stop + 2 if stop >= 0 else end
        elif char in "'\"“”‘’" or (char == "@" and text[at + 1 : at + 2] in ("'", '"')):
            part, at = _quoted(text, at)
            if parts and parts[-1].kind == "word" and at > 0 and text[at - 1 : at] and _glued(text, parts, at, part):
                continue
            parts.append(part)
        elif char in "({" or text[at : at + 2] in ("$(", "@(", "@{"):
            opener = char if char in "({" else text[at + 1]
            start = at if char in "({" else at + 1
            stop = _closing(text, start)
            parts.append(Part("block" if opener == "{" else "group", text[start + 1 : stop]))
            at = stop + 1
            member = re.compile(r"\.\w+(?:\([^()]*\))?|::\w+(?:\([^()]*\))?").match(text, at)
            while member is not None and member.end() > at:
                parts.append(Part("member", member[0]))
                at = member.end()
                member = re.compile(r"\.\w+(?:\([^()]*\))?").match(text, at)
        elif char == "$":
            at = _variable(text, at, parts)
        elif char == "=" and len(parts) == 1 and parts[0].kind == "variable":
            parts.append(Part("assign", "="))
            at += 1
        elif char in "<>":
            stop = at + 1
            while stop < end and text[stop] in ">&1":
                stop += 1
            if text[at:stop].strip("&1") in (">", ">>"):
                parts.append(Part("redirect", text[at:stop]))
            at = stop
        elif char == ",":
            parts.append(Part("comma", ","))
            at += 1
        elif char == "&":
            parts.append(Part("word", "&"))
            at += 1
        elif char in ")}":
            at += 1
        else:
            match = _WORD.match(text, at)
            if match is None:
                at += 1
                continue
            word = match[0].replace("`", "")
            at = match.end()
            while at < end and text[at] == "$" and _VARIABLE.match(text, at):
                piece = _VARIABLE.match(text, at)
                word += piece[0] if piece else ""
                at = piece.end() if piece else at + 1
                more = _WORD.match(text, at)
                if more is not None:
                    word += more[0].replace("`", "")
                    at = more.end()
            if text[at : at + 1] == "(" and (word[:1] == "[" or ("::" in word)):
                stop = _closing(text, at)
                word += text[at : stop + 1]
                at = stop + 1
            parts.append(Part("word", word))
    finish(pipeline=True)
    return pipelines


def _glued(text: str, parts: list[Part], at: int, part: Part) -> bool:
    """`Rem'ove'-Item`: a text that stands right behind a word belongs to it."""
    start = at - len(part.text) - 2
    if start > 0 and text[start - 1] not in " \t\n;|(,={" and parts[-1].text not in ("&", "+", "="):
        parts[-1].text += part.text
        return True
    return False


def _quoted(text: str, at: int) -> tuple[Part, int]:
    """A quoted text; in double quotes variables and `$(…)` are filled in."""
    if text[at] == "@":
        quote = text[at + 1]
        stop = text.find("\n" + quote + "@", at)
        body = text[at + 3 : stop if stop >= 0 else len(text)]
        return _made(body, quote == '"'), stop + 3 if stop >= 0 else len(text)
    quote = text[at]
    close = {"“": "”", "‘": "’"}.get(quote, quote)
    double = quote in '"“'
    out: list[str] = []
    at += 1
    while at < len(text):
        char = text[at]
        if char == close:
            if text[at + 1 : at + 2] == close:
                out.append(char)
                at += 2
                continue
            return _made("".join(out), double), at + 1
        if char == "`" and double:
            out.append(
                {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "$": "\\$"}.get(
                    text[at + 1 : at + 2], text[at + 1 : at + 2]
                )
            )
            at += 2
            continue
        out.append(char)
        at += 1
    return _made("".join(out), double), at


def _made(body: str, double: bool) -> Part:
    part = Part("text", body)
    part.plain = not double
    if double and "$(" in body:
        at = body.find("$(")
        while at >= 0 and len(part.inner) < 16:
            stop = _closing(body, at + 1)
            part.inner.append(body[at + 2 : stop])
            at = body.find("$(", stop)
    return part


def _closing(text: str, at: int) -> int:
    """The bracket that closes the one at `at`; strings between are skipped."""
    opener = text[at]
    close = _OPEN[opener]
    depth = 0
    quote = ""
    for index in range(at, len(text)):
        char = text[index]
        if quote:
            if char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char == opener:
            depth += 1
        elif char == close:
            depth -= 1
            if depth == 0:
                return index
    return len(text)


def _variable(text: str, at: int, parts: list[Part]) -> int:
    match = _VARIABLE.match(text, at)
    if match is None:
        return at + 1
    end = match.end()
    name = match[1] or match[2]
    tail = re.compile(r"[\\/.][^\s;|&(){}\"'`,<>]*").match(text, end)
    if tail is not None and tail.end() > end:
        parts.append(Part("word", text[at : tail.end()]))
        return tail.end()
    parts.append(Part("variable", name))
    return end
