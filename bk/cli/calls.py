"""What a person types for a tool call: tool names as coding agents spell them, and the argument each takes."""

from __future__ import annotations

from bk.engine.errors import USAGE, BkError
from bk.engine.model import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

# tool -> (what it is, the field that bare text given as its argument goes to)
TOOLS = {
    "Bash": ("shell", "command"),
    "PowerShell": ("shell", "command"),
    "Monitor": ("shell", "command"),
    "Read": ("read", "file_path"),
    "NotebookRead": ("read", "notebook_path"),
    "Write": ("write", "file_path"),
    "Edit": ("edit", "file_path"),
    "MultiEdit": ("edit", "file_path"),
    "NotebookEdit": ("edit", "notebook_path"),
    "Glob": ("search", "pattern"),
    "Grep": ("search", "pattern"),
    "LS": ("search", "path"),
    "WebFetch": ("fetch", "url"),
    "WebSearch": ("other", "query"),
    "Task": ("agent", "prompt"),
    "Agent": ("agent", "prompt"),
}


def kind_of(tool: str) -> str:
    """What a tool of this name is; a name nobody knows is looked through for anything that can be judged."""
    if tool in TOOLS:
        return TOOLS[tool][0]
    return "mcp" if tool.startswith("mcp__") else "other"


def typed_call(tool: str, args: str, *, cwd: str, home: str) -> ToolCall:
    """The call that `--tool` and `--args` describe. Raises BkError when the arguments need to be JSON and are not."""
    import json

    given: Mapping[str, Json]
    if args.lstrip().startswith("{"):
        try:
            given = json.loads(args)
        except ValueError as error:
            if tool not in TOOLS:
                raise _needs_json(tool) from error
            given = {TOOLS[tool][1]: args}
    elif tool in TOOLS:
        given = {TOOLS[tool][1]: args}
    else:
        raise _needs_json(tool)
    return ToolCall(tool, kind_of(tool), given, harness="manual", cwd=cwd, home=home)


def _needs_json(tool: str) -> BkError:
    return BkError(
        "the arguments cannot be read",
        f"{tool} is not one of {', '.join(TOOLS)}: its arguments must be a JSON object",
        f'bk check --tool {tool} --args \'{{"path": "…"}}\'',
        code=USAGE,
    )
