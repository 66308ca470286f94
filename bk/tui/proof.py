"""What can be proved about one entry, told to a person."""

from __future__ import annotations

from bk.engine.console import audit
from bk.text import inert
from bk.tui.words import moment


def proof_told(shown: audit.Shown) -> list[tuple[str, str]]:
    """What can be proved about an entry, as styled parts."""
    entry, proof = shown.entry, shown.proof
    whole = ("its text has the hash it was chained with\n", "$success") if shown.intact else (
        "its text does NOT have the hash it was chained with\n", "bold $error")  # fmt: skip
    told = [(f"entry #{entry.seq:,}, {moment(entry.at)}\n\n", "bold"), whole]
    if proof is None:
        return [*told, (f"no signed checkpoint covers it yet: {inert(shown.problem, 300)}\n", "$text-quiet")]
    if proof.holds:
        told.append(("the path to the signed checkpoint holds for this installation's key\n\n", "bold $success"))
    else:
        told.append((f"the proof does NOT hold: {inert(proof.why, 300)}\n\n", "bold $error"))
    for name, value in proof.told.items():
        text = "\n".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        lines = [inert(line, 200) for line in text.splitlines()]
        told += [(f"{inert(str(name), 11):<12}", "$text-quiet"), (f"\n{' ' * 12}".join(lines) + "\n", "")]
    return [*told, ("\nanyone can check it: ", "$text-quiet"), (f"bk audit show {entry.seq} --json\n", "$secondary")]
