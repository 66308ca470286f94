"""Where the engine is looked for, and which places are refused. Both clients must say the same words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.hook_client.stand import CALL, Done, Installation, answer, compiled, dead_end, engine, replying

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def project() -> Iterator[Path]:
    folder = dead_end()
    (folder / ".git").mkdir()
    (folder / "src").mkdir()
    yield folder
    shutil.rmtree(folder)


def agreed(both: list[Installation], *args: str, **given: object) -> Done:
    """What both clients say, which must be the same."""
    native, python = (client.call(CALL, *args, **given) for client in both)  # type: ignore[arg-type]
    assert native.said == python.said
    return native


def test_bk_home_is_where_the_engine_is(client: Installation) -> None:
    other = dead_end()
    run = other / "state/run"
    run.mkdir(parents=True, mode=0o700)
    with engine(run / "engine.sock", replying(answer(5))):
        assert client.call(env={"BK_HOME": f"{other}/x/../state//"}).code == 5
        assert client.call(env={"BK_HOME": f"/{other}/state"}).code == 5
        assert client.call(env={"BK_HOME": f"{other}/state", "HOME": ""}).code == 5
    shutil.rmtree(other)


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"HOME": ""}, "HOME is not set: so there is no telling where the engine is"),
        ({"HOME": "here"}, "HOME is not an absolute path: here"),
        ({"BK_HOME": "state"}, "BK_HOME is refused: it is not an absolute path: state"),
        ({"BK_HOME": "./state"}, "BK_HOME is refused: it is not an absolute path: ./state"),
        ({"BK_HOME": 'a"b\\c\u00e9\x1b[31m'}, 'BK_HOME is refused: it is not an absolute path: a"b\\c???[31m'),
    ],
)
def test_places_that_nobody_can_mean_are_refused(both: list[Installation], env: dict[str, str], why: str) -> None:
    assert agreed(both, env=env).reason == f"bk blocked this call: {why}"


def test_home_missing_altogether_is_refused(both: list[Installation]) -> None:
    for client in both:
        del client.env["HOME"]
    assert "HOME is not set" in agreed(both).reason


@pytest.mark.parametrize(
    "where", ["{p}/.bk", "{p}", "{p}/src/x", "{p}/src/../.bk", "/{p}/.bk", "//{p}/.bk", "/tmp/..{p}/a"]
)
@pytest.mark.parametrize("cwd", ["", "src"])
def test_bk_home_in_the_project_is_refused(both: list[Installation], project: Path, where: str, cwd: str) -> None:
    done = agreed(both, env={"BK_HOME": where.format(p=project)}, cwd=str(project / cwd))
    assert "it lies in the project that is being worked on" in done.reason


def test_bk_home_beside_the_project_is_not(both: list[Installation], project: Path) -> None:
    for client in both:
        beside = f"{project}-state"
        assert client.call(env={"BK_HOME": beside}, cwd=str(project)).cold["cwd"] == str(project)
        assert not os.path.exists(beside)


def test_a_home_that_is_a_repository_is_not_a_project(both: list[Installation], project: Path) -> None:
    """Dotfiles under version control are usual; the state directory is in the home by design."""
    for client in both:
        env = {"HOME": str(project), "BK_HOME": f"{project}/.bk"}
        assert client.call(env=env, cwd=str(project)).cold


@pytest.mark.parametrize("made", [True, False])
def test_bk_home_that_leads_into_the_project_is_refused(both: list[Installation], project: Path, made: bool) -> None:
    if made:
        (project / "state/run").mkdir(parents=True, mode=0o700)
    link = dead_end() / "link"
    link.symlink_to(project)
    for client in both:
        reason = client.call(env={"BK_HOME": f"{link}/state"}, cwd=str(project)).reason
        assert reason.startswith("bk blocked this call: BK_HOME is refused: it leads into the project")
        reason = client.call(env={"BK_HOME": "/proc/self/cwd/state"}, cwd=str(project)).reason
        assert "BK_HOME is refused" in reason
    shutil.rmtree(link.parent)


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o770, 0o777, 0o720])
def test_a_directory_open_to_others_is_refused(both: list[Installation], mode: int) -> None:
    both[0].make_run_dir()
    both[0].run_dir.chmod(mode)
    with engine(both[0].socket, replying(answer())):
        assert agreed(both).reason == (
            f"bk blocked this call: the engine's directory is open to others: {both[0].run_dir}"
        )


def test_a_directory_that_is_a_link_or_a_file_is_refused(both: list[Installation]) -> None:
    both[0].make_run_dir()
    elsewhere = both[0].home / "elsewhere"
    both[0].run_dir.rename(elsewhere)
    both[0].run_dir.symlink_to(elsewhere)
    assert "is not a real directory" in agreed(both).reason
    both[0].run_dir.unlink()
    both[0].run_dir.write_text("")
    assert "is not a real directory" in agreed(both).reason


@root_only
def test_a_directory_of_another_user_is_refused(both: list[Installation]) -> None:
    both[0].make_run_dir()
    os.chown(both[0].run_dir, 65534, 65534)
    with engine(both[0].socket, replying(answer())):
        assert agreed(both).reason == (
            f"bk blocked this call: the engine's directory belongs to another user: {both[0].run_dir}"
        )


def test_a_path_that_is_too_long_for_a_socket_is_decided_cold(client: Installation) -> None:
    far = client.home / ("d" * 60) / ("e" * 60)
    (far / "run").mkdir(parents=True, mode=0o700)
    assert client.call(env={"BK_HOME": str(far)}).cold["env"]["BK_HOME"] == str(far)


def test_a_plain_file_in_the_sockets_place_is_no_engine(client: Installation) -> None:
    client.make_run_dir()
    client.socket.write_text("")
    assert client.call().cold


def test_a_working_directory_that_is_gone_is_refused(both: list[Installation]) -> None:
    code = "import os,subprocess,sys\nos.mkdir(sys.argv[1])\nos.chdir(sys.argv[1])\nos.rmdir(sys.argv[1])\n"
    code += "sys.exit(subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode)"
    said = []
    for client in both:
        words = [sys.executable, "-I", "-c", code, str(client.home / "gone"), *client.argv, "--harness", "claude-code"]
        done = subprocess.run(words, capture_output=True, env=client.env, timeout=20)
        said.append(Done(done.returncode, done.stdout, done.stderr, 0))
    assert said[0] == said[1]
    assert said[0].reason == "bk blocked this call: the working directory cannot be named"


@pytest.mark.parametrize(
    "bad", [b"\xff", b"a\x1eb", b"a\x1fb", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82"]
)
def test_text_that_no_frame_can_hold_is_refused(both: list[Installation], bad: bytes) -> None:
    said = []
    for client in both:
        env = {k.encode(): v.encode() for k, v in client.env.items()} | {b"BK_AGENT_ID": bad}
        done = subprocess.run([*client.argv, "--harness", "claude-code"], input=CALL, capture_output=True, env=env)
        said.append(Done(done.returncode, done.stdout, done.stderr, 0))
    assert said[0] == said[1]
    assert said[0].reason.endswith("cannot be sent: it is not UTF-8 or holds a separator: env.BK_AGENT_ID")


def test_an_environment_that_is_too_large_is_refused(both: list[Installation]) -> None:
    done = agreed(both, env={"BK_AGENT_LINEAGE": "x" * 66000})
    assert done.reason.endswith("the call cannot be sent: the environment is too large: env.BK_AGENT_LINEAGE")


class Placed:
    """Both clients with a placement file of their own."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self.file = folder / "place"
        self.both = [Installation("native", folder, binary), Installation("python", folder, None, str(self.file))]


