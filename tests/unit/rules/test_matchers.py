"""Every matcher that looks at something other than a command's words."""

from __future__ import annotations

from typing import Any

import pytest

from bk.engine.model import Connect, Install, McpCall, Opaque, Run, Touch
from tests.unit.rules import acts, asked, book, facts, found, one, taking

PATHS = [
    ('reads("~/.ssh/**")', "cat ~/.ssh/id_rsa", "cat ~/.sshx/id_rsa"),
    ('reads("~/.ssh/**")', "cat ../.ssh/a/b", "cat .ssh/a"),
    ('reads("*.pem")', "cat a/b.pem", "cat a/b.pem.txt"),
    ('reads(".env")', "cat x/.env", "cat x/.environment"),
    ('reads("config/*.yml")', "cat a/config/b.yml", "cat a/config/c/b.yml"),
    ('reads("./secret")', "cat secret", "cat sub/secret"),
    ("reads(@paths.sensitive)", "cat .env", "cat .env.example"),
    ('reads("/etc/sh?dow", "/etc/[ab]*")', "cat /etc/shadow", "cat /etc/shdow"),
    ('writes("/etc/**")', "echo x > /etc/hosts", "cat /etc/hosts"),
    ('writes("**/.git/hooks/**")', "cp x .git/hooks/pre-commit", "cp .git/hooks/pre-commit x"),
    ('deletes("/etc/**")', "rm /etc/hosts", "rm etc/hosts"),
    ('deletes("~/.ssh/**")', "rm -rf ~", "rm -r ~/other"),
    ('deletes("/")', "rm -rf /", "rm -rf /x"),
    ('deletes("~")', "rm -rf ~", "rm -rf ~/x"),
]


@pytest.mark.parametrize(("pattern", "bad", "good"), PATHS, ids=[f"{at}-{row[0]}" for at, row in enumerate(PATHS)])
def test_paths(pattern: str, bad: str, good: str) -> None:
    assert found(one(pattern), bad), bad
    assert not found(one(pattern), good), good


def test_a_path_is_also_where_it_leads() -> None:
    touch = Touch("/home/dev/project/x", "read")
    assert acts(one('reads("/etc/**")'), touch, real={"/home/dev/project/x": "/etc/shadow"})
    assert not acts(one('reads("/etc/**")'), touch)
    touch.where = "ssh:h"
    assert not acts(one('reads("/etc/**")'), touch, real={"/home/dev/project/x": "/etc/shadow"})


def test_a_path_with_unknown_parts_counts_in_the_suspicious_tier() -> None:
    touch = Touch("/home/dev/.s*/id_rsa", "read", certain=False)
    assert acts(one('reads("~/.ssh/**")', tier="suspicious"), touch)
    assert not acts(one('reads("~/.ssh/**")'), touch)
    assert not acts(one('reads("~/.aws/**")', tier="suspicious"), touch)


HOSTS = [
    ('connects_to("example.com")', "https://a.example.com/x", "https://example.com.evil.org/x"),
    ('connects_to("example.com")', "http://EXAMPLE.com.", "http://notexample.com"),
    ('connects_to("*.ngrok.*")', "https://a.ngrok.io", "https://ngrok.org"),
    ('connects_to("169.254.169.254")', "http://169.254.169.254/latest", "http://1.169.254.169"),
    ("connects_to(external())", "https://example.org", "http://localhost:8000"),
    ("connects_to(external())", "http://8.8.8.8", "http://192.168.1.2"),
    ("connects_to(external())", "http://2130706433", "http://127.0.0.1"),
    ("connects_to(external())", "http://172.32.0.1", "http://172.16.0.1"),
    ("connects_to(external())", "http://[2001:db8::1]/", "http://[::1]/"),
    ("connects_to(external())", "http://printer.local.example", "http://printer.local"),
]


@pytest.mark.parametrize(("pattern", "bad", "good"), HOSTS, ids=[f"{at}-{row[0]}" for at, row in enumerate(HOSTS)])
def test_hosts(pattern: str, bad: str, good: str) -> None:
    assert found(one(pattern), f"curl '{bad}'"), bad
    assert not found(one(pattern), f"curl '{good}'"), good


def connect(url: str, method: str = "", sends: bool = False) -> Connect:
    host = url.partition("://")[2].partition("/")[0].partition(":")[0]
    return Connect(url, host, method=method, sends=sends)


def test_a_host_that_is_not_known_is_outside() -> None:
    assert acts(one("connects_to(external())"), Connect("**", "**", certain=False))
    assert acts(one("connects_to(external())"), Connect("", ""))
    assert not acts(one('connects_to("example.com")'), Connect("**", "**", certain=False))
    half = Connect("https://**.example.com", "**.example.com", certain=False)
    assert acts(one('connects_to("a.example.com")', tier="suspicious"), half)
    assert not acts(one('connects_to("a.example.com")'), half)


