"""One simple command: wrappers looked through, builtins followed, interpreters read, effects emitted."""

from __future__ import annotations

from bk.engine.lower import find, functions, installs, redirects
from bk.engine.lower.builtins import BUILTINS
from bk.engine.lower.expand import as_values
from bk.engine.lower.interpreters import run_interpreter, run_shell, shell_text
from bk.engine.lower.operands import effects
from bk.engine.lower.output import printed
from bk.engine.lower.programs import FETCHERS, INTERPRETERS, SHELLS
from bk.engine.lower.scope import Stream
from bk.engine.lower.words import ALT_OPEN, SPECIAL, Dim, finish, show, value_of
from bk.engine.lower.wrappers import ASSIGNMENT, RUNNERS, WRAPPERS, glued, unwrap
from bk.engine.model import Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

RESERVED = names("{ } ! then do else elif if fi while until done esac for select case")
MAX_PROGRAMS = 8
MAX_WRAPPED = 32

# Variables that change what other programs do: setting one is worth an action of its own.
TELLING = names(
    "PATH LD_PRELOAD LD_LIBRARY_PATH BASH_ENV ENV PROMPT_COMMAND PYTHONSTARTUP PYTHONPATH NODE_OPTIONS HOME IFS"
)


def command(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """Lower a `command` node."""
    words: list[str] = []
    set_here: list[str] = []
    programs: list[str] = []
    into: redirects.Redirects | None = None
    outer_fed, shell.fed = shell.fed, None
    shell.incoming = stdin
    for child in node.children:
        kind = child.type
        if kind == "word":
            text = shell.slice(child)
            if SPECIAL.search(text):
                words.extend(shell.words(child))
            else:
                words.append(text)
        elif kind == "command_name":
            programs = _program(shell, child)
        elif kind == "variable_assignment":
            set_here.append(assignment(shell, child, announce=False, lasting=False))
        elif kind.endswith("_redirect"):
            if into is None:
                into = redirects.Redirects(stdin)
            redirects.take(shell, child, into)
        elif kind == "ERROR":
            shell.expansions(child)
        elif kind in ("subshell", "compound_statement"):
            shell.statement(child, stdin)
        elif kind != "$":
            words.extend(shell.words(child))
    if shell.extra:
        words.extend(shell.extra)
        shell.extra = []
    if into is not None:
        stdin = into.stdin
    scope = shell.scope
    scope.left -= len(words)
    before = scope.via
    if set_here:
        scope.via += tuple(word for word in set_here if word)
    fed, shell.fed = shell.fed, outer_fed
    out: Stream | None = None
    if not programs:
        if words:
            out = simple(shell, words, stdin, fed)
    else:
        for program in programs:
            out = simple(shell, [program, *words] if program else words, stdin, fed)
    scope.via = before
    if into is not None and into.outputs:
        redirects.flush(shell, into, out)
        return None
    return out


def _program(shell: Shell, node: Node) -> list[str]:
    """The program word: several when a variable may name one of several. More fields become arguments of the first."""
    if not node.child_count:
        return []
    child = node.children[0]
    if child.type == "word" and node.child_count == 1:
        text = shell.slice(child)
        if not SPECIAL.search(text):
            return [text]
    raw = shell.raw(node)
    fields = finish(raw)
    if ALT_OPEN in raw:
        return fields[:MAX_PROGRAMS]
    if len(fields) > 1:
        shell.extra = [*fields[1:], *shell.extra]
    return fields[:1] or [""]


def assignment(shell: Shell, node: Node, *, announce: bool, lasting: bool = True) -> str:
    """Follow `NAME=value`; returns it as a word. `announce`: a variable that matters becomes an action."""
    name, raw, add = "", "", False
    for child in node.children:
        kind = child.type
        if kind == "variable_name" and not name:
            name = shell.slice(child)
        elif kind == "subscript":
            name = shell.slice(child.children[0])
            shell.expansions(child)
            add = True
        elif kind == "+=":
            add = True
        elif child.is_named:
            raw = shell.raw(child)
    scope = shell.scope
    values = value_of(raw)
    if add:
        values = tuple(old + value for old in scope.lookup(name)[:4] for value in values[:4])
    if lasting:
        scope.assign(name, values)
    word = f"{name}={show(values[0])}" if values else f"{name}="
    if announce and (name in TELLING or name.startswith(("BK_", "GIT_"))):
        scope.emit(Run(("export", word), cwd=scope.cwd, via=scope.via))
    return word


def simple(shell: Shell, words: Sequence[str], stdin: Stream | None, fed: Stream | None = None) -> Stream | None:
    """Lower a command given as words: look through its wrappers, then act on the program inside."""
    scope = shell.scope
    before_via, before_cwds = scope.via, scope.cwds
    try:
        for _ in range(MAX_WRAPPED):
            if not words:
                return None
            if "=" in words[0] and ASSIGNMENT.match(words[0]):
                scope.via += (words[0],)
                words = words[1:]
                continue
            if words[0] in RESERVED:
                words = _misread(shell, words)
                continue
            if " " in words[0] and scope.via is not before_via and type(words[0]) is not Dim:
                return shell.text(glued(words), (), stdin)  # `watch 'cat file'`: the wrapper hands it to a shell
            name = words[0].rsplit("/", 1)[-1]
            if name not in WRAPPERS or type(words[0]) is Dim:
                if words[0] == "**":
                    shell.dark("computed", glued(words))
                    scope.via += ("$",)
                    words = words[1:]
                    continue
                return _act(shell, words, stdin, fed)
            inner = unwrap(name, words)
            if inner.query:
                _run(shell, words)
                return printed("which", [word for word in words[1:] if word[:1] != "-"], stdin, scope)
            if not inner.words and inner.text is None:
                _run(shell, words)
                return None
            scope.via += inner.label
            if inner.cwd:
                scope.chdir(inner.cwd)
            if inner.text is not None:
                shell_text(shell, inner.text, (f"{name} -c",), stdin)
                if name == "env" and inner.words:
                    return simple(shell, inner.words, stdin, fed)
                return None
            words = _fed_by_xargs(inner.words, inner.replace, stdin) if name in ("xargs", "parallel") else inner.words
        shell.dark("depth", glued(words))
        return None
    finally:
        scope.via = before_via
        if len(words) == 0 or scope.cwds is not before_cwds:
            _keep_cwd(shell, before_cwds, words)


def _keep_cwd(shell: Shell, before: tuple[str, ...], words: Sequence[str]) -> None:
    """A wrapper's own directory ends with it; `cd` looked through `command` or `builtin` stays."""
    if not words or words[0] not in ("cd", "pushd", "popd", "chdir"):
        name = words[0].rsplit("/", 1)[-1] if words else ""
        if name not in ("eval", "source", ".") and name not in shell.functions:
            shell.scope.cwds = before


def _misread(shell: Shell, words: Sequence[str]) -> Sequence[str]:
    """After `!` or `time` the grammar takes a compound command's keyword for a program; what follows it is meant."""
    if words[0] in ("for", "select") and len(words) > 2:
        shell.scope.assign(words[1], as_values(words[3:]))
        return ()
    return words[4:] if words[0] == "case" else words[1:]


def _fed_by_xargs(words: Sequence[str], replace: str | None, stdin: Stream | None) -> Sequence[str]:
    """xargs adds what comes through the pipe: the names that are known, else something unknown."""
    names: list[str] = list(stdin.names) if stdin is not None else []
    if stdin is not None and stdin.text is not None:
        names = stdin.text.split()[:64]
    if not names:
        names = [Dim("**")]
    if replace is None:
        return [*words, *names]
    filled: list[str] = []
    for word in words:
        if replace in word:
            filled.extend(
                Dim(word.replace(replace, name)) if type(name) is Dim else word.replace(replace, name) for name in names
            )
        else:
            filled.append(word)
    return filled


def _run(shell: Shell, words: Sequence[str]) -> Run:
    """Emit the Run of a command and what it installs."""
    scope = shell.scope
    run = Run(words, cwd=scope.cwd, via=scope.via, certain=not any(type(word) is Dim for word in words))
    scope.emit(run)
    for install in installs.installs(run, scope.cwd):
        if not install.via:
            install.via = scope.via
        scope.emit(install)
    return run


def _act(shell: Shell, words: Sequence[str], stdin: Stream | None, fed: Stream | None) -> Stream | None:
    """A command without wrappers."""
    scope = shell.scope
    program = words[0]
    name = program.rsplit("/", 1)[-1].lower()
    if name.endswith(".exe"):
        name = name[:-4]
    if type(program) is Dim:
        return _computed(shell, words, stdin)
    args = words[1:]
    if program in shell.functions and program not in shell.calling:
        _run(shell, words)
        return functions.call(shell, program, args, stdin)
    builtin = BUILTINS.get(name)
    if builtin is not None:
        _run(shell, words)
        return builtin(shell, args, stdin, fed)
    _run(shell, words)
    if name in SHELLS:
        return run_shell(shell, name, args, stdin, fed)
    options = INTERPRETERS.get(name.rstrip("0123456789."))
    if options is not None:
        run_interpreter(shell, name, args, stdin, options)
    elif name == "find":
        return find.effects(shell, args, simple)
    elif name in RUNNERS and args and args[0] in RUNNERS[name]:
        inner = args[2:] if len(args) > 1 and args[1] == "--" else args[1:]
        while inner and inner[0].startswith("-"):
            inner = inner[1:]
        if inner:
            scope.via += (f"{name} {args[0]}",)
            return simple(shell, inner, stdin, fed)
    elif name in ("tee", "sponge"):
        content = stdin.text if stdin is not None and not any(word in ("-a", "--append") for word in args) else None
        for word in args:
            if word[:1] != "-":
                scope.touch(word, "write", content=content)
    else:
        effects(name, args, scope)
        if name in FETCHERS:
            return None
    return printed(name, args, stdin, scope)


def _computed(shell: Shell, words: Sequence[str], stdin: Stream | None) -> Stream | None:
    """A program that nobody can name before it runs: its operands may be read, its `-c` text may be run."""
    scope = shell.scope
    shell.dark("computed", glued(words))
    scope.emit(Run(words, cwd=scope.cwd, via=scope.via, certain=False))
    for index, word in enumerate(words[1:], 1):
        if word == "-c" and index + 1 < len(words):
            shell_text(shell, words[index + 1], ("$ -c",), stdin)
    effects("cat", [word for word in words[1:] if "/" in word or word[:1] in "~."], scope)
    return None
