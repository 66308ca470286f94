from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bk.engine.intel import order
from bk.engine.intel.demand import demand, interval, pinned
from bk.engine.intel.names import canonical_name, possible, spellings
from bk.engine.intel.versions import canonical_version


@pytest.mark.parametrize(
    ("ecosystem", "name", "canonical"),
    [
        ("pypi", "Typo.Squat", "typo-squat"),
        ("pypi", "a__b-.c", "a-b-c"),
        ("cargo", "Serde_JSON", "serde-json"),
        ("nuget", "Newtonsoft.Json", "newtonsoft.json"),
        ("nuget", "СОINBASE", "СОinbase"),  # Cyrillic capitals are not folded
        ("packagist", "Laravel/Framework", "laravel/framework"),
        ("editor-extension", "CodeInKlingon.Git-Menu", "codeinklingon.git-menu"),
        ("npm", "JSONStream", "JSONStream"),
        ("go", "github.com/BufferZoneCorp/x/", "github.com/BufferZoneCorp/x"),
        ("maven", "Org.Group:Artifact", "Org.Group:Artifact"),
        ("rubygems", "RedCloth", "RedCloth"),
    ],
)
def test_canonical_names(ecosystem: str, name: str, canonical: str) -> None:
    assert canonical_name(ecosystem, name) == canonical
    assert canonical_name(ecosystem, canonical) == canonical


def test_spellings() -> None:
    assert list(spellings("npm", "EVIL")) == ["EVIL", "evil"]
    assert list(spellings("npm", "evil")) == ["evil"]
    assert list(spellings("go", "github.com/a/b/cmd/x")) == [
        "github.com/a/b/cmd/x",
        "github.com/a/b/cmd",
        "github.com/a/b",
        "github.com/a",
    ]


@pytest.mark.parametrize(
    ("ecosystem", "name", "fits"),
    [
        ("npm", "@@antv/g2", False),
        ("npm", "@antv/g2", True),
        ("npm", "@antv", False),
        ("npm", "a/b", False),
        ("npm", "two words", False),
        ("npm", "x" * 600, False),
        ("npm", "a\x1b[0m", False),
        ("packagist", "laravel", False),
        ("packagist", "laravel/lang", True),
        ("maven", "group:artifact", True),
        ("maven", "artifact", False),
        ("editor-extension", "ast-results", False),
        ("editor-extension", "checkmarx.ast-results", True),
        ("go", "./local", False),
        ("nuget", "Nеthereum", True),
        ("pypi", "", False),
    ],
)
def test_possible_names(ecosystem: str, name: str, fits: bool) -> None:
    assert possible(ecosystem, name) is fits


@pytest.mark.parametrize(
    ("ecosystem", "versions"),
    [
        ("npm", ["1.2.3", "v1.2.3", "=1.2.3", " 1.2.3 ", "1.2.3+build.5", "=v1.2.3"]),
        ("cargo", ["1.2.3", "1.2.3+meta", "=1.2.3"]),
        ("pypi", ["1.0", "1", "1.0.0", "v1.0", "1.0.0.0", "0!1.0", "01.0"]),
        ("pypi", ["1.0rc1", "1.0RC1", "1.0-rc.1", "1.0c1", "1.0.0pre1", "1.0-preview_1"]),
        ("pypi", ["1.0.post1", "1.0-1", "1.0rev1", "1.0-r1"]),
        ("pypi", ["1.0a0", "1.0alpha", "1.0-a"]),
        ("pypi", ["1!2.0.dev0", "1!2.0dev", "1!2-DEV0"]),
        ("rubygems", ["1.0", "1", "1.0.0", "1.0.0-java", "1.0.0-x86_64-linux"]),
        ("rubygems", ["1.0.0-beta", "1.0.pre.beta"]),
        ("packagist", ["1.0", "v1.0.0", "1.0.0.0", "1.0.0-stable"]),
        ("packagist", ["1.0.0-b2", "1.0.0-beta2", "v1.0-beta.2", "1.0BETA2"]),
        ("go", ["v2.0.0", "2.0.0", "v2.0.0+incompatible"]),
        ("nuget", ["1.0", "1", "1.0.0.0", "01.0", "1.0.0+meta"]),
        ("nuget", ["1.0.0-BETA.1", "1.0.0.0-beta.1"]),
        ("maven", ["1.0", "1", "1.0.0", "1.0-GA", "1.0.Final", "1.0-release"]),
        ("editor-extension", ["1.2.3", "v1.2.3", "1.2.3@linux-x64", "1.2.3-linux-x64", "1.2.3-win32-arm64"]),
    ],
)
def test_versions_that_are_equal(ecosystem: str, versions: list[str]) -> None:
    assert len({canonical_version(ecosystem, version) for version in versions}) == 1
    for version in versions:
        once = canonical_version(ecosystem, version)
        assert canonical_version(ecosystem, once) == once


