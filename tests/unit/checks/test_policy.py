"""What a person's own lists add and exempt, and what no list can exempt."""

from __future__ import annotations

import random

import pytest

from bk.engine.checks.places import BY_NAME, component
from bk.engine.judge import judge
from tests.unit.checks import CHECKS, HOME, PROJECT, actions, decided, facts


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("secrets.json", f"{PROJECT}/secrets.json", True),
        ("secrets.json", f"{PROJECT}/a/secrets.json", True),
        ("secrets.json", f"{PROJECT}/secrets.json:x", True),
        ("secrets.json", f"{PROJECT}/secrets.json.", True),
        ("secrets.json", f"{PROJECT}/secrets.json.bak", False),
        ("secrets.json", f"{PROJECT}/my-secrets.json", False),
        ("~/drafts", f"{HOME}/drafts/x/y", True),
        ("~/drafts", f"{HOME}/draftshop", False),
        ("~/drafts/*.doc", f"{HOME}/drafts/a.doc", True),
        ("~/drafts/*.doc", f"{HOME}/drafts/a/b.doc", False),
        ("/srv/**/key", "/srv/a/b/key", True),
        ("/srv/**/key", "/srv/key", True),
        ("private/", f"{PROJECT}/private/x", True),
        ("a/b", f"{PROJECT}/x/a/b", True),
        ("~/drafts/**", f"{HOME}/drafts/x", True),
        ("~/drafts/**", f"{HOME}/drafts/x/y", True),
        ("~/drafts/**", f"{HOME}/draftshop", False),
        ("**/keys/**", "/srv/a/keys/b", True),
        ("**", "/anything/at/all", True),
        ("/**", "/anything/at/all", True),
    ],
)
def test_paths_block(glob: str, path: str, covered: bool) -> None:
    verdict = decided({"file_path": path}, "Read", policy={"paths.block": [glob]})
    found = [finding.rule for finding in verdict.findings]
    assert ("paths/policy" in found) is covered


def test_what_a_policy_protects_is_protected_through_links() -> None:
    policy = {"paths.block": ["/vault"]}
    real = {f"{PROJECT}/link": "/vault/x"}
    assert decided("cat link", policy=policy, real=real).level.word == "block"
    assert decided("cat link", policy=policy, real={}).level.word == "allow"


def test_paths_allow_needs_the_path_and_where_it_leads() -> None:
    policy = {"paths.allow": ["~/.aws/config", "*.pem"]}
    assert decided("cat ~/.aws/config", policy=policy).level.word == "allow"
    assert decided("cat ~/.aws/credentials", policy=policy).level.word == "block"
    real = {f"{PROJECT}/x.pem": f"{HOME}/.ssh/id_rsa"}
    assert decided("cat x.pem", policy=policy, real=real).level.word == "block"


def test_nothing_exempts_our_own_state() -> None:
    policy = {"paths.allow": ["~/.bk", "/**", "*"]}
    assert decided("cat ~/.bk/config.toml", policy=policy).level.word == "block"


def test_a_link_into_a_secret_store_is_the_secret_store() -> None:
    real = {f"{PROJECT}/notes.txt": f"{HOME}/.ssh/id_rsa"}
    assert decided("cat notes.txt", real=real).level.word == "block"
    assert decided("cat notes.txt", real={}).level.word == "allow"


def test_the_verdict_does_not_depend_on_the_order_of_findings() -> None:
    found = [
        finding
        for check in CHECKS
        for finding in check(actions("Bash", "cat ~/.ssh/id_rsa ~/.bash_history .env; bk off; echo 'x"), facts())
    ]
    assert len(found) >= 4
    want = judge(found)
    for seed in range(10):
        random.Random(seed).shuffle(found)
        got = judge(found)
        assert (got.level, got.reason, got.instead) == (want.level, want.reason, want.instead)


@pytest.mark.parametrize(
    ("glob", "matches"),
    [("*", "rc"), (".*", ".rc"), ("?c", "rc"), ("[a-r]c", "rc"), ("[!x]c", "rc"), ("**", ".rc"), ("r**c", "rc")],
)
def test_component_globs_match_as_a_shell_would(glob: str, matches: str) -> None:
    import re

    assert re.fullmatch(component(glob), matches)
    assert not re.fullmatch(component("*"), ".rc")
    assert not re.fullmatch(component("[!r]c"), "rc")


def test_every_place_is_found_by_its_own_name() -> None:
    for name, places in BY_NAME.items():
        for place in places:
            assert place.parts[-1] == name
            root = {"any": PROJECT, "home": HOME, "root": ""}[place.anchor]
            path = f"{root}/{'/'.join(place.parts)}" + ("/x" if place.tree else "")
            mode = "Read" if place.kind.levels["read"] else "Write"
            verdict = decided({"file_path": path, "content": "x"}, mode)
            assert verdict.level, path


@pytest.mark.parametrize(
    "command", ["rm -rf ~/clients", "rm -rf ~", "cp -r ~/clients /tmp/x", "tar cf x.tar ~/clients/a"]
)
def test_a_protected_folder_is_protected_from_above(command: str) -> None:
    assert decided(command, policy={"paths.block": ["~/clients/a/**"]}).level.denies


def test_a_folder_beside_a_protected_one_is_free() -> None:
    verdict = decided("rm -rf ~/client", policy={"paths.block": ["~/clients/a/**"]})
    assert [finding.rule for finding in verdict.findings] == ["destroy/delete"]
