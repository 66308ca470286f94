"""Taking over a Beekeeper policy file: what has a counterpart becomes rules and settings, the rest is told with why."""

from __future__ import annotations

import json
import os
import re

from bk.engine.config.files import USER_CAP, take
from bk.engine.config.schema import BY_NAME
from bk.engine.errors import BkError
from bk.engine.intel.names import ECOSYSTEMS, canonical_name
from bk.engine.rules.format import quoted
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bk.engine.model import Json

TOP = ("schema_version", "name", "description", "rules")
FIELDS: dict[str, type] = {
    "id": str, "rule_type": str, "ecosystems": list, "ecosystem": str, "packages": list, "path_patterns": list,
    "min_age_hours": int, "action": str, "warn_at": int, "block_at": int, "quarantine_at": int,
    "critical_block_at": int, "note": str,
}  # fmt: skip
TYPES = ("package_allowlist", "sensitive_path", "corroboration_threshold", "release_age", "lifecycle_script_allowlist")
ACTIONS = ("block", "warn", "allow")
THRESHOLDS = ("warn_at", "block_at", "quarantine_at", "critical_block_at")
NEEDS = {"package_allowlist": "packages", "lifecycle_script_allowlist": "packages", "sensitive_path": "path_patterns"}
ALIASES = {"crates": "cargo", "crates.io": "cargo", "rust": "cargo", "golang": "go", "gem": "rubygems",
           "ruby": "rubygems", "composer": "packagist", "php": "packagist", "python": "pypi", "node": "npm",
           "vscode": "editor-extension", "openvsx": "editor-extension", "editor": "editor-extension"}  # fmt: skip
MAX_RULES = 500
MAX_ITEMS = 1000
MAX_HOURS = 8760
_ID = re.compile(r"[^A-Za-z0-9._-]+")
_WORDS = {str: "text", list: "a list of texts", int: "a whole number"}


class Translation:
    """What a policy becomes: rules, settings, and for each of its rules what it turned into or why it did not."""

    __slots__ = ("done", "left", "name", "rules", "settings")

    def __init__(self, name: str) -> None:
        self.name = name
        self.rules: list[str] = []
        self.settings: dict[str, Json] = {}
        self.done: list[tuple[str, str]] = []
        self.left: list[tuple[str, str]] = []

    @property
    def text(self) -> str:
        """The rule file; empty when nothing became a rule."""
        if not self.rules:
            return ""
        return f"# Taken over from the Beekeeper policy {self.name}.\n\n" + "\n".join(self.rules)


def read(path: str) -> Translation:
    """The translation of a policy file; BkError tells every mistake in it at once."""
    text = take(path, USER_CAP, (os.geteuid(), 0), shared=True)
    if text is None:
        raise BkError("there is no such file", path, "give the path of a Beekeeper policy")
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BkError("the file is not valid JSON", inert(f"{path}: {error}", 300), "correct it") from error
    faults = list(_faults(document))
    if faults:
        raise BkError("the policy is not valid", "\n".join(inert(fault, 200) for fault in faults), f"correct {path}")
    return translated(document)


def translated(document: Mapping[str, Json]) -> Translation:
    """A policy that has no faults, in our words."""
    made = Translation(inert(str(document["name"]), 60))
    for rule in document["rules"]:
        _MAKERS[rule["rule_type"]](rule, made)
    return made


def _faults(document: Json) -> Iterator[str]:
    """Everything wrong with a policy."""
    if not isinstance(document, dict):
        yield "it holds no object"
        return
    yield from (f"{name} is no field of a policy" for name in document if name not in TOP)
    if document.get("schema_version") != "1":
        stated = repr(document["schema_version"]) if "schema_version" in document else "missing"
        yield f'schema_version is {stated}; "1" is needed'
    for name in ("name", "description"):
        if not isinstance(document.get(name, "" if name == "description" else None), str):
            yield f"{name} is {'missing' if name not in document else 'no text'}"
    rules = document.get("rules")
    if not isinstance(rules, list):
        yield "rules is no list"
        return
    if len(rules) > MAX_RULES:
        yield f"there are {len(rules)} rules; {MAX_RULES} can be taken over at once"
        return
    seen: set[str] = set()
    for number, rule in enumerate(rules, 1):
        yield from (f"rule {number}: {fault}" for fault in _rule_faults(rule, seen))


