"""Manifests that people write: requirement files, project files and their likes. Pure."""

from __future__ import annotations

import json
import re

from bk.engine.lower.installs.line import elsewhere
from bk.engine.lower.installs.listing import Listing, loose_json, table, texts, toml, word
from bk.engine.lower.installs.npm import spec
from bk.engine.lower.installs.python import requirement, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bk.engine.model import Json

MAX_LINES = 20_000
MAX_LINE = 8_192
_OPTION = re.compile(r"(--?[A-Za-z][A-Za-z-]*)(?:[ =]\s*|\s+)?(.*)", re.DOTALL)
_OPTION_TAIL = re.compile(r"\s--[a-z-]+(?:[ =].*)?$")
_GEM = re.compile(r"""^[ \t]*gem[ \t]*\(?\s*["']([^"']+)["']([^\n#]*)""", re.MULTILINE)
_REFERENCE = re.compile(
    r"""<(?:PackageReference|PackageVersion|GlobalPackageReference|DotNetCliToolReference|package)\b([^<>]{0,1000})>"""
    r"""(?:\s{0,200}<Version>([^<]{0,200})</Version>)?""",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")
NPM_TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def requirements(text: str, found: Listing) -> None:
    """A pip requirements or constraints file."""
    lines = re.sub(r"\\\r?\n", " ", text).split("\n")
    if len(lines) > MAX_LINES or "\0" in text:
        found.problem("it is too long or not text")
        lines = lines[:MAX_LINES]
    for raw in lines:
        if len(raw) > MAX_LINE:
            found.problem("a line is too long")
            continue
        line = re.sub(r"(?:^|\s)#.*$", "", raw.strip("\r")).strip()
        if not line:
            continue
        if line[0] == "-":
            _requirement_option(line, found)
            continue
        previous = ""
        while previous != line:
            previous, line = line, _OPTION_TAIL.sub("", line)
        _requirement(line, found)


def _requirement_option(line: str, found: Listing) -> None:
    match = _OPTION.fullmatch(line)
    flag, value = (match[1], match[2].strip().strip("\"'")) if match else (line, "")
    if flag not in _FLAGS and flag[:2] in ("-r", "-c", "-e", "-i", "-f") and flag[1] != "-":
        flag, value = flag[:2], f"{flag[2:]}{line[len(flag) :]}".strip()
    if flag in ("-r", "--requirement", "-c", "--constraint"):
        found.more.append(value)
    elif flag in ("-e", "--editable"):
        _requirement(value, found, editable=True)
    elif flag in ("-i", "--index-url", "--extra-index-url", "-f", "--find-links"):
        found.indexes.append(value)


_FLAGS = frozenset(
    ("-r", "--requirement", "-c", "--constraint", "-e", "--editable", "-i", "--index-url", "--extra-index-url", "-f",
     "--find-links", "--no-index", "--pre", "--no-binary", "--only-binary", "--prefer-binary", "--require-hashes",
     "--trusted-host", "--use-feature")
)  # fmt: skip


def _requirement(text: str, found: Listing, *, editable: bool = False) -> None:
    for made in requirement("pip", text, editable=editable):
        found.add("pypi", made.name, made.version, made.source)


def pyproject(text: str, found: Listing) -> None:
    """pyproject.toml: the standard tables, build requirements, dependency groups, and poetry's, uv's and pdm's."""
    document = toml(text, found)
    project = table(document, "project")
    each: list[Json] = [project.get("dependencies"), table(document, "build-system").get("requires")]
    each += [*table(project, "optional-dependencies").values(), *table(document, "dependency-groups").values()]
    each += [*table(document, "tool", "pdm", "dev-dependencies").values()]
    each += [table(document, "tool", "uv").get(key) for key in ("dev-dependencies", "constraint-dependencies")]
    for entries in each:
        for text_of_one in texts(entries):
            _requirement(text_of_one, found)
    for name, source in table(document, "tool", "uv", "sources").items():
        kind = next((kind for kind in ("git", "url", "path") if isinstance(source, dict) and source.get(kind)), "")
        if kind:
            found.add("pypi", name, "", "file" if kind == "path" else kind)
    poetry = table(document, "tool", "poetry")
    tables = [table(poetry, "dependencies"), table(poetry, "dev-dependencies")]
    tables += [table(group, "dependencies") for group in table(poetry, "group").values()]
    for entries in tables:
        _poetry(entries, found)
    for tool in ("uv", "poetry", "pdm"):
        for key in ("index", "source"):
            listed = table(document, "tool", tool).get(key)
            for index in listed if isinstance(listed, list) else []:
                found.indexes.append(word(table(index).get("url")))


def _poetry(entries: Json, found: Listing) -> None:
    for name, entry in entries.items():
        if name.lower() == "python":
            continue
        if isinstance(entry, dict):
            place = next((kind for kind in ("git", "url", "path") if entry.get(kind)), "")
            found.add("pypi", name, word(entry.get("version")), {"": "registry", "path": "file"}.get(place, place))
        else:
            version = word(entry)
            found.add("pypi", name, "" if version == "*" else version)


def pipfile(text: str, found: Listing) -> None:
    """Pipfile: every table but its own settings lists packages."""
    document = toml(text, found)
    for section, entries in document.items():
        if isinstance(entries, dict) and section not in ("requires", "scripts", "pipenv"):
            _poetry({name: _unpinned(entry) for name, entry in entries.items()}, found)
    sources = document.get("source")
    for index in sources if isinstance(sources, list) else []:
        found.indexes.append(word(table(index).get("url")))


def _unpinned(entry: Json) -> Json:
    return version_of(entry) if isinstance(entry, str) else entry


def package(text: str, found: Listing) -> None:
    """package.json, and deno.json's imports."""
    try:
        document = loose_json(text)
    except (ValueError, RecursionError) as error:
        found.problem(f"it is not valid JSON ({type(error).__name__})")
        return
    for key in NPM_TABLES:
        for name, version in table(document, key).items():
            _npm(name, word(version), found)
    for target in table(document, "imports").values():
        if word(target).startswith(("npm:", "jsr:")):
            name, version, _ = spec(word(target))
            found.add(word(target)[:3], name, version)
        elif elsewhere(word(target)) == "url":
            found.add("deno", "", "", "url")


def _npm(name: str, version: str, found: Listing) -> None:
    if version.startswith(("workspace:", "link:", "portal:", "catalog:", "file:")):
        return
    if version.startswith("npm:"):
        name, version, _ = spec(f"{name}@{version}")
        found.add("npm", name, version)
        return
    place = elsewhere(version)
    if not place and "/" in version and " " not in version:
        place = "git"  # owner/repository
    found.add("npm", name, "" if place else version, place or "registry")


def cargo(text: str, found: Listing) -> None:
    """Cargo.toml."""
    document = toml(text, found)
    holders = [document, table(document, "workspace"), *table(document, "target").values()]
    for holder in holders:
        for key in ("dependencies", "dev-dependencies", "build-dependencies"):
            for name, entry in table(holder, key).items():
                if isinstance(entry, dict):
                    place = "git" if entry.get("git") else "file" if entry.get("path") else "registry"
                    found.add("cargo", word(entry.get("package")) or name, _caret(word(entry.get("version"))), place)
                else:
                    found.add("cargo", name, _caret(word(entry)))


def _caret(version: str) -> str:
    """A bare requirement of Cargo's is a caret; said here, because elsewhere a bare version is one version."""
    return f"^{version}" if version[:1].isdigit() and "*" not in version else version


def go_mod(text: str, found: Listing) -> None:
    """go.mod: what it requires, and what it puts in another's place."""
    required: dict[str, str] = {}
    replaced: dict[str, tuple[str, str]] = {}
    for line in text.split("\n"):
        words = line.partition("//")[0].split()
        words = words[words[:1] in (["require"], ["replace"]) :]
        if "=>" in words:
            at = words.index("=>")
            target = [*words[at + 1 : at + 3], "", ""]
            replaced["".join(words[:1])] = (target[0], target[1])
        elif len(words) == 2 and words[1][:1] == "v" and "." in words[0]:
            required[words[0]] = words[1]
    for name, version in required.items():
        if name not in replaced:
            found.add("go", name, version)
    for name, version in replaced.values():
        if name[:1] not in "./":
            found.add("go", name, version)


def gemfile(text: str, found: Listing) -> None:
    """Gemfile, as far as it lists gems plainly."""
    for match in _GEM.finditer(text):
        place = "git" if re.search(r"\b(?:git|github|gist|bitbucket)(?::|\s*=>)", match[2]) else "registry"
        place = "file" if re.search(r"\bpath(?::|\s*=>)", match[2]) else place
        versions = [one for one in re.findall(r"""["']([^"']+)["']""", match[2]) if re.match(r"[\s=<>~!]*\d", one)]
        found.add("rubygems", match[1], ", ".join(versions).removeprefix("= "), place)


def composer(text: str, found: Listing) -> None:
    """composer.json."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        found.problem(f"it is not valid JSON ({type(error).__name__})")
        return
    for key in ("require", "require-dev"):
        for name, version in table(document, key).items():
            if "/" in name:
                found.add("packagist", name, word(version))


def project(text: str, found: Listing) -> None:
    """*.csproj and its like, Directory.Packages.props and packages.config."""
    for match in _REFERENCE.finditer(text):
        given = {key.lower(): value for key, value in _ATTRIBUTE.findall(match[1])}
        name = given.get("include") or given.get("update") or given.get("id") or ""
        found.add("nuget", name, (given.get("version") or match[2] or "").strip())


def conda(text: str, found: Listing) -> None:
    """environment.yml: the list under `dependencies`, and pip's inside it."""
    inside, pip_at = False, -1
    for raw in text.split("\n"):
        line = re.sub(r"(?:^|\s)#.*$", "", raw[:MAX_LINE]).rstrip()
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        if indent == 0 and line[0] != "-":
            inside, pip_at = line.partition(":")[0].strip("\"' ") == "dependencies", -1
            if inside and line.partition(":")[2].strip():
                found.problem("dependencies is written on one line")
            continue
        item = line.strip()
        if not inside or item[:1] != "-":
            continue
        item = item[1:].strip().strip("\"'")
        if item.rstrip(":") == "pip" and item.endswith(":"):
            pip_at = indent
        elif pip_at >= 0 and indent > pip_at:
            requirements(item, found)
        else:
            pip_at = -1
            match = re.match(r"(?:[^:\s]+::)?([A-Za-z0-9_.-]+)\s*(?:=(?!=)([^=\s]+)|([<>=!~].*))?", item)
            if match:
                found.add("conda", match[1], match[2] or version_of(match[3] or ""))


READERS: dict[str, Callable[[str, Listing], None]] = {
    "pyproject.toml": pyproject,
    "pipfile": pipfile,
    "package.json": package,
    "deno.json": package,
    "deno.jsonc": package,
    "cargo.toml": cargo,
    "go.mod": go_mod,
    "gemfile": gemfile,
    "gems.rb": gemfile,
    "composer.json": composer,
    "packages.config": project,
    "directory.packages.props": project,
    "environment.yml": conda,
    "environment.yaml": conda,
}


def by_ending(name: str) -> Callable[[str, Listing], None] | None:
    """The reader for a name that only its ending tells."""
    if name.endswith((".csproj", ".fsproj", ".vbproj", ".props", ".targets")):
        return project
    if name.endswith((".yml", ".yaml")):
        return conda
    if name.endswith(".toml"):
        return pyproject
    return None