@pytest.mark.parametrize(
    ("ecosystem", "one", "other"),
    [
        ("npm", "1.2.3", "1.2.3-beta"),
        ("npm", "1.2.3-Beta", "1.2.3-beta"),
        ("pypi", "1.0", "1.0.1"),
        ("pypi", "1!1.0", "1.0"),
        ("pypi", "1.0", "1.0+local"),
        ("rubygems", "1.0.0", "1.0.0.beta"),
        ("packagist", "1.0.0", "1.0.0-beta"),
        ("packagist", "dev-main", "dev-master"),
        ("go", "v1.0.0", "v1.0.0-0.20200101000000-abcdef012345"),
        ("nuget", "1.0.0.1", "1.0.0"),
        ("maven", "1.0-SNAPSHOT", "1.0"),
    ],
)
def test_versions_that_differ(ecosystem: str, one: str, other: str) -> None:
    assert canonical_version(ecosystem, one) != canonical_version(ecosystem, other)


@pytest.mark.parametrize(
    ("ecosystem", "ascending"),
    [
        (
            "npm",
            "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1"
            " 1.2.0 1.10.0 2.0.0",
        ),
        ("cargo", "0.1.0-rc.1 0.1.0 0.1.9 0.1.10 1.0.0"),
        ("go", "v1.0.0-0.20200101000000-abcdef v1.0.0 v1.0.1 v1.10.0"),
        ("nuget", "1.0.0-alpha 1.0.0-beta 1.0.0 1.0.0.1 1.0.1"),
        ("rubygems", "1.0.a 1.0.b2 1.0.rc1 1.0 1.0.1 1.2 1.10"),
        ("packagist", "1.0.0-dev 1.0.0-alpha1 1.0.0-beta2 1.0.0-beta10 1.0.0-RC1 1.0.0 1.0.0-patch1 1.0.1"),
        ("maven", "1.0-alpha-1 1.0-beta-1 1.0-milestone-1 1.0-rc1 1.0-SNAPSHOT 1.0 1.0-sp1 1.0-xyz 1.0.1 1.1 1.10"),
        ("pypi", "1.dev0 1.0.dev456 1.0a1 1.0a2.dev456 1.0a2 1.0b2 1.0rc1 1.0 1.0.post456.dev34 1.0.post456 1.1 1!0.1"),
    ],
)
def test_published_orders(ecosystem: str, ascending: str) -> None:
    keys = [order.key(ecosystem, version) for version in ascending.split()]
    assert None not in keys
    for lower, higher in itertools.pairwise(keys):
        assert lower is not None
        assert higher is not None
        assert lower <= higher
    assert len(set(keys)) >= len(keys) - 1


