"""Gems: what a directory of gems has registered, and everything that belongs to one. No Ruby is ever evaluated."""

from __future__ import annotations

import re

from bk.engine.inventory.item import CACHED, DIR, INSTALLED, NOWHERE, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

MARKS = frozenset(("specifications", "gems/"))
SPEC_MAX = 1 << 20
OF_RUBY = "it is part of Ruby itself"
CHECKOUT = "a git checkout: it is never moved"
_STUB = re.compile(r"^# stub: (\S+) (\S+) (\S+)", re.MULTILINE)
_NAME = re.compile(r"""^\s*\w+\.name\s*=\s*["']([^"'#]+)["']""", re.MULTILINE)
_VERSION = re.compile(r"""^\s*\w+\.version\s*=\s*(?:Gem::Version\.new\s*\(?\s*)?["']([^"'#]+)["']""", re.MULTILINE)
_PLATFORM = re.compile(r"""^\s*\w+\.platform\s*=\s*["']([^"'#]+)["']""", re.MULTILINE)
_EXECUTABLES = re.compile(r"^\s*\w+\.executables\s*=\s*\[([^\]]*)\]", re.MULTILINE)
_QUOTED = re.compile(r"""["']([^"'/]+)["']""")
_CHECKOUT = re.compile(r".*/bundler/gems")


class Spec:
    """What a gemspec says, as far as it says it plainly."""

    __slots__ = ("executables", "name", "platform", "version")

    def __init__(self, text: str) -> None:
        stub = _STUB.search(text)
        name, version, platform = _NAME.search(text), _VERSION.search(text), _PLATFORM.search(text)
        listed = _EXECUTABLES.search(text)
        self.name = stub[1] if stub else name[1] if name else ""
        self.version = stub[2] if stub else version[1] if version else ""
        self.platform = stub[3] if stub else platform[1] if platform else "ruby"
        self.executables = _QUOTED.findall(listed[1]) if listed else []


def places(home: str, env: Mapping[str, str]) -> Iterator[str]:
    """Where gems lie for a person and for the machine."""
    for below in (".local/share/gem", ".gem", ".rbenv/versions", ".rvm/gems", ".asdf/installs/ruby", ".bundle"):
        yield f"{home}/{below}"
    for name in ("GEM_HOME", "BUNDLE_PATH"):
        if env.get(name, "").startswith("/"):
            yield env[name]
    yield from ("/var/lib/gems", "/usr/local/bundle", "/usr/local/lib/ruby", "/opt/homebrew/lib/ruby/gems")


def read(place: Place, found: Found) -> None:
    """A directory of gems, or one of Bundler's checkouts."""
    if _CHECKOUT.fullmatch(place.path):
        _checkouts(place, found)
        return
    if place.is_dir("specifications") and place.is_dir("gems"):
        _gems(place, found)
        found.skip("specifications", "gems", "cache", "doc", "extensions", "build_info", "bin")


def _gems(place: Place, found: Found) -> None:
    specs: dict[str, Spec] = {}
    for name, kind in place.names("specifications").items():
        if kind == "f" and name.endswith(".gemspec"):
            specs[name] = Spec(place.text(f"specifications/{name}", SPEC_MAX) or "")
    versions: dict[str, int] = {}
    for spec in specs.values():
        versions[spec.name] = versions.get(spec.name, 0) + 1
    for file, spec in specs.items():
        full = file.removesuffix(".gemspec")
        observed = place.at(f"specifications/{file}")
        if not spec.name or not spec.version:
            found.problem(observed, "it names no gem")
            continue
        there = place.names("gems").get(full) == "d"
        also = _with_it(place, full, spec, sole=versions[spec.name] == 1) if there else []
        said = full in (f"{spec.name}-{spec.version}", f"{spec.name}-{spec.version}-{spec.platform}")
        found.add(
            Item(
                "rubygems",
                spec.name,
                spec.version,
                manager="bundler" if "/vendor/bundle/" in place.path else "gem",
                kind=INSTALLED,
                observed=observed,
                locator=Locator(DIR, place.at(f"gems/{full}"), also=also) if there and said else NOWHERE,
                root=place.path,
                note=f"its file is called {file}" if not said else "" if there else "its folder is missing",
            )
        )
    for file, kind in place.names("specifications/default").items():
        spec = Spec(place.text(f"specifications/default/{file}", SPEC_MAX) or "") if kind == "f" else Spec("")
        if spec.name and spec.version:
            found.add(
                Item("rubygems", spec.name, spec.version, manager="ruby", kind=INSTALLED, root=place.path,
                     observed=place.at(f"specifications/default/{file}"), note=OF_RUBY)
            )  # fmt: skip


def _with_it(place: Place, full: str, spec: Spec, *, sole: bool) -> list[str]:
    """What registers a gem, what it compiled, what it came from, and its commands if no other version has them."""
    made = [f"specifications/{full}.gemspec"]
    if place.names("cache").get(f"{full}.gem") == "f":
        made.append(f"cache/{full}.gem")
    for platform, kind in place.names("extensions").items():
        made += [
            f"extensions/{platform}/{abi}/{full}"
            for abi in (place.names(f"extensions/{platform}") if kind == "d" else ())
            if place.names(f"extensions/{platform}/{abi}").get(full) == "d"
        ]
    made += [f"doc/{full}"] if place.names("doc").get(full) == "d" else []
    made += [f"build_info/{full}.info"] if place.names("build_info").get(f"{full}.info") == "f" else []
    for command in spec.executables if sole else ():
        if place.names("bin").get(command) == "f":
            text = place.text(f"bin/{command}", 65_536) or ""
            if f"'{spec.name}'" in text or f'"{spec.name}"' in text:
                made.append(f"bin/{command}")
    return [place.at(one) for one in made]


def _checkouts(place: Place, found: Found) -> None:
    """Gems that Bundler took from git."""
    for folder, kind in place.names().items():
        inside = place.names(folder) if kind == "d" else {}
        for file in inside:
            if file.endswith(".gemspec"):
                spec = Spec(place.text(f"{folder}/{file}", SPEC_MAX) or "")
                git = ".git" in inside
                if spec.name and spec.version:
                    found.add(
                        Item("rubygems", spec.name, spec.version, manager="bundler", kind=CACHED,
                             observed=place.at(f"{folder}/{file}"), root=place.path.rpartition("/")[0],
                             locator=NOWHERE if git else Locator(DIR, place.at(folder)), note=CHECKOUT if git else "")
                    )  # fmt: skip
