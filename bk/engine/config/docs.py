"""Writes docs/configuration.md from the schema: `python -m bk.engine.config.docs > docs/configuration.md`."""

from __future__ import annotations

import json

from bk.engine.config.key import Key
from bk.engine.config.policy import PROJECT, SYSTEM
from bk.engine.config.schema import KEYS

TITLES = {
    "": "When a call cannot be decided",
    "hook": "Limits of a call",
    "parser": "Commands that cannot be seen through",
    "paths": "Places",
    "destroy": "What may be deleted",
    "egress": "Where calls connect",
    "rules": "Rules",
    "executables": "Programs",
    "lists": "Lists of your own",
    "secrets": "Secrets",
    "posture": "How packages are installed",
    "catalog_sync": "Threat catalogs: when and how they are brought up to date",
    "catalogs": "Threat catalogs: who is asked",
    "self_catalog": "Compromised releases of bk",
    "corroboration": "How many sources it takes",
    "auto_quarantine": "Holding what is installed",
    "quarantine": "What is held",
    "scan": "Looking at what is installed",
    "watch": "Looking at what is being installed",
    "corpus": "What things turned out to be",
    "notify": "Telling a person",
    "audit": "The ledger",
    "engine": "The resident engine",
}
INTRO = f"""# Configuration

<!-- Generated from the schema: python -m bk.engine.config.docs > docs/configuration.md -->

Settings are TOML in `~/.bk/config.toml`. A file that states nothing is a good one: every key has a default.

```
bk config show --origin            every value, and the layer it comes from
bk config set fail_mode warn --admin
bk config add paths.block '~/clients/**'
bk config edit --admin             your editor on a copy; validated, compared, then saved
```

## Layers

Later layers win, and the last two can only tighten:

| layer | where | may |
|---|---|---|
| built-in | the schema | |
| system | `{SYSTEM}`, owned by root and writable by root alone | set and lock any key |
| user | `~/.bk/config.toml` | set any key that is not locked, loosen where the tables say so |
| project | every `{PROJECT}` from the working directory up, below the home directory | tighten the keys marked so |
| environment | the variables named below | tighten the keys marked so |

A line `locked = ["fail_mode"]` in the system file keeps the user from loosening those keys below what the system file
says.

`config.local.toml` beside the user's file adds to lists and takes out of them, so that a file which is shared between
machines need not be changed: a table named like a list, with `append = […]`, `exclude = […]` or both. `[rules]
disabled = […]` is short for its `append`. It counts as the user's.

What a project or the environment may not do is ignored and told, never obeyed. A relative glob in a `{PROJECT}`
is meant in the directory of that file.

A change that a project could not make either (anything but tightening a key that is marked so) needs a person:
`--admin`, at a terminal.

## When a file is wrong

An unknown key, a value of the wrong type or out of bounds, or a syntax error makes a system or user file bad as a
whole: the last good settings of that layer stay in force and every surface
says so. When none are known, calls cannot be decided and
`bk config validate` says what to correct. A bad project file is ignored as far as it is bad, which can loosen nothing.
"""
MOST = 12
TIGHTER = {"lower": "lower", "higher": "higher", "more": "more items", "fewer": "fewer items", "fixed": "—"}


def render() -> str:
    """The whole page."""
    parts = [INTRO]
    group = None
    for key in KEYS:
        table = key.name.partition(".")[0] if "." in key.name else ("" if key.kind == "choice" else key.name)
        if table != group:
            group = table
            parts.append(
                f"\n## {TITLES[table]}\n\n| key | values | default | tighter | project | |\n|---|---|---|---|---|---|\n"
            )
        parts.append(row(key))
    return "".join(parts)


def row(key: Key) -> str:
    """One key as a line of the table."""
    tighter = " < ".join(key.choices) if key.order == "later" else TIGHTER[key.order]
    may = ("may tighten" + (f", also `{key.env}`" if key.env else "")) if key.project else "no"
    told = key.help + (" Only the system file may loosen it." if key.relax == "system" else "")
    default = f"`{json.dumps(key.default)}`"
    if isinstance(key.default, list) and len(key.default) > MOST:
        default = f"{len(key.default)} items: `bk config get {key.name}`"
    return f"| `{key.name}` | {key.bounds} | {default} | {tighter} | {may} | {told} |\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(render())
