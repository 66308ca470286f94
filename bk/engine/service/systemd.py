"""The engine as a systemd user service: started by the first client through a socket that systemd holds."""

from __future__ import annotations

import os
import sys

from bk.engine.errors import BkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.state import State

UNITS = ("bk-engine.socket", "bk-engine.service")
MARK = "# Written by `bk engine install`; `bk engine uninstall` removes it."
UNSAFE = frozenset(map(chr, range(0x20))) | {'"', "\\", "\x7f"}

SOCKET = """{mark}
[Unit]
Description=Beekeeper engine socket

[Socket]
ListenStream={socket}
SocketMode=0600
DirectoryMode=0700
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""

# Nothing here needs a mount or user namespace: those fail in containers, and a user namespace would change the uids
# that the peer check reads.
SERVICE = """{mark}
[Unit]
Description=Beekeeper engine: decides the tool calls of coding agents
Requires=bk-engine.socket
After=bk-engine.socket

[Service]
Type=notify
NotifyAccess=main
ExecStart={python} -I -m bk.serve
ExecReload=/bin/kill -HUP $MAINPID
Environment="HOME={home}" "BK_HOME={root}" "LANG=C.UTF-8"
WorkingDirectory=/
Restart=on-failure
RestartSec=100ms
KillSignal=SIGTERM
TimeoutStopSec=8
UMask=0077
LimitCORE=0
MemoryMax=512M
TasksMax=64
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
Also=bk-engine.socket
"""


def folder(state: State) -> str:
    """Where a user's units are."""
    return f"{state.home}/.config/systemd/user"


def unit_texts(state: State) -> dict[str, str]:
    """The units for this installation, by file name."""
    if state.placed:
        raise BkError(
            "a user service cannot be installed",
            "this installation is placed under its own user by /etc/bk/place",
            "install a system service that runs as that user",
        )
    values = {
        "mark": MARK,
        "socket": _escaped(state.socket),
        "python": '"' + _escaped(sys.executable).replace("$", "$$") + '"',
        "home": _escaped(state.home),
        "root": _escaped(state.root),
    }
    return {name: text.format(**values) for name, text in zip(UNITS, (SOCKET, SERVICE), strict=True)}


def install(state: State) -> list[str]:
    """Write the units; their paths. Refuses to replace a unit that somebody else wrote."""
    texts = unit_texts(state)
    where = folder(state)
    os.makedirs(where, mode=0o755, exist_ok=True)
    for name in texts:
        _refuse_others(f"{where}/{name}")
    for name, text in texts.items():
        beside = f"{where}/.{name}.{os.getpid()}"
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            os.write(fd, text.encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(beside, f"{where}/{name}")
    return [f"{where}/{name}" for name in texts]


def uninstall(state: State) -> list[str]:
    """Remove the units that `install` wrote; the paths that are gone."""
    found = [f"{folder(state)}/{name}" for name in UNITS if os.path.lexists(f"{folder(state)}/{name}")]
    for path in found:
        _refuse_others(path)
    for path in found:
        os.unlink(path)
    return found


def installed(state: State) -> bool:
    """Whether the units are there."""
    return all(os.path.exists(f"{folder(state)}/{name}") for name in UNITS)


def steps(verb: str) -> list[list[str]]:
    """What systemd must be told after `install`, or before (and after) `uninstall`."""
    reload = ["systemctl", "--user", "daemon-reload"]
    if verb == "install":
        return [reload, ["systemctl", "--user", "enable", "--now", UNITS[0]]]
    return [["systemctl", "--user", "disable", "--now", *UNITS], reload]


def tell(words: list[str]) -> str:
    """Run one systemctl command; why it failed, or ""."""
    import subprocess

    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit code {done.returncode}")


def _escaped(text: str) -> str:
    """A path as a unit file takes it: what looks like a specifier in it is none."""
    if UNSAFE & set(text):
        raise BkError("a user service cannot be installed", f"{text!r} has a character that unit files cannot hold")
    return text.replace("%", "%%")


def _refuse_others(path: str) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BkError("the unit cannot be replaced", f"{path}: {error.strerror}", "move it away") from error
    try:
        ours = os.read(fd, 200).decode(errors="replace").startswith(MARK)
    finally:
        os.close(fd)
    if not ours:
        raise BkError("the unit was written by somebody else", path, "move it away, or keep it and do not install")
