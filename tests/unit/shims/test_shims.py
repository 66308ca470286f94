"""A stand-in is the program it stands for, unless the guard says no; its arguments arrive as they were given."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.shims import folder
from bk.engine.shims.stand_in import MANAGERS, interpreter, text
from bk.engine.state import State

ODD = ["install", "a b", "--x=y z", "", "*", "$HOME", "'\"", "\n", "-"]


class House:
    """A home with a real `npm` that writes down what it is given, and a guard that answers as it is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = State(f"{root}/.bk", str(root), os.getuid())
        (root / "bin").mkdir()
        self.put("bin/npm", '#!/bin/sh\nprintf "%s\\0" "$0" "$@" > "$OUT"\nexit 7\n')
        self.guard = self.put("bk-hook", '#!/bin/sh\ncat > "$ASKED"\n' + "exit 0\n")
        folder.install(self.state, ["npm", "pip"], str(self.guard))

    def put(self, path: str, text: str) -> Path:
        file = self.root / path
        file.write_text(text)
        file.chmod(0o755)
        return file

    def run(self, *words: str | bytes, path: str = "") -> subprocess.CompletedProcess[bytes]:
        where = path or f"{folder.folder(self.state)}:{self.root}/bin:/usr/bin:/bin"
        env = {
            "PATH": where,
            "OUT": str(self.root / "out"),
            "ASKED": str(self.root / "asked"),
            "PYTHONPATH": "/nowhere",
        }
        return subprocess.run(["npm", *words], env=env, cwd=self.root, capture_output=True, timeout=20, check=False)

    def given(self) -> list[str]:
        return (self.root / "out").read_bytes().decode().split("\0")[:-1]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_what_is_let_through_runs_as_it_was_called(house: House) -> None:
    ran = house.run(*ODD)
    assert ran.returncode == 7, "its own exit code"
    assert house.given()[1:] == ODD
    asked = json.loads((house.root / "asked").read_text())
    assert asked == {"event": "pre", "tool": "run", "input": {"command": ["npm", *ODD]}, "cwd": str(house.root)}


def test_bytes_that_are_no_text_arrive_too(house: House) -> None:
    house.run(b"install", b"\xff\xfe")
    assert (house.root / "out").read_bytes().endswith(b"\xff\xfe\0")


def test_what_is_stopped_does_not_run_and_says_why(house: House) -> None:
    house.put("bk-hook", "#!/bin/sh\ncat >/dev/null\necho 'bk blocked this call: it is bad' >&2\nexit 2\n")
    ran = house.run("install", "evil")
    assert ran.returncode == 2
    assert b"it is bad" in ran.stderr
    assert b"npm was not run" in ran.stderr
    assert not (house.root / "out").exists()


@pytest.mark.parametrize("guard", ["kill -9 $$", "exit 1", "exit 127"])
def test_a_guard_that_breaks_stops(house: House, guard: str) -> None:
    house.put("bk-hook", f"#!/bin/sh\n{guard}\n")
    assert house.run("install").returncode == 2
    assert not (house.root / "out").exists()


def test_a_guard_that_is_gone_stops(house: House) -> None:
    house.guard.unlink()
    ran = house.run("install")
    assert ran.returncode == 2
    assert b"cannot be started" in ran.stderr


def test_a_warning_is_shown_and_the_program_runs(house: House) -> None:
    house.put("bk-hook", '#!/bin/sh\ncat >/dev/null\necho \'{"warning":"bk warns: it is young"}\'\n')
    ran = house.run("install")
    assert b"bk warns: it is young" in ran.stderr
    assert ran.returncode == 7


def test_without_the_real_program_it_says_so(house: House) -> None:
    ran = house.run("install", path=folder.folder(house.state))
    assert ran.returncode == 127
    assert b"no other npm" in ran.stderr


