"""What a person decides: each needs a person, each is two entries, and each says what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bk.engine.console import cases, quarantine
from bk.engine.errors import DEGRADED, BkError
from bk.engine.intel import generations
from bk.engine.inventory.scan import scan
from bk.engine.ledger.store import Ledger
from bk.engine.responder import incidents as states
from bk.engine.responder.incidents import Book
from bk.engine.responder.round import respond
from bk.quarantine.record import Held
from bk.quarantine.refused import HoldRefusedError
from tests.unit.quarantine.house import photograph
from tests.unit.responder.house import House

SETTINGS = "[auto_quarantine]\nenabled = true\ndry_run = false\n[notify]\nchannel = 'none'\n"


class Machine(House):
    """A house whose index is in force and whose inventory is scanned: what the console works on."""

    def __init__(self, tmp: Path) -> None:
        super().__init__(tmp)
        self.env = {"HOME": self.state.home}
        self.settings(SETTINGS)

    def settings(self, text: str) -> None:
        """config.toml."""
        path = Path(self.state.config)
        path.write_text(text)
        path.chmod(0o600)

    def sync(self) -> Any:
        """What the worker does after an activation."""
        from bk.engine.config import snapshot

        generations.activate(self.state, self.records, {"sources": {}}, "live")
        run = scan(self.state, profile="project", roots=[str(self.project)], env=self.env)
        return respond(self.state, snapshot.read(self.state).values, run)

    def told(self) -> list[dict[str, Any]]:
        """What the ledger says of the responder."""
        ledger = Ledger.open(self.state, create=False)
        try:
            return [dict(entry.data) for entry in ledger.entries(limit=1000) if entry.kind == "responder"]
        finally:
            ledger.close()

    def outcomes(self, event: str) -> list[str]:
        """How the deeds of a kind went."""
        return [each["outcome"] for each in self.told() if each["event"] == event]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A person at a terminal, and a package of which two groups speak."""
    for module in (cases, quarantine):
        monkeypatch.setattr(module, "require_admin", lambda admin, env=None: None)
    made = Machine(tmp_path)
    made.install()
    made.say("evil", "osv", "datadog")
    return made


def held(machine: Machine) -> Held:
    (one,) = quarantine.rows(env=machine.env)
    return one


def restore(machine: Machine, **over: Any) -> Held:
    told = {"override": True, "reason": "ours", "admin": True, "env": machine.env, **over}
    return quarantine.restore(held(machine).ident, **told)


def test_a_sync_holds_and_a_restore_gives_every_byte_back_and_is_left_alone(machine: Machine) -> None:
    package = machine.project / "node_modules" / "evil"
    before = photograph(package)
    assert machine.sync().moved == 1
    taken = held(machine)
    assert not (machine.project / "node_modules" / "evil").exists()
    restore(machine)
    assert photograph(package) == before
    for _ in range(3):
        assert machine.sync().moved == 0
    assert photograph(package) == before
    assert machine.only().state == states.EXEMPT
    assert machine.outcomes("quarantine_restore") == ["asked", "done"]
    assert machine.told()[-1]["event"] == "exempt"
    assert taken.digest in [each.get("digest") for each in machine.told()]


def test_what_is_still_known_to_be_bad_is_put_back_only_with_a_reason(machine: Machine) -> None:
    machine.sync()
    with pytest.raises(HoldRefusedError) as caught:
        restore(machine, override=False, reason="")
    assert (caught.value.refusal, caught.value.code) == ("condemned", DEGRADED)
    assert "datadog, osv" in caught.value.detail
    with pytest.raises(BkError, match="why"):
        restore(machine, reason=" ")
    assert machine.outcomes("quarantine_restore") == ["asked", "refused"]
    assert machine.told()[-1]["code"] == "condemned"
    assert held(machine).state == "held"


def test_what_is_known_to_be_bad_no_more_goes_back_without_a_word(machine: Machine) -> None:
    machine.sync()
    machine.records.clear()
    machine.say("evil", "osv")
    machine.sync()
    restore(machine, override=False, reason="")
    assert machine.only().state == states.RESTORED


def test_a_restore_that_is_refused_leaves_no_exemption(machine: Machine) -> None:
    machine.sync()
    machine.install()  # something is in its place again
    with pytest.raises(HoldRefusedError) as caught:
        restore(machine)
    assert caught.value.refusal == "conflict"
    with Book(machine.state) as book:
        assert not book.exempted(machine.only().id, 1 << 60)
        assert book.restored_ms(machine.only().id) == 0


def test_what_was_put_back_elsewhere_is_left_alone_there(machine: Machine) -> None:
    machine.sync()
    other = machine.project / "packages" / "a" / "node_modules"
    other.mkdir(parents=True)
    restore(machine, to=str(other / "evil"))
    assert machine.sync().moved == 0
    assert (other / "evil" / "package.json").exists()


def test_purging_needs_the_end_of_the_id_and_is_one_item(machine: Machine) -> None:
    machine.install("worse")
    machine.say("worse", "osv", "datadog")
    machine.sync()
    first, second = quarantine.rows(env=machine.env)
    told: dict[str, Any] = {"admin": True, "env": machine.env}
    for typed in ("y", "yes", "", first.ident[:6], second.ident[-6:]):
        ((_, what),) = quarantine.purge([first.ident], confirm=lambda _: typed, **told)  # noqa: B023
        assert "left alone" in what
    assert len(quarantine.rows(env=machine.env)) == 2
    assert machine.outcomes("quarantine_purge") == []
    ((gone, what),) = quarantine.purge([first.ident], confirm=lambda item: item.ident[-6:], **told)
    assert (gone.ident, what) == (first.ident, "deleted")
    assert [item.ident for item in quarantine.rows(env=machine.env)] == [second.ident]
    assert machine.outcomes("quarantine_purge") == ["asked", "done"]
    assert machine.told()[-1]["digest"] == first.digest
    assert states.PURGED in {one.state for one in machine.incidents()}
    assert [what for _, what in quarantine.purge([], everything=True, confirm=lambda i: i.ident[-6:], **told)] == [
        "deleted"
    ]
    assert quarantine.rows(env=machine.env) == []


