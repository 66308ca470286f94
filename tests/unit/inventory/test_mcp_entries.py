"""An entry of every client's settings is taken out, and comes back as it was; never over another of its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from bk.engine.inventory.item import Item
from bk.engine.responder.again import SAME, reread
from bk.quarantine.back import restore
from bk.quarantine.refused import HoldRefusedError
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, wish


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


SHAPES = {
    "app/.mcp.json": """{
  "mcpServers": {
    "good": {"command": "true"},
    "evil": {
      "command": "npx",
      "args": ["-y", "evil-server@1.0.0"],
      "env": {"KEY": "SECRET"}
    }
  }
}
""",
    "app/.vscode/mcp.json": """{
\t// servers
\t"servers": {
\t\t"evil": { "command": "npx", "args": ["evil-server@1.0.0"] }, // bad
\t\t"good": { "command": "true" },
\t},
}
""",
    "app/.gemini/settings.json": (
        '{"theme": "x", "mcpServers": {"evil": {"command": "npx", "args": ["evil-server@1.0.0"]}}}'
    ),
    "app/.zed/settings.json": """{
  "context_servers": {
    "evil": {"source": "custom", "command": {"path": "npx", "args": ["evil-server@1.0.0"]}}
  },
  "vim_mode": true,
}
""",
    "app/opencode.jsonc": """{
  "mcp": {
    /* bad */
    "evil": {"type": "local", "command": ["npx", "evil-server@1.0.0"]},
    "good": {"type": "remote", "url": "https://a.example"}
  }
}
""",
    "app/.amp/settings.json": """{
  "amp.mcpServers": {"good": {"command": "true"}, "evil": {"command": "npx evil-server@1.0.0"}}
}
""",
    "app/.codex/config.toml": """model = "x" # mine

[mcp_servers.evil]
command = "npx"
args = ["evil-server@1.0.0"]

[mcp_servers.evil.env]
KEY = "SECRET"

[mcp_servers.good]
command = "true"
""",
    "app/.claude.json": (
        '{"projects": {"/w/a": {"mcpServers": {"evil": {"command": "npx", "args": ["evil-server@1.0.0"]}}}}}'
    ),
}


def entry(home: Home, path: str) -> Item:
    home.put(path, SHAPES[path])
    return one(home.seen("mcp", root="app"), "evil-server")


def present(home: Home, path: str) -> bool:
    return any(item.name == "evil" for item in home.seen("mcp", root="app"))


@pytest.mark.parametrize("path", SHAPES)
def test_an_entry_is_taken_out_and_comes_back_byte_for_byte(home: Home, path: str) -> None:
    item = entry(home, path)
    assert reread(item, str(home.path)) == SAME
    (home.path / path).chmod(0o640)
    held = hold(home.state, wish(item), projects=[home.at("app")])
    left = (home.path / path).read_text()
    assert not present(home, path)
    assert "evil" not in left
    assert "SECRET" not in left
    assert "good" in left or "good" not in SHAPES[path]
    assert (home.path / path).stat().st_mode & 0o777 == 0o640
    restore(home.state, held.ident)
    assert (home.path / path).read_text() == SHAPES[path]
    assert present(home, path)


@pytest.mark.parametrize("path", SHAPES)
def test_an_entry_comes_back_into_a_file_that_was_edited_since(home: Home, path: str) -> None:
    item = entry(home, path)
    held = hold(home.state, wish(item))
    file = home.path / path
    text = file.read_text()
    if path.endswith(".toml"):
        file.write_text(f'{text}\n[mcp_servers.new]\ncommand = "false"\n')
    else:
        at = text.rindex("}")
        comma = "" if text[:at].rstrip()[-1] in ",{" else ","
        file.write_text(f'{text[:at]}{comma} "newer": 1 {text[at:]}')
    edited = file.read_text()
    restore(home.state, held.ident)
    assert file.read_text() != edited
    again = one(home.seen("mcp", root="app"), "evil-server")
    assert (again.version, again.locator.pointer) == (item.version, item.locator.pointer)
    assert "newer" in file.read_text() or "mcp_servers.new" in file.read_text()


@pytest.mark.parametrize("path", SHAPES)
def test_an_entry_does_not_replace_another_of_its_name(home: Home, path: str) -> None:
    item = entry(home, path)
    held = hold(home.state, wish(item))
    file = home.path / path
    replaced = SHAPES[path].replace("evil-server@1.0.0", "evil-server@2.0.0")
    file.write_text(replaced)
    with pytest.raises(HoldRefusedError) as caught:
        restore(home.state, held.ident)
    assert caught.value.refusal == "conflict"
    assert file.read_text() == replaced
