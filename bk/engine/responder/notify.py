"""Telling a person: a note on the desktop, a command of theirs, or nothing but the line that `bk diag` shows anyway.

What is told comes from outside, so it is made inert; many notes at once become one; what became of each is recorded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

from bk.engine.model import Entry
from bk.engine.responder import incidents as states
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.model import Json
    from bk.engine.responder.incidents import Incident
    from bk.engine.responder.respond import Outcome
    from bk.engine.state import State

LEVELS = ("info", "warn", "critical")
LEVEL_OF = {
    states.QUARANTINED: "critical", states.FAILED: "critical", states.APPROVAL: "critical", states.PATHLESS: "critical",
    states.OPEN: "warn", states.STALE_EVIDENCE: "warn", states.REPORTED: "info",
}  # fmt: skip
SAID = {
    states.QUARANTINED: "taken out of use", states.FAILED: "could not be taken out of use",
    states.APPROVAL: "waits for your word", states.PATHLESS: "is known to be bad; where it lies is not known",
    states.OPEN: "is reported as bad", states.STALE_EVIDENCE: "changed before it could be held",
    states.REPORTED: "would be taken out of use (dry run)",
}  # fmt: skip
TITLE = "bk: installed packages that are known to be bad"
SHOWN = 240
MANY = 3
WINDOW_S = 60.0
PATIENCE_S = 5.0
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
FILE = "notified.json"


def tell(
    state: State, values: Mapping[str, Json], outcome: Outcome, env: Mapping[str, str] | None = None
) -> list[Entry]:
    """Tell of what is new, and return the entries that say how that went."""
    least = LEVELS.index(values["notify.min_level"])
    news = [one for one in outcome.news if LEVELS.index(LEVEL_OF.get(one.state, "info")) >= least]
    news = [one for one in news if one.state in SAID]
    if outcome.tripped and any(one.state == states.APPROVAL for one in news):
        news.sort(key=lambda one: one.state != states.APPROVAL)
    if not news or values["notify.channel"] == "none":
        return []
    texts = _texts(news, recent=_recently(state, len(news)))
    return [_sent(values, text, os.environ if env is None else env) for text in texts]


def _texts(news: Sequence[Incident], *, recent: int) -> list[str]:
    """One note a matter, or one for all of them when there are many within a minute."""
    if recent < MANY:
        return [_line(one) for one in news]
    told = ", ".join(f"{one.name} {one.version}" for one in news[:MANY])
    more = f" and {len(news) - MANY} more" if len(news) > MANY else ""
    return [inert(f"{len(news)} incidents: {told}{more}: bk incidents list", SHOWN)]


def _line(one: Incident) -> str:
    return inert(f"{one.ecosystem} {one.name} {one.version} {SAID[one.state]}: bk incidents show {one.id[:8]}", SHOWN)


def _recently(state: State, more: int) -> int:
    """How many notes fall into this minute, these included."""
    path, now = f"{state.root}/{FILE}", time.time()
    try:
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
        at, count = float(told["at"]), int(told["count"])
    except (OSError, ValueError, KeyError, TypeError):
        at, count = 0.0, 0
    if not 0 <= now - at < WINDOW_S:
        at, count = now, 0
    count += more
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        json.dump({"at": at, "count": count}, file)
    return count


def _sent(values: Mapping[str, Json], text: str, env: Mapping[str, str]) -> Entry:
    channel, argv = values["notify.channel"], _argv(values, text, env)
    said: dict[str, Json] = {"event": "notified", "channel": channel, "text": text}
    said["outcome"] = _run(argv, env) if argv else "nobody is there: `bk diag` says it"
    return Entry("responder", "responder", said)


def _argv(values: Mapping[str, Json], text: str, env: Mapping[str, str]) -> list[str]:
    """The program and its arguments: never a shell, and never text where an option could stand."""
    if values["notify.channel"] == "command":
        return [each.replace("{title}", TITLE).replace("{text}", text) for each in values["notify.command"]]
    program = shutil.which("notify-send", path="/usr/bin:/usr/local/bin:/bin")
    if not program or not any(env.get(name) for name in DISPLAYS):
        return []
    return [program, "--app-name=bk", "--urgency=critical", "--", TITLE, text]


def _run(argv: Sequence[str], env: Mapping[str, str]) -> str:
    passed = {name: value for name, value in env.items() if not name.startswith(("PYTHON", "BK_", "LD_"))}
    try:
        done = subprocess.run(
            argv, env=passed, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S, check=False, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{argv[0]} did not end in {PATIENCE_S:.0f} s"
    except OSError as error:
        return f"{argv[0]}: {error.strerror}"
    return "sent" if done.returncode == 0 else f"{argv[0]} ended with code {done.returncode}"
