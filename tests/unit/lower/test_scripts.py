"""Files that are run: their text is read where it is known, and asked for where it is not."""

from __future__ import annotations

import pytest

from bk.engine.lower import Look, lower
from bk.engine.model import ToolCall
from tests.unit.checks import HOME, PROJECT
from tests.unit.lower.seen import seen, short, told

P = PROJECT
GONE = "delete /etc/"


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("bash f", f"{P}/f"),
        ("sh -eu ./f a b", f"{P}/f"),
        ("./f", f"{P}/f"),
        ("cd d && ./f", f"{P}/d/f"),
        ("source ~/f", f"{HOME}/f"),
        (". f", f"{P}/f"),
        ("bash < f", f"{P}/f"),
        ("cat f | sh", f"{P}/f"),
        ('eval "$(cat f)"', f"{P}/f"),
        ("sudo nice bash f", f"{P}/f"),
        ("bash --rcfile f -i", f"{P}/f"),
        ("BASH_ENV=f bash -c ls", f"{P}/f"),
        ("f=f; bash $f", f"{P}/f"),
        ("xargs -0 true; timeout 5 ./f", f"{P}/f"),
    ],
)
def test_a_script_is_asked_for_and_then_read(command: str, file: str) -> None:
    look = Look()
    seen(command, look)
    assert look.wanted == [file]
    look = Look(files={file: "#!/bin/sh\nrm -rf /etc\n"})
    assert GONE in told(command, look)
    assert not look.wanted


@pytest.mark.parametrize("command", ["ls", "/usr/bin/ls f", "bash -n f", "cat f", "git status", "python3 -m x", "vi f"])
def test_what_runs_nothing_asks_for_nothing(command: str) -> None:
    look = Look()
    seen(command, look)
    assert not look.wanted


def test_a_file_that_is_not_there_is_not_asked_for_again() -> None:
    look = Look(files={f"{P}/f": None})
    assert told("bash f", look) == ["run bash f", f"read {P}/f"]
    assert not look.wanted


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("#!/bin/bash", GONE),
        ("#!/usr/bin/env -S zsh -e", GONE),
        ("#! /bin/sh", GONE),
        ("", GONE),
        ("#!/usr/bin/env python3", None),
        ("#!/usr/bin/awk -f", None),
    ],
)
def test_the_first_line_says_who_reads_it(first: str, expected: str | None) -> None:
    found = told("./f", Look(files={f"{P}/f": f"{first}\nrm -rf /etc\n"}))
    assert (GONE in found) == (expected is not None)


def test_an_interpreter_reads_it_in_its_own_language() -> None:
    text = "import shutil\nshutil.rmtree('/etc')\n"
    assert GONE in told("python3 f.py", Look(files={f"{P}/f.py": text}))
    assert GONE in told("./f.py", Look(files={f"{P}/f.py": "#!/usr/bin/env python3\n" + text}))
    assert GONE in told(f"cat > f.py <<'E'\n{text}E\npython3 f.py")


def test_it_says_through_which_file_it_came() -> None:
    look = Look(files={f"{P}/f": "bash g", f"{P}/g": "rm -rf /etc"})
    gone = [action for action in seen("bash f", look) if short(action) == GONE]
    assert [action.via for action in gone] == [("bash f", "bash g")]


def test_scripts_that_run_each_other_end() -> None:
    look = Look(files={f"{P}/f": "bash g; ./f", f"{P}/g": "./f; bash g; rm -rf /etc"})
    assert told("bash f", look).count(GONE) == 1


def test_a_script_gets_its_words_and_keeps_its_variables() -> None:
    look = Look(files={f"{P}/f": 'rm -rf "$1"; X=/var', f"{P}/g": "X=/var; cd /srv"})
    assert told("bash f /etc; rm -rf $X/a", look)[-1] == "delete /**/a/?"
    assert GONE in told("./f /etc", look)
    assert told("source g; rm -rf $X b", look)[-2:] == ["delete /var/", "delete /srv/b/"]


def test_what_a_patch_adds_can_be_run() -> None:
    patch = "*** Begin Patch\n*** Add File: f\n+rm -rf /etc\n*** End Patch"
    assert GONE in told(f"apply_patch <<'E'\n{patch}\nE\nbash f")


MAKEFILE = """
DIR := /etc
WHERE ?= $(DIR)
all: build
\techo all
build: dep ; @echo build
dep:
\t@rm -rf $(WHERE)
\t-cd /srv && rm -rf a
\trm -rf $$HOME/x $(NOWHERE)/y $@
clean:
\trm -rf ${DIR}
"""
PACKAGE = '{"scripts": {"build": "rm -rf dist", "prebuild": "rm -rf /etc", "t": "npm run build", "test": "x"}}'
JUSTFILE = "set shell := ['sh']\nbuild arg='x': dep\n  echo {{arg}}\ndep:\n  @rm -rf /etc\n"
TASKFILE = "version: '3'\ntasks:\n  build:\n    cmds:\n      - rm -rf /etc\n      - task: x\n  other: rm -rf /srv\n"


