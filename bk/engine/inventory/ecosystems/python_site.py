"""One directory of Python packages: who in it is what, and which files are whose."""

from __future__ import annotations

import os
import re
from collections import Counter

from bk.engine.intel.names import canonical_name
from bk.engine.intel.versions import canonical_version
from bk.engine.inventory.ecosystems.origin import safe_url
from bk.engine.inventory.ecosystems.python_files import editable, file_set, prefix_of, recorded, resolved
from bk.engine.inventory.ecosystems.python_tool import tool_of
from bk.engine.inventory.item import CACHED, DIR, FILE_SET, INSTALLED, NOWHERE, Item, Locator
from bk.engine.inventory.place import GONE, stamp_of
from bk.engine.lower.installs.listing import table, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

ENDINGS = (".dist-info", ".egg-info", ".egg", ".egg-link")
METADATA_MAX = 4 << 20
RECORD_MAX = 16 << 20
DEPTH_MAX = 8
NO_CONTAINER = "it lies where no manager keeps packages"
OF_THE_SYSTEM = "the system's own package manager keeps it"
NO_RECORD = "nothing records which files are its own"
EGG_LINK = "easy-install.pth names its source too"
_FIELD = re.compile(r"^(Name|Version):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_FOLDER = re.compile(r"(.+?)-(\d[^-]*)(?:-.+)?")
_CONTAINER = re.compile(r".*/(?:site|dist)-packages|.*/__pypackages__/[\d.]+/lib")
_ENVIRONMENTS = (
    (re.compile(r".*/pipx/venvs/"), "pipx"),
    (re.compile(r".*/uv/tools/"), "uv tool"),
    (re.compile(r".*/uv/(?:cache/)?archive-v\d+/"), "uvx"),
    (re.compile(r".*/pypoetry/virtualenvs/"), "poetry"),
    (re.compile(r".*/hatch/env/"), "hatch"),
    (re.compile(r".*/(?:pdm/venvs|__pypackages__)/"), "pdm"),
    (re.compile(r".*/share/virtualenvs/"), "pipenv"),
)


def headers(text: str) -> tuple[str, str]:
    """The name and the version in the headers of a METADATA or PKG-INFO."""
    head = text[:65_536].replace("\r\n", "\n").partition("\n\n")[0]
    said: dict[str, str] = {}
    for match in _FIELD.finditer(head):
        said.setdefault(match[1], match[2])
    return said.get("Name", ""), said.get("Version", "")


def of_folder(info: str) -> tuple[str, str]:
    """The name and the version in the name of a directory of metadata."""
    stem = info.rpartition(".")[0]
    match = _FOLDER.fullmatch(stem)
    return (match[1], match[2]) if match else (stem, "")


class Site:
    """One directory of packages; beside it, where scripts and data lie, no link is followed either."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.path = place.path
        self.prefix = prefix_of(place.path)
        self.infos = sorted(name for name in place.names() if name.endswith(ENDINGS))
        self.manager = next((said for pattern, said in _ENVIRONMENTS if pattern.match(self.path + "/")), "")
        self.tool = tool_of(place, self.prefix, self.manager)
        self.still = (
            NO_CONTAINER if not _CONTAINER.fullmatch(self.path) else OF_THE_SYSTEM if self.prefix == "/usr" else ""
        )
        self._outside: dict[str, frozenset[str]] = {}
        self._records = {info: self._record(info) for info in self.infos} if not self.still else {}
        self._claims = Counter(path for record in self._records.values() for path in set(record))

    @property
    def is_project(self) -> bool:
        """Whether this is a source tree with its own metadata in it: a project, and nothing installed."""
        return not _CONTAINER.fullmatch(self.path) and not any(info.endswith(".dist-info") for info in self.infos)

    def read(self, found: Found) -> None:
        """Report every package, and take from the walk what they own."""
        for info in self.infos:
            self._item(info, found)
        if self.still == NO_CONTAINER:
            return
        inner = {
            path[len(self.path) + 1 :].partition("/")[0]
            for record in self._records.values()
            for path in record
            if "/node_modules/" in path and path.startswith(self.path + "/")
        }
        found.skip(*(name for name in self.place.names() if name not in inner))

    def _item(self, info: str, found: Found) -> None:
        observed, name, version = self._metadata(info)
        its_name, its_version = of_folder(info)
        canonical = canonical_name("pypi", name or its_name)
        if not canonical:
            found.problem(self.place.at(info), "it names no package")
            return
        installer = (self.place.text(f"{info}/INSTALLER", 256) or "").strip()[:40] if self._is_dir(info) else ""
        if installer == "conda" and self._of_conda(canonical):
            return
        direct = self._direct(info)
        source = table(direct, "dir_info").get("editable") is True or info.endswith(".egg-link")
        notes = []
        if name and not (canonical_name("pypi", its_name) == canonical and _same(its_version, version)):
            notes.append(f"its folder says {its_name} {its_version}")
        if source:
            notes.append(f"editable, its source stays: {safe_url(word(direct.get('url')))}".rstrip(": "))
        locator, why = self._locator(info, canonical, bool(name), source)
        notes += [why] if why else []
        found.add(
            Item(
                "pypi",
                canonical,
                version or its_version,
                manager=self.manager or installer,
                kind=CACHED if self.manager == "uvx" else INSTALLED,
                observed=self.place.at(observed),
                locator=locator,
                root=self.prefix.rpartition("/")[0] if self.tool else "" if self.still else self.prefix,
                origin="" if source else safe_url(word(direct.get("url"))),
                direct="REQUESTED" in self.place.names(info) if installer in ("pip", "uv") else None,
                scripts=sorted(path.rpartition("/")[2] for path in locator.files if path.endswith(".pth")),
                confidence="exact" if name else "name",
                note="; ".join(notes),
            )
        )

    def _metadata(self, info: str) -> tuple[str, str, str]:
        """The file that says what a package is, and the name and the version in it."""
        if not self._is_dir(info):
            text = self.place.text(info, METADATA_MAX) if info.endswith(".egg-info") else ""
            return info, *headers(text or "")
        inner = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}.get(
            "." + info.rpartition(".")[2], "EGG-INFO/PKG-INFO"
        )
        return f"{info}/{inner}", *headers(self.place.text(f"{info}/{inner}", METADATA_MAX) or "")

    def _direct(self, info: str) -> dict[str, Json]:
        if info.endswith(".dist-info") and "direct_url.json" in self.place.names(info):
            return table(self.place.json(f"{info}/direct_url.json", 65_536))
        return {}

    def _locator(self, info: str, name: str, sure: bool, source: bool) -> tuple[Locator, str]:
        """What would have to move; and what a person should know about it."""
        if self.still:
            return NOWHERE, self.still
        if not sure:
            return NOWHERE, "its metadata is missing"
        if self.tool and self.tool.name == name:
            return Locator(DIR, self.prefix, also=self.tool.links), ""
        if info.endswith(".egg-link"):
            return NOWHERE, EGG_LINK
        if info.endswith(".egg"):
            return (Locator(DIR, self.place.at(info)) if self._is_dir(info) else NOWHERE), ""
        record = self._records.get(info, [])
        if not record:
            return NOWHERE, NO_RECORD
        wanted = editable(record, self.path, self.place.at(info)) if source else record
        wanted = list(dict.fromkeys([*wanted, *self._whole(info, 0)]))
        files = file_set(wanted, site=self.path, prefix=self.prefix, claims=self._claims, listed=self._names)
        return Locator(FILE_SET, files=sorted(files.found)), files.note

    def _record(self, info: str) -> list[str]:
        """The resolved paths that a package claims; none where it has no list."""
        if not self._is_dir(info):
            return []
        names = self.place.names(info)
        if "RECORD" in names:
            return resolved(recorded(self.place.text(f"{info}/RECORD", RECORD_MAX) or ""), self.path)
        if "installed-files.txt" in names:
            lines = (self.place.text(f"{info}/installed-files.txt", RECORD_MAX) or "").splitlines()
            return resolved((line for line in lines if line), self.place.at(info))
        return []

    def _whole(self, info: str, depth: int) -> list[str]:
        """Every file of the metadata, listed or not: what is left of it would still look installed."""
        made = []
        for name, kind in self.place.names(info).items():
            if kind == "d" and depth < DEPTH_MAX:
                made += self._whole(f"{info}/{name}", depth + 1)
            elif kind != "d":
                made.append(self.place.at(f"{info}/{name}"))
        return made

    def _is_dir(self, info: str) -> bool:
        return self.place.names().get(info) == "d"

    def _names(self, folder: str) -> Collection[str]:
        """The entries of a directory that are no directories themselves, or that are called `__pycache__`."""
        known = self._outside.get(folder)
        if known is None:
            if folder == self.path or folder.startswith(self.path + "/"):
                listed = self.place.names(folder[len(self.path) + 1 :]).items()
                known = frozenset(name for name, kind in listed if kind in "fl" or name == "__pycache__")
            else:
                known = self._beside(folder)
            self._outside[folder] = known
        return known

    def _of_conda(self, name: str) -> bool:
        """Whether conda's own record of an environment speaks of a package, which then stands for it."""
        return any(
            canonical_name("pypi", each.rsplit("-", 2)[0]) == name
            for each in self._beside(f"{self.prefix}/conda-meta")
            if each.count("-") >= 2
        )

    def _beside(self, folder: str) -> frozenset[str]:
        """The files of a directory elsewhere in the environment; none where the way there leads through a link."""
        self.place.stamps[folder] = GONE
        if os.path.realpath(folder) != folder:
            return frozenset()
        try:
            self.place.stamps[folder] = stamp_of(os.lstat(folder))
            with os.scandir(folder) as entries:
                return frozenset(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
        except OSError:
            return frozenset()


def _same(its_version: str, version: str) -> bool:
    """Whether a folder speaks of this version, or of none."""
    return its_version in ("", version) or canonical_version("pypi", its_version) == canonical_version("pypi", version)
