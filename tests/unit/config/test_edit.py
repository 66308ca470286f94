"""Editing keeps every byte it was not asked to change, and never overwrites what it did not read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as limits

from bk.engine.config.edit import Draft
from bk.engine.config.layers import parse
from bk.engine.config.schema import BY_NAME
from bk.engine.errors import BkError
from bk.engine.state import State
from tests import width
from tests.unit.config.settings import settings, toml

NOWHERE = "/nonexistent/etc/config.toml"
FILE = """\
# mine, do not touch

fail_mode   =  'closed'   # because\t
hook.agent_depth=  5# tight

[paths]   # places
block = [  # clients
   "~/clients/**", # all of them

  '/srv/secret/**',
]

  [audit]
\tretention_days = 3_0
"""


def draft(state: State, text: str | None = FILE) -> Draft:
    if text is not None:
        Path(state.config).write_bytes(text.encode())
        os.chmod(state.config, 0o600)
    return Draft(state, NOWHERE)


@pytest.mark.parametrize(
    ("name", "value", "was", "now"),
    [
        ("fail_mode", "warn", "fail_mode   =  'closed'   #", 'fail_mode   =  "warn"   #'),
        ("hook.agent_depth", 6, "hook.agent_depth=  5#", "hook.agent_depth=  6#"),
        ("audit.retention_days", 400, "retention_days = 3_0", "retention_days = 400"),
        ("hook.deadline_ms", 900, "5# tight\n", "5# tight\nhook.deadline_ms = 900\n"),
        ("hook.ask_fallback", "warn", "5# tight\n", '5# tight\nhook.ask_fallback = "warn"\n'),
        ("engine.idle_exit_s", 60, "3_0\n", "3_0\n\n[engine]\nidle_exit_s = 60\n"),
        ("audit.redact_patterns", ["x+"], "3_0\n", '3_0\nredact_patterns = ["x+"]\n'),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_asked_bytes_change(state: State, name: str, value: object, was: str, now: str, newline: str) -> None:
    made = draft(state, FILE.replace("\n", newline))
    made.set(name, value)
    made.save()
    text = Path(state.config).read_bytes().decode()
    expected = FILE.replace(was, now)
    assert expected != FILE
    assert text.replace("\r\n", "\n").replace("\t", " ").split() == expected.replace("\t", " ").split()
    if newline == "\n":
        assert [line.strip() for line in text.splitlines()] == [line.strip() for line in expected.splitlines()]
        assert text.startswith("# mine, do not touch\n\nfail_mode   =  ")


def test_a_replaced_value_keeps_every_other_byte(state: State) -> None:
    made = draft(state)
    made.set("fail_mode", "warn")
    assert made.text == FILE.replace("'closed'", '"warn"')
    made.set("audit.retention_days", 31)
    assert made.text == FILE.replace("'closed'", '"warn"').replace("3_0", "31")


def test_lists_grow_and_shrink_around_their_comments(state: State) -> None:
    made = draft(state)
    made.add("paths.block", "/new/**")
    assert '"~/clients/**", # all of them\n' in made.text
    assert "# clients" in made.text
    assert parse(made.text, "x").values["paths.block"] == ["~/clients/**", "/srv/secret/**", "/new/**"]
    made.remove("paths.block", "/srv/secret/**")
    assert '"~/clients/**", # all of them\n' in made.text
    assert parse(made.text, "x").values["paths.block"] == ["~/clients/**", "/new/**"]
    made.set("paths.block", ["/b/**", "~/clients/**"])
    assert parse(made.text, "x").values["paths.block"] == ["/b/**", "~/clients/**"]
    made.add("paths.allow", "/ok/**")
    made.remove("paths.allow", "/ok/**")
    assert parse(made.text, "x").values["paths.allow"] == []
    for call in (lambda: made.add("paths.block", "/b/**"), lambda: made.remove("paths.block", "/none")):
        with pytest.raises(BkError, match="item"):
            call()


def test_unset_takes_out_one_line(state: State) -> None:
    made = draft(state)
    made.unset("audit.retention_days")
    assert made.text == FILE.replace("\tretention_days = 3_0\n", "")
    made.unset("hook.agent_depth")
    assert "hook.agent_depth" not in made.text
    assert "fail_mode   =  'closed'   # because\t\n" in made.text
    with pytest.raises(BkError, match="is not set"):
        made.unset("engine.idle_exit_s")


@limits(max_examples=width.of(8, 20), deadline=None)
@given(before=settings(), after=settings())
def test_any_sequence_of_changes_gives_exactly_what_was_asked(
    before: dict[str, object], after: dict[str, object]
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp", prefix="bk") as folder:
        made = draft(State(folder, folder, os.geteuid()), toml(before))
        for name, value in after.items():
            made.set(name, value)
        for name in before.keys() - after.keys():
            made.unset(name)
        assert parse(made.text, "x").values == after


def test_a_first_file_is_made_for_its_owner_only(state: State) -> None:
    made = draft(state, None)
    made.set("fail_mode", "warn")
    made.save()
    info = os.stat(state.config)
    assert info.st_mode & 0o777 == 0o600
    assert Path(state.config).read_text().endswith('fail_mode = "warn"\n')
    assert [name for name in os.listdir(state.root) if name.startswith(".")] == []


def test_what_would_not_be_valid_is_not_saved(state: State) -> None:
    made = draft(state)
    for name, value, told in (
        ("fail_moed", "warn", "no key"),
        ("fail_mode", "ajar", "fail_mode cannot be set"),
        ("hook.deadline_ms", 1, "cannot be set"),
        ("auto_quarantine.threshold", 9, "cannot be set"),
        ("paths.block", ["x"], "cannot be set"),
    ):
        with pytest.raises(BkError, match=told):
            made.set(name, value)
    made.replace("fail_mode = 3\n")
    with pytest.raises(BkError, match="not valid"):
        made.save()
    assert Path(state.config).read_text() == FILE


def test_a_change_in_between_is_not_overwritten(state: State) -> None:
    made, other = draft(state), draft(state, None)
    other.set("fail_mode", "warn")
    other.save()
    made.set("hook.agent_depth", 2)
    with pytest.raises(BkError, match="changed meanwhile") as caught:
        made.save()
    assert caught.value.next_step
    assert '"warn"' in Path(state.config).read_text()
    Path(state.config).unlink()
    with pytest.raises(BkError, match="changed meanwhile"):
        made.save()


def test_a_change_that_cannot_be_recorded_is_not_made(state: State) -> None:
    made = draft(state)
    made.set("fail_mode", "warn")

    def refuse() -> None:
        raise BkError("the ledger is full")

    with pytest.raises(BkError, match="full"):
        made.save(refuse)
    assert Path(state.config).read_text() == FILE


@pytest.mark.parametrize("what", ["link", "dangling", "directory", "fifo"])
def test_what_is_not_a_plain_file_is_refused(state: State, what: str, tmp_path: Path) -> None:
    target = tmp_path / "real.toml"
    if what in ("link", "dangling"):
        if what == "link":
            target.write_text(FILE)
        os.symlink(target, state.config)
    elif what == "directory":
        os.mkdir(state.config)
    else:
        os.mkfifo(state.config)
    with pytest.raises(BkError, match="cannot be used"):
        draft(state, None)
    assert target.exists() == (what == "link")


def test_concurrent_changes_are_all_kept_or_refused(state: State) -> None:
    draft(state, "# start\n")
    keys = ["audit.retention_days", "hook.agent_depth", "engine.idle_exit_s", "audit.segment_entries"]
    code = (
        "import os, sys\nfrom bk.engine.state import State\nfrom bk.engine.config.edit import Draft\n"
        "from bk.engine.errors import BkError\n"
        f"s = State({state.root!r}, {state.home!r}, os.geteuid())\n"
        "done = 0\n"
        "while done < 15:\n"
        "    try:\n"
        f"        d = Draft(s, {NOWHERE!r}); d.set(sys.argv[1], 20 + done); d.save(); done += 1\n"
        "    except BkError as error:\n"
        "        assert error.title == 'the settings were changed meanwhile', error\n"
    )
    running = [subprocess.Popen([sys.executable, "-I", "-c", code, key], stderr=subprocess.PIPE) for key in keys]
    for process in running:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
    assert parse(Path(state.config).read_text(), "x").values == dict.fromkeys(keys, 34)
    assert Path(state.config).read_text().startswith("# start\n")


def test_the_difference_and_what_needs_a_person(state: State) -> None:
    made = draft(state)
    made.set("fail_mode", "warn")
    made.set("hook.agent_depth", 2)
    assert "-fail_mode   =  'closed'" in made.diff()
    assert '+fail_mode   =  "warn"' in made.diff()
    assert {change.key.name: change.needs_person for change in made.changes()} == {
        "fail_mode": True,
        "hook.agent_depth": False,
    }
    before, after = made.digests()
    assert before != after
    assert draft(state).diff() == ""


@pytest.mark.parametrize(
    ("name", "value", "person"),
    [
        ("paths.block", ["~/clients/**", "/srv/secret/**", "/x/**"], False),
        ("paths.block", ["/srv/secret/**"], True),
        ("paths.allow", ["/x/**"], True),
        ("auto_quarantine.enabled", True, True),
        ("audit.redact_patterns", ["x+"], True),
        ("hook.ask_fallback", "warn", True),
        ("corroboration.block_at", 1, False),
        ("corroboration.block_at", 3, True),
        ("hook.deadline_ms", 600, True),
    ],
)
def test_only_what_a_project_could_do_needs_no_person(state: State, name: str, value: object, person: bool) -> None:
    made = draft(state)
    made.set(name, value)
    assert [change.needs_person for change in made.changes()] == [person]


def test_secrets_are_not_recorded(state: State) -> None:
    made = draft(state)
    made.set("audit.redact_patterns", ["hunter2[a-z]"])
    told = made.changes()[0].told()
    assert "hunter2" not in str(told)
    assert told["new"] == "[1 not shown]"
    assert BY_NAME["audit.redact_patterns"].secret


def test_a_broken_file_can_be_repaired_by_a_new_text_only(state: State) -> None:
    made = draft(state, "fail_mode = \n")
    with pytest.raises(BkError, match="not valid"):
        made.set("fail_mode", "warn")
    made.replace('fail_mode = "warn"\n')
    assert [change.needs_person for change in made.changes()] == [True]
    made.save()
    assert Path(state.config).read_text() == 'fail_mode = "warn"\n'


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_locked_key_is_refused_up_front(state: State, tmp_path: Path) -> None:
    system = tmp_path / "system.toml"
    system.write_text('locked = ["fail_mode"]\n')
    tmp_path.chmod(0o755)
    system.chmod(0o644)
    made = Draft(state, str(system))
    made.set("fail_mode", "open")
    assert "the system file locks it" in made.refused()[0]
    made.set("fail_mode", "closed")
    assert made.refused() == []
