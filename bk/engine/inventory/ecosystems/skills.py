"""Skills of agents: folders of instructions and scripts that an agent reads and runs, most without any origin.

A skill that nobody published has no version, so the digest of what it holds is noted: it tells one state of it from
another. Folders of skills are often links to one place; the real folder is the artifact, and the links move with it.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256

from bk.engine.inventory.ecosystems import loose_yaml
from bk.engine.inventory.ecosystems.origin import safe_url
from bk.engine.inventory.item import DIR, INSTALLED, LOCKED, NOWHERE, Item, Locator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

SKILL = "SKILL.md"
LOCKS = (".skill-lock.json", "skills-lock.json")
MARKS = frozenset(("skills/", *LOCKS))
AGENTS = (
    ".claude", ".agents", ".codex", ".gemini", ".cursor", ".openclaw", ".copilot", ".github", ".factory", ".qwen",
    ".windsurf", ".codeium/windsurf", ".roo", ".kilocode", ".kiro", ".junie", ".augment", ".trae", ".continue",
    ".goose", ".config/opencode", ".opencode", ".config/agents", ".config/amp", ".config/crush", ".config/goose",
    ".gemini/antigravity",
)  # fmt: skip
TEXT_MAX = 1 << 20
FILES_MAX = 2_000
BYTES_MAX = 64 << 20
DEPTH_MAX = 12
_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_SOURCE = re.compile(r"[\w.-]+(?:/[\w.-]+){0,4}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{7,64}", re.ASCII)


def places(home: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Where the agents of a person keep skills, and the locks of what installs them."""
    for agent in AGENTS:
        yield f"{home}/{agent}/skills", 0
    yield f"{home}/.agents", 0
    states = env.get("XDG_STATE_HOME", "")
    yield f"{states if states.startswith('/') else f'{home}/.local/state'}/skills", 0


def read(place: Place, found: Found) -> None:
    """The skills of one folder, and what a lock says."""
    names = place.names()
    for name in LOCKS:
        if names.get(name) == "f":
            _lock(place, name, found)
    if place.path.rpartition("/")[2] != "skills":
        return
    links = _links(place)
    locked = _locked(place)
    for name, kind in names.items():
        if name.startswith("."):
            continue
        if kind == "d" and place.is_file(f"{name}/{SKILL}"):
            item = _skill(place, name)
            item.locator = Locator(DIR, place.at(name), also=sorted(links.get(name, ())))
            item.origin = locked.get(name, "")
            found.add(item)
        elif kind == "l":
            _linked(place, name, found)


def _skill(place: Place, folder: str) -> Item:
    """A skill by the front matter of its text; by its folder's name where it has none."""
    text = place.text(f"{folder}/{SKILL}", TEXT_MAX) or ""
    front = front_matter(text)
    name = front.get("name", "")
    notes = [_digest(place, folder)]
    if name and name.lower() != folder.lower():
        notes.append(f"its folder is named {folder}")
    if front.get("allowed-tools"):
        notes.append("it asks for tools of its own")
    observed = place.at(f"{folder}/{SKILL}")
    return Item(
        "agent-skill", name or folder, "", manager=_agent(place), kind=INSTALLED, observed=observed,
        root=_root(place.path), confidence="exact" if name else "name", note="; ".join(notes),
    )  # fmt: skip


def front_matter(text: str) -> dict[str, str]:
    """The head of a skill's text; {} when there is none, or when it is more than is read here."""
    found = _FRONT.match(text.removeprefix("\ufeff"))
    if found is None:
        return {}
    try:
        told = loose_yaml.read(found[1])
    except (ValueError, RecursionError):
        return {}
    pairs = told.items() if isinstance(told, dict) else ()
    return {key: value.strip() if isinstance(value, str) else "yes" for key, value in pairs if value}


def _digest(place: Place, folder: str) -> str:
    """One digest of every file below a folder: names, and what they hold."""
    whole, count, size = sha256(), 0, 0
    waiting = [(folder, 0)]
    while waiting:
        sub, depth = waiting.pop()
        for name, kind in sorted(place.names(sub).items()):
            path = f"{sub}/{name}"
            if kind == "d" and name not in (".git", "node_modules") and depth < DEPTH_MAX:
                waiting.append((path, depth + 1))
            elif kind == "l":
                whole.update(f"l{path[len(folder) :]}\0{place.link(path)}\0".encode(errors="surrogateescape"))
            elif kind == "f":
                count += 1
                size += place.stamp(path)[-1]
                if count > FILES_MAX or size > BYTES_MAX:
                    return "it is too large for its content to be summed up"
                data = place.data(path, BYTES_MAX) or b""
                whole.update(f"f{path[len(folder) :]}\0{len(data)}\0".encode(errors="surrogateescape"))
                whole.update(data)
    return f"content sha256:{whole.hexdigest()}"


