"""Each way in which a client was seen, or is documented, not to call its hooks: made, then named with its cure."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from bk.engine.wiring import codex_trust, wire
from bk.engine.wiring.clients import BY_NAME, CLIENTS
from bk.engine.wiring.plans import MANAGED, PROJECT, USER
from bk.engine.wiring.switched import news
from tests.unit.wiring.desk import Desk

HOOK = '[[hooks]]\nname = "bk-pre_tool"\ntype = "pre_tool"\ncommand = "true"\n'
PAD = '{"x": "' + "x" * (16 << 20) + '"}'

# client, file, what it says, what is named, what the cure says
TWICE = '{"disableAllHooks": false, "disableAllHooks": true}'
MANAGED_ONLY = '{"allowManagedHooksOnly": true}'
OFF = [
    ("claude-code", "./.claude/settings.json", '{"disableAllHooks": true}', "disableAllHooks", "--scope managed"),
    ("claude-code", "./.claude/settings.local.json", '{"disableAllHooks": true}', "disableAllHooks", "--scope managed"),
    ("claude-code", "~/.claude/settings.local.json", '{"disableAllHooks": true}', "disableAllHooks", "--scope managed"),
    ("claude-code", "./.claude/settings.json", TWICE, "disableAllHooks", ""),
    ("claude-code", "./.claude/settings.json", '// x\n{"disableAllHooks": /* */ true,}', "disableAllHooks", ""),
    ("claude-code", "./.claude/settings.json", '\ufeff{"disableAllHooks": true, "x": "\udcff"}', "disableAllHooks", ""),
    ("claude-code", "./.claude/settings.json", '{"disableAllHooks": "yes"}', "disableAllHooks", ""),
    ("claude-code", "./.claude/settings.json", PAD, "too large", "--scope managed"),
    ("claude-code", "/etc/claude-code/managed-settings.json", MANAGED_ONLY, "only hooks in this", ""),
    ("claude-code", "/etc/claude-code/managed-settings.json", '{"disableAllHooks": true}', "disableAllHooks", ""),
    ("qwen", "./.qwen/settings.json", '{"disableAllHooks": true}', "disableAllHooks", "--scope managed"),
    ("qwen", "/etc/qwen-code/settings.json", '{"disableAllHooks": true}', "disableAllHooks", ""),
    ("gemini", "./.gemini/settings.json", '{"hooksConfig": {"enabled": false}}', "hooksConfig", "--scope managed"),
    ("gemini", "./.gemini/settings.json", '{"hooks": {"disabled": ["*"]}}', "disabled hooks", "--scope managed"),
    ("gemini", "/etc/gemini-cli/settings.json", '{"hooksConfig": {"enabled": false}}', "hooksConfig", ""),
    ("copilot", "./.github/copilot/settings.json", '{"disableAllHooks": true}', "disableAllHooks", "mend"),
    ("copilot", "./.github/hooks/x.json", '{"version": 1, "disableAllHooks": true}', "disableAllHooks", "mend"),
    ("copilot", "~/.copilot/hooks/x.json", '{"version": 1, "disableAllHooks": true}', "disableAllHooks", "mend"),
    ("codex", "./.codex/config.toml", "[features]\nhooks = false\n", "[features]", "--scope managed"),
    ("codex", "./.codex/config.toml", "features.hooks = false\n", "[features]", ""),
    ("codex", "~/.codex/config.toml", "features = { codex_hooks = false }\n", "[features]", ""),
    ("codex", "~/.codex/config.toml", "", "not trusted", "--trust"),
    ("openhands", "./.openhands/hooks.json", '{"hooks": {}}', "hides yours", "mend"),
    ("openhands", "./.openhands/hooks.json", "", "hides yours", "mend"),
    ("vibe", "./.vibe/hooks.toml", HOOK, "replaces", "mend"),
    ("droid", "~/.factory/settings.json", '{"hooksDisabled": true}', "hooksDisabled", ""),
    ("openclaw", "~/.openclaw/openclaw.json", '{"plugins": {"enabled": false}}', "plugins.enabled", "mend"),
    ("openclaw", "~/.openclaw/openclaw.json", '{"plugins": {"deny": ["bk"]}}', "plugins.deny", "mend"),
    ("openclaw", "~/.openclaw/openclaw.json", '{"plugins": {"allow": ["x"]}}', "plugins.allow", "mend"),
]  # fmt: skip

# what nothing here can see: it is said beside every good standing
UNSEEN = {
    "augment": "vendor's service",
    "cline": "removed in a session",
    "codex": "shown to no hook",
    "openclaw": "agent exec",
}
HOSTILE = [
    ("claude-code", "./.claude/settings.json", '{"disableAllHooks": true}'),
    ("qwen", "./.qwen/settings.json", '{"disableAllHooks": true}'),
    ("gemini", "./.gemini/settings.json", '{"hooksConfig": {"enabled": false}}'),
    ("copilot", "./.github/copilot/settings.json", '{"disableAllHooks": true}'),
    ("codex", "./.codex/config.toml", "[features]\nhooks = false\n"),
    ("openhands", "./.openhands/hooks.json", '{"hooks": {}}'),
    ("vibe", "./.vibe/hooks.toml", HOOK),
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.guarded(tmp_path)
    return made


def installed(desk: Desk, name: str) -> None:
    desk.install(name)
    if name == "codex":
        desk.put("~/.codex/config.toml", trusting(desk))
    assert not desk.off(name)


def trusting(desk: Desk) -> str:
    key = json.dumps(desk.spot.path("~/.codex/hooks.json") + ":pre_tool_use:0:0")
    return f'[hooks.state.{key}]\ntrusted_hash = "sha256:1"\n'


@pytest.mark.parametrize(("name", "path", "text", "said", "cure"), OFF, ids=range(len(OFF)))
def test_it_is_named_with_its_cure(desk: Desk, name: str, path: str, text: str, said: str, cure: str) -> None:
    file = Path(desk.spot.path(path))
    file.parent.mkdir(parents=True, exist_ok=True)
    if (path.startswith("~/") and "settings.json" in path) or name == "openclaw":
        file.write_text(text)  # it was there before us
        desk.install(name)
    else:
        installed(desk, name)
        file.write_bytes(text.encode(errors="surrogateescape"))
    found = desk.stands(name)
    assert said in " | ".join(found.off)
    assert str(file) in " | ".join(found.off) or "hooks.json" in " | ".join(found.off)
    assert not found.asks
    assert found.fix
    assert cure in found.fix


@pytest.mark.parametrize(("name", "said"), UNSEEN.items())
def test_what_cannot_be_seen_is_said(name: str, said: str) -> None:
    assert said in BY_NAME[name].caveat


@pytest.mark.parametrize(("name", "path", "text"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_project_that_switches_hooks_off_is_an_incident_once(desk: Desk, name: str, path: str, text: str) -> None:
    installed(desk, name)

    def told() -> list[str]:
        entries = news(desk.state, [desk.project], path="", program=desk.spot.program)
        assert all(entry.kind == "incident" and entry.data["next_step"] for entry in entries)
        return [entry.data["detail"] for entry in entries]

    assert told() == []
    switch = desk.put(path, text)
    assert [str(switch) in each for each in told()] == [True]
    assert told() == [], "it was said"
    switch.unlink()
    assert told() == []
    desk.put(path, text)
    assert len(told()) == 1, "it is off again"


def test_the_machines_own_scope_survives_a_repository(desk: Desk) -> None:
    names = ("claude-code", "qwen", "gemini", "codex")
    for name in names:
        desk.install(name, MANAGED)
    for name, path, text in HOSTILE:
        if name in names:
            desk.put(path, text)
            assert not desk.off(name), name


@pytest.mark.parametrize(
    ("name", "trust", "text"),
    [
        ("gemini", "~/.gemini/trustedFolders.json", '{%s: "TRUST_FOLDER"}'),
        ("copilot", "~/.copilot/config.json", '{"trusted_folders": [%s]}'),
        ("codex", "~/.codex/config.toml", '[projects.%s]\ntrust_level = "trusted"\n'),
        ("vibe", "~/.vibe/trusted_folders.toml", "trusted = [%s]\n"),
    ],
)
def test_hooks_of_a_project_alone_need_its_trust(desk: Desk, name: str, trust: str, text: str) -> None:
    desk.install(name, PROJECT)
    assert "trusts this folder" in desk.off(name)
    assert "trust the folder" in desk.stands(name).fix
    desk.put(trust, text % json.dumps(desk.project))
    assert not desk.off(name)


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _matcher(text: str) -> str:
    return text.replace('"matcher": "*"', '"matcher": "Write"').replace('matcher = ".*"', 'matcher = "Write"')


TAMPERED: list[tuple[str, str, Callable[[str], str]]] = [
    ("opencode", "~/.config/opencode/plugins/bk.js", lambda text: text + "\n}"),
    ("opencode", "~/.config/opencode/plugins/bk.js", lambda text: "throw new Error();\n" + text),
    ("kilo", "~/.config/kilo/plugins/bk.js", _cut),
    ("openclaw", "~/.openclaw/extensions/bk/index.js", lambda text: text.replace("block: true", "block: false")),
    ("cline", "~/.cline/hooks/PreToolUse", lambda text: text + "exit 0\n"),
    ("copilot", "~/.copilot/hooks/bk.json", lambda text: text.replace('"preToolUse"', '"sessionStart"')),
    ("claude-code", "~/.claude/settings.json", _matcher),
    ("claude-code", "~/.claude/settings.json", lambda text: text.replace("; exit 2", "; exit 0")),
    ("droid", "~/.factory/settings.json", lambda text: text.replace('"timeout": 10', '"timeout": 0')),
    ("kimi", "~/.kimi-code/config.toml", _matcher),
    ("vibe", "~/.vibe/hooks.toml", lambda text: text.replace("strict = true", "strict = false")),
    ("hermes", "~/.hermes/config.yaml", lambda text: text.replace('".*"', '"write_file"')),
    ("cursor", "~/.cursor/hooks.json", lambda text: text.replace('"failClosed": true', '"failClosed": false')),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "change"), TAMPERED, ids=range(len(TAMPERED)))
def test_an_entry_that_was_changed_is_named(desk: Desk, name: str, path: str, change: Callable[[str], str]) -> None:
    """A plugin that cannot be loaded, a pattern that meets no tool: the client says nothing, and calls nothing."""
    installed(desk, name)
    file = Path(desk.spot.path(path))
    before = file.read_text()
    file.write_text(change(before))
    assert file.read_text() != before
    found = desk.stands(name)
    assert "as bk writes it" in " | ".join(found.off)
    assert found.scopes, "what is there and does not work is worse than what is not there"
    assert found.fix == f"bk hooks install --target {name}"
    desk.install(name)
    assert not desk.off(name), "the cure works"


@pytest.mark.parametrize("name", [client.name for client in CLIENTS])
def test_a_guard_elsewhere_is_still_ours(desk: Desk, tmp_path: Path, name: str) -> None:
    """What is compared is what bk would write for the program that is named, wherever that is."""
    place = tmp_path / "it's a place"
    place.mkdir()
    desk.guarded(place)
    installed(desk, name)
    desk.guarded(tmp_path)
    assert not desk.off(name)


def test_a_script_that_cannot_run_is_named(desk: Desk) -> None:
    changes = desk.install("cline")
    os.chmod(changes[0].path, 0o644)
    assert "not executable" in desk.off("cline")
    assert desk.stands("cline").scopes == (USER,)


def test_a_script_that_is_gone_is_missed(desk: Desk) -> None:
    desk.install("cline")
    os.unlink(desk.spot.path("~/.cline/hooks/PreToolUse"))
    assert "PreToolUse: our part of it is gone" in desk.off("cline")


def test_a_program_that_is_gone_is_named(desk: Desk) -> None:
    desk.install("kimi")
    os.unlink(desk.spot.program)
    assert "cannot be run" in desk.off("kimi")


def test_hermes_without_consent_is_named(desk: Desk) -> None:
    changes = desk.install("hermes")
    path = Path(changes[0].path)
    path.write_text(path.read_text().replace("hooks_auto_accept: true", "hooks_auto_accept: false"))
    assert "hooks_auto_accept" in desk.off("hermes")


@pytest.mark.parametrize(("status", "said"), [("trusted", ""), ("untrusted", "untrusted"), ("modified", "modified")])
def test_codex_itself_is_asked_whether_it_would_run_the_hook(
    desk: Desk, tmp_path: Path, status: str, said: str
) -> None:
    """A hook that has changed since it was trusted is skipped, and only Codex knows the hash of what it trusted."""
    hooks = desk.spot.path("~/.codex/hooks.json")
    program = codex(tmp_path, hooks, status)
    found = codex_trust.skipped(program, desk.project, desk.home, hooks)
    assert [said in each for each in found] == ([True] if said else [])
    text = codex_trust.trusted(program, desk.project, desk.home, hooks, 'model = "x"\n')
    assert tomllib.loads(text)["hooks"]["state"][f"{hooks}:pre_tool_use:0:0"]["trusted_hash"] == "sha256:ab"
    assert text.startswith('model = "x"\n')
    assert codex_trust.trusted(program, desk.project, desk.home, hooks, text) == text


def codex(root: Path, hooks: str, status: str) -> str:
    """A server that answers as Codex 0.169 was seen to."""
    row = {"key": f"{hooks}:pre_tool_use:0:0", "currentHash": "sha256:ab", "trustStatus": status, "sourcePath": hooks}
    listed = json.dumps({"id": 2, "result": {"data": [{"hooks": [row]}]}})
    script = root / "codex"
    script.write_text(
        '#!/bin/sh\nread -r a\necho \'{"id":1,"result":{}}\'\nread -r a\nread -r a\n'
        f"cat <<'END'\n{listed}\nEND\ncat >/dev/null\n"
    )
    script.chmod(0o755)
    return str(script)


def test_scopes_are_told_apart(desk: Desk) -> None:
    desk.install("claude-code", USER)
    desk.install("claude-code", PROJECT)
    assert desk.stands("claude-code").scopes == (USER, PROJECT)
    assert wire.installing(BY_NAME["claude-code"], USER, desk.spot)[0].changes is False
