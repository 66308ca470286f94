"""From a call through the real hook to its outcome and what that does: a real engine, real feeds, the command line.

Nothing is put into the corpus by hand: what it knows came through the hook and the ledger.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bk.engine.responder.clock import now_ms
from bk.engine.responder.incidents import Book
from bk.engine.state import State
from tests.e2e.catalog_house import CatalogHouse, Signer, fact
from tests.e2e.engine_house import House, until
from tests.feeds.server import FeedServer
from tests.unit.config.terminal import as_person
from tests.unit.quarantine.house import package

EVIL = "npm install evil@1.0.0"
DAY_NS = 86_400 * 10**9
AHEAD = """
import sys, time
real, ahead = time.time_ns, int(sys.argv[1])
time.time_ns = lambda: real() + ahead
time.time = lambda: time.time_ns() / 1e9
from bk.engine.catalogs import worker
sys.exit(worker.main(sys.argv[2:]))
"""
pytestmark = pytest.mark.long
OTHERS = [
    {"name": f"elsewhere-{number}", "version": "1.0.0"} for number in range(50)
]  # so that one more or less is little
CONFIRMED = "was confirmed as malicious"


class Machine(House):
    """An installation with an engine, two feeds of independent groups, and a person at a terminal."""

    def __init__(self, state: State, feed: FeedServer) -> None:
        super().__init__(state)
        self.feed = feed
        self.catalogs = CatalogHouse(state, feed)
        # lists alone block at three groups, so that what blocks at two is this machine's own
        self.catalogs.settings(
            corroboration__block_at=3,
            corroboration__quarantine_at=3,
            notify__channel="none",
            catalog_sync__keep_dropped_days=0,
        )
        self.signer = Signer(feed)
        self.serial = 0

    def one_group_lists(self, *packages: tuple[str, str]) -> None:
        """A list of the person's names them."""
        told = [{"name": name, "version": version, "severity": "high"} for name, version in packages]
        self.feed.serve("/l.json", json.dumps([*told, *OTHERS]).encode())
        self.catalogs.use("list", "/l.json")
        self.told("catalogs", "sync", "list", "--force")

    def another_lists(self, *packages: tuple[str, str]) -> None:
        """So does an organisation, which signs."""
        self.serial += 1
        lines = [fact(name, version, severity="high") for name, version in packages]
        others = [fact(each["name"], each["version"]) for each in OTHERS]
        self.signer.publish(*lines, *others, serial=self.serial)
        self.catalogs.use("org", "/org", key=self.signer.public)
        self.told("catalogs", "sync", "org", "--force")

    def told(self, *words: str) -> Any:
        """What a command says to a program."""
        done = self.bk(*words, "--json")
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None

    def person(self, *words: str) -> Any:
        """What an admin verb says to a program, run by a person at a terminal."""
        command = [sys.executable, "-m", "bk", *words, "--admin", "--json"]
        code, shown = as_person(command, self.env, Path(self.state.home))
        assert code == 0, shown
        return json.loads(shown.strip().splitlines()[-1])

    def answer(self, command: str) -> tuple[str, str]:
        """`block` or `pass`, and what was said with it."""
        done: subprocess.CompletedProcess[bytes] = self.call(command)
        return "block" if done.returncode == 2 else "pass", (done.stdout + done.stderr).decode()

    def warm(self, command: str) -> tuple[str, str]:
        """The same from an engine that runs already."""
        if not self.engine():
            self.call("true")
        until(self.engine)
        return self.answer(command)

    def cold(self, command: str) -> tuple[str, str]:
        """The same without an engine."""
        self.quiet()
        assert not self.engine()
        return self.answer(command)

    def events(self, *words: str) -> list[dict[str, Any]]:
        """`bk corpus list`."""
        return list(self.told("corpus", "list", *words)["events"])

    def after(self, days: float, verb: str) -> Any:
        """What a worker says whose clock is so many days ahead."""
        words = [sys.executable, "-I", "-c", AHEAD, str(int(days * DAY_NS)), verb]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])["result"]

    def targets(self) -> list[str]:
        """What the sensor is to watch."""
        with Book(self.state) as book:
            return [each["name"] for each in book.targets(now_ms())]