def _rule_faults(rule: Json, seen: set[str]) -> Iterator[str]:
    if not isinstance(rule, dict):
        yield "it is no object"
        return
    for name, value in rule.items():
        kind = FIELDS.get(name)
        if kind is None:
            yield f"{name} is no field of a rule"
        elif type(value) is not kind or (kind is list and not _texts(value)):
            yield f"{name} is not {_WORDS[kind]}"
    if any(type(rule[name]) is not kind for name, kind in FIELDS.items() if name in rule):
        return
    ident, kind_of_rule = rule.get("id", ""), rule.get("rule_type")
    if not ident:
        yield "it has no id"
    elif ident in seen:
        yield f"its id {ident!r} is another rule's, too"
    seen.add(ident)
    if kind_of_rule not in TYPES:
        yield f"rule_type {kind_of_rule!r} is not one of {', '.join(TYPES)}"
    if rule.get("action", "") not in (*ACTIONS, ""):
        yield f"action {rule['action']!r} is not one of {', '.join(ACTIONS)}"
    if rule.get("min_age_hours", 0) < 0:
        yield "min_age_hours is negative"
    for ecosystem in _ecosystems(rule):
        if ALIASES.get(ecosystem, ecosystem) not in ECOSYSTEMS:
            yield f"ecosystem {ecosystem!r} is not one of {', '.join(ECOSYSTEMS)}"
    needed = NEEDS.get(str(kind_of_rule))
    if needed and not rule.get(needed):
        yield f"{needed} is empty: the rule could never apply"
    if kind_of_rule == "corroboration_threshold":
        yield from _threshold_faults(rule)


def _threshold_faults(rule: Mapping[str, int]) -> Iterator[str]:
    """Thresholds that are out of bounds or out of step, those that are not stated counted as they are by default."""
    stated = [name for name in THRESHOLDS if name in rule]
    if not stated:
        yield f"it states none of {', '.join(THRESHOLDS)}"
    for name in stated:
        if not 1 <= rule[name] <= 9:
            yield f"{name} is {rule[name]}; 1 to 9 is needed"
    value = {name: rule.get(name, BY_NAME[f"corroboration.{name}"].default) for name in THRESHOLDS}
    if "critical_block_at" in rule and "block_at" in rule and rule["critical_block_at"] > rule["block_at"]:
        yield f"critical_block_at {rule['critical_block_at']} is above block_at {rule['block_at']}"
    if value["block_at"] > value["quarantine_at"]:
        yield (f"block_at {value['block_at']} is above quarantine_at {value['quarantine_at']}"
               + ("" if "quarantine_at" in rule else ", its default: state both"))  # fmt: skip
    if "warn_at" in rule and value["warn_at"] > value["block_at"]:
        yield f"warn_at {value['warn_at']} is above block_at {value['block_at']}"


def _packages(rule: Mapping[str, Json], made: Translation) -> None:
    action = rule.get("action", "")
    if action in ("allow", ""):
        made.left.append((rule["id"], "rules only add: exceptions are a person's, with an end (`bk allow add`)"))
        return
    names = [f"{ecosystem}:{name}" for ecosystem, name in _each(rule)]
    _rule(rule, [f"installs({_values(names)})"], f"installs a package that the policy {action}s", made)


def _paths(rule: Mapping[str, Json], made: Translation) -> None:
    action = rule.get("action", "") or "block"
    if action == "allow":
        made.left.append((rule["id"], "rules only add: places that are fine are stated in paths.allow, by a person"))
        return
    globs = list(dict.fromkeys(glob for pattern in rule["path_patterns"] for glob in globs_of(pattern)))
    values = _values(globs)
    patterns = [f"{use}({values})" for use in ("reads", "writes", "deletes")]
    _rule(rule, patterns, "touches a place that the policy guards", made)


