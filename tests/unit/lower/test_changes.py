"""What programs do to paths and hosts: many files at once, archives, searches, and the method of a request."""

from __future__ import annotations

import pytest

from bk.engine.model import Connect, Touch
from tests.unit.checks import PROJECT as P
from tests.unit.checks import actions

TABLE = [
    ("rm --rec --forc x", [f"delete {P}/x/"]),
    ("chmod -R 777 /srv", ["write /srv/ by chmod -R"]),
    ("chown --rec u /srv", ["write /srv/ by chown -R"]),
    ("chmod --reference=a b", [f"write {P}/b by chmod"]),
    ("setfacl -R -m u:x:rwx /srv", ["write /srv/ by setfacl -R"]),
    ("truncate --size=0 f", [f"write {P}/f emptied"]),
    ("truncate -s 10M f", [f"write {P}/f"]),
    ("cp /dev/null f", [f"write {P}/f emptied", f"write {P}/f/null emptied"]),
    ("rsync -a --delete src/ /srv", ["write /srv", "write /srv/", "delete /srv/ by rsync --delete"]),
    ("rsync -an --delete src/ /srv", []),
    ("rsync -a --del src/ h.example:/srv", ["delete /srv/ by rsync --delete on ssh:h.example"]),
    ("rsync -a --remove-source-files src /srv", [
        f"delete {P}/src/ by rsync --remove-source-files", "write /srv", "write /srv/src"]),
    ("rclone purge /srv", ["delete /srv/"]),
    ("rclone sync a:b /srv", ["write /srv/", "delete /srv/ by rclone sync"]),
    ("rclone sync --dry-run a:b /srv", []),
    ("find /srv -delete", ["delete /srv/ by find -delete"]),
    ("find /srv -type f -delete", ["delete /srv/ by find -delete"]),
    ("find /srv -mtime +3 -delete", ["delete /srv/? by find -delete"]),
    ("find /srv -name '*.log' -delete", ["delete /srv/**/*.log/? by find -delete"]),
    ("find /srv ! -name '*.log' -delete", ["delete /srv/ by find -delete"]),
    ("find /srv -name x -fprint /tmp/out", ["write /tmp/out"]),
    ("fd -e log . /srv -x rm", ["delete /srv/**/*.log? by find fd -x"]),
    ("tar --remove-files -cf a.tar src", [f"write {P}/a.tar", f"delete {P}/src/ by tar --remove-files"]),
    ("tar --extr --file a.tar --dir /srv", ["write /srv/"]),
    ("perl -pi -e 's/a/b/' f", [f"write {P}/f"]),
    ("trash x", [f"delete {P}/x"]),
    ("sed -n 's/a/b/w /srv/x' f", ["write /srv/x"]),
    ("sqlite3 a.db '.output /srv/x'", ["write /srv/x"]),
]  # fmt: skip


@pytest.mark.parametrize(("command", "expected"), TABLE, ids=[command for command, _ in TABLE])
def test_paths(command: str, expected: list[str]) -> None:
    told = []
    for one in actions("Bash", command):
        if isinstance(one, Touch) and one.mode in ("write", "delete"):
            tail = f" by {one.via[-1]}" if one.via and one.via[-1] not in ("perl -e",) else ""
            there = f" on {one.where}" if one.where else ""
            empty = " emptied" if one.content == "" else ""
            told.append(
                f"{one.mode} {one.path}{'/' if one.tree else ''}{'' if one.certain else '?'}{empty}{tail}{there}"
            )
    assert told == expected


REQUESTS = {
    "curl https://h.example/x": ("GET", False),
    "curl -XDELETE https://h.example/x": ("DELETE", False),
    "curl --request=PUT https://h.example/x": ("PUT", True),
    "curl -sI https://h.example": ("HEAD", False),
    "curl -d a=b https://h.example": ("POST", True),
    "curl -X PUT -d a=b https://h.example": ("PUT", True),
    "curl -T f https://h.example": ("PUT", True),
    "curl -Gd a=b https://h.example": ("GET", True),
    "wget https://h.example": ("GET", False),
    "wget --method=DELETE https://h.example": ("DELETE", False),
    "wget --post-file f https://h.example": ("POST", True),
    "http https://h.example": ("GET", False),
    "http https://h.example a=b": ("POST", True),
    "http DELETE https://h.example": ("DELETE", False),
    "xh put https://h.example a=b": ("PUT", True),
    "http https://h.example q==1 X-A:b": ("GET", False),
    "pwsh -c 'Invoke-RestMethod -Uri https://h.example -Method Delete'": ("DELETE", False),
}


@pytest.mark.parametrize(("command", "expected"), REQUESTS.items())
def test_requests(command: str, expected: tuple[str, bool]) -> None:
    found = [one for one in actions("Bash", command) if isinstance(one, Connect)]
    assert [(one.host, one.method, one.sends) for one in found] == [("h.example", *expected)]


def test_a_remote_archive_is_a_connection() -> None:
    for command in (
        "tar --cr --file=h.example:/a src",
        "tar cf h.example:/a src",
        "TAR_OPTIONS='--create --file=h.example:/a' tar -- src",
        "TAPE=h.example:/a tar -c src",
    ):
        found = [one for one in actions("Bash", command) if isinstance(one, Connect)]
        assert [(one.host, one.sends) for one in found] == [("h.example", True)], command
        assert f"tree:{P}/src" in found[0].takes
