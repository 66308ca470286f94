"""Runners of a project's tools and environments: the command they start on this machine."""

from __future__ import annotations

from bk.engine.lower import inside
from bk.engine.lower.doors import Door, also, enter, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.lower.scope import Stream
    from bk.engine.lower.shell import Shell

_NPM = (
    "-w --workspace -C --prefix --registry --loglevel --cache --userconfig --script-shell -p --package --node-options"
    " --filter -F --dir --reporter --allow-build --cwd"
)
_UV = (
    "-p --python --with --with-requirements --with-editable --from --directory --project --config-file --env-file"
    " --extra --group --only-group --no-group --package --index-url --extra-index-url --index --default-index -w"
    " --refresh-package --cache-dir --color --link-mode --exclude-newer --prerelease --resolution -i -f --find-links"
)
_CONDA = "-n --name -p --prefix --cwd"
DOORS = table(
    Door("npx", _NPM, codes="-c --call", versioned=True),
    Door("npm exec|x", _NPM, codes="-c --call", versioned=True, first=_NPM),
    Door("pnpm exec", _NPM, first=_NPM),
    Door("pnpm dlx", _NPM, codes="-c", first=_NPM, versioned=True),
    Door("yarn exec", _NPM, first=_NPM),
    Door("yarn dlx", _NPM, first=_NPM, versioned=True),
    Door("bunx", _NPM, versioned=True),
    Door("bun x", _NPM, first=_NPM, versioned=True),
    Door("uvx", _UV, versioned=True),
    Door("uv run", _UV, first=_UV, cwd="--directory"),
    Door("uv tool run", _UV, first=_UV, versioned=True),
    Door("pipx run", "--python --spec --pip-args --index-url -i --with --backend", versioned=True),
    Door("poetry run", first="-C --directory -P --project", cwd=""),
    Door("pipenv run"),
    Door("pdm run", "-p --project --venv -s --site-packages", first="-p --project -c --config"),
    Door("rye run", "-f --pyproject"),
    Door("hatch run", "-e --env -i --include -x --exclude", first="-e --env -p --project --config"),
    Door("hatch env run", "-e --env -i --include -x --exclude"),
    Door("pixi run|exec|x", "-e --environment --manifest-path -s --spec -c --channel --with -p --platform"),
    Door("conda run", _CONDA),
    Door("tox exec", "-e", dash=True),
    Door("bundle exec", first="--gemfile"),
    Door("mise exec|x", codes="-c --command", ends="--", cwd="-C --cd", first="-C --cd -E --env"),
    Door("asdf exec"),
    Door("direnv exec", skip=1),
    Door(
        "nix-shell", "-p --packages -A --attr -I --arg --argstr -E --expr --option", codes="--run --command", dash=True
    ),
    Door("nix develop|shell|env", "--inputs-from --override-input", ends="-c --command", dash=True),
    Door("guix shell|environment", "-m -L -f -e", dash=True),
    Door("devbox run", "-c --config -e --env --env-file"),
    Door("dotenvx run", "-f --env-file -e --env -fk --convention"),
    Door("op run", "--env-file --account --session", dash=False),
    Door("doppler run", "-p --project -c --config -t --token --mount --scope --name-transformer", codes="--command"),
    Door("infisical run", "--env --path --projectId --token --project-config-dir", codes="--command"),
    Door("aws-vault exec", "-d --duration -r --region --mfa-token -t --backend -P", skip=1),
    Door("aws-okta exec", "-t --assume-role-ttl", skip=1),
    Door("saml2aws exec", "-a --idp-account -p --profile --exec-profile"),
    Door("chamber exec", "-b --backend", dash=True),
    Door("teller run", "-c --config"),
    Door("sops exec-env", "--user", skip=1, text=True),
    Door("sops exec-file", "--filename --user", skip=1, text=True),
    Door("berglas exec"),
    Door("envconsul", "-config -prefix -secret -consul-addr -vault-addr -log-level -kill-signal"),
    Door("envchain", skip=1),
    Door("honcho run", first="-e -f -d"),
    Door("foreman run", "-e --env -f --procfile -d --root"),
    Door("consul lock", "-name -n -child-exit-code -timeout -shell", skip=1, text=True),
    Door("ip netns exec", skip=1, first="-n -netns"),
    Door("ip vrf exec", skip=1),
    Door("perf stat", "-e -o -I -r -p -t -C -G -x --event --output --repeat --pid --cpu"),
    Door("perf record|trace|mem|kvm|sched|lock|bench", "-e -o -c -F -p -t -C -G --call-graph -g --event --output"),
    Door("rr record", "-o --output-trace-dir -n -v --env"),
    Door("volta run", "--node --npm --pnpm --yarn --env"),
    Door("fnm exec", "--using"),
    Door("nvm exec", skip=1),
    Door("rbenv exec"),
    Door("stack exec", "--package --cwd", first="--resolver"),
    Door("cabal exec"),
    Door("opam exec", "--switch"),
    Door("lerna exec", "--scope --ignore --since --concurrency"),
    Door("nx exec", "-p --projects"),
    Door("turbo exec"),
    Door("ddev exec", "-s --service -d --dir", text=True),
    Door("lando ssh", "-s --service -u --user", dash=True, codes="-c --command"),
    Door("cargo watch", "-w --watch -i --ignore -d --delay -C --workdir", codes="-s --shell", dash=True),
    Door("nodemon", "-e --ext -w --watch -i --ignore -d --delay -C --cwd --signal", codes="-x --exec"),
    Door("chokidar", "-d --debounce -t --throttle -i --ignore", codes="-c --command"),
    Door("onchange", "-e --exclude -d --delay -k", dash=True),
    Door("cronitor exec", skip=1),
    Door("etcdctl lock", skip=1),
)
also(
    DOORS,
    npx="pnpx pnx",
    conda="mamba micromamba",
    rbenv="pyenv jenv nodenv goenv phpenv plenv",
    bundle="bundler",
    mise="rtx",
    yarn="yarnpkg",
)
_MANY = {
    "hyperfine": "-w -m -M -r -L -P -D -n -N -u -S -i --warmup --min-runs --max-runs --runs --parameter-list"
    " --parameter-scan --command-name --style --export-json --export-markdown --export-csv --shell --output --input"
    " --time-unit",
    "concurrently": "-n --names -c --prefix-colors -p --prefix -s --success --max-processes -m --restart-tries"
    " --default-input-target --hide --timestamp-format",
    "pee": "",
    "start-server-and-test": "",
}
_ALSO_TEXT = frozenset(("--prepare", "-p", "--setup", "-s", "--cleanup", "-c", "--conclude"))


def carry(
    shell: Shell, mark: int, name: str, args: Sequence[str], *, stdin: Stream | None, fed: Stream | None
) -> Stream | None:
    """What a runner starts."""
    if name in DOORS:
        return enter(DOORS, shell, mark, name, args, stdin=stdin, fed=fed)
    takes = frozenset(_MANY[name].split())
    texts = frozenset() if name != "hyperfine" else _ALSO_TEXT
    options, operands = inside.all_options(args, takes | texts)
    for text in (*options.values(*texts), *operands):
        inside.text(shell, text, (name,))
    return None
