"""Python packages: a package is its RECORD and its metadata, never a directory that others share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bk.engine.inventory.ecosystems.python_files import prefix_of, recorded
from bk.engine.inventory.ecosystems.python_site import headers, of_folder
from bk.quarantine.back import restore
from bk.quarantine.vault import hold
from tests.unit.inventory.layouts import Home, one, said, wheel, wish
from tests.unit.quarantine.house import photograph

SITE = "venv/lib/python3.11/site-packages"
QUIET = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PATH": os.environ["PATH"]}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def dist(home: Home, name: str, version: str, files: dict[str, str], *, site: str = SITE, **over: str) -> str:
    """A package as an installer leaves it; RECORD as given, or every file."""
    info = f"{site}/{name}-{version}.dist-info"
    for path, text in files.items():
        if not path.startswith("/"):
            home.put(os.path.normpath(f"{site}/{path}"), text)
    told = over.get("metadata", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nreadme\n")
    home.put(f"{info}/METADATA", told)
    home.put(f"{info}/INSTALLER", over.get("installer", "pip\n"))
    rows = [*files, *(f"{name}-{version}.dist-info/{each}" for each in ("METADATA", "INSTALLER", "RECORD"))]
    home.put(f"{info}/RECORD", over.get("record", "".join(f"{row},,\n" for row in rows)))
    return info


def imports(python: Path, name: str) -> bool:
    told = subprocess.run([python, "-B", "-c", f"import {name}"], capture_output=True, timeout=60, env=QUIET)
    return told.returncode == 0


@pytest.mark.long
def test_a_real_environment_loses_the_bad_package_alone_and_gets_it_back(home: Home, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    bad = {
        "evil/__init__.py": "x = 1\ndef main(): pass\n",
        "evil/deep/inner.py": "y = 2\n",
        "evil.pth": "import os\n",
        "shared/mine/__init__.py": "",
        "evil_flat.py": "z = 3\n",
        "evil-1.0.data/data/share/evil/data.txt": "data",
    }
    wheel(wheels, "evil", "1.0", bad, commands="evil-cmd = evil:main", needs="good")
    wheel(wheels, "good", "2.0", {"good.py": "", "shared/yours/__init__.py": ""}, commands="good-cmd = good:x")
    venv = home.path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--symlinks", venv], check=True, timeout=120)
    python = venv / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--find-links", wheels, "evil"],
        check=True, timeout=120, env={**QUIET, "HOME": str(home.path)},
    )  # fmt: skip
    for flags in (["-O"], []):
        subprocess.run(
            [python, *flags, "-c", "import evil.deep.inner, evil_flat, shared.mine, shared.yours"],
            check=True,
            env=QUIET,
        )
    before = photograph(venv)
    items = home.seen("pypi")
    assert home.problems == []
    assert {(item.name, item.version) for item in items} >= {("evil", "1.0"), ("good", "2.0")}
    item, neighbour = one(items, "evil"), one(items, "good")
    assert (item.manager, item.kind, item.root, item.direct, neighbour.direct) == (
        "pip", "installed", str(venv), True, False,
    )  # fmt: skip
    assert (item.scripts, item.confidence, item.note) == (("evil.pth",), "exact", "")
    below = {path[len(str(venv)) + 1 :] for path in item.locator.files}
    assert {"bin/evil-cmd", "share/evil/data.txt"} <= below
    assert any("opt-1.pyc" in path for path in below)
    assert not any("good" in path or "yours" in path for path in below)
    assert home.takes(items) == []

    held = hold(home.state, wish(item), projects=[str(venv)])
    for name in ("evil", "evil.deep.inner", "evil_flat", "shared.mine"):
        assert not imports(python, name), name
    for name in ("good", "shared.yours", "pip"):
        assert imports(python, name), name
    assert not (venv / "bin" / "evil-cmd").exists()
    listed = subprocess.run(
        [python, "-B", "-m", "pip", "list"], capture_output=True, text=True, env=QUIET, timeout=60
    ).stdout
    assert "good" in listed
    assert "evil" not in listed
    assert not [path for path in venv.rglob("*evil*") if path.is_dir() and "site-packages" in str(path)]
    restore(home.state, held.ident)
    now = photograph(venv)
    stayed = {b"/bin", b"/share/evil", b"/lib/python3.11/site-packages", b"/lib/python3.11/site-packages/__pycache__"}
    stayed.add(b"/lib/python3.11/site-packages/shared")  # the times of folders that stayed are no part of the package
    assert {path: seen for path, seen in now.items() if path not in stayed} == {
        path: seen for path, seen in before.items() if path not in stayed
    }
    assert imports(python, "evil.deep.inner")


def test_a_shared_namespace_stays_with_its_neighbours(home: Home) -> None:
    dist(home, "google_evil", "1.0", {"google/evil/api.py": "", "google/__init__.py": ""})
    dist(home, "google_auth", "2.0", {"google/auth/x.py": "", "google/__init__.py": ""})
    item = one(home.seen("pypi"), "google-evil")
    assert [path for path in item.locator.files if "dist-info" not in path] == [home.at(f"{SITE}/google/evil/api.py")]
    assert "1 files are claimed by other packages too" in item.note
    hold(home.state, wish(item))
    assert not os.path.exists(home.at(f"{SITE}/google/evil"))
    assert os.path.exists(home.at(f"{SITE}/google/auth/x.py"))
    assert os.path.exists(home.at(f"{SITE}/google/__init__.py"))


def test_a_record_that_reaches_for_others_is_not_followed(home: Home) -> None:
    home.put("venv/bin/python3", "interpreter")
    home.put("venv/bin/activate", "activate")
    home.put("venv/bin/activate-evil", "its own")
    home.put("venv/bin/python-evil", "its own")
    home.put("venv/pyvenv.cfg", "home = /usr/bin\n")
    home.put("secret.txt", "a person's own")
    home.put("outside/x", "elsewhere")
    (home.path / "venv" / "share").symlink_to(home.path / "outside")
    lines = ["../../../../secret.txt", "../../../bin/python3", "../../../bin/activate", "../../../pyvenv.cfg",
             "/etc/passwd", home.at("secret.txt"), "six.py", "../../../share/x", ".hidden/x", "evil.py", "gone.py", "",
             "../../../bin/activate-evil", "../../../bin/python-evil",
             "a\0b"]  # fmt: skip
    dist(home, "six", "1.16.0", {"six.py": ""})
    home.put(f"{SITE}/evil.py")
    home.put(f"{SITE}/.hidden/x")
    dist(home, "evil", "1.0", {}, record="".join(f"{line},sha256=x,1\n" for line in lines))
    item = one(home.seen("pypi"), "evil")
    assert [path for path in item.locator.files if "dist-info" not in path] == [
        home.at("venv/bin/activate-evil"), home.at("venv/bin/python-evil"), home.at(f"{SITE}/evil.py"),
    ]  # fmt: skip
    assert len([path for path in item.locator.files if "evil-1.0.dist-info/" in path]) == 3  # whole, listed or not
    assert "lines of its RECORD leave the environment" in item.note
    assert home.takes([item]) == []
    hold(home.state, wish(item))
    for kept in ("secret.txt", "venv/bin/python3", "venv/bin/activate", f"{SITE}/six.py", "outside/x"):
        assert os.path.exists(home.at(kept)), kept


def test_an_editable_install_never_touches_the_project(home: Home) -> None:
    project = home.put("src/mine/mine/__init__.py").parent.parent
    home.put("src/mine/mine.egg-info/PKG-INFO", "Name: mine\nVersion: 1.0\n")
    files = ("__editable___mine_1_0_finder.py", "__editable__.mine-1.0.pth", "../../../bin/mine")
    info = dist(home, "mine", "1.0", dict.fromkeys(files, ""))
    home.put(f"{info}/direct_url.json", {"url": f"file://{project}", "dir_info": {"editable": True}})
    items = home.seen("pypi")
    assert len(items) == 1  # what lies in the source tree is no installation
    item = one(items, "mine")
    names = sorted(os.path.basename(path) for path in item.locator.files)
    assert names == [
        "INSTALLER", "METADATA", "RECORD", "__editable__.mine-1.0.pth", "__editable___mine_1_0_finder.py",
        "direct_url.json",
    ]  # fmt: skip
    assert item.note == f"editable, its source stays: file://{project}"
    assert home.takes(items) == []


def test_what_the_system_keeps_and_what_lies_elsewhere_is_only_reported(home: Home) -> None:
    dist(home, "target", "1.0", {"target.py": ""}, site="app/build")
    home.put(f"{SITE}/old-3.2.egg-info", "Metadata-Version: 1.1\nName: Old\nVersion: 3.2\n")
    home.put(f"{SITE}/empty-1.0.dist-info/RECORD", "empty.py,,\n")
    home.put(f"{SITE}/linked.egg-link", f"{home.at('src')}\n.\n")
    items = home.seen("pypi")
    assert said(items) == {
        ("target", "1.0", "installed", "none"),
        ("old", "3.2", "installed", "none"),
        ("empty", "1.0", "installed", "none"),
        ("linked", "", "installed", "none"),
    }
    assert one(items, "target").note == "it lies where no manager keeps packages"
    assert one(items, "old").note == "nothing records which files are its own"
    assert (one(items, "empty").note, one(items, "empty").confidence) == ("its metadata is missing", "name")


def test_a_system_directory_is_read_and_gives_nothing_to_move() -> None:
    assert prefix_of("/usr/lib/python3/dist-packages") == "/usr"


@pytest.mark.parametrize(
    ("site", "prefix"),
    [
        ("/h/.local/lib/python3.11/site-packages", "/h/.local"),
        ("/v/lib64/python3.13t/site-packages", "/v"),
        ("/v/lib/pypy3.10/site-packages", "/v"),
        ("/u/Library/Python/3.9/lib/python/site-packages", "/u/Library/Python/3.9"),
        ("/v/Lib/site-packages", "/v"),
        ("/p/__pypackages__/3.11/lib", "/p/__pypackages__/3.11"),
        ("/usr/local/lib/python3.11/dist-packages", "/usr/local"),
        ("/x/site-packages", "/x/site-packages"),
        ("/x/app", "/x/app"),
    ],
)
def test_the_environment_of_a_directory_of_packages(site: str, prefix: str) -> None:
    assert prefix_of(site) == prefix


def test_names_come_from_metadata_and_a_folder_that_differs_is_noted(home: Home) -> None:
    dist(home, "innocent", "1.0", {}, metadata="Name: evil_pkg\nVersion: 9.9\n\n")
    dist(home, "spelled", "1.0rc1", {}, metadata="Name: Spelled\nVersion: 1.0.rc1\n\n")
    items = home.seen("pypi")
    assert one(items, "evil-pkg").note == "its folder says innocent 1.0"
    assert one(items, "spelled").note == ""
    assert headers("Name: a\r\nVersion: 1\r\n\r\nName: b\n") == ("a", "1")
    assert headers("Version: 1\nName: a\nName: b\n") == ("a", "1")
    assert of_folder("python_dateutil-2.8.2-py3.11.egg-info") == ("python_dateutil", "2.8.2")


def test_record_lines_in_quotes_and_broken_ones() -> None:
    assert recorded('a.py,sha256=x,1\n"b,c.py",,\n\n,,\n') == ["a.py", "b,c.py"]
    assert recorded("") == []


def pipx(home: Home) -> str:
    venv = ".local/share/pipx/venvs/evil"
    site = f"{venv}/lib/python3.11/site-packages"
    home.put(f"{venv}/pyvenv.cfg", "home = /usr/bin\n")
    home.put(f"{venv}/bin/evil", "#!")
    home.put(
        f"{venv}/pipx_metadata.json",
        {"main_package": {"package": "evil", "package_version": "1.0", "apps": ["evil", "../x", "other"], "suffix": ""},
         "injected_packages": {}},
    )  # fmt: skip
    dist(home, "evil", "1.0", {"evil.py": "", "../../../bin/evil": "#!"}, site=site)
    dist(home, "dep", "2.0", {"dep.py": ""}, site=site)
    home.put(".local/bin/other", "somebody else's")
    (home.path / ".local/bin/evil").symlink_to("../share/pipx/venvs/evil/bin/evil")
    return venv


def test_the_main_package_of_a_tool_takes_the_whole_environment_with_its_links(home: Home) -> None:
    venv = pipx(home)
    items = home.seen("pypi")
    main, dep = one(items, "evil"), one(items, "dep")
    assert (main.manager, main.locator.kind, main.locator.path) == ("pipx", "dir", home.at(venv))
    assert main.locator.also == (home.at(".local/bin/evil"),)
    assert (dep.locator.kind, dep.manager) == ("file_set", "pipx")
    assert home.takes(items) == []
    before = photograph(home.path / ".local")
    held = hold(home.state, wish(main), projects={item.root for item in items})
    assert not os.path.lexists(home.at(".local/bin/evil"))
    assert not os.path.exists(home.at(venv))
    assert os.path.exists(home.at(".local/bin/other"))
    restore(home.state, held.ident)
    now = photograph(home.path / ".local")
    assert {path for path in now if now[path][:3] != before[path][:3] or now[path][4] != before[path][4]} == set()


def test_a_tool_of_uv(home: Home) -> None:
    tool = ".local/share/uv/tools/evilpkg"
    site = f"{tool}/lib/python3.11/site-packages"
    link = home.path / ".local/bin/evil"
    home.put(f"{tool}/bin/evil", "#!")
    link.parent.mkdir(parents=True)
    link.symlink_to(home.at(f"{tool}/bin/evil"))
    home.put(
        f"{tool}/uv-receipt.toml",
        f'[tool]\nrequirements = [{{ name = "evilpkg" }}, {{ name = "extra" }}]\nentrypoints = [\n'
        f'    {{ name = "evil", install-path = "{link}", from = "evilpkg" }},\n'
        '    { name = "sh", install-path = "/bin/sh", from = "evilpkg" },\n]\n',
    )
    dist(home, "evilpkg", "1.0", {"evilpkg/__init__.py": ""}, site=site, installer="uv")
    dist(home, "extra", "3.0", {"extra.py": ""}, site=site, installer="uv")
    items = home.seen("pypi")
    main = one(items, "evilpkg")
    assert (main.locator.kind, main.locator.path, main.locator.also) == ("dir", home.at(tool), (str(link),))
    assert one(items, "extra").locator.kind == "file_set"
    assert {item.manager for item in items} == {"uv tool"}
    assert home.takes(items) == []
    hold(home.state, wish(main), projects={item.root for item in items})
    assert not os.path.lexists(link)


def test_caches_give_what_comes_back_on_the_next_install(home: Home) -> None:
    archive = ".cache/uv/archive-v0/fJgPhQOUzLhMtSKz"
    home.put(f"{archive}/evil/__init__.py")
    home.put(f"{archive}/evil-1.0.dist-info/METADATA", "Name: evil\nVersion: 1.0\n")
    ran = ".cache/uv/archive-v0/UEJBs0XxLfVbNEg6"
    home.put(f"{ran}/pyvenv.cfg", "uv = 0.13\n")
    dist(home, "ran", "2.0", {"ran.py": ""}, site=f"{ran}/lib/python3.11/site-packages", installer="uv")
    home.put(".cache/pip/wheels/ab/cd/ef/0123/built_here-3.0-py3-none-any.whl", b"PK")
    home.put(".cache/pypoetry/artifacts/ab/cd/ef/0123/Poet.ry-4.0-1-cp311-cp311-linux_x86_64.whl", b"PK")
    home.put("project/dist/mine-1.0-py3-none-any.whl", b"PK")
    items = home.seen("pypi")
    assert said(items) == {
        ("evil", "1.0", "cached", "dir"),
        ("ran", "2.0", "cached", "file_set"),
        ("built-here", "3.0", "cached", "file_set"),
        ("poet-ry", "4.0", "cached", "file_set"),
    }
    assert {item.name: item.manager for item in items} == {
        "evil": "uv", "ran": "uvx", "built-here": "pip", "poet-ry": "poetry",
    }  # fmt: skip
    assert home.takes(items) == []


@pytest.mark.parametrize(
    ("site", "manager"),
    [
        (".cache/pypoetry/virtualenvs/app-x-py3.11/lib/python3.11/site-packages", "poetry"),
        (".local/share/hatch/env/virtual/app/hash/app/lib/python3.11/site-packages", "hatch"),
        (".local/share/virtualenvs/app-x/lib/python3.11/site-packages", "pipenv"),
        ("app/__pypackages__/3.11/lib", "pdm"),
        (".local/lib/python3.11/site-packages", "pip"),
        (".pyenv/versions/3.11.7/lib/python3.11/site-packages", "pip"),
        ("Library/Python/3.9/lib/python/site-packages", "pip"),
    ],
)
def test_every_kind_of_environment(home: Home, site: str, manager: str) -> None:
    dist(home, "evil", "1.0", {"evil/__init__.py": ""}, site=site)
    items = home.seen("pypi")
    item = one(items, "evil")
    assert (item.manager, item.locator.kind, len(item.locator.files)) == (manager, "file_set", 4)
    assert home.takes(items) == []
    hold(home.state, wish(item), projects=[item.root])
    assert not os.path.exists(home.at(f"{site}/evil"))  # left empty, it would still import


def test_conda_stands_for_what_it_installed(home: Home) -> None:
    dist(home, "numpy", "1.0", {"numpy.py": ""}, installer="conda\n")
    assert one(home.seen("pypi"), "numpy").manager == "conda"
    home.put("venv/conda-meta/numpy-1.0-py311_0.json", {"name": "numpy", "version": "1.0"})
    os.utime(home.at("venv"))
    assert home.seen("pypi") == []


def test_credentials_in_addresses_are_not_kept(home: Home) -> None:
    info = dist(home, "evil", "1.0", {"evil.py": ""})
    home.put(f"{info}/direct_url.json", {"url": "https://u:s3cret@registry.example:8443/x.whl?token=s3cret#egg=s3cret"})
    assert one(home.seen("pypi"), "evil").origin == "https://registry.example:8443/x.whl"


def test_a_second_scan_sees_what_changed_beside_the_packages(home: Home) -> None:
    dist(home, "evil", "1.0", {"evil.py": "", "../../../bin/evil": "#!"})
    old = 1_600_000_000
    for path in [home.path, *home.path.rglob("*")]:
        os.utime(path, (old, old))
    assert home.at("venv/bin/evil") in one(home.seen("pypi"), "evil").locator.files
    os.unlink(home.at("venv/bin/evil"))
    assert home.at("venv/bin/evil") not in one(home.seen("pypi"), "evil").locator.files
