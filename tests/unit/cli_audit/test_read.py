"""`bk audit` as it is typed: what it prints, what it returns, and what it refuses to pass on to a terminal."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from bk.cli import main
from bk.engine.console import audit
from bk.engine.errors import FAILED, OK, TAMPERED, USAGE
from bk.engine.ledger.merkle import included, leaf_hash
from bk.engine.ledger.note import opened
from bk.engine.ledger.segment import rotate
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.notes import PublicKey
from bk.engine.state import State
from tests.unit.ledger_query.record import DAY, begin, decision, filled, tampered


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[int]:
        return [int(line.split()[0].replace(",", "")) for line in self.out.splitlines()]

    @property
    def objects(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


Bk = Callable[..., Said]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return filled(tmp_path)


@pytest.fixture
def bk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bk:
    monkeypatch.setenv("BK_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("BK_DEBUG", raising=False)

    def run(*words: str) -> Said:
        code = main(["audit", *words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def signed(state: State) -> str:
    """Sign what is there; returns the public key."""
    ledger = Ledger.open(state)
    ledger.checkpoint()
    ledger.close()
    return Path(f"{state.keys}/ledger.pub").read_text()


def test_query_shows_the_newest_first_and_tells_of_more(state: State, bk: Bk) -> None:
    said = bk("query", "level>=block", "--limit", "2")
    assert said.code == OK
    assert said.rows == [9, 6]
    assert "--before 6" in said.err
    assert bk("query", "level>=block", "--limit", "2", "--before", "6").rows == [4, 3]


def test_a_word_with_a_minus_is_a_filter_and_not_an_option(state: State, bk: Bk) -> None:
    assert bk("query", "-level:block,quarantine", "-kind:config", "level>=warn").rows == [5, 2]
    assert bk("query", "-npm:left-pad level>=ask", "-pkg.malicious").rows == [9, 6, 5, 4]
    assert bk("query", "-tool=Bash", "kind:decision").rows == [5, 4]


def test_json_is_one_object_a_line(state: State, bk: Bk) -> None:
    (entry,) = bk("query", "seq:3", "--json").objects
    assert entry["seq"] == 3
    assert entry["data"] == DAY[2].data
    assert entry["level"] == "block"


def test_tail_shows_the_last_ones_oldest_first(state: State, bk: Bk) -> None:
    assert bk("tail", "--last", "3").rows == [8, 9, 10]
    assert bk("tail", "--last", "2", "level:block").rows == [4, 9]
    assert bk("tail", "--last", "0").rows == []


@pytest.mark.parametrize("verb", ["tail", "query", "export"])
def test_a_mistyped_key_is_named_with_the_nearest(state: State, bk: Bk, verb: str) -> None:
    said = bk(verb, "agnet:claude")
    assert said.code == USAGE
    assert "agnet" in said.err
    assert "agent:claude" in said.err
    assert said.out == ""


@pytest.mark.parametrize("verb", ["tail", "query"])
def test_a_place_without_a_ledger_says_so(tmp_path: Path, bk: Bk, verb: str) -> None:
    said = bk(verb)
    assert (said.code, said.out) == (OK, "")
    assert "nothing has been recorded yet" in said.err
    assert not (tmp_path / "state").exists()
    assert bk("verify").code == FAILED


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path, bk: Bk) -> None:
    nasty = "a\x1b]0;owned\x07\x1b[31m\u202e\u200bb\rc\nd[/red]\x9b"
    state = begin(tmp_path)
    ledger = Ledger.open(state)
    ledger.append(
        [decision("block", harness=nasty, tool=nasty, session=nasty, cwd=nasty, input={nasty: nasty, "command": nasty},
                  actions=[{"do": nasty, "mode": nasty, "target": nasty, "via": [nasty]}], reason=nasty, failure=nasty,
                  findings=[{"rule": nasty, "level": nasty, "reason": nasty, "instead": nasty,
                             "evidence": {nasty: nasty}}],
                  extra={"deep": [nasty]}, agent={"BK_AGENT_ID": nasty}),
         Entry(nasty, nasty, {"title": nasty}, level=nasty, call=nasty)]
    )  # fmt: skip
    ledger.close()
    for words in (
        ["tail"],
        ["query"],
        ["show", "1"],
        ["show", "2"],
        ["query", "--json"],
        ["export", "--format", "csv"],
    ):
        said = bk(*words)
        assert said.code == OK
        for char in "\x1b\x07\u202e\u200b\r\x9b":
            assert char not in said.out.replace("\r\n", "\n"), (words, char)
    assert len(bk("query").out.splitlines()) == 2
    assert bk("query", nasty[:8]).err.count("\x1b") == 0


def test_colour_is_for_terminals_alone(state: State, bk: Bk) -> None:
    script = "import sys; from bk.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "audit", "query", "level:block"]

    def on_terminal(**more: str) -> bytes:
        import pty

        main_end, other = pty.openpty()
        env = {**os.environ, "TERM": "xterm", **more}
        with subprocess.Popen(command, stdout=other, stderr=other, env=env) as process:
            os.close(other)
            seen = b""
            while True:
                try:
                    chunk = os.read(main_end, 65536)
                except OSError:
                    break
                if not chunk:
                    break
                seen += chunk
            assert process.wait(timeout=30) == OK
        os.close(main_end)
        return seen

    assert b"\x1b[1;31mblock" in on_terminal(NO_COLOR="")
    assert b"\x1b[" not in on_terminal(NO_COLOR="1")
    assert "\x1b" not in bk("query", "level:block").out


def test_show_explains_an_entry_and_its_proof(state: State, bk: Bk) -> None:
    said = bk("show", "#4")
    assert said.code == OK
    for part in (
        "BLOCK",
        "hook:claude-code",
        "/home/dev/.ssh/id_ed25519",
        "path.secret",
        "no checkpoint covers",
    ):
        assert part in said.out
    signed(state)
    assert "proof: holds" in bk("show", "4").out
    (told,) = bk("show", "4", "--json").objects
    assert told["intact"] is True
    assert told["proof"]["holds"] is True  # type: ignore[index]


@pytest.mark.parametrize(
    ("number", "code"), [("99", FAILED), ("0", USAGE), ("x", USAGE), ("-1", USAGE), ("9" * 30, USAGE)]
)
def test_show_of_no_entry(state: State, bk: Bk, number: str, code: int) -> None:
    assert bk("show", "--", number).code == code


def test_a_proof_can_be_checked_by_anyone(state: State, bk: Bk) -> None:
    unsigned = bk("prove", "3")
    assert unsigned.code == FAILED
    assert "no checkpoint covers" in unsigned.err
    public = signed(state)
    for seq in range(1, 12):
        (proof,) = bk("prove", str(seq)).objects
        note = opened(str(proof["checkpoint"]), PublicKey.parse(public))
        path = [bytes.fromhex(step) for step in proof["path"]]  # type: ignore[attr-defined]
        leaf = leaf_hash(str(proof["body"]).encode())
        assert included(leaf, seq - 1, note.size, path, note.root)
        assert json.loads(str(proof["body"]))["seq"] == seq


def test_growth_is_proved_between_checkpoints(state: State, bk: Bk, tmp_path: Path) -> None:
    signed(state)
    notes = []
    ledger = Ledger.open(state)
    for number in (1, 2):
        ledger.append([decision("allow") for _ in range(350)])
        made = ledger.checkpoint()
        assert made is not None
        (tmp_path / f"note{number}").write_text(made.note)
        notes.append(made)
    ledger.close()
    (proof,) = bk("prove", "--old", str(tmp_path / "note1"), "--new", str(tmp_path / "note2")).objects
    assert proof["holds"] is True
    assert proof["kind"] == "bk-consistency-v1"
    for seq in (1, 11, 12, 256, 257, 512, 513, notes[1].seq):
        (inside,) = bk("prove", str(seq)).objects
        assert inside["holds"] is True
    assert bk("prove", "--old", str(tmp_path / "note2"), "--new", str(tmp_path / "note1")).code == FAILED
    assert bk("prove", "--old", str(tmp_path / "none"), "--new", str(tmp_path / "note1")).code == FAILED
    for words in ([], ["1", "--old", "x", "--new", "y"], ["--old", "x"]):
        assert bk("prove", *words).code == USAGE
    forged = (tmp_path / "note2").read_text().replace("seq ", "seq 9")
    (tmp_path / "note2").write_text(forged)
    assert bk("prove", "--old", str(tmp_path / "note1"), "--new", str(tmp_path / "note2")).code in (FAILED, TAMPERED)


def test_closed_segments_are_read_as_one_ledger(state: State, bk: Bk) -> None:
    ledger = Ledger.open(state)
    for _ in range(3):
        rotate(ledger)
        ledger.append([decision("allow") for _ in range(5)] + [decision("block")])
    ledger.close()
    assert len(list(Path(state.root).glob("audit-*.db"))) == 3
    everything = [int(str(entry["seq"])) for entry in bk("query", "--json", "--limit", "1000").objects]
    assert everything == list(range(everything[0], 0, -1))
    assert bk("export").out.count("\n") == everything[0]
    blocks = [int(str(entry["seq"])) for entry in bk("export", "level:block").objects]
    assert len(blocks) == 6
    assert bk("query", "level:block").rows == blocks[::-1]
    first = bk("query", "level:block", "--limit", "4")
    assert first.rows == blocks[:1:-1]
    assert bk("query", "level:block", "--limit", "4", "--before", str(blocks[2])).rows == blocks[1::-1]
    assert bk("tail", "--last", "1000").rows == everything[::-1]
    for seq in (1, 4, blocks[3], everything[0]):
        assert bk("show", str(seq)).code == OK
    assert bk("prove", "3").code == OK
    assert bk("verify").code == OK


def test_an_altered_entry_is_reported_everywhere(state: State, bk: Bk) -> None:
    signed(state)
    assert bk("verify").code == OK
    tampered(state, 4, "{}")
    for words in (["verify"], ["show", "4"], ["prove", "4"]):
        assert bk(*words).code == TAMPERED, words
    said = bk("verify")
    assert "BROKEN at #4" in said.out
    assert "next:" in said.out
    (told,) = bk("verify", "--json").objects
    assert told["ok"] is False
    assert told["problems"][0]["seq"] == 4  # type: ignore[index]
    assert "altered" in bk("show", "4").out
    assert bk("query", "seq:3..5").rows == [5, 4, 3]
    assert "unreadable" in bk("query", "seq:4").out


def test_verify_offline_needs_only_the_file_and_the_key(state: State, bk: Bk, tmp_path: Path) -> None:
    public = signed(state)
    away = tmp_path / "away"
    away.mkdir()
    with sqlite3.connect(state.audit) as source, sqlite3.connect(away / "copy.db") as copy:
        source.backup(copy)
    source.close()
    copy.close()
    (away / "key").write_text(public)
    for key in (public.strip(), str(away / "key")):
        said = bk("verify", "--file", str(away / "copy.db"), "--public-key", key)
        assert said.code == OK, said
        assert "1 signature" in said.out
    bad = bk("verify", "--file", str(away / "copy.db"), "--public-key", "nonsense")
    assert bad.code == USAGE
    assert bk("verify", "--file", str(away / "none.db")).code == FAILED
    assert bk("verify", "--seal-key", "bkseal1:no").code == USAGE


@pytest.mark.parametrize("verb", ["seal", "checkpoint", "recover"])
def test_admin_verbs_need_a_person(state: State, bk: Bk, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")  # the test may be run by a person at a terminal
    before = len(bk("query", "--json").objects)
    for words in ([verb], [verb, "--admin"], [verb, "--admin", "--json"]):
        said = bk(*words)
        assert said.code == FAILED
        assert "needs a person" in said.err
    assert len(bk("query", "--json").objects) == before


def test_export_to_a_file(state: State, bk: Bk, tmp_path: Path) -> None:
    out = tmp_path / "out.sarif"
    said = bk("export", "level:block", "--format", "sarif", "--output", str(out))
    assert said.code == OK
    assert "3 entries" in said.err
    assert len(json.loads(out.read_text())["runs"][0]["results"]) == 3
    assert bk("export", "--format", "xml").code == USAGE
    assert bk("export", "--output", str(tmp_path / "no" / "where")).code == FAILED
    assert len(bk("export").objects) == 10


def test_following_tells_each_new_entry_once(state: State) -> None:
    ledger = Ledger.open(state)
    deadline = time.monotonic() + 20
    seen: list[int] = []
    for entry in audit.tail(state, "level:block", last=1, follow=True, stop=lambda: len(seen) >= 4, poll_s=0.01):
        seen.append(entry.seq)
        assert time.monotonic() < deadline
        if len(seen) < 4:
            ledger.append([decision("allow"), decision("block")])
    ledger.close()
    assert seen == [9, 12, 14, 16]


def test_following_begins_before_the_ledger_does(tmp_path: Path) -> None:
    state = begin(tmp_path)
    looks = 0

    def stop() -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            ledger = Ledger.open(state)
            ledger.append([decision("warn")])
            ledger.close()
        return looks > 200

    found = next(audit.tail(state, follow=True, stop=stop, poll_s=0.01))
    assert (found.seq, found.level) == (1, "warn")


def test_reading_never_writes(state: State, bk: Bk) -> None:
    files = sorted(path for path in Path(state.root).rglob("*") if path.is_file() and "-shm" not in path.name)
    before = [(path, path.read_bytes()) for path in files]
    for words in (["tail"], ["query", "x"], ["show", "1"], ["verify"], ["export"]):
        assert bk(*words).code == OK
    assert [(path, path.read_bytes()) for path in files if path.exists()] == [
        pair for pair in before if pair[0].exists()
    ]
    assert Path(state.audit) in files
