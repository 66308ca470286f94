"""The matchers: whether one action is what a term describes."""

from __future__ import annotations

import re

from bk.engine.model import Connect, Install, McpCall, Opaque, Run, Touch
from bk.engine.rules import globs
from bk.engine.rules.call import EXPORTS, normal
from bk.engine.rules.hosts import host_matches, url_matches
from bk.engine.rules.modifiers import assigned, modified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.model import Action, Json
    from bk.engine.rules.call import Call

MODES = {"reads": "read", "writes": "write", "deletes": "delete"}
_SHAPES = (
    r"(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30}|github_pat_\w{22}|gl(?:pat|dt|rt|ptt)-[\w-]{20}"
    r"|sk-(?:ant-|proj-)?[A-Za-z0-9_-]{20}|xox[abeoprs]-[A-Za-z0-9-]{10}|AIza[\w-]{35}|ya29\.[\w-]{20}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{60}|hf_[A-Za-z0-9]{30}|SG\.[\w-]{16,64}\.[\w-]{16}|dckr_pat_[\w-]{20}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16}|hv[sbr]\.[\w-]{24}|do[opr]_v1_[a-f0-9]{64}|AGE-SECRET-KEY-1[A-Z0-9]{40}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY|eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\."
    r"|://[^/\s:@]{1,64}:[^/\s:@*]{6,128}@"
)
_shapes: list[re.Pattern[str]] = []
MAX_SECRET = 1 << 20


def matches(term: Json, action: Action, call: Call, *, doubt: bool, strict: bool = False) -> bool:
    """Whether an action is what the term says. `doubt`: unknown parts may count; `strict`: it would let a call go."""
    if not _MATCHERS[term[0]](term, action, call, doubt):
        return False
    return not term[2] or modified(term[2], action, call, doubt=doubt, strict=strict)


def named(values: Sequence[str], run: Run, doubt: bool) -> bool:
    """Whether a command's program is one of these; a name that is not wholly known counts only in doubt."""
    program = normal(run.program)
    if run.argv and type(run.argv[0]) is not str:
        return doubt and bool(program.strip("*")) and any(globs.overlap(value, program) for value in values)
    return globs.any_matches(values, program)


def _command(term: Json, action: Action, _call: Call, doubt: bool) -> bool:
    if type(action) is not Run:
        return False
    if term[1] is None:  # found by its name in the index
        return doubt or not action.argv or type(action.argv[0]) is str
    return named(term[1], action, doubt)


