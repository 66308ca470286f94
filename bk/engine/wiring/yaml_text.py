"""Entries put into a YAML document and taken out again as text: comments and spelling of all else stay. Pure."""

from __future__ import annotations

import json
import re

import yaml

from bk.engine.wiring.alike import alike, others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.model import Json


_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str) -> dict[str, Json]:
    """What the document says; ValueError, with the line, when it is none."""
    try:
        told = yaml.load(text, Loader=_FAST)  # noqa: S506 - the safe loader, in C where that is there
    except yaml.YAMLError as error:
        raise _wrong(error) from error
    if told is None:
        return {}
    if not isinstance(told, dict):
        raise ValueError("it is no mapping")
    return told


def appended(text: str, names: Sequence[str], row: dict[str, Json]) -> str:
    """The text with a row more in the list at `names` (block style), which is made where it is missing."""
    before = read(text)
    bom, text = _bare(text)
    text = _opened(text, names)
    newline = "\r\n" if "\r\n" in text else "\n"
    node, missing, empty = _way(text, names)
    if empty is not None:
        lead, at = " " * (empty.start_mark.column + 2), _next_line(text, empty.end_mark.index)
    elif missing:
        top = len(missing) == len(names)
        lead = "" if top or node is None else " " * node.start_mark.column
        at = _room(text) if top or node is None else _line_after(text, node)
    else:
        if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
            raise ValueError(f"{'.'.join(names)} is not a list of one entry a line")
        lead, at = " " * node.start_mark.column, _line_after(text, node)
    lines = [f"{lead}{'  ' * place}{name}:" for place, name in enumerate(missing)]
    lines += _row(row, lead + "  " * len(missing))
    gap = "" if at == 0 or text[:at].endswith("\n") else newline
    made = bom + text[:at] + gap + newline.join(lines) + newline + text[at:]
    if not alike(read(made), _with(before, names, row)):
        raise ValueError(f"{'.'.join(names)} cannot be added to without changing something else")
    return made


def _bare(text: str) -> tuple[str, str]:
    """The mark that a text may begin with, and the text, by whose characters nodes are placed."""
    return ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)


def _opened(text: str, names: Sequence[str]) -> str:
    """The text with an empty value on the way (`{}`, `[]`, `~`) as nothing at all, where a block can be put."""
    node = _composed(text)
    for name in names:
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            break
        node = next((value for key, value in node.value if key.value == name), None)
        if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and node.flow_style and not node.value:
            return text[: node.start_mark.index].rstrip(" ") + text[node.end_mark.index :]
        if _is_null(node) and node is not None and node.end_mark.index > node.start_mark.index:
            return text[: node.start_mark.index].rstrip(" ") + text[node.end_mark.index :]
    return text


