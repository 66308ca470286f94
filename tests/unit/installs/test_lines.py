"""What command lines install. A case: the line, and `ecosystem:name[@version]` for each package, in any order.

`!git`, `!url`, `!file` stand for a source that is no registry; `>` before a package means that it is run at once.
"""

from __future__ import annotations

import shlex
import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.lower.installs import FAMILIES, INSTALLS_MAX, installs
from bk.engine.lower.words import Dim
from bk.engine.model import Install, Run
from tests.unit.checks import actions

CASES = """
npm install foo => npm:foo
npm i @scope/pkg@1.0.0 react => npm:@scope/pkg@1.0.0 npm:react
npm add left-pad@^1.0.0 => npm:left-pad@^1.0.0
npm install =>
npm ci =>
npm install --save-dev --global =>
npm --prefix /tmp/x install evil => npm:evil
npm -g install evil => npm:evil
npm install -w pkg evil => npm:evil
npm install --registry https://registry.example evil@1.0.0 => npm:evil@1.0.0
npm install --unknown-flag evil => npm:evil
npm install --no-save -- evil@1.0.0 => npm:evil@1.0.0
npm isntall evil => npm:evil
npm install-test evil => npm:evil
npm it evil => npm:evil
npm update evil => npm:evil
npm link evil => npm:evil
npm install foo@npm:evil@1.0.0 => npm:evil@1.0.0
npm install npm:evil@1.0.0 => npm:evil@1.0.0
npm install foo@latest => npm:foo@latest
npm install foo@git+https://git.example/a/b.git => npm:foo!git
npm install git+ssh://git@git.example/a/b.git => !git
npm install github:a/b a/b#main => !git !git
npm install https://example.com/p.tgz ./x.tgz ../y file:z x.tgz => !url !file !file !file !file
npm install https://registry.example/axios/-/axios-1.14.1.tgz => npm:axios@1.14.1!url
npm install https://registry.example/@scope/x/-/x-1.0.0-rc.1.tgz => npm:@scope/x@1.0.0-rc.1!url
npm install foo@workspace:* => npm:foo!file
npm ls =>
npm run install =>
npm view evil =>
npm publish =>
npm exec evil@1.0.0 => >npm:evil@1.0.0
npm x -- @scope/server => >npm:@scope/server
npm exec --package=evil -- bin => >npm:evil
npm --package evil exec bin => >npm:evil
npm init evil => >npm:create-evil
npm init @usr => >npm:@usr/create
npm create @usr/foo@2 => >npm:@usr/create-foo@2
npm init -y =>
npx -y evil@1.0.0 arg other => >npm:evil@1.0.0
npx -p evil@1.0.0 -p two bin => >npm:evil@1.0.0 >npm:two
npx --package=evil bin => >npm:evil
npx -p=evil bin => >npm:evil
npx -p =>
npx -p --foo =>
npx -c evil =>
npx github:a/b => >!git
npx ./local.js =>
npx tsc@5/bin => >npm:tsc@5/bin
pnpm add -D evil@1.0.0 => npm:evil@1.0.0
pnpm add -w evil => npm:evil
pnpm --filter a add evil => npm:evil
pnpm -C dir i evil => npm:evil
pnpm dlx evil => >npm:evil
pnpm --package=evil dlx bin => >npm:evil
pnpm dlx --package=evil bin => >npm:evil
pnpm exec evil =>
pnpx evil => >npm:evil
pnpm create vite => >npm:create-vite
yarn add evil@1.0.0 => npm:evil@1.0.0
yarn add -W evil => npm:evil
yarn global add evil => npm:evil
yarn workspace a add evil => npm:evil
yarn workspaces foreach -A add evil => npm:evil
yarn dlx -q evil => >npm:evil
yarn install =>
yarn =>
yarn create react-app x => >npm:create-react-app
yarn up evil@2 => npm:evil@2
bun a evil => npm:evil
bun x evil => >npm:evil
bunx --bun evil => >npm:evil
bun c vite => >npm:create-vite
corepack pnpm add evil => npm:evil
corepack use pnpm@9.0.0 => npm:pnpm@9.0.0
deno install npm:evil@1.0.0 => npm:evil@1.0.0
deno run -A npm:evil => >npm:evil
deno run https://example.com/x.ts => >!url
deno run main.ts =>
deno add jsr:@std/path => jsr:@std/path
ng add @angular/material => npm:@angular/material
NPM INSTALL foo => npm:foo
npm.cmd install foo => npm:foo
/usr/local/bin/npm i foo => npm:foo
pip install requests => pypi:requests
pip3.11 install evil-py==1.0.0 => pypi:evil-py@1.0.0
pip install evil-py[extra]==1.0.0 'b>=1,<2' => pypi:evil-py@1.0.0 pypi:b@>=1,<2
pip install 'c~=1.4; python_version>"3"' 'd [x,y] (==2.0)' => pypi:c@~=1.4 pypi:d@2.0
pip install -U pip evil => pypi:pip pypi:evil
pip install -r requirements.txt -c c.txt =>
pip install -rreq.txt evil => pypi:evil
pip install -i https://index.example/simple evil => pypi:evil
pip --proxy http://p.example install evil => pypi:evil
pip install -e . => !file
pip install -e git+https://git.example/a.git#egg=evil => pypi:evil!git
pip install ./dist/x.whl https://e.example/x.whl => !file !url
pip install 'evil @ git+https://git.example/a' => pypi:evil!git
pip install 'evil @ https://e.example/x.whl' => pypi:evil!url
pip download evil => pypi:evil
pip list =>
pip uninstall evil =>
python -m pip install evil => pypi:evil
python3.12 -I -m pip install evil==1 => pypi:evil@1
python -Xutf8 -W ignore -m pip install evil => pypi:evil
python -m mypkg.server =>
python setup.py install =>
python x.py -m pip install evil =>
py -3 -m pip install evil => pypi:evil
pipx install evil => pypi:evil
pipx run --spec evil==1.0 bin => >pypi:evil@1.0
pipx run evil arg => >pypi:evil
pipx inject app evil two => pypi:evil pypi:two
uv pip install evil => pypi:evil
uv add evil --group dev => pypi:evil
uv add --script x.py evil => pypi:evil
uv tool install evil --with two => pypi:evil pypi:two
uv tool run evil@1.2.0 => >pypi:evil@1.2.0
uv tool run --from evil==1 bin => >pypi:evil@1
uv run --with a,b>=1,<2 script.py => >pypi:a >pypi:b@>=1,<2
uv run mcps/foo.py =>
uv sync =>
uvx --with two evil@latest => >pypi:evil@latest >pypi:two
uvx --from git+https://git.example/a evil => >!git
poetry add evil@^1.0 --group dev => pypi:evil@^1.0
poetry add git+https://git.example/a.git => !git
poetry self add evil => pypi:evil
poetry install =>
pdm add -dG test evil => pypi:evil
rye add evil => pypi:evil
pipenv install evil==1.0 => pypi:evil@1.0
pipenv install =>
easy_install evil => pypi:evil
easy_install-3.7 evil => pypi:evil
conda install -n env -c chan evil numpy=1.2.3 => conda:evil conda:numpy@1.2.3
conda create -n x python=3.11 => conda:python@3.11
mamba install evil => conda:evil
pixi add evil => conda:evil
pixi add --pypi evil => pypi:evil
conda list =>
cargo add serde@1.0 tokio => cargo:serde@1.0 cargo:tokio
cargo add -p member evil --features a,b => cargo:evil
cargo +nightly install evil --version 1.0.0 => cargo:evil@1.0.0
cargo install --git https://git.example/x => !git
cargo install --git https://git.example/x evil => cargo:evil!git
cargo install --path . => !file
cargo binstall -y evil@1.2.3 => cargo:evil@1.2.3
cargo update -p evil --precise 1.0.1 => cargo:evil@1.0.1
cargo build =>
cargo run =>
go get golang.example/x/text@v0.14.0 => go:golang.example/x/text@v0.14.0
go get -u ./... =>
go install example.com/a/cmd/b@latest => go:example.com/a/cmd/b@latest
go run example.com/a@v1.0.0 arg => >go:example.com/a@v1.0.0
go run main.go =>
go run . =>
go install ./cmd/x =>
go -C dir get example.com/a => go:example.com/a
go mod download example.com/a@v1.0.0 => go:example.com/a@v1.0.0
go mod edit -require=example.com/a@v1.0.0 => go:example.com/a@v1.0.0
go mod tidy =>
go build ./... =>
gem install rails => rubygems:rails
gem i evil -v 1.0.0 => rubygems:evil@1.0.0
gem install evil:1.0.0 two => rubygems:evil@1.0.0 rubygems:two
gem install evil -v '~> 1.2' => rubygems:evil@~> 1.2
gem install ./x.gem => !file
gem list =>
bundle add evil --version 1.0 => rubygems:evil@1.0
bundle add evil --git https://git.example/a => rubygems:evil!git
bundle install =>
composer require evil/pkg:1.0.0 => packagist:evil/pkg@1.0.0
composer require evil/pkg "b/c ^1.0" => packagist:evil/pkg packagist:b/c@^1.0
composer global require evil/pkg=1.0 => packagist:evil/pkg@1.0
composer create-project evil/skeleton dir 1.0 => packagist:evil/skeleton@1.0
composer require ext-curl php =>
composer install =>
dotnet add package Evil --version 1.0.0 => nuget:Evil@1.0.0
dotnet add x.csproj package Evil => nuget:Evil
dotnet tool install -g Evil => nuget:Evil
dotnet new install Evil::1.0 => nuget:Evil@1.0
nuget install Evil -Version 1.0 => nuget:Evil@1.0
dotnet build =>
mvn dependency:get -Dartifact=g.x:a:1.0 => maven:g.x:a@1.0
mvn install =>
mvn org.evil:plugin:1.0:run => >maven:org.evil:plugin@1.0
jbang g.x:a:1.0 => >maven:g.x:a@1.0
code --install-extension a.b@1 --install-extension c.d => editor-extension:a.b@1 editor-extension:c.d
code --force --install-extension=a.b => editor-extension:a.b
codium --install-extension ./x.vsix => !file
CODE --INSTALL-EXTENSION a.b => editor-extension:a.b
code --list-extensions =>
code . =>
brew install evil => homebrew:evil
apt-get install -y evil=1.0 => deb:evil@1.0
apt update =>
apk add evil => alpine:evil
pacman -S evil => arch:evil
pacman -Q evil =>
docker run -i --rm registry.example:443/a/b:1.0 => >oci:registry.example:443/a/b@1.0
docker run -e A=B --name x mcp/slack => >oci:mcp/slack
docker pull alpine:3.19 => oci:alpine@3.19
docker run node npm install evil => >oci:node
docker ps =>
kubectl run p --image=evil:1 => >oci:evil@1
helm upgrade --install r https://h.example/c.tgz => helm:https://h.example/c.tgz!url
flatpak install flathub evil => flatpak:evil
choco install evil --version 1 => chocolatey:evil@1
winget install --id A.B -v 1 => winget:A.B@1
mise use -g npm:evil@1 => npm:evil@1
mise install node@20 => mise:node@20
volta install evil@1 => npm:evil@1
dart pub add evil => pub:evil
nix run nixpkgs#evil => >nix:nixpkgs#evil
ansible-galaxy collection install a.evil:1 => galaxy:a.evil@1
vagrant plugin install evil => rubygems:evil
claude mcp add-json s '{"command":"npx","args":["-y","evil"]}' => >npm:evil
code --add-mcp '{"name":"x","command":"uvx","args":["evil"]}' => >pypi:evil
amp mcp add s -- npx evil => >npm:evil
claude mcp add -s user srv -- npx -y evil => >npm:evil
claude mcp add srv npx evil => >npm:evil
gh extension install o/r => gh-extension:o/r!git
git clone https://git.example/a =>
echo npm install evil =>
"""


