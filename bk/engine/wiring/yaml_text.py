"""Entries put into a YAML document and taken out again as text: comments and spelling of all else stay. Pure."""

from __future__ import annotations

import json

import yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.model import Json


def read(text: str) -> dict[str, Json]:
    """What the document says; ValueError, with the line, when it is none."""
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise ValueError(f"{where}{getattr(error, 'problem', None) or 'it is no YAML'}") from error
    if told is None:
        return {}
    if not isinstance(told, dict):
        raise ValueError("it is no mapping")
    return told


def appended(text: str, names: Sequence[str], row: dict[str, Json]) -> str:
    """The text with a row more in the list at `names` (block style), which is made where it is missing."""
    before = read(text)
    node, missing = _way(text, names)
    newline = "\r\n" if "\r\n" in text else "\n"
    if missing:
        depth = len(names) - len(missing)
        lead = "  " * depth if node is None or depth == 0 else " " * _column(node)
        at = _room(text) if depth == 0 or node is None else _line_after(text, node)
        lines = [f"{lead}{'  ' * place}{name}:" for place, name in enumerate(missing)]
        lines += _row(row, lead + "  " * len(missing))
    else:
        if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
            raise ValueError(f"{'.'.join(names)} is not a list of one entry a line")
        lead = " " * (node.value[0].start_mark.column - 2)
        lines, at = _row(row, lead), _line_after(text, node)
    gap = "" if at == 0 or text[:at].endswith("\n") else newline
    made = text[:at] + gap + newline.join(lines) + newline + text[at:]
    if read(made) != _with(before, names, row):
        raise ValueError(f"{'.'.join(names)} cannot be added to without changing something else")
    return made


def stated(text: str, name: str, value: Json) -> str:
    """The text with a top-level key of this value; one that is there with another is refused."""
    before = read(text)
    if name in before:
        if before[name] != value:
            raise ValueError(f"{name} is already there, with another value")
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    at = _room(text)
    gap = "" if at == 0 or text[:at].endswith("\n") else newline
    made = f"{text[:at]}{gap}{name}: {json.dumps(value)}{newline}{text[at:]}"
    if read(made) != {**before, name: value}:
        raise ValueError(f"{name} cannot be added without changing something else")
    return made


def without(text: str, names: Sequence[str], ours: Callable[[Json], bool]) -> str:
    """The text without our rows in the list at `names`, and without what that leaves empty."""
    read(text)
    while True:
        node, missing = _way(text, names)
        if missing or not isinstance(node, yaml.SequenceNode) or node.flow_style:
            return text
        mine = [each for each in node.value if ours(yaml.safe_load(yaml.serialize(each)))]
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


def _way(text: str, names: Sequence[str]) -> tuple[yaml.Node | None, list[str]]:
    """The node at `names`; or the deepest that is there, and the names missing in it."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, name in enumerate(names):
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return None, list(names[depth:])
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            raise ValueError(f"{'.'.join(names[:depth]) or 'the document'} is not a mapping of one entry a line")
        found = [value for key, value in node.value if key.value == name]
        if not found:
            return node, list(names[depth:])
        if isinstance(found[0], yaml.ScalarNode):
            raise ValueError(f"{name} is written as a value")
        node = found[0]
    return node, []


def _pair(text: str, path: Sequence[str]) -> tuple[yaml.Node, yaml.Node]:
    node, _ = _way(text, path[:-1]) if len(path) > 1 else (yaml.compose(text, Loader=yaml.SafeLoader), [])
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("it is no mapping")
    found: tuple[yaml.Node, yaml.Node] = next((key, value) for key, value in node.value if key.value == path[-1])
    return found


def _mapping(text: str, path: Sequence[str]) -> list[tuple[yaml.Node, yaml.Node]]:
    node, missing = _way(text, path)
    return [] if missing or not isinstance(node, yaml.MappingNode) else list(node.value)


def _room(text: str) -> int:
    """Where a top-level key can be put: at the end, or before the first where the end is in the middle of a text."""
    if not text or text.endswith("\n"):
        return len(text)
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    last = node
    while isinstance(last, (yaml.MappingNode, yaml.SequenceNode)) and last.value and not last.flow_style:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    in_text = isinstance(last, yaml.ScalarNode) and last.style in ("|", ">")
    return node.start_mark.index if node is not None and in_text else len(text)


def _column(node: yaml.Node) -> int:
    return int(node.start_mark.column)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_after(text: str, node: yaml.Node) -> int:
    """Where the line after a node's last begins: a block's own end is only where the next thing starts."""
    at = len(text[: node.end_mark.index].rstrip(" \t\r\n"))
    last = _last_scalar(node)
    at = max(at if last is None else 0, last.end_mark.index if last is not None else 0)
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _last_scalar(node: yaml.Node) -> yaml.Node | None:
    """The last thing in a node that stands in the text: comments behind it are not its own."""
    while isinstance(node, (yaml.MappingNode, yaml.SequenceNode)):
        if node.flow_style or not node.value:
            return node if node.flow_style else None
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return None
    return node
