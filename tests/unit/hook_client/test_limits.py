"""Standard input, descriptors, signals and arguments at their worst."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from bk.hook import protocol
from bk.hook.harness import HARNESSES, harness_data
from tests.unit.hook_client.stand import (
    CALL,
    ROOT,
    Done,
    Installation,
    answer,
    build_module,
    engine,
    receive,
    replying,
)


def sized(conn: socket.socket) -> None:
    """Answer with the size of the body."""
    conn.sendall(answer(0, str(len(receive(conn).body)).encode()))


@pytest.mark.parametrize("size", [0, 1, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_body_within_the_limit_is_sent_whole(client: Installation, size: int) -> None:
    client.make_run_dir()
    with engine(client.socket, sized):
        assert client.call(b"x" * size).out == str(size).encode()


def test_of_a_larger_body_one_byte_too_many_is_sent(client: Installation) -> None:
    client.make_run_dir()
    with engine(client.socket, sized):
        assert client.call(b"x" * (3 << 20)).out == str((1 << 20) + 1).encode()


def test_endless_input_is_no_reason_to_wait(client: Installation) -> None:
    client.make_run_dir()
    with engine(client.socket, sized), open("/dev/zero", "rb") as zeros:
        assert client.call(zeros.fileno()).out == str(protocol.MAX_BODY).encode()


def test_input_that_never_ends_is_a_denial_in_time(client: Installation) -> None:
    ours, theirs = os.pipe()
    os.write(theirs, CALL)
    done = client.call(ours, "--deadline-ms", "400")
    os.close(ours)
    os.close(theirs)
    assert done.reason == "bk blocked this call: standard input did not end before the deadline"
    assert 0.3 < done.took < 4


def test_input_in_pieces_is_put_together(client: Installation) -> None:
    client.make_run_dir()
    ours, theirs = os.pipe()

    def feed() -> None:
        for _ in range(10):
            os.write(theirs, b"y" * 7)
            time.sleep(0.02)
        os.close(theirs)

    thread = threading.Thread(target=feed)
    with engine(client.socket, sized):
        thread.start()
        assert client.call(ours).out == b"70"
    thread.join()
    os.close(ours)


def test_input_that_does_not_block_is_waited_for(client: Installation) -> None:
    client.make_run_dir()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    def feed() -> None:
        theirs.sendall(b"abc")
        theirs.close()

    threading.Timer(0.3, feed).start()
    with engine(client.socket, sized):
        assert client.call(ours.fileno()).out == b"3"
    ours.close()


def test_input_that_cannot_be_read_is_a_denial(both: list[Installation]) -> None:
    deaf = os.open("/dev/null", os.O_WRONLY)
    said = [client.call(deaf).said for client in both]
    os.close(deaf)
    assert said[0] == said[1]
    assert said[0][0] == 2
    assert b"standard input cannot be read: errno 9" in said[0][2]


SHELL = 'exec "$@" {}'


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_descriptor_is_not_taken_by_the_socket(client: Installation, closed: str) -> None:
    """Were it, the engine would be sent our own output as if it were a request."""
    client.make_run_dir()
    tails = []

    def behave(conn: socket.socket) -> None:
        request = receive(conn)
        conn.sendall(answer(3, b"out", b"err"))
        tails.append((request.body, conn.recv(100)))

    words = ["sh", "-c", SHELL.format(closed), "sh", *client.argv, "--harness", "claude-code"]
    with engine(client.socket, behave) as raised:
        done = subprocess.run(words, input=b"body", capture_output=True, env=client.env, timeout=20)
    assert not raised
    assert done.returncode == 3
    assert tails == [(b"" if "<" in closed else b"body", b"")]


@pytest.mark.parametrize("restore", [True, False])
def test_an_answer_nobody_can_hear_is_not_a_yes(client: Installation, restore: bool) -> None:
    """The reader of stdout is gone: exit code 2, and no death by SIGPIPE, which clients take for a mishap."""
    client.make_run_dir()
    ours, theirs = os.pipe()
    os.close(ours)
    with engine(client.socket, replying(answer(0, b'{"systemMessage":"careful"}'))):
        words = [*client.argv, "--harness", "claude-code"]
        done = subprocess.run(
            words,
            input=CALL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            env=client.env,
            restore_signals=restore,
            timeout=20,
        )
    os.close(theirs)
    assert done.returncode == 2


def test_a_reader_who_never_reads_does_not_hold_the_client(client: Installation) -> None:
    client.make_run_dir()
    ours, theirs = os.pipe()
    words = [*client.argv, "--harness", "claude-code", "--deadline-ms", "500"]
    with engine(client.socket, replying(answer(0, b"x" * 500_000))):
        done = subprocess.run(words, input=CALL, stdout=theirs, stderr=subprocess.PIPE, env=client.env, timeout=10)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2


BLOCKED = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGCHLD, signal.SIGPIPE])
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_signals_that_the_caller_blocked_do_not_cost_the_deadline(client: Installation) -> None:
    client.order.write_text("hang")
    words = [sys.executable, "-I", "-c", BLOCKED, *client.argv, "--harness", "claude-code", "--deadline-ms", "900"]
    done = subprocess.run(words, input=CALL, capture_output=True, env=client.env, timeout=10)
    assert "took too long" in Done(done.returncode, done.stdout, done.stderr, 0).reason


def test_being_stopped_and_continued_changes_nothing(client: Installation) -> None:
    client.make_run_dir()

    def behave(conn: socket.socket) -> None:
        receive(conn)
        time.sleep(0.6)
        conn.sendall(answer(4, b"done"))

    with engine(client.socket, behave):
        words = [*client.argv, "--harness", "claude-code"]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=client.env)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(CALL)
        process.stdin.close()
        for _ in range(8):
            time.sleep(0.05)
            process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == b"done"
        process.stdout.close()
        assert process.wait(10) == 4


USAGE = b"bk blocked this call: usage: bk-hook --harness NAME [--event EVENT] [--deadline-ms MS]"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ([], USAGE),
        (["--harness"], USAGE + b"; not understood: --harness"),
        (["--harness", "nobody"], b"bk blocked this call: no client has this name: nobody"),
        (["--harness", ""], b"bk blocked this call: no client has this name"),
        (["--harness", "../cold"], b"bk blocked this call: no client has this name: ../cold"),
        (["--harness", "claude_code"], b"bk blocked this call: no client has this name: claude_code"),
        (["--harness", "a\nb\x1b"], b"bk blocked this call: no client has this name: a?b?"),
        (["--harness", "x" * 5000], b"bk blocked this call: no client has this name: " + b"x" * 975),
        (["--help"], USAGE + b"; not understood: --help"),
    ],
)
def test_without_a_known_client_there_is_a_reason_and_no_json(
    both: list[Installation], args: list[str], why: bytes
) -> None:
    for client in both:
        done = subprocess.run([*client.argv, *args], input=CALL, capture_output=True, env=client.env, timeout=10)
        assert (done.returncode, done.stdout, done.stderr) == (2, b"", why + b"\n"), client.kind


@pytest.mark.parametrize(
    "args",
    [["--bogus"], ["--event"], ["--deadline-ms", "-5"], ["--deadline-ms", "1e3"], ["--deadline-ms", ""], ["stray"]],
)
def test_an_argument_not_understood_is_a_denial(both: list[Installation], args: list[str]) -> None:
    native, python = (client.call(CALL, *args) for client in both)
    assert native.said == python.said
    assert native.reason.endswith(f"not understood: {args[0]}")


def test_every_client_of_the_hook_is_known_to_the_native_one_by_every_name() -> None:
    table = build_module().deny_table(ROOT / "bk/hook/harnesses")
    for name in HARNESSES:
        assert f'{{"{name}", ' in table
    assert table.count("\n    {") == len(HARNESSES)


@pytest.mark.parametrize("name", sorted(HARNESSES))
def test_every_client_of_the_hook_is_denied_in_its_own_words_by_both(both: list[Installation], name: str) -> None:
    native, python = (client.call(CALL, "--bogus", harness=name) for client in both)
    assert native.said == python.said
    assert (native.code, native.out.count(b"--bogus")) == (
        harness_data(name).DENY_EXIT,
        harness_data(name).DENY.count("%s"),
    )
