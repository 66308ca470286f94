"""Names of a program text: what imports, assignments, destructuring and loops give them."""

from __future__ import annotations

from bk.engine.lower.fold import Dark, Ref, origins
from bk.engine.tables import names as table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.code import Program
    from bk.engine.lower.tokens import Token

JUMPS = table(
    "var let const my our local new await return yield in of do else then begin try throw typeof void async static"
    " print puts echo say p pp unless elsif elif while until and or not lambda raise export default final val if case"
    " when defer go"
)
_GLUE = frozenset(("as", "import", "from"))


def module_name(name: str) -> str:
    """`node:fs/promises` is `fs`."""
    return name.removeprefix("node:").removesuffix("/promises")


def name_at(program: Program, start: int) -> str:
    """The variable that an assignment's left side names."""
    words = [item.value for item in program.items[start : program.at] if item.kind in ("name", "op")]
    while len(words) > 1 and words[0] in JUMPS:
        words = words[1:]
    if len(words) == 1:
        return words[0]
    return words[0] if len(words) > 1 and words[1] in (":", "<") and words[0].isidentifier() else ""


def imports(program: Program) -> bool:
    """`import os as o`, `from shutil import rmtree as r`, `import {rmSync} from 'fs'`, `import fs from 'fs'`."""
    items = program.items
    at = program.at
    if program.language == "js":
        end = at + 1
        while end < len(items) and items[end].kind != "text" and end < at + 60:
            end += 1
        if end >= len(items) or items[end].kind != "text" or (end > at + 1 and items[end - 1].value != "from"):
            return False
        module = module_name(items[end].value)
        bind(program, items[at + 1 : end - 1], module)
        program.taken.add(end)
        program.at = end + 1
        return True
    if program.language != "python":
        return False
    names: list[str] = []
    depth = 0
    end = at + 1
    while end < len(items) and items[end].kind in ("name", "op"):
        value = items[end].value
        if value == "(":
            depth += 1
        elif value == ")":
            depth -= 1
        elif (items[end].kind == "op" and value not in (",", ".", "*")) or (
            items[end].kind == "name"
            and items[end - 1].kind == "name"
            and items[end - 1].value not in _GLUE
            and value not in _GLUE
        ):
            break
        names.append(value)
        end += 1
        if depth < 0:
            break
    program.at = end
    if items[at].value == "from" and "import" in names:
        cut = names.index("import")
        module = "".join(names[:cut])
        aliases(program, [name for name in names[cut + 1 :] if name not in ("(", ")")], module + ".")
    else:
        aliases(program, [name for name in names if name not in ("(", ")")], "")
    return True


def aliases(program: Program, names: Sequence[str], prefix: str) -> None:
    """`a as b, c`: each name, or its alias, stands for what it is a part of."""
    group: list[str] = []
    for name in (*names, ","):
        if name != ",":
            group.append(name)
            continue
        if "as" in group:
            cut = group.index("as")
            full, alias = "".join(group[:cut]), "".join(group[cut + 1 :])
            program.values[alias] = Ref(prefix + full)
        elif group and prefix:
            program.values["".join(group)] = Ref(prefix + "".join(group))
        group = []


def bind(program: Program, items: Sequence[Token], module: str) -> None:
    """Names taken from a module: `{a, b: c}`, `{a as b}`, `* as m`, `m`."""
    words = [item.value for item in items if item.kind in ("name", "op")]
    if words[:1] != ["{"]:
        for name in words:
            if name not in ("*", "as", ",", "{", "}", "from", "type") and name.isidentifier():
                program.values[name] = Ref(module)
        if "{" in words:
            bind(program, items[words.index("{") :], module)
        return
    inner = [value for value in words if value not in ("{", "}")]
    group: list[str] = []
    for value in (*inner, ","):
        if value == ",":
            if len(group) == 3:
                program.values[group[2]] = Ref(f"{module}.{group[0]}")
            elif group:
                program.values[group[0]] = Ref(f"{module}.{group[0]}")
            group = []
        else:
            group.append(value)


def destructured(program: Program) -> bool:
    """`const {execSync: run} = require('child_process')`."""
    at = program.at
    if program.language != "js" or program.peek() not in ("const", "let", "var") or program.peek(1) != "{":
        return False
    end = at + 1
    while end < len(program.items) and program.items[end].value != "}" and end < at + 60:
        end += 1
    program.at = end + 1
    if program.peek() != "=":
        program.at = at + 2
        return True
    program.at += 1
    value = program.expression()
    if isinstance(value, Ref):
        bind(program, program.items[at + 1 : end + 1], value.name)
    return True


def loop(program: Program) -> bool:
    """`for x in EXPR`, `for (const x of EXPR)`, `foreach my $x (EXPR)`: the variable stands for each."""
    at = program.at + 1
    items = program.items
    while at < len(items) and items[at].value in ("(", "const", "let", "var", "my", "our", "await"):
        at += 1
    if at + 1 >= len(items) or items[at].kind != "name":
        return False
    name = items[at].value
    if items[at + 1].value in ("in", "of"):
        program.at = at + 2
    elif items[at + 1].value == "(" and program.language == "perl":
        program.at = at + 1
    else:
        return False
    value = program.expression()
    program.values[name] = value if isinstance(value, (list, str)) else Dark(origins(value))
    return True
