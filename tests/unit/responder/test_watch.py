"""What lands is noticed once it is quiet, however it lands, and whatever becomes of the folder or of the kernel."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.responder import backlog as pacing
from bk.engine.responder import eyes as seeing
from bk.engine.responder import watch as watching
from bk.engine.responder.eyes import EVERYTHING, PLAN, Eyes, Spot, Target
from bk.engine.responder.inotify import Inotify
from bk.engine.state import State
from tests.unit.responder.watch_house import ON, Asked, Kept, until

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "extensions"
    made.mkdir()
    return made


@pytest.fixture
def begin(state: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(watching, "TICK_S", 0.1)
    monkeypatch.setattr(watching, "POLL_S", 0.1)
    monkeypatch.setattr(watching, "PLAN_GAP_S", 0.1)
    monkeypatch.setattr(watching, "QUIET_S", 0.15)
    kept = Kept(state)
    yield kept
    for watch in kept.made:
        watch.stop()


def extension(place: Path, name: str = "acme.evil-1.0.0") -> Path:
    folder = place / name
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    return folder


def test_what_is_renamed_into_place_and_what_is_written_there_is_checked(place: Path, begin: Kept) -> None:
    asked = Asked(Spot("editors", str(place)))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    (place / ".1234-5678").mkdir()
    (place / ".obsolete").write_text("{}")
    (place / "extensions.json").write_text("[]")
    os.rename(place / ".1234-5678", place / "acme.renamed-1.0.0")
    extension(place, "acme.written-1.0.0")
    until(lambda: asked.checks)
    assert sorted(asked.paths) == [str(place / "acme.renamed-1.0.0"), str(place / "acme.written-1.0.0")]
    assert len(asked.checks) == 1


def test_ten_thousand_files_are_one_check_after_half_a_second_of_quiet(
    place: Path, begin: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "QUIET_S", 0.5)
    monkeypatch.setattr(watching, "LONGEST_S", 60.0)  # on a slow machine the burst itself takes longer than that
    modules = place.parent / "node_modules"
    modules.mkdir()
    asked = Asked(Spot("npm", str(modules), str(place.parent), whole=True))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    for package in range(200):
        folder = modules / f"package-{package}"
        folder.mkdir()
        for file in range(50):
            (folder / f"{file}.js").touch()
    (modules / ".package-lock.json").write_text("{}")
    ended = time.monotonic()
    until(lambda: asked.checks)
    assert asked.checks == [[(str(modules), False)]]
    assert asked.at[0] - ended >= watching.QUIET_S - 0.05
    time.sleep(0.8)
    assert len(asked.checks) == 1


def test_what_never_rests_is_checked_after_a_while_and_then_less_often(
    place: Path, begin: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LONGEST_S", 0.3)
    monkeypatch.setattr(pacing, "PAUSE_S", 0.8)
    asked = Asked(Spot("mcp", str(place), names=("mcp.json",)))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    end = time.monotonic() + 1.8
    while time.monotonic() < end:
        (place / "mcp.json").write_text(str(time.monotonic()))
        time.sleep(0.02)
    assert 2 <= len(asked.checks) <= 3, "at 0.3 s, 0.8 s after that, and then 1.6 s after that"


def test_only_the_names_that_matter_wake_anybody(place: Path, begin: Kept) -> None:
    asked = Asked(Spot("mcp", str(place), names=(".mcp.json",)))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    (place / ".bash_history").write_text("ls")
    (place / "notes.json").write_text("{}")
    time.sleep(0.5)
    assert not asked.checks
    (place / ".mcp.json.tmp").write_text("{}")
    os.replace(place / ".mcp.json.tmp", place / ".mcp.json")
    until(lambda: asked.checks)
    assert asked.paths == [str(place / ".mcp.json")]


def test_a_folder_that_is_not_there_yet_is_picked_up_with_what_is_in_it(tmp_path: Path, begin: Kept) -> None:
    place = tmp_path / "later" / "extensions"
    asked = Asked(Spot("editors", str(place)))
    watch = begin(asked)
    assert watch.told()["places"] == 0
    place.mkdir(parents=True)
    extension(place)
    until(lambda: asked.checks)
    assert asked.paths[0] == str(place)
    assert watch.told()["places"] == 1


def test_a_folder_that_is_removed_and_made_again_is_watched_again(place: Path, begin: Kept) -> None:
    asked = Asked(Spot("editors", str(place)))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    place.rmdir()
    until(lambda: watch.told()["places"] == 0)
    place.mkdir()
    until(lambda: str(place) in asked.paths)
    extension(place)
    until(lambda: str(place / "acme.evil-1.0.0") in asked.paths)


def test_a_folder_that_is_replaced_by_another_is_watched_anew(place: Path, begin: Kept, tmp_path: Path) -> None:
    asked = Asked(Spot("editors", str(place)))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    os.rename(place, tmp_path / "aside")
    place.mkdir()
    extension(place)
    until(lambda: str(place) in asked.paths or str(place / "acme.evil-1.0.0") in asked.paths)
    extension(tmp_path / "aside", "acme.elsewhere-1.0.0")
    extension(place, "acme.later-1.0.0")
    until(lambda: str(place / "acme.later-1.0.0") in asked.paths)
    assert not any("elsewhere" in path for path in asked.paths)


def test_no_link_is_watched_in_a_folders_place(place: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(place)
    (tmp_path / "above").symlink_to(tmp_path)
    eyes = Eyes()
    try:
        spots = [Spot("editors", f"{tmp_path}/link"), Spot("editors", f"{tmp_path}/above/extensions")]
        eyes.look_at(spots, 0.0)
        extension(place)
        assert (eyes.watched, eyes.missing) == (0, 2)
        assert eyes.turn() == eyes.read() == []
    finally:
        eyes.close()


def test_lost_events_are_one_look_at_everything(place: Path) -> None:
    eyes = Eyes()
    try:
        eyes.look_at([Spot("mcp", str(place))], time.time() + 60)
        for at in range(int(QUEUE.read_text()) // 2 + 50):
            os.close(os.open(f"{place}/f{at}", os.O_CREAT | os.O_WRONLY))
        assert EVERYTHING in eyes.read()
    finally:
        eyes.close()


class Exhausted(Inotify):
    """A kernel that has one watch left for us."""

    left = 1

    def __init__(self) -> None:
        super().__init__()
        Exhausted.left = 1  # of the user's, whichever queue takes it

    def add(self, path: str) -> int:
        if not Exhausted.left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        Exhausted.left -= 1
        return super().add(path)


class Nothing(Inotify):
    """A system without inotify."""

    def __init__(self) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


@pytest.mark.parametrize(("kernel", "polled"), [(Exhausted, 1), (Nothing, 2)])
def test_what_the_kernel_does_not_watch_is_looked_at_and_that_is_said(
    kernel: type[Inotify], polled: int, place: Path, tmp_path: Path, begin: Kept
) -> None:
    settings = tmp_path / "settings"
    settings.mkdir()
    (settings / "mcp.json").write_text("{}")
    asked = Asked(Spot("editors", str(place)), Spot("mcp", str(settings), names=("mcp.json", "other.json")))
    watch = begin(asked, kernel=kernel)
    said = until(lambda: (told := watch.told())["places"] == 2 and told)
    assert said["polled"] == polled
    assert "watches" in said["why"] or "not implemented" in said["why"]
    (settings / "mcp.json").write_text('{"mcpServers": {}}')
    extension(place)
    until(lambda: str(settings / "mcp.json") in asked.paths)
    until(lambda: any(path.startswith(str(place)) for path in asked.paths))


def test_what_changed_since_the_last_look_is_checked_at_the_start(
    tmp_path: Path, state: State, begin: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 0.0)
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    time.sleep(0.05)
    Path(state.root, "inventory.db").write_bytes(b"")
    time.sleep(0.05)
    new.mkdir()
    asked = Asked(Spot("editors", str(old)), Spot("editors", str(new)))
    begin(asked)
    until(lambda: asked.checks)
    assert asked.paths == [str(new)]


def test_a_new_tree_below_a_root_is_watched_and_checked(
    tmp_path: Path, begin: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "FOLLOW_S", 1.0)
    project = tmp_path / "shop"
    project.mkdir()
    modules = project / "node_modules"
    asked = Asked(Spot(PLAN, str(project), names=("node_modules",)))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    asked.spots.append(Spot("npm", str(modules), str(project), whole=True))
    modules.mkdir()
    until(lambda: asked.checks)
    assert (asked.plans, asked.paths) == (2, [str(modules)])
    until(lambda: asked.plans == 3)
    time.sleep(0.3)
    assert asked.plans == 3, "once more a little later, and then no more"


def test_other_settings_are_a_new_plan_and_off_is_off(place: Path, begin: Kept) -> None:
    asked = Asked(Spot("editors", str(place)))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    watch.keep({**ON, "scan.roots": []})
    until(lambda: asked.plans == 2)
    watch.keep({"watch.enabled": False})
    assert watch.told() == {"on": False, "places": 0}
    extension(place)
    time.sleep(0.4)
    assert not asked.checks


def test_stopping_leaves_no_descriptor_no_thread_and_no_process(place: Path, state: State, begin: Kept) -> None:
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    warm = begin(Asked(Spot("editors", str(place))))
    warm.stop()
    before = held()
    asked = Asked(Spot("editors", str(place)))
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    asked.program = ["/bin/sleep", "60"]
    extension(place)
    until(lambda: asked.checks)
    began = time.monotonic()
    watch.stop()
    assert time.monotonic() - began < watching.STOP_S
    assert until(lambda: held() == before)
    assert not children(), "the process at work was ended and reaped"


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_what_is_not_whole_is_asked_for_a_few_times_and_then_for_the_last(
    place: Path, begin: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "RETRIES_S", (0.05, 0.05, 0.05))
    asked = Asked(Spot("editors", str(place)))
    again = {"again": [["editors", str(place), f"{place}/acme.evil-1.0.0", 0]], "problem": ""}
    asked.answers = [again, again, again]
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    extension(place)
    until(lambda: len(asked.checks) == 4)
    time.sleep(0.3)
    assert [last for check in asked.checks for _, last in check] == [False, False, False, True]


def test_a_check_that_breaks_off_is_told_and_done_again(
    place: Path, begin: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "FAILED_S", 0.6)
    asked = Asked(Spot("editors", str(place)))
    asked.answers = [{}, {"problem": "the threat index cannot be used"}]
    watch = begin(asked)
    until(lambda: watch.told()["places"] == 1)
    extension(place)
    assert "broke off" in until(lambda: watch.trouble)
    assert "the threat index" in until(lambda: "broke off" not in watch.trouble and watch.trouble)
    until(lambda: len(asked.checks) == 3 and not watch.trouble)
    assert set(asked.paths) == {str(place / "acme.evil-1.0.0")}


def test_a_watch_that_broke_off_says_so_and_begins_anew(
    place: Path, begin: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Eyes) -> list[Target]:
        raise RuntimeError("no more")

    asked = Asked(Spot("editors", str(place)))
    watch = begin(asked)
    with monkeypatch.context() as now:
        now.setattr(seeing.Eyes, "turn", broken)
        assert "RuntimeError: no more" in until(lambda: watch.trouble)

    def back() -> bool:
        watch.keep(ON)  # as the engine does each second
        return watch.told().get("places") == 1 and not watch.trouble

    until(back)
    extension(place)
    until(lambda: asked.checks)
