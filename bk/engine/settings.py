"""Which settings files of which client name MCP servers, and how their entries are read. Pure.

Read for decisions (who is this server?) and for the inventory (what would it start?): one table, so that neither knows
of a client that the other does not.
"""

from __future__ import annotations

import shlex

from bk.engine.lower.installs.listing import loose_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.model import Json

# Client, files of a project (nearest first), files of the user, of the machine; a tab stands for a space in a name.
# Of several entries of a name the first one counts.
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
    "roo": (
        ".roo/mcp.json",
        ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
        "",
    ),
    "kilo": (".kilocode/mcp.json .kilo/mcp.json", ".config/kilo/kilo.json", ""),
    "kiro": (".kiro/settings/mcp.json", ".kiro/settings/mcp.json", ""),
    "opencode": ("opencode.json opencode.jsonc .opencode/opencode.json",
                 ".config/opencode/opencode.json .config/opencode/opencode.jsonc", ""),
    "amp": (".amp/settings.json", ".config/amp/settings.json", ""),
    "droid": (".factory/mcp.json", ".factory/mcp.json", ""),
    "augment": (".augment/settings.json", ".augment/settings.json", ""),
    "zed": (".zed/settings.json", ".config/zed/settings.json", ""),
    "crush": (".crush.json crush.json", ".config/crush/crush.json", ""),
    "amazon-q": (".amazonq/mcp.json", ".aws/amazonq/mcp.json", ""),
    "junie": (".junie/mcp/mcp.json", ".junie/mcp/mcp.json", ""),
    "jetbrains": (".ai/mcp/mcp.json", ".ai/mcp/mcp.json", ""),
    "lm-studio": ("", ".lmstudio/mcp.json", ""),
    "claude-desktop": (
        "",
        ".config/Claude/claude_desktop_config.json Library/Application\tSupport/Claude/claude_desktop_config.json",
        "",
    ),
}  # fmt: skip
TABLES = ("mcpServers", "mcp_servers", "servers", "context_servers", "amp.mcpServers", "mcp")
ADDRESSES = ("url", "serverUrl", "httpUrl", "uri")


def files(row: str) -> list[str]:
    """The paths in one cell of the table."""
    return [path.replace("\t", " ") for path in row.split(" ") if path]


class Server:
    """One entry: its `name` as the file has it, the file, and the project that the file speaks for ("" is the user).

    `keys` lead to it in the file.
    """

    __slots__ = ("entry", "keys", "name", "place", "where")

    def __init__(self, name: str, entry: dict[str, Json], where: str, place: str, keys: tuple[str, ...] = ()) -> None:
        self.name = name
        self.entry = entry
        self.where = where
        self.place = place
        self.keys = keys or (name,)

    @property
    def pointer(self) -> str:
        """Where in the file it is, by RFC 6901."""
        return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in self.keys)

    @property
    def off(self) -> bool:
        """Whether the entry itself says that it is not to be started."""
        return self.entry.get("disabled") is True or self.entry.get("enabled") is False

    @property
    def address(self) -> str:
        """Where it is reached, when it is not started here."""
        return next((text for key in ADDRESSES if isinstance(text := self.entry.get(key), str) and text), "")

    def launch(self) -> list[str]:
        """The words that start it, in whichever of the clients' shapes; [] when nothing is started here."""
        command: Json = self.entry.get("command", self.entry.get("cmd"))
        args: Json = self.entry.get("args")
        if isinstance(command, dict):
            command, args = command.get("path"), command.get("args")
        words = command if isinstance(command, list) else [command] if isinstance(command, str) and command else []
        words = [each for each in words if isinstance(each, str)]
        if len(words) == 1 and not args and " " in words[0] and "\\" not in words[0]:
            try:
                words = shlex.split(words[0])
            except ValueError:
                words = words[0].split()
        return words + [str(each) for each in args if isinstance(each, (str, int))] if isinstance(args, list) else words

    def identity(self) -> dict[str, Json]:
        """What it is: how it is started or reached. Of variables and headers the names count, never the values."""
        entry = self.entry
        command = entry.get("command")
        words = command if isinstance(command, list) else [command] if command else []
        told: dict[str, Json] = {}
        words = [str(each) for each in [*words, *(entry.get("args") or [])]]
        if words:
            told["command"] = words
        url = next((entry[key] for key in ADDRESSES if entry.get(key)), "")
        if url:
            told["url"] = str(url).partition("?")[0]
        for key, names in (("env", ("env", "environment", "env_vars")), ("headers", ("headers", "http_headers"))):
            given = next((entry[name] for name in names if entry.get(name)), None)
            if given:
                told[key] = sorted(str(each) for each in given) if isinstance(given, (dict, list)) else []
        if entry.get("cwd"):
            told["cwd"] = str(entry["cwd"])
        return told


def entries(document: dict[str, Json], path: str, place: str, keys: tuple[str, ...] = ()) -> Iterator[Server]:
    """The servers that a settings document names, under whichever of the clients' tables; `keys` lead to the document
    where it is a part of its file."""
    for key in TABLES:
        table, at = document.get(key), (*keys, key)
        if key == "mcp" and isinstance(table, dict) and isinstance(table.get("servers"), dict):
            table, at = table["servers"], (*at, "servers")
        if isinstance(table, dict):
            for name, entry in table.items():
                if isinstance(entry, dict):
                    yield Server(name, entry, path, place, (*at, name))


def projects(document: dict[str, Json], path: str) -> Iterator[Server]:
    """The servers that the user's own file names for one project or another."""
    told = document.get("projects")
    for folder, entry in told.items() if isinstance(told, dict) else ():
        if isinstance(entry, dict):
            yield from entries(entry, path, folder, ("projects", folder))


def parsed(text: str, path: str) -> Json:
    """A settings text as its client reads it; raises ValueError or RecursionError for what is none."""
    if path.endswith(".toml"):
        import tomllib

        return tomllib.loads(text)
    return loose_json(text)
