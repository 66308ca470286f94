"""What the resident engine puts on record of how this release stands: each thing once, however often it starts."""

from __future__ import annotations

from blake3 import blake3

from bk.engine.errors import BkError
from bk.engine.model import Entry
from bk.engine.own.memory import TOLD, was_told
from bk.engine.own.standing import LISTED, OVERRULED, REFUSED, VERIFY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.own.standing import Standing
    from bk.engine.state import State

TITLES = {
    LISTED: "this release of bk is listed as compromised: every call is blocked",
    REFUSED: "the list of compromised releases cannot be trusted: every call is blocked",
    OVERRULED: "this release of bk is listed as compromised, and a person released this machine",
    "expired": "the list of compromised releases has expired",
}


def news(state: State, standing: Standing, now_ms: int) -> list[Entry]:
    """The incident that this standing is, if it is one and was not recorded before."""
    word = "expired" if standing.word not in TITLES and standing.expired(now_ms) else standing.word
    if word not in TITLES:
        return []
    call = TOLD + blake3(f"{word}|{standing.matter}".encode()).hexdigest(16)
    try:
        if was_told(state, call):
            return []
    except BkError:
        return []  # the ledger says by itself what is wrong with it
    detail = standing.detail or f"it holds as it was accepted (serial {standing.serial})"
    data = {
        "incident": f"self-{word}",
        "title": TITLES[word],
        "detail": detail,
        "next_step": standing.next_step or VERIFY,
        "kind": standing.kind,
        "entries": standing.idents,
        "serial": standing.serial,
    }
    return [Entry("incident", "engine", data, level="block" if word in (LISTED, REFUSED) else "warn", call=call)]
