"""No engine: the call is decided in a process of its own, which can fail in every way without letting it through."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.hook_client.stand import CALL, Done, Installation, answer, digest, engine, replying

NO_ENGINE = "bk blocked this call: no engine answers, and "


def test_without_an_engine_the_call_is_decided_all_the_same(client: Installation) -> None:
    told = client.call(CALL, "--event", "PreToolUse", cwd="/usr", env={"BK_AGENT_DEPTH": "2"}).cold
    assert (told["harness"], told["event"], told["cwd"]) == ("claude-code", "PreToolUse", "/usr")
    assert (told["home"], told["body"]) == (str(client.home), CALL.decode())
    assert told["env"] == {"BK_AGENT_DEPTH": "2", "HOME": str(client.home)}
    assert len(told["nonce"]) == 32
    assert 3000 < told["deadline_ms"] <= 4700


@pytest.mark.parametrize("size", [0, (1 << 20) + 1, 2 << 20])
def test_any_body_reaches_the_cold_decision(client: Installation, size: int) -> None:
    body = os.urandom(size)
    assert client.call(body).cold["digest"] == digest(body[: (1 << 20) + 1])


def test_both_clients_hand_on_the_same(both: list[Installation]) -> None:
    native, python = (client.call(CALL).cold for client in both)
    for told in (native, python):
        del told["nonce"], told["deadline_ms"], told["environ"]
    assert native == python


def test_a_cold_decision_that_hangs_is_killed_and_denied_in_time(client: Installation) -> None:
    client.order.write_text("hang")
    done = client.call(CALL, "--deadline-ms", "900")
    assert done.reason == (
        "bk blocked this call: there was no decision before the deadline: "
        "no engine answers, and deciding without one took too long"
    )
    assert done.took < 4, "at the deadline that was asked for"
    for _ in range(1000):
        if not running(client):
            break
        time.sleep(0.02)
    assert not running(client), "it was left running"


def running(client: Installation) -> list[str]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if str(client.home.parent).encode() in words and state != "Z":
            found.append(pid)
    return found


def test_a_cold_decision_that_breaks_is_a_denial_with_its_reason(both: list[Installation]) -> None:
    both[0].order.write_text("crash")
    native, python = (client.call() for client in both)
    assert native.said == python.said
    assert native.reason == f"{NO_ENGINE}deciding without one failed: RuntimeError: it broke"


def test_a_cold_process_that_says_nothing_is_a_denial(both: list[Installation]) -> None:
    both[0].order.write_text("exit")
    native, python = (client.call() for client in both)
    assert native.said == python.said
    assert native.reason == f"{NO_ENGINE}the decision without one ended without an answer"


@pytest.fixture
def native(both: list[Installation]) -> Installation:
    return both[0]


def script(client: Installation) -> Path:
    return client.home.parent / "bk-hook-python"


def test_interpreter_variables_do_not_reach_the_cold_process(native: Installation) -> None:
    trap = native.home / "trap"
    trap.mkdir()
    (trap / "json.py").write_text("raise SystemExit(0)")
    env = {
        "PYTHONPATH": str(trap),
        "PYTHONHOME": "/nowhere",
        "PYTHONSTARTUP": f"{trap}/json.py",
        "LD_LIBRARY_PATH": str(trap),
        "LD_AUDIT": "/nowhere.so",
        "GCONV_PATH": str(trap),
        "BK_ANYTHING": "kept",
    }
    told = native.call(env=env).cold
    assert "BK_ANYTHING" in told["environ"]
    assert not [name for name in told["environ"] if name.startswith(("PYTHON", "LD_", "GCONV"))]


def test_the_python_client_started_without_isolation_starts_again_with_it(both: list[Installation]) -> None:
    """As an installer's shebang starts it."""
    client = both[1]
    client.argv.remove("-I")
    assert len(client.call().cold["nonce"]) == 32
    trap = client.home / "trap"
    trap.mkdir()
    (trap / "bk.py").write_text("raise SystemExit(0)")
    told = client.call(env={"PYTHONSAFEPATH": "1", "PYTHONVERBOSE": ""}).cold
    assert not [name for name in told["environ"] if name.startswith("PYTHON")]


def test_a_missing_script_is_a_denial(native: Installation) -> None:
    script(native).unlink()
    assert native.call().reason == f"{NO_ENGINE}bk is not installed whole; missing: {script(native)}"


def stand_in(path: Path) -> None:
    """An interpreter at `path`; a link would lose its environment's packages."""
    path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)