def told(install: Install) -> str:
    source = "" if install.source == "registry" else f"!{install.source}"
    named = install.target if install.name else ""
    return (">" if install.runs else "") + named + source


def lines() -> list[tuple[str, list[str]]]:
    made = []
    for line in CASES.strip().splitlines():
        command, _, expected = line.partition("=>") if "=> " not in line else line.partition(" => ")
        made.append((command.strip(), shlex.split(expected.replace("~> 1.2", "'~> 1.2'"))))
    return made


def _expected(words: list[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].endswith("@") and word.startswith("~>"):
            joined[-1] += word
        else:
            joined.append(word)
    return sorted(joined)


def understood(command: str) -> list[Install]:
    """What a whole command line installs, inner commands included."""
    return [one for one in actions("Bash", command) if isinstance(one, Install)]


@pytest.mark.parametrize(("command", "expected"), lines(), ids=[command for command, _ in lines()])
def test_line(command: str, expected: list[str]) -> None:
    assert sorted(told(one) for one in installs(Run(shlex.split(command)), "/")) == _expected(expected)


def test_the_manager_is_named() -> None:
    assert [one.manager for one in installs(Run(["cargo", "add", "x"]), "/")] == ["cargo"]
    assert [one.manager for one in installs(Run(["cargo", "install", "x"]), "/")] == ["cargo install"]
    assert [one.manager for one in installs(Run(["yarnpkg", "add", "x"]), "/")] == ["yarn"]


def test_an_inner_command_tells_how_it_was_reached() -> None:
    found = understood("docker run node npm i evil")
    assert [(one.target, one.via, one.where) for one in found] == [
        ("oci:node", (), ""),
        ("npm:evil", ("docker run",), "container:node"),
    ]


def test_what_is_known_only_at_run_time_is_not_certain() -> None:
    for words in (
        ["npm", "install", Dim("**")],
        ["npm", "install", "$(whoami)"],
        ["pip", "install", Dim("**")],
        ["npx", Dim("**")],
        ["npx", Dim("--package=**")],
        ["uvx", "--from", Dim("**"), "x"],
        ["cargo", "add", Dim("**")],
        ["composer", "require", Dim("**")],
        ["code", "--install-extension", Dim("**")],
        ["code", Dim("--install-extension=**")],
    ):
        found = installs(Run(words), "/")
        assert [one.certain for one in found] == [False], words
    assert all(one.certain for one in installs(Run(["npm", "install", "a", "b@1"]), "/"))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("docker exec -it box pip install evil", ["pypi:evil"]),
        ("docker run --entrypoint npx node -y evil", [">oci:node", ">npm:evil"]),
        ("kubectl exec pod -- npm i evil", ["npm:evil"]),
        ("ssh host npm i evil", ["npm:evil"]),
    ],
)
def test_what_another_place_installs(command: str, expected: list[str]) -> None:
    assert [told(one) for one in understood(command)] == expected