def test_purging_all_leaves_what_is_not_whole(machine: Machine) -> None:
    machine.sync()
    place = Path(machine.state.root, "quarantine", "items", held(machine).ident)
    text = (place / "manifest.json").read_text()
    (place / "manifest.json").write_text(text.replace("evil", "good"))
    told: dict[str, Any] = {"admin": True, "env": machine.env}
    ((_, what),) = quarantine.purge([], everything=True, confirm=lambda item: item.ident[-6:], **told)
    assert what.startswith("left alone")
    assert (place / "payload").exists()


def test_an_item_is_called_by_the_end_of_its_id(machine: Machine) -> None:
    machine.sync()
    ident = held(machine).ident
    assert quarantine.show(ident[-6:], machine.env).held.ident == ident
    for wrong in ("../../escape", "", ".", "..", "/", ident[-3:]):
        with pytest.raises(HoldRefusedError) as caught:
            quarantine.show(wrong, machine.env)
        assert caught.value.refusal == "not_found"


def test_an_export_is_a_copy_and_an_entry(machine: Machine, tmp_path: Path) -> None:
    machine.sync()
    size = quarantine.export(held(machine).ident, str(tmp_path / "evil.tar.gz"), machine.env)
    assert size == (tmp_path / "evil.tar.gz").stat().st_size
    assert machine.outcomes("quarantine_export") == ["asked", "done"]
    assert held(machine).state == "held"


def test_every_decision_needs_a_person(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.install()
    machine.say("evil", "osv", "datadog")
    machine.sync()
    ident = machine.only().id
    told: dict[str, Any] = {"admin": False, "env": machine.env}
    item = held(machine).ident
    for attempt in (
        lambda: cases.ack(ident, **told),
        lambda: cases.exempt(ident, reason="x", **told),
        lambda: cases.approve(ident, **told),
        lambda: cases.reopen(ident, **told),
        lambda: quarantine.restore(item, override=True, reason="x", **told),
        lambda: list(quarantine.purge([item], confirm=lambda held: held.ident[-6:], **told)),
    ):
        with pytest.raises(BkError, match="needs a person"):
            attempt()
    assert held(machine).state == "held"


def test_an_approval_moves_at_once_whatever_the_settings_say(machine: Machine) -> None:
    machine.settings("[notify]\nchannel = 'none'\n")
    assert machine.sync().moved == 0
    incident, outcome = cases.approve(machine.only().id[:8], admin=True, env=machine.env)
    assert (outcome.moved, incident.state, incident.approved) == (1, states.QUARANTINED, 0)
    assert machine.outcomes("incident_approve") == ["asked", "done"]
    with pytest.raises(BkError, match="nothing to approve"):
        cases.approve(incident.id, admin=True, env=machine.env)


def test_an_approval_of_what_changed_since_moves_nothing(machine: Machine) -> None:
    machine.settings("[notify]\nchannel = 'none'\n")
    machine.sync()
    place = machine.project / "node_modules" / "evil" / "package.json"
    place.write_text('{"name": "evil", "version": "9.9.9"}')
    before = photograph(machine.project)
    incident, outcome = cases.approve(machine.only().id, admin=True, env=machine.env)
    assert (outcome.moved, incident.state) == (0, states.STALE_EVIDENCE)
    assert photograph(machine.project) == before


def test_exempt_acknowledge_and_reopen(machine: Machine) -> None:
    machine.settings("[notify]\nchannel = 'none'\n")
    machine.sync()
    ident = machine.only().id
    assert cases.exempt(ident, reason="ours", span="1h", admin=True, env=machine.env).state == states.EXEMPT
    machine.settings(SETTINGS)
    assert machine.sync().moved == 0
    assert "ours" in cases.show(ident, machine.env).exempt
    assert cases.rows(env=machine.env) == []
    assert cases.reopen(ident, admin=True, env=machine.env).state == states.OPEN
    assert machine.sync().moved == 1
    with pytest.raises(BkError, match="why"):
        cases.exempt(ident, reason=" ", admin=True, env=machine.env)


def test_what_is_left_to_do_is_looked_up(machine: Machine) -> None:
    (machine.project / "package-lock.json").write_text(
        '{"name": "shop", "lockfileVersion": 3, "packages": {"": {"dependencies": {"evil": "1.0.0"}},'
        ' "node_modules/evil": {"version": "1.0.0"}}}'
    )
    machine.sync()
    kinds = {each.kind: each for each in cases.show(machine.only().id, machine.env).followups}
    assert kinds["lockfile"].path.endswith("package-lock.json")


def test_a_cut_off_hold_is_recovered_and_recorded(machine: Machine) -> None:
    machine.sync()
    from bk.quarantine.store import Books

    with Books(machine.state) as books:
        books.move_to(books.item(held(machine).ident), "moving")
    assert quarantine.verify(env=machine.env) == []
    assert (machine.project / "node_modules" / "evil").exists()
    assert machine.outcomes("quarantine_recover") == ["asked", "done"]
