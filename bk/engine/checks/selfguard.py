"""Self-protection: our state, our programs, and the entries by which harnesses call us."""

from __future__ import annotations

import re

from bk.engine.checks.guarded import FOLDERS, form_of, scope_of
from bk.engine.checks.meaning import KILL_SWITCHES, edited, holds_ours, loss
from bk.engine.checks.own import commands
from bk.engine.checks.places import WILD, component
from bk.engine.model import Finding, Level, Run, Touch
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bk.engine.facts import Facts
    from bk.engine.model import Action

OWN_FOLDER = ".bk"
OWN_PROJECT_FILE = ".bk.toml"
OWN_PROGRAMS = frozenset(("bk", "bk-hook", "bk-hook-python"))
BIN_FOLDERS = frozenset(("bin", "sbin", "shims", "scripts"))
SYSTEM_FOLDER = "/etc/bk"
STARTUP = names(".bashrc .bash_profile .bash_aliases .bash_login .profile .zshrc .zshenv .zprofile config.fish .envrc")
_SHADOWS = re.compile(r"\b(?:alias|function)\s+bk(?:-hook)?\b|\bbk(?:-hook)?\s*\(\s*\)|\bBK_[A-Z_]+=")
STATE_ADVICE = "use `bk diag` for health and `bk config show` for settings; a person can look at the rest"
HOOK_ADVICE = "leave the entries that call bk-hook as they are; write the whole new file so that it can be compared"


def check(actions: Sequence[Action], facts: Facts) -> Iterable[Finding]:
    """Findings for everything that would touch, silence or replace this guard."""
    root = facts.state_root.rstrip("/").lower()
    owned = tuple(path.rstrip("/").lower() for path in facts.executables)
    real = facts.real
    for action in actions:
        if type(action) is Touch:
            path = action.path
            leads = real.get(path, path)
            yield from _touch(action, path, root, owned, facts)
            if leads != path:
                yield from _touch(action, leads, root, owned, facts)
        elif (
            type(action) is Run and action.cwd[: len(root)].lower() == root and action.cwd[len(root) :][:1] in ("", "/")
        ):
            reason = f"runs {action.program} inside {facts.state_root}, which belongs to bk"
            yield Finding("self/state", Level.BLOCK, reason, action=action, instead=STATE_ADVICE)
    yield from commands(actions)


def _touch(action: Touch, path: str, root: str, owned: tuple[str, ...], facts: Facts) -> Iterator[Finding]:
    low = path.lower()
    found = _state(action, path, low, root)
    if found is not None:
        yield found
        return
    if action.mode in ("read", "list"):
        if action.mode == "read" and not action.certain and scope_of(path, facts.home, facts.cwd):
            reason = f"an unknown program is handed {path}, in which harnesses keep their hooks"
            yield Finding("self/hooks", Level.ASK, reason, action=action, instead=HOOK_ADVICE)
        return
    yield from _programs(action, path, low, owned)
    yield from _settings(action, path, low, facts)
    if low == SYSTEM_FOLDER or low.startswith(SYSTEM_FOLDER + "/"):
        reason = f"{path} decides where bk keeps its state and who may run it"
        yield Finding("self/system", Level.BLOCK, reason, action=action, instead="an administrator can edit it")
    elif action.content and low.rpartition("/")[2] in STARTUP and _SHADOWS.search(action.content):
        reason = f"{path} would put something else in the place of bk, or change its settings"
        yield Finding("self/shadow", Level.BLOCK, reason, action=action, instead="leave out the lines that name bk")


def _state(action: Touch, path: str, low: str, root: str) -> Finding | None:
    """Any use of the state directory, a look-alike of it in another home, or a tree that contains it."""
    inside = low == root or low.startswith(root + "/")
    parts = low.split("/")
    if not inside:
        inside = OWN_FOLDER in parts or (parts[-1] == OWN_PROJECT_FILE and action.mode in ("write", "delete"))
    if not inside and not action.certain and WILD.search(low):
        inside = _glob_names(parts[1:], root.split("/")[1:], tree=action.tree and action.mode != "list")
    if inside:
        reason = f"{_doing(action)} {path}, which belongs to bk"
        return Finding("self/state", Level.BLOCK, reason, action=action, instead=STATE_ADVICE)
    if action.tree and action.mode != "list" and _above(low, root):
        level = Level.ASK if action.mode == "write" else Level.BLOCK
        reason = f"{_doing(action)} everything below {path}, and with it bk's state in {root}"
        return Finding("self/state", level, reason, action=action, instead="name the files you mean")
    return None


def _above(low: str, path: str) -> bool:
    return low == "/" or path.startswith(low + "/")


