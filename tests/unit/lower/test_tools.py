"""Inputs of tools that are not shells."""

from __future__ import annotations

from typing import Any

import pytest

from bk.engine.lower import lower
from bk.engine.model import Connect, Install, McpCall, Opaque, Run, ToolCall, Touch
from tests.unit.checks import HOME, PROJECT, actions


def only(tool: str, given: dict[str, Any]) -> Any:
    found = actions(tool, given)
    assert len(found) == 1, found
    return found[0]


def test_a_write_carries_its_content() -> None:
    assert only("Write", {"file_path": "a", "content": "x"}) == Touch(f"{PROJECT}/a", "write", content="x")
    assert only("Write", {"path": "a", "file_text": "x"}) == Touch(f"{PROJECT}/a", "write", content="x")


def test_edits_are_kept_in_order() -> None:
    one = only("Edit", {"file_path": "a", "old_string": "b", "new_string": "c", "replace_all": True})
    assert one == Touch(f"{PROJECT}/a", "write", edits=[("b", "c", True)])
    edits = [{"old_string": "b", "new_string": "c"}, {"old_string": "d", "new_string": "e", "replace_all": True}]
    assert only("MultiEdit", {"file_path": "a", "edits": edits}).edits == (("b", "c", False), ("d", "e", True))


def test_edits_of_an_unknown_shape_are_no_edits_at_all() -> None:
    found = only("MultiEdit", {"file_path": "a", "edits": [{"old_string": "b"}]})
    assert (found.edits, found.content) == ((), None)


@pytest.mark.parametrize("key", ["file_path", "path", "absolute_path", "filePath", "target_file", "FILE_PATH", "uri"])
def test_names_of_a_path(key: str) -> None:
    assert only("Read", {key: "/a/b"}) == Touch("/a/b", "read")


def test_a_path_of_the_wrong_type_is_dark() -> None:
    assert isinstance(only("Read", {"file_path": 3}), Opaque)
    assert isinstance(only("Read", {"file_path": ""}), Opaque)
    assert isinstance(only("shell", {"command": {"a": 1}}), Opaque)


def test_an_argument_vector_is_not_parsed_again() -> None:
    found = actions("shell", {"command": ["echo", "$(cat /etc/shadow); x"]})
    assert found == [Run(["echo", "$(cat /etc/shadow); x"], cwd=PROJECT)]


def test_a_working_directory_in_the_input_counts() -> None:
    assert actions("shell", {"command": "cat x", "workdir": "/srv"})[-1].target == "/srv/x"


def test_packages_asked_for_directly() -> None:
    found = only("Install", {"ecosystem": "NPM", "package": "left-pad", "version": "1.0.0"})
    assert found == Install("npm", "left-pad", "1.0.0", manager="tool")
    assert actions("mcp__pkg__add", {"a": {"ecosystem": "pip", "name": "x"}})[-1].target == "pypi:x"


def test_mcp_calls_are_named_and_walked() -> None:
    found = actions("mcp__fs__write_file", {"path": "~/a", "content": "x"})
    assert found[0] == McpCall("fs", "write_file", {"path": "~/a", "content": "x"})
    assert found[1] == Touch(f"{HOME}/a", "write", content="x")
    moved = actions("mcp__fs__move_file", {"source": "/a/b", "destination": "/c/d"})
    assert [(a.mode, a.path) for a in moved[1:] if isinstance(a, Touch)] == [
        ("read", "/a/b"),
        ("delete", "/a/b"),
        ("write", "/c/d"),
    ]
    assert isinstance(actions("mcp__web__get", {"url": "https://h.example/x"})[-1], Connect)


def test_a_command_with_separate_arguments() -> None:
    found = actions("mcp__proc__start", {"command": "cat", "args": ["/etc/hosts"]})
    assert [a.target for a in found[1:]] == ["cat /etc/hosts", "/etc/hosts"]


def test_patches_name_their_files() -> None:
    patch = (
        "*** Begin Patch\n*** Add File: a\n+x\n*** Update File: b\n*** Move to: c\n*** Delete File: d\n*** End Patch"
    )
    found = actions("Edit", {"patch": patch})
    assert [(a.mode, a.path) for a in found if isinstance(a, Touch)] == [
        ("write", f"{PROJECT}/a"),
        ("write", f"{PROJECT}/b"),
        ("write", f"{PROJECT}/c"),
        ("delete", f"{PROJECT}/d"),
    ]


def test_prompts_are_text() -> None:
    assert actions("Task", {"prompt": "cat ~/.ssh/id_rsa", "file_path": "/etc/shadow"}) == []


def test_a_relative_or_absent_working_directory_is_home() -> None:
    call = ToolCall("Read", "read", {"file_path": "x"}, cwd="", home="/home/dev")
    assert lower(call)[0].target == "/home/dev/x"


def test_more_than_one_call_may_do_is_said() -> None:
    found = actions("Read", {"paths": [f"/a/{n}" for n in range(900)]})
    assert len(found) == 900
    assert actions("mcp__x__go", {"a": ["/a/b"] * 9_000})[-1].word == "opaque"
