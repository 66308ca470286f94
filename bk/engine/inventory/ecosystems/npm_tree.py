"""A node_modules, with all that is nested in it: each package folder by the metadata inside it.

npm's own list of what it put there (`.package-lock.json`) stands in for a package's metadata only while nothing in the
package's folder is newer than the list; which folders there are is always read from the disk.
"""

from __future__ import annotations

from bk.engine.inventory.ecosystems.npm_facts import facts, lifecycle, origin
from bk.engine.inventory.item import DIR, INSTALLED, Item, Locator
from bk.engine.inventory.place import DIRECTORY, GONE, LINK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

LIST = ".package-lock.json"
LIST_MAX = 64 << 20
NESTED_MAX = 32
STORES = (".pnpm", ".store", ".bun", ".aube")


class Tree:
    """One node_modules of one project, read as a whole."""

    def __init__(self, place: Place, found: Found, sub: str, *, manager: str = "") -> None:
        self._place = place
        self._found = found
        self._top = sub
        self._names = place.names(sub)
        self._root = place.path if sub else place.path.rpartition("/")[0]
        self._manager = manager or self._by()
        self._list: dict[str, Json] = {}
        self._listed_at = 0
        self._links: dict[str, list[str]] = {}
        self._asked: dict[str, str] | None = None

    def read(self) -> None:
        """Every package in it."""
        self._take_list()
        self._take_links(self._top)
        asked = self._direct()
        for name in STORES:
            if self._names.get(name) == DIRECTORY:
                self._store(self._under(self._top, name))
        self._folder(self._top, asked, 0)

    def _folder(self, sub: str, asked: dict[str, str] | None, depth: int) -> None:
        if depth > NESTED_MAX:
            self._found.problem(self._place.at(sub), f"packages are nested deeper than {NESTED_MAX}")
            return
        for name, kind in self._place.names(sub).items():
            if kind == DIRECTORY and name[0] == "@":
                for inner, sort in self._place.names(self._under(sub, name)).items():
                    if sort == DIRECTORY:
                        self._package(f"{self._under(sub, name)}/{inner}", f"{name}/{inner}", asked, depth)
            elif kind == DIRECTORY and name[0] != ".":
                self._package(self._under(sub, name), name, asked, depth)

    def _package(self, sub: str, folder: str, asked: dict[str, str] | None, depth: int) -> None:
        place = self._place
        entry = self._list.get(sub)
        stamp = place.stamp(f"{sub}/package.json")
        nested = place.is_dir(f"{sub}/node_modules")
        name = version = ""
        scripts: tuple[str, ...] = ()
        observed = f"{sub}/package.json"
        note = confidence = ""
        told: Json = None
        trusted = isinstance(entry, dict) and stamp != GONE and max(stamp[2], stamp[3]) <= self._listed_at
        if trusted and isinstance(entry, dict) and not entry.get("hasInstallScript"):
            name, version = self._listed(folder, entry)
            observed = self._under(self._top, LIST)
        if not name and stamp != GONE:
            observed = f"{sub}/package.json"
            told = place.json(observed)
            name, version = facts(told)
            scripts = lifecycle(told)
            if not name and told is not None:
                name, confidence, note = folder, "low", "its package.json names no package"
        if name:
            if name != folder and not confidence and not self._alias(folder, name, entry, asked):
                note = f"its folder says {folder}"
                self._contradicted(sub, folder, entry)
            if not scripts and isinstance(entry, dict) and entry.get("hasInstallScript"):
                scripts = ("install",)
            self._found.add(
                Item(
                    "npm",
                    name,
                    version,
                    manager=self._manager,
                    kind=INSTALLED,
                    observed=place.at(observed),
                    locator=Locator(DIR, place.at(sub), also=self._links.get(sub, ())),
                    root=self._root,
                    origin=origin(entry, told),
                    direct=None if asked is None else depth == 0 and folder in asked,
                    scripts=scripts,
                    confidence=confidence or "exact",
                    note=note,
                )
            )
        if nested:
            self._folder(f"{sub}/node_modules", asked, depth + 1)

    def _listed(self, folder: str, entry: dict[str, Json]) -> tuple[str, str]:
        """The name and version in npm's list; an alias says there which package it really is."""
        name, version = entry.get("name", folder), entry.get("version")
        return (name, version) if isinstance(name, str) and isinstance(version, str) else ("", "")

    def _alias(self, folder: str, name: str, entry: Json, asked: dict[str, str] | None) -> bool:
        """Whether the project asked for a package under another name: the honest reason for a folder's other name."""
        if isinstance(entry, dict) and entry.get("name") == name:
            return True
        return bool(asked) and asked is not None and asked.get(folder, "").startswith(f"npm:{name}")

    def _contradicted(self, sub: str, folder: str, entry: Json) -> None:
        """A package that calls itself something else than what npm installed there is also what npm installed."""
        version = entry.get("version") if isinstance(entry, dict) and "name" not in entry else None
        if isinstance(version, str):
            self._found.add(
                Item(
                    "npm",
                    folder,
                    version,
                    manager=self._manager,
                    kind=INSTALLED,
                    observed=self._place.at(self._under(self._top, LIST)),
                    locator=Locator(DIR, self._place.at(sub), also=self._links.get(sub, ())),
                    root=self._root,
                    origin=origin(entry, None),
                    note="its package.json names another package",
                )
            )

    def _store(self, sub: str) -> None:
        """The folders of a virtual store: `<name>@<version>…/node_modules/<name>`, the rest beside it are links."""
        folders = self._place.names(sub)
        if folders.get("node_modules") == DIRECTORY:
            self._take_links(f"{sub}/node_modules")
        for folder, kind in folders.items():
            if kind == DIRECTORY and folder != "node_modules":
                self._folder(f"{sub}/{folder}/node_modules", None, 0)

    def _take_list(self) -> None:
        """npm's own list of what it put here. A thorough look does without it: every package speaks for itself."""
        if self._names.get(LIST) != "f" or self._place.profile == "deep":
            return
        at = self._under(self._top, LIST)
        told = self._place.json(at, LIST_MAX)
        packages = told.get("packages") if isinstance(told, dict) else None
        if isinstance(packages, dict):
            stamp = self._place.stamp(at)
            self._listed_at = min(stamp[2], stamp[3])
            cut = 0 if self._top else len("node_modules/")
            self._list = {key[cut:]: entry for key, entry in packages.items()}

    def _take_links(self, sub: str) -> None:
        """Which links lead to which package: commands in `.bin`, and the names under which a store's folders show."""
        names = self._place.names(sub)
        self._links_in(sub)
        for name, kind in names.items():
            if kind == DIRECTORY and (name[0] == "@" or name == ".bin"):
                self._links_in(self._under(sub, name))

    def _links_in(self, sub: str) -> None:
        place = self._place
        for name, kind in place.names(sub).items():
            if kind != LINK:
                continue
            target = place.link(self._under(sub, name))
            if target is None or target[:1] == "/":
                continue
            package = _package_of(sub, target)
            if package:
                self._links.setdefault(package, []).append(place.at(self._under(sub, name)))

    def _direct(self) -> dict[str, str] | None:
        """What the project itself asks for: name → specification; None when it does not say."""
        if not self._top:
            return None
        told = self._place.json("package.json") if "package.json" in self._place.names() else None
        if not isinstance(told, dict):
            return None
        asked: dict[str, str] = {}
        for kind in ("dependencies", "devDependencies", "optionalDependencies"):
            wanted = told.get(kind)
            if isinstance(wanted, dict):
                asked.update({name: spec for name, spec in wanted.items() if isinstance(spec, str)})
        return asked

    def _by(self) -> str:
        """The manager that leaves such traces."""
        names = self._names
        if ".modules.yaml" in names or ".pnpm" in names:
            return "pnpm"
        if ".yarn-integrity" in names or ".yarn-state.yml" in names:
            return "yarn"
        beside = self._place.names() if self._top else {}
        if "bun.lock" in beside or "bun.lockb" in beside or ".bun" in names or "/.bun/install/" in self._place.path:
            return "bun"
        return "npx" if "/_npx/" in self._place.path else "npm"

    @staticmethod
    def _under(sub: str, name: str) -> str:
        return f"{sub}/{name}" if sub else name


def _package_of(sub: str, target: str) -> str:
    """The package folder that a relative link leads into; "" when it leads out of here, or to none."""
    parts = sub.split("/") if sub else []
    for part in target.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    start = len(parts) - parts[::-1].index("node_modules") if "node_modules" in parts else 0
    size = 2 if parts[start : start + 1] and parts[start][0] == "@" else 1
    package = parts[: start + size]
    return "/".join(package) if len(package) == start + size and package[-1][0] != "." else ""
