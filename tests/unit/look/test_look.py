"""What lowering may see of the disk: bounded, harmless, never a secret, and named in the record."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from blake3 import blake3

from bk.engine import look
from bk.engine.decide import Judgement, decide
from bk.engine.model import Run, ToolCall
from bk.engine.record import entry_of
from bk.engine.state import State
from bk.engine.world import World


@pytest.fixture
def project(state: State) -> Path:
    made = Path(state.home, "project")
    made.mkdir()
    return made


def decided(state: State, command: str, cwd: Path) -> Judgement:
    call = ToolCall("Bash", "shell", {"command": command}, harness="t", cwd=str(cwd), home=state.home, session="s")
    return decide(call, World.open(state))


def programs(judgement: Judgement) -> list[str]:
    return [action.program for action in judgement.actions if type(action) is Run]


def seen(judgement: Judgement) -> list[list[object]]:
    assert judgement.seen is not None
    return judgement.seen.looked


def test_a_script_is_followed_through_the_scripts_it_runs(state: State, project: Path) -> None:
    (project / "a.sh").write_text("sh b.sh\n")
    (project / "b.sh").write_text("uname -a\n")
    judgement = decided(state, "sh a.sh", project)
    assert "uname" in programs(judgement)
    digest = blake3(b"uname -a\n").hexdigest(16)
    assert [f"{project}/b.sh", digest] in seen(judgement)
    call = ToolCall("Bash", "shell", {"command": "sh a.sh"}, cwd=str(project), home=state.home)
    data = entry_of(call, judgement, World.open(state), 1).data
    assert data["looked"] == seen(judgement)


def test_depth_and_files_are_bounded(state: State, project: Path) -> None:
    for number in range(12):
        (project / f"s{number}.sh").write_text(f"sh s{number + 1}.sh\n")
    assert len(seen(decided(state, "sh s0.sh", project))) < 12
    for number in range(60):
        (project / f"t{number}.sh").write_text("true\n")
    many = "; ".join(f"sh t{number}.sh" for number in range(60))
    assert len(seen(decided(state, many, project))) <= look.MAX_FILES


@pytest.mark.parametrize("name", [".ssh/id_rsa", ".env", ".aws/credentials", "key.pem", ".netrc"])
def test_a_secret_is_not_looked_at_by_any_name(state: State, project: Path, name: str) -> None:
    home = state.home.lower().strip("/").split("/")
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("secret\n")
    assert look.take(str(path), home) == (None, ["secret"])
    (project / "plain.sh").symlink_to(path)
    assert look.take(f"{project}/plain.sh", home) == (None, ["secret"])


def test_nothing_can_make_looking_hang(state: State, project: Path) -> None:
    os.mkfifo(project / "pipe.sh")
    (project / "dir.sh").mkdir()
    (project / "loop.sh").symlink_to("loop.sh")
    (project / "zero.sh").symlink_to("/dev/zero")
    (project / "large.sh").write_bytes(b"#" * (look.MAX_BYTES + 1))
    (project / "shut.sh").symlink_to("/proc/1/mem")
    found: dict[str, str] = {}

    def try_all() -> None:
        for name in ("pipe", "dir", "loop", "zero", "large", "shut", "absent"):
            text, told = look.take(f"{project}/{name}.sh", [])
            assert text is None
            found[name] = told[0]

    thread = threading.Thread(target=try_all, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    shut = found.pop("shut")
    assert shut in ("unreadable", "secret", "special")
    assert found == {
        "pipe": "special", "dir": "special", "loop": "unreadable", "zero": "special", "large": "large",
        "absent": "absent",
    }  # fmt: skip


def test_a_link_is_followed_and_told(state: State, project: Path) -> None:
    (project / "real.sh").write_text("true\n")
    (project / "link.sh").symlink_to("real.sh")
    text, told = look.take(f"{project}/link.sh", [])
    assert text == "true\n"
    assert told == [blake3(b"true\n").hexdigest(16), f"{project}/real.sh"]


def test_bytes_that_are_no_text_are_read_all_the_same(project: Path) -> None:
    (project / "x.sh").write_bytes(b"\xff\xfe rm -rf ~\n")
    text, _ = look.take(f"{project}/x.sh", [])
    assert text is not None
    assert "rm -rf" in text


@pytest.mark.parametrize("path", ["relative", "/a\0b", ""])
def test_what_is_no_path_is_none(path: str) -> None:
    assert look.take(path, []) == (None, ["no path"])
