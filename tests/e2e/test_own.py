"""A release that says of itself whether it may be trusted: through the hook binary, cold and warm."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pexpect
import pytest

from bk.engine.config.schema import SOURCES
from bk.engine.console.gate import MARKERS, ancestors
from bk.engine.intel.signed import sign
from bk.engine.own import listing
from bk.engine.state import State
from tests.e2e.engine_house import until
from tests.e2e.own_build import Build, OwnHouse
from tests.feeds.server import FeedServer
from tests.unit.own import REASON, Publisher, listed

DENIED, LET = 2, 0


@pytest.fixture(scope="module")
def feed() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture(scope="module")
def signer(feed: FeedServer) -> Iterator[tuple[Path, Build]]:
    """A release key, and a build that carries its public half."""
    root = Path(tempfile.mkdtemp(prefix="bkown", dir="/tmp"))
    publisher = Publisher(root)
    yield root, Build(root, publisher.key, feed.url("/self"))
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def publisher(signer: tuple[Path, Build], tmp_path: Path) -> Publisher:
    """Who has that key, with an empty folder."""
    made = Publisher(tmp_path, "another")
    made.secret = signer[0] / "bk-release.key"
    made.folder = tmp_path / "published"
    return made


@pytest.fixture
def house(state: State, signer: tuple[Path, Build], feed: FeedServer) -> Iterator[OwnHouse]:
    feed.routes.clear()
    made = OwnHouse(state, signer[1], feed)
    yield made
    made.quiet()


def let(*done: CompletedProcess[bytes]) -> None:
    for each in done:
        assert each.returncode == LET, each.stderr


def denied(*done: CompletedProcess[bytes], saying: str) -> None:
    for each in done:
        assert each.returncode == DENIED, each.stdout
        assert saying in each.stderr.decode(), each.stderr
        assert "permissionDecision" in each.stdout.decode()


def accepted(house: OwnHouse, publisher: Publisher) -> None:
    house.serve(publisher)
    assert house.refresh()["problem"] == ""


def test_a_release_that_is_not_listed_goes_on(house: OwnHouse, publisher: Publisher) -> None:
    let(*house.asked())
    assert house.status()["word"] == "never"
    publisher.publish(listed("OLD-1", version="0.0.9"))
    accepted(house, publisher)
    let(*house.asked())
    done = house.bk("self", "status")
    assert done.returncode == 0, done.stdout
    assert "not listed" in done.stdout
    assert "came with this build" in done.stdout


def test_a_listed_version_blocks_and_can_still_be_asked_about(house: OwnHouse, publisher: Publisher) -> None:
    publisher.publish(listed("BK-1"))
    accepted(house, publisher)
    denied(*house.asked(), saying="BK-1")
    assert house.decided()[-2:] == [("block", "self"), ("block", "self")]
    for words, code in (
        (("version",), 0),
        (("diag",), 3),
        (("self", "status"), 1),
        (("self", "verify"), 1),
        (("self", "release"), 0),
        (("selftest",), 0),
        (("config", "show"), 0),
        (("audit", "query", "kind:decision"), 0),
        (("audit", "verify"), 0),
        (("engine", "status"), 3),
    ):
        done = house.bk(*words)
        assert done.returncode == code, (words, done.stdout, done.stderr)
    assert REASON in " ".join(house.bk("self", "status").stdout.split())
    assert "BK-1" in house.bk("engine", "status").stdout
    until(lambda: house.incidents("self-listed"))
    for _ in range(2):
        house.asked()
    assert len(house.incidents("self-listed")) == 1
    publisher.publish(withdraw=("BK-1",))
    accepted(house, publisher)
    house.soon(LET)
    let(*house.asked())


def test_a_listed_release_blocks_whatever_fail_mode_says(house: OwnHouse, publisher: Publisher) -> None:
    publisher.publish(listed("BK-1"))
    accepted(house, publisher)
    house.setting('fail_mode = "open"\n')
    denied(*house.asked(), saying="BK-1")


def test_a_listed_digest_blocks_the_very_files_and_no_others(house: OwnHouse, publisher: Publisher) -> None:
    own = json.loads(house.bk("self", "release", "--json").stdout)["digest"]
    publisher.publish(listed("BK-D", digest="sha256:" + "0" * 64))
    accepted(house, publisher)
    let(*house.asked())
    publisher.publish(listed("BK-E", digest=own))
    accepted(house, publisher)
    house.soon(DENIED, "BK-E")
    denied(*house.asked(), saying="BK-E")


def test_a_bad_signature_blocks_until_a_good_list_comes(house: OwnHouse, publisher: Publisher) -> None:
    publisher.publish()
    accepted(house, publisher)
    let(*house.asked())
    note = (publisher.folder / "bk-self.note").read_bytes()
    house.feed.serve("/self/bk-self.note", note.replace(b"serial 1", b"serial 2"))
    assert house.refresh()["word"] == "refused"
    house.soon(DENIED, "not signed by the release key")
    denied(*house.asked(), saying="not signed by the release key")
    until(lambda: house.incidents("self-refused"))
    accepted(house, publisher)
    let(*house.asked())


def test_an_expired_list_holds_and_warns(house: OwnHouse, publisher: Publisher) -> None:
    publisher.publish()
    now = time.time_ns() // 1_000_000
    data = listing.text(())
    note = sign(
        publisher.secret.read_text(),
        feed=listing.FEED, serial=1, issued_ms=now - 10_000, expires_ms=now + 4_000, payloads={"list-1.json": data},
    )  # fmt: skip
    (publisher.folder / "bk-self.note").write_bytes(note)
    (publisher.folder / "list-1.json").write_bytes(data)
    accepted(house, publisher)
    time.sleep(4.5)
    told = house.refresh()
    assert (told["word"], told["expired"], told["problem_kind"]) == ("clear", True, "expired")
    let(*house.asked())
    assert house.bk("self", "status").returncode == 3
    assert "expired" in house.bk("diag").stdout
    until(lambda: house.incidents("self-expired"))


def test_a_serial_that_goes_back_warns(house: OwnHouse, publisher: Publisher) -> None:
    publisher.publish()
    old = publisher.kept("old")
    publisher.publish()
    accepted(house, publisher)
    publisher.folder = old
    house.serve(publisher)
    told = house.refresh()
    assert (told["word"], told["serial"], told["problem_kind"]) == ("clear", 2, "rolled-back")
    let(*house.asked())
    assert "serial 1 was offered after 2" in house.bk("diag").stdout.replace("\n", " ").replace("  ", "")
    noted = [entry.data["kind"] for entry in house.entries() if entry.data.get("outcome") == "noted"]
    assert noted == ["rolled-back"]


def test_without_a_network_what_was_accepted_holds(house: OwnHouse, publisher: Publisher) -> None:
    house.setting('[self_catalog]\nurl = "https://localhost:1/self"\n')
    told = house.refresh()
    assert (told["word"], told["problem_kind"]) == ("never", "offline")
    let(*house.asked())
    assert house.bk("diag").returncode == 3
    house.setting(f'[catalog_sync]\nca_file = "{house.feed.ca_file}"\n')
    publisher.publish(listed("BK-1"))
    accepted(house, publisher)
    house.setting('[self_catalog]\nurl = "https://localhost:1/self"\n')
    told = house.refresh()
    assert (told["word"], told["problem_kind"]) == ("listed", "offline")
    denied(*house.asked(), saying="BK-1")


def test_every_sync_asks_for_the_list_too(house: OwnHouse, publisher: Publisher) -> None:
    off = "".join(f"[catalogs.{name}]\nenabled = false\n" for name, on in SOURCES.items() if on)
    house.setting(f'{off}[catalog_sync]\nca_file = "{house.feed.ca_file}"\n')
    publisher.publish(listed("BK-1"))
    house.serve(publisher)
    let(house.call("ls"))
    done = house.bk("catalogs", "sync")
    assert done.returncode in (0, 3), done.stderr
    assert house.status()["idents"] == ["BK-1"]
    asked = len(house.feed.asked("/self/bk-self.note"))
    house.bk("catalogs", "sync")
    assert len(house.feed.asked("/self/bk-self.note")) == asked, "not before it is due again"
    house.bk("catalogs", "sync", "--force")
    assert len(house.feed.asked("/self/bk-self.note")) == asked + 1
    denied(*house.asked(), saying="BK-1")


def test_a_folder_is_as_good_as_the_network(house: OwnHouse, publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(listed("BK-1"))
    done = house.bk("self", "verify", "--from", str(publisher.folder))
    assert done.returncode == 1
    denied(*house.asked(), saying="BK-1")
    assert house.bk("self", "verify", "--from", str(tmp_path / "nothing")).returncode == 1


@pytest.mark.parametrize("which", ["bk-self.note", "list-1.json", "answer"])
@pytest.mark.parametrize("how", ["flipped", *(pytest.param(how, marks=pytest.mark.long) for how in ("cut", "deleted"))])
def test_a_tampered_copy_blocks(house: OwnHouse, publisher: Publisher, which: str, how: str) -> None:
    publisher.publish(listed("OLD-1", version="0.0.9"))
    accepted(house, publisher)
    let(*house.asked())
    path = house.own / which
    before = path.read_bytes()
    if how == "flipped":
        path.write_bytes(before[:90] + bytes([before[90] ^ 1]) + before[91:])
    elif how == "cut":
        path.write_bytes(before[:-2])
    else:
        path.unlink()
    if (which, how) == ("answer", "deleted"):  # it is made again from the copy, which was not touched
        let(*house.asked())
        return
    house.soon(DENIED, "altered" if (which, how) != ("bk-self.note", "deleted") else "gone")
    denied(*house.asked(), saying="compromised releases" if which != "answer" else "altered")
    assert house.bk("diag").returncode == 3
    assert house.bk("self", "status").returncode == 1
    until(lambda: house.incidents("self-refused"))
    if which == "answer":
        assert house.bk("self", "verify").returncode == 0
    else:
        assert house.bk("self", "verify").returncode == 1
        accepted(house, publisher)
    let(*house.asked())


def test_deleting_everything_about_the_list_un_lists_nothing(house: OwnHouse, publisher: Publisher) -> None:
    publisher.publish(listed("BK-1"))
    accepted(house, publisher)
    denied(*house.asked(), saying="BK-1")
    shutil.rmtree(house.own)
    house.soon(DENIED, "gone")
    shutil.rmtree(house.own, ignore_errors=True)
    denied(*house.asked(), saying="gone")


@pytest.mark.skipif(any(each.agent for each in ancestors(os.getpid())), reason="an agent is running the tests")
def test_a_person_overrules_one_listing_in_one_list(house: OwnHouse, publisher: Publisher) -> None:
    publisher.publish(listed("BK-1"))
    accepted(house, publisher)
    denied(*house.asked(), saying="BK-1")
    refused = house.bk("self", "overrule", "BK-1", "--reason", "x", "--admin")
    assert refused.returncode == 1
    assert "terminal" in refused.stderr

    def person(*words: str) -> tuple[int, str]:
        env = {name: value for name, value in house.env.items() if name not in MARKERS}
        child = pexpect.spawn(
            str(house.build.python), ["-m", "bk", "self", *words], env={**env, "NO_COLOR": "1"}, encoding="utf-8",
            dimensions=(40, 200), timeout=30, cwd=str(house.project),
        )  # fmt: skip
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus or 0, child.before

    assert person("overrule", "BK-2", "--reason", "x", "--admin")[0] == 2
    assert person("overrule", "BK-1", "--admin")[0] == 1
    code, told = person("overrule", "BK-1", "--reason", "built here from audited source", "--admin")
    assert code == 3, told
    assert "overruled" in told
    house.soon(LET)
    let(*house.asked())
    assert "built here from audited source" in house.bk("self", "status").stdout
    publisher.publish()
    accepted(house, publisher)
    denied(*house.asked(), saying="BK-1")
    assert "built here from audited source" in house.bk("self", "status").stdout, "it is shown for ever"


def test_publishing_is_a_few_words(tmp_path: Path, house: OwnHouse) -> None:
    key = tmp_path / "release.key"
    made = house.bk("self", "key", "new", str(key), "--name", "team.example")
    assert made.returncode == 0
    assert key.stat().st_mode & 0o777 == 0o600
    assert house.bk("self", "key", "show", str(key)).stdout == made.stdout
    again = house.bk("self", "key", "new", str(key))
    assert again.returncode == 1
    assert "never overwritten" in again.stderr
    folder = str(tmp_path / "site")
    words = ("self", "publish", folder, "--key", str(key))
    done = house.bk(*words, "--version", "0.1.0", "--id", "BK-1", "--reason", "stolen token")
    assert done.returncode == 0, done.stderr
    assert "serial 1" in done.stdout
    assert "serial 2" in house.bk(*words, "--withdraw", "BK-1").stdout
    assert house.bk(*words, "--version", "not one", "--id", "BK-2", "--reason", "x").returncode == 2
    assert house.bk(*words, "--digest", "sha256:12", "--id", "BK-2", "--reason", "x").returncode == 2
    assert house.bk(*words, "--withdraw", "BK-9").returncode == 1
    assert sorted(path.name for path in Path(folder).iterdir()) == ["bk-self.note", "list-1.json", "list-2.json"]
