"""`command` and its modifiers: what they find, and what differs as little as possible and is left alone."""

from __future__ import annotations

import pytest

from bk.engine.lower.words import Dim
from bk.engine.model import Run
from tests.unit.rules import acts, found, one

# pattern, a command it finds, a command it leaves alone
PAIRS = [
    ('command("rm")', "/bin/rm x", "rmdir x"),
    ('command("rm")', "sudo env A=1 RM.EXE x", "echo rm x"),
    ('command("mkfs.*", "mke2fs")', "mkfs.ext4 /dev/sda", "mkfs-tool x"),
    ('command("rm") with_flags("-r", "--recursive")', "rm -fvr x", "rm -fv x"),
    ('command("rm") with_flags("-r", "--recursive")', "rm x --recursive", "rm -- --recursive"),
    ('command("rm") with_flags("-r") with_flags("-f")', "rm -f -r x", "rm -r x"),
    ('command("rm") with_flags("-rf")', "rm -f -r x", "rm -f x"),
    ('command("rm") with_flags("--recursive")', "rm --recurs x", "rm --rec x"),
    ('command("git") with_flags("--hard")', "git reset --har", "git reset --ha"),
    ('command("git") with_flags("--force-with-lease")', "git push --force-with-l", "git push --force"),
    ('command("git") with_flags("--force")', "git push --no-force --force", "git push --force --no-force"),
    ('command("x") with_flags("--yes")', "x --yes=true", "x --yes=false"),
    ('command("docker") with_flags("--pid=host")', "docker run --pid host i", "docker run --pid container:x i"),
    ('command("docker") with_flags("--privileged")', "docker run --privileged i", "docker run i tool --privileged"),
    ('command("find") with_flags("-delete")', "find . -name x -delete", "find . -name -delete"),
    ('command("terraform") with_flags("-auto-approve")', "terraform -chdir=x apply -auto-approve", "terraform apply"),
    ('command("terraform") with_flags("-auto-approve")', "terraform apply -auto-approve", "terraform plan -out x"),
    ('command("remove-item") with_flags("-Recurse")', "Remove-Item -rec x", "Remove-Item -Confirm x"),
    ('command("rd") with_flags("/s")', "rd /Q /S x", "rd /q x"),
    ('command("rd") with_flags("/s")', "rd /q/s x", "rd /sys"),
    ('command("attrib") with_flags("+h")', "attrib +h x", "attrib h x"),
    ('command("rm") without_flags("-i")', "rm x", "rm -fi x"),
    ('command("tool") without_flags("--dry-run")', "tool --dry-run=none", "tool --dry-run=client"),
    ('command("tool") without_flags("--interactive")', "tool --inter", "tool --interactive"),
    ('command("curl") with_option("-X|--request", "DELETE|PURGE")', "curl -sXDELETE u", "curl -X GET u"),
    ('command("curl") with_option("-X|--request", "DELETE|PURGE")', "curl u --request=purge", "curl u -d -X"),
    ('command("odd") with_option("--mode", "wipe*")', "odd --mode wipe-all", "odd --mode read"),
    ('command("psql") with_option("-h|--host", "*prod*")', "psql -hprod-1", "psql -h dev -d prod"),
    ('command("dd") with_args("of=/dev/sd*")', "dd if=x of=/dev/sda", "dd if=/dev/sda of=x"),
    ('command("git") with_subcommand("push") with_args("+*")', "git push origin +main", "git push origin main"),
    ('command("git") with_subcommand("push") with_args("o*") with_args("m*")', "git push o main", "git push o dev"),
    ('command("env") with_no_args()', "env -0", "env x"),
    ('command("git") with_subcommand("stash") with_no_args()', "git -C x stash -q", "git stash drop"),
    ('command("aws") with_subcommand("s3 rb")', "aws --profile p s3 rb s3://b", "aws s3 ls rb"),
    ('command("aws") with_subcommand("* delete-*")', "aws --region r ec2 delete-vpc", "aws ec2 describe delete-x"),
    ('command("az") with_subcommand("** delete")', "az -o table network vnet delete -n x", "az -o delete vm list"),
    ('command("az") with_subcommand("** delete")', "az delete", "az a b c d delete"),
    ('command("tool") with_subcommand("a|b")', "tool a|b x".replace("|b", "'|b'"), "tool a x"),
    ('command("psql") says("(?i)\\bdrop\\s+table\\b")', "psql -c 'DROP  table t'", "psql -c 'select dropped'"),
    ('command("psql") says("(?i)drop table")', "echo 'drop table t' | psql", "echo 'drop table t' | cat"),
    ('command("rm") in_dir("~/work/**")', "cd ~/work/a && rm x", "rm x"),
    ('command("rm") in_dir("/etc")', "cd /etc/nginx; rm x", "cd /etcetera; rm x"),
    ('command("rm") as_root()', "sudo -u root rm x", "rm sudo"),
    ('command("rm") via("xargs")', "echo a | xargs rm", "echo xargs; rm x"),
    ('command("node") env("NODE_OPTIONS", "*--require*")', "NODE_OPTIONS='--require x' node y", "NODE_OPTIONS=a node"),
    ('command("node") env("NODE_*")', "export NODE_OPTIONS=x; node y", "node y; export NODE_OPTIONS=x"),
    ('env("LD_PRELOAD")', "LD_PRELOAD=./x.so ls", "ls LD_PRELOAD=x"),
]


