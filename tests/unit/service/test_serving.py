"""Requests in, recorded answers out: for many clients, slow ones, broken ones and hostile ones."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bk.engine.service import server
from bk.engine.service.endpoint import listening
from bk.engine.service.status import EngineStatus
from bk.engine.state import State
from tests.unit.service.driven import SCRIPT, Engine, ask, connect, hear, incidents, recorded, until
from tests.unit.service.line_engine import CLIENT_S


def test_an_answer_names_the_entry_that_holds_it(engine: Engine, state: State) -> None:
    answer = ask(state, id="t1", nonce="n1")
    held = {entry.seq: entry for entry in recorded(state)}
    assert answer["level"] == "allow"
    assert held[answer["seq"]].data["tool_use_id"] == "t1"


def test_the_same_request_again_gets_the_first_answer(engine: Engine, state: State) -> None:
    first = ask(state, id="t1", nonce="same", level="block", sync=True)
    again = ask(state, id="t1", nonce="same", level="allow")
    assert (again["seq"], again["level"]) == (first["seq"], "block")


def test_eight_clients_at_once_each_get_their_own_answer(engine: Engine, state: State) -> None:
    answers: list[dict[str, object]] = []

    def client(name: int) -> None:
        calls = ({"id": f"{name}-{at}", "nonce": f"{name}-{at}", "sync": at % 10 == 0} for at in range(50))
        answers.extend(ask(state, **call) for call in calls)

    threads = [threading.Thread(target=client, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = {entry.seq: entry.data.get("tool_use_id") for entry in recorded(state)}
    assert len(answers) == 400
    assert len({answer["seq"] for answer in answers}) == 400
    assert all(held[int(str(answer["seq"]))] == answer["id"] for answer in answers)


def test_half_a_request_delays_nobody_and_is_let_go(engine: Engine, state: State) -> None:
    began = time.monotonic()
    slow = [connect(state) for _ in range(20)]
    for sock in slow:
        sock.sendall(b'{"id":')
    assert ask(state, id="quick")["level"] == "allow"
    assert time.monotonic() - began < CLIENT_S
    assert [hear(sock) for sock in slow] == [{}] * 20
    assert time.monotonic() - began > CLIENT_S - 0.5


def test_a_request_may_come_byte_by_byte(engine: Engine, state: State) -> None:
    sock = connect(state)
    for byte in b'{"id": "drip"}\n':
        sock.sendall(bytes([byte]))
        time.sleep(0.002)
    assert hear(sock)["id"] == "drip"


def test_a_client_that_does_not_read_its_answer_holds_nobody_up(engine: Engine, state: State) -> None:
    deaf = connect(state)
    deaf.sendall(b'{"id": "deaf", "big": 4000000}\n')
    until(lambda: any(entry.data.get("tool_use_id") == "deaf" for entry in recorded(state)))
    began = time.monotonic()
    assert ask(state, id="quick")["level"] == "allow"
    assert time.monotonic() - began < CLIENT_S
    time.sleep(CLIENT_S + 0.5)
    got = b""
    while more := deaf.recv(1 << 20):
        got += more
    deaf.close()
    assert 0 < len(got) < 4_000_000


def test_a_large_answer_arrives_whole(engine: Engine, state: State) -> None:
    assert len(ask(state, id="large", big=900_000)["pad"]) == 900_000


def test_what_is_no_frame_is_refused_by_name_and_serving_goes_on(engine: Engine, state: State) -> None:
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b'{"id": \n', b"{not json\n"):
        sock = connect(state)
        sock.sendall(junk)
        assert hear(sock) == {"status": server.VERSION}
    assert ask(state, id="after")["level"] == "allow"


def test_a_request_without_end_is_cut_off(engine: Engine, state: State) -> None:
    sock = connect(state)
    sent = 0
    try:
        while sent < 8 << 20:
            sent += sock.send(b"{" + b"x" * 65535)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert server.MAX_REQUEST < sent < 4 << 20
    assert hear(sock) in ({"status": server.VERSION}, {})


def test_more_clients_than_the_cap_are_told_to_decide_by_themselves(engine: Engine, state: State) -> None:
    held = [connect(state) for _ in range(server.MAX_CONNECTIONS)]
    until(lambda: hear(connect(state)) == {"status": server.BUSY})
    for sock in held:
        sock.close()
    assert until(lambda: ask(state, id="after").get("level") == "allow")


def test_too_many_bytes_held_for_slow_clients_are_not_held(engine: Engine, state: State) -> None:
    held = [connect(state) for _ in range(24)]
    for sock in held:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(b"{" + b"x" * 1_000_000)
    most = server.MAX_HELD // 1_000_000 + 1
    until(lambda: EngineStatus(state).told().get("requests", {}).get("busy", 0) >= len(held) - most)
    assert ask(state, id="small")["level"] == "allow"
    for sock in held:
        sock.close()


def test_a_defect_denies_its_own_call_and_is_recorded(engine: Engine, state: State) -> None:
    answer = ask(state, id="bad", nonce="crash-1", crash=True)
    assert (answer["level"], answer["cause"]) == ("block", "internal")
    assert "this check has a defect" in answer["detail"]
    assert ask(state, id="next")["level"] == "allow"
    [denial] = [entry for entry in recorded(state) if entry.call == "crash-1"]
    assert (denial.kind, denial.level, denial.data["failure"]) == ("decision", "block", "internal")
    assert "crash" in incidents(state)


def test_an_answer_that_cannot_be_rendered_is_a_denial(engine: Engine, state: State) -> None:
    assert ask(state, id="t", unrenderable=True)["level"] == "block"
    assert ask(state, id="next")["level"] == "allow"


def test_deciding_that_never_ends_is_ended(engine: Engine, state: State) -> None:
    began = time.monotonic()
    answer = ask(state, id="spin", nonce="spin-1", spin=30)
    assert answer["cause"] == "deadline"
    assert time.monotonic() - began < 20
    assert ask(state, id="next")["level"] == "allow"


def test_an_entry_that_cannot_be_recorded_fails_its_own_call_only(engine: Engine, state: State) -> None:
    busy = connect(state)
    busy.sendall(b'{"id": "busy", "spin": 0.3}\n')  # while it spins, the rest gathers into one batch
    time.sleep(0.05)
    said = [json.dumps({"id": f"b{at}", "poison": at == 2}).encode() + b"\n" for at in range(5)]
    socks = [connect(state) for _ in said]
    for sock, line in zip(socks, said, strict=True):
        sock.sendall(line)
    assert hear(busy)["level"] == "allow"
    answers = [hear(sock) for sock in socks]
    assert [answer["level"] for answer in answers] == ["allow", "allow", "block", "allow", "allow"]
    held = {entry.data.get("tool_use_id") for entry in recorded(state)}
    assert {"b0", "b1", "b3", "b4"} <= held


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_another_user_is_hung_up_on_and_reported(engine: Engine, state: State) -> None:
    for path in (Path(state.home).parent, state.home, state.root, state.run):
        os.chmod(path, 0o755)  # without this the directory already keeps the other user out
    os.chmod(state.socket, 0o666)
    line = b'{"id": "foreign"}\n'
    probe = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "for _ in range(5):\n"
        "    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "    try:\n"
        f"        s.sendall({line!r}); print(s.recv(100))\n"
        "    except OSError: print(b'')\n"
    )
    done = subprocess.run([sys.executable, "-c", probe, state.socket], capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["b''"] * 5, done.stderr
    assert until(lambda: incidents(state)) == ["foreign-uid"]  # once, however often it knocks
    assert "foreign" not in {entry.data.get("tool_use_id") for entry in recorded(state)}
    assert ask(state, id="mine")["level"] == "allow"


ASK_AS = """
import os, socket, sys
uid = int(sys.argv[2])
os.setgid(uid); os.setuid(uid)
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
try:
    s.sendall(b'{"id": "t"}\\n'); print(s.recv(1000).decode())
