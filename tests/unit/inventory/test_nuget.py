"""NuGet packages, old and new, and .NET tools."""

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


NUSPEC = '<?xml version="1.0"?>\n<package><metadata>\n<id>{}</id>\n<version>{}</version>\n</metadata></package>'


def package(home: Home, name: str, version: str, base: str = ".nuget/packages") -> None:
    folder = f"{base}/{name.lower()}/{version.lower()}"
    home.put(f"{folder}/{name.lower()}.nuspec", NUSPEC.format(name, version))
    home.put(
        f"{folder}/.nupkg.metadata",
        {"version": 2, "contentHash": "x", "source": "https://u:s3cret@registry.example/v3/index.json?key=s3cret"},
    )
    home.put(f"{folder}/{name.lower()}.{version.lower()}.nupkg", b"PK")
    home.put(f"{folder}/build/{name}.targets", "<Project/>")


def test_a_version_folder_of_the_global_packages(home: Home) -> None:
    package(home, "Evil.Pack", "1.0.0-RC1")
    package(home, "Good", "2.0.0")
    items = home.seen("nuget")
    assert said(items) == {("evil.pack", "1.0.0-RC1", "installed", "dir"), ("good", "2.0.0", "installed", "dir")}
    item = one(items, "evil.pack")
    assert (item.locator.path, item.root) == (
        home.at(".nuget/packages/evil.pack/1.0.0-rc1"),
        home.at(".nuget/packages"),
    )
    assert item.origin == "https://registry.example/v3/index.json"
    assert home.takes(items) == []
    before = photograph(Path(item.locator.path))
    held = hold(home.state, wish(item), projects=[item.root])
    assert not os.path.exists(item.locator.path)
    restore(home.state, held.ident)
    assert photograph(Path(item.locator.path)) == before


def test_packages_of_an_old_solution_and_what_lies_elsewhere(home: Home) -> None:
    home.put("solution/packages/Evil.Pack.1.2.3/Evil.Pack.1.2.3.nupkg", b"PK")
    home.put("solution/packages/Evil.Pack.1.2.3/lib/net45/evil.dll", b"MZ")
    package(home, "moved", "1.0.0", base="feed")
    home.put("publish/mine.1.0.0.nupkg", b"PK")
    items = home.seen("nuget")
    assert said(items) == {("evil.pack", "1.2.3", "installed", "dir"), ("moved", "1.0.0", "installed", "none")}
    assert one(items, "evil.pack").root == home.at("solution/packages")
    assert home.takes([one(items, "evil.pack")]) == []


def test_a_tool_goes_with_its_command(home: Home) -> None:
    inner = ".dotnet/tools/.store/evil.tool/1.0.0/evil.tool/1.0.0"
    home.put(f"{inner}/evil.tool.nuspec", NUSPEC.format("evil.tool", "1.0.0"))
    home.put(
        f"{inner}/tools/net8.0/any/DotnetToolSettings.xml",
        '<DotNetCliTool><Commands><Command Name="evil" EntryPoint="e.dll"/><Command Name="../x" /></Commands>',
    )
    home.put(".dotnet/tools/evil", b"\x7fELF", 0o755)
    items = home.seen("nuget")
    assert said(items) == {("evil.tool", "1.0.0", "installed", "dir")}
    item = one(items, "evil.tool")
    assert item.locator.path == home.at(".dotnet/tools/.store/evil.tool/1.0.0")
    assert item.locator.also == (home.at(".dotnet/tools/evil"),)
    assert home.takes(items) == []
    hold(home.state, wish(item), projects=[item.root])
    assert os.listdir(home.at(".dotnet/tools")) == [".store"]
