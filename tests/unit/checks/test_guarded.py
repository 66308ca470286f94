"""Settings files are compared by meaning."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.checks.guarded import is_guarded
from bk.engine.checks.meaning import Meaning, edited, holds_ours, loss
from tests.unit.checks import HOME, PROJECT, SETTINGS, decided

FILE = f"{HOME}/.claude/settings.json"


@pytest.mark.parametrize(
    ("path", "guarded"),
    [
        (FILE, True),
        (f"{HOME}/.claude/settings.local.json", True),
        (f"{PROJECT}/.claude/settings.json", True),
        ("/any/where/.claude/settings.local.json", True),
        ("/etc/claude-code/managed-settings.json", True),
        ("/Library/Application Support/ClaudeCode/managed-settings.json", True),
        (f"{HOME}/.codex/config.toml", True),
        (f"{PROJECT}/.cursor/hooks.json", True),
        (f"{PROJECT}/.github/hooks/any.json", True),
        (f"{HOME}/.cline/hooks/PreToolUse", True),
        (f"{HOME}/.config/opencode/plugins/bk.js", True),
        ("/etc/qwen-code/settings.json", True),
        (f"{PROJECT}/.github/workflows/hooks.json", False),
        (f"{PROJECT}/src/hooks/use.ts", False),
        (f"{PROJECT}/plugins/x.js", False),
        (f"{PROJECT}/config.toml", False),
        (f"{HOME}/.Claude/Settings.json", True),
        (f"{HOME}/.claude/settings.json.bak", False),
        (f"{PROJECT}/settings.json", False),
        (f"{HOME}/.claude/agents/settings.md", False),
    ],
)
def test_which_files(path: str, guarded: bool) -> None:
    assert is_guarded(path, HOME, PROJECT) is guarded


def test_what_the_entries_mean() -> None:
    meaning = Meaning(SETTINGS)
    assert [(one[0], one[1], one[3]) for one in meaning.invocations] == [
        ("hooks.PreToolUse.hooks", ".*", 10),
        ("hooks.PostToolUse.hooks", "*", 10),
    ]
    assert not meaning.switches
    assert holds_ours(SETTINGS)
    assert not holds_ours('{"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "other"}]}]}}')
    assert holds_ours("{ bk-hook  // a comment, so it does not parse")
    assert holds_ours("\x00unreadable")


@pytest.mark.parametrize(
    "command", ["bk-hook", "/opt/x/bk-hook-python --a", "bk check --hook claude-code", "a && bk-hook"]
)
def test_spellings_of_us(command: str) -> None:
    text = json.dumps({"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": command}]}]}})
    assert holds_ours(text)


@pytest.mark.parametrize("command", ["backup", "bkx", "my-bk-hooks", "echo bkhook"])
def test_spellings_of_others(command: str) -> None:
    text = json.dumps({"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": command}]}]}})
    assert not holds_ours(text)


def changed(change: Any) -> str:
    document = json.loads(SETTINGS)
    change(document)
    return json.dumps(document)


def test_no_loss() -> None:
    assert loss(SETTINGS, SETTINGS) == ""
    assert loss(SETTINGS, json.dumps(json.loads(SETTINGS), sort_keys=True, indent=4)) == ""
    assert loss(None, '{"permissions": {}}') == ""
    assert loss('{"disableAllHooks": true}', '{"disableAllHooks": true, "model": "y"}') == ""


def test_losses_are_named() -> None:
    def matcher(document: dict[str, Any]) -> None:
        document["hooks"]["PreToolUse"][0]["matcher"] = "Bash"

    assert "PreToolUse" in loss(SETTINGS, changed(matcher))
    assert "not valid JSON" in loss(SETTINGS, "{")
    assert "disableAllHooks" in loss(None, '{"disableAllHooks": true}')
    assert "BK_FAIL_MODE" in loss(None, '{"env": {"BK_FAIL_MODE": "open"}}')
    assert loss("\x00too large", SETTINGS)


entries = st.fixed_dictionaries({"type": st.just("command"), "command": st.sampled_from(["a", "b", "lint"])})


@given(
    st.lists(st.tuples(st.sampled_from(["PreToolUse", "PostToolUse", "Stop"]), entries), max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
def test_adding_never_loses(extra: list[tuple[str, dict[str, str]]], keys: dict[str, int]) -> None:
    document = copy.deepcopy(json.loads(SETTINGS))
    for event, entry in extra:
        document["hooks"].setdefault(event, []).insert(0, {"matcher": "x", "hooks": [entry]})
    for key, value in keys.items():
        document.setdefault(key, value)
    assert loss(SETTINGS, json.dumps(document)) == ""


@given(st.data())
def test_removing_any_part_of_an_invocation_is_a_loss(data: st.DataObject) -> None:
    document = json.loads(SETTINGS)
    event = data.draw(st.sampled_from(["PreToolUse", "PostToolUse"]))
    what = data.draw(st.sampled_from(["event", "group", "entry", "type", "command", "timeout", "extra"]))
    groups = document["hooks"][event]
    if what == "event":
        del document["hooks"][event]
    elif what == "group":
        del groups[0]
    elif what == "entry":
        del groups[0]["hooks"][0]
    elif what == "extra":
        groups[0]["hooks"][0]["async"] = True
    elif what == "timeout":
        groups[0]["hooks"][0]["timeout"] = data.draw(st.sampled_from([0, 1, 9, -1, "10", None, False]))
    else:
        groups[0]["hooks"][0][what] = data.draw(st.text(max_size=8))
    assert loss(SETTINGS, json.dumps(document))


def test_edits_lead_to_every_text_a_client_might_make() -> None:
    assert edited("aXbXc", [("X", "-", False)]) == ["a-b-c", "a-bXc"]
    assert edited("aXbXc", [("X", "-", True)]) == ["a-b-c"]
    assert edited("abc", [("z", "-", False)]) is None
    assert edited("abc", [("", "-", False)]) is None
    assert edited(None, [("", "new", False)]) == ["new"]


def test_a_file_nobody_looked_at_is_assumed_to_hold_us() -> None:
    verdict = decided({"file_path": FILE, "content": SETTINGS}, "Write", documents={})
    assert verdict.level.word == "block"


def test_an_unreadable_file_is_assumed_to_hold_us() -> None:
    documents = {FILE: "\x00unreadable"}
    assert decided({"file_path": FILE, "content": SETTINGS}, "Write", documents=documents).level.word == "block"


def test_a_file_that_is_not_ours_is_nobodys_business() -> None:
    documents: dict[str, str | None] = {FILE: '{"model": "x"}'}
    assert decided({"file_path": FILE, "content": "{}"}, "Write", documents=documents).level.word == "allow"
    assert decided("rm ~/.claude/settings.json", documents=documents).level.word == "allow"
    edit = {"file_path": FILE, "old_string": "gone", "new_string": '"disableAllHooks": true'}
    assert decided(edit, "Edit", documents=documents).level.word == "block"


OURS = "/usr/local/bin/bk-hook --harness x"
FLAT = {"version": 1, "hooks": {"preToolUse": [{"command": OURS, "matcher": ".*", "failClosed": True, "timeout": 9}]}}
TOML = f'[features]\nhooks = true\n[[hooks]]\nevent = "PreToolUse"\ncommand = "{OURS}"\ntimeout = 9\n'
YAML = f"model: x\nhooks:\n  pre_tool_call:\n    - command: {OURS}\nhooks_auto_accept: true\n"
SCRIPT = f"#!/bin/sh\nexec {OURS}\n"


@pytest.mark.parametrize(
    ("form", "before", "after"),
    [
        ("json", json.dumps(FLAT), json.dumps(FLAT).replace("true", "false")),
        ("json", json.dumps(FLAT), json.dumps(FLAT).replace("9", "0")),
        ("json", json.dumps(FLAT), json.dumps(FLAT).replace("preToolUse", "preToolUseX")),
        ("json", json.dumps(FLAT), json.dumps(FLAT).replace(".*", "^$")),
        ("json", "{}", '{"hooksConfig": {"enabled": false}}'),
        ("toml", TOML, TOML.replace("hooks = true", "hooks = false")),
        ("toml", TOML, TOML.replace("hooks = true", "")),
        ("toml", TOML, TOML.replace("PreToolUse", "Stop")),
        ("toml", TOML, TOML + "[features]\n"),
        ("toml", None, "[features]\nhooks = false\n"),
        ("yaml", YAML, YAML.replace("pre_tool_call", "pre_llm_call")),
        ("yaml", YAML, YAML.replace("hooks:\n", "hooksx:\n")),
        ("yaml", YAML, YAML + "hooks:\n  pre_tool_call: []\n"),
        ("yaml", YAML, YAML.replace("accept: true", "accept: false")),
        ("script", SCRIPT, "#!/bin/sh\nexit 0\n"),
        ("script", SCRIPT, SCRIPT.replace("exec", "exit 0; exec")),
    ],
)
def test_every_form_of_settings_tells_a_loss(form: str, before: str | None, after: str) -> None:
    assert loss(before, after, form)


@pytest.mark.parametrize(
    ("form", "before", "after"),
    [
        ("json", json.dumps(FLAT), json.dumps({**FLAT, "theme": "dark"}, indent=3)),
        ("json", json.dumps(FLAT), json.dumps(FLAT).replace("9", "30")),
        ("toml", TOML, "# a note\nmodel = 'y'\n" + TOML),
        ("yaml", YAML, YAML.replace("model: x", "model: y\ntheme: z")),
        ("script", SCRIPT, SCRIPT + "\n"),
    ],
)
def test_every_form_of_settings_lets_other_changes_be(form: str, before: str, after: str) -> None:
    assert loss(before, after, form) == ""


def test_a_harness_folder_goes_only_over_our_word() -> None:
    assert decided("rm -rf ~/.cursor").level.word == "block"
    assert decided("mv ~/.codex /tmp/x").level.word == "block"
    assert decided("rm -rf .cursor/.cache").level.word == "allow"
