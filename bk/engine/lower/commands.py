"""One simple command: wrappers looked through, builtins followed, interpreters read, effects emitted."""

from __future__ import annotations

from bk.engine.lower import find, functions, installs, patches, redirects
from bk.engine.lower.builtins import BUILTINS
from bk.engine.lower.carriers import CARRIERS, carry
from bk.engine.lower.expand import as_values
from bk.engine.lower.feeding import feed
from bk.engine.lower.flow import of_word, settle
from bk.engine.lower.interpreters import run_interpreter
from bk.engine.lower.operands import effects
from bk.engine.lower.output import printed
from bk.engine.lower.programs import FETCHERS, INTERPRETERS, SHELLS, SPECS
from bk.engine.lower.scope import Stream, union
from bk.engine.lower.scripts import piped, run_file, run_shell, shell_text
from bk.engine.lower.variables import assignment
from bk.engine.lower.words import ALT_OPEN, SPECIAL, Dim, finish
from bk.engine.lower.wrappers import ASSIGNMENT, WRAPPERS, glued, unwrap
from bk.engine.model import Run
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from bk.engine.lower.shell import Shell

RESERVED = names("{ } ! then do else elif if fi while until done esac for select case")
_INSTALLED = ("/bin/", "/usr/", "/sbin/", "/opt/", "/nix/", "/snap/", "/System/", "/Library/", "/Applications/")
RECIPES = names("make gmake npm pnpm yarn bun composer deno just task go-task")
ACTED = frozenset((*BUILTINS, *CARRIERS)) | RECIPES | SHELLS | find.FINDERS | names("tee sponge apply_patch applypatch")
MAX_PROGRAMS = 8
MAX_WRAPPED = 32


def command(shell: Shell, node: Node, stdin: Stream | None) -> Stream | None:
    """Lower a `command` node."""
    words: list[str] = []
    set_here: list[str] = []
    programs: list[str] = []
    into: redirects.Redirects | None = None
    outer_fed, shell.fed = shell.fed, None
    outer_woven, shell.woven = shell.woven, shell.ground
    outer_drains, shell.drains = shell.drains, ()
    shell.incoming = stdin
    variables = shell.scope.vars
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
                into.keeps = programs == ["exec"]
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
    heard = shell.heard
    if into is not None:
        stdin = into.stdin
        shell.heard = True
    scope = shell.scope
    scope.left -= len(words)
    before = scope.via
    if set_here:
        scope.vars = variables
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
    scope.guarded = False
    shell.woven, shell.drains = outer_woven, outer_drains
    if into is not None:
        shell.heard = heard
        if into.opened:
            redirects.persist(shell, into, words[0].strip("{}") if words else "")
        redirects.flush(shell, into, out)
        if into.diverted:
            return Stream("")
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


def simple(shell: Shell, words: Sequence[str], stdin: Stream | None, fed: Stream | None = None) -> Stream | None:
    """Lower a command given as words: look through its wrappers, then act on the program inside."""
    scope = shell.scope
    before_via, before_cwds = scope.via, scope.cwds
    try:
        for _ in range(MAX_WRAPPED):
            if not words:
                return None
            if "=" in words[0] and ASSIGNMENT.match(words[0]):
                if len(words) == 1:  # `! X=1` is an assignment all the same
                    name, _, value = words[0].partition("=")
                    scope.assign(name, as_values([Dim(value) if type(words[0]) is Dim else value]))
                scope.via += (words[0],)
                words = words[1:]
                continue
            if words[0] in RESERVED:
                words = _misread(shell, words)
                continue
            if " " in words[0] and scope.via is not before_via and type(words[0]) is not Dim:
                return shell.text(glued(words), (), stdin)  # `watch 'cat file'`: the wrapper hands it to a shell
            name = words[0].rsplit("/", 1)[-1]
            if name not in WRAPPERS and (not name.islower() or name[-4:] == ".exe"):
                name = name.lower().removesuffix(".exe")
            if name not in WRAPPERS or type(words[0]) is Dim:
                if words[0] == "**":
                    shell.dark("computed", glued(words), shell.woven)
                    scope.via += ("$",)
                    words = words[1:]
                    continue
                return _act(shell, words, stdin, fed)
            inner = unwrap(name, words)
            if inner.query:
                _run(shell, words)
                return printed("which", [word for word in words[1:] if word[:1] != "-"], stdin, scope)
            for word, mode in inner.touches:
                scope.touch(word, mode, via=inner.label)
                if mode == "read" and inner.feed:
                    shell.woven = union(shell.woven, of_word(scope, word))
            if inner.tells and (inner.words or inner.text):
                _run(shell, words)
            if not inner.words and inner.text is None:
                mark = len(scope.actions)
                _run(shell, words)
                if name == "env":
                    return settle(shell, mark, name, stdin, None)
                return piped(shell, name, stdin) if inner.shell and stdin is not None else None
            if name == "exec" and len(words) == 2 and words[1][:1] == "{":
                return None  # `exec {name}> file` runs nothing
            if name == "coproc":
                return redirects.coproc(shell, inner.words, simple, fed)
            scope.via += inner.label
            if inner.cwd:
                scope.chdir(inner.cwd)
            if inner.text is not None:
                shell_text(shell, inner.text, (f"{name} -c",), stdin)
                if name == "env" and inner.words:
                    return simple(shell, inner.words, stdin, fed)
                return None
            words = inner.words
            if inner.feed:
                *others, words = feed(inner, stdin)
                if stdin is not None:
                    shell.woven = union(shell.woven, stdin.origins)
                    fed, stdin = stdin, None
                for other in others:
                    simple(shell, other, None, fed)
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


