"""One spelling for each version, by its ecosystem's own rule of equality.

Where an ecosystem says that `1.0` is `1.0.0`, canonical text has three numbers, so that people still recognise it.
What does not look like a version of its ecosystem is returned trimmed and otherwise untouched. An index holds what
these rules spelled, so `index.VERSION` is raised whenever one of them changes.
"""

from __future__ import annotations

from bk.engine.intel.dialects import of

VERSION_MAX = 256


def canonical_version(ecosystem: str, version: str) -> str:
    """The version as the index spells it; versions that are equal to their ecosystem become equal text."""
    version = version.strip()
    return (of(ecosystem).canonical(version) or version) if len(version) <= VERSION_MAX else version
