"""Which files list packages, or servers that are started from packages: told by their names alone."""

from __future__ import annotations

from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Touch

SETTINGS = names(
    ".mcp.json mcp.json .claude.json mcp_config.json claude_desktop_config.json mcp-config.json managed-mcp.json"
    " cline_mcp_settings.json settings.json config.toml opencode.json opencode.jsonc"
)
MANIFESTS = names(
    "package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock deno.json deno.jsonc"
    " deno.lock pyproject.toml uv.lock poetry.lock pdm.lock pylock.toml pipfile pipfile.lock environment.yml"
    " environment.yaml cargo.toml cargo.lock go.mod go.sum gemfile gemfile.lock gems.rb gems.locked composer.json"
    " composer.lock packages.config packages.lock.json directory.packages.props"
)
PROJECT_ENDINGS = (".csproj", ".fsproj", ".vbproj")


def lists(action: Touch) -> bool:
    """Whether a write with a known text goes into such a file."""
    if action.mode != "write" or action.where or (action.content is None and not action.edits):
        return False
    name = action.path.rpartition("/")[2].lower()
    if name in MANIFESTS or name in SETTINGS:
        return True
    if name.endswith((".txt", ".in")):
        return "require" in name or "constraint" in name
    return name.endswith(PROJECT_ENDINGS)
