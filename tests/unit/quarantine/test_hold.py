"""Holding and putting back: what is taken, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from bk.engine.state import State
from bk.quarantine.back import restore
from bk.quarantine.listing import exported, history, listed, one, verified
from bk.quarantine.purge import purge
from bk.quarantine.record import Hold, Limits
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.vault import hold
from tests.unit.quarantine.house import extension, extension_wish, package, photograph, state_in, wish


@pytest.fixture
def state(tmp_path: Path) -> State:
    return state_in(tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return package(tmp_path / "home" / "project")


def code_of(state: State, wanted: Hold, **over: object) -> str:
    with pytest.raises(HoldRefusedError) as caught:
        hold(state, wanted, **over)  # type: ignore[arg-type]
    assert caught.value.detail
    return caught.value.refusal


def test_a_package_is_taken_out_of_use_and_comes_back_as_it_was(state: State, folder: Path) -> None:
    before, around = photograph(folder), sorted(os.listdir(folder.parent))
    held = hold(state, wish(folder))
    assert not folder.exists()
    [shown] = listed(state)
    assert (shown.ident, shown.name, shown.version, shown.state, shown.problem) == (
        held.ident, "evil", "1.0.0", "held", "",
    )  # fmt: skip
    assert (shown.count, shown.path) == (len(before), str(folder))
    assert (shown.at_ms > 1_700_000_000_000, shown.incident, shown.evidence, shown.actor) == (
        True, "inc-1", ({"group": "one"},), "engine",
    )  # fmt: skip
    assert verified(state, shown) == ""
    restore(state, held.ident)
    assert photograph(folder) == before
    assert sorted(os.listdir(folder.parent)) == around
    assert listed(state) == []
    assert one(state, held.ident).state == "restored"
    assert os.listdir(f"{state.root}/quarantine/items") == []
    assert [step for _, step, _ in history(state, held.ident)] == [
        "planned", "moving", "moved", "held", "restoring", "restored",
    ]  # fmt: skip


def test_the_vault_is_for_its_owner_alone(state: State, folder: Path) -> None:
    held = hold(state, wish(folder))
    for path in (f"{state.root}/quarantine", f"{state.root}/quarantine/items/{held.ident}"):
        assert os.stat(path).st_mode & 0o777 == 0o700
    assert os.stat(f"{state.root}/quarantine/items/{held.ident}/manifest.json").st_mode & 0o777 == 0o600
    assert os.stat(f"{state.keys}/quarantine").st_mode & 0o777 == 0o600


def test_refused_places(state: State, folder: Path, tmp_path: Path) -> None:
    home, project = tmp_path / "home", folder.parent.parent
    (project / "node_modules" / "file").write_text("x")
    (project / "node_modules" / "link").symlink_to(folder)
    (home / "linked").symlink_to(project)
    (folder / "nul").mkdir()
    state.ensure()
    inside = Path(state.root, "intel", "node_modules", "x")
    inside.mkdir(parents=True)
    for path, code in [
        ("relative/node_modules/x", "not_absolute"),
        (f"{project}/node_modules/../node_modules/evil", "dotdot"),
        (f"{project}/node_modules/ev\nil", "nul_or_control"),
        (f"{project}/node_modules//evil", "form"),
        ("/", "protected_root"),
        ("/usr", "protected_root"),
        ("/etc", "protected_root"),
        ("/tmp", "protected_root"),
        (str(home), "home_or_ancestor"),
        (str(home.parent), "home_or_ancestor"),
        (f"{home}/.ssh", "protected_root"),
        (state.root, "inside_state_dir"),
        (str(inside), "inside_state_dir"),
        (f"{state.root}/quarantine/items/x", "inside_quarantine"),
        (f"{project}/node_modules", "project_root"),
        (str(project), "no_container"),
        (f"{home}/venv/lib/python3.11/site-packages", "site_packages_root"),
        (f"{home}/.vscode/extensions", "extensions_root"),
        (f"{project}/node_modules/none", "gone"),
        (f"{project}/node_modules/file", "not_directory"),
        (f"{project}/node_modules/link", "symlink_component"),
        (f"{home}/linked/node_modules/evil", "symlink_component"),
    ]:
        before = photograph(home / "project")
        assert code_of(state, wish(Path("x"), path=path)) == code, path
        assert photograph(home / "project") == before
    assert listed(state) == []


def test_a_project_a_repository_and_what_is_too_large_stay(state: State, folder: Path) -> None:
    assert code_of(state, wish(folder), projects=[str(folder)]) == "project_root"
    assert code_of(state, wish(folder), limits=Limits(10)) == "too_large"
    os.mkfifo(folder / "pipe")
    assert code_of(state, wish(folder)) == "special_file"
    (folder / "pipe").unlink()
    (folder / "lib" / ".git").mkdir()
    assert code_of(state, wish(folder)) == "vcs_root"
    assert folder.is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_another_users_file_and_a_mount_stay(state: State, folder: Path) -> None:
    for theirs in (folder / "lib" / "index.js", folder / "lib", folder):
        os.chown(theirs, 12345, 12345)
        before = photograph(folder)
        assert code_of(state, wish(folder)) == "not_owner"
        assert photograph(folder) == before
        os.chown(theirs, 0, 0)
    os.chown(folder / "lib" / "index.js", 0, 0)
    subprocess.run(["mount", "-t", "tmpfs", "none", str(folder / "lib")], check=True)
    try:
        assert code_of(state, wish(folder)) == "mount_point"
    finally:
        subprocess.run(["umount", str(folder / "lib")], check=True)
    hold(state, wish(folder))


@pytest.mark.parametrize("version", ["", "/", "../../etc", "\x1b[31m", "a\nb", "x" * 300])
def test_names_from_outside_never_reach_the_disk(state: State, folder: Path, version: str) -> None:
    wanted = Hold("dir", "npm", "@evil/../core\x1b", version, path=str(folder))
    held = hold(state, wanted)
    assert set(held.ident) <= set("q_0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert len(held.ident) == 28
    assert os.listdir(f"{state.root}/quarantine/items") == [held.ident]
    assert one(state, held.ident).version == version


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_another_users_registry_stays_and_so_does_the_extension(state: State, tmp_path: Path) -> None:
    folder = extension(tmp_path / "home")
    os.chown(folder.parent / "extensions.json", 12345, 12345)
    before = photograph(folder.parent)
    assert code_of(state, extension_wish(folder)) == "not_owner"
    assert photograph(folder.parent) == before


def test_a_taken_place_is_a_conflict_even_when_it_is_an_empty_folder(state: State, folder: Path) -> None:
    held = hold(state, wish(folder))
    folder.mkdir()
    for _ in range(2):
        with pytest.raises(HoldRefusedError) as caught:
            restore(state, held.ident)
        assert caught.value.refusal == "conflict"
    assert list(folder.iterdir()) == []
    assert [item.state for item in listed(state)] == ["held"]
    folder.rmdir()
    restore(state, held.ident)


def test_a_missing_or_exchanged_folder_needs_a_word(state: State, folder: Path) -> None:
    before = photograph(folder)
    held = hold(state, wish(folder))
    folder.parent.rename(folder.parent.parent / "old")
    with pytest.raises(HoldRefusedError) as caught:
        restore(state, held.ident)
    assert caught.value.refusal == "parent_missing"
    folder.parent.mkdir()
    with pytest.raises(HoldRefusedError) as caught:
        restore(state, held.ident)
    assert caught.value.refusal == "parent_changed"
    folder.parent.rmdir()
    restore(state, held.ident, recreate_parent=True)
    assert photograph(folder) == before
    assert folder.parent.stat().st_mode & 0o777 == 0o755


def test_elsewhere_is_judged_by_the_same_rules(state: State, folder: Path, tmp_path: Path) -> None:
    before = photograph(folder)
    held = hold(state, wish(folder))
    for to, code in [("x", "not_absolute"), (f"{state.root}/x", "inside_state_dir"), ("/etc", "protected_root")]:
        with pytest.raises(HoldRefusedError) as caught:
            restore(state, held.ident, to=to)
        assert caught.value.refusal == code
    restore(state, held.ident, to=str(tmp_path / "looked-at"))
    assert photograph(tmp_path / "looked-at") == before


@pytest.mark.parametrize("ident", ["", ".", "..", "../../escape", "q_", "x/y", "\0"])
def test_an_id_is_looked_up_and_never_a_path(state: State, folder: Path, ident: str) -> None:
    hold(state, wish(folder))
    for act in (restore, purge):
        with pytest.raises(HoldRefusedError) as caught:
            act(state, ident)
        assert caught.value.refusal == "not_found"
    assert len(listed(state)) == 1


def altered(state: State, ident: str, what: str) -> None:
    place = Path(state.root, "quarantine", "items", ident)
    if what == "payload":
        (place / "payload" / "0" / "lib" / "index.js").write_text("module.exports = 2\n")
    elif what == "time":
        os.utime(place / "payload" / "0" / "lib" / "index.js", ns=(1, 1))
    elif what == "link":
        place.rename(f"{place}.real")
        place.symlink_to(f"{place}.real")
    else:
        manifest = place / "manifest.json"
        told = json.loads(manifest.read_text())
        inner = json.loads(told["manifest"])
        inner["parts"][0][0] = "/etc/cron.d/x"
        told["manifest"] = json.dumps(inner, sort_keys=True, separators=(",", ":"))
        manifest.write_text(json.dumps(told))


@pytest.mark.parametrize("what", ["payload", "time", "manifest", "link"])
def test_what_was_altered_is_seen_and_not_put_back(state: State, folder: Path, what: str) -> None:
    held = hold(state, wish(folder))
    altered(state, held.ident, what)
    assert verified(state, one(state, held.ident)) != ""
    with pytest.raises(HoldRefusedError) as caught:
        restore(state, held.ident)
    assert caught.value.refusal == "tampered"
    assert not folder.exists()
    if what in ("manifest", "link"):
        assert next(item for item in listed(state) if item.ident == held.ident).problem


def test_a_purge_takes_one_item_and_follows_no_link(state: State, tmp_path: Path) -> None:
    outside = tmp_path / "home" / "precious"
    outside.mkdir(parents=True)
    (outside / "file").write_text("keep")
    first, second = package(tmp_path / "home" / "a"), package(tmp_path / "home" / "b")
    (first / "way-out").symlink_to(outside)
    held, other = hold(state, wish(first)), hold(state, wish(second))
    gone = purge(state, held.ident)
    assert (gone.state, one(state, held.ident).digest) == ("purged", held.digest)
    assert (outside / "file").read_text() == "keep"
    assert [item.ident for item in listed(state)] == [other.ident]
    with pytest.raises(HoldRefusedError) as caught:
        purge(state, held.ident)
    assert caught.value.refusal == "not_held"


def test_what_the_books_do_not_know_is_in_sight_and_cannot_be_purged(state: State, folder: Path) -> None:
    hold(state, wish(folder))
    Path(state.root, "quarantine", "items", "left-over").mkdir()
    assert [(item.ident, item.state) for item in listed(state) if item.problem] == [("left-over", "orphan")]
    with pytest.raises(HoldRefusedError):
        purge(state, "left-over")


def test_an_export_is_a_copy(state: State, folder: Path, tmp_path: Path) -> None:
    held = hold(state, wish(folder))
    assert exported(state, held.ident, str(tmp_path / "out.tar.gz")) > 100
    listing = subprocess.run(["tar", "tzf", str(tmp_path / "out.tar.gz")], capture_output=True, text=True, check=True)
    assert f"{held.ident}/payload/0/lib/index.js" in listing.stdout
    with pytest.raises(HoldRefusedError) as caught:
        exported(state, held.ident, str(tmp_path / "out.tar.gz"))
    assert caught.value.refusal == "conflict"
    restore(state, held.ident)
