"""Which package a thing is about, as one line of text that can be read back: a package URL.

Ecosystems that have no package URL type of their own go under `generic`, with the ecosystem as namespace.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from bk.engine.intel.names import canonical_name
from bk.engine.intel.purls import ECOSYSTEMS, TYPES
from bk.engine.intel.versions import canonical_version

GENERIC = "generic"
_SAFE = ".-_~"


def purl(ecosystem: str, name: str, version: str = "") -> str:
    """The package in the index's own spelling; "" when there is no name. Without a version it means no certain one."""
    name = canonical_name(ecosystem, name) if ecosystem and name else ""
    if not name:
        return ""
    kind = TYPES.get(ecosystem)
    path = name.replace(":", "/", 1) if ecosystem == "maven" else name
    parts = [quote(part, safe=_SAFE) for part in path.split("/")]
    if kind is None:
        kind, parts = GENERIC, [quote(ecosystem, safe=_SAFE), *parts]
    tail = f"@{quote(canonical_version(ecosystem, version), safe=_SAFE)}" if version else ""
    return f"pkg:{kind}/{'/'.join(parts)}{tail}"


def package(text: str) -> tuple[str, str, str]:
    """Ecosystem, canonical name and version (or "") of such a line; three empty texts for any other."""
    kind, slash, rest = text.removeprefix("pkg:").partition("/")
    path, _, version = rest.partition("@")
    parts = [unquote(part) for part in path.split("/")]
    if not text.startswith("pkg:") or not slash or not path:
        return "", "", ""
    if kind == GENERIC:
        ecosystem, parts = parts[0], parts[1:]
    else:
        ecosystem = ECOSYSTEMS.get(kind, "")
    if not ecosystem or not any(parts):
        return "", "", ""
    name = ":".join(parts) if ecosystem == "maven" else "/".join(parts)
    return ecosystem, name, unquote(version)
