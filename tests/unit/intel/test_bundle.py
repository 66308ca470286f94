from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from bk.engine.errors import Refusal
from bk.engine.intel import bundle, compact, generations
from bk.engine.intel.index import VERSION, Index
from bk.engine.intel.merge import merge
from bk.engine.intel.names import canonical_name, possible
from bk.engine.intel.record import Record
from bk.engine.state import State

from .samples import record

ENSURE = """
import os, sys
from bk.engine.intel import bundle
from bk.engine.intel.index import VERSION, Index
from bk.engine.state import State
sys.stdin.readline()
path = bundle.ensure(State(sys.argv[1], sys.argv[2], os.geteuid()))
print(path, len(Index.open(path).lookup("npm", "axios")))
"""


def facts() -> list[Record]:
    return list(compact.parse(Path(bundle.FACTS).read_text(encoding="utf-8"), "facts.tsv"))


def test_the_first_use_compiles_and_later_uses_read_a_pointer(state: State) -> None:
    path = bundle.ensure(state)
    stamp = os.stat(path).st_mtime_ns
    assert bundle.ensure(state) == path
    assert os.stat(path).st_mtime_ns == stamp
    index = Index.open(path)
    index.verify()
    assert index.meta["origin"] == "bundled"
    assert index.meta["records"] == len(facts())
    assert set(index.meta["sources"]) >= {"ossf", "bumblebee", "datadog-ioc"}
    assert index.meta["sources"]["ossf"]["date"] == "2026-08-20"


def test_eight_first_calls_at_once_make_one_generation(state: State) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ENSURE, state.root, state.home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0].strip() for process in running}
    assert len(answers) == 1
    assert int(answers.pop().split()[-1]) >= 2
    assert sorted(os.listdir(state.intel)) == ["current", "generation-000001.index", "lock"]


def test_an_upgrade_of_the_facts_is_compiled_anew(state: State) -> None:
    old = bundle.ensure(state)
    pointer = Path(state.intel, "current")
    name, origin, _, _ = pointer.read_text().split("\n")
    pointer.write_text(f"{name}\n{origin}\n1.1\n")
    new = bundle.ensure(state)
    assert new != old
    assert os.path.exists(old), "the previous generation stays"
    assert bundle.ensure(state) == new


def test_other_records_can_be_put_in_force_and_are_not_replaced_by_the_bundle(state: State) -> None:
    bundle.ensure(state)
    path = generations.activate(state, [record("synced")], {"sources": {}}, "sync").path
    pointer = Path(state.intel, "current")
    pointer.write_text(pointer.read_text().replace("\n-\n", "\n1.1\n"))
    assert bundle.ensure(state) == path
    assert Index.open(path).lookup("npm", "synced")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"generation-000001.index",
        b"generation-000001.index\nbundled\n",
        b"../../etc/passwd\nbundled\n1.1\n",
        b"generation-00000x.index\nbundled\n1.1\n",
        b"generation-000009.index\nbundled\n1.1\n",
        b"\xff\xfe\n\n\n",
        b"generation-000001.index\nbundled\n1.1\nmore\n",
        bytes(4096),
    ],
)
def test_a_bad_pointer_refuses_until_a_new_generation_is_in_force(state: State, content: bytes) -> None:
    bundle.ensure(state)
    Path(state.intel, "current").write_bytes(content)
    with pytest.raises(Refusal) as caught:
        bundle.ensure(state)
    assert caught.value.cause == "index"
    assert "bk catalogs rebuild" in caught.value.next_step
    assert generations.in_force(state) is None
    made = generations.activate(state, [record("synced")], {"sources": {}}, "sync")
    assert bundle.ensure(state) == made.path


def test_a_missing_generation_refuses(state: State) -> None:
    os.unlink(bundle.ensure(state))
    with pytest.raises(Refusal) as caught:
        bundle.ensure(state)
    assert caught.value.cause == "index"


def test_deleting_the_pointer_does_not_bring_old_facts_back(state: State) -> None:
    bundle.ensure(state)
    generations.activate(state, [record("synced")], {"sources": {}}, "sync")
    os.unlink(f"{state.intel}/current")
    with pytest.raises(Refusal):
        bundle.ensure(state)


