"""conda, mamba and pixi: what an environment has recorded, and the cache of unpacked packages."""

from __future__ import annotations

import re

from bk.engine.inventory.ecosystems.origin import safe_url
from bk.engine.inventory.item import CACHED, DIR, FILE_SET, INSTALLED, NOWHERE, Item, Locator
from bk.engine.lower.installs.listing import table, texts, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

MARKS = frozenset(("conda-meta", "urls.txt"))
RECORD_MAX = 64 << 20
FILES_MAX = 200_000
ARCHIVES = (".conda", ".tar.bz2")
OUTSIDE = "{} files of its record lie where no package is looked for and stay"
_TOP = re.compile(
    r"s?bin|lib(?:64|exec)?|share|include|etc|ssl|man|shell|condabin|Menu|Library|Scripts|DLLs|Lib"
    r"|[^/]+-conda[^/]*-linux-gnu"
)
_TOKEN = re.compile(r"/t/[^/]+/")


def places(home: str, env: Mapping[str, str]) -> Iterator[str]:
    """Where installers of conda put it."""
    for name in ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".conda", ".pixi/envs",
                 ".local/share/mamba"):  # fmt: skip
        yield f"{home}/{name}"
    for name in ("CONDA_PREFIX", "MAMBA_ROOT_PREFIX"):
        if env.get(name, "").startswith("/"):
            yield env[name]
    yield from ("/opt/conda", "/opt/miniconda3", "/opt/anaconda3", "/opt/miniforge3")


def read(place: Place, found: Found) -> None:
    """An environment, or the cache of packages beside it."""
    if place.names().get("conda-meta") == "d":
        _environment(place, found)
        found.skip("conda-meta")
    if place.path.endswith("/pkgs") and "urls.txt" in place.names():
        _cache(place, found)
        found.skip(*place.names())


def _environment(place: Place, found: Found) -> None:
    for file, kind in place.names("conda-meta").items():
        if kind != "f" or not file.endswith(".json"):
            continue
        observed = f"conda-meta/{file}"
        record = table(place.json(observed, RECORD_MAX))
        name, version = word(record.get("name")), word(record.get("version"))
        if not name or not version:
            found.problem(place.at(observed), "it names no package")
            continue
        files, left = _files(place, texts(record.get("files")))
        found.add(
            Item(
                "conda",
                name,
                version,
                manager="conda",
                kind=INSTALLED,
                observed=place.at(observed),
                locator=Locator(FILE_SET, files=sorted({*files, place.at(observed)})),
                root=place.path,
                origin=channel(word(record.get("channel"))),
                note=OUTSIDE.format(left) if left else "",
            )
        )


def channel(url: str) -> str:
    """The channel without the token that private ones carry in their path."""
    return safe_url(_TOKEN.sub("/", url)) if "://" in url else ""


def _files(place: Place, listed: list[str]) -> tuple[list[str], int]:
    """The files of a record that are there, and byte code made later; how many lines leave the environment."""
    made: dict[str, None] = {}
    left = 0
    modules: dict[str, set[str]] = {}
    for line in listed[:FILES_MAX]:
        folder, _, name = line.rpartition("/")
        parts = line.split("/")
        if not folder or not name or "" in parts or "." in parts or ".." in parts or not _TOP.fullmatch(parts[0]):
            left += 1
            continue
        if place.names(folder).get(name) in ("f", "l"):
            made[line] = None
            if name.endswith(".py"):
                modules.setdefault(folder, set()).add(name[:-3])
    for folder, names in modules.items():
        for name in place.names(f"{folder}/__pycache__"):
            if name.endswith(".pyc") and name.partition(".")[0] in names:
                made[f"{folder}/__pycache__/{name}"] = None
    return [place.at(line) for line in made], left


def _cache(place: Place, found: Found) -> None:
    """Unpacked packages, from which files are linked into environments, with their archives."""
    names = place.names()
    for folder, kind in names.items():
        observed = f"{folder}/info/index.json"
        if kind != "d" or not place.is_file(observed):
            continue
        index = table(place.json(observed, RECORD_MAX))
        name, version = word(index.get("name")), word(index.get("version"))
        if name and version:
            said = folder.startswith(f"{name}-{version}-")
            also = [place.at(folder + end) for end in ARCHIVES if names.get(folder + end) == "f"]
            found.add(
                Item("conda", name, version, manager="conda", kind=CACHED, observed=place.at(observed), root=place.path,
                     locator=Locator(DIR, place.at(folder), also=also) if said else NOWHERE,
                     note="" if said else f"its folder is called {folder}")
            )  # fmt: skip
