"""conda: its own record of an environment, and the cache that it links files from."""

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


RECORD = {
    "name": "evil",
    "version": "1.0",
    "channel": "https://conda.registry.example/t/tk-0123-s3cret/main/noarch",
    "files": [
        "lib/python3.11/site-packages/evil/__init__.py",
        "lib/python3.11/site-packages/evil-1.0.dist-info/INSTALLER",
        "bin/evil",
        "gone/x",
        "../outside",
        "/etc/passwd",
        "conda-meta/history",
        "pyvenv.cfg",
        "",
        7,
    ],
}


def environment(home: Home) -> str:
    env = "miniconda3/envs/work"
    home.put(f"{env}/conda-meta/history", "==> conda\n")
    home.put(f"{env}/conda-meta/evil-1.0-py_0.json", RECORD)
    home.put(f"{env}/conda-meta/good-2.0-h1_0.json", {"name": "good", "version": "2.0", "files": ["lib/good.so"]})
    home.put(f"{env}/lib/good.so")
    home.put(f"{env}/lib/python3.11/site-packages/evil/__init__.py")
    home.put(f"{env}/lib/python3.11/site-packages/evil/__pycache__/__init__.cpython-311.pyc", b"made later")
    home.put(f"{env}/lib/python3.11/site-packages/evil-1.0.dist-info/INSTALLER", "conda\n")
    home.put(f"{env}/bin/evil", "#!", 0o755)
    home.put("miniconda3/envs/outside", "a person's own")
    return env


def test_an_environment_is_what_conda_recorded(home: Home) -> None:
    env = environment(home)
    items = home.seen("conda", "pypi")
    assert said(items) == {("evil", "1.0", "installed", "file_set"), ("good", "2.0", "installed", "file_set")}
    item = one(items, "evil")
    assert [path.removeprefix(home.at(env) + "/") for path in item.locator.files] == [
        "bin/evil",
        "conda-meta/evil-1.0-py_0.json",
        "lib/python3.11/site-packages/evil-1.0.dist-info/INSTALLER",
        "lib/python3.11/site-packages/evil/__init__.py",
        "lib/python3.11/site-packages/evil/__pycache__/__init__.cpython-311.pyc",
    ]
    assert item.origin == "https://conda.registry.example/main/noarch"
    assert item.note == "6 files of its record lie where no package is looked for and stay"
    assert (item.ecosystem, item.root, item.manager) == ("conda", home.at(env), "conda")
    assert home.takes(items) == []


def test_a_bad_package_leaves_and_comes_back(home: Home) -> None:
    env = environment(home)
    item = one(home.seen("conda"), "evil")
    before = photograph(home.path / env / "lib/python3.11/site-packages/evil")
    held = hold(home.state, wish(item), projects=[item.root])
    assert not os.path.exists(home.at(f"{env}/lib/python3.11/site-packages/evil"))
    assert sorted(os.listdir(home.at(f"{env}/conda-meta"))) == ["good-2.0-h1_0.json", "history"]
    assert os.path.exists(home.at(f"{env}/lib/good.so"))
    restore(home.state, held.ident)
    assert photograph(home.path / env / "lib/python3.11/site-packages/evil") == before


def test_the_cache_goes_with_its_archive(home: Home) -> None:
    home.put("miniconda3/pkgs/urls.txt")
    home.put("miniconda3/pkgs/evil-1.0-py_0/info/index.json", {"name": "evil", "version": "1.0"})
    home.put("miniconda3/pkgs/evil-1.0-py_0.conda", b"PK")
    home.put("miniconda3/pkgs/other-9-0/info/index.json", {"name": "evil", "version": "3.0"})
    home.put("miniconda3/pkgs/cache/x.json", "{}")
    items = home.seen("conda")
    assert said(items) == {("evil", "1.0", "cached", "dir"), ("evil", "3.0", "cached", "none")}
    assert one(items, "evil", version="1.0").locator.also == (home.at("miniconda3/pkgs/evil-1.0-py_0.conda"),)
    assert one(items, "evil", version="3.0").note == "its folder is called other-9-0"
    assert home.takes([one(items, "evil", version="1.0")]) == []


def test_a_broken_record_is_said(home: Home) -> None:
    home.put("env/conda-meta/x-1-0.json", "{")
    home.put("env/conda-meta/y-1-0.json", {"name": "y"})
    assert home.seen("conda") == []
    assert {why for _, why in home.problems} == {"it is no JSON", "it names no package"}
