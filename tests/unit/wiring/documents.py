"""Settings files as people and programs leave them: every style of white space, comments, entries of others."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), WORDS, st.sampled_from(["//", "/* */", "}", '"', "\\"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8
)
FOREIGN = {"matcher": "Bash", "hooks": [{"type": "command", "command": "/opt/other/check --strict", "timeout": 5}]}


@st.composite
def json_documents(draw: st.DrawFn, events: tuple[str, ...] = ("PreToolUse", "PostToolUse")) -> str:
    """A document in which nothing, something, or much is said, with or without hooks of others."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(["", "\n", "{}", "{}\n", "{ }", "{\n}\n", "\ufeff{}", "\r\n"]))
    told: dict[str, Any] = draw(
        st.dictionaries(WORDS.filter(lambda word: word not in ("hooks", "bk", "version")), VALUES, max_size=4)
    )
    if draw(st.booleans()):
        hooks: dict[str, Any] = {}
        for event in draw(st.lists(st.sampled_from([*events, "Stop"]), unique=True)):
            hooks[event] = draw(st.lists(st.just(FOREIGN), max_size=2))
        items = list(told.items())
        items.insert(draw(st.integers(0, len(items))), ("hooks", hooks))
        told = dict(items)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = _written(draw, told, draw(st.sampled_from(["  ", "    ", "\t", "   ", ""])), newline)
    head = draw(st.sampled_from(["", "\ufeff", f"// settings{newline}", f"/* a {newline} b */ "]))
    return f"{head}{text}{draw(st.sampled_from(['', newline, newline * 2, f'{newline}// end{newline}']))}"


def _written(draw: st.DrawFn, value: Any, step: str, newline: str, lead: str = "") -> str:
    if not isinstance(value, (dict, list)) or not value:
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    inner = lead + step
    compact = not step or draw(st.integers(0, 4)) == 0
    rows = []
    for each in value.items() if isinstance(value, dict) else value:
        key = f"{json.dumps(each[0])}:{draw(st.sampled_from(['', ' ']))}" if isinstance(value, dict) else ""
        rows.append(
            key + _written(draw, each[1] if isinstance(value, dict) else each, "" if compact else step, newline, inner)
        )
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    if compact:
        return opened + draw(st.sampled_from([",", ", "])).join(rows) + closed
    text = opened + newline
    for number, row in enumerate(rows):
        comma = "," if number < len(rows) - 1 or draw(st.integers(0, 5)) == 0 else ""
        said = draw(st.sampled_from(["", "", "", " // it is so", " /* why */"]))
        ahead = draw(st.sampled_from(["", "", "", "", "/* two */ "]))
        text += f"{inner}{ahead}{row}{comma}{said}{newline}"
        if draw(st.integers(0, 9)) == 0:
            text += f"{inner}// about the next{newline}"
    return f"{text}{lead}{closed}"


@st.composite
def toml_documents(draw: st.DrawFn) -> str:
    """Keys, tables, arrays of tables, hooks of others, comments and empty lines."""
    parts = [
        'model = "x"\n', "a = 1 # one\n", "\n", "# a comment\n", 'text = """\n[[hooks]]\nno table\n"""\n',
        "hooks = []\n", "hooks = [ ] # none\n", "d.e.f = 1\n", "inline = { a = 1, b = [1, 2] }\n", "n = nan\n",
        "\tdate = 2020-01-01T00:00:00Z\n",
    ]  # fmt: skip
    tables = [
        '[providers.one]\nkey = "v"\n', "\n[x]\n\n  y = [1,\n    2]\n", '[[hooks]]\nevent = "Stop"\ncommand = "say"\n',
        '# theirs\n[[hooks]]\nevent = "PreToolUse"\ncommand = "/opt/other/check"\n\n', "[[models]]\nname = 'm'\n",
    ]  # fmt: skip
    said = draw(st.lists(st.sampled_from(parts), unique=True, max_size=4))
    said += draw(st.lists(st.sampled_from(tables), unique=True, max_size=4))
    empty = [part for part in said if part.startswith("hooks = [")]
    if empty:
        said = [part for part in said if "[[hooks]]\nevent" not in part and part not in empty[1:]]
    text = draw(st.sampled_from(["", "", "\ufeff"])) + "".join(said)
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@st.composite
def yaml_documents(draw: st.DrawFn) -> str:
    """Mappings and lists in block style, hooks of others at either depth of indentation, comments."""
    parts = [
        "model:\n  default: m\n  base: http://127.0.0.1/v1 # here\n", "# said\n", "\n", "list:\n- a\n- b\n",
        "text: |\n  hooks:\n    none\n", "approvals:\n    mode: \"off\"\n", "flow: {a: 1, b: [2]}\n",
        "base: &base\n  x: 1\nmore:\n  <<: *base\n", "é: 😀\n", "n: .nan\n", "kept: |+\n  a\n\n",
    ]  # fmt: skip
    hooks = [
        "",
        "hooks:\n  post_llm:\n    - command: x\n",
        "hooks:\n  pre_tool_call:\n  - matcher: q\n    command: y # theirs\n",
        "hooks:\n    pre_tool_call:\n        - command: z\n          timeout: 3\n    other:\n        - c: w\n# after\n",
        "hooks: {} # none\n", "hooks: ~\n", "hooks:\n  pre_tool_call: []\n",
        "hooks:\n  pre_tool_call: # why\n  -   command: a\n      x: 1\n",
        "hooks:\n  pre_tool_call:\n    - &one\n      command: c\n    - *one\n",
    ]  # fmt: skip
    said = draw(st.lists(st.sampled_from(parts), unique=True, max_size=5))
    said.insert(draw(st.integers(0, len(said))), draw(st.sampled_from(hooks)))
    text = draw(st.sampled_from(["", "", "\ufeff", "---\n"])) + "".join(said)
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text
