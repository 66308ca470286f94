"""The index leads to every alternative that could match: what it leaves out could not have matched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bk.engine.model import Connect, Run, Touch
from bk.engine.rules import globs
from bk.engine.rules.call import Call
from bk.engine.rules.hosts import host_matches, url_matches, url_need
from bk.engine.rules.keys import PLACES, key_of, marks_of
from bk.engine.rules.modifiers import _leads
from tests.unit.rules import HOME, PROJECT, book, facts, one

WORD = st.text("aAb:-_.", min_size=1, max_size=6)
GLOB = st.text("ab:-_.*?", min_size=1, max_size=6)
PART = st.sampled_from(["a", "b.c", "*", "**", "*.c", "a*", "?", ".d", "x-y", "[ab]"])
NAME = st.sampled_from(["a", "b.c", "x.c", "ab", ".d", "x-y", "b"])


@given(st.lists(GLOB | st.just("**"), min_size=1, max_size=4), st.lists(WORD, max_size=5))
def test_a_subcommand_has_the_key_of_every_pattern_it_matches(pattern: list[str], words: list[str]) -> None:
    if pattern.count("**") > 1:
        return
    if _leads(pattern, words, False) >= 0 and (key := key_of(pattern)):
        asked = [(place, mark) for place, word in enumerate(words[:PLACES]) for mark in marks_of(word)]
        assert key in {f"{place}{mark}" for place, mark in asked} | {f"*{mark}" for _, mark in asked}


def test_what_the_keys_are() -> None:
    assert key_of(["push"]) == "0:push"
    assert key_of(["*", "delete-*"]) == "1:delete"
    assert key_of(["s3", "r*"]) == "0:s3"
    assert key_of(["**", "delete"]) == "*:delete"
    assert key_of(["projects", "**"]) == "0:projects"
    assert key_of(["*:destroy"]) == "0<destroy"
    assert key_of(["del*"]) == ""


@st.composite
def paths(draw: st.DrawFn) -> str:
    root = draw(st.sampled_from(["/", HOME + "/", PROJECT + "/", "/etc/"]))
    return root + "/".join(draw(st.lists(NAME, min_size=1, max_size=3)))


@st.composite
def path_globs(draw: st.DrawFn) -> str:
    root = draw(st.sampled_from(["", "/", "~/", "./", "/etc/", "**/"]))
    return root + "/".join(draw(st.lists(PART, min_size=1, max_size=3)))


@given(path_globs(), paths(), st.booleans())
def test_a_path_leads_to_every_pattern_it_matches(glob: str, path: str, tree: bool) -> None:
    held = book(one(f'writes("{glob}")'))
    touch = Touch(path, "write", tree=tree)
    placed = globs.placed(globs.path_glob(glob), HOME, PROJECT)
    meant = globs.path_matches(placed, path)
    if tree and placed.startswith("/"):
        meant = meant or globs.literal_root(placed).startswith(path + "/")
    assert bool(held.judge([touch], facts())) is meant


@given(st.text("ab.*", min_size=1, max_size=7), st.text("ab.", min_size=1, max_size=7))
def test_a_host_leads_to_every_pattern_it_matches(wanted: str, host: str) -> None:
    action = Connect(f"https://{host}/", host)
    found = bool(book(one(f'connects_to("{wanted}")')).judge([action], facts()))
    assert found is host_matches(wanted, action, False)


@given(st.text("ab/.*?", min_size=1, max_size=9), st.text("ab/.?", max_size=9))
def test_a_url_has_what_its_patterns_need(pattern: str, path: str) -> None:
    action = Connect(f"https://a.b/{path}", "a.b")
    if url_matches([pattern], [""], action):
        assert url_matches([pattern], [url_need(pattern)], action)


def test_programs_named_together_and_apart() -> None:
    text = (
        'block "a"\n  match command("x", "y*")\n'
        'block "b"\n  match command("y*", "x") with_subcommand("go")\n'
        'block "c"\n  match command("yy")\n'
    )
    held = book(text)

    def names(*argv: str) -> set[str]:
        return {finding.rule for finding in held.judge([Run(argv)], facts())}

    assert names("x") == {"p/a"}
    assert names("yy", "go") == {"p/a", "p/b", "p/c"}
    assert names("YZ.exe", "go") == {"p/a", "p/b"}
    assert names("z", "go") == set()


def test_what_does_not_concern_a_call_is_not_read() -> None:
    text = "".join(f'block "r{at}"\n  match command("tool{at}") with_subcommand("go{at}")\n' for at in range(200))
    held = book(text)
    run = Run(["tool7", "stay"])
    assert held._for_run(run, Call([run], facts())) == []
    held.judge([Run(["tool7", "go7"]), Run(["ls"]), Touch("/a", "read")], facts())
    assert len(held._branches) == 1