def test_it_never_finds_itself(house: House) -> None:
    here = folder.folder(house.state)
    (house.root / "link").symlink_to(here)
    ran = house.run("x", path=f"{here}:{house.root}/link:{here}/:{house.root}/bin:/usr/bin:/bin")
    assert ran.returncode == 7


def test_status_says_which_is_reached(house: House) -> None:
    here = folder.folder(house.state)
    found = {each.name: each for each in folder.status(house.state, f"{here}:{house.root}/bin")}
    assert found["npm"].first
    assert found["npm"].real == f"{house.root}/bin/npm"
    found = {each.name: each for each in folder.status(house.state, f"{house.root}/bin:{here}")}
    assert not found["npm"].first
    assert folder.install(house.state, ["npm"], str(house.guard)) == []
    assert folder.uninstall(house.state, []) == ["npm", "pip"]
    assert folder.status(house.state, here) == []


def test_a_file_of_somebody_else_is_not_taken_away(house: House) -> None:
    theirs = Path(folder.folder(house.state)) / "tool"
    theirs.write_text("#!/bin/sh\n")
    assert folder.uninstall(house.state, ["tool"]) == []
    assert theirs.exists()


def test_only_managers_are_stood_in_for(house: House) -> None:
    for name in ("ls", "../npm", ""):
        with pytest.raises(BkError):
            folder.install(house.state, [name], str(house.guard))
    assert "npm" in MANAGERS


def test_everything_else_arrives_too(house: House) -> None:
    """Standard input, variables whose names no shell would export, and the path by which a program finds itself."""
    told = 'sys.stdin.read() + sys.argv[0] + os.environ["npm_config_@scope:registry"]'
    house.put("bin/npm", f"#!/usr/bin/env -S python3 -IS\nimport os, sys\nsys.stdout.write({told})\n")
    path = f"{folder.folder(house.state)}:{house.root}/bin:/usr/bin:/bin"
    env = {"PATH": path, "ASKED": str(house.root / "asked"), "npm_config_@scope:registry": "https://registry.example"}
    ran = subprocess.run(["npm"], env=env, input=b"typed\n", capture_output=True, timeout=20, check=False)
    assert ran.stdout.decode() == f"typed\n{house.root}/bin/npmhttps://registry.example"