@pytest.mark.parametrize(
    ("ecosystem", "request_", "inside", "outside"),
    [
        ("npm", "^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0 2.0.0-rc.1 1.3.0-beta"),
        ("npm", "^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
        ("npm", "^0.0.3", "0.0.3", "0.0.4"),
        ("npm", "^0.0", "0.0.9", "0.1.0"),
        ("npm", "^0", "0.9.0", "1.0.0"),
        ("npm", "~1.2.3", "1.2.3 1.2.9", "1.3.0"),
        ("npm", "~1", "1.9.0", "2.0.0"),
        ("npm", "1.x", "1.0.0 1.9.9", "2.0.0 0.9.9"),
        ("npm", "1.2.*", "1.2.0", "1.3.0"),
        ("npm", "1", "1.5.0", "2.0.0"),
        ("npm", "*", "0.0.1 9.9.9", ""),
        ("npm", "x", "1.0.0", ""),
        ("npm", ">=1.2.3 <2", "1.2.3 1.9.9", "2.0.0 1.0.0"),
        ("npm", ">1.2", "1.3.0", "1.2.9"),
        ("npm", "<=1.2", "1.2.9 0.1.0", "1.3.0"),
        ("npm", "1.2.3 - 2.3.4", "1.2.3 2.3.4", "2.3.5"),
        ("npm", "1.2 - 2.3", "1.2.0 2.3.9", "2.4.0"),
        ("npm", "1.0.0 || ^3.1", "1.0.0 3.9.0", "1.0.1 4.0.0"),
        ("npm", ">1.2.3-alpha.3", "1.2.3-alpha.7 3.4.5", "3.4.5-alpha.9"),
        ("npm", "^1.2.3-beta.2", "1.2.3-beta.4 1.2.4", "1.2.4-beta.2"),
        ("cargo", "1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2"),
        ("cargo", "0.3", "0.3.10", "0.4.0"),
        ("cargo", "=1.2.3", "1.2.3", "1.2.4"),
        ("cargo", ">=1.2, <1.5", "1.4.9", "1.5.0"),
        ("cargo", "~1.2", "1.2.9", "1.3.0"),
        ("pypi", "~=1.4.2", "1.4.2 1.4.9", "1.5.0 1.4.1"),
        ("pypi", "~=1.4", "1.4 1.9", "2.0"),
        ("pypi", "==1.4.*", "1.4.0 1.4.9", "1.5.0"),
        ("pypi", ">=1.0,<2,!=1.5", "1.4", "1.5 2.0"),
        ("pypi", "^1.2", "1.2.0 1.9", "2.0.0"),
        ("rubygems", "~> 1.2", "1.2.0 1.9", "2.0"),
        ("rubygems", "~> 1.2.3", "1.2.9", "1.3.0"),
        ("rubygems", ">= 1.0, < 3", "2.9", "3.0"),
        ("packagist", "^1.2", "1.9.0", "2.0.0"),
        ("packagist", "~1.2", "1.2.0 1.9.0", "2.0.0"),
        ("packagist", "~1.2.3", "1.2.9", "1.3.0"),
        ("packagist", "1.2.*", "1.2.0", "1.3.0"),
        ("packagist", ">=1.0 <1.1 || >=1.2", "1.0.5 1.2.0", "1.1.5"),
        ("nuget", "[1.0,2.0)", "1.0 1.9", "2.0 0.9"),
        ("nuget", "(1.0,)", "1.0.1", "1.0"),
        ("nuget", "[1.0]", "1.0.0", "1.0.1"),
        ("maven", "[1.0,1.2],[2.0,)", "1.1 2.5", "1.3"),
    ],
)
def test_requests(ecosystem: str, request_: str, inside: str, outside: str) -> None:
    wanted = demand(ecosystem, request_)
    assert wanted is not None
    for version in inside.split():
        assert wanted.accepts(version) is True, version
    for version in outside.split():
        assert wanted.accepts(version) is False, version


@pytest.mark.parametrize(
    "text", ["latest", "next", "beta", "", ">=", "^", "~", "git", "1.2.3,", "&&", "a b c", "[1", "="]
)
@pytest.mark.parametrize("ecosystem", ["npm", "pypi", "cargo", "nuget", "maven", "packagist", "rubygems"])
def test_what_is_not_understood_is_no_answer(ecosystem: str, text: str) -> None:
    wanted = demand(ecosystem, text)
    assert wanted is None or wanted.accepts("1.0.0") is not False or text in ("=", "1.2.3,")
    assert pinned(ecosystem, text) in ("", "1.2.3")


@pytest.mark.parametrize(
    ("ecosystem", "text", "manager", "version"),
    [
        ("npm", "1.2.3", "npm", "1.2.3"),
        ("npm", "v1.2.3", "npm", "1.2.3"),
        ("npm", "1.2", "npm", ""),
        ("npm", "^1.2.3", "npm", ""),
        ("npm", "latest", "npm", ""),
        ("cargo", "1.2.3", "cargo", ""),
        ("cargo", "=1.2.3", "cargo", "1.2.3"),
        ("cargo", "1.2.3", "cargo install", "1.2.3"),
        ("cargo", "1.2.3", "tool", "1.2.3"),
        ("pypi", "==1.0", "pip", "1.0.0"),
        ("pypi", "===1.0", "pip", "1.0.0"),
        ("pypi", "1.0", "uv", "1.0.0"),
        ("pypi", "==1.*", "pip", ""),
        ("pypi", "==1.0,==1.0", "pip", ""),
        ("rubygems", "= 1.0", "gem", "1.0.0"),
        ("go", "v1.3.3", "go", "v1.3.3"),
        ("go", "latest", "go", ""),
        ("packagist", "1.0.x", "composer", ""),
        ("nuget", "1.0", "dotnet", "1.0.0"),
    ],
)
def test_pinned(ecosystem: str, text: str, manager: str, version: str) -> None:
    assert pinned(ecosystem, text, manager) == version


def test_intervals() -> None:
    bounded = interval("npm", ">=1.95.6,<1.95.8")
    assert bounded is not None
    assert [bounded.holds(order.key("npm", v) or ()) for v in ("1.95.5", "1.95.6", "1.95.7", "1.95.8")] == [
        False,
        True,
        True,
        False,
    ]
    inclusive = interval("npm", ">4.1.0,<=4.1.2")
    assert inclusive is not None
    assert [inclusive.holds(order.key("npm", v) or ()) for v in ("4.1.0", "4.1.2", "4.1.3")] == [False, True, False]
    assert interval("npm", "4.1.0") is None
    assert interval("npm", ">=banana") is None


@settings(max_examples=800, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["npm", "pypi", "cargo", "go", "rubygems", "packagist", "nuget", "maven"]))
def test_no_text_breaks_the_readers(text: str, ecosystem: str) -> None:
    wanted = demand(ecosystem, text)
    if wanted is not None:
        wanted.accepts("1.0.0")
    pinned(ecosystem, text)
    order.key(ecosystem, text)
    interval(ecosystem, text)
    canonical_name(ecosystem, text)
    assert canonical_version(ecosystem, canonical_version(ecosystem, text)) is not None


@pytest.mark.parametrize(
    "text", ["1" * 100_000, "1." * 50_000, "a1" * 50_000, "^" + "1.2 " * 20_000, "1-" * 4000 + "!"]
)
@pytest.mark.parametrize("ecosystem", ["npm", "pypi", "rubygems", "packagist", "maven", "nuget", "cargo"])
def test_long_text_costs_nothing(ecosystem: str, text: str) -> None:
    start = time.process_time()
    demand(ecosystem, text)
    pinned(ecosystem, text)
    order.key(ecosystem, text[:256])
    canonical_version(ecosystem, text[:256])
    demand(ecosystem, text[:256])
    assert time.process_time() - start < 0.5
