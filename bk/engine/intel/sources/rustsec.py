"""RustSec advisories: Markdown with a TOML head that names the versions which are *not* affected."""

from __future__ import annotations

import re
import tomllib

from bk.engine.intel.sources.shape import mapping, text, texts, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.intel.sources import Batch

MALICIOUS = "malicious"
_TITLE = re.compile(r"^#[^#\n]*\bmalicious\b", re.MULTILINE | re.IGNORECASE)
_HEAD = re.compile(r"\s*```toml\n(.*?)\n```", re.DOTALL)
_BOUND = re.compile(r"\s*(<=|>=|<|>)\s*(\d+\.\d+\.\d+[^\s,]*)\s*", re.ASCII)


def parse(data: bytes, batch: Batch) -> None:
    """Add one advisory, if it is about malicious code."""
    whole = written(data).replace("\r\n", "\n")
    found = _HEAD.match(whole)
    if found is None:
        raise ValueError("no TOML head")
    try:
        head = tomllib.loads(found[1])
    except RecursionError as error:
        raise ValueError("its TOML head is nested too deeply") from error
    advisory, versions = mapping(head.get("advisory"), "advisory"), mapping(head.get("versions"), "versions")
    name, ident = text(advisory.get("package"), "package"), text(advisory.get("id"), "id")
    date = str(advisory.get("date", ""))
    listed = texts(advisory.get("categories", []), "categories")
    if MALICIOUS not in listed and not (advisory.get("expect-deleted") and _TITLE.search(whole)):
        batch.note(f"left out, not about malicious code: {ident}")
        return
    clean = [*texts(versions.get("patched", []), "patched"), *texts(versions.get("unaffected", []), "unaffected")]
    if "withdrawn" in advisory:
        batch.withdraw("cargo", name, {ident, *texts(advisory.get("aliases", []), "aliases")}, (), every=True)
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
    for bound in clean:
        found = _BOUND.fullmatch(bound)
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