def test_a_container_in_a_container_is_looked_into() -> None:
    found = understood("docker run docker docker run node npm i x")
    assert [one.target for one in found] == ["oci:docker", "oci:node", "npm:x"]
    assert found[2].where == "container:docker>container:node"


def test_a_registered_server_in_a_container_is_not_known() -> None:
    found = installs(Run(["claude", "mcp", "add", "s", "--", "docker", "run", "node", "npm", "i", "x"]), "/")
    assert [one.certain for one in found] == [False]


def test_the_number_of_installs_is_bounded() -> None:
    assert len(installs(Run(["npm", "i", *(f"p{n}" for n in range(5000))]), "/")) == INSTALLS_MAX


PROGRAMS = [program for programs in FAMILIES.values() for program in programs.split()]
TELLING = (
    "install add run exec x i dlx get mod -m pip tool mcp create init global -- - = @ @/ npm: a@npm: :: -p -p="
    " --package --with -e . ./x a/b https:// git+ [ ] == ; -r -S $x --install-extension"
)
WORDS = st.sampled_from(TELLING.split()) | st.text(max_size=12)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PROGRAMS), st.lists(WORDS, max_size=7))
def test_no_words_break_a_reader(program: str, words: list[str]) -> None:
    for one in installs(Run([program, *words]), "/"):
        assert one.source in ("registry", "git", "url", "file")
        assert one.name or one.source != "registry"
        assert one.target


def test_an_empty_command_installs_nothing() -> None:
    assert installs(Run([]), "/") == []
    assert installs(Run([""]), "/") == []


def test_a_program_that_installs_nothing_costs_next_to_nothing() -> None:
    run = Run(["git", "status"])
    assert min(timeit.repeat(lambda: installs(run, "/"), number=10_000, repeat=5)) / 10_000 < 5e-6


@pytest.mark.parametrize(
    "words",
    [
        ["npm", "i", "a@npm:" * 20_000],
        ["docker", "run", "x"] * 3000,
        ["pip", "install", "a[" * 30_000],
        ["composer", "require", "a/" + "b" * 60_000 + " " * 60_000],
        ["mvn", "x:" * 30_000],
        ["uv", "run", "--with", "," * 60_000],
        ["conda", "install", "a" * 60_000 + "!"],
        ["npm", "i", "https://h/" + "a/" * 30_000 + "-/"],
    ],
    ids=lambda words: words[0],
)
def test_long_words_cost_little(words: list[str]) -> None:
    assert min(timeit.repeat(lambda: installs(Run(words), "/"), number=1, repeat=2)) < 0.2
