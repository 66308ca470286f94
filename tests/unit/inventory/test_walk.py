"""The walk among trees that are made to hurt: it ends, says what it left out, and opens nothing that is not its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from bk.engine.inventory import store
from bk.engine.inventory.item import INSTALLED, Item
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.place import Found, Place
from bk.engine.inventory.run import COMPLETE, PARTIAL, Run
from bk.engine.inventory.scan import scan
from tests.unit.inventory.layouts import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def look(home: Home, limits: Limits | None = None, roots: Iterable[str] = ()) -> Run:
    return scan(home.state, profile="project", roots=list(roots) or [str(home.path)], limits=limits, env={})


def names(home: Home, run: Run) -> list[str]:
    return sorted(item.name for item in store.items(home.state, run))


def package(home: Home, folder: str, name: str) -> None:
    home.put(f"{folder}/package.json", {"name": name, "version": "1.0.0"})


def test_loops_of_links_end(home: Home) -> None:
    package(home, "a/node_modules/left", "left")
    os.symlink("..", home.at("a/up"))
    os.symlink(str(home.path), home.at("a/node_modules/@all"))
    os.symlink("self", home.at("a/self"))
    run = look(home)
    assert (names(home, run), run.status) == (["left"], COMPLETE)


def test_a_root_may_itself_be_a_link_and_no_tree_is_told_twice(home: Home) -> None:
    package(home, "real/node_modules/left", "left")
    os.symlink("real", home.at("link"))
    run = look(home, roots=[home.at("link"), home.at("real"), str(home.path), home.at("real/node_modules/..")])
    assert (names(home, run), run.status) == (["left"], COMPLETE)
    [item] = store.items(home.state, run)
    assert item.locator.path == home.at("real/node_modules/left")


def test_roots_that_are_not_there_make_a_run_partial(home: Home) -> None:
    package(home, "a/node_modules/left", "left")
    run = look(home, roots=[home.at("a"), home.at("missing")])
    assert (names(home, run), run.status) == (["left"], PARTIAL)
    assert run.problems == [(home.at("missing"), "it is no directory")]


def test_metadata_that_is_no_plain_file(home: Home) -> None:
    for name in ("pipe", "folder", "link", "huge", "device"):
        os.makedirs(home.at(f"a/node_modules/{name}"))
    os.mkfifo(home.at("a/node_modules/pipe/package.json"))
    os.mkdir(home.at("a/node_modules/folder/package.json"))
    os.symlink("/etc/passwd", home.at("a/node_modules/link/package.json"))
    with open(home.at("a/node_modules/huge/package.json"), "wb") as file:
        file.write(b'{"name": "huge", "version": "1"')
        file.truncate(1 << 30)
    os.rmdir(home.at("a/node_modules/device"))
    run = look(home)
    assert (names(home, run), run.status) == ([], PARTIAL)
    assert sorted((Path(path).parent.name, why) for path, why in run.problems) == [
        ("folder", "it is no regular file"),
        ("huge", "it is larger than 5242880 bytes"),
        ("pipe", "it is no regular file"),
    ]


def test_names_that_are_no_text_and_names_that_are_no_names(home: Home) -> None:
    top = os.fsencode(home.at("a/node_modules"))
    for name in (b"caf\xe9", b"two\nlines", b"\x1b[31mred", b"-rf", b" "):
        os.makedirs(top + b"/" + name)
        Path(os.fsdecode(top + b"/" + name + b"/package.json")).write_text(json.dumps({"version": "1.0.0"}))
    package(home, "a/node_modules/ok", "o\x1b[31mk\n")
    run = look(home)
    assert names(home, run) == ["\x1b[31mred", "-rf", "o\x1b[31mk", "two\nlines"]
    kept = {item.locator.path for item in store.items(home.state, run)}
    assert os.fsdecode(top + b"/two\nlines") in kept
    assert all("caf" not in path for path in kept)  # a name that is no text is a problem, not an item
    assert any(os.fsencode(path).endswith(b"caf\xe9/package.json") for path, _ in run.problems)
    assert store.runs(home.state)[0].problems == run.problems


def test_a_package_below_a_folder_that_is_no_text(home: Home) -> None:
    folder = os.fsdecode(os.fsencode(str(home.path)) + b"/caf\xe9/node_modules/left")
    os.makedirs(folder)
    Path(folder, "package.json").write_text('{"name": "left", "version": "1.0.0"}')
    for _ in range(2):
        run = look(home)
        [item] = store.items(home.state, run)
        assert item.locator.path == folder
        assert run.status == COMPLETE


@pytest.mark.parametrize("crowd", [10_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_crowd_of_entries_in_one_directory(home: Home, crowd: int) -> None:
    package(home, "a/node_modules/left", "left")
    os.makedirs(home.at("a/crowd"))
    for number in range(crowd):
        base = number // 50_000 * 50_000  # as many links as a file may have
        if number == base:
            home.put(f"a/crowd/{number}")
        else:
            os.link(home.at(f"a/crowd/{base}"), home.at(f"a/crowd/{number}"))
    run = look(home)
    assert (names(home, run), run.status) == (["left"], COMPLETE)
    run = look(home, Limits(entries=crowd // 2))
    assert (run.status, run.why) == (PARTIAL, f"more than {crowd // 2} entries")


def test_what_is_nested_too_deeply_is_said(home: Home) -> None:
    folder = "/".join(["d"] * 100)
    package(home, f"{folder}/node_modules/left", "left")
    run = look(home)
    assert (names(home, run), run.status) == ([], PARTIAL)
    assert run.problems[0][1] == "deeper than 64 directories"
    run = look(home, Limits(depth=200))
    assert (names(home, run), run.status) == (["left"], COMPLETE)


def test_packages_nested_without_end(home: Home) -> None:
    package(home, "a/" + "/".join(["node_modules/x"] * 40), "deepest")
    run = look(home)
    assert run.status == PARTIAL
    assert "nested deeper" in run.problems[0][1]


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(items=3), "more than 3 items"),
        (Limits(read=100), "more than 100 bytes to read"),
        (Limits(seconds=0), "longer than 0 s"),
        (Limits(entries=5), "more than 5 entries"),
    ],
)
def test_each_bound_ends_the_run_and_says_so(home: Home, limits: Limits, why: str) -> None:
    for number in range(8):
        package(home, f"a/node_modules/p{number}", f"p{number}")
    run = look(home, limits)
    assert (run.status, run.why) == (PARTIAL, why)
    assert len(names(home, run)) <= 3
    whole = look(home)
    assert (whole.status, len(names(home, whole))) == (COMPLETE, 8)


def test_repositories_and_our_own_state_are_not_walked(home: Home) -> None:
    package(home, "a/.git/node_modules/left", "left")
    package(home, ".bk/quarantine/items/1/payload/node_modules/held", "held")
    package(home, "a/node_modules/right", "right")
    assert names(home, look(home)) == ["right"]


def test_what_cannot_be_listed_is_said(home: Home) -> None:
    if os.geteuid() == 0:
        pytest.skip("needs an ordinary user")
    package(home, "a/node_modules/left", "left")
    os.chmod(home.at("a"), 0)
    try:
        run = look(home)
    finally:
        os.chmod(home.at("a"), 0o700)
    assert (run.status, run.problems) == (PARTIAL, [(home.at("a"), "Permission denied")])


_WATCHED = """
import json, os, sys
told = []
sys.addaudithook(lambda event, args: told.append([event, str(args[0]) if args else ""]))
from bk.engine.inventory.scan import scan
from bk.engine.state import State
home = sys.argv[1]
state = State(home + "/.bk", home, os.geteuid())
run = scan(state, profile="deep", env={"HOME": home})
print(json.dumps([run.status, run.problems, told]))
"""


def test_secrets_stay_closed_and_nothing_is_run(home: Home) -> None:
    secrets = (
        ".env", ".env.local", ".netrc", ".npmrc", ".pypirc", ".ssh/id_ed25519", ".ssh/config", ".aws/credentials",
        ".gnupg/private-keys-v1.d/a.key", "app/.env", "app/server.pem", "app/node_modules/left/.env",
        ".git-credentials", ".config/gh/hosts.yml", ".docker/config.json",
        ".kube/config", ".cargo/credentials.toml", ".gem/credentials",
    )  # fmt: skip
    for path in secrets:
        home.put(path, "SECRET=1")
    package(home, "app/node_modules/left", "left")
    home.put("app/package.json", {"name": "app", "scripts": {"preinstall": "touch /tmp/ran"}})
    home.put("app/.yarnrc.yml", "yarnPath: ./evil.cjs\n")
    told = subprocess.run(
        [sys.executable, "-c", _WATCHED, str(home.path)], check=True, capture_output=True, text=True, timeout=60
    )
    status, _, events = json.loads(told.stdout)
    assert status in (COMPLETE, PARTIAL)
    opened = {path for event, path in events if event == "open"}
    assert home.at("app/node_modules/left/package.json") in opened
    assert not opened & {home.at(path) for path in secrets}
    assert not [
        event for event, _ in events if event.startswith(("subprocess.", "os.exec", "os.posix_spawn", "os.fork"))
    ]
    assert not [event for event, _ in events if event in ("os.system", "socket.connect")]


class Reader:
    """An ecosystem of a test."""

    def __init__(self, marks: object, read: Callable[[Place, Found], None]) -> None:
        self.MARKS = marks
        self.read = read
        self.at: list[str | tuple[str, int]] = []

    def places(self, home: str, env: Mapping[str, str]) -> list[str | tuple[str, int]]:
        return self.at


def item(place: Place, name: str) -> Item:
    return Item("npm", name, "1", manager="npm", kind=INSTALLED, observed=place.path)


@pytest.mark.parametrize(
    "marks",
    [
        frozenset(("mark.txt",)),
        frozenset(("*.txt", "mark.txt", "work/")),
        frozenset(("work/",)),
        lambda path, _names: path.endswith("/work"),
    ],
)
def test_marks_by_name_by_ending_by_folder_and_by_question(home: Home, marks: object) -> None:
    home.put("work/mark.txt")
    home.put("rest/other.md")
    reader = Reader(marks, lambda place, found: found.add(item(place, "hit")))
    run = scan(home.state, profile="project", roots=[str(home.path)], env={}, ecosystems={"x": reader})  # type: ignore[dict-item]
    assert [one.observed for one in store.items(home.state, run)] == [home.at("work")]


def test_a_reader_that_stumbles_does_not_end_the_run(home: Home) -> None:
    home.put("a/mark")
    home.put("b/mark")

    def read(place: Place, found: Found) -> None:
        found.add(item(place, "before"))
        if place.path.endswith("/a"):
            raise KeyError("what a stranger's file made it do")

    run = scan(
        home.state,
        profile="project",
        roots=[str(home.path)],
        env={},
        ecosystems={"x": Reader(frozenset(("mark",)), read)},  # type: ignore[dict-item]
    )
    assert run.status == PARTIAL
    assert run.problems == [(home.at("a"), "its contents make no sense (KeyError)")]
    assert run.total == 2


def test_a_place_gives_nothing_through_links_or_upwards(home: Home) -> None:
    home.put("secret/file.txt", "outside")
    home.put("a/mark")
    home.put("a/own/file.txt", "inside")
    os.symlink("../secret", home.at("a/link"))
    os.symlink("../../secret/file.txt", home.at("a/own/other.txt"))
    said: dict[str, object] = {}

    def read(place: Place, found: Found) -> None:
        for path in (
            "own/file.txt",
            "own/other.txt",
            "link/file.txt",
            "../secret/file.txt",
            "own/../../secret/file.txt",
        ):
            said[path] = place.text(path)
        said["names"] = [dict(place.names(sub)) for sub in ("link", "..", "own/..", "missing", "own")]
        said["link"] = (place.link("link"), place.link("own"), place.link("link/x"))
        said["files"] = (place.is_file("own/file.txt"), place.is_file("link/file.txt"), place.is_dir("link"))

    scan(
        home.state,
        profile="project",
        roots=[home.at("a")],
        env={},
        ecosystems={"x": Reader(frozenset(("mark",)), read)},  # type: ignore[dict-item]
    )
    assert said == {
        "own/file.txt": "inside",
        "own/other.txt": None,
        "link/file.txt": None,
        "../secret/file.txt": None,
        "own/../../secret/file.txt": None,
        "names": [{}, {}, {}, {}, {"file.txt": "f", "other.txt": "l"}],
        "link": ("../secret", None, None),
        "files": (True, False, False),
    }


def test_well_known_places_are_visited_as_deep_as_they_say(home: Home) -> None:
    for path in ("one/mark", "one/two/mark", "one/two/three/mark"):
        home.put(path)
    reader = Reader(frozenset(("mark",)), lambda place, found: found.add(item(place, place.path.rpartition("/")[2])))
    for depth, expected in ((0, ["one"]), (1, ["one", "two"]), (9, ["one", "three", "two"])):
        reader.at = [(home.at("one"), depth), home.at("missing"), ("relative", 3)]
        run = scan(home.state, profile="baseline", env={}, ecosystems={"x": reader})  # type: ignore[dict-item]
        assert names(home, run) == expected
        assert run.status == COMPLETE


def test_a_reader_may_look_beside_its_place_but_send_the_walk_nowhere_else(home: Home) -> None:
    home.put("a/mark")
    home.put("a/skipped/mark")
    home.put("ab/mark")
    os.symlink("../ab", home.at("a/link"))

    def read(place: Place, found: Found) -> None:
        found.skip("skipped", "link")
        found.add(item(place, "hit"))
        for path in (home.at("a/skipped"), home.at("ab"), home.at("a/link"), home.at("a/../ab"), "/", "a/skipped"):
            found.walk(path)

    run = scan(
        home.state,
        profile="project",
        roots=[home.at("a")],
        env={},
        ecosystems={"x": Reader(frozenset(("mark",)), read)},  # type: ignore[dict-item]
    )
    assert sorted(one.observed for one in store.items(home.state, run)) == [home.at("a"), home.at("a/skipped")]


def test_readers_know_of_the_environment_only_what_is_declared(home: Home) -> None:
    home.put("a/mark")
    known: list[dict[str, str]] = []
    reader = Reader(frozenset(("mark",)), lambda place, _found: known.append(dict(place.env)))
    env = {"PIPX_BIN_DIR": "/bin", "SECRET_TOKEN": "x", "COMPOSER_CACHE_DIR": ""}
    scan(home.state, profile="project", roots=[home.at("a")], env=env, ecosystems={"x": reader})  # type: ignore[dict-item]
    assert known == [{"PIPX_BIN_DIR": "/bin"}]
