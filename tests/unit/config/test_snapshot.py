"""The snapshot: fresh by stamps, whole by digest, and the last good settings when an edit is bad."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from blake3 import blake3

from bk.engine.config.snapshot import read
from bk.engine.errors import Refusal
from bk.engine.state import State

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
HEAVY = {"tomllib", "tomlkit", "typing", "dataclasses", "pathlib", "logging", "subprocess", "hashlib", "re2", "difflib"}


@pytest.fixture
def system(tmp_path: Path) -> str:
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    return str(folder / "config.toml")


def write(path: str, text: str, mode: int = 0o600) -> None:
    Path(path).write_text(text)
    os.chmod(path, mode)


def aged() -> None:
    """Long enough that a stamp can be believed."""
    time.sleep(0.12)


def test_without_any_file_the_defaults_are_in_force(state: State, system: str) -> None:
    policy = read(state, system)
    assert policy.values["fail_mode"] == "closed"
    assert policy.problems == ()
    assert os.stat(state.snapshot).st_mode & 0o777 == 0o600


def test_an_uninstalled_home_is_not_created_by_looking(tmp_path: Path, system: str) -> None:
    state = State(str(tmp_path / "none"), str(tmp_path), os.geteuid())
    assert read(state, system).problems == ()
    assert not os.path.exists(state.root)


def test_a_fresh_snapshot_is_used_and_gives_the_same_policy(state: State, system: str) -> None:
    write(state.config, '[hook]\ndeadline_ms = 900\n[paths]\nblock = ["/é/**"]\n')
    aged()
    first = read(state, system)
    before = os.stat(state.snapshot)
    second = read(state, system)
    assert os.stat(state.snapshot).st_ino == before.st_ino
    for name in ("values", "origin", "problems", "locked", "digest"):
        assert getattr(first, name) == getattr(second, name), name


def test_reading_a_fresh_snapshot_imports_nothing_heavy(state: State, system: str) -> None:
    write(state.config, "hook.deadline_ms = 900\n")
    aged()
    read(state, system)
    code = (
        "import sys, os; from bk.engine.state import State; from bk.engine.config import snapshot\n"
        f"s = State({state.root!r}, {state.home!r}, os.geteuid())\n"
        f"p = snapshot.tightened(snapshot.read(s, {system!r}), '/tmp/x/y', {state.home!r}, {{}})\n"
        "assert p.values['hook.deadline_ms'] == 900\n"
        "print(' '.join(sys.modules))"
    )
    names = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name for name in names.split() if name.startswith("bk.")}
    assert not HEAVY & set(names.split())
    assert not {"bk.engine.config.schema", "bk.engine.config.layers", "bk.engine.config.compiled"} & loaded


@pytest.mark.parametrize("how", ["replace", "append", "in-place", "remove", "chmod"])
def test_every_kind_of_change_is_seen(state: State, system: str, how: str) -> None:
    write(state.config, "hook.agent_depth = 2\n")
    aged()
    assert read(state, system).values["hook.agent_depth"] == 2
    expected = 3
    if how == "replace":
        write(f"{state.config}.new", "hook.agent_depth = 3\n")
        os.rename(f"{state.config}.new", state.config)
    elif how == "append":
        with open(state.config, "a") as file:
            file.write("hook.max_bytes = 4096\n")
        expected = 2
    elif how == "in-place":
        info = os.stat(state.config)
        with open(state.config, "r+") as file:
            file.write("hook.agent_depth = 3\n")
        os.utime(state.config, ns=(info.st_atime_ns, info.st_mtime_ns))  # a put-back mtime does not hide it
    elif how == "remove":
        os.unlink(state.config)
        expected = 10
    else:
        os.chmod(state.config, 0o666)
        expected = 2
    policy = read(state, system)
    assert policy.values["hook.agent_depth"] == expected
    assert (policy.values["hook.max_bytes"] == 4096) == (how == "append")
    assert any("others may write it" in problem for problem in policy.problems) == (how == "chmod")


def test_quick_edits_of_the_same_size_are_all_seen(state: State, system: str) -> None:
    write(state.config, "hook.agent_depth = 1\n")
    for depth in list(range(1, 10)) * 4:
        with open(state.config, "r+") as file:
            file.write(f"hook.agent_depth = {depth}\n")
        assert read(state, system).values["hook.agent_depth"] == depth


def test_a_bad_edit_keeps_the_last_good_settings_until_it_is_corrected(state: State, system: str) -> None:
    write(state.config, 'fail_mode = "warn"\nhook.agent_depth = 2\n')
    good = read(state, system)
    write(state.config, 'fail_mode = "warn\n')
    for _ in range(3):
        policy = read(state, system)
        assert policy.values == good.values
        assert policy.digest == good.digest
        assert "the last good user settings stay in force" in policy.problems[0]
        assert "line 1" in policy.problems[0]
        aged()
    write(state.config, "hook.agent_depth = 3\n")
    policy = read(state, system)
    assert (policy.values["fail_mode"], policy.values["hook.agent_depth"], policy.problems) == ("closed", 3, ())


def test_without_a_last_good_one_a_bad_file_refuses(state: State, system: str) -> None:
    write(state.config, "fail_moed = 1\n")
    with pytest.raises(Refusal) as caught:
        read(state, system)
    assert caught.value.cause == "policy"
    assert "did you mean fail_mode" in caught.value.detail
    assert not os.path.exists(state.snapshot)


@pytest.mark.parametrize("what", ["link", "directory", "fifo", "huge", "encoding"])
def test_unfit_files_refuse(state: State, system: str, what: str, tmp_path: Path) -> None:
    if what == "link":
        write(str(tmp_path / "x"), 'fail_mode = "open"\n')
        os.symlink(tmp_path / "x", state.config)
    elif what == "directory":
        os.mkdir(state.config)
    elif what == "fifo":
        os.mkfifo(state.config)
    else:
        Path(state.config).write_bytes(b"#" * (1 << 21) if what == "huge" else b"# \xff\n")
    with pytest.raises(Refusal, match="policy"):
        read(state, system)


@pytest.mark.parametrize("damage", ["truncate", "empty", "flip", "value", "link", "mode", "junk", "resealed"])
def test_a_damaged_snapshot_is_compiled_anew_and_never_trusted(state: State, system: str, damage: str) -> None:
    write(state.config, "hook.agent_depth = 2\n")
    aged()
    read(state, system)
    path = Path(state.snapshot)
    data = path.read_bytes()
    assert b'"fail_mode":"closed"' in data
    if damage == "truncate":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "flip":
        path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    elif damage == "value":
        path.write_bytes(data.replace(b'"fail_mode":"closed"', b'"fail_mode":"open"'))
    elif damage == "link":
        (path.parent / "other").write_bytes(data.replace(b'"closed"', b'"open"'))
        path.unlink()
        path.symlink_to(path.parent / "other")
    elif damage == "mode":
        path.chmod(0o666)
    elif damage == "junk":
        path.write_bytes(b"[" * 5000)
    else:
        text = b'{"fail_mode": "open"}'
        path.write_bytes(blake3(text).hexdigest().encode() + b"\n" + text)
    policy = read(state, system)
    assert policy.values["fail_mode"] == "closed"
    assert policy.values["hook.agent_depth"] == 2
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    body = json.loads(path.read_bytes().partition(b"\n")[2])
    assert body["values"]["fail_mode"] == "closed"


def test_a_truncated_snapshot_and_a_bad_file_refuse_instead_of_guessing(state: State, system: str) -> None:
    write(state.config, 'fail_mode = "warn"\n')
    read(state, system)
    os.truncate(state.snapshot, os.path.getsize(state.snapshot) - 1)
    write(state.config, "fail_mode = \n")
    with pytest.raises(Refusal):
        read(state, system)


def test_the_last_good_settings_survive_a_change_of_what_a_key_accepts(state: State, system: str) -> None:
    write(state.config, "hook.agent_depth = 2\n")
    aged()
    read(state, system)
    body = json.loads(Path(state.snapshot).read_bytes().partition(b"\n")[2])
    body["user"] = {"hook.agent_depth": 2, "hook.deadline_ms": 7, "gone.key": 1}
    del body["values"]["fail_mode"]
    text = json.dumps(body).encode()
    Path(state.snapshot).write_bytes(blake3(text).hexdigest().encode() + b"\n" + text)
    write(state.config, "broken = ")
    policy = read(state, system)
    assert policy.values["hook.agent_depth"] == 2
    assert policy.values["hook.deadline_ms"] == 5000
    assert policy.values["fail_mode"] == "closed"
    assert any("hook.deadline_ms is outside" in problem for problem in policy.problems)


def test_concurrent_writers_and_readers_never_meet_half(state: State, system: str) -> None:
    write(state.config, "hook.agent_depth = 1\n")
    code = (
        "import os, sys, time\nfrom bk.engine.state import State\nfrom bk.engine.config import snapshot\n"
        f"s = State({state.root!r}, {state.home!r}, os.geteuid())\n"
        "me, n = int(sys.argv[1]), 0\n"
        "until = time.monotonic() + 2\n"
        "while time.monotonic() < until:\n"
        "    if me < 2:\n"
        "        new = f'{s.config}.{me}'\n"
        "        open(new, 'w').write(f'hook.agent_depth = {n % 9 + 1}\\nhook.deadline_ms = {(n % 9 + 1) * 1000}\\n')\n"
        "        os.chmod(new, 0o600); os.rename(new, s.config)\n"
        f"    p = snapshot.read(s, {system!r})\n"
        "    depth, deadline = p.values['hook.agent_depth'], p.values['hook.deadline_ms']\n"
        "    assert deadline == depth * 1000 or (depth, deadline) == (1, 5000), (depth, deadline)\n"
        "    assert not p.problems, p.problems\n"
        "    n += 1\n"
        "print(n)\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-I", "-c", code, str(me)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for me in range(4)
    ]
    for process in running:
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err.decode()
        assert int(out) > 20
    assert read(state, system).problems == ()
    left = [name for name in os.listdir(f"{state.root}/run") if name.startswith(".snapshot")]
    assert left == []


def test_a_snapshot_that_cannot_be_kept_costs_time_and_is_told(state: State, system: str) -> None:
    os.rmdir(f"{state.root}/run")
    Path(f"{state.root}/run").write_text("")
    write(state.config, "hook.agent_depth = 2\n")
    policy = read(state, system)
    assert policy.values["hook.agent_depth"] == 2
    assert "cannot be kept" in policy.problems[0]


@ROOT_ONLY
def test_the_system_layer_is_below_the_user_unless_it_locks(state: State, system: str) -> None:
    write(system, 'fail_mode = "warn"\nhook.agent_depth = 4\n', 0o644)
    write(state.config, "hook.agent_depth = 6\n")
    policy = read(state, system)
    assert (policy.values["fail_mode"], policy.values["hook.agent_depth"]) == ("warn", 6)
    assert policy.origin["fail_mode"] == "system"
    write(system, 'locked = ["hook.agent_depth"]\nhook.agent_depth = 4\n', 0o644)
    policy = read(state, system)
    assert (policy.values["fail_mode"], policy.values["hook.agent_depth"]) == ("closed", 4)
    assert policy.locked == ("hook.agent_depth",)


@ROOT_ONLY
@pytest.mark.parametrize("flaw", ["owner", "mode", "folder", "link"])
def test_a_system_file_that_is_not_roots_alone_is_refused(state: State, system: str, flaw: str) -> None:
    write(system, 'fail_mode = "open"\n', 0o644)
    if flaw == "owner":
        os.chown(system, 12345, -1)
    elif flaw == "mode":
        os.chmod(system, 0o664)
    elif flaw == "folder":
        os.chmod(os.path.dirname(system), 0o777)
    else:
        os.rename(system, f"{system}.x")
        os.symlink(f"{system}.x", system)
    with pytest.raises(Refusal, match="policy"):
        read(state, system)


@ROOT_ONLY
def test_a_broken_user_file_cannot_keep_a_new_system_floor_away(state: State, system: str) -> None:
    write(state.config, 'fail_mode = "open"\n')
    assert read(state, system).values["fail_mode"] == "open"
    write(state.config, "deliberately broken")
    write(system, 'locked = ["fail_mode"]\n', 0o644)
    assert read(state, system).values["fail_mode"] == "closed"
    write(system, "broken", 0o644)
    assert read(state, system).values["fail_mode"] == "closed"
