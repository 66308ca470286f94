"""How fresh the threat catalogs are, and which voices are in them: what an install is told beside the matches.

News is a source that was asked and answered, or an import by a person; that there was nothing new is news too. Before
the first of these, the facts that came with the release count from the day they were put in force.
"""

from __future__ import annotations

import os
import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.intel.index import Index
    from bk.engine.model import Json
    from bk.engine.state import State

DAY_MS = 86_400_000
STORE = "catalogs.db"
NEVER = 36_500
ON_DEMAND = frozenset(("socket",))  # asked about single packages: that it does not list one means nothing


def told(state: State, index: Index | None, policy: Mapping[str, Json], now_ms: int) -> dict[str, Json]:
    """`stale_days` (None while fresh), `date` of the generation, and its `groups` with the ecosystems each knows."""
    days = stale_days(last_news_ms(state, index, policy), policy, now_ms)
    made: dict[str, Json] = {"stale_days": days}
    if index is not None:
        meta = index.meta
        groups: dict[str, list[str]] = {}
        dates = [""]
        for name, source in (meta.get("sources") or {}).items():
            if not isinstance(source, dict) or name in ON_DEMAND:
                continue
            dates.append(str(source.get("date", ""))[:10])
            if source.get("group") and source.get("ecosystems"):
                known = groups.setdefault(str(source["group"]), [])
                known += [each for each in source["ecosystems"] if each not in known]
        made["groups"] = groups
        made["date"] = max(dates) or str(meta.get("built", ""))[:10]
    return made


def stale_days(news_ms: int, policy: Mapping[str, Json], now_ms: int) -> int | None:
    """Whole days without news when that is longer than the policy allows, else None."""
    days = (now_ms - news_ms) // DAY_MS if news_ms else NEVER
    return int(days) if days >= int(policy.get("catalog_sync.stale_days", 7)) else None


def last_news_ms(state: State, index: Index | None, policy: Mapping[str, Json]) -> int:
    """When a source that is switched on last answered; 0 when that can never have been."""
    newest = _answered_ms(f"{state.intel}/{STORE}", policy)
    if newest or index is None:
        return newest
    try:
        return int(os.stat(index.path).st_mtime * 1000)
    except OSError:
        return 0


def _answered_ms(path: str, policy: Mapping[str, Json]) -> int:
    """The last success of any source; 0 when none is known. A store that cannot be read tells of no news."""
    if not os.path.exists(path):
        return 0
    try:
        con = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.05)
        try:
            found = con.execute("SELECT name, last_success_ms FROM source").fetchall()
        finally:
            con.close()
    except sqlite3.Error:
        return 0
    return max((when for name, when in found if policy.get(f"catalogs.{name}.enabled", True)), default=0)
