"""Where an installation may live, and who may decide it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bk.engine.errors import BkError
from bk.engine.state import State, locate


def project(tmp_path: Path) -> Path:
    made = tmp_path / "home" / "src" / "shop"
    (made / ".git").mkdir(parents=True)
    (made / "deep" / "er").mkdir(parents=True)
    return made


def test_without_a_word_it_is_in_the_home(tmp_path: Path) -> None:
    assert locate({"HOME": str(tmp_path)}).root == f"{tmp_path}/.bk"


@pytest.mark.parametrize("spelling", ["{p}/.bk", "/{p}/.bk", "{p}/deep/../.bk", "{p}", "{p}/deep/er/x", "relative/.bk"])
def test_a_project_cannot_name_the_state_directory(tmp_path: Path, spelling: str) -> None:
    inside = project(tmp_path)
    env = {"HOME": str(tmp_path / "home"), "BK_HOME": spelling.format(p=inside)}
    for cwd in (inside, inside / "deep" / "er"):
        with pytest.raises(BkError, match="BK_HOME is refused"):
            locate(env, str(cwd))


def test_a_link_into_the_project_is_seen_through(tmp_path: Path) -> None:
    inside = project(tmp_path)
    link = tmp_path / "elsewhere"
    link.symlink_to(inside / "deep")
    with pytest.raises(BkError, match="leads into"):
        locate({"HOME": str(tmp_path / "home"), "BK_HOME": f"{link}/.bk"}, str(inside))


def test_outside_the_project_it_is_honoured(tmp_path: Path) -> None:
    inside = project(tmp_path)
    env = {"HOME": str(tmp_path / "home"), "BK_HOME": str(tmp_path / "other")}
    assert locate(env, str(inside)).root == str(tmp_path / "other")


def test_a_relative_home_is_refused() -> None:
    with pytest.raises(BkError, match="HOME is not an absolute path"):
        locate({"HOME": "home/ada"})


def test_directories_are_the_owners_alone(tmp_path: Path) -> None:
    state = State(str(tmp_path / "s"), str(tmp_path), os.geteuid())
    state.ensure()
    for path in (state.root, state.keys, state.intel, state.run, f"{state.root}/mark"):
        assert os.stat(path).st_mode & 0o777 == 0o700
    os.chmod(state.keys, 0o755)
    with pytest.raises(BkError, match="open to others"):
        state.ensure()


def test_a_linked_or_foreign_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(BkError, match="symbolic link"):
        State(str(tmp_path / "link"), str(tmp_path), os.geteuid()).ensure()
    with pytest.raises(BkError, match="another user"):
        State(str(tmp_path / "real"), str(tmp_path), os.geteuid() + 1).ensure()


def test_a_file_in_the_way_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("not a directory")
    with pytest.raises(BkError) as caught:
        State(str(tmp_path / "s"), str(tmp_path), os.geteuid()).ensure()
    assert caught.value.next_step
