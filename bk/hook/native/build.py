"""Builds the native client while the package is built or installed; without a compiler, puts the Python client there.

Run by hatchling, or by hand (`python bk/hook/native/build.py`) to compile in place. What happened, and why not when it
did not, is written to `built.json` beside this file for `bk diag`.
"""

from __future__ import annotations

import ast
import json
import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatchling.builders.config import BuilderConfig
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    Hook = BuildHookInterface[BuilderConfig]
else:
    try:
        from hatchling.builders.hooks.plugin.interface import BuildHookInterface as Hook
    except ImportError:  # run by hand, where hatchling need not be
        Hook = object

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "bk_hook.c"
HARNESSES = HERE.parent / "harnesses"
SCRIPTS = HERE / "scripts"
BIN = HERE / "bin"
REPORT = HERE / "built.json"

WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wvla", "-Wformat=2")
HARDENING = ("-O2", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-fPIE", "-Wl,-z,relro,-z,now,-z,noexecstack")
# best first; what a toolchain lacks (a static C library, static PIE) only moves it to the next
_FEW_PAGES = "-Wl,-z,noseparate-code"  # fewer mappings and page faults: 3 % of a start
LINKS = (
    ("static-pie", ("-static-pie", "-s", _FEW_PAGES)),
    ("static", ("-static", "-no-pie", "-s", _FEW_PAGES)),
    ("dynamic", ("-pie", "-s")),
)
OPTIONAL = ("-fcf-protection=full",)


def deny_table(folder: Path) -> str:
    """The C table of clients and their denials, read from the data modules without running them."""
    rows = []
    for path in sorted(folder.glob("*.py")):
        data = _constants(path)
        if "NAME" in data:
            names = (data["NAME"], *data.get("ALIASES", ()))
            rows += [f"    {{{_c(name)}, {_c(data['DENY'])}, {int(data['DENY_EXIT'])}}}," for name in names]
    if not rows:
        raise RuntimeError(f"no client is described in {folder}")
    body = "\n".join(rows)
    return f"/* Made by build.py from bk/hook/harnesses. */\nstatic const struct client CLIENTS[] = {{\n{body}\n}};\n"


_WANTED = ("NAME", "ALIASES", "DENY", "DENY_EXIT")


def _constants(path: Path) -> dict[str, Any]:
    """What a client's module says of itself, and what it takes over from another client's."""
    found: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bk.hook.harnesses."):
            other = path.with_name(f"{(node.module or '').rpartition('.')[2]}.py")
            taken = {each.asname or each.name: each.name for each in node.names}
            if any(name in _WANTED for name in taken):
                theirs = _constants(other)
                found |= {name: theirs[was] for name, was in taken.items() if name in _WANTED and was in theirs}
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id in _WANTED and value is not None:
            found[target.id] = ast.literal_eval(value)
    return found


def _c(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise RuntimeError(f"{text!r} cannot stand in the native client: printable ASCII only")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?") + '"'


def compilers(env: Mapping[str, str]) -> Iterator[list[str]]:
    """Compiler commands to try: $CC alone when it is set, else the usual names that are installed."""
    if env.get("BK_NO_COMPILER"):
        return
    if env.get("CC"):
        yield shlex.split(env["CC"])
        return
    for name in ("cc", "gcc", "clang"):
        path = shutil.which(name)
        if path:
            yield [path]


def compile_client(target: Path, env: Mapping[str, str], extra: Sequence[str] = ()) -> dict[str, Any]:
    """Compile into `target`; returns the report. `extra` flags stand last, so that tests can add sanitizers."""
    if platform.system() != "Linux":
        return _report(reason=f"the native client is for Linux, this is {platform.system()}")
    reason = "BK_NO_COMPILER is set" if env.get("BK_NO_COMPILER") else "no C compiler was found (cc, gcc, clang, $CC)"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "deny_table.h").write_text(deny_table(HARNESSES), encoding="ascii")
        for compiler in compilers(env):
            for link, link_flags in LINKS:
                for optional in (OPTIONAL, ()):
                    flags = [*WARNINGS, *HARDENING, *optional, *link_flags, *extra]
                    out = Path(folder, "bk-hook")
                    failure = _try([*compiler, *flags, f"-I{folder}", "-o", str(out), str(SOURCE)], out)
                    if not failure:
                        target.parent.mkdir(parents=True, exist_ok=True)
                        beside = target.with_name(f".{target.name}.{os.getpid()}")
                        shutil.copyfile(out, beside)
                        beside.chmod(0o755)
                        beside.replace(target)
                        return _report(compiler=compiler, link=link, flags=flags)
                    reason = f"{' '.join(compiler)}: {failure}"
    return _report(reason=reason)


def _try(command: list[str], out: Path) -> str:
    """Compile and run once; the first line of what went wrong, or nothing."""
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if made.returncode:
            lines = made.stderr.strip().splitlines() or [f"exit code {made.returncode}"]
            return next((line for line in lines if "error" in line), lines[0])[:300]
        ran = subprocess.run([str(out)], stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:300]
    if ran.returncode != 2 or not ran.stderr.startswith(b"bk blocked this call: usage"):
        return f"what it makes does not run here (exit code {ran.returncode})"
    return ""


def _report(
    *, reason: str = "", compiler: Sequence[str] = (), link: str = "", flags: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        "native": not reason,
        "reason": reason,
        "compiler": " ".join(compiler),
        "static": link.startswith("static"),
        "link": link,
        "flags": list(flags),
    }


def make(env: Mapping[str, str]) -> dict[str, Any]:
    """Fill `bin/` with what gets installed as `bk-hook` and `bk-hook-python`, and write the report."""
    report = compile_client(BIN / "bk-hook", env)
    BIN.mkdir(exist_ok=True)
    if not report["native"]:
        shutil.copyfile(SCRIPTS / "bk-hook.sh", BIN / "bk-hook")
    shutil.copyfile(SCRIPTS / "bk-hook-python.py", BIN / "bk-hook-python")
    for name in ("bk-hook", "bk-hook-python"):
        (BIN / name).chmod(0o755)
    REPORT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


class NativeClient(Hook):
    """Hatchling's hook: wheels and editable installs get both programs."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and add the results to what is being built."""
        if self.target_name != "wheel":
            return
        report = make(os.environ)
        for name in ("bk-hook", "bk-hook-python"):
            build_data["shared_scripts"][str(BIN / name)] = name
        if version != "editable":
            build_data["force_include"][str(REPORT)] = "bk/hook/native/built.json"
        if report["native"]:
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        else:
            self.app.display_warning(f"bk: the Python client is used: {report['reason']}")


if __name__ == "__main__":
    print(json.dumps(make(os.environ), indent=1))
