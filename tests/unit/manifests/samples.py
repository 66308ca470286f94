"""One file of every format, each naming one bad version and one good package; and the command that installs from it."""

# ruff: noqa: E501 - the samples are files as their tools write them
from __future__ import annotations

import json

NPM3 = {
    "name": "x",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "x", "dependencies": {"fine": "^2.0.0"}},
        "node_modules/fine": {"version": "2.0.0", "resolved": "https://r.example/fine/-/fine-2.0.0.tgz"},
        "node_modules/fine/node_modules/evil": {"version": "1.0.0", "integrity": "sha512-x"},
        "packages/own": {"version": "1.0.0", "link": True},
    },
}
NPM1 = {
    "lockfileVersion": 1,
    "dependencies": {"fine": {"version": "2.0.0", "dependencies": {"evil": {"version": "1.0.0"}}}},
}
SAMPLES: tuple[tuple[str, str, str, tuple[str, str, str]], ...] = (
    ("package-lock.json", json.dumps(NPM3), "npm ci", ("npm", "evil", "1.0.0")),
    ("npm-shrinkwrap.json", json.dumps(NPM1), "npm install", ("npm", "evil", "1.0.0")),
    (
        "package.json",
        json.dumps({"dependencies": {"fine": "^2"}, "devDependencies": {"@scope/evil": "1.0.0"}}),
        "npm i --ignore-scripts",
        ("npm", "@scope/evil", "1.0.0"),
    ),
    (
        "yarn.lock",
        '# yarn lockfile v1\n\n\n"@scope/evil@^1.0.0", "@scope/evil@^1.0.1":\n  version "1.0.0"\n'
        '  resolved "https://r.example/@scope/evil/-/evil-1.0.0.tgz#abc"\n\nfine@^2:\n  version "2.0.0"\n'
        '  dependencies:\n    other "^1"\n',
        "yarn",
        ("npm", "@scope/evil", "1.0.0"),
    ),
    (
        "yarn.lock",
        '__metadata:\n  version: 8\n\n"evil@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "evil@npm:1.0.0"\n'
        '  languageName: node\n\n"x@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "x@workspace:."\n',
        "yarn install --immutable",
        ("npm", "evil", "1.0.0"),
    ),
    (
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      fine:\n        specifier: ^2\n"
        "        version: 2.0.0\n\npackages:\n\n  '@scope/evil@1.0.0':\n    resolution: {integrity: sha512-x}\n\n"
        "  fine@2.0.0:\n    resolution: {integrity: sha512-y}\n\nsnapshots:\n\n  '@scope/evil@1.0.0(fine@2.0.0)': {}\n\n"
        "  fine@2.0.0: {}\n",
        "pnpm i",
        ("npm", "@scope/evil", "1.0.0"),
    ),
    (
        "pnpm-lock.yaml",
        "lockfileVersion: 5.4\n\npackages:\n\n  /evil/1.0.0_react@18.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n",
        "pnpm install --frozen-lockfile",
        ("npm", "evil", "1.0.0"),
    ),
    (
        "bun.lock",
        '{\n  "lockfileVersion": 1,\n  // a comment, with "quotes"\n  "packages": {\n    "evil": ["evil@1.0.0", "", {}, "sha512-x"],\n  },\n}\n',
        "bun i",
        ("npm", "evil", "1.0.0"),
    ),
    (
        "deno.lock",
        json.dumps({"version": "4", "npm": {"evil@1.0.0": {"integrity": "x"}, "fine@2.0.0_peer@1": {}}}),
        "deno install",
        ("npm", "evil", "1.0.0"),
    ),
    ("deno.json", '{"imports": {"e": "npm:evil@1.0.0",},}', "deno install", ("npm", "evil", "1.0.0")),
    (
        "requirements.txt",
        "# all\nfine>=2 ; python_version > '3'\nEvil_Py[extra]==1.0.0 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\n",
        "pip install -r requirements.txt",
        ("pypi", "Evil_Py", "1.0.0"),
    ),
    ("reqs/dev.in", "evil-py===1.0.0 # why\n", "python3 -m pip install -rreqs/dev.in", ("pypi", "evil-py", "1.0.0")),
    ("c.txt", "evil-py==1.0.0\n", "uv pip install -c c.txt fine==2.0.0", ("pypi", "evil-py", "1.0.0")),
    (
        "pyproject.toml",
        '[project]\nname = "x"\ndependencies = ["fine"]\n[build-system]\nrequires = ["evil-py==1.0.0"]\n',
        "pip install -e .",
        ("pypi", "evil-py", "1.0.0"),
    ),
    (
        "pyproject.toml",
        '[dependency-groups]\ndev = ["evil-py==1.0.0", {include-group = "x"}]\n',
        "uv sync",
        ("pypi", "evil-py", "1.0.0"),
    ),
    (
        "pyproject.toml",
        '[tool.poetry.dependencies]\npython = "^3.11"\n[tool.poetry.group.dev.dependencies]\nevil-py = {version = "1.0.0"}\n',
        "poetry install",
        ("pypi", "evil-py", "1.0.0"),
    ),
    (
        "uv.lock",
        'version = 1\n\n[[package]]\nname = "evil-py"\nversion = "1.0.0"\nsource = { registry = "https://i.example/simple" }\n'
        'dependencies = [\n    { name = "fine" },\n]\n\n[[package]]\nname = "x"\nsource = { editable = "." }\n',
        "uv run pytest",
        ("pypi", "evil-py", "1.0.0"),
    ),
    (
        "poetry.lock",
        '[[package]]\nname = "evil-py"\nversion = "1.0.0"\ndescription = "says [[package]] nothing"\nfiles = []\n\n'
        '[metadata]\nlock-version = "2.0"\n',
        "poetry install --sync",
        ("pypi", "evil-py", "1.0.0"),
    ),
    ("pdm.lock", '[[package]]\nname = "evil-py"\nversion = "1.0.0"\n', "pdm sync", ("pypi", "evil-py", "1.0.0")),
    (
        "Pipfile.lock",
        json.dumps({"_meta": {}, "default": {"evil-py": {"version": "==1.0.0"}}, "develop": {}}),
        "pipenv sync",
        ("pypi", "evil-py", "1.0.0"),
    ),
    ("Pipfile", '[packages]\nevil-py = "==1.0.0"\n', "pipenv install", ("pypi", "evil-py", "1.0.0")),
    (
        "environment.yml",
        "name: x\nchannels:\n  - c\ndependencies:\n  - fine=2.0\n  - pip:\n    - evil-py==1.0.0\n",
        "conda env create -f environment.yml",
        ("pypi", "evil-py", "1.0.0"),
    ),
    (
        "Cargo.lock",
        'version = 3\n\n[[package]]\nname = "evilcrate"\nversion = "1.0.0"\n'
        'source = "registry+https://i.example/index"\nchecksum = "ab"\n',
        "cargo build --release",
        ("cargo", "evilcrate", "1.0.0"),
    ),
    (
        "Cargo.toml",
        '[package]\nname = "x"\n[target."cfg(unix)".dependencies]\ne = {package = "evilcrate", version = "=1.0.0"}\n',
        "cargo fetch",
        ("cargo", "evilcrate", "=1.0.0"),
    ),
    (
        "go.sum",
        "example.com/evil/mod v1.0.0 h1:x=\nexample.com/evil/mod v1.0.0/go.mod h1:y=\n",
        "go mod download",
        ("go", "example.com/evil/mod", "v1.0.0"),
    ),
    (
        "go.mod",
        "module x\n\nrequire (\n\texample.com/fine v2.0.0\n)\n\nreplace example.com/fine => example.com/evil/mod v1.0.0\n",
        "go build ./...",
        ("go", "example.com/evil/mod", "v1.0.0"),
    ),
    (
        "Gemfile.lock",
        "GEM\n  remote: https://g.example/\n  specs:\n    evilgem (1.0.0-x86_64-linux)\n      fine (~> 2)\n\nPLATFORMS\n  ruby\n",
        "bundle",
        ("rubygems", "evilgem", "1.0.0"),
    ),
    ("Gemfile", "gem 'evilgem', '1.0.0'\n", "bundle install", ("rubygems", "evilgem", "1.0.0")),
    (
        "composer.lock",
        json.dumps({"packages": [], "packages-dev": [{"name": "evil/pkg", "version": "1.0.0"}]}),
        "composer install",
        ("packagist", "evil/pkg", "1.0.0"),
    ),
    (
        "composer.json",
        json.dumps({"require": {"php": ">=8", "evil/pkg": "1.0.0"}}),
        "composer update",
        ("packagist", "evil/pkg", "1.0.0"),
    ),
    (
        "packages.lock.json",
        json.dumps({"version": 1, "dependencies": {"net8.0": {"Evil.Net": {"type": "Direct", "resolved": "1.0.0"}}}}),
        "dotnet restore",
        ("nuget", "Evil.Net", "1.0.0"),
    ),
    (
        "App.csproj",
        '<Project><ItemGroup><PackageReference Include="Evil.Net"><Version>1.0.0</Version></PackageReference></ItemGroup></Project>',
        "dotnet build",
        ("nuget", "Evil.Net", "1.0.0"),
    ),
)