def test_a_reader_that_goes_away_ends_it_as_it_would_without_us(house: House) -> None:
    """Python ignores SIGPIPE, and a program that it becomes would inherit that and write on for ever."""
    house.put("bin/npm", "#!/bin/sh\nwhile :; do echo line || exit 9; done\n")
    path = f"{folder.folder(house.state)}:{house.root}/bin:/usr/bin:/bin"
    env = {"PATH": path, "ASKED": str(house.root / "asked")}
    with subprocess.Popen(["npm"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        ran.stdout.readline()
        ran.stdout.close()
        assert ran.wait(timeout=20) == -signal.SIGPIPE


def test_a_signal_reaches_the_program(house: House) -> None:
    house.put("bin/npm", "#!/bin/sh\ntrap 'exit 5' TERM\necho ready\nwhile :; do sleep 0.05; done\n")
    path = f"{folder.folder(house.state)}:{house.root}/bin:/usr/bin:/bin"
    env = {"PATH": path, "ASKED": str(house.root / "asked")}
    with subprocess.Popen(["npm"], env=env, stdout=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        assert ran.stdout.readline() == b"ready\n"
        ran.terminate()
        assert ran.wait(timeout=20) == 5


def test_stand_ins_of_two_installations_do_not_call_each_other_for_ever(house: House) -> None:
    other = State(f"{house.root}/other/.bk", f"{house.root}/other", os.getuid())
    (house.root / "other").mkdir()
    folder.install(other, ["npm"], str(house.guard))
    (house.root / "links").mkdir()
    (house.root / "links" / "npm").symlink_to(f"{folder.folder(house.state)}/npm")
    first = f"{house.root}/links:{folder.folder(house.state)}:{folder.folder(other)}"
    assert house.run("x", path=f"{first}:{house.root}/bin:/usr/bin:/bin").returncode == 7
    assert house.run("x", path=first).returncode == 127, "there is none but ours"


def test_when_bk_is_gone_it_says_how_to_have_the_program_back(house: House) -> None:
    """It is not let through, for a guard that is missing is a no; but nobody has to guess what to do."""
    house.guard.unlink()
    ran = house.run("install")
    assert ran.returncode == 2
    assert not (house.root / "out").exists()
    cure = ran.stderr.decode().splitlines()[0].partition("Was bk removed? Then take its stand-ins away too: ")[2]
    assert cure == f"rm -r {folder.folder(house.state)}"
    subprocess.run(["/bin/sh", "-c", cure], check=True)
    assert house.run("install").returncode == 7


def test_it_outlives_the_environment_that_bk_is_in(tmp_path: Path) -> None:
    """A stand-in whose own interpreter went with bk could say nothing at all."""
    assert os.path.realpath(interpreter()) == interpreter()
    assert sys.prefix == sys.base_prefix or not interpreter().startswith(sys.prefix)
    told = text("npm", python="/usr/bin/python3", guard='/q/it\'s "a" guard', folder="/a b/{x}")
    compile(told, "npm", "exec")
    assert told.startswith("#!/usr/bin/python3 -IS\n")


def test_a_guard_that_says_nonsense_stops(house: House) -> None:
    house.put("bk-hook", "#!/bin/sh\ncat >/dev/null\necho 'a log line'\n")
    ran = house.run("install")
    assert ran.returncode == 2
    assert b"cannot be read" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_a_directory_that_is_gone_stops_with_a_reason(house: House) -> None:
    gone = house.root / "gone"
    gone.mkdir()
    shim = f"{folder.folder(house.state)}/npm"
    ran = subprocess.run(
        ["/bin/sh", "-c", f"cd '{gone}' && rmdir '{gone}' && exec '{shim}' install"], capture_output=True, timeout=20,
        env={"PATH": f"{house.root}/bin:/usr/bin:/bin", "ASKED": "/dev/null"}, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert b"is gone" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_a_file_of_somebody_else_is_not_written_over(house: House) -> None:
    theirs = Path(folder.folder(house.state)) / "cargo"
    theirs.write_text("#!/bin/sh\n")
    with pytest.raises(BkError, match="no stand-in of ours"):
        folder.install(house.state, ["cargo"], str(house.guard))
    assert theirs.read_text() == "#!/bin/sh\n"


def test_taking_all_away_leaves_nothing(house: House) -> None:
    assert folder.uninstall(house.state, []) == ["npm", "pip"]
    assert not os.path.lexists(folder.folder(house.state))
    folder.install(house.state, ["npm"], str(house.guard))
    assert house.run("x").returncode == 7


@pytest.mark.long
def test_the_real_guard_without_an_engine(house: House, short_dir: Path) -> None:
    """Nothing resident is needed: the guard decides alone, lets a listing run, and stops what reads a key."""
    guard = Path(sys.executable).parent / "bk-hook"
    state = State(f"{short_dir}/.bk", str(short_dir), os.getuid())
    folder.install(state, ["npm"], str(guard))
    lock = os.open(f"{state.run}/starting.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # so none is left behind
    path = f"{folder.folder(state)}:{house.root}/bin:/usr/bin:/bin"
    env = {"PATH": path, "HOME": str(short_dir), "BK_HOME": state.root, "OUT": str(house.root / "out")}
    ran = subprocess.run(["npm", "ls"], env=env, cwd=short_dir, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 7, ran.stderr
    (house.root / "out").unlink()
    evil = ["npm", "exec", "--call", "cat ~/.ssh/id_rsa"]
    ran = subprocess.run(evil, env=env, cwd=short_dir, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 2
    assert b"id_rsa" in ran.stderr
    assert not (house.root / "out").exists()
    os.close(lock)