def _is_null(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _composed(text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_FAST)
    except yaml.YAMLError as error:
        raise _wrong(error) from error
    return node


def _wrong(error: yaml.YAMLError) -> ValueError:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark is not None else ""
    return ValueError(f"{where}{getattr(error, 'problem', None) or 'it is no YAML'}")


def stated(text: str, name: str, value: Json) -> str:
    """The text with a top-level key of this value; one that is there with another is refused."""
    before = read(text)
    if name in before:
        if before[name] != value:
            raise ValueError(f"{name} is already there, with another value")
        return text
    bom, text = _bare(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    at = _room(text)
    gap = "" if at == 0 or text[:at].endswith("\n") else newline
    made = f"{bom}{text[:at]}{gap}{name}: {json.dumps(value)}{newline}{text[at:]}"
    if not alike(read(made), {**before, name: value}):
        raise ValueError(f"{name} cannot be added without changing something else")
    return made


def unstated(text: str, name: str, value: Json) -> str:
    """The text without a top-level key of this value."""
    before = read(text)
    if name not in before or before[name] != value:
        return text
    bom, text = _bare(text)
    key, node = _pair(text, [name])
    made = bom + text[: _line_start(text, key.start_mark.index)] + text[_line_after(text, node) :]
    if not alike(read(made), {each: said for each, said in before.items() if each != name}):
        raise ValueError(f"{name} cannot be taken out without changing something else")
    return made


def without(text: str, names: Sequence[str], ours: Callable[[Json], bool]) -> str:
    """The text without our rows in the list at `names`, and without what that leaves empty."""
    bom, bare = _bare(text)
    made = bom + _without(bare, names, ours)
    if made != text and not alike(others(read(made), names, ours), others(read(text), names, ours)):
        raise ValueError(f"our entries in {'.'.join(names)} cannot be told from what stands around them")
    return made


def _without(text: str, names: Sequence[str], ours: Callable[[Json], bool]) -> str:
    while True:
        node, missing, _ = _way(text, names)
        if missing or not isinstance(node, yaml.SequenceNode) or node.flow_style:
            return text
        mine = [each for each, said in zip(node.value, rows(text, names), strict=True) if ours(said)]
        if not mine:
            return text
        path = list(names)
        if len(node.value) > 1:
            start, end = _line_start(text, mine[0].start_mark.index), _line_after(text, mine[0])
        else:  # it was alone: the keys that only lead to it go with it
            while len(path) > 1 and len(_mapping(text, path[:-1])) == 1:
                path.pop()
            key, value = _pair(text, path)
            start, end = _line_start(text, key.start_mark.index), _line_after(text, value)
            said = re.compile(r"[^#\n]*:[ \t]*(#[^\n]*\n)").match(text, key.start_mark.index)
            if said:  # what is said of the key stays
                text = text[:start] + text[start : key.start_mark.index] + said[1] + text[end:]
                continue
        text = text[:start] + text[end:]


def rows(text: str, names: Sequence[str]) -> list[Json]:
    """The rows of the list at `names`; nothing where there is none."""
    found: Json = read(text)
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return list(found) if isinstance(found, list) else []


def _with(told: dict[str, Json], names: Sequence[str], row: dict[str, Json]) -> dict[str, Json]:
    inner = told.get(names[0])
    if len(names) == 1:
        return {**told, names[0]: [*(inner or []), row]}
    return {**told, names[0]: _with(inner or {}, names[1:], row)}


def _row(row: dict[str, Json], lead: str) -> list[str]:
    """A list's element in lines; what JSON writes is YAML too."""
    told = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in row.items()]
    return [f"{lead}- {told[0]}", *(f"{lead}  {line}" for line in told[1:])]


def _way(text: str, names: Sequence[str]) -> tuple[yaml.Node | None, list[str], yaml.Node | None]:
    """The node at `names`; or the deepest that is there, the names missing in it, and a key that has nothing yet."""
    node = _composed(text)
    if _is_null(node):
        return None, list(names), None
    for depth, name in enumerate(names):
        if node is None:
            return None, list(names[depth:]), None
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            raise ValueError(f"{'.'.join(names[:depth]) or 'the document'} is not a mapping of one entry a line")
        found = [(key, value) for key, value in node.value if key.value == name]
        if not found:
            return node, list(names[depth:]), None
        key, node = found[0]
        if _is_null(node) or (not node.value and not isinstance(node, yaml.ScalarNode)):
            return None, list(names[depth + 1 :]), key
        if isinstance(node, yaml.ScalarNode):
            raise ValueError(f"{name} is written as a value")
    return node, [], None


def _pair(text: str, path: Sequence[str]) -> tuple[yaml.Node, yaml.Node]:
    node = _way(text, path[:-1])[0] if len(path) > 1 else _composed(text)
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("it is no mapping")
    found: tuple[yaml.Node, yaml.Node] = next((key, value) for key, value in node.value if key.value == path[-1])
    return found


def _mapping(text: str, path: Sequence[str]) -> list[tuple[yaml.Node, yaml.Node]]:
    node, missing, _ = _way(text, path)
    return [] if missing or not isinstance(node, yaml.MappingNode) else list(node.value)


def _room(text: str) -> int:
    """Where a top-level key can be put: at the end, or before the first where the end is in the middle of a text."""
    ended = re.search(r"^\.\.\.[ \t]*\r?$", text, re.MULTILINE)
    if ended:
        return ended.start()
    if not text or text.endswith("\n"):
        return len(text)
    node = _composed(text)
    last = node
    while isinstance(last, (yaml.MappingNode, yaml.SequenceNode)) and last.value and not last.flow_style:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    in_text = isinstance(last, yaml.ScalarNode) and last.style in ("|", ">")
    return node.start_mark.index if node is not None and in_text else len(text)


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_after(text: str, node: yaml.Node) -> int:
    """Where the line after a node's last begins: a block's own end is only where the next thing starts."""
    at = len(text[: node.end_mark.index].rstrip(" \t\r\n"))
    last = _last_scalar(node)
    at = max(at if last is None else 0, last.end_mark.index if last is not None else 0)
    return _next_line(text, at)


def _last_scalar(node: yaml.Node) -> yaml.Node | None:
    """The last thing in a node that stands in the text: comments behind it are not its own."""
    while isinstance(node, (yaml.MappingNode, yaml.SequenceNode)):
        if node.flow_style or not node.value:
            return node if node.flow_style else None
        if isinstance(node, yaml.MappingNode):
            ahead, last = node.value[-1]
        else:
            ahead, last = node.value[-2] if len(node.value) > 1 else node, node.value[-1]
        if last.start_mark.index < ahead.start_mark.index or last is ahead:  # an alias: it stands elsewhere
            return None
        node = last
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return None
    return node
