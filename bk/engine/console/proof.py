"""Proofs about single entries and about growth, with the answer to whether they hold for this installation's key."""

from __future__ import annotations

from typing import Any

from bk.engine.errors import BkError
from bk.engine.ledger.note import BadNote, Note, public_key, unverified
from bk.engine.ledger.prove import check, check_growth, prove, prove_growth
from bk.engine.state import State

Json = Any


class Proof:
    """A proof that anyone can check with the public key. `why` says what does not hold, when it does not."""

    def __init__(self, told: dict[str, Json], key: str, note: Note | None, why: str) -> None:
        self.told = told
        self.key = key
        self.note = note
        self.why = why

    @property
    def holds(self) -> bool:
        """Whether it leads to a checkpoint that this installation's key signed."""
        return not self.why

    def as_json(self) -> dict[str, Json]:
        """The proof, the key to check it with, and the outcome here."""
        return {**self.told, "public_key": self.key or None, "holds": self.holds, "why": self.why}


def inclusion(state: State, seq: int) -> Proof:
    """That this entry is in the ledger that a checkpoint signed; raises BkError while none covers it."""
    told = prove(state, seq)
    public = public_key(state.keys)
    why = "there is no public key to check it with" if public is None else ""
    if public is not None:
        try:
            check(told, public)
        except BkError as error:
            why = error.detail or error.title
    return Proof(told, "" if public is None else str(public), _note(told["checkpoint"]), why)


def growth(state: State, old: str, new: str) -> Proof:
    """That the ledger of one checkpoint begins with all of an older one's; both are notes."""
    try:
        told = prove_growth(state, old, new)
    except BadNote as bad:
        raise BkError(
            "a checkpoint cannot be read", bad.detail, "give two notes as `bk audit checkpoint` prints"
        ) from bad
    public = public_key(state.keys)
    why = "there is no public key to check it with" if public is None else ""
    if public is not None:
        try:
            check_growth(told, public)
        except BkError as error:
            why = error.detail or error.title
    return Proof(told, "" if public is None else str(public), _note(new), why)


def _note(text: str) -> Note | None:
    try:
        return unverified(text)
    except BadNote:
        return None
