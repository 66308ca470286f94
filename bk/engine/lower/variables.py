"""Assignments: what variables hold, which of them run something, and names that stand for other names."""

from __future__ import annotations

from bk.engine.lower.expand import taint
from bk.engine.lower.scope import Stream, union
from bk.engine.lower.scripts import run_file, shell_text
from bk.engine.lower.words import SPLIT, UNKNOWN, Dim, show, value_of
from bk.engine.model import Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

# Variables that change what other programs do: setting one is worth an action of its own.
TELLING = names(
    "PATH LD_PRELOAD LD_LIBRARY_PATH BASH_ENV ENV PROMPT_COMMAND PYTHONSTARTUP PYTHONPATH NODE_OPTIONS HOME IFS"
)
# Variables that hold a command some program runs, a prompt whose substitutions run, or a file that is sourced.
_COMMANDS = names(
    "PROMPT_COMMAND GIT_SSH_COMMAND GIT_PAGER GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_EXTERNAL_DIFF GIT_ASKPASS GIT_SSH"
    " GIT_PROXY_COMMAND SSH_ASKPASS SUDO_ASKPASS EDITOR VISUAL PAGER MANPAGER BROWSER LESSOPEN LESSCLOSE FCEDIT"
    " RSYNC_RSH CVS_RSH SYSTEMD_PAGER PSQL_PAGER"
)
_PROMPTS = names("PS0 PS1 PS2 PS4 PROMPT RPROMPT")
_SOURCED = names("BASH_ENV ENV ZDOTDIR")
RUNNING = _COMMANDS | _PROMPTS | _SOURCED


def assignment(shell: Shell, node: Node, *, announce: bool, lasting: bool = True) -> str:
    """Follow `NAME=value`; returns it as a word. `announce`: a variable that matters becomes an action."""
    name, raw, add, array = "", "", False, False
    outer_fed, shell.fed = shell.fed, None
    outer_woven, shell.woven = shell.woven, shell.ground
    for child in node.children:
        kind = child.type
        if kind == "variable_name" and not name:
            name = shell.slice(child)
        elif kind == "subscript":
            name = shell.slice(child.children[0])
            shell.expansions(child)
            add = array = True
        elif kind == "+=":
            add = True
        elif child.is_named:
            raw = shell.raw(child)
            array = array or child.type == "array"
    scope = shell.scope
    values = value_of(raw if array or SPLIT not in raw else raw.replace(SPLIT, " "))
    if add:
        joint = SPLIT if array else ""
        held = scope.vars.get(name, ("",)) if array else scope.lookup(name)
        values = tuple(old + joint + value for old in held[:4] for value in values[:4])
    if name in scope.cased:
        values = tuple(value.lower() if scope.cased[name] == "l" else value.upper() for value in values)
    woven = shell.woven
    if lasting:
        scope.assign(name, values, taint(shell) if woven else None)
    elif name in scope.vars or name == "TMPDIR" or name not in scope.env:
        # The words of the command still see the old value, but whoever wrote them may have meant the new one.
        scope.vars = {**scope.vars, name: tuple(dict.fromkeys(scope.lookup(name) + values))[:16]}
    shell.woven, shell.fed = outer_woven if lasting or not woven else union(outer_woven, woven), outer_fed
    word = f"{name}={show(values[0])}" if values else f"{name}="
    if announce and (name in TELLING or name.startswith(("BK_", "GIT_"))):
        scope.emit(Run(("export", word), cwd=scope.cwd, via=scope.via))
    if name in RUNNING:
        for value in values[:4]:
            runs(shell, name, value)
    return word


def runs(shell: Shell, name: str, value: str) -> None:
    """What a variable makes some program run, whichever that will be."""
    if value in ("", UNKNOWN, "cat", "true", ":") or name not in RUNNING:
        return
    text = Dim(value.replace(UNKNOWN, "**")) if UNKNOWN in value else value
    if name in _SOURCED:
        if type(text) is not Dim:
            run_file(shell, "source", text, (), None)
    elif name in _PROMPTS:
        if "$(" in value or "`" in value:
            shell.text(': "' + text.replace('"', '\\"') + '"', (name,))
    else:
        shell_text(shell, text, (name,), None)


def declaration(shell: Shell, node: Node, _stdin: Stream | None) -> Stream | None:
    """`export`, `declare`, `local`, `readonly`, `unset`: a Run, because some of them change what other programs do."""
    words: list[str] = []
    scope = shell.scope
    reference = unset = False
    outer_fed, shell.fed = shell.fed, None
    outer_woven, shell.woven = shell.woven, shell.ground
    for child in node.children:
        if child.type == "variable_assignment":
            word = assignment(shell, child, announce=False)
            words.append(word)
            if reference:
                name, _, target = word.partition("=")
                scope.refs = {**scope.refs, name: target}
        elif child.is_named:
            words.extend(shell.words(child))
            flag = words[-1] if words else ""
            if flag[:1] == "-" and flag[1:].isalpha():
                reference = reference or "n" in flag
                if "l" in flag or "u" in flag:
                    _case(shell, node, "l" if "l" in flag else "u")
            elif unset:
                scope.assign(flag, ("",))
        else:
            words.append(shell.slice(child))
            unset = words == ["unset"]
    takes, shell.woven, shell.fed = shell.woven, outer_woven, outer_fed
    if not words:
        return None
    certain = not any(type(word) is Dim for word in words)
    run = Run(words, cwd=scope.cwd, via=scope.via, certain=certain)
    run.takes = takes
    scope.emit(run)
    if any(word in ("-p", "-x", "-px", "-xp") for word in words[1:]) or (len(words) == 1 and words[0] != "unset"):
        return Stream(None, (), "", ("env:*", "run:" + words[0]))
    return Stream("")


def _case(shell: Shell, node: Node, case: str) -> None:
    """`declare -l NAME`: whatever is put into it is lower-case."""
    for child in node.children:
        name = child.children[0] if child.type == "variable_assignment" else child
        if name.type in ("variable_name", "word"):
            shell.scope.cased = {**shell.scope.cased, shell.slice(name): case}
