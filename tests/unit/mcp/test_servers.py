"""MCP servers: known from their first use on, asked about when they change, and never silently replaced."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from bk.engine.decide import decide
from bk.engine.model import Entry, Finding, Level, ToolCall
from bk.engine.pins import store
from bk.engine.remember import remembered
from bk.engine.servers import servers
from bk.engine.state import State
from bk.engine.world import World


class House:
    def __init__(self, state: State) -> None:
        self.state = state
        self.home = Path(state.home)
        self.project = self.home / "work" / "app"
        self.project.mkdir(parents=True)
        self.world = World.open(state)
        self.incidents: list[Entry] = []

    def put(self, path: str, document: Any) -> None:
        where = self.home / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(document if isinstance(document, str) else json.dumps(document))

    def use(self, tool: str = "mcp__gh__list", *, cwd: str = "", harness: str = "claude-code") -> list[Finding]:
        """The findings of one call that is then let through."""
        call = ToolCall(tool, "mcp", {"q": "x"}, harness=harness, cwd=cwd or str(self.project), home=self.state.home)
        judgement, incidents = remembered(call, decide(call, self.world), self.world)
        self.incidents += incidents
        return [one for one in judgement.verdict.findings if one.rule.startswith("mcp/")]

    def rules(self, tool: str = "mcp__gh__list", **more: str) -> dict[str, str]:
        return {one.rule: one.level.word for one in self.use(tool, **more)}


@pytest.fixture
def house(state: State) -> House:
    return House(state)


def server(**entry: Any) -> dict[str, Any]:
    return {"mcpServers": {"gh": {"command": "npx", "args": ["-y", "gh-server@1.0.0"], **entry}}}


def test_the_first_use_is_noted_and_a_change_is_asked_about(house: House) -> None:
    house.put(".claude.json", server(env={"TOKEN": "one"}))
    assert house.rules() == {"mcp/first-use": "allow"}
    assert house.rules() == {}
    assert stat.S_IMODE(os.stat(f"{house.state.root}/pins.db").st_mode) == 0o600
    house.put(".claude.json", server(env={"TOKEN": "another value"}))
    assert house.rules() == {}
    house.put(".claude.json", server(args=["-y", "gh-server@1.0.0", "--proxy", "evil.example"], env={"TOKEN": "x"}))
    for _ in range(2):
        assert house.rules() == {"mcp/changed": "ask"}
    assert "--proxy evil.example" in house.use()[0].reason
    house.put(".claude.json", server(env={"TOKEN": "one"}))
    assert house.rules() == {}


@pytest.mark.parametrize(
    "change", [{"command": "node"}, {"args": []}, {"env": {"NODE_OPTIONS": "x"}}, {"url": "https://evil.example"},
               {"cwd": "/tmp"}, {"headers": {"X": "y"}}],
)  # fmt: skip
def test_every_part_of_who_it_is_counts(house: House, change: dict[str, Any]) -> None:
    house.put(".claude.json", server())
    house.use()
    house.put(".claude.json", server(**change))
    assert house.rules() == {"mcp/changed": "ask"}


def test_values_of_variables_are_kept_nowhere(house: House) -> None:
    house.put(".claude.json", server(env={"TOKEN": "hunter2-secret"}, headers={"Authorization": "hunter2-secret"}))
    house.use()
    assert b"hunter2" not in Path(house.state.root, "pins.db").read_bytes()


def test_a_server_that_nobody_names_warns_until_it_is_accepted(house: House) -> None:
    assert house.rules() == {"mcp/unknown-server": "allow"}  # no settings are known at all: that says little
    house.put(".claude.json", {"mcpServers": {"other": {"command": "x"}}})
    assert house.rules() == {"mcp/unknown-server": "warn"}
    store.add(house.state, store.Pin("gh", store.NOWHERE, "", "", by="a person"), replace=True)
    assert house.rules() == {}
    house.put(".claude.json", server())
    assert house.rules() == {"mcp/first-use": "allow"}


def test_a_project_cannot_quietly_put_its_own_in_the_place_of_the_users(house: House) -> None:
    house.put(".claude.json", server())
    house.use()
    house.put("work/app/.mcp.json", server(command="evil"))
    assert house.rules() == {"mcp/changed": "ask"}
    assert "takes the place of your own server" in house.use()[0].reason
    house.put("work/app/.mcp.json", server())
    assert house.rules() == {"mcp/first-use": "allow"}


def test_two_projects_may_each_have_their_own(house: House) -> None:
    house.put("work/app/.mcp.json", server())
    house.put("work/other/.mcp.json", server(command="node"))
    assert house.rules() == {"mcp/first-use": "allow"}
    assert house.rules(cwd=str(house.home / "work/other")) == {"mcp/first-use": "allow"}
    assert house.rules(cwd=str(house.home / "work/other/deep/down")) == {}


def test_the_users_entry_for_one_project_counts_there(house: House) -> None:
    project = {"projects": {str(house.project): server(command="here")}}
    house.put(".claude.json", {**server(), **project})
    assert house.use()[0].evidence["place"] == str(house.project)
    assert house.rules(cwd=str(house.home / "work")) == {"mcp/first-use": "allow"}


@pytest.mark.parametrize(
    ("harness", "path", "text"),
    [
        ("cursor", ".cursor/mcp.json", '{"mcpServers": {"gh": {"url": "https://h.example"}}}'),
        ("codex", ".codex/config.toml", '[mcp_servers.gh]\ncommand = "x"\n'),
        ("copilot", "work/app/.vscode/mcp.json", '{"servers": {"gh": {"command": "x"}}, // why\n}'),
        ("gemini", ".gemini/settings.json", '{"mcpServers": {"gh": {"httpUrl": "https://h.example"}}}'),
        ("opencode", ".config/opencode/opencode.json", '{"mcp": {"gh": {"type": "local", "command": ["x", "y"]}}}'),
        ("windsurf", ".codeium/windsurf/mcp_config.json", '{"mcpServers": {"gh": {"serverUrl": "https://h.example"}}}'),
        ("amp", ".config/amp/settings.json", '{"amp.mcpServers": {"gh": {"command": "x"}}}'),
        ("somebody-new", ".kiro/settings/mcp.json", '{"mcpServers": {"gh": {"command": "x"}}}'),
    ],
)
def test_every_clients_files_are_known(house: House, harness: str, path: str, text: str) -> None:
    house.put(path, text)
    assert house.rules(harness=harness) == {"mcp/first-use": "allow"}
    assert house.rules(harness=harness) == {}


def test_a_name_is_found_as_clients_spell_it(house: House) -> None:
    house.put(".claude.json", {"mcpServers": {"my server.io": {"command": "x"}}})
    assert house.rules("mcp__my_server_io__run") == {"mcp/first-use": "allow"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mcpServers": []}', '{"mcpServers": {"gh": "x"}}', "[" * 100_000])
def test_settings_that_cannot_be_read_name_nobody(house: House, text: str) -> None:
    house.put(".claude.json", text)
    house.put("work/app/.mcp.json", {"mcpServers": {"other": {"command": "x"}}})
    assert house.rules() == {"mcp/unknown-server": "warn"}


def test_settings_that_are_a_pipe_are_not_waited_for(house: House) -> None:
    os.mkfifo(house.home / ".claude.json")
    assert house.rules() == {"mcp/unknown-server": "allow"}


def test_a_call_that_is_denied_pins_nothing(house: House) -> None:
    house.put(".claude.json", server())
    call = ToolCall("mcp__gh__read", "mcp", {"path": f"{house.state.home}/.ssh/id_rsa"}, harness="claude-code",
                    cwd=str(house.project), home=house.state.home)  # fmt: skip
    judgement = decide(call, house.world)
    assert judgement.verdict.level >= Level.BLOCK
    remembered(call, judgement, house.world)
    assert store.pins(house.state) == []
    assert house.rules() == {"mcp/first-use": "allow"}


def test_pins_that_cannot_be_used_are_told_and_are_an_incident(house: House) -> None:
    house.put(".claude.json", server())
    Path(house.state.root, "pins.db").write_bytes(b"no database" * 1000)
    assert house.rules() == {"mcp/unavailable": "warn"}
    assert [entry.data["incident"] for entry in house.incidents] == ["mcp-unavailable"]


def test_all_servers_are_listed_nearest_first(house: House) -> None:
    house.put(".claude.json", server())
    house.put("work/app/.mcp.json", server(command="near"))
    found = list(servers("claude-code", str(house.project), house.state.home))
    assert [one.entry["command"] for one in found] == ["near", "npx"]
