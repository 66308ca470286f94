"""What a scripted model does next: tools are chosen and their arguments shaped by what the client itself offers."""

from __future__ import annotations

import json
import re
from typing import Any

Json = Any

SHELLS = (
    "Bash", "bash", "run_shell_command", "exec_command", "shell", "local_shell", "run_commands", "execute_command",
    "launch-process", "Execute", "Shell", "terminal", "exec", "file_system.bash",
)  # fmt: skip
READERS = ("Read", "read", "read_file", "ReadFile", "view", "read_files", "file_system.read_file", "file_editor")
WRITERS = (
    "Write", "write", "write_file", "WriteFile", "create", "Create", "save-file", "editor", "apply_patch",
    "file_system.write_file", "file_editor",
)  # fmt: skip
PATHS = ("file_path", "filePath", "path", "absolute_path", "filepath", "target_file")
TEXTS = ("content", "file_text", "contents", "file_content", "fileContent", "new_text", "text")
LINES = ("command", "cmd", "script", "CommandLine")


class Offer:
    """One tool that a client offers its model."""

    def __init__(self, name: str, schema: Json, *, form: str = "function", space: str = "") -> None:
        self.name = name
        self.schema: dict[str, Json] = schema if isinstance(schema, dict) else {}
        self.form = form
        self.space = space

    @property
    def takes(self) -> dict[str, Json]:
        """Its parameters."""
        found = self.schema.get("properties")
        return found if isinstance(found, dict) else {}


class Move:
    """The model's next turn: a tool with its arguments, or words."""

    def __init__(self, offer: Offer | None = None, given: dict[str, Json] | None = None, words: str = "") -> None:
        self.offer = offer
        self.given = given or {}
        self.words = words


def move(step: dict[str, Json], offers: list[Offer], so_far: str) -> Move:
    """What a step of the script means to this client."""
    if "say" in step:
        return Move(words=str(step["say"]))
    found = _found(step, offers)
    if found is None:
        return Move(words=f"no tool for {step} among {[offer.name for offer in offers]}")
    offer, given = found
    for key, value in list(given.items()):
        if isinstance(value, str) and value.startswith("@last "):  # something that an earlier answer told
            hits = re.findall(value[6:], so_far)
            given[key] = (
                int(hits[-1]) if hits and hits[-1].isdigit() and key != "shellId" else (hits[-1] if hits else "")
            )
    return Move(offer, given)


def _found(step: dict[str, Json], offers: list[Offer]) -> tuple[Offer, dict[str, Json]] | None:
    if "tool" in step:
        offer = next((each for each in offers if each.name == step["tool"]), Offer(step["tool"], {}))
        return offer, dict(step.get("given") or {})
    for word, names, shaped in (("run", SHELLS, _line), ("read", READERS, _reading), ("write", WRITERS, _writing)):
        if word in step:
            chosen = _first(offers, names)
            return (chosen, shaped(chosen, step[word])) if chosen else None
    ends = str(step["mcp"])
    there = [each for each in offers if each.name.endswith(ends)] or [each for each in offers if ends in each.name]
    return (there[0], dict(step.get("given") or {})) if there else None


def _first(offers: list[Offer], names: tuple[str, ...]) -> Offer | None:
    by_name = {offer.name: offer for offer in offers}
    return next((by_name[name] for name in names if name in by_name), None)


def _line(offer: Offer, line: str) -> dict[str, Json]:
    key = next((name for name in LINES if name in offer.takes), "")
    if not key and "commands" in offer.takes:
        objects = '"command"' in json.dumps(offer.takes["commands"])
        return _filled(offer, {"commands": [{"command": line}] if objects else [line]})
    key = key or "command"
    given: Json = ["bash", "-lc", line] if _type(offer.takes.get(key)) == "array" else line
    return _filled(offer, {key: given, **_USUAL})


_USUAL = {
    "is_background": False, "run_in_background": False, "mode": "sync", "initial_wait": 20, "wait": True,
    "max_wait_seconds": 20, "description": "a step", "riskLevel": "low", "riskLevelReason": "none", "is_input": False,
    "requires_approval": False, "cwd": ".",
}  # fmt: skip


def _reading(offer: Offer, path: str) -> dict[str, Json]:
    wanted: dict[str, Json] = dict.fromkeys(PATHS, path)
    if "files" in offer.takes:
        wanted["files"] = [{"path": path}]
    return _filled(offer, {**wanted, "command": "view", "type": "file"})


def _writing(offer: Offer, path: str, text: str = "text") -> dict[str, Json]:
    if offer.form == "custom" or offer.name == "apply_patch":
        patch = f"*** Begin Patch\n*** Add File: {path}\n+{text}\n*** End Patch"
        return {next((key for key in ("input", "patch", "patchText") if key in offer.takes), "input"): patch}
    return _filled(offer, {**dict.fromkeys(PATHS, path), **dict.fromkeys(TEXTS, text), "command": "create"})


def _filled(offer: Offer, wanted: dict[str, Json]) -> dict[str, Json]:
    """What is wanted as far as the tool takes it, and something harmless for what else it requires."""
    takes = offer.takes
    given = {key: value for key, value in wanted.items() if key in takes}
    for key in offer.schema.get("required") or ():
        given.setdefault(key, _harmless(key, takes.get(key)))
    return given or wanted


def _harmless(key: str, told: Json) -> Json:
    told = told if isinstance(told, dict) else {}
    if told.get("enum"):
        return told["enum"][0]
    kind = _type(told)
    if kind in ("integer", "number"):  # a limit of time may be in seconds or in milliseconds: never a small one
        return min(told.get("maximum", 20_000), 20_000) if "time" in key.lower() else max(told.get("minimum", 1), 30)
    return {"boolean": False, "array": [], "object": {}}.get(kind, "a step")


def _type(told: Json) -> str:
    kind = told.get("type") if isinstance(told, dict) else None
    if isinstance(kind, list):
        kind = kind[0]
    return str(kind or "string").lower()
