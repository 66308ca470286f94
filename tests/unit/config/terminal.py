"""Running a command as a person would: on a terminal of its own, with no agent above it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

# detaches first, so that whatever runs the tests is no ancestor; then makes the terminal its own
LAUNCH = """
import json, os, subprocess, sys
name, said, words, env = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
if os.fork():
    os._exit(0)
os.setsid()
tty = os.open(name, os.O_RDWR)
done = subprocess.run(words, stdin=tty, stdout=tty, stderr=tty, env=env)
open(said + ".new", "w").write(str(done.returncode))
os.rename(said + ".new", said)
"""


def as_person(words: list[str], env: dict[str, str], folder: Path, answer: str = "") -> tuple[int, str]:
    """Exit code and everything shown."""
    master, slave = pty.openpty()
    code = folder / "exit-code"
    code.unlink(missing_ok=True)
    launch = [sys.executable, "-c", LAUNCH, os.ttyname(slave), str(code), json.dumps(words), json.dumps(env)]
    subprocess.run(launch, check=True, timeout=30)
    os.set_blocking(master, False)
    if answer:
        os.write(master, answer.encode())
    shown = b""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        done = code.exists()
        try:
            shown += os.read(master, 65536)
        except (BlockingIOError, OSError):
            if done:
                break
            time.sleep(0.01)
    os.close(master)
    os.close(slave)
    return int(code.read_text()), shown.decode()
