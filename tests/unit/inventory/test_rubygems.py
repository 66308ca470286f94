"""Gems: everything that belongs to one goes together, and no Ruby is evaluated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bk.quarantine.back import restore
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wish
from tests.unit.quarantine.house import photograph


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


DIR = ".local/share/gem/ruby/3.1.0"
BIN = "#!/usr/bin/ruby\nGem.activate_bin_path('{}', '{}', \">= 0.a\")\n"


def gem(home: Home, name: str, version: str, *, platform: str = "ruby", executables: str = "", base: str = DIR) -> str:
    """A gem as `gem install` leaves it."""
    full = f"{name}-{version}" + ("" if platform == "ruby" else f"-{platform}")
    listed = f'  s.executables = ["{executables}".freeze]\n' if executables else ""
    home.put(
        f"{base}/specifications/{full}.gemspec",
        f"# -*- encoding: utf-8 -*-\n# stub: {name} {version} {platform} lib\n\nGem::Specification.new do |s|\n"
        f'  s.name = "{name}".freeze\n  s.version = "{version}"\n{listed}end\n',
    )
    home.put(f"{base}/gems/{full}/lib/{name}.rb", "puts 1\n")
    home.put(f"{base}/cache/{full}.gem", b"tar")
    if executables:
        home.put(f"{base}/bin/{executables}", BIN.format(name, executables), 0o755)
    return full


def test_a_gem_goes_with_everything_that_is_its_own(home: Home) -> None:
    full = gem(home, "evil-gem", "1.0.0", platform="x86_64-linux", executables="evil")
    home.put(f"{DIR}/extensions/x86_64-linux/3.1.0/{full}/evil.so", b"\x7fELF")
    home.put(f"{DIR}/doc/{full}/ri/x")
    home.put(f"{DIR}/build_info/{full}.info", "--flag")
    gem(home, "good", "2.0", executables="good")
    items = home.seen("rubygems")
    assert said(items) == {("evil-gem", "1.0.0", "installed", "dir"), ("good", "2.0", "installed", "dir")}
    item = one(items, "evil-gem")
    assert {path.removeprefix(home.at(DIR) + "/") for path in (item.locator.path, *item.locator.also)} == {
        f"gems/{full}",
        f"specifications/{full}.gemspec",
        f"cache/{full}.gem",
        f"extensions/x86_64-linux/3.1.0/{full}",
        f"doc/{full}",
        f"build_info/{full}.info",
        "bin/evil",
    }
    assert home.takes(items) == []
    before = photograph(home.path / DIR)
    held = hold(home.state, wish(item), projects=[item.root])
    assert not [path for path in (home.path / DIR).rglob("*evil*") if path.name != "extensions"]
    assert os.listdir(home.at(f"{DIR}/bin")) == ["good"]
    restore(home.state, held.ident)
    after = photograph(home.path / DIR)
    assert {path for path in before if b"evil" in path and before[path] != after.get(path)} == set()
    assert set(before) == set(after)


def test_a_command_that_two_versions_share_stays(home: Home) -> None:
    gem(home, "evil", "1.0", executables="evil")
    gem(home, "evil", "2.0", executables="evil")
    gem(home, "thief", "1.0")
    home.put(
        f"{DIR}/specifications/thief-1.0.gemspec", "# stub: thief 1.0 ruby lib\ns.executables = ['evil', '../x']\n"
    )
    items = home.seen("rubygems")
    assert len(items) == 3
    assert not any("/bin/" in path for item in items for path in item.locator.also)


def test_what_is_not_plainly_said_is_read_by_pattern_and_never_run(home: Home) -> None:
    home.put(
        f"{DIR}/specifications/plain-1.0.gemspec",
        "system('touch /tmp/never')\nGem::Specification.new do |spec|\n  spec.name = 'plain'\n"
        "  spec.version = Gem::Version.new('1.0')\nend\n",
    )
    home.put(f"{DIR}/gems/plain-1.0/x.rb")
    home.put(f"{DIR}/specifications/other-1.0.gemspec", "# stub: liar 9.0 ruby lib\n")
    home.put(f"{DIR}/gems/other-1.0/x.rb")
    home.put(f"{DIR}/specifications/clever-1.0.gemspec", 's.name = "cle#{1}ver"\n')
    home.put(f"{DIR}/specifications/default/json-2.6.1.gemspec", "# stub: json 2.6.1 ruby lib\n")
    items = home.seen("rubygems")
    assert said(items) == {
        ("plain", "1.0", "installed", "dir"),
        ("liar", "9.0", "installed", "none"),
        ("json", "2.6.1", "installed", "none"),
    }
    assert one(items, "liar").note == "its file is called other-1.0.gemspec"
    assert one(items, "json").note == "it is part of Ruby itself"
    assert home.problems == [(home.at(f"{DIR}/specifications/clever-1.0.gemspec"), "it names no gem")]


@pytest.mark.parametrize(
    "base",
    [
        ".gem/ruby/2.7.0",
        ".rbenv/versions/3.2.2/lib/ruby/gems/3.2.0",
        ".rvm/gems/ruby-3.0.0",
        "app/vendor/bundle/ruby/3.1.0",
    ],
)
def test_every_directory_of_gems(home: Home, base: str) -> None:
    gem(home, "evil", "1.0", base=base)
    items = home.seen("rubygems")
    assert one(items, "evil").manager == ("bundler" if "bundle" in base else "gem")
    assert home.takes(items) == []


def test_a_checkout_of_bundler(home: Home) -> None:
    home.put(f"{DIR}/bundler/gems/evil-abc123/evil.gemspec", 's.name = "evil"\ns.version = "0.1"\n')
    home.put(f"{DIR}/bundler/gems/git-abc123/git.gemspec", 's.name = "git"\ns.version = "0.2"\n')
    home.put(f"{DIR}/bundler/gems/git-abc123/.git", "gitdir: x")
    items = home.seen("rubygems")
    assert said(items) == {("evil", "0.1", "cached", "dir"), ("git", "0.2", "cached", "none")}
    assert home.takes([one(items, "evil")]) == []
