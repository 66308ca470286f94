"""Commands that git is told to run: aliases, helpers, filters, hooks by option, and the texts of its own loops."""

from __future__ import annotations

import re

from bk.engine.lower import inside
from bk.engine.lower.words import Dim
from bk.engine.lower.wrappers import glued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.shell import Shell

_KEYS = (
    r"(?i)(?:core\.(?:pager|editor|sshcommand|fsmonitor|askpass|gitproxy|alternaterefscommand)|sequence\.editor"
    r"|diff\.external|diff\.[^.]+\.(?:command|textconv)|(?:diff|merge)tool\.[^.]+\.cmd|merge\.[^.]+\.driver"
    r"|filter\.[^.]+\.(?:clean|smudge|process)|gpg\.(?:[^.]+\.)?program|pager\.\w+|interactive\.difffilter"
    r"|sendemail\.(?:smtpserver|tocmd|cccmd)|uploadpack\.packobjectshook|credential\.(?:.*\.)?helper|alias\.[\w.-]+"
    r"|remote\.[^.]+\.(?:uploadpack|receivepack)|trailer\.[^.]+\.(?:command|cmd)|web\.browser|browser\.[^.]+\.cmd"
    r"|tar\.[^.]+\.command|guitool\.[^.]+\.cmd|man\.[^.]+\.cmd|instaweb\.httpd|submodule\.[^.]+\.update)"
)
_RUNS = {
    "rebase": ("-x", "--exec"),
    "difftool": ("-x", "--extcmd"),
    "filter-branch": (
        "--env-filter", "--tree-filter", "--index-filter", "--parent-filter", "--msg-filter", "--commit-filter",
        "--tag-name-filter", "--setup",
    ),
    "clone": ("-u", "--upload-pack"),
    "fetch": ("--upload-pack",),
    "pull": ("--upload-pack",),
    "ls-remote": ("--upload-pack", "--exec"),
    "push": ("--receive-pack", "--exec"),
    "archive": ("--exec",),
    "fetch-pack": ("--upload-pack", "--exec"),
    "send-pack": ("--receive-pack", "--exec"),
    "send-email": ("--smtp-server", "--to-cmd", "--cc-cmd", "--sendmail-cmd"),
    "grep": ("-O", "--open-files-in-pager"),
    "hook": (),
}  # fmt: skip
_TAKES = frozenset(
    ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--super-prefix", "--config-env")
)
_EDITORS = frozenset(("vim", "vi", "nano", "emacs", "code", "cat", "true", "less", "more", "delta", "ssh", ":"))


def carried(shell: Shell, args: Sequence[str]) -> None:
    """Everything git would run among its arguments."""
    given = inside.split(args, _TAKES)
    for value in given.values("-c"):
        key, equals, text = value.partition("=")
        if equals:
            _setting(shell, key, Dim(text) if type(value) is Dim else text)
    if not given.rest:
        return
    verb, rest = given.rest[0], given.rest[1:]
    if verb == "config":
        operands = [word for word in rest if word[:1] != "-"]
        if operands[:1] == ["set"]:
            operands = operands[1:]
        if len(operands) > 1:
            _setting(shell, operands[0], operands[1])
        return
    if verb == "clone":
        for at, word in enumerate(rest[:-1]):
            if word in ("-c", "--config"):
                key, _, text = rest[at + 1].partition("=")
                _setting(shell, key, text)
    for word in rest:
        if word.startswith("ext::"):
            text = re.sub(r"%(.)", lambda match: " " if match[1] == " " else match[1], word[5:])
            inside.text(shell, Dim(text) if type(word) is Dim else text, ("git ext",))
    _options(shell, verb, rest)
    if verb == "submodule" and "foreach" in rest:
        words = [
            word for word in rest[list(rest).index("foreach") + 1 :] if word not in ("--recursive", "-q", "--quiet")
        ]
        if words:
            inside.text(shell, glued(words), ("git submodule foreach",))
    elif verb == "bisect" and rest[:1] and rest[0] == "run":
        inside.run(shell, rest[1:], ("git bisect run",))
    elif verb == "for-each-repo":
        inside.run(shell, ["git", *inside.split(rest, frozenset(("--config",))).rest], ("git for-each-repo",))
    elif verb == "-p" and rest:
        carried(shell, rest)


def _options(shell: Shell, verb: str, rest: Sequence[str]) -> None:
    wanted = _RUNS.get(verb, ())
    for at, word in enumerate(rest):
        name, equals, value = word.partition("=")
        for option in wanted:
            hit = name == option or (option[:2] == "--" and len(name) > 5 and option.startswith(name))
            glue = word[2:] if len(option) == 2 and word[:2] == option and len(word) > 2 else ""
            text = ""
            if glue:
                text = glue
            elif hit:
                text = value if equals else rest[at + 1] if at + 1 < len(rest) and option not in ("-O",) else ""
            if text and text.rsplit("/", 1)[-1] not in ("git-upload-pack", "git-receive-pack"):
                inside.text(shell, Dim(text) if type(word) is Dim else text, (f"git {verb} {option}",))
                break


def _setting(shell: Shell, key: str, text: str) -> None:
    """A setting whose value is a command. Aliases run git unless they start with `!`."""
    if not text or re.fullmatch(_KEYS, key) is None:
        return
    low = key.lower()
    if low.startswith(("alias.", "credential.", "submodule.")):
        if text[:1] == "!":
            inside.text(shell, _rest(text), (f"git {low}",))
        elif low.startswith("alias."):
            inside.text(shell, "git " + text if type(text) is not Dim else Dim("git " + text), (f"git {low}",))
        elif "/" in text[:1]:
            inside.text(shell, text, (f"git {low}",))
        return
    first = text.split(maxsplit=1)[0].rsplit("/", 1)[-1] if text.split() else ""
    if first in _EDITORS and not any(mark in text for mark in ";|&$`"):
        return
    if text.lower() in ("true", "false"):
        return
    inside.text(shell, text.removeprefix("!") if type(text) is not Dim else text, (f"git {low}",))


def _rest(text: str) -> str:
    return Dim(text[1:]) if type(text) is Dim else text[1:]
