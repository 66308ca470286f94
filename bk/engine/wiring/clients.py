"""The clients, where each keeps what it runs before and after a tool, and what stands there when we are wired in. Data.

Paths begin with `~/` (the person's), `./` (the project's) or `/` (the machine's, which no repository overrides).
"""

from __future__ import annotations

from bk.engine.wiring.plans import MANAGED, PROJECT, SECONDS, USER, Client, Plan, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.model import Json
    from bk.engine.wiring.plans import Say


def _claude(
    path: str,
    *,
    scale: int = 1,
    matcher: str = "*",
    events: tuple[str, str] = ("PreToolUse", "PostToolUse"),
    states: tuple[tuple[tuple[str, ...], Json], ...] = (),
) -> Callable[[Say], tuple[Plan, ...]]:
    """Groups of a matcher and its hooks, as Claude Code has them and many since. `scale`: timeouts in its units."""

    def plan(say: Say) -> tuple[Plan, ...]:
        hook = {"type": "command", "command": say.line(), "timeout": SECONDS * scale}
        rows = tuple(Row(("hooks", event), {"matcher": matcher, "hooks": [hook]}) for event in events)
        return (Plan(path, "json", rows=rows, states=states),)

    return plan


def _cursor(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    events = (
        "preToolUse", "beforeShellExecution", "beforeMCPExecution", "beforeReadFile",
        "postToolUse", "afterShellExecution", "afterMCPExecution", "afterFileEdit",
    )  # fmt: skip

    def plan(say: Say) -> tuple[Plan, ...]:
        rows = []
        for event in events:
            closed = {"failClosed": True} if event.startswith(("pre", "before")) else {}
            rows.append(Row(("hooks", event), {"command": say.line(), "timeout": SECONDS, **closed}))
        return (Plan(path, "json", rows=tuple(rows), states=((("version",), 1),)),)

    return plan


def _windsurf(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    kinds = ("run_command", "read_code", "write_code", "mcp_tool_use")

    def plan(say: Say) -> tuple[Plan, ...]:
        row = {"command": say.line(), "show_output": False}
        return (
            Plan(
                path, "json", rows=tuple(Row(("hooks", f"{w}_{kind}"), row) for w in ("pre", "post") for kind in kinds)
            ),
        )

    return plan


def _copilot(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    def plan(say: Say) -> tuple[Plan, ...]:
        from json import dumps

        hooks = {
            event: [{"type": "command", "bash": say.line(event), "timeoutSec": SECONDS}]
            for event in ("preToolUse", "postToolUse")
        }
        return (Plan(path, "own", whole=dumps({"version": 1, "hooks": hooks}, indent=2) + "\n"),)

    return plan


def _antigravity(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    def plan(say: Say) -> tuple[Plan, ...]:
        rows = tuple(
            Row(("bk", event), {"matcher": "*", "hooks": [{"type": "command", "command": say.line(event)}]})
            for event in ("PreToolUse", "PostToolUse")
        )
        return (Plan(path, "json", rows=rows),)

    return plan


def _codex_machine(say: Say) -> tuple[Plan, ...]:
    """Hooks that need no trust, with the feature pinned: a trusted repository could turn it off otherwise."""
    from json import dumps

    lines = ["allow_managed_hooks_only = true", "", "[features]", "hooks = true", "", "[hooks]",
             'managed_dir = "/etc/codex/hooks"']  # fmt: skip
    for event in ("PreToolUse", "PostToolUse"):
        lines += ["", f"[[hooks.{event}]]", 'matcher = ".*"', "", f"[[hooks.{event}.hooks]]", 'type = "command"',
                  f"command = {dumps(say.line())}", f"timeout = {SECONDS}"]  # fmt: skip
    return (Plan("/etc/codex/requirements.toml", "own", whole="\n".join(lines) + "\n", mode=0o644),)


def _cline(folder: str) -> Callable[[Say], tuple[Plan, ...]]:
    def plan(say: Say) -> tuple[Plan, ...]:
        return tuple(
            Plan(f"{folder}/{event}", "own", whole=say.script(), mode=0o755) for event in ("PreToolUse", "PostToolUse")
        )

    return plan


def _kimi(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    def plan(say: Say) -> tuple[Plan, ...]:
        rows = tuple(
            Row(("hooks",), {"event": event, "matcher": ".*", "command": say.line(), "timeout": SECONDS})
            for event in ("PreToolUse", "PostToolUse")
        )
        return (Plan(path, "toml", rows=rows),)

    return plan


def _vibe(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    def plan(say: Say) -> tuple[Plan, ...]:
        rows = tuple(
            Row(
                ("hooks",),
                {"name": f"bk-{event}", "type": event, "command": say.words(), "timeout": SECONDS, "strict": True},
            )
            for event in ("pre_tool", "post_tool")
        )
        return (Plan(path, "toml", rows=rows),)

    return plan


def _hermes(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    def plan(say: Say) -> tuple[Plan, ...]:
        row = {"matcher": ".*", "command": say.words(), "timeout": SECONDS}
        rows = tuple(Row(("hooks", event), row) for event in ("pre_tool_call", "post_tool_call"))
        return (Plan(path, "yaml", rows=rows, states=((("hooks_auto_accept",), True),)),)

    return plan


def _plugin(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    def plan(say: Say) -> tuple[Plan, ...]:
        return (Plan(path, "own", whole=say.plugin("opencode")),)

    return plan


def _openclaw(folder: str) -> Callable[[Say], tuple[Plan, ...]]:
    """A folder that is a plugin, and the setting that lets it act."""

    def plan(say: Say) -> tuple[Plan, ...]:
        from json import dumps

        asks = "bk-hook --harness openclaw"  # by this `bk hooks` knows the file for its own
        package = {"name": "bk", "version": "1.0.0", "description": asks, "type": "module",
                   "openclaw": {"extensions": ["./index.js"]}}  # fmt: skip
        about = {"id": "bk", "name": "BeeKeeper", "description": asks, "activation": {"onStartup": True},
                 "contracts": {"agentToolResultMiddleware": ["openclaw"]},
                 "configSchema": {"type": "object", "additionalProperties": False}}  # fmt: skip
        return (
            Plan(f"{folder}/index.js", "own", whole=say.plugin("openclaw")),
            Plan(f"{folder}/package.json", "own", whole=dumps(package, indent=2) + "\n"),
            Plan(f"{folder}/openclaw.plugin.json", "own", whole=dumps(about, indent=2) + "\n"),
            Plan("~/.openclaw/openclaw.json", "json", states=((("plugins", "entries", "bk"), {"enabled": True}),)),
        )

    return plan


def _openhands(path: str) -> Callable[[Say], tuple[Plan, ...]]:
    return _claude(path)


_PLAIN = '{"decision":"deny","reason":%s}'
CLIENTS = (
    Client(
        "claude-code", "Claude Code", folders="~/.claude", programs="claude",
        plans={
            USER: _claude("~/.claude/settings.json"),
            PROJECT: _claude("./.claude/settings.json"),
            MANAGED: _claude("/etc/claude-code/managed-settings.json", states=((("disableAllHooks",), False),)),
        },
        caveat="a repository can switch your own hooks off (disableAllHooks); the managed scope cannot be",
    ),
    Client(
        "codex", "Codex", folders="~/.codex", programs="codex",
        plans={
            USER: _claude("~/.codex/hooks.json", matcher=".*"),
            PROJECT: _claude("./.codex/hooks.json", matcher=".*"),
            MANAGED: _codex_machine,
        },
        caveat="a hook runs only once it is trusted, and silently not when its text changed; what is typed into a"
        " program that runs is shown to no hook",
    ),
    Client(
        "gemini", "Gemini CLI", folders="~/.gemini/settings.json ~/.gemini/tmp", programs="gemini",
        plans={
            USER: _claude("~/.gemini/settings.json", scale=1000, events=("BeforeTool", "AfterTool")),
            PROJECT: _claude("./.gemini/settings.json", scale=1000, events=("BeforeTool", "AfterTool")),
            MANAGED: _claude(
                "/etc/gemini-cli/settings.json", scale=1000, events=("BeforeTool", "AfterTool"),
                states=((("hooksConfig", "enabled"), True),),
            ),
        },
        caveat="a trusted folder can switch your own hooks off (hooksConfig.enabled)",
    ),
    Client(
        "qwen", "Qwen Code", folders="~/.qwen", programs="qwen",
        plans={
            USER: _claude("~/.qwen/settings.json"),
            PROJECT: _claude("./.qwen/settings.json"),
            MANAGED: _claude("/etc/qwen-code/settings.json", states=((("disableAllHooks",), False),)),
        },
        caveat="a repository can switch your own hooks off (disableAllHooks)",
    ),
    Client(
        "copilot", "GitHub Copilot CLI", folders="~/.copilot", programs="copilot",
        deny='{"permissionDecision":"deny","permissionDecisionReason":%s,"hookSpecificOutput":{"hookEventName":"PreToolUse",'
        '"permissionDecision":"deny","permissionDecisionReason":%s}}',
        plans={USER: _copilot("~/.copilot/hooks/bk.json"), PROJECT: _copilot("./.github/hooks/bk.json")},
        caveat="a trusted folder can switch your own hooks off (disableAllHooks)",
    ),
    Client(
        "cursor", "Cursor", folders="~/.cursor", programs="cursor cursor-agent",
        plans={
            USER: _cursor("~/.cursor/hooks.json"),
            PROJECT: _cursor("./.cursor/hooks.json"),
            MANAGED: _cursor("/etc/cursor/hooks.json"),
        },
        caveat="tested on its documented payloads, not on the running client",
    ),
    Client(
        "windsurf", "Windsurf", folders="~/.codeium/windsurf", programs="windsurf",
        plans={
            USER: _windsurf("~/.codeium/windsurf/hooks.json"),
            PROJECT: _windsurf("./.windsurf/hooks.json"),
            MANAGED: _windsurf("/etc/windsurf/hooks.json"),
        },
        caveat="tested on its documented payloads, not on the running client",
    ),
    Client(
        "augment", "Auggie (Augment)", folders="~/.augment", programs="auggie",
        plans={
            USER: _claude("~/.augment/settings.json", scale=1000, matcher=".*"),
            PROJECT: _claude("./.augment/settings.json", scale=1000, matcher=".*"),
            MANAGED: _claude("/etc/augment/settings.json", scale=1000, matcher=".*"),
        },
        caveat="hooks act only where the vendor's service has them enabled",
    ),
    Client(
        "droid", "Droid (Factory)", folders="~/.factory", programs="droid",
        plans={
            USER: _claude("~/.factory/settings.json"),
            PROJECT: _claude("./.factory/settings.json"),
            MANAGED: _claude("/etc/factory/settings.json"),
        },
    ),
    Client(
        "cline", "Cline", folders="~/.cline", programs="cline", deny='{"cancel":true,"errorMessage":%s}',
        plans={USER: _cline("~/.cline/hooks"), PROJECT: _cline("./.clinerules/hooks")},
        caveat="a denial ends the whole run; hooks that are removed in a session are gone at once",
    ),
    Client(
        "kimi", "Kimi Code", folders="~/.kimi-code", programs="kimi",
        plans={USER: _kimi("~/.kimi-code/config.toml")},
        caveat="what is said after a call has no effect",
    ),
    Client(
        "hermes", "Hermes Agent", folders="~/.hermes", programs="hermes", deny='{"decision":"block","reason":%s}',
        plans={USER: _hermes("~/.hermes/config.yaml")},
        caveat="hooks act only with consent, which the installation gives (hooks_auto_accept)",
    ),
    Client(
        "vibe", "Mistral Vibe", folders="~/.vibe", programs="vibe", deny='{"decision":"deny","reason":%s}', deny_exit=0,
        plans={USER: _vibe("~/.vibe/hooks.toml"), PROJECT: _vibe("./.vibe/hooks.toml")},
        caveat="a trusted project's hook of the same name replaces yours",
    ),
    Client(
        "opencode", "OpenCode", folders="~/.config/opencode", programs="opencode", deny=_PLAIN,
        plans={USER: _plugin("~/.config/opencode/plugins/bk.js"), PROJECT: _plugin("./.opencode/plugins/bk.js")},
        caveat="another plugin may change a call after ours has seen it",
    ),
    Client(
        "kilo", "Kilo Code", folders="~/.config/kilo", programs="kilo kilocode", deny=_PLAIN,
        plans={USER: _plugin("~/.config/kilo/plugins/bk.js"), PROJECT: _plugin("./.kilo/plugins/bk.js")},
        caveat="another plugin may change a call after ours has seen it",
    ),
    Client(
        "openclaw", "OpenClaw", folders="~/.openclaw", programs="openclaw", deny=_PLAIN,
        plans={USER: _openclaw("~/.openclaw/extensions/bk")},
        caveat="`openclaw agent exec` calls no plugin: nothing that it does is guarded",
    ),
    Client(
        "openhands", "OpenHands", folders="~/.openhands", programs="openhands",
        plans={USER: _openhands("~/.openhands/hooks.json"), PROJECT: _openhands("./.openhands/hooks.json")},
        caveat="a project's own hooks file hides yours",
    ),
    Client(
        "codebuddy", "CodeBuddy", folders="~/.codebuddy", programs="codebuddy",
        plans={USER: _claude("~/.codebuddy/settings.json"), PROJECT: _claude("./.codebuddy/settings.json")},
        caveat="tested on its documented payloads, not on the running client",
    ),
    Client(
        "antigravity", "Antigravity CLI", folders="~/.gemini/config ~/.gemini/antigravity", programs="agy antigravity",
        plans={USER: _antigravity("~/.gemini/config/hooks.json"), PROJECT: _antigravity("./.agents/hooks.json")},
        caveat="tested on its documented payloads, not on the running client",
    ),
)  # fmt: skip
BY_NAME = {client.name: client for client in CLIENTS}

# Clients that call no hook for their own tools, by what shows that they are here: a folder, a program.
UNHOOKED = (("Continue", "~/.continue", "cn"), ("Trae", "~/.trae", "trae"))
