"""The bundled facts against incidents that happened: the bad version is stopped, its clean neighbour is not."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.checks.packages import check
from bk.engine.config.schema import KEYS
from bk.engine.facts import Facts
from bk.engine.intel import bundle, compact
from bk.engine.intel.index import Index
from bk.engine.intel.match import matches
from bk.engine.lower.installs import installs
from bk.engine.model import Install, Level, Run
from bk.engine.state import State

POLICY = {key.name: key.default for key in KEYS}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    import os

    home = tmp_path_factory.mktemp("home")
    opened = Index.open(bundle.ensure(State(f"{home}/.bk", str(home), os.geteuid())))
    yield opened
    opened.close()


def verdict(index: Index, line: str) -> str:
    actions = installs(Run(shlex.split(line)), "/")
    known = {action.target: matches(index, action) for action in actions}
    facts = Facts(home="/h", cwd="/h", state_root="/s", policy=POLICY, matches=known)
    return max((one.level for one in check(actions, facts)), default=Level.ALLOW).word


STOPPED = """
npm install @ctrl/tinycolor@4.1.1
npm install @ctrl/tinycolor@4.1.2
npm i node-ipc@9.1.6 node-ipc@9.2.3
npm i node-ipc@10.1.1
npm i node-ipc@12.0.1
pnpm add axios@1.14.1
pnpm add axios@v0.30.4
npm i axios@^1.14.0
npm i plain-crypto-js@4.2.1
npm i chalk@5.6.1
npm i debug@4.4.2
npm i nx@21.5.0
npm i eslint-config-prettier@10.1.7
npm i keyv@6.0.0
npm i @solana/web3.js@1.95.6
npm i @solana/web3.js@1.95.7
npm i 02-echo@0.0.7
npm i @antv/g2@5.6.8
npm i @redhat-cloud-services/chrome@2.3.4
npx @mastra/acp@0.2.2
npm i @emilgroup/setting-sdk@0.2.3
pip install litellm==1.82.7
pip install telnyx==4.87.1
pip install Lightning==2.6.2
pip install mistralai==2.4.6
uv add xinference==2.6.1
pip install num2words==0.5.15
pip install aiocpa==0.1.13
go get github.com/shopsprint/decimal@v1.3.3
cargo install arrayref --version 0.3.10
cargo add onering@1.4.1
gem install 1-as-identity_function -v 1.0.1
composer require laravel-lang/lang:15.29.5
composer require laravel-lang/lang:v15.29.5
composer require intercom/intercom-php:5.0.2
dotnet add package Coinbase.Net.Api --version 1.0.2
mvn dependency:get -Dartifact=org.mvnpm:posthog-node:4.18.1
code --install-extension nrwl.angular-console@18.95.0
code --install-extension amazonwebservices.amazon-q-vscode@1.84.0
codium --install-extension checkmarx.ast-results@2.53.0
code --install-extension cline-ai-main.cline-ai-agent@3.1.3
"""

LET_THROUGH = """
npm install @ctrl/tinycolor@4.1.0
npm install @ctrl/tinycolor@4.2.0
npm i node-ipc@9.2.1 node-ipc@12.0.0
pnpm add axios@1.14.0
npm i axios@~1.13.0
npm i axios@1.15.0
npm i chalk@5.6.0 chalk@5.6.2
npm i debug@4.4.1 debug@4.4.3
npm i nx@21.4.0
npm i @solana/web3.js@1.95.5 @solana/web3.js@1.95.8
npm i @antv/g2@5.6.7
npm i @amber-team/eslint-config
npm i @ctrl/plex@6.0.0
pip install litellm==1.82.6
pip install 'litellm<1.80'
pip install fastapi==0.136.3
pip install strawberry-graphql
pip install mistralai==0.10.1
go get github.com/shopspring/decimal@v1.3.1
cargo install arrayref --version 0.3.9
cargo add onering@=1.4.0
composer require laravel-lang/common:6.0.0
code --install-extension nrwl.angular-console@18.100.0
code --install-extension amazonwebservices.amazon-q-vscode@1.85.0
codium --install-extension checkmarx.ast-results@2.58.0
npm i lodash@4.17.21 react express typescript
pip install requests numpy pandas
cargo add serde tokio
"""


@pytest.mark.parametrize("line", STOPPED.strip().splitlines())
def test_a_known_bad_version_is_stopped(index: Index, line: str) -> None:
    assert verdict(index, line) in ("block", "quarantine")


@pytest.mark.parametrize("line", LET_THROUGH.strip().splitlines())
def test_its_clean_neighbour_is_let_through(index: Index, line: str) -> None:
    assert verdict(index, line) == "allow"


@pytest.mark.parametrize(
    "line",
    [
        "pip install requessts",
        "cargo add if-cfg",
        "go get github.com/boltdb-go/bolt@v1.3.1",
        "go install github.com/boltdb-go/bolt/cmd/bolt@latest",
        "npm i flatmap-stream@0.1.1",
        "code --install-extension 7finney.ETHCode",
    ],
)
def test_a_wildcard_of_one_voice_asks(index: Index, line: str) -> None:
    assert verdict(index, line) == "ask"


def test_an_unpinned_request_that_could_be_the_bad_one_is_stopped(index: Index) -> None:
    assert verdict(index, "npm install axios") == "block"
    assert verdict(index, "npm install axios@latest") == "block"
    assert verdict(index, "pip install 'litellm>=1.82,<1.83'") == "block"


def test_a_wildcard_of_two_voices_is_stopped(index: Index) -> None:
    assert verdict(index, "cargo add rustdecimal") == "block"


def test_three_independent_voices_are_counted(index: Index) -> None:
    groups = {group for one in matches(index, Install("npm", "axios", "1.14.1")) for group in one.groups}
    assert groups == {"datadog", "ossf", "vendor-reports"}


def test_every_exact_fact_is_stopped_at_each_of_its_versions(index: Index) -> None:
    count = 0
    for record in compact.parse(Path(bundle.FACTS).read_text(encoding="utf-8"), "facts"):
        if record.kind != "exact":
            continue
        for version in record.versions:
            found = matches(index, Install(record.ecosystem, record.name, version, manager="test"))
            assert any(one.kind == "exact" and set(record.groups) <= set(one.groups) for one in found), record
            count += 1
    assert count > 7000
