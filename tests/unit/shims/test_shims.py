"""A stand-in is the program it stands for, unless the guard says no; its arguments arrive as they were given."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.shims import folder
from bk.engine.shims.stand_in import MANAGERS
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
