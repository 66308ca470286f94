"""Which of all labels counts: a person's over an automatic one, then the stronger, then the later. Pure.

A weaker label never takes the place of a stronger one. What takes another label back is a person's undo, or the
withdrawal of the very confirmation that catalogs had given; what was taken back counts no more, unless taking it back
was itself undone.
"""

from __future__ import annotations

from bk.engine.corpus.shapes import (
    BENIGN,
    CONFIDENCES,
    CONFIRMATION,
    MALICIOUS,
    POLICY_CORRECT,
    UNDO,
    UNRESOLVED,
    WITHDRAWN,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.corpus.shapes import Label
    from bk.engine.model import Json

DENIED = ("ask", "block", "quarantine")


def current(labels: Sequence[Label]) -> Label | None:
    """The label that counts now, of all that were ever given to one cluster in the order in which they were given."""
    best: Label | None = None
    for label in standing(labels):
        if best is None or rank(label) >= rank(best):
            best = label
    return best


def standing(labels: Sequence[Label]) -> list[Label]:
    """The labels that claim something and were not taken back."""
    taken = taken_back(labels)
    return [label for label in labels if label.id not in taken and label.source != UNDO]


def taken_back(labels: Sequence[Label]) -> set[str]:
    """The ids of what was taken back, by something that was not itself taken back.

    Whoever takes an automatic confirmation back takes back what was confirmed before it, too: that was the same claim
    with other weights.
    """
    gone: set[str] = set()
    place = {label.id: at for at, label in enumerate(labels)}
    for at in reversed(range(len(labels))):
        label = labels[at]
        target = place.get(label.supersedes, at)
        if target >= at or label.id in gone or not may_take_back(label, labels[target]):
            continue  # what is taken back was given before
        gone.add(labels[target].id)
        if confirms(labels[target]):
            gone.update(each.id for each in labels[:target] if confirms(each))
    return gone


def confirms(label: Label) -> bool:
    """Whether it is what catalogs say."""
    return label.source == CONFIRMATION and not label.human


def may_take_back(label: Label, target: Label) -> bool:
    """Whether one label may take another back."""
    if label.human and label.source == UNDO:
        return True
    return label.source == WITHDRAWN and confirms(target)


def rank(label: Label) -> tuple[bool, int]:
    """What decides between two labels, the greater winning; of equals the one that was given later, whatever the
    clock said then."""
    return label.human, -CONFIDENCES.index(label.confidence)


def was_correct(true_label: str, level: str) -> bool | None:
    """Whether the decision was the right one, now that it is known what it was about; None while it is not."""
    if true_label == UNRESOLVED:
        return None
    if true_label == POLICY_CORRECT:
        return True
    stopped = level in DENIED
    return stopped if true_label == MALICIOUS else not stopped if true_label == BENIGN else None


def outcome(label: Label | None, level: str) -> dict[str, Json]:
    """The third layer of an event, as it is now."""
    if label is None:
        return {"true_label": UNRESOLVED}
    return {
        "true_label": label.true_label, "label": label.id, "source": label.source, "confidence": label.confidence,
        "human": label.human, "tier": label.tier, "resolved_ms": label.at_ms,
        "was_correct": was_correct(label.true_label, level),
    }  # fmt: skip