def _outside(term: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    if type(action) is not Run or not action.argv:
        return False
    return type(action.argv[0]) is not str or not globs.any_matches(term[1], normal(action.program))


def _pipeline_to(term: Json, action: Action, _call: Call, doubt: bool) -> bool:
    return type(action) is Run and bool(action.takes) and named(term[1], action, doubt)


def _pipeline_from(term: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    return any(take[:4] == "run:" and globs.any_matches(term[1], normal(take[4:])) for take in action.takes)


def _touches(term: Json, action: Action, call: Call, doubt: bool) -> bool:
    if type(action) is not Touch or action.mode != MODES[term[0]]:
        return False
    return touched(term[1], action, call, doubt)


def touched(patterns: Sequence[str], action: Touch, call: Call, doubt: bool) -> bool:
    """Whether the path, or where it really leads, is one of these; a whole tree is also what lies in it."""
    spellings = [action.path]
    if not action.where:
        really = call.facts.really(action.path)
        if really != action.path:
            spellings.append(really)
    for pattern in patterns:
        glob = globs.placed(pattern, call.home, call.cwd)
        for path in spellings:
            if globs.path_matches(glob, path):
                return True
            if action.tree and glob[0] == "/" and globs.literal_root(glob).startswith(path.rstrip("/") + "/"):
                return True
        if doubt and not action.certain and globs.overlap(glob.replace("**/", "*"), action.path):
            return True
    return False


def _connects(term: Json, action: Action, _call: Call, doubt: bool) -> bool:
    return type(action) is Connect and any(host_matches(host, action, doubt) for host in term[1])


def _requests(term: Json, action: Action, _call: Call, doubt: bool) -> bool:
    if type(action) is not Connect:
        return False
    methods, urls, needs = term[1]
    unsaid = not action.method and action.sends and action.url[:4].lower() == "http"
    if not globs.any_matches(methods, action.method) and not (doubt and unsaid):
        return False
    return not urls or url_matches(urls, needs, action)


def _installs(term: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    if type(action) is not Install:
        return False
    if not term[1]:
        return True
    name = action.name.lower()
    kinds = (action.manager.lower(), action.ecosystem.lower())
    for spec in term[1]:
        kind, colon, wanted = spec.partition(":")
        if spec in kinds or globs.matches(spec, name):
            return True
        if colon and (kind == "*" or kind in kinds or kind == action.source) and globs.matches(wanted, name):
            return True
    return False


def _mcp(term: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    if type(action) is not McpCall or not globs.matches(term[1][0], action.server):
        return False
    return len(term[1]) < 2 or globs.matches(term[1][1], action.tool)


def _opaque(term: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    return type(action) is Opaque and (not term[1] or globs.any_matches(term[1], action.why))


def new_texts(action: Action) -> list[str]:
    """The text that a write puts into a file, as far as the call states it."""
    if type(action) is not Touch or action.mode != "write":
        return []
    texts = [new for _, new, _ in action.edits]
    if action.content is not None:
        texts.append(action.content)
    return texts


def _content(term: Json, action: Action, call: Call, _doubt: bool) -> bool:
    pattern, needs = term[1]
    return any(call.search(pattern, needs, text) for text in new_texts(action))


def _env(term: Json, action: Action, _call: Call, doubt: bool) -> bool:
    if type(action) is not Run:
        return False
    if assigned(term[1], action.via, doubt):
        return True
    return action.program in EXPORTS and assigned(term[1], action.argv[1:], doubt)


def _obfuscated(_term: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    return "decoded" in action.takes


def _in_tool(term: Json, _action: Action, call: Call, _doubt: bool) -> bool:
    given = call.facts.call
    return given is not None and (
        globs.any_matches(term[1], given.tool.lower()) or globs.any_matches(term[1], given.kind)
    )


def _flows(term: Json, action: Action, call: Call, doubt: bool) -> bool:
    source, sink = term[1]
    return (
        bool(action.takes)
        and any(comes_from(source, take, call) for take in action.takes)
        and matches(sink, action, call, doubt=doubt)
    )


def comes_from(source: Json, take: str, call: Call) -> bool:
    """Whether one origin of data is what the source of a flow says."""
    name, values = source[0], source[1]
    kind, _, what = take.partition(":")
    if name == "reads":
        if kind == "file":
            return touched(values, Touch(what, "read"), call, doubt=False)
        return kind == "tree" and touched(values, Touch(what, "read", tree=True), call, doubt=False)
    if name == "command":
        return kind == "run" and globs.any_matches(values, normal(what))
    if name == "connects_to":
        return kind == "net" and any(host_matches(host, Connect(what, what), False) for host in values)
    if name == "env":
        return kind == "env" and (what == "*" or globs.any_matches(values[:1], what))
    if name == "secret_in":
        return kind == "secret" or (kind == "env" and globs.any_matches(values[1], what))
    return kind == "decoded"


def _secret_in(term: Json, action: Action, _call: Call, _doubt: bool) -> bool:
    places, variables = term[1]
    anywhere = "any" in places
    texts: list[str] = []
    if anywhere or "env" in places:
        texts.extend(word for word in action.via if "=" in word)
    if anywhere or "args" in places:
        if type(action) is Run:
            texts.extend(action.argv[1:])
        elif type(action) is Connect:
            texts.append(action.url)
    if anywhere or "body" in places:
        texts.extend(new_texts(action))
        if type(action) is Run and action.stdin is not None:
            texts.append(action.stdin)
    if any(looks_secret(text) for text in texts):
        return True
    carried = anywhere or (type(action) in (Connect, Touch) and "body" in places) or "args" in places
    return carried and any(
        take[:7] == "secret:" or (take[:4] == "env:" and globs.any_matches(variables, take[4:]))
        for take in action.takes
    )


def looks_secret(text: str) -> bool:
    """Whether a text holds something shaped like a credential."""
    if len(text) < 12:
        return False
    if not _shapes:
        _shapes.append(re.compile(_SHAPES))
    return _shapes[0].search(text[:MAX_SECRET]) is not None


_MATCHERS: dict[str, Callable[[Json, Action, Call, bool], bool]] = {
    "command": _command,
    "match_base_command_not_in": _outside,
    "pipeline_to": _pipeline_to,
    "pipeline_from": _pipeline_from,
    "reads": _touches,
    "writes": _touches,
    "deletes": _touches,
    "connects_to": _connects,
    "requests": _requests,
    "installs": _installs,
    "mcp": _mcp,
    "opaque": _opaque,
    "content": _content,
    "env": _env,
    "obfuscated": _obfuscated,
    "in_tool": _in_tool,
    "flows": _flows,
    "secret_in": _secret_in,
}
