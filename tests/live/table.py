"""docs/harnesses.md out of the results of the last runs: what was seen to stop which client, and what was not.

The rows that the page rests on are kept beside this file, so that a run of some clients leaves the others as they were.
Run as `python -m tests.live.table`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bk.engine.wiring.clients import BY_NAME as WIRED
from tests.live.cases import CASES, lacking
from tests.live.client import Client
from tests.live.clients import BY_NAME, CLIENTS
from tests.live.packages import TOOLS
from tests.live.words import ABOUT, CAVEATS, CONTRACT, MCP_ONLY, READING

Json = Any
Row = dict[str, Json]
PAGE = Path(__file__).parents[2] / "docs" / "harnesses.md"
KEPT = Path(__file__).with_name("seen.jsonl")
SEVERAL = "several"  # in the name of a run: it was not one
MARKS = {"passed": "yes", "failed": "NO", "not verified": "?"}


def latest(*paths: Path) -> dict[tuple[str, str], Row]:
    """What counts for each client, of the pinned release alone: the last run of all its cases, else each one's last."""
    rows = [json.loads(line) for path in paths if path.exists() for line in path.read_text().splitlines()]
    found: dict[tuple[str, str], Row] = {}
    for client in CLIENTS:
        wanted = wanted_of(client)
        runs: dict[str, dict[str, Row]] = {}
        for row in rows:
            if (row["client"], row["version"]) == (client.name, client.version) and row["case"] in wanted:
                runs.setdefault(row["run"], {})[row["case"]] = row
        whole = [run for run in sorted(runs) if len(runs[run]) == len(wanted)]
        for run in whole[-1:] or sorted(runs):
            found |= {(client.name, case): row for case, row in runs[run].items()}
    return found


def wanted_of(client: Client) -> list[str]:
    """The cases that a client can be put through."""
    return [case for case in CASES if not lacking(client, case)]


def page(rows: dict[tuple[str, str], Row]) -> str:
    """The whole page."""
    parts = [ABOUT, _clients(rows), READING, _cases(rows), _overhead(rows), CAVEATS, _own_caveats()]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def standing(rows: dict[tuple[str, str], Row], name: str) -> str:
    """How far a client was seen to be stopped: verified only when every case that it can be put through has passed."""
    client = BY_NAME[name]
    wanted = wanted_of(client)
    told = [rows[name, case] for case in wanted if (name, case) in rows]
    passed = sum(row["result"] == "passed" for row in told)
    runs = {row["run"] for row in told}
    over = " over several runs" if len(runs) > 1 or any(SEVERAL in run for run in runs) else ""
    if not passed:
        return "not verified"
    if passed < len(wanted):
        return f"in part: {passed} of {len(wanted)} cases{over}"
    return f"verified live, {passed} cases{over}"


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
        return "hidden" if notes["hidden"] else "remarked" if notes["told"] else "shown"
    return "yes"


def _overhead(rows: dict[tuple[str, str], Row]) -> str:
    lines = [
        "\n## What the hook costs\n",
        "Medians of the turns of two runs each, on a machine busy with other things: from the model's answer to the"
        "\nstart of the hook; the hook itself, from the start of its process to its end; and from that answer to the"
        "\nmodel's next request: without a hook, and how much more with those before and after the call. Some"
        "\nmilliseconds are the shell that writes the time down.\n",
        "| client | answer → hook, ms | the hook itself, ms | a turn without, ms | a turn with minus without, ms |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    for client in CLIENTS:
        notes = (rows.get((client.name, "overhead")) or {}).get("notes")
        if notes:
            hook = notes.get("hook_ms", "?")
            lines.append(
                f"| {client.name} | {notes['start_ms']} | {hook} | {notes['without_ms']} | {notes['turn_ms']} |"
            )
    return "\n".join(lines)


def _own_caveats() -> str:
    lines = ["\n## Client by client\n"]
    lines += [f"- **{each.title}**: {each.caveat}." for each in WIRED.values() if each.caveat]
    return "\n".join(lines)


def main() -> None:
    """Write the page."""
    rows = latest(KEPT, TOOLS.parent / "results.jsonl")
    KEPT.write_text("".join(json.dumps(rows[key], sort_keys=True) + "\n" for key in sorted(rows)))
    PAGE.write_text(page(rows))
    for client in CLIENTS:
        print(f"{client.name:<12} {client.version:<10} {standing(rows, client.name)}")


if __name__ == "__main__":
    main()
