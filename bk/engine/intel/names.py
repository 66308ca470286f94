"""One spelling for each package name, by the rules of its own registry.

Unicode is never folded: look-alike letters are how typosquats are built, so only ASCII letters change case.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ECOSYSTEMS = (
    "npm", "pypi", "cargo", "go", "rubygems", "packagist", "nuget", "maven", "editor-extension",
    "mcp", "browser-extension", "homebrew", "agent-skill",
)  # fmt: skip
VERSIONLESS = frozenset(("mcp", "browser-extension", "homebrew", "agent-skill"))  # what is there may have no version
UNVERSIONED = "-"  # how a claim spells the version of what has none
NAME_MAX = 512
_LOWER = frozenset(("nuget", "packagist", "editor-extension", "conda", *VERSIONLESS))
_MARKS = " \"'<>\\`|;,"
_SEPARATORS = str.maketrans("_.", "--")


def canonical_name(ecosystem: str, name: str) -> str:
    """The name as the index spells it; names that are the same package to their registry become equal."""
    name = name.strip()
    if ecosystem == "pypi":
        name = lowered(name).translate(_SEPARATORS)
        while "--" in name:
            name = name.replace("--", "-")
        return name
    if ecosystem == "cargo":
        return lowered(name).replace("_", "-")
    if ecosystem in _LOWER:
        return lowered(name)
    if ecosystem == "go":
        return name.rstrip("/")
    return name


def lowered(text: str) -> str:
    """ASCII letters in lower case, everything else untouched."""
    return (
        text.lower() if text.isascii() else text.encode(errors="surrogatepass").lower().decode(errors="surrogatepass")
    )


def spellings(ecosystem: str, name: str) -> Iterator[str]:
    """The index keys under which a requested name may be listed, best first.

    npm keeps a few old names with capitals, so the exact name goes first; a Go package path may lie anywhere below
    its module's path.
    """
    canonical = canonical_name(ecosystem, name)
    yield canonical
    if ecosystem == "npm":
        if not canonical.islower() and lowered(canonical) != canonical:
            yield lowered(canonical)
    elif ecosystem == "go":
        path = canonical
        while path.count("/") > 1:
            path = path.rsplit("/", 1)[0]
            yield path


def possible(ecosystem: str, name: str) -> bool:
    """Whether such a name can exist in its registry: an entry that can never match protects nobody, silently."""
    if not name or len(name) > NAME_MAX or not name.isprintable():
        return False
    if ecosystem in VERSIONLESS:
        return _possible_versionless(ecosystem, name)
    if any(mark in name for mark in _MARKS):
        return False
    if ecosystem == "npm":
        scope, slash, rest = name.partition("/")
        if name[0] == "@":
            return bool(slash and len(scope) > 1 and rest) and "@" not in name[1:] and "/" not in rest
        return not slash and "@" not in name and name[0] not in "._"
    if ecosystem == "packagist":
        return name.count("/") == 1 and not name.startswith("/") and not name.endswith("/")
    if ecosystem == "maven":
        return name.count(":") == 1 and not name.startswith(":") and not name.endswith(":")
    if ecosystem == "editor-extension":
        publisher, dot, rest = name.partition(".")
        return bool(publisher and dot and rest) and "/" not in name and "@" not in name
    if ecosystem == "go":
        return "@" not in name and not name.startswith(("/", ".", "-"))
    return "/" not in name and "@" not in name and name[0] not in ".-"


def _possible_versionless(ecosystem: str, name: str) -> bool:
    """Servers and skills are named by whoever writes their settings; extensions and formulas by their stores."""
    inner = name.replace(" ", "") if ecosystem in ("mcp", "agent-skill") and name == name.strip() else name
    if not inner or "  " in name or any(mark in inner for mark in _MARKS) or "@@" in name:
        return False
    if ecosystem == "browser-extension":
        return "/" not in name and name[0] not in ".-@"
    parts = name.split("/")
    if name[0] in ".-" or not all(parts) or ".." in parts:
        return False
    return ecosystem != "homebrew" or (len(parts) <= 3 and name[0] != "@")