def _links(place: Place) -> dict[str, set[str]]:
    """Folder → the links that lead to it from the places of other agents, of the person's and of the project's."""
    base = _base(place.path)
    told: dict[str, set[str]] = {}
    for root in dict.fromkeys((base, place.home) if base else (place.home,)):
        for agent in AGENTS:
            other = place.elsewhere(f"{root}/{agent}/skills")
            if other.path == place.path:
                continue
            for name, kind in other.names().items():
                if kind == "l":
                    other.stamp(name)
                    folder, _, leads = os.path.realpath(other.at(name)).rpartition("/")
                    if folder == place.path:
                        told.setdefault(leads, set()).add(other.at(name))
    return told


def _base(path: str) -> str:
    """The home or project that a folder of skills belongs to; "" when it stands by itself."""
    for agent in AGENTS:
        if path.endswith(f"/{agent}/skills"):
            return path.removesuffix(f"/{agent}/skills")
    return ""


def _root(path: str) -> str:
    """What the folder belongs to: never a thing that may itself be taken, such as the plugin that brings the skills."""
    plugins = path.find("/plugins/cache/")
    return _base(path) or (path[: plugins + len("/plugins")] if plugins >= 0 else os.path.dirname(path))


def _linked(place: Place, name: str, found: Found) -> None:
    """A link to a skill: told where the real folder is, unless that folder is one of these places and tells itself."""
    place.stamp(name)
    real = os.path.realpath(place.at(name))
    folder, _, own = real.rpartition("/")
    if _base(folder):
        return
    other = place.elsewhere(folder)
    if not other.is_file(f"{own}/{SKILL}"):
        return
    item = _skill(other, own)
    item.root, item.manager = _root(place.path), _agent(place)
    item.locator = Locator(DIR, real, also=[place.at(name)]) if folder.endswith("/skills") else NOWHERE
    item.note += f"; a link to {real}"
    found.add(item)


def _agent(place: Place) -> str:
    """The agent whose folder it is."""
    folder = place.path.removesuffix("/skills").rpartition("/")[2]
    return folder.removeprefix(".") or "skills"


def _locked(place: Place) -> dict[str, str]:
    """Skill → where the lock beside this folder, or that of its project, says that it came from."""
    told: dict[str, str] = {}
    base = _base(place.path)
    for folder, name in ((os.path.dirname(place.path), LOCKS[0]), (base, LOCKS[1])):
        document = place.elsewhere(folder).json(name) if folder else None
        for skill, entry in _entries(document):
            told.setdefault(skill, _source(entry))
    return told


def _entries(document: Json) -> Iterator[tuple[str, Mapping[str, Json]]]:
    skills = document.get("skills") if isinstance(document, dict) else None
    for name, entry in skills.items() if isinstance(skills, dict) else ():
        if isinstance(entry, dict):
            yield name, entry


def _source(entry: Mapping[str, Json]) -> str:
    """Where a skill came from, without what an address may carry."""
    source, kind = entry.get("source"), entry.get("sourceType")
    if not isinstance(source, str):
        return ""
    told = source if _SOURCE.fullmatch(source) else safe_url(source)
    return f"{kind}:{told}" if told and isinstance(kind, str) and kind.isalpha() else told


def _lock(place: Place, name: str, found: Found) -> None:
    """What a lock promises: told, and nothing that could be moved."""
    for skill, entry in _entries(place.json(name)):
        digest = entry.get("computedHash") or entry.get("skillFolderHash")
        ref = entry.get("ref")
        notes = [
            f"upstream hash {digest}" if isinstance(digest, str) and _HASH.fullmatch(digest) else "",
            f"ref {ref}" if isinstance(ref, str) and _SOURCE.fullmatch(ref) else "",
        ]
        item = Item(
            "agent-skill", skill, "", manager="skills", kind=LOCKED, observed=place.at(name), root=place.path,
            origin=_source(entry), note="; ".join(note for note in notes if note),
        )  # fmt: skip
        found.add(item)
