"""However long or deep a command is, lowering ends soon, and says when it did not see everything."""

from __future__ import annotations

import json
import time

import pytest

from bk.engine.lower import grammar
from bk.engine.model import Opaque
from tests.unit.checks import actions, decided

MIB = 1 << 20


def filled(piece: str, size: int = MIB) -> str:
    return (piece * (size // len(piece) + 1))[:size]


HOSTILE = {
    "commands": filled("cat a; "),
    "words": filled("a "),
    "pipes": filled("a|"),
    "unfinished pipes": "a|" * 2990,
    "unfinished arrays": "a=(" * 2990,
    "parentheses": "(" * 10_000 + ")" * 10_000,
    "substitutions": filled("$("),
    "quotes": filled('"'),
    "expansions": filled("${"),
    "backticks": filled("`"),
    "heredocs": filled("<<A "),
    "expansions in a heredoc": "cat <<E\n" + filled("$x `y` ") + "\nE\n",
    "loops": "for a in 1 2; do " * 200 + "x;" + "done;" * 200,
    "functions": "f(){ g; g; }; g(){ h; h; }; h(){ i; i; }; i(){ j; j; }; j(){ f; f; }; f",
    "fork bomb": ":(){ :|:& };:",
    "braces": "echo " + "{a,b}" * 200,
    "range": "echo {1..999999999}",
    "doubling": "X=aaaaaaaaaaaaaaaa;" + "X=$X$X;" * 40 + "cat $X",
    "files": "cat " + " ".join(f"f{n}" for n in range(50_000)),
    "globs": "cat " + " ".join(f"/home/dev/a*b{n}*" for n in range(5_000)),
    "stars": "cat /etc/" + "*a" * 200,
    "code": 'python3 -c "' + "open('/a/b');" * 50_000 + '"',
    "plain text": "echo '" + filled("lorem ipsum ") + "' > f",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ends_soon(name: str) -> None:
    actions("Bash", "true")
    started = time.process_time()
    decided(HOSTILE[name])
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    "name", ["commands", "words", "pipes", "parentheses", "quotes", "expansions", "files", "loops"]
)
def test_what_was_not_seen_blocks(name: str) -> None:
    verdict = decided(HOSTILE[name])
    assert verdict.level.word == "block"
    assert verdict.findings[0].rule in ("opaque/limit", "opaque/depth")


def test_nesting_of_texts_has_an_end() -> None:
    command = "cat ~/.ssh/id_rsa"
    for _ in range(7):
        command = f"eval {json.dumps(command)}"
    assert not any(isinstance(action, Opaque) for action in actions("Bash", command))
    for _ in range(3):
        command = f"eval {json.dumps(command)}"
    assert [action.why for action in actions("Bash", command) if isinstance(action, Opaque)] == ["depth"]


def test_a_given_up_parse_leaves_no_trace() -> None:
    assert grammar.parse("cat a;" * 100_000) is None
    tree = grammar.parse("ls")
    assert tree is not None
    assert str(tree.root_node) == "(program (command name: (command_name (word))))"


def test_long_honest_heredocs_are_read() -> None:
    body = "\n".join(f"line {n}: some text, (parentheses) and 'quotes'" for n in range(5_000))
    found = actions("Bash", f"cat > notes.txt <<'EOF'\n{body}\nEOF\n")
    assert [action.word for action in found] == ["run", "touch"]
