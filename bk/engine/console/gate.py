"""Who may steer: a person at a terminal, said with `--admin`, and no agent above this process.

The check holds against an agent that runs `bk` itself; it cannot hold against one that owns the user's account,
which is what running the engine under its own uid is for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from bk.engine.errors import BkError

# What an agent's process is called, or sets for its children. Names match whole path components, not substrings.
NAMES = frozenset(
    ("claude", "claude-code", "codex", "gemini", "gemini-cli", "cursor-agent", "opencode", "hermes", "hermes-agent",
     "aider", "goose", "amp", "crush", "qwen", "qwen-code", "copilot", "droid", "cline", "kilo", "openclaw",
     "openhands", "plandex", "auggie", "kimi", "continue-cli")
)  # fmt: skip
MARKERS = (
    "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CODEX_SANDBOX", "CODEX_THREAD_ID", "GEMINI_CLI", "CURSOR_AGENT",
    "OPENCODE", "HERMES_AGENT", "QWEN_CODE", "GOOSE_TERMINAL", "AMP_CURRENT_THREAD_ID", "COPILOT_CLI", "BK_AGENT_ID",
    "BK_AGENT_DEPTH",
)  # fmt: skip
RUNNERS = re.compile(r"(?:node|nodejs|bun|deno|npx|uvx?|pipx|python[\d.]*|ruby|env|sh|bash|dash|zsh)\Z")
PACKAGES = {
    "@anthropic-ai/claude-code": "claude",
    "@openai/codex": "codex",
    "@google/gemini-cli": "gemini",
    "opencode-ai": "opencode",
    "@qwen-code/qwen-code": "qwen",
    "@sourcegraph/amp": "amp",
    "@github/copilot": "copilot",
}
MAX_DEPTH = 64


class Ancestor:
    """One process above this one."""

    __slots__ = ("argv", "name", "pid")

    def __init__(self, pid: int, name: str, argv: tuple[str, ...]) -> None:
        self.pid = pid
        self.name = name
        self.argv = argv

    @property
    def agent(self) -> str:
        """The agent this process is, or ""."""
        if self.name in NAMES:
            return self.name
        words = self.argv[: 4 if self.argv and RUNNERS.match(_base(self.argv[0])) else 1]
        for word in words:
            if _base(word) in NAMES:
                return _base(word)
            for package, agent in PACKAGES.items():
                if f"/{package}/" in word or word == package or word.startswith(f"{package}@"):
                    return agent
        return ""


def require_admin(admin: bool, env: Mapping[str, str] | None = None) -> None:
    """Let a person pass; raise BkError with the sentence that says why not."""
    why = why_not(admin, env)
    if why:
        raise BkError("this needs a person", why, "run it with --admin, yourself, in your own terminal")


def why_not(admin: bool, env: Mapping[str, str] | None = None, *, pid: int = 0, terminal: str = "/dev/tty") -> str:
    """The sentence that says why admin verbs are refused here; "" when they are not."""
    if not admin:
        return "it changes how you are guarded, so it must be asked for with --admin"
    if not _has_terminal(terminal):
        return "there is no controlling terminal: admin verbs are for a person at one"
    seen = os.environ if env is None else env
    marker = next((name for name in MARKERS if seen.get(name)), "")
    if marker:
        return f"the environment says that an agent started this ({marker} is set)"
    for ancestor in ancestors(pid or os.getpid()):
        if ancestor.agent:
            return f"an agent started this: {ancestor.agent} is process {ancestor.pid} above it"
    return ""


def ancestors(pid: int) -> list[Ancestor]:
    """The processes above `pid`, nearest first; ends where /proc can no longer be read."""
    found: list[Ancestor] = []
    while len(found) < MAX_DEPTH:
        pid = _parent(pid)
        if pid < 1:
            break
        name, argv = _names(pid)
        found.append(Ancestor(pid, name, argv))
    return found


def _has_terminal(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.isatty(fd)
    finally:
        os.close(fd)


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read(4096)
    except OSError:
        return 0
    # the name stands in brackets and may hold any byte, so fields are counted after the last one
    fields = text.rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _names(pid: int) -> tuple[str, tuple[str, ...]]:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            name = file.read(64).strip()
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            words = file.read(8192).split("\0")
    except OSError:
        return "", ()
    return name, tuple(word for word in words if word)


def _base(word: str) -> str:
    base = word.rsplit("/", 1)[-1]
    return base.removesuffix(".js").removesuffix(".mjs").removesuffix(".exe")
