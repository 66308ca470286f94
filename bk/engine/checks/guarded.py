"""Which files hold the entries by which harnesses call us, at every scope, and how each is written."""

from __future__ import annotations

from bk.engine.tables import names


class Guarded:
    """One settings file of one harness. `scope` is `home`, `project` (in any directory) or `system` (absolute).

    `form` says how its text is read: `json`, `toml`, `yaml`, or `script` (a program that is the hook itself).
    A path that ends in `/` stands for every file directly below.
    """

    __slots__ = ("form", "harness", "scope", "tail")

    def __init__(self, harness: str, scope: str, path: str, form: str) -> None:
        self.harness = harness
        self.scope = scope
        self.tail = "/" + path.lstrip("/").lower()
        self.form = form


# Harness, the files below a home or a project, the files of the machine.
_PLACES = (
    (
        "claude-code",
        ".claude/settings.json .claude/settings.local.json",
        "/etc/claude-code/managed-settings.json /etc/claude-code/managed-mcp.json"
        " /Library/Application\tSupport/ClaudeCode/managed-settings.json",
    ),
    ("codex", ".codex/hooks.json .codex/config.toml", "/etc/codex/requirements.toml /etc/codex/config.toml"),
    ("gemini", ".gemini/settings.json", "/etc/gemini-cli/settings.json"),
    ("antigravity", ".gemini/config/hooks.json .gemini/antigravity/hooks.json .agents/hooks.json", ""),
    ("qwen", ".qwen/settings.json", "/etc/qwen-code/settings.json"),
    (
        "copilot",
        ".copilot/settings.json .copilot/hooks/ .github/hooks/ .github/copilot/settings.json"
        " .github/copilot/settings.local.json",
        "",
    ),
    ("cursor", ".cursor/hooks.json", "/etc/cursor/hooks.json"),
    ("windsurf", ".codeium/windsurf/hooks.json .windsurf/hooks.json", "/etc/windsurf/hooks.json"),
    ("augment", ".augment/settings.json .augment/settings.local.json", "/etc/augment/settings.json"),
    ("codebuddy", ".codebuddy/settings.json .codebuddy/settings.local.json", ""),
    ("droid", ".factory/settings.json .factory/settings.local.json .factory/hooks.json", "/etc/factory/settings.json"),
    ("openhands", ".openhands/hooks.json", ""),
    ("hermes", ".hermes/config.yaml", ""),
    ("vibe", ".vibe/hooks.toml .vibe/config.toml", ""),
    ("kimi", ".kimi-code/config.toml .kimi/config.toml", ""),
    ("openclaw", ".openclaw/openclaw.json .openclaw/config.json .openclaw/extensions/bk/", ""),
    (
        "cline",
        ".cline/hooks/ .clinerules/hooks/ Documents/Cline/Hooks/ Documents/Cline/Rules/Hooks/",
        "",
    ),
    (
        "opencode",
        ".config/opencode/plugins/ .config/opencode/plugin/ .opencode/plugins/ .opencode/plugin/"
        " .config/opencode/opencode.json .config/opencode/opencode.jsonc",
        "",
    ),
    ("kilo", ".config/kilo/plugins/ .config/kilo/plugin/ .kilo/plugins/ .kilo/plugin/ .config/kilo/kilo.json", ""),
)
_FORMS = {"json": "json", "jsonc": "json", "toml": "toml", "yaml": "yaml", "yml": "yaml"}


def _form(path: str) -> str:
    if path.endswith("/hooks/") and ".c" in path and "cline" not in path.lower():
        return "json"
    return "json" if path == ".github/hooks/" else _FORMS.get(path.rpartition(".")[2], "script")


def _rows() -> tuple[Guarded, ...]:
    rows: list[Guarded] = []
    for harness, ours, machine in _PLACES:
        for path in ours.split(" "):
            rows.extend(Guarded(harness, scope, path, _form(path)) for scope in ("home", "project"))
        rows.extend(
            Guarded(harness, "system", path.replace("\t", " "), _form(path)) for path in machine.split(" ") if path
        )
    return tuple(rows)


GUARDED = _rows()
_FILES = {row.tail: row.form for row in GUARDED if row.scope != "system" and not row.tail.endswith("/")}
_SYSTEM = {row.tail: row.form for row in GUARDED if row.scope == "system"}
_BELOW = {row.tail: row.form for row in GUARDED if row.tail.endswith("/")}
_NAMES = frozenset(tail.rpartition("/")[2] for tail in (*_FILES, *_SYSTEM))
_ABOVE_NAMES = frozenset(tail.rstrip("/").rpartition("/")[2] for tail in _BELOW)
# A harness's own folder in a home: removed or replaced as a whole, every entry in it goes.
FOLDERS = names(
    ".claude .codex .gemini .qwen .copilot .cursor .codeium .windsurf .augment .codebuddy .factory .openhands .hermes"
    " .vibe .kimi-code .kimi .openclaw .cline"
)


def scope_of(path: str, home: str, cwd: str) -> str:  # noqa: ARG001 - which project it is makes no difference today
    """`home`, `project` or `system` for a file that may hold our entries, else ""."""
    tail = _tail(path)
    if not tail:
        return ""
    if tail in _SYSTEM and tail not in _FILES:
        return "system"
    return "home" if path.lower().startswith(home.lower().rstrip("/") + tail) else "project"


def form_of(path: str) -> str:
    """How the text of a guarded file is read."""
    tail = _tail(path)
    return _FILES.get(tail) or _SYSTEM.get(tail) or _BELOW.get(tail) or "script"


def is_guarded(path: str, home: str, cwd: str) -> bool:
    """Whether a path is, at any scope, a settings file that may hold our entries."""
    return scope_of(path, home, cwd) != ""


def _tail(path: str) -> str:
    """The row that a path falls under, "" for none."""
    head, _, name = path.rpartition("/")
    name = name.lower()
    if name in _NAMES:
        low = path.lower()
        if low in _SYSTEM:
            return low
        for tail in _FILES:
            if low.endswith(tail):
                return tail
    if head.rpartition("/")[2].lower() in _ABOVE_NAMES and name:
        folder = head.lower() + "/"
        for tail in _BELOW:
            if folder.endswith(tail):
                return tail
    return ""