REQUESTS = [
    ('requests("DELETE")', ("https://a.b/x", "DELETE"), ("https://a.b/x", "GET")),
    ('requests("DELETE|PURGE", "api.example.com")', ("https://api.example.com/v1", "PURGE"), ("https://b.c/", "PURGE")),
    (
        'requests("*", "*/_delete_by_query")',
        ("http://es:9200/i/_delete_by_query?q", "POST"),
        ("http://es/i/_q", "POST"),
    ),
    (
        'requests("delete", "api.example.com/v1/*")',
        ("https://api.example.com/v1/a/b", "DELETE"),
        ("https://api.example.com/v2/a", "DELETE"),
    ),
    ('requests("POST", "https://x.y/z?a=*")', ("https://x.y/z?a=1", "POST"), ("https://x.y/z?b=1", "POST")),
    ('requests("POST", "/admin/*")', ("https://any.host/admin/x", "POST"), ("https://any.host/x", "POST")),
]


@pytest.mark.parametrize(("pattern", "bad", "good"), REQUESTS, ids=[row[0] for row in REQUESTS])
def test_requests(pattern: str, bad: tuple[str, str], good: tuple[str, str]) -> None:
    assert acts(one(pattern), connect(*bad))
    assert not acts(one(pattern), connect(*good))


def test_a_method_that_is_not_known_counts_in_doubt_when_data_is_sent() -> None:
    assert acts(one('requests("DELETE")', tier="suspicious"), connect("https://a.b/x", sends=True))
    assert not acts(one('requests("DELETE")'), connect("https://a.b/x", sends=True))
    assert not acts(one('requests("DELETE")', tier="suspicious"), connect("https://a.b/x"))


INSTALLS = [
    ("installs()", Install("npm", "x", manager="pnpm"), Run(["npm", "x"])),
    ('installs("pnpm")', Install("npm", "x", manager="pnpm"), Install("npm", "x", manager="npm")),
    ('installs("npm")', Install("npm", "x", manager="pnpm"), Install("pypi", "x", manager="pip")),
    ('installs("npm:event-*")', Install("npm", "event-stream"), Install("pypi", "event-stream")),
    ('installs("left-pad")', Install("npm", "Left-Pad"), Install("npm", "left-pads")),
    ('installs("git:*")', Install("npm", "x", source="git"), Install("npm", "x")),
]


@pytest.mark.parametrize(("pattern", "bad", "good"), INSTALLS, ids=[row[0] for row in INSTALLS])
def test_installs(pattern: str, bad: Any, good: Any) -> None:
    assert acts(one(pattern), bad)
    assert not acts(one(pattern), good)


def test_pipes() -> None:
    into = one('pipeline_to("nc", "curl")')
    assert acts(into, taking(Run(["nc", "h", "1"]), "run:cat", "file:/x"))
    assert not acts(into, Run(["nc", "h", "1"]))
    assert not acts(into, taking(Run(["wc"]), "run:cat"))
    out_of = one('pipeline_from("curl") and command("sh")')
    assert acts(out_of, taking(Run(["sh"]), "net:h", "run:/usr/bin/curl"))
    assert not acts(out_of, taking(Run(["sh"]), "run:cat"))
    assert acts(one('pipeline_from("curl")'), taking(Opaque("pipe-to-shell", "x"), "run:curl"))


def test_a_pipe_leads_from_the_command_that_is_meant() -> None:
    text = one('command("cat") and pipeline_to("nc")')
    assert acts(text, Run(["cat", "x"]), taking(Run(["nc"]), "run:cat"))
    assert not acts(text, Run(["cat", "x"]), taking(Run(["nc"]), "run:echo"))


FLOWS = [
    ('flows(reads("~/.ssh/**"), connects_to(external()))', "file:/home/dev/.ssh/id", "file:/home/dev/x"),
    ("flows(reads(@paths.sensitive), connects_to(external()))", "file:/home/dev/project/.env", "file:/home/dev/env"),
    ('flows(reads("~/.ssh/**"), connects_to("h.example"))', "tree:/home/dev", "tree:/srv"),
    ('flows(command("env", "printenv"), connects_to(external()))', "run:printenv", "run:print"),
    ('flows(connects_to("evil.example"), connects_to(external()))', "net:a.evil.example", "net:evil.example.org"),
    ('flows(env("*_KEY"), connects_to(external()))', "env:API_KEY", "env:API_URL"),
    ('flows(env("*_KEY"), connects_to(external()))', "env:*", "unknown"),
    ("flows(secret_in(any), connects_to(external()))", "secret:gh auth token", "run:gh"),
    ("flows(secret_in(any), connects_to(external()))", "env:GH_TOKEN", "env:HOME"),
    ("flows(obfuscated(), connects_to(external()))", "decoded", "run:base64"),
]