def _glob_names(parts: Sequence[str], root: Sequence[str], *, tree: bool) -> bool:
    """Whether a glob may name the state directory, with its own name at least partly written out."""
    if parts and parts[0] == "**":
        tail = [part for part in parts if part != "**"]
        return bool(tail) and root[-1] == tail[0] and root[-1].startswith(".")
    if len(parts) < len(root) and not tree:
        return False
    wild = False
    for have, want in zip(parts, root, strict=False):
        if have == want:
            continue
        if have == "**" or not WILD.search(have) or not re.fullmatch(component(have), want):
            return False
        wild = True
    return wild


def _doing(action: Touch) -> str:
    words = {"read": "reads", "write": "writes", "delete": "deletes", "list": "lists"}
    return words[action.mode] if action.certain else f"perhaps {words[action.mode]}"


def _programs(action: Touch, path: str, low: str, owned: tuple[str, ...]) -> Iterator[Finding]:
    """Changing, replacing or removing what runs when we are called."""
    head, _, base = low.rpartition("/")
    hit = any(
        low == one or low.startswith(one + "/") or (action.tree and action.mode == "delete" and _above(low, one))
        for one in owned
    )
    if not hit and base in OWN_PROGRAMS:
        hit = head.rpartition("/")[2] in BIN_FOLDERS
    if hit:
        reason = f"{_doing(action)} {path}, which is the guard itself"
        yield Finding("self/program", Level.BLOCK, reason, action=action, instead="a person can update or remove bk")


def _settings(action: Touch, path: str, low: str, facts: Facts) -> Iterator[Finding]:
    """Writes to settings files, judged by what would become of our entries; and to the folders around them."""
    scope = scope_of(path, facts.home, facts.cwd)
    if scope:
        problem = _becomes(action, path, scope, facts)
        if problem:
            reason = f"{_doing(action)} {path}: {problem}"
            yield Finding("self/hooks", Level.BLOCK, reason, action=action, instead=HOOK_ADVICE)
    elif action.tree and (
        _folder(low, facts.home.lower()) or (action.mode == "delete" and _above(low, f"{facts.home.lower()}/.claude"))
    ):
        reason = f"{_doing(action)} all of {path}, in which a harness keeps the hooks that call us"
        yield Finding("self/hooks", Level.BLOCK, reason, action=action, instead="name the files you mean, one by one")
    elif not action.certain and WILD.search(low) and _glob_settings(low):
        reason = f"{_doing(action)} {path}, which may be a file in which a harness keeps its hooks"
        yield Finding("self/hooks", Level.BLOCK, reason, action=action, instead=HOOK_ADVICE)


def _folder(low: str, home: str) -> bool:
    """A harness's folder in the home, or Claude Code's in any project."""
    head, _, name = low.rpartition("/")
    return name in FOLDERS and (name == ".claude" or head == home.rstrip("/"))


def _glob_settings(low: str) -> bool:
    """`~/.claude/*`, `.claude/settings*`, `~/.cl*/…`: a glob that spells out the folder or most of it."""
    parts = low.split("/")
    for index, part in enumerate(parts):
        if part in FOLDERS or (
            len(part.strip("*?[]")) > 2
            and WILD.search(part)
            and any(re.fullmatch(component(part), name) for name in FOLDERS)
        ):
            rest = parts[index + 1 :]
            return (
                not rest
                or (WILD.search(rest[0]) is not None and not rest[0].endswith((".md", ".txt")))
                or (rest[0].startswith("settings"))
            )
    return False


def _becomes(action: Touch, path: str, scope: str, facts: Facts) -> str:
    """What is wrong with what the file would become; "" when nothing is."""
    documents = facts.documents
    known = action.path in documents or path in documents
    before = documents.get(action.path, documents.get(path)) if known else None
    form = form_of(path)
    ours = holds_ours(before, form) if known else True
    if scope == "system":
        return "it is the administrator's"
    if action.mode == "delete":
        return "the entries that call us would be gone" if ours else ""
    if action.content is not None and not action.edits:
        texts: list[str] | None = [action.content]
    elif action.edits:
        texts = edited(before, action.edits) if known else None
        if texts is None and not ours:
            named = [name for name in KILL_SWITCHES if any(name in new for _, new, _ in action.edits)]
            return f"it would set {named[0]}, which silences hooks" if named else ""
    else:
        texts = None
    if texts is None or (not known and ours):
        if texts is not None:
            lost = next((one for text in texts if (one := loss(None, text, form))), "")
            return lost or "its present text is not known, so the change cannot be judged"
        return "what it would become cannot be computed"
    return next((one for text in texts if (one := loss(before, text, form))), "")