@pytest.fixture
def machine(state: State) -> Iterator[Machine]:
    with FeedServer() as feed:
        made = Machine(state, feed)
        yield made
        made.quiet()


def test_a_benign_command_and_an_unlisted_package_stay_unresolved_for_ever(machine: Machine) -> None:
    machine.one_group_lists(("another", "1.0.0"))
    for command in ("ls -la", "npm install left-pad@1.3.0"):
        assert machine.warm(command)[0] == "pass"
    for _ in range(5):
        assert machine.person("corpus", "adjudicate")["labels"] == {}
    assert [each["purls"] for each in machine.events()] == [["pkg:npm/left-pad@1.3.0"]]
    assert machine.told("corpus", "stats")["outcomes"] == {"unresolved": 1}
    assert machine.told("overlay", "list", "--all")["entries"] == []


def test_a_second_independent_group_confirms_and_the_very_next_install_is_blocked(machine: Machine) -> None:
    folder = package(machine.project, "evil", "1.0.0")
    machine.one_group_lists(("evil", "1.0.0"))
    machine.bk("scan", "--root", str(machine.project))
    word, said = machine.warm(EVIL)
    assert (word, CONFIRMED in said) == ("pass", False)
    (event,) = machine.events("--package", "npm:evil", "--surface", "hook")
    assert (event["decision"]["level"], event["decision"]["agreed"]) == ("warn", ["list"])
    machine.catalogs.settings(corpus__enabled=False)
    machine.another_lists(("evil", "1.0.0"))  # nothing is judged with this sync
    assert machine.warm(EVIL)[0] == "pass"
    machine.catalogs.settings(corpus__enabled=True)
    report = machine.person("corpus", "adjudicate")
    assert report["labels"]["catalog_confirmation"] >= 1

    word, said = machine.warm(EVIL)
    assert (word, CONFIRMED in said) == ("block", True)
    word, said = machine.cold(EVIL)
    assert (word, CONFIRMED in said) == ("block", True)
    assert machine.warm("npm install evil@1.0.1")[0] == "pass"

    shown = machine.told("corpus", "show", event["id"])
    assert shown["outcome"]["true_label"] == "malicious"
    assert shown["now"]["pkg:npm/evil@1.0.0"]["groups"] == ["list", "org"]
    (entry,) = machine.told("overlay", "list")["entries"]
    assert (entry["tier"], entry["version"]) == ("enforce", "1.0.0")
    assert machine.targets() == ["evil"]
    assert folder.is_dir()  # whatever is confirmed, nothing is deleted
    for command in ("explain", "check"):
        words = (command, EVIL) if command == "explain" else (command, "--tool", "Bash", "--args", EVIL)
        assert CONFIRMED in machine.bk(*words).stdout
    found = json.loads(machine.bk("scan", "--root", str(machine.project), "--format", "json").stdout)
    assert [each["level"] for each in found["findings"]] == ["block"]

    machine.one_group_lists()
    machine.another_lists()
    assert machine.told("catalogs", "show", "npm:evil")["records"][0]["groups"] == ["local"]
    # it outlives the syncs, with the weight of who said it last, until everybody was silent for a week
    assert [each["tier"] for each in machine.told("overlay", "list")["entries"]] == ["watch"]
    assert CONFIRMED in machine.bk("explain", EVIL).stdout
    machine.person("corpus", "label", event["id"], "--as", "benign", "--source", "benign_explained")
    assert machine.told("overlay", "list")["entries"] == []
    assert machine.targets() == []
    assert [each["state"] for each in machine.told("incidents", "list", "--all")["incidents"]] == ["resolved"]
    word, said = machine.warm(EVIL)
    assert (word, CONFIRMED in said) == ("pass", False)
    assert machine.cold(EVIL)[0] == "pass"


