"""The disk under a feed: links that were planted there are never written through, and a full disk is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.feeds.server import FeedServer

from .webbing import failure, feed, folder, got, web

__all__ = ["feed", "folder"]

NAMES = ["x.json", ".x.json.part", ".x.json.from", ".x.json.part.from", ".x.json.from.new", ".x.json.part.from.new"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "fifo"])
def test_what_lies_in_the_way_is_replaced_and_never_written_through(
    feed: FeedServer, folder: Path, tmp_path: Path, name: str, kind: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    folder.mkdir(mode=0o700)
    if kind == "link":
        (folder / name).symlink_to(victim)
    elif kind == "dangling link":
        (folder / name).symlink_to(tmp_path / "made")
    elif kind == "hard link":
        os.link(victim, folder / name)
    else:
        os.mkfifo(folder / name)
    feed.truncated("/x.json", b"a" * 1000, 500, etag="a")
    assert failure(lambda: got(feed, folder)).kind == "truncated"
    feed.serve("/x.json", b"a" * 1000, etag="a")
    assert got(feed, folder).size == 1000
    assert (folder / "x.json").read_bytes() == b"a" * 1000
    assert not (folder / "x.json").is_symlink()
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", NAMES[:4])
def test_a_directory_in_the_way_is_an_error(feed: FeedServer, folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    folder.chmod(0o700)
    feed.serve("/x.json", b"a" * 1000, etag="a")
    assert failure(lambda: got(feed, folder)).kind == "disk"
    assert (folder / name).is_dir()


@pytest.mark.parametrize("deep", [False, True])
def test_a_folder_that_leads_elsewhere_is_refused(feed: FeedServer, folder: Path, tmp_path: Path, deep: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if deep:
        folder.mkdir(mode=0o700)
        (folder / "npm").symlink_to(elsewhere)
    else:
        folder.symlink_to(elsewhere)
    feed.serve("/x.json", b"1")
    with web(feed, folder) as asked:
        name = "npm/x.json" if deep else "x.json"
        assert failure(lambda: asked.get(feed.url("/x.json"), name, max_bytes=9)).kind == "disk"
    assert os.listdir(elsewhere) == []
    assert not feed.requests


def test_a_folder_that_others_may_write_in_is_refused(feed: FeedServer, folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    feed.serve("/x.json", b"1")
    assert failure(lambda: got(feed, folder)).kind == "disk"


FETCH = """
import resource, sys
from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.client import Web
folder, host, ca_file, most = sys.argv[1:]
if int(most):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
with Web(folder, [host], ca_file=ca_file) as web:
    try:
        web.get(f"https://{host}/x.json", "x.json", max_bytes=1 << 30)
    except FeedError as error:
        print(error.kind, error.detail)
"""


def test_a_file_that_may_not_grow_further(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", b"before", etag="a")
    got(feed, folder)
    feed.large("/x.json", 4 << 20)
    done = subprocess.run(
        [sys.executable, "-c", FETCH, str(folder), feed.host, feed.ca_file, str(1 << 20)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("disk "), done.stderr
    assert (folder / "x.json").read_bytes() == b"before"
    assert sorted(os.listdir(folder)) == [".x.json.from", "x.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_full_disk_is_said_and_freed_and_the_old_file_stays(feed: FeedServer, folder: Path) -> None:
    folder.mkdir()
    feed.large("/x.json", 4 << 20)
    script = (
        f"mount -t tmpfs -o size=1m,mode=700 none {folder} && echo before > {folder}/x.json"
        f' && "$@" && ls -A {folder} && cat {folder}/x.json && df --output=avail {folder} | tail -1'
    )
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            script,
            "sh",
            sys.executable,
            "-c",
            FETCH,
            str(folder),
            feed.host,
            feed.ca_file,
            "0",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said, *rest, free = done.stdout.splitlines()
    assert said.startswith("disk "), done.stderr
    assert "No space left" in said
    assert rest == ["x.json", "before"]
    assert int(free) > 1000
