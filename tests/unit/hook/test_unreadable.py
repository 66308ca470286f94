"""What cannot be read is blocked, by every client's own bytes; and whatever a payload holds, there is an answer."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bk.engine.errors import Refusal
from bk.engine.model import Level
from bk.hook.answer import prepare
from bk.hook.harness import HARNESSES, call_of, event_of, harness_data
from bk.hook.request import Request
from tests.unit.decision import House

NAMES = sorted({harness_data(name).NAME for name in HARNESSES})
FIXTURES = Path(__file__).parents[3] / "fixtures" / "harness"
ROWS = [json.loads(line) for path in sorted(FIXTURES.glob("*.jsonl")) for line in path.read_text().splitlines()]
WRONG: list[Any] = [None, True, 3, "", "\x01", [], [1], {}, {"a": 1}, "[", "{", '{"a":1,"a":2}']
BODIES = {
    "nothing": b"",
    "blank": b" \n",
    "cut short": b'{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"comm',
    "50 MB": b'{"tool_name":"' + b"x" * (50 << 20),
    "a NUL": b'{"tool_name":"B\x00ash"}',
    "an escaped NUL": b'{"tool_name":"B\\u0000ash"}',
    "too deep": b'{"a":' * 70 + b"1" + b"}" * 70,
    "far too deep": b'{"a":' + b"[" * 20_000,
    "a name twice": b'{"tool_name":"Bash","tool_name":"Read","tool_input":{}}',
    "no UTF-8": b'{"tool_name":"B\xff\xfe"}',
    "half a character": b'{"tool_name":"\\ud83d"}',
    "a list": b"[]",
    "two values": b"{}{}",
    "no number": b'{"tool_name":"Bash","tool_input":{"n":NaN}}',
    "nobody's shape": b'{"hello":"world"}',
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("home"))


def request(house: House, client: str, body: bytes, event: str = "") -> Request:
    return Request(client, event, house.project, house.home, "0" * 32, {}, body)


@pytest.mark.parametrize("body", BODIES)
def test_it_is_blocked_in_the_words_of_every_client(house: House, body: str) -> None:
    for client in NAMES:
        data = harness_data(client)
        pending = prepare(request(house, client, BODIES[body]), house.world)
        assert pending.entries[0].level == "block", client
        assert pending.entries[0].data["failure"], client
        reply = pending.reply(pending.entries)
        reason = reply.stderr.decode().removesuffix("\n")
        assert reason.startswith("bk blocked this call: "), client
        assert "\n" not in reason
        told = data.DENY.replace("%s", json.dumps(reason)) + "\n" if data.DENY else ""
        assert (reply.exit_code, reply.stdout.decode()) == (data.DENY_EXIT, told), client


def places(payload: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a payload down to what the tool itself is given."""
    if isinstance(payload, dict) and len(at) < 3:
        for name, value in payload.items():
            yield (*at, name)
            yield from places(value, (*at, name))


def with_wrong(payload: Any, at: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(payload)
    inner = made
    for name in at[:-1]:
        inner = inner[name]
    inner[at[-1]] = value
    return made


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_any_part_of_any_wrong_type_is_a_refusal_or_a_call(row: dict[str, Any]) -> None:
    client = row.get("client", "claude-code")
    data = harness_data(client)
    asked = Request(client, row.get("argument", ""), "/p", "/home/dev", "0" * 32, {}, b"")
    seen = 0
    for at in places(row["payload"]):
        for value in WRONG:
            payload = with_wrong(row["payload"], at, value)
            try:
                call = call_of(data, payload, asked, event_of(data, payload, asked))
            except Refusal:
                seen += 1
                continue
            assert type(call.tool) is str
            assert type(call.input) is dict
            assert call.cwd.startswith("/")
            assert type(call.session) is str
            assert type(call.call_id) is str
    assert seen >= 8, "without its tool or its input it is none"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.sampled_from(ROWS), value=JSON, data=st.data())
def test_whatever_a_payload_holds_there_is_an_answer(house: House, row: dict[str, Any], value: Any, data: Any) -> None:
    at = data.draw(st.sampled_from(sorted(places(row["payload"]), key=repr)))
    client = row.get("client", "claude-code")
    body = json.dumps(with_wrong(row["payload"], at, value)).encode()
    pending = prepare(request(house, client, body, row.get("argument", "")), house.world)
    reply = pending.reply(pending.entries)
    known = harness_data(client)
    try:
        event = event_of(known, json.loads(body), Request(client, row.get("argument", ""), "/", "/", "", {}, b""))
    except Refusal:
        event = "pre"
    if Level.of(pending.entries[0].level).denies and event == "pre":
        assert reply.exit_code == known.DENY_EXIT
        assert reply.stderr.strip()
        assert not known.DENY or json.loads(reply.stdout)


@pytest.mark.parametrize("name", ["bk.mcp", "bk.kind"])
def test_nobody_gives_the_names_that_only_the_guard_gives(name: str) -> None:
    payload = {"hook": "before_tool_call", name: "agent", "event": {"toolName": "exec", "params": {"command": "ls"}}}
    data = harness_data("openclaw")
    with pytest.raises(Refusal, match="only this guard"):
        call_of(data, payload, Request("openclaw", "", "/p", "/h", "0" * 32, {}, b""), "pre")
