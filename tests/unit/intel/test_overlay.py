"""This machine's own entries: asked with the generation, damaged never unseen, absent at no cost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine import world as world_module
from bk.engine.decide import decide
from bk.engine.errors import BkError, Refusal
from bk.engine.intel import bundle, generations, overlay
from bk.engine.intel.index import Index, key_of
from bk.engine.model import Level, ToolCall, Verdict
from bk.engine.reload import Reloader
from bk.engine.state import State
from bk.engine.world import World

from .samples import record


def asked(state: State, command: str) -> Verdict:
    call = ToolCall("Bash", "shell", {"command": command}, cwd=state.home, home=state.home)
    return decide(call, World.open(state)).verdict


def test_an_entry_counts_at_once_and_is_this_machines_own_word(state: State) -> None:
    assert asked(state, "npm i left-bad@1.0.0").level is Level.ALLOW
    assert overlay.entries(state) == []
    assert overlay.add(state, record("left-bad", groups=["ossf"], severity="critical"))
    assert not overlay.add(state, record("left-bad", groups=["somebody"], severity="critical"))
    (entry,) = overlay.entries(state)
    assert entry.groups == (overlay.GROUP,)
    verdict = asked(state, "npm i left-bad@1.0.0")
    assert verdict.level is Level.BLOCK
    assert "local" in verdict.findings[0].reason
    assert asked(state, "npm i left-bad@2.0.0").level is Level.ALLOW


def test_both_are_asked_together(state: State) -> None:
    generations.activate(state, [record("both", groups=["a"]), record("theirs")], {}, "live")
    overlay.add(state, record("both", ["1.0.0"]))
    overlay.add(state, record("Ours.Py", ["1.0"], ecosystem="pypi", provenance="none"))
    index = World.open(state).index
    assert index is not None
    assert {one.groups for one in index.lookup("npm", "both")} == {("a",), ("local",)}
    assert [one.versions for one in index.lookup("pypi", "ours-py")] == [("1.0.0",)]
    assert index.lookup("npm", "theirs")
    assert index.lookup("npm", "nobody") == []
    keys = {key_of("npm", name) for name in ("both", "theirs", "nobody")} | {key_of("pypi", "ours-py")}
    assert index.listed(keys) == keys - {key_of("npm", "nobody")}
    assert {one.name for one in index} == {"both", "theirs", "ours-py"} == {name for _, name in index.names()}
    index.verify()
    index.close()


def test_an_entry_is_taken_out_by_name_or_by_id(state: State) -> None:
    for ident, version in (("L-1", "1.0.0"), ("L-2", "2.0.0")):
        overlay.add(state, record("x", [version], ident=ident))
    overlay.add(state, record("y"))
    assert overlay.remove(state, "npm", "x", "L-1") == 1
    assert [one.ident for one in overlay.entries(state) if one.name == "x"] == ["L-2"]
    assert overlay.remove(state, "npm", "x") == 1
    assert overlay.remove(state, "npm", "x") == 0
    assert overlay.remove(state, "npm", "y") == 1
    assert overlay.entries(state) == []
    assert asked(state, "npm i y@1.0.0").level is Level.ALLOW


def test_without_an_overlay_nothing_is_layered(state: State) -> None:
    assert type(World.open(state).index) is Index
    overlay.add(state, record("x"))
    assert type(World.open(state).index) is overlay.Layered


def test_without_an_overlay_looking_costs_one_stat(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    World.open(state)
    looked: list[str] = []
    real = os.path.lexists
    monkeypatch.setattr(os.path, "lexists", lambda path: looked.append(str(path)) or real(path))
    generation = Index.open(bundle.ensure(state))
    assert world_module._with_overlay(state, generation) is generation
    assert looked == [f"{state.intel}/overlay.facts"]


def test_a_new_generation_leaves_the_overlay_in_force(state: State) -> None:
    overlay.add(state, record("ours", severity="critical"))
    generations.activate(state, [record("theirs")], {}, "live")
    assert asked(state, "npm i ours@1.0.0").level is Level.BLOCK


def _facts(state: State) -> Path:
    return Path(state.intel, "overlay.facts")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda text: text.rsplit(b"\n", 2)[0] + b"\n",
        lambda text: text.replace(b"critical", b"terrible"),
        lambda text: text.replace(b"\tlocal\t", b"\tossf\t"),
        lambda text: text.replace(b"pinned_origin", b"sworn"),
        lambda text: text.replace(b"\texact\t", b"\t"),
        lambda text: text.replace(b"1.0.0\n", b"\n"),
        lambda text: b"\xff" + text,
        lambda text: bytes(1000),
    ],
)
def test_a_damaged_text_blocks_with_its_reason(state: State, damage: object) -> None:
    overlay.add(state, record("x"))
    text = _facts(state).read_bytes()
    _facts(state).write_bytes(damage(text))  # type: ignore[operator]
    verdict = asked(state, "npm i left-pad")
    assert verdict.level is Level.BLOCK
    assert "own threat entries" in verdict.findings[0].reason
    with pytest.raises(BkError):
        overlay.add(state, record("y"))
    _facts(state).write_bytes(text)
    assert asked(state, "npm i left-pad").level is Level.ALLOW
    assert overlay.entries(state)


def test_a_damaged_compiled_overlay_blocks_until_it_is_rebuilt(state: State) -> None:
    overlay.add(state, record("x", severity="critical"))
    path = Path(state.intel, "overlay.index")
    data = path.read_bytes()
    for altered in (b"", data[:-1], data[:20] + b"?" + data[21:], data[:-1] + b"?"):
        path.write_bytes(altered)
        verdict = asked(state, "npm i x@1.0.0")
        assert verdict.level is Level.BLOCK
        assert any("index" in finding.rule or "index" in finding.reason for finding in verdict.findings)
        overlay.rebuild(state)
        assert "by local" in asked(state, "npm i x@1.0.0").findings[0].reason


def test_what_is_not_a_file_blocks(state: State, tmp_path: Path) -> None:
    overlay.add(state, record("x"))
    _facts(state).rename(tmp_path / "facts")
    for plant in (lambda: os.symlink(tmp_path / "facts", _facts(state)), lambda: os.mkfifo(_facts(state))):
        plant()
        assert asked(state, "ls").level is Level.BLOCK
        _facts(state).unlink()
    assert asked(state, "ls").level is Level.ALLOW


def test_a_text_that_was_edited_or_never_compiled_is_compiled_by_the_next_reader(state: State) -> None:
    overlay.add(state, record("one"))
    text = _facts(state).read_text()
    _facts(state).write_text(text.replace("\tone\t", "\ttwo\t"))
    index = World.open(state).index
    assert index is not None
    assert index.lookup("npm", "two")
    assert not index.lookup("npm", "one")
    os.unlink(f"{state.intel}/overlay.index")
    index = World.open(state).index
    assert index is not None
    assert index.lookup("npm", "two")


def test_the_engine_notices_an_overlay_that_comes_and_goes(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bk.engine.reload.QUIET_NS", 0)
    reloader = Reloader(state)
    before = reloader.current()
    overlay.add(state, record("x"))
    after = reloader.current()
    assert after is not before
    assert after.index is not None
    assert after.index.lookup("npm", "x")
    overlay.remove(state, "npm", "x")
    now = reloader.current()
    assert now.index is not None
    assert not now.index.lookup("npm", "x")


def test_planted_links_are_not_written_through(state: State, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    os.symlink(victim, f"{state.intel}/overlay.facts.new")
    os.symlink(victim, f"{state.intel}/overlay.index")
    overlay.add(state, record("x"))
    assert victim.read_text() == "kept"
    assert len(overlay.entries(state)) == 1


def test_it_does_not_grow_without_end(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "ENTRIES_MAX", 2)
    overlay.add(state, record("a"))
    overlay.add(state, record("b"))
    with pytest.raises(BkError, match="full"):
        overlay.add(state, record("c"))


ADD = """
import os, sys
from bk.engine.intel import overlay
from bk.engine.intel.record import Record
from bk.engine.provenance import Unproven
from bk.engine.state import State
state = State(sys.argv[1], sys.argv[2], os.geteuid())
for number in range(5):
    name = f"{sys.argv[3]}-{number}"
    overlay.add(state, Record("npm", name, "exact", ("1.0.0",), "high", ("local",), Unproven()))
