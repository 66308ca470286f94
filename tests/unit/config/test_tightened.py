"""Projects and environments: tighter or nothing, whatever they hold."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bk.engine.config.layers import merge, parse
from bk.engine.config.policy import Policy
from bk.engine.config.schema import KEYS
from bk.engine.config.snapshot import tightened
from tests.unit.config.settings import looser, settings, toml


def policy(user: str = "") -> Policy:
    return merge(parse("", "system"), parse(user, "user"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    (made / "src" / "app").mkdir(parents=True)
    return made


def seen(held: Policy, home: Path, text: str | bytes, env: dict[str, str] | None = None) -> Policy:
    path = home / "src" / ".bk.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return tightened(held, str(home / "src" / "app"), str(home), env or {})


@limits(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(user=settings(), project=settings(), mode=st.sampled_from(["", "open", "warn", "closed", "ajar"]))
def test_a_project_and_an_environment_never_loosen_anything(
    home: Path, user: dict[str, object], project: dict[str, object], mode: str
) -> None:
    held = policy(toml(user))
    made = seen(held, home, toml(project), {"BK_FAIL_MODE": mode})
    for key in KEYS:
        assert not looser(key.name, held.values[key.name], made.values[key.name]), key.name
    assert set(made.problems) >= set(held.problems)


@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(project=settings())
def test_what_a_project_may_tighten_it_does(home: Path, project: dict[str, object]) -> None:
    made = seen(policy(), home, toml(project))
    for key in KEYS:
        if key.project and key.name in project and not key.name.startswith("corroboration."):
            wanted = project[key.name]
            if not looser(key.name, key.default, wanted):
                assert made.values[key.name] == wanted, key.name


def test_nothing_to_say_gives_the_same_object(home: Path) -> None:
    held = policy()
    assert tightened(held, str(home / "src"), str(home), {}) is held
    assert tightened(held, str(home / "src"), str(home), {"BK_FAIL_MODE": ""}) is held


def test_the_home_directory_and_what_is_above_it_hold_no_project(home: Path) -> None:
    held = policy()
    for place in (home, home.parent):
        (place / ".bk.toml").write_text('parser.opaque = "block"\n')
    for cwd in (home, home / "src", home / "src" / "app"):
        assert tightened(held, str(cwd), str(home), {}) is held
    assert tightened(held, "/", "/root", {}) is held
    assert tightened(held, "", str(home), {}) is held
    assert tightened(held, "src", str(home), {}) is held


def test_a_project_file_may_appear_change_and_go_at_any_time(home: Path) -> None:
    held, path, cwd = policy(), home / "src" / ".bk.toml", str(home / "src" / "app")
    for _ in range(3):
        path.write_text('parser.opaque = "block"\n')
        assert tightened(held, cwd, str(home), {}).values["parser.opaque"] == "block"
        path.write_text("hook.agent_depth = 2\n#\n")
        made = tightened(held, cwd, str(home), {})
        assert (made.values["parser.opaque"], made.values["hook.agent_depth"]) == ("ask", 2)
        path.unlink()
        assert tightened(held, cwd, str(home), {}) is held


def test_an_edit_in_place_of_the_same_size_is_seen(home: Path) -> None:
    held, path, cwd = policy(), home / "src" / ".bk.toml", str(home / "src" / "app")
    path.write_text("hook.agent_depth = 2\n")
    for depth in (3, 4, 5, 6, 7, 8, 9) * 5:
        with path.open("r+") as file:
            file.write(f"hook.agent_depth = {depth}\n")
        assert tightened(held, cwd, str(home), {}).values["hook.agent_depth"] == depth


def test_an_old_file_is_read_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, path, cwd = policy(), home / "src" / ".bk.toml", str(home / "src" / "app")
    path.write_text("hook.agent_depth = 2\n")
    time.sleep(0.15)
    first = tightened(held, cwd, str(home), {})
    assert tightened(held, cwd, str(home), {}) is first


def test_a_nearer_file_cannot_hide_a_stricter_one_above(home: Path) -> None:
    (home / "src" / ".bk.toml").write_text('hook.agent_depth = 2\npaths.block = ["/a"]\n')
    (home / "src" / "app" / ".bk.toml").write_text('hook.agent_depth = 9\npaths.block = ["/b"]\n')
    made = tightened(policy(), str(home / "src" / "app"), str(home), {})
    assert made.values["hook.agent_depth"] == 2
    assert made.values["paths.block"] == ["/a", "/b"]
    assert made.origin["paths.block"] == "project"


def test_relative_globs_are_meant_in_the_project_whose_name_is_literal(home: Path) -> None:
    odd = home / "a[b]*"
    odd.mkdir()
    (odd / ".bk.toml").write_text('paths.block = ["secrets/**", "./x", "~/y", "../up"]\n')
    made = tightened(policy(), str(odd), str(home), {})
    assert made.values["paths.block"] == []
    assert any("goes up" in problem for problem in made.problems)
    (odd / ".bk.toml").write_text('paths.block = ["secrets/**", "./x", "~/y"]\n')
    made = tightened(policy(), str(odd), str(home), {})
    assert made.values["paths.block"] == [f"{home}/a[[]b][*]/secrets/**", f"{home}/a[[]b][*]/x", "~/y"]


def test_an_attempt_to_loosen_is_told_and_ignored(home: Path) -> None:
    made = seen(policy(), home, 'fail_mode = "open"\nauto_quarantine.enabled = true\naudit.redact_patterns = ["."]\n')
    assert made.values == policy().values
    told = "\n".join(made.problems)
    assert "fail_mode = open would loosen closed" in told
    assert "auto_quarantine.enabled is not for a project" in told
    assert "audit.redact_patterns is not for a project" in told


def test_the_environment_tightens_and_a_bogus_value_does_not_break_calls(home: Path) -> None:
    held = policy('fail_mode = "open"\n')
    made = tightened(held, str(home), str(home), {"BK_FAIL_MODE": "closed"})
    assert (made.values["fail_mode"], made.origin["fail_mode"]) == ("closed", "environment")
    assert made.digest == policy().digest
    bogus = tightened(held, str(home), str(home), {"BK_FAIL_MODE": "\x1b[2Jclosed"})
    assert bogus.values["fail_mode"] == "open"
    assert "BK_FAIL_MODE is" in bogus.problems[0]
    assert "\x1b" not in bogus.problems[0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"fail_mode = ", "Invalid value"),
        (b"#" * 40_000, "larger than"),
        (b"x=" + b"[" * 30_000, "cannot be parsed"),
        (b"a." * 12_000 + b"a=1", "dots"),
        (b"unknown = 1\n", "no such key"),
        (b"locked = ['fail_mode']\n", "only the system file"),
        (b"[" + b"x." * 60 + b"x]\n", "no such key"),
        (b"".join(b"k%d=1\n" % n for n in range(3000)), "more faults"),
        (b"".join(b"k%d.a.b.c.d.e.f=1\n" % n for n in range(1500)), "no such key"),
    ],
    ids=["encoding", "syntax", "size", "nesting", "dots", "unknown", "locking", "depth", "many", "many-deep"],
)
def test_hostile_project_files_cost_little_and_change_nothing(home: Path, content: bytes, told: str) -> None:
    started = time.process_time()
    made = seen(policy(), home, content)
    assert time.process_time() - started < 0.5
    assert made.values == policy().values
    assert any(told in problem for problem in made.problems), made.problems
    assert len(made.problems) <= 21
    assert all(len(problem) < 400 for problem in made.problems)


def test_valid_lines_of_a_file_with_faults_still_tighten(home: Path) -> None:
    made = seen(policy(), home, 'nonsense = 1\nhook.agent_depth = "x"\nparser.opaque = "block"\n')
    assert made.values["parser.opaque"] == "block"
    assert len(made.problems) == 2


def test_links_devices_and_directories_are_not_read(home: Path) -> None:
    path, cwd, held = home / "src" / ".bk.toml", str(home / "src"), policy()
    target = home / "elsewhere.toml"
    target.write_text('parser.opaque = "block"\n')
    path.symlink_to(target)
    made = tightened(held, cwd, str(home), {})
    assert made.values == held.values
    assert "symbolic link" in made.problems[0]
    path.unlink()
    os.mkfifo(path)
    assert "not a plain file" in tightened(held, cwd, str(home), {}).problems[0]
    path.unlink()
    path.mkdir()
    assert "not a plain file" in tightened(held, cwd, str(home), {}).problems[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_file_that_a_stranger_planted_is_ignored(home: Path) -> None:
    path = home / "src" / ".bk.toml"
    path.write_text('paths.block = ["/**"]\n')
    os.chown(path, 12345, 12345)
    made = tightened(policy(), str(home / "src"), str(home), {})
    assert made.values["paths.block"] == []
    assert "belongs to uid 12345" in made.problems[0]
    os.chown(home, 12345, 12345)  # the engine may run under another uid than the home's owner
    assert tightened(policy(), str(home / "src"), str(home), {}).values["paths.block"] == ["/**"]


def test_a_project_cannot_flood_the_lists(home: Path) -> None:
    for folder in (home / "src", home / "src" / "app"):
        items = ", ".join(f'"/{folder.name}{n}"' for n in range(250))
        (folder / ".bk.toml").write_text(f"paths.block = [\n{items.replace(', ', ',' + chr(10))}]\n")
    made = tightened(policy(), str(home / "src" / "app"), str(home), {})
    assert len(made.values["paths.block"]) <= 2 * 256


@pytest.mark.parametrize(
    "cwd",
    ["/a\0b", "/" + "a/" * 5000, "/\ud800", "/..", "//", "/.", "/a//b/./c/../..", "relative"],
)
def test_odd_working_directories_do_no_harm(cwd: str, home: Path) -> None:
    assert tightened(policy(), cwd, str(home), {}).values == policy().values


def test_more_files_than_are_read_are_told(home: Path) -> None:
    deep = home / "src"
    for _ in range(20):
        deep = deep / "d"
        deep.mkdir()
        (deep / ".bk.toml").write_text("hook.agent_depth = 5\n")
    (home / "src" / ".bk.toml").write_text("hook.agent_depth = 2\n")
    made = tightened(policy(), str(deep), str(home), {})
    assert made.values["hook.agent_depth"] == 2
    assert any("only the outer 16" in problem for problem in made.problems)


def test_no_project_costs_microseconds(home: Path) -> None:
    held, cwd = policy(), str(home / "src" / "app")
    best = float("inf")
    for _ in range(20):
        started = time.process_time()
        for _ in range(200):
            tightened(held, cwd, str(home), {})
        best = min(best, (time.process_time() - started) / 200)
    assert best < 40e-6
