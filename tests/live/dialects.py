"""The five protocols in which clients speak to a model: what they offer and have been told, and an answer they take."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Protocol

from tests.live.script import Move, Offer

Json = Any
Answer = tuple[str, bytes]  # content type and body
JSON, EVENTS = "application/json", "text/event-stream"


class Dialect(Protocol):
    """One protocol."""

    def offers(self, body: dict[str, Json]) -> Iterator[Offer]:
        """The tools of the request."""

    def results(self, body: dict[str, Json]) -> int:
        """How many tools have already answered: the number of the step to play, so that a repeated request repeats."""

    def answer(self, body: dict[str, Json], turn: Move, ident: str) -> Answer:
        """A turn of the model."""


def plain(told: Json) -> Answer:
    """One JSON value."""
    return JSON, json.dumps(told).encode()


def streamed(events: list[Json], *, named: bool = False, end: str = "") -> Answer:
    """Server-sent events."""
    rows = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    return EVENTS, ("".join(rows) + (f"data: {end}\n\n" if end else "")).encode()


class Messages:
    """Anthropic's."""

    def offers(self, body: dict[str, Json]) -> Iterator[Offer]:
        for tool in body.get("tools") or ():
            yield Offer(tool.get("name", ""), tool.get("input_schema"))

    def results(self, body: dict[str, Json]) -> int:
        parts = [each["content"] for each in body.get("messages") or () if isinstance(each.get("content"), list)]
        return sum(part.get("type") == "tool_result" for each in parts for part in each if isinstance(part, dict))

    def answer(self, body: dict[str, Json], turn: Move, ident: str) -> Answer:
        if turn.offer is not None:
            block: dict[str, Json] = {
                "type": "tool_use",
                "id": f"toolu_{ident}",
                "name": turn.offer.name,
                "input": turn.given,
            }
            opened: dict[str, Json] = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(turn.given)}
        else:
            block, opened = {"type": "text", "text": turn.words}, {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": turn.words}
        stop = "tool_use" if turn.offer is not None else "end_turn"
        usage = {"input_tokens": 9, "output_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        whole = {
            "id": "msg_live", "type": "message", "role": "assistant", "model": body.get("model"), "content": [block],
            "stop_reason": stop, "stop_sequence": None, "usage": usage,
        }  # fmt: skip
        if not body.get("stream"):
            return plain(whole)
        return streamed(
            [
                {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
                {"type": "content_block_start", "index": 0, "content_block": opened},
                {"type": "content_block_delta", "index": 0, "delta": delta},
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": stop, "stop_sequence": None},
                    "usage": {"output_tokens": 3},
                },
                {"type": "message_stop"},
            ],
            named=True,
        )


class Completions:
    """OpenAI's chat completions, which most others speak too."""

    def offers(self, body: dict[str, Json]) -> Iterator[Offer]:
        for tool in body.get("tools") or ():
            told = tool.get("function") or {}
            yield Offer(told.get("name", ""), told.get("parameters"))

    def results(self, body: dict[str, Json]) -> int:
        return sum(each.get("role") == "tool" for each in body.get("messages") or ())

    def answer(self, body: dict[str, Json], turn: Move, ident: str) -> Answer:
        frame = {"id": "chatcmpl-live", "created": int(time.time()), "model": body.get("model")}
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        said: dict[str, Json] = {"role": "assistant", "content": turn.words}
        end = "stop"
        if turn.offer is not None:
            told = {"name": turn.offer.name, "arguments": json.dumps(turn.given)}
            said = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": ident, "type": "function", "function": told}],
            }
            end = "tool_calls"
        if not body.get("stream"):
            choice = {"index": 0, "message": said, "finish_reason": end}
            return plain({**frame, "object": "chat.completion", "choices": [choice], "usage": usage})
        if "tool_calls" in said:
            said = {**said, "tool_calls": [{**said["tool_calls"][0], "index": 0}]}
        frame["object"] = "chat.completion.chunk"
        first = {**frame, "choices": [{"index": 0, "delta": said, "finish_reason": None}]}
        last = {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": end}]}
        return streamed([first, last, {**frame, "choices": [], "usage": usage}], end="[DONE]")


class Responses:
    """OpenAI's responses: tools may be grouped, free of form, or come along with the conversation."""

    def offers(self, body: dict[str, Json]) -> Iterator[Offer]:
        yield from self._tools(body.get("tools"), "")
        for item in body["input"] if isinstance(body.get("input"), list) else ():
            if item.get("type") == "additional_tools":
                yield from self._tools(item.get("tools"), "")

    def _tools(self, tools: Json, space: str) -> Iterator[Offer]:
        for tool in tools or ():
            if tool.get("type") == "namespace":
                yield from self._tools(tool.get("tools"), tool.get("name", ""))
            elif tool.get("type") == "local_shell":
                yield Offer("local_shell", {}, form="local_shell")
            elif tool.get("name"):
                yield Offer(tool["name"], tool.get("parameters"), form=tool.get("type", "function"), space=space)

    def results(self, body: dict[str, Json]) -> int:
        items = body["input"] if isinstance(body.get("input"), list) else ()
        return sum(str(item.get("type", "")).endswith("_call_output") for item in items)

    def answer(self, body: dict[str, Json], turn: Move, ident: str) -> Answer:
        item = self._item(turn, ident)
        usage = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 3,
                 "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 12}  # fmt: skip
        whole = {
            "id": f"resp_{ident}", "object": "response", "created_at": int(time.time()), "model": body.get("model"),
            "status": "completed", "output": [item], "usage": usage, "error": None, "parallel_tool_calls": False,
            "tool_choice": "auto", "tools": [], "metadata": {},
        }  # fmt: skip
        if not body.get("stream"):
            return plain(whole)
        begun = {**whole, "status": "in_progress", "output": [], "usage": None}
        events = [{"type": "response.created", "response": begun}, *self._told(item)]
        events += [
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": whole},
        ]
        return streamed([{**event, "sequence_number": n} for n, event in enumerate(events)], named=True)

    def _item(self, turn: Move, ident: str) -> dict[str, Json]:
        offer = turn.offer
        if offer is None:
            part = {"type": "output_text", "text": turn.words, "annotations": []}
            return {
                "type": "message",
                "id": f"msg_{ident}",
                "role": "assistant",
                "status": "completed",
                "content": [part],
            }
        space = {"namespace": offer.space} if offer.space else {}
        if offer.form == "custom":
            return {"type": "custom_tool_call", "id": f"ctc_{ident}", "call_id": ident, "name": offer.name,
                    "input": turn.given.get("input", ""), "status": "completed", **space}  # fmt: skip
        if offer.form == "local_shell":
            action = {"type": "exec", "command": ["bash", "-lc", turn.given.get("command", "")], "env": {}}
            return {
                "type": "local_shell_call",
                "id": f"lsh_{ident}",
                "call_id": ident,
                "status": "completed",
                "action": action,
            }
        return {"type": "function_call", "id": f"fc_{ident}", "call_id": ident, "name": offer.name,
                "arguments": json.dumps(turn.given), "status": "completed", **space}  # fmt: skip

    def _told(self, item: dict[str, Json]) -> list[dict[str, Json]]:
        where = {"item_id": item["id"], "output_index": 0}
        begun = {**item, "status": "in_progress"}
        added: dict[str, Json] = {"type": "response.output_item.added", "output_index": 0}
        if item["type"] == "function_call":
            text = item["arguments"]
            return [
                {**added, "item": {**begun, "arguments": ""}},
                {"type": "response.function_call_arguments.delta", **where, "delta": text},
                {"type": "response.function_call_arguments.done", **where, "arguments": text},
            ]
        if item["type"] != "message":
            return [{**added, "item": begun}]
        part, at = item["content"][0], {**where, "content_index": 0}
        return [
            {**added, "item": {**begun, "content": []}},
            {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
            {"type": "response.output_text.delta", **at, "delta": part["text"]},
            {"type": "response.output_text.done", **at, "text": part["text"]},
            {"type": "response.content_part.done", **at, "part": part},
        ]


class Gemini:
    """Google's."""

    def offers(self, body: dict[str, Json]) -> Iterator[Offer]:
        for group in body.get("tools") or ():
            for tool in group.get("functionDeclarations") or ():
                yield Offer(tool.get("name", ""), tool.get("parametersJsonSchema") or tool.get("parameters"))

    def results(self, body: dict[str, Json]) -> int:
        return sum(
            "functionResponse" in part for each in body.get("contents") or () for part in each.get("parts") or ()
        )

    def answer(self, body: dict[str, Json], turn: Move, ident: str) -> Answer:
        part: dict[str, Json] = {"text": turn.words}
        if turn.offer is not None:
            part = {"functionCall": {"name": turn.offer.name, "args": turn.given, "id": ident}}
        elif "responseJsonSchema" in json.dumps(body.get("generationConfig") or {}):
            part = {"text": "{}"}
        whole = {
            "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12},
            "responseId": "live",
        }  # fmt: skip
        return streamed([whole]) if body.get("stream") else plain(whole)


class Augment:
    """Augment's own: JSON values, a line each."""

    def offers(self, body: dict[str, Json]) -> Iterator[Offer]:
        for tool in body.get("tool_definitions") or ():
            try:
                schema = json.loads(tool.get("input_schema_json") or "{}")
            except ValueError:
                schema = {}
            yield Offer(tool.get("name", ""), schema)

    def results(self, body: dict[str, Json]) -> int:
        nodes = list(body.get("nodes") or ())
        for turn in body.get("chat_history") or ():
            nodes += turn.get("request_nodes") or ()
        return sum(bool(node.get("tool_result_node")) for node in nodes)

    def answer(self, body: dict[str, Json], turn: Move, ident: str) -> Answer:
        node: dict[str, Json] = {"id": 1, "type": 0, "content": turn.words}
        if turn.offer is not None:
            use = {"tool_use_id": ident, "tool_name": turn.offer.name, "input_json": json.dumps(turn.given)}
            node = {"id": 1, "type": 5, "content": "", "tool_use": use}
        rows = [{"text": turn.words, "nodes": [node]}, {"text": "", "nodes": [], "stop_reason": 3 if turn.offer else 1}]
        return JSON, "".join(json.dumps(row) + "\n" for row in rows).encode()


def dialect_of(path: str) -> Dialect | None:
    """The protocol that a client speaks when it posts to a path."""
    for end, made in _PATHS:
        if path.endswith(end):
            return made
    return None


_PATHS: tuple[tuple[str, Dialect], ...] = (
    ("/messages", Messages()),
    ("/chat/completions", Completions()),
    ("/responses", Responses()),
    (":generateContent", Gemini()),
    (":streamGenerateContent", Gemini()),
    ("/chat-stream", Augment()),
)
