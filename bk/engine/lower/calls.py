"""Calls and attributes in a program text: resolved to what they do, or to the value they come to."""

from __future__ import annotations

from bk.engine.lower.bindings import module_name
from bk.engine.lower.fold import NOTHING, Dark, Made, Named, Ref, Where, origins, pure, variable, word
from bk.engine.lower.sinks import METHODS, VERBS, kind_of
from bk.engine.lower.words import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.code import Program
    from bk.engine.lower.fold import Value


_BARE = frozenset(("Dir.home", "Dir.pwd", "Dir.getwd", "Dir.tmpdir"))


def attribute(program: Program, value: Value, name: str) -> Value:
    """`value.name`."""
    if isinstance(value, Ref):
        full = f"{value.name}.{name}"
        if full in _BARE and program.language == "ruby" and program.peek() != "(":
            return pure(full, None, (), program.shell.scope.home)
        known = program.values.get(full)
        if known is not None:
            return known
        if value.name in ("process.env", "Bun.env"):
            return variable(name, program.shell.scope.home)
        return Ref(full, value.base)
    if name == "pw_dir" or (name == "dir" and program.language == "ruby" and isinstance(value, list)):
        return Where(program.shell.scope.home)
    if program.language == "ruby" and program.peek() != "(" and isinstance(value, (str, list)):
        made = pure(name, value, (), program.shell.scope.home)
        if made is not None:
            return made
        if name in METHODS and isinstance(value, Where):
            program.call.act(METHODS[name], name, value, [], program.at)
            return Dark()
    if isinstance(value, str) and name in ("parent", "name", "stem"):
        made = pure(name, value, (), program.shell.scope.home)
        return made if made is not None else NOTHING
    return Ref(name, value)


def indexed(program: Program, value: Value, args: Sequence[Value]) -> Value:
    """`value[key]`, or `value{key}` in Perl."""
    key = args[0] if args else None
    if isinstance(value, Ref):
        if value.name in ("os.environ", "process.env", "ENV", "$_ENV", "$_SERVER", "environ"):
            return (
                variable(word(key) if isinstance(key, (str, Ref)) else None, program.shell.scope.home)
                if not isinstance(key, Ref)
                else variable(key.name, program.shell.scope.home)
            )
        if isinstance(key, str):
            if type(key) is Made or value.name in ("globals", "this", "window", "global", "globalThis"):
                return Ref(key)
            return Ref(f"{value.name}.{key}", value.base)
        return Ref(value.name, value.base)
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    if isinstance(value, str):
        return Dark(origins(value)) if type(value) is not Made else Dark(("decoded",))
    return Dark(origins(value))


def called(program: Program, value: Value, args: list[Value], start: int) -> Value:
    """One call: its value when it is pure, its effects when it has any."""
    if not isinstance(value, Ref):
        return Dark(origins(value, *args))
    name, base = value.name, value.base
    plain = [one for one in args if not isinstance(one, Named)]
    last = name.replace("::", ".").rpartition(".")[2]
    if last in ("__import__", "import_module", "require", "require_relative") and plain:
        if isinstance(plain[0], str) and not isinstance(plain[0], Dim):
            return Ref(module_name(plain[0]))
        program.call.dark(plain, "computed")
        return NOTHING
    if last in ("getattr", "send", "public_send", "__send__", "const_get", "method") and (plain or base is not None):
        return reflected(program, value, plain)
    kind = ""
    if isinstance(base, Where) or (isinstance(base, Dim) and last in METHODS):
        kind = METHODS.get(last, "")
    elif isinstance(base, str) and last == "execute":
        kind = "sh-base"
    if not kind:
        kind = kind_of(name, program.language)
        if kind and base is not None and isinstance(base, (str, list)) and "." not in name:
            kind = ""
    if not kind and last in VERBS and plain and isinstance(plain[0], str) and "://" in plain[0][:12]:
        kind = "verb"
    if not kind and last in ("connect", "connect_ex", "sendto") and plain:
        kind = "socket"
    if kind:
        return program.call.act(kind, name, base, args, start)
    made = pure(name, base, plain, program.shell.scope.home)
    if made is not None:
        return made
    if plain and last in ("URI", "URL", "parse", "url_parse", "inet_aton", "Array", "list", "tuple", "File", "Promise"):
        return Where(plain[0]) if last == "File" and isinstance(plain[0], str) else plain[0]
    return Dark(origins(value, *args))


def reflected(program: Program, value: Ref, args: Sequence[Value]) -> Value:
    """`getattr(os, 'system')` names what it means; a name that is put together is no plain speech."""
    target: Value = value.base if value.base is not None else None
    names = list(args)
    if value.name == "getattr" and args:
        target, names = args[0], names[1:]
    elif "." in value.name:
        target = Ref(value.name.rpartition(".")[0])
    chosen = names[0] if names else None
    if not isinstance(chosen, str) or type(chosen) in (Dim, Made):
        program.call.dark(names, "computed")
    full = word(chosen)
    if isinstance(target, Ref):
        full = f"{target.name}.{full}"
    if value.name.rpartition(".")[2] in ("send", "public_send", "__send__"):
        return called(program, Ref(full), list(names[1:]), program.at)
    return Ref(full)
