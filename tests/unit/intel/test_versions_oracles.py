"""The dialects against independent implementations of the same rules, on versions and requests nobody chose.

What an oracle itself gets wrong is left out by name, next to the property.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nodesemver
import pytest
import semver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version
from univers.gem import GemRequirement, GemVersion
from univers.version_range import MavenVersionRange, NugetVersionRange
from univers.versions import ComposerVersion, DebianVersion, MavenVersion, NugetVersion, RubygemsVersion

from bk.engine.intel import order
from bk.engine.intel.demand import demand
from bk.engine.intel.versions import canonical_version

from .comparing import agree, sign, told

QUICK, LONG = 400, 5_000
NUMBER = st.sampled_from(["0", "0", "1", "1", "2", "3", "10"])
LOOSE_NUMBER = st.sampled_from(["0", "1", "2", "10", "01", "007"])


def joined(mark: str, part: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[str]:
    return st.lists(part, min_size=least, max_size=most).map(mark.join)


def glued(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


def sometimes(*words: str, never: int = 4) -> st.SearchStrategy[str]:
    return st.sampled_from([*[""] * never, *words])


# Python: packaging

PYTHON_PUBLIC = glued(
    sometimes("1!", "v", "0!", never=8),
    joined(".", LOOSE_NUMBER, 1, 4),
    sometimes("a1", "-beta2", ".rc.3", "_c4", "PRE5", "alpha", "preview"),
    sometimes(".post1", "-2", "rev3", "-r"),
    sometimes(".dev1", "-dev", "DEV2"),
)
PYTHON = glued(PYTHON_PUBLIC, sometimes("+abc.1", "+Ubuntu-2", "+1", never=7))
PYTHON_SPECIFIER = st.one_of(
    glued(st.sampled_from(["==", "!=", "== "]), joined(".", NUMBER, 1, 4), st.just(".*")),
    glued(st.sampled_from(["==", "!="]), PYTHON),
    glued(st.sampled_from([">=", "<=", "<", ">", "~=", "> ", "~= "]), PYTHON_PUBLIC),
)


def python_order(one: str, other: str) -> None:
    a, b = Version(one), Version(other)
    assert (canonical_version("pypi", one) == canonical_version("pypi", other)) == (a == b)
    # the local part takes no part in the order: see the dialect
    keys = [order.key("pypi", version) for version in (one, other)]
    assert sign(*keys) == sign(Version(a.public), Version(b.public))


def python_request(specifiers: list[str], version: str) -> None:
    text = ",".join(specifiers)
    try:
        wanted = SpecifierSet(text)
    except InvalidSpecifier:
        assert demand("pypi", text) is None
        return
    mine = demand("pypi", text)
    assert mine is not None
    answer = mine.accepts(version)
    accepted = wanted.contains(version, prereleases=True)
    if answer is None:  # a pre-release that nothing names, or a local part that no list knows
        assert "+" in text or (Version(version).is_prerelease and not wanted.prereleases)
    else:
        assert answer is accepted, (text, version)


# npm: node-semver; and npm's own module, below

NPM_PRE = sometimes("-alpha", "-alpha.1", "-0", "-beta", "-rc.2", "-1.a", "-beta.11", "-x-y")
NPM = glued(joined(".", NUMBER, 3, 3), NPM_PRE)
NPM_PARTIAL = st.one_of(
    st.sampled_from(["*", "x"]),
    NUMBER,
    joined(".", NUMBER, 2, 2),
    glued(NUMBER, st.sampled_from([".x", ".*", ".x.x"])),
    glued(joined(".", NUMBER, 2, 2), st.sampled_from([".x", ".*"])),
    NPM,
    NPM,
)
NPM_TERM = glued(st.sampled_from(["", "", "^", "~", "~>", ">", "<", ">=", "<=", "=", "^ ", ">= "]), NPM_PARTIAL)
NPM_RANGE = joined(
    " || ",
    st.one_of(joined(" ", NPM_TERM, 1, 3), st.tuples(NPM_PARTIAL, NPM_PARTIAL).map(" - ".join)),
    1,
    3,
)


def npm_order(one: str, other: str) -> None:
    agree("npm", one, other, semver.Version.parse(one).compare(other))


def npm_request(request: str, version: str) -> None:
    several = any(len(alternative.split()) > 1 for alternative in request.split("||"))
    if "-" in version and ("<=" in request or " - " in request or several):
        return  # node-semver ends `<=1`, `… - 1` and, beside another term, `1` above 2.0.0's pre-releases, npm below
    expected = nodesemver.satisfies(version, request, False)
    mine = demand("npm", request)
    assert mine is not None, request
    if "-" in version and len(mine.choices) < request.count("||") + 1:
        return  # to npm an alternative that is everything swallows the others, to node-semver it does not
    answer = mine.accepts(version)
    if answer is None:  # `*` follows the tag `latest`
        assert "-" in version
    else:
        assert answer is expected, (request, version)


# Cargo and Go: semver for the order, and a reading of Cargo's table in plain comparisons

CARGO_REQUEST = joined(", ", glued(st.sampled_from(["", "^", "~", "=", ">", ">=", "<", "<="]), NPM), 1, 2)


def cargo_order(one: str, other: str) -> None:
    agree("cargo", one, other, semver.Version.parse(one).compare(other))


def cargo_request(request: str, version: str) -> None:
    told("cargo", request, version, _cargo(request.split(", "), semver.Version.parse(version)), perhaps=False)


def _cargo(terms: list[str], version: semver.Version) -> bool:
    bounds = []
    for term in terms:
        bound = semver.Version.parse(term.lstrip("^~=<>"))
        op = term[: len(term) - len(str(bound))] or "^"
        bounds.append(bound)
        same = {"^": _kept(bound), "~": 2}.get(op)
        if same is not None:
            held = version.to_tuple()[:same] == bound.to_tuple()[:same] and version >= bound
        else:
            order_ = version.compare(bound)
            held = {"=": order_ == 0, ">": order_ > 0, ">=": order_ >= 0, "<": order_ < 0, "<=": order_ <= 0}[op]
        if not held:
            return False
    near = [bound for bound in bounds if bound.prerelease and bound.to_tuple()[:3] == version.to_tuple()[:3]]
    return not version.prerelease or bool(near)


def _kept(bound: semver.Version) -> int:
    return 1 if bound.major else 2 if bound.minor else 3


def go_order(one: str, other: str) -> None:
    agree("go", f"v{one}", f"v{other}", semver.Version.parse(one).compare(other))


# RubyGems, NuGet, Maven, Debian, Composer: univers

GEM = glued(
    NUMBER,
    st.lists(st.sampled_from(["0", "0", "1", "2", "10", "a", "b1", "rc2", "pre", "Z", "a0"]), max_size=4).map(
        lambda parts: "".join(f".{part}" for part in parts)
    ),
    sometimes("-beta", "-1", never=8),
)
GEM_TERM = glued(st.sampled_from(["= ", "!= ", "> ", "< ", ">= ", "<= ", "~> ", "~> ", ""]), GEM)


def gem_order(one: str, other: str) -> None:
    agree("rubygems", one, other, sign(RubygemsVersion(one), RubygemsVersion(other)))


def gem_request(terms: list[str], version: str) -> None:
    told("rubygems", ", ".join(terms), version, GemRequirement(*terms).satisfied_by(GemVersion(version)))


NUGET = glued(
    joined(".", NUMBER, 2, 4),
    sometimes("-alpha", "-ALPHA.1", "-beta.2", "-beta.10", "-0", "-1.a", "-x-y"),
    sometimes("+b", never=6),
)
NUGET_END = joined(".", NUMBER, 2, 4)  # univers reads NuGet's bounds as Maven's, so no labels there
ENDS = st.tuples(st.sampled_from("[("), st.sampled_from("])"))


def nuget_order(one: str, other: str) -> None:
    agree("nuget", one, other, sign(NugetVersion(one), NugetVersion(other)))


def nuget_request(ends: tuple[str, str], low: str, high: str, version: str) -> None:
    if order.key("nuget", low) >= order.key("nuget", high):  # type: ignore[operator]
        return  # univers refuses an empty interval
    text = f"{ends[0]}{low},{high}{ends[1]}"
    told("nuget", text, version, NugetVersion(version) in NugetVersionRange.from_native(text))


MAVEN_WORD = st.sampled_from(["alpha", "beta", "milestone", "rc", "snapshot", "sp", "foo", "xyz", "final", "ga"])
# `1.0.RC2`: univers reads a word behind a dot otherwise than Maven does, so words stand behind dashes
MAVEN = glued(
    joined(".", NUMBER, 1, 3),
    st.one_of(st.just(""), glued(st.just("-"), MAVEN_WORD, sometimes("-1", "-2", "1", "2", never=2))),
)


def maven_order(one: str, other: str) -> None:
    agree("maven", one, other, sign(MavenVersion(one), MavenVersion(other)))


def maven_request(ends: tuple[str, str], low: str, high: str, version: str) -> None:
    if order.key("maven", low) >= order.key("maven", high):  # type: ignore[operator]
        return  # univers refuses or misreads an empty interval
    text = f"{ends[0]}{low},{high}{ends[1]}"
    told("maven", text, version, MavenVersion(version) in MavenVersionRange.from_native(text))


DEB_TEXT = st.text(st.sampled_from("00112ab.~+Z"), max_size=4)
DEB = glued(
    sometimes("0:", "1:", "00:"),
    st.sampled_from("0123"),
    DEB_TEXT,
    st.one_of(st.just(""), st.sampled_from(["-0", "-1", "-1ubuntu1", "-0~", "-1~rc1"]), DEB_TEXT.map("-1{}".format)),
)


def deb_order(one: str, other: str) -> None:
    agree("deb", one, other, sign(DebianVersion(one), DebianVersion(other)))


# univers compares stabilities as text: so no `dev`, no `patch`, no capitals, three numbers, one digit
COMPOSER = glued(
    sometimes("v"),
    joined(".", NUMBER, 3, 3),
    sometimes("-alpha1", "-alpha2", "-beta1", "-beta2", "-rc1"),
)


def composer_order(one: str, other: str) -> None:
    agree("packagist", one, other, sign(ComposerVersion(one), ComposerVersion(other)))


PROPERTIES: list[tuple[Callable[..., None], tuple[st.SearchStrategy[Any], ...]]] = [
    (python_order, (PYTHON, PYTHON)),
    (python_request, (st.lists(PYTHON_SPECIFIER, min_size=1, max_size=3), PYTHON)),
    (npm_order, (NPM, NPM)),
    (npm_request, (NPM_RANGE, NPM)),
    (cargo_order, (NPM, NPM)),
    (cargo_request, (CARGO_REQUEST, NPM)),
    (go_order, (NPM, NPM)),
    (gem_order, (GEM, GEM)),
    (gem_request, (st.lists(GEM_TERM, min_size=1, max_size=2), GEM)),
    (nuget_order, (NUGET, NUGET)),
    (nuget_request, (ENDS, NUGET_END, NUGET_END, NUGET)),
    (maven_order, (MAVEN, MAVEN)),
    (maven_request, (ENDS, MAVEN, MAVEN, MAVEN)),
    (deb_order, (DEB, DEB)),
    (composer_order, (COMPOSER, COMPOSER)),
]


def held(property_: Callable[..., None], parts: tuple[st.SearchStrategy[Any], ...], examples: int) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=checks)
    @given(st.tuples(*parts))
    def run(values: tuple[Any, ...]) -> None:
        property_(*values)

    run()


@pytest.mark.parametrize(("property_", "parts"), PROPERTIES, ids=[one[0].__name__ for one in PROPERTIES])
def test_agrees_with_an_independent_reading(property_: Callable[..., None], parts: tuple[Any, ...]) -> None:
    held(property_, parts, QUICK)


@pytest.mark.long
@pytest.mark.parametrize(("property_", "parts"), PROPERTIES, ids=[one[0].__name__ for one in PROPERTIES])
def test_agrees_with_an_independent_reading_at_length(property_: Callable[..., None], parts: tuple[Any, ...]) -> None:
    held(property_, parts, LONG)