except OSError:
    print()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_an_engine_under_its_own_uid_answers_its_callers_only(short_dir: Path) -> None:
    engine_uid, caller, stranger = 64001, 64002, 64003
    home, run = short_dir / "home", short_dir / "run"
    for path in (home, run):
        path.mkdir()
        os.chown(path, engine_uid, engine_uid)
    short_dir.chmod(0o711)
    run.chmod(0o711)
    sock = f"{run}/engine.sock"
    words = [sys.executable, SCRIPT, str(home), sock, str(engine_uid), str(caller)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    try:
        until(lambda: os.path.exists(sock) or process.poll() is not None)
        assert os.stat(sock).st_uid == engine_uid
        said = {}
        for uid in (caller, stranger):
            words = [sys.executable, "-c", ASK_AS, sock, str(uid)]
            said[uid] = subprocess.run(words, capture_output=True, text=True, timeout=20).stdout
        assert '"level": "allow"' in said[caller]
        assert said[stranger] == "\n"
    finally:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_another_user_cannot_even_reach_the_socket(engine: Engine, state: State) -> None:
    probe = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "try:\n    s.connect(sys.argv[1])\n"
        "except PermissionError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", probe, state.socket], capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == "refused"


def test_the_socket_and_all_files_are_the_owners_alone(engine: Engine, state: State) -> None:
    ask(state, id="t")
    for folder, _, names in os.walk(state.root):
        assert os.lstat(folder).st_mode & 0o077 == 0, folder
        for name in names:
            assert os.lstat(f"{folder}/{name}").st_mode & 0o077 == 0, name


def test_who_listens_is_told_by_the_kernel(engine: Engine, state: State) -> None:
    peer = listening(state.socket)
    assert peer is not None
    assert (peer.pid, peer.uid) == (engine.process.pid, os.geteuid())
    assert "line_engine" in peer.program
    assert listening(f"{state.run}/none.sock") is None


def test_a_hangup_before_the_end_leaves_no_trace(engine: Engine, state: State, launch: Callable[..., Engine]) -> None:
    before = len(recorded(state))
    sock = connect(state)
    sock.sendall(b'{"id": "gone"')
    sock.close()
    assert ask(state, id="after")["level"] == "allow"
    assert len(recorded(state)) == before + 1
