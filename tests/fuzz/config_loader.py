"""The settings loader: nothing but a stated error comes out of it, and no project file ever loosens anything."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from bk.engine.config.layers import examine, merge, parse
from bk.engine.config.project import apply
from bk.engine.config.schema import KEYS
from bk.engine.errors import BkError
from tests.unit.config.settings import looser

SEEDS = [
    b"",
    b'fail_mode = "open"\n[hook]\nagent_depth = 3\n[paths]\nblock = ["secrets/**", "~/x"]\nallow = ["/**"]\n',
    b"[auto_quarantine]\nenabled = true\ndry_run = false\nthreshold = 9\n",
    b'parser.opaque = "warn"\ncorroboration.block_at = 9\ncorroboration.quarantine_at = 1\nlocked = ["fail_mode"]\n',
    b'audit = {redact_patterns = ["(a+)+$", "\\\\x{41}"], retention_days = 1}\nengine.idle_exit_s = 0x10\n',
    b'paths.block = ["""\n/a""", \'/b\', "\\u00e9"] # c\nhook."deadline_ms" = 1_000\nhook.max_depth = 1e3\n',
]

_folder = tempfile.mkdtemp(dir="/tmp", prefix="bkfz")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
_path = f"{_folder}/.bk.toml"
_held = merge(parse("", "system"), parse("", "user"))


def one(data: bytes) -> None:
    """Load `data` as a project file and as a user's file."""
    with open(_path, "wb") as file:
        file.write(data)
    made = apply(_held, [_path], _folder, [("BK_FAIL_MODE", data[:8].decode(errors="replace"))])
    assert made.values.keys() == _held.values.keys()
    for key in KEYS:
        before, after = _held.values[key.name], made.values[key.name]
        assert not looser(key.name, before, after), f"{key.name}: {before} became {after}"
        assert key.read(after) == (after, ""), f"{key.name}: {after} is no value"
    assert all(problem.isprintable() for problem in made.problems), made.problems
    if made.values == _held.values:
        assert made.digest == _held.digest
    _as_user(data)


def _as_user(data: bytes) -> None:
    text = data.decode(errors="surrogateescape")
    _, faults = examine(text, "config.toml")
    assert all(fault.isprintable() for fault in faults), faults
    try:
        layer = parse(text, "config.toml")
    except BkError:
        assert faults, "a refusal names its reasons"
        return
    assert not faults
    for name, value in merge(parse("", "system"), layer).values.items():
        key = next(key for key in KEYS if key.name == name)
        assert key.read(value) == (value, "")
    assert os.path.exists(_path)