def test_a_persons_word_acts_at_once_and_is_never_overturned(machine: Machine) -> None:
    machine.one_group_lists(("another", "1.0.0"))
    for name in ("evil@1.0.0", "fine@1.0.0"):
        assert machine.warm(f"npm install {name}")[0] == "pass"
    by = {each["purls"][0]: each["id"] for each in machine.events()}
    assert machine.bk("corpus", "label", by["pkg:npm/evil@1.0.0"], "--as", "malicious", "--admin").returncode != 0
    machine.person("corpus", "label", by["pkg:npm/evil@1.0.0"], "--as", "malicious", "--source", "forensic_review",
                   "--note", "it read a key")  # fmt: skip
    machine.person("corpus", "label", by["pkg:npm/fine@1.0.0"], "--as", "benign", "--source", "benign_explained")
    word, said = machine.warm(EVIL)
    assert (word, "confirmed as malicious by a person" in said) == ("block", True)
    assert machine.cold(EVIL)[0] == "block"

    machine.one_group_lists(("fine", "1.0.0"))
    machine.another_lists(("fine", "1.0.0"))
    for _ in range(3):
        machine.person("corpus", "adjudicate")
    shown = machine.told("corpus", "show", by["pkg:npm/fine@1.0.0"])
    assert (shown["outcome"]["true_label"], shown["outcome"]["human"]) == ("benign", True)
    assert [each["name"] for each in machine.told("overlay", "list")["entries"]] == ["evil"]

    machine.person("overlay", "revoke", "npm:evil@1.0.0", "--reason", "our own fork")
    assert machine.warm(EVIL)[0] == "pass"
    machine.person("corpus", "adjudicate")
    assert machine.warm(EVIL)[0] == "pass"
    machine.person("overlay", "add", "npm:evil@1.0.0", "--reason", "I looked again")
    assert machine.warm(EVIL)[0] == "block"
    said_of = [each.data for each in machine.entries() if each.actor.startswith("person:")]
    deeds = {(each.get("event"), each.get("outcome")) for each in said_of}
    for event in ("corpus_label", "overlay_revoke", "overlay_add"):
        assert {(event, "asked"), (event, "done")} <= deeds


def test_withdrawn_by_everybody_it_is_over_after_a_week_of_silence(machine: Machine) -> None:
    package(machine.project, "evil", "1.0.0")
    machine.one_group_lists(("another", "1.0.0"))
    machine.another_lists(("another", "1.0.0"))
    machine.bk("scan", "--root", str(machine.project))
    assert machine.warm(EVIL)[0] == "pass"
    machine.one_group_lists(("evil", "1.0.0"))
    machine.another_lists(("evil", "1.0.0"))
    (event,) = machine.events("--package", "npm:evil", "--surface", "hook")
    assert event["outcome"]["true_label"] == "malicious"
    assert CONFIRMED in machine.warm(EVIL)[1]
    assert machine.targets() == ["evil"]

    machine.one_group_lists()
    machine.another_lists()
    for days in (0.0, 3.0, 6.9):
        assert machine.after(days, "adjudicate")["corpus"]["labels"].get("catalog_withdrawn", 0) == 0
        assert CONFIRMED in machine.warm(EVIL)[1], f"after {days} days"
    assert machine.after(7.1, "adjudicate")["corpus"]["labels"]["catalog_withdrawn"] >= 1
    assert machine.events("--package", "npm:evil", "--surface", "hook")[-1]["outcome"]["true_label"] == "benign"
    assert machine.told("overlay", "list")["entries"] == []
    assert machine.targets() == []
    assert [each["state"] for each in machine.told("incidents", "list", "--all")["incidents"]] == ["resolved"]
    for ask in (machine.warm, machine.cold):
        word, said = ask(EVIL)
        assert (word, CONFIRMED in said) == ("pass", False)
