"""What a call reads of this release, and what no tampering with our files can make it read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from blake3 import blake3

from bk.engine.own import standing as standing_module
from bk.engine.own.standing import CLEAR, LISTED, NEVER, REFUSED, UNKEYED, Build, read
from bk.engine.state import State
from tests.unit.own import Machine, Publisher, listed, ours


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


@pytest.fixture
def machine(state: State, publisher: Publisher) -> Machine:
    return Machine(state, publisher.key)


def test_a_build_without_a_key_checks_nothing_and_leaves_nothing(state: State) -> None:
    assert read(state, {"self_catalog.key": "", "self_catalog.url": ""}).word == UNKEYED
    assert not Path(state.root, "own").exists()


def test_a_key_that_came_with_the_build_counts_unless_the_settings_name_one(
    tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "release.pub"
    file.write_text(f"{publisher.key}\nhttps://bk.example/self\n")
    monkeypatch.setattr(standing_module, "KEY_FILE", str(file))
    build = Build({"self_catalog.key": "", "self_catalog.url": ""})
    assert (build.key, build.url, build.built_in) == (publisher.key, "https://bk.example/self", True)
    other = Build({"self_catalog.key": "x+00000000+AAAA", "self_catalog.url": "https://mirror.example"})
    assert (other.key, other.url, other.built_in) == ("x+00000000+AAAA", "https://mirror.example", False)
    assert not Build({"self_catalog.key": "x+00000000+AAAA", "self_catalog.url": ""}).built_in


def test_before_the_first_list_calls_go_on(machine: Machine) -> None:
    assert machine.read().word == NEVER
    assert machine.read().failure is None
    assert (machine.own / "answer").stat().st_mode & 0o777 == 0o600


def test_a_listed_version_and_a_listed_digest_refuse(machine: Machine, publisher: Publisher) -> None:
    publisher.publish(listed("OLD-1", version="0.0.9"))
    machine.take(publisher.folder)
    assert machine.read().word == CLEAR
    publisher.publish(listed("BK-1"))
    machine.take(publisher.folder)
    found = machine.read()
    assert (found.word, found.kind, found.idents) == (LISTED, "version", ["BK-1"])
    failure = found.failure
    assert failure is not None
    assert failure.cause == "self"
    assert "BK-1" in failure.detail
    publisher.publish(listed("BK-2", digest=ours()), withdraw=("BK-1",))
    machine.take(publisher.folder)
    found = machine.read()
    assert (found.word, found.kind, found.idents) == (LISTED, "digest", ["BK-2"])
    publisher.publish(withdraw=("BK-2",))
    machine.take(publisher.folder)
    assert machine.read().word == CLEAR


def test_a_call_reads_one_file_and_verifies_nothing(machine: Machine, publisher: Publisher, monkeypatch) -> None:
    publisher.publish()
    machine.take(publisher.folder)
    machine.read()
    monkeypatch.setattr("bk.engine.own.verify.settle", lambda *_: pytest.fail("a call verified"))
    assert machine.read().word == CLEAR


@pytest.mark.parametrize("which", ["bk-self.note", "list-1.json"])
def test_a_copy_that_was_touched_refuses_until_it_is_put_right(
    machine: Machine, publisher: Publisher, which: str
) -> None:
    publisher.publish(listed(version="0.0.9"))
    machine.take(publisher.folder)
    path = machine.own / which
    before = path.read_bytes()
    for at in range(0, len(before), max(1, len(before) // 40)):
        path.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
        assert machine.read().word == REFUSED, f"byte {at}"
        assert machine.prove().word == REFUSED
    path.write_bytes(before[:-1])
    assert machine.read().word == REFUSED
    path.unlink()
    assert machine.read().word == REFUSED
    path.mkdir()
    assert machine.read().word == REFUSED
    path.rmdir()
    path.write_bytes(before)
    assert machine.read().word == CLEAR


def test_no_byte_of_the_answer_can_change_unseen(machine: Machine, publisher: Publisher) -> None:
    publisher.publish(listed())
    machine.take(publisher.folder)
    path = machine.own / "answer"
    before = path.read_bytes()
    for at in range(0, len(before), 7):
        path.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
        found = machine.read()
        assert (found.word, found.kind) == (REFUSED, "answer"), f"byte {at}"
    for broken in (b"", b"\n", before[:100], before + b" ", b"x" * 100_000):
        path.write_bytes(broken)
        assert machine.read().kind == "answer"
        assert machine.prove().kind == "answer", "an engine does not repair what a person should look at"
    assert path.read_bytes() == b"x" * 100_000
    assert machine.settle().word == LISTED
    assert machine.read().word == LISTED


def test_an_answer_that_others_can_write_or_that_is_a_link_is_none(machine: Machine, publisher: Publisher) -> None:
    publisher.publish()
    machine.take(publisher.folder)
    path = machine.own / "answer"
    path.chmod(0o622)
    assert machine.read().kind == "answer"
    path.chmod(0o600)
    assert machine.read().word == CLEAR
    path.rename(machine.own / "elsewhere")
    path.symlink_to(machine.own / "elsewhere")
    assert machine.read().kind == "answer"


def test_a_forged_answer_with_a_digest_that_fits_is_found_by_the_engine(machine: Machine, publisher: Publisher) -> None:
    publisher.publish(listed())
    machine.take(publisher.folder)
    path = machine.own / "answer"
    body = json.loads(path.read_bytes().partition(b"\n")[2])
    body |= {"word": CLEAR, "kind": "", "detail": "", "idents": []}
    text = json.dumps(body).encode()
    path.write_bytes(blake3(text).hexdigest().encode() + b"\n" + text)
    found = machine.prove()
    assert found.word == LISTED
    assert "forged" in found.detail
    assert machine.read().word == LISTED


def test_without_its_answer_the_copy_is_verified_again(machine: Machine, publisher: Publisher) -> None:
    publisher.publish(listed())
    machine.take(publisher.folder)
    (machine.own / "answer").unlink()
    assert machine.read().word == LISTED


def test_another_release_on_the_same_machine_is_judged_anew(
    machine: Machine, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish(listed(version="7.0.0"))
    machine.take(publisher.folder)
    assert machine.read().word == CLEAR
    monkeypatch.setattr(standing_module, "__version__", "7.0")
    monkeypatch.setattr("bk.engine.own.verify.__version__", "7.0")
    assert machine.read().word == LISTED


def test_another_key_has_accepted_nothing_yet(machine: Machine, publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(listed())
    machine.take(publisher.folder)
    assert machine.read().word == LISTED
    successor = Publisher(tmp_path, "bk-release-2")
    machine.values["self_catalog.key"] = successor.key
    assert machine.read().word == NEVER
    successor.publish(listed("BK-9"))
    machine.take(successor.folder)
    assert machine.read().idents == ["BK-9"]


def test_a_key_that_is_none_refuses(machine: Machine) -> None:
    machine.values["self_catalog.key"] = "bk-release+00000000+" + "A" * 44
    found = machine.read()
    assert found.word == REFUSED
    assert found.failure is not None


def test_deleting_the_copy_un_lists_nothing(machine: Machine, publisher: Publisher) -> None:
    import shutil

    publisher.publish(listed())
    machine.take(publisher.folder)
    shutil.rmtree(machine.own)
    found = machine.read()
    assert (found.word, found.kind) == (REFUSED, "missing")
    assert "serial 1" in found.detail
    assert "BK-1" in found.detail
    assert machine.prove().word == REFUSED
    machine.take(publisher.folder)
    assert machine.read().word == LISTED


def test_an_older_copy_put_back_by_hand_is_a_roll_back(machine: Machine, publisher: Publisher) -> None:
    publisher.publish()
    old = publisher.kept("old")
    machine.take(publisher.folder)
    publisher.publish(listed())
    machine.take(publisher.folder)
    for path in machine.lists():
        path.unlink()
    for path in old.iterdir():
        (machine.own / path.name).write_bytes(path.read_bytes())
    found = machine.read()
    assert (found.word, found.kind) == (REFUSED, "rolled-back")


def test_what_is_remembered_outlives_a_closed_segment(machine: Machine, publisher: Publisher) -> None:
    import shutil

    from bk.engine.ledger.segment import rotate
    from bk.engine.ledger.store import Ledger
    from bk.engine.model import Entry

    publisher.publish(listed())
    machine.take(publisher.folder)
    ledger = Ledger.open(machine.state)
    for _ in range(3):
        ledger.append([Entry("engine", "test", {"event": "x"})])
        rotate(ledger)
    ledger.close()
    assert list(Path(machine.state.root).glob("audit-*.db"))
    shutil.rmtree(machine.own)
    assert machine.read().kind == "missing"


def test_the_list_is_due_when_it_was_not_asked_for_within_the_interval(machine: Machine, publisher: Publisher) -> None:
    from bk.engine.own import verify
    from bk.engine.own.standing import due

    hour = 3_600_000
    now = verify.now()
    machine.values["catalog_sync.interval_hours"] = 4
    assert not due(machine.state, machine.values, now), "there is no place to ask at"
    machine.values["self_catalog.url"] = "https://bk.example/self"
    assert due(machine.state, machine.values, now)
    publisher.publish()
    machine.take(publisher.folder, now)
    assert not due(machine.state, machine.values, now)
    assert not due(machine.state, machine.values, now + 4 * hour - 1)
    assert due(machine.state, machine.values, now + 4 * hour)
    assert due(machine.state, machine.values, now - hour), "a clock that was put back does not postpone it"
    machine.values["self_catalog.key"] = ""
    assert not due(machine.state, machine.values, now + 9 * hour)


def test_a_release_that_may_be_compromised_decides_nothing(machine: Machine, publisher: Publisher) -> None:
    from bk.engine.config.policy import Policy
    from bk.engine.decide import failed
    from bk.engine.model import Level

    publisher.publish(listed())
    machine.take(publisher.folder)
    failure = machine.read().failure
    assert failure is not None
    for mode in ("closed", "warn", "open"):
        verdict = failed(failure, Policy({"fail_mode": mode}, {}))
        assert (verdict.level, verdict.failure) == (Level.BLOCK, "self")
