"""Lock files, read as their tools write them: thousands of entries in a few milliseconds. Pure.

A lock in a TOML dialect is read line by line, because a parser would take a second for a large one; what does not look
as the tool writes it goes to the parser after all, and what is too large for that is told as not understood.
"""

from __future__ import annotations

import json
import re

from bk.engine.lower.installs.line import elsewhere
from bk.engine.lower.installs.listing import MAX_TOML, Listing, loose_json, table, toml, word
from bk.engine.lower.installs.npm import spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.model import Json

MAX_DEPTH = 200
_HEAD = re.compile(r'[ \t]*\r?\nname = "([^"\\]*)"[ \t]*\r?\n(?:version = "([^"\\]*)"[ \t]*\r?\n)?(?:source = (.*))?')
_BLOCK = re.compile(r"\[\[packages?\]\]")
_SOURCE = re.compile(r"^source[ \t]*=[ \t]*(.*)$|^\[package\.source\][ \t]*\r?\n((?:(?!\[).*\n?)*)", re.MULTILINE)
_ODD = re.compile(r"'''|\"\"\"|^[ \t]*[\"']?package[\"']?[ \t]*=|^\[\[?[ \t]*[\"'\t ]|^[ \t]+\[\[", re.MULTILINE)
_YARN = re.compile(r"^([^\s#][^\n]*):[ \t]*\r?\n((?:[ \t]+[^\n]*(?:\n|\Z))+)", re.MULTILINE)
_YARN_VERSION = re.compile(r'^[ \t]+version:?[ \t]+"?([^"\s]+)"?', re.MULTILINE)
_YARN_PLACE = re.compile(r'^[ \t]+(?:resolved|resolution):?[ \t]+"?([^"\s]+)"?', re.MULTILINE)
_PNPM = re.compile(r"^  (?:'([^'\n]+)'|\"([^\"\n]+)\"|/?([^\s'\"#:][^\n]*?)):[ \t]*(?:\{\}[ \t]*)?\r?$", re.MULTILINE)
_GEM = re.compile(r"^    ([A-Za-z0-9][\w.-]*) \(([^)\n]+)\)", re.MULTILINE)


def npm(text: str, found: Listing) -> None:
    """package-lock.json and npm-shrinkwrap.json of versions 1 to 3."""
    document = _json(text, found)
    packages = document.get("packages")
    if isinstance(packages, dict):
        for path, entry in packages.items():
            if path and isinstance(entry, dict) and not entry.get("link"):
                _npm_entry(path.rpartition("node_modules/")[2] or path, entry, found)
    elif "packages" in document:
        found.problem("packages is no object")
    _npm_tree(document.get("dependencies"), found, 0)


def _npm_tree(entries: Json, found: Listing, depth: int) -> None:
    if not isinstance(entries, dict):
        return
    if depth > MAX_DEPTH:
        found.problem("it is nested too deeply")
        return
    for name, entry in entries.items():
        if isinstance(entry, dict):
            _npm_entry(name, entry, found)
            _npm_tree(entry.get("dependencies"), found, depth + 1)


def _npm_entry(name: str, entry: Json, found: Listing) -> None:
    version, resolved = word(entry.get("version")), word(entry.get("resolved"))
    if version[:1].isdigit() and "name" not in entry:  # nearly every entry: a registry's own address of this version
        base = name[name.find("/") + 1 :] if name[:1] == "@" else name
        if not resolved or (resolved[:4] == "http" and resolved.endswith(f"/{name}/-/{base}-{version}.tgz")):
            found.add("npm", name, version)
            return
    real = word(entry.get("name")) or name
    place = elsewhere(version)
    if version.startswith("npm:"):
        real, version, place = spec(version)
    if place:
        found.add("npm", real, "", place)
    else:
        found.add("npm", real, version, elsewhere(resolved) if _foreign(resolved) else "registry")
    if resolved.endswith(".tgz"):  # what is fetched counts, whatever it is called here
        fetched, its_version, _ = spec(resolved)
        if fetched and (fetched, its_version) != (real, version):
            found.add("npm", fetched, its_version)


def _foreign(resolved: str) -> bool:
    """Whether a place is no registry's own address of a package."""
    return bool(resolved) and elsewhere(resolved) in ("git", "url") and not spec(resolved)[0] and "/-/" not in resolved