@pytest.mark.parametrize(("pattern", "bad", "good"), FLOWS, ids=[f"{at}-{row[0]}" for at, row in enumerate(FLOWS)])
def test_flows(pattern: str, bad: str, good: str) -> None:
    assert acts(one(pattern), taking(connect("https://h.example/x"), "run:x", bad))
    assert not acts(one(pattern), taking(connect("https://h.example/x"), good))
    assert not acts(one(pattern), taking(connect("http://localhost/x"), bad))


def test_flows_into_commands_and_files() -> None:
    assert acts(one('flows(reads(".env"), command("nc") with_flags("-u"))'), taking(Run(["nc", "-u"]), "file:/p/.env"))
    assert not acts(one('flows(reads(".env"), command("nc") with_flags("-u"))'), taking(Run(["nc"]), "file:/p/.env"))
    assert acts(one('flows(connects_to("h"), writes("*.sh"))'), taking(Touch("/p/a.sh", "write"), "net:h"))
    assert not acts(one('flows(connects_to("h"), writes("*.sh"))'), taking(Touch("/p/a.sh", "read"), "net:h"))


TOKEN = "ghp_" + "a1B2" * 10


def test_secrets() -> None:
    assert acts(one("secret_in(args)"), Run(["curl", "-H", f"Authorization: Bearer {TOKEN}"]))
    assert not acts(one("secret_in(args)"), Run(["curl", "-H", "Authorization: Bearer $T"]))
    assert not acts(one("secret_in(body)"), Run(["curl", "-H", TOKEN]))
    assert acts(one("secret_in(env)"), Run(["x"], via=(f"T={TOKEN}",)))
    assert acts(one("secret_in(body)"), Touch("/p/a", "write", content=f"t = {TOKEN}"))
    assert acts(one("secret_in(any)"), Run(["x"], stdin=f"-----BEGIN RSA PRIVATE KEY-----\n{TOKEN}"))
    assert acts(one("secret_in(args)"), taking(Run(["curl", "**"]), "env:GH_TOKEN"))
    assert not acts(one("secret_in(args)"), taking(Run(["curl", "**"]), "env:HOME"))
    assert acts(one("secret_in(args)"), Connect("https://bob:hunter22@h.example/", "h.example"))


def test_tools_and_mcp() -> None:
    assert found(one('in_tool("write") and writes("*.py")'), {"file_path": "a.py", "content": ""}, "Write")
    assert not found(one('in_tool("read") and writes("*.py")'), {"file_path": "a.py", "content": ""}, "Write")
    assert found(one('in_tool("web*")'), {"url": "https://x.example"}, "WebFetch")
    assert not found(one('in_tool("web*")'), "ls")
    assert acts(one('mcp("git*", "delete_*")'), McpCall("github", "delete_repo", {}))
    assert not acts(one('mcp("git*", "delete_*")'), McpCall("github", "get_repo", {}))
    assert acts(one('mcp("github")'), McpCall("github", "get_repo", {}))


def test_content_is_that_of_the_file_that_is_meant() -> None:
    text = one('writes("*.yml") and content("privileged:\\s*true")')
    assert found(text, {"file_path": "a.yml", "content": "privileged:  true"}, "Write")
    assert not found(text, {"file_path": "a.yml", "content": "privileged: false"}, "Write")
    assert not acts(text, Touch("/p/a.yml", "write", content="x"), Touch("/p/b", "write", content="privileged: true"))
    assert found(one('content("evil")'), {"file_path": "a", "old_string": "b", "new_string": "evil"}, "Edit")
    assert not found(one('content("evil")'), {"file_path": "a", "old_string": "evil", "new_string": "b"}, "Edit")


def test_what_was_hidden_and_what_stayed_dark() -> None:
    assert acts(one("obfuscated()"), taking(Run(["sh"]), "decoded"))
    assert not acts(one("obfuscated()"), taking(Run(["sh"]), "run:cat"))
    assert acts(one('opaque("pipe-*")'), Opaque("pipe-to-shell", "x"))
    assert not acts(one('opaque("syntax")'), Opaque("pipe-to-shell", "x"))
    assert acts(one("opaque()"), Opaque("limit", "x"))


def test_programs_outside_a_list() -> None:
    text = 'suspicious "r"\n  match_base_command_not_in @executables.allowed\n'
    assert found(text, "nmap h")
    assert not found(text, "git status && python3 x.py && LS")
    assert acts(text, Run(["/bin/r?"], certain=False))


def test_rules_for_some_tools_and_agents() -> None:
    held = book('block "r"\n  match reads("*.pem")\n  tools Read, mcp__*\n  agents claude*, codex\n')
    given = {"file_path": "a.pem"}
    assert asked(held, given, "Read", harness="claude-code")
    assert not asked(held, given, "Read", harness="gemini")
    assert not asked(held, "cat a.pem", harness="claude-code")
    assert not held.judge([Touch("/a.pem", "read")], facts())
