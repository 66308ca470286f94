"""What a client of the hook asks: the bytes it was given, and where it stood when it was started."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The only variables that leave the hook's process. The native client holds the same list in the same order.
VARIABLES = (
    "BK_FAIL_MODE",
    "BK_AGENT_ID",
    "BK_PARENT_AGENT_ID",
    "BK_AGENT_DEPTH",
    "BK_AGENT_LINEAGE",
    "CLAUDE_PROJECT_DIR",
    "HOME",
)
DEADLINE_MS = 5000


class Request:
    """One hook call before anything in it is believed. `nonce` names it in the ledger, warm and cold alike."""

    __slots__ = ("body", "cwd", "deadline_ms", "env", "event", "harness", "home", "nonce")

    def __init__(  # noqa: PLR0917 - the order of the frame
        self,
        harness: str,
        event: str,
        cwd: str,
        home: str,
        nonce: str,
        env: Mapping[str, str],
        body: bytes,
        deadline_ms: int = DEADLINE_MS,
    ) -> None:
        self.harness = harness
        self.event = event
        self.cwd = cwd
        self.home = home
        self.nonce = nonce
        self.env = dict(env)
        self.body = body
        self.deadline_ms = deadline_ms

    def claims(self) -> dict[str, str]:
        """What the environment says of the agent and of the guard's strictness: recorded, never trusted."""
        return {name: self.env[name] for name in VARIABLES if name.startswith("BK_") and self.env.get(name)}
