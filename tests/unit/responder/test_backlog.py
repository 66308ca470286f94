"""When what landed is checked: at once, less often while it does not rest, and not for ever when that fails."""

from __future__ import annotations

from bk.engine.responder import backlog as pacing
from bk.engine.responder.backlog import Backlog
from bk.engine.responder.eyes import EVERYTHING, Target


def test_too_many_things_are_one_look_at_everything() -> None:
    backlog = Backlog()
    backlog.add([Target("editors", "/e", f"/e/{at}") for at in range(pacing.WAITING_MAX + 1)], 10.0)
    assert list(backlog.due(10.0)) == [EVERYTHING]


def test_pauses_grow_while_a_place_is_restless_and_end_when_it_rests() -> None:
    backlog, target, now = Backlog(), Target("npm", "/p", "/p/node_modules"), 1000.0
    waits = []
    for _ in range(8):
        backlog.add([target], now)
        wait = backlog.wait(now)
        assert wait is not None
        waits.append(wait)
        now += wait
        assert list(backlog.due(now)) == [target]
    assert waits == [0, 2, 4, 8, 16, 32, 60, 60]
    now += 3 * pacing.PAUSE_MAX_S
    backlog.add([target], now)
    assert backlog.wait(now) == 0
    backlog.due(now)
    backlog.add([target], now)
    assert backlog.wait(now) == pacing.PAUSE_S


def test_what_keeps_failing_is_given_up_in_the_end() -> None:
    backlog, target, now = Backlog(), Target("npm", "/p", "/p/node_modules"), 0.0
    backlog.add([target], now)
    rounds = 0
    while len(backlog):
        now += 1000
        (waiting,) = backlog.due(now).values()
        rounds += 1
        if not backlog.failed(target, waiting, now):
            break
    assert rounds == len(pacing.RETRIES_S) + 1
    assert not len(backlog)
