"""Move and put back is the identity, on whatever a file system can hold; and no accepted path leaves its container."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bk.engine.state import State
from bk.engine.tables import names
from bk.quarantine.back import restore
from bk.quarantine.paths import Ground, contained, form, inside, protected, refusal, windows_form
from bk.quarantine.record import Hold
from bk.quarantine.vault import hold
from tests import width
from tests.unit.quarantine.house import photograph, state_in

VCS = (b".git", b".hg", b".jj", b".svn")
NAMES = st.binary(min_size=1, max_size=24).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..", *VCS)
)
LONG = st.sampled_from([b"x" * 255, "é".encode() * 127, b"\xff" * 255])
LEAVES = st.one_of(
    st.tuples(st.just("file"), st.binary(max_size=200), st.sampled_from([0o600, 0o644, 0o755, 0o400, 0o000])),
    st.tuples(st.just("sparse"), st.integers(1, 3), st.just(0o644)),
    st.tuples(st.just("link"), st.sampled_from([b"x", b"../..", b"/etc/passwd", b"\xff\xfe"]), st.just(0)),
    st.tuples(st.just("same"), st.just(b""), st.just(0o644)),
    st.tuples(st.just("marked"), st.binary(min_size=1, max_size=20), st.just(0o644)),
)
FOLDER_MODES = st.sampled_from([0o755, 0o700, 0o555])
TREES: Any = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.just("dir"), st.dictionaries(NAMES | LONG, inner, max_size=5), FOLDER_MODES),
    max_leaves=12,
)
TOP = st.dictionaries(NAMES | LONG, TREES, max_size=6)
numbers = itertools.count()


def plant(path: bytes, what: Any, first: list[bytes]) -> None:
    kind, told, mode = what
    if kind == "dir":
        os.mkdir(path)
        for name, inner in told.items():
            plant(path + b"/" + name, inner, first)
        os.chmod(path, mode)
        os.utime(path, ns=(1, 1_600_000_000_000_000_000 + len(path)))
    elif kind == "link":
        os.symlink(told, path)
    elif kind == "same" and first:
        os.link(first[0], path)
    else:
        with open(path, "wb") as file:
            if kind == "sparse":
                file.seek(told << 18)
                file.write(b"end")
            else:
                file.write(told)
        if kind == "marked":
            os.setxattr(path, b"user.bk-test", told)
        os.chmod(path, mode)
        os.utime(path, ns=(1, 1_500_000_000_123_456_789))
        first.append(path)


@pytest.fixture(scope="module", params=["rename", "copy"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.mktemp("identity")
    if request.param == "rename":
        yield state_in(home), home
        return
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == home.stat().st_dev:
        pytest.skip("needs a second file system")
    away = other / f"bk-identity-{os.getpid()}"
    away.mkdir()
    yield state_in(home), away
    shutil.rmtree(away)


def goes_and_comes_back(where: tuple[State, Path], tree: dict[bytes, Any]) -> None:
    state, root = where
    folder = root / f"p{next(numbers)}" / "node_modules" / "evil"
    folder.parent.mkdir(parents=True)
    plant(os.fsencode(folder), ("dir", tree, 0o755), [])
    before = photograph(folder)
    held = hold(state, Hold("dir", "npm", "evil", "1.0.0", path=str(folder)))
    assert not folder.exists()
    assert held.count == len(before)
    restore(state, held.ident)
    assert photograph(folder) == before
    shutil.rmtree(folder.parent.parent)


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
@given(tree=TOP)
@example(tree={b"\xff\n\x1b[31m": ("dir", {b"a": ("file", b"1", 0o000), b"b": ("same", b"", 0)}, 0o555)})
def test_move_then_restore_is_the_identity(where: tuple[State, Path], tree: dict[bytes, Any]) -> None:
    goes_and_comes_back(where, tree)


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=SLOW)
@given(tree=TOP)
def test_move_then_restore_is_the_identity_of_many_trees(where: tuple[State, Path], tree: dict[bytes, Any]) -> None:
    goes_and_comes_back(where, tree)


@pytest.mark.long
def test_a_hundred_thousand_files_come_back(where: tuple[State, Path]) -> None:
    state, root = where
    folder = root / "many" / "node_modules" / "evil"
    for number in range(100):
        (folder / f"d{number}").mkdir(parents=True)
        for inner in range(1000):
            (folder / f"d{number}" / f"f{inner}").write_bytes(b"%d" % inner)
    before = photograph(folder)
    held = hold(state, Hold("dir", "npm", "evil", "1.0.0", path=str(folder)))
    assert held.count == 100_101
    restore(state, held.ident)
    assert photograph(folder) == before
    shutil.rmtree(folder)


GROUND = Ground(
    homes=["/home/u", "/root"], state="/home/u/.bk", programs=["/opt/bk/lib/python3.11"], projects=["/home/u/src/app"]
)
TEXT = """
. .. home u .bk quarantine node_modules @s evil site-packages lib vendor etc extensions Extensions src app .ssh
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa registry gems bin pkg mod m@v1 proc
"""
WORDS = st.sampled_from([*sorted(names(TEXT)), "", "x\n"])
ECOSYSTEMS = st.sampled_from(
    ["npm", "pypi", "cargo", "go", "rubygems", "packagist", "nuget", "maven", "editor-extension", "browser-extension",
     "agent-skill", "homebrew", "conda", "nonsense"]
)  # fmt: skip


@settings(max_examples=width.of(400, 2000), deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=9), ECOSYSTEMS, st.sampled_from(["/", "", "//", "C:\\"]))
def test_no_accepted_path_leaves_its_container(words: list[str], ecosystem: str, lead: str) -> None:
    path = lead + "/".join(words)
    if refusal(path, ecosystem, GROUND):
        return
    assert os.path.normpath(path) == path
    assert not inside(path, "/home/u/.bk")
    assert not inside("/home/u", path)
    assert not inside("/root", path)
    assert not inside("/home/u/src/app", path)
    assert contained(ecosystem, path)
    assert path.count("/") >= 2


WINDOWS = r"""
C:foo \\?\C:\Windows\x \\?\UNC\h\s\x \\.\C:\x \\h\s\x //h/s/x C:\x\y.txt:ads C:\x. C:\x\CON C:\x\nul.txt C:\PROGRA~1\x
C:\a\..\b foo\bar C:\a\COM1 C:\x\lpt9.log C:\x* \x
"""


@pytest.mark.parametrize("path", [*sorted(names(WINDOWS)), "", "C:\\x ", "C:\\a\x00b"])
def test_windows_forms_that_mean_something_else(path: str) -> None:
    assert windows_form(path)
    assert form(path)


def test_windows_forms_that_are_paths() -> None:
    assert windows_form("C:\\Users\\A\\.vscode\\extensions\\pub.ext-1.0.0") == ""
    assert windows_form("d:/x/node_modules/@s/evil") == ""


def test_containment_ignores_case_where_it_must() -> None:
    assert inside("C:\\Users\\A\\.BK\\Quarantine\\x", "c:/users/a/.bk/quarantine", fold=True)
    assert protected("/HOME/U/.BK/x", GROUND) == "inside_state_dir"
    assert not inside("/home/u/.bk-evil", "/home/u/.bk")
