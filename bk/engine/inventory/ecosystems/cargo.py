"""Crates: extracted sources with their archives, vendored copies, git checkouts, and programs that cargo installed."""

from __future__ import annotations

import re

from bk.engine.inventory.ecosystems.origin import safe_url
from bk.engine.inventory.item import CACHED, DIR, FILE_SET, INSTALLED, NOWHERE, Item, Locator
from bk.engine.lower.installs.listing import table, texts
from bk.engine.tables import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

MANIFEST_MAX = 1 << 20
MARKS = frozenset((".crates2.json", "registry", "checkouts", ".cargo-checksum.json"))
OF_RUSTUP = names("""
    cargo rustc rustup rustdoc rustfmt rls rust-gdb rust-gdbgui rust-lldb rust-analyzer cargo-clippy cargo-fmt
    cargo-miri clippy-driver
    """)  # programs of the toolchain itself, whatever an installed crate claims
NO_CONTAINER = "its programs do not lie in .cargo/bin"
CHECKOUT = "a git checkout: it is never moved"
_TABLE = re.compile(r"^[ \t]*\[ *package *\][^\n]*\n(.*?)(?=^[ \t]*\[|\Z)", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"""^[ \t]*(name|version)[ \t]*=[ \t]*["']([^"'\n]*)["']""", re.MULTILINE)
_FOLDER = re.compile(r"(.+?)-(\d+\.\d+\.\d+(?:[-+].*)?)")
_INSTALL = re.compile(r"(\S+) (\S+) \(([a-z]+)\+(.*)\)")


def places(home: str, env: Mapping[str, str]) -> Iterator[str]:
    """Cargo's home."""
    yield env.get("CARGO_HOME", "") or f"{home}/.cargo"


def read(place: Place, found: Found) -> None:
    """Cargo's home, a checkout folder of it, or one vendored crate."""
    inside = place.names()
    if inside.get("registry") == "d" and place.is_dir("registry/src") | place.is_dir("registry/cache"):
        _registry(place, found)
        found.skip("registry")
    if inside.get("checkouts") == "d" and inside.get("db") == "d":
        _checkouts(place, found)
        found.skip("checkouts", "db")
    if inside.get(".crates2.json") == "f":
        _programs(place, found)
        found.skip("bin")
    if inside.get(".cargo-checksum.json") == "f":
        _vendored(place, found)


def package(text: str) -> tuple[str, str]:
    """The name and the version in a Cargo.toml."""
    head = _TABLE.search(text)
    said = dict(_KEY.findall(head[1])) if head else {}
    return said.get("name", ""), said.get("version", "")


def of_folder(folder: str) -> tuple[str, str]:
    """Where in `name-version` the version begins: names contain dashes, and so do versions."""
    match = _FOLDER.fullmatch(folder)
    return (match[1], match[2]) if match else (folder, "")


def _registry(place: Place, found: Found) -> None:
    """Sources with the archives they came from: without those they would be unpacked again."""
    indexes = {**place.names("registry/src"), **place.names("registry/cache")}
    for index in indexes:
        sources, cache = f"registry/src/{index}", f"registry/cache/{index}"
        archives = place.names(cache)
        for folder, kind in place.names(sources).items():
            if kind != "d":
                continue
            observed = f"{sources}/{folder}/Cargo.toml"
            name, version = package(place.text(observed, MANIFEST_MAX) or "")
            its_name, its_version = of_folder(folder)
            also = [place.at(f"{cache}/{folder}.crate")] if f"{folder}.crate" in archives else []
            found.add(
                Item(
                    "cargo",
                    name or its_name,
                    version or its_version,
                    manager="cargo",
                    kind=CACHED,
                    observed=place.at(observed),
                    locator=Locator(DIR, place.at(f"{sources}/{folder}"), also=also) if name else NOWHERE,
                    root=place.path,
                    confidence="exact" if name else "name",
                    note="" if not name or folder == f"{name}-{version}" else f"its folder says {folder}",
                )
            )
        for archive, kind in archives.items():
            folder = archive.removesuffix(".crate")
            its_name, its_version = of_folder(folder)
            if kind == "f" and folder != archive and its_version and folder not in place.names(sources):
                path = place.at(f"{cache}/{archive}")
                found.add(
                    Item("cargo", its_name, its_version, manager="cargo", kind=CACHED, observed=path,
                         locator=Locator(FILE_SET, files=(path,)), root=place.path, confidence="name")
                )  # fmt: skip


def _checkouts(place: Place, found: Found) -> None:
    for repository in place.names("checkouts"):
        for revision, kind in place.names(f"checkouts/{repository}").items():
            below = f"checkouts/{repository}/{revision}"
            name, version = package(place.text(f"{below}/Cargo.toml", MANIFEST_MAX) or "") if kind == "d" else ("", "")
            if name:
                git = ".git" in place.names(below)
                found.add(
                    Item("cargo", name, version, manager="cargo", kind=CACHED, observed=place.at(f"{below}/Cargo.toml"),
                         locator=NOWHERE if git else Locator(DIR, place.at(below)), root=place.path,
                         note=CHECKOUT if git else "")
                )  # fmt: skip


def _programs(place: Place, found: Found) -> None:
    """Programs in `bin`, by the crate that cargo noted them for."""
    installs = table(table(place.json(".crates2.json")), "installs")
    there = place.names("bin")
    kept = place.path.endswith("/.cargo")
    claims: dict[str, int] = {}
    for entry in installs.values():
        for program in texts(table(entry).get("bins")):
            claims[program] = claims.get(program, 0) + 1
    for key, entry in installs.items():
        match = _INSTALL.fullmatch(key)
        if not match:
            found.problem(place.at(".crates2.json"), f"an entry is not understood: {key[:80]}")
            continue
        programs = [
            program
            for program in texts(table(entry).get("bins"))
            if there.get(program) == "f" and program not in OF_RUSTUP and claims[program] == 1
        ]
        files = [place.at(f"bin/{program}") for program in programs]
        rows = [place.at(f".crates2.json#/installs/{_pointed(key)}"), place.at(f".crates.toml#/v1/{_pointed(key)}")]
        if "@" in match[4]:  # a key may hold a credential, and is then not kept
            rows = []
        found.add(
            Item(
                "cargo",
                match[1],
                match[2],
                manager="cargo install",
                kind=INSTALLED,
                observed=place.at(".crates2.json"),
                locator=Locator(FILE_SET, files=files, also=rows) if files and kept else NOWHERE,
                root=place.path,
                origin=_origin(match[3], match[4]),
                direct=True,
                note="" if kept else NO_CONTAINER,
            )
        )


def _vendored(place: Place, found: Found) -> None:
    """One crate of a vendor folder; the checksum file in it is what makes cargo take it."""
    name, version = package(place.text("Cargo.toml", MANIFEST_MAX) or "")
    if not name:
        found.problem(place.at("Cargo.toml"), "it names no crate")
        return
    parent, _, _ = place.path.rpartition("/")
    vendor = parent.endswith("/vendor")
    found.add(
        Item("cargo", name, version, manager="cargo vendor", kind=INSTALLED, observed=place.at("Cargo.toml"),
             locator=Locator(DIR, place.path) if vendor else NOWHERE, root=parent.rpartition("/")[0],
             note="" if vendor else "it lies in no vendor folder")
    )  # fmt: skip


def _pointed(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _origin(kind: str, url: str) -> str:
    """Where a program came from, without what may be a credential."""
    return safe_url(url) if kind in ("registry", "sparse", "git") else ""
