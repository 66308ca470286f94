"""Globs for words and for paths, matched without compiling anything: a cold call cannot afford a regex per rule."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TEXT = 4096
MAX_OVERLAP = 256
_WILD = "*?["


def wild(glob: str) -> bool:
    """Whether there is a wildcard in it."""
    return "*" in glob or "?" in glob or "[" in glob


def matches(glob: str, text: str) -> bool:
    """Whether a word matches: `*` any text, `?` one character, `[…]` one of these (`[!…]`: none of these)."""
    if "?" not in glob and "[" not in glob:
        head, star, tail = glob.partition("*")
        if not star:
            return glob == text
        if not text.startswith(head):
            return False
        if "*" not in tail:
            return text.endswith(tail) and len(text) >= len(head) + len(tail)
        return _pieces(head, tail, text)
    if len(text) > MAX_TEXT:
        text = text[: MAX_TEXT // 2] + text[-MAX_TEXT // 2 :]
    return _general(glob, text)


def _pieces(head: str, tail: str, text: str) -> bool:
    """Literal pieces between stars, each found as early as it can be."""
    *middle, last = tail.split("*")
    at = len(head)
    for piece in middle:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(last) and text.endswith(last)


def any_matches(globs: Sequence[str], text: str) -> bool:
    """Whether one of the globs matches."""
    if text in globs:
        return True
    for glob in globs:  # noqa: SIM110 - a generator costs three times as much, and this runs for every word
        if wild(glob) and matches(glob, text):
            return True
    return False


def _general(glob: str, text: str) -> bool:
    """The usual walk with one place to come back to: the last `*` may always take one character more."""
    at = index = 0
    star = mark = -1
    while index < len(text):
        if at < len(glob) and glob[at] == "*":
            star, mark = at, index
            at += 1
            continue
        width = _one(glob, at, text[index]) if at < len(glob) else 0
        if width:
            at += width
            index += 1
        elif star >= 0:
            mark += 1
            at, index = star + 1, mark
        else:
            return False
    return not glob[at:].strip("*")


def _one(glob: str, at: int, char: str) -> int:
    """How long the piece of glob at `at` is, when it matches this character; 0 when it does not."""
    piece = glob[at]
    if piece == "?":
        return 1
    if piece == "[":
        end = glob.find("]", at + 2 if glob[at + 1 : at + 2] not in ("!", "^") else at + 3)
        if end > 0:
            return end + 1 - at if _in_class(glob[at + 1 : end], char) else 0
    return 1 if piece == char else 0


def _in_class(members: str, char: str) -> bool:
    negated = members[:1] in ("!", "^")
    if negated:
        members = members[1:]
    found = False
    index = 0
    while index < len(members):
        if members[index + 1 : index + 2] == "-" and index + 2 < len(members):
            found = found or members[index] <= char <= members[index + 2]
            index += 3
        else:
            found = found or members[index] == char
            index += 1
    return found is not negated


def overlap(one: str, two: str) -> bool:
    """Whether some text could match both: one is a rule's glob, the other a word that is not wholly known."""
    one = one if len(one) <= MAX_OVERLAP else one[:MAX_OVERLAP] + "*"
    two = two if len(two) <= MAX_OVERLAP else two[:MAX_OVERLAP] + "*"
    if not _heads_agree(one, two):
        return False
    row = [True] + [False] * len(two)
    for to, char in enumerate(two, 1):
        row[to] = row[to - 1] and char == "*"
    at = 0
    while at < len(one):
        width, char = _unit(one, at)
        new = [row[0] and char == "*"] + [False] * len(two)
        for to in range(1, len(two) + 1):
            other = two[to - 1]
            if char == "*":
                new[to] = row[to] or new[to - 1] or row[to - 1]
            elif other == "*":
                new[to] = new[to - 1] or row[to] or row[to - 1]
            else:
                new[to] = row[to - 1] and _may_equal(one[at : at + width], other)
        row = new
        at += width
    return row[-1]


def _unit(glob: str, at: int) -> tuple[int, str]:
    if glob[at] == "[":
        end = glob.find("]", at + 2)
        if end > 0:
            return end + 1 - at, "["
    return 1, glob[at]


def _may_equal(piece: str, other: str) -> bool:
    return other in "?]" or piece == "?" or (piece == other if len(piece) == 1 else bool(_one(piece, 0, other)))


def _heads_agree(one: str, two: str) -> bool:
    """A quick no: the literal beginnings differ."""
    for left, right in zip(one, two, strict=False):
        if left in _WILD or right in _WILD:
            return True
        if left != right:
            return False
    return True


def path_glob(glob: str) -> str:
    """A path pattern in its one spelling: absolute, below `~`, below the working directory, or anywhere (`**/…`)."""
    if glob == "~" or glob.startswith(("/", "~/")):
        return glob.rstrip("/") or "/"
    if glob.startswith("./"):
        return glob.rstrip("/")
    return "**/" + glob.rstrip("/") if not glob.startswith("**/") else glob.rstrip("/")


def placed(glob: str, home: str, cwd: str) -> str:
    """The pattern with `~` and `./` filled in."""
    if glob[:1] == "~" and glob[1:2] in ("", "/"):
        return home.rstrip("/") + glob[1:]
    if glob[:2] == "./":
        return cwd.rstrip("/") + glob[1:]
    return glob


def path_matches(glob: str, path: str) -> bool:
    """Whether an absolute path matches: `*` stays inside a name, `**` is any number of folders (none, too)."""
    if "*" not in glob and "?" not in glob and "[" not in glob:
        return glob == path
    if glob.endswith("/**") and not wild(glob[:-3]):
        root = glob[:-3]
        return path == root or path.startswith(root + "/")
    return _parts(glob.split("/"), path.split("/"))


def _parts(globs: Sequence[str], names: Sequence[str]) -> bool:
    at = index = 0
    star = mark = -1
    while index < len(names):
        if at < len(globs) and globs[at] == "**":
            star, mark = at, index
            at += 1
        elif at < len(globs) and matches(globs[at], names[index]):
            at += 1
            index += 1
        elif star >= 0:
            mark += 1
            at, index = star + 1, mark
        else:
            return False
    return all(glob == "**" for glob in globs[at:])


def literal_root(glob: str) -> str:
    """The folder above the first wildcard of an absolute pattern; the path itself when there is none."""
    kept: list[str] = []
    for part in glob.split("/"):
        if wild(part):
            break
        kept.append(part)
    return "/".join(kept) or "/"
