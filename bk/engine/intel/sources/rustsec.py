"""RustSec advisories: Markdown with a TOML head that names the versions which are *not* affected."""

from __future__ import annotations

import re
import tomllib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.intel.sources import Batch

_HEAD = re.compile(r"\s*```toml\n(.*?)\n```", re.DOTALL)
_BOUND = re.compile(r"\s*(<=|>=|<|>)\s*(\d+\.\d+\.\d+[^\s,]*)\s*", re.ASCII)


def parse(data: bytes, batch: Batch) -> None:
    """Add one advisory about malicious code."""
    found = _HEAD.match(data.decode())
    if found is None:
        raise ValueError("no TOML head")
    head = tomllib.loads(found[1])
    advisory, versions = head["advisory"], head["versions"]
    name, ident, date = advisory["package"], advisory["id"], str(advisory["date"])
    clean = [*versions.get("patched", ()), *versions.get("unaffected", ())]
    if "withdrawn" in advisory:
        batch.withdraw("cargo", name, {ident, *advisory.get("aliases", ())}, (), every=True)
        return
    left = affected(clean)
    if left is None:
        batch.note(f"left out, bounds not understood: {ident} {clean}")
    elif not left:
        batch.add("cargo", name, "every", ident=ident, date=date)
    elif left[0].startswith("="):
        batch.add("cargo", name, "exact", [left[0][1:]], ident=ident, date=date)
    else:
        batch.add("cargo", name, "range", left, ident=ident, date=date)


def affected(clean: Sequence[str]) -> list[str] | None:
    """What is left between clean versions below and clean versions above: nothing clean leaves every version, [].

    `["< 1.4.1", "> 1.4.1"]` leaves one version, told as `=1.4.1`. None when the bounds are of another shape.
    """
    below = above = None
    for text in clean:
        found = _BOUND.fullmatch(text)
        if found is None:
            return None
        if found[1][0] == "<":
            if below is not None:
                return None
            below = found
        else:
            if above is not None:
                return None
            above = found
    low = high = ""
    if below is not None:
        low = (">" if below[1] == "<=" else ">=") + below[2]
    if above is not None:
        high = ("<" if above[1] == ">=" else "<=") + above[2]
    if low and high and below is not None and above is not None and below[2] == above[2]:
        return ["=" + below[2]] if low.startswith(">=") and high.startswith("<=") else None
    return [",".join(part for part in (low, high) if part)] if low or high else []
