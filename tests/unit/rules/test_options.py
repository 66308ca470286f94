"""How the words of real programs are read."""

from __future__ import annotations

import pytest

from bk.engine.rules.arity import RECORDS
from bk.engine.rules.options import Words, has_flag, options_of


def words(line: str) -> Words:
    argv = line.split(" ")
    return Words(argv[0], argv)


READ = [
    ("git -C x -c a=b push -u origin main", ["push", "origin", "main"]),
    ("git commit -m push -a", ["commit"]),
    ("git commit -C HEAD x", ["commit", "x"]),
    ("git checkout -- push", ["checkout", "push"]),
    ("kubectl -n delete get pods -o yaml", ["get", "pods"]),
    ("kubectl logs -f pod", ["logs", "pod"]),
    ("kubectl delete -f x.yml", ["delete"]),
    ("docker run -it --rm -v /:/x image rm -rf /", ["run", "image", "rm", "-rf", "/"]),
    ("docker rm -f name", ["rm", "name"]),
    ("docker system prune -f --volumes", ["system", "prune"]),
    ("docker compose -f a.yml down -v", ["compose", "down"]),
    ("aws s3 rm s3://b --recursive --profile p", ["s3", "rm", "s3://b"]),
    ("az vm delete -g delete --name x --yes", ["vm", "delete"]),
    ("gcloud compute instances delete a --zone z --quiet", ["compute", "instances", "delete", "a"]),
    ("helm -n x uninstall r --kube-context c", ["uninstall", "r"]),
    ("terraform -chdir=x apply -var a=b -auto-approve", ["apply"]),
    ("redis-cli -h h -p 1 FLUSHALL", ["FLUSHALL"]),
    ("psql -h h -U u -c text db", ["db"]),
    ("systemctl --user -M m stop x", ["stop", "x"]),
    ("npm --prefix d -w a run x", ["run", "x"]),
    ("ssh -p 1 -i k host rm -rf x", ["host", "rm", "-rf", "x"]),
    ("python3 -W x s.py --force", ["s.py", "--force"]),
    ("find . -name a -delete", ["."]),
    ("unheard -a -b -- -c", ["-c"]),
    ("heroku -a x apps:destroy y", ["apps:destroy", "y"]),
    ("gh -R a/b pr close 1", ["pr", "close", "1"]),
    ("remove-item -path x -recurse", []),
]


@pytest.mark.parametrize(("line", "left"), READ, ids=[row[0] for row in READ])
def test_the_words_that_are_left(line: str, left: list[str]) -> None:
    assert words(line).readings[0] == left


def test_values_are_kept_with_their_options() -> None:
    held = words("curl -sSXDELETE --url=u -o f -Hx")
    assert held.values == [("-X", "DELETE"), ("--url", "u"), ("-o", "f"), ("-H", "x")]
    assert set(held.seen) == {"-s", "-S", "-X", "--url", "-o", "-H"}


def test_a_doubtful_option_has_two_readings() -> None:
    assert words("newtool --a b c").readings == (["b", "c"], ["c"])
    assert words("aws --a b c").readings == (["c"], ["b", "c"])
    assert words("aws --force b c").readings == (["b", "c"],)
    assert words("ls -l b").readings[0] == ["b"]


def test_a_flag_counts_as_written_where_it_lets_a_call_go() -> None:
    assert has_flag("--hard", words("git reset --har"))
    assert not has_flag("--hard", words("git reset --har"), strict=True)
    assert has_flag("--hard", words("git reset --hard"), strict=True)


def test_programs_with_odd_names_are_unknown() -> None:
    for name in ("", "|", "=guess", "@rm", "-n", "--file", "a b", "git |", "\n"):
        assert options_of(name) is None
    known = options_of("get-childitem")
    assert known is not None
    assert known.style == "shell"


def test_every_record_is_well_formed() -> None:
    for line in RECORDS.strip().replace("\n    ", " ").split("\n"):
        head, bar, takes = line.partition(" |")
        assert bar, line
        marks = [word for word in head.split() if word[0] in "=@"]
        assert all(mark[0] == "@" or mark in ("=guess", "=single", "=shell", "=stop") for mark in marks), head
        assert all(option[0] == "-" for option in takes.split()), line
        assert options_of(head.split()[0]) is not None
