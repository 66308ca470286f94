"""What disks and other writers do: nothing is ever half written, and nobody's file is lost."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.wiring import files, wire
from bk.engine.wiring.clients import BY_NAME, CLIENTS
from bk.engine.wiring.plans import USER, Say
from tests.unit.wiring.desk import Desk

SETTINGS = "~/.claude/settings.json"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """A disk on which a file may have this many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def whole(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", [0, 300, 3000])
def test_a_full_disk_leaves_the_file_as_it_was(desk: Desk, size: int) -> None:
    file = desk.put(SETTINGS, '{"a": "' + "x" * 4000 + '"}\n')
    before = file.read_bytes()
    with room_for(size), pytest.raises(BkError) as caught:
        desk.install("claude-code")
    assert caught.value.title
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == ["settings.json"]
    desk.install("claude-code")
    desk.uninstall("claude-code")
    assert file.read_bytes() == before


def test_a_full_disk_in_the_middle_takes_back_what_was_written(desk: Desk) -> None:
    """OpenClaw has four files: the setting that lets the plugin act is the last, and the largest here."""
    settings = desk.put("~/.openclaw/openclaw.json", '{"a": "' + "x" * 100_000 + '"}\n')
    before = whole(Path(desk.home) / ".openclaw")
    changes = wire.installing(BY_NAME["openclaw"], USER, desk.spot)
    with room_for(50_000), pytest.raises(BkError):
        wire.install(changes, desk.state)
    assert whole(Path(desk.home) / ".openclaw") == before
    desk.install("openclaw")
    desk.uninstall("openclaw")
    assert settings.read_text().startswith('{"a"')
    assert whole(Path(desk.home) / ".openclaw") == before


@pytest.mark.parametrize("mode", [0o400, 0o444, 0o600, 0o640, 0o666, 0o755, 0o1644])
def test_modes_stay(desk: Desk, mode: int) -> None:
    file = desk.put(SETTINGS, "{}\n", mode)
    desk.install("claude-code")
    assert file.stat().st_mode & 0o7777 == mode
    desk.uninstall("claude-code")
    assert file.stat().st_mode & 0o7777 == mode
    assert file.read_text() == "{}\n"


def test_a_folder_is_no_file(desk: Desk) -> None:
    Path(desk.spot.path(SETTINGS)).mkdir(parents=True)
    with pytest.raises(BkError, match="left alone"):
        desk.install("claude-code")


def test_a_file_is_no_folder(desk: Desk) -> None:
    Path(desk.home, ".claude").write_text("theirs")
    with pytest.raises(BkError, match="left alone"):
        desk.install("claude-code")
    assert Path(desk.home, ".claude").read_text() == "theirs"


def test_links_that_lead_nowhere(desk: Desk) -> None:
    link = Path(desk.spot.path(SETTINGS))
    link.parent.mkdir()
    link.symlink_to(f"{desk.home}/dotfiles/claude.json")
    desk.install("claude-code")
    assert link.is_symlink()
    assert "bk-hook" in link.read_text()
    desk.uninstall("claude-code")
    assert link.is_symlink()
    assert not link.exists()
    assert not os.path.lexists(f"{desk.home}/dotfiles"), "the folder was made for it"
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(BkError, match="left alone"):
        desk.install("claude-code")


@pytest.mark.parametrize("client", [each.name for each in CLIENTS])
def test_folders_that_were_made_go_and_others_stay(desk: Desk, client: str) -> None:
    """A folder of a client that was never here would make it look as if it were."""
    before = sorted(os.listdir(desk.home))
    desk.install(client)
    assert client in [each.name for each in wire.detected(desk.home, "")] or client == "gemini"
    desk.uninstall(client)
    assert sorted(os.listdir(desk.home)) == before
    desk.install(client)
    folder = os.path.dirname(BY_NAME[client].plans[USER](Say("/x/bk-hook", BY_NAME[client]))[0].path)
    theirs = desk.put(f"{folder}/theirs.txt", "x")
    desk.uninstall(client)
    assert theirs.read_text() == "x"


def test_a_change_while_it_is_taken_out_is_seen(desk: Desk) -> None:
    file = desk.put(SETTINGS, "{}\n")
    desk.install("claude-code")
    changes = wire.removing(BY_NAME["claude-code"], USER, desk.spot, desk.state)
    file.write_text(file.read_text().replace("\n}", ',\n  "theirs": 1\n}'))
    with pytest.raises(BkError, match="was changed"):
        wire.uninstall(changes, desk.state)
    assert '"theirs": 1' in file.read_text()
    desk.uninstall("claude-code")
    assert file.read_text().split() == ["{", '"theirs":', "1", "}"]


def test_what_was_before_is_known_after_a_new_installation_that_failed(desk: Desk) -> None:
    file = desk.put(SETTINGS, '{ "odd" :1 }')
    desk.install("claude-code")
    desk.spot = wire.Spot(desk.home, desk.project, "/opt/new/bk-hook", desk.spot.machine)
    with room_for(700), pytest.raises(BkError):
        desk.install("claude-code")
    desk.uninstall("claude-code")
    assert file.read_text() == '{ "odd" :1 }'


def test_somebody_elses_entry_that_came_later_survives(desk: Desk) -> None:
    file = desk.put(SETTINGS, "")
    desk.install("claude-code")
    theirs = '{"matcher": "Bash", "hooks": [{"type": "command", "command": "/opt/other"}]}'
    file.write_text(file.read_text().replace('"PreToolUse": [', f'"PreToolUse": [\n      {theirs},'))
    desk.uninstall("claude-code")
    assert "/opt/other" in file.read_text()
    assert "bk-hook" not in file.read_text()


def test_bytes_that_are_no_text_are_named_with_their_line(desk: Desk) -> None:
    file = desk.put(SETTINGS, "")
    file.write_bytes(b'{\n  "a": "\xff"\n}')
    with pytest.raises(BkError) as caught:
        desk.install("claude-code")
    assert "line 2" in caught.value.detail


def test_a_file_that_is_too_large_is_left_alone(desk: Desk) -> None:
    file = desk.put(SETTINGS, "")
    with file.open("wb") as out:
        out.truncate(files.MAX + 1)
    with pytest.raises(BkError, match="left alone"):
        desk.install("claude-code")
    assert file.stat().st_size == files.MAX + 1
