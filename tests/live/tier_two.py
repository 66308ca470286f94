"""The clients of the second tier: larger or slower ones, and those into which we load a plugin."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

from tests.live.client import BASE, MODEL, Client, Run

Json = Any


def _coder(name: str, program: str, file: str) -> Callable[[Run], list[str]]:
    """OpenCode, and Kilo after it."""

    def start(run: Run) -> list[str]:
        model = {"name": "live", "limit": {"context": 100_000, "output": 8_000}, "tool_call": True}
        told: dict[str, Json] = {
            "autoupdate": False, "share": "disabled", "model": f"live/{MODEL}", "small_model": f"live/{MODEL}",
            "provider": {"live": {"npm": "@ai-sdk/openai-compatible", "name": "live", "models": {MODEL: model},
                                  "options": {"baseURL": f"{BASE}/v1", "apiKey": "none"}}},
            "permission": {"*": "allow", "edit": "allow", "bash": "allow", "external_directory": "allow"},
        }  # fmt: skip
        if run.mcp:
            told["mcp"] = {"files": {"type": "remote", "url": f"{BASE}/mcp", "enabled": True}}
        run.put(f".config/{name}/{file}", told)
        parts, hidden = run.tools / f"{name}-plugin", shutil.ignore_patterns(".whole")
        shutil.copytree(parts, run.home / ".config" / name, dirs_exist_ok=True, symlinks=True, ignore=hidden)
        for word in ("OPENCODE", "KILO"):
            run.env |= dict.fromkeys(
                (f"{word}_DISABLE_AUTOUPDATE", f"{word}_DISABLE_MODELS_FETCH", f"{word}_DISABLE_LSP_DOWNLOAD",
                 f"{word}_DISABLE_DEFAULT_PLUGINS"), "1",
            )  # fmt: skip
        run.env["KILO_TELEMETRY_LEVEL"] = "off"
        return [run.program(name, program), "run", "-m", f"live/{MODEL}", "--auto", "go"]

    return start


def _cline(run: Run) -> list[str]:
    run.env |= {"CLINE_TELEMETRY_DISABLED": "1", "CLINE_NO_AUTO_UPDATE": "1", "POSTHOG_TELEMETRY_ENABLED": "false",
                "OPENAI_BASE_URL": f"{BASE}/v1", "ANTHROPIC_BASE_URL": BASE}  # fmt: skip
    if run.mcp:
        server = {"type": "streamableHttp", "url": f"{BASE}/mcp", "autoApprove": ["touchfile"]}
        run.put(".cline/data/settings/cline_mcp_settings.json", {"mcpServers": {"files": server}})
    program = run.program("cline", "cline")
    auth = ["auth", "openai-compatible", "--apikey", "none", "--modelid", MODEL, "--baseurl", f"{BASE}/v1"]
    run.before.append([program, *auth])
    return [program, "--json", "--auto-approve", "true", "please do what the script says"]


def _hermes(run: Run) -> list[str]:
    run.put(
        ".hermes/config.yaml",
        f"""model:
  default: {MODEL}
  provider: custom
  base_url: {BASE}/v1
  api_key: none
terminal:
  backend: local
  cwd: {run.project}
approvals:
  mode: "off"
""",
    )
    run.env |= {"HERMES_HOME": str(run.home / ".hermes"), "OPENAI_API_KEY": "none", "HERMES_YOLO_MODE": "1"}
    return [str(run.tools / "hermes/venv/bin/hermes"), "--yolo", "-z", "go"]


def _openhands(run: Run) -> list[str]:
    run.env |= {
        "LLM_API_KEY": "none", "LLM_BASE_URL": f"{BASE}/v1", "LLM_MODEL": f"openai/{MODEL}",
        "OPENHANDS_SUPPRESS_BANNER": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "DO_NOT_TRACK": "1",
        "OPENHANDS_DISABLE_TELEMETRY": "1",
    }  # fmt: skip
    return [str(run.tools / "openhands/venv/bin/openhands"), "--headless", "--override-with-envs", "-t", "go"]


def _vibe(run: Run) -> list[str]:
    run.put(
        ".vibe/config.toml",
        f"""active_model = "live"
enable_telemetry = false
enable_update_checks = false
enable_auto_update = false

[[providers]]
name = "live"
api_base = "{BASE}/v1"
api_key_env_var = "LIVE_KEY"
api_style = "openai"
backend = "generic"

[[models]]
name = "{MODEL}"
provider = "live"
alias = "live"
""",
    )
    run.env |= {"LIVE_KEY": "none", "MISTRAL_API_KEY": "none", "VIBE_HOME": str(run.home / ".vibe")}
    trust = ["--trust"] if run.trusted else []
    return [str(run.tools / "vibe/venv/bin/vibe"), "-p", "go", "--auto-approve", *trust]


def _openclaw(run: Run) -> list[str]:
    model = {"id": MODEL, "name": "Live", "reasoning": False, "input": ["text"], "contextWindow": 100_000,
             "maxTokens": 4_000, "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}  # fmt: skip
    provider = {"baseUrl": f"{BASE}/v1", "apiKey": "none", "api": "openai-completions", "models": [model]}
    told: dict[str, Json] = {
        "agents": {"defaults": {"model": {"primary": f"live/{MODEL}"}}},
        "models": {"mode": "merge", "providers": {"live": provider}},
    }
    run.put(".openclaw/openclaw.json", told)
    run.env |= {"OPENCLAW_NO_UPDATE_CHECK": "1", "OPENCLAW_DISABLE_UPDATE_CHECK": "1", "OPENCLAW_TELEMETRY": "0"}
    return [run.program("openclaw", "openclaw"), "agent", "--local", "--agent", "main", "--message", "go"]


TIER_TWO = (
    Client("opencode", "opencode-ai@1.18.33", _coder("opencode", "opencode", "opencode.json"), tier=2, weight=26,
           replaces=True),
    Client("kilo", "@kilocode/cli@7.7.7", _coder("kilo", "kilo", "kilo.json"), tier=2, weight=25, replaces=True),
    Client("cline", "cline@3.0.65", _cline, tier=2, weight=26, hears=False),
    Client("hermes", "hermes-agent==0.19.0", _hermes, tier=2, weight=24, kept=".bk/rules/more.rules", python="3.12",
           warns=False, mcp=lambda path: []),
    Client("vibe", "mistral-vibe==3.0.2", _vibe, tier=2, weight=10, replaces=True, python="3.12",
           warns=False, mcp=lambda path: [],
           hostile={".vibe/hooks.toml": '[[hooks]]\nname = "bk-pre_tool"\ntype = "pre_tool"\ncommand = "true"\n'}),
    Client("openhands", "openhands==1.16.0", _openhands, tier=2, weight=35, python="3.12", warns=False, reads=False,
           mcp=lambda path: [], hostile={".openhands/hooks.json": json.dumps({"hooks": {}})}),
    Client("openclaw", "openclaw@2026.9.6", _openclaw, tier=2, weight=22, replaces=True, mcp=lambda path: []),
)  # fmt: skip
