"""An artifact and the rows that registries have for it: one thing, taken and given back together, or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bk.engine.state import State
from bk.quarantine import tables
from bk.quarantine.back import restore
from bk.quarantine.listing import history, listed, one, verified
from bk.quarantine.record import Hold
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import REGISTRY, extension, extension_wish, photograph, state_in

EVIL = REGISTRY[REGISTRY.index("  {\n") : REGISTRY.index('  { "identifier": { "id": "acme.evil" }')]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return state_in(tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return extension(tmp_path / "home")


def registry(folder: Path) -> Path:
    return folder.parent / "extensions.json"


def named(path: Path) -> list[tuple[str, str]]:
    """The rows of a registry."""
    text = path.read_text().replace("// kept as it is", "")
    return [(row["identifier"]["id"], row["version"]) for row in json.loads(text)]


def test_a_folder_and_its_row_are_one_item(state: State, folder: Path) -> None:
    before = photograph(folder.parent)
    held = hold(state, extension_wish(folder))
    assert not folder.exists()
    assert registry(folder).read_text() == REGISTRY.replace(EVIL, "")
    assert [item.ident for item in listed(state)] == [held.ident]
    assert verified(state, held) == ""
    assert [step for _, step, _ in history(state, held.ident)] == ["planned", "moving", "moved", "changed", "held"]
    back = restore(state, held.ident)
    assert photograph(folder.parent) == before
    assert (back.state, back.problem) == ("restored", "")


@pytest.mark.parametrize("pointer", ["/0", "/1", "/2", "/7"])
def test_a_row_is_found_by_what_it_says_and_not_by_its_number(state: State, folder: Path, pointer: str) -> None:
    hold(state, extension_wish(folder, pointer))
    assert named(registry(folder)) == [("good.ext", "2.0.0"), ("acme.evil", "0.9.0")]


def test_a_row_that_moved_before_the_hold_is_found_where_it_is(state: State, folder: Path) -> None:
    rows = REGISTRY.replace("[\n", '[\n  { "identifier": { "id": "new.ext" }, "version": "3.0.0" },\n', 1)
    registry(folder).write_text(rows)
    held = hold(state, extension_wish(folder, "/1"))
    assert ("good.ext", "2.0.0") in named(registry(folder))
    assert ("Acme.Evil", "1.0.0") not in named(registry(folder))
    restore(state, held.ident)
    assert registry(folder).read_text() == rows


def test_of_two_rows_that_fit_the_one_at_the_number_goes_and_without_it_none(state: State, folder: Path) -> None:
    twice = REGISTRY.replace(EVIL, EVIL * 2)
    registry(folder).write_text(twice)
    with pytest.raises(HoldRefusedError) as caught:
        hold(state, extension_wish(folder, "/0"))
    assert caught.value.refusal == "identity_mismatch"
    assert registry(folder).read_text() == twice
    hold(state, extension_wish(folder, "/2"))
    assert registry(folder).read_text() == REGISTRY


def test_both_rows_of_one_file_go_and_come_back(state: State, folder: Path) -> None:
    registry(folder).write_text(REGISTRY.replace(EVIL, EVIL * 2))
    before = photograph(folder.parent)
    wanted = extension_wish(folder, "/1")
    wanted.rows = (*wanted.rows, (str(registry(folder)), "/2"))
    held = hold(state, wanted)
    assert registry(folder).read_text() == REGISTRY.replace(EVIL, "")
    restore(state, held.ident)
    assert photograph(folder.parent) == before


@pytest.mark.parametrize("text", ["[]", REGISTRY.replace(EVIL, "")])
def test_a_registry_that_has_no_such_row_is_left_as_it_is(state: State, folder: Path, text: str) -> None:
    registry(folder).write_text(text)
    held = hold(state, extension_wish(folder))
    assert (registry(folder).read_text(), held.changes) == (text, ())


def test_a_registry_that_is_not_there_has_no_row(state: State, folder: Path) -> None:
    registry(folder).unlink()
    held = hold(state, extension_wish(folder))
    restore(state, held.ident)
    assert not registry(folder).exists()


@pytest.mark.parametrize("text", ["[{]", '{"a": 1}x', ""])
def test_a_registry_that_cannot_be_read_holds_nothing(state: State, folder: Path, text: str) -> None:
    registry(folder).write_text(text)
    before = photograph(folder.parent)
    with pytest.raises(HoldRefusedError) as caught:
        hold(state, extension_wish(folder))
    assert caught.value.refusal == "identity_mismatch"
    assert photograph(folder.parent) == before
    assert listed(state) == []


@pytest.mark.parametrize("step", ["moved 0", "kept 0", "written 0"])
def test_an_editor_that_writes_meanwhile_keeps_what_it_wrote(state: State, folder: Path, step: str) -> None:
    tree = photograph(folder)
    theirs = REGISTRY.replace("2.0.0", "2.0.1")

    def told(now: str) -> None:
        if now == step:
            registry(folder).write_text(theirs)

    with pytest.raises(HoldRefusedError) as caught:
        hold(state, extension_wish(folder), told=told)
    assert caught.value.refusal == "identity_mismatch"
    assert (photograph(folder), registry(folder).read_text()) == (tree, theirs)
    assert listed(state) == []
    assert sorted(os.listdir(folder.parent)) == ["acme.evil-1.0.0", "extensions.json", "good.ext-2.0.0"]


def test_into_a_registry_that_was_edited_the_row_is_added_and_that_is_said(state: State, folder: Path) -> None:
    tree = photograph(folder)
    held = hold(state, extension_wish(folder))
    text = registry(folder).read_text().replace("2.0.0", "2.0.1").replace("[\n", "[ // mine\n")
    registry(folder).write_text(text)
    back = restore(state, held.ident)
    assert photograph(folder) == tree
    now = registry(folder).read_text()
    assert now.startswith("[ // mine\n")
    assert EVIL.strip().rstrip(",") in now
    assert str(registry(folder)) in back.problem
    assert "was edited since" in one(state, held.ident).problem


def test_a_row_that_is_there_again_is_not_added_twice(state: State, folder: Path) -> None:
    held = hold(state, extension_wish(folder))
    again = REGISTRY.replace("good.ext-2.0.0", "good.ext-2.0.0-x")
    registry(folder).write_text(again)
    restore(state, held.ident)
    assert registry(folder).read_text() == again


def test_another_row_for_it_is_a_conflict_and_nothing_comes_back(state: State, folder: Path) -> None:
    held = hold(state, extension_wish(folder))
    theirs = '[{"identifier": {"id": "acme.evil"}, "version": "1.0.0", "pinned": true}]'
    registry(folder).write_text(theirs)
    with pytest.raises(HoldRefusedError) as caught:
        restore(state, held.ident)
    assert caught.value.refusal == "conflict"
    assert not folder.exists()
    assert registry(folder).read_text() == theirs
    assert verified(state, one(state, held.ident)) == ""
    registry(folder).write_text("[]")
    restore(state, held.ident)
    assert named(registry(folder)) == [("Acme.Evil", "1.0.0")]


@pytest.mark.parametrize("text", [None, "{"])
def test_without_its_registry_nothing_comes_back_until_there_is_one(
    state: State, folder: Path, text: str | None
) -> None:
    held = hold(state, extension_wish(folder))
    registry(folder).unlink()
    if text is not None:
        registry(folder).write_text(text)
    with pytest.raises(HoldRefusedError) as caught:
        restore(state, held.ident)
    assert caught.value.refusal == ("gone" if text is None else "conflict")
    assert not folder.exists()
    assert [(item.ident, verified(state, item)) for item in listed(state)] == [(held.ident, "")]
    registry(folder).write_text("[]")
    restore(state, held.ident)
    assert (folder.is_dir(), named(registry(folder))) == (True, [("Acme.Evil", "1.0.0")])


def test_a_place_taken_meanwhile_leaves_the_registry_as_it_is(state: State, folder: Path) -> None:
    held = hold(state, extension_wish(folder))
    folder.mkdir()
    text = registry(folder).read_text()
    with pytest.raises(HoldRefusedError) as caught:
        restore(state, held.ident)
    assert caught.value.refusal == "conflict"
    assert registry(folder).read_text() == text


def test_a_row_that_was_put_back_goes_again_when_the_rest_fails(state: State, folder: Path, tmp_path: Path) -> None:
    wanted = extension_wish(folder)
    profile = tmp_path / "home" / "profile" / "extensions.json"
    profile.parent.mkdir()
    profile.write_text(REGISTRY)
    wanted.rows = (*wanted.rows, (str(profile), "/1"))
    held = hold(state, wanted)
    cut = REGISTRY.replace(EVIL, "")
    assert (registry(folder).read_text(), profile.read_text()) == (cut, cut)
    registry(folder).unlink()  # the other one is put back first
    with pytest.raises(HoldRefusedError):
        restore(state, held.ident)
    assert not folder.exists()
    assert profile.read_text() == cut
    registry(folder).write_text(cut)
    restore(state, held.ident)
    assert (registry(folder).read_text(), profile.read_text()) == (REGISTRY, REGISTRY)


def test_a_registry_in_our_own_state_is_refused(state: State, folder: Path) -> None:
    state.ensure()
    path = Path(state.root, "x.json")
    path.write_text(REGISTRY)
    wanted = extension_wish(folder)
    wanted.rows = ((str(path), "/1"),)
    with pytest.raises(HoldRefusedError) as caught:
        hold(state, wanted)
    assert caught.value.refusal == "inside_state_dir"
    assert (folder.is_dir(), path.read_text()) == (True, REGISTRY)


CRATES = """# cargo's own
[v1]
"evil 1.0.0 (registry+https://registry.example/index)" = [
    "evil", # a program
    "evil-two",
]
"good 2.0.0 (path+file:///x)" = ["good"]

