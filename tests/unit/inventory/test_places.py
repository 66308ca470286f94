"""A scan that is given no root looks where managers put things for the whole user."""

from __future__ import annotations

from pathlib import Path

from bk.engine.inventory import store
from bk.engine.inventory.ecosystems import EVERY
from bk.engine.inventory.scan import scan
from tests.unit.inventory.layouts import Home

MINE = ("pypi", "conda", "cargo", "go", "rubygems", "packagist", "nuget", "maven", "homebrew")


def test_every_manager_of_a_person_is_found_without_a_root(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    site = ".local/lib/python3.11/site-packages/evil-1.0.dist-info"
    home.put(f"{site}/METADATA", "Name: evil\nVersion: 1.0\n")
    home.put("miniconda3/envs/a/conda-meta/evil-1.0-0.json", {"name": "evil", "version": "1.0"})
    home.put(".cargo/registry/src/i-0/evil-1.0.0/Cargo.toml", '[package]\nname = "evil"\nversion = "1.0.0"\n')
    home.put("go/pkg/mod/cache/download/example.com/evil/@v/v1.0.0.zip")
    home.put(".gem/ruby/3.0.0/specifications/evil-1.0.gemspec", "# stub: evil 1.0 ruby lib\n")
    home.put(".gem/ruby/3.0.0/gems/evil-1.0/x.rb")
    home.put(".config/composer/vendor/composer/installed.json", {"packages": [{"name": "acme/evil", "version": "1.0"}]})
    home.put("packages/evil/1.0.0/evil.nuspec", "<id>evil</id><version>1.0.0</version>")
    home.put("packages/evil/1.0.0/.nupkg.metadata", "{}")
    home.put(".m2/repository/com/evil/evil/1.0/evil-1.0.pom")
    home.put(".linuxbrew/Cellar/evil/1.0/INSTALL_RECEIPT.json", "{}")
    home.put("project/venv/lib/python3.11/site-packages/hidden-1.0.dist-info/METADATA", "Name: hidden\nVersion: 1.0\n")
    run = scan(
        home.state,
        profile="baseline",
        env={"NUGET_PACKAGES": home.at("packages")},
        ecosystems={name: EVERY[name] for name in MINE},
    )
    ours = [item for item in store.items(home.state, run) if item.observed.startswith(f"{home.path}/")]
    assert sorted(item.ecosystem for item in ours) == sorted(MINE)
    assert {item.name.rpartition(":")[2].rpartition("/")[2] for item in ours} == {"evil"}
