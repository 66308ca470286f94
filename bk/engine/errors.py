"""What can go wrong, said so that a person knows what to do next."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
DEGRADED = 3
TAMPERED = 4
DENIED = 5
WARNED, FOUND, PARTIAL = 10, 20, 30
INTERNAL = 70

EXIT_CODES = {
    OK: "done; for `bk check`: the call may run (allow or warn)",
    FAILED: "the thing asked for could not be done",
    USAGE: "the command line was wrong; for `bk-hook`: the call is denied",
    DEGRADED: "something works less well than it should (`bk diag`); `bk quarantine` refused to move",
    TAMPERED: "the ledger, or what is held, is not what it was",
    DENIED: "`bk check`: the call must not run, or a person must be asked",
    WARNED: "`bk scan`: something that is installed was reported, by too few to be sure",
    FOUND: "`bk scan`: something that is installed is known to be bad",
    PARTIAL: "`bk scan`: not everything could be looked at",
    INTERNAL: "a defect in bk",
}


class BkError(Exception):
    """An error a person meets: what failed, why, and what to do next. One screen, no traceback."""

    def __init__(self, title: str, detail: str = "", next_step: str = "", *, code: int = FAILED) -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.next_step = next_step
        self.code = code

    def __str__(self) -> str:
        return ": ".join(part for part in (self.title, self.detail) if part)


class Refusal(BkError):  # noqa: N818 - it is an answer, not a mishap
    """A call that cannot be decided. `cause` is the machine word that the ledger and `fail_mode` see."""

    def __init__(self, cause: str, detail: str, next_step: str = "") -> None:
        super().__init__(cause, detail, next_step)
        self.cause = cause
