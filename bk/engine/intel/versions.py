"""One spelling for each version, by its ecosystem's own rule of equality: written by hand because the hot path pays.

Where an ecosystem says that `1.0` is `1.0.0`, canonical text has three numbers, so that people still recognise it.
What does not look like a version of its ecosystem is returned trimmed and otherwise untouched.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

VERSION_MAX = 256
_PEP440 = re.compile(
    r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)"
    r"(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?"
    r"(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?"
    r"(?:[-_.]?(dev)[-_.]?(\d*))?"
    r"(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.ASCII,
)
_PRE = {"alpha": "a", "a": "a", "beta": "b", "b": "b", "preview": "rc", "pre": "rc", "c": "rc", "rc": "rc"}
_NUMBERS = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
_COMPOSER = re.compile(
    r"(\d+(?:\.\d+){0,3})(?:[._-]?(stable|beta|b|rc|alpha|a|patch|pl|p)?(\d*(?:[.-]\d+)*))?([.-]?dev)?", re.ASCII
)
_STABILITY = {"b": "beta", "a": "alpha", "p": "patch", "pl": "patch", "stable": "", "": ""}
_PLATFORM = re.compile(
    r"-(?:x86|x64|i[3-6]86|amd64|arm|aarch64|powerpc|ppc|s390|sparc|java|jruby|universal|mswin|mingw|linux|darwin"
    r"|win32|alpine|web)(?:[-_a-z0-9]*)$",
    re.ASCII,
)


def canonical_version(ecosystem: str, version: str) -> str:
    """The version as the index spells it; versions that are equal to their ecosystem become equal text."""
    rule = _RULES.get(ecosystem)
    version = version.strip()
    return rule(version) if rule is not None and len(version) <= VERSION_MAX else version


def _padded(numbers: str) -> str:
    """Numbers without leading zeros, without trailing zero parts beyond three, and with at least three."""
    parts = [part.lstrip("0") or "0" for part in numbers.split(".")]
    while len(parts) > 3 and parts[-1] == "0":
        parts.pop()
    while len(parts) < 3:
        parts.append("0")
    return ".".join(parts)


def _semver(version: str) -> str:
    """Prefix `v` or `=` and build metadata do not tell two versions apart."""
    if version[:1] in ("v", "=", "V"):
        version = version.lstrip("v=V \t")
    return version.partition("+")[0]


def _pep440(version: str) -> str:
    found = _PEP440.fullmatch(version.lower())
    if found is None:
        return version
    epoch, release, pre, pre_n, post_dash, post, post_n, dev, dev_n, local = found.groups()
    text = f"{int(epoch)}!" if epoch and int(epoch) else ""
    text += _padded(release)
    if pre:
        text += f"{_PRE[pre]}{int(pre_n or 0)}"
    if post_dash or post:
        text += f".post{int(post_dash or post_n or 0)}"
    if dev:
        text += f".dev{int(dev_n or 0)}"
    if local:
        text += "+" + ".".join(str(int(p)) if p.isdigit() else p for p in re.split(r"[-_.]", local))
    return text


def _go(version: str) -> str:
    version = version.removesuffix("+incompatible")
    return "v" + version if version[:1].isdigit() else version


def _gem(version: str) -> str:
    version = _PLATFORM.sub("", version)
    found = _NUMBERS.match(version)
    if found is None:
        return version
    return _padded(found.group()) + version[found.end() :].replace("-", ".pre.")


def _composer(version: str) -> str:
    text = version.lower().partition("+")[0]
    found = _COMPOSER.fullmatch(text[1:] if text[:1] == "v" else text)
    if found is None:
        return version
    numbers, stability, counted, dev = found.groups()
    if counted and not stability:
        return version
    word = _STABILITY.get(stability or "", stability or "")
    suffix = f"-{word}{counted.strip('.-') if counted else ''}" if word else ""
    return _padded(numbers) + suffix + ("-dev" if dev else "")


def _nuget(version: str) -> str:
    version = version.partition("+")[0].lower()
    numbers, dash, rest = version.partition("-")
    return _padded(numbers) + dash + rest if _NUMBERS.fullmatch(numbers) else version


def _maven(version: str) -> str:
    text = version.lower()
    found = _NUMBERS.match(text)
    if found is None:
        return text
    rest = text[found.end() :]
    for null in ("-ga", "-final", "-release", ".ga", ".final", ".release"):
        rest = rest.removesuffix(null)
    return _padded(found.group()) + rest


def _extension(version: str) -> str:
    return _PLATFORM.sub("", version.lstrip("v=").partition("@")[0].lower())


_RULES: dict[str, Callable[[str], str]] = {
    "npm": _semver,
    "cargo": _semver,
    "pypi": _pep440,
    "go": _go,
    "rubygems": _gem,
    "packagist": _composer,
    "nuget": _nuget,
    "maven": _maven,
    "editor-extension": _extension,
}
