"""What a project's own task files run: Makefile targets, package scripts, justfile and Taskfile recipes."""

from __future__ import annotations

import re

from bk.engine.lower import flow
from bk.engine.lower.makefiles import Rule, rules
from bk.engine.lower.paths import joined, resolve
from bk.engine.lower.programs import SHELLS
from bk.engine.lower.spelling import quoted
from bk.engine.lower.words import Dim
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

MAX_TARGETS = 16
MAX_LINES = 64
MAX_TEXT = 1 << 16
MAX_NESTED = 4
_STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_CALLS = re.compile(r"\$[({]shell\s+([^\n]*)[)}]")
_NPM_OWN = frozenset(("test", "start", "stop", "restart"))
_YARN_VERBS = names(
    "add install remove upgrade up init why info list global cache config create dlx exec node pack publish link unlink"
    " set workspace workspaces login logout outdated audit import version versions tag owner team help bin policies"
    " rebuild plugin constraints dedupe patch explain search store fetch prune approve-builds update i un rm ls x pm"
)
_JUST = re.compile(r"@?([A-Za-z_][\w-]*)((?:\s+[^:\n]*)?):(?!=)([^\n]*)")
_TASK = re.compile(r"( +)(['\"]?)([\w:.-]+)\2:\s*(.*)")


def run(shell: Shell, name: str, args: Sequence[str], stdin: Stream | None = None, fed: Stream | None = None) -> None:
    """Lower what the named task runs, when its file is known; otherwise the file is asked for."""
    runner = RUNNERS[name]
    if len(shell.running) >= MAX_NESTED:
        return
    scope = shell.scope
    before = scope.snapshot()
    outer, shell.given = shell.given, (stdin, fed)
    runner(shell, name, args)
    shell.given = outer
    scope.restore(before)


def _text(shell: Shell, files: Sequence[str], folder: str = "") -> str:
    """The first of these files that is known."""
    scope = shell.scope
    stdin, fed = shell.given
    for name in files:
        if name in _STDIN or (fed is not None and name.startswith("/dev/fd/")):
            stream = stdin if name in _STDIN else fed
            known = flow.known(scope, stream, wish=True) if stream is not None else None
            if known is not None:
                return known[:MAX_TEXT]
            if stream is not None and stream.source:
                shell.dark("pipe-to-shell", f"{stream.source} | make", stream.origins)
            continue
        word = joined(folder, name) if folder else name
        if type(word) is Dim or type(scope.cwd) is Dim:
            continue
        path = resolve(word, scope.cwd, scope.home, scope.env)
        written = scope.written.get(path)
        text = written.texts[0] if written is not None and written.texts else scope.look.text(path)
        if text is not None and len(text) <= MAX_TEXT:
            return text
    return ""


def _lines(shell: Shell, label: str, lines: Sequence[str], *, together: bool = False) -> None:
    """Run lines, each in a shell of its own unless they are one script."""
    if label in shell.running:
        return
    outer = shell.running
    shell.running = (*outer, label)
    scope = shell.scope
    for line in ["\n".join(lines)] if together else lines[:MAX_LINES]:
        before = scope.snapshot()
        shell.text(line, (label,))
        scope.restore(before)
    shell.running = outer


def _make(shell: Shell, _name: str, args: Sequence[str]) -> None:
    files: list[str] = []
    targets: list[str] = []
    given: dict[str, str] = {}
    folder = said = ""
    index = 0
    while index < len(args):
        word = args[index]
        index += 1
        name, equals, value = word.partition("=")
        if name in ("--eval", "-E"):
            if not equals:
                value = args[index] if index < len(args) else ""
                index += 1
            said += value + "\n"
        elif word in ("-f", "--file", "--makefile", "-C", "--directory", "-I", "-o", "-W", "-l"):
            value = args[index] if index < len(args) else ""
            index += 1
            if word in ("-f", "--file", "--makefile"):
                files.append(value)
            elif word in ("-C", "--directory"):
                folder = value
        elif name in ("--file", "--makefile", "--directory") and equals:
            if name == "--directory":
                folder = value
            else:
                files.append(value)
        elif word[:2] in ("-C", "-f") and len(word) > 2:
            if word[1] == "f":
                files.append(word[2:])
            else:
                folder = word[2:]
        elif word in ("-n", "--dry-run", "--just-print", "-q", "--question", "-h", "--help", "-v", "--version"):
            return
        elif name == "SHELL" and equals and (len(value.split()) > 1 or value.rpartition("/")[2] not in SHELLS):
            _lines(shell, "make SHELL", [value])
        elif equals and word[:1] != "-":
            given[name.rstrip(":?+")] = value
        elif word[:1] != "-":
            targets.append(word)
    text = _text(shell, files or ("GNUmakefile", "makefile", "Makefile"), folder)
    if said:
        for call in _CALLS.finditer(said):
            _lines(shell, "make --eval", [call[1]])
        text = said + text
    if not text:
        return
    if folder:
        shell.scope.chdir(folder)
    known = rules(text, given)
    waiting = targets or [next((name for name in known if name[:1] != "." and "%" not in name), "")]
    done: set[str] = set()
    while waiting and len(done) < MAX_TARGETS:
        target = waiting.pop(0)
        rule: Rule | None = known.get(target)
        if rule is None or target in done:
            continue
        done.add(target)
        waiting = [*rule.needs, *waiting]
        _lines(shell, f"make {target}", rule.lines)