@pytest.mark.parametrize(("pattern", "bad", "good"), PAIRS, ids=[f"{at}-{pair[0]}" for at, pair in enumerate(PAIRS)])
def test_a_pattern_and_its_near_miss(pattern: str, bad: str, good: str) -> None:
    text = one(pattern)
    assert found(text, bad), bad
    assert not found(text, good), good


GLOBAL_OPTIONS = [
    ("git", "push", "git -C x -c a.b=c --git-dir d push", "git -C push status"),
    ("kubectl", "delete", "kubectl -n get --context c delete pod x", "kubectl -n delete get pods"),
    ("docker", "rm", "docker --context c -l debug rm x", "docker --context rm ps"),
    ("gcloud", "projects delete", "gcloud --project p projects delete p", "gcloud --project delete projects list"),
    ("helm", "uninstall", "helm --kube-context c -n x uninstall r", "helm -n uninstall list"),
    ("redis-cli", "flushall", "redis-cli -h h -p 1 -a pw FLUSHALL", "redis-cli -a flushall ping"),
    ("systemctl", "stop", "systemctl --user -H h stop x", "systemctl -H stop status"),
    ("npm", "publish", "npm --prefix d publish", "npm --prefix publish test"),
    ("gh", "repo delete", "gh -R a/b repo delete", "gh -R delete repo view"),
    ("heroku", "apps:destroy", "heroku -a x apps:destroy", "heroku -a apps:destroy ps"),
    ("terraform", "destroy", "terraform -chdir=d destroy", "terraform -chdir=destroy plan"),
    ("aws", "s3 rb", "aws --unheard-of v s3 rb s3://b", "aws --no-sign-request s3 ls"),
    ("az", "group delete", "az --subscription s group delete", "az --debug group list"),
]


@pytest.mark.parametrize(("program", "words", "bad", "good"), GLOBAL_OPTIONS, ids=[row[0] for row in GLOBAL_OPTIONS])
def test_options_before_the_subcommand_are_skipped(program: str, words: str, bad: str, good: str) -> None:
    text = one(f'command("{program}") with_subcommand("{words}")')
    assert found(text, bad), bad
    assert not found(text, good), good


def test_an_unknown_option_is_read_both_ways() -> None:
    text = one('command("newcli") with_subcommand("delete")')
    assert found(text, "newcli --context prod delete x")
    assert found(text, "newcli --verbose delete x")
    assert not found(text, "newcli --context prod get delete")


def test_every_operand_counts_however_many_there_are() -> None:
    assert found(one('command("rm") with_args("/etc/*")'), "rm " + "a " * 6000 + "/etc/passwd")
    assert found(one('command("rm") with_flags("-r")'), "rm " + "a " * 6000 + "-r")


UNKNOWN = [
    ('command("rm")', ["/bin/r?", "x"], True),
    ('command("rm")', ["/bin/l?", "x"], False),
    ('command("rm")', ["**", "x"], False),
    ('command("rm") with_args("/etc/*")', ["rm", "**"], True),
    ('command("rm") with_args("/etc/*")', ["rm", "**/passwd"], True),
    ('command("rm") with_args("/etc/*")', ["rm", "/var/**"], False),
    ('command("kubectl") with_subcommand("delete")', ["kubectl", "del*"], True),
    ('command("kubectl") with_subcommand("delete")', ["kubectl", "**"], False),
    ('command("rm") with_flags("-r")', ["rm", "**"], False),
]


@pytest.mark.parametrize(("pattern", "argv", "asks"), UNKNOWN)
def test_what_is_unknown_counts_in_the_suspicious_tier_alone(pattern: str, argv: list[str], asks: bool) -> None:
    words = [Dim(word) if "*" in word or "?" in word else word for word in argv]
    run = Run(words, cwd="/", certain=False)
    assert acts(one(pattern, tier="suspicious"), run) is asks
    assert not acts(one(pattern), run)
    assert not acts(one(pattern, tier="warn"), run)


def test_an_unknown_word_that_can_only_match_does() -> None:
    assert acts(one('command("rm") with_args("/etc/*")'), Run(["rm", Dim("/etc/**")]))
    assert acts(one('command("rm") with_args("*")'), Run(["rm", Dim("**")]))


def test_what_happens_elsewhere_can_be_asked_for() -> None:
    run = Run(["rm", "-rf", "x"])
    text = one('command("rm") where("ssh:*", "container:*")')
    assert not acts(text, run)
    run.where = "ssh:host"
    assert acts(text, run)
