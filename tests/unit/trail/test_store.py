"""The trail's store: who is remembered, for whom, how long, how fast, and what happens when it breaks."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from bk.engine.model import Action, ToolCall, Touch
from bk.engine.state import State
from bk.engine.trail import store
from bk.engine.trail.store import Trail
from bk.engine.trail.tidy import tidy

NOW = 1_800_000_000_000


def call(session: str = "s", home: str = "/home/dev") -> ToolCall:
    return ToolCall("Bash", "shell", {}, harness="t", cwd="/home/dev/p", home=home, session=session)


def write(path: str, *takes: str, tree: bool = False, where: str = "") -> Touch:
    made = Touch(path, "write", tree=tree)
    made.takes, made.where = takes, where
    return made


def gone(path: str, *, tree: bool = False) -> Touch:
    return Touch(path, "delete", tree=tree)


def kept(trail: Trail, *actions: Action, session: str = "s") -> str:
    return trail.remember(call(session), actions, NOW)


def test_nothing_is_made_for_calls_that_leave_nothing_notable(state: State) -> None:
    trail = Trail(state)
    assert kept(trail, write("/tmp/x", "file:/home/dev/p/a.txt", "run:cat", "unknown", "env:LANG")) == ""
    assert kept(trail, write("/tmp/x", "net:localhost", "net:127.0.0.1:80")) == ""
    assert kept(trail, Touch("/home/dev/.env", "read")) == ""
    assert not os.path.exists(trail.path)
    assert not trail.of(call())


@pytest.mark.parametrize(
    "take",
    ["net:h.example", "decoded", "secret:gh auth token", "env:*", "env:API_TOKEN", "file:/home/dev/.ssh/id_rsa",
     "file:/home/dev/p/.env", "tree:/home/dev/.aws", "tree:/home/dev", "tree:/"],
)  # fmt: skip
def test_what_is_notable_is_remembered_for_its_session_alone(state: State, take: str) -> None:
    assert kept(Trail(state), write("/tmp/x", take, "run:cp")) == ""
    for trail in (Trail(state), Trail(state)):
        tracks = trail.of(call())
        assert tracks
        assert tracks.get("/tmp/x") == (take,)
        assert tracks.used == {"/tmp/x": (take,)}
        assert tracks.get("/tmp/y", ()) == ()
        assert not trail.of(call("other"))
    assert stat.S_IMODE(os.stat(f"{state.root}/trail.db").st_mode) == 0o600


def test_elsewhere_is_not_here(state: State) -> None:
    trail = Trail(state)
    kept(trail, write("/tmp/x", "net:h.example", where="ssh:h"))
    assert not trail.of(call())


def test_a_copy_of_a_copy_carries_on(state: State) -> None:
    trail = Trail(state)
    kept(trail, write("/tmp/a", "net:h.example"))
    kept(trail, write("/tmp/b", "file:/tmp/a"), write("/tmp/c", "file:/tmp/b"))
    assert trail.of(call()).get("/tmp/c") == ("net:h.example",)


def test_a_folder_covers_what_is_below_and_a_link_is_what_it_leads_to(state: State, tmp_path: Path) -> None:
    trail = Trail(state)
    (tmp_path / "d").mkdir()
    kept(trail, write(f"{tmp_path}/d", "net:h.example", tree=True))
    (tmp_path / "l").symlink_to(tmp_path / "d")
    tracks = trail.of(call())
    assert tracks.get(f"{tmp_path}/d/a/b.sh") == ("net:h.example",)
    assert tracks.get(f"{tmp_path}/l/a.sh") == ("net:h.example",)
    assert tracks.get(f"{tmp_path}/e") == ()
    assert f"{tmp_path}/d" in tracks
    assert list(tracks.items()) == [(f"{tmp_path}/d", ("net:h.example",))]


def test_a_deletion_counts_once_it_has_happened(state: State, tmp_path: Path) -> None:
    trail = Trail(state)
    path = tmp_path / "x"
    path.write_text("1")
    kept(trail, write(str(path), "net:h.example"))
    kept(trail, gone(str(path)))  # `false && rm x`: judged, never done
    assert trail.of(call()).get(str(path)) == ("net:h.example",)
    path.unlink()
    assert not trail.of(call()).get(str(path))
    (tmp_path / "spacer").write_text("keeps the inode from coming back")
    path.write_text("2")
    assert Trail(state).of(call()).get(str(path)) in ((), ("net:h.example",))  # an inode may come back: then it stays
    kept(trail, write(str(path), "net:h.example"))
    path.unlink()
    kept(trail, gone(str(tmp_path), tree=True))
    assert not trail.of(call())


def test_a_flood_forgets_nothing(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_SESSION", 20)
    trail = Trail(state)
    for number in range(60):
        kept(trail, write(f"/tmp/d{number % 3}/f{number}", f"net:h{number}.example"))
    tracks = Trail(state).of(call())
    assert len(tracks) <= 24
    for number in range(60):
        assert tracks.get(f"/tmp/d{number % 3}/f{number}"), number


def test_old_and_many_rows_go(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    trail = Trail(state)
    trail.remember(call(), [write("/tmp/old", "net:h.example")], NOW - store.KEEP_MS - 1)
    for number in range(5):
        trail.remember(call(), [write(f"/tmp/{number}", "net:h.example")], NOW - number)
    tidy(state, NOW)
    assert set(Trail(state).of(call())) == {f"/tmp/{number}" for number in range(5)}
    monkeypatch.setattr("bk.engine.trail.tidy.MAX_ROWS", 2)
    tidy(state, NOW)
    assert set(trail.of(call())) == {"/tmp/0", "/tmp/1"}


def test_another_process_is_seen(state: State) -> None:
    warm = Trail(state)
    kept(warm, write("/tmp/a", "net:h.example"))
    assert warm.of(call()).get("/tmp/a")
    kept(Trail(state), write("/tmp/b", "decoded"))
    assert warm.of(call()).get("/tmp/b") == ("decoded",)


def test_a_locked_file_is_told_and_what_it_would_hold_still_counts(state: State) -> None:
    trail = Trail(state)
    kept(trail, write("/tmp/a", "net:h.example"))
    other = sqlite3.connect(trail.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert "locked" in kept(trail, write("/tmp/b", "decoded"))
        assert trail.of(call()).get("/tmp/b") == ("decoded",)
        assert trail.of(call()).get("/tmp/a") == ("net:h.example",)
    finally:
        other.close()
    kept(trail, write("/tmp/c", "decoded"))
    assert set(Trail(state).of(call())) == {"/tmp/a", "/tmp/b", "/tmp/c"}


@pytest.mark.parametrize("how", ["garbage", "folder", "link", "open to others"])
def test_what_cannot_be_read_is_told_when_it_would_matter(state: State, how: str, tmp_path: Path) -> None:
    path = Path(state.root, "trail.db")
    if how == "garbage":
        path.write_bytes(b"x" * 8192)
        path.chmod(0o600)
    elif how == "folder":
        path.mkdir()
    elif how == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        kept(Trail(state), write("/tmp/a", "decoded"))
        path.chmod(0o666)
    trail = Trail(state)
    tracks = trail.of(call())
    assert tracks.trouble == ""  # nobody asked yet
    assert tracks.get("/tmp/a") == ()
    assert tracks.trouble
    assert kept(trail, write("/tmp/b", "decoded"))
    assert trail.of(call()).get("/tmp/b") == ("decoded",)
    assert not (tmp_path / "elsewhere").exists()


def test_a_damaged_file_makes_room_for_a_new_one(state: State) -> None:
    path = Path(state.root, "trail.db")
    path.write_bytes(b"x" * 8192)
    path.chmod(0o600)
    assert "set aside" in tidy(state, NOW)
    assert tidy(state, NOW) == ""
    assert Path(f"{path}.damaged").exists()
    trail = Trail(state)
    assert kept(trail, write("/tmp/b", "decoded")) == ""
    assert Trail(state).of(call()).get("/tmp/b") == ("decoded",)


def test_asking_is_cheap(state: State) -> None:
    def best(what: object, times: int = 200) -> float:
        assert callable(what)
        found = []
        for _ in range(times):
            began = time.perf_counter_ns()
            what()
            found.append((time.perf_counter_ns() - began) / 1000)
        return sorted(found)[times // 4]

    absent = best(lambda: Trail(state).of(call()).get("/tmp/a"))
    assert absent < 60, absent
    warm = Trail(state)
    kept(warm, write("/tmp/a", "decoded"))
    other = call("without rows")
    assert best(lambda: warm.of(other).get("/tmp/a")) < 60
    assert best(lambda: Trail(state).of(other).get("/tmp/a")) < 3000
