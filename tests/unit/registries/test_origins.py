"""A hit on a name that one's own registry serves is a question; nothing that an agent can write makes it one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bk.engine.config.layers import Layer, merge, parse
from bk.engine.decide import decide
from bk.engine.model import Finding, Install, Level, ToolCall
from bk.engine.registries import HOME_FILES, evidently_private
from bk.engine.state import State
from tests.unit.manifests import Project

OWN = "https://registry.example/npm/"
SCOPED = f"@scope:registry={OWN}\n"
EVIL = "npm i @scope/evil@1.0.0"


@pytest.fixture
def project(state: State) -> Project:
    return Project(state)


def home(project: Project, name: str, text: str, mode: int = 0o600) -> Path:
    path = Path(project.state.home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def known(project: Project, command: str) -> Finding:
    found = [each for each in project.decide(command).verdict.findings if each.rule == "package/known-malicious"]
    assert len(found) == 1, project.decide(command).verdict.reason
    return found[0]


def test_without_settings_it_is_blocked(project: Project) -> None:
    one = known(project, EVIL)
    assert one.level is Level.BLOCK
    assert "registry" not in one.evidence


@pytest.mark.parametrize(
    ("file", "text", "command"),
    [
        (".npmrc", SCOPED, EVIL),
        (".npmrc", f"//registry.example/:_authToken=x\n{SCOPED}", f"pnpm add {EVIL.split()[-1]}"),
        (".npmrc", f"registry = {OWN}\n", "npm i evil@1.0.0"),
        (".npmrc", "registry=http://10.1.2.3:4873\n", "npx evil@1.0.0"),
        (".config/pip/pip.conf", "[global]\nindex-url = https://user:pw@pypi.corp.internal/simple\n",
         "pip install evil-py==1.0.0"),
        (".pip/pip.conf", "[install]\nindex_url=https://registry.example/simple\n",
         "python -m pip install evil_py==1.0.0"),
    ],
)  # fmt: skip
def test_the_persons_own_settings_make_it_a_question(project: Project, file: str, text: str, command: str) -> None:
    path = home(project, file, text)
    one = known(project, command)
    assert one.level is Level.ASK
    assert one.evidence["registry"]["own"] is True
    assert one.evidence["registry"]["told"] == str(path)
    assert "a registry of your own" in one.reason
    assert "user" not in one.reason


def test_a_default_registry_that_may_be_public_changes_nothing_until_the_person_says_whose_it_is(
    project: Project,
) -> None:
    home(project, ".npmrc", "registry=https://packages.acme.example.org/npm\n")
    assert known(project, "npm i evil@1.0.0").level is Level.BLOCK
    project.world.policy = merge(Layer(), parse('posture.private_registries = ["acme.example.org"]\n', "user"))
    assert known(project, "npm i evil@1.0.0").level is Level.ASK


def test_a_scope_of_ones_own_says_nothing_of_other_names(project: Project) -> None:
    home(project, ".npmrc", "@other:registry=https://registry.example/npm\n")
    assert known(project, EVIL).level is Level.BLOCK
    assert known(project, "npm i evil@1.0.0").level is Level.BLOCK


def test_a_manager_that_does_not_read_the_file_is_not_covered_by_it(project: Project) -> None:
    home(project, ".npmrc", SCOPED)
    assert known(project, "yarn add @scope/evil@1.0.0").level is Level.BLOCK
    home(project, ".config/pip/pip.conf", "[global]\nindex-url = https://registry.example/simple\n")
    assert known(project, "uv pip install evil-py==1.0.0").level is Level.BLOCK


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".npmrc", SCOPED),
        (".npmrc", "registry=http://127.0.0.1:4873\n"),
        (".yarnrc.yml", "npmRegistryServer: 'https://registry.example'\n"),
        ("package-lock.json", ""),
    ],
)
def test_a_project_cannot_soften(project: Project, file: str, text: str) -> None:
    project.put(file, text)
    one = known(project, EVIL)
    assert one.level is Level.BLOCK
    assert not one.evidence.get("registry", {}).get("own")


@pytest.mark.parametrize(
    "command",
    [
        f"{EVIL} --registry=https://registry.example",
        f"{EVIL} --registry https://registry.example",
        f"{EVIL} --@scope:registry=https://registry.example",
        f"npm_config_registry=https://registry.example {EVIL}",
        f"{EVIL} --userconfig ./own.npmrc",
    ],
)
@pytest.mark.parametrize("settings", ["", "@scope:registry=https://other.registry.example\n"])
def test_a_command_cannot_soften_and_takes_back_what_the_person_set(
    project: Project, command: str, settings: str
) -> None:
    if settings:
        home(project, ".npmrc", settings)
    assert known(project, command).level is Level.BLOCK


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".npmrc", "@scope:registry=https://elsewhere.example.com/\n"),
        (".npmrc", "registry=${REGISTRY}\n"),
        ("bunfig.toml", 'registry = "https://elsewhere.example.com/"\n'),
    ],
)
def test_a_project_that_says_otherwise_takes_back_what_the_person_set(project: Project, file: str, text: str) -> None:
    home(project, ".npmrc", SCOPED)
    assert known(project, EVIL).level is Level.ASK
    project.put(file, text)
    assert known(project, EVIL).level is Level.BLOCK


@pytest.mark.parametrize(("host", "level"), [("registry.example", Level.ASK), ("files.example.com", Level.BLOCK)])
def test_what_a_lock_resolved_to_counts(project: Project, host: str, level: Level) -> None:
    home(project, ".npmrc", SCOPED)
    resolved = f"https://{host}/@scope/evil/-/evil-1.0.0.tgz"
    packages = {"node_modules/@scope/evil": {"version": "1.0.0", "resolved": resolved}}
    project.put("package.json", "{}")
    project.put("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": {"": {}, **packages}}))
    assert known(project, "npm ci").level is level


def test_a_lock_alone_is_told_and_softens_nothing(project: Project) -> None:
    resolved = "https://registry.example/@scope/evil/-/evil-1.0.0.tgz"
    packages = {"node_modules/@scope/evil": {"version": "1.0.0", "resolved": resolved}}
    project.put("package.json", "{}")
    project.put("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": {"": {}, **packages}}))
    one = known(project, "npm ci")
    assert one.level is Level.BLOCK
    assert one.evidence["registry"] == {"host": "registry.example", "own": False, "told": "package-lock.json"}


def test_settings_that_others_can_write_or_that_lead_elsewhere_do_not_count(project: Project) -> None:
    path = home(project, ".npmrc", SCOPED, 0o666)
    assert known(project, EVIL).level is Level.BLOCK
    path.unlink()
    project.put("planted", SCOPED)
    path.symlink_to(project.path / "planted")
    assert known(project, EVIL).level is Level.BLOCK
    path.unlink()
    os.mkfifo(path)
    assert known(project, EVIL).level is Level.BLOCK


def test_a_home_that_the_call_claims_is_not_the_persons(project: Project, tmp_path: Path) -> None:
    (tmp_path / ".npmrc").write_text(SCOPED)
    call = ToolCall("Bash", "shell", {"command": EVIL}, cwd=str(project.path), home=str(tmp_path))
    assert decide(call, project.world).verdict.level is Level.BLOCK


@pytest.mark.parametrize("tail", [tail for files in HOME_FILES.values() for tail in files])
@pytest.mark.parametrize("way", ["echo x >> {}", "cp ./x {}", "ln -sf ./x {}", "sed -i s/a/b/ {}"])
def test_no_agent_writes_those_settings_unasked(project: Project, tail: str, way: str) -> None:
    command = way.format(f"{project.state.home}/{tail}")
    assert project.decide(command).verdict.level >= Level.ASK, command


@pytest.mark.parametrize(
    "command",
    [
        "npm config set @scope:registry https://registry.example",
        "npm config set registry https://registry.example --location=user",
        "pnpm config set registry https://registry.example",
        "pip config set global.index-url https://registry.example/simple",
        "pip3 config --user set global.index-url https://registry.example/simple",
    ],
)
def test_nor_has_a_tool_write_them(project: Project, command: str) -> None:
    assert project.decide(command).verdict.level >= Level.ASK


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("localhost", True), ("nexus", True), ("10.0.0.1", True), ("172.20.1.1", True), ("172.32.1.1", False),
        ("192.168.1.1", True), ("8.8.8.8", False), ("npm.corp.internal", True), ("registry.example", True),
        ("packages.example.com", False), ("[::1]", True), ("[fd00::1]", True), ("[2001:db8::1]", False), ("", False),
        ("?", False), ("internal.example.com", False),
    ],
)  # fmt: skip
def test_what_is_evidently_private(host: str, private: bool) -> None:
    assert evidently_private(host) is private


def test_only_listed_packages_are_looked_at(project: Project) -> None:
    home(project, ".npmrc", SCOPED)
    call = ToolCall("Bash", "shell", {"command": "npm i @scope/fine"}, cwd=str(project.path), home=project.state.home)
    install = Install("npm", "@scope/fine", manager="npm")
    facts = project.world.gather(call, [install], project.world.policy)
    assert facts.origins == {}
