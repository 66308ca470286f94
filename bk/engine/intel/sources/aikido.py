"""Aikido's malware lists: one row a version, with the reason why it is listed.

Only MALWARE is malware. A package that phones home or protests is listed too, and said to be no worse than it is.
"""

from __future__ import annotations

from functools import partial

from bk.engine.intel.sources.shape import elements, mapping, text, understood, weakest
from bk.engine.intel.sources.source import Fetched, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Web

BASE = "https://malware-list.aikido.dev"
LISTS = {"malware_predictions.json": "npm", "malware_pypi.json": "pypi"}
REASONS = {"MALWARE": "critical", "PROTESTWARE": "medium", "TELEMETRY": "low"}
UNKNOWN = "medium"
EVERY = "*"
LIST_MAX = 256 * 1024 * 1024


def parse(data: bytes, batch: Batch, ecosystem: str) -> None:
    """Add one list; the versions of a package that are listed for one reason make one claim."""
    listed: dict[tuple[str, str], list[str]] = {}
    strange = set()
    for element in elements(data):
        row = mapping(element, "a row")
        reason = text(row.get("reason"), "a reason")
        if reason not in REASONS:
            strange.add(reason[:80])
        key = (text(row.get("package_name"), "a package name"), REASONS.get(reason, UNKNOWN))
        listed.setdefault(key, []).append(text(row.get("version"), "a version"))
    while listed:
        (name, severity), versions = listed.popitem()
        exact = [version for version in versions if version != EVERY]
        if len(exact) < len(versions):
            batch.add(ecosystem, name, "every", severity=severity)
        if exact:
            batch.add(ecosystem, name, "exact", exact, severity=severity)
    for reason in sorted(strange):
        batch.note(f"rated {UNKNOWN}, no reason that is known: {reason!a}")


class Aikido(Source):
    """The lists that Aikido's safe-chain uses; they may be asked for, and not be passed on."""

    name = "aikido"
    title = "Aikido malware lists"
    group = "aikido"
    licence = "none stated; may be used, is never shipped"
    about = "npm and PyPI versions that Aikido found to be malware, telemetry or protestware."
    hosts = ("malware-list.aikido.dev",)

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:  # noqa: ARG002 - the Web writes there
        """Ask for both lists."""
        base = (setting.url or BASE).rstrip("/")
        got = [web.get(f"{base}/{name}", name, max_bytes=LIST_MAX) for name in LISTS]
        return Fetched(weakest(*(each.provenance for each in got)), changed=any(each.changed for each in got))

    def parse(self, folder: str, batch: Batch) -> None:
        """Add what both lists say."""
        for name, ecosystem in LISTS.items():
            understood(f"{folder}/{name}", partial(parse, batch=batch, ecosystem=ecosystem))
