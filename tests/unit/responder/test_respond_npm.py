"""With npm itself: what it would put back from its cache is held with the package, and everything else still works."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from bk.engine.inventory.item import Item
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.scan import scan
from bk.engine.inventory.store import items
from bk.engine.responder import followups
from bk.engine.responder.again import Reading, fresh
from bk.quarantine.back import restore
from bk.quarantine.listing import listed
from tests.feeds.server import FeedServer
from tests.unit.quarantine.house import photograph
from tests.unit.responder.house import House

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")


def tarball(name: str) -> bytes:
    """A package as a registry serves it."""
    made = io.BytesIO()
    files = {"package.json": json.dumps({"name": name, "version": "1.0.0"}), "index.js": f"module.exports = '{name}'\n"}
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for file, text in files.items():
            info = tarfile.TarInfo(f"package/{file}")
            info.size, info.mode = len(text), 0o644
            archive.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()


class Shop(House):
    """A project into which npm installed two packages from a registry that is gone now."""

    def __init__(self, tmp: Path) -> None:
        super().__init__(tmp)
        self.cache = Path(self.state.home, ".npm", "_cacache")
        self.say("evil", "osv", "datadog")
        with FeedServer(tls=False) as feed:
            self.registry = feed.url("/")
            for name in ("evil", "good"):
                data = tarball(name)
                integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
                dist = {"tarball": feed.url(f"/{name}/-/{name}-1.0.0.tgz"), "integrity": integrity}
                version = {"name": name, "version": "1.0.0", "dist": dist}
                told = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
                feed.serve(f"/{name}", json.dumps(told).encode())
                feed.serve(f"/{name}/-/{name}-1.0.0.tgz", data)
            self.project.joinpath("package.json").write_text('{"name": "shop", "version": "1.0.0"}')
            done = self.npm(self.project, "install", "evil", "good")
            assert done.returncode == 0, done.stderr
        self.modules = self.project / "node_modules"

    def npm(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """npm, in a folder."""
        env = {"HOME": self.state.home, "PATH": os.environ["PATH"], "npm_config_registry": self.registry}
        said = ["npm", *words, "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0"]
        return subprocess.run(said, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)

    def again(self, item: Item) -> Reading:
        """As the responder does."""
        return fresh(item, self.state.home)

    def seen(self) -> list[Item]:
        """What lies in the project and in npm's cache."""
        roots = [str(self.project), str(self.cache)]
        run = scan(self.state, profile="project", roots=roots, env={"HOME": self.state.home}, limits=Limits())
        return list(items(self.state, run))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_package_goes_with_its_copy_in_the_cache_and_stays_away(shop: Shop, tmp_path: Path) -> None:
    before = photograph(shop.modules / "evil"), photograph(shop.cache / "content-v2")
    assert shop.run(shop.seen()).moved == 2
    assert sorted(held.kind for held in listed(shop.state)) == ["dir", "file_set"]
    done = shop.npm(shop.project, "install", "--offline")
    assert (done.returncode != 0, "ENOTCACHED" in done.stderr) == (True, True)
    assert not (shop.modules / "evil").exists()
    other = tmp_path / "home" / "other"
    other.mkdir()
    assert shop.npm(other, "install", "good", "--offline").returncode == 0
    assert (other / "node_modules" / "good" / "index.js").read_text() == "module.exports = 'good'\n"
    for held in listed(shop.state):
        restore(shop.state, held.ident)
    assert (photograph(shop.modules / "evil"), photograph(shop.cache / "content-v2")) == before


def test_a_copy_that_was_not_held_puts_it_back_and_is_named_until_then(shop: Shop) -> None:
    seen = shop.seen()
    only = [item for item in seen if item.kind == "installed"]
    assert shop.run(only).moved == 1
    (copy,) = [item for item in seen if item.kind == "cached" and item.name == "evil"]
    named = [each for each in followups.of(shop.state, shop.only(), [each for each in seen if each.name == "evil"])
             if each.kind == "cache"]  # fmt: skip
    assert [each.path for each in named] == list(copy.locator.files)
    assert "puts it back" in named[0].step
    assert shop.npm(shop.project, "install", "--offline").returncode == 0
    assert (shop.modules / "evil" / "index.js").exists()


def test_a_copy_of_an_archive_from_this_machine_is_named_by_its_content(shop: Shop) -> None:
    archive = Path(shop.state.home, "strange.tgz")
    archive.write_bytes(tarball("other"))
    shop.say("other", "osv", "datadog")
    assert shop.npm(shop.project, "install", "--offline", str(archive)).returncode == 0
    seen = [item for item in shop.seen() if item.name == "other"]
    assert [item.kind for item in seen] == ["installed", "locked"]  # the cache knows it by the archive's path alone
    assert shop.run(seen).moved == 1
    (copy,) = [each.path for each in followups.of(shop.state, shop.only(), seen) if each.kind == "cache"]
    archive.unlink()
    assert shop.npm(shop.project, "install", "--offline").returncode == 0
    assert (shop.modules / "other").exists()  # that is what it is named for
    shutil.rmtree(shop.modules / "other")
    Path(copy).unlink()
    assert shop.npm(shop.project, "install", "--offline").returncode != 0
    assert not (shop.modules / "other").exists()
    assert [each for each in followups.of(shop.state, shop.only(), seen) if each.kind == "cache"] == []
