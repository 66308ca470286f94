"""The clients of the first tier: which release, from where, and the settings by which it asks the scripted model."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.live.client import BASE, MODEL, Client, Run

Json = Any


def _claude(run: Run) -> list[str]:
    run.put(".claude.json", {"hasCompletedOnboarding": True})
    run.put(".claude/settings.json", {})
    run.env |= {
        "ANTHROPIC_BASE_URL": BASE, "ANTHROPIC_API_KEY": "sk-none", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_ERROR_REPORTING": "1", "IS_SANDBOX": "1",
        "ENABLE_TOOL_SEARCH": "false",
    }  # fmt: skip
    words = [
        run.program("claude-code", "claude"),
        "-p",
        "go",
        "--model",
        "claude-sonnet-4-5",
        "--dangerously-skip-permissions",
    ]
    if run.mcp:
        run.put("mcp.json", {"mcpServers": {"files": {"type": "http", "url": f"{BASE}/mcp"}}})
        words += ["--mcp-config", str(run.home / "mcp.json")]
    return words


def _codex(run: Run) -> list[str]:
    model = "gpt-5-codex" if run.mcp else "gpt-5.5"  # the newer one has to search for MCP tools first
    text = f"""model = "{model}"
model_provider = "live"
check_for_update_on_startup = false

[analytics]
enabled = false

[feedback]
enabled = false

[model_providers.live]
name = "live"
base_url = "{BASE}/v1"
wire_api = "responses"
env_key = "LIVE_KEY"
supports_websockets = false
request_max_retries = 1
stream_max_retries = 1
"""
    if run.mcp:
        text += f'''
[mcp_servers.files]
url = "{BASE}/mcp"
default_tools_approval_mode = "approve"
required = true  # it waits for the server, and does not begin with what tools there are
startup_timeout_sec = 60
'''
    if run.trusted:
        text += f'\n[projects.{json.dumps(str(run.project))}]\ntrust_level = "trusted"\n'
    run.put(".codex/config.toml", text)
    run.env |= {"LIVE_KEY": "sk-none", "CODEX_HOME": str(run.home / ".codex")}
    return [
        run.program("codex", "codex"),
        "exec",
        "--skip-git-repo-check",
        "--dangerously-bypass-approvals-and-sandbox",
        "go",
    ]


def _typed(line: str) -> list[dict[str, Json]]:
    """A shell that waits for its input, and what is typed into it."""
    session = "@last session ID (\\d+)"
    return [
        {"tool": "exec_command", "given": {"cmd": "bash", "tty": True, "yield_time_ms": 2_000}},
        {"tool": "write_stdin", "given": {"session_id": session, "chars": f"{line}\n", "yield_time_ms": 5_000}},
    ]


def _google(run: Run, folder: str, kind: str) -> None:
    told: dict[str, Json] = {
        "security": {"auth": {"selectedType": kind}},
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    if run.mcp:
        told["mcpServers"] = {"files": {"httpUrl": f"{BASE}/mcp", "trust": True}}
    run.put(f"{folder}/settings.json", told)


def _gemini(run: Run) -> list[str]:
    _google(run, ".gemini", "gemini-api-key")
    run.put(".gemini/trustedFolders.json", {str(run.project): "TRUST_FOLDER"})
    run.env |= {"GEMINI_API_KEY": "none", "GOOGLE_GEMINI_BASE_URL": BASE}
    return [run.program("gemini", "gemini"), "-m", "gemini-2.5-pro", "--approval-mode", "yolo",
            "--include-directories", str(run.home), "-p", "go"]  # fmt: skip


def _qwen(run: Run) -> list[str]:
    _google(run, ".qwen", "openai")
    run.env |= {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"{BASE}/v1", "OPENAI_MODEL": MODEL}
    return [run.program("qwen", "qwen"), "--approval-mode", "yolo", "-p", "go"]


def _copilot(run: Run) -> list[str]:
    run.env |= {
        "COPILOT_OFFLINE": "true", "COPILOT_AUTO_UPDATE": "false", "COPILOT_PROVIDER_BASE_URL": f"{BASE}/v1",
        "COPILOT_PROVIDER_API_KEY": "none", "COPILOT_MODEL": "claude-sonnet-4.6",
        "COPILOT_HOME": str(run.home / ".copilot"), "XDG_CACHE_HOME": str(run.tools / "copilot" / "cache"),
    }  # fmt: skip
    if run.mcp:
        run.put(
            ".copilot/mcp-config.json",
            {"mcpServers": {"files": {"type": "http", "url": f"{BASE}/mcp", "tools": ["*"]}}},
        )
    program = run.program("copilot", "copilot-linux-x64")
    if not os.path.exists(program):
        program = run.program("copilot", "copilot")
    trust = ["--trust-folder"] if run.trusted else []
    return [
        program,
        "-p",
        "go",
        "--allow-all-tools",
        "--allow-all-paths",
        "--no-auto-update",
        "--disable-client-telemetry",
        *trust,
    ]


def _kimi(run: Run) -> list[str]:
    run.put(
        ".kimi-code/config.toml",
        f"""default_model = "live"
telemetry = false

[providers.live]
type = "openai"
base_url = "{BASE}/v1"
api_key = "none"

