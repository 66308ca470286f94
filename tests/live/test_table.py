"""What counts as verified, and that the page says what the kept rows say."""

from __future__ import annotations

import json
from pathlib import Path

from tests.live.clients import BY_NAME
from tests.live.table import KEPT, PAGE, latest, page, standing, wanted_of

CLIENT = BY_NAME["kimi"]
EARLY, LATE, LAST = (f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3))


def kept(folder: Path, *runs: tuple[str, list[str], str]) -> Path:
    path = folder / "rows"
    rows = [
        {"client": CLIENT.name, "version": CLIENT.version, "run": run, "case": case, "result": result, "notes": {}}
        for run, cases, result in runs
        for case in cases
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_last_run_of_all_cases_counts_alone(tmp_path: Path) -> None:
    wanted, other = wanted_of(CLIENT), tmp_path / "other"
    other.mkdir()
    path = kept(tmp_path, (EARLY, wanted, "failed"), (LATE, wanted, "passed"), (LAST, wanted[:3], "failed"))
    rows = latest(path)
    assert {row["run"] for row in rows.values()} == {LATE}
    assert standing(rows, CLIENT.name) == f"verified live, {len(wanted)} cases"
    later = latest(path, kept(other, (LAST, wanted, "failed")))
    assert standing(later, CLIENT.name) == "not verified"


def test_what_was_seen_piece_by_piece_says_so(tmp_path: Path) -> None:
    wanted = wanted_of(CLIENT)
    rows = latest(kept(tmp_path, (EARLY, wanted[:5], "failed"), (LATE, wanted[:-1], "passed")))
    assert standing(rows, CLIENT.name) == f"in part: {len(wanted) - 1} of {len(wanted)} cases"
    rows = latest(kept(tmp_path, (EARLY, wanted[:5], "passed"), (LATE, wanted[5:], "passed")))
    assert standing(rows, CLIENT.name) == f"verified live, {len(wanted)} cases over several runs"


def test_another_release_counts_for_nothing(tmp_path: Path) -> None:
    path = kept(tmp_path, (EARLY, wanted_of(CLIENT), "passed"))
    path.write_text(path.read_text().replace(CLIENT.version, "0.0.1"))
    assert standing(latest(path), CLIENT.name) == "not verified"


def test_the_page_is_what_was_seen() -> None:
    assert PAGE.read_text() == page(latest(KEPT)), "run `python -m tests.live.table`"
