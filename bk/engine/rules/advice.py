"""What a finding says: the rule's words, with the call's own put in where they are short and safe to show."""

from __future__ import annotations

from bk.engine.model import Connect, Install, McpCall, Run, Touch
from bk.engine.rules.call import normal
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Action
    from bk.engine.rules.call import Call

SHOWN = 100
SHORT = 80


def reason(why: str, ident: str, action: Action | None, call: Call) -> str:
    """The rule's first sentence, with what it is about."""
    text = _first_sentence(why) if why else f"rule {ident} applies"
    about = inert(_about(action, call), SHOWN)
    return f"{text}: {about}" if about else text


def _first_sentence(text: str) -> str:
    end = text.find(". ")
    return (text if end < 0 else text[:end]).rstrip(".")


def _about(action: Action | None, call: Call) -> str:
    if action is not None and action.target:
        return action.target
    return call.hit.text or call.text()


def advice(nudge: str, ident: str, action: Action | None, call: Call) -> str:
    """The nudge with its placeholders filled from the action that the rule is about."""
    if "{" not in nudge and "}" not in nudge:
        return nudge
    out: list[str] = []
    at = 0
    while at < len(nudge):
        char = nudge[at]
        if char in "{}" and nudge[at + 1 : at + 2] == char:
            out.append(char)
            at += 2
            continue
        end = nudge.find("}", at) if char == "{" else -1
        if end > 0 and nudge[at + 1 : end] in _STAND_INS:
            out.append(_value(nudge[at + 1 : end], ident, action, call))
            at = end + 1
            continue
        out.append(char)
        at += 1
    return "".join(out)


_STAND_INS = {
    "base_command": "the program",
    "command": "the command",
    "path": "that path",
    "host": "that host",
    "package": "that package",
    "flag": "that option",
    "rule": "this rule",
    "match": "what matched",
}


def _value(name: str, ident: str, action: Action | None, call: Call) -> str:
    """A placeholder's value; words that still make a sentence where the call has none."""
    if name == "rule":
        return ident
    value = ""
    if name == "match":
        value = call.hit.text or _about(action, call)
    elif name == "flag":
        value = call.hit.flag
    elif name == "base_command":
        given = call.facts.call
        value = normal(action.program) if isinstance(action, Run) else given.tool if given is not None else ""
    elif name == "command":
        value = _about(action, call)
    elif name == "path":
        value = _path(action)
    elif name == "host" and isinstance(action, Connect):
        value = action.host
    elif name == "package" and isinstance(action, Install):
        value = action.name
    elif name == "package" and isinstance(action, McpCall):
        value = action.target
    return inert(value, SHORT) if value.strip() else _STAND_INS[name]


def _path(action: Action | None) -> str:
    if isinstance(action, Touch):
        return action.path
    if isinstance(action, Run):
        operands = [word for word in action.argv[1:] if word[:1] != "-"]
        return next((word for word in operands if "/" in word), operands[-1] if operands else "")
    return ""
