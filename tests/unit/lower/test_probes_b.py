"""Listings of everything, positional parameters, program texts, leftovers: what is stopped, what goes through."""

from __future__ import annotations

import pytest

from tests.unit.checks import decided

STOPPED = (
    "git ls-files | xargs rm -f",
    "git ls-files -z | xargs -0 rm",
    "git ls-files | xargs -I{} rm {}",
    "git ls-files | parallel rm",
    "git ls-files | xargs truncate -s 0",
    "git ls-files | xargs sed -i d",
    "git ls-files | xargs -n1 cp /dev/null",
    "rg --files | xargs rm",
    "rm $(git ls-files)",
    'git ls-files | while read f; do rm "$f"; done',
    'for f in $(git ls-files); do : > "$f"; done',
    """find src -type f -exec sh -c '> "$1"' _ {} \\;""",
    """find src -type f -exec sh -c 'cat /dev/null > "$1"' _ {} \\;""",
    """find src -type f -exec sh -c 'rm "$1"' _ {} \\;""",
    """find src -type f | xargs -n1 sh -c 'rm "$1"' _""",
    'for f in src/*; do : > "$f"; done',
    "find / -name '*.pem' | xargs cat",
    "find / -name '*.pem' -exec cat {} +",
    "ruby -rfileutils -e 'FileUtils.rm_rf(Dir.home)'",
    "ruby -rfileutils -e 'FileUtils.rm_rf(Dir.pwd)'",
    """ruby -rfileutils -e 'FileUtils.rm_rf(Dir.glob("*"))'""",
    "ruby -rpathname -e 'Pathname.new(Dir.home).rmtree'",
    "perl -MFile::Path -e 'rmtree((getpwuid($>))[7])'",
    "python3 -c 'import pwd,os,shutil; shutil.rmtree(pwd.getpwuid(os.getuid()).pw_dir)'",
    """python3 -c 'import os; [os.remove(f) for f in os.listdir(".")]'""",
    "python3 -c 'import shutil,x; shutil.rmtree(x.y())'",
    "trash-empty",
    "gio trash --empty",
    "find /tmp -delete",
    "find . -name '*.py' -delete",
    "rm -rf src package-lock.json",
)
FREE = (
    "git ls-files | xargs wc -l",
    "git ls-files '*.py' | xargs sed -i 's/a/b/'",
    r"git ls-files | grep '\.pyc$' | xargs rm -f",
    "git ls-files '*.orig' | xargs rm -f",
    'for f in src/*.py; do sed -i s/a/b/ "$f"; done',
    "python3 -c 'import tempfile,os; fd,tmp=tempfile.mkstemp(); os.unlink(tmp)'",
    "python3 -c 'import tempfile,shutil; d=tempfile.mkdtemp(); shutil.rmtree(d)'",
    "trash-empty --help",
    "find /tmp -maxdepth 1 -name 'pytest-*' -exec rm -rf {} +",
    "find /tmp -name 'myapp-*' -mmin +60 -delete",
    "rm -rf node_modules package-lock.json",
    "rm -rf .venv poetry.lock",
    "rm -rf node_modules yarn.lock .next",
    "find . -name '*.orig' -o -name '*.rej' | xargs rm -f",
    "find . -name '*.bak' -delete",
)


@pytest.mark.parametrize("command", STOPPED)
def test_what_loses_or_shows_too_much_is_stopped(command: str) -> None:
    assert decided({"command": command}).level.word in ("ask", "block")


@pytest.mark.parametrize("command", FREE)
def test_what_can_be_made_again_goes_through(command: str) -> None:
    assert decided({"command": command}).level.word in ("allow", "warn")


def test_a_key_directory_is_kept_through_positional_parameters() -> None:
    command = "find ~/.ssh -type f -exec sh -c 'cat \"$1\"' _ {} \\;"
    assert decided({"command": command}).level.word == "block"
