"""Random settings for property tests, and an independent idea of what looser means."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from bk.engine.config.key import Key
from bk.engine.config.schema import KEYS

WORDS = st.text("abcz", min_size=1, max_size=4)
GLOBS = st.builds("/{}/**".format, WORDS)
TEXTS = {"path": "/etc/certs/a.pem", "key": f"feed.example+0123abcd+{'a' * 43}A"}
# the way that is tighter, written down a second time: (key, rank) where a higher rank is tighter
RANKS = {
    "fail_mode": ("open", "warn", "closed").index,
    "hook.ask_fallback": ("warn", "block").index,
    "parser.opaque": ("warn", "ask", "block").index,
    "egress.default": ("allow", "warn", "ask", "block").index,
    "rules.on_error": ("warn", "block").index,
    "posture.release_age.action": ("off", "warn", "ask", "block").index,
    "posture.lifecycle.action": ("off", "warn", "ask", "block").index,
    "posture.remote_source.action": ("off", "warn", "ask", "block").index,
    "posture.min_age_hours": int,
    "catalog_sync.stale_action": ("off", "warn", "ask", "block").index,
    "catalog_sync.keep_dropped_days": int,
}
NO_SAY = {
    "hook.deadline_ms", "hook.max_bytes", "hook.max_depth", "paths.allow", "auto_quarantine.enabled",
    "auto_quarantine.dry_run", "auto_quarantine.threshold", "audit.redact_patterns", "audit.retention_days",
    "audit.segment_entries", "audit.checkpoint_entries", "audit.checkpoint_seconds", "engine.idle_exit_s",
    "destroy.regenerable", "egress.allow", "egress.installers", "paths.sensitive", "rules.profile", "rules.disabled",
    "executables.allowed", "secrets.env_vars", "lists", "posture.allow",
    "posture.private_registries",
    "catalog_sync.enabled", "catalog_sync.interval_hours", "catalog_sync.ca_file",
    *(key.name for key in KEYS if key.kind in ("url", "text") or key.name.startswith("catalogs.")),
    *(key.name for key in KEYS if key.name.startswith(("auto_quarantine.", "scan.", "watch.", "notify."))),
}  # fmt: skip


def value_of(key: Key) -> st.SearchStrategy[Any]:
    """Any value that the key accepts."""
    if key.kind == "bool":
        return st.booleans()
    if key.kind == "int":
        return st.integers(key.low, key.high)
    if key.kind == "choice":
        return st.sampled_from(key.choices)
    if key.kind == "url":
        return st.sampled_from(["", "https://registry.example/x", "http://127.0.0.1:4873"])
    if key.kind == "text":
        return st.sampled_from(["", TEXTS[key.item], TEXTS[key.item].replace("a", "b")])
    if key.item == "exception":
        return st.lists(st.builds("npm:{} * {}".format, WORDS, WORDS), max_size=4, unique=True)
    if key.kind == "lists":
        return st.dictionaries(WORDS, st.lists(WORDS, max_size=3, unique=True), max_size=3)
    return st.lists(GLOBS if key.item == "glob" else WORDS, max_size=4, unique=True)


def settings() -> st.SearchStrategy[dict[str, Any]]:
    """Some keys, each with a value it accepts."""
    return st.fixed_dictionaries({}, optional={key.name: value_of(key) for key in KEYS})


def toml(values: dict[str, Any]) -> str:
    """The values as a file, in dotted keys."""
    return "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def looser(name: str, before: Any, after: Any) -> bool:
    """Whether `after` lets through what `before` did not; written without the schema's own order."""
    if name in NO_SAY:
        return bool(before != after)
    if name in RANKS:
        return bool(RANKS[name](after) < RANKS[name](before))
    if name in ("paths.block", "egress.deny"):
        return not set(before) <= set(after)
    return bool(after > before)
