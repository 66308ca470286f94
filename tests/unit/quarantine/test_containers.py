"""Where packages of each manager lie, and what beside them never counts as one."""

from __future__ import annotations

import pytest

from bk.quarantine.paths import Ground, contained, elsewhere

YES = {
    "pypi": [
        "/h/.cache/pip/wheels/ab/cd/0123/evil-1.0-py3-none-any.whl",
        "/h/.cache/pypoetry/artifacts/ab/cd/0123/evil-1.0-py3-none-any.whl",
        "/v/lib/python3.11/site-packages/evil/x.py",
        "/p/__pypackages__/3.11/lib/evil/x.py",
    ],
    "conda": [
        "/c/pkgs/evil-1.0-py_0",
        "/c/pkgs/evil-1.0-py_0.conda",
        "/c/conda-meta/evil-1.0-py_0.json",
        "/c/lib/python3.11/site-packages/evil/x.py",
        "/c/bin/evil",
        "/c/x86_64-conda-linux-gnu/sysroot/x",
    ],
    "packagist": ["/p/vendor/acme/evil", "/p/vendor/composer/semver", "/p/vendor/bin/evil"],
    "nuget": ["/h/.nuget/packages/evil/1.0.0", "/s/packages/Evil.1.0.0", "/h/.dotnet/tools/evil"],
    "homebrew": [
        "/opt/homebrew/Cellar/evil/1.0",
        "/opt/homebrew/opt/evil",
        "/h/.linuxbrew/bin/evil",
        "/usr/local/sbin/x",
    ],
    "cargo": ["/h/.cargo/bin/evil", "/p/vendor/evil", "/h/.cargo/registry/cache/i-0/evil-1.0.0.crate"],
}
NO = {
    "pypi": [
        "/h/project/dist/mine-1.0-py3-none-any.whl",
        "/h/.cache/pip/wheels/ab/notes.txt",
        "/h/src/mine/x.py",
    ],
    "conda": ["/c/conda-meta/history", "/c/conda-meta", "/c/pkgs", "/c/bin", "/c/environment.yml", "/h/src/mine/x.py"],
    "packagist": [
        "/p/vendor/composer",
        "/p/vendor/composer/autoload_real.php",
        "/p/vendor/composer/autoload_files.php",
        "/p/vendor/composer/installed.json",
        "/p/vendor/composer/installed.php",
        "/p/vendor/composer/ClassLoader.php",
        "/p/vendor/composer/InstalledVersions.php",
        "/p/vendor/composer/platform_check.php",
        "/p/vendor/autoload.php",
        "/p/vendor/bin",
    ],
    "nuget": ["/h/.dotnet/tools/.store", "/h/.dotnet/tools", "/h/.nuget/packages/evil", "/p/packages/mine"],
    "homebrew": ["/opt/homebrew/bin", "/usr/bin/x", "/opt/homebrew/Cellar/evil", "/opt/homebrew/etc/x", "/h/bin/x"],
    "cargo": ["/h/.cargo/bin", "/h/.cargo/registry/src/i-0", "/h/.cargo/config.toml", "/p/src/main.rs"],
}


@pytest.mark.parametrize(("ecosystem", "path"), [(name, path) for name, paths in YES.items() for path in paths])
def test_a_package_may_lie_there(ecosystem: str, path: str) -> None:
    assert contained(ecosystem, path)


@pytest.mark.parametrize(("ecosystem", "path"), [(name, path) for name, paths in NO.items() for path in paths])
def test_no_package_lies_there(ecosystem: str, path: str) -> None:
    assert not contained(ecosystem, path)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("/etc/cron.d/x", "protected_root"),
        ("/usr/lib/systemd/system/x.service", "protected_root"),
        ("/var/spool/cron/crontabs/root", "protected_root"),
        ("/opt/x", "protected_root"),
        ("/home/dev/.ssh/authorized_keys", "protected_root"),
        ("/home/dev/.config/autostart/x.desktop", "protected_root"),
        ("/home/dev/.bashrc", "protected_root"),
        ("/home/dev/bin/x", "protected_root"),
        ("/home/dev/work/../.ssh/x", "bad_path"),
        ("/home/dev/evidence/evil", ""),
        ("/tmp/evil", ""),
        ("/home/dev/p/node_modules/evil", ""),
    ],
)
def test_a_package_is_not_put_back_where_things_are_started(to: str, code: str) -> None:
    here = Ground(state="/home/dev/.bk", homes=("/home/dev",))
    found = elsewhere(to, "npm", here)
    assert found == code or (code == "bad_path" and found)
