"""Writing rule files: from a template, in their one form, or taken over. A person's verbs, each recorded first."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from bk.engine.config import snapshot
from bk.engine.config.files import replace, take
from bk.engine.console.config import Proposal, propose_settings
from bk.engine.console.gate import require_admin
from bk.engine.console.installation import here, ready
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.rulebook import beekeeper
from bk.engine.rulebook.layers import MAX_BYTES
from bk.engine.rulebook.places import PACKS, SUFFIX, files_in, user_folder
from bk.engine.rules.errors import RuleErrors
from bk.engine.rules.format import formatted
from bk.engine.state import State
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

_STEM = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
TEMPLATE = """# {name}: rules of your own. They count from the next call on; `bk rules test` tries the examples.
#
# A rule is a tier and a name, then indented clauses:
#   block       the call is refused, and the agent reads the nudge
#   suspicious  a person is asked
#   warn        it runs, and is noted
#
# `why` is for people, `nudge` tells the agent what to do instead. Each `match` is an alternative; `unless` takes away.
# A match that begins with a matcher looks at what a call would do, however it is spelled; anything else is a regex.
# docs/rules.md has every matcher, and a walk from here to a rule that you can trust.

suspicious "deploy-to-production"
  why "reaches people who did not ask for it"
  nudge "deploy to staging first; {{rule}} asks a person before production"
  match command("deploy") with_args("prod", "production")
  unless command("deploy") with_flags("--help", "--dry-run")
  example bad deploy --verbose production
  example bad sudo deploy prod
  example good deploy staging
  example good deploy production --dry-run
"""


class Formatted:
    """One file and its one form. `wrong` tells why it has none."""

    __slots__ = ("after", "before", "mode", "path", "wrong")

    def __init__(self, path: str, before: str, after: str, *, wrong: str = "", mode: int = 0o600) -> None:
        self.path = path
        self.before = before
        self.after = after
        self.wrong = wrong
        self.mode = mode

    @property
    def changed(self) -> bool:
        """Whether writing it would change it."""
        return not self.wrong and self.before != self.after

    def told(self) -> dict[str, Json]:
        """The outcome for a program."""
        return {"file": self.path, "changed": self.changed, "wrong": self.wrong}


class Takeover:
    """A Beekeeper policy as it would be taken over: nothing is written before `make`."""

    __slots__ = ("_env", "found", "path", "settings", "source")

    def __init__(self, source: str, env: Mapping[str, str] | None = None) -> None:
        state = here(env)
        self._env = env
        self.source = source
        self.found = beekeeper.read(source)
        stem = re.sub(r"[^a-z0-9_-]+", "-", os.path.basename(source).lower().removesuffix(".json")).strip("-_")
        self.path = f"{user_folder(state)}/{stem[:50] or 'beekeeper'}{SUFFIX}"
        self.settings: Proposal | None = None
        if self.found.settings:
            self.settings = propose_settings(state, self.found.settings, "rules import")
        if self.found.rules:
            _free(self.path)

    @property
    def anything(self) -> bool:
        """Whether there is something to save."""
        return bool(self.found.rules or (self.settings is not None and self.settings.diff))

    def make(self, *, admin: bool) -> None:
        """Record and save the settings and the rule file."""
        require_admin(admin, self._env)
        state = ready(self._env)
        if self.settings is not None:
            self.settings.make(admin=admin, actor=_person())
        if self.found.rules:
            count = len(self.found.rules)
            _record(state, {"verb": "rules import", "what": self.path, "of": self.source, "rules": count})
            _write(self.path, self.found.text)

    def told(self) -> dict[str, Json]:
        """The takeover for a program."""
        settings = self.settings.told() if self.settings is not None else None
        return {
            "policy": self.found.name, "file": self.path if self.found.rules else "", "text": self.found.text,
            "settings": settings, "translated": [list(each) for each in self.found.done],
            "left": [list(each) for each in self.found.left],
        }  # fmt: skip


def new(name: str, *, admin: bool, env: Mapping[str, str] | None = None) -> str:
    """Write a rule file to start from into the user's rules; its path."""
    stem = name.removesuffix(SUFFIX)
    if _STEM.fullmatch(stem) is None:
        told = "letters a-z, digits, - and _ name a rule file"
        raise BkError("a rule file cannot have this name", f"{inert(name, 60)!r}", told, code=USAGE)
    require_admin(admin, env)
    state = ready(env)
    path = f"{user_folder(state)}/{stem}{SUFFIX}"
    if f"{stem}{SUFFIX}" in files_in(PACKS):
        raise BkError("that name is a built-in pack's", stem, f"bk rules new my-{stem}", code=USAGE)
    _free(path)
    _record(state, {"verb": "rules new", "what": path})
    _write(path, TEMPLATE.format(name=stem))
    return path


def in_form(paths: Sequence[str] = (), env: Mapping[str, str] | None = None) -> list[Formatted]:
    """The files, or all of the user's, beside their one form. Nothing is written."""
    folder = user_folder(here(env))
    found: list[Formatted] = []
    for path in paths or [f"{folder}/{name}" for name in files_in(folder)]:
        try:
            if not path.endswith(SUFFIX):
                raise BkError("", f"{path}: rule files end in {SUFFIX}")
            text = take(path, MAX_BYTES, (os.geteuid(), 0), shared=True)
            if text is None:
                raise BkError("", f"{path}: there is no such file")
            mode = os.stat(path).st_mode & 0o777
            found.append(Formatted(path, text, formatted(text), mode=mode))
        except BkError as error:
            found.append(Formatted(path, "", "", wrong=error.detail))
        except RuleErrors as wrong:
            found.append(Formatted(path, "", "", wrong=f"line {wrong.errors[0].line}: {wrong.errors[0].message}"))
    return found


def write_form(found: Sequence[Formatted], *, admin: bool, env: Mapping[str, str] | None = None) -> None:
    """Put the files that are not in their one form into it."""
    changed = [each for each in found if each.changed]
    if not changed:
        return
    require_admin(admin, env)
    own = next((each.path for each in changed if os.path.realpath(each.path).startswith(PACKS + "/")), "")
    if own:
        raise BkError("built-in rules are not yours to write", own, "copy the rule into a file of your own")
    state = ready(env)
    _record(state, {"verb": "rules fmt", "what": changed[0].path, "files": [each.path for each in changed]})
    for each in changed:
        if take(each.path, MAX_BYTES, (os.geteuid(), 0), shared=True) != each.before:
            raise BkError("the file was changed meanwhile", each.path, "run `bk rules fmt` again")
        replace(each.path, each.after.encode(), each.mode)


def _free(path: str) -> None:
    if os.path.lexists(path):
        raise BkError("there is such a file already", path, "choose another name, or edit that one")


def _write(path: str, text: str) -> None:
    """A file that was not there before, in a folder that is ours alone."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _free(path)
    try:
        replace(path, text.encode())
    except OSError as error:
        raise BkError("the rule file cannot be saved", f"{path}: {error.strerror}") from error


def _record(state: State, data: Mapping[str, Json]) -> None:
    patterns = snapshot.read(state).values["audit.redact_patterns"]
    ledger = Ledger.open(state, redact=redactor(patterns))
    try:
        ledger.append([Entry("admin", _person(), data)], sync=True)
    finally:
        ledger.close()


def _person() -> str:
    return f"person:{os.getuid()}"
