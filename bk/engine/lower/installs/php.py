"""Composer: `vendor/package`, with a constraint after a colon, an equals sign or a blank."""

from __future__ import annotations

import re

from bk.engine.lower.installs.line import install, options, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Install

TAKES = options(
    "-d --working-dir --ignore-platform-req --prefer-install --repository --repository-url -s --stability"
    " --apcu-autoloader-prefix --format"
)
REQUIRE = options("require req r update u upgrade reinstall")
_PACKAGE = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9_.-]*)/[A-Za-z0-9][A-Za-z0-9_.-]*)(?:[:=\s]\s*(.*))?", re.ASCII)


def read(_program: str, words: Sequence[str]) -> list[Install]:
    """What one composer command fetches."""
    line = split(words, TAKES, until=1)
    if line.words[:1] == ["global"]:
        line = split(line.rest, TAKES, until=1)
    verb = line.words[0] if line.words else ""
    given = split(line.rest, TAKES)
    if verb in REQUIRE:
        return [made for word in [*given.words, *given.rest] for made in _package(word)]
    if verb == "create-project":
        return _package(given.words[0], given.words[2] if len(given.words) > 2 else "") if given.words else []
    return []


def _package(word: str, version: str = "") -> list[Install]:
    """Platform packages such as `ext-curl` have no vendor and come from nowhere."""
    found = _PACKAGE.fullmatch(str(word))
    if found is None:
        return [install("packagist", "composer", word, str(word))] if type(word) is not str else []
    return [install("packagist", "composer", word, found[1], (found[2] or version).strip())]