def test_a_first_generation_that_holds_more_than_the_bundle_is_not_replaced_by_it(state: State) -> None:
    generations.activate(state, [record("synced")], {"sources": {}}, "live")
    os.unlink(f"{state.intel}/current")
    with pytest.raises(Refusal):
        bundle.ensure(state)


def test_a_pointer_that_is_a_link_is_not_followed(state: State, tmp_path: Path) -> None:
    bundle.ensure(state)
    elsewhere = tmp_path / "current"
    os.rename(f"{state.intel}/current", elsewhere)
    os.symlink(elsewhere, f"{state.intel}/current")
    with pytest.raises(Refusal):
        bundle.ensure(state)


def _upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on this is a release with another format."""
    for name in ("index", "writer", "generations"):
        monkeypatch.setattr(f"bk.engine.intel.{name}.VERSION", VERSION + 1)


def test_a_bundle_in_an_older_format_is_compiled_anew_at_once(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    old = bundle.ensure(state)
    _upgrade(monkeypatch)
    assert generations.outgrown(state)
    new = bundle.ensure(state)
    assert not generations.outgrown(state)
    assert new != old
    Index.open(new).verify()
    assert [each.damage != "" for each in generations.listed(state)] == [True, False]


def test_live_facts_in_an_older_format_are_not_replaced_by_the_bundle(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    generations.activate(state, [record("synced")], {"sources": {}}, "live")
    _upgrade(monkeypatch)
    path = bundle.ensure(state)
    with pytest.raises(Refusal, match=f"format {VERSION}"):
        Index.open(path)
    found = generations.in_force(state)
    assert found is not None
    assert "format" in found.damage
    assert generations.outgrown(state)
    generations.activate(state, [record("synced")], {"sources": {}}, "live")
    assert not generations.outgrown(state)
    Path(bundle.ensure(state)).write_bytes(b"cut")
    assert not generations.outgrown(state), "damage is for a person to look at"


def test_a_first_use_that_died_before_the_pointer_is_repeated(state: State) -> None:
    bundle.ensure(state)
    os.unlink(f"{state.intel}/current")
    Index.open(bundle.ensure(state)).verify()


def test_a_directory_that_cannot_be_read_refuses(state: State) -> None:
    if os.geteuid() == 0:
        pytest.skip("needs an ordinary user")
    bundle.ensure(state)
    os.chmod(state.intel, 0)
    try:
        with pytest.raises(Refusal):
            bundle.ensure(state)
    finally:
        os.chmod(state.intel, 0o700)


def test_the_facts_are_canonical_sorted_and_possible() -> None:
    made = facts()
    assert merge(made) == made
    assert list(compact.lines(made)) == Path(bundle.FACTS).read_text(encoding="utf-8").splitlines()
    for one in made:
        assert possible(one.ecosystem, one.name), one
        assert canonical_name(one.ecosystem, one.name) == one.name
        assert one.provenance.word == "pinned_origin"
        assert not any(version in ("*", "") or " " in version for version in one.versions)
    assert len(made) > 3000


def test_what_the_sources_page_says_is_what_the_facts_hold() -> None:
    with open(bundle.SOURCES, "rb") as file:
        sources = tomllib.load(file)["source"]
    made = facts()
    counted = Counter(source for one in made for source in one.sources)
    assert {label: told["records"] for label, told in sources.items()} == dict(counted)
    for one in made:
        assert set(one.groups) == {sources[label]["group"] for label in one.sources}
    for told in sources.values():
        assert set(told) == {"origin", "commit", "date", "licence", "group", "records", "upstream", "repairs"}


def test_withdrawn_entries_are_in_no_fact() -> None:
    held = {(one.ecosystem, one.name, version) for one in facts() for version in one.versions}
    for gone in (
        ("pypi", "fastapi", "0.136.3"),
        ("pypi", "strawberry-graphql", "0.315.6"),
        ("npm", "@ctrl/plex", "6.0.0"),
    ):
        assert gone not in held
    assert not any(one.name == "@amber-team/eslint-config" for one in facts())


def test_the_facts_ship_with_the_package() -> None:
    assert Path(bundle.FACTS).is_file()
    assert Path(bundle.SOURCES).is_file()
    assert "Copyright (c) 2025 @Cobenian" in Path(bundle.FACTS).with_name("NOTICES.txt").read_text()
