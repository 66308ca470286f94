"""This machine's own entries: asked with the generation, damaged never unseen, absent at no cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bk.engine import world as world_module
from bk.engine.checks.packages import CONFIRMED
from bk.engine.decide import decide
from bk.engine.errors import BkError, Refusal
from bk.engine.intel import bundle, generations, overlay
from bk.engine.intel.index import Index, key_of
from bk.engine.intel.record import Own, Record
from bk.engine.model import Level, ToolCall, Verdict
from bk.engine.reload import Reloader
from bk.engine.state import State
from bk.engine.world import World

from .samples import record

FAR_MS = 1 << 42


def mine(told: Record, *, tier: str = "enforce", until_ms: int = FAR_MS, labelled: bool = False) -> Own:
    version = told.versions[0] if told.versions else ""
    return overlay.claim(
        told.ecosystem, told.name, version, severity=told.severity, tier=tier, until_ms=until_ms,
        ident=told.ident, date=told.date, labelled=labelled,
    )  # fmt: skip


def add(state: State, told: Record, **said: Any) -> bool:
    own = mine(told, **said)

    def make() -> list[Own]:  # called while nobody else writes
        there = overlay.entries(state)
        return there if own in there else [*there, own]

    return overlay.replace(state, make)


def remove(state: State, ecosystem: str, name: str, ident: str = "") -> int:
    there = overlay.entries(state)
    left = [one for one in there if (one.ecosystem, one.name) != (ecosystem, name) or ident not in ("", one.ident)]
    overlay.replace(state, lambda: left)
    return len(there) - len(left)


def asked(state: State, command: str) -> Verdict:
    call = ToolCall("Bash", "shell", {"command": command}, cwd=state.home, home=state.home)
    return decide(call, World.open(state)).verdict


def test_an_entry_counts_at_once_and_is_this_machines_own_word(state: State) -> None:
    assert asked(state, "npm i left-bad@1.0.0").level is Level.ALLOW
    assert overlay.entries(state) == []
    assert add(state, record("left-bad", groups=["ossf"], severity="critical"))
    assert not add(state, record("left-bad", groups=["somebody"], severity="critical"))
    (entry,) = overlay.entries(state)
    assert entry.groups == (overlay.GROUP,)
    verdict = asked(state, "npm i left-bad@1.0.0")
    assert verdict.level is Level.BLOCK
    assert verdict.findings[0].rule == CONFIRMED
    assert asked(state, "npm i left-bad@2.0.0").level is Level.ALLOW


@pytest.mark.parametrize(("tier", "expected"), [("watch", Level.WARN), ("enforce", Level.BLOCK)])
@pytest.mark.parametrize("version", ["@1.0.0", "", "@^1.0.0"])
def test_the_tier_decides(state: State, tier: str, expected: Level, version: str) -> None:
    add(state, record("left-bad"), tier=tier)
    (finding,) = [one for one in asked(state, f"npm i left-bad{version}").findings if one.rule.startswith("package/")]
    assert (finding.rule, finding.level) == (CONFIRMED, expected)
    assert finding.evidence["tier"] == tier
    assert finding.evidence["groups"] == []  # it is nobody's voice


def test_every_version_is_one_entry(state: State) -> None:
    add(state, record("left-bad", kind="every"))
    assert asked(state, "npm i left-bad@7.1.0").level is Level.BLOCK


def test_it_adds_no_voice_to_those_that_it_was_confirmed_by(state: State) -> None:
    claims = [record("both", groups=["a"], severity="high"), record("one", groups=["a", "b"], severity="high")]
    generations.activate(state, claims, {}, "live")
    add(state, record("both"), tier="watch")
    add(state, record("one"))
    levels = {one.rule: one.level for one in asked(state, "npm i both@1.0.0").findings if one.level > Level.ALLOW}
    assert levels == {CONFIRMED: Level.WARN, "package/known-malicious": Level.WARN}
    assert asked(state, "npm i one@1.0.0").level is Level.BLOCK  # two voices, not three


def test_what_a_list_says_of_the_whole_is_not_hidden_by_what_is_said_here_of_a_part(state: State) -> None:
    named = record("github.com/some/module", ["v1.0.0"], ecosystem="go", groups=["a", "b"])
    generations.activate(state, [named], {}, "live")
    add(state, record("github.com/some/module/cmd", ["v1.0.0"], ecosystem="go"), tier="watch")
    assert asked(state, "go install github.com/some/module/cmd@v1.0.0").level >= Level.BLOCK


def test_an_entry_ends_by_itself(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    add(state, record("left-bad"), until_ms=now // 1_000_000 + 60_000)
    assert asked(state, "npm i left-bad@1.0.0").level is Level.BLOCK
    monkeypatch.setattr("bk.engine.intel.overlay.time.time_ns", lambda: now + 61 * 10**9)
    assert asked(state, "npm i left-bad@1.0.0").level is Level.ALLOW
    assert overlay.entries(state)  # nobody had to look after it


def test_no_feed_speaks_with_its_weight(state: State) -> None:
    labels = ["overlay", "tier:enforce", "labelled"]
    feigned = record("evil", groups=["local"], provenance="none", ident=f"X-1 until:{FAR_MS}", sources=labels)
    generations.activate(state, [feigned], {}, "live")
    for _ in range(2):
        (finding, *_) = asked(state, "npm i evil@1.0.0").findings
        assert (finding.rule, finding.level) == ("package/unverified-report", Level.WARN)
        add(state, record("another"))


def test_both_are_asked_together(state: State) -> None:
    generations.activate(state, [record("both", groups=["a"]), record("theirs")], {}, "live")
    add(state, record("both", ["1.0.0"]))
    add(state, record("Ours.Py", ["1.0"], ecosystem="pypi", provenance="none"))
    index = World.open(state).index
    assert index is not None
    assert {one.groups for one in index.lookup("npm", "both")} == {("a",), ("local",)}
    assert [type(one) for one in index.lookup("npm", "both")] == [Own, Record]
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
        add(state, record("x", [version], ident=ident))
    add(state, record("y"))
    assert remove(state, "npm", "x", "L-1") == 1
    assert [one.ident for one in overlay.entries(state) if one.name == "x"] == ["L-2"]
    assert remove(state, "npm", "x") == 1
    assert remove(state, "npm", "x") == 0
    assert remove(state, "npm", "y") == 1
    assert overlay.entries(state) == []
    assert asked(state, "npm i y@1.0.0").level is Level.ALLOW


def test_without_an_overlay_nothing_is_layered(state: State) -> None:
    assert type(World.open(state).index) is Index
    add(state, record("x"))
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
    add(state, record("ours", severity="critical"))
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
        lambda text: text.replace(b"\tnone\t", b"\tsworn\t"),
        lambda text: text.replace(b"\tnone\t", b"\tpinned_origin\t"),
        lambda text: text.replace(b"tier:enforce", b"tier:absolute"),
        lambda text: text.replace(b" tier:enforce", b""),
        lambda text: text.replace(b"until:", b"until:-"),
        lambda text: text.replace(b"\texact\t", b"\t"),
        lambda text: text.replace(b"1.0.0\n", b"\n"),
        lambda text: b"\xff" + text,
        lambda text: bytes(1000),
    ],
)
def test_a_damaged_text_blocks_with_its_reason(state: State, damage: object) -> None:
    add(state, record("x"))
    text = _facts(state).read_bytes()
    _facts(state).write_bytes(damage(text))  # type: ignore[operator]
    verdict = asked(state, "npm i left-pad")
    assert verdict.level is Level.BLOCK
    assert "own threat entries" in verdict.findings[0].reason
    with pytest.raises(BkError):
        add(state, record("y"))
    assert overlay.replace(state, lambda: [mine(record("x"))])  # what it should say is kept elsewhere
    assert _facts(state).read_bytes() == text
    assert asked(state, "npm i left-pad").level is Level.ALLOW
    assert overlay.entries(state)


def test_a_damaged_compiled_overlay_blocks_until_it_is_rebuilt(state: State) -> None:
    add(state, record("x", severity="critical"))
    path = Path(state.intel, "overlay.index")
    data = path.read_bytes()
    for altered in (b"", data[:-1], data[:20] + b"?" + data[21:], data[:-1] + b"?"):
        path.write_bytes(altered)
        verdict = asked(state, "npm i x@1.0.0")
        assert verdict.level is Level.BLOCK
        assert any("index" in finding.rule or "index" in finding.reason for finding in verdict.findings)
        assert overlay.replace(state, lambda: [mine(record("x", severity="critical"))])
        assert asked(state, "npm i x@1.0.0").findings[0].rule == CONFIRMED


def test_what_is_not_a_file_blocks(state: State, tmp_path: Path) -> None:
    add(state, record("x"))
    _facts(state).rename(tmp_path / "facts")
    for plant in (lambda: os.symlink(tmp_path / "facts", _facts(state)), lambda: os.mkfifo(_facts(state))):
        plant()
        assert asked(state, "ls").level is Level.BLOCK
        _facts(state).unlink()
    assert asked(state, "ls").level is Level.ALLOW


def test_a_text_that_was_edited_or_never_compiled_is_compiled_by_the_next_reader(state: State) -> None:
    add(state, record("one"))
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
    add(state, record("x"))
    after = reloader.current()
    assert after is not before
    assert after.index is not None
    assert after.index.lookup("npm", "x")
    remove(state, "npm", "x")
    now = reloader.current()
    assert now.index is not None
    assert not now.index.lookup("npm", "x")


def test_planted_links_are_not_written_through(state: State, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    os.symlink(victim, f"{state.intel}/overlay.facts.new")
    os.symlink(victim, f"{state.intel}/overlay.index")
    add(state, record("x"))
    assert victim.read_text() == "kept"
    assert len(overlay.entries(state)) == 1


def test_it_does_not_grow_without_end(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "ENTRIES_MAX", 2)
    add(state, record("a"))
    add(state, record("b"))
    with pytest.raises(BkError, match="full"):
        add(state, record("c"))


ADD = """
import os, sys
from bk.engine.intel import overlay
from bk.engine.state import State
state = State(sys.argv[1], sys.argv[2], os.geteuid())
for number in range(5):
    name = f"{sys.argv[3]}-{number}"
    own = overlay.claim("npm", name, "1.0.0", severity="high", tier="watch", until_ms=1 << 42, ident=name)
    overlay.replace(state, lambda: [*overlay.entries(state), own])
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
        add(state, record("x"))
        ballast = Path(state.root, "ballast")
        room = os.statvfs(place)
        ballast.write_bytes(bytes(room.f_bavail * room.f_frsize))
        with pytest.raises(BkError):
            add(state, record("y"))
        assert [one.name for one in overlay.entries(state)] == ["x"]
        index = World.open(state).index
        assert index is not None
        assert index.lookup("npm", "x")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_damaged_overlay_is_named_apart_from_the_generation(state: State) -> None:
    bundle.ensure(state)
    add(state, record("x"))
    _facts(state).write_text("nonsense\n")
    world = World.open(state)
    assert world.failure is not None
    assert world.failure.cause == "index"
    assert world.failure.next_step
    with pytest.raises(Refusal):
        overlay.entries(state)
