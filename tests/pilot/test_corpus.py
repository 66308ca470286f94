"""What a person says in the corpus is in the corpus and in the ledger afterwards, and nothing is without them."""

from __future__ import annotations

import pytest

from bk.engine.console import corpus as console
from bk.engine.console import overlay
from bk.engine.corpus.shapes import Label
from bk.engine.corpus.store import Corpus
from bk.engine.state import State
from bk.tui.screens.confirm import SETTLE_SECONDS, Confirm
from bk.tui.screens.corpus_label import Labelling
from tests.pilot.conftest import Board, running
from tests.pilot.test_hostile import STORABLE, harmless, wicked
from tests.unit.corpus.house import House

EVIL = "npm install evil@1.0.0"
PURL = "pkg:npm/evil@1.0.0"


@pytest.fixture
def house(state: State) -> House:
    """An agent installed what two say is bad; later a third says so too."""
    made = House(state)
    made.say("evil", "alpha", "beta")
    made.sync()
    assert made.does(EVIL) == "block"
    made.does("cat ~/.ssh/id_rsa")
    console.page(env={"HOME": state.home})  # takes in what the ledger holds
    made.say("evil", "gamma")
    made.sync()
    return made


def words(state: State) -> list[Label]:
    with Corpus(state) as corpus:
        return [label for cluster in corpus.clusters() for label in corpus.labels_of(cluster.id)]


async def answered(board: Board, *keys: str) -> None:
    await board.until(lambda: isinstance(board.app.screen, Confirm))
    await board.pilot.pause(SETTLE_SECONDS + 0.05)
    await board.press(*keys)


async def at_evil(board: Board) -> None:
    await board.sees("npm/evil@1.0.0")
    board.rows.pick(next(at for at in range(board.rows.rows.count()) if "evil" in board.rows.rows.at(at).title))
    await board.sees("gamma")


@pytest.mark.usefixtures("house")
async def test_what_was_known_then_stands_beside_what_is_known_now(state: State) -> None:
    board = Board(state, first="corpus")
    async with running(board, (160, 40)):
        await at_evil(board)

        def panes() -> list[str]:
            return [str(pane.query_one("#explained").render()) for pane in board.front.query("Detail")]

        await board.until(lambda: "+ gamma" in panes()[1])
        then, now = panes()
        assert "alpha, beta" in then
        assert "gamma" in then, "who knows the ecosystem and said nothing then is told too"
        assert "3" in now
        assert "says so too" in now
        assert "none yet" in now


@pytest.mark.usefixtures("at_a_terminal", "house")
async def test_a_label_with_source_and_note_is_kept_and_follows_and_is_taken_back(state: State) -> None:
    board = Board(state, first="corpus")
    env = board.session.env
    async with running(board):
        await at_evil(board)
        await board.press("m")
        await board.until(lambda: isinstance(board.app.screen, Labelling))
        await board.sees("An entry of tier enforce")
        await board.press("right", "right")
        await board.sees("An entry of tier watch")
        await board.press("left", "left")
        await answered(board, "tab", *"seen", "tab", "y")
        await board.until(lambda: len(words(state)) == 1)
        (label,) = words(state)
        assert (label.true_label, label.source, label.human) == ("malicious", "forensic_review", True)
        assert label.evidence["note"] == "seen"
        entry = board.session.outcome("corpus_label", true_label="malicious")
        assert (entry.data["outcome"], entry.data["note"]) == ("done", "seen")
        await board.sees(f"entry #{entry.seq}")
        (own,) = overlay.rows(env=env)
        assert (own.purl, own.tier) == (PURL, "enforce")
        await board.sees("a person")
        await board.press("u")
        await board.until(lambda: len(words(state)) == 2)
        assert words(state)[1].supersedes == label.id, "nothing is deleted: a label says that the other counts no more"
        await board.until(lambda: not overlay.rows(env=env))


@pytest.mark.usefixtures("at_a_terminal")
async def test_the_label_that_counts_is_taken_back_whoever_gave_it(state: State, house: House) -> None:
    house.run()
    board = Board(state, first="corpus")
    async with running(board):
        await at_evil(board)
        await board.sees("automatic, catalogs confirmed")
        given = next(label for label in words(state) if label.true_label == "malicious")
        await board.press("U")
        await answered(board, "y")
        await board.until(lambda: any(label.supersedes == given.id for label in words(state)))
        undone = board.session.outcome("corpus_undo", label=given.id)
        assert undone.data["outcome"] == "done"
        await board.sees("taken back")


