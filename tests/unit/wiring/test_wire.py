"""Files on a real disk: out is as before, to the byte; links, modes and other writers are respected."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings

from bk.engine.errors import BkError
from bk.engine.state import State
from bk.engine.wiring import files, wire
from bk.engine.wiring.bait import bait, stopped
from bk.engine.wiring.clients import BY_NAME, CLIENTS
from bk.engine.wiring.command import client_of
from bk.engine.wiring.plans import MANAGED, PROJECT, USER, Say
from bk.engine.wiring.standing import standing
from bk.engine.wiring.switched import news
from bk.hook.harness import harness_data
from tests.unit.wiring.documents import json_documents

SCOPES = [(client.name, scope) for client in CLIENTS for scope in client.plans]


class Desk:
    """A home, a project, a machine and a state directory."""

    def __init__(self, root: Path, program: str = "/usr/bin/bk-hook") -> None:
        self.home, self.project = f"{root}/home", f"{root}/project"
        for path in (self.home, self.project, f"{root}/machine"):
            os.makedirs(path)
        self.spot = wire.Spot(self.home, self.project, program, f"{root}/machine")
        self.state = State(f"{self.home}/.bk", self.home, os.getuid())
        self.state.ensure()

    def put(self, path: str, text: str, mode: int = 0o644) -> Path:
        file = Path(self.spot.path(path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, newline="")
        file.chmod(mode)
        return file

    def install(self, name: str, scope: str = USER) -> list[wire.Change]:
        changes = wire.installing(BY_NAME[name], scope, self.spot)
        wire.install(changes, self.state)
        return changes

    def uninstall(self, name: str, scope: str = USER) -> None:
        wire.uninstall(wire.removing(BY_NAME[name], scope, self.spot, self.state), self.state)

    def off(self, name: str) -> str:
        found = standing(BY_NAME[name], self.spot, here=True)
        assert found.asks is not bool(found.off)
        return " | ".join(found.off)


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


@settings(max_examples=60, deadline=None)
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
    assert file.read_text() == '{\n  "model": "b"\n}\n' or "// mine" in file.read_text()
    assert "bk-hook" not in file.read_text()


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


OFF = [
    ("claude-code", "./.claude/settings.json", '{"disableAllHooks": true}', "disableAllHooks"),
    ("claude-code", "./.claude/settings.local.json", '{"disableAllHooks": true}', "disableAllHooks"),
    ("claude-code", "/etc/claude-code/managed-settings.json", '{"allowManagedHooksOnly": true}', "only hooks in this"),
    ("qwen", "./.qwen/settings.json", '{"disableAllHooks": true}', "disableAllHooks"),
    ("gemini", "./.gemini/settings.json", '{"hooksConfig": {"enabled": false}}', "hooksConfig"),
    ("gemini", "./.gemini/settings.json", '{"hooks": {"disabled": ["*"]}}', "disabled hooks"),
    ("copilot", "./.github/copilot/settings.json", '{"disableAllHooks": true}', "disableAllHooks"),
    ("copilot", "./.github/hooks/x.json", '{"version": 1, "disableAllHooks": true}', "disableAllHooks"),
    ("codex", "./.codex/config.toml", "[features]\nhooks = false\n", "[features]"),
    ("codex", "~/.codex/config.toml", "", "not trusted"),
    ("openhands", "./.openhands/hooks.json", '{"hooks": {}}', "hides yours"),
    (
        "vibe",
        "./.vibe/hooks.toml",
        '[[hooks]]\nname = "bk-pre_tool"\ntype = "pre_tool"\ncommand = "true"\n',
        "replaces",
    ),
]


@pytest.mark.parametrize(("name", "path", "text", "said"), OFF)
def test_each_way_of_being_switched_off_is_named(
    desk: Desk, tmp_path: Path, name: str, path: str, text: str, said: str
) -> None:
    guard = tmp_path / "bk-hook"
    guard.write_text("#!/bin/sh\n")
    guard.chmod(0o755)
    desk.spot = wire.Spot(desk.home, desk.project, str(guard), desk.spot.machine)
    desk.install(name)
    if name != "codex":
        assert not desk.off(name)
    desk.put(path, text)
    assert said in desk.off(name)


def test_the_machines_own_scope_survives_a_repository(desk: Desk, tmp_path: Path) -> None:
    guard = tmp_path / "bk-hook"
    guard.write_text("#!/bin/sh\n")
    guard.chmod(0o755)
    desk.spot = wire.Spot(desk.home, desk.project, str(guard), desk.spot.machine)
    for name in ("claude-code", "qwen", "gemini"):
        desk.install(name, MANAGED)
    desk.put("./.claude/settings.json", '{"disableAllHooks": true}')
    desk.put("./.qwen/settings.json", '{"disableAllHooks": true}')
    desk.put("./.gemini/settings.json", '{"hooksConfig": {"enabled": false}}')
    for name in ("claude-code", "qwen", "gemini"):
        assert not desk.off(name)


def test_a_script_that_cannot_run_is_named(desk: Desk) -> None:
    changes = desk.install("cline")
    os.chmod(changes[0].path, 0o644)
    assert "not executable" in desk.off("cline")


def test_hermes_without_consent_is_named(desk: Desk) -> None:
    changes = desk.install("hermes")
    path = Path(changes[0].path)
    path.write_text(path.read_text().replace("hooks_auto_accept: true", "hooks_auto_accept: false"))
    assert "hooks_auto_accept" in desk.off("hermes")


def test_what_was_kept_is_the_owners_alone(desk: Desk) -> None:
    desk.put("~/.claude/settings.json", '{"env": {"TOKEN": "x"}}')
    desk.install("claude-code")
    for path in Path(desk.state.root, "wiring").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    was = files.look(f"{desk.home}/.claude/settings.json")
    assert files.kept(desk.state, was) == (True, b'{"env": {"TOKEN": "x"}}')


def test_a_client_that_stops_asking_is_an_incident_once(desk: Desk, tmp_path: Path) -> None:
    guard = tmp_path / "bk-hook"
    guard.write_text("#!/bin/sh\n")
    guard.chmod(0o755)
    desk.spot = wire.Spot(desk.home, desk.project, str(guard), desk.spot.machine)
    desk.install("claude-code")

    def told() -> list[str]:
        return [entry.data["detail"] for entry in news(desk.state, [desk.project], path="", program=str(guard))]

    assert told() == []
    switch = desk.put("./.claude/settings.json", '{"disableAllHooks": true}')
    assert len(told()) == 1
    assert told() == [], "it was said"
    switch.unlink()
    assert told() == []
    desk.put("./.claude/settings.json", '{"disableAllHooks": true}')
    assert len(told()) == 1, "it is off again"


def test_a_plugin_without_its_program_is_not_in(desk: Desk) -> None:
    settings = desk.put("~/.openclaw/openclaw.json", '{"agents": {}}\n')
    assert standing(BY_NAME["openclaw"], desk.spot, here=True).scopes == ()
    desk.install("openclaw")
    os.unlink(desk.spot.path("~/.openclaw/extensions/bk/index.js"))
    assert "index.js: our part of it is gone" in desk.off("openclaw")
    desk.install("openclaw")
    desk.uninstall("openclaw")
    assert settings.read_text() == '{"agents": {}}\n'


def test_a_script_that_is_gone_is_missed(desk: Desk) -> None:
    desk.install("cline")
    os.unlink(desk.spot.path("~/.cline/hooks/PreToolUse"))
    assert "PreToolUse: our part of it is gone" in desk.off("cline")