def _package(shell: Shell, name: str, args: Sequence[str]) -> None:
    """`npm run X`, `npm test`, `yarn X`, `bun run X`: a script of package.json with what comes before and after it."""
    words: list[str] = []
    folder = ""
    rest: list[str] = []
    index = 0
    while index < len(args):
        word = args[index]
        index += 1
        if word in ("--prefix", "-C", "--cwd", "--dir"):
            folder = args[index] if index < len(args) else ""
            index += 1
        elif word in ("-w", "--workspace", "--filter", "-F"):
            index += 1
        elif word == "--":
            rest = list(args[index:])
            break
        elif len(words) > 1 or (words and words[0] not in ("run", "run-script")):
            rest.append(word)
        elif word[:1] != "-":
            words.append(word)
    if not words:
        return
    if words[0] in ("run", "run-script", "rum", "urn"):
        script = words[1] if len(words) > 1 else ""
    elif words[0] in ("t", "tst"):
        script = "test"
    elif words[0] in _NPM_OWN or (name in ("yarn", "pnpm") and words[0] not in _YARN_VERBS):
        script = words[0]
    else:
        return
    if script:
        _scripts(shell, name, _text(shell, ("package.json",), folder), "scripts", (folder, script, *rest))


def _scripts(shell: Shell, runner: str, text: str, key: str, words: Sequence[str]) -> None:
    """The entries of a JSON table of scripts."""
    folder, script, *rest = words
    if not text:
        return
    import json

    try:
        data = json.loads(text)
    except ValueError:
        return
    table = data.get(key) if isinstance(data, dict) else None
    if not isinstance(table, dict):
        return
    if folder:
        shell.scope.chdir(folder)
    for name in (f"pre{script}", script, f"post{script}"):
        value = table.get(name)
        if isinstance(value, dict):
            value = value.get("command")
        lines = [line for line in (value if isinstance(value, list) else [value]) if isinstance(line, str)]
        if name == script and rest and lines:
            lines[-1] = " ".join((lines[-1], *map(quoted, rest)))
        if lines:
            _lines(shell, f"{runner} run {name}", lines)


def _composer(shell: Shell, name: str, args: Sequence[str]) -> None:
    words = [word for word in args if word[:1] != "-"]
    if words and words[0] in ("run", "run-script", "exec"):
        words = words[1:]
    if words:
        _scripts(shell, name, _text(shell, ("composer.json",)), "scripts", ("", words[0]))


def _deno(shell: Shell, name: str, args: Sequence[str]) -> None:
    words = [word for word in args if word[:1] != "-"]
    if len(words) > 1 and words[0] == "task":
        _scripts(shell, name, _text(shell, ("deno.json", "deno.jsonc")), "tasks", ("", *words[1:]))


def _chosen(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The files that `-f FILE` names, and the words without it."""
    files: list[str] = []
    rest: list[str] = []
    index = 0
    while index < len(args):
        word = args[index]
        index += 1
        if word in ("-f", "--justfile"):
            files.extend(args[index : index + 1])
            index += 1
        elif word.startswith("--justfile="):
            files.append(word[11:])
        else:
            rest.append(word)
    return files, rest


def _just(shell: Shell, _name: str, args: Sequence[str]) -> None:
    """justfile: a recipe is a line that ends in a colon and the indented lines below it."""
    files, args = _chosen(args)
    text = _text(shell, files or ("justfile", "Justfile", ".justfile"))
    recipes: dict[str, tuple[list[str], list[str]]] = {}
    body: list[str] | None = None
    for line in text.split("\n"):
        if line[:1] in (" ", "\t"):
            if body is not None:
                body.append(re.sub(r"\{\{[^}\n]*\}\}", '"$_"', line.strip().lstrip("@-")))
            continue
        match = _JUST.match(line)
        body = None
        if match is not None:
            body = []
            recipes.setdefault(match[1], (match[3].replace("&&", " ").split(), body))
    wanted = [word for word in args if word[:1] != "-" and "=" not in word] or list(recipes)[:1]
    done: set[str] = set()
    while wanted and len(done) < MAX_TARGETS:
        name = wanted.pop(0)
        if name in done or name not in recipes:
            continue
        done.add(name)
        needs, lines = recipes[name]
        wanted = [*(need.strip("()") for need in needs), *wanted]
        _lines(shell, f"just {name}", lines, together=lines[:1] != [] and lines[0].startswith("#!"))


def _task(shell: Shell, _name: str, args: Sequence[str]) -> None:
    """Taskfile.yml, read line by line: the commands of a task are the list items below it."""
    text = _text(shell, ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml"))
    wanted = [word for word in args if word[:1] != "-" and "=" not in word] or ["default"]
    current, depth, inside = "", 0, False
    lines: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if line.rstrip() == "tasks:":
            inside, depth = True, 0
            continue
        match = _TASK.fullmatch(line.rstrip()) if inside else None
        if match is not None and (not depth or len(match[1]) == depth):
            depth, current = len(match[1]), match[3]
            if match[4]:
                lines.setdefault(current, []).append(match[4].strip("'\""))
        elif inside and current:
            item = line.strip().removeprefix("- ").removeprefix("cmd: ").removeprefix("cmds: ").strip()
            if line.strip().startswith("- ") and item and ": " not in item[:12]:
                plain = item[1:-1] if item[:1] in "'\"" and item[-1:] == item[:1] else item
                lines.setdefault(current, []).append(re.sub(r"\{\{[^}\n]*\}\}", '"$_"', plain))
    for name in wanted[:MAX_TARGETS]:
        if name in lines:
            _lines(shell, f"task {name}", lines[name])


RUNNERS: dict[str, Callable[[Shell, str, Sequence[str]], None]] = {
    "make": _make,
    "gmake": _make,
    "npm": _package,
    "pnpm": _package,
    "yarn": _package,
    "bun": _package,
    "composer": _composer,
    "deno": _deno,
    "just": _just,
    "task": _task,
    "go-task": _task,
}
