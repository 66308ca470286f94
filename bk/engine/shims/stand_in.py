"""The stand-in itself: a program of the standard library alone, put on the PATH under a package manager's name.

It hands its arguments to the guard as they are, and becomes the real program when the guard lets it.
"""

from __future__ import annotations

TEXT = '''#!{python} -IS
# Written by `bk shim install`: what {name} is asked to do is shown to the guard first.
import json
import os
import subprocess
import sys

NAME, GUARD, HERE = {name!r}, {guard!r}, {folder!r}


def real():
    """The program of this name further down the PATH."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", NAME)
        if os.path.realpath(folder or ".") != HERE and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    sys.stderr.write(f"bk: there is no other {{NAME}} on the PATH\\n")
    raise SystemExit(127)


def main():
    program = real()
    words = [os.fsencode(word).decode("utf-8", "replace") for word in (NAME, *sys.argv[1:])]
    asked = {{"event": "pre", "tool": "run", "input": {{"command": words}}, "cwd": os.getcwd()}}
    try:
        told = subprocess.run([GUARD, "--harness", "shim"], input=json.dumps(asked).encode(), capture_output=True)
        code, said, why = told.returncode, told.stdout, told.stderr
    except OSError as error:
        code, said, why = 2, b"", f"bk: the guard cannot be started ({{error.strerror}})\\n".encode()
    if code != 0:
        sys.stderr.buffer.write(why or b"bk: the guard did not answer, so nothing was run\\n")
        sys.stderr.write(f"bk: {{NAME}} was not run\\n")
        raise SystemExit(2)
    if said.strip():
        sys.stderr.write(str(json.loads(said).get("warning", "")) + "\\n")
    os.execv(program, [sys.argv[0], *sys.argv[1:]])


main()
'''
MARK = b"# Written by `bk shim install`"
MANAGERS = (
    "npm", "npx", "pnpm", "pnpx", "yarn", "bun", "bunx", "deno", "pip", "pip3", "pipx", "uv", "uvx", "poetry", "pdm",
    "conda", "mamba", "cargo", "go", "gem", "bundle", "composer", "dotnet", "brew",
)  # fmt: skip


def text(name: str, *, python: str, guard: str, folder: str) -> str:
    """The program for one manager."""
    return TEXT.format(name=name, python=python, guard=guard, folder=folder)
