"""Package URLs: how services name a package version, whatever its ecosystem."""

from __future__ import annotations

from urllib.parse import quote

TYPES = {
    "npm": "npm",
    "pypi": "pypi",
    "cargo": "cargo",
    "go": "golang",
    "rubygems": "gem",
    "packagist": "composer",
    "nuget": "nuget",
    "maven": "maven",
}
ECOSYSTEMS = {kind: ecosystem for ecosystem, kind in TYPES.items()}


def purl_of(ecosystem: str, name: str, version: str) -> str:
    """The package URL of one version; "" where the ecosystem has none."""
    kind = TYPES.get(ecosystem)
    if kind is None or not name or not version:
        return ""
    path = name.replace(":", "/", 1) if ecosystem == "maven" else name
    parts = [quote(part, safe=".-_~") for part in path.split("/")]
    return f"pkg:{kind}/{'/'.join(parts)}@{quote(version, safe='.-_~')}"


def name_of(kind: str, namespace: str, name: str) -> tuple[str, str]:
    """Our ecosystem and name for a package URL's parts; two empty strings for a type that has no index."""
    ecosystem = ECOSYSTEMS.get(kind, "")
    if not ecosystem:
        return "", ""
    return ecosystem, f"{namespace}{':' if ecosystem == 'maven' else '/'}{name}" if namespace else name
