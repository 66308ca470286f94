"""What reaches the terminal when every store is full of hostile names: only what the dashboard itself means to say."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from bk.engine.catalogs.store import Row, Store
from bk.engine.console import corpus, gate, grants
from bk.engine.console import scan as scans
from bk.engine.intel import generations
from bk.engine.intel.record import Record
from bk.engine.ledger.store import Ledger
from bk.engine.provenance import PinnedOrigin
from bk.engine.state import State
from bk.quarantine.vault import hold
from bk.tui.places import PLACES
from tests.e2e.test_dashboard_tmux import Pane
from tests.pilot.conftest import decision, installed
from tests.pilot.test_hostile import wicked
from tests.unit.quarantine.house import package, wish
from tests.unit.text.test_inert import HOSTILE

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
MARK = "zqevil"
MORE = [
    f"\x1b[2J\x1b[H{MARK}",
    f"\x1b]0;{MARK}\x07",
    f"\x1b]8;;file:///{MARK}\x1b\\click\x1b]8;;\x1b\\",
    f"\x1bPq#0;2;0;0;0{MARK}\x1b\\",
    f"\x1b[6n\x1bc{MARK}",
    f"\x1b[31;5m{MARK}",
    f"\x9d0;{MARK}\x9c",
    f"\x9b2J{MARK}\u2066\u202e\u2028",
    f"[@click=app.quit]{MARK}[/]",
]
EVIL = [text.encode("utf-8", "replace").decode() for text in (*MORE, *HOSTILE)]
# what the library sends: colours, the cursor, the modes of a terminal and the questions about them, the pointer
OURS = re.compile(
    r"\x1b\[[0-9;]*m|\x1b\[[0-9;]*H|\x1b\[\?[0-9;]+[hl]|\x1b\[\?[0-9;]+\$p|\x1b\[[<>=][0-9;]*u|\x1b\[[0-9;]*[tJK]"
    r"|\x1b\]22;[a-z]*\x07|\x1b\[\?u|\x1b\[c|\x1b\[>[0-9;]*q"
)
TIMES = 3.0
EVERY = tuple(place.name for place in PLACES)
FLOOR = 12  # lines: the first three screens have room for what the ledger says, the others may need many keys for it
SENT = "\ufdd0"  # stands where a sequence of ours was; no text holds it
RUNG = re.compile(f"(?<={SENT})\x07(?={SENT})")  # the app rings between frames; a text's bell has text beside it
ESCAPE = 0.3  # what comes sooner after Esc is read as a key with Alt


@pytest.fixture(autouse=True)
def _at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a person filled the stores; the dashboard is a process of its own, at a terminal of its own."""
    monkeypatch.setattr(gate, "_has_terminal", lambda path: True)
    monkeypatch.setattr(gate, "ancestors", lambda pid: [])


def fill(state: State, texts: Sequence[str]) -> None:
    """Every store that a screen shows, full of these."""
    env = {"HOME": state.home, "BK_HOME": ""}
    Path(state.root, "welcomed").touch()
    vouched = PinnedOrigin("feed.example")  # the index itself takes in no control characters: its names are plain
    known = [Record("npm", "evil", "exact", ("1.0.0",), "critical", (group,), vouched) for group in ("ossf", "osv")]
    generations.activate(state, known, {"sources": {}}, "live")
    ledger = Ledger.open(state)
    ledger.append([entry for text in texts for entry in wicked(text)])
    ledger.append([decision("npm install evil@1.0.0", "block", rule="package/known-bad", target=text) for text in MORE])
    ledger.close()
    project = Path(state.home, "src", "shop")
    project.mkdir(parents=True)
    project.joinpath("package.json").write_text('{"name": "shop", "version": "1.0.0"}')
    for number, text in enumerate(texts):
        wanted = wish(package(project, f"h{number}"), incident=text, rules=[text])
        wanted.evidence = ({"groups": [text], "ids": [text], "severity": text},)
        wanted.name, wanted.version, wanted.actor = text, text, text
        hold(state, wanted)
        folder = project / "node_modules" / f"p{number}"
        folder.mkdir(parents=True)
        folder.joinpath("package.json").write_text(json.dumps({"name": text[:200] or "x", "version": text[:60] or "1"}))
    settings(state, texts)
    scans.scan("project", env=env)
    for number, text in enumerate(texts):
        installed(state, text.replace("\0", "?"), path=f"/p/{number}/{text[:200]}")
    corpus.page(env=env)
    with Store.open(state) as store:
        for name in ("osv", "ossf", "datadog", "github"):
            store.put(Row(name, grp=MORE[0], provenance=MORE[1], problem=f"{MORE[2]}{MORE[7]}", packages={MORE[3]: 1}))
    for number, text in enumerate(MORE):
        grants.allow("git/force-push", agent=text, span="1d", reason=f"{number}{text}", admin=True, env=env)
    client = Path(state.home, ".claude")
    client.mkdir()
    client.joinpath("settings.json").write_text(json.dumps({text: text for text in texts}))


