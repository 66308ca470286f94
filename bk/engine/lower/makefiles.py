"""Makefiles as far as a target's commands go: rules, plain variables, and what they expand to."""

from __future__ import annotations

import re

MAX_EXPANDED = 4096
MAX_DEPTH = 6
_VARIABLE = re.compile(r"(?:export\s+|override\s+)*([\w.-]+)\s*(\?=|\+=|:{0,3}=|!=)\s*(.*)")
_RULE = re.compile(r"([^\s:#=][^:#=]*?)\s*::?(?!=)\s*([^;]*)(?:;(.*))?")
_REFERENCE = re.compile(r"\$(?:\$|([@<^?*+])|\(([\w.-]+)\)|\{([\w.-]+)\}|\((shell)\s+|([A-Za-z]))")


class Rule:
    """One target: what it needs first, and the shell lines of its recipe."""

    __slots__ = ("lines", "needs")

    def __init__(self, needs: list[str]) -> None:
        self.needs = needs
        self.lines: list[str] = []


def rules(text: str, given: dict[str, str]) -> dict[str, Rule]:
    """The rules of a makefile, in order, with their lines expanded; `given` are variables of the command line."""
    variables: dict[str, str] = {}
    found: dict[str, Rule] = {}
    current: list[tuple[str, Rule]] = []
    raw: list[tuple[str, Rule, str]] = []
    for line in text.replace("\r\n", "\n").replace("\\\n", " ").split("\n"):
        if line[:1] == "\t":
            raw.extend((name, rule, line) for name, rule in current)
            continue
        if not line.strip() or line.lstrip()[:1] == "#":
            continue
        match = _VARIABLE.fullmatch(line.strip())
        if match is not None:
            name, operator, value = match[1], match[2], match[3].partition(" #")[0].strip()
            if operator == "+=":
                value = f"{variables.get(name, '')} {value}".strip()
            elif operator == "!=":
                value = f"$$({value})"
            if operator != "?=" or name not in variables:
                variables[name] = value
            continue
        match = _RULE.fullmatch(line.rstrip())
        current = []
        if match is not None:
            needs = match[2].partition("#")[0].split()
            for name in match[1].split():
                rule = found.setdefault(name, Rule([]))
                rule.needs.extend(needs)
                current.append((name, rule))
                if match[3]:
                    raw.append((name, rule, match[3]))
    variables.update(given)
    for rule in found.values():
        rule.needs = [word for need in rule.needs for word in expanded(need, variables, "", []).split()][:64]
    for name, rule, line in raw:
        rule.lines.append(expanded(line.strip().lstrip("@-+ "), variables, name, rule.needs))
    return found


def expanded(text: str, variables: dict[str, str], target: str, needs: list[str], depth: int = 0) -> str:
    """References replaced; one that nobody set stays a shell variable, and is as unknown as that."""
    if "$" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match[1]:
            return target if match[1] == "@" else " ".join(needs[:1] if match[1] == "<" else needs) or '"$_"'
        if match[4]:
            return "$("
        name = match[2] or match[3] or match[5]
        if name in ("MAKE", "SHELL", "RM", "CURDIR"):
            return {"MAKE": "make", "SHELL": "sh", "RM": "rm -f", "CURDIR": "."}[name]
        held = variables.get(name)
        if held is None or depth >= MAX_DEPTH:
            return "${" + (name if name.isidentifier() else "_") + "}"
        return expanded(held, variables, target, needs, depth + 1)

    return _REFERENCE.sub(value, text)[:MAX_EXPANDED]
