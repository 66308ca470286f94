"""A project's own rules: `.bk/rules/*.rules` from the working directory up. They are in the agent's reach, so they can
only add: what is wrong with them is told and costs nobody else's rule anything.
"""

from __future__ import annotations

import os
import stat
import time

from blake3 import blake3

from bk.engine.config.files import racy
from bk.engine.config.snapshot import above
from bk.engine.rulebook.places import PROJECT, PROJECT_FOLDER, code, files_in, look
from bk.engine.rulebook.sealed import head_of, written
from bk.engine.rules.book import Rulebook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.config.policy import Policy
    from bk.engine.model import Json
    from bk.engine.rulebook.book import InForce
    from bk.engine.rulebook.layers import Gathered, Source
    from bk.engine.state import State

PREFIX = "project."
MAX_FOLDERS = 8
MAX_FILES = 32
MAX_BYTES = 128 << 10
MAX_RULES = 500
MAX_PROBLEMS = 12
_CACHE_MAX = 64
_KEPT_MAX = 64

_books: dict[tuple[object, ...], InForce] = {}


def with_project(base: InForce, state: State, policy: Policy, cwd: str, home: str, *, keep: bool = True) -> InForce:
    """The rules for a call made in `cwd`; the same object where no project has rules of its own. Never raises.

    Without `keep` nothing is written: a policy that is only tried out must not take the place of the one in force.
    """
    found = [path for folder in above(cwd, home) if os.access(path := f"{folder}/{PROJECT_FOLDER}", os.F_OK)]
    if not found:
        return base
    seen = [each for folder in found[::-1][:MAX_FOLDERS] for each in look(folder)]
    asked = (base.digest, base.problems, policy.digest, home, len(found), repr(seen))
    known = _books.get(asked)
    if known is not None:
        return known
    head = _head(state, policy, home, found[::-1], seen, keep=keep)
    made = base.with_project([Rulebook.load(head["book"])], head["problems"])
    if not head["racy"]:
        if len(_books) >= _CACHE_MAX:
            _books.clear()
        _books[asked] = made
    return made


def _head(
    state: State, policy: Policy, home: str, folders: Sequence[str], seen: Sequence[Json], *, keep: bool
) -> Mapping[str, Json]:
    """The compiled rules of these folders: kept beside the others', compiled anew when something changed."""
    name = blake3("\0".join([home, *folders]).encode(errors="replace")).hexdigest(8)
    path = f"{state.root}/run/rules-{name}.json"
    sources = [*code(), *seen]
    head = head_of(path, state.owner)
    if head is not None and not head["racy"] and head["policy"] == policy.digest and head["sources"] == sources:
        return head
    from bk.engine.config.compiled import store

    book, problems = _compiled(_gather(folders, home), policy)
    now = time.time_ns()
    fresh = {
        "sources": sources,
        "racy": any(racy(stamped, now) for _, stamped in seen),
        "policy": policy.digest,
        "problems": problems,
        "notes": [],
        "book": book,
    }
    if keep:
        _make_room(f"{state.root}/run")
        store(path, written(fresh, []))
    return fresh


def _gather(folders: Sequence[str], home: str) -> Gathered:
    """Every file of the folders that can be read within bounds."""
    from bk.engine.config.files import unfit
    from bk.engine.errors import BkError
    from bk.engine.rulebook.layers import Gathered, one
    from bk.engine.rules.errors import RuleErrors

    found = Gathered()
    room, rules = MAX_BYTES, MAX_RULES
    owners = _owners(home)
    if len(folders) > MAX_FOLDERS:
        many = unfit(folders[-1], f"there are {len(folders)} folders of project rules; {MAX_FOLDERS} are read", "")
        found.faults.append((PROJECT, folders[-1], many))
    for folder in folders[:MAX_FOLDERS]:
        try:
            _plain(folder)
        except BkError as error:
            found.faults.append((PROJECT, folder, error))
            continue
        names = files_in(folder)
        if len(names) > MAX_FILES:
            many = unfit(folder, f"it holds {len(names)} rule files; {MAX_FILES} are read", "put rules together")
            found.faults.append((PROJECT, folder, many))
        for name in names[:MAX_FILES]:
            path = f"{folder}/{name}"
            try:
                source: Source = one(PROJECT, path, owners, cap=room, prefix=PREFIX)
                if len(source.rules) > rules:
                    raise unfit(path, f"the project has more than {MAX_RULES} rules", "put them into your own rules")
            except (BkError, RuleErrors) as error:
                found.faults.append((PROJECT, path, error))
            else:
                room -= len(source.text.encode())
                rules -= len(source.rules)
                found.sources.append(source)
    return found


def _compiled(found: Gathered, policy: Policy) -> tuple[Json, list[str]]:
    """What is right of them, and a sentence for what is not."""
    from bk.engine.rulebook.making import lists_of
    from bk.engine.rules.compile import compiled
    from bk.engine.rules.errors import RuleErrors

    told = found.told()
    lists, off = lists_of(policy), policy.values["rules.disabled"]
    while True:
        try:
            book = compiled(found.packs(), lists, off, policy.values["rules.profile"])
            break
        except RuleErrors as wrong:
            found.faults.clear()
            found.blame(wrong)
            told += found.told()
            right = found.right()
            if len(right.sources) == len(found.sources):
                right.sources.clear()
            found = right
    problems = [f"{each}; the project's other rules and all of yours are in force" for each in told]
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS:] = [f"{len(problems) - MAX_PROBLEMS} more problems in project rules"]
    return book, problems


def gathered(cwd: str, home: str) -> Gathered:
    """The files of the project around `cwd`, for people who look at them."""
    found = [path for folder in above(cwd, home) if os.access(path := f"{folder}/{PROJECT_FOLDER}", os.F_OK)]
    return _gather(found[::-1], home)


def _plain(folder: str) -> None:
    from bk.engine.config.files import unfit

    try:
        info = os.lstat(folder)
    except OSError as error:
        raise unfit(folder, error.strerror or "it cannot be looked at", "make it readable") from error
    if not stat.S_ISDIR(info.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(info.st_mode) else "not a folder"
        raise unfit(folder, f"it is {what}", f"a project's rules are real files in a real {PROJECT_FOLDER}")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise unfit(folder, "it cannot be read", f"chmod u+rx {folder}")


def _owners(home: str) -> tuple[int, ...]:
    """Whose project files count: ours, root's, and those of whoever the home belongs to."""
    own = os.geteuid()
    try:
        return (own, 0, os.stat(home).st_uid)
    except (OSError, ValueError):
        return (own, 0)


def _make_room(run: str) -> None:
    """Projects come and go: the snapshots that were not made for longest are dropped."""
    try:
        kept = [entry for entry in os.scandir(run) if entry.name.startswith("rules-") and entry.name.endswith(".json")]
        if len(kept) >= _KEPT_MAX:
            kept.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
            for entry in kept[: len(kept) - _KEPT_MAX + 1]:
                os.unlink(entry.path)
    except OSError:
        return  # another process tidied at the same moment, or there is nothing to tidy