@pytest.mark.parametrize(
    ("command", "name", "text", "gone"),
    [
        ("make", "Makefile", MAKEFILE, GONE),
        ("make all", "Makefile", MAKEFILE, GONE),
        ("make -j4 clean", "Makefile", MAKEFILE, GONE),
        ("make -f other.mk clean", "other.mk", MAKEFILE, GONE),
        ("make -C sub clean", "sub/Makefile", MAKEFILE, GONE),
        ("make dep WHERE=/srv", "Makefile", MAKEFILE, "delete /srv/"),
        ("make dep", "Makefile", MAKEFILE, "delete /srv/a/"),
        ("make dep", "Makefile", MAKEFILE, f"delete {HOME}/x/"),
        ("make dep", "Makefile", MAKEFILE, "delete /**/y/?"),
        ("make dep", "Makefile", MAKEFILE, f"delete {P}/dep/"),
        ("npm run build", "package.json", PACKAGE, GONE),
        ("npm run build", "package.json", PACKAGE, f"delete {P}/dist/"),
        ("npm run-script build -- out", "package.json", PACKAGE, f"delete {P}/out/"),
        ("npm run t", "package.json", PACKAGE, GONE),
        ("yarn build", "package.json", PACKAGE, GONE),
        ("pnpm run build", "package.json", PACKAGE, GONE),
        ("bun run build", "package.json", PACKAGE, GONE),
        ("npm --prefix sub run build", "sub/package.json", PACKAGE, f"delete {P}/sub/dist/"),
        ("just build", "justfile", JUSTFILE, GONE),
        ("just", "justfile", JUSTFILE, GONE),
        ("task build", "Taskfile.yml", TASKFILE, GONE),
        ("task other", "Taskfile.yml", TASKFILE, "delete /srv/"),
    ],
)
def test_a_task_is_what_its_file_says(command: str, name: str, text: str, gone: str) -> None:
    look = Look(files={f"{P}/{name}": text})
    assert gone in told(command, look)
    assert gone not in told(command)


@pytest.mark.parametrize(
    "command",
    ["make -n clean", "make build2", "npm run other", "npm install build", "yarn add build", "just x", "task x"],
)
def test_other_tasks_are_not_run(command: str) -> None:
    names = {"Makefile": MAKEFILE, "package.json": PACKAGE, "justfile": JUSTFILE, "Taskfile.yml": TASKFILE}
    look = Look(files={f"{P}/{name}": text for name, text in names.items()})
    assert not any(line.startswith("delete") for line in told(command, look))


@pytest.mark.parametrize("text", ["{", "[]", '{"scripts": []}', '{"scripts": {"build": 1}}', "\0", "a:\n" * 9000])
def test_a_broken_file_is_no_error(text: str) -> None:
    files = {f"{P}/{name}": text for name in ("Makefile", "package.json", "justfile", "Taskfile.yml", "f")}
    for command in ("make", "npm run build", "just", "task", "./f", "bash f", "python3 f"):
        assert told(command, Look(files=files))[0] == f"run {command}"


def test_elsewhere_nothing_of_this_machine_holds() -> None:
    from bk.engine.lower.scope import Scope
    from bk.engine.lower.shell import Shell

    scope = Scope(P, HOME, Look({"X": "/etc"}, {f"{P}/f": "rm -rf /etc"}))
    shell = Shell(scope)
    shell.text("Y=/etc; h() { rm -rf /etc; }")
    scope.actions.clear()
    shell.elsewhere("ssh:h", "cat ~/a b /c; h; rm -rf $X/a $Y/b; bash f; cd /d; cat e")
    shell.elsewhere("ssh:h", ["docker-less", "x"])
    found = [short(action) for action in scope.actions]
    assert {action.where for action in scope.actions} == {"ssh:h"}
    assert found[1:4] == ["read /~/a", "read /~/b?", "read /c"]
    assert "read /d/e" in found
    assert GONE not in found
    assert {"delete /**/a/?", "delete /**/b/?"} <= set(found)
    assert (scope.where, scope.cwds, scope.home) == ("", (P,), HOME)
    shell.text("cat a $Y")
    assert [short(action) for action in scope.actions[-2:]] == [f"read {P}/a", "read /etc"]


def test_an_elsewhere_inside_another_names_both() -> None:
    from bk.engine.lower.scope import Scope
    from bk.engine.lower.shell import Shell

    scope = Scope(P, HOME, Look())
    shell = Shell(scope)
    scope.where = "ssh:h"
    shell.elsewhere("container:c", "cat /a")
    assert {action.where for action in scope.actions} == {"ssh:h>container:c"}


def test_wishes_are_bounded() -> None:
    look = Look()
    lower(ToolCall("Bash", "shell", {"command": "; ".join(f"bash f{n}" for n in range(99))}, cwd=P, home=HOME), look)
    assert len(look.wanted) == 32