@pytest.fixture
def placed() -> Iterator[Placed]:
    folder = dead_end()
    binary, report = compiled((f'-DPLACE="{folder}/place"',))
    if binary is None:
        pytest.skip(f"needs a C compiler: {report['reason']}")
    yield Placed(folder, binary)
    shutil.rmtree(folder)
    shutil.rmtree(binary.parent)


@root_only
def test_the_placement_file_says_where_the_engine_is(placed: Placed) -> None:
    other = dead_end()
    (other / "run").mkdir(mode=0o700)
    placed.file.write_text(f"# ours\n state = {other} \nuid=0\r\n")
    with engine(other / "run/engine.sock", replying(answer(6))):
        assert agreed(placed.both).code == 6
        assert agreed(placed.both, env={"BK_HOME": "/tmp/elsewhere"}).code == 6, "it outranks the environment"
        assert agreed(placed.both, env={"HOME": ""}).code == 6
        with engine(other / "s.sock", replying(answer(7))):
            placed.file.write_text(f"state={other}\nsocket={other}/run/../s.sock\n")
            (other / "run").chmod(0o700)
            assert "run/.." in str(agreed(placed.both).said) or agreed(placed.both).code == 7
    shutil.rmtree(other)


@root_only
def test_an_engine_with_a_uid_of_its_own(placed: Placed) -> None:
    other = dead_end()
    (other / "run").mkdir(mode=0o711)
    (other / "run").chmod(0o711)
    placed.file.write_text(f"state={other}\nuid=65534\n")
    assert "belongs to another user" in agreed(placed.both).reason
    os.chown(other / "run", 65534, 65534)
    with engine(other / "run/engine.sock", replying(answer())):
        assert agreed(placed.both).reason.endswith("holds the engine's socket; its uid is: 0")
    (other / "run").chmod(0o722)
    assert "open to others" in agreed(placed.both).reason
    shutil.rmtree(other)


@root_only
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no state directory"),
        ("state=relative\n", "names no state directory"),
        ("#state=/x\n", "names no state directory"),
        ("state=/x\nsocket=rel\n", "names no state directory"),
        ("state=/x\nuid=me\n", "names no uid"),
        ("state=/x\nuid=\n", "names no uid"),
    ],
)
def test_a_placement_file_that_says_nothing_is_refused(placed: Placed, text: str, why: str) -> None:
    placed.file.write_text(text)
    assert why in agreed(placed.both).reason


@root_only
def test_a_placement_file_that_is_not_roots_alone_is_refused(placed: Placed) -> None:
    placed.file.write_text("state=/srv/bk\n")
    for mode in (0o664, 0o646):
        placed.file.chmod(mode)
        assert "is not root's alone" in agreed(placed.both).reason
    placed.file.chmod(0o644)
    os.chown(placed.file, 65534, 65534)
    assert "is not root's alone" in agreed(placed.both).reason
    placed.file.rename(placed.file.with_name("other"))
    os.chown(placed.file.with_name("other"), 0, 0)
    placed.file.symlink_to("other")
    assert "is not root's alone" in agreed(placed.both).reason
