"""The doors to other machines, containers and clusters, as data."""

from __future__ import annotations

from bk.engine.lower.doors import Door, also, table

SSH = "-B -b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w"
_KUBE = (
    "-n --namespace --context --cluster --kubeconfig -s --server --user --token --as --as-group --request-timeout -v"
    " --certificate-authority --client-certificate --client-key --cache-dir"
)
_DOCKER = "-c --context -H --host --config -l --log-level --tlscacert --tlscert --tlskey --connection --url"
_RUN = (
    "-a --attach --add-host --annotation --blkio-weight --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile"
    " --cpus --cpu-period --cpu-quota --cpu-shares -c --cpuset-cpus --cpuset-mems --detach-keys --device"
    " --device-cgroup-rule --dns --dns-option --dns-search --domainname -e --env --env-file --expose --gpus"
    " --group-add --health-cmd --health-interval --health-retries --health-timeout -h --hostname --ip --ip6 --ipc"
    " --isolation -l --label --label-file --link --log-driver --log-opt --mac-address -m --memory"
    " --memory-reservation --memory-swap --mount --name --network --net --network-alias --oom-score-adj --pid"
    " --pids-limit --platform -p --publish --pull --restart --runtime --security-opt --shm-size --stop-signal"
    " --stop-timeout --storage-opt --sysctl --tmpfs --ulimit -u --user --userns --uts -v --volume --volume-driver"
    " --volumes-from --arch --os --variant --pod --secret --creds --authfile"
)
_EXEC = "--detach-keys -e --env --env-file -u --user --index"
_COMPOSE = "-f --file -p --project-name --profile --env-file --project-directory --ansi --parallel --progress"
_DIR = "-w --workdir"
AWS = "--region --profile --output --endpoint-url --query"
DOORS = table(
    Door("ssh", SSH, place="ssh", skip=1, text=True, feeds=True),
    Door("autossh", SSH + " -M", place="ssh", skip=1, text=True, feeds=True),
    Door("mosh", "--ssh -p --port -a -n --predict --family --bind-server", place="ssh", skip=1, text=True),
    Door("plink", "-pw -pwfile -P -l -i -hostkey -L -R -D -m -proxycmd", place="ssh", skip=1, text=True, feeds=True),
    Door("dbclient", "-p -i -l -L -R -W -K -I -J -c -m -o -b", place="ssh", skip=1, text=True, feeds=True),
    Door("et", "-p --port -t -r -u", place="ssh", skip=1, dash=True, codes="-c --command"),
    Door(
        "tsh ssh", "-l --login -L -R -D -i -p --proxy --cluster --user", place="ssh", skip=1, text=True, first="--proxy"
    ),
    Door("tailscale ssh", place="ssh", skip=1, text=True),
    Door("kitten ssh", SSH, place="ssh", skip=1, text=True),
    Door(
        "pssh",
        "-h -H -l -p -o -e -t -O -x -g -m --hosts --host --user --par --timeout",
        place="ssh",
        text=True,
        named="-H --host -h",
    ),
    Door("pdsh", "-x -l -t -u -f -R -g", place="ssh", text=True, named="-w"),
    Door("clush", "-x -l -t -u -f -o -X", place="ssh", text=True, named="-w -g --hostfile"),
    Door("dsh", "-f -r -F", place="ssh", text=True, named="-m -g --machine --group"),
    Door("adb shell|exec-out", "-e -T", place="ssh", text=True, first="-s -H -P -t", feeds=True),
    Door("docker exec", _EXEC, place="container", skip=1, strict=True, first=_DOCKER, cwd=_DIR),
    Door("docker container exec", _EXEC, place="container", skip=1, strict=True, first=_DOCKER, cwd=_DIR),
    Door(
        "docker compose exec",
        _EXEC + " " + _DIR,
        place="container",
        skip=1,
        strict=True,
        first=_DOCKER + " " + _COMPOSE,
    ),
    Door(
        "docker compose run",
        _RUN + " " + _DIR,
        place="container",
        skip=1,
        strict=True,
        enters="--entrypoint",
        first=_DOCKER + " " + _COMPOSE,
    ),
    Door(
        "docker run|create",
        _RUN,
        place="container",
        skip=1,
        strict=True,
        enters="--entrypoint",
        first=_DOCKER,
        cwd=_DIR,
    ),
    Door(
        "docker container run|create",
        _RUN,
        place="container",
        skip=1,
        strict=True,
        enters="--entrypoint",
        first=_DOCKER,
        cwd=_DIR,
    ),
    Door("docker machine ssh", place="ssh", skip=1, strict=True, text=True),
    Door("docker unshare"),
    Door("docker-compose exec", _EXEC + " " + _DIR, place="container", skip=1, strict=True, first=_COMPOSE),
    Door(
        "docker-compose run",
        _RUN + " " + _DIR,
        place="container",
        skip=1,
        strict=True,
        enters="--entrypoint",
        first=_COMPOSE,
    ),
    Door("docker-machine ssh", place="ssh", skip=1, strict=True, text=True),
    Door(
        "buildah run",
        "-v --volume --user --isolation --mount --runtime --cap-add",
        place="container",
        skip=1,
        strict=True,
    ),
    Door(
        "kubectl exec",
        _KUBE + " -c --container -f --filename --pod-running-timeout",
        place="cluster",
        skip=1,
        first=_KUBE,
    ),
    Door("kubectl rsh", _KUBE + " -c --container --shell", place="cluster", skip=1, first=_KUBE),
    Door(
        "kubectl run",
        _KUBE + " --image -l --labels --env --port --restart --overrides --image-pull-policy"
        " --override-type --requests --limits",
        place="cluster",
        skip=1,
        dash=True,
        first=_KUBE,
    ),
    Door(
        "kubectl debug",
        _KUBE + " --image -c --container --copy-to --target --env --profile --set-image --custom",
        place="cluster",
        skip=1,
        dash=True,
        first=_KUBE,
    ),
    Door("kubectl create job", _KUBE + " --image --from", place="cluster", skip=1, dash=True, first=_KUBE),
    Door(
        "kubectl create cronjob",
        _KUBE + " --image --schedule --restart",
        place="cluster",
        skip=1,
        dash=True,
        first=_KUBE,
    ),
    Door("k3s kubectl|crictl exec", _KUBE + " -c", place="cluster", skip=1, first=_KUBE),
    Door("minikube ssh", "-n --node -p --profile", place="container", text=True, first="-p --profile"),
    Door("minikube kubectl exec", _KUBE + " -c", place="cluster", skip=1, first=_KUBE + " -p"),
    Door("crictl exec", "--timeout", place="container", skip=1, strict=True, first="-r --runtime-endpoint -c --config"),
    Door(
        "ctr task|tasks|t exec",
        "--exec-id --cwd --user",
        place="container",
        skip=1,
        strict=True,
        first="-n --namespace -a",
    ),
    Door("lxc exec", "--env --user --group --cwd --mode", place="container", skip=1, strict=True),
    Door("lxc-attach", "-e -v -L -s -R -u -g --set-var", place="container", named="-n --name"),
    Door("machinectl shell", "--uid -E --setenv -M", place="container", skip=1, strict=True),
    Door(
        "systemd-nspawn",
        "-M -u --bind --bind-ro -E --setenv --user --network-interface -p --port",
        place="container",
        named="-D --directory -i --image",
        cwd="--chdir",
    ),
    Door(
        "apptainer exec|run",
        "-B --bind -H --home --env --env-file --pwd -S --scratch -o --overlay",
        place="container",
        skip=1,
        strict=True,
    ),
    Door("toolbox run", "-d --distro -r --release", place="container", named="-c --container"),
    Door(
        "distrobox enter",
        "--root --additional-flags",
        place="container",
        skip=1,
        named="-n --name",
        ends="-e --exec",
        dash=True,
    ),
    Door("distrobox-enter", "--additional-flags", place="container", named="-n --name", ends="-e --exec", dash=True),
    Door(
        "flatpak run",
        "--branch --arch --filesystem --env --share",
        place="container",
        skip=1,
        strict=True,
        enters="--command",
    ),
    Door("flatpak-spawn", "--env --directory --sandbox-expose"),
    Door("snap run", place="container", skip=1, strict=True, enters="--command"),
    Door("wsl", "-d --distribution -u --user --cd --shell-type", place="container", ends="-e --exec"),
    Door("limactl shell", "--workdir --shell", place="container", skip=1, strict=True),
    Door("lima", place="container"),
    Door("colima ssh", "-p --profile", place="container"),
    Door("multipass exec", "-d --working-directory", place="container", skip=1, strict=True),
    Door("vagrant ssh|winrm", "--machine-readable", place="ssh", dash=True, codes="-c --command"),
    Door("devcontainer exec", "--workspace-folder --container-id --config --remote-env --id-label", place="container"),
    Door("nomad alloc exec", "-task -job -e -address -namespace -region -token", place="cluster", skip=1),
    Door("nomad exec", "-task -e -address -namespace -region -token", place="cluster", skip=1),
    Door(
        "gcloud compute ssh",
        "--zone --project --ssh-flag --ssh-key-file --account --strict-host-key-checking",
        place="ssh",
        skip=1,
        codes="--command",
        dash=True,
        first="--project --account --configuration",
    ),
    Door(
        "gcloud compute tpus tpu-vm ssh", "--zone --project --worker", place="ssh", skip=1, dash=True, codes="--command"
    ),
    Door("gcloud cloud-shell ssh", "--ssh-flag", place="ssh", dash=True, codes="--command"),
    Door("gcloud alpha cloud-shell ssh", "--ssh-flag", place="ssh", dash=True, codes="--command"),
    Door(
        "az vm|vmss run-command invoke|create|update",
        "-g --resource-group --command-id --parameters --subscription --instance-id --run-command-name --location",
        place="ssh",
        dash=True,
        codes="--scripts --script",
        named="-n --name",
    ),
    Door(
        "az aks command invoke",
        "-g --resource-group -f --file",
        place="cluster",
        dash=True,
        codes="--command -c",
        named="-n --name",
    ),
    Door(
        "az container exec",
        "-g --resource-group --container-name",
        place="container",
        dash=True,
        codes="--exec-command",
        named="-n --name",
    ),
    Door(
        "az containerapp exec",
        "-g --resource-group --container --revision --replica",
        place="container",
        dash=True,
        codes="--command",
        named="-n --name",
    ),
    Door(
        "aws ecs execute-command",
        AWS + " --cluster --task",
        place="container",
        dash=True,
        codes="--command",
        named="--container",
        first=AWS,
    ),
    Door("heroku run", "-a --app -s --size --type -e --env -r --remote", place="container", text=True),
    Door("heroku run:detached", "-a --app -s --size --type -e --env -r --remote", place="container", text=True),
    Door("heroku local:run", "-e --env -p --port"),
    Door(
        "fly ssh console",
        "-a --app -r --region -c --config -u --user -o --org",
        place="ssh",
        dash=True,
        codes="-C --command",
    ),
    Door("fly machine exec", "-a --app --timeout", place="container", skip=1, text=True),
    Door("railway run", "-s --service -e --environment"),
    Door("railway ssh", "-s --service -e --environment -p --project", place="container", text=True),
    Door("render ssh", place="ssh", skip=1, text=True, dash=True),
    Door("dokku run", "--env -e", place="container", skip=1, strict=True),
    Door("cf ssh", "-i -L -N", place="container", skip=1, dash=True, codes="-c --command"),
    Door("eb ssh", "-n --number -e --custom --region --profile", place="ssh", dash=True, codes="-c --command"),
    Door(
        "copilot svc|task|job exec",
        "-a --app -e --env -n --name --container --task-id",
        place="container",
        dash=True,
        codes="-c --command",
    ),
    Door("gh codespace|cs ssh", "-c --codespace --server-port --profile -R", place="ssh", text=True, dash=False),
    Door("fab", "-H --hosts -i --identity -S -c --collection", place="ssh", text=True, dash=True),
    Door("knife ssh", "-x -a -i -P -p --ssh-user", place="ssh", skip=1, text=True),
    Door("bolt command run", "-u --user -p --password", place="ssh", text=True, named="-t --targets -n --nodes"),
    Door("salt-call cmd.run|cmd.shell|cmd.script", place="", text=True, first="-l --log-level"),
    Door("salt-ssh", place="ssh", skip=1, dash=True, codes="-r --raw"),
    Door("psexec", place="ssh", skip=1, strict=True),
    Door("winrs", place="ssh", text=True),
)
also(
    DOORS,
    ssh="slogin",
    docker="podman nerdctl",
    pssh="parallel-ssh",
    lxc="incus",
    apptainer="singularity",
    fly="flyctl",
    kubectl="oc k kubecolor",
    k3s="microk8s k0s",
)
DOORS["podman-compose"] = DOORS["docker-compose"]
