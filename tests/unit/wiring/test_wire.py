"""Files on a real disk: out is as before, to the byte; links, modes and other writers are respected."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings

from bk.engine.errors import BkError
from bk.engine.wiring import files, wire
from bk.engine.wiring.bait import bait, stopped
from bk.engine.wiring.clients import BY_NAME, CLIENTS
from bk.engine.wiring.command import client_of
from bk.engine.wiring.plans import PROJECT, USER, Say
from bk.engine.wiring.standing import standing
from bk.hook.harness import harness_data
from tests.unit.wiring.desk import Desk
from tests.unit.wiring.documents import json_documents

SCOPES = [(client.name, scope) for client in CLIENTS for scope in client.plans]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(("name", "scope"), SCOPES)
def test_in_twice_and_out(desk: Desk, name: str, scope: str) -> None:
    changes = desk.install(name, scope)
    assert all(each.changes for each in changes)
    assert not any(each.changes for each in wire.installing(BY_NAME[name], scope, desk.spot)), "twice is once"
    found = standing(BY_NAME[name], desk.spot, here=True)
    assert scope in found.scopes
    assert all("trust" in why or "/usr/bin/bk-hook" in why for why in found.off)
    desk.uninstall(name, scope)
    assert not any(os.path.lexists(each.path) for each in changes), "there was no such file before"
    assert standing(BY_NAME[name], desk.spot, here=True).scopes == ()


@settings(max_examples=40, deadline=None)
@given(text=json_documents())
def test_out_is_as_before_to_the_byte(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    file = desk.put("~/.claude/settings.json", text, 0o640)
    before = file.read_bytes()
    desk.install("claude-code")
    assert file.read_bytes() != before
    assert file.stat().st_mode & 0o777 == 0o640
    desk.uninstall("claude-code")
    assert file.read_bytes() == before
    assert file.stat().st_mode & 0o777 == 0o640


def test_an_edit_in_between_stays(desk: Desk) -> None:
    file = desk.put("~/.claude/settings.json", '{\n  "model": "a" // mine\n}\n')
    desk.install("claude-code")
    file.write_text(file.read_text().replace('"a"', '"b"'))
    desk.uninstall("claude-code")
    assert file.read_text() == '{\n  "model": "b" // mine\n}\n'


def test_a_link_stays_a_link(desk: Desk) -> None:
    real = desk.put("~/dotfiles/claude.json", "{}\n", 0o600)
    link = Path(desk.home) / ".claude" / "settings.json"
    link.parent.mkdir()
    link.symlink_to(real)
    desk.install("claude-code")
    assert link.is_symlink()
    assert "bk-hook" in real.read_text()
    desk.uninstall("claude-code")
    assert link.is_symlink()
    assert real.read_text() == "{}\n"


def test_a_project_leads_nowhere_else(desk: Desk) -> None:
    secret = desk.put("~/.bashrc", "{}")
    link = Path(desk.project) / ".claude" / "settings.json"
    link.parent.mkdir()
    link.symlink_to(secret)
    with pytest.raises(BkError, match="left alone"):
        desk.install("claude-code", PROJECT)
    assert secret.read_text() == "{}"


def test_somebody_faster_is_not_overwritten(desk: Desk) -> None:
    file = desk.put("~/.claude/settings.json", "{}\n")
    changes = wire.installing(BY_NAME["claude-code"], USER, desk.spot)
    file.write_text('{"theirs": 1}\n')
    with pytest.raises(BkError, match="was changed"):
        wire.install(changes, desk.state)
    assert file.read_text() == '{"theirs": 1}\n'
    assert list(file.parent.iterdir()) == [file], "nothing is left beside it"


def test_a_client_of_several_files_is_in_all_or_none(desk: Desk) -> None:
    desk.put("~/.cline/hooks/PostToolUse", "#!/bin/sh\necho theirs\n", 0o755)
    with pytest.raises(BkError, match="left alone"):
        desk.install("cline")
    assert not os.path.lexists(f"{desk.home}/.cline/hooks/PreToolUse")


@pytest.mark.parametrize("text", ["{", '{"hooks": []}', "\xff", "[]"])
def test_a_broken_file_is_left_alone_with_a_reason(desk: Desk, text: str) -> None:
    file = desk.put("~/.claude/settings.json", "")
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(BkError) as caught:
        desk.install("claude-code")
    assert caught.value.detail
    assert file.read_bytes() == text.encode("latin-1")


def test_a_pipe_is_no_file(desk: Desk) -> None:
    path = Path(desk.home) / ".claude"
    path.mkdir()
    os.mkfifo(path / "settings.json")
    with pytest.raises(BkError, match="left alone"):
        desk.install("claude-code")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_guard_that_is_gone_is_a_no(desk: Desk, client: object, tmp_path: Path) -> None:
    """Missing, killed, broken: each becomes what the client takes for a no."""
    assert isinstance(client, type(CLIENTS[0]))
    killed = tmp_path / "killed" / "bk-hook"
    broken = tmp_path / "broken" / "bk-hook"
    for path, text in ((killed, "kill -9 $$"), (broken, "echo oops; exit 1")):
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    for program in ("/nonexistent/bk-hook", str(killed), str(broken)):
        spot = wire.Spot(desk.home, desk.project, program, desk.spot.machine)
        changes = wire.installing(client, USER, spot)
        wire.install(changes, desk.state)
        told = [each for _, plan in wire.every(client, spot) for each in wire.commands(plan, spot)]
        assert told
        for command in told:
            ran = subprocess.run(["/bin/sh", "-c", command], input=b"{}", capture_output=True, timeout=10, check=False)
            assert ran.returncode == client.deny_exit
            assert b"guard did not answer" in ran.stderr
            if client.deny and program != str(broken):
                said = ran.stderr.decode().splitlines()[-1]
                assert json.loads(ran.stdout) == json.loads(client.deny.replace("%s", json.dumps(said)))


def test_what_a_client_reads_is_what_its_adapter_says() -> None:
    for client in CLIENTS:
        data = harness_data(client.name)
        if client.deny:
            assert (client.deny, client.deny_exit) == (data.DENY, data.DENY_EXIT)
        else:
            assert data.DENY_EXIT == 2
        assert client_of(Say("/x/bk-hook", client).line()) == client.name


def test_an_answer_that_stops_everything_is_not_taken_for_one_that_works() -> None:
    client = BY_NAME["codex"]
    assert stopped(client, 2, b"{}", b"bk blocked this call: reads /h/.ssh/id_ed25519\n")
    assert not stopped(client, 2, b"{}", b"bk blocked this call: no client has this name: codex\n")
    assert not stopped(client, 0, b"", b"")
    vibe = BY_NAME["vibe"]
    assert stopped(vibe, 0, b'{"decision":"deny","reason":"reads .ssh"}', b"reads .ssh")
    assert not stopped(vibe, 2, b'{"decision":"deny","reason":"reads .ssh"}', b"reads .ssh")
    assert json.loads(bait("copilot", "/p"))["toolName"] == "bash"


def test_what_was_kept_is_the_owners_alone(desk: Desk) -> None:
    desk.put("~/.claude/settings.json", '{"env": {"TOKEN": "x"}}')
    desk.install("claude-code")
    for path in Path(desk.state.root, "wiring").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    was = files.look(f"{desk.home}/.claude/settings.json")
    assert files.kept(desk.state, was) == (True, b'{"env": {"TOKEN": "x"}}')


def test_a_plugin_without_its_program_is_not_in(desk: Desk) -> None:
    settings = desk.put("~/.openclaw/openclaw.json", '{"agents": {}}\n')
    assert standing(BY_NAME["openclaw"], desk.spot, here=True).scopes == ()
    desk.install("openclaw")
    os.unlink(desk.spot.path("~/.openclaw/extensions/bk/index.js"))
    assert "index.js: our part of it is gone" in desk.off("openclaw")
    desk.install("openclaw")
    desk.uninstall("openclaw")
    assert settings.read_text() == '{"agents": {}}\n'
