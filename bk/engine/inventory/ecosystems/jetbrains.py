"""Plugins of JetBrains' editors and of Android Studio: a folder or a jar each, named by a member of an archive."""

from __future__ import annotations

from xml.parsers import expat

from bk.engine.inventory.ecosystems.archive import member
from bk.engine.inventory.item import DIR, FILE_SET, INSTALLED, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

MARKS = frozenset(("JetBrains/", "Google/"))
PLUGIN = "META-INF/plugin.xml"
PLUGIN_MAX = 2 << 20
JARS_MAX = 200
DEPTH_MAX = 64
DISABLED = "disabled_plugins.txt"
_FIELDS = frozenset(("id", "name", "version", "vendor"))
_DATA = (".local/share", "Library/Application Support", "AppData/Roaming")
_SETTINGS = (".config", "Library/Application Support", "AppData/Roaming")
_NO_PLUGINS = frozenset(("consentOptions", "PrivacyPolicy", "Toolbox", "bl", "crl", "Daemon", "acp-agents"))


def places(home: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Where the editors keep what a person added to them."""
    data = [f"{home}/{base}" for base in _DATA]
    if env.get("XDG_DATA_HOME", "").startswith("/"):
        data.append(env["XDG_DATA_HOME"])
    for base in data:
        yield f"{base}/JetBrains", 0
        yield f"{base}/Google", 0


def read(place: Place, found: Found) -> None:
    """Every plugin of every product that has a folder here."""
    for product, kind in place.names().items():
        if kind != "d" or product in _NO_PLUGINS:
            continue
        disabled = _disabled(place, product)
        folder = f"{product}/plugins" if place.is_dir(f"{product}/plugins") else product
        for name, sort in place.names(folder).items():
            if name.startswith("."):
                continue
            item = None
            if sort == "d" and place.is_dir(f"{folder}/{name}/lib"):
                item = _of_folder(place, product, f"{folder}/{name}", found)
            elif sort == "f" and name.endswith(".jar"):
                item = _of_jar(place, product, f"{folder}/{name}", found)
            if item is not None:
                item.note = "disabled" if item.name in disabled else ""
                found.add(item)
        if folder != product or any(item.root == place.at(product) for item in found.items):
            found.skip(product)


def _of_folder(place: Place, product: str, folder: str, found: Found) -> Item | None:
    """A plugin's folder: one of its jars describes it, most often the one that is named like it."""
    own = folder.rpartition("/")[2]
    jars = sorted(
        (name for name, kind in place.names(f"{folder}/lib").items() if kind == "f" and name.endswith(".jar")),
        key=lambda name: (name != f"{own}.jar", not name.startswith(own), name),
    )
    for jar in jars[:JARS_MAX]:
        told = _described(place, f"{folder}/lib/{jar}", found)
        if told:
            observed = place.at(f"{folder}/lib/{jar}")
            return _item(told, place, product, observed, Locator(DIR, place.at(folder)))
    return None


def _of_jar(place: Place, product: str, jar: str, found: Found) -> Item | None:
    told = _described(place, jar, found)
    path = place.at(jar)
    return _item(told, place, product, path, Locator(FILE_SET, files=(path,))) if told else None


def _item(told: Mapping[str, str], place: Place, product: str, observed: str, locator: Locator) -> Item | None:
    name = told.get("id") or told.get("name", "")
    if not name:
        return None
    return Item(
        "editor-extension", name, told.get("version", ""), manager="jetbrains", kind=INSTALLED, observed=observed,
        locator=locator, root=place.at(product), origin="jetbrains",
        confidence="exact" if told.get("id") and told.get("version") else "name",
    )  # fmt: skip


def _described(place: Place, jar: str, found: Found) -> Mapping[str, str]:
    """What a jar says of the plugin that it is; {} when it is none."""
    if not place.is_file(jar):
        return {}
    try:
        data = member(place.at(jar), PLUGIN, PLUGIN_MAX)
        return described(data) if data is not None else {}
    except (OSError, ValueError) as error:
        found.problem(place.at(jar), getattr(error, "strerror", None) or str(error))
        return {}


class _Reader:
    """The texts of the fields that stand directly below the root."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}
        self._depth = 0
        self._field = ""

    def start(self, tag: str, _: dict[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ValueError("its plugin.xml is nested too deeply")
        self._field = tag if self._depth == 2 and tag in _FIELDS and tag not in self.told else ""

    def end(self, _: str) -> None:
        """An element ends."""
        self._depth -= 1
        self._field = ""

    def text(self, data: str) -> None:
        """Text, perhaps a part of one."""
        if self._field and len(self.told.get(self._field, "")) < 1024:
            self.told[self._field] = self.told.get(self._field, "") + data


def described(data: bytes) -> dict[str, str]:
    """`id`, `name`, `version` and `vendor` of a plugin.xml; ValueError for what is none, or declares entities."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError("its plugin.xml is no XML") from error
    return {field: text.strip() for field, text in reader.told.items()}


def _refuse(*_: object) -> None:
    raise ValueError("its plugin.xml declares entities")


def _disabled(place: Place, product: str) -> frozenset[str]:
    """The plugins that the product is told not to load."""
    texts = [place.text(f"{product}/{DISABLED}")]
    vendor = place.path.rpartition("/")[2]
    texts += [place.elsewhere(f"{place.home}/{base}/{vendor}/{product}").text(DISABLED) for base in _SETTINGS]
    return frozenset(line.strip().lower() for text in texts if text for line in text.splitlines() if line.strip())
