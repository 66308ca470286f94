"""Container images and charts. What the command inside a container installs is that command's own."""

from __future__ import annotations

from bk.engine.lower.installs.line import elsewhere, install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

GLOBAL_TAKES = options(
    "-c --context -H --host --config -l --log-level --tlscacert --tlscert --tlskey --connection --url"
)
RUN_TAKES = options(
    "-a --attach --add-host --annotation --blkio-weight --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile"
    " --cpus --cpu-period --cpu-quota --cpu-shares -c --cpuset-cpus --cpuset-mems --detach-keys --device"
    " --device-cgroup-rule --dns --dns-option --dns-search --domainname --entrypoint -e --env --env-file --expose"
    " --gpus --group-add --health-cmd --health-interval --health-retries --health-timeout -h --hostname --ip --ip6"
    " --ipc --isolation --kernel-memory -l --label --label-file --link --log-driver --log-opt --mac-address -m"
    " --memory --memory-reservation --memory-swap --mount --name --network --net --network-alias --oom-score-adj"
    " --pid --pids-limit --platform -p --publish --pull --restart --runtime --security-opt --shm-size"
    " --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs --ulimit -u --user --userns --uts -v --volume"
    " --volume-driver --volumes-from -w --workdir --arch --os --variant --pod --secret --creds --authfile"
)


def read(program: str, words: Sequence[str]) -> list[Install]:
    """The images one command pulls or runs."""
    if program == "helm":
        return _helm(words)
    if program in ("kubectl", "oc"):
        return _kubectl(program, words)
    line = split(words, GLOBAL_TAKES, until=1)
    verb, rest = (line.words[0] if line.words else ""), line.rest
    if verb in ("container", "image"):
        line = split(rest, GLOBAL_TAKES, until=1)
        verb, rest = (line.words[0] if line.words else ""), line.rest
    if verb in ("run", "create"):
        given = split(rest, RUN_TAKES, until=1)
        if not given.words:
            return []
        return [_image(program, given.words[0], runs=verb == "run")]
    if verb == "pull":
        given = split(rest, RUN_TAKES)
        return [_image(program, word) for word in given.words]
    return []


def _image(program: str, word: str, *, runs: bool = False) -> Install:
    """`host:port/name:tag@digest`: the tag is the version, the digest part of the name."""
    text, at, digest = str(word).partition("@")
    head, slash, last = text.rpartition("/")
    last, _, tag = last.partition(":")
    return install("oci", program, word, head + slash + last + at + digest, tag, runs=runs)


def _helm(words: Sequence[str]) -> list[Install]:
    line = split(words, options("-n --namespace --kube-context --version --repo -f --values --set"))
    verb = line.words[0] if line.words else ""
    if verb not in ("install", "upgrade", "pull") or len(line.words) < 2:
        return []
    chart = line.words[1] if verb == "pull" else line.words[-1]
    source = elsewhere(chart)
    return [install("helm", "helm", chart, str(chart), line.value("--version"), source=source or "registry")]


def _kubectl(program: str, words: Sequence[str]) -> list[Install]:
    """Images that a cluster is told to run."""
    takes = options("-n --namespace --context --image -l --labels --env --kubeconfig -c --container --replicas --port")
    line = split(words, takes)
    if not line.words or line.words[0] not in ("run", "create", "debug"):
        return []
    return [_image(program, word, runs=True) for word in line.values("--image")]
