"""Pictures of the dashboard on the committed sample: `python -m bench.screenshots`; `--record` decides it anew."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bk.engine.console.sample import fill, open_sample
from bk.engine.console.session import Session
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
from bk.tui.app import Dashboard

ROOT = Path(__file__).resolve().parent.parent
ENTRIES = ROOT / "fixtures" / "sample" / "entries.jsonl"
PICTURES = ROOT / "screenshots"
NOW = 1_763_739_000_000  # 21 Nov 2025, 15:30 UTC
HEALTH = {"hook": ("ok", ""), "engine": ("ok", ""), "chain": ("ok", "")}
SHOTS: tuple[tuple[str, tuple[int, int], str, tuple[str, ...]], ...] = (
    ("dashboard", (120, 36), "overview", ()),
    ("incident", (120, 36), "incidents", ("down", "down")),
    ("activity", (120, 36), "activity", ("down", "down")),
    ("small", (80, 24), "overview", ()),
    ("filter", (120, 36), "activity", ("slash", *"level", "colon", *"block", "enter")),
    ("light", (120, 36), "incidents", ("T",)),
    ("policy", (120, 36), "policy", ("down", "down")),
    ("config", (120, 36), "config", ("a",)),
    ("help", (100, 40), "incidents", ("question_mark",)),
)
INSTALLED: tuple[tuple[str, tuple[int, int], str, tuple[str, ...]], ...] = (
    ("quarantine", (120, 36), "quarantine", ()),
    ("corpus", (120, 36), "corpus", ("down",)),
    ("catalogs", (120, 36), "catalogs", ()),
)  # on the demo: it has things installed and held


class Still(Session):
    """A session whose health does not depend on the machine that draws the picture."""

    def health(self) -> dict[str, tuple[str, str]]:
        """All well."""
        return dict(HEALTH)


@contextmanager
def still_session(entries: Sequence[Entry] | None = None, *, why_not_admin: str = "") -> Iterator[Session]:
    """A session on a throw-away state that holds the committed sample, at a clock that stands still."""
    top = tempfile.mkdtemp(prefix="bkshot", dir="/tmp")
    state = State(f"{top}/h/.bk", f"{top}/h", os.geteuid())
    state.ensure()
    ledger = Ledger.open(state)
    ledger.append(recorded() if entries is None else entries)
    ledger.close()
    session = Still(state, why_not_admin=why_not_admin, host="laptop-7", shown_root="~/.bk", now=lambda: NOW)
    session.root = "/home/ada/.bk"
    try:
        yield session
    finally:
        session.close()
        shutil.rmtree(top, ignore_errors=True)


@contextmanager
def demo_session() -> Iterator[Session]:
    """The demo, as a person at a terminal has it."""
    session = open_sample()
    session.host, session.why_not_admin = "laptop-7", ""
    try:
        yield session
    finally:
        session.close()


def recorded() -> list[Entry]:
    """The committed entries."""
    said = [json.loads(line) for line in ENTRIES.read_text(encoding="utf-8").splitlines()]
    return [Entry(s["kind"], s["actor"], s["data"], level=s["level"], call=s["call"], at=s["at"]) for s in said]


def record() -> int:
    """Decide the sample's calls with the present checks and commit what the ledger then holds."""
    top = tempfile.mkdtemp(prefix="bkshot", dir="/tmp")
    state = State(f"{top}/h/.bk", f"{top}/h", os.geteuid())
    try:
        state.ensure()
        fill(state, NOW)
        ledger = Ledger.open(state)
        lines = []
        for entry in ledger.entries(limit=10_000):
            data = dict(entry.data)
            if "took_us" in data:
                data["took_us"] = 600 + entry.seq * 37 % 500  # a picture must not change with the machine's mood
            said = {"kind": entry.kind, "actor": entry.actor, "level": entry.level or "", "call": entry.call or ""}
            lines.append(json.dumps({**said, "at": entry.at, "data": data}, ensure_ascii=False, sort_keys=True))
        ledger.close()
    finally:
        shutil.rmtree(top, ignore_errors=True)
    ENTRIES.parent.mkdir(parents=True, exist_ok=True)
    ENTRIES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


async def shoot(
    name: str, size: tuple[int, int], screen: str, keys: Sequence[str], opened: AbstractContextManager[Session]
) -> None:
    """One picture of a screen, after these keys."""
    with opened as session:
        app = Dashboard(session, first=screen)
        async with app.run_test(size=size) as pilot:
            await app.workers.wait_for_complete()
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            await pilot.pause(0.2)
            await app.workers.wait_for_complete()
            await pilot.pause()
            (PICTURES / f"{name}.svg").write_text(app.export_screenshot(title="bk dashboard"), encoding="utf-8")
            app.exit()


def main() -> None:
    """Draw every picture."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name in [name for name in os.environ if name == "NO_COLOR" or name.startswith("TEXTUAL_")]:
        del os.environ[name]
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--record", action="store_true", help="decide the sample anew first")
    if options.parse_args().record:
        print(f"{record()} entries recorded in {ENTRIES.relative_to(ROOT)}")
    PICTURES.mkdir(exist_ok=True)
    for shots, opened in ((SHOTS, still_session), (INSTALLED, demo_session)):
        for name, size, screen, keys in shots:
            asyncio.run(shoot(name, size, screen, keys, opened()))
            print(f"screenshots/{name}.svg")


if __name__ == "__main__":
    main()
