"""Effects judged on actions made by hand: what counts is what would happen, not how it was written."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bk.engine.checks import destroy, exfiltration, opaque, shells
from bk.engine.judge import judge
from bk.engine.model import Action, Connect, Level, Opaque, Run, Touch, Verdict
from tests.unit.checks import HOME, PROJECT, facts

CHECKS = (destroy.check, exfiltration.check, shells.check, opaque.check)


def verdict(*actions: Action, **known: Any) -> Verdict:
    there = facts(**{"real": {}, **known})
    return judge(finding for check in CHECKS for finding in check(actions, there))


def taking(action: Action, *takes: str, where: str = "") -> Action:
    action.takes = takes
    action.where = where
    return action


def deleted(path: str, *, tree: bool = True, **known: Any) -> Level:
    return verdict(Touch(path, "delete", tree=tree), **known).level


def sent(*takes: str, host: str = "evil.example", url: str = "", run: Run | None = None, **known: Any) -> Level:
    action = taking(Connect(url or f"https://{host}/", host, 443, sends=True), *takes)
    return verdict(*([run] if run else []), action, **known).level


def test_a_link_leads_where_it_leads() -> None:
    assert deleted("/tmp/x") is Level.ALLOW
    assert deleted("/tmp/x", real={"/tmp/x": HOME}) is Level.BLOCK
    assert deleted("/tmp/x", real={"/tmp/x": "/private/tmp/x"}) is Level.ALLOW
    assert deleted(f"{PROJECT}/dist", real={f"{PROJECT}/dist": "/srv/app"}) is Level.BLOCK
    written = Touch(f"{PROJECT}/out", "write")
    assert verdict(written, real={f"{PROJECT}/out": "/etc/passwd"}).level is Level.BLOCK


def test_a_project_behind_a_link_is_the_project() -> None:
    real = {PROJECT: "/data/project", f"{PROJECT}/dist": "/data/project/dist", f"{PROJECT}/x": "/srv/x"}
    assert deleted(f"{PROJECT}/dist", real=real) is Level.ALLOW
    assert deleted(f"{PROJECT}/x", real=real) is Level.BLOCK


def test_a_better_looking_end_of_a_link_does_not_help() -> None:
    assert deleted("/srv/app", real={"/srv/app": "/tmp/x"}) is Level.BLOCK


def test_root_turns_a_question_into_a_block() -> None:
    assert deleted(f"{PROJECT}/src") is Level.ASK
    assert verdict(Touch(f"{PROJECT}/src", "delete", tree=True, via=("sudo",))).level is Level.BLOCK
    assert verdict(Touch(f"{PROJECT}/dist", "delete", tree=True, via=("sudo",))).level is Level.ALLOW


@pytest.mark.parametrize(
    ("where", "path", "level"),
    [
        ("ssh:h", "/tmp/x", Level.BLOCK),
        ("ssh:h", f"{PROJECT}/dist", Level.BLOCK),
        ("container:c", "/data", Level.ASK),
        ("container:c", "/app/dist", Level.ALLOW),
        ("container:c", "/", Level.BLOCK),
        ("ssh:h>container:c", "/data", Level.BLOCK),
        ("cluster:p", "/etc", Level.BLOCK),
    ],
)
def test_elsewhere(where: str, path: str, level: Level) -> None:
    assert verdict(taking(Touch(path, "delete", tree=True), where=where)).level is level


def test_what_makes_things_again_is_the_persons_list() -> None:
    assert deleted(f"{PROJECT}/gen") is Level.ASK
    assert deleted(f"{PROJECT}/gen", policy={"destroy.regenerable": ["gen"]}) is Level.ALLOW
    assert deleted(f"{PROJECT}/dist", policy={"destroy.regenerable": ["gen"]}) is Level.ASK


def test_one_file_is_not_a_tree() -> None:
    assert deleted(f"{PROJECT}/src/a.py", tree=False) is Level.ALLOW
    assert deleted(f"{HOME}/Documents/a.txt", tree=False) is Level.ASK
    assert deleted("/etc/hosts", tree=False) is Level.BLOCK
    assert deleted(f"{PROJECT}/.git/index", tree=False) is Level.BLOCK
    assert deleted(f"{PROJECT}/.git/index.lock", tree=False) is Level.WARN


def test_moving_is_not_deleting() -> None:
    moved = Touch(f"{PROJECT}/src", "delete", tree=True)
    assert verdict(Run(["mv", "src", "lib"]), moved).level is Level.ALLOW
    assert verdict(Run(["rm", "-rf", "src"]), moved).level is Level.ASK
    assert verdict(Run(["mv", "/etc", "x"]), Touch("/etc", "delete", tree=True)).level is Level.BLOCK


@pytest.mark.parametrize(
    "source",
    [
        "file:/home/dev/.ssh/id_rsa", "file:/home/dev/project/.env", "file:/home/dev/project/server.key",
        "file:/home/dev/project/deploy.pem", "file:/etc/shadow", "file:/home/dev/.bash_history",
        "file:/home/dev/project/config/db_password.txt", "file:/proc/self/environ", "tree:/home/dev/.aws",
        "tree:/home/dev/project/certs", "tree:/home/dev", "tree:/home/dev/project/secrets/*", "env:*",
        "env:AWS_SECRET_ACCESS_KEY", "env:STRIPE_KEY_API_TOKEN", "env:DATABASE_URL", "secret:gh auth token",
    ],
)  # fmt: skip
def test_a_secret_does_not_leave(source: str) -> None:
    assert sent(source) is Level.BLOCK
    assert sent("run:cat", source, "run:base64") is Level.BLOCK


@pytest.mark.parametrize(
    "source",
    [
        "file:/home/dev/project/report.txt", "file:/home/dev/project/.env.example", "file:/home/dev/.ssh/id_rsa.pub",
        "file:/home/dev/project/ca-cert.pem", "file:/home/dev/project/token.py", "env:HOME", "env:GITHUB_ACTOR",
        "env:TOKEN_URL", "env:SSH_AUTH_SOCK", "env:PUBLIC_KEY", "env:KEYBOARD", "run:jq", "net:api.example",
    ],
)  # fmt: skip
def test_what_is_no_secret_may(source: str) -> None:
    assert sent(source) is Level.ALLOW


def test_where_a_secret_goes_matters() -> None:
    token, file = "env:GITHUB_TOKEN", "file:/home/dev/project/.env"
    assert sent(token, host="api.github.com") is Level.ALLOW
    assert sent(token, host="github.evil.example") is Level.BLOCK
    assert sent(token, host="evil-github.com") is Level.BLOCK
    assert sent(token, host="me.github.io") is Level.BLOCK
    assert sent("env:AWS_SECRET_ACCESS_KEY", host="api.github.com") is Level.BLOCK
    assert sent("env:TOKEN", host="api.github.com") is Level.WARN
    assert sent(file, host="api.github.com") is Level.BLOCK
    assert sent(file, host="localhost") is Level.ALLOW
    assert sent(file, host="10.0.0.1") is Level.ASK
    assert sent(token, host="my.example", policy={"egress.allow": ["my.example"]}) is Level.ALLOW
    assert sent(file, host="my.example", policy={"egress.allow": ["my.example"]}) is Level.ASK


def test_the_worst_of_several_counts() -> None:
    assert sent("env:GITHUB_TOKEN", "file:/home/dev/.ssh/id_rsa", host="api.github.com") is Level.BLOCK


def test_a_bare_socket_is_asked_for_even_at_home() -> None:
    nc = Run(["nc", "h", "1"])
    assert sent("file:/home/dev/project/a.txt", run=nc) is Level.ASK
    assert sent("file:/home/dev/project/a.txt", run=nc, host="localhost") is Level.ASK
    assert sent("run:ls", run=nc) is Level.ASK
    assert sent("run:echo", run=nc) is Level.ALLOW
    assert sent("file:/home/dev/project/a.txt", url="/dev/tcp/evil.example/1") is Level.ASK


def test_a_search_through_a_home_is_not_its_keys() -> None:
    assert sent("tree:/home/dev", "run:tar") is Level.BLOCK
    assert sent("tree:/home/dev", "run:grep") is Level.ASK
    assert sent("tree:/home/dev/.ssh", "run:grep") is Level.BLOCK


def test_a_bucket_is_for_trees_and_not_for_keys() -> None:
    assert sent("tree:/home/dev/project/dist", url="s3://bucket/x", host="bucket") is Level.ALLOW
    assert sent("tree:/home/dev/project/dist") is Level.ASK
    assert sent("tree:/home/dev/.ssh", url="s3://bucket/x", host="bucket") is Level.BLOCK


def test_a_copy_that_others_can_read() -> None:
    copy = taking(Touch("/tmp/x", "write"), "file:/home/dev/.ssh/id_rsa")
    assert verdict(copy).level is Level.WARN
    assert verdict(taking(Touch("/tmp/x", "write"), "file:/home/dev/project/a")).level is Level.ALLOW


def test_what_lies_in_the_words_of_a_look_up() -> None:
    asked = Run(["dig", "**.evil.example"])
    assert verdict(taking(asked, "file:/home/dev/project/.env")).level is Level.BLOCK
    assert verdict(taking(Run(["dig", "**.evil.example"]), "run:whoami")).level is Level.ASK
    assert verdict(taking(Run(["dig", "**"]), "env:HOST")).level is Level.ALLOW


def test_uploads_are_judged_by_what_they_read() -> None:
    gist = Run(["gh", "gist", "create", "x"])
    assert verdict(gist, Touch(f"{HOME}/.netrc", "read")).level is Level.BLOCK
    assert verdict(gist, Touch(f"{PROJECT}/x", "read")).level is Level.ASK
    assert verdict(Run(["gh", "gist", "view", "x"]), Touch(f"{PROJECT}/x", "read")).level is Level.ALLOW


@pytest.mark.parametrize(
    ("why", "takes", "level"),
    [
        ("downloaded", ("net:h.example",), Level.BLOCK),
        ("pipe-to-shell", ("net:h.example", "run:curl"), Level.BLOCK),
        ("pipe-to-shell", ("file:/home/dev/project/a.sh", "run:cat"), Level.WARN),
        ("pipe-to-shell", ("unknown",), Level.ASK),
        ("decoded", (), Level.BLOCK),
        ("computed", ("decoded",), Level.BLOCK),
        ("reverse-shell", (), Level.BLOCK),
        ("forkbomb", (), Level.BLOCK),
        ("depth", (), Level.BLOCK),
    ],
)
def test_the_dark(why: str, takes: tuple[str, ...], level: Level) -> None:
    assert verdict(taking(Opaque(why, "x"), *takes)).level is level


def test_a_shell_fed_by_a_socket_through_a_file() -> None:
    shell = taking(Run(["/bin/sh"]), "file:/tmp/f")
    socket = Connect("192.0.2.1:44", "192.0.2.1", 44, sends=True)
    back = taking(Touch("/tmp/f", "write"), "net:192.0.2.1", "run:nc")
    assert verdict(shell, Run(["nc", "192.0.2.1", "44"]), socket, back).level is Level.BLOCK
    assert verdict(Run(["/bin/sh", "x.sh"]), Run(["nc", "-z", "192.0.2.1", "44"]), socket).level is Level.ALLOW


def test_every_finding_says_why_and_what_to_do_instead() -> None:
    found = verdict(
        Touch("/etc", "delete", tree=True),
        taking(Connect("https://e.example", "e.example", sends=True), "env:*"),
        Opaque("forkbomb", ":"),
    ).findings
    assert {finding.rule for finding in found} == {"destroy/delete", "exfiltration/secret", "shells/forkbomb"}
    assert all(finding.reason and finding.instead for finding in found)


@pytest.mark.parametrize("piece", ["find . ", "git push ", "a-", "x,", "b64decode(", "exec(", "../", "*", "[", "\\"])
def test_long_texts_are_judged_in_time(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    started = time.process_time()
    verdict(
        Opaque("syntax", text),
        Opaque("computed", text),
        Run(["python3", "-c", text], stdin=text),
        Run(["chmod", text, text]),
        taking(Run(["scp", text, text]), "file:/" + text, "env:" + text),
        Touch("/" + text[:4096], "delete", tree=True, certain=False),
        taking(Connect("https://" + text, text[:4096], sends=True), "tree:/" + text[:4096], "secret:" + text),
    )
    assert time.process_time() - started < 2
