"""The store of exceptions: what it keeps, what it refuses, and one-time grants under many hands."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.console import grants
from bk.engine.errors import BkError
from bk.engine.grants import store
from bk.engine.grants.grant import Grant, fingerprint
from bk.engine.ledger.store import Ledger
from bk.engine.model import ToolCall
from bk.engine.state import State
from tests.unit.config.terminal import as_person
from tests.unit.hook.test_answer import House

NOW = 1_800_000_000_000


def kept(state: State, ident: str = "g-1", **more: object) -> Grant:
    grant = Grant(ident, "allow", "git/*", at_ms=NOW, reason="r", by="person:0", **more)  # type: ignore[arg-type]
    store.add(state, grant)
    return grant


def test_what_is_kept_comes_back(state: State) -> None:
    assert store.live(state) == ()
    kept(state, project="/p", agent="a", until_ms=NOW + 5)
    (back,) = store.live(state)
    assert (back.ident, back.rule, back.project, back.agent, back.until_ms) == ("g-1", "git/*", "/p", "a", NOW + 5)
    assert os.stat(store.path_of(state)).st_mode & 0o777 == 0o600


def test_revoked_is_over(state: State) -> None:
    kept(state)
    assert store.end(state, "g-1", NOW)
    assert not store.end(state, "g-1", NOW)
    assert store.live(state) == ()
    assert [(row[0].ident, row[1]) for row in store.everything(state)] == [("g-1", NOW)]


@pytest.mark.parametrize("damage", ["garbage", "link", "open", "directory", "empty", "locked"])
def test_what_cannot_be_read_grants_nothing(state: State, damage: str, tmp_path: Path) -> None:
    kept(state)
    path = store.path_of(state)
    holder: sqlite3.Connection | None = None
    if damage == "garbage":
        Path(path).write_bytes(b"not a database at all" * 100)
    elif damage == "link":
        os.rename(path, tmp_path / "elsewhere.db")
        os.symlink(tmp_path / "elsewhere.db", path)
    elif damage == "open":
        os.chmod(path, 0o666)
    elif damage == "directory":
        os.unlink(path)
        os.mkdir(path)
    elif damage == "empty":
        Path(path).write_bytes(b"")
    else:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
    try:
        assert store.live(state) == ()
    finally:
        if holder is not None:
            holder.close()


def test_a_one_time_grant_is_spent_by_one_of_many(state: State) -> None:
    kept(state)
    script = (
        "import sys; from bk.engine.state import locate; from bk.engine.grants import store\n"
        "state = locate({'HOME': sys.argv[1], 'BK_HOME': sys.argv[2]})\n"
        "print(store.spend(state, ['g-1'], sys.argv[3], 5))"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", script, state.home, state.root, f"request-{number}"], stdout=subprocess.PIPE
        )
        for number in range(6)
    ]
    said = [run.communicate(timeout=60)[0].strip() for run in runs]
    assert sorted(said) == [b"False"] * 5 + [b"True"]


def test_the_same_request_finds_its_own(state: State) -> None:
    kept(state)
    assert store.spend(state, ["g-1"], "one", NOW)
    assert store.spend(state, ["g-1"], "one", NOW)
    assert not store.spend(state, ["g-1"], "two", NOW)


def test_all_or_none_are_spent(state: State) -> None:
    kept(state)
    assert not store.spend(state, ["g-1", "g-none"], "one", NOW)
    assert [grant.ident for grant in store.live(state)] == ["g-1"]


def test_there_is_an_end_to_exceptions(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_LIVE", 2)
    kept(state, "g-1")
    kept(state, "g-2")
    with pytest.raises(BkError, match="too many"):
        kept(state, "g-3")


def test_a_stopped_call_passes_once_and_only_once(state: State) -> None:
    house = House(state)
    try:
        command = "echo x > /etc/cron.d/x"
        first, entry = house.ask(command)
        assert first.exit_code == 2
        mark = entry.data["fingerprint"]
        call = ToolCall("Bash", "shell", {"command": command}, harness="claude-code", cwd="/usr", home=state.home)
        assert mark == fingerprint(call)
        now = house.world.now_ms()
        store.add(state, Grant("g-9", "once", "*", agent="claude-code", call=mark, until_ms=now + 60_000, at_ms=now))
        again, granted = house.ask(command)
        assert (again.exit_code, granted.level) == (0, "allow")
        assert granted.data["findings"][0]["evidence"]["granted"] == "g-9"
        third, _ = house.ask(command)
        assert third.exit_code == 2
    finally:
        house.ledger.close()


def test_a_person_makes_and_ends_exceptions(state: State, tmp_path: Path) -> None:
    env = {"HOME": state.home, "BK_HOME": state.root, "PATH": os.environ["PATH"], "NO_COLOR": "1", "TERM": "xterm"}
    bk = [sys.executable, "-c", "import sys; from bk.cli import main; sys.exit(main())"]
    project = tmp_path / "project"
    project.mkdir()
    words = ["allow", "add", "git/reset-hard", "--project", str(project), "--for", "7d", "--reason", "a clone"]
    code, shown = as_person([*bk, *words], env, tmp_path)
    assert code != 0
    assert "--admin" in shown
    code, shown = as_person([*bk, *words, "--admin"], env, tmp_path)
    assert (code, "in force" in shown) == (0, True), shown
    (made,) = store.live(state)
    assert (made.rule, made.project, made.reason) == ("git/reset-hard", str(project), "a clone")
    code, shown = as_person([*bk, "trust", "add", str(project), "--admin"], env, tmp_path)
    assert code == 0, shown
    code, shown = as_person([*bk, "trust", "add", state.home, "--admin"], env, tmp_path)
    assert (code, "not a project" in shown) == (2, True)
    for words in (["self/cli"], ["paths/*"], ["credentials/print"], ["*"]):
        code, shown = as_person([*bk, "allow", "add", *words, "--for", "1h", "--reason", "x", "--admin"], env, tmp_path)
        assert code == 2, shown
    code, shown = as_person([*bk, "allow", "revoke", made.ident, "--admin"], env, tmp_path)
    assert code == 0, shown
    assert [grant.kind for grant in store.live(state)] == ["trust"]
    ledger = Ledger.open(state)
    try:
        events = [entry.data.get("event") for entry in ledger.entries(limit=50) if entry.kind == "admin"]
    finally:
        ledger.close()
    assert events == ["granted", "granted", "revoked"]


def test_an_agent_makes_none(state: State, tmp_path: Path) -> None:
    with pytest.raises(BkError, match="person"):
        grants.allow("git/*", reason="x", span="1h", admin=True, env={"CLAUDECODE": "1", "HOME": state.home})
