"""Getting the list: what is accepted, what is kept instead, what blocks, and what of it is on record."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.intel.signed import sign
from bk.engine.own import listing, verify
from bk.engine.own.listing import FEED
from bk.engine.own.refresh import ACCEPTED, KEPT, REFUSED, UNCHANGED, UNPLACED, refresh
from bk.engine.own.standing import CLEAR, LISTED, NEVER
from bk.engine.own.standing import REFUSED as STOPPED
from bk.engine.state import State
from tests.feeds.server import FeedServer
from tests.unit.own import DAY, Machine, Publisher, listed


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def machine(state: State, publisher: Publisher, feed: FeedServer) -> Machine:
    values = {"self_catalog.url": feed.url("/self"), "catalog_sync.ca_file": feed.ca_file, "catalog_sync.proxy": ""}
    return Machine(state, publisher.key, **values)


def served(feed: FeedServer, folder: Path) -> None:
    for path in folder.iterdir():
        feed.serve(f"/self/{path.name}", path.read_bytes())


def ask(machine: Machine, at: int = 0) -> tuple[str, str]:
    made = refresh(machine.state, machine.values, at or verify.now())
    assert made.standing.word == machine.read().word
    return made.word, made.kind


def test_a_list_is_fetched_verified_and_accepted_once(machine: Machine, publisher: Publisher, feed: FeedServer) -> None:
    publisher.publish(listed())
    served(feed, publisher.folder)
    assert ask(machine) == (ACCEPTED, "")
    found = machine.read()
    assert (found.word, found.serial, found.problem) == (LISTED, 1, "")
    assert ask(machine) == (UNCHANGED, "")
    (entry,) = machine.entries("accepted")
    assert (entry.kind, entry.data["serial"], entry.data["listed"]) == ("catalog", 1, ["BK-1"])
    assert len(feed.asked("/self/list-1.json")) == 1


def test_a_newer_list_takes_the_place_of_the_older(machine: Machine, publisher: Publisher, feed: FeedServer) -> None:
    for number in (1, 2, 3):
        assert publisher.publish(listed(f"OLD-{number}", version=f"0.0.{number}")) == number
        served(feed, publisher.folder)
        assert ask(machine)[0] == ACCEPTED
    assert [path.name for path in machine.lists()] == ["list-3.json"]
    assert [entry.data["serial"] for entry in machine.entries("accepted")] == [1, 2, 3]


@pytest.mark.parametrize("kind", ["offline", "status", "tls", "timeout"])
def test_without_an_answer_what_was_accepted_holds_and_is_told(
    machine: Machine, publisher: Publisher, feed: FeedServer, kind: str
) -> None:
    publisher.publish(listed())
    served(feed, publisher.folder)
    ask(machine)
    if kind == "offline":
        machine.values["self_catalog.url"] = "https://localhost:1/self"
    elif kind == "status":
        feed.status("/self/bk-self.note", 503, "60")
    elif kind == "tls":
        machine.values["catalog_sync.ca_file"] = ""
    else:
        feed.raw("/self/bk-self.note", b"")
        kind = "truncated"
    for _ in range(3):
        assert ask(machine) == (KEPT, kind)
    found = machine.read()
    assert (found.word, found.problem_kind) == (LISTED, kind)
    assert len(machine.entries("noted")) == 1, "an outage is recorded when it begins, not each time it is met"
    machine.values["self_catalog.url"] = feed.url("/self")
    machine.values["catalog_sync.ca_file"] = feed.ca_file
    served(feed, publisher.folder)
    assert ask(machine) == (UNCHANGED, "")
    assert machine.read().problem == ""


def test_before_the_first_list_an_outage_only_warns(machine: Machine, feed: FeedServer) -> None:
    assert ask(machine) == (KEPT, "status")
    found = machine.read()
    assert (found.word, found.problem_kind) == (NEVER, "status")


def test_no_address_is_said(machine: Machine) -> None:
    machine.values["self_catalog.url"] = ""
    assert ask(machine)[0] == UNPLACED


@pytest.mark.parametrize("how", ["broken", "foreign", "unsigned", "payload", "other-feed"])
def test_what_the_key_did_not_sign_blocks_until_a_good_list_comes(
    machine: Machine, publisher: Publisher, feed: FeedServer, tmp_path: Path, how: str
) -> None:
    publisher.publish()
    served(feed, publisher.folder)
    assert ask(machine)[0] == ACCEPTED
    publisher.publish(listed(version="0.0.1"))
    served(feed, publisher.folder)
    note = (publisher.folder / "bk-self.note").read_bytes()
    if how == "broken":
        feed.serve("/self/bk-self.note", note.replace(b"serial 2", b"serial 3"))
    elif how == "foreign":
        stranger = Publisher(tmp_path, "bk-release-x")
        stranger.publish(listed("X-1"))
        served(feed, stranger.folder)
    elif how == "unsigned":
        feed.serve("/self/bk-self.note", b"<html>This domain is for sale.</html>\n")
    elif how == "payload":
        feed.serve("/self/list-2.json", (publisher.folder / "list-2.json").read_bytes().replace(b"0.0.1", b"0.0.2"))
    else:
        secret = publisher.secret.read_text().strip()
        now = verify.now()
        other = sign(secret, feed="other", serial=9, issued_ms=now, expires_ms=now + DAY, payloads={"x": b"x"})
        feed.serve("/self/bk-self.note", other)
    assert ask(machine)[0] == REFUSED
    found = machine.read()
    assert (found.word, found.kind) == (STOPPED, "signature")
    assert found.failure is not None
    assert machine.prove().word == STOPPED
    (machine.own / "answer").unlink()
    assert machine.read().word == STOPPED, "the refusal is in the record, not only in a file"
    feed.status("/self/bk-self.note", 500)
    assert ask(machine)[0] == KEPT
    assert machine.read().word == STOPPED, "silence clears nothing"
    served(feed, publisher.folder)
    assert ask(machine)[0] == ACCEPTED
    assert machine.read().word == CLEAR
    assert [entry.data["outcome"] for entry in machine.entries("accepted", "refused")] == [
        "accepted", "refused", "accepted",
    ]  # fmt: skip


def test_the_list_that_holds_clears_what_was_offered_in_its_place(
    machine: Machine, publisher: Publisher, feed: FeedServer
) -> None:
    publisher.publish()
    served(feed, publisher.folder)
    ask(machine)
    feed.serve("/self/bk-self.note", b"x")
    assert ask(machine)[0] == REFUSED
    assert ask(machine)[0] == REFUSED
    assert len(machine.entries("refused")) == 1
    served(feed, publisher.folder)
    assert ask(machine)[0] == UNCHANGED
    assert machine.read().word == CLEAR


def test_an_expired_list_holds_and_a_newer_expired_one_is_not_taken(
    machine: Machine, publisher: Publisher, feed: FeedServer
) -> None:
    now = verify.now()
    publisher.publish(listed(), days=30, at=now - 20 * DAY)
    served(feed, publisher.folder)
    assert ask(machine)[0] == ACCEPTED
    assert ask(machine, now + 11 * DAY) == (KEPT, "expired")
    found = machine.read()
    assert (found.word, found.expired(now + 11 * DAY), found.expired(now)) == (LISTED, True, False)
    publisher.publish(withdraw=("BK-1",), days=1, at=now - 2 * DAY)
    served(feed, publisher.folder)
    assert ask(machine) == (KEPT, "expired")
    assert machine.read().word == LISTED


def test_a_serial_that_goes_back_changes_nothing(machine: Machine, publisher: Publisher, feed: FeedServer) -> None:
    publisher.publish()
    old = publisher.kept("old")
    publisher.publish(listed())
    served(feed, publisher.folder)
    assert ask(machine)[0] == ACCEPTED
    served(feed, old)
    assert ask(machine) == (KEPT, "rolled-back")
    assert machine.read().word == LISTED
    shutil.rmtree(machine.own)
    assert ask(machine) == (KEPT, "rolled-back"), "what was accepted is remembered outside of the copy"
    served(feed, publisher.folder)
    assert ask(machine)[0] == ACCEPTED
    assert machine.read().word == LISTED


def test_two_lists_with_one_serial_are_told_apart(
    machine: Machine, publisher: Publisher, feed: FeedServer, tmp_path: Path
) -> None:
    shutil.copytree(tmp_path, tmp_path / "twin", dirs_exist_ok=False, ignore=shutil.ignore_patterns("twin"))
    publisher.publish(listed())
    served(feed, publisher.folder)
    ask(machine)
    publisher.folder = tmp_path / "twin" / "other"
    assert publisher.publish() == 1
    served(feed, publisher.folder)
    assert ask(machine) == (KEPT, "two-lists")
    assert machine.read().word == LISTED


def test_a_clock_that_is_behind_keeps_what_holds(machine: Machine, publisher: Publisher, feed: FeedServer) -> None:
    now = verify.now()
    publisher.publish(at=now + 3 * DAY)
    served(feed, publisher.folder)
    assert ask(machine, now) == (KEPT, "not-yet")
    assert machine.read().word == NEVER


def test_a_signed_list_in_a_later_format_is_kept_out_and_blocks_nothing(
    machine: Machine, publisher: Publisher, feed: FeedServer
) -> None:
    now = verify.now()
    later = b'{"format": "bk-self/2", "entries": []}'
    secret = publisher.secret.read_text().strip()
    note = sign(secret, feed=FEED, serial=1, issued_ms=now, expires_ms=now + DAY, payloads={"list-1.json": later})
    feed.serve("/self/bk-self.note", note)
    feed.serve("/self/list-1.json", later)
    assert ask(machine) == (KEPT, "malformed")
    assert machine.read().word == NEVER


def test_more_than_a_list_may_weigh_is_an_error(machine: Machine, publisher: Publisher, feed: FeedServer) -> None:
    publisher.publish()
    served(feed, publisher.folder)
    feed.endless("/self/list-1.json")
    assert ask(machine) == (KEPT, "too-large")
    feed.endless("/self/bk-self.note")
    assert ask(machine) == (KEPT, "too-large")


def test_two_keys_in_turn_one_signature_of_the_pinned_one_is_enough(
    machine: Machine, publisher: Publisher, feed: FeedServer, tmp_path: Path
) -> None:
    from bk.engine.own.publish import publish

    publisher.publish(listed())
    successor = Publisher(tmp_path, "bk-release-2")
    publish(str(publisher.folder), [str(successor.secret), str(publisher.secret)])
    served(feed, publisher.folder)
    assert ask(machine)[0] == ACCEPTED
    machine.values["self_catalog.key"] = successor.key
    assert machine.read().word == LISTED


def test_a_damaged_copy_is_replaced_by_the_list_that_is_offered(
    machine: Machine, publisher: Publisher, feed: FeedServer
) -> None:
    publisher.publish()
    served(feed, publisher.folder)
    ask(machine)
    (machine.own / "bk-self.note").write_bytes(b"x")
    assert machine.read().word == STOPPED
    assert ask(machine)[0] == ACCEPTED
    assert machine.read().word == CLEAR


def test_a_folder_that_was_carried_in_counts_as_much_and_blocks_nothing(
    machine: Machine, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish()
    assert machine.take(publisher.folder).word == ACCEPTED
    stranger = Publisher(tmp_path, "bk-release-x")
    stranger.publish(listed("X-1"))
    made = machine.take(stranger.folder)
    assert (made.word, made.kind) == (KEPT, "signature")
    assert machine.read().word == CLEAR
    assert machine.take(tmp_path / "nothing").kind == "disk"


def test_what_was_accepted_is_repeated_in_the_record_as_time_goes_by(
    machine: Machine, publisher: Publisher, feed: FeedServer
) -> None:
    now = verify.now()
    publisher.publish(days=300)
    served(feed, publisher.folder)
    ask(machine, now)
    ask(machine, now + 20 * DAY)
    assert len(machine.entries("accepted")) == 1
    ask(machine, now + 31 * DAY)
    assert len(machine.entries("accepted")) == 2


def test_a_process_killed_between_the_two_files_leaves_a_list_that_holds(
    machine: Machine, publisher: Publisher, feed: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish(listed())
    served(feed, publisher.folder)
    ask(machine)
    publisher.publish(withdraw=("BK-1",))
    served(feed, publisher.folder)
    from bk.engine.own import refresh as module

    whole = module.replace

    def cut(path: str, data: bytes) -> None:
        if path.endswith(".note"):
            raise KeyboardInterrupt
        whole(path, data)

    monkeypatch.setattr(module, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        ask(machine)
    assert machine.read().word == LISTED
    monkeypatch.setattr(module, "replace", whole)
    assert ask(machine)[0] == ACCEPTED
    assert machine.read().word == CLEAR
    assert listing.parse(machine.lists()[0].read_bytes()) == ()