@pytest.mark.parametrize(
    "line", ["#!python", "#!/nowhere/python3.11", "#!/bin/sh", "", "#!" + "/x" * 3000], ids=range(5)
)
def test_without_an_interpreter_it_is_a_denial(native: Installation, line: str) -> None:
    text = script(native).read_text().split("\n", 1)[1]
    script(native).write_text(f"{line}\n{text}")
    beside = script(native).with_name("python3")
    assert native.call().reason == f"{NO_ENGINE}the Python that bk was installed with is gone: {beside}"
    stand_in(beside)
    assert native.call().cold, "the interpreter beside it is as good"


def test_an_interpreter_in_a_path_with_spaces_is_found(native: Installation) -> None:
    folder = native.home / "with a space"
    folder.mkdir()
    stand_in(folder / "python")
    text = script(native).read_text().split("\n", 1)[1]
    script(native).write_text(f"#!{folder}/python\n{text}")
    assert native.call().cold


def test_a_script_that_prints_instead_of_framing_is_a_denial(native: Installation) -> None:
    script(native).write_text(f"#!{sys.executable}\nprint('fine by me')\n")
    assert native.call().reason == "bk blocked this call: the engine's answer is malformed: it is not a reply"


def test_it_is_found_through_a_link(native: Installation, tmp_path: Path) -> None:
    link = tmp_path / "bk-hook"
    link.symlink_to(native.argv[0])
    native.argv = [str(link)]
    assert native.call().cold


SCRIPTS = Path(__file__).parents[3] / "bk/hook/native/scripts"


class TestWithoutCompiler:
    """The shell script that stands in for the native client."""

    @pytest.fixture
    def shell(self, both: list[Installation]) -> Installation:
        client = both[0]
        target = Path(client.argv[0])
        target.unlink()
        shutil.copy(SCRIPTS / "bk-hook.sh", target)
        target.chmod(0o755)
        return client

    def test_it_starts_the_python_client_isolated(self, shell: Installation, tmp_path: Path) -> None:
        (tmp_path / "json.py").write_text("raise SystemExit(0)")
        assert shell.call(env={"PYTHONPATH": str(tmp_path)}).cold["body"] == CALL.decode()

    def test_it_is_found_through_a_link(self, shell: Installation, tmp_path: Path) -> None:
        link = tmp_path / "bk-hook"
        link.symlink_to(shell.argv[0])
        shell.argv = [str(link)]
        assert shell.call().cold

    def test_a_missing_part_is_exit_2_with_a_reason(self, shell: Installation) -> None:
        text = script(shell).read_text().split("\n", 1)[1]
        script(shell).write_text(f"#!/nowhere/python\n{text}")
        done = shell.call()
        assert (done.code, done.out) == (2, b"")
        assert b"the Python that bk was installed with is gone" in done.err
        script(shell).unlink()
        done = shell.call()
        assert (done.code, done.out) == (2, b"")
        assert b"bk is not installed whole" in done.err

    def test_an_interpreter_that_fails_by_itself_is_exit_2(self, shell: Installation) -> None:
        folder = os.open("/", os.O_RDONLY)
        done = shell.call(folder)  # Python itself gives up on such a standard input, with exit code 1
        os.close(folder)
        assert done.code == 2
        assert b"the Python client ended with code 1" in done.err

    def test_an_interpreter_that_is_killed_is_exit_2(self, shell: Installation) -> None:
        text = script(shell).read_text().split("\n", 1)[1]
        beside = script(shell).with_name("python3")
        beside.write_text("#!/bin/sh\nkill -KILL $$\n")
        beside.chmod(0o755)
        script(shell).write_text(f"#!python\n{text}")
        assert shell.call().code == 2

    def test_other_exit_codes_and_both_streams_pass(self, shell: Installation) -> None:
        shell.make_run_dir()
        with engine(shell.socket, replying(answer(77, b"out", b"err"))):
            assert shell.call().said == (77, b"out", b"err")


def test_a_broken_installation_is_exit_2_with_a_reason(tmp_path: Path) -> None:
    """The script as it is shipped, under an interpreter that does not have bk."""
    target = tmp_path / "bk-hook-python"
    shutil.copy(SCRIPTS / "bk-hook-python.py", target)
    words = [sys.executable, "-I", "-S", str(target), "--harness", "claude-code"]
    done = subprocess.run(words, input=CALL, capture_output=True, env={"HOME": "/"}, timeout=10)
    said = Done(done.returncode, done.stdout, done.stderr, 0)
    assert said.code == 2
    assert said.err.startswith(b"bk blocked this call: bk is not installed whole: ModuleNotFoundError")