def settings(state: State, texts: Sequence[str]) -> None:
    """A config.toml whose free texts are as hostile as it takes in; one with control characters is refused."""
    escaped = [json.dumps(text[:300]) for text in texts if text.isprintable() and text.strip()]
    path = Path(state.config)
    lines = [f'[scan]\nroots = ["{state.home}/src"]', f"[lists]\nevil = [{', '.join(escaped)}]"]
    lines.append('[catalog_sync]\nenabled = false\nproxy = "http://127.0.0.1:9"\n[notify]\nchannel = "none"')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o600)


def visit(state: State, short_dir: Path, keys: Sequence[Sequence[str]], size: tuple[int, int]) -> dict[str, str]:
    """Go to every screen, press these there, leave; the screens as they were shown, and the bytes."""
    shown: dict[str, str] = {}
    pane = Pane(short_dir, f"{shlex.quote(sys.executable)} -m bk dashboard --admin", state.home, size=size)
    try:
        pane.until("1 Overview", 40)
        for place in PLACES:
            pane.press(place.key)
            end = time.monotonic() + TIMES
            while MARK not in pane.text() and time.monotonic() < end:
                time.sleep(0.05)
            shown[place.name] = pane.text()
            for each in keys:
                pane.press(*each)
                time.sleep(ESCAPE if each[-1] in ("Escape", "i") else 0.12)
                shown[place.name] += pane.text()
        pane.press("q")
        pane.until("left with 0")
        shown["bytes"] = pane.bytes.read_bytes().decode("utf-8", "replace")
    finally:
        pane.close()
    return shown


def judge(shown: dict[str, str], must: Sequence[str]) -> None:
    """Nothing of the data is a control, a direction or a sequence; and the data was really shown."""
    sent = shown["bytes"].partition("left with")[0]
    left = RUNG.sub("", OURS.sub(SENT, sent)).replace(SENT, "")
    assert "\x1b" not in left, [left[max(0, at.start() - 30) : at.start() + 30] for at in re.finditer("\x1b", left)][:5]
    wrong = {char for char in left if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co")} - set("\r\n")
    assert not wrong, ascii(sorted(wrong))
    assert "\x1b[31;5m" not in sent
    assert sent.count("\x1b[2J") <= 2, "the dashboard clears the screen when it begins and ends, nobody else does"
    hidden = [name for name in must if MARK not in shown[name] and "␛" not in shown[name]]
    assert not hidden, f"{hidden} showed none of it:\n{shown[hidden[0]]}"


def test_no_sequence_from_any_store_reaches_the_terminal(state: State, short_dir: Path) -> None:
    fill(state, EVIL[:12])
    judge(visit(state, short_dir, (["j"], ["Enter"], ["Escape"], ["i"], ["j"], ["Escape"]), (100, 30)), EVERY)


@pytest.mark.long
@pytest.mark.parametrize("size", [(40, 12), (160, 50)], ids=str)
def test_no_row_and_no_page_of_any_screen_sends_one(state: State, short_dir: Path, size: tuple[int, int]) -> None:
    fill(state, [*EVIL[len(MORE) :], *MORE])
    rows = [keys for _ in range(12) for keys in (["j"], ["Enter"], ["G"], ["Escape"])]
    asked = [[key] for letter in "xXARPVmbi" for key in (letter, "Escape")]
    judge(visit(state, short_dir, (["i"], *rows, *asked, ["Escape"]), size), EVERY if size[1] > FLOOR else EVERY[:3])
