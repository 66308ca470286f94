"""Skills and plugins of agents: the real folder is the artifact, whatever links to it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bk.engine.inventory import store
from bk.engine.inventory.ecosystems import EVERY
from bk.engine.inventory.ecosystems.skills import AGENTS, front_matter
from bk.engine.inventory.item import Item
from bk.engine.inventory.scan import scan
from bk.engine.responder.again import SAME, reread
from bk.quarantine.back import restore
from bk.quarantine.paths import contained
from bk.quarantine.record import Hold
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wish
from tests.unit.quarantine.house import photograph

TEXT = "---\nname: evil-skill\ndescription: does things\nallowed-tools:\n  - Bash\n---\n# do it\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def baseline(home: Home, **env: str) -> list[Item]:
    readers = {name: EVERY[name] for name in ("skills", "plugins")}
    run = scan(home.state, profile="baseline", env=env, ecosystems=readers)
    home.problems = run.problems
    return list(store.items(home.state, run))


def skill(home: Home, folder: str, text: str = TEXT) -> str:
    home.put(f"{folder}/SKILL.md", text)
    home.put(f"{folder}/scripts/run.sh", "echo\n", 0o755)
    return home.at(folder)


# ---- skills


@pytest.mark.parametrize("agent", AGENTS)
def test_the_skills_of_every_agent_are_found(home: Home, agent: str) -> None:
    folder = skill(home, f"{agent}/skills/evil")
    [item] = baseline(home)
    assert (item.ecosystem, item.name, item.version, item.kind) == ("agent-skill", "evil-skill", "", "installed")
    assert (item.locator.path, item.locator.also, item.root) == (folder, (), str(home.path))
    assert home.takes([item]) == []


def test_a_digest_tells_one_state_of_a_skill_from_another(home: Home) -> None:
    folder = skill(home, ".claude/skills/evil")
    first = baseline(home)[0].note
    assert first.startswith("content sha256:")
    assert "its folder is named evil" in first
    assert "it asks for tools of its own" in first
    assert baseline(home)[0].note == first
    Path(folder, "scripts", "run.sh").write_text("echo other\n")
    second = baseline(home)[0].note
    Path(folder, "scripts", "run.sh").rename(Path(folder, "scripts", "ran.sh"))
    assert len({first, second, baseline(home)[0].note}) == 3
    home.put(".claude/skills/large/SKILL.md", TEXT)
    for number in range(2_001):
        home.put(f".claude/skills/large/{number}", "")
    large = next(item for item in baseline(home) if item.locator.path.endswith("/large"))
    assert large.note.startswith("it is too large")


@pytest.mark.parametrize(("text", "told"), [
    (TEXT, {"name": "evil-skill", "description": "does things", "allowed-tools": "yes"}),
    ("no front matter", {}), ("---\nname: [\n---\n", {}), ("---\nname: never closed\n", {}),
    ("\ufeff---\r\nname: x\r\n---\r\n", {"name": "x"}),
    ("---\nname: x\ndescription: >-\n  a: b\n  c\n---", {"name": "x", "description": "a: b c"}),
])  # fmt: skip
def test_the_head_of_a_skills_text(text: str, told: dict[str, str]) -> None:
    assert front_matter(text) == told


def test_without_a_head_the_folder_names_it(home: Home) -> None:
    skill(home, ".claude/skills/plain", "# just text")
    home.put(".claude/skills/nothing/readme.md")
    skill(home, ".codex/skills/.system/hidden")
    assert [(item.name, item.confidence) for item in baseline(home)] == [("plain", "name")]


def test_links_to_one_real_folder_move_with_it(home: Home) -> None:
    real = skill(home, ".agents/skills/evil")
    for agent in (".claude", ".cursor"):
        (home.path / agent / "skills").mkdir(parents=True)
        (home.path / agent / "skills" / "evil").symlink_to("../../.agents/skills/evil")
    (home.path / ".claude" / "skills" / "dangling").symlink_to("../../.agents/skills/none")
    home.put(".agents/.skill-lock.json", {"version": 3, "skills": {"evil": {
        "source": "owner/repo", "sourceType": "github", "skillFolderHash": "0" * 40,
        "sourceUrl": "https://SECRET@host.example/owner/repo.git",
    }, "other": {"source": "https://user:SECRET@host.example/x?k=SECRET", "sourceType": "wellknown"}, "bad": 5,
    }})  # fmt: skip
    items = baseline(home)
    item = one(items, "evil-skill")
    links = (home.at(".claude/skills/evil"), home.at(".cursor/skills/evil"))
    assert (item.locator.path, item.locator.also, item.origin) == (real, links, "github:owner/repo")
    assert home.takes([item]) == []
    assert "SECRET" not in json.dumps([each.plain() for each in items])
    locked = one(items, "evil")
    assert (locked.kind, locked.locator.kind, locked.origin) == ("locked", "none", "github:owner/repo")
    assert locked.note == f"upstream hash {'0' * 40}"
    assert one(items, "other").origin == "wellknown:https://host.example/x"
    assert reread(item, str(home.path)) == SAME
    before = photograph(home.path / ".agents"), photograph(home.path / ".claude")
    held = hold(home.state, wish(item), projects=[item.root])
    assert not any(os.path.lexists(path) for path in (real, *links))
    restore(home.state, held.ident)
    after = photograph(home.path / ".agents"), photograph(home.path / ".claude")
    for was, now in zip(before, after, strict=True):
        assert {path for path in was if was[path] != now.get(path)} <= {b"/skills"}


def test_a_projects_skills_and_lock(home: Home) -> None:
    real = skill(home, "app/.agents/skills/evil")
    (home.path / "app" / ".claude" / "skills").mkdir(parents=True)
    (home.path / "app" / ".claude" / "skills" / "evil").symlink_to(real)
    home.put("app/skills-lock.json", {"skills": {"evil": {"source": "o/r", "sourceType": "github", "ref": "main"}}})
    items = home.seen("skills", root="app")
    item = one(items, "evil-skill")
    assert (item.root, item.origin) == (home.at("app"), "github:o/r")
    assert item.locator.also == (home.at("app/.claude/skills/evil"),)
    assert one(items, "evil").note == "ref main"


def test_a_state_directory_may_hold_the_lock(home: Home) -> None:
    home.put(".state/skills/.skill-lock.json", {"skills": {"evil": {"source": "o/r"}}})
    assert [item.origin for item in baseline(home, XDG_STATE_HOME=home.at(".state"))] == ["o/r"]


def test_a_link_to_somebodys_own_folder_is_told_and_not_taken(home: Home) -> None:
    real = skill(home, "work/mine")
    other = skill(home, "shared/skills/evil", TEXT.replace("evil-skill", "other"))
    (home.path / ".claude" / "skills").mkdir(parents=True)
    (home.path / ".claude" / "skills" / "mine").symlink_to(real)
    (home.path / ".claude" / "skills" / "evil").symlink_to(other)
    items = baseline(home)
    assert one(items, "evil-skill").locator.kind == "none"
    assert one(items, "evil-skill").note.endswith(f"a link to {real}")
    item = one(items, "other")
    assert (item.locator.path, item.locator.also) == (other, (home.at(".claude/skills/evil"),))
    assert home.takes([item]) == []


# ---- plugins


def plugin(home: Home, name: str = "evil", version: str = "1.0.0", market: str = "market") -> str:
    folder = f".claude/plugins/cache/{market}/{name}/{version}"
    home.put(f"{folder}/.claude-plugin/plugin.json", {"name": name, "version": version})
    home.put(f"{folder}/hooks/hooks.json", {"hooks": {}})
    home.put(f"{folder}/.mcp.json", {"mcpServers": {"s": {"command": "npx", "args": ["x@1.0.0"]}}})
    skill(home, f"{folder}/skills/inner", TEXT.replace("evil-skill", "inner-skill"))
    return home.at(folder)


def registry(home: Home, **plugins: Any) -> None:
    home.put(".claude/plugins/installed_plugins.json", {"version": 2, "plugins": {
        name.replace("_AT_", "@"): rows for name, rows in plugins.items()}})  # fmt: skip
    home.put(".claude/plugins/known_marketplaces.json", {
        "market": {"source": {"source": "github", "repo": "owner/market"}},
        "other": {"source": {"source": "git", "url": "https://user:SECRET@git.example/x.git"}},
    })  # fmt: skip


def test_claudes_plugins_are_read_from_their_registry(home: Home) -> None:
    folder = plugin(home)
    home.put(
        ".claude/settings.json", {"enabledPlugins": {"evil@market": True, "off@other": False}, "env": {"A": "SECRET"}}
    )
    registry(
        home,
        evil_AT_market=[{"scope": "user", "installPath": folder, "version": "1.0.0"}],
        off_AT_other={"installPath": home.at(".claude/plugins/cache/other/off/2.0.0"), "version": "2.0.0"},
        away_AT_market=[{"installPath": home.at("work/away"), "version": "3.0.0", "projectPath": "/w/a"}, "junk"],
    )
    items = baseline(home)
    item = one(items, "evil@market")
    assert (item.version, item.locator.path, item.origin, item.manager) == (
        "1.0.0", folder, "github:owner/market", "claude-code",
    )  # fmt: skip
    assert item.locator.also == (
        home.at(".claude/plugins/installed_plugins.json#/plugins/evil@market"),
        home.at(".claude/settings.json#/enabledPlugins/evil@market"),
    )
    assert item.note == "it brings hooks and MCP servers"
    assert one(items, "off@other").note == "its folder is not there; disabled"
    assert one(items, "off@other").origin == "git.example"
    assert one(items, "away@market").locator.kind == "none"
    assert "for /w/a" in one(items, "away@market").note
    assert "SECRET" not in json.dumps([each.plain() for each in items])
    assert home.takes([item]) == []


def test_a_plugin_is_taken_with_its_rows_and_comes_back(home: Home) -> None:
    folder = plugin(home)
    home.put(".claude/settings.json", json.dumps({"enabledPlugins": {"evil@market": True}}, indent=2))
    registry(home, evil_AT_market=[{"installPath": folder, "version": "1.0.0"}])
    before = photograph(home.path / ".claude")
    items = [*baseline(home), *home.seen("mcp", "skills", "plugins")]
    item = next(each for each in items if each.name == "evil@market")
    assert reread(item, str(home.path)) == SAME
    held = [hold(home.state, wish(item), projects={each.root for each in items if each.root})]
    for also in item.locator.also:
        file, _, pointer = also.partition("#")
        assert contained("mcp", file)
        held.append(hold(home.state, Hold("config_entry", item.ecosystem, item.name, "", path=file, pointer=pointer)))
    assert not os.path.exists(folder)
    assert "evil" not in (home.path / ".claude/settings.json").read_text()
    for each in reversed(held):
        restore(home.state, each.ident)
    after = photograph(home.path / ".claude")
    content = {path: what for path, what in before.items() if what[4]}
    assert {path for path in content if content[path][4][0] != after[path][4][0]} == set()  # type: ignore[index]


def test_geminis_extensions(home: Home) -> None:
    folder = ".gemini/extensions/evil"
    home.put(f"{folder}/gemini-extension.json", {"name": "evil-ext", "version": "1.0.0", "mcpServers": {"s": {}}})
    home.put(f"{folder}/.gemini-extension-install.json", {"source": "https://u:SECRET@git.example/a", "type": "git"})
    home.put(".gemini/extensions/dev/.gemini-extension-install.json", {"source": "/w/dev", "type": "link"})
    items = baseline(home)
    assert said(items) == {("evil-ext", "1.0.0", "installed", "dir"), ("dev", "", "installed", "dir")}
    item = one(items, "evil-ext")
    assert (item.origin, item.note, item.manager) == ("git.example", "it brings MCP servers", "gemini")
    assert one(items, "dev").note == "a link to a folder of somebody's own"
    assert home.takes(items) == []
    assert reread(item, str(home.path)) == SAME
    everything = [*items, *home.seen("mcp")]
    before = photograph(home.path / ".gemini")
    held = hold(home.state, wish(item), projects={each.root for each in everything if each.root})
    restore(home.state, held.ident)
    after = photograph(home.path / ".gemini")
    assert {path for path in before if before[path] != after.get(path)} <= {b"/extensions"}


def test_opencodes_plugins(home: Home) -> None:
    home.put(".config/opencode/plugin/evil.ts", "export const x = 1\n")
    home.put(".config/opencode/plugins/folder/index.js", "1\n")
    home.put(".config/opencode/plugins/node_modules/x/index.js", "1\n")
    home.put(".config/opencode/opencode.json", '{\n  "plugin": ["bad-plugin@1.0.0", "@s/floats", "./mine.ts", 5],\n}\n')
    home.put(".opencode/plugin/own.js", "1\n")
    items = baseline(home)
    assert said(items) == {
        ("evil", "", "installed", "file_set"),
        ("folder", "", "installed", "dir"),
        ("own", "", "installed", "file_set"),
        ("bad-plugin", "1.0.0", "configured", "config_entry"),
        ("@s/floats", "", "configured", "config_entry"),
    }
    assert one(items, "bad-plugin").locator.pointer == "/plugin/0"
    assert "floating" in one(items, "@s/floats").note
    assert home.takes([item for item in items if item.ecosystem == "agent-skill"]) == []
    assert {reread(item, str(home.path)) for item in items} == {SAME}
    text = (home.path / ".config/opencode/opencode.json").read_text()
    held = [hold(home.state, wish(one(items, name))) for name in ("evil", "@s/floats")]
    assert "@s/floats" not in (home.path / ".config/opencode/opencode.json").read_text()
    assert os.listdir(home.at(".config/opencode/plugin")) == []
    for each in held:
        restore(home.state, each.ident)
    assert (home.path / ".config/opencode/opencode.json").read_text() == text
    assert os.listdir(home.at(".config/opencode/plugin")) == ["evil.ts"]


def test_broken_registries_are_problems(home: Home) -> None:
    home.put(".claude/plugins/installed_plugins.json", "{")
    home.put(".config/opencode/opencode.json", "{")
    home.put(".agents/.skill-lock.json", "[")
    assert baseline(home) == []
    assert len(home.problems) == 3