@pytest.mark.usefixtures("at_a_terminal", "house")
async def test_benign_and_policy_have_sources_of_their_own_and_enter_cancels(state: State) -> None:
    board = Board(state, first="corpus")
    async with running(board):
        await at_evil(board)
        await board.press("b")
        await board.sees("benign explained")
        await answered(board, "b", "enter")
        await board.sees("cancelled: nothing was done")
        assert not words(state)
        await board.press("c")
        await answered(board, "right", "y")
        await board.until(lambda: len(words(state)) == 1)
        assert (words(state)[0].true_label, words(state)[0].source) == ("policy_correct", "benign_explained")


@pytest.mark.usefixtures("at_a_terminal", "house")
async def test_an_own_entry_is_revoked_after_a_question(state: State) -> None:
    env = Board(state).session.env
    own = overlay.add("npm:worse@2.0.0", reason="we saw it", admin=True, env=env)
    board = Board(state, first="corpus")
    async with running(board):
        await at_evil(board)
        await board.press("o")
        await board.sees("npm:worse@2.0.0")
        await board.sees("enforce")
        assert "in 364d" in board.text() or "in 365d" in board.text()
        await board.press("x")
        await answered(board, "x", "enter")
        assert [row.id for row in overlay.rows(env=env)] == [own.id]
        await board.press("x")
        await answered(board, "shift+tab", *"wrong", "tab", "y")
        await board.until(lambda: not overlay.rows(env=env))
        ended = board.session.outcome("overlay_revoke", entry=own.id)
        assert (ended.data["outcome"], ended.data["reason"]) == ("done", "wrong")
        await board.press("a")
        await board.sees("✓ revoked")
        await board.press("escape")
        await board.sees("npm/evil@1.0.0")


@pytest.mark.usefixtures("at_a_terminal", "house")
async def test_the_engine_judges_on_a_key(state: State) -> None:
    board = Board(state, first="corpus")
    async with running(board):
        await at_evil(board)
        await board.press("J")
        await board.until(lambda: any(label.source == "catalog_confirmation" for label in words(state)))
        await board.until(lambda: board.session.outcome("corpus_adjudicate").data["outcome"] == "done")


@pytest.mark.usefixtures("house")
async def test_without_admin_nothing_is_said_and_the_reason_is(state: State) -> None:
    board = Board(state, first="corpus", why_not_admin="it must be asked for with --admin")
    before = len(board.entries())
    async with running(board):
        await at_evil(board)
        for key in ("m", "b", "c", "J"):
            await board.press(key)
            await board.sees("read-only: it must be asked for with --admin")
            assert not isinstance(board.app.screen, Confirm)
    assert not words(state)
    assert len(board.entries()) == before


@pytest.mark.usefixtures("house")
async def test_the_filter_and_the_json_tell_of_the_outcome(state: State) -> None:
    board = Board(state, first="corpus")
    async with running(board):
        await at_evil(board)
        await board.press("slash", *"evil", "enter")
        await board.until(lambda: board.rows.rows.count() == 1)
        record = board.front.record()  # type: ignore[attr-defined]
        assert record["now"][PURL]["groups"] == ["alpha", "beta", "gamma"]
        assert record["labels"] == []


async def test_an_empty_corpus_says_why(state: State) -> None:
    board = Board(state, first="corpus")
    async with running(board):
        await board.sees("Nothing has happened yet that needs a review.")


@pytest.mark.usefixtures("at_a_terminal")
async def test_hostile_text_is_inert_in_every_pane_and_question(state: State) -> None:
    board = Board(state, first="corpus")
    board.write(*(entry for text in STORABLE for entry in wicked(text)[:1]))
    async with running(board):
        rows = board.rows
        await board.until(lambda: rows.rows.count() > 5)
        for at in range(0, rows.rows.count(), 3):
            rows.pick(at)
            told = board.front.explained()
            assert told is not None
            harmless(told[1](80).plain, (80, 24))
            await board.pilot.pause()
            harmless(board.text(), (100, 30))
        await board.press("m")
        harmless(board.text(), (100, 30))
        await board.press("escape")
        assert board.app.is_running
