"""Steering the catalogs with real parts: a feed over TLS, the worker, the ledger, a person at a terminal."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.state import State
from tests.feeds.server import FeedServer
from tests.unit.cli_catalogs.house import EVIL, House, house
from tests.unit.cli_catalogs.typed import BK, catalogs, env_of

FLOOD = EVIL + "".join(f"npm,flood-{at},1.0.0\n" for at in range(6000))


@pytest.fixture
def home(state: State, tmp_path: Path) -> Iterator[House]:
    with house(state, tmp_path) as made:
        yield made


def test_sync_puts_news_in_force_and_says_so(home: House) -> None:
    assert home.verdict("npm:evil@1.0.0") == "allow"
    said = home.types("sync")
    assert "list" in said
    assert "updated" in said
    assert "is in force" in said
    assert home.verdict("npm:evil@1.0.0") == "block"
    assert home.verdict("npm:evil@1.0.1") == "allow"
    assert [one["event"] for one in home.entries("catalog") if one.get("verb") == "sync"] == ["activated"]
    assert [one["verb"] for one in home.entries("admin")] == ["catalogs sync"]
    row = home.source()
    assert (row["state"], row["entries"], row["provenance"]) == ("good", 1, "pinned_origin")
    again = home.told("sync")
    assert again["ok"] is True
    assert again["activated"] is False


def test_status_fits_a_narrow_terminal_and_names_problem_and_step(home: House) -> None:
    home.feed.routes.clear()
    said = home.types("sync", code=3)
    assert "failed" in said
    done = catalogs(home.state, "status", COLUMNS="80")
    assert done.returncode == 3
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "problem: " in done.stdout
    assert "next: " in done.stdout
    row = home.source()
    assert row["state"] == "failing"
    assert "404" in row["problem"]
    assert row["next_step"]


def test_a_flood_is_held_until_a_person_accepts_it(home: House) -> None:
    home.types("sync")
    home.publish(FLOOD)
    said = home.types("sync", "--force", code=3)
    assert "held" in said
    assert home.verdict("npm:flood-1@1.0.0") == "allow"
    assert home.verdict("npm:evil@1.0.0") == "block"
    row = home.source()
    assert row["state"] == "degraded"
    assert "6000" in row["held"]["reason"].replace(",", "")
    assert "held: " in home.types("status", code=3)

    assert "--admin" in home.types("accept", "list", code=1)
    assert "terminal" in home.types("accept", "list", "--admin", code=1)
    assert home.source()["state"] == "degraded"
    home.person("accept", "list", "--admin")
    assert home.source()["state"] == "good"
    assert home.verdict("npm:flood-1@1.0.0") == "block"
    assert "catalogs accept" in [one["verb"] for one in home.entries("admin")]


def test_rollback_is_for_a_person_and_can_be_taken_back(home: House) -> None:
    home.types("sync")
    home.publish(EVIL.replace("evil", "other"))
    home.types("sync", "--force")
    assert home.verdict("npm:other@1.0.0") == "block"
    assert "--admin" in home.types("rollback", code=1)
    assert home.verdict("npm:other@1.0.0") == "block"
    said = home.person("rollback", "--admin")
    assert "in force again" in said
    assert home.verdict("npm:other@1.0.0") == "allow"
    assert "catalogs rollback" in [one["verb"] for one in home.entries("admin")]
    assert "no such generation" in home.person("rollback", "999", "--admin", code=1)


def test_switching_a_source_is_for_a_person_and_is_recorded(home: House) -> None:
    home.types("sync")
    for words in (("disable", "list"), ("enable", "aikido")):
        assert "--admin" in home.types(*words, code=1)
    assert home.source()["enabled"] is True
    home.person("disable", "list", "--admin")
    assert home.source()["enabled"] is False
    assert any("catalogs.list.enabled" in str(one) for one in home.entries("config"))
    assert "nothing changed" in home.types("disable", "list")
    assert "is switched off" in home.types("sync", "list", code=1)
    home.person("enable", "list", "--admin")
    assert home.source()["enabled"] is True


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("sync", "osw"), "did you mean osv"),
        (("enable", "osw"), "did you mean osv"),
        (("accept", "nope\x1b[31m"), "there is no such source"),
        (("forget", "osv"), "nothing imported"),
        (("import", "/no/such/file"), "no such file"),
        (("rollback", "--", "-1"), "-1"),
        (("diff", "7", "8"), "nothing to compare"),
    ],
)
def test_what_is_mistyped_is_said(home: House, words: tuple[str, ...], hint: str) -> None:
    said = home.types(*words, code=2)
    assert hint in said
    assert "\x1b" not in said


def test_an_import_counts_only_with_a_proof(home: House, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(EVIL)
    digest = hashlib.sha256(EVIL.encode()).hexdigest()
    home.types("import", str(file))
    assert home.verdict("npm:evil@1.0.0") == "warn"
    assert "--admin" in home.types("import", str(file), "--vouch", "from the incident desk", code=1)
    assert "digest" in home.types("import", str(file), "--sha256", "0" * 64, code=1)
    assert home.verdict("npm:evil@1.0.0") == "warn"
    home.types("import", str(file), "--sha256", digest)
    assert home.verdict("npm:evil@1.0.0") == "block"
    name = next(row["name"] for row in home.told("status")["sources"] if row["name"].startswith("import-"))
    assert "--admin" in home.types("forget", name, code=1)
    home.person("forget", name, "--admin")
    assert home.verdict("npm:evil@1.0.0") == "allow"


def test_a_person_may_vouch(home: House, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(EVIL)
    home.person("import", str(file), "--vouch", "--odd reason", "--admin")
    assert home.verdict("npm:evil@1.0.0") == "block"
    assert any(one.get("vouch") == "--odd reason" for one in home.entries("admin"))


def test_export_and_import_elsewhere(home: House, tmp_path: Path) -> None:
    home.types("sync")
    out = tmp_path / "out.facts"
    assert "facts written" in home.types("export", str(out))
    assert "npm\tevil\texact" in out.read_text()
    assert "exists" in home.types("export", str(out), code=2)


def test_verify_and_rebuild(home: House) -> None:
    home.types("sync")
    assert "is whole" in home.types("verify")
    name = Path(home.state.intel, "current").read_text().split()[0]
    path = Path(home.state.intel, name)
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    said = home.types("verify", code=1)
    assert "damaged" in said
    assert "bk catalogs rebuild" in said
    home.types("rebuild")
    assert "is whole" in home.types("verify")
    assert home.verdict("npm:evil@1.0.0") == "block"


def test_diff_says_what_a_sync_changed(home: House) -> None:
    home.types("verify")
    home.types("sync")
    home.publish(EVIL + "npm,late,2.0.0\n")
    home.types("sync", "--force")
    told = home.told("diff")
    assert [(one["kind"], one["name"]) for one in told["changes"]] == [("added", "late")]
    said = home.types("diff")
    assert "+ npm:late" in said
    assert "1 added" in said


def children_of(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_worker_and_leaves_what_is_in_force(home: House, number: signal.Signals) -> None:
    home.types("sync")
    before = Path(home.state.intel, "current").read_text()
    from tests.feeds import behaviours

    home.feed.on("/list.csv", behaviours.slow(EVIL.encode() * 2000, head=False, pause_s=0.2))
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *BK, "sync", "--force"], env=env_of(home.state), cwd=home.state.home,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 20
    while time.monotonic() < until and len(home.feed.requests) < 2:
        time.sleep(0.05)
    workers = children_of(process.pid)
    assert workers
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert "stopped" in err
    assert not any(os.path.exists(f"/proc/{pid}/exe") for pid in workers)
    assert Path(home.state.intel, "current").read_text() == before
    assert home.verdict("npm:evil@1.0.0") == "block"


def test_on_a_terminal_there_is_a_live_display_and_a_summary(home: House) -> None:
    shown = home.person("sync")
    assert "updated" in shown
    assert "is in force" in shown
    env = env_of(home.state, TERM="xterm-256color", COLUMNS="80")
    from tests.unit.config.terminal import as_person

    home.publish(EVIL + "npm,late,2.0.0\n")
    code, shown = as_person([*BK, "sync", "--force"], env, home.folder)
    assert code == 0
    assert "\x1b[" in shown  # the display moves the cursor
    assert "updated" in shown


def test_a_feed_cannot_draw_on_the_terminal(state: State, tmp_path: Path) -> None:
    with FeedServer() as feed:
        made = House(state, feed, tmp_path)
        feed.serve("/list.csv", b"ecosystem,name,version\nnpm,ev\x1b]0;x\x07il,1.0.0\n")
        said = made.types("sync", code=None) + made.types("status", code=None)
        assert "\x1b" not in said
        assert "\x07" not in said
