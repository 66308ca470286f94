"""What is known of package releases beside threats: when they were published, by whom, what they run. A local cache.

It is filled in the background (`registry`); a decision only reads it, and notes what it would have liked to know.
"""

from __future__ import annotations

import os
import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Install, Json
    from bk.engine.state import State

NAME = "releases.db"
DAY_MS = 86_400_000
MAX_WANTED = 500
MAX_ROWS = 20_000
MAX_PEOPLE = 20
MAX_PERSON = 60
LAYOUT = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS release (
  ecosystem TEXT NOT NULL, name TEXT NOT NULL, asked TEXT NOT NULL, version TEXT NOT NULL, published_ms INTEGER,
  scripts TEXT, maintainers TEXT, newcomers TEXT, problem TEXT NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (ecosystem, name, asked)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wanted (
  ecosystem TEXT NOT NULL, name TEXT NOT NULL, asked TEXT NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (ecosystem, name, asked)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS source (ecosystem TEXT PRIMARY KEY, base TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
"""


class Release:
    """One answer: `asked` is the version as the command had it, `version` the release that it means.

    `newcomers` are those of its `maintainers` who had no part in the version before; None when that is not told.
    """

    __slots__ = (
        "asked", "ecosystem", "maintainers", "name", "newcomers", "problem", "published_ms", "scripts", "version",
    )  # fmt: skip

    def __init__(
        self,
        ecosystem: str,
        name: str,
        asked: str,
        *,
        version: str = "",
        published_ms: int | None = None,
        scripts: Sequence[str] | None = None,
        maintainers: Sequence[str] | None = None,
        newcomers: Sequence[str] | None = None,
        problem: str = "",
    ) -> None:
        self.ecosystem = ecosystem
        self.name = name
        self.asked = asked
        self.version = version
        self.published_ms = published_ms
        self.scripts = None if scripts is None else tuple(scripts)
        self.maintainers = _people(maintainers)
        self.newcomers = _people(newcomers)
        self.problem = problem


def _people(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Names as they are kept: without blanks inside, short, and not too many."""
    if names is None:
        return None
    return tuple("_".join(name.split())[:MAX_PERSON] for name in names[:MAX_PEOPLE] if name.strip())


def path_of(state: State) -> str:
    """The cache's place."""
    return f"{state.root}/{NAME}"


def known(
    state: State, policy: Mapping[str, Json], installs: Sequence[Install], now_ms: int
) -> dict[str, dict[str, Json]]:
    """What is known of each install, by its `target`; nothing for ecosystems of which no registry is known."""
    path = path_of(state)
    stored = os.path.exists(path)
    if not stored and not any(policy.get(f"posture.registries.{one.ecosystem}") for one in installs):
        return {}
    found: dict[str, dict[str, Json]] = {}
    con = None
    try:
        if stored:
            con = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.05)
        for one in installs:
            if one.target not in found and (policy.get(f"posture.registries.{one.ecosystem}") or _told(con, one)):
                found[one.target] = _one(con, one, now_ms)
    except sqlite3.Error as error:
        for one in installs:
            found.setdefault(one.target, {"problem": f"{NAME}: {error}"})
    finally:
        if con is not None:
            con.close()
    return found


def _told(con: sqlite3.Connection | None, one: Install) -> bool:
    """Whether a tool's own settings name a registry for it."""
    return con is not None and con.execute("SELECT 1 FROM source WHERE ecosystem = ?", (one.ecosystem,)).fetchone()


def _one(con: sqlite3.Connection | None, one: Install, now_ms: int) -> dict[str, Json]:
    wanted: Json = [one.ecosystem, one.name[:300], one.version[:100]]
    row = None
    if con is not None:
        row = con.execute(
            "SELECT version, published_ms, scripts, problem, at_ms, maintainers, newcomers FROM release"
            " WHERE ecosystem = ? AND name = ? AND asked = ?",
            wanted,
        ).fetchone()
    if row is None:
        return {"problem": "it is being looked up", "wanted": wanted}
    made: dict[str, Json] = {"version": row[0], "problem": row[3]}
    made["published_ms"] = row[1]
    made["scripts"] = None if row[2] is None else row[2].split()
    made["maintainers"] = None if row[5] is None else row[5].split()
    made["newcomers"] = None if row[6] is None else row[6].split()
    settled = row[0] == one.version and row[1] is not None
    if now_ms - row[4] > (30 * DAY_MS if settled else DAY_MS if not row[3] else DAY_MS // 24):
        made["wanted"] = wanted
    return made


def want(state: State, asked: Sequence[Sequence[str]], now_ms: int) -> None:
    """Note what the background should look up. Best effort: what is lost here is asked for again."""
    try:
        con = opened(state)
        try:
            held = con.execute("SELECT count(*) FROM wanted").fetchone()[0]
            if held < MAX_WANTED:
                rows = [(*one, now_ms) for one in asked if len(one) == 3]
                con.executemany("INSERT OR IGNORE INTO wanted VALUES (?, ?, ?, ?)", rows)
        finally:
            con.close()
    except (OSError, sqlite3.Error):
        return


def opened(state: State, wait_s: float = 0.25) -> sqlite3.Connection:
    """The cache, to write; made when it is not there."""
    path = path_of(state)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    con = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
    try:
        con.execute("PRAGMA journal_mode = DELETE")
        con.execute("PRAGMA synchronous = OFF")  # it is a cache
        if con.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
            con.executescript(f"DROP TABLE IF EXISTS release; PRAGMA user_version = {LAYOUT}")  # it fills again
        con.executescript(_SCHEMA)
    except BaseException:
        con.close()
        raise
    return con


def store(con: sqlite3.Connection, release: Release, now_ms: int) -> None:
    """Keep an answer, and stop wanting it."""
    scripts, maintainers, newcomers = (
        None if each is None else " ".join(each) for each in (release.scripts, release.maintainers, release.newcomers)
    )
    con.execute(
        "INSERT OR REPLACE INTO release VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            release.ecosystem, release.name, release.asked, release.version, release.published_ms, scripts,
            maintainers, newcomers, release.problem, now_ms,
        ),
    )  # fmt: skip
    key = (release.ecosystem, release.name, release.asked)
    con.execute("DELETE FROM wanted WHERE ecosystem = ? AND name = ? AND asked = ?", key)
    con.execute(
        "DELETE FROM release WHERE (ecosystem, name, asked) IN"
        " (SELECT ecosystem, name, asked FROM release ORDER BY at_ms DESC LIMIT -1 OFFSET ?)",
        (MAX_ROWS,),
    )
