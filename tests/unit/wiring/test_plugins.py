"""The plugins in a real Node: they pass on a yes and nothing else, and are there whatever is wrong with the guard."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bk.engine.wiring.command import client_of
from bk.engine.wiring.plugins import plugin, program_of

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")

DRIVER = """
import { pathToFileURL } from "node:url";
const [file, kind] = process.argv.slice(2);
const loaded = await import(pathToFileURL(file));
const said = {};
if (kind === "openclaw") {
  const hooks = {};
  const api = { on: (name, run) => (hooks[name] = run) };
  if (!process.env.OLD) api.registerAgentToolResultMiddleware = (run) => (hooks.shown = run);
  loaded.default.register(api);
  const told = await hooks["before_tool_call"]({ toolName: "exec", params: { command: "ls" } }, { sessionKey: "s" });
  said.before = told === undefined ? "ran" : told.block === true ? told.blockReason : told;
  const result = { content: [{ type: "text", text: "out" }, { type: "image", data: "x" }], details: {} };
  const shown = await hooks.shown?.({ toolName: "exec", args: {}, toolCallId: "c", result }, { sessionKey: "s" });
  if (hooks.shown) said.after = (shown?.result ?? result).content.map((part) => part.text ?? part.type).join("\\n\\n");
} else {
  const hooks = await loaded.BeeKeeper({ directory: "/" });
  const input = { tool: "bash", sessionID: "s", callID: "c" };
  const args = process.env.BROKEN ? { n: 1n } : { command: "ls" };
  try {
    await hooks["tool.execute.before"](input, { args });
    said.before = "ran";
  } catch (error) {
    said.before = error.message;
  }
  const output = { output: "out" };
  try {
    await hooks["tool.execute.after"]({ ...input, args: { command: "ls" } }, output);
    said.after = output.output;
  } catch (error) {
    said.after = error.message;
  }
}
console.log(JSON.stringify(said));
process.exit(0);
"""
YES = """echo '{"decision":"allow"}'"""


def played(folder: Path, body: str | None, kind: str, *, seconds: float = 8, **env: str) -> dict[str, Any]:
    """What the plugin makes of a guard with this shell script as its body."""
    guard = folder / "a guard" / "bk-hook"
    guard.parent.mkdir(exist_ok=True)
    if body is not None:
        guard.write_text(f"#!/bin/sh\n{body}\n")
        guard.chmod(0o755)
    text = plugin(kind, str(guard), kind)
    file, driver = folder / "bk.mjs", folder / "driver.mjs"
    file.write_text(text.replace("const SECONDS = 8;", f"const SECONDS = {seconds};"))
    driver.write_text(DRIVER)
    ran = subprocess.run(
        ["node", str(driver), str(file), kind],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": _path(), **env},
        cwd=folder,
    )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def _path() -> str:
    node = shutil.which("node")
    assert node is not None
    return f"{Path(node).parent}:/usr/bin:/bin"


@needs_node
@pytest.mark.parametrize("kind", ["opencode", "openclaw"])
def test_a_yes_passes_and_a_no_stops(tmp_path: Path, kind: str) -> None:
    assert played(tmp_path, f"cat > seen; {YES}", kind)["before"] == "ran"
    said = played(tmp_path, """echo '{"decision":"deny","reason":"bk blocked it"}'; exit 2""", kind)
    assert said["before"] == "bk blocked it"
    assert said["after"].endswith("bk blocked it")


@needs_node
@pytest.mark.parametrize(
    "body",
    [
        None,
        "kill -9 $$",
        "exit 0",
        "exit 2",
        f"{YES}; exit 1",
        "echo yes",
        "echo '{}'",
        "echo null",
        "echo '[]'",
        """echo '"allow"'""",
        """echo '{"decision":"ask"}'""",
        """echo '{"decision":"allow","more":1}'""",
        f"echo a log line; {YES}",
        f"{YES}; {YES}",
        """echo '{"decision":"deny","reason":""}'""",
    ],
    ids=range(15),
)
@pytest.mark.parametrize("kind", ["opencode", "openclaw"])
def test_anything_but_a_yes_is_a_no(tmp_path: Path, kind: str, body: str | None) -> None:
    said = played(tmp_path, body, kind)
    assert "the guard did not answer" in said["before"]
    assert "the guard did not answer" in said["after"]


@needs_node
@pytest.mark.parametrize("kind", ["opencode", "openclaw"])
def test_no_answer_in_time_is_a_no(tmp_path: Path, kind: str) -> None:
    assert "no answer within 0.3 s" in played(tmp_path, "exec sleep 20", kind, seconds=0.3)["before"]


@needs_node
def test_a_flood_is_a_no(tmp_path: Path) -> None:
    assert "the guard did not answer" in played(tmp_path, "exec yes", "opencode", seconds=5)["before"]


@needs_node
def test_what_cannot_be_told_is_a_no(tmp_path: Path) -> None:
    assert "the guard did not answer" in played(tmp_path, f"cat; {YES}", "opencode", BROKEN="1")["before"]


@needs_node
@pytest.mark.parametrize(("kind", "more"), [("opencode", ""), ("openclaw", "\n\nimage")])
def test_a_warning_stands_under_the_output(tmp_path: Path, kind: str, more: str) -> None:
    said = played(tmp_path, """echo '{"decision":"allow","warning":"bk warns: of it"}'""", kind)
    assert said == {"before": "ran", "after": f"out{more}\n\nbk warns: of it"}


@needs_node
@pytest.mark.parametrize(("kind", "more"), [("opencode", ""), ("openclaw", "image\n\n")])
def test_an_output_without_its_secret_stands_in_its_place(tmp_path: Path, kind: str, more: str) -> None:
    said = played(tmp_path, """echo '{"decision":"allow","output":"clean"}'""", kind)
    assert said == {"before": "ran", "after": f"{more}clean"}


@needs_node
def test_a_release_that_shows_no_outputs_is_still_guarded(tmp_path: Path) -> None:
    said = played(tmp_path, """echo '{"decision":"deny","reason":"bk blocked it"}'; exit 2""", "openclaw", OLD="1")
    assert said == {"before": "bk blocked it"}


@needs_node
def test_without_a_guard_in_it_nothing_passes(tmp_path: Path) -> None:
    """The text before it is filled in: whoever loads that has no guard at all."""
    file = tmp_path / "bk.mjs"
    text = plugin("opencode", "/x/bk-hook", "opencode")
    head, _, rest = text.partition("const GUARD = ")
    file.write_text(head + "const GUARD = [];" + rest.partition("\n")[2].join(("\n", "")))
    driver = tmp_path / "driver.mjs"
    driver.write_text(DRIVER)
    ran = subprocess.run(["node", str(driver), str(file), "opencode"], capture_output=True, text=True, timeout=30)
    assert "the guard did not answer" in json.loads(ran.stdout)["before"]


@pytest.mark.parametrize(
    "program", ["/usr/bin/bk-hook", "/a place/b'k/bk-hook", "/new\nline/bk-hook", '/q"uote/bk-hook']
)
def test_a_plugin_tells_whom_it_asks(program: str) -> None:
    text = plugin("opencode", program, "kilo")
    assert program_of(text) == program
    assert client_of(text) == "kilo"
    assert text.count("const GUARD") == 1
    assert program_of("export const BeeKeeper = 1") == ""


def test_only_what_cannot_fail_is_done_at_load() -> None:
    """A client goes on without a plugin that it cannot load: nothing is imported before a call is there."""
    for kind in ("opencode", "openclaw"):
        top = [
            line for line in plugin(kind, "/x/bk-hook", kind).splitlines() if line and not line.startswith((" ", "}"))
        ]
        assert not any(line.startswith(("import", "await")) or "require(" in line for line in top)
        assert {line.split()[0] for line in top} <= {"//", "const", "async", "export"}
