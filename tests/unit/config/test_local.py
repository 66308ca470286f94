"""`config.local.toml`: lists are added to and taken from; nothing else, and never silently."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bk.engine.config import local
from bk.engine.config.edit import Draft
from bk.engine.config.layers import Layer, merge, parse
from bk.engine.config.snapshot import local_of, read
from bk.engine.errors import BkError, Refusal
from bk.engine.state import State


def changed(text: str, user: str = "", system: str = "") -> dict[str, object]:
    above, own = parse(system, "system", system=True), parse(user, "user")
    return merge(above, local.over(own, above, local.parse(text, "local"))).values  # type: ignore[return-value]


def write(path: str, text: str) -> None:
    Path(path).write_text(text)
    os.chmod(path, 0o600)
    time.sleep(0.12)  # until a stamp can be believed


def test_append_and_exclude_start_from_what_would_be_in_force() -> None:
    default = merge(Layer(), Layer()).values["paths.sensitive"]
    values = changed('[paths.sensitive]\nappend = ["~/clients/**"]\nexclude = ["~/.npmrc"]\n')
    assert values["paths.sensitive"] == [each for each in default if each != "~/.npmrc"] + ["~/clients/**"]
    values = changed('paths.block.append = ["/b/**"]', user='[paths]\nblock = ["/a/**"]\n')
    assert values["paths.block"] == ["/a/**", "/b/**"]


def test_disabled_rules_may_be_a_plain_list() -> None:
    values = changed('[rules]\ndisabled = ["git/force-push"]\n', user='[rules]\ndisabled = ["aws/*"]\n')
    assert values["rules.disabled"] == ["aws/*", "git/force-push"]


def test_own_lists_are_changed_by_name() -> None:
    values = changed(
        '[lists.hosts]\nappend = ["c.example"]\nexclude = ["a.example"]\n[lists.fresh]\nappend = ["x"]\n',
        user='[lists]\nhosts = ["a.example", "b.example"]\n',
        system='[lists]\nteams = ["t"]\n',
    )
    assert values["lists"] == {"hosts": ["b.example", "c.example"], "teams": ["t"], "fresh": ["x"]}


def test_a_locked_list_is_not_loosened_by_the_way_round() -> None:
    locked = 'locked = ["rules.disabled", "paths.block"]\n[paths]\nblock = ["/keep/**"]\n'
    values = changed('[paths.block]\nexclude = ["/keep/**"]\n[rules]\ndisabled = ["git/*"]\n', system=locked)
    assert values["rules.disabled"] == []
    assert values["paths.block"] == ["/keep/**"]


def test_excluding_what_is_not_there_is_told() -> None:
    above = Layer()
    layer = local.over(Layer(), above, local.parse('[paths.sensitive]\nexclude = ["~/nope"]\n', "local"))
    assert any("~/nope" in note and "not in it" in note for note in layer.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('fail_mode = "open"', "only changes lists"),
        ('[paths]\nsensitive = ["/x/**"]\n', "append"),
        ('[paths.sensitve]\nappend = ["/x/**"]\n', "did you mean paths.sensitive"),
        ('[paths.sensitive]\nadd = ["/x/**"]\n', "'add'"),
        ('[paths.sensitive]\nappend = ["x"]\n', "names no place"),
        ('[rules]\ndisabled = ["a b"]\n', "rule's id"),
        ("[paths.sensitive\n", "local"),
        ("[paths.sensitive]\n", "says nothing"),
    ],
)
def test_anything_else_is_an_error(text: str, said: str) -> None:
    with pytest.raises(BkError) as caught:
        local.parse(text, "local")
    assert said in caught.value.detail


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(BkError) as caught:
        local.parse('fail_mode = "open"\n[nothing]\nhere = 1\n[paths.block]\nadd = []\n', "local")
    assert len(caught.value.detail.splitlines()) == 3


def test_a_bad_edit_keeps_the_last_good_changes(state: State, tmp_path: Path) -> None:
    system = str(tmp_path / "config.toml")
    write(local_of(state.config), '[rules]\ndisabled = ["git/a"]\n')
    good = read(state, system)
    assert good.values["rules.disabled"] == ["git/a"]
    write(local_of(state.config), "[rules\n")
    bad = read(state, system)
    assert bad.values["rules.disabled"] == ["git/a"]
    assert any("the last good changes to lists" in problem for problem in bad.problems)
    assert bad.digest == good.digest


def test_without_a_last_good_one_nothing_is_decided(state: State, tmp_path: Path) -> None:
    write(local_of(state.config), "[rules\n")
    with pytest.raises(Refusal) as caught:
        read(state, str(tmp_path / "config.toml"))
    assert caught.value.cause == "policy"


def test_the_digest_and_the_draft_see_it(state: State, tmp_path: Path) -> None:
    system = str(tmp_path / "config.toml")
    before = read(state, system).digest
    write(local_of(state.config), '[rules]\ndisabled = ["secrets/*"]\n')
    assert read(state, system).digest != before
    draft = Draft(state, system)
    draft.set("audit.retention_days", 40)
    assert [change.key.name for change in draft.changes()] == ["audit.retention_days"]
    assert draft.policy().values["rules.disabled"] == ["secrets/*"]