"""


def test_many_who_add_at_once_lose_nothing(state: State) -> None:
    running = [subprocess.Popen([sys.executable, "-c", ADD, state.root, state.home, f"p{each}"]) for each in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    assert len(overlay.entries(state)) == 20
    index = World.open(state).index
    assert index is not None
    assert len(set(index.names()) & {("npm", f"p{a}-{b}") for a in range(4) for b in range(5)}) == 20


def test_a_full_disk_keeps_what_was_there(short_dir: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    place = short_dir / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(place)], check=True)
    try:
        state = State(f"{place}/.bk", str(place), os.geteuid())
        state.ensure()
        generations.activate(state, [record("theirs")], {}, "live")
        overlay.add(state, record("x"))
        ballast = Path(state.root, "ballast")
        room = os.statvfs(place)
        ballast.write_bytes(bytes(room.f_bavail * room.f_frsize))
        with pytest.raises(BkError):
            overlay.add(state, record("y"))
        assert [one.name for one in overlay.entries(state)] == ["x"]
        index = World.open(state).index
        assert index is not None
        assert index.lookup("npm", "x")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_damaged_overlay_is_named_apart_from_the_generation(state: State) -> None:
    bundle.ensure(state)
    overlay.add(state, record("x"))
    _facts(state).write_text("nonsense\n")
    world = World.open(state)
    assert world.failure is not None
    assert world.failure.cause == "index"
    assert world.failure.next_step
    with pytest.raises(Refusal):
        overlay.entries(state)