def yarn(text: str, found: Listing) -> None:
    """yarn.lock, classic and modern."""
    count = 0
    for block in _YARN.finditer(text):
        key = block[1].strip('"').partition(",")[0].strip().strip('"')
        if key == "__metadata":
            continue
        count += 1
        version, place = _YARN_VERSION.search(block[2]), _YARN_PLACE.search(block[2])
        where = place[1] if place else ""
        name, asked, source = spec(key)  # an alias names what it stands for
        for mark in ("@npm:", "@patch:"):  # the modern form says so in its resolution
            if mark in where[1:] and "://" not in where:
                name, asked, source = where.rpartition("@npm:")[0] or where.partition(mark)[0], "", ""
                name = name.partition("@patch:")[0] if "@patch:" in name else name
                break
        local = source == "file" or "@workspace:" in key or "@link:" in key
        if local:
            continue
        foreign = _foreign(where) or source in ("git", "url")
        found.add(
            "npm", name, version[1] if version else asked, (source or elsewhere(where)) if foreign else "registry"
        )
        fetched, its_version, _ = spec(where) if where.startswith("http") else ("", "", "")
        if fetched and fetched != name:
            found.add("npm", fetched, its_version)
    if not count and text.strip() and "__metadata" not in text and "yarn lockfile" not in text:
        found.problem("it is not a yarn.lock")


def pnpm(text: str, found: Listing) -> None:
    """pnpm-lock.yaml, version 5 to 9: the keys of `packages` and `snapshots`."""
    if "lockfileVersion" not in text:
        found.problem("it is not a pnpm-lock.yaml")
    seen: set[tuple[str, str]] = set()
    for section in ("packages", "snapshots"):
        start = re.search(rf"^{section}:[ \t]*\r?\n", text, re.MULTILINE)
        if start is None:
            if re.search(
                rf"^[\"']?{section}[\"']?[ \t]*:[ \t]*[^\s{{]|^[\"']?{section}[\"']?[ \t]*:[ \t]*\{{[^}}]", text, re.M
            ):
                found.problem(f"{section} is written in another way")
            continue
        end = re.compile(r"^\S", re.MULTILINE).search(text, start.end())
        for key in _PNPM.finditer(text, start.end(), end.start() if end else len(text)):
            name, version, source = _pnpm_key((key[1] or key[2] or key[3]).lstrip("/"))
            if (name, version) not in seen:
                seen.add((name, version))
                found.add("npm", name, version, source)


def _pnpm_key(key: str) -> tuple[str, str, str]:
    key = key.partition("(")[0]
    scope, slash, rest = key.partition("/") if key[:1] == "@" else ("", "", key)
    if "@" in rest.partition("/")[0]:
        name, _, version = rest.partition("@")
    else:  # version 5: name/1.0.0_peers
        name, _, version = rest.partition("/")
        version = version.partition("_")[0]
    place = elsewhere(version)
    return f"{scope}{slash}{name}", "" if place else version, place or "registry"


def bun(text: str, found: Listing) -> None:
    """bun.lock: JSON with comments and trailing commas."""
    packages = _json(text, found).get("packages")
    if not isinstance(packages, dict):
        found.problem("it has no packages")
        return
    for entry in packages.values():
        if isinstance(entry, list) and entry and isinstance(entry[0], str):
            name, version, source = spec(entry[0])
            if source != "file":
                found.add("npm", name, version, source or "registry")


def deno(text: str, found: Listing) -> None:
    """deno.lock, version 2 to 5."""
    document = _json(text, found)
    inner = table(document, "packages") or document
    for ecosystem in ("npm", "jsr"):
        entries = table(inner, ecosystem)
        for key in table(entries, "packages") or entries:
            if "@" in key[1:]:
                name, version, _ = spec(key.partition("_")[0] if "_" in key.rpartition("@")[2] else key)
                found.add(ecosystem, name, version)
    for url in table(document, "remote"):
        found.add("deno", "", "", elsewhere(url) or "url")


def cargo(text: str, found: Listing) -> None:
    """Cargo.lock."""
    _toml_packages("cargo", text, found)


def python(text: str, found: Listing) -> None:
    """uv.lock, poetry.lock, pdm.lock and pylock.toml."""
    _toml_packages("pypi", text, found)