def _run(shell: Shell, words: Sequence[str]) -> Run:
    """Emit the Run of a command and what it installs."""
    scope = shell.scope
    run = Run(words, cwd=scope.cwd, via=scope.via, certain=not any(type(word) is Dim for word in words))
    scope.emit(run)
    for install in installs.every(run, scope.cwd):
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
    if type(program) is Dim or (program[:1] == "!" and len(program) > 1):
        return _computed(shell, words, stdin)
    args = words[1:]
    mark = len(scope.actions)
    run = _run(shell, words)
    if shell.woven:
        run.takes = shell.woven
    if shell.functions and program in shell.functions and program not in shell.calling:
        return functions.call(shell, program, args, stdin)
    if shell.aliases and program in shell.aliases and program not in shell.calling:
        return functions.alias(shell, program, args, stdin)
    if shell.odd:
        from bk.engine.lower.spelling import hidden

        if hidden(words):
            shell.dark("hidden", glued(words))
    if scope.written or ("/" in program and not program.startswith(_INSTALLED)):
        from bk.engine.lower import renamed

        tool = renamed.original(scope, program) if "/" in program or not renamed.known(name) else ""
        if tool:
            simple(shell, [tool, *args], stdin, fed)
    if "/" in program and _own_script(program, name):
        run_file(shell, "", program, args, stdin)
    options = INTERPRETERS.get(name if name[-1:] > "9" else name.rstrip("0123456789."))
    if options is not None or name in ACTED:
        return _acted(shell, mark, name, stdin, fed)
    effects(name, args, scope)
    out = printed(name, args, stdin, scope) if shell.heard and name not in FETCHERS else None
    return settle(shell, mark, name, stdin, out)


def _acted(shell: Shell, mark: int, name: str, stdin: Stream | None, fed: Stream | None) -> Stream | None:
    """A command that does more than its words and options say; its Run stands at `mark`."""
    scope = shell.scope
    run: Run = scope.actions[mark]  # type: ignore[assignment]
    args = run.argv[1:]
    if name in RECIPES:
        from bk.engine.lower import recipes

        recipes.run(shell, name, args, stdin, fed)
    builtin = BUILTINS.get(name)
    if builtin is not None:
        return builtin(shell, args, stdin, fed)
    if name in SHELLS:
        if stdin is not None:
            run.takes, run.stdin = union(run.takes, stdin.origins), stdin.text
        return run_shell(shell, name, args, stdin, fed)
    options = INTERPRETERS.get(name.rstrip("0123456789."))
    if options is not None:
        run_interpreter(shell, name, args, stdin, options)
    elif name in find.FINDERS:
        return settle(shell, mark, name, stdin, find.act(shell, name, args, simple))
    elif name in CARRIERS:
        return carry(shell, mark, name, args, stdin=stdin, fed=fed)
    elif name in ("tee", "sponge"):
        content = stdin.text if stdin is not None and not any(word in ("-a", "--append") for word in args) else None
        for word in args:
            if word[:1] != "-":
                scope.touch(word, "write", content=content)
    elif name in ("apply_patch", "applypatch"):
        patches.files(stdin.text or "" if stdin is not None else "\n".join(args), scope)
    else:
        effects(name, args, scope)
    return settle(shell, mark, name, stdin, printed(name, args, stdin, scope) if shell.heard else None)


def _own_script(program: str, name: str) -> bool:
    """Whether a program given as a path may be a script of the project, and not a tool that is installed."""
    if name in SPECS or name in INTERPRETERS:
        return False
    return not program.startswith(_INSTALLED) and "/.bin/" not in program and "venv/" not in program


def _computed(shell: Shell, words: Sequence[str], stdin: Stream | None) -> Stream | None:
    """A program that nobody can name before it runs: its operands may be read, its `-c` text may be run."""
    scope = shell.scope
    from bk.engine.lower.spelling import meant

    for program in meant(words[0]):
        simple(shell, (program, *words[1:]), stdin)
    takes = shell.woven if stdin is None else union(shell.woven, stdin.origins)
    shell.dark("computed", glued(words), takes)
    scope.emit(Run(words, cwd=scope.cwd, via=scope.via, certain=False))
    for index, word in enumerate(words[1:], 1):
        if word == "-c" and index + 1 < len(words):
            shell_text(shell, words[index + 1], ("$ -c",), stdin)
    effects("cat", [word for word in words[1:] if "/" in word or word[:1] in "~."], scope)
    return None
