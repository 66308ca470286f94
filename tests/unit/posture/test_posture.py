"""Release age, install scripts and remote sources, as a person's settings have them; metadata from a stub registry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bk.engine.checks import posture
from bk.engine.decide import decide
from bk.engine.facts import Facts
from bk.engine.intel import releases
from bk.engine.intel.registry import fetch
from bk.engine.lower import lower
from bk.engine.model import Finding, Level, ToolCall, Verdict
from bk.engine.remember import remembered
from bk.engine.state import State
from bk.engine.world import World
from tests.unit.manifests import Project
from tests.unit.posture.registry import Registry, registry

NOW = 1_800_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE


def time_of(ago_minutes: int, now: int = NOW) -> str:
    return datetime.fromtimestamp((now - ago_minutes * MINUTE) / 1000, UTC).isoformat().replace("+00:00", "Z")


def findings(command: str, known: Mapping[str, Mapping[str, Any]] | None = None, **policy: Any) -> list[Finding]:
    actions = lower(ToolCall("Bash", "shell", {"command": command}, cwd="/home/dev/p", home="/home/dev"))
    values = {f"posture.{name.replace('__', '.')}": value for name, value in policy.items()}
    facts = Facts(home="/home/dev", cwd="/", state_root="/s", policy=values, packages=known, now_ms=NOW)
    return [finding for finding in posture.check(actions, facts) if finding.level]


def told(command: str, known: Mapping[str, Mapping[str, Any]] | None = None, **policy: Any) -> dict[str, str]:
    return {finding.rule: finding.level.word for finding in findings(command, known, **policy)}


def release(minutes: int | None, scripts: list[str] | None = None, problem: str = "") -> dict[str, Any]:
    published = None if minutes is None else NOW - minutes * MINUTE
    return {"published_ms": published, "scripts": scripts, "version": "1.0.0", "problem": problem}


LEFT = "npm install left-pad@1.0.0"
TARGET = "npm:left-pad@1.0.0"


@pytest.mark.parametrize(
    ("minutes", "expected"), [(30, True), (1439, True), (1440, False), (100_000, False), (-5, True)]
)
def test_a_release_must_have_been_public_for_a_while(minutes: int, expected: bool) -> None:
    known = {TARGET: release(minutes, [])}
    assert told(LEFT, known) == ({"posture/release-age": "warn"} if expected else {})
    for level in ("ask", "block"):
        assert told(LEFT, known, release_age__action=level) == ({"posture/release-age": level} if expected else {})
    assert told(LEFT, known, release_age__action="off") == {}
    assert told(LEFT, known, min_age_hours=0, release_age__action="block") == (
        {"posture/release-age": "block"} if minutes < 0 else {}
    )


@pytest.mark.parametrize("script", ["preinstall", "install", "postinstall"])
def test_scripts_that_run_at_install(script: str) -> None:
    known = {TARGET: release(100_000, [script])}
    assert told(LEFT, known) == {"posture/lifecycle": "warn"}
    assert told(LEFT, known, lifecycle__action="block") == {"posture/lifecycle": "block"}
    assert told(LEFT + " --ignore-scripts", known, lifecycle__action="block") == {}
    assert told(LEFT, {TARGET: release(30, [])}, lifecycle__action="block") == {"posture/release-age": "warn"}


@pytest.mark.parametrize("known", [release(None, []), release(30_000, None), release(None, None, "it timed out")])
def test_what_is_not_known_warns_and_never_blocks(known: dict[str, Any]) -> None:
    assert told(LEFT, {TARGET: known}, release_age__action="block", lifecycle__action="block") == {
        "posture/unknown": "warn"
    }


def test_where_no_registry_is_named_there_is_silence_but_in_the_record() -> None:
    assert told(LEFT, {}, release_age__action="block") == {}
    actions = lower(ToolCall("Bash", "shell", {"command": LEFT}, cwd="/p", home="/home/dev"))
    facts = Facts(home="/home/dev", cwd="/", state_root="/s", policy={}, now_ms=NOW)
    assert [(one.rule, one.level) for one in posture.check(actions, facts)] == [("posture/unknown", Level.ALLOW)]


@pytest.mark.parametrize(
    "command",
    ["npm install git+https://g.example/a.git", "pip install https://u.example/x.tar.gz", "npm install ./local-pkg",
     "npm i a/b", "pip install -e .", "cargo install --git https://g.example/x", "npm i x.tgz", "gem install ./x.gem"],
)  # fmt: skip
def test_remote_sources(command: str) -> None:
    assert told(command) == {"posture/remote-source": "warn"}
    assert told(command, remote_source__action="block") == {"posture/remote-source": "block"}
    assert told(command, remote_source__action="off") == {}


@pytest.mark.parametrize(
    "command",
    ["pip install -i https://x.example/simple a", "pip install --index-url=https://x.example/simple a",
     "pip3.11 install --extra-index-url https://x.example/simple a", "python3 -m pip install -ihttps://x.example/s a",
     "uv pip install --index https://x.example/simple a", "npm install --registry https://x.example a",
     "npm i --@scope:registry=https://x.example @scope/a", "gem install a -s https://x.example",
     "dotnet add package A --source https://x.example/v3", "cargo install a --index https://x.example/index",
     "npm config set registry https://x.example", "pip config set global.index-url https://x.example/simple",
     "sudo env X=1 yarn add a --registry https://x.example"],
)  # fmt: skip
def test_foreign_indexes(command: str) -> None:
    assert told(command) == {"posture/foreign-index": "warn"}
    assert told(command, remote_source__action="ask") == {"posture/foreign-index": "ask"}
    everything = {
        f"registries__{name}": "https://x.example/other" for name in ("npm", "pypi", "cargo", "rubygems", "nuget")
    }
    assert told(command, **everything) == {}


@pytest.mark.parametrize(
    "command",
    ["npm install a", "npm config get registry", "npm view a --registry https://x.example", "cargo build --registry x",
     "pip install -f ./wheels a", "curl -s https://x.example", "pip config list", "git config set registry.url x"],
)  # fmt: skip
def test_what_names_no_foreign_index(command: str) -> None:
    assert "posture/foreign-index" not in told(command)


def test_exceptions_are_for_one_package_one_rule_and_one_ecosystem() -> None:
    fresh, script = {TARGET: release(30, [])}, {TARGET: release(100_000, ["install"])}
    assert told(LEFT, fresh, allow=["npm:left-pad * ours"]) == {}
    assert told(LEFT, fresh, allow=["npm:Left_Pad release-age ours"]) == {}
    assert told(LEFT, fresh, allow=["npm:left-pad lifecycle ours"]) == {"posture/release-age": "warn"}
    assert told(LEFT, script, allow=["npm:left-pad lifecycle ours"]) == {}
    assert told(LEFT, fresh, allow=["pypi:left-pad * ours"]) == {"posture/release-age": "warn"}
    assert told(LEFT, fresh, allow=["*:left-pad * ours"]) == {}
    assert told(LEFT, fresh, allow=["npm:right-pad * ours"]) == {"posture/release-age": "warn"}
    other = {"npm:other@1": release(30, [])}
    assert told("npm i other@1", other, allow=["npm:left-pad * ours"]) == {"posture/release-age": "warn"}


class House:
    """An installation whose settings name the stub, decided as the hook decides."""

    def __init__(self, state: State, stub: Registry, extra: str = "") -> None:
        self.state = state
        lines = [f'registries.{name} = "{stub.url}/{name}"' for name in ("npm", "pypi", "cargo", "rubygems", "go")]
        with open(state.config, "w", encoding="utf-8") as file:
            file.write("[posture]\n" + "\n".join(lines) + "\n" + extra)
        self.world = World.open(state)

    def verdict(self, command: str, tool: str = "Bash", kind: str = "shell") -> Verdict:
        call = ToolCall(tool, kind, {"command": command}, harness="t", cwd=self.state.home, home=self.state.home)
        judgement, _ = remembered(call, decide(call, self.world), self.world)
        return judgement.verdict

    def after(self, command: str) -> Verdict:
        """The verdict once the background has had its turn."""
        self.verdict(command)
        fetch(self.state, self.world.policy.values)
        return self.verdict(command)


@pytest.fixture
def stub() -> Iterator[Registry]:
    with registry() as made:
        yield made


def npm(minutes: int, scripts: dict[str, str] | None = None, version: str = "1.0.0") -> dict[str, Any]:
    now = int(datetime.now(UTC).timestamp() * 1000)
    return {
        "dist-tags": {"latest": version},
        "versions": {version: {"scripts": scripts or {}}},
        "time": {version: time_of(minutes, now)},
    }


def rules(verdict: Verdict) -> dict[str, str]:
    return {finding.rule: finding.level.word for finding in verdict.findings if finding.level}


def test_the_first_time_warns_and_the_background_knows_better(state: State, stub: Registry) -> None:
    house = House(state, stub)
    stub.answers["/npm/left-pad"] = npm(100_000)
    assert rules(house.verdict(LEFT)) == {"posture/unknown": "warn"}
    assert stub.asked == []  # no decision speaks to a network
    assert rules(house.after(LEFT)) == {}
    stub.answers["/npm/some-pkg"] = npm(30, {"postinstall": "x"}, "2.0.0")
    assert rules(house.after("npm install some-pkg@2.0.0")) == {
        "posture/release-age": "warn", "posture/lifecycle": "warn",
    }  # fmt: skip
    assert rules(house.after("npm install some-pkg")) == rules(house.after("npm install some-pkg@latest"))
    assert sorted(set(stub.asked)) == ["/npm/left-pad", "/npm/some-pkg"]


def test_raised_rules_block(state: State, stub: Registry) -> None:
    house = House(state, stub, 'release_age.action = "block"\nallow = ["npm:right-pad * ours"]\n')
    stub.answers["/npm/left-pad"] = stub.answers["/npm/right-pad"] = npm(30)
    assert house.after(LEFT).level == Level.BLOCK
    assert house.after("npm install right-pad@1.0.0").level == Level.ALLOW
    assert house.verdict("npm ls").level == Level.ALLOW


@pytest.mark.parametrize("answer", [None, 302, 500, b"{", b"[]", b"null", {"versions": {}}, b"[" * 50_000])
def test_a_registry_that_answers_badly_is_unknown(state: State, stub: Registry, answer: Any) -> None:
    house = House(state, stub, 'release_age.action = "block"\nlifecycle.action = "block"\n')
    if answer is not None:
        stub.answers["/npm/left-pad"] = answer
    verdict = house.after(LEFT)
    assert rules(verdict) == {"posture/unknown": "warn"}
    assert "being looked up" not in verdict.reason


def test_a_registry_that_is_not_there_is_unknown(state: State) -> None:
    house = House(state, Registry("http://127.0.0.1:9"), 'release_age.action = "block"\n')
    assert rules(house.after(LEFT)) == {"posture/unknown": "warn"}


def test_each_kind_of_registry_is_understood(state: State, stub: Registry) -> None:
    house = House(state, stub)
    now = int(datetime.now(UTC).timestamp() * 1000)
    young, old = time_of(30, now), time_of(100_000, now)
    stub.answers["/pypi/a-b/"] = {"files": [
        {"filename": "A_B-1.0-py3-none-any.whl", "upload-time": old},
        {"filename": "a_b-2.0.tar.gz", "upload-time": young},
    ]}  # fmt: skip
    assert rules(house.after("pip install A.B==1.0")) == {}
    assert rules(house.after("pip install a-b")) == {"posture/release-age": "warn", "posture/lifecycle": "warn"}
    stub.answers["/cargo/api/v1/crates/x"] = {"versions": [{"num": "1.0.0", "created_at": young}]}
    assert rules(house.after("cargo add x")) == {"posture/release-age": "warn", "posture/unknown": "warn"}
    stub.answers["/rubygems/api/v1/versions/x.json"] = [{"number": "1.0.0", "created_at": old}]
    assert rules(house.after("gem install x")) == {"posture/unknown": "warn"}
    stub.answers["/go/example.com/!big/mod/@v/v1.0.0.info"] = {"Version": "v1.0.0", "Time": young}
    assert rules(house.after("go install example.com/Big/mod@v1.0.0")) == {"posture/release-age": "warn"}


def test_names_cannot_steer_the_request(state: State, stub: Registry) -> None:
    house = House(state, stub)
    for name in ("../../admin", "a?x=1", "a#b", "..", "@s/p", "a%2e%2e", "é"):
        house.after(f"npm install '{name}'")
    assert all(path.startswith("/npm/") and "?" not in path and ".." not in path for path in stub.asked), stub.asked
    assert "/npm/@s%2Fp" in stub.asked


def test_the_tools_own_settings_name_a_registry(state: State, stub: Registry) -> None:
    with open(f"{state.home}/.npmrc", "w", encoding="utf-8") as file:
        file.write(f"//x/:_authToken=abc\nregistry={stub.url}/own\n")
    world = World.open(state)
    stub.answers["/own/left-pad"] = npm(30)
    fetch(state, world.policy.values)
    call = ToolCall("Bash", "shell", {"command": LEFT}, harness="t", cwd=state.home, home=state.home)
    remembered(call, decide(call, world), world)
    fetch(state, world.policy.values)
    assert rules(decide(call, world).verdict) == {"posture/release-age": "warn"}
    with open(releases.path_of(state), "rb") as file:
        assert b"authToken" not in file.read()


def test_a_damaged_cache_is_unknown_and_blocks_nothing(state: State, stub: Registry) -> None:
    house = House(state, stub, 'release_age.action = "block"\n')
    with open(releases.path_of(state), "wb") as file:
        file.write(b"no database" * 1000)
    assert rules(house.verdict(LEFT)) == {"posture/unknown": "warn"}


def test_nothing_is_fetched_or_made_where_no_registry_is_known(state: State) -> None:
    world = World.open(state)
    assert fetch(state, world.policy.values) == 0
    call = ToolCall("Bash", "shell", {"command": LEFT}, harness="t", cwd="/", home=state.home)
    assert decide(call, world).verdict.level == Level.ALLOW
    assert json.dumps(sorted(__import__("os").listdir(state.root))).count("releases") == 0


def test_no_exception_reaches_what_is_known_to_be_bad(state: State) -> None:
    with open(state.config, "w", encoding="utf-8") as file:
        file.write('[posture]\nallow = ["*:evil * ours", "npm:evil * ours"]\n')
    project = Project(state)
    assert project.decide("npm install evil@1.0.0").verdict.level == Level.BLOCK
