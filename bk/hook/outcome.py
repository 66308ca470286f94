"""What a call put out, without the secrets in it that give themselves away by their shape. Pure; after a call only."""

from __future__ import annotations

import json
import re

from bk.engine.ledger.shapes import SHAPES, maybe_token, tokens
from bk.engine.model import Finding, Level
from bk.hook.harness import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bk.engine.model import Json
    from bk.hook.harness import HarnessData

RULE = "output/secret"
ADVICE = "do not ask for it again; name the file or the variable that holds it"
MAX_DEPTH = 40
MAX_TEXT = 200_000
_MARK = re.compile(r"\[REDACTED:([a-z-]+)\]")


class Outcome:
    """An output with a secret in it: the same without, and what is said about that."""

    __slots__ = ("clean", "finding")

    def __init__(self, clean: Json, finding: Finding) -> None:
        self.clean = clean
        self.finding = finding

    def reply(self, data: HarnessData) -> Reply | None:
        """The client's own way of showing its model the output without the secret; None where there is none.

        In the template `%o` stands for the output in its own shape, `%t` for it as a text, `%s` for the remark.
        """
        way: tuple[int, str] | None = getattr(data, "HIDES", None)
        if way is None:
            return None
        said = f"bk: {self.finding.reason}; {ADVICE}"
        values = {"%o": self.clean, "%t": f"{said}\n\n{_text(self.clean)[:MAX_TEXT]}", "%s": said}
        told = re.sub("%[ost]", lambda found: json.dumps(values[found[0]]), way[1])
        return Reply(way[0], told.encode() + b"\n")


def secret_in(response: Json) -> Outcome | None:
    """What is wrong with an output; None when no secret is seen in it."""
    clean = _clean(response, 0)
    if clean == response:
        return None
    before = set(_MARK.findall(json.dumps(response)))
    kinds = sorted(set(_MARK.findall(json.dumps(clean))) - before) or ["secret"]
    reason = f"the output of the call has a secret in it ({', '.join(kinds[:3])})"
    return Outcome(clean, Finding(RULE, Level.WARN, reason, instead=ADVICE))


def _clean(value: Json, depth: int) -> Json:
    if type(value) is str:
        return _clean_text(value)
    if depth >= MAX_DEPTH:
        return value
    if type(value) is dict:
        return {key: _clean(item, depth + 1) for key, item in value.items()}
    if type(value) is list:
        return [_clean(item, depth + 1) for item in value]
    return value


def _clean_text(text: str) -> str:
    low = text.lower()
    for literals, replace in SHAPES:
        if any(literal in low for literal in literals):
            text = replace(text)
    return tokens(text, low) if maybe_token(low) else text


def _text(value: Json) -> str:
    """An output as the model would have read it: its texts, one below the other."""
    return "\n".join(dict.fromkeys(text for text in _texts(value) if text))


def _texts(value: Json) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif type(value) is dict:
        for key, item in value.items():
            if key not in ("type", "resultType", "mimeType"):
                yield from _texts(item)
    elif type(value) is list:
        for item in value:
            yield from _texts(item)