def globs_of(pattern: str) -> list[str]:
    """A path pattern of a policy as our globs: a part of a path, or a name that may have stars."""
    text = pattern.strip().replace("\\", "/")
    if not text.strip("/"):
        return []
    if "/" not in text:
        return [f"**/{text}"]
    part = text.strip("/")
    if text.startswith("~/"):
        return [text.rstrip("/"), f"{text.rstrip('/')}/**"]
    return [f"**/{part}", f"**/{part}/**"]


def _thresholds(rule: Mapping[str, Json], made: Translation) -> None:
    if list(_ecosystems(rule)) or rule.get("packages"):
        made.left.append((rule["id"], "thresholds hold for every package: bk has none for some ecosystems only"))
        return
    stated = {f"corroboration.{name}": rule[name] for name in THRESHOLDS if name in rule}
    made.settings.update(stated)
    told = ", ".join(f"{name} = {value}" for name, value in stated.items())
    made.done.append((rule["id"], told))


def _age(rule: Mapping[str, Json], made: Translation) -> None:
    if list(_ecosystems(rule)) or rule.get("packages"):
        made.left.append((rule["id"], "the age holds for every package: bk has none for some of them only"))
        return
    hours = min(rule.get("min_age_hours", 0), MAX_HOURS)
    stated: dict[str, Json] = {"posture.min_age_hours": hours}
    if rule.get("action") in ("warn", "block"):
        stated["posture.release_age.action"] = rule["action"]
    elif rule.get("action") == "allow":
        stated["posture.release_age.action"] = "off"
    made.settings.update(stated)
    made.done.append((rule["id"], ", ".join(f"{name} = {value}" for name, value in stated.items())))


def _lifecycle(rule: Mapping[str, Json], made: Translation) -> None:
    if rule.get("action", "allow") not in ("allow", ""):
        made.left.append((rule["id"], "a list of packages whose scripts may run can only allow"))
        return
    reason = inert(rule.get("note") or rule["id"], 120)
    items = [f"{ecosystem}:{name} lifecycle {reason}" for ecosystem, name in _each(rule) if not re.search(r"\s", name)]
    held = made.settings.setdefault("posture.allow", [])
    held += [item for item in items if item not in held]
    made.done.append((rule["id"], f"posture.allow: {len(items)} packages whose install scripts may run"))


def _rule(rule: Mapping[str, Json], patterns: Sequence[str], why: str, made: Translation) -> None:
    """One rule in our language, with the policy's note as its reason."""
    ident = (_ID.sub("-", rule["id"]).strip("-.") or "rule")[:80]
    while any(f'"{ident}"' in text.split("\n", 1)[0] for text in made.rules):
        ident += "-2"
    tier = "warn" if rule.get("action") == "warn" else "block"
    note = inert(rule.get("note", ""), 200) or why
    nudge = "do without it, or ask the person who wrote the policy: {rule}"
    lines = [f'{tier} "{ident}"', f"  why {quoted(note)}", f"  nudge {quoted(nudge)}"]
    lines += [f"  match {pattern}" for pattern in patterns]
    made.rules.append("\n".join(lines) + "\n")
    made.done.append((rule["id"], f"a rule, {tier} {ident!r}"))


def _values(items: Sequence[str]) -> str:
    return ", ".join(quoted(item) for item in items)


def _each(rule: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Each package in each ecosystem the rule names, `*` for any."""
    ecosystems = [ALIASES.get(each, each) for each in _ecosystems(rule)] or ["*"]
    for ecosystem in ecosystems:
        for name in rule["packages"]:
            yield ecosystem, canonical_name(ecosystem, name)


def _ecosystems(rule: Mapping[str, Json]) -> Iterator[str]:
    yield from (each.lower() for each in rule.get("ecosystems", []))
    if rule.get("ecosystem"):
        yield rule["ecosystem"].lower()


def _texts(value: Json) -> bool:
    return len(value) <= MAX_ITEMS and all(isinstance(each, str) and each.strip() and len(each) < 500 for each in value)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


_MAKERS = {
    "package_allowlist": _packages,
    "sensitive_path": _paths,
    "corroboration_threshold": _thresholds,
    "release_age": _age,
    "lifecycle_script_allowlist": _lifecycle,
}
