"""The command that a client is given: the guard, and a denial in the client's own words when there is none. Pure."""

from __future__ import annotations

import re
import shlex

GONE = "bk blocked this call: the guard did not answer (is bk installed?); a person can run: bk hooks status"
_OURS = re.compile(r"(?:^|[/\s'\"])bk-hook(?:\.exe)?['\"\\]*\s+--harness\s+([a-z0-9-]+)")


def line(program: str, client: str, *, deny: str, deny_exit: int, event: str = "") -> str:
    """A line for a shell. The guard's own answers (exit code 0 and 2) pass; anything else becomes a denial.

    A guard that is missing, was killed or broke ends with another code, and most clients let the call run then.
    """
    words = [program, "--harness", client, *(("--event", event) if event else ())]
    told = f"printf '%s\\n' {shlex.quote(deny.replace('%s', _quoted(GONE)))}; " if deny else ""
    call = " ".join(shlex.quote(word) for word in words)
    return f"{call}; c=$?; case $c in 0|2) exit $c;; esac; {told}echo {shlex.quote(GONE)} >&2; exit {deny_exit}"


def script(program: str, client: str, *, deny: str, deny_exit: int, event: str = "") -> str:
    """The same as a program, for clients that start a file of a fixed name."""
    told = line(program, client, deny=deny, deny_exit=deny_exit, event=event)
    return f"#!/bin/sh\n# Written by `bk hooks install`: each tool call is shown to the guard first.\n{told}\n"


def unshelled(told: str) -> str:
    """The line for a client that splits a command into words itself and starts no shell."""
    return f"/bin/sh -c {shlex.quote(told)}"


def client_of(told: str) -> str:
    """The client for which a command of ours asks the guard; "" for anybody else's command."""
    found = _OURS.search(told)
    return found[1] if found else ""


def program_of(told: str) -> str:
    """The guard that a command of ours starts; "" for any other command."""
    try:
        words = shlex.split(told)
    except ValueError:
        return ""
    if words[:2] == ["/bin/sh", "-c"] and len(words) == 3:
        return program_of(words[2])
    return words[0] if words and words[0].startswith("/") and client_of(told) else ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
