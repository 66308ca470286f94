"""The stand-in itself: a program of the standard library alone, put on the PATH under a package manager's name.

It hands its arguments to the guard as they are, and becomes the real program when the guard lets it. No shell stands
in between: dash drops variables whose names it does not like, and npm's settings have such names. It runs in the
Python below bk's own environment, so that it can still say what to do when bk has been removed.
"""

from __future__ import annotations

import os
import shlex
import sys

TEXT = """#!{python} -IS
# Written by `bk shim install`: what {name} is asked to do is shown to the guard first.
import json
import os
import signal
import subprocess
import sys

NAME, GUARD, HERE, MARK = {name!r}, {guard!r}, {folder!r}, {mark!r}
UNDO = {undo!r}
SECONDS = 30


def real():
    \"\"\"The program of this name further down the PATH that is no stand-in, whoever put it there.\"\"\"
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", NAME)
        if os.path.isfile(path) and os.access(path, os.X_OK) and not stands_in(path):
            return path
    stop(127, "bk: there is no other " + NAME + " on the PATH")


def stands_in(path):
    if os.path.dirname(os.path.realpath(path)) == HERE:
        return True
    try:
        with open(path, "rb") as file:
            return MARK in file.read(200)
    except OSError:
        return False


def stop(code, why):
    sys.stderr.buffer.write(os.fsencode(why.rstrip("\\n") + "\\n"))
    sys.stderr.flush()
    os._exit(code)


def refuse(why):
    stop(2, (why or "bk: the guard did not answer, so nothing was run") + "\\nbk: " + NAME + " was not run")


def main():
    program = real()
    words = [os.fsencode(word).decode("utf-8", "replace") for word in (NAME, *sys.argv[1:])]
    try:
        cwd = os.getcwd()
    except OSError:
        refuse("bk: the directory that this is in is gone")
    asked = {{"event": "pre", "tool": "run", "input": {{"command": words}}, "cwd": cwd}}
    try:
        told = subprocess.run(
            [GUARD, "--harness", "shim"], input=json.dumps(asked).encode(), capture_output=True, timeout=SECONDS
        )
        said = json.loads(told.stdout) if told.returncode == 0 and told.stdout.strip() else {{}}
    except subprocess.TimeoutExpired:
        refuse("bk: the guard did not answer within %d s" % SECONDS)
    except OSError as error:
        refuse("bk: the guard cannot be started (" + str(error.strerror) + "). " + UNDO)
    except ValueError:
        refuse("bk: the guard's answer cannot be read")
    if told.returncode != 0:
        refuse(told.stderr.decode("utf-8", "replace"))
    if isinstance(said, dict) and said.get("warning"):
        sys.stderr.write(str(said["warning"]) + "\\n")
        sys.stderr.flush()
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and what it becomes would inherit that
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execv(program, [program, *sys.argv[1:]])
    except OSError as error:
        stop(126, "bk: " + program + " cannot be started (" + str(error.strerror) + ")")


try:
    main()
except KeyboardInterrupt:
    os._exit(130)
"""
MARK = b"# Written by `bk shim install`"
MANAGERS = (
    "npm", "npx", "pnpm", "pnpx", "yarn", "bun", "bunx", "deno", "pip", "pip3", "pipx", "uv", "uvx", "poetry", "pdm",
    "conda", "mamba", "cargo", "go", "gem", "bundle", "composer", "dotnet", "brew",
)  # fmt: skip


SHEBANG_MAX = 120


def interpreter() -> str:
    """A Python that a first line can name: that of the machine, which outlives bk's own environment."""
    for path in (os.path.realpath(sys.executable), sys.executable, "/usr/bin/python3"):
        if len(path) <= SHEBANG_MAX and not any(each.isspace() for each in path) and os.access(path, os.X_OK):
            return path
    return sys.executable


def text(name: str, *, python: str, guard: str, folder: str) -> str:
    """The program for one manager."""
    undo = f"Was bk removed? Then take its stand-ins away too: rm -r {shlex.quote(folder)}"
    return TEXT.format(name=name, python=python, guard=guard, folder=folder, mark=MARK, undo=undo)
