"""A Beekeeper policy: refused with every mistake named, or taken over with every rule accounted for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bk.engine.errors import BkError
from bk.engine.facts import Facts
from bk.engine.lower import lower
from bk.engine.model import Level, ToolCall
from bk.engine.rulebook import beekeeper
from bk.engine.rules.book import Rulebook
from bk.engine.rules.compile import compiled
from bk.engine.rules.parse import parse


def written(folder: Path, rules: Any, **more: Any) -> str:
    path = folder / "policy.json"
    path.write_text(json.dumps({"schema_version": "1", "name": "house", "rules": rules, **more}))
    return str(path)


def faults(folder: Path, rules: Any, **more: Any) -> list[str]:
    try:
        beekeeper.read(written(folder, rules, **more))
    except BkError as error:
        return error.detail.splitlines()
    return []


def one(**fields: Any) -> dict[str, Any]:
    return {"id": "r1", "rule_type": "package_allowlist", "packages": ["left-pad"], "action": "block", **fields}


def judged(found: beekeeper.Translation, tool: str, given: dict[str, Any]) -> dict[str, Level]:
    book = Rulebook.load(compiled({"house": parse(found.text, file="house", pack="house")}, {}))
    kind = "shell" if tool == "Bash" else "read"
    call = ToolCall(tool, kind, given, cwd="/home/u/p", home="/home/u")
    facts = Facts(home="/home/u", cwd="/home/u/p", state_root="/home/u/.bk", policy={}, call=call, rules=book)
    return {finding.rule: finding.level for finding in book.judge(lower(call), facts)}


THRESHOLD = {"id": "t", "rule_type": "corroboration_threshold"}


@pytest.mark.parametrize(
    ("rules", "more", "said"),
    [
        ([one(action="exec")], {}, "action 'exec'"),
        ([one(rule_type="foo")], {}, "rule_type 'foo'"),
        ([], {"schema_version": "2"}, "schema_version is '2'"),
        ([], {"schema_version": 1}, "schema_version is 1"),
        ([one(url="x")], {}, "url is no field of a rule"),
        ([], {"url": "x"}, "url is no field of a policy"),
        ([{**THRESHOLD, "critical_block_at": 3, "block_at": 2}], {}, "critical_block_at 3 is above block_at 2"),
        ([{**THRESHOLD, "critical_block_at": 0}], {}, "critical_block_at is 0"),
        ([{**THRESHOLD, "block_at": 4}], {}, "block_at 4 is above quarantine_at 3, its default"),
        ([{**THRESHOLD, "warn_at": 3}], {}, "warn_at 3 is above block_at 2"),
        ([THRESHOLD], {}, "states none of"),
        ([{"id": "a", "rule_type": "release_age", "min_age_hours": -1}], {}, "min_age_hours is negative"),
        ([one(packages=[])], {}, "packages is empty"),
        ([one(packages=[" "])], {}, "packages is not a list of texts"),
        ([one(), one()], {}, "another rule's"),
        ([one(id="")], {}, "it has no id"),
        ([one(block_at=True)], {}, "block_at is not a whole number"),
        ([one(ecosystem="cobol")], {}, "ecosystem 'cobol'"),
        (["x"], {}, "it is no object"),
        ({}, {}, "rules is no list"),
    ],
)
def test_a_mistake_is_refused(tmp_path: Path, rules: Any, more: dict[str, Any], said: str) -> None:
    (fault,) = faults(tmp_path, rules, **more)
    assert said in fault


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    told = faults(tmp_path, [one(action="exec"), one(id="r2", rule_type="foo"), one(id="r3", url="x")])
    assert [line.partition(":")[0] for line in told] == ["rule 1", "rule 2", "rule 3"]
    path = tmp_path / "no-version.json"
    path.write_text('{"rules": []}')
    with pytest.raises(BkError) as caught:
        beekeeper.read(str(path))
    assert len(caught.value.detail.splitlines()) == 2


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": 1, "a": 2}', "[" * 100_000, "\ufeff{}"])
def test_what_is_no_policy_is_an_error_and_no_crash(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(BkError):
        beekeeper.read(str(path))


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.json")
    with pytest.raises(BkError, match="cannot be used"):
        beekeeper.read(str(tmp_path / "p.json"))


def test_critical_block_at_alone_is_accepted(tmp_path: Path) -> None:
    found = beekeeper.read(written(tmp_path, [{**THRESHOLD, "critical_block_at": 1}]))
    assert found.settings == {"corroboration.critical_block_at": 1}


def test_packages_are_stopped_in_the_ecosystems_that_are_named(tmp_path: Path) -> None:
    rules = [
        one(packages=["badpkg", "Also.Bad"], ecosystems=["npm", "pypi"], note="known to be bad"),
        one(id="warned one", packages=["meh"], action="warn"),
        one(id="let", packages=["fine"], action="allow"),
    ]
    found = beekeeper.read(written(tmp_path, rules))
    assert judged(found, "Bash", {"command": "npm install badpkg"}) == {"house/r1": Level.BLOCK}
    assert judged(found, "Bash", {"command": "sudo pip install also-bad"}) == {"house/r1": Level.BLOCK}
    assert judged(found, "Bash", {"command": "go get badpkg"}) == {}
    assert judged(found, "Bash", {"command": "gem install meh"}) == {"house/warned-one": Level.WARN}
    assert [what for what, _ in found.left] == ["let"]
    assert len(found.done) == 2


@pytest.mark.parametrize(
    ("pattern", "path", "stopped"),
    [
        ("secrets.json", "/home/u/p/secrets.json", True),
        ("secrets.json", "/home/u/p/secrets.json.bak", False),
        ("secrets.json", "/home/u/p/my-secrets.json", False),
        (".env*", "/home/u/p/.env.local", True),
        ("*.key", "/home/u/p/a/b.key", True),
        (".aws/credentials", "/home/u/.aws/credentials", True),
        ("/vault/", "/srv/vault/x/y", True),
        ("~/clients", "/home/u/clients/a.txt", True),
        ("~/clients", "/home/v/clients/a.txt", False),
    ],
)
def test_places_are_guarded_however_they_are_reached(tmp_path: Path, pattern: str, path: str, stopped: bool) -> None:
    rules = [{"id": "s", "rule_type": "sensitive_path", "path_patterns": [pattern]}]
    found = beekeeper.read(written(tmp_path, rules))
    assert bool(judged(found, "Read", {"file_path": path})) is stopped
    assert bool(judged(found, "Bash", {"command": f"cat {path}"})) is stopped


def test_settings_and_what_has_no_counterpart(tmp_path: Path) -> None:
    rules = [
        {**THRESHOLD, "warn_at": 1, "block_at": 1, "quarantine_at": 2},
        {"id": "age", "rule_type": "release_age", "min_age_hours": 72, "action": "block"},
        {"id": "age-npm", "rule_type": "release_age", "min_age_hours": 72, "ecosystem": "npm"},
        {"id": "hooks", "rule_type": "lifecycle_script_allowlist", "packages": ["esbuild"], "ecosystem": "npm"},
        {"id": "fine", "rule_type": "sensitive_path", "path_patterns": ["a"], "action": "allow"},
    ]
    found = beekeeper.read(written(tmp_path, rules))
    assert found.settings == {
        "corroboration.warn_at": 1, "corroboration.block_at": 1, "corroboration.quarantine_at": 2,
        "posture.min_age_hours": 72, "posture.release_age.action": "block",
        "posture.allow": ["npm:esbuild lifecycle hooks"],
    }  # fmt: skip
    assert {what for what, _ in found.left} == {"age-npm", "fine"}
    assert all(why for _, why in found.left)
    assert len(found.done) + len(found.left) == len(rules)


def test_texts_of_the_policy_cannot_say_anything_else(tmp_path: Path) -> None:
    evil = 'x"\n  unless command("*")\nblock "y'
    rules = [one(id=evil, note=evil + " {nope} \\", packages=['a" b', "c{d}"])]
    found = beekeeper.read(written(tmp_path, rules))
    (only,) = parse(found.text, file="house", pack="house")
    assert only.unless == ()
    assert len(only.matches) == 1
