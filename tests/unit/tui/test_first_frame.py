"""What the first frame must not wait for: most of the engine, and styles that were read already."""

from __future__ import annotations

import subprocess
import sys

from bk.tui.styles import Styles

RULE = "Static { color: $tone; }"
NEEDED = "import sys, bk.tui.launch, bk.engine.console.session, bk.tui.screens.overview; print(*sys.modules)"
HEAVY = ("bk.engine.rules", "bk.engine.lower", "bk.engine.inventory.walk", "bk.quarantine.vault", "bk.engine.world")


def test_the_overview_is_imported_without_what_it_reads() -> None:
    done = subprocess.run([sys.executable, "-c", NEEDED], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())


def test_styles_are_read_again_only_for_other_variables() -> None:
    styles = Styles({"tone": "red"})
    styles.add_source(RULE)
    (before,) = styles.rules
    styles.set_variables({"tone": "red"})
    styles.reparse()
    assert styles.rules[0] is before
    styles.set_variables({"tone": "blue"})
    styles.reparse()
    assert styles.rules[0] is not before
    assert styles.rules[0].styles.color.hex == "#0000FF"