[other]
key = 1
"""
CRATE = ["v1", "evil 1.0.0 (registry+https://registry.example/index)"]


def test_programs_of_cargo_go_with_the_rows_of_both_its_lists(state: State, tmp_path: Path) -> None:
    cargo = tmp_path / "home" / ".cargo"
    (cargo / "bin").mkdir(parents=True)
    (cargo / "bin" / "evil").write_bytes(b"\x7fELF")
    (cargo / ".crates.toml").write_text(CRATES)
    (cargo / ".crates2.json").write_text(json.dumps({"installs": {CRATE[1]: {"bins": ["evil"]}, "good": {}}}))
    before = photograph(cargo)
    pointer = CRATE[1].replace("/", "~1")
    rows = [(f"{cargo}/.crates2.json", f"/installs/{pointer}"), (f"{cargo}/.crates.toml", f"/v1/{pointer}")]
    held = hold(
        state, Hold("file_set", "cargo", "evil", "1.0.0", files=[f"{cargo}/bin/evil"], root=str(cargo), rows=rows)
    )
    assert json.loads((cargo / ".crates2.json").read_text()) == {"installs": {"good": {}}}
    assert (cargo / ".crates.toml").read_text() == CRATES.replace(
        CRATES[CRATES.index('"evil 1') : CRATES.index('"good')], ""
    )
    assert os.listdir(cargo / "bin") == []
    restore(state, held.ident)
    assert photograph(cargo) == before


def test_a_key_goes_back_into_its_own_table() -> None:
    left, kept = tables.cut(CRATES, CRATE)
    edited = left.replace("key = 1", "key = 2")
    assert tables.added(edited, CRATES, CRATE) == edited.replace("[v1]\n", f"[v1]\n{kept}")
    with pytest.raises(ValueError, match="not there now"):
        tables.added("[other]\n", CRATES, CRATE)
    with pytest.raises(ValueError, match="inside another value"):
        tables.cut("v1 = {a = 1}\n", ["v1", "a"])
