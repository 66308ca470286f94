"""Which of two versions is newer, by each ecosystem's own rule: only needed when a name is listed.

A key compares with other keys of its ecosystem; None means that the text is not a version there.
"""

from __future__ import annotations

from bk.engine.intel.dialects import of
from bk.engine.intel.versions import VERSION_MAX, canonical_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.dialects.dialect import Key


def key(ecosystem: str, version: str) -> Key | None:
    """Something that sorts as the ecosystem sorts this version."""
    if len(version) > VERSION_MAX:
        return None
    return of(ecosystem).key(canonical_version(ecosystem, version))


def understood(ecosystem: str, version: str) -> bool:
    """Whether a canonical version can be told apart from every other; what cannot is never a "no"."""
    return len(version) <= VERSION_MAX and of(ecosystem).understood(version)
