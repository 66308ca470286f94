"""docs/harnesses.md out of the results of the last runs: what was seen to stop which client, and what was not.

Run as `python -m tests.live.table [RESULTS [PAGE]]`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bk.engine.wiring.clients import BY_NAME as WIRED
from tests.live.cases import CASES, lacking
from tests.live.clients import BY_NAME, CLIENTS
from tests.live.packages import TOOLS
from tests.live.words import ABOUT, CAVEATS, CONTRACT, MCP_ONLY, READING

Json = Any
Row = dict[str, Json]
PAGE = Path(__file__).parents[2] / "docs" / "harnesses.md"
MARKS = {"passed": "yes", "failed": "NO", "not verified": "?"}


def latest(path: Path) -> dict[tuple[str, str], Row]:
    """The last result of each client and case, for the pinned release alone."""
    found: dict[tuple[str, str], Row] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        row = json.loads(line)
        if row["client"] in BY_NAME and row["version"] == BY_NAME[row["client"]].version and row["case"] in CASES:
            found[row["client"], row["case"]] = row
    return found


def page(rows: dict[tuple[str, str], Row]) -> str:
    """The whole page."""
    parts = [ABOUT, _clients(rows), READING, _cases(rows), _overhead(rows), CAVEATS, _own_caveats()]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def standing(rows: dict[tuple[str, str], Row], name: str) -> str:
    """How far a client was seen to be stopped: verified only when every case that it can be put through has passed."""
    client = BY_NAME[name]
    wanted = [case for case in CASES if not lacking(client, case)]
    told = [rows[name, case]["result"] for case in wanted if (name, case) in rows]
    passed = told.count("passed")
    if not passed:
        return "not verified"
    return f"verified live, {passed} cases" if passed == len(wanted) else f"in part: {passed} of {len(wanted)} cases"


def _clients(rows: dict[tuple[str, str], Row]) -> str:
    lines = ["| client | name in bk | release | date | standing | scopes |", "|---|---|---|---|---|---|"]
    for client in CLIENTS:
        dates = [row["date"] for (name, _), row in rows.items() if name == client.name and row["result"] == "passed"]
        wired = WIRED[client.name]
        lines.append(
            f"| {wired.title} | {client.name} | {client.version} | {max(dates, default='')} "
            f"| {standing(rows, client.name)} | {', '.join(wired.plans)} |"
        )
    for wired in map(WIRED.__getitem__, CONTRACT):
        row = f"| {wired.title} | {wired.name} | | | contract-tested | {', '.join(wired.plans)} |"
        lines += [row]
    lines += [f"| {title} | | | | MCP only | |" for title in MCP_ONLY]
    return "\n".join(lines)


def _cases(rows: dict[tuple[str, str], Row]) -> str:
    names = [client.name for client in CLIENTS]
    lines = ["| case | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for case in CASES:
        if case != "overhead":
            cells = [_cell(rows.get((name, case)), lacking(BY_NAME[name], case)) for name in names]
            lines.append(f"| {case} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: Row | None, lack: str) -> str:
    if lack:
        return "–"
    if row is None:
        return "?"
    if row["result"] != "passed":
        return MARKS[row["result"]]
    notes = row.get("notes") or {}
    if row["case"] == "hostile-user" and not notes["stops"]:
        return "named"
    if row["case"] == "warn" and not notes["told"]:
        return "unheard"
    if notes.get("told") is False and row["case"] != "warn":
        return "yes, unsaid" if row["case"] != "post" else "shown"
    if row["case"] == "post":
        return "by itself" if notes.get("by") else "hidden" if notes["hidden"] else "shown"
    return "yes"


def _overhead(rows: dict[tuple[str, str], Row]) -> str:
    lines = [
        "\n## What the hook costs\n",
        "Medians of the turns of one run each, on a machine busy with other things: from the model's answer"
        "\nto the start of the hook, and from that answer to the model's next request: without a hook, and how much"
        "\nmore with those before and after the call. Some milliseconds are the shell that writes the time down.\n",
        "| client | answer → hook, ms | a turn without, ms | a turn with minus without, ms |", "|---|---|---|---|",
    ]  # fmt: skip
    for client in CLIENTS:
        notes = (rows.get((client.name, "overhead")) or {}).get("notes")
        if notes:
            lines.append(f"| {client.name} | {notes['start_ms']} | {notes['without_ms']} | {notes['turn_ms']} |")
    return "\n".join(lines)


def _own_caveats() -> str:
    lines = ["\n## Client by client\n"]
    lines += [f"- **{each.title}**: {each.caveat}." for each in WIRED.values() if each.caveat]
    return "\n".join(lines)


def main() -> None:
    """Write the page."""
    results = Path(sys.argv[1]) if len(sys.argv) > 1 else TOOLS.parent / "results.jsonl"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else PAGE
    rows = latest(results)
    target.write_text(page(rows))
    for client in CLIENTS:
        print(f"{client.name:<12} {client.version:<10} {standing(rows, client.name)}")


if __name__ == "__main__":
    main()