[models.live]
provider = "live"
model = "{MODEL}"
max_context_size = 100000
capabilities = ["tool_use"]
""",
    )
    if run.mcp:
        run.put(".kimi-code/mcp.json", {"mcpServers": {"files": {"url": f"{BASE}/mcp"}}})
    run.env |= dict.fromkeys(("KIMI_DISABLE_TELEMETRY", "KIMI_CODE_NO_AUTO_UPDATE", "KIMI_DISABLE_AUTO_UPDATE"), "1")
    return [run.program("kimi", "kimi"), "-p", "go"]


def _droid(run: Run) -> list[str]:
    own = {"model": MODEL, "displayName": "Live", "id": "custom:Live-0", "baseUrl": BASE, "apiKey": "none",
           "provider": "anthropic", "maxOutputTokens": 4000}  # fmt: skip
    run.put(".factory/settings.json", {"customModels": [own], "enableHooks": True, "cloudSessionSync": False})
    if run.mcp:
        run.put(".factory/mcp.json", {"mcpServers": {"files": {"type": "http", "url": f"{BASE}/mcp"}}})
    run.env |= {
        "FACTORY_API_KEY": "fk-none", "FACTORY_API_BASE_URL": BASE, "FACTORY_APP_BASE_URL": BASE,
        "FACTORY_TELEMETRY_INGEST_BASE_URL": BASE, "FACTORY_DROID_AUTO_UPDATE_ENABLED": "false",
        "FACTORY_DISABLE_KEYRING": "1", "FACTORY_DISABLE_DYNAMIC_CONFIG": "1", "FACTORY_OTEL_ENABLED": "false",
        "FACTORY_HOME_OVERRIDE": str(run.home),
    }  # fmt: skip
    program = run.tools / "droid" / "node_modules" / "@factory" / "cli-linux-x64" / "bin" / "droid"
    return [str(program), "exec", "--skip-permissions-unsafe", "-m", "custom:Live-0", "go"]


def _auggie(run: Run) -> list[str]:
    told: dict[str, Json] = {"autoUpdate": False}
    if run.mcp:
        told["mcpServers"] = {"files": {"type": "http", "url": f"{BASE}/mcp"}}
    run.put(".augment/settings.json", told)
    auth = {"accessToken": "none", "tenantURL": f"{BASE}/", "scopes": ["email"]}
    run.env |= {"AUGMENT_API_TOKEN": "none", "AUGMENT_API_URL": f"{BASE}/", "AUGMENT_DISABLE_AUTO_UPDATE": "1",
                "AUGMENT_SESSION_AUTH": json.dumps(auth)}  # fmt: skip
    flags = {
        "model_registry": json.dumps({"Live": MODEL}), "agent_chat_model": MODEL,
        "model_info_registry": json.dumps({MODEL: {"displayName": "Live", "shortName": "live", "isDefault": True}}),
        "enable_hooks": True, "enableHooks": True,
    }  # fmt: skip
    model = {"name": MODEL, "internal_name": MODEL, "suggested_prefix_char_count": 1000,
             "suggested_suffix_char_count": 1000, "max_memorize_size_bytes": 100_000}  # fmt: skip
    run.canned["POST /get-models"] = {
        "default_model": MODEL, "models": [model], "feature_flags": flags, "user_tier": "PROFESSIONAL_TIER",
        "languages": [{"name": "Python", "vscode_name": "python", "extensions": [".py"]}],
        "user": {"id": "u", "email": "u@example.com", "tenant_id": "t", "tenant_name": "t"},
        "feature_flags_v2": {"enableHooks": True}, "featureFlagsV2": {"enableHooks": True},
    }  # fmt: skip
    return [run.program("auggie", "auggie"), "--print", "go"]


TIER_ONE = (
    Client("claude-code", "@anthropic-ai/claude-code@2.1.329", _claude, weight=3, asks=True, managed=True,
           replaces=True, hostile={".claude/settings.json": {"disableAllHooks": True}}),
    Client("codex", "@openai/codex@0.169.0", _codex, weight=3, managed=True, reads=False, replaces=True, types=_typed,
           hostile={".codex/config.toml": "[features]\nhooks = false\n"}),
    Client("gemini", "@google/gemini-cli@0.61.0", _gemini, weight=7, managed=True, replaces=True,
           hostile={".gemini/settings.json": {"hooksConfig": {"enabled": False}}}),
    Client("qwen", "@qwen-code/qwen-code@0.24.4", _qwen, weight=12, asks=True, managed=True,
           hostile={".qwen/settings.json": {"disableAllHooks": True}},
           mcp=lambda path: [{"tool": "tool_call",
                              "given": {"name": "mcp__files__touchfile", "arguments": {"path": path}}}]),
    Client("copilot", "@github/copilot@1.0.102", _copilot, weight=4, asks=True, replaces=True,
           hostile={".github/copilot/settings.json": {"disableAllHooks": True}}),
    Client("kimi", "@moonshot-ai/kimi-code@2.1.0", _kimi, weight=6, warns=False, secret=".kube/config",
           hostile={".kimi-code/config.toml": "hooks = []\n"}),
    Client("droid", "@factory/cli-linux-x64@0.225.2", _droid, weight=4, managed=True,
           hostile={".factory/settings.json": {"disableAllHooks": True, "hooks": {}}},
           mcp=lambda path: [{"tool": "ToolSearch", "given": {"query": "touchfile"}},
                             {"mcp": "touchfile", "given": {"path": path}}]),
    Client("augment", "@augmentcode/auggie@0.36.0", _auggie, weight=8, managed=True,
           hostile={".augment/settings.json": {"disableAllHooks": True, "hooks": {}}},
           mcp=lambda path: [{"tool": "touchfile_files", "given": {"path": path}}]),
)  # fmt: skip
