"""From a command line to the answer of the index: what each manager's words for a version become."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from bk.engine.intel.index import Index
from bk.engine.intel.match import matches
from bk.engine.lower.installs import installs, requirements
from bk.engine.lower.installs.listing import Listing
from bk.engine.model import Install, Run

from .samples import opened, record

ECOSYSTEMS = ("npm", "pypi", "cargo", "rubygems", "nuget", "editor-extension")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder: Path = tmp_path_factory.mktemp("handoff")
    return opened(
        folder / "i",
        [
            *(record("bad.pkg" if e == "editor-extension" else "bad", ["1.4.2"], ecosystem=e) for e in ECOSYSTEMS),
            record("bad/pkg", ["1.4.2"], ecosystem="packagist"),
            record("bad.example:pkg", ["1.4.2"], ecosystem="maven"),
            record("bad.example/pkg", ["v1.4.2"], ecosystem="go"),
        ],
    )


LINES = """
npm install bad@1.4.2 => exact
npm install bad@=1.4.2 => exact
npm install bad@v1.4.2 => exact
npm install bad@1.4.3 =>
npm install bad => maybe
npm install bad@latest => maybe
npm install bad@next => maybe
npm install bad@^1.4.0 => maybe
npm install bad@~1.4 => maybe
npm install bad@1.x => maybe
npm install 'bad@>=1 <2' => maybe
npm install 'bad@1.4.0 - 1.4.9' => maybe
npm install 'bad@^2 || ~1.4.2' => maybe
npm install 'bad@^2 || ~1.3' =>
npm install bad@^1.5 =>
npm install other@npm:bad@1.4.2 => exact
yarn add bad@npm:^1.4.0 => maybe
yarn add bad@npm:^2 =>
pnpm add bad@1 => maybe
npx bad@1.4.2 => exact
pip install bad==1.4.2 => exact
pip install bad===1.4.2 => exact
pip install bad==1.4.2.0 => exact
pip install bad==1.4 =>
pip install bad => maybe
pip install 'bad>=1.4,<1.5' => maybe
pip install 'bad>=1.4,<1.5,!=1.4.2' =>
pip install 'bad~=1.4.0' => maybe
pip install 'bad~=1.3.0' =>
pip install 'bad==1.4.*' => maybe
pip install 'bad[extra]>=1.5; python_version>"3"' =>
pip install 'bad (>=1.4)' => maybe
uv add bad==1.4.2 => exact
uvx bad@1.4.2 => exact
uvx bad@latest => maybe
poetry add bad@^1.4 => maybe
poetry add bad@^1.5 =>
poetry add bad@1.4.2 => exact
pipx run bad==1.4.2 => exact
cargo add bad@1.4.2 => maybe
cargo add bad@1.4.0 => maybe
cargo add bad@1.5 =>
cargo add bad@=1.4.2 => exact
cargo install bad@1.4.2 => exact
cargo install bad --version 1.4.1 =>
cargo install bad --version ^1.4.1 => maybe
cargo install bad --version '>=1.4, <1.4.2' =>
cargo install bad => maybe
gem install bad -v 1.4.2 => exact
gem install bad -v '= 1.4.2' => exact
gem install bad:1.4.2 => exact
gem install bad -v '~> 1.4.1' => maybe
gem install bad -v '~> 1.3.1' =>
bundle add bad --version '>= 1.0, < 2' => maybe
composer require bad/pkg:1.4.2 => exact
composer require bad/pkg:v1.4.2.0 => exact
composer require bad/pkg=^1.4 => maybe
composer require 'bad/pkg ~1.4.0' => maybe
composer require bad/pkg:~1.3.0 =>
composer require 'bad/pkg:>=1.5|1.4.*' => maybe
composer require bad/pkg:dev-main =>
composer require bad/pkg => maybe
composer require bad/pkg:@dev => maybe
dotnet add package Bad --version 1.4.2 => exact
dotnet add package Bad --version 01.4.2.0 => exact
dotnet add package Bad --version 1.4.* => maybe
dotnet add package Bad --version 1.5.* =>
dotnet add package Bad --version '[1.0,2.0)' => maybe
dotnet add package Bad --version '[1.4.3,2.0)' =>
dotnet add package Bad => maybe
mvn dependency:get -Dartifact=bad.example:pkg:1.4.2 => exact
mvn dependency:get -Dartifact=bad.example:pkg:1.4.2-ga => exact
mvn dependency:get -Dartifact=bad.example:pkg:LATEST => maybe
mvn dependency:get -Dartifact=bad.example:pkg:1.4.3 =>
go get bad.example/pkg@v1.4.2 => exact
go get bad.example/pkg@v1.4 => maybe
go get bad.example/pkg@master => maybe
go get bad.example/pkg => maybe
go install bad.example/pkg/cmd/x@v1.4.2 => exact
go get bad.example/pkg@v1.5.0 =>
code --install-extension bad.pkg@1.4.2 => exact
code --install-extension Bad.Pkg@1.4.3 =>
code --install-extension bad.pkg@prerelease => maybe
mise use npm:bad@1 => maybe
mise use cargo:bad@1.4.2 => exact
"""


@pytest.mark.parametrize("line", LINES.strip().splitlines())
def test_a_command_line_reaches_the_index_as_it_is_meant(index: Index, line: str) -> None:
    command, _, expected = line.partition("=>" if line.endswith("=>") else " => ")
    made = installs(Run(shlex.split(command)), "/")
    assert made
    assert [match.kind for install in made for match in matches(index, install)] == expected.split()


@pytest.mark.parametrize(
    ("reader", "text", "kinds"),
    [
        (requirements.cargo, '[dependencies]\nbad = "1.4.0"\n', ["maybe"]),
        (requirements.cargo, '[dependencies]\nbad = "=1.4.0"\n', []),
        (requirements.cargo, '[dependencies]\nbad = { version = "1.4", features = ["x"] }\n', ["maybe"]),
        (requirements.cargo, '[dependencies]\nbad = "1.5"\n', []),
        (requirements.cargo, '[dependencies]\nbad = "1.*"\n', ["maybe"]),
        (requirements.package, '{"dependencies": {"bad": "1.4.2"}}', ["exact"]),
        (requirements.package, '{"dependencies": {"bad": "1.4.1"}}', []),
        (requirements.package, '{"dependencies": {"bad": "npm:^1.4.0"}}', ["maybe"]),
        (requirements.package, '{"dependencies": {"other": "npm:bad@1.4.2"}}', ["exact"]),
        (requirements.gemfile, 'gem "bad", "~> 1.4", ">= 1.4.1"\n', ["maybe"]),
        (requirements.gemfile, 'gem "bad", "1.4.2"\n', ["exact"]),
        (requirements.composer, '{"require": {"bad/pkg": "^1.4 || dev-main"}}', ["maybe"]),
        (requirements.project, '<PackageReference Include="Bad" Version="1.4.2" />', ["exact"]),
        (requirements.project, '<PackageReference Include="Bad" Version="$(V)" />', ["maybe"]),
        (requirements.requirements, "bad==1.4.2 --hash=sha256:00\n", ["exact"]),
        (requirements.requirements, "bad>=1.5\n", []),
        (requirements.conda, "dependencies:\n  - bad=1.4\n", ["maybe"]),
        (requirements.conda, "dependencies:\n  - bad=1.5\n", []),
    ],
)
def test_a_manifest_reaches_the_index_as_it_is_meant(index: Index, reader: object, text: str, kinds: list[str]) -> None:
    found = Listing()
    reader(text, found)  # type: ignore[operator]
    assert not found.problems
    told = [match.kind for item in found.items for match in matches(index, Install(item[0], item[1], item[2]))]
    assert told == kinds
