"""Marks that are the same wherever they are computed, and that tell apart what version 1 does not."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bk.engine.corpus.fingerprint import (
    WORDS_MAX,
    behaviour_v1,
    behaviour_v2,
    cluster_id,
    fleet_node,
    host,
    place,
    repo_fingerprint,
    shape,
)

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[3] / "fixtures/corpus/signatures.json").read_text())
SALT = bytes.fromhex(VECTORS["salted"]["salt"])
TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


@pytest.mark.parametrize("case", VECTORS["behaviour_v1"], ids=lambda case: case["actor"])
def test_version_1_is_as_published(case: dict[str, str]) -> None:
    assert behaviour_v1(case["actor"], case["target"], case["network"]) == case["digest"]


@pytest.mark.parametrize("case", VECTORS["behaviour_v2"], ids=lambda case: case["digest"][:8])
def test_version_2_is_a_digest_of_the_list_that_the_page_names(case: dict[str, Any]) -> None:
    written = json.dumps(case["hashed"], ensure_ascii=False, separators=(",", ":"))
    assert sha256(written.encode()).hexdigest() == case["digest"]
    assert behaviour_v2(case["actor"], case["target"], case["network"], case["argv"]) == case["digest"]


def test_clusters_and_salted_marks_are_as_published() -> None:
    for case in VECTORS["cluster"]:
        assert cluster_id(case["package"], case["version"], case["repo"]) == case["id"]
    for case in VECTORS["salted"]["repo"]:
        assert repo_fingerprint(SALT, case["folder"]) == case["mark"]
    for case in VECTORS["salted"]["fleet"]:
        assert fleet_node(SALT, case["host"], case["system"]) == case["mark"]


def test_another_salt_makes_another_mark_and_a_short_one_none() -> None:
    assert repo_fingerprint(b"\1" * 32, "/srv/app") != repo_fingerprint(b"\2" * 32, "/srv/app")
    with pytest.raises(ValueError, match="32"):
        repo_fingerprint(b"short", "/srv/app")


def test_version_1_keeps_the_ways_in_which_it_is_blunt() -> None:
    assert behaviour_v1("x", "", "::1") == behaviour_v1("x", "", "::2")
    assert behaviour_v1("x", "/root/.ssh", "") != behaviour_v1("x", "~/.ssh", "")
    assert behaviour_v1("x", "/HOME/ann/a", "") != behaviour_v1("x", "/home/ann/a", "")
    assert behaviour_v1("C:\\bin\\Bash", "C:\\Users\\Ann\\a", "H:443") == behaviour_v1("bash", "~/a", "h")
    assert behaviour_v1("x", "/a\u0130", "") == behaviour_v1("x", "/ai", "")  # one letter stays one letter


def test_version_2_tells_apart_what_version_1_does_not() -> None:
    assert behaviour_v2("x", "", "::1") != behaviour_v2("x", "", "::2")
    assert behaviour_v2("bash", "", "", ["bash", "-c", "x"]) != behaviour_v2("bash", "", "", ["bash", "x"])
    assert behaviour_v2("bash", "", "") != behaviour_v1("bash", "", "")


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/root", "~"), ("/root/.ssh", "~/.ssh"), ("/var/root/x", "~/x"), ("/private/var/root/x", "~/x"),
        ("/home/ann", "~"), ("/HOME/Ann/.ssh", "~/.ssh"), ("/Users/ann/x", "~/x"), ("c:\\users\\ANN\\x", "~/x"),
        ("\\\\?\\C:\\Users\\Ann\\x", "~/x"), ("/c:/x", "c:/x"), ("~ann/x", "~/x"), ("~", "~"), ("~/../x", "~/../x"),
        ("/../home/ann/x", "~/x"), ("/srv/../home/ann/x", "~/x"), ("C:\\..\\Users\\ann\\x", "~/x"), ("/", "/"),
        ("/home", "/home"), ("/users", "/users"), ("/rooted/x", "/rooted/x"), ("users/ann/x", "users/ann/x"),
        ("", ""), ("../x", "../x"), ("a/../../b", "../b"), ("//srv///App/./x", "/srv/app/x"), ("D:/x", "d:/x"),
    ],
)  # fmt: skip
def test_paths_in_version_2(path: str, normal: str) -> None:
    assert place(path) == normal


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[::1]:443", "::1"), ("::1", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("192.0.2.1:80", "192.0.2.1"), ("Evil.example.:443", "evil.example"),
        ("https://ann:secret@Evil.example:8443/x@y?z", "evil.example"), ("ssh://[2001:DB8::1]:22", "2001:db8::1"),
        ("host", "host"), ("", ""), ("a:b", "a:b"), ("[::1", "::1"), ("not:an:address", "not:an:address"),
    ],
)  # fmt: skip
def test_hosts_in_version_2(text: str, name: str) -> None:
    assert host(text) == name


def test_a_command_is_told_by_its_shape_and_never_by_a_value() -> None:
    secret = "hunter2-hunter2"  # an invented value
    argv = ["curl", f"-u{secret}", f"--token={secret}", "--header", secret, f"https://x/{secret}", f"./{secret}", "7"]
    assert shape(argv) == ["-u", "--token", "--header", "<word>", "<url>", "<path>", "<number>"]
    assert secret not in json.dumps(shape(argv))
    assert shape(["git", "push", "main"]) == ["=push", "<word>"]
    assert shape(["vault", "push", "main"]) == ["<word>", "<word>"]
    assert shape(["x", "--", "-y", "-"]) == ["--", "<word>", "-"]
    assert shape(["x", *["y"] * 99]) == ["<word>"] * WORDS_MAX + ["…"]
    assert shape([]) == []


@given(user=st.text("abcdefghijklmnopqrstuvwxyzABC.-_", min_size=1, max_size=20).filter(lambda t: t.strip(".")))
def test_the_user_is_in_no_version_2(user: str) -> None:
    marks = {
        behaviour_v2("cat", f"{home}/.ssh/id_rsa", "", ["cat", f"{home}/.ssh/id_rsa"])
        for home in (f"/home/{user}", f"/Users/{user}", f"C:\\Users\\{user}", f"~{user}", "/root", "~", f"/HOME/{user}")
    }
    assert len(marks) == 1


@given(actor=TEXT, target=TEXT, network=TEXT, argv=st.lists(TEXT, max_size=5))
def test_any_text_has_marks_and_its_normal_form_is_stable(
    actor: str, target: str, network: str, argv: list[str]
) -> None:
    for mark in (behaviour_v1(actor, target, network), behaviour_v2(actor, target, network, argv)):
        assert len(mark) == 64
    assert place(place(target)) == place(target)
    assert len(repo_fingerprint(SALT, target)) == 64


@given(
    first=st.tuples(TEXT, TEXT, TEXT, st.lists(TEXT, max_size=3)),
    second=st.tuples(TEXT, TEXT, TEXT, st.lists(TEXT, max_size=3)),
)
def test_no_part_can_pose_as_another(first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    from bk.engine.corpus.fingerprint import program

    def normal(parts: tuple[Any, ...]) -> list[Any]:
        return [program(parts[0]), place(parts[1]), host(parts[2]), shape(parts[3])]

    assert (behaviour_v2(*first) == behaviour_v2(*second)) == (normal(first) == normal(second))
