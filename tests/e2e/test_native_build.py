"""What a build puts into the package: the native client with a compiler, the Python client and the reason without."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.unit.hook_client.stand import ROOT, build_module, compiled

CALL = b'{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls"}}'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A fresh checkout, as far as a wheel needs one."""
    folder = tmp_path / "source"
    leave = shutil.ignore_patterns("__pycache__", "bin", "built.json")
    shutil.copytree(ROOT / "bk", folder / "bk", ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    return folder


def built(source: Path, **env: str) -> Path:
    out = source.parent / "out"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=source,
        env={"PATH": os.environ["PATH"], "HOME": str(source.parent)} | env,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = out.glob("*.whl")
    return wheel


def installed(wheel: Path) -> Path:
    """The `bin` that an installer makes of a wheel."""
    prefix = wheel.parent / "prefix"
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run(
        [*words, "--disable-pip-version-check", "--no-warn-script-location", "--prefix", str(prefix), str(wheel)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return prefix / "bin"


def report(wheel: Path) -> dict[str, object]:
    with zipfile.ZipFile(wheel) as archive:
        return dict(json.loads(archive.read("bk/hook/native/built.json")))


def denied(hook: Path) -> subprocess.CompletedProcess[bytes]:
    """Run an installed hook where it can only deny, and must do so itself."""
    env = {"HOME": "relative", "PATH": "/usr/bin:/bin"}
    return subprocess.run([str(hook), "--harness", "claude-code"], input=CALL, capture_output=True, env=env, timeout=20)


def test_with_a_compiler_the_wheel_has_the_native_client(source: Path) -> None:
    if shutil.which("cc") is None and shutil.which("gcc") is None and shutil.which("clang") is None:
        pytest.skip("needs a C compiler")
    wheel = built(source)
    assert "-py3-none-linux_" in wheel.name
    told = report(wheel)
    assert (told["native"], told["reason"]) == (True, "")
    folder = installed(wheel)
    assert (folder / "bk-hook").read_bytes()[:4] == b"\x7fELF"
    assert (folder / "bk-hook-python").read_text().startswith(f"#!{sys.executable}\n")
    done = denied(folder / "bk-hook")
    assert done.returncode == 2
    assert b"HOME is not an absolute path" in done.stdout


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"BK_NO_COMPILER": "1"}, "BK_NO_COMPILER is set"),
        ({"PATH": ""}, "no C compiler was found"),
        ({"CC": "/nowhere/cc"}, "/nowhere/cc: "),
        ({"CC": "false"}, "false: "),
        ({"CC": "true"}, "true: "),
    ],
)
def test_without_a_compiler_the_wheel_has_the_python_client_and_the_reason(
    source: Path, env: dict[str, str], why: str
) -> None:
    wheel = built(source, **env)
    assert wheel.name.endswith("-py3-none-any.whl")
    told = report(wheel)
    assert told["native"] is False
    assert str(told["reason"]).startswith(why)
    folder = installed(wheel)
    done = denied(folder / "bk-hook")
    assert done.returncode == 2
    assert b"HOME is not an absolute path" in done.stdout
    assert done.stderr.startswith(b"bk blocked this call: ")


def test_the_client_is_hardened() -> None:
    target, told = compiled()
    if target is None:
        pytest.skip(f"needs a C compiler: {told['reason']}")
    flags = told["flags"]
    for flag in ("-Wall", "-Wextra", "-Werror", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"):
        assert flag in flags
    assert any("relro" in flag and "now" in flag for flag in flags)
    head = target.read_bytes()[:20]
    if told["link"] != "static":
        assert head[16] == 3, "position-independent"
    shutil.rmtree(target.parent)


def test_a_client_whose_denial_the_native_one_cannot_print_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text('NAME = "odd"\nDENY = \'{"é":%s}\'\nDENY_EXIT = 2\n')
    with pytest.raises(RuntimeError, match="printable ASCII"):
        build_module().deny_table(tmp_path)
    (tmp_path / "odd.py").write_text("x = 1\n")
    with pytest.raises(RuntimeError, match="no client"):
        build_module().deny_table(tmp_path)


def test_the_table_reads_data_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'NAME: str = "a"\nALIASES = ("b",)\nDENY = \'{"q":"\\\\\\\\","r":%s}\'\nDENY_EXIT = 0\nraise SystemExit(1)\n'
    )
    table = build_module().deny_table(tmp_path)
    assert '{"a", "{\\"q\\":\\"\\\\\\\\\\",\\"r\\":%s}", 0},' in table
    assert '{"b", ' in table
