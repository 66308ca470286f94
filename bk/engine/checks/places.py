"""Which sensitive locations a path falls on, or may fall on when part of it is a glob or unknown."""

from __future__ import annotations

import re

from bk.engine.checks.locations import (
    BACKUPS,
    BY_NAME,
    DEVICE,
    ENV_MAYBE,
    ENV_VARIANT,
    LOCATIONS,
    PROCESS_ENVIRONMENT,
    PUBLIC,
    RAW_DEVICES,
    SUFFIXES,
    TEMPLATE_SUFFIXES,
    TEMPLATES,
    Location,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WILD = re.compile(r"[*?\[]")
_NAMES = "\n".join(BY_NAME)
_TOPS = frozenset(place.parts[0] for place in LOCATIONS if place.anchor == "root")
_glob_cache: dict[str, tuple[str, ...]] = {}
_CACHE_MAX = 512
MAX_GLOB = 256
MAX_PARTS = 64


class Hit:
    """A location that a path names. `inside`: below it; `sure`: nothing about the match is a guess."""

    __slots__ = ("inside", "place", "sure")

    def __init__(self, place: Location, *, inside: bool = False, sure: bool = True) -> None:
        self.place = place
        self.inside = inside
        self.sure = sure


def split(path: str) -> list[str]:
    """The components of an absolute path in lower case; the last one as the file system would store it."""
    parts = path.lower().split("/")[1:]
    last = parts[-1]
    if ":" in last or last[-1:] in (".", " "):
        cut = last.split(":", 1)[0].rstrip(". ")
        parts[-1] = cut or last
    if len(parts) > 3 and parts[0] == "proc" and parts[2] == "root":
        return parts[3:]
    return parts


def home_depth(parts: Sequence[str], home: Sequence[str]) -> int:
    """How many components lead to a home directory; 0 when the path is in none."""
    size = len(home)
    if size and parts[:size] == home:
        return size
    first = parts[0]
    if first in ("home", "users"):
        return 2
    if first == "root":
        return 1
    if len(parts) > 2 and parts[1] == "users" and first[-1:] == ":":
        return 3
    if len(parts) > 3 and first == "mnt" and parts[2] == "users":
        return 4
    return 0


def exempt(name: str) -> bool:
    """Names that look sensitive and are not: templates, public keys."""
    return name in TEMPLATES or name in PUBLIC or name.endswith((".pub", *TEMPLATE_SUFFIXES))


def hits(parts: Sequence[str], home: Sequence[str], *, glob: bool) -> Iterator[Hit]:
    """Every location that these components name."""
    last = len(parts) - 1
    base = parts[last]
    if glob and any(WILD.search(part) for part in parts):
        yield from _glob_hits(parts[:MAX_PARTS], home)
        return
    for index, part in enumerate(parts):
        for place in BY_NAME.get(part, ()):
            if (index == last or place.tree) and _anchored(place, parts, index, home):
                yield Hit(place, inside=index < last)
    yield from _by_shape(parts, base)


def _by_shape(parts: Sequence[str], base: str) -> Iterator[Hit]:
    """Places known by the form of a name."""
    if base.startswith(".env.") and base not in TEMPLATES:
        maybe = base.startswith(tuple(f"{name}." for name in TEMPLATES))
        yield Hit(ENV_MAYBE if maybe else ENV_VARIANT)
        return
    stem, dot, suffix = base.rpartition(".")
    if dot:
        if stem and suffix in SUFFIXES:
            yield Hit(SUFFIXES[suffix])
        elif suffix in BACKUPS:
            yield from (Hit(place) for place in BY_NAME.get(stem, ()) if place.distinct)
    elif base.endswith("~"):
        yield from (Hit(place) for place in BY_NAME.get(base[:-1], ()) if place.distinct)
    first = parts[0]
    if first == "proc" and len(parts) > 2 and base in ("environ", "mem"):
        yield Hit(PROCESS_ENVIRONMENT)
    elif first == "dev" and len(parts) > 1 and parts[1].startswith(RAW_DEVICES):
        yield Hit(DEVICE)


def _anchored(place: Location, parts: Sequence[str], index: int, home: Sequence[str]) -> bool:
    """Whether the components before the last part fit, and start where the place must start."""
    wanted = place.parts
    start = index - len(wanted) + 1
    if start < 0:
        return False
    if len(wanted) > 1 and tuple(parts[start : index + 1]) != wanted:
        return False
    if place.anchor == "any":
        return True
    if place.anchor == "root":
        return start == 0
    return start == home_depth(parts, home) and start > 0


def _glob_hits(parts: Sequence[str], home: Sequence[str]) -> Iterator[Hit]:
    """Components with wildcards against the names of places.

    A wildcard counts only with evidence: enough of the name is written out, or the place's whole directory is. That
    `$file` might be anything is true of every program and says nothing.
    """
    last = len(parts) - 1
    if exempt(parts[last].replace("*", "x")) or parts[last].endswith(".pub"):
        return
    for index, part in enumerate(parts):
        if part == "**" or (not part.strip("*?") and parts[0] not in _TOPS):
            continue
        names: Sequence[str] = _matching(part) if WILD.search(part) else (part,) if part in BY_NAME else ()
        for name in names:
            for place in BY_NAME[name]:
                if index < last and not place.tree:
                    continue
                found = _fits(place, parts, index, home)
                if found:
                    yield Hit(place, inside=index < last, sure=found == 2 and _telling(part, name))
    base = parts[last]
    if not WILD.search(base):
        yield from _by_shape(parts, base)
    elif base.startswith(".env.") or (base.startswith(".env") and WILD.match(base[4:5])):
        yield Hit(ENV_VARIANT)


def _fits(place: Location, parts: Sequence[str], index: int, home: Sequence[str]) -> int:
    """0: cannot be it; 1: could be; 2: everything before the last part is spelled out or does not matter."""
    wanted = place.parts
    at = index
    strength = 2
    for part in reversed(wanted[:-1]):
        at -= 1
        if at < 0:
            return 0
        have = parts[at]
        if have == part:
            continue
        if have == "**":
            if not place.distinct:
                return 0
            return 2
        if not WILD.search(have) or part not in _matching(have):
            return 0
        strength = 1 if not _telling(have, part) else strength
    if place.anchor == "any":
        have = parts[index]
        if WILD.search(have) and not _telling(have, wanted[-1]) and list(parts[:at]) != list(home):
            return 1 if have[0] == "." else 0
        return strength
    if place.anchor == "root":
        return strength if at == 0 else 0
    before = parts[:at]
    if "**" in before:
        return strength
    if list(before) == list(home):
        return 2
    return strength if at == home_depth(parts, home) and at > 0 else 0


def _telling(glob: str, name: str) -> bool:
    """Whether a glob spells out enough of a name to mean it."""
    letters = sum(char not in "*?[]!" for char in glob)
    return letters >= 2 and letters * 2 >= len(name)


def _matching(glob: str) -> tuple[str, ...]:
    """The names of places that a component glob matches, as a shell would match it."""
    known = _glob_cache.get(glob)
    if known is None:
        if len(glob) > MAX_GLOB:
            return ()
        known = tuple(re.findall(f"^{component(glob)}$", _NAMES, re.MULTILINE))
        if len(_glob_cache) < _CACHE_MAX:
            _glob_cache[glob] = known
    return known


def component(glob: str) -> str:
    """A component glob as a regular expression: a leading dot is matched by a dot only, `**` by anything."""
    out: list[str] = []
    index = 0
    if glob[:1] in ("*", "?", "[") and glob[:2] != "**":
        out.append(r"(?!\.)")
    while index < len(glob):
        char = glob[index]
        index += 1
        if char == "*":
            while glob[index : index + 1] == "*":
                index += 1
            if not out or out[-1] != r"[^\n/]*":
                out.append(r"[^\n/]*")
        elif char == "?":
            out.append(r"[^\n/]")
        elif char == "[" and (end := glob.find("]", index + 1)) > 0:
            inside = glob[index:end].replace("\\", "").replace("[", "").replace("^", "")
            negated = inside.startswith("!") or glob[index] == "^"
            inside = inside.removeprefix("!")
            good = inside and not any(
                a > b for a, dash, b in zip(inside, inside[1:], inside[2:], strict=False) if dash == "-"
            )
            out.append(f"[{'^' if negated else ''}{re.escape(inside).replace(chr(92) + '-', '-')}]" if good else ".")
            index = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)


def _ancestors() -> dict[str, dict[tuple[str, ...], Location]]:
    """For each anchor, the directories above its places, each with the most telling place below it."""
    above: dict[str, dict[tuple[str, ...], Location]] = {"home": {}, "root": {}}
    for place in LOCATIONS:
        if place.kind.name not in ("secret-store", "credential-file", "persistence", "system-secret", "system"):
            continue
        anchor = "home" if place.anchor == "any" else place.anchor
        for size in range(len(place.parts)):
            above[anchor].setdefault(place.parts[:size], place)
    return above


ABOVE = _ancestors()


def below(parts: Sequence[str], home: Sequence[str]) -> Location | None:
    """A place that lies under this directory, for operations on whole trees. Projects hold none."""
    if parts == [""]:
        return ABOVE["home"][()]
    if list(home[: len(parts)]) == list(parts) or (len(parts) == 1 and parts[0] in ("home", "users", "root")):
        return ABOVE["home"][()]
    depth = home_depth(parts, home)
    if depth and len(parts) >= depth:
        found = ABOVE["home"].get(tuple(parts[depth:]))
        if found is not None and (len(parts) > depth or list(parts[:depth]) == list(home) or parts[0] != "users"):
            return found
    return ABOVE["root"].get(tuple(parts))
