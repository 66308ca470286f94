"""One request from a client to one entry and one reply: the same for the resident engine and the cold path."""

from __future__ import annotations

import time

from bk.engine.decide import Judgement, decide, failed
from bk.engine.errors import Refusal
from bk.engine.grants import store
from bk.engine.model import Finding, Level, Verdict
from bk.engine.record import entry_of, level_of, refusal_entry
from bk.engine.remember import remembered
from bk.engine.strict import parse_object
from bk.hook.harness import Reply, call_of, event_of, harness_data, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Entry, ToolCall
    from bk.engine.world import World
    from bk.hook.harness import HarnessData
    from bk.hook.request import Request


class Pending:
    """A decision that has not been recorded yet. `reply` may be asked for only once its entry is committed."""

    __slots__ = ("_data", "_event", "_instead", "_judgement", "_warning", "entries", "sync")

    def __init__(self, data: HarnessData | None, event: str, judgement: Judgement, entry: Entry) -> None:
        self._data = data
        self._event = event
        self._judgement = judgement
        self._warning: Verdict | None = None
        self._instead: Reply | None = None
        self.entries = [entry]
        self.sync = judgement.verdict.level.denies or bool(judgement.verdict.failure)

    def reply(self, stored: list[Entry]) -> Reply:
        """The client's bytes, taken from what the ledger holds: for a request that was recorded before (its first
        answer was lost), that is the first verdict."""
        verdict = self._judgement.verdict
        recorded = level_of(stored[0])
        if recorded is not verdict.level:
            verdict = _recorded(stored[0])
        elif self._instead is not None:
            return self._instead
        elif self._warning is not None:
            verdict = self._warning
        return answered(self._data, self._event, verdict, self._judgement)

    def warn(self, verdict: Verdict, instead: Reply | None = None) -> None:
        """Say what there is to say now that the call has run, or have its output replaced."""
        self._warning = verdict
        self._instead = instead


def prepare(request: Request, world: World) -> Pending:
    """Parse, decide and describe a request. Whatever is wrong with it becomes a verdict, never an exception."""
    started = time.perf_counter_ns()
    data: HarnessData | None = None
    event = "pre"
    try:
        data = harness_data(request.harness)
        limits = world.policy.values
        payload = parse_object(request.body, max_bytes=limits["hook.max_bytes"], max_depth=limits["hook.max_depth"])
        event = event_of(data, payload, request)
        call = call_of(data, payload, request, event)
    except Refusal as refusal:
        judgement = Judgement(failed(refusal, world.policy), (), world.policy)
        entry = refusal_entry(
            harness=request.harness,
            event=event,
            body=request.body,
            judgement=judgement,
            world=world,
            nonce=request.nonce,
            claims=request.claims(),
        )
        return Pending(data, event, judgement, entry)
    judgement = decide(call, world)
    unsaid: Verdict | None = None
    instead: Reply | None = None
    if event == "post":
        unsaid = judgement.verdict if getattr(data, "WARNS_AFTER", False) else None
        judgement = _ran(judgement)
        if not judgement.verdict.level.denies:
            judgement, instead = _shown(judgement, call, data)
            unsaid = _both(unsaid, judgement.verdict)
    elif judgement.spends and not store.spend(world.state, judgement.spends, request.nonce, world.now_ms()):
        judgement = decide(call, world, once=False)  # another call was faster, or it cannot be written down
    took = time.perf_counter_ns() - started
    if took > request.deadline_ms * 1_000_000:
        late = Refusal("deadline", f"deciding took {took // 1_000_000} ms, longer than the client waits")
        judgement = Judgement(failed(late, judgement.policy), judgement.actions, judgement.policy)
    judgement, incidents = remembered(call, judgement, world)
    pending = Pending(data, event, judgement, entry_of(call, judgement, world, took // 1000, nonce=request.nonce))
    pending.entries += incidents
    if unsaid is not None and unsaid.level is Level.WARN:
        pending.warn(unsaid, instead)
    return pending


def _ran(judgement: Judgement) -> Judgement:
    """The judgement of a call that has run: what was asked was granted and what was warned of was told, so only a
    call that must never have run is still answered. The findings stay on record."""
    verdict = judgement.verdict
    if verdict.failure or verdict.level.denies:
        return judgement
    return judgement.with_verdict(Verdict(Level.ALLOW, verdict.findings))


def _shown(judgement: Judgement, call: ToolCall, data: HarnessData) -> tuple[Judgement, Reply | None]:
    """The judgement with what was found in the output, and the answer that keeps a secret in it from the model."""
    from bk.hook.outcome import RULE, secret_in

    found = secret_in(call.response)
    if found is None or RULE in judgement.policy.values["rules.disabled"]:
        return judgement, None
    verdict = judgement.verdict
    return judgement.with_verdict(Verdict(verdict.level, [*verdict.findings, found.finding])), found.reply(data)


def _both(unsaid: Verdict | None, ran: Verdict) -> Verdict | None:
    """What is still to be said of a call that has run: what this client could not hear before, and about its output."""
    found = [finding for finding in ran.findings if finding.rule == "output/secret"]
    if not found:
        return unsaid
    before = [*unsaid.findings] if unsaid is not None and unsaid.level is Level.WARN else []
    return Verdict(Level.WARN, [*found, *before])


def unrecorded(request: Request, world: World | None, cause: str, detail: str) -> Reply:
    """The answer when nothing could be recorded: what `fail_mode` says, which is a block unless the user relaxed it."""
    policy = world.policy if world is not None else None
    verdict = failed(Refusal(cause, detail, "run `bk diag`"), policy)
    event = "pre"
    data: HarnessData | None = None
    try:
        data = harness_data(request.harness)
        event = event_of(data, {}, request)
    except Refusal:
        verdict = Verdict(Level.BLOCK, verdict.findings, failure=cause)
    return answered(data, event, verdict, None)


def answered(data: HarnessData | None, event: str, verdict: Verdict, judgement: Judgement | None) -> Reply:
    """Render a verdict; for a client nobody knows, the one thing every client takes for a no."""
    if data is None:
        reason = verdict.reason or "the request could not be decided"
        return Reply(2, b"", f"bk blocked this call: {reason}\n".encode())
    fallback = judgement.policy.values["hook.ask_fallback"] if judgement is not None else "block"
    return render(data, event, verdict.level, verdict, ask_fallback=fallback)


def _recorded(entry: Entry) -> Verdict:
    findings = [
        Finding(item["rule"], Level.of(item["level"]), item["reason"], instead=item.get("instead", ""))
        for item in entry.data.get("findings", [])
    ]
    return Verdict(level_of(entry), findings, failure=entry.data.get("failure", ""))
