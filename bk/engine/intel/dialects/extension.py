"""Editor extensions: plain numbers; the platform an extension is built for is no part of its version."""

from __future__ import annotations

import re

from bk.engine.intel.dialects.dialect import Dialect, padded
from bk.engine.intel.dialects.semantic import PLAIN, key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key

_PLATFORM = re.compile(
    r"[-@](?:(?:win32|linux|alpine|darwin)-(?:x64|ia32|arm64|armhf)|web|universal|undefined)$", re.ASCII
)
_NUMBERS = re.compile(r"\d+(?:\.\d+){0,3}", re.ASCII)


class Extension(Dialect):
    """The rules of the two marketplaces."""

    __slots__ = ()

    def canonical(self, version: str) -> str:
        """At least three numbers, in small letters, for no platform."""
        if PLAIN.fullmatch(version) is not None:
            return version
        text = _PLATFORM.sub("", version.lstrip("vV= \t").lower()).partition("+")[0]
        numbers, dash, pre = text.partition("-")
        return padded(numbers) + dash + pre if _NUMBERS.fullmatch(numbers) is not None else text

    def key(self, version: str) -> Key | None:
        """Numeric order."""
        return key(version)

    def one(self, text: str) -> str:
        """Whatever has numbers is one version; `prerelease` is a channel."""
        version = self.canonical(text)
        return version if key(version) is not None else ""


DIALECT = Extension()