def _toml_packages(ecosystem: str, text: str, found: Listing) -> None:
    blocks = _BLOCK.split(text)[1:]
    made = []
    for block in blocks:
        head = _HEAD.match(block)
        if head is None:
            break
        place = head[3] or ""
        if not place and "source" in block:
            source = _SOURCE.search(block)
            place = (source[1] or source[2] or "") if source else ""
        made.append((head[1], head[2] or "", place))
    if len(made) == len(blocks) and _ODD.search(text) is None:
        for named, versioned, place in made:
            found.add(ecosystem, named, versioned, _toml_place(place))
        return
    if len(text) > MAX_TOML:
        found.problem("it is large and not written as its tool writes it")
        return
    document = toml(text, found)
    entries = document.get("package") or document.get("packages") or []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            place = json.dumps(entry.get("source"), default=str) if "source" in entry else ""
            found.add(ecosystem, word(entry.get("name")), word(entry.get("version")), _toml_place(place))


def _toml_place(text: str) -> str:
    """The kind of place in a lock's source: git, url, file, or a registry."""
    low = text.lower()
    if "registry" in low or not low.strip():
        return "registry"
    if "git" in low.partition("+")[0] or re.search(r"""["']?(?:type["']?\s*[=:]\s*["'])?git["']?\s*[=:+"']""", low):
        return "git"
    if re.search(r"""["']?(?:path|editable|virtual|directory|workspace|file)["']?""", low):
        return "file"
    return "url" if "url" in low else "registry"


def pipfile(text: str, found: Listing) -> None:
    """Pipfile.lock."""
    document = _json(text, found)
    for section, entries in document.items():
        if section == "_meta" or not isinstance(entries, dict):
            continue
        for name, entry in entries.items():
            if isinstance(entry, dict):
                source = next((kind for kind in ("git", "file", "path") if entry.get(kind)), "registry")
                version = word(entry.get("version")).removeprefix("===").removeprefix("==")
                found.add("pypi", name, version, "file" if source == "path" else "url" if source == "file" else source)


def gems(text: str, found: Listing) -> None:
    """Gemfile.lock: the sections GEM, GIT and PATH."""
    section = "registry"
    for block in re.split(r"(?m)^(?=[A-Z])", text):
        head = block.split("\n", 1)[0].strip()
        section = {"GIT": "git", "PATH": "file", "GEM": "registry"}.get(head, "")
        if section:
            for gem in _GEM.finditer(block):
                found.add(
                    "rubygems", gem[1], re.sub(r"-(?:x86|x64|arm|aarch|java|universal|mingw)\S*$", "", gem[2]), section
                )
    if "GEM" not in text and text.strip():
        found.problem("it is not a Gemfile.lock")


def composer(text: str, found: Listing) -> None:
    """composer.lock."""
    document = _json(text, found)
    for section in ("packages", "packages-dev"):
        entries = document.get(section)
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict):
                version = word(entry.get("version"))
                local = table(entry, "dist").get("type") == "path"
                found.add("packagist", word(entry.get("name")), version, "file" if local else "registry")


def nuget(text: str, found: Listing) -> None:
    """packages.lock.json."""
    for framework in table(_json(text, found), "dependencies").values():
        for name, entry in (framework if isinstance(framework, dict) else {}).items():
            if isinstance(entry, dict) and word(entry.get("type")).lower() != "project":
                found.add("nuget", name, word(entry.get("resolved")))


def go_sum(text: str, found: Listing) -> None:
    """go.sum: every module whose code may be built; those of which only go.mod was read are left out."""
    for line in text.split("\n"):
        parts = line.split()
        if len(parts) == 3 and not parts[1].endswith("/go.mod"):
            found.add("go", parts[0], parts[1])
        elif parts and len(parts) != 3:
            found.problem("a line is not a go.sum line")


def _json(text: str, found: Listing) -> dict[str, Json]:
    try:
        document = loose_json(text)
    except (ValueError, RecursionError) as error:
        found.problem(f"it is not valid JSON ({type(error).__name__})")
        return {}
    if not isinstance(document, dict):
        found.problem("it holds no object")
        return {}
    return document


READERS: dict[str, Callable[[str, Listing], None]] = {
    "package-lock.json": npm,
    "npm-shrinkwrap.json": npm,
    "yarn.lock": yarn,
    "pnpm-lock.yaml": pnpm,
    "bun.lock": bun,
    "deno.lock": deno,
    "cargo.lock": cargo,
    "uv.lock": python,
    "poetry.lock": python,
    "pdm.lock": python,
    "pylock.toml": python,
    "pipfile.lock": pipfile,
    "gemfile.lock": gems,
    "gems.locked": gems,
    "composer.lock": composer,
    "packages.lock.json": nuget,
    "go.sum": go_sum,
}
