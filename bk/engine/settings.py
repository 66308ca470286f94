"""Which settings files of which client name MCP servers, and how their entries are read. Pure.

Read for decisions (who is this server?) and for the inventory (what would it start?): one table, so that neither knows
of a client that the other does not.
"""

from __future__ import annotations

from bk.engine.lower.installs.listing import loose_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.model import Json

# Client, files of a project (nearest first), files of the user. Of several entries of a name the first one counts.
FILES = {
    "claude-code": (".mcp.json", ".claude.json .config/claude/.claude.json", "/etc/claude-code/managed-mcp.json"),
    "cursor": (".cursor/mcp.json", ".cursor/mcp.json", ""),
    "codex": (".codex/config.toml", ".codex/config.toml", "/etc/codex/config.toml"),
    "gemini": (".gemini/settings.json", ".gemini/settings.json", "/etc/gemini-cli/settings.json"),
    "qwen": (".qwen/settings.json", ".qwen/settings.json", "/etc/qwen-code/settings.json"),
    "copilot": (
        ".vscode/mcp.json .github/mcp.json .mcp.json",
        ".copilot/mcp-config.json .config/Code/User/mcp.json .config/Code/User/settings.json"
        " .config/Code\t-\tInsiders/User/mcp.json Library/Application\tSupport/Code/User/mcp.json",
        "",
    ),
    "windsurf": ("", ".codeium/windsurf/mcp_config.json .codeium/mcp_config.json", ""),
    "cline": (
        "",
        ".cline/data/settings/cline_mcp_settings.json"
        " .config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        "",
    ),
    "roo": (".roo/mcp.json", "", ""),
    "kilo": (".kilocode/mcp.json .kilo/mcp.json", ".config/kilo/kilo.json", ""),
    "kiro": (".kiro/settings/mcp.json", ".kiro/settings/mcp.json", ""),
    "opencode": ("opencode.json opencode.jsonc .opencode/opencode.json",
                 ".config/opencode/opencode.json .config/opencode/opencode.jsonc", ""),
    "amp": (".amp/settings.json", ".config/amp/settings.json", ""),
    "droid": (".factory/mcp.json", ".factory/mcp.json", ""),
    "augment": (".augment/settings.json", ".augment/settings.json", ""),
    "zed": (".zed/settings.json", ".config/zed/settings.json", ""),
    "claude-desktop": (
        "",
        ".config/Claude/claude_desktop_config.json Library/Application\tSupport/Claude/claude_desktop_config.json",
        "",
    ),
}  # fmt: skip
TABLES = ("mcpServers", "mcp_servers", "servers", "context_servers", "amp.mcpServers", "mcp")


class Server:
    """One entry: its `name` as the file has it, the file, and the project that the file speaks for ("" is the user)."""

    __slots__ = ("entry", "name", "place", "where")

    def __init__(self, name: str, entry: dict[str, Json], where: str, place: str) -> None:
        self.name = name
        self.entry = entry
        self.where = where
        self.place = place

    def identity(self) -> dict[str, Json]:
        """What it is: how it is started or reached. Of variables and headers the names count, never the values."""
        entry = self.entry
        command = entry.get("command")
        words = command if isinstance(command, list) else [command] if command else []
        told: dict[str, Json] = {}
        words = [str(each) for each in [*words, *(entry.get("args") or [])]]
        if words:
            told["command"] = words
        url = next((entry[key] for key in ("url", "serverUrl", "httpUrl", "uri") if entry.get(key)), "")
        if url:
            told["url"] = str(url).partition("?")[0]
        for key, names in (("env", ("env", "environment", "env_vars")), ("headers", ("headers", "http_headers"))):
            given = next((entry[name] for name in names if entry.get(name)), None)
            if given:
                told[key] = sorted(str(each) for each in given) if isinstance(given, (dict, list)) else []
        if entry.get("cwd"):
            told["cwd"] = str(entry["cwd"])
        return told


def entries(document: dict[str, Json], path: str, place: str) -> Iterator[Server]:
    """The servers that a settings document names, under whichever of the clients' tables."""
    for key in TABLES:
        table = document.get(key)
        if key == "mcp" and isinstance(table, dict) and isinstance(table.get("servers"), dict):
            table = table["servers"]
        if isinstance(table, dict):
            for name, entry in table.items():
                if isinstance(entry, dict):
                    yield Server(name, entry, path, place)


def parsed(text: str, path: str) -> Json:
    """A settings text as its client reads it; raises ValueError or RecursionError for what is none."""
    if path.endswith(".toml"):
        import tomllib

        return tomllib.loads(text)
    return loose_json(text)
