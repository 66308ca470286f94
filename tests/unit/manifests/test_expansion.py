"""Installs without arguments: what their files list is looked up, bounded, cached, and never silently skipped."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

from bk.engine.decide import Judgement, decide
from bk.engine.model import Level, ToolCall, Verdict
from tests.unit.manifests import Project
from tests.unit.manifests.samples import SAMPLES


def read(judgement: Judgement) -> list[tuple[str, int]]:
    """The manifests that were read, each with what it lists."""
    assert judgement.seen is not None
    return [(str(one[0]), one[2]) for one in judgement.seen.looked if len(one) == 3 and type(one[2]) is int]


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{number}-{name}" for number, (name, *_) in enumerate(SAMPLES)])
def test_a_bad_package_is_found_in_every_format(
    project: Project, sample: tuple[str, str, str, tuple[str, str, str]]
) -> None:
    name, text, command, expected = sample
    project.put(name, text)
    judgement = project.decide(command)
    assert judgement.verdict.level == Level.BLOCK, judgement.verdict
    assert project.found(command).count(expected) == 1
    assert [os.path.basename(path) for path, _ in read(judgement)] == [os.path.basename(name)]
    assert "package/unread-manifest" not in project.rules(command)


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{number}-{name}" for number, (name, *_) in enumerate(SAMPLES)])
def test_a_clean_one_is_let_through_and_counted(
    project: Project, sample: tuple[str, str, str, tuple[str, str, str]]
) -> None:
    name, text, command, (_, _, version) = sample
    clean = text.replace("1.0.0", "3.0.0") if version else text
    project.put(name, clean.replace("Evil", "Fine").replace("evil", "fine"))
    judgement = project.decide(command)
    assert judgement.verdict.level <= Level.WARN
    assert not {finding.rule for finding in judgement.verdict.findings if finding.rule.startswith("package/")}
    assert [count for _, count in read(judgement) if count >= 1]


@pytest.mark.parametrize(
    "command",
    [
        "npm ci",
        "npm install",
        "cargo build",
        "go build",
        "uv sync",
        "bundle",
        "composer install",
        "yarn",
        "dotnet build",
    ],
)
def test_without_any_manifest_there_is_nothing_to_say(project: Project, command: str) -> None:
    assert project.decide(command).verdict.level == Level.ALLOW


def test_what_the_lock_pins_counts_and_not_what_the_manifest_would_allow(project: Project) -> None:
    project.put("package.json", json.dumps({"dependencies": {"evil": "^1.0.0"}}))
    assert project.found("npm install") == [("npm", "evil", "^1.0.0")]
    project.put("package-lock.json", json.dumps({"packages": {"node_modules/evil": {"version": "1.2.0"}}}))
    assert project.found("npm install") == []
    project.put("package.json", json.dumps({"dependencies": {"evil": "^1", "@scope/evil": "1.0.0"}}))
    assert project.found("npm install") == [("npm", "@scope/evil", "1.0.0")]


def test_a_lock_of_the_workspace_above_counts(project: Project) -> None:
    project.put("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  evil@1.0.0:\n    resolution: {}\n")
    project.put("apps/web/package.json", "{}")
    assert project.found("pnpm install", "apps/web") == [("npm", "evil", "1.0.0")]
    assert project.found("npm install", "apps/web") == []


def test_requirement_files_that_name_each_other(project: Project) -> None:
    project.put("requirements.txt", "-r sub/more.txt\nfine\n")
    project.put("sub/more.txt", "-r ../requirements.txt\n-c deep.txt\n")
    project.put("sub/deep.txt", "evil-py==1.0.0\n")
    assert project.found("pip install -r requirements.txt") == [("pypi", "evil-py", "1.0.0")]
    project.put("sub/deep.txt", "--requirement=absent.txt\n")
    assert "package/unread-manifest" in project.rules("pip install -r requirements.txt")


def test_other_sources_and_indexes_in_files_are_told(project: Project) -> None:
    project.put(
        "requirements.txt",
        "--extra-index-url https://i.example/simple\n-e git+https://g.example/x.git#egg=x\nhttps://u.example/y-1.whl\n",
    )
    assert {"posture/remote-source", "posture/foreign-index"} <= project.rules("pip install -r requirements.txt")
    project.put("package-lock.json", json.dumps({"packages": {"node_modules/x": {
        "version": "1.0.0", "resolved": "git+ssh://git@g.example/x.git#abc"}}}))  # fmt: skip
    assert project.rules("npm ci") == {"posture/remote-source"}


def test_what_is_fetched_counts_whatever_it_is_called(project: Project) -> None:
    entry = {"version": "2.0.0", "resolved": "https://r.example/evil/-/evil-1.0.0.tgz"}
    project.put("package-lock.json", json.dumps({"packages": {"node_modules/fine": entry}}))
    assert project.found("npm ci") == [("npm", "evil", "1.0.0")]
    project.put(
        "package-lock.json", json.dumps({"packages": {"node_modules/fine": {"name": "evil", "version": "1.0.0"}}})
    )
    assert project.found("npm ci") == [("npm", "evil", "1.0.0")]


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("package-lock.json", "{", "npm ci"),
        ("package-lock.json", "[1]", "npm ci"),
        ("package-lock.json", '{"packages": [1]}', "npm ci"),
        ("package-lock.json", "[" * 100_000, "npm ci"),
        ("package.json", "no", "npm install"),
        ("bun.lock", "{}", "bun i"),
        ("yarn.lock", "what is this\n", "yarn"),
        ("pnpm-lock.yaml", "packages:\n  a@1:\n", "pnpm i"),
        ("pnpm-lock.yaml", "lockfileVersion: 9\npackages: {evil@1.0.0: {}}\n", "pnpm i"),
        ("uv.lock", "[[package]]\nname = 'evil\n", "uv sync"),
        ("pyproject.toml", "a" + ".a" * 5000 + " = 1\n", "uv sync"),
        ("Gemfile.lock", "nothing\n", "bundle"),
        ("go.sum", "one two\n", "go build"),
        ("composer.lock", "", "composer install"),
        ("requirements.txt", "\0", "pip install -r requirements.txt"),
    ],
)
def test_what_cannot_be_understood_warns(project: Project, name: str, text: str, command: str) -> None:
    project.put(name, text)
    began = time.process_time()
    judgement = project.decide(command)
    assert time.process_time() - began < 2
    assert "package/unread-manifest" in {finding.rule for finding in judgement.verdict.findings}
    assert judgement.verdict.level >= Level.WARN
    assert not judgement.verdict.failure


@pytest.mark.parametrize(
    "command",
    [
        "pip install -r absent.txt",
        "pip install -r https://h.example/r.txt",
        'pip install -r "$REQUIREMENTS"',
        'cd "$SOMEWHERE" && npm ci',
        "pip install -r /dev/stdin",
        "pip install -r ~/.aws/credentials",
        "curl -s https://h.example/r > r.txt && pip install -r r.txt",
    ],
)
def test_what_cannot_be_read_warns(project: Project, command: str) -> None:
    assert "package/unread-manifest" in project.rules(command)


def test_pipes_giants_and_links_to_secrets_are_not_read(project: Project) -> None:
    os.mkfifo(project.path / "pipe.txt")
    assert "package/unread-manifest" in project.rules("pip install -r pipe.txt")
    with open(project.path / "large.txt", "wb") as file:
        file.truncate((16 << 20) + 1)
    assert "package/unread-manifest" in project.rules("pip install -r large.txt")
    (project.path / ".env").write_text("evil-py==1.0.0\n")
    (project.path / "link.txt").symlink_to(".env")
    assert project.found("pip install -r link.txt") == []


def test_a_lock_in_another_spelling_is_parsed_after_all(project: Project) -> None:
    project.put("uv.lock", "package = [{name = 'evil-py', version = '1.0.0'}]\n")
    assert project.found("uv sync") == [("pypi", "evil-py", "1.0.0")]
    project.put("Cargo.lock", '[["package"]]\nname = "evil\\u0063rate"\nversion = "1.0.0"\n')
    assert project.found("cargo build") == [("cargo", "evilcrate", "1.0.0")]


def test_what_this_very_call_writes_is_what_is_read(project: Project) -> None:
    project.put("r.txt", "fine\n")
    assert project.found("echo evil-py==1.0.0 > r.txt && pip install -r r.txt") == [("pypi", "evil-py", "1.0.0")]


@pytest.mark.parametrize(
    "command",
    ["docker run node npm ci", "ssh host 'cd project && npm ci'", "npm run build", "npm test", "npm install -g",
     "uv pip list", "cargo --version", "go version", "bundle --version", "yarn --help", "npm view evil"],
)  # fmt: skip
def test_elsewhere_and_other_verbs_read_nothing(project: Project, command: str) -> None:
    project.put("package-lock.json", json.dumps({"packages": {"node_modules/evil": {"version": "1.0.0"}}}))
    project.put("yarn.lock", 'evil@1.0.0:\n  version "1.0.0"\n')
    assert read(project.decide(command)) == []


def test_two_thousand_entries_are_read_once(project: Project) -> None:
    packages = {
        f"node_modules/fine-{n}": {"version": f"1.0.{n}", "resolved": f"https://r.example/fine-{n}/-/fine-{n}-1.0.{n}.tgz",
                                   "integrity": "sha512-" + "x" * 88}
        for n in range(2000)
    }  # fmt: skip
    path = project.put("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}, indent=2))
    old = time.time() - 100
    os.utime(path, (old, old))
    time.sleep(0.15)  # so young a file could change again unseen, and is not kept

    def took() -> float:
        began = time.process_time()
        judgement = project.decide("npm ci")
        assert read(judgement) == [(str(path), 2000)]
        return (time.process_time() - began) * 1000

    first, *again = [took() for _ in range(12)]
    assert first < 300, first  # 10–30 ms on a quiet machine
    assert min(again) < 5, again
    assert first > 5 * min(again)
    packages["node_modules/evil"] = {"version": "1.0.0"}
    project.put("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}))
    assert project.found("npm ci") == [("npm", "evil", "1.0.0")]


HOSTILE = (
    ("package.json", "/*a" * 100_000), ("package.json", '"\\' * 100_000), ("package.json", "," + " " * 300_000),
    ("bun.lock", '{"packages": ' + '"\\"' * 100_000), ("yarn.lock", "a:\n" + " " * 300_000),
    ("yarn.lock", ("a: " * 100_000) + "\n"),
    ("pnpm-lock.yaml", "lockfileVersion: 9\npackages:\n  a:" + " " * 300_000 + "x"),
    ("go.mod", "\n" * 300_000 + "a." * 100_000), ("Gemfile", "\n" * 300_000 + "gem '" * 50_000),
    ("App.csproj", "<package " * 50_000), ("requirements.txt", "a" + " " * 300_000 + "!"),
    ("requirements.txt", "a --b" * 60_000), ("environment.yml", "dependencies:\n- a" + " " * 300_000 + "=!"),
    ("uv.lock", "[[package]]\n" * 60_000), ("uv.lock", "[[package]]\nname = \"a\"\nsource\n" * 20_000),
    ("poetry.lock", "[[package]]\nname = \"a\"\n[package.source]\n" * 20_000), ("pyproject.toml", "a=[" * 100_000),
    ("Gemfile.lock", "GEM\n" * 60_000), ("Gemfile.lock", "GEM\n    a (" * 50_000),
    ("package-lock.json", '{"dependencies":{"a":' * 20_000),
)  # fmt: skip
COMMANDS = {
    "package.json": "npm i", "bun.lock": "bun i", "yarn.lock": "yarn", "pnpm-lock.yaml": "pnpm i", "go.mod": "go build",
    "Gemfile": "bundle", "Gemfile.lock": "bundle", "App.csproj": "dotnet build", "uv.lock": "uv sync",
    "requirements.txt": "pip install -r requirements.txt", "environment.yml": "conda env create",
    "poetry.lock": "poetry install", "pyproject.toml": "uv sync", "package-lock.json": "npm ci",
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), HOSTILE, ids=[f"{n}-{name}" for n, (name, _) in enumerate(HOSTILE)])
def test_no_text_takes_long(project: Project, name: str, text: str) -> None:
    project.put(name, text)
    began = time.process_time()
    judgement = project.decide(COMMANDS[name])
    assert time.process_time() - began < 4
    assert not judgement.verdict.failure


def written(project: Project, name: str, **given: Any) -> Verdict:
    given = {"file_path": str(project.path / name), **given}
    kind = "write" if "content" in given else "edit"
    call = ToolCall(kind.title(), kind, given, harness="t", cwd=str(project.path), home=project.state.home)
    return decide(call, project.world).verdict


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"dependencies": {"evil": "1.0.0"}}'),
        ("requirements-dev.txt", "evil-py==1.0.0\n"),
        ("Cargo.toml", '[dependencies]\nevilcrate = "=1.0.0"\n'),
        (".mcp.json", '{"mcpServers": {"x": {"command": "npx", "args": ["-y", "evil@1.0.0"]}}}'),
        (".cursor/mcp.json", '{"mcpServers": {"x": {"command": "uvx", "args": ["evil-py==1.0.0"]}}}'),
        (".codex/config.toml", '[mcp_servers.x]\ncommand = "npx"\nargs = ["evil@1.0.0"]\n'),
    ],
)
def test_what_is_written_into_a_manifest_is_judged_when_it_is_written(project: Project, name: str, text: str) -> None:
    assert written(project, name, content=text).level == Level.BLOCK
    fine = text.replace("evil", "fine")
    assert not [one for one in written(project, name, content=fine).findings if one.rule.startswith("package/")]


def test_an_edit_counts_for_what_it_adds(project: Project) -> None:
    project.put("requirements.txt", "fine==1\nevil-py==1.0.0\n")
    assert written(project, "requirements.txt", old_string="fine==1", new_string="fine==2").level == Level.ALLOW
    project.put("requirements.txt", "fine==1\n")
    assert written(project, "requirements.txt", old_string="fine==1", new_string="evil-py==1.0.0").level == Level.BLOCK
    assert written(project, "notes.txt", content="evil-py==1.0.0\n").level == Level.ALLOW
    assert written(project, "package.json", content='{"dependencies": ').level == Level.ALLOW
