"""A plan names the commands and the exact change, and leaves every file as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bk.engine.console.remediate import plan
from tests.unit.quarantine.house import photograph
from tests.unit.responder.test_decisions import Machine

LOCK = """{
  "name": "shop",
  "lockfileVersion": 3,
  "packages": {
    "": {
      "dependencies": {
        "evil": "1.0.0",
        "good": "2.0.0"
      }
    },
    "node_modules/evil": {
      "version": "1.0.0"
    },
    "node_modules/good": {
      "version": "2.0.0"
    }
  }
}
"""


def test_an_npm_plan_applies_as_a_patch_and_leaves_the_rest(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.settings("[notify]\nchannel = 'none'\n")
    machine.install()
    machine.project.joinpath("package-lock.json").write_text(LOCK)
    machine.project.joinpath("package.json").write_text('{\n  "dependencies": {\n    "evil": "1.0.0"\n  }\n}\n')
    machine.say("evil", "osv", "datadog")
    machine.sync()
    before = photograph(machine.project)
    _, found = plan(machine.only().id[:8], machine.env)
    assert photograph(machine.project) == before
    assert f"cd {machine.project}" in found.steps
    assert "npm uninstall evil --ignore-scripts" in found.steps
    assert len(found.diffs) == 2
    done = subprocess.run(["patch", "-p1", "-d", "/"], input="".join(found.diffs), text=True, capture_output=True)
    assert done.returncode == 0, done.stdout
    left = machine.project.joinpath("package-lock.json").read_text()
    assert "evil" not in left
    assert '"node_modules/good": {' in left


def test_a_name_from_outside_is_a_word_and_no_command(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    name = "evil;touch$IFS/tmp/x"
    item = machine.item(name, "1.0.0", observed="/x/package-lock.json")
    machine.set(enabled=False)
    machine.say(item.name, "osv")
    machine.run([item])
    _, found = plan(machine.only().id, machine.env)
    assert f"npm uninstall '{item.name}' --ignore-scripts" in found.steps
