"""Commands for another machine, a container or a cluster: what is before them, and the place they run in."""

from __future__ import annotations

from bk.engine.lower import downloads, inside
from bk.engine.lower.abroad import AWS, DOORS, SSH
from bk.engine.lower.doors import enter
from bk.engine.lower.flow import settle
from bk.engine.model import Touch
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

_MOUNTING = frozenset(("docker", "podman", "nerdctl"))


def carry(
    shell: Shell, mark: int, name: str, args: Sequence[str], *, stdin: Stream | None, fed: Stream | None
) -> Stream | None:
    """The door, and what it leads to on this machine too: local helper programs, folders mounted into a container."""
    if name in _LOCAL:
        _options(shell, name, args)
    special = _OWN.get(name)
    if special is not None:
        special(shell, args)
    before = len(shell.scope.actions)
    out = enter(DOORS, shell, mark, name, args, stdin=stdin, fed=fed) if name in DOORS else None
    if name == "gh" and out is None:
        out = settle(shell, mark, name, stdin, None)
    if name in _MOUNTING and len(shell.scope.actions) > before:
        _mounted(shell, args, before)
    return out


_LOCAL = frozenset(("ssh", "slogin", "autossh", "mosh"))
_HELPERS = ("proxycommand", "localcommand", "knownhostscommand")


def _options(shell: Shell, name: str, args: Sequence[str]) -> None:
    """`-o ProxyCommand=…` and its like run here, not there."""
    found = inside.split(args, frozenset((SSH + " -M --ssh").split()))
    for value in found.values("-o"):
        key, _, text = value.replace("=", " ", 1).partition(" ")
        text = text.strip().strip("\"'")
        if key.lower() in _HELPERS and text and text.lower() != "none":
            inside.text(shell, text, (f"{name} {key}",))
    for value in found.values("--ssh"):
        inside.text(shell, value, (f"{name} --ssh",))


def _mounts(args: Sequence[str]) -> list[tuple[str, str]]:
    """(outside, inside) of every bind mount that can be written."""
    found: list[tuple[str, str]] = []
    for index, word in enumerate(args):
        name, equals, value = word.partition("=")
        if not equals:
            value = args[index + 1] if index + 1 < len(args) else ""
            if name[:2] == "-v" and len(name) > 2:
                name, value = "-v", word[2:]
        if name in ("-v", "--volume") and ":" in value:
            outer, within, *mode = value.split(":")
            if outer[:1] in ("/", "~", ".", "$") and "ro" not in mode:
                found.append((outer, within))
        elif name == "--mount":
            parts = dict(part.partition("=")[::2] for part in value.split(","))
            outer = parts.get("source") or parts.get("src") or ""
            within = parts.get("target") or parts.get("dst") or parts.get("destination") or ""
            if outer[:1] in ("/", "~", ".", "$") and within and "readonly" not in parts and "ro" not in parts:
                found.append((outer, within))
    return found


def _mounted(shell: Shell, args: Sequence[str], before: int) -> None:
    """What happens to a mounted folder inside happens to it outside."""
    scope = shell.scope
    mounts = _mounts(args)
    if not mounts:
        return
    for action in scope.actions[before:]:
        if type(action) is not Touch or action.mode == "list" or not action.where:
            continue
        for outer, within in mounts:
            base = within.rstrip("/")
            if action.path == (base or "/") or action.path.startswith(base + "/"):
                scope.touch(
                    outer.rstrip("/") + action.path[len(base) :] or "/",
                    action.mode,
                    tree=action.tree,
                    content=action.content,
                    certain=action.certain,
                    via=action.via[len(scope.via) :],
                )
                break


def _ansible(shell: Shell, args: Sequence[str]) -> None:
    """`ansible HOSTS -m MODULE -a ARGUMENTS`: the command modules carry shell text, `file` deletes."""
    takes = names(
        "-m -a -i -u -l -f -e -T -t -o -M -P -B --module-name --args --inventory --user --limit --forks --extra-vars"
        " --become-user --become-method --private-key --key-file --timeout --module-path --poll --background -c"
        " --connection --vault-password-file"
    )
    options, hosts = inside.all_options(args, takes)
    module = (options.value("-m", "--module-name") or "command").rpartition(".")[2]
    text = options.value("-a", "--args")
    where = f"ssh:{hosts[0] if hosts else 'all'}"
    if module in ("shell", "command", "raw", "win_shell", "win_command") and text:
        text = text.removeprefix("cmd=")
        inside.far(shell, where, text, None, ("ansible",))
    elif module == "file" and "state=absent" in text:
        for part in text.split():
            key, _, value = part.partition("=")
            if key in ("path", "dest", "name"):
                inside.far(shell, where, ["rm", "-rf", value], None, ("ansible",))


def _aws(shell: Shell, args: Sequence[str]) -> None:
    """`aws ssm send-command --parameters commands=…`: a JSON list, a JSON object, or one bare command."""
    if "send-command" not in args and "start-session" not in args:
        return
    takes = frozenset((AWS + " --parameters --document-name --instance-ids --targets --target --comment").split())
    options, _ = inside.all_options(args, takes)
    where = f"ssh:{options.value('--instance-ids', '--target', '--targets') or 'aws'}"
    for value in options.values("--parameters"):
        for text in _commands(value):
            inside.far(shell, where, text, None, ("aws ssm",))


def _commands(value: str) -> list[str]:
    import json

    body = value.strip()
    for key in ("commands=", "command="):
        if body.startswith(key):
            body = body[len(key) :]
            break
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return [body.strip("[]\"'")]
    if isinstance(said, dict):
        said = said.get("commands") or said.get("command") or []
    return [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, str)]


def _salt(shell: Shell, args: Sequence[str]) -> None:
    """`salt '*' cmd.run TEXT`."""
    for at, word in enumerate(args[:-1]):
        if word in ("cmd.run", "cmd.shell", "cmd.run_all", "cmd.run_stdout"):
            where = f"ssh:{args[at - 1] if at else '*'}"
            inside.far(shell, where, args[at + 1], None, ("salt",))


def _gh(shell: Shell, args: Sequence[str]) -> None:
    """What it downloads lies here afterwards, from another machine."""
    downloads.gh(args, shell.scope)


_OWN = {"gh": _gh, "ansible": _ansible, "aws": _aws, "salt": _salt}
